"""Bounds that a request states in words, as range filters on tools' metadata.

    "an image classifier under 10M parameters, at least 70% top-1"
    →  Range("parameters", lt=1e7), Range("top_1", gte=0.7)

The grammar, in which case and order of the parts in ``[]`` do not matter::

    constraint  = bound number [unit] [quantity] | quantity [: | is | of] bound number [unit]
                | between number [unit] and number [unit] [quantity]
                | quantity [: | is | of] between number [unit] and number [unit]
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
price, ``200 ms`` a latency, ``before 2024`` a year; minutes and hours are as often a recipe's. Of
two numbers the first has the scale and the unit of the second where it has none: "between 5 and 10
million parameters". A number that says of nothing what it bounds ("more than 3 cities"), or of
something else ("3 cost centers"), is no constraint, nor is one of a loss ("at most 30% top-1
error"), or whose negation stands farther off ("don't show me models under 1B"): a filter that was
not meant hides the right tool.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

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


def _number(suffix: str = "") -> str:
    """Write the pattern of a number with its unit; ``suffix`` tells the groups of two apart."""
    return (
        rf"(?:(?P<dollar{suffix}>\$) ?)?"
        rf"(?P<number{suffix}>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?(?:e[+-]?\d\d?)?)"
        rf"(?: ?(?P<scale{suffix}>[kMBGT])(?=flops|\W|$)"
        rf"| (?P<magnitude{suffix}>thousand|million|billion|trillion)\b)?"
        rf"(?: ?(?P<unit{suffix}>{_any_of(_UNITS)}))?"
    )


_BEFORE = (
    rf"(?:(?<!\w)(?P<before>{_QUANTITY})(?: ?:)? ?"
    r"(?:(?:is|are|of|be|must|should|must be|should be) )?)?"
)
# What is not read to its end may be another number: 1,5 or 512Mbit.
_AFTER = rf"(?:(?: of| in| on)? ?(?P<after>{_QUANTITY})|(?![.,]?\d|\w))"
_CONSTRAINT = re.compile(
    rf"{_BEFORE}(?P<negation>{_NEGATION} (?:(?:be|have|cost|take) )?)?"
    rf"(?:\b|(?=\W))(?P<comparison>{_any_of(_COMPARISONS)}) ?{_number()}{_AFTER}",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    rf"{_BEFORE}\bbetween {_number('_low')} and {_number('_high')}{_AFTER}", re.IGNORECASE
)
# What lies between two numbers in these is a third one, and no bound.
_APART = re.compile(r"\b(?:difference|distance|gap|ratio|convert|choose|decide)\s+$", re.IGNORECASE)
_NAMES_MORE = frozenset(
    {
        *("parameter", "price", "cost", "latency", "response time", "inference time"),
        *("file size", "model size", "size", "memory", "year"),
    }
)
"""Quantities that are the first half of other things: price points, memory cards."""
_OTHER_THING = re.compile(
    r"[ -](?!(?:and|or|but|for|per|from|with|without|in|on|at|by|to|of|as|if|is|are|was|be|that|"
    r"which|who|when|where|than|then|so|the|an?|please|only|max|maximum|min|minimum|total|limit|"
    r"each|overall|under|below|over|above|less|more|\w+(?:ed|ing))\b)[a-z]",
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
    found = sorted(
        [(match, _constraint) for match in _CONSTRAINT.finditer(text)]
        + [(match, _between) for match in _BETWEEN.finditer(text)],
        key=lambda each: each[0].start(),
    )
    read = (
        bounds
        for match, reads in found
        if not _NEGATED_FARTHER_OFF.search(text, max(0, match.start() - 120), match.start())
        and (bounds := reads(match)) is not None
    )
    return tuple(each for each in read if known is None or each.bounds.field in known)


@dataclass(frozen=True)
class _Number:
    """A number as it is written.

    Attributes:
        value: Its digits.
        scale: What ``M`` or ``million`` behind it makes of them; None where there is none.
        unit: In small letters; ``""`` for none.
        is_short: Whether its scale is a letter.
    """

    value: float
    scale: float | None
    unit: str
    is_short: bool

    @classmethod
    def of(cls, match: re.Match[str], suffix: str = "") -> "_Number":
        """Read the groups of ``_number``."""
        letter, word = match[f"scale{suffix}"], match[f"magnitude{suffix}"]
        scale = _SCALES[letter.lower()] if letter else _MAGNITUDES[word.lower()] if word else None
        unit = "$" if match[f"dollar{suffix}"] else (match[f"unit{suffix}"] or "").lower()
        value = float(match[f"number{suffix}"].replace(",", ""))
        return cls(value, scale, unit, bool(letter))

    @property
    def scaled(self) -> float:
        """The number without its unit."""
        return self.value * (self.scale or 1.0)

    @property
    def implied(self) -> str | None:
        """The quantity that its unit implies."""
        return _UNITS.get(self.unit, (None, 1.0))[0]

    def in_base_unit(self, key: str, word: str) -> float | None:
        """Return the bound of a quantity; None where it bounds nothing.

        Args:
            key: The quantity.
            word: For it in the request; ``""`` where it has none.
        """
        factor = _UNITS.get(self.unit, (None, 1.0))[1]
        if word == "gflops" and not self.is_short:
            factor *= 1e9
        if key in _SHARES and factor == 1.0 and self.scaled > 1.0:
            factor = 0.01  # "at least 70 top-1" is a percentage too
        # 70% is 0.7, not 70 * 0.01 = 0.7000000000000001, which a tool with 0.7 would miss.
        bound = float(f"{self.scaled * factor:.12g}")
        if key == "year" and not 1000 <= bound <= 9999:
            return None  # "Contracts over 2 year"
        # "High accuracy under 5 minutes" bounds no accuracy, 400 digits nothing.
        return None if bound > (1.0 if key in _SHARES else sys.float_info.max) else bound


def _word(match: re.Match[str], *, is_plain: bool) -> str:
    """Return the word for the quantity; ``""`` where there is none.

    Args:
        match: Of a constraint.
        is_plain: Whether its number has neither scale nor unit, so that it may count things.
    """
    after = (match["after"] or "").lower()
    if is_plain and after in _NAMES_MORE and _OTHER_THING.match(match.string, match.end()):
        return ""
    return after or (match["before"] or "").lower()


def _constraint(match: re.Match[str]) -> Constraint | None:
    comparison = match["comparison"].lower()
    number = _Number.of(match)
    word = _word(match, is_plain=number.scale is None and not number.unit)
    # "High accuracy under 200 ms" bounds what milliseconds measure.
    key = number.implied or _KEY_OF.get(word) or _IMPLIED.get(comparison)
    if key is None and comparison in _TIMES and 1900 <= number.scaled <= 2100 and not number.unit:
        key = "year"
    bound = None if key is None else number.in_base_unit(key, word)
    if key is None or bound is None:
        return None
    side = _COMPARISONS[comparison]
    side = _NEGATED[side] if match["negation"] else side
    return Constraint(Range(key, **{side: bound}), match.group().strip())


def _between(match: re.Match[str]) -> Constraint | None:
    if _APART.search(match.string, max(0, match.start() - 20), match.start()):
        return None
    low, high = _Number.of(match, "_low"), _Number.of(match, "_high")
    if low.scale is None and high.scale is not None and low.value <= high.value:
        low = replace(low, scale=high.scale, is_short=high.is_short)
    low, high = replace(low, unit=low.unit or high.unit), replace(high, unit=high.unit or low.unit)
    word = _word(match, is_plain=high.scale is None and not high.unit)
    key = low.implied or _KEY_OF.get(word)
    if key is None or high.implied != low.implied:
        return None
    bounds = [number.in_base_unit(key, word) for number in (low, high)]
    if None in bounds:
        return None
    least, most = sorted(bound for bound in bounds if bound is not None)
    return Constraint(Range(key, gte=least, lte=most), match.group().strip())
