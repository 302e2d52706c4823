"""A tool's documentation, shorter, with the same meaning: for the model and for validation.

What goes says nothing: titles that repeat a name, notes for other programs (``$comment``, and
``$schema`` where no keyword is of an older draft), keywords that hold for every value
(``additionalProperties: true`` of an object that names no keys, ``required: []``, ``default: null``
of an optional parameter), definitions that nothing refers to, a wrapper
around one schema, and white space in descriptions. What a model can act on stays: descriptions,
types, enums, bounds, defaults, examples. A schema whose references go anywhere but to ``$defs`` or
``definitions`` stays as it is.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.schema_keywords import LISTS_OF_SCHEMAS, MAPS_OF_SCHEMAS, SCHEMAS, subschemas

_LINE_END = re.compile(r"\s*\n\s*")
_SPACES = re.compile(r"[^\S\n]+")
_REFERENCE = re.compile(r"#(?:/(?:\$defs|definitions)/[^/]+)?")
_ADDRESSES = frozenset({"$id", "id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef"})
_NOTES = frozenset({"$schema", "$comment"})
_ANNOTATIONS = frozenset({"description", "default", "examples", "deprecated"})
_ONE_OF_ONE = ("allOf", "anyOf", "oneOf")
# Keyword to the value with which it allows everything.
_EMPTY: Mapping[str, tuple[Any, ...]] = {
    "required": ([],),
    "additionalProperties": (True, {}),
    "items": (True, {}),
    "description": ("",),
    "minLength": (0,),
    "minItems": (0,),
    "minProperties": (0,),
    "uniqueItems": (False,),
    "$defs": ({},),
    "definitions": ({},),
}


def compact(function: FunctionSchema) -> FunctionSchema:
    """Return a function with a shorter document that allows the same calls."""
    description = _trimmed(function.description)
    if not _is_plain(function.parameters):
        return FunctionSchema(function.name, description, function.parameters)
    parameters = _compact(function.parameters)
    for definitions in ("$defs", "definitions"):
        _drop_unused(parameters, definitions)
    if "properties" not in parameters:
        parameters["properties"] = {}
        if "additionalProperties" in function.parameters:
            parameters.setdefault("additionalProperties", True)
    if "$schema" in function.parameters and any(map(_is_of_old, subschemas(function.parameters))):
        parameters["$schema"] = function.parameters["$schema"]
    return FunctionSchema(function.name, description, parameters)


def _compact(schema: Mapping[str, JSONValue]) -> dict[str, JSONValue]:
    kept: dict[str, JSONValue] = {}
    for key, value in schema.items():
        if key in _NOTES or (key == "title" and isinstance(value, str)):
            continue
        if key == "default" and value is None:
            continue
        if key == "description" and isinstance(value, str):
            kept[key] = _trimmed(value)
        elif key in MAPS_OF_SCHEMAS and isinstance(value, Mapping):
            kept[key] = {name: _inner(inner) for name, inner in value.items()}
        elif key in LISTS_OF_SCHEMAS and isinstance(value, list):
            kept[key] = [_inner(inner) for inner in value]
        elif key in SCHEMAS:
            kept[key] = _inner(value)
        else:
            kept[key] = value
    kept = {key: value for key, value in kept.items() if not _says_nothing(key, value, kept)}
    return _unwrapped(kept)


def _is_of_old(schema: Mapping[str, JSONValue]) -> bool:
    """Whether a schema means something else where its draft is not named."""
    old = ("additionalItems", "dependencies")
    return isinstance(schema.get("items"), list) or any(key in schema for key in old)


def _inner(value: JSONValue) -> JSONValue:
    return _compact(value) if isinstance(value, Mapping) else value


def _says_nothing(key: str, value: JSONValue, beside: Mapping[str, JSONValue]) -> bool:
    if key == "additionalProperties" and "properties" in beside:
        # Without it, validation and the grammar take an object for closed that names its keys.
        return False
    # 0 == False and 1 == True in Python, and a schema may hold either where they differ.
    return any(type(value) is type(empty) and value == empty for empty in _EMPTY.get(key, ()))


def _unwrapped(schema: dict[str, JSONValue]) -> dict[str, JSONValue]:
    """Put the only schema of an ``allOf`` in its place, where nothing but words stands beside."""
    for key in _ONE_OF_ONE:
        options = schema.get(key)
        if not isinstance(options, list) or len(options) != 1 or not isinstance(options[0], dict):
            continue
        rest = {name: value for name, value in schema.items() if name != key}
        if rest.keys() <= _ANNOTATIONS:
            # The words outside are the parameter's own, those inside the type's.
            return {**options[0], **rest}
    return schema


def _is_plain(value: JSONValue) -> bool:
    """Whether references, if any, go to definitions only."""
    if isinstance(value, Mapping):
        target = value.get("$ref")
        if isinstance(target, str) and not _REFERENCE.fullmatch(target):
            return False
        addressed = any(isinstance(value.get(key), str) for key in _ADDRESSES)
        return not addressed and all(map(_is_plain, value.values()))
    return all(map(_is_plain, value)) if isinstance(value, list) else True


def _drop_unused(schema: dict[str, JSONValue], definitions: str) -> None:
    held = schema.get(definitions)
    if not isinstance(held, Mapping):
        return
    needed: set[str] = set()
    todo = _references({key: value for key, value in schema.items() if key != definitions})
    while todo:
        name = todo.pop()
        if name in held and name not in needed:
            needed.add(name)
            todo |= _references(held[name])
    if not needed:
        del schema[definitions]
    else:
        schema[definitions] = {name: value for name, value in held.items() if name in needed}


def _references(value: JSONValue) -> set[str]:
    """Return the name of the definition that every reference in a value goes to."""
    if isinstance(value, Mapping):
        found = {name for inner in value.values() for name in _references(inner)}
        target = value.get("$ref")
        if isinstance(target, str):
            name = unquote(target.rpartition("/")[2])
            found.add(name.replace("~1", "/").replace("~0", "~"))
        return found
    if isinstance(value, list):
        return {name for inner in value for name in _references(inner)}
    return set()


def _trimmed(text: str) -> str:
    return _SPACES.sub(" ", _LINE_END.sub("\n", text)).strip()
