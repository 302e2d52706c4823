"""Two JSON schemas that both hold, as one: ``allOf``, and keywords beside ``$ref`` or ``anyOf``."""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final, TypeAlias

from langchain_gorilla.calls import JSONValue

Schema: TypeAlias = Mapping[str, JSONValue]

UNMERGED: Final = "\0unmerged"
"""Private keyword: names of the keywords of which only one of two could be kept."""

_MOST_OPTIONS: Final = 64
"""Of an anyOf made of two, each of whose options is compiled; of many anyOf they are a power."""

TYPES: Final = ("null", "boolean", "integer", "number", "string", "array", "object")
ANNOTATIONS: Final = frozenset(
    [
        "title",
        "description",
        "default",
        "example",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "optional",
        "$comment",
        "$defs",
        "definitions",
        "$schema",
        "$id",
        "$anchor",
        "discriminator",
        "xml",
        "externalDocs",
    ]
)


class SchemaError(ValueError):
    """This is no usable JSON schema; ``path`` says where."""

    def __init__(self, path: str, reason: str) -> None:
        """Keep where and why."""
        super().__init__(f"{path or 'the schema'}: {reason}")
        self.path = path
        self.reason = reason


class ContradictionError(SchemaError):
    """No value fits."""


def types_of(schema: Schema) -> tuple[str, ...]:
    """Name the types that a schema allows; where it names none, guess from its keywords.

    JSON Schema lets ``{"minimum": 1}`` match any string; a tool's author meant a number.
    """
    given = schema.get("type")
    if isinstance(given, str):
        return (given,)
    if isinstance(given, list | tuple):
        return tuple(given)
    if "enum" in schema:
        return TYPES
    for name, keywords in _TYPICAL.items():
        if any(keyword in schema for keyword in keywords):
            return (name,)
    if any(name in _TEXT_FORMATS for name in listed(schema.get("format"))):
        return ("string",)
    return TYPES


