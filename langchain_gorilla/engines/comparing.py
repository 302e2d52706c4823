"""Which function: compared by the calls that would follow, where the model is undecided.

Greedy decoding names a function before it writes an argument, and a small model often sees only
by the arguments that it took the wrong one. Here the plausible names are each gone on with to the
end of their call, greedily and within the constraint, and the call wins that the model finds most
probable: the sum of its log-probabilities, no mask, no penalty, and what else speaks for the
function (``weighing``). Where one name is all but certain
nothing is compared. The winner is read again as a guess, so that the rest of the loop knows
nothing of this.

A name is plausible by its tokens: at each place where two functions are still possible, by how
much less probable its token is than the best one. The most plausible are tried first.

Not compared: calls with text or with a family's refusal, arguments of one function, whether
another call follows, and names behind text in families whose calls stand bare.
"""

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.engines.base import Compared, Evidence
from langchain_gorilla.engines.decode_loop import TokenSequence, decode
from langchain_gorilla.engines.heads import Head, Heads
from langchain_gorilla.errors import DeadEndError, InvalidFunctionError

if TYPE_CHECKING:
    import torch

    from langchain_gorilla.grammar.constraint import Constraint, Vocabulary

LEAST_SHARE: Final = 0.05
"""Names that are less probable than this share of the greedy one are not compared."""

_LONGEST_CALL: Final = 256


