"""Guesses by n-grams: what came after the same tokens before comes again."""

from collections.abc import Sequence
from typing import Final

_NGRAM: Final = 3
_COPIED: Final = 8


class Repeats:
    """Looks for the end of an answer in its prompt and in itself."""

    def __init__(self, prompt: Sequence[int]) -> None:
        """Remember where the prompt's n-grams end; the last of equal ones counts."""
        self._tokens = list(prompt)
        self._prompt_length = len(prompt)
        self._after: dict[tuple[int, ...], int] = {}
        self._index(_NGRAM)

    def guess(self, answer: Sequence[int]) -> list[int]:
        """Give what followed the last tokens of ``answer`` before; empty where nothing did.

        The answer may be shorter than the last one, or another: guesses are looked up, too.
        """
        if len(answer) < _NGRAM:
            return []
        at = self._after.get(tuple(answer[-_NGRAM:]))
        return [] if at is None else self._tokens[at : at + _COPIED]

    def add(self, token: int) -> None:
        """Remember a further token of the answer."""
        self._tokens.append(token)
        # What ends with the newest token has no continuation yet.
        self._index(len(self._tokens) - 1)

    def _index(self, start: int) -> None:
        for end in range(max(start, _NGRAM), len(self._tokens)):
            self._after[tuple(self._tokens[end - _NGRAM : end])] = end
