"""Which function: compared by the calls that would follow, where the model is undecided.

Greedy decoding names a function before it writes an argument, and a small model often sees only
by the arguments that it took the wrong one. Here each plausible name is gone on with to the end of
its call, greedily and within the constraint, and the call wins that the model finds most probable:
the sum of its log-probabilities, no mask, no penalty. Where one name is all but certain nothing is
compared. The winner is read again as a guess, so that the rest of the loop knows nothing of this.

Not compared: calls with text, and how many calls there are.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.engines.decode_loop import Limits, TokenSequence, decode
from langchain_gorilla.engines.written_call import read_call
from langchain_gorilla.functions import FunctionSchema

if TYPE_CHECKING:
    import torch

LEAST_SHARE: Final = 0.05
"""Names whose next token is less probable than this share of the best one's are not compared."""

_MOST_LOOKED_AT: Final = 64
_LONGEST_CALL: Final = 256


class Spelling(Protocol):
    """What spells tokens; a ``Vocabulary`` does."""

    def decode(self, tokens: Sequence[int]) -> bytes:
        """Spell tokens, special ones too."""


@dataclass(frozen=True)
class _Begun:
    """The head of a call, as far as it is written.

    Attributes:
        text: What stands there.
        heads: All heads that may stand there: what calls begin with, and a name, ``(`` included.
    """

    text: str
    heads: tuple[str, ...]

    def fits(self, text: str) -> bool:
        """Tell whether a head begins with a text, or the text with a head."""
        return any(head.startswith(text) or text.startswith(head) for head in self.heads)


