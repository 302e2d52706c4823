"""Whether one text can match several regular rules at once.

The rules are taken apart a character at a time (Antimirov's partial derivatives), all together,
in search of a place where all of them may end. What has too many places counts as possible: the
check finds contradictions, it does not prove that there are none.

Source: V. Antimirov, Partial derivatives of regular expressions and finite automaton
constructions, Theoretical Computer Science 155 (1996).
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import product
from typing import Final

from langchain_gorilla.grammar.rules import (
    EMPTY,
    Chars,
    Choice,
    Literal,
    Repeat,
    Rule,
    Terminal,
    one_of,
    overlap,
    repeat,
    sequence,
)
from langchain_gorilla.grammar.rules import (
    Sequence as Joined,
)

MOST_PLACES: Final = 500
"""Looked at before giving up; a few ms. Counted repetitions have a place for each count."""


def have_common_text(rules: Sequence[Rule]) -> bool:
    """Tell whether some text matches all of the rules; True where that takes too long to tell."""
    start = tuple(rules)
    seen, waiting = {start}, [start]
    while waiting:
        if len(seen) > MOST_PLACES:
            return True
        place = waiting.pop()
        try:
            if all(map(_may_end, place)):
                return True
            steps = [list(_steps(rule)) for rule in place]
        except TypeError:  # One of them is not regular.
            return True
        for chosen in product(*steps):
            if reduce(overlap, (first for first, _ in chosen)).ranges:
                after = tuple(rest for _, rest in chosen)
                if after not in seen:
                    seen.add(after)
                    waiting.append(after)
    return False


def _may_end(rule: Rule) -> bool:
    """Tell whether a rule matches the empty text."""
    match rule:
        case Literal(text):
            return not text
        case Chars():
            return False
        case Joined(parts):
            return all(map(_may_end, parts))
        case Choice(options):
            return any(map(_may_end, options))
        case Repeat(inner, least, _):
            return least == 0 or _may_end(inner)
        case Terminal(inner):
            return _may_end(inner)
        case _:
            raise TypeError(f"{type(rule).__name__} is not taken apart.")


def _steps(rule: Rule) -> Iterator[tuple[Chars, Rule]]:
    """Give what a text may begin with, and what has to follow each."""
    match rule:
        case Literal(text):
            if text:
                yield one_of(text[0]), Literal(text[1:])
        case Chars():
            yield rule, EMPTY
        case Joined(parts):
            behind = sequence(*parts[1:])
            yield from ((first, sequence(rest, behind)) for first, rest in _steps(parts[0]))
            if _may_end(parts[0]):
                yield from _steps(behind)
        case Choice(options):
            for option in options:
                yield from _steps(option)
        case Repeat(inner, least, most):
            again = repeat(inner, max(0, least - 1), None if most is None else most - 1)
            yield from ((first, sequence(rest, again)) for first, rest in _steps(inner))
        case Terminal(inner):
            yield from _steps(inner)
        case _:
            raise TypeError(f"{type(rule).__name__} is not taken apart.")