class Comparison:
    """Chooses the functions of one answer."""

    def __init__(
        self,
        compared: Compared,
        *,
        syntax: CallSyntax,
        vocabulary: "Vocabulary",
        guess: Callable[[Sequence[int]], Sequence[int]],
        evidence: Evidence | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Compare functions.

        Args:
            compared: Which, and how many.
            syntax: How calls are written.
            vocabulary: The model's.
            guess: Continues the answer so far; may be wrong, may be empty.
            evidence: What else speaks for functions; the scores of their calls gain it.
            check: Asked after every token; raises where the answer is no longer wanted.
        """
        self._compared = compared
        self._heads = Heads(compared.functions, syntax, vocabulary)
        self._guess = guess
        self._evidence = evidence
        self._check = check
        self._won: list[int] = []

    def guess(self, answer: Sequence[int]) -> Sequence[int]:
        """Continue the answer by the call that won, or guess up to the next function's name."""
        if self.settled(answer) is not None:
            return self._won[len(answer) :]
        tokens = self._guess(answer)
        for place, token in enumerate(tokens):
            head = self._heads.at([*answer, *tokens[:place]])
            if head is not None and head.is_named_by(self._heads.text([token])):
                return tokens[:place]
        return tokens

    def settled(self, answer: Sequence[int]) -> int | None:
        """Give the next token of the call that won; None where no call did, or it is over."""
        if len(self._won) > len(answer) and self._won[: len(answer)] == list(answer):
            return self._won[len(answer)]
        return None

    def choose(
        self,
        answer: Sequence[int],
        row: "torch.Tensor",
        best: int,
        *,
        sequence: TokenSequence,
        constraint: "Constraint",
        pick: "Callable[[Sequence[int], torch.Tensor, Constraint], int]",
        room: int,
    ) -> int:
        """Give the next token: ``best``, or the beginning of a name that fares better.

        A call that cannot be finished, for its length or for its schema, is not compared.

        Args:
            answer: The tokens so far; ``sequence`` has read them and nothing after them.
            row: The model's scores of the next token, shape (rows of the LM head,).
            best: The token that would come without comparing.
            sequence: What the model has read; is afterwards as before.
            constraint: What may come; stays as it is.
            pick: Chooses a token by an answer, its scores and what may come.
            room: Most further tokens that the answer may have.
        """
        if (settled := self.settled(answer)) is not None:
            return settled
        head = self._heads.at(answer)
        if head is None or not (others := self._others(answer, row, best, head, constraint)):
            return best
        # How much less probable than the greedy name a beginning is, its number, its tokens.
        waiting = [(0.0, 0, [best])]
        numbers = count(1)
        for behind, token in others:
            heapq.heappush(waiting, (behind, next(numbers), [token]))
        finished: dict[str, tuple[float, list[int]]] = {}
        nats: Mapping[str, float] = {}
        if self._evidence is not None:
            nats = self._evidence.nats(self._heads.text(answer)[: head.start])
        tried = 0
        while waiting and tried < 2 * self._compared.most and len(finished) < self._compared.most:
            behind, _, begun = heapq.heappop(waiting)
            tried += 1
            call = _Call(sequence, row)
            limits = constraint.fork()

            def pick_on(
                later: Sequence[int],
                scores: "torch.Tensor",
                behind: float = behind,
                limits: "Constraint" = limits,
            ) -> int:
                whole = [*answer, *later]
                token = pick(whole, scores, limits)
                if (now := self._heads.at(whole)) is not None:
                    for further, other in self._others(whole, scores, token, now, limits):
                        if behind + further <= -math.log(LEAST_SHARE):
                            entry = (behind + further, next(numbers), [*later, other])
                            heapq.heappush(waiting, entry)
                return token

            try:
                name = call.write(
                    begun,
                    limits,
                    pick=pick_on,
                    guess=lambda later: self._guess([*answer, *later]),
                    named=lambda later: self._heads.finished([*answer, *later], head),
                    check=self._check,
                    room=min(room, _LONGEST_CALL),
                )
            except (DeadEndError, InvalidFunctionError):
                continue  # greedy decoding meets it if it comes to that
            if name is not None:
                score = call.score + nats.get(name, 0.0)
                finished[name] = max(finished.get(name, (-math.inf, [])), (score, call.tokens))
        if not finished:
            return best
        self._won = [*answer, *max(finished.values())[1]]
        return self._won[len(answer)]

    def _others(
        self,
        answer: Sequence[int],
        row: "torch.Tensor",
        best: int,
        head: Head,
        constraint: "Constraint",
    ) -> list[tuple[float, int]]:
        """Give the tokens of other names, the most probable first: how far behind the best."""
        if not head.is_named_by(self._heads.text([best])):
            return []
        tokens = self._heads.tokens(answer, head).keys()
        if best not in tokens:  # text, a refusal, or the answer's end
            return []
        shares = row.log_softmax(-1)
        # A penalty may have made another token the best than the model's own scores do.
        behind = {token: max(0.0, float(shares[best] - shares[token])) for token in tokens - {best}}
        return sorted(
            (less, token)
            for token, less in behind.items()
            if less <= -math.log(LEAST_SHARE) and _fits(constraint, token)
        )


def _fits(constraint: "Constraint", token: int) -> bool:
    if not constraint.try_consume([token]):
        return False
    constraint.rollback(1)
    return True


class _Call:
    """A call that is written to see how probable it is, and forgotten.

    Attributes:
        tokens: The call's.
        score: Sum of their log-probabilities.
    """

    def __init__(self, sequence: TokenSequence, row: "torch.Tensor") -> None:
        """Go on after ``sequence``, which ``row`` scores."""
        self.tokens: list[int] = []
        self._sequence = sequence
        self._start = sequence.length
        # Of each place that was read last, and of the one before: the scores of what follows.
        self._rows = {self._start - 1: row}
        self._shares: dict[int, float] = {}

    @property
    def score(self) -> float:
        """Sum of the log-probabilities of the call's tokens."""
        return sum(self._shares[place] for place in range(self._start, self._end))

    @property
    def _end(self) -> int:
        return self._start + len(self.tokens)

    # --- A TokenSequence that scores what it reads ---

    @property
    def length(self) -> int:
        """How many tokens were read."""
        return self._sequence.length

    def extend(self, tokens: Sequence[int], at: Sequence[int]) -> Sequence[Any]:
        """Read further tokens; see ``TokenSequence``."""
        start = self.length
        rows = list(self._sequence.extend(tokens, range(len(tokens))))
        self._rows = {start - 1: self._rows[start - 1], **dict(enumerate(rows, start))}
        for place, token in enumerate(tokens, start):
            self._score(place, token)
        return [rows[index] for index in at]

    def cut(self, length: int) -> None:
        """Forget all tokens but the first ``length``."""
        self._sequence.cut(length)

    def _score(self, place: int, token: int) -> None:
        self._shares[place] = float(self._rows[place - 1].log_softmax(-1)[token])

    def write(
        self,
        begun: Sequence[int],
        limits: "Constraint",
        *,
        pick: Callable[[Sequence[int], Any], int],
        guess: Callable[[Sequence[int]], Sequence[int]],
        named: Callable[[Sequence[int]], str | None],
        check: Callable[[], None],
        room: int,
    ) -> str | None:
        """Write a call to its end, and let the sequence forget it.

        Args:
            begun: Its first tokens.
            limits: What may come; its own to go on with.
            pick: As for ``decode``, of the call's tokens so far.
            guess: Likewise.
            named: Names the function of a call that is over, else None.
            check: Asked after every token.
            room: Most tokens.

        Returns:
            The function's name; None where the call did not end.

        Raises:
            DeadEndError: Nothing fits the constraint.
            InvalidFunctionError: The function has no grammar.
        """

        def take(token: int) -> bool:
            self.tokens.append(token)
            check()
            full = token in limits.end_ids or len(self.tokens) >= room
            return full or named(self.tokens) is not None

        try:
            limits.consume(begun)
            if not any(take(token) for token in begun):
                decode(
                    self,
                    begun,
                    limits,
                    pick=lambda later, row: pick([*begun, *later], row),
                    guess=lambda later: guess([*begun, *later]),
                    take=take,
                    room=room - len(begun),
                )
            # What was forced at the end, or came last, was not read.
            if unread := self.tokens[self.length - self._start : -1]:
                self.extend(unread, [])
            self._score(self._end - 1, self.tokens[-1])
            return named(self.tokens)
        finally:
            self._sequence.cut(self._start)
