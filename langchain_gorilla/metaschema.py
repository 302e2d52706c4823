"""Whether a schema is one, by its draft's metaschema, and what checks values against it."""

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from math import isfinite
from typing import Any, Final

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.errors import InvalidFunctionError
from langchain_gorilla.schema_keywords import TYPES, subschemas

_FOREIGN_CLASS: Final = re.compile(
    r"\[[^\]]*\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word"
    r"|xdigit):\]|&&\["
)
"""POSIX's ``[[:alnum:]_]`` and Java's ``[a-z&&[^aeiou]]``, which Python reads as something else."""


def check_schema(schema: dict[str, JSONValue], tool: str) -> None:
    """Refuse what is no JSON schema that can be used here.

    Args:
        schema: The parameters of a tool, in JSON Schema's own type names.
        tool: Its name, for error messages.

    Raises:
        InvalidFunctionError: Names the place and what is wrong there.
    """
    try:
        json.dumps(schema, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError) as error:
        raise InvalidFunctionError(
            f"The parameters of tool {tool!r} cannot be written as JSON: {error}."
        ) from error
    parts = list(subschemas(schema))
    # The metaschema takes 2 ms a tool, ten seconds for a large catalog, so it is asked only
    # about schemas with something in them that is not plainly right.
    if not all(map(_is_plainly_valid, parts)):
        draft = validator_for(schema, default=Draft202012Validator)
        # No format checker: a pattern may be written for another regex dialect (see validation).
        for mistake in draft(draft.META_SCHEMA).iter_errors(schema):
            place = ".".join(["parameters", *map(str, mistake.absolute_path)])
            raise InvalidFunctionError(
                f"Tool {tool!r} has no valid JSON schema: at {place}, "
                f"{_shortened(mistake.message)}. Correct it there."
            )
    for pattern in (key for part in parts for key in part.get("patternProperties", ())):
        try:
            re.compile(pattern)
        except (re.error, OverflowError) as error:
            raise InvalidFunctionError(
                f"Tool {tool!r} has a patternProperties key that is no Python regular "
                f"expression: {pattern!r} ({error})."
            ) from error
    references = {part["$ref"] for part in parts if "$ref" in part}
    # Below an $id references have another base; validation then finds what is missing.
    if references and not any("$id" in part for part in parts):
        _check_references(references, schema, tool)


def fits_pattern(pattern: str, text: str) -> bool:
    r"""Search a ``pattern`` in a text; what Python cannot read lets any text pass.

    Another dialect's may be right, such as JavaScript's ``\p{L}``.
    """
    readable = _readable(pattern)
    return readable is None or readable.search(text) is not None


@lru_cache(maxsize=4096)
def _readable(pattern: str) -> re.Pattern[str] | None:
    """Compile a pattern; None where it is of another dialect."""
    if is_foreign(pattern):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of [[ and the like; ECMA does not.
            return re.compile(pattern)
    except (re.error, OverflowError):
        return None


def is_foreign(pattern: str) -> bool:
    """Tell whether Python compiles a ``pattern``, but not to what it means where it comes from."""
    return _FOREIGN_CLASS.search(pattern) is not None


@lru_cache
def with_own_keywords(draft: Any) -> Any:
    """Return a draft's validator that reads ``pattern`` and ``multipleOf`` as they are meant.

    ``multipleOf: 0.01`` is of the numbers as they are written: 19.99 is one, though no float is.
    """
    own = {"pattern": _check_pattern, "multipleOf": _check_multiple}
    return extend(draft, own)  # type: ignore[no-untyped-call]


def _check_pattern(
    validator: Validator, pattern: str, value: JSONValue, schema: Mapping[str, JSONValue]
) -> Iterator[ValidationError]:
    if isinstance(value, str) and not fits_pattern(pattern, value):
        yield ValidationError("does not match")


def _check_multiple(
    validator: Validator, divisor: float, value: JSONValue, schema: Mapping[str, JSONValue]
) -> Iterator[ValidationError]:
    if not _is_number(value):
        return
    if not isfinite(value) or (_written(value) / _written(divisor)).denominator != 1:
        yield ValidationError(f"is not a multiple of {divisor}")


def _written(number: Any) -> Fraction:
    return Fraction(number if isinstance(number, int) else str(number))


def all_text(value: Any) -> bool:
    """Whether this is a list or tuple of strings."""
    return isinstance(value, list | tuple) and all(map(_is_text, value))


def _check_references(references: set[str], schema: dict[str, JSONValue], tool: str) -> None:
    resolver = REGISTRY.resolver_with_root(DRAFT202012.create_resource(schema))
    for reference in sorted(references):
        try:
            resolver.lookup(reference)
        except (Unresolvable, ValueError):  # A list has no place that is a word.
            raise InvalidFunctionError(
                f"Tool {tool!r} refers to {reference!r}, which its schema does not hold. "
                "References are never fetched: put the schema under '$defs'."
            ) from None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict | bool)


def _are_named_schemas(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_schema, value.values()))


def _are_schemas(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_schema, value))


# Keywords whose values are easily seen to be right, in every draft from 6 on.
_PLAINLY_VALID: Final = {
    "type": lambda value: value in TYPES if _is_text(value) else all_text(value),
    "required": lambda value: all_text(value) and len(set(value)) == len(value),
    "enum": lambda value: isinstance(value, list),
    "default": lambda value: True,
    "const": lambda value: True,
    "$schema": lambda value: _is_text(value) and value.rstrip("#") in REGISTRY,
    **dict.fromkeys(("description", "title", "format", "pattern", "$ref", "$comment"), _is_text),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _is_count),
    **dict.fromkeys(("items", "additionalProperties"), _is_schema),
    **dict.fromkeys(("properties", "$defs", "definitions"), _are_named_schemas),
    **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), _are_schemas),
}


def _is_plainly_valid(schema: Mapping[str, JSONValue]) -> bool:
    return all(
        (test := _PLAINLY_VALID.get(key)) is not None and test(value)
        for key, value in schema.items()
    )


def _shortened(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:119]}…"
