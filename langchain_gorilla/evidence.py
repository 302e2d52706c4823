"""What speaks for a function beside the model: the words that it shares with the question.

A small model names one of several functions wrongly more often than BM25 over their documents
does (``benchmarks/naming.py``). So the two are heard together, at the name: see
``engines.weighing``. A retriever chooses what is offered; this is the same knowledge, used once
more where one of the offered functions is named. For a further call only that part of the
question counts which follows the values that the calls before it have taken from there.

Words are compared by their English stems: in other languages a word may meet another of the same
letters. Of a question the first 20,000 characters are read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Final

from langchain_gorilla.binding import Demand
from langchain_gorilla.calls import CallSyntax, FunctionCall, JSONValue
from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.engines.base import Evidence
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.formats.base import AssistantTurn, HumanTurn, PromptFormat, Turn
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.grammar.call_grammar import trigger
from langchain_gorilla.parsing.python_calls import collect, parse
from langchain_gorilla.retrieval.lexical import LexicalIndex, rarity

BUNDLED_WEIGHT: Final = 2.0
"""Of ``model="bundled"``, where the caller names none; chosen by own questions, not Berkeley's."""

MOST_WORDS: Final = 2.0
"""Words that count, in words that no other function has. With them a function is asked for well
enough: of two that a question asks for, the one with more words would otherwise come twice. At
weight 2 that is 2.8 nats among two functions, 8.2 among twelve, 16.8 among a hundred."""


def weight_of(model: str, format_: PromptFormat, given: float | None) -> float:
    """Say what a point of BM25 weighs, in nats: as given, or as the model needs it.

    Raises:
        UnsupportedOptionError: A weight was given, and the family does not mark its calls.
    """
    # Behind a mark that only calls have, a name competes with names alone.
    marked = trigger(format_.syntax) is not None and format_.refusal is None
    if given and not marked:
        raise UnsupportedOptionError(
            f"lexical_weight={given:g} weighs names behind the mark that calls begin with, and "
            f"{format_.name} has no mark that only calls have. Leave lexical_weight out."
        )
    if given is not None:
        return given
    return BUNDLED_WEIGHT if model == "bundled" and marked else 0.0


def last_question(turns: Sequence[Turn]) -> tuple[str, tuple[FunctionCall, ...]]:
    """Give what was asked last, and the calls that were made since."""
    calls: list[FunctionCall] = []
    for place in range(len(turns) - 1, -1, -1):
        turn = turns[place]
        if isinstance(turn, AssistantTurn):
            calls[:0] = turn.calls
        elif isinstance(turn, HumanTurn):
            asked = [turn.text]
            while place and isinstance(before := turns[place - 1], HumanTurn):
                asked, place = [before.text, *asked], place - 1
            return "\n".join(asked), tuple(calls)
    return "", ()


def function_evidence(
    format_: PromptFormat,
    functions: tuple[FunctionSchema, ...],
    demand: Demand,
    turns: Sequence[Turn],
    *,
    model: str,
    given: float | None,
) -> Evidence | None:
    """Say what speaks for which function; None where functions have nothing to choose.

    Args:
        format_: How the model's family writes calls.
        functions: What is offered, under the names that the model writes.
        demand: What was asked of the answer.
        turns: The conversation.
        model: Its name, as the caller gave it.
        given: The caller's ``lexical_weight``.

    Raises:
        UnsupportedOptionError: See ``weight_of``.
    """
    weight = weight_of(model, format_, given)
    if demand.choice.mode not in ("auto", "any") or demand.response is not None:
        return None
    question, made = last_question(turns)
    return lexical_evidence(format_.syntax, functions, question, made, weight=weight)


def lexical_evidence(
    syntax: CallSyntax,
    functions: tuple[FunctionSchema, ...],
    question: str,
    made: Sequence[FunctionCall] = (),
    *,
    weight: float,
) -> Evidence | None:
    """Weigh functions by the words of a question; None where nothing is to be weighed.

    Args:
        syntax: How the model's family writes calls.
        functions: What is offered, under the names that the model writes.
        question: What is asked.
        made: Calls of earlier answers to it.
        weight: Nats for each point of BM25.
    """
    if not weight or len(functions) < 2:
        return None
    index = _index(functions)
    most = MOST_WORDS * rarity(1, len(functions))
    rest = question[_used(question, made) :]
    if not index.points(rest):
        return None

    @lru_cache(maxsize=4)  # asked for at every token of a name
    def nats(calls: str) -> dict[str, float]:
        written = collect(parse(calls, syntax)).calls if calls.strip() else ()
        used = _used(rest, [one for one in written if isinstance(one, FunctionCall)])
        points = index.points(rest[used:])
        return {name: weight * min(found, most) for name, found in points.items()}

    return Evidence(syntax=syntax, functions=tuple(one.name for one in functions), nats=nats)


@lru_cache(maxsize=16)
def _index(functions: tuple[FunctionSchema, ...]) -> LexicalIndex:
    return LexicalIndex(CatalogTool(one.name, one) for one in functions)


def _used(question: str, calls: Sequence[FunctionCall]) -> int:
    """Give the end of the last value of some calls in a question: what is asked next follows it."""
    used = 0
    for text in {text for call in calls for text in _texts(call.arguments)}:
        found = re.search(rf"(?<![\w.]){re.escape(text)}(?!\w|\.\d)", question, re.IGNORECASE)
        used = max(used, found.end() if found else 0)
    return used


def _texts(value: JSONValue) -> Iterator[str]:
    """Give how the values of arguments may stand in a question; a letter may stand anywhere."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str) and len(value.strip()) > 1:
        yield value.strip()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from (str(value), f"{value:,}")
        with suppress(OverflowError):  # An integer may be beyond any float.
            yield f"{value:g}"
