"""String literals, decoded and streamed as they arrive.

Covers: all prefixes and quotes, triple and typographic ones included; escapes; quotes that
belong to the text although nothing escapes them (``quotes`` decides about one, this module about
the string and the rest of its call). Does not cover: f-strings and bytes, which are refused.
"""

import re
from collections.abc import Collection
from typing import Final

from langchain_gorilla.parsing.literals import (
    LONGEST_ESCAPE,
    SPECIAL_ESCAPES,
    LiteralError,
    check_text,
    decode_simple,
    decode_special,
    shorten,
)
from langchain_gorilla.parsing.quotes import CLOSING, LOOK_AHEAD, QuoteRole, quote_role
from langchain_gorilla.parsing.scanner import CutOffError, Source, Steps, TextSet
from langchain_gorilla.parsing.values import ValueBuilder

MAX_NAME_BEHIND: Final = 128
MAX_RESCAN: Final = 4_096
"""A string that swallowed the start of the next call is read again from there, up to this."""

_SPACES: Final = re.compile(r"\s+")
_SIBLING: Final = re.compile(r"\)(?P<rest>(?:\s*[,;]|[^\S\n]*\n)\s*(?P<name>[^\W\d][\w.\-]*)\()")
"""The end of a call and the start of the next one, where calls stand in a list or in lines."""
_NEXT_ARGUMENT: Final = re.compile(r",\s*(\w+)\s*=\s*\Z")
_LAST_WORD: Final = re.compile(r"\b\w+\Z")
_PLAIN_STRING: Final = {
    colon: re.compile(rf"(?:'([^'\\]+)'|\"([^\"\\]+)\")(?=\s*[,)\]}};'\"{colon}])")
    for colon in ("", ":")
}
"""A whole string that certainly ends: the common case, read at once."""
_PLAIN_STRINGS: Final = re.compile(
    r"(?:(?:'[^'\\]+'\s*){2,500}|(?:\"[^\"\\]+\"\s*){2,500})(?=['\"])"
)
_BETWEEN_QUOTES: Final = {"'": re.compile(r"'([^'\\]+)'"), '"': re.compile(r'"([^"\\]+)"')}
PREFIX: Final = re.compile(r"[rRuUbBfFtT]{1,2}")
_MISSING_COMMA: Final = re.compile(r"\s+[\w-]+\s*=")


class UnclosedError(Exception):
    """The next call, or the end of the turn, begins inside this one."""


