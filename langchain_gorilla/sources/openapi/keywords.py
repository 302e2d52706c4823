"""The keywords of a schema that hold plain values: each one read as JSON Schema 2020-12 wants it.

A value that means nothing there, such as ``maxLength: "long"``, is left out: the schema then says
less, and stays valid.
"""

import json
import math
import re
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from langchain_gorilla.dialects import is_json, with_null

_TYPES: Final = ("string", "integer", "number", "boolean", "array", "object", "null")
_OTHER_TYPES: Final = {
    "file": "string",
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "bool": "boolean",
    "str": "string",
    "date": "string",
    "datetime": "string",
    "list": "array",
    "dict": "object",
}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:
        # Longer than a float can be, so it limits nothing that a model writes.
        return None


def _divisor(value: Any) -> int | float | None:
    number = _number(value)
    return number if number is not None and number > 0 else None


def _count(value: Any) -> int | None:
    number = _number(value)
    if number is None or number < 0 or number != int(number):
        return None
    return int(number)


def _limit(value: Any) -> int | float | bool | None:
    """Read 3.0's truth value too; ``settled`` turns it into a number."""
    return value if isinstance(value, bool) else _number(value)


def _names(value: Any) -> list[str] | None:
    if not isinstance(value, list):
        return None
    return list(dict.fromkeys(each for each in value if isinstance(each, str))) or None


def _type(value: Any) -> str | list[str] | None:
    words = value if isinstance(value, list) else [value]
    kinds = []
    for word in words:
        kind = _OTHER_TYPES.get(word, word) if isinstance(word, str) else None
        if kind not in _TYPES:
            return None
        kinds.append(kind)
    kinds = list(dict.fromkeys(kinds))
    return kinds[0] if len(kinds) == 1 else kinds or None


def _json(value: Any) -> Any:
    return value if is_json(value) else None


def _values(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) and value and is_json(value) else None


def _dependencies(value: Any) -> dict[str, list[str]] | None:
    if not isinstance(value, Mapping):
        return None
    return {str(key): names for key, each in value.items() if (names := _names(each))}


def _truth(value: Any) -> bool | None:
    return True if value is True else None


KEYWORDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "type": _type,
    "required": _names,
    "enum": _values,
    "default": _json,
    "uniqueItems": _truth,
    "multipleOf": _divisor,
    "dependentRequired": _dependencies,
    **dict.fromkeys(("minimum", "maximum"), _number),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), _limit),
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
        _count,
    ),
    **dict.fromkeys(
        ("description", "title", "format", "pattern", "contentEncoding", "contentMediaType"), _text
    ),
}
"""Keyword to a function that returns its value for JSON Schema, or None to leave it out."""


def settled(
    schema: dict[str, Any], given: Mapping[str, Any], hidden: Collection[str]
) -> dict[str, Any]:
    """Finish a converted schema: what depends on several of its keywords.

    Args:
        schema: Converted keyword by keyword; changed.
        given: As the description has it.
        hidden: Properties that a request must not have.
    """
    for exclusive, inclusive in (
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ):
        if (flag := schema.get(exclusive)) is True and inclusive in schema:
            schema[exclusive] = schema.pop(inclusive)
        elif isinstance(flag, bool):
            del schema[exclusive]
    if "pattern" in schema and not compiles(schema["pattern"]):
        schema["$comment"] = f"pattern: {schema.pop('pattern')}"
    patterns = schema.get("patternProperties")
    if patterns is not None and len(patterns) < len(given["patternProperties"]):
        # Names that fit a pattern which Python cannot read would be among the additional ones.
        schema.pop("additionalProperties", None)
        schema.pop("unevaluatedProperties", None)
    _required(schema, given, hidden)
    if schema.get("format") == "int-or-string":
        # Kubernetes says string, and reads a number in quotes as the name of a port.
        schema["type"] = ["integer", "string"]
    if "enum" in schema:
        kinds = schema.get("type", ())
        kinds = {kinds} if isinstance(kinds, str) else set(kinds)
        schema["enum"] = [_typed(each, kinds - {"null"}) for each in schema["enum"]]
        if _is_open(given) and "anyOf" not in schema:
            known = {key: schema.pop(key) for key in ("type", "enum") if key in schema}
            schema["anyOf"] = [known, {key: known[key] for key in ("type",) if key in known}]
    if given.get("nullable") is True or given.get("x-nullable") is True:
        return with_null(schema)
    return schema


def _is_open(given: Mapping[str, Any]) -> bool:
    """Say whether an ``enum`` lists known values among others, as Microsoft and Stripe tell."""
    about = given.get("x-ms-enum")
    as_text = isinstance(about, Mapping) and about.get("modelAsString") is True
    return as_text or given.get("x-stripeBypassValidation") is True


def _required(schema: dict[str, Any], given: Mapping[str, Any], hidden: Collection[str]) -> None:
    """Keep of ``required`` what may be sent, and lift draft 3's ``required: true``."""
    names = [name for name in schema.pop("required", ()) if name not in hidden]
    if (properties := schema.get("properties")) is not None:
        names += [
            str(name)
            for name, each in given["properties"].items()
            if isinstance(each, Mapping) and each.get("required") is True
            if str(name) in properties
        ]
        # What is demanded and not described is named, so that a model can see it.
        properties |= {name: {} for name in names if name not in properties}
    if names:
        schema["required"] = list(dict.fromkeys(names))


def _typed(value: Any, kinds: set[str]) -> Any:
    """Read a value of ``enum`` as its type says: authors forget quotes, and write too many."""
    if kinds == {"string"}:
        return json.dumps(value) if isinstance(value, bool | int | float) else value
    if not isinstance(value, str) or "string" in kinds:
        return value
    try:
        meant = json.loads(value.lower())
    except (ValueError, RecursionError):
        return value
    if isinstance(meant, bool):
        return meant if "boolean" in kinds else value
    return value if _number(meant) is None or not kinds & {"integer", "number"} else meant


def compiles(pattern: str) -> bool:
    """Say whether Python reads a regular expression."""
    with warnings.catch_warnings():
        # What Python warns about, such as "[[a]", it will read in another way one day.
        warnings.simplefilter("error")
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError, Warning):
            return False
    return True
