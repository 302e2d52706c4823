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

Content is text. Blocks that repeat the calls, or that hold thoughts, are left out; any other
block is an error. Lone surrogates, which no tokenizer can encode, become U+FFFD.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from langchain_gorilla.formats.markers import encodable
from langchain_gorilla.functions import FunctionSet

_NOT_SAID: Final = frozenset(
    {
        *("tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call"),
        *("reasoning", "thinking", "redacted_thinking"),
    }
)
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
        reader.read(message, _Place(position, type(message).__name__))
    system = "\n\n".join(text for text in reader.system if text)
    return (SystemTurn(system), *reader.turns) if system else tuple(reader.turns)


@dataclass(frozen=True)
class _Place:
    """Where something went wrong, for error messages."""

    position: int
    kind: str

    def __str__(self) -> str:
        return f"messages[{self.position}] ({self.kind})"


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

    def read(self, message: BaseMessage, place: _Place) -> None:
        """Add one message."""
        match message:
            case SystemMessage():
                self.system.append(_text(message.content, place))
            case HumanMessage():
                self._human(message, place)
            case AIMessage():
                self._assistant(message, place)
            case ToolMessage():
                self._result(
                    message.tool_call_id,
                    _text(message.content, place),
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

    def _human(self, message: HumanMessage, place: _Place) -> None:
        said: list[str | dict[str, Any]] = []
        for block in _blocks(message.content):
            if isinstance(block, dict) and block.get("type") == "tool_result":
                self._result(
                    str(block.get("tool_use_id")),
                    _text(block.get("content") or "", place),
                    is_error=bool(block.get("is_error")),
                    place=place,
                )
            else:
                said.append(block)
        if said or not message.content:
            name = encodable(message.name) if message.name else None
            self.turns.append(HumanTurn(_text(said, place), name))

    def _assistant(self, message: AIMessage, place: _Place) -> None:
        self._asked = []
        calls: list[FunctionCall] = []
        for name, arguments, id_ in _tool_calls(message):
            calls.append(self._written(FunctionCall(name, arguments)))
            self._asked.append(_Asked(id_, calls[-1]))
        text = _text(message.content, place)
        for invalid in message.invalid_tool_calls:
            failed = FailedCall(encodable(_failed_text(invalid.get("name"), invalid.get("args"))))
            self._asked.append(_Asked(invalid.get("id"), failed))
            text = f"{text}\n{failed.text}" if text else failed.text
        self.turns.append(AssistantTurn(text, tuple(calls)))

    def _written(self, call: FunctionCall) -> FunctionCall:
        try:
            clean = FunctionCall(encodable(call.name), _clean(call.arguments))
        except RecursionError:
            raise PromptError(
                f"The arguments of a call of {call.name!r} are nested too deeply. Expected JSON "
                "values of ordinary depth. Shorten that AIMessage."
            ) from None
        return clean if self._functions is None else self._functions.as_written(clean)

    def _result(self, id_: str, content: str, *, is_error: bool, place: _Place) -> None:
        matching = [asked for asked in self._asked if asked.id == id_]
        if not matching:
            known = ", ".join(repr(asked.id) for asked in self._asked) or "none"
            raise PromptError(
                f"{place} answers the call {id_!r}, but the AI message before it made no such "
                f"call (ids there: {known}). Put the AIMessage with that tool call in front of "
                "it, or leave the result out."
            )
        # Two calls may share an id; their results then come in their order.
        self._add(next((a for a in matching if not a.answered), matching[-1]), content, is_error)

    def _function_result(self, message: FunctionMessage, place: _Place) -> None:
        written = self._written(FunctionCall(message.name)).name
        for asked in self._asked:
            if (
                isinstance(asked.call, FunctionCall)
                and asked.call.name == written
                and not asked.answered
            ):
                return self._add(asked, _text(message.content, place), is_error=False)
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
        order = [id(each.call) for each in self._asked]
        results.sort(key=lambda result: order.index(id(result.call)))
        self.turns.append(ResultsTurn(tuple(results)))

    def _chat(self, message: ChatMessage, place: _Place) -> None:
        kind = _ROLES.get(message.role.lower())
        if kind is None:
            raise PromptError(
                f"{place} has the role {message.role!r}. Expected one of {', '.join(_ROLES)}. "
                "Use SystemMessage, HumanMessage, AIMessage or ToolMessage."
            )
        self.read(kind(content=message.content, name=message.name), place)


def _tool_calls(message: AIMessage) -> list[tuple[str, Mapping[str, Any], str | None]]:
    """List name, arguments and id of each call, those given only as content blocks too."""
    calls: list[tuple[str, Mapping[str, Any], str | None]]
    calls = [(call["name"], call["args"], call["id"]) for call in message.tool_calls]
    known = {id_ for _, _, id_ in calls}
    known |= {invalid.get("id") for invalid in message.invalid_tool_calls}
    for block in _blocks(message.content):
        if (
            isinstance(block, dict)
            and block.get("type") == "tool_use"
            and block.get("id") not in known
            and isinstance(block.get("input"), Mapping)
        ):
            calls.append((str(block.get("name")), block["input"], block.get("id")))
    return calls


def _failed_text(name: str | None, arguments: str | None) -> str:
    """Say what an invalid tool call was: its source text, or as much as is kept of it."""
    source = arguments or ""
    return source if not name or name in source else f"{name}({source})"


def _blocks(content: str | Sequence[Any]) -> Sequence[str | dict[str, Any]]:
    return [content] if isinstance(content, str) else content


def _text(content: str | Sequence[Any], place: _Place) -> str:
    if not isinstance(content, str | list):
        raise PromptError(
            f"{place} holds a result whose content is {content!r:.120}. Expected text, or a list "
            "of blocks. Write the content as text."
        )
    pieces = []
    for block in _blocks(content):
        if isinstance(block, str):
            pieces.append(block)
        elif not isinstance(block, Mapping):
            raise PromptError(
                f"{place} holds the block {block!r:.120}. Expected text, or a dict with a type. "
                "Write it as text."
            )
        elif block.get("type") == "text":
            pieces.append(_block_text(block.get("text"), place))
        elif not (block.get("type") in _NOT_SAID and place.kind.startswith("AI")):
            raise PromptError(
                f"{place} holds a block of type {block.get('type')!r}. This model reads text "
                "only. Describe the content in a text block, or leave the block out."
            )
    return encodable("".join(pieces))


def _block_text(text: object, place: _Place) -> str:
    if text is None:
        return ""  # As other chat models read an answer without text.
    if isinstance(text, str):
        return text
    raise PromptError(
        f"{place} holds a text block whose text is {text!r:.120}. Expected a string. Write the "
        "content as one, or leave the block out."
    )


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, Mapping):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(item) for item in value]
    return value
