"""What happens to required arguments that nobody named: ask, fill, or interrupt.

``ask``        the answer is a question instead of its calls
``fill``       the calls stay, and ``response_metadata["ungrounded_arguments"]`` names the arguments
``interrupt``  as ``fill``, and an agent of ``create_tool_agent``, or one of ``create_agent`` with
               ``MissingArgumentInterrupt``, stops before the calls run, by LangGraph's
               ``interrupt``; it goes on with what ``Command(resume=…)`` brings

A call that was demanded (``tool_choice``, structured output) is never replaced by a question.
Everything here is pure; the graph and the middleware do the interrupting.
"""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from langchain_core.messages import AIMessage, BaseMessage

from langchain_gorilla.calls import FunctionCall, JSONValue
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.formats.content import Place, message_text
from langchain_gorilla.functions import FunctionSchema, FunctionSet
from langchain_gorilla.grounding import Said, Ungrounded, referred, resolved
from langchain_gorilla.validation import InvalidCall, validate_call

OnMissingArgument: TypeAlias = Literal["ask", "fill", "interrupt"]

UNGROUNDED: Final = "ungrounded_arguments"
"""Key of ``response_metadata``: a list of ``{"id", "tool", "parameter", "description", "schema"}``."""

ASKED_FOR: Final = "asked_for"
"""Key of ``response_metadata`` of a question: ``{"tool", "parameter", "description"}`` each."""

ACTION: Final = "on_missing_argument"
"""Key of ``response_metadata``, where an agent is to interrupt."""

GIVEN: Final = "given_arguments"
"""Key of ``response_metadata``: the values that a person gave for arguments, or let stand."""

SCHEMAS: Final = "missing_argument_schemas"
"""Key of ``response_metadata``, where an agent is to interrupt: tool to its whole schema."""


@dataclass(frozen=True)
class MissingArguments:
    """What one answer does about them.

    Attributes:
        action: What the caller chose.
        said: The conversation.
        demanded: A call was demanded, so that no question may take its place.
    """

    action: OnMissingArgument
    said: Said
    demanded: bool = False

    def __post_init__(self) -> None:
        """Refuse an action that is none."""
        if self.action not in get_args(OnMissingArgument):
            raise UnsupportedOptionError(
                f"on_missing_argument is {self.action!r}; expected one of "
                f"{', '.join(map(repr, get_args(OnMissingArgument)))}."
            )

    @property
    def asks(self) -> bool:
        """Whether a question may take the place of calls."""
        return self.action == "ask" and not self.demanded

    def metadata(self, missing: Sequence[tuple[str, Ungrounded]]) -> dict[str, Any]:
        """Return what ``response_metadata`` says of them; nothing where there are none."""
        if not missing:
            return {}
        if self.asks:
            return {ASKED_FOR: [_named(each) for each in _once(missing)]}
        found = [{"id": id_, **_named(each), "schema": dict(each.schema)} for id_, each in missing]
        if self.action != "interrupt":
            return {UNGROUNDED: found}
        # The agent that resumes may be another process, which has the messages and no tools.
        schemas = {each.tool: dict(each.parameters) for _, each in missing}
        return {UNGROUNDED: found, ACTION: self.action, SCHEMAS: schemas}


def what_was_said(messages: Sequence[BaseMessage]) -> Said:
    """Return the conversation as far as a value may come from it.

    A question for an argument is left out: what its description gives as an example was not said.
    What a person gave for an argument was said, at an interrupt.

    Raises:
        PromptError: A message holds what is no text; see ``formats.content``.
    """
    said = [
        message_text(each, Place(position, type(each).__name__))
        for position, each in enumerate(messages)
        if ASKED_FOR not in each.response_metadata
    ]
    given = [value for each in messages for value in each.response_metadata.get(GIVEN, ())]
    return Said([*said, *map(_text, given)])


