"""Constrained decoding in which one forward pass settles several tokens.

What a grammar forces is never asked of the model: it is read with the next pass. What is likely
to come is guessed, read in the same pass, and kept as far as the model itself would have written
it. Greedy answers are those of one token at a time; sampled ones have the same distribution,
because each token is drawn from the model's own scores before it is compared with the guess.

The loop knows neither torch nor transformers: it speaks to a ``TokenSequence``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from langchain_gorilla.grammar.constraint import Constraint

MOST_DRAFTED: Final = 12
"""Guesses in one pass. On a CPU in bf16 a pass of 8 tokens costs what a pass of one costs."""


class TokenSequence(Protocol):
    """The tokens that a model has read."""

    @property
    def length(self) -> int:
        """How many they are."""

    def extend(self, tokens: Sequence[int], at: Sequence[int]) -> Sequence[Any]:
        """Read further tokens.

        Args:
            tokens: At least one.
            at: Indices into ``tokens``.

        Returns:
            For each of ``at``, the scores of what follows that token; for ``pick`` to read.
        """

    def cut(self, length: int) -> None:
        """Forget all tokens but the first ``length``."""


@dataclass(frozen=True)
class Passes:
    """What an answer took.

    Attributes:
        forward: Forward passes of the model.
        drafted: Guessed tokens that were read.
        kept: Those of them that the model would have written.
    """

    forward: int = 0
    drafted: int = 0
    kept: int = 0


def decode(
    sequence: TokenSequence,
    unread: Sequence[int],
    constraint: "Constraint",
    *,
    pick: Callable[[Sequence[int], Any], int],
    guess: Callable[[Sequence[int]], Sequence[int]],
    take: Callable[[int], bool],
    most_drafted: int = MOST_DRAFTED,
) -> Passes:
    """Generate one answer.

    Args:
        sequence: What the model has read of the prompt.
        unread: The rest of the prompt; at least one token.
        constraint: At the answer's beginning.
        pick: Chooses a token that the constraint allows, by the answer so far and its scores.
        guess: Continues the answer so far; may be wrong, may be empty.
        take: Gets each token of the answer, once the constraint has consumed it; tells whether
            the answer is complete.
        most_drafted: Guesses in one pass; 0 is none.

    Raises:
        DeadEndError: No token fits the constraint.
    """
    answer: list[int] = []
    forward = drafted = kept = 0

    def accept(token: int) -> bool:
        constraint.consume([token])
        answer.append(token)
        return take(token)

    pending = list(unread)
    while True:
        while forced := constraint.forced():
            for token in forced:
                if accept(token):
                    return Passes(forward, drafted, kept)
            pending += forced
        draft = _draft(constraint, answer, guess, most_drafted)
        choices = [index for index, (_, chosen) in enumerate(draft) if chosen]
        at = [len(pending) + index - 1 for index in (*choices, len(draft))]
        base = sequence.length + len(pending)
        scores = sequence.extend([*pending, *(token for token, _ in draft)], at)
        forward += 1
        drafted += len(choices)
        constraint.rollback(len(draft))
        agreed = 0
        for row, index in zip(scores, (*choices, len(draft)), strict=True):
            for token, _ in draft[agreed:index]:
                if accept(token):
                    return Passes(forward, drafted, kept)
            agreed = index
            token = pick(answer, row)
            if index < len(draft) and token == draft[index][0]:
                kept += 1
                agreed += 1
                if accept(token):
                    return Passes(forward, drafted, kept)
                continue
            if accept(token):
                return Passes(forward, drafted, kept)
            pending = [token]
            break
        sequence.cut(base + agreed)


def _draft(
    constraint: "Constraint",
    answer: Sequence[int],
    guess: Callable[[Sequence[int]], Sequence[int]],
    most: int,
) -> list[tuple[int, bool]]:
    """Go on by guesses, and by what they force; the constraint has consumed what is returned.

    Returns:
        Tokens, each with whether the model has a choice there.
    """
    draft: list[tuple[int, bool]] = []
    while len(draft) < most and not constraint.complete:
        before = len(draft)
        for token in guess([*answer, *(token for token, _ in draft)])[: most - before]:
            if token in constraint.vocabulary.end_ids or not constraint.try_consume([token]):
                return draft
            draft.append((token, True))
            # Decoding one token at a time takes what is forced wherever it is.
            is_forced = False
            while forced := constraint.forced():
                constraint.consume(forced)
                draft += [(each, False) for each in forced]
                is_forced = True
            if is_forced or constraint.complete:
                break
        if len(draft) == before:
            break
    return draft
