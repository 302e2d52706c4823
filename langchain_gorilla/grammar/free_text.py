"""Masks of text that may turn into calls: fast before the mark that calls begin with.

For "text without the mark" llguidance looks at every token, 1-2 ms in a vocabulary of 102,400;
for "any text" it answers at once. The two differ by the few tokens that complete the mark, so
those are asked about one by one and the rest is taken from the mask of any text. The result is
the same, bit by bit; where it might not be, there is none, and the grammar's own is computed.
"""

import json
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from langchain_gorilla.grammar.constraint import TokenMask, Vocabulary


class FreeText:
    """Any text behind a prefix, in one vocabulary, and what completes a mark in it. Thread-safe."""

    def __init__(self, vocabulary: "Vocabulary", prefix: str, marks: Sequence[str]) -> None:
        """Prepare masks for text that starts with ``prefix`` and turns special at ``marks``."""
        self._vocabulary = vocabulary
        self._marks = tuple(mark.encode() for mark in marks)
        self.longest = max(map(len, self._marks), default=1)
        start = f"{json.dumps(prefix)} T" if prefix else "T"
        lark = f"%llguidance {{}}\nstart: {start}\nT: /(?s:.+)/\n"
        self._matcher = vocabulary.matcher(lark)
        self._first: TokenMask | None = None
        self._specials = frozenset(vocabulary.special_tokens.values())
        self._completing: dict[bytes, tuple[int, ...]] = {}
        self._lock = threading.Lock()

    def matcher(self) -> Any:
        """Give a matcher of any text, at its beginning."""
        with self._lock:
            return self._matcher.deep_copy()

    def first(self) -> "TokenMask":
        """Give the mask of any text at its beginning."""
        if self._first is None:
            self._first = self._vocabulary.mask(self.matcher())
        return np.copy(self._first)

    def has_mark(self, text: bytes) -> bool:
        """Tell whether a mark is complete."""
        return any(mark in text for mark in self._marks)

    def completing(self, text: bytes) -> tuple[int, ...]:
        """Give the tokens after which a mark or the answer is complete, or that are no text."""
        begun = max(
            (
                mark[:count]
                for mark in self._marks
                for count in range(len(mark))
                if text.endswith(mark[:count])
            ),
            key=len,
        )
        found = self._completing.get(begun)
        if found is None:
            punctuated = self._vocabulary.punctuated
            tokens = {token for token, spelled in punctuated if self.has_mark(begun + spelled)}
            tokens |= self._specials | self._vocabulary.end_ids
            rows = self._vocabulary.size
            found = self._completing[begun] = tuple(n for n in tokens if n < rows)
        return found


class FreeMask:
    """The masks of one answer, as long as it is free text."""

    def __init__(self, free: FreeText, vocabulary: "Vocabulary") -> None:
        """Start before the first token."""
        self._free = free
        self._vocabulary = vocabulary
        self._matcher: Any = None
        self._tokens: list[int] = []
        self._tails = [b""]

    def fork(self) -> "FreeMask":
        """Return one that has seen nothing; it catches up when asked."""
        return FreeMask(self._free, self._vocabulary)

    def mask(self, tokens: Sequence[int], matcher: Any) -> "TokenMask | None":
        """Compute the mask after an answer's tokens so far; None where it is no longer free text.

        Args:
            tokens: All of the answer's.
            matcher: The answer's own, after those tokens; unchanged.
        """
        if not self._follow(tokens):
            return None
        tail = self._tails[-1]
        mask = self._vocabulary.mask(self._matcher) if tokens else self._free.first()
        bits = mask.view(np.uint8)
        accepting = bool(matcher.is_accepting())
        for token in self._free.completing(tail):
            if token in self._vocabulary.end_ids:
                fits = accepting
            elif token in self._vocabulary.banned:
                fits = False
            elif fits := bool(matcher.try_consume_tokens([token])):
                matcher.rollback(1)
            place, bit = divmod(token, 8)
            if fits:
                bits[place] |= 1 << bit
            else:
                bits[place] &= 0xFF ^ (1 << bit)
        return mask

    def _follow(self, tokens: Sequence[int]) -> bool:
        """Bring the matcher of any text to where the answer is; False once it is past a mark."""
        if self._matcher is None:
            self._matcher = self._free.matcher()
        shared = 0
        for mine, given in zip(self._tokens, tokens, strict=False):
            if mine != given:
                break
            shared += 1
        if back := len(self._tokens) - shared:
            self._matcher.rollback(back)
            del self._tokens[shared:], self._tails[shared + 1 :]
        for token in tokens[shared:]:
            if not self._matcher.try_consume_tokens([token]):
                return False
            text = self._tails[-1] + self._vocabulary.decode([token])
            self._tokens.append(token)
            # A complete mark stays in the tail, so that all that comes later knows of it.
            done = self._free.has_mark(text)
            self._tails.append(text if done else text[-self._free.longest :])
        return not self._free.has_mark(self._tails[-1])
