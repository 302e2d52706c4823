"""Constraints for one vocabulary: compiled once per set of tools, forked for each request."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Final

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.grammar.call_grammar import Answer, answer_grammar, chosen, text_marks
from langchain_gorilla.grammar.constraint import Constraint, Vocabulary, WholeConstraint
from langchain_gorilla.grammar.free_text import FreeMask, FreeText
from langchain_gorilla.grammar.lark import lark
from langchain_gorilla.grammar.lazy import LazyConstraint, Stages
from langchain_gorilla.grammar.notation import compact_json
from langchain_gorilla.grammar.rules import Grammar

LAZY_ABOVE: Final = 6
"""Functions that one grammar still holds. Of more the names come first: that is quicker (ten take
two thirds of the time), and a function's arguments are compiled once for all sets it stands in."""


class ConstraintCompiler:
    """Makes constraints and keeps the compiled grammars of recent requests. Thread-safe."""

    def __init__(self, vocabulary: Vocabulary, *, kept: int = 256) -> None:
        """Start with nothing compiled.

        Args:
            vocabulary: The model's.
            kept: Compiled grammars to keep, least recently used first out.
        """
        self.vocabulary = vocabulary
        self._kept = kept
        self._matchers: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._free: dict[tuple[str, ...], FreeText] = {}
        self._lock = threading.Lock()

    def constraint(
        self, functions: Sequence[FunctionSchema], syntax: CallSyntax, answer: Answer
    ) -> Constraint:
        """Return a fresh constraint; see ``answer_grammar``.

        Raises:
            ContradictorySchemaError: No value fits a schema. With more than ``LAZY_ABOVE``
                functions only when that one is called: check at bind time with ``coverage``.
            UnknownToolError: ``answer.name`` is none of the functions.
        """
        called = chosen(functions, answer)
        names = tuple(function.fingerprint for function in called)
        final = None if answer.final is None else compact_json(answer.final)
        key = (
            names, syntax, answer.mode, answer.name, answer.parallel, final, answer.reasoning,
            answer.prefix,
        )  # fmt: skip
        free = self._free_mask(syntax, answer)
        if len(called) > LAZY_ABOVE:
            stages = Stages(functions, syntax, answer)

            def compile_stage(stage: tuple[str, ...], write: Callable[[], Grammar]) -> Any:
                # The arguments of a function are the same whatever stands beside it.
                shared = stage[0] == "arguments"
                owner = (syntax, answer.parallel) if shared else key
                return self._matcher((*owner, *stage), write)

            return LazyConstraint(self.vocabulary, stages, compile_stage, free)
        matcher = self._matcher(key, lambda: answer_grammar(called, syntax, answer))
        return WholeConstraint(self.vocabulary, matcher, free)

    def _free_mask(self, syntax: CallSyntax, answer: Answer) -> FreeMask | None:
        """Give the fast masks of free text, where the answer may be that."""
        marks = text_marks(syntax, answer)
        if marks is None:
            return None
        key = (answer.prefix, *marks)
        free = self._free.get(key)
        if free is None:
            free = self._free[key] = FreeText(self.vocabulary, answer.prefix, marks)
        return FreeMask(free, self.vocabulary)

    def _matcher(self, key: tuple[Any, ...], write: Callable[[], Grammar]) -> Any:
        with self._lock:
            matcher = self._matchers.get(key)
            if matcher is not None:
                self._matchers.move_to_end(key)
        if matcher is None:
            matcher = self.vocabulary.matcher(lark(write(), self.vocabulary.special_tokens))
            with self._lock:
                self._matchers[key] = matcher
                while len(self._matchers) > self._kept:
                    self._matchers.popitem(last=False)
        return matcher.deep_copy()