_TYPICAL: Final[dict[str, tuple[str, ...]]] = {
    "object": ("properties", "required", "additionalProperties", "patternProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
    "string": ("pattern", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
# ``dialects`` makes a format of a type that nobody knows, so any other word may be of any type.
_TEXT_FORMATS: Final = frozenset(
    {"date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname"}
    | {"ipv4", "ipv6", "uri", "uri-reference", "uri-template", "iri", "iri-reference", "uuid"}
    | {"json-pointer", "relative-json-pointer", "regex", "byte", "binary", "password"}
)


def others(schema: Schema) -> JSONValue:
    """Give the schema of an object's members that ``properties`` does not name; False is none.

    Any name may be one of ``patternProperties``: which are, only validation says.
    """
    found = schema.get("additionalProperties", True)
    patterned = (schema.get("patternProperties") or {}).values()
    offered = [each for each in patterned if each is not False]
    return {"anyOf": offered} if found is False and offered else found


def further(schema: Schema) -> JSONValue:
    """Give those of ``others`` that a grammar offers: where some are said, none that are not."""
    if "additionalProperties" in schema:
        return others(schema)
    return others({**schema, "additionalProperties": False}) or not schema.get("properties")


def placed(schema: Schema) -> tuple[list[JSONValue], JSONValue]:
    """Give the schemas of an array's first items, and that of the others."""
    rest = schema.get("items", True)
    if isinstance(rest, list):  # Drafts 4 to 2019-09.
        return rest, schema.get("additionalItems", True)
    return schema.get("prefixItems") or [], rest


def is_type(value: JSONValue, name: str) -> bool:
    """Tell whether a value is of a JSON Schema type."""
    match name:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            whole = isinstance(value, float) and value.is_integer()
            return (isinstance(value, int) and not isinstance(value, bool)) or whole
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "array":
            return isinstance(value, list | tuple)
        case "object":
            return isinstance(value, Mapping)
        case _:
            return False


def same(left: JSONValue, right: JSONValue) -> bool:
    """Compare as JSON does: 1 is 1.0, but not true."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    return bool(left == right)


def merged(left: JSONValue, right: JSONValue, path: str) -> JSONValue:
    """Give a schema that holds where both do.

    Raises:
        ContradictionError: They cannot both hold.
    """
    for one, other in ((left, right), (right, left)):
        if one is True or one == {}:
            return other
        if one is False:
            return False
    result: dict[str, Any] = {}
    for key in {**left, **right}:
        if key in _SHARED_OUT:
            continue
        if key not in left or key not in right:
            result[key] = left.get(key, right.get(key))
        elif key in ANNOTATIONS or key.startswith("x-"):
            result[key] = right[key]
        elif key == "anyOf" and len(left[key]) * len(right[key]) > _MOST_OPTIONS:
            result[key] = max(left[key], right[key], key=len)
            result[UNMERGED] = [*result.get(UNMERGED, []), key]
        elif key in _MERGERS:
            result[key] = _MERGERS[key](left[key], right[key], path)
        elif same(left[key], right[key]):
            result[key] = left[key]
        else:
            result[key] = left[key]
            result[UNMERGED] = [*result.get(UNMERGED, []), key]
    result.update(_objects(left, right))
    result.update(_arrays(left, right))
    return result


_SHARED_OUT: Final = (
    *("properties", "additionalProperties"),
    *("prefixItems", "items", "additionalItems"),
)
"""Keywords that share out a value's parts, so that both sides' are read together."""


def _objects(left: Schema, right: Schema) -> dict[str, Any]:
    """A name that one side does not know falls under that side's additionalProperties."""
    result: dict[str, Any] = {}
    names = {**(left.get("properties") or {}), **(right.get("properties") or {})}
    if "properties" in left or "properties" in right:
        result["properties"] = {
            name: _all(*(_member(schema, name) for schema in (left, right))) for name in names
        }
    if "additionalProperties" in left or "additionalProperties" in right:
        result["additionalProperties"] = _all(
            *(schema.get("additionalProperties", True) for schema in (left, right))
        )
    return result


def _member(schema: Schema, name: str) -> JSONValue:
    properties = schema.get("properties") or {}
    return properties[name] if name in properties else others(schema)


def _arrays(left: Schema, right: Schema) -> dict[str, Any]:
    """A place that one side's prefixItems do not reach falls under that side's items."""
    result: dict[str, Any] = {}
    both = [placed(schema) for schema in (left, right)]
    places = max(len(first) for first, _ in both)
    prefix = [
        _all(*(first[place] if place < len(first) else rest for first, rest in both))
        for place in range(places)
    ]
    if False in prefix:  # the array ends before
        return {"prefixItems": prefix[: prefix.index(False)], "items": False}
    if prefix:
        result["prefixItems"] = prefix
    if "items" in left or "items" in right:
        result["items"] = _all(*(rest for _, rest in both))
    return result


def _all(left: JSONValue, right: JSONValue) -> JSONValue:
    if left is False or right is False:
        return False
    kept: list[JSONValue] = []
    for schema in (left, right):
        parts = schema.get("allOf") if isinstance(schema, Mapping) and len(schema) == 1 else None
        # Each once: where both sides refer to themselves, they meet again at every depth.
        for part in parts or [schema]:
            if part is not True and part != {} and not any(same(part, one) for one in kept):
                kept.append(part)
    return kept[0] if len(kept) == 1 else {"allOf": kept} if kept else True


def _types(left: Any, right: Any, path: str) -> JSONValue:
    rights = types_of({"type": right})
    kept: dict[str, None] = {}
    for name in types_of({"type": left}):
        if name in rights:
            kept.setdefault(name)
        elif (name == "integer" and "number" in rights) or (
            name == "number" and "integer" in rights
        ):
            kept.setdefault("integer")
    if not kept:
        raise ContradictionError(path, f"type {left!r} against type {right!r}")
    return list(kept)


def _enum(left: Any, right: Any, path: str) -> JSONValue:
    kept = [value for value in left if any(same(value, other) for other in right)]
    if not kept:
        raise ContradictionError(path, f"enum {left!r} against enum {right!r}")
    return kept


def _least(left: Any, right: Any, path: str) -> JSONValue:
    return max(left, right)


def _most(left: Any, right: Any, path: str) -> JSONValue:
    return min(left, right)


def _multiple(left: Any, right: Any, path: str) -> JSONValue:
    one, other = Fraction(str(left)), Fraction(str(right))
    common = Fraction(
        math.lcm(one.numerator, other.numerator), math.gcd(one.denominator, other.denominator)
    )
    return int(common) if common.denominator == 1 else float(common)


def _union(left: Any, right: Any, path: str) -> JSONValue:
    return list(dict.fromkeys([*left, *right]))


def _list(left: Any, right: Any, path: str) -> JSONValue:
    return [*left, *right]


def _product(left: Any, right: Any, path: str) -> JSONValue:
    return [{"allOf": [one, other]} for one in left for other in right]


def _both(left: Any, right: Any, path: str) -> JSONValue:
    return tuple(dict.fromkeys([*listed(left), *listed(right)]))


def listed(value: Any) -> tuple[Any, ...]:
    """Give the one or several patterns or formats that merging left."""
    return value if isinstance(value, tuple) else (value,)


_MERGERS: Final[dict[str, Callable[[Any, Any, str], JSONValue]]] = {
    "type": _types,
    "enum": _enum,
    "minimum": _least,
    "exclusiveMinimum": _least,
    "minLength": _least,
    "minItems": _least,
    "minProperties": _least,
    "maximum": _most,
    "exclusiveMaximum": _most,
    "maxLength": _most,
    "maxItems": _most,
    "maxProperties": _most,
    "multipleOf": _multiple,
    "required": _union,
    "allOf": _list,
    "anyOf": _product,
    "pattern": _both,
    "format": _both,
    UNMERGED: _list,
}
