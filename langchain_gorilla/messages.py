"""Parsed events to LangChain messages, the same for a stream and for a whole answer.

A whole answer is the merged stream, so the two differ only in what merging chunks makes of a
refused call (measured with langchain-core 1.7). It loses ``InvalidToolCall.error``, which is why
the reasons are in ``response_metadata["invalid_tool_calls"]`` too. And among v1 content blocks it
leaves a ``tool_call_chunk``: the first piece says the type, before anyone knows that the call will
be refused. A whole answer has an ``invalid_tool_call`` in its place.
"""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    message_chunk_to_message,
)
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.utils.json import parse_partial_json

from langchain_gorilla.calls import (
    ArgumentDelta,
    ArgumentEnd,
    CallEnd,
    CallEvent,
    CallFailed,
    CallStart,
    FunctionCall,
    JSONValue,
    TextDelta,
)
from langchain_gorilla.functions import FunctionSchema, FunctionSet
from langchain_gorilla.validation import DROP, InvalidCall, coerce_argument, validate_call

REASONS = "invalid_tool_calls"
"""Key of ``response_metadata``: call id to the reason why that call is invalid."""

_BLOCKS: Final = {"output_version": "v1"}
"""``response_metadata`` by which LangChain takes the content blocks of a chunk as they are."""


def invalid_call_reasons(message: AIMessage) -> Mapping[str, str]:
    """Return call id to reason for the invalid calls of an answer.

    They come before an ``error``, in whose place LangChain's v3 streams put one of their own.
    """
    reasons = message.response_metadata.get(REASONS, {})
    return reasons if isinstance(reasons, Mapping) else {}


@dataclass
class _OpenCall:
    """A call that is being streamed.

    Attributes:
        index: The tool call chunk's index.
        id: The tool call's id.
        function: Its schema under true names; None where no such tool is bound.
        braced: The arguments' opening brace was emitted.
        quoted: A string value was begun and is still open.
        announced: The first chunk, which carries the id, was emitted.
    """

    index: int
    id: str
    function: FunctionSchema | None
    braced: bool = False
    quoted: bool = False
    announced: bool = False


