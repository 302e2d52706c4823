"""One call of an answer, in Python or as a JSON object: read, or reported as failed.

Covers: the call with its name, what may not hang on its closing bracket, why a call failed.
Does not cover: its arguments (``call_reader``), where calls begin (``openings``), what stands
between them (``stream``).
"""

from collections.abc import Callable, Mapping
from typing import Final

from langchain_gorilla.calls import (
    ArgumentEnd,
    CallEnd,
    CallEvent,
    CallFailed,
    CallStart,
    FunctionCall,
    JSONValue,
)
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.parsing.call_reader import CallReader
from langchain_gorilla.parsing.literals import shorten
from langchain_gorilla.parsing.openings import Markers, Place
from langchain_gorilla.parsing.scanner import CutOffError, Lookahead, Source, Steps
from langchain_gorilla.parsing.strings import UnclosedError

MAX_FAILED_TEXT: Final = 400
_UNCLOSED: Final = "the closing bracket of this call is missing"


class CallParser:
    """Parses the calls of one answer, each when its turn has come."""

    def __init__(
        self,
        source: Source,
        emit: Callable[[CallEvent], None],
        markers: Markers,
        functions: Mapping[str, FunctionSchema],
    ) -> None:
        """Prepare to parse.

        Args:
            source: The answer.
            emit: Takes the events of calls.
            markers: Their texts end a call wherever they stand outside a string.
            functions: All known functions, by name.
        """
        self._source = source
        self._emit = emit
        self._markers = markers
        self._functions = functions

    def call(
        self, index: int, name: str, *, length: int, problem: str
    ) -> Steps[FunctionCall | None]:
        """Parse a call whose name comes next.

        Args:
            index: Its place among the calls of the answer.
            name: The function.
            length: How many characters the name and its bracket are.
            problem: What is wrong with the name, or "".

        Returns:
            The call; None where it failed.
        """
        source = self._source
        source.record.clear()
        head = source.take(length)
        reader = self._reader(index, name, self._functions)
        if problem:
            reader.fail(problem)
        else:
            self._emit(CallStart(index, name))
        if head.endswith("("):
            yield from self._finish_reading(reader)
        if reader.failure is not None:
            self._fail(index, name, reader.failure)
            return None
        return self._end(index, FunctionCall(name, reader.bound))

    def json_call(self, index: int) -> Steps[FunctionCall | None]:
        """Parse a call written as ``{"name": …, "arguments": {…}}``; None where it failed."""
        source = self._source
        source.record.clear()
        try:
            value = yield from self._reader(index, "", {}).read_object()
        except CutOffError:
            source.take(len(source.text))
            self._fail(index, None, self._cut_off())
            return None
        except UnclosedError:
            self._fail(index, None, _UNCLOSED)
            return None
        call = _call_of_object(value)
        if call is None:
            self._fail(index, None, "not a call: write a name and its arguments")
            return None
        self._emit(CallStart(index, call.name))
        for parameter, argument in call.arguments.items():
            self._emit(ArgumentEnd(index, parameter, argument))
        return self._end(index, call)

    def _reader(self, index: int, name: str, functions: Mapping[str, FunctionSchema]) -> CallReader:
        return CallReader(
            self._source,
            self._emit,
            index=index,
            name=name,
            functions=functions,
            stops=self._markers.stops,
        )

    def _finish_reading(self, reader: CallReader) -> Steps[None]:
        """Read the arguments, and look at what follows the closing bracket."""
        source = self._source
        try:
            yield from reader.read()
        except CutOffError:
            reader.failure = None
            reader.fail(self._cut_off())
            source.take(len(source.text))
            return
        except UnclosedError:
            reader.fail(_UNCLOSED)
            return
        yield from source.wait(2)
        following = source.peek(2)
        member = following[:1] == "." and (following[1:].isalpha() or following[1:] == "_")
        if following[:1] in ("(", "[") or member:
            reader.fail("a call cannot be part of an expression; write the call alone")
            try:
                yield from reader.skip_tail()
            except CutOffError:
                source.take(len(source.text))
            except UnclosedError:
                return
        elif following and following[0] in ")]}":
            yield from source.wait(3)
            closers = source.peek(3)
            closers = closers[: len(closers) - len(closers.lstrip(")]}"))]
            if "}" in closers or len(closers) > 2:
                reader.fail("the brackets do not match")
        uncertain = reader.recovered and reader.failure is None
        if uncertain and (yield from source.decide(self._ends_cleanly)) is None:
            reader.fail("a quote inside a string is not escaped; write a backslash before it")

    def _ends_cleanly(self, look: Lookahead) -> None:
        """Match the end of a call whose quotes had to be interpreted."""
        start = look.at
        look.spaces(" \t\r\n])")
        char = look.char()
        if not char or look.first_of(self._markers.stops) is not None:
            return
        if char in ",;":
            look.at += 1
            look.spaces()
        elif "\n" in look.text[start : look.at]:
            return
        if look.char():
            self._markers.call_name(look, Place(separated=True))

    def _cut_off(self) -> str:
        limit = " at its length limit" if self._source.truncated else ""
        return f"cut off: the answer ended{limit} inside this call"

    def _end(self, index: int, call: FunctionCall) -> FunctionCall:
        self._emit(CallEnd(index, call))
        return call

    def _fail(self, index: int, name: str | None, reason: str) -> None:
        text = shorten("".join(self._source.record), MAX_FAILED_TEXT)
        self._emit(CallFailed(index, name, text, reason))


def _call_of_object(value: JSONValue) -> FunctionCall | None:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", value.get("parameters", {}))
    if not isinstance(arguments, dict) or not value["name"]:
        return None
    return FunctionCall(value["name"], arguments)
