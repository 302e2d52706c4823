"""Constrained decoding in which one forward pass settles several tokens.

What a grammar forces is never asked of the model: it is read with the next pass. What is likely
to come is guessed, read in the same pass, and kept as far as the model itself would have written
it. Greedy answers are those of one token at a time; sampled ones have the same distribution,
because each token is drawn from the model's own scores before it is compared with the guess.

The loop knows neither torch nor transformers: it speaks to a ``TokenSequence``.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

MOST_DRAFTED: Final = 16
"""Guesses in one pass. On a CPU in bf16 a pass of 16 tokens costs 1.2 times a pass of one."""


class TokenSequence(Protocol):
    """The tokens that a model has read."""

    @property
    def length(self) -> int:
        """How many they are."""

    def extend(self, tokens: Sequence[int], at: Sequence[int]) -> Iterable[Any]:
        """Read further tokens.

        Args:
            tokens: At least one.
            at: Indices into ``tokens``.

        Returns:
            For each of ``at``, the scores of what follows that token; for ``pick`` to read.
        """

    def cut(self, length: int) -> None:
        """Forget all tokens but the first ``length``."""


class Limits(Protocol):
    """What an answer may be; a ``Constraint`` is one."""

    @property
    def end_ids(self) -> frozenset[int]:
        """Tokens that end an answer; never guessed."""

    @property
    def complete(self) -> bool:
        """Whether nothing but the end may come."""

    def forced(self) -> list[int]:
        """Return the tokens that have to come; or none."""

    def try_consume(self, tokens: Sequence[int]) -> int:
        """Go on by the longest run of these tokens that fits; return its length."""

    def consume(self, tokens: Sequence[int]) -> None:
        """Go on by tokens that fit."""

    def rollback(self, count: int) -> None:
        """Take the last ``count`` tokens back."""


class Anything:
    """The limits of an answer that has none."""

    complete = False

    def __init__(self, end_ids: frozenset[int]) -> None:
        """Let any token come."""
        self.end_ids = end_ids

    def forced(self) -> list[int]:
        """Return no tokens."""
        return []

    def try_consume(self, tokens: Sequence[int]) -> int:
        """Let them all come."""
        return len(tokens)

    def consume(self, tokens: Sequence[int]) -> None:
        """Let them all come."""

    def rollback(self, count: int) -> None:
        """Remember nothing."""


def decode(
    sequence: TokenSequence,
    unread: Sequence[int],
    constraint: Limits,
    *,
    pick: Callable[[Sequence[int], Any], int],
    guess: Callable[[Sequence[int]], Sequence[int]],
    take: Callable[[int], bool],
    room: int,
    most_drafted: int = MOST_DRAFTED,
) -> None:
    """Generate one answer.

    Args:
        sequence: What the model has read of the prompt; at the end, tokens of the prompt and the
            answer, though not all of them.
        unread: The rest of the prompt; at least one token.
        constraint: At the answer's beginning.
        pick: Chooses a token that the constraint allows, by the answer so far and its scores.
        guess: Continues the answer so far; may be wrong, may be empty.
        take: Gets each token of the answer, once the constraint has consumed it; tells whether
            the answer is complete.
        room: Most tokens that the answer may have; nothing is read past them.
        most_drafted: Guesses in one pass; 0 is none.

    Raises:
        DeadEndError: No token fits the constraint.
    """
    answer: list[int] = []

    def accept(token: int) -> bool:
        constraint.consume([token])
        answer.append(token)
        return take(token)

    pending = list(unread)
    while True:
        while forced := constraint.forced():
            for token in forced:
                if accept(token):
                    return
            pending += forced
        draft = _draft(constraint, answer, guess, most_drafted, room - len(answer) - 1)
        choices = [index for index, (_, chosen) in enumerate(draft) if chosen]
        at = [len(pending) + index - 1 for index in (*choices, len(draft))]
        base = sequence.length + len(pending)
        scores = sequence.extend([*pending, *(token for token, _ in draft)], at)
        constraint.rollback(len(draft))
        agreed, done = 0, False
        for row, index in zip(scores, (*choices, len(draft)), strict=True):
            if done := any(accept(token) for token, _ in draft[agreed:index]):
                break
            agreed = index
            token = pick(answer, row)
            done = accept(token)
            if is_kept := index < len(draft) and token == draft[index][0]:
                agreed += 1
            if done or not is_kept:
                pending = [token]
                break
        sequence.cut(base + agreed)
        if done:
            return


def _draft(
    constraint: Limits,
    answer: Sequence[int],
    guess: Callable[[Sequence[int]], Sequence[int]],
    most: int,
    room: int,
) -> list[tuple[int, bool]]:
    """Go on by guesses, and by what they force; the constraint has consumed what is returned.

    Returns:
        Tokens, each with whether the model has a choice there.
    """
    draft: list[tuple[int, bool]] = []
    most = min(most, room)
    while len(draft) < most and not constraint.complete:
        before = len(draft)
        for token in guess([*answer, *(token for token, _ in draft)])[: most - before]:
            if token in constraint.end_ids or not constraint.try_consume([token]):
                return draft
            draft.append((token, True))
            # Decoding one token at a time takes what is forced wherever it is.
            is_forced = False
            while len(draft) < room and (forced := constraint.forced()):
                forced = forced[: room - len(draft)]
                constraint.consume(forced)
                draft += [(each, False) for each in forced]
                is_forced = True
            if is_forced or constraint.complete:
                break
        if len(draft) == before:
            break
    return draft
