"""Parents that only their children know: ``discriminator`` and ``allOf`` become cases.

A description may say of a body that it is a ``Pet`` and mean that it is any schema whose ``allOf``
refers to ``Pet``, told apart by ``discriminator``. Here such a parent gets a ``oneOf`` of its
children, and a ``mapping`` with what each is called: as ``mapping`` has it, else Azure's
``x-ms-discriminator-value``, else the child's own name.

Not covered: parents in other files than the description itself.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from langchain_gorilla.sources.openapi.document import Document


def with_cases(document: Document) -> Document:
    """Return a description in which parents list their children."""
    is_old = document.version == "2.0"
    holder: Any = document.root if is_old else document.root.get("components")
    key, prefix = ("definitions", "#") if is_old else ("schemas", "#/components")
    schemas = holder.get(key) if isinstance(holder, Mapping) else None
    if not isinstance(schemas, Mapping):
        return document
    children: dict[str, list[str]] = {}
    for name, schema in schemas.items():
        for reference in _references(schema):
            children.setdefault(reference, []).append(name)
    changed = {
        name: made
        for name, schema in schemas.items()
        if (made := _with_children(name, schema, schemas, children, f"{prefix}/{key}/"))
    }
    if not changed:
        return document
    held = {**holder, key: {**schemas, **changed}}
    return replace(document, root=held if is_old else {**document.root, "components": held})


def _references(schema: Any) -> list[str]:
    parts = schema.get("allOf") if isinstance(schema, Mapping) else None
    parts = parts if isinstance(parts, list) else []
    found = (each.get("$ref") for each in parts if isinstance(each, Mapping))
    return [each for each in found if isinstance(each, str)]


def _with_children(
    name: str,
    schema: Any,
    schemas: Mapping[str, Any],
    children: Mapping[str, list[str]],
    prefix: str,
) -> dict[str, Any] | None:
    """Return a parent with its children as cases; None where it is none, or lists them itself."""
    told = schema.get("discriminator") if isinstance(schema, Mapping) else None
    told = {"propertyName": told} if isinstance(told, str) else told
    if not isinstance(told, Mapping) or not isinstance(key := told.get("propertyName"), str):
        return None
    if "oneOf" in schema or "anyOf" in schema:
        return None
    family = [name]
    for each in family:
        family += [one for one in children.get(f"{prefix}{each}", ()) if one not in family]
    if len(family) == 1:
        return None
    given = told.get("mapping")
    names: dict[str, str] = {}
    for value, target in given.items() if isinstance(given, Mapping) else ():
        names.setdefault(str(target).rpartition("/")[2], str(value))
    for each in family:
        names.setdefault(each, str(schemas[each].get("x-ms-discriminator-value", each)))
    itself = {"required": [key], "properties": {key: {"enum": [names[name]]}}}
    return {
        **schema,
        "oneOf": [*({"$ref": f"{prefix}{each}"} for each in family[1:]), itself],
        "discriminator": {
            "propertyName": key,
            "mapping": {names[each]: f"{prefix}{each}" for each in family[1:]},
        },
    }
