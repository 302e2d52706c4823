"""The properties of a body side by side with the other arguments, where that says the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from langchain_gorilla.sources.openapi.document import Document

# With one of these an object is more than its list of properties.
_MORE: Final = frozenset(
    {"anyOf", "oneOf", "not", "if", "patternProperties", "propertyNames", "dependentRequired"}
    | {"dependentSchemas"}
)


@dataclass
class FlatObject:
    """A plain object.

    Attributes:
        properties: Name to the schemas that it has to fit, each with the file where it stands.
        required: Names; one that is demanded and not described has a property too.
        read_only: Names that a request must not have.
    """

    properties: dict[str, list[tuple[Any, str]]] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    read_only: set[str] = field(default_factory=set)


def flattened(schema: Any, file: str, document: Document) -> FlatObject | None:
    """Return the plain object that a schema describes, through references and ``allOf``.

    Returns:
        None where it is none: a choice, a map of any keys, an object without properties.

    Raises:
        UnreadableError: A reference leads nowhere.
    """
    flat = FlatObject()
    if not _collect(schema, file, document, flat, set()) or not flat.properties:
        return None
    flat.required = [name for name in dict.fromkeys(flat.required) if name not in flat.read_only]
    for name in flat.required:
        flat.properties.setdefault(name, [({}, file)])
    return flat


def _collect(schema: Any, file: str, document: Document, flat: FlatObject, seen: set[int]) -> bool:
    if not isinstance(schema, Mapping):
        return False
    if id(schema) in seen:
        return True
    seen.add(id(schema))
    if isinstance(reference := schema.get("$ref"), str):
        place = document.place(reference, file)
        if not _collect(document.at(place), place.file, document, flat, seen):
            return False
        if document.version != "3.1":
            # Before 3.1 what stands beside a reference is ignored.
            return True
    kinds = schema.get("type", "object")
    is_object = "object" in kinds if isinstance(kinds, list) else kinds == "object"
    is_closed = schema.get("additionalProperties", False) is False
    more = [keyword for keyword in _MORE if schema.get(keyword)]
    if more == ["oneOf"] and _lists_a_child(schema["oneOf"], file, document, seen):
        more = []
    if not is_object or not is_closed or more:
        return False
    parts = schema.get("allOf") or []
    if not isinstance(parts, list):
        return False
    if not all(_collect(part, file, document, flat, seen) for part in parts):
        return False
    properties = schema.get("properties")
    for name, each in properties.items() if isinstance(properties, Mapping) else ():
        target, _ = document.resolved(each, file)
        if isinstance(target, Mapping):
            if target.get("readOnly") is True or each.get("readOnly") is True:
                flat.read_only.add(str(name))
                continue
            if target.get("required") is True:
                flat.required.append(str(name))
        flat.properties.setdefault(str(name), []).append((each, file))
    required = schema.get("required")
    if isinstance(required, list):
        flat.required += [name for name in required if isinstance(name, str)]
    return True


def _lists_a_child(cases: Any, file: str, document: Document, seen: set[int]) -> bool:
    """Tell whether a parent's cases are its children, of which one is being collected."""
    given = cases if isinstance(cases, list) else []
    references = [each.get("$ref") for each in given if isinstance(each, Mapping)]
    places = [document.place(each, file) for each in references if isinstance(each, str)]
    return any(id(document.at(place)) in seen for place in places)
