"""Which arguments of a call the conversation gives, and which the model made up.

OpenFunctions was trained to fill in what a question leaves open. Whether a required argument was
said is decided here by its value and its schema, never by another model. "Said" means: in any
message of the conversation (system, human, tool result, earlier answer), not in the tools'
documents. When in doubt, a value counts as said: a question too many is worse than a name too
few in the metadata.

================  ==============================================================================
a value           counts as said when
================  ==============================================================================
text              letters, case, accents and punctuation aside, it stands there; or words that
                  make up at least half of its letters do (``San Francisco, CA``); or its
                  initials do (``NYC``); a unit or currency by its other names, too (``EUR``)
number            a number that was said equals it, whatever the sign: ``1,000``, ``1k``, ``one
                  thousand``, ``50%`` for 50 and 0.5; a text of digits likewise; a parameter
                  called ``hour``, ``minute``, ``day``, ``month`` or ``year`` as dates and times are;
                  0 also where there is none of what the parameter's name says: ``no children``
boolean           a word of the parameter's name stands there, or one that begins like it, or yes,
                  no, true, false, off, enable, disable, turn, switch: that a boolean is meant is
                  all that can be seen
enum              a word of it stands there, or begins a word that does (``asc``); a parameter
                  with one possible value, and one that takes its ``default``, needs no words
date              the day, and the month if one was named, in any spelling; or any word such as
                  ``tomorrow``, ``next Friday``, ``in two weeks``: nothing here has a calendar; a
                  time of day beside it as a time, unless it is the day's first or last minute
time              the time, in any spelling; or a word such as ``tonight``, ``in two hours``; or a
                  duration beside any time, since an end follows from it
list, object      at least half of the values inside were said
nothing           ``None``, ``""``, ``[]`` and ``{}`` for a required parameter were never said
================  ==============================================================================

Not covered: values that follow from what was said (a sum, a translation, a city's airport code)
count as made up; number and date words are read in English.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import unquote

from langchain_gorilla.calls import FunctionCall, JSONValue
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.spoken import (
    dates_in,
    days_in,
    is_duration_in,
    is_none_in,
    is_relative_date_in,
    is_relative_time_in,
    is_unit_in,
    months_in,
    numbers_in,
    times_in,
)

_SMALL_WORDS: Final = frozenset([
    "a", "an", "and", "are", "as", "at", "by", "for", "from", "has", "have", "in", "is", "it",
    "of", "on", "or", "should", "the", "to", "use", "with",
])  # fmt: skip
_ANSWERS: Final = ("yes", "no", "true", "false", "off", "enable", "disable", "turn", "switch")
_MONTH_ONLY: Final = re.compile(r"\d{4}-\d{1,2}")
_DATE: Final = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|(?:19|20)\d{6}"
    r"|[a-z0-9]+\.? (?:of )?[a-z0-9]+(?:,? \d{4})?",
    re.IGNORECASE,
)
_TIME_ONLY: Final = re.compile(
    r"\d{1,2}(?::\d{2}){0,2}\s*[ap]\.?m\.?|\d{1,2}(?::\d{2}){1,2}(?:Z|[-+]\d{2}:\d{2})?",
    re.IGNORECASE,
)
_RANGE: Final = re.compile(r"\s+(?:[-–]|to)\s+|[–/]", re.IGNORECASE)
_TIME_BESIDE: Final = re.compile(r"[T ](\d{1,2}:\d{2}(?::\d{2})?(?:\s*[ap]\.?m\b)?)", re.IGNORECASE)
_EDGE_OF_DAY: Final = re.compile(r"00?:00|23:59|24:00")


@dataclass(frozen=True)
class Ungrounded:
    """A required argument whose value was not said.

    Attributes:
        tool: The function's true name.
        parameter: The argument's.
        description: What the schema says of it; may be empty.
        schema: The parameter's own schema, with the definitions that it may refer to.
        parameters: The function's whole schema, under true names.
    """

    tool: str
    parameter: str
    description: str
    schema: Mapping[str, JSONValue]
    parameters: Mapping[str, JSONValue] = field(default_factory=dict)


def ungrounded_arguments(
    call: FunctionCall, function: FunctionSchema, said: "Said"
) -> tuple[Ungrounded, ...]:
    """Name the required arguments of a valid call whose values were not said, in schema order.

    Args:
        call: Under true names.
        function: Its schema, under true names.
        said: The conversation.
    """
    found = []
    for name in function.required:
        schema = function.properties.get(name)
        if schema is None or name not in call.arguments:
            continue
        form = resolved(schema, function.parameters)
        if _said(call.arguments[name], form, name, said):
            continue
        shown = dict(schema)
        if "$ref" in json.dumps(schema):
            kept = ("$defs", "definitions")
            shown |= {key: each for key, each in function.parameters.items() if key in kept}
        description = str(schema.get("description") or form.get("description") or "").strip()
        found.append(Ungrounded(function.name, name, description, shown, function.parameters))
    return tuple(found)


class Said:
    """What a conversation says, read once and only as far as it is asked."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Take the text of every message."""
        self._text = "\n".join(texts)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """All words, folded, in order."""
        return _words(self._text)

    @cached_property
    def _set(self) -> frozenset[str]:
        return frozenset(map(_stem, self.words))

    @cached_property
    def _joined(self) -> str:
        return "".join(self.words)

    @cached_property
    def _spaced(self) -> str:
        return f" {' '.join(self.words)} "

    @cached_property
    def _cased(self) -> tuple[str, ...]:
        return tuple(_WORD.findall(_DOTTED.sub("", self._text)))

    @cached_property
    def _numbers(self) -> frozenset[float]:
        return numbers_in(self._text)

    @cached_property
    def _dates(self) -> frozenset[tuple[int, int]]:
        return dates_in(self._text)

    @cached_property
    def _times(self) -> frozenset[tuple[int, int]]:
        return times_in(self._text)

    @cached_property
    def _days(self) -> frozenset[int]:
        return days_in(self._text)

    @cached_property
    def _is_relative(self) -> bool:
        return is_relative_date_in(self._text)

    def has_word(self, word: str) -> bool:
        """Whether a word stands there, a plural's s aside."""
        return _stem(word) in self._set

    def has_like(self, word: str) -> bool:
        """Whether a word stands there, or one that begins with its first five letters."""
        likeness = word[:5] if len(word) >= 4 else ""
        return self.has_word(word) or (
            likeness != "" and any(each.startswith(likeness) for each in self.words)
        )

    def has_number(self, value: float) -> bool:
        """Whether a number stands there in any spelling, its sign aside."""
        value = abs(value)
        return any(abs(value - number) <= 1e-9 * max(1.0, value) for number in self._numbers)

    def has_unit(self, value: str) -> bool:
        """Whether a unit or currency stands there, by any of its names."""
        return is_unit_in(self._text, value)

    def has_part(self, value: float, name: str) -> bool:
        """Whether the number is the part of a date or time that the parameter's name says."""
        parts = set(_words(name))
        if value == 0 and any(is_none_in(self._text, part) for part in parts - _SMALL_WORDS):
            return True
        if not parts.isdisjoint(("hour", "minute")):
            said = any(value in (hour, minute) for hour, minute in self._times)
            return said or is_relative_time_in(self._text)
        if "month" in parts and value in months_in(self._text):
            return True
        return self._is_relative and not parts.isdisjoint(("year", "month", "day"))

    def has_text(self, value: str) -> bool:
        """Whether a text stands there, or the larger part of its words, or its initials."""
        words = _words(value)
        if not words:
            return value.strip() != "" and value.strip() in self._text
        if f" {' '.join(words)} " in self._spaced:
            return True
        joined = "".join(words)
        # Scripts without spaces between words, and spellings such as "e-mail" and "wi fi".
        if joined in self._joined if not joined.isascii() else self._begins(joined):
            return True
        if joined in self._set:  # 4K
            return True
        if self.has_unit(value):
            return True
        if len(words) == 1:
            return self.has_word(words[0]) or self._is_initials(value.strip())
        initials = "".join(word[0] for word in words)
        if len(words) > 2 and initials in self._set:
            return True
        # Two letters are a word as often, but in capitals: LA, and NYC for New York.
        if len(words) == 2 and any(each.startswith(initials.upper()) for each in self._cased):
            return True
        weights = {w: len(w) for w in words if w not in _SMALL_WORDS} or dict.fromkeys(words, 1)
        found = sum(
            weight for word, weight in weights.items() if self.has_word(word) or self.has_unit(word)
        )
        return 2 * found >= sum(weights.values())

    def has_date(self, value: str) -> bool | None:
        """Whether the date or time that a text spells stands there; None where it spells none."""
        value = value.strip()
        if _MONTH_ONLY.fullmatch(value):
            return self._is_relative or bool(months_in(value) & months_in(self._text))
        if _TIME_ONLY.fullmatch(value):
            return self._has_time(value)
        if not _DATE.fullmatch(value) or not (dates := dates_in(value)):
            ends = _RANGE.split(value)
            dated = [self.has_date(end) for end in ends] if len(ends) == 2 else [None]
            return None if None in dated else all(dated)
        time = _TIME_BESIDE.search(value)
        if time and not _EDGE_OF_DAY.match(time[1]) and not self._has_time(time[1]):
            return False
        is_day = any(day in self._days for _, day in dates)
        return self._is_relative or is_day or bool(dates & self._dates)

    def _has_time(self, value: str) -> bool:
        if times_in(value) & self._times or is_relative_time_in(self._text):
            return True
        return bool(self._times) and is_duration_in(self._text)

    def _begins(self, joined: str) -> bool:
        """Whether words that stand together begin with these letters."""
        if len(joined) < 4:
            return False
        runs = ("".join(self.words[at : at + 6]) for at in range(len(self.words)))
        return any(run.startswith(joined) for run in runs)

    def _is_initials(self, word: str) -> bool:
        if not (2 <= len(word) <= 5 and word.isalpha() and word.isupper()):
            return False
        initials = "".join(each[0] for each in self._cased)
        return word in initials or (len(word) > 2 and word in initials.upper())