class Comparison:
    """Chooses the functions of one answer."""

    def __init__(
        self,
        functions: Sequence[FunctionSchema],
        *,
        syntax: CallSyntax,
        spelling: Spelling,
        guess: Callable[[Sequence[int]], Sequence[int]],
        most: int,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Compare up to ``most`` of ``functions``.

        Args:
            functions: What may be called, under the names that the model writes.
            syntax: How calls are written.
            spelling: Of the model's tokens.
            guess: Continues the answer so far; may be wrong, may be empty.
            most: Names that are compared at one place.
            check: Asked after every token; raises where the answer is no longer wanted.
        """
        self._names = [function.name for function in functions]
        self._syntax = syntax
        self._spelling = spelling
        self._guess = guess
        self._most = most
        self._check = check
        self._won: list[int] = []
        names = "|".join(sorted(map(re.escape, self._names), key=len, reverse=True))
        self._call = re.compile(rf"(?<![\w.])({names})\(")

    def guess(self, answer: Sequence[int]) -> Sequence[int]:
        """Continue the answer by the call that won, or guess up to the next function's name."""
        if self._has_won(answer):
            return self._won[len(answer) :]
        tokens = self._guess(answer)
        for count in range(len(tokens)):
            if self._begun([*answer, *tokens[:count]]) is not None:
                return tokens[:count]
        return tokens

    def choose(
        self,
        answer: Sequence[int],
        row: "torch.Tensor",
        best: int,
        *,
        sequence: TokenSequence,
        constraint: Limits,
        pick: Callable[[Sequence[int], Any], int],
        room: int,
    ) -> int:
        """Give the next token: ``best``, or the beginning of a name that fares better.

        Args:
            answer: The tokens so far; ``sequence`` has read them and nothing after them.
            row: The model's scores of the next token, shape (rows of the LM head,).
            best: The token that would come without comparing.
            sequence: What the model has read; is afterwards as before.
            constraint: What may come; is afterwards as before.
            pick: Chooses a token as for ``decode``.
            room: Most further tokens that the answer may have.
        """
        if self._has_won(answer):
            return best
        begun = self._begun(answer)
        if begun is None or len(plausible := self._plausible(row, begun, best, constraint)) < 2:
            return best
        before = len(self._text(answer)) - len(begun.text)
        calls = []
        for token in plausible:
            call = _Call(sequence, constraint, row)
            call.write(
                token,
                pick=lambda later, scores: pick([*answer, *later], scores),
                guess=lambda later: self._guess([*answer, *later]),
                is_over=lambda later: self._is_over(self._text([*answer, *later])[before:]),
                check=self._check,
                room=min(room, _LONGEST_CALL),
            )
            calls.append((call.score, call.tokens))
        self._won = [*answer, *max(calls, key=lambda call: call[0])[1]]
        return self._won[len(answer)]

    def _has_won(self, answer: Sequence[int]) -> bool:
        return len(self._won) > len(answer) and self._won[: len(answer)] == list(answer)

    def _text(self, answer: Sequence[int]) -> str:
        return self._spelling.decode(answer).decode("utf-8", "ignore")

    def _begun(self, answer: Sequence[int]) -> _Begun | None:
        """Say what of a call's head stands at the answer's end; None where none may stand there."""
        text, mark = self._text(answer).lstrip(), self._syntax.opening
        while call := self._call.search(text):
            written = read_call(text[call.end() :])
            if written.brackets:
                return None
            text, mark = written.rest, self._syntax.separator
        # Space at a mark's end may be part of the name's first token.
        solid = mark.rstrip()
        begun = text[text.rfind(solid) :] if solid in text and solid else text
        heads = tuple(f"{mark}{name}(" for name in self._names)
        if len(begun) < len(solid) or not any(head[:-1].startswith(begun) for head in heads):
            return None
        return _Begun(begun, heads)

    def _plausible(
        self, row: "torch.Tensor", begun: _Begun, best: int, constraint: Limits
    ) -> list[int]:
        """Give the tokens that go on with a name, nearly as probable as the best of all."""
        shares = row.softmax(-1)
        count = min(_MOST_LOOKED_AT, len(shares))
        ranked = shares.topk(count).indices.tolist()
        if best not in ranked or not self._goes_on(begun, best):
            return []
        least = LEAST_SHARE * float(shares[best])
        found: list[int] = []
        for token in ranked:
            if float(shares[token]) < least or len(found) == self._most:
                break
            if self._goes_on(begun, token) and constraint.try_consume([token]):
                constraint.rollback(1)
                found.append(token)
        return found

    def _goes_on(self, begun: _Begun, token: int) -> bool:
        more = self._text([token])
        return bool(more) and begun.fits(begun.text + more)

    def _is_over(self, call: str) -> bool:
        opened = call.find("(") + 1
        return opened > 0 and not read_call(call[opened:]).brackets


class _Call:
    """A call that is written to see how probable it is, and then taken back.

    Attributes:
        tokens: The call's.
        score: Sum of their log-probabilities.
    """

    def __init__(self, sequence: TokenSequence, constraint: Limits, row: "torch.Tensor") -> None:
        """Go on after ``sequence``, which ``row`` scores."""
        self.tokens: list[int] = []
        self.score = 0.0
        self._sequence = sequence
        self._constraint = constraint
        self._start = sequence.length
        self._rows = {self._start - 1: row}

    # --- A TokenSequence that keeps every place's scores ---

    @property
    def length(self) -> int:
        """How many tokens were read."""
        return self._sequence.length

    def extend(self, tokens: Sequence[int], at: Sequence[int]) -> Sequence[Any]:
        """Read further tokens; see ``TokenSequence``."""
        start = self.length
        rows = list(self._sequence.extend(tokens, range(len(tokens))))
        self._rows.update(enumerate(rows, start))
        return [rows[index] for index in at]

    def cut(self, length: int) -> None:
        """Forget all tokens but the first ``length``."""
        self._sequence.cut(length)

    def write(
        self,
        first: int,
        *,
        pick: Callable[[Sequence[int], Any], int],
        guess: Callable[[Sequence[int]], Sequence[int]],
        is_over: Callable[[Sequence[int]], bool],
        check: Callable[[], None],
        room: int,
    ) -> None:
        """Write a call that begins with ``first``, score it, and take everything back."""

        def take(token: int) -> bool:
            check()
            self.tokens.append(token)
            ended = token in self._constraint.end_ids
            return ended or len(self.tokens) >= room or is_over(self.tokens)

        self._constraint.consume([first])
        try:
            if not take(first):
                decode(
                    self,
                    [first],
                    self._constraint,
                    pick=lambda later, row: pick([first, *later], row),
                    guess=lambda later: guess([first, *later]),
                    take=take,
                    room=room - 1,
                )
            if unread := self.tokens[self.length - self._start : -1]:
                self.extend(unread, [])
            for place, token in enumerate(self.tokens, self._start - 1):
                self.score += float(self._rows[place].log_softmax(-1)[token])
        finally:
            self._sequence.cut(self._start)
            self._constraint.rollback(len(self.tokens))
