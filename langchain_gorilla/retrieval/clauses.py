"""One request that asks for several things, cut into its clauses.

A request for three things is near to none of the three tools: each clause is searched on its
own beside the whole. Rules of English punctuation and conjunctions, no model; a request that
they do not cut is searched as it is.

Several sentences are the clauses. Cutting those further was measured to hurt (complete within
ten tools, BFCL: 95.0 to 94.7): "Sarah, and 5 of clubs" takes a place and asks for nothing. Only
a request of one sentence is cut at its conjunctions.
"""

import re
from collections.abc import Iterable

MAX_CLAUSES = 12
"""A longer list is searched as a whole and by its first clauses."""

_MIN_WORDS = 3

# An abbreviation or a decimal ("e.g. 3.5") has no capital after its dot.
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])|[;\n]+|(?<=\w)\?\s+")
_JOINT = re.compile(
    r",?\s+(?:and\s+)?"
    r"(?:then|also|afterwards|additionally|finally|lastly|as\s+well\s+as|plus)\b[,\s]+"
    r"|,\s+(?:and|but|or)\s+"
    r"|,?\s+and\s+(?=(?:\S+\s+){3})"
    r"|,\s+(?=(?:\S+\s+){3})",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"^(?:(?:and|also|then|so|but|first(?:ly)?|second(?:ly)?|third(?:ly)?|fourth|next|later"
    r"|last(?:ly)?|finally|furthermore|additionally|moreover|after\s+that|afterwards|now|please"
    r"|kindly|hey|hi|hello|ok|okay|well|great|thanks|\d+[.)]|[-*•])[,:.!\s]+)+",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_][\w'-]+")
# "Can you help me with a few things?" asks for nothing yet.
_SMALL_TALK = """
a able about all am an and any are as assist at be both but by can could couple curious did do
does few five for four from give had has have he help her here his how i i'd i'm if imagine in
interested is it its know let like looking me my need no not now of on or our out planning
please several she should show so some task tasks tell that the their them then there these
they thing things this those three to trying two us want was we were what when where which
who will wish with would you you're your
"""
_EMPTY = frozenset(_SMALL_TALK.split())


def clauses(text: str) -> tuple[str, ...]:
    """Cut a request into its sentences, or its one sentence into clauses of three words or more.

    Returns:
        At least two clauses, at most ``MAX_CLAUSES``, in their order, without small talk; nothing
        where the request is one clause.
    """
    sentences = _kept(_SENTENCE_END.split(text), least=1)
    if len(sentences) > 1:
        return sentences
    # In a run of spaces every one could begin a joint, so that each run is made one space first.
    lines = (" ".join(sentence.split()) for sentence in _SENTENCE_END.split(text))
    parts = (part for line in lines for part in _JOINT.split(line))
    found = _kept(parts, least=_MIN_WORDS)
    return found if len(found) > 1 else ()


def _kept(pieces: Iterable[str], *, least: int) -> tuple[str, ...]:
    """Return the pieces that say something, without the words that lead over to them."""
    opened = (_OPENING.sub("", piece.strip(" \"'")) for piece in pieces)
    found = [piece for piece in opened if len(piece.split()) >= least and _says_something(piece)]
    return tuple(dict.fromkeys(found))[:MAX_CLAUSES]


def _says_something(piece: str) -> bool:
    return any(word not in _EMPTY for word in _WORD.findall(piece.lower()))
