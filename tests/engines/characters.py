"""A vocabulary whose tokens are characters, for made-up models."""

from collections.abc import Sequence

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.grammar.spellings import Spellings

MARK = CallSyntax(opening="#", separator="#", closing="")


class Bytes:
    """A vocabulary whose tokens are the ASCII characters."""

    spellings = Spellings((token, bytes([token])) for token in range(128))
    unspaced = Spellings((token, bytes([token]).lstrip()) for token in range(128))

    @staticmethod
    def decode(tokens: Sequence[int]) -> bytes:
        return bytes(tokens)
