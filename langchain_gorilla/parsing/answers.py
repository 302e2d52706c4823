"""Which parser reads the answers of a family."""

from collections.abc import Sequence
from typing import Protocol

from langchain_gorilla.calls import CallEvent, CallSyntax
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.parsing.gorilla7b import Gorilla7bParser
from langchain_gorilla.parsing.stream import StreamParser


class AnswerParser(Protocol):
    """Parses one answer as it arrives."""

    def feed(self, text: str) -> list[CallEvent]:
        """Add a piece of the answer; return what became certain."""

    def close(self, *, truncated: bool = False) -> list[CallEvent]:
        """End the answer; return what was held back."""


def answer_parser(
    syntax: CallSyntax, functions: Sequence[FunctionSchema] | None = None
) -> AnswerParser:
    """Return a new parser; arguments as for ``StreamParser``."""
    if syntax.sections:
        return Gorilla7bParser(functions)
    return StreamParser(syntax, functions)