def _text(value: JSONValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def question(missing: Sequence[Ungrounded]) -> str:
    """Ask by tool, parameter and description; one line a parameter."""
    lines = []
    for each in _once([("", one) for one in missing]):
        about = f" ({each.description.rstrip('.')})" if each.description else ""
        choices = resolved(each.schema, each.parameters or each.schema).get("enum")
        among = f" It is one of: {', '.join(map(str, choices))}." if choices else ""
        lines.append(
            f"To call {each.tool}, I need a value for {each.parameter}{about}, and you have not "
            f"named one.{among} What should it be?"
        )
    return "\n".join(lines)


def _once(missing: Sequence[tuple[str, Ungrounded]]) -> list[Ungrounded]:
    """Return each parameter of a tool once, whatever the number of calls."""
    return list({(each.tool, each.parameter): each for _, each in missing}.values())


def _named(each: Ungrounded) -> dict[str, Any]:
    return {"tool": each.tool, "parameter": each.parameter, "description": each.description}


# --- Interrupting ---


class UnusableAnswerError(ValueError):
    """What was given for missing arguments cannot be used; the message says why, for people."""


def wants_interrupt(message: BaseMessage) -> bool:
    """Whether an agent has to stop before the calls of this answer run."""
    metadata = message.response_metadata
    return (
        isinstance(message, AIMessage)
        and bool(message.tool_calls)
        and metadata.get(ACTION) == "interrupt"
        and bool(metadata.get(UNGROUNDED))
    )


def settled(answer: AIMessage, ids: Collection[str]) -> AIMessage:
    """Return the answer with nothing missing in the calls of these ids, as they will not run."""
    missing = [e for e in answer.response_metadata.get(UNGROUNDED, ()) if e["id"] not in ids]
    metadata = {**answer.response_metadata, UNGROUNDED: missing}
    return answer.model_copy(update={"response_metadata": metadata})


def interrupt_payload(answer: AIMessage, problem: str | None = None) -> dict[str, JSONValue]:
    """Return what ``interrupt()`` shows: the question, the arguments, the values made up for them.

    Args:
        answer: One that ``wants_interrupt``.
        problem: Why the last answer could not be used.
    """
    calls = {call["id"]: call["args"] for call in answer.tool_calls}
    missing = [
        {**each, "guess": calls.get(each["id"], {}).get(each["parameter"])}
        for each in answer.response_metadata[UNGROUNDED]
    ]
    schemas = answer.response_metadata.get(SCHEMAS, {})
    asked = question(
        [
            Ungrounded(
                each["tool"],
                each["parameter"],
                each["description"],
                each["schema"],
                schemas.get(each["tool"], {}),
            )
            for each in missing
        ]
    )
    payload = {"kind": "missing_arguments", "question": asked, "missing": missing}
    return payload if problem is None else {**payload, "problem": problem}


def resumed(answer: AIMessage, given: Any) -> AIMessage:
    """Return the answer with the values that a person gave; its id stays, so it is replaced.

    ============================  ================================================================
    given                         means
    ============================  ================================================================
    ``{parameter: value}``        the value for each call that lacks it
    ``{id: {parameter: value}}``  the values of the call with this id
    a value alone                 the value of the one parameter that is missing; a dict is one
                                  where the parameter takes an object and no key is a parameter
                                  or an id as above
    True                          what the model made up is kept; but where the one parameter that
                                  is missing takes a boolean, True is its value, and a guess is
                                  kept by giving it: the interrupt shows it as ``guess``
    ============================  ================================================================

    A text that does not fit as it is stands for the JSON that it spells, or for ``true``, ``yes``,
    ``false``, ``no``, ``null`` or ``none`` in capitals or not.

    Each value is checked against its parameter's schema, and the call against the tool's. The
    values stay in the answer's metadata, so that no later call is asked about them.

    Args:
        answer: One that ``wants_interrupt``.
        given: As in the table.

    Raises:
        UnusableAnswerError: A parameter is left out, is none of those asked for, or its value
            does not fit its schema, fits no other argument of the call, or holds a number
            that is not finite.
    """
    missing = answer.response_metadata[UNGROUNDED]
    schemas = answer.response_metadata.get(SCHEMAS, {})
    metadata = {
        key: value
        for key, value in answer.response_metadata.items()
        if key not in (UNGROUNDED, ACTION, SCHEMAS)
    }
    names = list(dict.fromkeys(each["parameter"] for each in missing))
    # An older answer lacks the tools' schemas; each parameter's own has what it refers to.
    roots = [schemas.get(each["tool"], each["schema"]) for each in missing]
    asked_for: dict[str, list[str]] = {}
    for each in missing:
        asked_for.setdefault(each["id"], []).append(each["parameter"])
    if given is True and not (len(names) == 1 and _all_take("boolean", missing, roots)):
        guesses = {call["id"]: call["args"] for call in answer.tool_calls}
        metadata[GIVEN] = [guesses.get(each["id"], {}).get(each["parameter"]) for each in missing]
        return answer.model_copy(update={"response_metadata": metadata})
    if not isinstance(given, Mapping) or (
        len(names) == 1
        and _all_take("object", missing, roots)
        and given.keys().isdisjoint([*names, *asked_for])
    ):
        if len(names) != 1:
            raise UnusableAnswerError(
                f"Got {given!r:.80}; several values are missing. Give a dict with "
                f"{', '.join(names)}, or True to keep what the model filled in."
            )
        given = {names[0]: given}
    strange = {str(key) for key in given if key not in names and key not in asked_for}
    for id_, own_names in asked_for.items():
        if isinstance(own := given.get(id_), Mapping):
            strange |= {str(key) for key in own if key not in own_names}
    if strange:
        raise UnusableAnswerError(
            f"{', '.join(sorted(strange))} was not asked for; expected {', '.join(names)}."
        )
    values: dict[str, dict[str, JSONValue]] = {}
    for each, root in zip(missing, roots, strict=True):
        own = given.get(each["id"], given)
        if not isinstance(own, Mapping) or each["parameter"] not in own:
            raise UnusableAnswerError(f"No value was given for {each['parameter']}.")
        values.setdefault(each["id"], {})[each["parameter"]] = _fitting(
            own[each["parameter"]], each, root
        )
    calls = [
        {**call, "args": _checked(call["name"], {**call["args"], **own}, schemas)}
        if (own := values.get(call["id"] or ""))
        else call
        for call in answer.tool_calls
    ]
    metadata[GIVEN] = [value for own in values.values() for value in own.values()]
    return answer.model_copy(
        update={
            "content": _content_with(calls, answer),
            "tool_calls": calls,
            "response_metadata": metadata,
        }
    )


def _checked(
    tool: str, arguments: Mapping[str, JSONValue], schemas: Mapping[str, Any]
) -> Mapping[str, JSONValue]:
    """Return the arguments of a call that its tool's whole schema takes, where that is known."""
    if tool not in schemas:
        return arguments
    # This style keeps the parameters' true names, which a person gives, in the reason too.
    functions = FunctionSet([FunctionSchema(tool, "", schemas[tool])], style="openai")
    checked = validate_call(FunctionCall(tool, arguments), functions)
    if isinstance(checked, InvalidCall):
        raise UnusableAnswerError(checked.reason)
    return checked.arguments


def _content_with(calls: Sequence[Mapping[str, Any]], answer: AIMessage) -> str | list[Any]:
    """Return the content; with ``output_version="v1"`` it holds the calls a second time."""
    if isinstance(answer.content, str):
        return answer.content
    arguments = {call["id"]: call["args"] for call in calls}
    return [
        {**block, "args": arguments[block["id"]]}
        if isinstance(block, dict)
        and block.get("type") == "tool_call"
        and block.get("id") in arguments
        else block
        for block in answer.content
    ]


def _fitting(value: JSONValue, missing: Mapping[str, Any], root: Mapping[str, Any]) -> JSONValue:
    """Return a value that fits its parameter's schema, read from a text if need be."""
    name = missing["parameter"]
    # With all that it may refer to; what the tool asks of its arguments together comes later.
    parameters = {
        **{key: root[key] for key in ("$schema", "$defs", "definitions") if key in root},
        "type": "object",
        "properties": {**root.get("properties", {}), name: missing["schema"]},
        "required": [name],
    }
    functions = FunctionSet([FunctionSchema(missing["tool"], "", parameters)], style="openai")
    reason = ""
    for candidate in _readings(value):
        checked = validate_call(FunctionCall(missing["tool"], {name: candidate}), functions)
        if isinstance(checked, InvalidCall):
            reason = reason or checked.reason
        elif _is_finite(found := checked.arguments[name]):
            return found
        else:
            # Said instead of why the text as it is does not fit.
            raise UnusableAnswerError(f"{name} holds a number that is not finite: {value!r:.80}.")
    raise UnusableAnswerError(reason)


_WORDS: Final[Mapping[str, JSONValue]] = {
    "true": True, "yes": True, "false": False, "no": False, "null": None, "none": None,
}  # fmt: skip


def _readings(value: JSONValue) -> list[JSONValue]:
    """Return the value and, of a text, what it may spell; as it was given comes first."""
    if not isinstance(value, str):
        return [value]
    text = value.strip()
    if text.lower() in _WORDS:
        return [value, _WORDS[text.lower()], text]
    try:
        return [value, json.loads(text), text]
    except (ValueError, RecursionError):
        return [value, text]


def _is_finite(value: JSONValue) -> bool:
    """Whether no number in it is infinite or nan, which JSON cannot say; Python reads 1e999."""
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _all_take(
    kind: Literal["boolean", "object"],
    missing: Sequence[Mapping[str, Any]],
    roots: Sequence[Mapping[str, Any]],
) -> bool:
    """Whether each missing argument may be of this type; one whose schema names none may not."""
    pairs = zip(missing, roots, strict=True)
    return all(_takes(kind, each["schema"], root) for each, root in pairs)


def _takes(kind: str, schema: Any, root: Mapping[str, Any], depth: int = 8) -> bool:
    if not isinstance(schema, Mapping) or depth == 0:
        return False
    types = schema.get("type", ())
    if kind == types or (isinstance(types, list) and kind in types):
        return True
    if kind == "boolean" and any(isinstance(each, bool) for each in schema.get("enum", ())):
        return True
    if kind == "object" and "properties" in schema:
        return True
    parts: list[Any] = [referred(schema, root)]
    for keyword in ("anyOf", "oneOf", "allOf"):
        parts += schema.get(keyword, ())
    return any(_takes(kind, part, root, depth - 1) for part in parts)
