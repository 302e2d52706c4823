"""A constraint for many tools: their names first, then the arguments of the one that is called.

Compiling 1,000 tools takes half a second, their names some milliseconds. So the grammar is
cut into stages, each with a matcher of its own:

    names      text or the opening, then a name; over as soon as one name is certain
    arguments  the rest of that name, its arguments, then the closing or a separator
    names …    after a separator

A cut lies where the tokenizer may join no two characters across it: inside a name that is
already certain (before ``(``, so that ``(city`` may be one token), and before the spaces of a
separator.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.errors import DeadEndError
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.grammar.call_grammar import (
    Answer,
    answer_rule,
    chosen,
    compiled_function,
    compiled_schema,
    trigger,
)
from langchain_gorilla.grammar.constraint import (
    Constraint,
    TextMasks,
    Vocabulary,
    forced_tokens,
    rewind,
)
from langchain_gorilla.grammar.notation import notation_of
from langchain_gorilla.grammar.rules import (
    EMPTY,
    Choice,
    Grammar,
    Literal,
    Marker,
    Members,
    Rule,
    choice,
    optional,
    sequence,
)
from langchain_gorilla.grammar.rules import (
    Sequence as Joined,
)


@dataclass(frozen=True)
class Stages:
    """The grammars of the stages, written when needed."""

    functions: Sequence[FunctionSchema]
    syntax: CallSyntax
    answer: Answer

    def first(self) -> Grammar:
        """The answer up to the name of the first call."""
        final, rules = None, {}
        if self.answer.final is not None:
            compiled = compiled_schema(self.answer.final)
            final, rules = compiled.grammar.root, dict(compiled.grammar.rules)
        return Grammar(answer_rule(self.names(first=True), self.syntax, self.answer, final), rules)

    def next(self) -> Grammar:
        """What follows a separator, its spaces included, up to a name."""
        spaces = len(self.syntax.separator) - len(self.separator)
        return Grammar(sequence(Literal(" " * spaces), self.names(first=False)))

    def names(self, *, first: bool) -> Rule:
        """Any name, with the parenthesis that ends it."""
        opening = self.syntax.opening if first and trigger(self.syntax) is None else ""
        names = (f.name for f in chosen(self.functions, self.answer))
        return choice(*(Literal(f"{opening}{name}(") for name in names))

    @property
    def separator(self) -> str:
        """The separator without the spaces at its end."""
        return self.syntax.separator.rstrip(" ")

    def arguments(self, function: FunctionSchema, rest: str) -> Grammar:
        """What follows once ``rest`` of ``name(`` is all that is missing of a name."""
        compiled = compiled_function(function, notation_of(self.syntax))
        closing = Marker(self.syntax.closing) if self.syntax.closing else EMPTY
        after: Rule = closing
        if self.answer.parallel and self.separator:
            going_on = Marker(self.separator)
            after = optional(going_on) if closing == EMPTY else choice(closing, going_on)
        body = sequence(Literal(rest), _without_opening(compiled.grammar.root), after)
        return Grammar(body, compiled.grammar.rules)


def _without_opening(rule: Rule) -> Rule:
    """Drop the parenthesis in front of arguments."""
    match rule:
        case Members():
            return replace(rule, opening="")
        case Literal(text):
            return Literal(text.removeprefix("("))
        case Choice(options):
            return Choice(tuple(map(_without_opening, options)))
        case Joined(parts):
            return sequence(_without_opening(parts[0]), *parts[1:])
        case _:
            raise TypeError(f"{type(rule).__name__} does not open arguments.")


@dataclass
class _Stage:
    matcher: Any
    of_names: bool
    tokens: list[int]


class LazyConstraint(Constraint):
    """The stages of one answer, one after the other."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        stages: Stages,
        compile_stage: Callable[[tuple[str, ...], Callable[[], Grammar]], Any],
        free: TextMasks | None = None,
    ) -> None:
        """Start before the first token.

        Args:
            vocabulary: The model's.
            stages: The grammars.
            compile_stage: Returns a fresh matcher for a key, writing its grammar if need be.
            free: Knows the masks as long as the answer is free text.
        """
        super().__init__(vocabulary, free)
        self._stages = stages
        self._compile = compile_stage
        self._by_name = {f.name: f for f in chosen(stages.functions, stages.answer)}
        self._past = [_Stage(compile_stage(("first",), stages.first), True, [])]

    @property
    def _now(self) -> _Stage:
        return self._past[-1]

    @property
    def can_end(self) -> bool:
        """Whether the answer may end here."""
        return bool(self._now.matcher.is_accepting())

    @property
    def complete(self) -> bool:
        """Whether nothing but the end may come."""
        return bool(self._now.matcher.is_stopped())

    def forced(self) -> list[int]:
        """Return the tokens that have to come, as the tokenizer would write them; or none."""
        return [] if self.ended else forced_tokens(self.vocabulary, self._now.matcher)

    def fork(self) -> "LazyConstraint":
        """Return an independent copy."""
        copy = object.__new__(LazyConstraint)
        copy.__dict__.update(self.__dict__)
        copy.tokens = list(self.tokens)
        copy._free = None if self._free is None else self._free.fork()
        copy._past = [
            _Stage(stage.matcher.deep_copy(), stage.of_names, list(stage.tokens))
            for stage in self._past
        ]
        return copy

    def _current(self) -> Any:
        return self._now.matcher

    def _step(self, token: int) -> bool:
        if not self._now.matcher.try_consume_tokens([token]):
            return False
        self._now.tokens.append(token)
        self._go_on()
        return True

    def _back(self, count: int) -> None:
        while count:
            stage = self._now
            taken = min(count, len(stage.tokens))
            if taken:
                rewind(stage.matcher, taken)
                del stage.tokens[len(stage.tokens) - taken :]
                count -= taken
            # An empty stage stays: the token before it is what made it certain.
            if count and len(self._past) == 1:
                raise DeadEndError(f"Cannot roll {count} tokens back to before the answer.")
            if count:
                self._past.pop()

    def _go_on(self) -> None:
        """Enter the next stage where this one has done its part."""
        stage = self._now
        if not stage.of_names:
            if self._stages.answer.parallel and stage.matcher.is_stopped():
                text = self.vocabulary.decode(stage.tokens).decode("utf-8", "replace")
                if text.endswith(")" + self._stages.separator):
                    matcher = self._compile(("next",), self._stages.next)
                    self._past.append(_Stage(matcher, True, []))
            return
        stopped = stage.matcher.is_stopped()
        coming = b"" if stopped else bytes(stage.matcher.compute_ff_bytes())
        if not stopped and not coming.endswith(b"("):
            return
        text = (self.vocabulary.decode(stage.tokens) + coming).decode("utf-8", "replace")
        fitting = (name for name in self._by_name if text.endswith(name + "("))
        name = max(fitting, key=len, default=None)
        # What is forced may begin before the name; its turn comes when the opening is written.
        if name is None or not f"{name}(".encode().endswith(coming):
            return
        function, rest = self._by_name[name], coming.decode()
        matcher = self._compile(
            ("arguments", function.fingerprint, rest),
            lambda: self._stages.arguments(function, rest),
        )
        self._past.append(_Stage(matcher, False, []))
