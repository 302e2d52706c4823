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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from langchain_core.messages import AIMessage, BaseMessage

from langchain_gorilla.calls import FunctionCall, JSONValue
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.functions import FunctionSchema, FunctionSet
from langchain_gorilla.grounding import Said, Ungrounded
from langchain_gorilla.validation import InvalidCall, validate_call

OnMissingArgument: TypeAlias = Literal["ask", "fill", "interrupt"]

UNGROUNDED: Final = "ungrounded_arguments"
"""Key of ``response_metadata``: a list of ``{"id", "tool", "parameter", "description", "schema"}``."""

ASKED_FOR: Final = "asked_for"
"""Key of ``response_metadata`` of a question: ``{"tool", "parameter", "description"}`` each."""

ACTION: Final = "on_missing_argument"
"""Key of ``response_metadata``, where an agent is to interrupt."""


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
        mark = {ACTION: self.action} if self.action == "interrupt" else {}
        return {UNGROUNDED: found, **mark}


def what_was_said(messages: Sequence[BaseMessage]) -> Said:
    """Return the conversation as far as a value may come from it.

    A question for an argument is left out: what its description gives as an example was not said.
    """
    return Said([each.text for each in messages if ASKED_FOR not in each.response_metadata])


def question(missing: Sequence[Ungrounded]) -> str:
    """Ask by tool, parameter and description; one line a parameter."""
    lines = []
    for each in _once([("", one) for one in missing]):
        about = f" ({each.description.rstrip('.')})" if each.description else ""
        choices = each.schema.get("enum")
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
    asked = question(
        [Ungrounded(e["tool"], e["parameter"], e["description"], e["schema"]) for e in missing]
    )
    payload = {"kind": "missing_arguments", "question": asked, "missing": missing}
    return payload if problem is None else {**payload, "problem": problem}


def resumed(answer: AIMessage, given: Any) -> AIMessage:
    """Return the answer with the values that a person gave; its id stays, so it is replaced.

    Args:
        answer: One that ``wants_interrupt``.
        given: ``{parameter: value}``; ``{call id: {parameter: value}}`` where two calls need
            different ones; a value alone where one parameter is missing; True keeps what the
            model made up. A text stands for the number or boolean that it spells.

    Raises:
        UnusableAnswerError: A parameter is left out, is none of those asked for, or its value
            does not fit its schema.
    """
    missing = answer.response_metadata[UNGROUNDED]
    metadata = {k: v for k, v in answer.response_metadata.items() if k not in (UNGROUNDED, ACTION)}
    if given is True:
        return answer.model_copy(update={"response_metadata": metadata})
    names = list(dict.fromkeys(each["parameter"] for each in missing))
    ids = {each["id"] for each in missing}
    if not isinstance(given, Mapping):
        if len(names) != 1:
            raise UnusableAnswerError(
                f"Got {given!r:.80}; several values are missing. Give a dict with "
                f"{', '.join(names)}, or True to keep what the model filled in."
            )
        given = {names[0]: given}
    strange = sorted(str(key) for key in given if key not in names and key not in ids)
    if strange:
        raise UnusableAnswerError(
            f"{', '.join(strange)} was not asked for; expected {', '.join(names)}."
        )
    values: dict[str, dict[str, JSONValue]] = {}
    for each in missing:
        own = given.get(each["id"], given)
        if not isinstance(own, Mapping) or each["parameter"] not in own:
            raise UnusableAnswerError(f"No value was given for {each['parameter']}.")
        values.setdefault(each["id"], {})[each["parameter"]] = _fitting(
            own[each["parameter"]], each
        )
    calls = [
        {**call, "args": {**call["args"], **values.get(call["id"] or "", {})}}
        for call in answer.tool_calls
    ]
    return answer.model_copy(update={"tool_calls": calls, "response_metadata": metadata})


def _fitting(value: JSONValue, missing: Mapping[str, Any]) -> JSONValue:
    """Return a value that fits its parameter's schema, read from a text if need be."""
    name = missing["parameter"]
    schema = {key: each for key, each in missing["schema"].items() if key != "$defs"}
    parameters = {
        "type": "object",
        "properties": {name: schema},
        "required": [name],
        "$defs": missing["schema"].get("$defs", {}),
    }
    functions = FunctionSet([FunctionSchema(missing["tool"], "", parameters)])
    candidates = [value]
    if isinstance(value, str):
        try:
            candidates.append(json.loads(value.strip().lower()))
        except (ValueError, RecursionError):
            candidates.append(value.strip())
    reason = ""
    for candidate in candidates:
        checked = validate_call(FunctionCall(missing["tool"], {name: candidate}), functions)
        if not isinstance(checked, InvalidCall):
            return checked.arguments[name]
        reason = reason or checked.reason
    raise UnusableAnswerError(reason)
