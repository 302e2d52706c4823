"""One value of a call, from its first character to the comma or bracket behind it.

Covers: turning characters into the tokens that ``values.ValueBuilder`` takes; comments; where a
value ends, whatever is wrong in it. Does not cover: names of arguments (``call_reader``).
"""

import re
from typing import Final

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.parsing.literals import shorten
from langchain_gorilla.parsing.quotes import CLOSING
from langchain_gorilla.parsing.scanner import CutOffError, NeedMoreError, Steps
from langchain_gorilla.parsing.strings import PREFIX, StringReader, UnclosedError
from langchain_gorilla.parsing.values import ValueBuilder

_CLOSER: Final = {"(": ")", "[": "]", "{": "}"}
_NAME: Final = re.compile(r"\w+")
_NUMERIC: Final = re.compile(r"[\w.]+")
_PATH: Final = re.compile(r"(?<![\w.])[\w.]+\Z")
_NEXT_NAME: Final = re.compile(r"\s\w+\s*\Z")
_UNBUILT_RUN: Final = re.compile(r"[^'\"‘“()\[\]{},;=<#/\r\n]+")


class ValueReader(StringReader):
    """Reads values of one call."""

    def _value(self, builder: ValueBuilder, name: str | None, *, tail: bool = False) -> Steps[bool]:
        """Feed one value to the builder, up to the comma or bracket behind it.

        Args:
            builder: Takes the tokens.
            name: Of the argument, if it is known: its strings are streamed.
            tail: Read what follows a complete call instead, up to the end of the line.

        Returns:
            Whether a string was streamed.
        """
        source = self._source
        open_brackets: list[str] = []
        open_count = dict.fromkeys(_CLOSER.values(), 0)
        streamed = False
        while True:
            if source.pos < len(source.text):
                char = source.text[source.pos]
            elif tail and not open_brackets and not (yield from source.wait(1)):
                return streamed
            else:
                char = yield from source.need()
            if not builder.building:
                # Nothing is built any more: only quotes and brackets matter.
                run = _UNBUILT_RUN.match(source.text, source.pos)
                if run:
                    source.take(run.end() - run.start())
                    continue
            if char.isspace():
                if tail and not open_brackets and char in "\r\n":
                    return streamed
                yield from self._gap()
                builder.space()
                if source.peek() and source.peek() in "#/":
                    yield from self._blank()
            elif char in CLOSING:
                stream = name is not None and builder.only_strings and builder.building
                streamed |= stream
                yield from self._string(builder, name if stream else None)
            elif char.isalnum() or char == "_" or (char == "." and (yield from self._decimal())):
                word = yield from self._word()
                # Letters in front of a quote are the string's prefix.
                if source.peek() not in ("'", '"') or not PREFIX.fullmatch(word):
                    builder.word(word)
            elif char in _CLOSER:
                if char == "(" and self._function_names:
                    path = _PATH.search(self._behind())
                    if path and path[0] in self._function_names:
                        self.fail(f"call {shorten(path[0])} first, then use its result")
                source.take(1)
                open_brackets.append(_CLOSER[char])
                open_count[_CLOSER[char]] += 1
                builder.open(char)
            elif char in ")]}":
                if not open_brackets and (char == ")" or tail):
                    return streamed
                if open_brackets and open_brackets[-1] == char:
                    builder.close()
                else:
                    builder.fail("the brackets do not match")
                    if char == ")" and not open_count[char]:
                        return streamed
                if open_count[char]:
                    while (closed := open_brackets.pop()) != char:
                        open_count[closed] -= 1
                    open_count[char] -= 1
                source.take(1)
            elif char == "," or (tail and char == ";"):
                if not open_brackets:
                    return streamed
                source.take(1)
                builder.comma()
            elif char == "=":
                yield from source.wait(2)
                behind = self._behind()
                if source.peek(2) == "==" or behind[-1:] in ("=", "!", "<", ">"):
                    builder.symbol("==")
                elif not open_brackets and (behind[-1:] == ":" or _NEXT_NAME.search(behind)):
                    builder.fail("a comma is missing, or a stray =")
                else:
                    builder.symbol("=")
                source.take(2 if source.peek(2) == "==" else 1)
            else:
                if (yield from self._at_stop(char)):
                    if tail and not open_brackets:
                        return streamed
                    raise UnclosedError
                if char in "*/":
                    yield from source.wait(2)
                symbol = source.take(2 if source.peek(2) in ("**", "//") else 1)
                if symbol == ":":
                    builder.colon()
                else:
                    builder.symbol(symbol)

    def skip_tail(self) -> Steps[None]:
        """Pass over what hangs on a complete call: ``.g(q=2)``, ``(y=2)``, ``[0]``."""
        builder = ValueBuilder()
        builder.literal = False
        yield from self._value(builder, None, tail=True)

    def read_object(self) -> Steps[JSONValue]:
        """Read one value that stands alone, as a call written in JSON does."""
        builder = ValueBuilder()
        yield from self._value(builder, None, tail=True)
        value = builder.finish()
        return value if builder.building else None

    def _at_stop(self, char: str) -> Steps[bool]:
        """Tell whether the next call begins here, or the turn ends."""
        while char in self._stops.first_characters:
            try:
                return self._source.ahead(self._stops.longest).first_of(self._stops) is not None
            except NeedMoreError:
                yield
        return False

    def _decimal(self) -> Steps[bool]:
        yield from self._source.wait(2)
        return self._source.peek(2)[1:].isdigit()

    def _word(self) -> Steps[str]:
        """Consume a name or number, of any length."""
        source = self._source
        pattern = _NUMERIC if source.peek() in ".0123456789" else _NAME
        whole = pattern.match(source.text, source.pos)
        if whole and whole.end() < len(source.text) and source.text[whole.end()] not in "+-":
            return source.take(whole.end() - whole.start())
        parts: list[str] = []
        while True:
            match = pattern.match(source.text, source.pos)
            if match:
                parts.append(source.take(match.end() - match.start()))
            if not (yield from source.wait(1)):
                raise CutOffError
            if pattern.match(source.text, source.pos):
                continue
            exponent = source.peek() in "+-" and parts[-1][-1] in "eE" and pattern is _NUMERIC
            if exponent and re.fullmatch(r"[\d._]+[eE]", "".join(parts)):
                parts.append(source.take(1))
                continue
            return "".join(parts)
