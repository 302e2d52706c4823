"""Calls or text: how probable the model finds each where an answer has to choose.

The probability of calls is that of the tokens that begin one, after a softmax over the whole
vocabulary: no temperature, no mask, no penalty, so that it is the model's own whatever the
request's options. Where the opening is one token (the bundled model), one row of scores says it.
Where it is several, such as `` <<``, ``function``, ``>>``, a token may begin both, and what
follows it is looked up until less than ``TOLERANCE`` is undecided; the rest counts as text. That
takes no further forward pass where the loop has read the opening as a guess, else one for each
opening that is looked up.

An answer may begin with space, and with a thought in its tags if that is what the model finds
more probable than not; then the fork is behind it. Not covered: calls that follow text.
"""

import heapq
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from langchain_gorilla.engines.base import Fork

if TYPE_CHECKING:
    import torch

    from langchain_gorilla.engines.decode_loop import TokenSequence
    from langchain_gorilla.engines.scores import Processor
    from langchain_gorilla.grammar.constraint import Vocabulary

TOLERANCE: Final = 0.01
"""Probability that may stay undecided."""

_MOST_LOOKS: Final = 6
_TAIL_TOKENS: Final = 24

Look: TypeAlias = Callable[[Sequence[int], Sequence[int]], "Sequence[torch.Tensor]"]
"""Takes the answer so far and tokens that might follow; gives the scores after each of these."""


