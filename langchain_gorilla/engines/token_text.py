"""Token ids to text, one token at a time: whole characters, spaces as the tokenizer has them."""

from collections.abc import Callable, Container

_MOST_HELD_TOKENS = 16
"""A character has at most four bytes, so more tokens than this are no character to come."""


class TokenText:
    """Decodes a growing answer; the pieces join to the text of all its tokens.

    A tokenizer decodes a token differently at the beginning of a text (SentencePiece drops a
    space) and gives U+FFFD for a part of a character. So each token is decoded after the tokens
    before it, and text that ends within a character waits. The window of tokens decoded anew is
    that of the last piece, so the work is linear in the length of the answer.

    Broken UTF-8, which a model may write, comes as U+FFFD; how many of them is the tokenizer's
    choice.
    """

    def __init__(self, decode: Callable[[list[int]], str], *, hidden: Container[int]) -> None:
        """Decode with ``decode``, which keeps special tokens; leave out ``hidden`` ids."""
        self._decode = decode
        self._hidden = hidden
        self._shown: list[int] = []  # The tokens of the last piece: what the next is decoded after.
        self._shown_text = ""
        self._waiting: list[int] = []

    def add(self, token: int) -> str:
        """Take one token; give back the text that is now complete, often none."""
        if token in self._hidden:
            return ""
        self._waiting.append(token)
        return self._piece(at_end=len(self._waiting) > _MOST_HELD_TOKENS)

    def close(self) -> str:
        """The answer has ended: give back what waited, a broken character as U+FFFD."""
        return self._piece(at_end=True)

    def _piece(self, *, at_end: bool) -> str:
        text = self._decode(self._shown + self._waiting)
        piece = text[len(self._shown_text) :]
        if not piece or (piece.endswith("\ufffd") and not at_end):
            return ""
        self._shown, self._waiting = self._waiting, []
        self._shown_text = self._decode(self._shown)
        return piece
