"""Whole conversations by kind: what the training data is a mix of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

from langchain_gorilla.training.compositions import Compositions
from langchain_gorilla.training.concepts import Concept, written_concepts
from langchain_gorilla.training.dialogues import REFUSAL, Dialogues, small_talk
from langchain_gorilla.training.documents import OfferedFunction, Style, draw_style, offer
from langchain_gorilla.training.kept_out import is_kept_out
from langchain_gorilla.training.phrasing import phrases
from langchain_gorilla.training.prompts import Conversation, Turn, write_calls
from langchain_gorilla.training.requests import (
    Requests,
    content_words,
    documents,
    neighbours,
)
from langchain_gorilla.training.structured import Structured
from langchain_gorilla.training.templates import written

_BY_NAME = (
    "Use the {name} function.",
    "Please use {name} for this.",
    "Use the function {name} to do it.",
    "You can call '{name}' for that.",
    "(with {name})",
)
"""How a question now and then names the function that it is for."""

WITHOUT_TOOL = "I cannot answer that without a tool."


@cache
def _with_near_misses() -> tuple[Concept, ...]:
    known = written("near_misses.txt")
    return tuple(one for one in written_concepts() if not one.held_out and one.names[0] in known)


class Conversations:
    """Makes conversations of a kind; ``Requests`` of the same state give the same ones."""

    def __init__(self, requests: Requests) -> None:
        """Draw functions and questions from ``requests``."""
        self.requests, self.ask = requests, requests.ask
        self.values, self.rng = requests.values, requests.rng
        dialogues, compositions = Dialogues(requests), Compositions(requests)
        self.structured = Structured(requests)
        self.kinds: dict[str, Callable[[], Conversation | None]] = {
            "simple": lambda: self._calls("simple"),
            "multiple": lambda: self._calls("multiple"),
            "parallel": lambda: self._calls("parallel"),
            "parallel_multiple": lambda: self._calls("parallel_multiple"),
            "irrelevance": self._irrelevance,
            "chat": self._chat,
            "answer": dialogues.answer,
            "chain": dialogues.chain,
            "error": dialogues.error,
            "remaining": dialogues.remaining,
            "session": dialogues.session,
            "compose": compositions.call,
            "json": compositions.json_object,
            "structured": self.structured.make,
        }

    def make(self, kind: str) -> Conversation:
        """Make one conversation.

        Args:
            kind: A key of ``kinds``.
        """
        system = self._system()
        while True:
            if made := self._try(kind, system):
                return made

    def family(
        self,
        shares: Mapping[str, float],
        count: int,
        *,
        offered: Sequence[OfferedFunction] = (),
    ) -> list[Conversation]:
        """Make ``count`` conversations that begin alike: the same system text and functions.

        Args:
            shares: Share of each kind; one that these functions cannot give is left out.
            count: How many, at least 1.
            offered: Ask about these functions, without a system text; () to draw some. Of these
                there may be fewer conversations than ``count``, or none.
        """
        while True:
            system = "" if offered else self._system()
            self.requests.offered = offered or self.requests.functions()
            made: list[Conversation] = []
            for _ in range(4 * count):
                kind = self.rng.choices(list(shares), list(shares.values()))[0]
                if one := self._try(kind, system):
                    made.append(one)
                if len(made) == count:
                    break
            self.requests.offered = ()
            if made or offered:
                return made

    def structured_family(self, count: int) -> list[Conversation]:
        """Make at most ``count`` conversations that end in JSON of one schema, at least one."""
        system = self._system()
        while True:
            made = self.structured.family(count)
            if kept := [one for each in made if (one := self._with(each, "structured", system))]:
                return kept

    def _system(self) -> str:
        if self.rng.random() < 0.25:
            return self.values.fill(self.rng.choice(phrases("system")))
        return ""

    def _try(self, kind: str, system: str) -> Conversation | None:
        made = self.kinds[kind]()
        return made and self._with(made, kind, system)

    def _with(self, made: Conversation, kind: str, system: str) -> Conversation | None:
        if any(is_kept_out(turn.question) for turn in made.turns):
            return None
        # Some ask for their answer's form in the system text, behind the user's own.
        system = "\n\n".join(text for text in (system, made.system) if text)
        return replace(made, kind=kind, system=system, held_out=self.requests.held_out)

    def _calls(self, kind: str) -> Conversation | None:
        made = self.requests.asked(kind)
        if made is None:
            return None
        asked, functions = made
        question, names = self.ask.phrasing.polish(asked.question), {c.name for c in asked.calls}
        if len(names) == 1 and self.rng.random() < 0.05:
            named = self.rng.choice(_BY_NAME).replace("{name}", names.pop())
            question = f"{question}{'' if question[-1] in '?.!' else '.'} {named}"
        turn = Turn(question, (), write_calls(asked.calls))
        return Conversation(kind, documents(functions), (turn,), calls=asked.calls)

    def _irrelevance(self) -> Conversation | None:
        """Ask for what no offered function does; half of the time for something close."""
        rng, style = self.rng, draw_style(self.rng)
        avoided: frozenset[str]
        close = rng.random()
        if close < 0.3:
            return self.near_miss(style)
        if close < 0.5:
            return self._near_irrelevance(style)
        if rng.random() < 0.3:
            question = self.values.fill(rng.choice(phrases("unknown")))
            avoided = content_words(question)
        else:
            target = offer(self.values, self.requests.concept(), style)
            asked = self.ask.one(target)
            if asked is None:
                return None
            question = asked.question
            avoided = _subject(target) | content_words(question)
        functions = list(self.requests.offered)
        if any(_subject(one) & avoided for one in functions):
            return None
        wanted = len(functions) or rng.choices([1, 2, 3, 4], [0.5, 0.28, 0.14, 0.08])[0]
        for _ in range(30):
            if len(functions) == wanted:
                break
            made = offer(self.values, self.requests.concept(), style)
            if _subject(made) & avoided:
                continue
            if all(one.name != made.name for one in functions):
                functions.append(made)
        if not functions:
            return None
        turn = Turn(self.ask.phrasing.polish(question), (), REFUSAL)
        return Conversation("irrelevance", documents(functions), (turn,))

    def near_miss(self, style: Style) -> Conversation | None:
        """Ask a question about an offered function's topic that the function cannot answer.

        None for held-out concepts: all of these questions are trained on.
        """
        if self.requests.held_out:
            return None
        functions = list(self.requests.offered)
        if not functions:
            first = offer(self.values, self.rng.choice(_with_near_misses()), style)
            functions = self.requests.with_distractors(
                [first], self.rng.choice([0, 0, 0, 1]), style
            )
        missed = [one for one in functions if one.concept in _with_near_misses()]
        if not missed:
            return None
        target = self.rng.choice(missed)
        near = written("near_misses.txt")[target.concept.names[0]]
        question = self.values.fill(self.rng.choice(near))
        others = [one for one in functions if one is not target]
        if any(_subject(one) & content_words(question) for one in others):
            return None
        turn = Turn(self.ask.phrasing.polish(question), (), REFUSAL)
        return Conversation("irrelevance", documents(functions), (turn,))

    def _near_irrelevance(self, style: Style) -> Conversation | None:
        """Ask for a function of the same domain as those that are offered."""
        functions = list(self.requests.offered)
        if not functions:
            first = offer(self.values, self.requests.concept(), style)
            functions = self.requests.with_distractors([first], self.rng.choice([0, 0, 1]), style)
        offered = [one.concept for one in functions]
        near = [one for one in neighbours(self.rng.choice(offered).domain) if one not in offered]
        if not near:
            return None
        asked = self.ask.one(offer(self.values, self.rng.choice(near), style))
        if asked is None:
            return None
        turn = Turn(self.ask.phrasing.polish(asked.question), (), REFUSAL)
        return Conversation("irrelevance", documents(functions), (turn,))

    def _chat(self) -> Conversation | None:
        """Small talk, with and without functions; sometimes a request follows."""
        rng = self.rng
        functions = list(self.requests.offered)
        if not functions and rng.random() < 0.45:
            style = draw_style(rng)
            first = offer(self.values, self.requests.concept(), style)
            functions = self.requests.with_distractors([first], rng.choice([0, 1, 2]), style)
        if not functions and rng.random() < 0.4:
            question = self.values.fill(rng.choice(phrases("unknown")))
            return Conversation("chat", (), (Turn(question, (), WITHOUT_TOOL),))
        turns = [small_talk(self.values, "chat")]
        if rng.random() < 0.4:
            asked = self.ask.one(rng.choice(functions)) if functions else None
            if asked:
                turns.append(
                    Turn(self.ask.phrasing.polish(asked.question), (), write_calls(asked.calls))
                )
            elif not functions:
                turns.append(small_talk(self.values, "chat"))
        return Conversation("chat", documents(functions), tuple(turns))


def _subject(function: OfferedFunction) -> frozenset[str]:
    """Give the beginnings of the words that say what a function is about."""
    names = " ".join(slot.name for slot in function.slots)
    return content_words(f"{function.name} {function.document['description']} {names}")
