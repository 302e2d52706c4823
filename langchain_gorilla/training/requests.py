"""Requests: which functions are offered, what is asked of them, and what must not fit."""

import re
from collections.abc import Sequence
from functools import cache

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.training.chains import direct_concepts
from langchain_gorilla.training.concepts import (
    Concept,
    QuestionWriter,
    invent,
    written_concepts,
)
from langchain_gorilla.training.documents import OfferedFunction, Style, draw_style, offer
from langchain_gorilla.training.families import family_concepts
from langchain_gorilla.training.prompts import write_calls
from langchain_gorilla.training.questions import Asked, Asker
from langchain_gorilla.training.values import Values, data_text

EVERYDAY = frozenset(
    [
        "weather",
        "currency",
        "email",
        "calendar",
        "orders",
        "users",
        "payments",
        "home",
        "db",
        "search",
        "convert",
        "files",
        "people",
        "travel",
        "stocks",
        "food",
        "lang",
        "now",
    ]
) | frozenset(
    line[2:].strip()
    for line in data_text("concepts_daily.txt").split("\n")
    if line.startswith("# ")
)
"""Domains of the tools that people try first."""

_COMMON_WORDS = frozenset(
    [
        "get",
        "find",
        "the",
        "a",
        "an",
        "of",
        "for",
        "in",
        "to",
        "by",
        "with",
        "on",
        "calculate",
        "compute",
        "list",
        "check",
        "set",
        "and",
        "is",
        "given",
        "retrieve",
        "returns",
        "return",
        "from",
        "at",
        "name",
        "value",
        "values",
        "number",
        "create",
        "make",
        "add",
        "show",
        "search",
        "look",
        "up",
        "using",
        "based",
        "new",
        "item",
        "details",
        "info",
        "between",
    ]
)

TOGETHER_SHARE = 0.6
"""Share of questions for several values that are written for their function, where it has some."""


@cache
def _pools(held_out: bool) -> tuple[tuple[Concept, ...], tuple[Concept, ...], tuple[Concept, ...]]:
    """Concepts by where they come from: by hand, records and formulas, facts."""
    by_hand = tuple(one for one in written_concepts() if one.held_out == held_out)
    if held_out:
        return by_hand, by_hand, by_hand
    family = (*family_concepts(), *direct_concepts())
    facts = tuple(one for one in family if one.domain.startswith("facts "))
    return by_hand, tuple(one for one in family if one not in facts), facts


@cache
def _everyday() -> tuple[Concept, ...]:
    return tuple(one for one in _pools(False)[0] if one.domain in EVERYDAY)


@cache
def neighbours(domain: str) -> tuple[Concept, ...]:
    """Give the concepts of a domain that are not held out."""
    concepts = (*written_concepts(), *family_concepts(), *direct_concepts())
    return tuple(one for one in concepts if one.domain == domain and not one.held_out)


def content_words(text: str) -> frozenset[str]:
    """Give the beginnings of the words that say what a text is about."""
    spaced = re.sub(r"([A-Z])", r" \1", text).lower()
    words = re.findall(r"[a-z]+", spaced)
    return frozenset(word[:5] for word in words if len(word) > 2 and word not in _COMMON_WORDS)


