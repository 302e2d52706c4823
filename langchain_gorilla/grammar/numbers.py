"""Ranges of numbers as rules over digits: minimum, maximum, multipleOf.

Integers have at most ``MAX_DIGITS`` digits and numbers no exponent once they are bounded, so
that text and value order alike; fractions are cut so short that reading them as a float can
not round them onto a bound.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache, partial
from typing import Final

from langchain_gorilla.grammar.rules import (
    EMPTY,
    NOTHING,
    Chars,
    Literal,
    Rule,
    chars,
    choice,
    optional,
    repeat,
    sequence,
)

MAX_DIGITS: Final = 24
_FLOAT_DIGITS: Final = 15  # Decimals of so many digits survive float(); IEEE 754 binary64.
_LISTED_MULTIPLES: Final = 1000
DIGIT: Final = chars((ord("0"), ord("9")))
_NOT_ZERO: Final = chars((ord("1"), ord("9")))


@dataclass(frozen=True)
class Bounds:
    """A range of numbers; ``None`` is open, ``*_excluded`` leaves the bound itself out."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_excluded: bool = False
    high_excluded: bool = False

    @property
    def empty(self) -> bool:
        """Whether no number fits."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (
            self.low == self.high and (self.low_excluded or self.high_excluded)
        )

    def __contains__(self, value: Decimal) -> bool:
        low, high = self.low, self.high
        return not (
            (low is not None and (value < low or (value == low and self.low_excluded)))
            or (high is not None and (value > high or (value == high and self.high_excluded)))
        )

    def integers(self) -> tuple[int | None, int | None]:
        """Give the smallest and the largest integer inside."""
        return self.counts(Fraction(1))

    def counts(self, step: Fraction) -> tuple[int | None, int | None]:
        """Give the smallest and the largest n for which n * step is inside."""
        low = high = None
        if self.low is not None:
            low = math.ceil(Fraction(self.low) / step)
            low += low * step == self.low and self.low_excluded
        if self.high is not None:
            high = math.floor(Fraction(self.high) / step)
            high -= high * step == self.high and self.high_excluded
        return low, high


def _digit(low: int, high: int) -> Rule:
    return Literal(str(low)) if low == high else chars((ord("0") + low, ord("0") + high))


def _digits(least: int, most: int) -> Rule:
    return repeat(DIGIT, least, most) if most else EMPTY


def _same_length(low: str, high: str) -> Rule:
    """Digits from ``low`` to ``high``, both of one length."""
    if not low:
        return EMPTY
    if low[0] == high[0]:
        return sequence(Literal(low[0]), _same_length(low[1:], high[1:]))
    first, last, rest = int(low[0]), int(high[0]), len(low) - 1
    options = []
    if low[1:].strip("0"):
        options.append(sequence(Literal(low[0]), _same_length(low[1:], "9" * rest)))
        first += 1
    if high[1:].strip("9"):
        options.append(sequence(Literal(high[0]), _same_length("0" * rest, high[1:])))
        last -= 1
    if first <= last:
        options.append(sequence(_digit(first, last), _digits(rest, rest)))
    return choice(*options)


def natural(low: int, high: int | None) -> Rule:
    """Integers from ``low`` >= 0 to ``high``, written without leading zeros."""
    if high is not None and low > high:
        return NOTHING
    limit = max(MAX_DIGITS, len(str(low)))
    if high is None or len(str(high)) > limit:
        shortest = len(str(low)) + (low != 0 and low != 10 ** (len(str(low)) - 1))
        tail = sequence(_NOT_ZERO, _digits(max(shortest, 1) - 1, limit - 1))
        if low == 0:
            return choice(Literal("0"), tail)
        if shortest > limit:
            return _same_length(str(low), "9" * limit)
        below = NOTHING if shortest == len(str(low)) else natural(low, 10 ** (shortest - 1) - 1)
        return choice(tail, below)
    options = []
    for length in range(len(str(low)), len(str(high)) + 1):
        first = max(low, 10 ** (length - 1) if length > 1 else 0)
        last = min(high, 10**length - 1)
        if first <= last:
            options.append(_same_length(str(first), str(last)))
    return choice(*options)


@lru_cache(maxsize=512)
def integer(low: int | None = None, high: int | None = None) -> Rule:
    """Integers from ``low`` to ``high``."""
    options = []
    if high is None or high >= 0:
        options.append(natural(max(low or 0, 0), high))
    if low is None or low < 0:
        nearest = 1 if high is None else max(1, -high)
        options.append(sequence(Literal("-"), natural(nearest, None if low is None else -low)))
    return choice(*options)


def multiples(divisor: int, low: int | None, high: int | None) -> Rule | None:
    """Multiples of ``divisor`` > 0 in a range, or None where no small rule says that."""
    if low is not None and high is not None:
        first, last = -(-low // divisor), high // divisor
        if last - first < _LISTED_MULTIPLES:
            return choice(*(Literal(str(n * divisor)) for n in range(first, last + 1)))
    places = next((n for n in (1, 2, 3) if 10**n % divisor == 0), 0)
    if not places or 10**places // divisor > _LISTED_MULTIPLES:
        return None
    return _signed(low, high, partial(_natural_multiples, divisor, places))


def _signed(low: int | None, high: int | None, naturals: Callable[[int, int | None], Rule]) -> Rule:
    """From ``low`` to ``high``, of which ``naturals`` gives those from 0 on."""
    options = []
    if high is None or high >= 0:
        options.append(naturals(max(low or 0, 0), high))
    if low is None or low < 0:
        nearest = 1 if high is None else max(1, -high)
        options.append(sequence(Literal("-"), naturals(nearest, None if low is None else -low)))
    return choice(*options)


def _natural_multiples(divisor: int, places: int, low: int, high: int | None) -> Rule:
    """``divisor`` divides ``10 ** places``: the last digits decide, the others are free."""
    unit = 10**places
    options: list[Rule] = [
        Literal(str(n)) for n in range(0, unit, divisor) if n >= low and (high is None or n <= high)
    ]
    for end in range(0, unit, divisor):
        first = max(1, -(-(low - end) // unit))
        last = None if high is None else (high - end) // unit
        if last is None or first <= last:
            options.append(sequence(natural(first, last), Literal(str(end).zfill(places))))
    return choice(*options)


def decimal_multiples(divisor: Decimal, bounds: Bounds) -> Rule | None:
    """Multiples of a ``divisor`` > 0 that is no integer, or None where no small rule says that."""
    step = Fraction(divisor)
    low, high = bounds.counts(step)
    _, digits, exponent = divisor.normalize().as_tuple()
    places = -int(exponent)
    scale = int("".join(map(str, digits)))

    def at(count: int) -> Decimal:
        return Decimal(f"{count * scale}e{-places}")  # Exact, however long; a product is not.

    if scale == 1:
        first, last = (None if end is None else at(end) for end in (low, high))
        return number(Bounds(first, last), places)
    if step.numerator == 1 and (parts := step.denominator) <= _LISTED_MULTIPLES:
        return _signed(low, high, partial(_natural_parts, parts, places))
    if low is None or high is None or high - low >= _LISTED_MULTIPLES:
        return None
    texts = [f"{at(count):f}" for count in range(low, high + 1)]
    whole = [text.partition(".")[0] for text in texts if not text.partition(".")[2].strip("0")]
    return choice(*map(Literal, texts + whole))


def _natural_parts(parts: int, places: int, low: int, high: int | None) -> Rule:
    """From ``low`` >= 0 to ``high``, counted in parts of one: an integer, and one of few fractions."""
    fractions: dict[tuple[int, int | None], list[Rule]] = {}
    for part in range(parts):
        first = -(-(low - part) // parts)
        last = None if high is None else (high - part) // parts
        if last is not None and first > last:
            continue
        digits = str(part * 10**places // parts).zfill(places)
        shortest = len(digits.rstrip("0"))
        spelled = fractions.setdefault((first, last), [] if part else [EMPTY])
        spelled += [Literal(f".{digits[:n]}") for n in range(max(1, shortest), places + 1)]
    return choice(*(sequence(natural(*ends), choice(*each)) for ends, each in fractions.items()))


@lru_cache(maxsize=512)
def number(bounds: Bounds, most_places: int | None = None) -> Rule:
    """Decimals in a range, without exponent, of at most so many places."""
    low, high = bounds.low, bounds.high
    options = []
    if high is None or high > 0 or (high == 0 and not bounds.high_excluded):
        if low is not None and low >= 0:
            above = bounds.low_excluded
            options.append(_decimals(low, high, above, bounds.high_excluded, most_places))
        else:
            options.append(_decimals(Decimal(0), high, False, bounds.high_excluded, most_places))
    if low is None or low < 0:
        nearest = Decimal(0) if high is None or high >= 0 else -high
        excluded = bounds.high_excluded if nearest else True
        farthest = None if low is None else -low
        rule = _decimals(nearest, farthest, excluded, bounds.low_excluded, most_places)
        options.append(sequence(Literal("-"), rule))
    return choice(*options)


@cache
def any_number() -> Rule:
    """Decimals without bounds, with an exponent of at most two digits, so always finite."""
    sign = optional(chars((ord("+"), ord("+")), (ord("-"), ord("-"))))
    exponent = sequence(Chars(((ord("E"), ord("E")), (ord("e"), ord("e")))), sign, _digits(1, 2))
    return sequence(
        optional(Literal("-")),
        natural(0, None),
        optional(sequence(Literal("."), _digits(1, 17))),
        optional(exponent),
    )


def _split(value: Decimal) -> tuple[int, str]:
    whole = int(value)
    return whole, f"{value - whole:f}".partition(".")[2].rstrip("0")


def _decimals(
    low: Decimal, high: Decimal | None, above: bool, below: bool, most: int | None
) -> Rule:
    """Decimals of at most ``most`` places from ``low`` >= 0 to ``high``; ``above``/``below`` leave the bounds out."""
    whole, digits = _split(low)
    if high is not None and (low > high or (low == high and (above or below))):
        return NOTHING
    last, last_digits = (None, "") if high is None else _split(high)
    widest = len(str(whole if last is None else last))
    if widest > _FLOAT_DIGITS:
        # A float of so many digits is rounded to its neighbours; an integer is compared exactly.
        largest = Decimal(10**_FLOAT_DIGITS - 1)
        first, end = Bounds(low, high, above, below).integers()
        wide = natural(max(first or 0, 10**_FLOAT_DIGITS), end)
        return choice(_decimals(low, largest, above, False, most), wide)
    places = max(1, len(digits), len(last_digits), _FLOAT_DIGITS - widest)
    places = places if most is None else min(places, most)
    if last == whole:
        inside = _between(digits, last_digits, above, below, places)
        zero = not digits and not above
        return sequence(Literal(str(whole)), _fraction(inside, zero))
    options = [
        sequence(
            Literal(str(whole)),
            _fraction(_at_least(digits, above, places), not digits and not above),
        ),
        sequence(
            natural(whole + 1, None if last is None else last - 1),
            _fraction(_digits(1, places), True),
        ),
    ]
    if last is not None:
        top = _at_most(last_digits, below, places)
        options.append(sequence(Literal(str(last)), _fraction(top, bool(last_digits) or not below)))
    return choice(*(option for option in options if option != NOTHING))


def _fraction(digits: Rule, zero: bool) -> Rule:
    """``.digits``; nothing at all where the fraction may be zero."""
    rule = sequence(Literal("."), digits)
    if rule == NOTHING:
        return EMPTY if zero else NOTHING
    return optional(rule) if zero else rule


def _end_or(rule: Rule, may_end: bool) -> Rule:
    if rule == NOTHING:
        return EMPTY if may_end else NOTHING
    return optional(rule) if may_end else rule


def _at_least(digits: str, above: bool, places: int) -> Rule:
    """One to ``places`` digits whose fraction is at least (above) ``0.digits``."""
    if places == 0:
        return NOTHING
    if not digits:
        if not above:
            return _digits(1, places)
        return choice(
            sequence(_NOT_ZERO, _digits(0, places - 1)),
            sequence(Literal("0"), _at_least("", True, places - 1)),
        )
    first, rest = int(digits[0]), digits[1:]
    more = _end_or(_at_least(rest, above, places - 1), not rest and not above)
    options = [sequence(Literal(digits[0]), more)]
    if first < 9:
        options.append(sequence(_digit(first + 1, 9), _digits(0, places - 1)))
    return choice(*(option for option in options if option != NOTHING))


def _at_most(digits: str, below: bool, places: int) -> Rule:
    """One to ``places`` digits whose fraction is at most (below) ``0.digits``."""
    if places == 0:
        return NOTHING
    if not digits:
        return NOTHING if below else repeat(Literal("0"), 1, places)
    first, rest = int(digits[0]), digits[1:]
    more = _end_or(_at_most(rest, below, places - 1), bool(rest) or not below)
    options = [sequence(Literal(digits[0]), more)]
    if first > 0:
        options.append(sequence(_digit(0, first - 1), _digits(0, places - 1)))
    return choice(*(option for option in options if option != NOTHING))


def _between(low: str, high: str, above: bool, below: bool, places: int) -> Rule:
    """One to ``places`` digits between ``0.low`` and ``0.high``."""
    if places == 0:
        return NOTHING
    if not low and not high:
        return NOTHING if above or below else repeat(Literal("0"), 1, places)
    first, last = int(low[:1] or "0"), int(high[:1] or "0")
    low, high = low[1:], high[1:]
    at_low = not low and not above
    if first == last:
        may_end = at_low and (bool(high) or not below)
        more = _end_or(_between(low, high, above, below, places - 1), may_end)
        return sequence(Literal(str(first)), more)
    up = _end_or(_at_least(low, above, places - 1), at_low)
    down = _end_or(_at_most(high, below, places - 1), bool(high) or not below)
    options = [sequence(Literal(str(first)), up), sequence(Literal(str(last)), down)]
    if first + 1 <= last - 1:
        options.append(sequence(_digit(first + 1, last - 1), _digits(0, places - 1)))
    return choice(*(option for option in options if option != NOTHING))