class ForkReader:
    """Reads the fork of one answer.

    Attributes:
        probability: Of calls, 0 to 1; None before the fork.
    """

    def __init__(
        self,
        fork: Fork,
        vocabulary: "Vocabulary",
        look: Look,
        divert: Callable[[], None] | None = None,
    ) -> None:
        """Wait for the fork; ``divert`` is called where calls are less probable than demanded."""
        self.probability: float | None = None
        self._fork = fork
        self._openings = [opening.encode() for opening in fork.openings]
        self._vocabulary = vocabulary
        self._look = look
        self._divert = divert

    def waits(self, answer: Sequence[int]) -> bool:
        """Whether the next token is the first of calls or text, and was not read yet."""
        if self.probability is not None:
            return False
        text = self._vocabulary.decode(answer[-_TAIL_TOKENS:])
        closing = self._fork.thought[1].encode()
        if closing and closing in text:
            text = text.rpartition(closing)[2]
        elif len(answer) > _TAIL_TOKENS:
            return False
        return not text.strip()

    def see(self, answer: Sequence[int], row: "torch.Tensor") -> None:
        """Look at the model's scores of the next token; divert the answer where it has to be."""
        if not self.waits(answer):
            return
        self.read(answer, row)
        found, least = self.probability, self._fork.least
        if found is not None and least is not None and found < least and self._divert is not None:
            self._divert()

    def processor(self, prompt_tokens: int) -> "Processor":
        """Give a processor that sees the scores and leaves them as they are."""

        def see(ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
            if self.probability is None:
                self.see(ids[0, prompt_tokens:].tolist(), scores[0])
            return scores

        return see

    def read(self, answer: Sequence[int], row: "torch.Tensor") -> None:
        """Find the probability of calls, unless the model is about to think.

        Args:
            answer: The tokens so far.
            row: Scores, shape (rows of the LM head,), as the model gave them.
        """
        thinking = _mass(_shares(row, self._vocabulary.known), self._thoughts())
        if thinking > 0.5:
            return
        found, looks = 0.0, 0
        rows: dict[tuple[int, ...], Any] = {(): row}
        # The most probable undecided beginning first: its tokens, what they spell.
        undecided: list[tuple[float, tuple[int, ...], bytes]] = [(-1.0, (), b"")]
        while undecided and -undecided[0][0] > TOLERANCE:
            negative, path, written = heapq.heappop(undecided)
            if path not in rows:
                if looks == _MOST_LOOKS:
                    break
                looks += 1
                rows |= self._rows_after(answer, path, written)
            shares = _shares(rows[path], self._vocabulary.known)
            calls, undecided_tokens = self._branches(written)
            found -= negative * _mass(shares, calls)
            for token, spelled in undecided_tokens:
                mass = negative * float(shares[token])
                heapq.heappush(undecided, (mass, (*path, token), written + spelled))
        self.probability = min(1.0, found / (1.0 - thinking))

    def _rows_after(
        self, answer: Sequence[int], path: tuple[int, ...], written: bytes
    ) -> "dict[tuple[int, ...], torch.Tensor]":
        """Look up what follows a beginning, and the opening that it may become, in one pass."""
        opening = next(each for each in self._openings if each.startswith(written))
        rest = self._vocabulary.encode(
            opening[len(written) :].decode("utf-8", "replace"), special=True
        )
        tokens = (*path, *rest[:-1])
        found = self._look(answer, tokens)
        return {tokens[: n + 1]: row for n, row in enumerate(found) if n + 1 >= len(path)}

    def _branches(self, written: bytes) -> tuple[list[int], list[tuple[int, bytes]]]:
        """Tokens that make a beginning a call's for certain, and tokens that leave it open."""
        spellings = self._vocabulary.unspaced if not written else self._vocabulary.spellings
        rests = {each[len(written) :] for each in self._openings if each.startswith(written)}
        calls = {token for rest in rests for token in spellings.beginning_with(rest)}
        # Space comes before a call as well as before text.
        undecided = dict.fromkeys(self._vocabulary.blanks, b"") if not written else {}
        undecided.update(pair for rest in rests for pair in spellings.inside(rest))
        return sorted(calls), [pair for pair in undecided.items() if pair[0] not in calls]

    def _thoughts(self) -> list[int]:
        """Tokens that begin a thought, and no call."""
        if not (tag := self._fork.thought[0].encode()):
            return []
        spellings = self._vocabulary.unspaced
        calls, undecided = self._branches(b"")
        others = {*calls, *(token for token, _ in undecided)}
        begun = (*spellings.beginning_with(tag), *(token for token, _ in spellings.inside(tag)))
        return [token for token in begun if token not in others]


class Lookahead:
    """A ``TokenSequence`` that can also say what would follow tokens which are not kept.

    Attributes:
        passes: Forward passes so far.
    """

    def __init__(self, sequence: "TokenSequence") -> None:
        """Look ahead of ``sequence``."""
        self.passes = 0
        self._sequence = sequence
        self._start = sequence.length
        self._read: list[int] = []
        self._rows: dict[int, Any] = {}

    @property
    def length(self) -> int:
        """How many tokens were read."""
        return self._sequence.length

    def extend(self, tokens: Sequence[int], at: Sequence[int]) -> Sequence[Any]:
        """Read further tokens; see ``TokenSequence``."""
        self.passes += 1
        self._start, self._read = self._sequence.length, list(tokens)
        rows = list(self._sequence.extend(tokens, at))
        self._rows = dict(zip(at, rows, strict=True))
        return rows

    def cut(self, length: int) -> None:
        """Forget all tokens but the first ``length``."""
        self._sequence.cut(length)

    def look(self, length: int, tokens: Sequence[int]) -> Sequence[Any]:
        """Give the scores after each of ``tokens``, if they followed the first ``length``.

        What ``extend`` has just read past ``length`` stays as it is.
        """
        guessed = self._read[length - self._start :]
        agreed = list(
            takewhile(lambda pair: pair[0] == pair[1], zip(guessed, tokens, strict=False))
        )
        places = range(length - self._start, length - self._start + len(tokens))
        if len(agreed) == len(tokens) and all(place in self._rows for place in places):
            return [self._rows[place] for place in places]
        self._sequence.cut(length)
        self.passes += 1
        rows = list(self._sequence.extend(tokens, range(len(tokens))))
        self._sequence.cut(length)
        if guessed:
            self.passes += 1
            self._sequence.extend(guessed, [len(guessed) - 1])
        return rows


def _shares(row: "torch.Tensor", size: int) -> "torch.Tensor":
    """Probabilities of the tokens; rows past the tokenizer's last are padding."""
    return row[:size].float().softmax(dim=-1)


def _mass(shares: "torch.Tensor", tokens: Sequence[int]) -> float:
    return float(shares[list(tokens)].sum()) if tokens else 0.0
