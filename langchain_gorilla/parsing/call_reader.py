"""One call, from behind its opening bracket to its closing one, as the text arrives.

Covers: names and values of arguments, positions mapped to names, strings streamed while they
are written, calls that cannot be read. Does not cover: where calls begin and what stands between
them (``stream``), whether a call fits its schema (``validation``). Nothing is ever evaluated: an
expression is its source text.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from langchain_gorilla.calls import ArgumentDelta, ArgumentEnd, CallEvent, JSONValue
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.parsing.arguments import Argument, is_writable_name, name_positions
from langchain_gorilla.parsing.literals import LiteralError, check_text, shorten
from langchain_gorilla.parsing.scanner import (
    Lookahead,
    NeedMoreError,
    NoMatchError,
    Source,
    Steps,
    TextSet,
)
from langchain_gorilla.parsing.value_reader import ValueReader
from langchain_gorilla.parsing.values import ValueBuilder

MAX_KEY: Final = 128
_KEY: Final = re.compile(r"[^\s,()\[\]{}'\"‘’“”=:<>*+/%#&|^~@!?;`\\]+")
_QUOTED_KEY: Final = re.compile(rf"(['\"])([^'\"\\\n]{{1,{MAX_KEY}}})\1")
_QUOTED_KEY_SO_FAR: Final = re.compile(rf"['\"][^'\"\\\n]{{0,{MAX_KEY}}}\Z")


class CallReader(ValueReader):
    """Reads the arguments of one call.

    Attributes:
        arguments: As written, in order.
        bound: Name to value; complete once ``read`` has returned and ``failure`` is None.
    """

    def __init__(
        self,
        source: Source,
        emit: Callable[[CallEvent], None],
        *,
        index: int,
        name: str,
        functions: Mapping[str, FunctionSchema],
        stops: TextSet,
        bind: bool = True,
    ) -> None:
        """Prepare to read.

        Args:
            source: Behind the call's opening bracket.
            emit: Takes ArgumentDelta and ArgumentEnd.
            index: The call's place among the calls of the answer.
            name: The function.
            functions: All known functions, by name.
            stops: Texts that end the call wherever they stand outside a string.
            bind: Map positions to names; if False, only ``arguments`` is filled.
        """
        schema = functions.get(name)
        self._properties = None if schema is None else tuple(schema.properties)
        super().__init__(
            source, function_names=functions, parameters=self._properties or (), stops=stops
        )
        self._emit = emit
        self._index = index
        self._bind = bind
        self.arguments: list[Argument] = []
        self.bound: dict[str, JSONValue] = {}
        self._settled = 0  # positional arguments that have a name by now

    def read(self) -> Steps[None]:
        """Read up to the closing bracket, it included.

        Raises:
            CutOffError: The text ended first.
            UnclosedError: A text of ``stops`` came first; it is not consumed.
        """
        source = self._source
        while True:
            yield from self._blank()
            char = yield from source.need()
            if char == ")":
                source.take(1)
                break
            if char == ",":
                source.take(1)
                self.fail("a value is missing before a comma")
                continue
            if char == "*":
                self.fail("* and ** cannot be used in a call; write name=value")
            name = yield from self._key()
            if name is not None:
                self._settle_positions(alone=False)
                self._check_name(name)
            yield from self._argument(name)
            if source.peek() == ",":
                source.take(1)
        self._settle_positions(alone=len(self.arguments) == 1)

    def _argument(self, name: str | None) -> Steps[None]:
        builder = ValueBuilder()
        start = len(self._source.record)
        streamed = yield from self._value(builder, name)
        value = builder.finish()
        if builder.failure is not None:
            where = "" if name is None else f"argument {shorten(name)!r}: "
            self.fail(where + builder.failure)
            return
        expression = not builder.literal
        if expression:
            value = "".join(self._source.record[start:]).strip()
            # Pieces of the first string went out already; they are no part of this text.
            if streamed:
                self.fail(f"argument {shorten(name or '')!r} is an expression; write its value")
            elif not _is_clean(value):
                self.fail("an unquoted value holds half of a surrogate pair")
        self.arguments.append(Argument(name, value, expression))
        if name is not None:
            self._finish_argument(name, value)
        elif self._bind and self.bound and len(self.arguments) > self._settled:
            self.fail("a positional argument follows a named one; write name=value")

    def _check_name(self, name: str) -> None:
        if not self._bind:
            return
        if name in self.bound:
            self.fail(f"argument {shorten(name)!r} is given twice")
        elif name not in (self._properties or ()) and not is_writable_name(name):
            self.fail(f"{shorten(name)!a} is no argument name")

    def _finish_argument(self, name: str, value: JSONValue) -> None:
        self.bound[name] = value
        if self._bind and self.failure is None:
            self._emit(ArgumentEnd(self._index, name, value))

    def _settle_positions(self, *, alone: bool) -> None:
        """Give names to the positional arguments so far."""
        waiting = [a for a in self.arguments[self._settled :] if a.name is None]
        self._settled = len(self.arguments)
        if not waiting or not self._bind or self.failure is not None:
            return
        named = name_positions(waiting, self._properties, alone=alone)
        if isinstance(named, str):
            self.fail(named)
            return
        for name, value in named.items():
            self._finish_argument(name, value)

    def _key(self) -> Steps[str | None]:
        """Consume ``name=`` or ``name:`` and return the name; None where a value stands."""
        found = yield from self._source.decide(self._match_key, MAX_KEY * 2)
        if found is None:
            return None
        name, length = found
        self._source.take(length)
        return name

    def _match_key(self, look: Lookahead) -> str:
        if look.char() in ("'", '"'):
            match = _QUOTED_KEY.match(look.text)
            if match is None:
                if not look.final and _QUOTED_KEY_SO_FAR.match(look.text):
                    raise NeedMoreError
                raise NoMatchError
            name = match[2]
        else:
            match = _KEY.match(look.text)
            if match is None:
                raise NoMatchError
            name = match[0]
        look.at = match.end()
        look.spaces()
        sign = look.char()
        if not sign or sign not in "=:":
            raise NoMatchError
        look.at += 1
        following = look.char()
        if following == "=":
            raise NoMatchError  # a comparison
        if sign == ":":
            # x: 1 is a habit from JavaScript; 10:30 and https://… are values.
            known = self._properties and name in self._properties
            if not known and (self._properties or not following.isspace()):
                raise NoMatchError
        return name

    def stream(self, builder: ValueBuilder, name: str, text: str) -> None:
        """Report a piece of a string argument, unless the call is lost."""
        if text and self.failure is None and builder.failure is None and self._bind:
            self._emit(ArgumentDelta(self._index, name, text))


def _is_clean(text: str) -> bool:
    try:
        check_text(text)
    except LiteralError:
        return False
    return True
