"""A schema without ``$ref``, ``allOf``, ``const`` and the spellings of older dialects."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urljoin

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.dialects import with_null
from langchain_gorilla.grammar.merging import (
    ContradictionError,
    Schema,
    SchemaError,
    further,
    is_type,
    merged,
    same,
    types_of,
)
from langchain_gorilla.schema_keywords import subschemas

_DEEPEST = 32


class Resolver:
    """Looks schemas up in the document that they are part of."""

    def __init__(self, root: JSONValue) -> None:
        """Keep the document that ``#`` stands for."""
        self.root = root

    def target(self, pointer: str, path: str) -> JSONValue:
        """Return what a ``$ref`` points to, itself no mere ``$ref``."""
        seen = [pointer]
        found = self._at(pointer, path)
        while isinstance(found, Mapping) and set(found) == {"$ref"}:
            if found["$ref"] in seen:
                raise SchemaError(path, f"$ref {pointer!r} leads in a circle")
            seen.append(found["$ref"])
            found = self._at(found["$ref"], path)
        return found

    def _at(self, pointer: str, path: str) -> JSONValue:
        document, _, place = pointer.partition("#")
        found = self.root
        if document or (place and not place.startswith("/")):
            address = self._address(document if place[:1] in ("", "/") else pointer)
            if address not in self._addressed:
                raise SchemaError(path, f"$ref {pointer!r} leads outside of the schema")
            found = self._addressed[address]
        # A fragment of a URI: its percent signs are read before its slashes.
        for part in unquote(place[1:]).split("/") if place.startswith("/") else ():
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
                found = found[int(name)]
            else:
                raise SchemaError(path, f"$ref {pointer!r} leads to nothing")
        return found

    @cached_property
    def _addressed(self) -> dict[str, JSONValue]:
        """The schemas with an address of their own, as TypeBox writes what contains itself."""
        found: dict[str, JSONValue] = {}
        for schema in subschemas(self.root) if isinstance(self.root, Mapping) else ():
            if isinstance(name := schema.get("$id"), str):
                found.setdefault(self._address(name), schema)
            if isinstance(anchor := schema.get("$anchor"), str):
                found.setdefault(self._address(f"#{anchor}"), schema)
        return found

    def _address(self, reference: str) -> str:
        """Write a reference as it is meant in the document."""
        base = self.root.get("$id") if isinstance(self.root, Mapping) else None
        return urljoin(base, reference) if isinstance(base, str) else reference

    def plain(self, schema: JSONValue, path: str, depth: int = 0) -> JSONValue:
        """Return the schema with what it refers to and requires merged into it."""
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping):
            raise SchemaError(path, f"{schema!r} is not a JSON schema")
        if depth > _DEEPEST:
            raise SchemaError(path, "$ref and allOf lead in a circle")
        if _is_never(schema):
            return False
        result = respelled(schema, path)
        parts = []
        if isinstance(result.get("$ref"), str):
            parts.append(self.target(result.pop("$ref"), path))
        if "allOf" in result:
            parts.extend(options(result.pop("allOf"), "allOf", path))
        whole: JSONValue = result
        for part in parts:
            whole = merged(self.plain(part, path, depth + 1), whole, path)
            if isinstance(whole, Mapping) and "allOf" in whole:
                whole = self.plain(whole, path, depth + 1)
        return whole


def options(value: JSONValue, keyword: str, path: str) -> list[JSONValue]:
    """Return the schemas in anyOf, oneOf or allOf."""
    if not isinstance(value, list) or not value:
        raise SchemaError(path, f"{keyword} is not a list of schemas")
    return value


def respelled(schema: Schema, path: str) -> dict[str, Any]:
    """Turn const, nullable, boolean bounds and ``{"not": {}}`` into today's keywords."""
    result = dict(schema)
    for keyword in ("items", "additionalItems", "additionalProperties"):
        if _is_never(result.get(keyword)):
            result[keyword] = False
    if any(map(_is_never, (result.get("properties") or {}).values())):
        result["properties"] = {
            name: False if _is_never(value) else value
            for name, value in result["properties"].items()
        }
    if "const" in result:
        const = result.pop("const")
        if "enum" in result and not any(same(const, value) for value in result["enum"]):
            raise ContradictionError(path, f"const {const!r} is not in enum")
        result["enum"] = [const]
    for bound, exclusive in (
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ):  # Draft 4 and OpenAPI 3.0.
        if isinstance(result.get(exclusive), bool) and result.pop(exclusive) and bound in result:
            result[exclusive] = result.pop(bound)
    return with_null(result) if result.pop("nullable", False) is True else result


def _is_never(schema: JSONValue) -> bool:
    """Tell whether this says that no value is allowed, as Zod writes ``never`` and ``undefined``."""
    return isinstance(schema, Mapping) and schema.get("not") in ({}, True)


def apart(one: JSONValue, other: JSONValue) -> bool:
    """Tell whether no value that the grammar offers for one schema fits the other as well."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return False
    if any(keyword in schema for schema in (one, other) for keyword in ("anyOf", "oneOf")):
        return False
    left, right = (_atoms(schema) for schema in (one, other))
    for schema, offered in ((one, right), (other, left)):
        # Without a type, a schema says nothing of the types that its keywords are not about.
        if "type" not in schema and "enum" not in schema and offered - _atoms(schema):
            return False
    if not left & right:
        return True
    if "enum" in one and "enum" in other:
        return not any(same(a, b) for a in one["enum"] for b in other["enum"])
    for schema, atoms in ((one, right), (other, left)):
        if "enum" in schema:
            return not any(is_type(v, name) for v in schema["enum"] for name in atoms)
    return left & right == {"object"} and _objects_apart(one, other)


def _atoms(schema: Schema) -> set[str]:
    names = set(types_of(schema))
    return names | {"integer"} if "number" in names else names


def _objects_apart(one: Schema, other: Schema) -> bool:
    """By a required property with different constants, or by required names of their own."""
    properties = [schema.get("properties") or {} for schema in (one, other)]
    required = [set(schema.get("required") or ()) for schema in (one, other)]
    for name in required[0] & required[1] & set(properties[0]) & set(properties[1]):
        both = [given[name] for given in properties]
        if all(map(_stands_alone, both)) and apart(*(respelled(each, "") for each in both)):
            return True
    closed = all(further(schema) is False for schema in (one, other))
    names = [given | set(own) for given, own in zip(required, properties, strict=True)]
    return closed and bool(required[0] - names[1]) and bool(required[1] - names[0])


def _stands_alone(schema: JSONValue) -> bool:
    return isinstance(schema, Mapping) and {"$ref", "allOf"}.isdisjoint(schema)
