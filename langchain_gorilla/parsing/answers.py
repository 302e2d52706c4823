"""Which parser reads an answer: by the model's family, and by what was asked of it."""

import re
from collections.abc import Sequence
from typing import Final, Protocol

from langchain_gorilla.calls import CallEvent, CallSyntax, TextDelta
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.parsing.gorilla7b import Gorilla7bParser
from langchain_gorilla.parsing.stream import StreamParser

_JSON: Final = re.compile(
    r"""\s* \[? \s* (?:
        [{"\d] | -\d | \[\s*[{"\d\[\]-] | (?<=\[)\s*\]
      | (?: true | false | null ) (?= \s* [\s,\]] )
    )""",
    re.VERBOSE,
)
"""How JSON begins and no call does; a list of calls, ``[f(x=1)]``, begins with a name."""
_JSON_SO_FAR: Final = re.compile(
    r"\s*\[?\s*(?:\[?\s*|-|t(?:r(?:ue?)?)?|f(?:a(?:l(?:se?)?)?)?|n(?:u(?:ll?)?)?)\s*"
)
_SPACES: Final = re.compile(r"\s+")


class AnswerParser(Protocol):
    """Parses one answer as it arrives."""

    def feed(self, text: str) -> list[CallEvent]:
        """Add a piece of the answer; return what became certain."""

    def close(self, *, truncated: bool = False) -> list[CallEvent]:
        """End the answer; return what was held back."""


def answer_parser(
    syntax: CallSyntax,
    functions: Sequence[FunctionSchema] | None = None,
    *,
    may_call: bool = True,
    may_be_json: bool = False,
) -> AnswerParser:
    """Return a new parser.

    What nobody allowed is not read: text that quotes a call, from a web page say, calls nothing
    in an answer that must not call, nor within the JSON that was asked for.

    Args:
        syntax: As for ``StreamParser``.
        functions: Likewise.
        may_call: Whether calls may be in the answer.
        may_be_json: Whether JSON was asked for, in the place of the text.
    """
    if may_be_json and not may_call:
        return TextParser()
    if syntax.sections:
        return Gorilla7bParser(functions) if may_call else TextParser()
    parser = StreamParser(syntax, functions, may_call=may_call)
    return JsonOrCallsParser(parser) if may_be_json else parser


class TextParser:
    """Takes all of an answer for text."""

    def feed(self, text: str) -> list[CallEvent]:
        """Return the piece."""
        return [TextDelta(text)] if text else []

    def close(self, *, truncated: bool = False) -> list[CallEvent]:
        """Return nothing; nothing is held back."""
        return []


class JsonOrCallsParser:
    """Takes an answer that begins as JSON for text, and leaves any other to a parser of calls."""

    def __init__(self, calls: AnswerParser) -> None:
        """Prepare to parse.

        Args:
            calls: Reads an answer that is no JSON.
        """
        self._calls = calls
        self._chosen: AnswerParser | None = None
        self._held = ""
        self._head = ""  # the same, each run of spaces as one: matching takes a power of its length

    def feed(self, text: str) -> list[CallEvent]:
        """Add a piece of the answer; return what became certain."""
        if self._chosen is not None:
            return self._chosen.feed(text)
        self._held += text
        self._head = _SPACES.sub(" ", self._head + text)
        if _JSON_SO_FAR.fullmatch(self._head):
            return []
        return self._choose()

    def close(self, *, truncated: bool = False) -> list[CallEvent]:
        """End the answer; return what was held back."""
        events = [] if self._chosen is not None else self._choose()
        chosen = self._chosen or self._calls
        return [*events, *chosen.close(truncated=truncated)]

    def _choose(self) -> list[CallEvent]:
        self._chosen = TextParser() if _JSON.match(f"{self._head} ") else self._calls
        return self._chosen.feed(self._held)
