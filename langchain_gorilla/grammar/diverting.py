"""A constraint that can be exchanged for another in the middle of an answer."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain_gorilla.grammar.constraint import Constraint, TokenMask


class DivertibleConstraint(Constraint):
    """One constraint until ``divert``, from then on another that has seen the same tokens."""

    def __init__(self, first: Constraint, instead: Callable[[], Constraint]) -> None:
        """Begin as ``first``; ``instead`` is called once, when it is needed."""
        super().__init__(first.vocabulary)
        self._now = first
        self._instead = instead

    def divert(self) -> None:
        """Go on under the other constraint.

        Raises:
            DeadEndError: The answer so far does not fit it.
        """
        other = self._instead()
        other.consume(self.tokens)
        self._now = other

    def allowed(self) -> TokenMask:
        """Mark the tokens that keep the answer inside the grammar; the state is unchanged."""
        return self._now.allowed()

    def try_consume(self, tokens: Sequence[int]) -> int:
        """Go on by the longest run of these tokens that fits; return its length."""
        taken = self._now.try_consume(tokens)
        self.tokens += tokens[:taken]
        return taken

    def rollback(self, count: int) -> None:
        """Take the last ``count`` tokens back."""
        self._now.rollback(count)
        del self.tokens[len(self.tokens) - count :]

    @property
    def can_end(self) -> bool:
        """Whether the answer may end here."""
        return self._now.can_end

    @property
    def complete(self) -> bool:
        """Whether nothing but the end may come."""
        return self._now.complete

    def forced(self) -> list[int]:
        """Return the tokens that have to come, as the tokenizer would write them; or none."""
        return self._now.forced()

    def fork(self) -> "DivertibleConstraint":
        """Return an independent copy."""
        copy = DivertibleConstraint(self._now.fork(), self._instead)
        copy.tokens = list(self.tokens)
        return copy

    # Never called: what would call them asks ``_now``.
    def _current(self) -> Any:  # pragma: no cover
        return self._now._current()

    def _step(self, token: int) -> bool:  # pragma: no cover
        return self._now._step(token)

    def _back(self, count: int) -> None:  # pragma: no cover
        self._now._back(count)