def _said(value: JSONValue, schema: Mapping[str, Any], name: str, said: Said) -> bool:
    """Decide for one value; the module's docstring is the table."""
    if "default" in schema and _equal(schema["default"], value):
        return True
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(choices, list):
        return len(choices) == 1 or _choice_said(value, said)
    if value is None or value in ("", [], {}):
        return False
    match value:
        case bool():
            names = [word for word in _words(name) if word not in _SMALL_WORDS]
            is_named = any(map(said.has_like, [*names, "".join(names)]))
            return is_named or any(map(said.has_word, _ANSWERS))
        case int() | float():
            return said.has_number(value) or said.has_part(value, name)
        case str():
            return _text_said(value, said)
        case list():
            inner = schema.get("items")
            items = inner if isinstance(inner, Mapping) else {}
            return _most(_said(each, items, name, said) for each in value)
        case dict():
            properties = schema.get("properties") or {}
            return _most(
                _said(each, properties.get(key) or {}, key, said) for key, each in value.items()
            )
    return True


def _text_said(value: str, said: Said) -> bool:
    if (dated := said.has_date(value)) is not None:
        return dated
    if said.has_text(value):
        return True
    number = re.fullmatch(r"[-+$€£¥]?(\d+(?:\.\d+)?)%?", value.strip())
    return number is not None and said.has_number(float(number[1]))


