"""Numbers and strings of JSON Schema: what the keywords of one scalar type say together."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, TypeAlias

from langchain_gorilla.grammar.emptiness import have_common_text
from langchain_gorilla.grammar.merging import (
    ContradictionError,
    Schema,
    SchemaError,
    is_type,
    listed,
)
from langchain_gorilla.grammar.notation import Notation, free_text
from langchain_gorilla.grammar.numbers import (
    Bounds,
    any_number,
    decimal_multiples,
    integer,
    multiples,
    number,
)
from langchain_gorilla.grammar.patterns import (
    NO_TEXT_FORMATS,
    UncompilablePatternError,
    pattern,
    string_format,
)
from langchain_gorilla.grammar.rules import (
    ANY_CHARACTER,
    NOTHING,
    Both,
    Literal,
    Rule,
    Terminal,
    repeat,
)
from langchain_gorilla.metaschema import is_foreign

Left: TypeAlias = Callable[[str, str, str], None]
"""Takes note of path, keyword and reason of what is left to validation."""

_MOST_DIGITS: Final = 40
"""Of a bound, before or after its point; each is a level of the rule."""

# What Python says of a pattern that is broken in ECMA 262 and PCRE as well. What it refuses
# otherwise, is written in one of those: validation lets it pass, so the grammar does.
_BROKEN: Final = re.compile(
    r"unterminated|unbalanced|nothing to repeat|multiple repeat|min repeat|end of pattern"
    r"|range [^\\]-[^\\] "
)


def bounds(schema: Schema, path: str) -> Bounds:
    """minimum, maximum, exclusiveMinimum, exclusiveMaximum."""
    low, low_excluded = _tighter(schema, "minimum", "exclusiveMinimum", path, 1)
    high, high_excluded = _tighter(schema, "maximum", "exclusiveMaximum", path, -1)
    bounds = Bounds(low, high, low_excluded, high_excluded)
    if bounds.empty:
        raise ContradictionError(path, f"no number lies between minimum {low} and maximum {high}")
    return bounds


def numbers(schema: Schema, path: str, left: Left, *, whole: bool) -> Rule:
    """Integers and numbers of a range."""
    inside = bounds(schema, path)
    given = schema.get("multipleOf")
    if given is not None and not (is_type(given, "number") and 0 < given < math.inf):
        raise SchemaError(path, f"multipleOf {given!r} is not above 0")
    inside = _sayable(inside, schema, path, left)
    # In lowest terms: of integers 5/2 divides just those that 5 divides.
    divisor = None if given is None else Fraction(str(given))
    low, high = inside.integers()
    rule: Rule | None
    if whole or (divisor is not None and divisor.denominator == 1):
        plain = integer(low, high)
        step = 1 if divisor is None else divisor.numerator
        rule = plain if step == 1 else multiples(step, low, high)
    elif inside == Bounds() and divisor is None:
        return Terminal(any_number())
    else:
        plain = number(inside)
        rule = plain if divisor is None else decimal_multiples(Decimal(str(given)), inside)
    if rule is None:
        left(path, "multipleOf", f"{given} has too many multiples and no short rule")
        rule = plain
    return _some(rule, path)


def _sayable(inside: Bounds, schema: Schema, path: str, left: Left) -> Bounds:
    """Drop bounds that only a rule as deep as they have digits could say, such as 1e-125."""
    if _is_long(inside.low):
        inside = replace(inside, low=None, low_excluded=False)
        _leave(("minimum", "exclusiveMinimum"), schema, path, left)
    if _is_long(inside.high):
        inside = replace(inside, high=None, high_excluded=False)
        _leave(("maximum", "exclusiveMaximum"), schema, path, left)
    return inside


def _is_long(bound: Decimal | None) -> bool:
    if not bound:
        return False
    exponent = bound.as_tuple().exponent
    return bound.adjusted() > _MOST_DIGITS or -int(exponent) > _MOST_DIGITS


def _leave(keywords: tuple[str, str], schema: Schema, path: str, left: Left) -> None:
    for keyword in keywords:
        if keyword in schema:
            left(path, keyword, f"{schema[keyword]} has more than {_MOST_DIGITS} digits")


def _some(rule: Rule, path: str) -> Rule:
    if rule == NOTHING:
        raise ContradictionError(path, "no number fits its range and multipleOf")
    return rule if isinstance(rule, Literal) else Terminal(rule)


def limits(schema: Schema, least: str, most: str, path: str) -> tuple[int, int | None]:
    """MinLength and maxLength, minItems and maxItems."""
    low, high = schema.get(least, 0), schema.get(most)
    for keyword, limit in ((least, low), (most, high)):
        if limit is not None and (limit != int(limit) or limit < 0):
            raise SchemaError(path, f"{keyword} {limit!r} is not a natural number")
    low, high = int(low), None if high is None else int(high)
    if high is not None and low > high:
        raise ContradictionError(path, f"{least} {low} against {most} {high}")
    return low, high


def string(schema: Schema, path: str, notation: Notation, left: Left) -> Rule:
    """Strings: pattern, format and length at once."""
    parts: list[Rule] = []
    for source in listed(schema["pattern"]) if "pattern" in schema else ():
        if (rule := _pattern(source, path, left)) is not None:
            parts.append(rule)
    least, most = limits(schema, "minLength", "maxLength", path)
    if least or most is not None:
        parts.append(repeat(ANY_CHARACTER, least, most))
    if NOTHING in parts:
        raise ContradictionError(path, f"no text matches pattern {schema['pattern']!r}")
    if len(parts) > 1 and not have_common_text(parts):
        keywords = ("pattern", "minLength", "maxLength")
        shown = ", ".join(f"{key} {schema[key]!r}" for key in keywords if key in schema)
        raise ContradictionError(path, f"no text fits {shown} at once")
    for name in listed(schema["format"]) if "format" in schema else ():
        if (rule := _format(name, path, left)) is None:
            continue
        if not parts or have_common_text([*parts, rule]):
            parts.append(rule)
        else:
            # Tools say "date-time" and mean a pattern of their own; validation asks for that.
            left(path, "format", f"no {name} fits the keywords beside it")
    if not parts:
        return free_text(notation)
    return notation.text(parts[0] if len(parts) == 1 else Both(tuple(parts)))


def _pattern(source: Any, path: str, left: Left) -> Rule | None:
    """Pattern."""
    try:
        rule = pattern(source)
    except (re.error, TypeError, RecursionError, OverflowError) as error:
        # ECMA 262 writes [^] for any character.
        if isinstance(error, re.error) and ("[^]" in source or not _BROKEN.search(str(error))):
            left(path, "pattern", "it is written in another dialect than Python's")
            return None
        raise SchemaError(
            path, f"pattern {source!r} does not compile as a regular expression: {error}"
        ) from None
    except UncompilablePatternError as error:
        left(path, "pattern", f"a grammar cannot say {error}")
        return None
    if is_foreign(source):
        left(path, "pattern", "it is written in another dialect than Python's")
        return None
    return rule


def _format(name: Any, path: str, left: Left) -> Rule | None:
    """Format."""
    if name in NO_TEXT_FORMATS:
        return None
    rule = string_format(name) if isinstance(name, str) else None
    if rule is None:
        left(path, "format", f"no rule for {name!r}")
    return rule


def _tighter(
    schema: Schema, inclusive: str, exclusive: str, path: str, sign: int
) -> tuple[Decimal | None, bool]:
    """The tighter of two bounds, and whether it is excluded itself."""
    limits = []
    for keyword in (inclusive, exclusive):
        if keyword not in schema:
            continue
        value = schema[keyword]
        if not is_type(value, "number") or not math.isfinite(value):
            raise SchemaError(path, f"{keyword} {value!r} is not a number")
        limits.append((sign * Decimal(str(value)), keyword == exclusive))
    if not limits:
        return None, False
    limit, excluded = max(limits)
    return sign * limit, excluded
