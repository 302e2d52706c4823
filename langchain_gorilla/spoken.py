"""Numbers, dates, times and units as people say them: "1k", "the 5th of May", "3 pm", "euros".

Everything is read, nothing is resolved: "tomorrow" is a date of which only the word is known.
English words; digits in the spellings of several countries. Where a spelling has two readings
(1.234, 3/4), both are given: what is asked is whether a value may have been said.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Final

UNITS: Final = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
]  # fmt: skip
"""The words of 0 to 19."""
TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
"""The words of 20, 30 and so on to 90."""
_ORDINALS: Final = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
    "tenth", "eleventh", "twelfth", *(f"{word}th" for word in UNITS[13:]),
]  # fmt: skip
_TENTHS: Final = [f"{word[:-1]}ieth" for word in TENS]
_SMALL: Final[dict[str, float]] = {
    **{word: value for value, word in enumerate(UNITS)},
    **{word: 20 + 10 * index for index, word in enumerate(TENS)},
    **{word: 1 + index for index, word in enumerate(_ORDINALS)},
    **{word: 20 + 10 * index for index, word in enumerate(_TENTHS)},
    "once": 1, "single": 1, "twice": 2, "double": 2, "couple": 2, "pair": 2, "both": 2,
    "triple": 3, "thrice": 3, "none": 0, "fourty": 40, "half": 0.5, "quarter": 0.25, "dozen": 12,
}  # fmt: skip
_LARGE: Final[dict[str, float]] = {
    "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12,
    "lakh": 1e5, "crore": 1e7,
}  # fmt: skip
_TIMES: Final[dict[str, float]] = {"dozen": 12, "quarters": 0.25}
_SUFFIXES: Final[dict[str, float]] = {
    **_LARGE, "k": 1e3, "grand": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "mil": 1e6, "b": 1e9,
    "bn": 1e9, "dozen": 12, "%": 1e-2, "percent": 1e-2, "per cent": 1e-2,
}  # fmt: skip

_SUFFIX: Final = (
    r"(?P<suffix>hundred|thousand|million|billion|trillion|lakh|crore|dozen|percent|per cent|%"
    r"|grand\b|bn\b|mn\b|mio\b|mil\b|k\b|m\b|b\b)"
)
_DIGITS: Final = re.compile(
    # Groups of three, by any of the usual marks, or India's; plain digits; none, as in ".5".
    r"(?P<whole>\d{1,3}(?:(?P<mark>[,._'’\u00a0\u202f ])\d{3})(?:(?P=mark)\d{3})*(?!\d)"
    r"|\d{1,2}(?:,\d\d){1,5},\d{3}(?!\d)|\d+|(?=\.\d))"
    r"(?P<part>[.,]\d+)?(?P<power>e[+-]?\d{1,3}\b)?"
    # The first number of a range shares what stands behind the second: "50-60k".
    rf"(?:(?=(?:\s?(?:[-–]|to|and|or)\s?\d[\d.,]*)?\s?{_SUFFIX}))?",
    re.IGNORECASE,
)
_HEXADECIMAL: Final = re.compile(r"\b0x[0-9a-f]{1,16}\b", re.IGNORECASE)
_FRACTION: Final = re.compile(
    r"(?:(?<!\d)(?P<whole>\d+)\s?)?(?P<sign>[¼½¾⅐-⅞])|"
    r"(?:(?<![\d/])(?P<before>\d+)\s)?(?<![\d/])(?P<over>\d+)\s?[/⁄]\s?(?P<under>\d+)(?![\d/])"
)
_AFTER_FRACTION: Final = re.compile(rf"\s?{_SUFFIX}", re.IGNORECASE)
_POWER: Final = re.compile(
    r"(?<!\d)(?:(?P<times>\d{1,9}(?:\.\d{1,9})?)\s?[x×*]\s?)?(?P<base>\d{1,9})"
    r"(?:\s?(?:\^|\*\*)\s?(?P<power>[-−]?\d{1,3})(?!\d)|(?P<raised>⁻?[⁰¹²³⁴-⁹]{1,3}))"
)
_WORD: Final = re.compile(r"[a-z]+|%", re.IGNORECASE)
_WITHIN: Final = frozenset(["and", "a", "point", "quarters", "to", "or"])


def numbers_in(text: str) -> frozenset[float]:
    """Return the absolute values of the numbers that a text may mean.

    "50%" gives 50 and 0.5, "1.234" gives 1.234 and 1234, "2k" gives 2 and 2000, "3/4" 3, 4 and 0.75,
    "10^3" 10, 3 and 1000.
    """
    hexadecimal = (float(int(found, 16)) for found in _HEXADECIMAL.findall(text))
    return frozenset(
        (*_written(text), *_fractions(text), *_powers(text), *_said(text), *hexadecimal)
    )


def _written(text: str) -> Iterator[float]:
    for match in _DIGITS.finditer(text):
        whole, part = match["whole"], match["part"] or ""
        digits = re.sub(r"\D", "", whole)
        readings = [digits + part.replace(",", ".")]
        if len(pieces := re.split(r"\D", whole)) > 1:
            # "12 345" may be two numbers, "1.234" a fraction, "3,141" one too.
            readings += [*pieces, f"{pieces[0]}.{''.join(pieces[1:])}"]
        elif part:
            readings += [each for each in (digits, part[1:]) if each]
        if match["power"]:
            readings.append(readings[0] + match["power"])
        scale = _SUFFIXES.get((match["suffix"] or "").lower())
        for reading in readings:
            yield float(reading)
            if scale is not None:
                yield float(reading) * scale


def _fractions(text: str) -> Iterator[float]:
    text = re.sub(r"(?i)(?<=\d) and a half\b", "½", text)
    for match in _FRACTION.finditer(text):
        if match["sign"]:
            value = unicodedata.numeric(match["sign"])
        elif float(match["under"]):
            value = float(match["over"]) / float(match["under"])
        else:
            continue
        yield value
        value += float(match["whole"] or match["before"] or 0)
        yield value
        if after := _AFTER_FRACTION.match(text, match.end()):
            yield value * _SUFFIXES[after["suffix"].lower()]


def _powers(text: str) -> Iterator[float]:
    for match in _POWER.finditer(text):
        power = unicodedata.normalize("NFKC", match["power"] or match["raised"]).replace("−", "-")
        with suppress(OverflowError, ZeroDivisionError):
            value = float(match["base"]) ** int(power)
            yield value
            yield value * float(match["times"] or 1)


def _said(text: str) -> Iterator[float]:
    """Read runs of number words, such as "twenty-five thousand" and "two and a half"."""
    run: list[str] = []
    for word in (*(match[0].lower() for match in _WORD.finditer(text)), ""):
        if word in _SMALL or word in _LARGE or (run and word in _WITHIN):
            run.append(word)
            continue
        while run and run[-1] in _WITHIN - {"quarters"}:
            run.pop()
        if run:
            value = _value(run)
            yield from (value, *(_parts(run) if len(run) > 1 else ()))
            if word in ("percent", "per", "%"):
                yield value / 100
        run = []


def _parts(run: list[str]) -> Iterator[float]:
    """Give what a run means beside its value.

    Each word's own value: "one two", "second thousand" are several numbers. What "and" parts:
    "between two and three hundred", the first of which may be hundreds, too. And two pairs of
    digits: "nineteen eighty-four".
    """
    yield from (_SMALL[word] for word in run if word in _SMALL)
    parts = [part.split() for part in re.split(r" (?:and|to|or) ", " ".join(run))]
    scale = [word for word in parts[-1] if word in _LARGE]
    for part in parts:
        yield _value(part)
        yield _value([*part, *scale])
    for at in range(1, min(3, len(run))):
        first, second = _value(run[:at]), _value(run[at : at + 2])
        if 10 <= first < 100 and 10 <= second < 100:
            yield 100 * first + second


def _value(run: list[str]) -> float:
    total = current = 0.0
    place = 1.0  # a float, which becomes infinite instead of long
    for word in run:
        if word == "point":
            place = 10.0
        elif word in _LARGE:
            scale = _LARGE[word]
            current = (current or 1.0) * scale
            if scale >= 1e3:
                total, current = total + current, 0.0
            place = 1.0
        elif word in _TIMES:
            current = (current or 1.0) * _TIMES[word]
        elif word in _SMALL:
            current += _SMALL[word] / place
            place *= 10.0 if place > 1 else 1.0
    return total + current


# --- Dates and times ---

_MONTHS: Final = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
]  # fmt: skip
_MONTH: Final = "|".join(f"{month[:3]}(?:{month[3:]})?" for month in _MONTHS) + "|sept"
_TH: Final = r"(?:st|nd|rd|th)?"
_TO: Final = r"\s*(?:[-–&]|\b(?:to|and|or|until|till|through)\b)\s*(?:the\s+)?"
_OF_MONTH: Final = rf"[\s-]+(?:of\s+)?(?P<n>{_MONTH})\b"
_MONTH_THE: Final = rf"\b(?P<n>{_MONTH})\.?\s+(?:the\s+)?"
_DATES: Final = (
    re.compile(r"\d{4}[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"),
    re.compile(r"(?<!\d)(?:19|20)\d\d(?P<m>\d\d)(?P<d>\d\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?:[-/.]\d{2,4})?(?!\d)"),
    re.compile(r"(?<!\d)(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})(?:[-/.]\d{2,4})?(?!\d)"),
    re.compile(rf"{_MONTH_THE}(?P<d>\d{{1,2}})(?!\d)", re.IGNORECASE),
    re.compile(rf"(?<!\d)(?P<d>\d{{1,2}}){_TH}{_OF_MONTH}", re.IGNORECASE),
    # The other end of "May 3 to 5" and of "the 3rd and the 5th of May".
    re.compile(rf"{_MONTH_THE}\d{{1,2}}{_TH}{_TO}(?P<d>\d{{1,2}})(?!\d)", re.IGNORECASE),
    re.compile(rf"(?<!\d)(?P<d>\d{{1,2}}){_TH}{_TO}\d{{1,2}}{_TH}{_OF_MONTH}", re.IGNORECASE),
)
_DAY: Final = re.compile(rf"\bthe\s+(?P<d>\d{{1,2}}){_TH}\b(?!{_OF_MONTH}|[.:]\d)", re.IGNORECASE)
_NAMED_MONTH: Final = re.compile(rf"\b(?:{_MONTH})\b", re.IGNORECASE)
_MONTH_OF_YEAR: Final = re.compile(r"\d{4}[-/](\d{1,2})(?!\d)|(?<!\d)(\d{1,2})[-/]\d{4}")
_RELATIVE_DATE: Final = re.compile(
    r"\b(?:today|tonight|tomorrow|yesterday|weekend|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|(?:this|next|last|coming|past|current|previous|following)\s+(?:\w+\s+)?"
    r"(?:day|night|morning|evening|week|month|quarter|year|spring|summer|autumn|fall|winter)"
    r"|(?:on|this|next|last|coming|by|until)\s+(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun)"
    r"|\w+\s+(?:day|week|month|year)s?\s+(?:ago|from|later|before|after)"
    r"|in\s+(?:\w+\s+){1,3}(?:day|week|fortnight|month|year|hour|minute)s?"
    r"|christmas|easter|halloween|thanksgiving|new\s+year)\b",
    re.IGNORECASE,
)
_RELATIVE_TIME: Final = re.compile(
    r"\b(?:now|soon|later|asap|immediately|tonight|(?:mid)?(?:morning|afternoon|evening|night)|dawn"
    r"|sunrise|dusk|sunset|end\s+of\s+(?:the\s+)?day"
    r"|(?:hour|hr|minute|min)s?\s+(?:ago|from|before|after)"
    r"|in\s+(?:\w+\s+){1,3}(?:hour|hr|minute|min)s?)\b",
    re.IGNORECASE,
)
_TIME: Final = re.compile(
    r"(?:(?P<part>half|quarter|(?<!\d)\d{1,2})\s+(?:minutes?\s+)?"
    r"(?:(?P<side>past|after|to|before)\s+|(?<=half\s)))?"
    r"(?<!\d)(?P<h>\d{1,2})(?:(?:[:.h]|(?<=\d\d))(?P<min>\d{2}))?(?!\d)(?::\d{2})?"
    r"\s*(?P<half>[ap]\.?m\b|o'?clock)?",
    re.IGNORECASE,
)
_RANGE: Final = re.compile(r"(?<=\d)\s+to\s+(?=\d)", re.IGNORECASE)
_UNIT: Final = f"{'|'.join(UNITS[1:10])}|{'|'.join(_ORDINALS[:9])}"
_BELOW_HUNDRED: Final = (
    rf"(?:{'|'.join(TENS)})(?:[\s-]+(?:{_UNIT}))?|{'|'.join((*UNITS, *_ORDINALS, *_TENTHS))}"
)
_NUMBER: Final = re.compile(rf"\b(?:{_BELOW_HUNDRED})\b", re.IGNORECASE)
_HOUR_AND_MINUTES: Final = re.compile(
    rf"\b({'|'.join(UNITS[1:13])})[\s-]+((?:{'|'.join(TENS)})(?:[\s-]+(?:{_UNIT}))?"
    rf"|{'|'.join(UNITS[10:])})\b",
    re.IGNORECASE,
)


def _in_digits(text: str) -> str:
    """Write the words of numbers below a hundred as digits: "May 4", "7:30" for "seven thirty"."""

    def digits(words: str) -> str:
        return f"{sum(_SMALL[word] for word in re.split(r'[^a-z]+', words.casefold())):.0f}"

    text = _HOUR_AND_MINUTES.sub(lambda m: f"{digits(m[1])}:{digits(m[2])}", text)
    return _NUMBER.sub(lambda m: digits(m[0]), text)


def dates_in(text: str) -> frozenset[tuple[int, int]]:
    """Return (month, day) of the dates that a text names; 3/4 is both the 3rd and the 4th."""
    found = set()
    text = _in_digits(text)
    for pattern in _DATES:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            month = _month(parts["n"]) if parts.get("n") else int(parts["m"])
            if 1 <= month <= 12 and 1 <= (day := int(parts["d"])) <= 31:
                found.add((month, day))
    return frozenset(found)


def months_in(text: str) -> frozenset[int]:
    """Return the months that a text names, by name, in a date, or as ``2024-05``."""
    named = {_month(match[0]) for match in _NAMED_MONTH.finditer(text)}
    numbers = {int(m[1] or m[2]) for m in _MONTH_OF_YEAR.finditer(text)}
    return frozenset(named | numbers | {month for month, _ in dates_in(text)})


def days_in(text: str) -> frozenset[int]:
    """Return the days of the month that a text names without the month: "the 15th"."""
    return frozenset(int(match["d"]) for match in _DAY.finditer(_in_digits(text)))


def is_relative_date_in(text: str) -> bool:
    """Tell whether a text says when, in words that need a calendar: "tomorrow", "in two weeks"."""
    return _RELATIVE_DATE.search(text) is not None


def is_relative_time_in(text: str) -> bool:
    """Tell whether a text names a time of day that no number says: "tonight", "in two hours"."""
    return _RELATIVE_TIME.search(text) is not None


def times_in(text: str) -> frozenset[tuple[int, int]]:
    """Return (hour, minute) of the times of day that a text may name, on a 24-hour clock."""
    found = set()
    text = re.sub(r"\b(?:noon|midday)\b", "12 pm", _in_digits(text), flags=re.IGNORECASE)
    text = re.sub(r"\bmidnight", "12 am", text, flags=re.IGNORECASE)
    # "2 to 5 pm" is from two to five as well as two minutes before five.
    for match in (*_TIME.finditer(text), *_TIME.finditer(_RANGE.sub(", ", text))):
        hour, minute = int(match["h"]), int(match["min"] or 0)
        half = (match["half"] or "").lower()
        is_before = (match["side"] or "").lower() in ("to", "before")
        if match["part"] is not None:
            minute = {"half": 30, "quarter": 15}.get(match["part"].lower()) or int(match["part"])
            minute = 60 - minute if is_before else minute
        if hour > 24 or minute > 59:
            continue
        if half.startswith("p") and hour < 12:
            hour += 12
        elif half.startswith("a") and hour == 12:
            hour = 0
        # "Quarter to 12 pm" is before noon: the half of the day is that of the hour named.
        if is_before:
            hour -= 1
        found.add((hour % 24, minute))
        if half[:1] not in ("a", "p") and (1 <= hour < 12 or (is_before and hour == 0)):
            found.add((hour + 12, minute))  # "at 3" may be in the afternoon.
    return frozenset(found)


def _month(name: str) -> int:
    # Folded: to a pattern that ignores case, ſ is an s as well.
    return 1 + next(i for i, month in enumerate(_MONTHS) if month[:3] == name[:3].casefold())


# --- Units and currencies ---

_SAME: Final = [
    "eur euro €", "usd dollar buck $", "cad dollar", "aud dollar", "nzd dollar", "hkd dollar",
    "sgd dollar", "gbp pound quid £", "egp pound", "jpy yen ¥", "cny rmb yuan renminbi ¥",
    "inr rupee ₹", "pkr rupee", "krw won ₩", "chf franc", "mxn peso", "ars peso", "php peso",
    "clp peso", "cop peso", "brl real reais", "rub ruble rouble ₽", "sek krona kronor", "isk krona",
    "nok krone kroner", "dkk krone kroner", "pln zloty złoty", "czk koruna", "huf forint",
    "try lira ₺", "zar rand", "thb baht ฿", "ils shekel ₪", "aed dirham", "sar riyal",
    "idr rupiah", "vnd dong ₫", "uah hryvnia ₴", "ngn naira ₦", "kes shilling",
    "btc bitcoin ₿", "eth ether ethereum",
    "km kilometer kilometre", "m meter metre", "cm centimeter centimetre",
    "mm millimeter millimetre", "mi mile", "yd yard", "ft foot feet", "in inch",
    "kg kilogram kilogramme kilo", "g gram gramme", "mg milligram", "lb pound", "oz ounce",
    "t ton tonne", "l liter litre", "ml milliliter millilitre", "gal gallon",
    "c °c celsius centigrade", "f °f fahrenheit", "k kelvin",
    "mph miles-per-hour", "kmh km/h kph kilometers-per-hour", "ms millisecond", "s sec second",
    "min minute", "h hr hour", "d day", "wk week", "mo month", "y yr year",
    "kb kilobyte", "mb megabyte", "gb gigabyte", "tb terabyte", "w watt", "kw kilowatt",
    "kwh kilowatt-hour", "hz hertz", "hp horsepower", "kcal calorie cal",
]  # fmt: skip


def _named_alike() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for group in _SAME:
        names = frozenset(name.replace("-", " ") for name in group.split())
        found.update({name: found.get(name, frozenset()) | names for name in names})
    return found


_NAMES: Final = _named_alike()
# One letter, or a word of another meaning, is a unit behind a number or a degree sign only.
_BARE: Final = frozenset(["in", "mo", "try"])


def is_unit_in(text: str, unit: str) -> bool:
    """Tell whether a text names a unit or currency in any spelling: EUR as "euros", km as "5 km"."""
    word = unit.strip().casefold().rstrip(".")
    endings = ("", "s", "es") if word[-3:] != "ies" else ("",)
    stems = [word.removesuffix(ending) for ending in endings if word.endswith(ending)]
    names = next((_NAMES[stem] for stem in stems if stem in _NAMES), frozenset())
    return any(_unit_pattern(name).search(text) for name in names)


@lru_cache(maxsize=512)
def _unit_pattern(name: str) -> re.Pattern[str]:
    escaped = re.escape(name)
    if not name[-1].isalpha():
        return re.compile(escaped)
    before = r"(?:\d|°)\s?" if len(name) == 1 or name in _BARE else r"(?<![^\W\d_])"
    return re.compile(rf"{before}{escaped}(?:s|es)?(?![^\W\d_])", re.IGNORECASE)


_CHILDREN: Final = frozenset(["child", "children", "kid", "kids"])


def is_none_in(text: str, name: str) -> bool:
    """Tell whether a text says that there is none of something: "no children", "without a bag"."""
    stem = "(?:child|kid)" if name in _CHILDREN else re.escape(name.removesuffix("s"))
    word = rf"{stem}\w*"
    nothing = r"(?:\b(?:no|without|not any|zero)|n['’]t (?:\w+ )?any)"
    return re.search(rf"(?i){nothing}\s+(?:\w+\s+)?{word}", text) is not None


def is_duration_in(text: str) -> bool:
    """Tell whether a text says how long, from which one time of day follows from another."""
    return _DURATION.search(text) is not None


_DURATION: Final = re.compile(
    r"(?:\d|\b(?:an?|half|quarter|hours?|few|\w+teen|\w+ty|" + "|".join(UNITS) + r")\b)[\s-]*"
    r"(?:hours?|hrs?|h|minutes?|mins?|min)\b",
    re.IGNORECASE,
)