class StringReader:
    """Reads string literals of one call.

    Attributes:
        failure: Why the call cannot be used, in words for the model.
        recovered: A quote was taken as text that Python would have refused.
    """

    def __init__(
        self,
        source: Source,
        *,
        function_names: Collection[str],
        parameters: Collection[str],
        stops: TextSet,
    ) -> None:
        """Prepare to read.

        Args:
            source: What the call is read from.
            function_names: All known functions.
            parameters: Those of the function that is called, as far as they are known.
            stops: Texts that end the call wherever they stand outside a string.
        """
        self._source = source
        self._function_names = function_names
        self._parameters = parameters
        self._stops = stops
        self.failure: str | None = None
        self.recovered = False
        self._doubtful: str | None = None  # the quote of a string with two possible ends

    def fail(self, reason: str) -> None:
        """Give the call up; the first reason stays."""
        self.failure = self.failure or reason

    def stream(self, builder: ValueBuilder, name: str, text: str) -> None:
        """Take a piece of the string argument ``name``; does nothing here."""

    def _string(self, builder: ValueBuilder, name: str | None) -> Steps[None]:
        """Consume one string literal and give it to the builder.

        Args:
            builder: Takes the text.
            name: Of the argument whose text is streamed, else None.
        """
        source = self._source
        prefix = ""
        if source.record and source.record[-1][-1:].isalnum():
            word = _LAST_WORD.search(self._behind())
            prefix = word[0].lower() if word else ""
            if prefix and not PREFIX.fullmatch(prefix):
                source.take(1)  # don't
                builder.symbol("'")
                return
        if "b" in prefix:
            builder.fail("bytes have no JSON value; write a string")
        elif "f" in prefix or "t" in prefix:
            builder.fail("an f-string is not evaluated; write its value")
        text = _Text(self, builder, name, raw="r" in prefix)
        if self._doubtful is None:
            several = _PLAIN_STRINGS.match(source.text, source.pos)
            if several:
                run = source.take(several.end() - several.start())
                text.add("".join(_BETWEEN_QUOTES[run[0]].findall(run)))
                builder.string(text.whole())
                return
            plain = _PLAIN_STRING[":" if builder.expects_key else ""].match(source.text, source.pos)
            if plain:
                source.take(plain.end() - plain.start())
                text.add(plain[1] or plain[2])
                builder.string(text.whole())
                return
        opening = source.take(1)
        close = CLOSING[opening]
        yield from source.wait(1)
        if source.peek() == opening:
            yield from source.wait(2)
        if opening in "'\"" and source.peek(2) == opening * 2:
            source.take(2)
            close = opening * 3
        elif self._doubtful == close:
            builder.fail("a quote inside a string is not escaped; write a backslash before it")
        yield from self._string_body(builder, close, text)
        builder.string(text.whole())

    def _string_body(self, builder: ValueBuilder, close: str, text: "_Text") -> Steps[None]:
        source = self._source
        pattern = _RUNS[close[0], text.raw]
        segment: list[str] = []  # source text since the last quote that did not end the string
        inner = False
        while True:
            char = yield from source.need()
            match = pattern.match(source.text, source.pos)
            if match:
                run = source.take(match.end() - match.start())
                segment.append(run)
                text.add(run if text.raw else decode_simple(run))
            elif char == "\\":
                segment.append((yield from self._escape(builder, text)))
            elif len(close) == 3:
                if not (yield from source.wait(3)):
                    raise CutOffError
                if source.peek(3) == close:
                    source.take(3)
                    return
                text.add(source.take(1))
            else:
                source.take(1)
                gap = yield from self._gap()
                yield from source.need()
                if source.peek() not in ",)]}":
                    yield from source.wait(LOOK_AHEAD)
                role = quote_role(
                    close,
                    before=segment[-1][-1] if segment else "",
                    gap=gap,
                    ahead=source.peek(LOOK_AHEAD),
                    inner=inner,
                    colon_ends=builder.expects_key or not builder.building,
                )
                ends = role is QuoteRole.ENDS
                if not ends or inner:
                    self.recovered = True
                    self._check_swallowed("".join(segment), close + gap)
                if ends:
                    if inner:
                        self._doubtful = close
                    if gap:
                        builder.space()
                    if source.peek() in "#/":
                        yield from self._blank()
                    return
                if _MISSING_COMMA.match(gap + source.peek(MAX_NAME_BEHIND)):
                    builder.fail("a comma is missing, or a quote inside a string is not escaped")
                inner = role is QuoteRole.OPENS_INNER or (inner and role is QuoteRole.APOSTROPHE)
                segment = [close + gap]
                text.add(close + gap)

    def _check_swallowed(self, segment: str, behind: str) -> None:
        """Give up a broken string that holds the start of the next argument or call.

        A call is read again, from there.
        """
        argument = _NEXT_ARGUMENT.search(segment)
        if argument and argument[1] in self._parameters:
            self.fail(f"a quote is missing in front of {shorten(argument[0])!r}")
        found = self._stops.pattern.search(segment)
        at = found.start() if found else -1
        sibling = _SIBLING.search(segment)
        if sibling and (at < 0 or sibling.start() < at):
            at = sibling.start("rest") if sibling["name"] in self._function_names else -1
        elif found is None:
            return
        self.fail("a quote inside a string is not escaped; write a backslash before it")
        again = segment[at:] + behind
        if at >= 0 and len(again) <= MAX_RESCAN:
            self._source.put_back(again)
            kept = "".join(self._source.record)
            self._source.record[:] = [kept[: len(kept) - len(again)]]
            raise UnclosedError

    def _escape(self, builder: ValueBuilder, text: "_Text") -> Steps[str]:
        """Consume a backslash and what belongs to it; return the source text."""
        source = self._source
        if not (yield from source.wait(2)):
            raise CutOffError
        kind = source.peek(2)[1]
        if text.raw:
            taken = source.take(2)
            text.add(taken)
            return taken
        if kind not in SPECIAL_ESCAPES:
            return ""  # the run reads it, now that its second character is there
        yield from source.wait({"x": 4, "u": 6, "U": 10, "N": LONGEST_ESCAPE, "\r": 3}.get(kind, 4))
        if kind == "u" and source.peek(4)[2:].lower() in ("d8", "d9", "da", "db"):
            yield from source.wait(12)
        try:
            char, length = decode_special(source.peek(LONGEST_ESCAPE))
        except LiteralError as error:
            builder.fail(str(error))
            char, length = "", 2
        text.add(char)
        return source.take(length)

    def _gap(self) -> Steps[str]:
        """Consume whitespace."""
        source = self._source
        if source.pos < len(source.text) and not source.text[source.pos].isspace():
            return ""
        whole = _SPACES.match(source.text, source.pos)
        if whole and whole.end() < len(source.text):
            return source.take(whole.end() - whole.start())
        parts: list[str] = []
        while (yield from source.wait(1)):
            match = _SPACES.match(source.text, source.pos)
            if match is None:
                break
            parts.append(source.take(match.end() - match.start()))
        return "".join(parts)

    def _blank(self) -> Steps[None]:
        """Consume whitespace and comments."""
        source = self._source
        while True:
            yield from self._gap()
            yield from source.wait(2)
            if source.peek() == "#":
                end = "\n"
            elif source.peek(2) == "/*":
                end = "*/"
            else:
                return
            source.take(1)
            while (found := source.text.find(end, source.pos)) < 0:
                # The last character may be the first of the end.
                source.take(max(0, len(source.text) - source.pos - (len(end) - 1)))
                held = len(source.text) - source.pos
                if not (yield from source.wait(held + 1)):
                    raise CutOffError
            source.take(found - source.pos + len(end))

    def _behind(self) -> str:
        """Return the last source text of the call: enough for a name."""
        record = self._source.record
        last = record[-1] if record else ""
        return (
            last if last[-1:] and last[-1:] in ")]}([{'\"," else "".join(record[-MAX_NAME_BEHIND:])
        )


class _Text:
    """The decoded text of one string, streamed as it grows."""

    def __init__(
        self, reader: "StringReader", builder: ValueBuilder, name: str | None, *, raw: bool
    ) -> None:
        self.pieces: list[str] = []
        self.raw = raw
        self._reader = reader
        self._builder = builder
        self._name = name

    def whole(self) -> str:
        return self.pieces[0] if len(self.pieces) == 1 else "".join(self.pieces)

    def add(self, piece: str) -> None:
        try:
            self.pieces.append(check_text(piece))
        except LiteralError as error:
            self._builder.fail(str(error))
        if self._name is not None:
            self._reader.stream(self._builder, self._name, piece)


def _runs(close: str, *, raw: bool) -> re.Pattern[str]:
    """Return the pattern of text without quote and without escapes longer than two characters."""
    # The count keeps the memory of one match small; a longer run is several matches.
    return re.compile(
        rf"[^{close}\\]+" if raw else rf"(?:[^{close}\\]+|\\[^uUxN0-7\r\n]){{1,1000}}"
    )


_RUNS: Final = {
    (close, raw): _runs(close, raw=raw) for close in CLOSING.values() for raw in (False, True)
}
