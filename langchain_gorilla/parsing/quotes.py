"""Whether a quote inside a string ends the string or belongs to its text.

Models write ``'McDonald's'`` and ``'sed -n '360,450p' /a/b.py'``. A quote that is followed by
what can follow a string ends it. Any other one is text: an apostrophe, or one of a pair of inner
quotes. A string that could end while an inner quote is open has two readings; the caller
refuses it unless the rest of the call leaves only one.

Covers: the decision at one quote, from what stands around it. Does not cover: escapes and
brackets (``call_reader``), and it repairs nothing: text that is read keeps every character.
"""

import re
from enum import Enum
from typing import Final

CLOSING: Final = {"'": "'", '"': '"', "‘": "’", "“": "”"}
"""Opening quote to closing quote; models write typographic ones too."""

LOOK_AHEAD: Final = 8
_OPERATOR_WORDS: Final = frozenset({"if", "in", "is", "and", "or", "not", "for", "else"})
_WORD: Final = re.compile(r"\w+")
_PREFIXED_STRING: Final = re.compile(r"[rRuUbBfF]{1,2}['\"]")


class QuoteRole(Enum):
    """What a quote inside a string is."""

    ENDS = "the end of the string"
    APOSTROPHE = "text"
    OPENS_INNER = "text: the first of an inner pair"
    CLOSES_INNER = "text: the second of an inner pair"


def quote_role(
    quote: str, *, before: str, gap: str, ahead: str, inner: bool, colon_ends: bool
) -> QuoteRole:
    """Decide about one quote.

    Args:
        quote: The character.
        before: The character of the string in front of it, "" at the string's start.
        gap: The whitespace after it.
        ahead: The next ``LOOK_AHEAD`` characters after that, at least one.
        inner: An inner pair of quotes is open.
        colon_ends: A colon may follow the string: it is a dict key.
    """
    following = ahead[0]
    if following in ",)]};[":
        return QuoteRole.ENDS
    if following == ":" and (colon_ends or not inner):
        return QuoteRole.ENDS  # a dict key, or one in front of which the comma is missing
    if following in CLOSING:
        if inner and not gap and following == quote:
            return QuoteRole.CLOSES_INNER
        return QuoteRole.ENDS  # adjacent strings are one
    if following == "#" and before.isalnum() and not inner:
        return QuoteRole.ENDS  # a comment; in 'color:'#fff'' the quote opens an inner pair
    if gap and (following == "#" or ahead.startswith("/*")):
        return QuoteRole.ENDS
    if _begins_operator(following, before=before, gap=gap, ahead=ahead) and not inner:
        return QuoteRole.ENDS
    if not gap and before.isalnum() and following.isalnum():
        return QuoteRole.APOSTROPHE
    if inner:
        return QuoteRole.CLOSES_INNER
    if not gap and not before.isalnum():
        return QuoteRole.OPENS_INNER
    return QuoteRole.APOSTROPHE


def _begins_operator(following: str, *, before: str, gap: str, ahead: str) -> bool:
    """Tell whether an expression may go on here, as in ``'%d' % 3`` or ``', '.join(x)``."""
    word = _WORD.match(ahead)
    if word:
        joined = _PREFIXED_STRING.match(ahead) is not None
        return bool(gap) and (joined or word[0] in _OPERATOR_WORDS)
    if following in ".+*%=" or ahead.startswith("!="):
        return True
    # In 'sed '/x/p' file' the quote after a space opens an inner pair.
    return following in "-/<>&|^@" and not (before.isspace() and not gap)
