"""What speaks for a function beside the model: the words that it shares with the question.

A small model names one of several functions wrongly more often than BM25 over their documents
does (``benchmarks/naming.py``). So the two are heard together, at the name: see
``engines.weighing``. A retriever chooses what is offered; this is the same knowledge, used once
more where one of the offered functions is named.
"""

from collections.abc import Sequence
from typing import Final

from langchain_core.messages import BaseMessage, HumanMessage

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.engines.base import Evidence
from langchain_gorilla.formats.base import PromptFormat
from langchain_gorilla.functions import FunctionSet
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
    points, most = index.points(question), MOST_WORDS * rarity(1, len(functions.written))
    nats = {one.name: weight * min(points.get(one.name, 0.0), most) for one in functions.written}
    if len(set(nats.values())) < 2:
        return None
    return Evidence(syntax=format_.syntax, nats=nats)