def _choice_said(value: JSONValue, said: Said) -> bool:
    """A choice out of a list: a word of it, or a word that it begins or that begins it."""
    if isinstance(value, bool) or value is None:
        return any(map(said.has_word, _ANSWERS))
    if isinstance(value, int | float):
        return said.has_number(value)
    words = [word for word in _words(str(value)) if word not in _SMALL_WORDS]
    if _text_said(str(value), said) or any(map(said.has_word, words)):
        return True
    return any(
        word.startswith(each) or (len(each) >= 4 and each.startswith(word) and len(word) >= 4)
        for each in words
        if len(each) >= 3
        for word in said.words
    )


def _most(values: Iterable[bool]) -> bool:
    found = list(values)
    return 2 * found.count(True) >= len(found)


def _equal(one: JSONValue, other: JSONValue) -> bool:
    return type(one) is type(other) and bool(one == other)


def resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference within the schema, and take the one option besides null.

    Args:
        schema: A parameter's.
        root: The schema that its references are meant in.
    """
    for _ in range(8):
        if (found := referred(schema, root)) is not None:
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**found, **rest}
            continue
        options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf") or ()
        # true and false are schemas as well.
        forms = [each if isinstance(each, Mapping) else {} for each in options]
        kept = [each for each in forms if each.get("type") != "null"]
        if len(kept) != 1:
            break
        schema = {
            **{k: v for k, v in schema.items() if k not in ("anyOf", "oneOf", "allOf")},
            **kept[0],
        }
    return schema


def referred(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what a schema's reference leads to, {} if that is no object; None without one."""
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    found: Any = root
    for step in unquote(reference).removeprefix("#/").split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


_WORD: Final = re.compile(r"[^\W_]+")
_DOTTED: Final = re.compile(r"(?<=\b[^\W\d_])\.(?=[^\W\d_]\b)")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _words(text: str) -> tuple[str, ...]:
    """Split into words, folded: no case, no accents, no punctuation; camelCase is two words."""
    decomposed = unicodedata.normalize("NFKD", _HUMP.sub(" ", _DOTTED.sub("", text)))
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    return tuple(_WORD.findall(plain.casefold()))


def _stem(word: str) -> str:
    """Drop a plural's ending; nothing cleverer, since names are looked up too."""
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 4 and word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
