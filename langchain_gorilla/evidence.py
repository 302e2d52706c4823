"""What speaks for a function beside the model: the words that it shares with the question.

A small model names one of several functions wrongly more often than BM25 over their documents
does (``benchmarks/naming.py``). So the two are heard together, at the name: see
``engines.weighing``. A retriever chooses what is offered; this is the same knowledge, used once
more where one of the offered functions is named. For a further call only that part of the
question counts which follows the values that the calls before it have taken from there.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from langchain_core.messages import BaseMessage, HumanMessage

from langchain_gorilla.calls import CallSyntax, FunctionCall, JSONValue
from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.engines.base import Evidence
from langchain_gorilla.formats.base import PromptFormat
from langchain_gorilla.functions import FunctionSet
from langchain_gorilla.parsing.python_calls import collect, parse
from langchain_gorilla.retrieval.lexical import LexicalIndex, rarity

BUNDLED_WEIGHT: Final = 2.0
"""Of ``model="bundled"``, where the caller names none; chosen by its own held-out questions."""

MOST_WORDS: Final = 2.0
"""Words that count, in words that no other function has. With them a function is asked for well
enough: of two that a question asks for, the one with more words would otherwise come twice."""


def weight_of(model: str, given: float | None) -> float:
    """Say what a point of BM25 weighs, in nats: as given, or as the model needs it."""
    if given is not None:
        return given
    return BUNDLED_WEIGHT if model == "bundled" else 0.0


def last_question(messages: Sequence[BaseMessage]) -> str:
    """Give the text of the last human turn."""
    return next((one.text for one in reversed(messages) if isinstance(one, HumanMessage)), "")


def lexical_evidence(
    format_: PromptFormat, functions: FunctionSet, question: str, *, weight: float
) -> Evidence | None:
    """Weigh functions by the words of a question; None where nothing is to be weighed.

    Args:
        format_: How the model's family writes calls.
        functions: What is offered.
        question: What is asked.
        weight: Nats for each point of BM25.
    """
    if not weight or len(functions.functions) < 2 or format_.syntax.sections:
        return None
    index = LexicalIndex(CatalogTool(one.name, one) for one in functions.written)
    most = MOST_WORDS * rarity(1, len(functions.written))
    if not index.points(question):
        return None

    @lru_cache(maxsize=4)  # asked for at every token of a name
    def nats(calls: str) -> dict[str, float]:
        points = index.points(question[_used(question, calls, format_.syntax) :])
        return {name: weight * min(found, most) for name, found in points.items()}

    names = tuple(one.name for one in functions.written)
    return Evidence(syntax=format_.syntax, functions=names, nats=nats)


def _used(question: str, calls: str, syntax: CallSyntax) -> int:
    """Give the end of the last value of some calls in a question: what is asked next follows it."""
    asked, used = question.lower(), 0
    for call in collect(parse(calls, syntax)).calls if calls.strip() else ():
        for text in _texts(call.arguments) if isinstance(call, FunctionCall) else ():
            place = asked.find(text.lower())
            used = max(used, place + len(text)) if place >= 0 else used
    return used


def _texts(value: JSONValue) -> Iterator[str]:
    """Give how the values of arguments may stand in a question."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from (str(value), f"{value:,}")
