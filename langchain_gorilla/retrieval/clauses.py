"""One request that asks for several things, cut into its clauses.

A request for three things is near to none of the three tools: each clause is searched on its
own beside the whole. Rules of English punctuation and conjunctions, no model; a request that
they do not cut is searched as it is.
"""

import re

MAX_CLAUSES = 10
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
    r"^(?:and|also|then|first|second|third|next|lastly|finally|furthermore|additionally|moreover"
    r"|after\s+that)\b[,\s]+",
    re.IGNORECASE,
)


def clauses(text: str) -> tuple[str, ...]:
    """Cut a request into clauses of at least three words.

    Returns:
        At least two clauses, at most ``MAX_CLAUSES``, in their order; nothing where the request
        is one clause.
    """
    pieces = [
        _OPENING.sub("", piece.strip(" \"'"))
        for sentence in _SENTENCE_END.split(text)
        for piece in _JOINT.split(sentence)
    ]
    kept = [piece for piece in pieces if len(piece.split()) >= _MIN_WORDS]
    return tuple(kept[:MAX_CLAUSES]) if len(kept) > 1 else ()
