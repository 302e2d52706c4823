"""LangChain messages to neutral turns, once for all prompt formats.

What becomes of each message:

* System messages are joined, with a blank line between, into one turn in front, wherever they
  stand: no family was trained on a system message in the middle.
* Human messages stay apart; a format joins neighbours where its family takes turns.
* The calls of an AI message are written under the names that the model writes. A call that
  could not be read becomes text of the answer, on a line of its own.
* Tool messages, and ``tool_result`` blocks in human messages, answer calls of the last AI
  message before them, by id; results that follow one another are one turn, in call order.
* ChatMessages with a familiar role are messages of that role. FunctionMessages answer the
  first open call of their name.
* An AI message's own name is left out: a model would begin its answers with one.

What a message's content says is in ``formats.content``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.errors import PromptError
from langchain_gorilla.formats.base import (
    AssistantTurn,
    CallResult,
    FailedCall,
    HumanTurn,
    ResultsTurn,
    SystemTurn,
    Turn,
)
from langchain_gorilla.formats.content import (
    CALLS,
    Place,
    content_blocks,
    content_text,
    message_text,
)
from langchain_gorilla.formats.markers import encodable
from langchain_gorilla.functions import FunctionSet

_ROLES: Final = {
    "system": SystemMessage,
    "developer": SystemMessage,
    "user": HumanMessage,
    "human": HumanMessage,
    "assistant": AIMessage,
    "ai": AIMessage,
}


def conversation(
    messages: Sequence[BaseMessage], functions: FunctionSet | None = None
) -> tuple[Turn, ...]:
    """Convert messages to the turns that a prompt format renders.

    Args:
        messages: At least one.
        functions: Give the written names of calls; None leaves names as they are.

    Returns:
        A SystemTurn first if there is a system message; then the other turns in order.

    Raises:
        PromptError: No messages, content that is not text, a result without its call, or a
            message of a kind that no prompt can carry.
    """
    if not messages:
        raise PromptError(
            "The list of messages is empty. A prompt needs at least one; add a HumanMessage."
        )
    reader = _Reader(functions)
    for position, message in enumerate(messages):
        reader.read(message, Place(position, type(message).__name__))
    system = "\n\n".join(text for text in reader.system if text)
    return (SystemTurn(system), *reader.turns) if system else tuple(reader.turns)


def pieces(messages: Sequence[BaseMessage]) -> Iterator[Sequence[BaseMessage]]:
    """Yield what the messages may be a piece of: as they are, or the end of one, last first.

    LangChain's trimming asks so how long an end is, wherever it begins: results whose call is cut
    off are yielded as texts.
    """
    yield messages
    yield (backwards := messages[::-1])
    for end in (backwards, messages):
        cut = list(takewhile(lambda message: isinstance(message, ToolMessage), end))
        yield [*(HumanMessage(result.text) for result in cut), *end[len(cut) :]]


@dataclass
class _Asked:
    """A call of the last AI message: its id, and whether a result came."""

    id: str | None
    call: FunctionCall | FailedCall
    answered: bool = False


class _Reader:
    """Reads one conversation; ``turns`` and ``system`` hold what came so far."""

    def __init__(self, functions: FunctionSet | None) -> None:
        self.system: list[str] = []
        self.turns: list[Turn] = []
        self._functions = functions
        self._asked: list[_Asked] = []

    def read(self, message: BaseMessage, place: Place) -> None:
        """Add one message."""
        match message:
            case SystemMessage():
                self.system.append(message_text(message, place))
            case HumanMessage():
                self._human(message, place)
            case AIMessage():
                self._assistant(message, place)
            case ToolMessage():
                self._result(
                    message.tool_call_id,
                    message_text(message, place),
                    is_error=message.status == "error",
                    place=place,
                )
            case FunctionMessage():
                self._function_result(message, place)
            case ChatMessage():
                self._chat(message, place)
            case _:
                raise PromptError(
                    f"{place} cannot be part of a prompt. Expected system, human, AI and tool "
                    "messages. Leave it out of what the model is given."
                )

    def _human(self, message: HumanMessage, place: Place) -> None:
        said: list[str | dict[str, Any]] = []
        for block in content_blocks(message.content):
            if isinstance(block, dict) and block.get("type") == "tool_result":
                self._result(
                    str(block.get("tool_use_id")),
                    content_text(block.get("content") or "", place, by="tool"),
                    is_error=bool(block.get("is_error")),
                    place=place,
                )
            else:
                said.append(block)
        if said or not message.content:
            name = encodable(message.name) if message.name else None
            self.turns.append(HumanTurn(content_text(said, place, by="person"), name))

    def _assistant(self, message: AIMessage, place: Place) -> None:
        self._asked = []
        calls: list[FunctionCall] = []
        said = [message_text(message, place)]
        for id_, call in _asked_for(message):
            if isinstance(call, FunctionCall):
                call = self._written(call)
                calls.append(call)
            else:
                said.append(call.text)
            self._asked.append(_Asked(id_, call))
        self.turns.append(AssistantTurn("\n".join(each for each in said if each), tuple(calls)))

    def _written(self, call: FunctionCall) -> FunctionCall:
        try:
            clean = FunctionCall(encodable(call.name), _clean(call.arguments))
        except RecursionError:
            raise PromptError(
                f"The arguments of a call of {call.name!r} are nested too deeply. Expected JSON "
                "values of ordinary depth. Shorten that AIMessage."
            ) from None
        return clean if self._functions is None else self._functions.as_written(clean)

    def _result(self, id_: str, content: str, *, is_error: bool, place: Place) -> None:
        # A ToolMessage always has an id, and "" stands for the one that a call has not.
        matching = [asked for asked in self._asked if (asked.id or "") == id_]
        if not matching:
            known = ", ".join(repr(asked.id) for asked in self._asked) or "none"
            raise PromptError(
                f"{place} answers the call {id_!r}, but the AI message before it made no such "
                f"call (ids there: {known}). Put the AIMessage with that tool call in front of "
                "it, or leave the result out."
            )
        # Two calls may share an id; their results then come in their order.
        self._add(next((a for a in matching if not a.answered), matching[-1]), content, is_error)

    def _function_result(self, message: FunctionMessage, place: Place) -> None:
        written = self._written(FunctionCall(message.name)).name
        for asked in self._asked:
            if (
                isinstance(asked.call, FunctionCall)
                and asked.call.name == written
                and not asked.answered
            ):
                return self._add(asked, message_text(message, place), is_error=False)
        raise PromptError(
            f"{place} answers a call of {message.name!r}, but the AI message before it has no "
            "open call of it. Use a ToolMessage with the tool_call_id of the call."
        )

    def _add(self, asked: _Asked, content: str, is_error: bool) -> None:
        asked.answered = True
        results = [CallResult(asked.call, content, is_error)]
        if self.turns and isinstance(last := self.turns[-1], ResultsTurn):
            results = [*last.results, *results]
            self.turns.pop()
        places = {id(each.call): place for place, each in enumerate(self._asked)}
        results.sort(key=lambda result: places[id(result.call)])
        self.turns.append(ResultsTurn(tuple(results)))

    def _chat(self, message: ChatMessage, place: Place) -> None:
        kind = _ROLES.get(message.role.lower())
        if kind is None:
            raise PromptError(
                f"{place} has the role {message.role!r}. Expected one of {', '.join(_ROLES)}. "
                "Use SystemMessage, HumanMessage, AIMessage or ToolMessage."
            )
        kept = message.additional_kwargs  # OpenAI's calls, of an assistant.
        self.read(kind(message.content, name=message.name, additional_kwargs=kept), place)


def _asked_for(message: AIMessage) -> Iterator[tuple[str | None, FunctionCall | FailedCall]]:
    """Yield id and call of each call, those given only as content blocks too."""
    known: list[str | None] = []
    for call in message.tool_calls:
        known.append(call["id"])
        yield call["id"], FunctionCall(call["name"], call["args"])
    for invalid in message.invalid_tool_calls:
        known.append(invalid.get("id"))
        yield invalid.get("id"), _failed(invalid.get("name"), invalid.get("args"))
    blocks = list(content_blocks(message.content))
    # OpenAI's first function calling had one call, without an id.
    if isinstance(first := message.additional_kwargs.get("function_call"), Mapping):
        blocks.append({**first, "type": "function_call"})
    for block in blocks:
        if not isinstance(block, Mapping) or block.get("type") not in CALLS:
            continue
        id_ = block.get("call_id") or block.get("id")
        if id_ not in known and (id_ is not None or not known):
            yield id_, _call_in(block)


def _call_in(block: Mapping[str, Any]) -> FunctionCall | FailedCall:
    """Read a call in the form of LangChain, Anthropic or OpenAI."""
    name = str(block.get("name"))
    given: Any = next((block[key] for key in ("args", "input", "arguments") if key in block), {})
    if isinstance(given, str) and block.get("type") != "invalid_tool_call":
        with suppress(ValueError, RecursionError):
            given = json.loads(given or "{}")
    if isinstance(given, Mapping):
        return FunctionCall(name, given)
    return _failed(name, given if isinstance(given, str) else json.dumps(given, default=str))


def _failed(name: str | None, arguments: str | None) -> FailedCall:
    """Say what a call that could not be read was: its source, or as much as is kept of it."""
    source = arguments or ""
    return FailedCall(encodable(source if not name or name in source else f"{name}({source})"))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, Mapping):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(item) for item in value]
    return value
