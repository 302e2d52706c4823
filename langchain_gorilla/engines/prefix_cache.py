"""What a model has read before: the beginning that prompts share is not read again.

A conversation's next turn begins as the last one did, and requests with the same tools begin
with the same documents. Kept is, for recent answers, the state after all their tokens; found is
the longest beginning that a prompt shares with one of them. Covered: exact equality of tokens, a
budget in bytes, several threads. Not covered: text that is equal at another place.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

DEFAULT_BUDGET_BYTES: Final = 512 * 1024**2
"""A 7B model without grouped heads takes 0.5 MiB a token, the bundled one 18 KiB."""

_BORROWED_SHARE: Final = 0.9
"""How much of a prefix has to be shared for its rest to be given up."""


@dataclass(frozen=True)
class Prefix:
    """Tokens that a model has read, and what it made of them.

    Attributes:
        tokens: What was read.
        state: The engine's, after all of ``tokens``, in parts that can be ``cut``; never changed.
        size_bytes: Memory of ``state``.
    """

    tokens: tuple[int, ...]
    state: Any
    size_bytes: int


class PrefixCache:
    """Recent prefixes, least recently used first out. Thread-safe.

    Attributes:
        opening: To be held from ``find`` until what was found is copied or borrowed: who borrows
            may write where another one would still be copying.
    """

    def __init__(self, budget_bytes: int = DEFAULT_BUDGET_BYTES) -> None:
        """Keep nothing yet; never more than ``budget_bytes`` in all, 0 keeps nothing ever."""
        self._budget_bytes = budget_bytes
        self.opening = threading.Lock()
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, ...], Prefix] = OrderedDict()
        # By tokens, as ``_kept``; which prefix it is tells one loan from another of equal tokens.
        self._lent: dict[tuple[int, ...], Prefix] = {}
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        """Memory of all that is kept."""
        return self._size_bytes

    def resize(self, budget_bytes: int) -> None:
        """Change the budget; forget the oldest over it."""
        with self._lock:
            self._budget_bytes = budget_bytes
            self._shrink()

    def find(self, tokens: Sequence[int]) -> tuple[Prefix | None, int]:
        """Find the longest beginning of ``tokens``; give how many tokens of the prefix are shared.

        The last token is never among them: what follows it has to be computed.
        """
        with self._lock:
            best, most = None, 0
            for prefix in self._kept.values():
                if (shared := common(prefix.tokens, tokens[:-1])) > most:
                    best, most = prefix, shared
            if best is not None:
                self._kept.move_to_end(best.tokens)
            return best, most

    def borrow(self, prefix: Prefix, shared: int) -> Prefix | None:
        """Ask for a prefix's memory, to go on in it behind its first ``shared`` tokens.

        A conversation goes on where it ended, so nothing has to be copied. It is given to one
        asker at a time, and only for nearly all of a prefix; ``keep`` of what became of it, or
        ``give_back``, ends that. Others may copy what is lent.

        Returns:
            The loan, to be given back: ``shared`` tokens, which the cache now holds in place of
            the prefix. None where the memory is not the asker's.
        """
        with self._lock:
            whole = self._kept.get(prefix.tokens)
            if whole is not prefix or prefix.tokens in self._lent:
                return None
            if shared < _BORROWED_SHARE * len(prefix.tokens):
                return None
            tokens, loan = prefix.tokens[:shared], prefix
            if tokens != prefix.tokens:
                if tokens in self._kept:
                    return None
                state = [each.cut(shared) for each in prefix.state]
                self._drop(prefix.tokens)
                loan = self._kept[tokens] = Prefix(tokens, state, prefix.size_bytes)
                self._size_bytes += prefix.size_bytes
            self._lent[tokens] = loan
            return loan

    def give_back(self, loan: Prefix) -> None:
        """Nobody goes on any more behind what ``borrow`` gave; does nothing if it is gone.

        Another answer may have taken its place meanwhile, and be lent in turn.
        """
        with self._lock:
            if self._lent.get(loan.tokens) is loan:
                del self._lent[loan.tokens]

    def keep(self, prefix: Prefix) -> None:
        """Keep a prefix, in place of those that it begins with; forget the oldest over budget."""
        with self._lock:
            if prefix.size_bytes > self._budget_bytes:
                return
            for tokens in [each for each in self._kept if prefix.tokens[: len(each)] == each]:
                self._drop(tokens)
            self._kept[prefix.tokens] = prefix
            self._size_bytes += prefix.size_bytes
            self._shrink()

    def retire(self) -> "PrefixCache":
        """Keep nothing more; give an empty one of the same budget, for other weights."""
        empty = PrefixCache(self._budget_bytes)
        self.resize(0)
        return empty

    def forget_threads(self) -> None:
        """In a forked process: whoever held a lock or a loan is not there.

        What is kept stays: behind a loan's tokens, not in them, was written.
        """
        self.opening, self._lock = threading.Lock(), threading.Lock()
        self._lent.clear()
        self._size_bytes = sum(each.size_bytes for each in self._kept.values())

    def _shrink(self) -> None:
        while self._size_bytes > self._budget_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, tokens: tuple[int, ...]) -> None:
        self._lent.pop(tokens, None)
        self._size_bytes -= self._kept.pop(tokens).size_bytes


def common(left: Sequence[int], right: Sequence[int]) -> int:
    """Count the tokens at the beginning that two sequences share."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((i for i, (one, other) in pairs if one != other), min(len(left), len(right)))
