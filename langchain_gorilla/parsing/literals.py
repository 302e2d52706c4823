"""String escapes and numbers, as Python and JSON write them, without evaluating anything.

Covers: all escapes (unknown ones stay, as in Python), surrogate pairs, numbers in all of
Python's forms. Does not cover: where a string ends (``quotes``), lists and dicts (``values``),
sums (``arithmetic``). What comes out is finite and UTF-8 can encode it.
"""

import math
import re
import unicodedata
from typing import Final

from langchain_gorilla.parsing.arithmetic import Padded

MAX_DIGITS: Final = 4_300
"""CPython converts no longer integers to or from text."""

_INTEGER: Final = re.compile(r"\d+(?:_\d+)*")
_PREFIXED: Final = re.compile(r"0(?:[xX](?:_?[0-9a-fA-F])+|[oO](?:_?[0-7])+|[bB](?:_?[01])+)")
_FLOAT: Final = re.compile(
    r"(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?"
)
_COMPLEX: Final = re.compile(r"[\d.][\d_.]*(?:[eE][+-]?\d+)?[jJ]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class LiteralError(ValueError):
    """A literal that has no JSON value; the message is for the model."""


def check_text(text: str) -> str:
    """Return the text if UTF-8 can encode it.

    Raises:
        LiteralError: It holds half of a surrogate pair.
    """
    if _SURROGATE.search(text):
        raise LiteralError("a string holds half of a surrogate pair; write the character itself")
    return text


# --- strings ------------------------------------------------------------------------------

_SIMPLE: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
}
_SIMPLE_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
SPECIAL_ESCAPES: Final = "uUxN01234567\r\n"
"""What follows the backslash of an escape that is longer than two characters."""
LONGEST_ESCAPE: Final = 100


def decode_simple(run: str) -> str:
    r"""Decode a run with two-character escapes only; unknown ones stay, as in Python."""
    if "\\" not in run:
        return run
    return _SIMPLE_ESCAPE.sub(lambda m: _SIMPLE.get(m[1], m[0]), run)


def decode_special(text: str) -> tuple[str, int]:
    r"""Decode the escape at the start of ``text``, one of ``SPECIAL_ESCAPES``.

    Args:
        text: From the backslash on; at least ``LONGEST_ESCAPE`` characters, or all there is.

    Returns:
        The character, or a pair of surrogates joined, and how many characters it took.

    Raises:
        LiteralError: The escape is incomplete, or names half a pair or no character.
    """
    kind = text[1]
    if kind in "\r\n":
        return "", 3 if text[1:3] == "\r\n" else 2
    if kind in "01234567":
        match = re.match(r"[0-7]{1,3}", text[1:])
        digits = match[0] if match else kind
        return chr(int(digits, 8)), 1 + len(digits)
    if kind == "N":
        match = re.match(r"\\N\{([^{}]{1,90})\}", text)
        try:
            return unicodedata.lookup(match[1] if match else ""), len(match[0]) if match else 0
        except KeyError:
            raise LiteralError(r"\N names no character; write the character itself") from None
    size = {"x": 2, "u": 4, "U": 8}[kind]
    code = _hex(text[2 : 2 + size], size)
    if code is None or code > 0x10FFFF:
        raise LiteralError(
            f"\\{kind} is not followed by {size} hexadecimal digits; write \\\\ for a backslash"
        )
    length = 2 + size
    if 0xD800 <= code < 0xDC00 and text[length : length + 2] == "\\u":
        low = _hex(text[length + 2 : length + 6], 4)
        if low is not None and 0xDC00 <= low < 0xE000:
            return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)), length + 6
    return check_text(chr(code)), length


def _hex(digits: str, size: int) -> int | None:
    if len(digits) != size or not re.fullmatch(r"[0-9a-fA-F]+", digits):
        return None
    return int(digits, 16)


# --- numbers ------------------------------------------------------------------------------


def parse_number(text: str) -> int | float | None:
    """Return the number that this word is, or None where it is another word (``5km``).

    Raises:
        LiteralError: A number without a JSON value: not finite, complex, too long.
    """
    if len(text) > MAX_DIGITS:
        if text[:1].isdigit():
            raise LiteralError(f"a number has more than {MAX_DIGITS} digits")
        return None
    if not text.isascii():
        return None
    if _INTEGER.fullmatch(text):
        value = int(text)
        return Padded(value) if text[0] == "0" and len(text) > 1 else value
    if _PREFIXED.fullmatch(text):
        value = int(text, 0)
        # json.dumps refuses what int() reads: hexadecimal digits weigh more than decimal ones.
        if value.bit_length() > int(MAX_DIGITS * 3.32):
            raise LiteralError(f"a number has more than {MAX_DIGITS} digits")
        return value
    if _COMPLEX.fullmatch(text):
        raise LiteralError("a complex number has no JSON value")
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise LiteralError("a number is too large to be finite")
        return number
    return None


def shorten(text: str, limit: int = 60) -> str:
    """Return the text, its middle left out where it is long."""
    if len(text) <= limit:
        return text
    return f"{text[: limit * 2 // 3]} … {text[-limit // 3 :]}"