class AnswerBuilder:
    """Turns parser events into message chunks, one answer long.

    Attributes:
        calls: The valid calls so far, with their ids, under true names.

    Args:
        functions: What the model was offered; names in events are the written ones.
        refusal: A function by which the family says that no tool fits; a call of it becomes
            text.
        blocks: Emit LangChain's v1 content blocks, text and calls in their order, each with an
            index of its own. LangChain would number plain text itself, and merge it into a call
            of the same number.
    """

    def __init__(
        self, functions: FunctionSet, *, refusal: str | None = None, blocks: bool = False
    ) -> None:
        self._functions = functions
        self._refusal = refusal
        self._blocks = blocks
        self._next_index = 0
        self._in_text = False
        self._said_text = False
        self._open: dict[int, _OpenCall] = {}
        self._reasons: dict[str, str] = {}
        self._declined: set[int] = set()
        self.calls: list[tuple[str, FunctionCall]] = []

    def add(self, event: CallEvent) -> Iterator[AIMessageChunk]:
        """Yield what one event adds to the message."""
        if self._is_refusal(event):
            if isinstance(event, CallEnd | CallFailed):
                yield self._text("None of the available functions can help with that.")
            return
        match event:
            case TextDelta(text):
                yield self._text(text)
            case CallStart(index, name):
                yield self._start(index, name)
            case ArgumentDelta(index, parameter, text):
                yield self._piece(self._open[index], parameter, text)
            case ArgumentEnd(index, parameter, value):
                yield from self._argument(self._open[index], parameter, value)
            case CallEnd(index, call):
                yield self._end(self._open.pop(index), call)
            case CallFailed(index, name, text, reason):
                yield self._failed(index, name, text, reason)

    def ask_instead(self, text: str) -> AIMessageChunk:
        """Return a text that takes the place of all calls; the chunks given for them are void."""
        self.calls.clear()
        self._reasons.clear()
        return self._text(f"\n\n{text}" if self._said_text else text)

    def finish(
        self,
        *,
        reason: str,
        input_tokens: int,
        output_tokens: int,
        cached_tokens: int = 0,
        metadata: Mapping[str, Any],
    ) -> AIMessageChunk:
        """Return the last chunk: usage, the finish reason, why calls are invalid.

        Args:
            reason: The engine's: ``stop`` or ``length``. A ``stop`` with valid calls is reported
                as ``tool_calls``, as OpenAI does.
            input_tokens: Tokens of the prompt.
            output_tokens: Tokens generated.
            cached_tokens: Tokens of the prompt that the engine had read before.
            metadata: Further ``response_metadata``.
        """
        response: dict[str, Any] = {
            **metadata,
            "finish_reason": "tool_calls" if reason == "stop" and self.calls else reason,
        }
        if self._reasons:
            response[REASONS] = self._reasons
        usage = UsageMetadata(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            total_tokens=input_tokens + output_tokens,
        )
        if cached_tokens:
            usage["input_token_details"] = InputTokenDetails(cache_read=cached_tokens)
        if self._blocks:
            response |= _BLOCKS
        return AIMessageChunk(
            content=[] if self._blocks else "",
            response_metadata=response,
            usage_metadata=usage,
            chunk_position="last",
        )

    def _is_refusal(self, event: CallEvent) -> bool:
        """Whether this event belongs to a call by which the model declines."""
        if isinstance(event, TextDelta) or self._refusal is None:
            return False
        if isinstance(event, CallStart | CallFailed) and event.name == self._refusal:
            self._declined.add(event.index)
        return event.index in self._declined

    def _text(self, text: str) -> AIMessageChunk:
        self._said_text = True
        if not self._in_text:
            self._in_text = True
            self._next_index += 1
        if not self._blocks:
            return AIMessageChunk(content=text)
        return AIMessageChunk(
            content=[{"type": "text", "text": text, "index": self._next_index - 1}],
            response_metadata=dict(_BLOCKS),
        )

    def _start(self, index: int, written_name: str) -> AIMessageChunk:
        function = self._functions.find(written_name)
        call = self._open[index] = _OpenCall(self._take_index(), _new_id(), function)
        return self._chunk(call, "", name=function.name if function else written_name)

    def _piece(self, call: _OpenCall, parameter: str, text: str) -> AIMessageChunk:
        opening = "" if call.quoted else f'{self._key(call, parameter)}"'
        call.quoted = True
        return self._chunk(call, opening + _escaped(text))

    def _argument(
        self, call: _OpenCall, parameter: str, value: JSONValue
    ) -> Iterator[AIMessageChunk]:
        if call.quoted:
            call.quoted = False
            yield self._chunk(call, '"')
            return
        name = self._true_parameter(call, parameter)
        if call.function is not None and name in call.function.properties:
            value = coerce_argument(value, name, call.function)
            if value is DROP:
                return
        yield self._chunk(call, self._key(call, parameter) + json.dumps(value, ensure_ascii=False))

    def _end(self, call: _OpenCall, parsed: FunctionCall) -> AIMessageChunk:
        checked = validate_call(parsed, self._functions)
        if isinstance(checked, InvalidCall):
            return self._void(call, checked.reason)
        self.calls.append((call.id, checked))
        return self._chunk(call, "}" if call.braced else "{}")

    def _failed(self, index: int, name: str | None, text: str, reason: str) -> AIMessageChunk:
        if (call := self._open.pop(index, None)) is not None:
            return self._void(call, reason)
        call = _OpenCall(self._take_index(), _new_id(), None)
        self._reasons[call.id] = reason
        return self._chunk(call, _not_json(text), name=name)

    def _void(self, call: _OpenCall, reason: str) -> AIMessageChunk:
        """Make the arguments so far something that no lenient JSON reader accepts.

        ``AIMessageChunk`` reads its arguments with a parser that closes open brackets, so a
        call that merely stops would count as valid (langchain issue 39275). A closing bracket
        of the wrong kind is what that parser refuses.
        """
        self._reasons[call.id] = reason
        return self._chunk(call, ('"' if call.quoted else "" if call.braced else "{") + "]")

    def _key(self, call: _OpenCall, parameter: str) -> str:
        name = json.dumps(self._true_parameter(call, parameter), ensure_ascii=False)
        opening = ", " if call.braced else "{"
        call.braced = True
        return f"{opening}{name}: "

    def _true_parameter(self, call: _OpenCall, parameter: str) -> str:
        if call.function is None:
            return parameter
        renamed = self._functions.as_true(FunctionCall(call.function.name, {parameter: None}))
        return next(iter(renamed.arguments))

    def _chunk(self, call: _OpenCall, arguments: str, *, name: str | None = None) -> AIMessageChunk:
        # The id goes out once, with the first chunk: merging concatenates strings.
        id_, call.announced = (None if call.announced else call.id), True
        piece = tool_call_chunk(name=name, args=arguments, id=id_, index=call.index)
        if not self._blocks:
            return AIMessageChunk(content="", tool_call_chunks=[piece])
        return AIMessageChunk(
            content=[dict(piece)], tool_call_chunks=[piece], response_metadata=dict(_BLOCKS)
        )

    def _take_index(self) -> int:
        self._in_text = False
        self._next_index += 1
        return self._next_index - 1


def whole_message(chunks: Sequence[AIMessageChunk]) -> AIMessage:
    """Merge the chunks of one answer, and put back what merging loses of refused calls."""
    merged = chunks[0] + list(chunks[1:])
    message = message_chunk_to_message(merged)
    assert isinstance(message, AIMessage)
    reasons = invalid_call_reasons(message)
    for call in message.invalid_tool_calls:
        call["error"] = reasons.get(call["id"] or "")
    if isinstance(message.content, list):
        refused: dict[Any, Any] = {call["id"]: call for call in message.invalid_tool_calls}
        message.content = [
            refused.get(block["id"], block)
            if isinstance(block, dict) and block["type"] == "tool_call_chunk"
            else block
            for block in message.content
        ]
    return message


def _new_id() -> str:
    # Random, never derived from what the model wrote: two equal calls are two calls.
    return f"call_{uuid.uuid4().hex[:24]}"


def _escaped(text: str) -> str:
    """Return the text as it stands between the quotes of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _not_json(text: str) -> str:
    """Return text that is not empty and that LangChain's lenient reader does not accept."""
    try:
        readable = isinstance(parse_partial_json(text), dict) if text else True
    except (ValueError, RecursionError):
        readable = False
    return f"] {text}" if readable else text
