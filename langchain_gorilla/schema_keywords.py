"""JSON Schema's own vocabulary: its types, and the keywords under which a schema holds schemas."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from langchain_gorilla.calls import JSONValue

TYPES: Final = ("string", "integer", "number", "boolean", "array", "object", "null")

MAPS_OF_SCHEMAS: Final = (
    "properties",
    "patternProperties",
    "dependentSchemas",
    "$defs",
    "definitions",
)
LISTS_OF_SCHEMAS: Final = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
SCHEMAS: Final = (
    "items",
    "additionalProperties",
    "additionalItems",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contains",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
)


def subschemas(schema: Mapping[str, JSONValue]) -> Iterator[Mapping[str, JSONValue]]:
    """Yield a schema and all schemas inside it, ``$ref`` not followed."""
    yield schema
    for key, value in schema.items():
        inside: list[Any] = []
        if key in MAPS_OF_SCHEMAS and isinstance(value, Mapping):
            inside = list(value.values())
        elif key in LISTS_OF_SCHEMAS and isinstance(value, list):
            inside = value
        elif key in SCHEMAS:
            inside = [value]
        for each in inside:
            if isinstance(each, Mapping):
                yield from subschemas(each)