class Requests:
    """Draws functions and questions; the same ``values`` state gives the same ones.

    Attributes:
        offered: Ask about these functions, as they are; () to draw new ones for each question.
    """

    def __init__(
        self,
        values: Values,
        *,
        held_out: bool = False,
        everyday: float = 0.0,
        hard: float = 0.0,
        together: float = TOGETHER_SHARE,
    ) -> None:
        """Draw from ``values``.

        Args:
            values: Gives values and chance.
            held_out: Ask for what is never trained on.
            everyday: Share of concepts that are drawn from everyday domains only.
            hard: Share of draws that take, of two, what has more parameters or values.
            together: Share of questions for several values that are written for their function,
                where it has some.
        """
        self.values = values
        self.everyday, self.hard, self.together = everyday, hard, together
        self.rng = values.rng
        self.ask = Asker(values, hard=hard)
        self.held_out = held_out
        self.offered: Sequence[OfferedFunction] = ()
        self.write_question = QuestionWriter()

    def concept(self) -> Concept:
        """Draw a concept to ask for."""
        drawn = self._draw()
        if self.hard and self.rng.random() < self.hard:
            return max(drawn, self._draw(), key=lambda one: len(one.parameters))
        return drawn

    def _draw(self) -> Concept:
        if self.everyday and self.rng.random() < self.everyday:
            return self.rng.choice(_everyday())
        by_hand, families, facts = _pools(self.held_out)
        style = self.rng.random()
        if style < 0.12 and not self.held_out:
            return invent(self.values, self.write_question)
        pool = by_hand if style < 0.84 else families if style < 0.96 else facts
        return self.rng.choice(pool)

    def _distractor(self, target: OfferedFunction) -> Concept:
        """Draw a concept that is not asked for, often close to one that is, or a look-up."""
        if self.rng.random() < 0.25 and not self.held_out:
            return self.rng.choice(direct_concepts())
        if self.rng.random() < 0.5:
            near = neighbours(target.concept.domain)
            if near:
                return self.rng.choice(near)
        if target.concept.domain in EVERYDAY and not self.held_out and self.rng.random() < 0.4:
            return self.rng.choice(_everyday())
        if self.rng.random() < 0.25 or self.held_out:
            return invent(self.values, self.write_question)
        return self.concept()

    def with_distractors(
        self, targets: Sequence[OfferedFunction], count: int, style: Style
    ) -> list[OfferedFunction]:
        """Add ``count`` functions that are not asked for, or fewer, and shuffle."""
        functions = list(targets)
        for _ in range(4 * count):
            if len(functions) >= len(targets) + count:
                break
            concept = self._distractor(self.rng.choice(list(targets)))
            # A look-up's function is also offered alone: another concept of the same names.
            if any(set(one.concept.names) & set(concept.names) for one in functions):
                continue
            made = offer(self.values, concept, style)
            if all(one.name != made.name for one in functions):
                functions.append(made)
        self.rng.shuffle(functions)
        return functions

    def _tool_count(self) -> int:
        """Draw how many distractors there are: mostly 1 to 4, at most 15."""
        style = self.rng.random()
        if style < 0.86:
            return self.rng.choices([1, 2, 3, 4], [0.4, 0.3, 0.18, 0.12])[0]
        return self.rng.randint(5, 8) if style < 0.96 else self.rng.randint(9, 15)

    def functions(self) -> list[OfferedFunction]:
        """Draw one function, a few or many, as a conversation offers them."""
        style = draw_style(self.rng)
        first = offer(self.values, self.concept(), style)
        alone = self.rng.random() < 0.25
        return self.with_distractors([first], 0 if alone else self._tool_count(), style)

    def asked(self, kind: str) -> tuple[Asked, list[OfferedFunction]] | None:
        """Ask a question of a kind; the functions come with distractors."""
        rng, style = self.rng, draw_style(self.rng)
        if self.offered:
            return self._asked_of_offered(kind)
        first = offer(self.values, self.concept(), style)
        extra = {"simple": 0, "multiple": self._tool_count()}.get(kind)
        if kind == "parallel_multiple":
            others = self.with_distractors([first], rng.choice([1, 1, 2]), style)
            targets = [first, *(one for one in others if one is not first)]
            extra = rng.choice([0, 0, 1, 2])
        else:
            targets = [first]
            if extra is None:
                extra = rng.choice([1, 1, 2]) if rng.random() < 0.35 else 0
        asked = self._question(kind, targets)
        return (asked, self.with_distractors(targets, extra, style)) if asked else None

    def _asked_of_offered(self, kind: str) -> tuple[Asked, list[OfferedFunction]] | None:
        count = self.rng.choice([2, 2, 3]) if kind == "parallel_multiple" else 1
        if count > len(self.offered):
            count = 2
        if count > len(self.offered):
            return None
        targets = self.rng.sample(list(self.offered), count)
        if count == 1 and self.hard and self.rng.random() < self.hard:
            targets = [
                max(*targets, self.rng.choice(list(self.offered)), key=lambda one: len(one.slots))
            ]
        asked = self._question(kind, targets)
        return (asked, list(self.offered)) if asked else None

    def _question(self, kind: str, targets: Sequence[OfferedFunction]) -> Asked | None:
        """Ask the targets for calls; never for the same call twice, never for more than five."""
        rng = self.rng
        if kind in ("simple", "multiple"):
            return self.ask.one(targets[0])
        if kind == "parallel":
            asked = self._again(targets[0]) if rng.random() < 0.75 else self._repeat(targets[0])
        else:
            parts = [
                self.ask.one(one) if rng.random() < 0.7 else self._again(one) for one in targets
            ]
            rng.shuffle(parts)
            found = [part for part in parts if part is not None]
            asked = self.ask.several(found) if len(found) > 1 else None
        if asked is None or not distinct(asked.calls) or len(asked.calls) > 5:
            return None
        return asked

    def _again(self, function: OfferedFunction) -> Asked | None:
        """Ask the same function for several values, in words made for it where there are some."""
        together = self.ask.together(function) if self.rng.random() < self.together else None
        return together or self.ask.same(function)

    def _repeat(self, function: OfferedFunction) -> Asked | None:
        """Ask the same function in two to four independent sentences."""
        parts = [self.ask.one(function) for _ in range(self.rng.choice([2, 2, 2, 3, 3, 4]))]
        found = [part for part in parts if part is not None]
        return self.ask.several(found) if len(found) > 1 else None

    def of_these(self, functions: Sequence[OfferedFunction]) -> Asked | None:
        """Ask for one call, the same function several times, or two of the functions."""
        rng, style = self.rng, self.rng.random()
        function = rng.choice(list(functions))
        if style < 0.35:
            return self.ask.one(function)
        if style < 0.75 or len(functions) == 1:
            return self._again(function) if rng.random() < 0.8 else self._repeat(function)
        pair = rng.sample(list(functions), 2)
        parts = [self.ask.one(one) if rng.random() < 0.75 else self._again(one) for one in pair]
        found = [part for part in parts if part is not None]
        return self.ask.several(found) if len(found) == 2 else None


def documents(functions: Sequence[OfferedFunction]) -> tuple[dict[str, object], ...]:
    """Give the documents of functions, in their order."""
    return tuple(dict(one.document) for one in functions)


def distinct(calls: Sequence[FunctionCall]) -> bool:
    """Tell whether no call is made twice."""
    return len({write_calls([call]) for call in calls}) == len(calls)
