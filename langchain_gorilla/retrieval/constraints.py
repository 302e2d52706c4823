"""Bounds that a request states in words, as range filters on tools' metadata.

    "an image classifier under 10M parameters, at least 70% top-1"
    →  Range("parameters", lt=1e7), Range("top_1", gte=0.7)

The grammar, in which case and order of the parts in ``[]`` do not matter::

    constraint  = bound number [unit] [quantity] | quantity [: | is | of] bound number [unit]
    bound       = [no | not | never | isn't …] [be | have | cost | take] comparison
    comparison  = under | below | less than | fewer than | smaller than | cheaper than | faster than
                | over | above | more than | larger than | greater than | exceeding
                | at least | minimum [of] | at most | up to | maximum [of] | less than or equal to
                | before | after | since | until | < | <= | > | >=
    number      = digits [. digits] [e digits] [k | M | B | G | T]      10M, 1.5B, 1e7, 1,000
    unit        = % | us | ms | s | seconds | minutes | hours | KB | MB | GB | TB | KiB
                | MiB | GiB | TiB | bytes | $ | USD | dollars
    quantity    = parameters | accuracy | top-1 | top-5 | price | latency | size | flops | year …

Base units are stored and compared: parameters and flops as counts, shares from 0 to 1, seconds,
bytes, dollars, years. A bound without a quantity takes it from its unit or its verb: ``$5`` is a
price, ``200 ms`` a latency, ``before 2024`` a year; minutes and hours are as often a recipe's. A
number that says of nothing what it bounds ("more than 3 cities") is no constraint, nor is one of a
loss ("at most 30% top-1 error"), or whose negation stands farther off ("don't show me models under
1B"): a filter that was not meant hides the right tool.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from langchain_gorilla.retrieval.points import Range

QUANTITIES: Mapping[str, tuple[str, ...]] = {
    "parameters": ("trainable parameters", "parameters", "parameter", "params", "weights"),
    "top_1": ("top-1 accuracy", "top 1 accuracy", "top-1", "top 1", "top1"),
    "top_5": ("top-5 accuracy", "top 5 accuracy", "top-5", "top 5", "top5"),
    "accuracy": ("accuracy", "accurate"),
    "flops": ("gflops", "flops"),
    "price": ("price", "cost", "costs", "costing", "cheaper"),
    "latency_s": ("latency", "response time", "inference time"),
    "size_bytes": ("file size", "model size", "size", "memory"),
    "year": ("year", "released", "published"),
}
"""Metadata key to the words for it, longest first where one begins another."""

_SHARES = frozenset({"top_1", "top_5", "accuracy"})

_SCALES = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
_MAGNITUDES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}

# Unit to (the quantity it implies, factor to the base unit).
_UNITS: Mapping[str, tuple[str | None, float]] = {
    "%": (None, 0.01),
    "percent": (None, 0.01),
    "us": ("latency_s", 1e-6),
    "µs": ("latency_s", 1e-6),
    "microseconds": ("latency_s", 1e-6),
    "ms": ("latency_s", 1e-3),
    "milliseconds": ("latency_s", 1e-3),
    "s": ("latency_s", 1.0),
    "sec": ("latency_s", 1.0),
    "second": ("latency_s", 1.0),
    "seconds": ("latency_s", 1.0),
    "min": (None, 60.0),
    "minute": (None, 60.0),
    "minutes": (None, 60.0),
    "hour": (None, 3600.0),
    "hours": (None, 3600.0),
    "kb": ("size_bytes", 1e3),
    "mb": ("size_bytes", 1e6),
    "gb": ("size_bytes", 1e9),
    "tb": ("size_bytes", 1e12),
    "kib": ("size_bytes", 2.0**10),
    "mib": ("size_bytes", 2.0**20),
    "gib": ("size_bytes", 2.0**30),
    "tib": ("size_bytes", 2.0**40),
    "bytes": ("size_bytes", 1.0),
    "$": ("price", 1.0),
    "usd": ("price", 1.0),
    "dollars": ("price", 1.0),
}

# Words to the side of the bound: lt, lte, gt, gte.
_COMPARISONS: Mapping[str, str] = {
    "at least": "gte",
    "greater than or equal to": "gte",
    "minimum of": "gte",
    "minimum": "gte",
    "at most": "lte",
    "up to": "lte",
    "less than or equal to": "lte",
    "maximum of": "lte",
    "maximum": "lte",
    "less than": "lt",
    "fewer than": "lt",
    "smaller than": "lt",
    "lower than": "lt",
    "cheaper than": "lt",
    "faster than": "lt",
    "under": "lt",
    "below": "lt",
    "more than": "gt",
    "greater than": "gt",
    "larger than": "gt",
    "higher than": "gt",
    "better than": "gt",
    "over": "gt",
    "above": "gt",
    "exceeding": "gt",
    "before": "lt",
    "until": "lte",
    "after": "gt",
    "since": "gte",
    "<=": "lte",
    ">=": "gte",
    "≤": "lte",
    "≥": "gte",
    "<": "lt",
    ">": "gt",
}
_NEGATED = {"lt": "gte", "lte": "gt", "gt": "lte", "gte": "lt"}
# Of words farther on than the next it is not certain that they are what is negated.
_NEGATION = r"(?<!\w)(?:no|not|never|cannot|without|\w+n['’]t)"
_NEGATED_FARTHER_OFF = re.compile(
    rf"{_NEGATION}(?:\s+(?!(?:and|but|or)\b)[\w'’-]+){{0,5}}\s+$", re.IGNORECASE
)
_TIMES = frozenset({"before", "until", "after", "since"})
_IMPLIED = {"cheaper than": "price", "faster than": "latency_s"}


def _any_of(words: Iterable[str]) -> str:
    ordered = sorted(words, key=lambda word: -len(word))
    return "|".join(
        rf"{re.escape(word)}(?!\w)" if word[-1].isalnum() else re.escape(word) for word in ordered
    )


# Little accuracy lost is not little accuracy.
_CHANGE = r"(?:errors?|loss|drop|decrease|degradation|increase|gain|improvement)\b"
_QUANTITY = (
    f"(?:{_any_of(word for words in QUANTITIES.values() for word in words)})"
    f"(?!(?: accuracy)? {_CHANGE})"
)
_NUMBER = (
    r"(?:(?P<dollar>\$) ?)?"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?(?:e[+-]?\d\d?)?)"
    r"(?: ?(?P<scale>[kMBGT])(?=flops|\W|$)| (?P<magnitude>thousand|million|billion|trillion)\b)?"
    rf"(?: ?(?P<unit>{_any_of(_UNITS)}))?"
)
# What is not read to its end may be another number: 1,5 or 512Mbit.
_CONSTRAINT = re.compile(
    rf"(?:(?<!\w)(?P<before>{_QUANTITY})(?: ?:)? ?"
    r"(?:(?:is|are|of|be|must|should|must be|should be) )?)?"
    rf"(?P<negation>{_NEGATION} (?:(?:be|have|cost|take) )?)?"
    rf"(?:\b|(?=\W))(?P<comparison>{_any_of(_COMPARISONS)}) ?"
    rf"{_NUMBER}"
    rf"(?:(?: of| in| on)? ?(?P<after>{_QUANTITY})|(?![.,]?\d|\w))",
    re.IGNORECASE,
)
_KEY_OF = {word: key for key, words in QUANTITIES.items() for word in words}


@dataclass(frozen=True)
class Constraint:
    """One bound that a request states.

    Attributes:
        bounds: The range filter, in base units.
        text: Its words in the request.
    """

    bounds: Range
    text: str


def read_constraints(text: str, fields: Iterable[str] | None = None) -> tuple[Constraint, ...]:
    """Find the bounds that a request states.

    Args:
        text: The request.
        fields: The metadata keys that the catalog has; others are no constraints. None is all.

    Returns:
        In the order of the text; nothing where it states none.
    """
    known = None if fields is None else frozenset(fields)
    text = " ".join(text[:20_000].split())
    found = (
        _constraint(match)
        for match in _CONSTRAINT.finditer(text)
        if not _NEGATED_FARTHER_OFF.search(text, max(0, match.start() - 120), match.start())
    )
    return tuple(
        constraint
        for constraint in found
        if constraint is not None and (known is None or constraint.bounds.field in known)
    )


def _constraint(match: re.Match[str]) -> Constraint | None:
    comparison = match["comparison"].lower()
    value = float(match["number"].replace(",", ""))
    value *= _SCALES[match["scale"].lower()] if match["scale"] else 1.0
    value *= _MAGNITUDES[match["magnitude"].lower()] if match["magnitude"] else 1.0
    unit = "$" if match["dollar"] else (match["unit"] or "").lower()
    implied, factor = _UNITS.get(unit, (None, 1.0))
    word = (match["after"] or match["before"] or "").lower()
    # "High accuracy under 200 ms" bounds what milliseconds measure.
    key = implied or _KEY_OF.get(word) or _IMPLIED.get(comparison)
    if key is None and comparison in _TIMES and 1900 <= value <= 2100 and not unit:
        key = "year"
    if key is None:
        return None
    if word == "gflops" and not match["scale"]:
        factor *= 1e9
    if key in _SHARES and factor == 1.0 and value > 1.0:
        factor = 0.01  # "at least 70 top-1" is a percentage too
    side = _COMPARISONS[comparison]
    side = _NEGATED[side] if match["negation"] else side
    # 70% is 0.7, not 70 * 0.01 = 0.7000000000000001, which a tool with 0.7 would miss.
    bound = float(f"{value * factor:.12g}")
    # "High accuracy under 5 minutes" bounds no accuracy, 400 digits nothing.
    if bound > (1.0 if key in _SHARES else sys.float_info.max):
        return None
    return Constraint(Range(key, **{side: bound}), match.group().strip())
