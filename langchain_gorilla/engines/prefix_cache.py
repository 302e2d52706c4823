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


@dataclass(frozen=True)
class Prefix:
    """Tokens that a model has read, and what it made of them.

    Attributes:
        tokens: What was read.
        state: The engine's, after all of ``tokens``; never changed, but cut for each use.
        size_bytes: Memory of ``state``.
    """

    tokens: tuple[int, ...]
    state: Any
    size_bytes: int


class PrefixCache:
    """Recent prefixes, least recently used first out. Thread-safe."""

    def __init__(self, budget_bytes: int = DEFAULT_BUDGET_BYTES) -> None:
        """Keep nothing yet; never more than ``budget_bytes`` in all, 0 keeps nothing ever."""
        self._budget_bytes = budget_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, ...], Prefix] = OrderedDict()
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        """Memory of all that is kept."""
        return self._size_bytes

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

    def keep(self, prefix: Prefix) -> None:
        """Keep a prefix, in place of those that it begins with; forget the oldest over budget."""
        if prefix.size_bytes > self._budget_bytes:
            return
        with self._lock:
            for tokens in [each for each in self._kept if prefix.tokens[: len(each)] == each]:
                self._drop(tokens)
            self._kept[prefix.tokens] = prefix
            self._size_bytes += prefix.size_bytes
            while self._size_bytes > self._budget_bytes:
                self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._size_bytes = 0

    def _drop(self, tokens: tuple[int, ...]) -> None:
        self._size_bytes -= self._kept.pop(tokens).size_bytes


def common(left: Sequence[int], right: Sequence[int]) -> int:
    """Count the tokens at the beginning that two sequences share."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((i for i, (one, other) in pairs if one != other), min(len(left), len(right)))
