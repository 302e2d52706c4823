"""The parser for a family, and one complete answer to text and calls: a parser fed once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from langchain_gorilla.calls import (
    ArgumentDelta,
    CallEnd,
    CallEvent,
    CallFailed,
    CallSyntax,
    FunctionCall,
    TextDelta,
)
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.parsing.gorilla7b import Gorilla7bParser
from langchain_gorilla.parsing.stream import StreamParser


@dataclass(frozen=True)
class ParsedAnswer:
    """What an answer says and which calls it makes.

    Attributes:
        text: The ordinary text, verbatim.
        calls: In the order of the answer; those that could not be read among them.
    """

    text: str
    calls: tuple[FunctionCall | CallFailed, ...]


def answer_parser(
    syntax: CallSyntax, functions: Sequence[FunctionSchema] | None = None
) -> StreamParser | Gorilla7bParser:
    """Return the parser for one answer of a family; arguments as for ``StreamParser``."""
    if syntax.opening.strip().startswith("<<<api_call>>>"):
        return Gorilla7bParser(functions)
    return StreamParser(syntax, functions)


def parse(
    text: str,
    syntax: CallSyntax,
    functions: Sequence[FunctionSchema] | None = None,
    *,
    truncated: bool = False,
) -> list[CallEvent]:
    """Return the events of a complete answer; arguments as for ``StreamParser``."""
    parser = answer_parser(syntax, functions)
    return coalesce([*parser.feed(text), *parser.close(truncated=truncated)])


def coalesce(events: Iterable[CallEvent]) -> list[CallEvent]:
    """Join neighbouring deltas of one kind, so that how a text was cut no longer shows."""
    joined: list[CallEvent] = []
    for event in events:
        last = joined[-1] if joined else None
        if isinstance(event, TextDelta) and isinstance(last, TextDelta):
            joined[-1] = TextDelta(last.text + event.text)
        elif (
            isinstance(event, ArgumentDelta)
            and isinstance(last, ArgumentDelta)
            and (event.index, event.parameter) == (last.index, last.parameter)
        ):
            joined[-1] = ArgumentDelta(last.index, last.parameter, last.text + event.text)
        else:
            joined.append(event)
    return joined


def collect(events: Iterable[CallEvent]) -> ParsedAnswer:
    """Return what a complete run of events amounts to."""
    text: list[str] = []
    calls: list[FunctionCall | CallFailed] = []
    for event in events:
        if isinstance(event, TextDelta):
            text.append(event.text)
        elif isinstance(event, CallEnd):
            calls.append(event.call)
        elif isinstance(event, CallFailed):
            calls.append(event)
    return ParsedAnswer("".join(text), tuple(calls))
