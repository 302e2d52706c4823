r"""Regular expressions of JSON Schema as rules over characters: ``pattern`` and ``format``.

The pattern is read by Python's own parser, because Python's ``re`` is what validation runs. A
class means what Python AND ECMA 262 agree on: ``\d`` and ``\w`` are ASCII, ``\W`` is what is
no word character in ASCII. So a text that the rule matches, validates; some texts that would
validate are not offered.

Sources: JSON Schema 2020-12 validation, section 6.3.3 (patterns are searched for, not matched
whole) and section 7.3 (formats); RFC 3339, RFC 4122, RFC 5321, RFC 2673.
"""

import importlib
import re
import sys
import warnings
from collections.abc import Sequence as Items
from functools import cache
from typing import Any, Final

from langchain_gorilla.grammar.rules import (
    ANY_CHARACTER,
    EMPTY,
    NOTHING,
    Chars,
    Literal,
    Rule,
    chars,
    choice,
    none_of,
    one_of,
    overlap,
    repeat,
    sequence,
)

# Python 3.11 moved its parser; it is private, but its tree has not changed since 3.11.
sre: Any = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")

_DIGIT: Final = chars((ord("0"), ord("9")))
_WORD: Final = chars((ord("0"), ord("9")), (ord("A"), ord("Z")), (ord("a"), ord("z")), (95, 95))
_ASCII: Final = chars((0, 0x7F))
_SPACE: Final = one_of(" \t\n\r\f\v")
# What str.isspace or ECMA's WhiteSpace and LineTerminator hold.
_ALL_SPACE: Final = chars(
    (0x09, 0x0D), (0x1C, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
    (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
_NOT_WORD: Final = overlap(_ASCII, none_of(_WORD))
_NOT_DIGIT: Final = overlap(_ASCII, none_of(_DIGIT))
_CATEGORIES: Final = {
    "CATEGORY_DIGIT": _DIGIT,
    "CATEGORY_NOT_DIGIT": _NOT_DIGIT,
    "CATEGORY_SPACE": _SPACE,
    "CATEGORY_NOT_SPACE": none_of(_ALL_SPACE),
    "CATEGORY_WORD": _WORD,
    "CATEGORY_NOT_WORD": _NOT_WORD,
}
_COMPLEMENTS: Final = {
    "CATEGORY_DIGIT": _NOT_DIGIT,
    "CATEGORY_NOT_DIGIT": _DIGIT,
    "CATEGORY_SPACE": none_of(_ALL_SPACE),
    "CATEGORY_NOT_SPACE": _SPACE,
    "CATEGORY_WORD": _NOT_WORD,
    "CATEGORY_NOT_WORD": _WORD,
}
_ANYTHING: Final = repeat(ANY_CHARACTER)
_BEGINNINGS: Final = ("AT_BEGINNING", "AT_BEGINNING_STRING")
_ENDS: Final = ("AT_END", "AT_END_STRING")

_HEX: Final = "[0-9a-fA-F]"
_DAYS: Final = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    r"|02-(?:0[1-9]|1\d|2[0-8]))"
)
_LEAP_YEAR: Final = r"(?:[12]\d(?:0[48]|[2468][048]|[13579][26])|(?:1[26]|2[048])00)"
_DATE: Final = rf"(?:[12]\d{{3}}-{_DAYS}|{_LEAP_YEAR}-02-29)"
# RFC 3339 wants an offset, but Pydantic's schemas say "date-time" and "time" of naive values too,
# and an offset that nobody named would make another time of one.
_OFFSET: Final = r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?"
_TIME: Final = rf"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{{1,6}})?{_OFFSET}"
_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
# So few digits that Python's timedelta holds each.
_N: Final = r"\d{1,6}"
_DAY_PART: Final = rf"T(?:{_N}H(?:{_N}M(?:{_N}S)?)?|{_N}M(?:{_N}S)?|{_N}S)"
_DURATION: Final = (
    rf"P(?:{_N}W|(?:{_N}Y(?:{_N}M(?:{_N}D)?)?|{_N}M(?:{_N}D)?|{_N}D)(?:{_DAY_PART})?|{_DAY_PART})"
)
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

FORMATS: Final = {
    "date": rf"^{_DATE}$",
    "time": rf"^{_TIME}$",
    "date-time": rf"^{_DATE}T{_TIME}$",
    "uuid": rf"^{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}$",
    "email": rf"^{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*$",
    "ipv4": rf"^{_OCTET}(?:\.{_OCTET}){{3}}$",
    "hostname": rf"^{_LABEL}(?:\.{_LABEL})*$",
    "uri": r"^[A-Za-z][A-Za-z0-9+.-]*:[!#$%&'()*+,./0-9:;=?@A-Za-z_~-]+$",
    "duration": rf"^{_DURATION}$",
}
"""Format name to pattern; each matches only texts of that format, not always all of them, and
times without an offset."""

NO_TEXT_FORMATS: Final = frozenset({"int32", "int64", "float", "double", "password", "binary"})
"""OpenAPI's hints that say nothing about the text."""


class UncompilablePatternError(ValueError):
    """The pattern is valid, but uses what no grammar can say; the message names it."""


@cache
def pattern(source: str) -> Rule:
    """Match the texts in which ``source`` is found.

    Raises:
        re.error: ``source`` is no regular expression.
        UncompilablePatternError: It needs look-around, a back-reference or the like.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of [[ and the like; ECMA does not.
        re.compile(source)
        parsed = sre.parse(source)
    if parsed.state.flags & (re.IGNORECASE | re.MULTILINE | re.VERBOSE | re.ASCII):
        raise UncompilablePatternError("inline flags")
    return _searched(list(parsed))


@cache
def string_format(name: str) -> Rule | None:
    """Match texts of a format, or None where it is not known."""
    source = FORMATS.get(name)
    return None if source is None else pattern(source)


def _searched(items: Items[tuple[Any, Any]]) -> Rule:
    """Wrap a pattern in ``.*`` on the sides where it is not anchored."""
    if len(items) == 1:
        kind, value = str(items[0][0]), items[0][1]
        if kind == "BRANCH":
            return choice(*(_searched(list(option)) for option in value[1]))
        if kind == "SUBPATTERN" and not value[1] and not value[2]:
            return _searched(list(value[3]))
    inner = list(items)
    start, end = False, False
    while inner and str(inner[0][0]) == "AT" and str(inner[0][1]) in _BEGINNINGS:
        start, inner = True, inner[1:]
    while inner and str(inner[-1][0]) == "AT" and str(inner[-1][1]) in _ENDS:
        end, inner = True, inner[:-1]
    if _impossible(inner):
        return NOTHING
    middle = _rule(inner)
    return sequence(EMPTY if start else _ANYTHING, middle, EMPTY if end else _ANYTHING)


def _impossible(items: Items[tuple[Any, Any]]) -> bool:
    """Whether a character has to stand before the beginning: ``.^`` is how some say "never"."""
    kinds = [str(value) if str(kind) == "AT" else str(kind) for kind, value in items]
    one = ("LITERAL", "NOT_LITERAL", "ANY", "IN")
    return any(
        kind in _BEGINNINGS and any(before in one for before in kinds[:place])
        for place, kind in enumerate(kinds)
    )


def _rule(items: Items[tuple[Any, Any]]) -> Rule:
    return sequence(*(_item(str(kind), value) for kind, value in items))


def _item(kind: str, value: Any) -> Rule:
    match kind:
        case "LITERAL":
            return Literal(chr(value))
        case "NOT_LITERAL":
            return none_of(chars((value, value)))
        case "ANY":
            return none_of(one_of("\n\r\u2028\u2029"))
        case "IN":
            return _class(value)
        case "BRANCH":
            return choice(*(_rule(list(option)) for option in value[1]))
        case "SUBPATTERN":
            if value[1] or value[2]:
                raise UncompilablePatternError("inline flags")
            return _rule(list(value[3]))
        case "MAX_REPEAT" | "MIN_REPEAT":
            least, most, inner = value
            return repeat(_rule(list(inner)), least, None if most == sre.MAXREPEAT else most)
        case "AT":
            raise UncompilablePatternError("an anchor inside")
        case "ASSERT" | "ASSERT_NOT":
            raise UncompilablePatternError("look-around")
        case "GROUPREF" | "GROUPREF_EXISTS":
            raise UncompilablePatternError("a back-reference")
        case _:
            raise UncompilablePatternError(kind.lower().replace("_", " "))


def _class(items: Items[tuple[Any, Any]]) -> Chars:
    negated = bool(items) and str(items[0][0]) == "NEGATE"
    sets: list[Chars] = []
    for kind, value in items[negated:]:
        match str(kind):
            case "LITERAL":
                sets.append(chars((value, value)))
            case "RANGE":
                sets.append(chars(value))
            case _:
                table = _COMPLEMENTS if negated else _CATEGORIES
                sets.append(table[str(value)])
                if negated:
                    # A complement is met with the others, not joined to them.
                    sets[-1] = none_of(sets[-1])
    joined = chars(*(range_ for one in sets for range_ in one.ranges))
    return none_of(joined) if negated else joined
