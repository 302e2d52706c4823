"""A description's schemas as JSON Schema 2020-12, each one converted once.

Kept is what JSON Schema knows and what is valid there, so every result passes its metaschema:
``nullable`` and ``exclusiveMinimum: true`` are rewritten, a ``pattern`` that Python cannot read
moves to ``$comment``, ``x-…``, ``xml``, ``example`` and ``discriminator`` go (its ``mapping`` into
the cases), and so do properties that are ``readOnly``, which a request must not have. ``oneOf``
becomes ``anyOf``: what tells its cases apart is often a ``format`` or a ``discriminator`` without a
``mapping``, which nothing checks here, so a right value fits two of them. The server decides.

References become ``#/$defs/…``. A tool carries the definitions that its arguments reach, nearest
first, up to a size; of what is beyond it only the type is there.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

from langchain_gorilla.dialects import is_json
from langchain_gorilla.sources.openapi.cycles import Circles, Way, same_value_references, through
from langchain_gorilla.sources.openapi.document import Document, Place
from langchain_gorilla.sources.openapi.keywords import KEYWORDS, compiles, settled

# Shared by all tools: a large description has many of them.
_BEYOND: Final = {kind: {"type": kind} for kind in ("object", "array", "string", "number")}
_CASES: Final = frozenset({"anyOf", "oneOf", "not", "if", "then", "else"})


class Target(NamedTuple):
    """A schema to define.

    Attributes:
        place: Where the description has it.
        is_base: Without ``anyOf``, ``oneOf`` and the like: the parent of one of their members.
    """

    place: Place
    is_base: bool = False


@dataclass(frozen=True)
class _Definition:
    schema: Mapping[str, Any]
    targets: tuple[Target, ...]
    characters: int


class _Spot(NamedTuple):
    """Where a conversion stands.

    Attributes:
        file: Of the description.
        owner: The definition whose own value is spoken of; None below its properties and items.
        way: How the spot applies to that value.
        is_base: See ``Target``.
        found: Collects the targets of references.
        around: The schemas around the spot that speak of the same value.
        is_condition: Below ``not`` or ``if``, where saying less refuses more.
    """

    file: str
    owner: Place | None
    way: Way
    is_base: bool
    found: dict[Target, None]
    around: tuple[Mapping[str, Any], ...] = ()
    is_condition: bool = False

    def inside(self) -> "_Spot":
        """Return the spot of a part of the value."""
        return self._replace(owner=None, way="own", is_base=False, around=())


class Schemas:
    """Converts the schemas of one description."""

    def __init__(self, document: Document, *, max_characters: int | None) -> None:
        """Prepare.

        Args:
            document: The description.
            max_characters: Of the definitions that one tool carries; None for no limit.
        """
        self._document = document
        self._max = max_characters
        self._definitions: dict[Target, _Definition] = {}
        self._names: dict[Target, str] = {}
        self._taken: set[str] = set()
        self._circles = Circles(partial(self._reached, ways=("own", "all_of", "choice")))
        self._all_ofs = Circles(partial(self._reached, ways=("all_of",)))
        self._choices = Circles(partial(self._reached, ways=("own", "choice")))

    def converted(self, schema: Any, file: str, found: dict[Target, None]) -> dict[str, Any]:
        """Convert a schema.

        Args:
            schema: As the description has it.
            file: Where it stands.
            found: Gets the targets of its references, for ``definitions``.

        Raises:
            UnreadableError: A reference in it leads nowhere.
            RecursionError: It is nested too deeply.
        """
        return _as_dict(self._convert(schema, _Spot(file, None, "own", False, found)))

    def definitions(self, found: Mapping[Target, None]) -> dict[str, Any]:
        """Return ``$defs`` for converted schemas.

        Args:
            found: What ``converted`` collected.

        Raises:
            UnreadableError, RecursionError: As ``converted``.
        """
        result: dict[str, Any] = {}
        room = self._max
        queue = deque(found)
        while queue:
            target = queue.popleft()
            if (name := self._name(target)) in result:
                continue
            definition = self._definition(target)
            if room is not None and definition.characters > room:
                result[name] = _BEYOND.get(str(definition.schema.get("type")), {})
                continue
            result[name] = definition.schema
            room = None if room is None else room - definition.characters
            queue += definition.targets
        return result

    def _definition(self, target: Target) -> _Definition:
        if (known := self._definitions.get(target)) is None:
            found: dict[Target, None] = {}
            place = target.place
            spot = _Spot(place.file, place, "own", target.is_base, found)
            schema = _as_dict(self._convert(self._document.at(place), spot))
            size = len(json.dumps(schema, ensure_ascii=False, default=str))
            known = self._definitions[target] = _Definition(schema, tuple(found), size)
        return known

    def _name(self, target: Target) -> str:
        """Return the name of a definition: the last step of its place, made unique."""
        if (name := self._names.get(target)) is None:
            step = target.place.pointer.rpartition("/")[2] or target.place.file or "root"
            base = re.sub(r"[^A-Za-z0-9_.-]", "_", step.replace("~1", "_"))
            base += "-base" if target.is_base else ""
            name, number = base, 2
            while name in self._taken:
                name, number = f"{base}-{number}", number + 1
            self._taken.add(name)
            self._names[target] = name
        return name

    def _reached(self, place: Place, *, ways: tuple[Way, ...]) -> Iterator[Place]:
        for reference, way in same_value_references(self._document.at(place)):
            if way in ways:
                yield self._document.place(reference, place.file)

    def _convert(self, schema: Any, spot: _Spot) -> Any:
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping):
            return {}
        reference = schema.get("$ref", schema.get("$dynamicRef"))
        siblings: Mapping[str, Any] = schema
        result: dict[str, Any] = {}
        if isinstance(reference, str):
            result = self._referred(reference, spot)
            if self._document.version != "3.1":
                # Before 3.1 what stands beside a reference is ignored; these only inform.
                kept = ("description", "nullable", "x-nullable")
                siblings = {key: schema[key] for key in kept if key in schema}
        if not spot.is_condition:
            siblings = _without_one_of(siblings)
        spot = spot._replace(around=(*spot.around, schema))
        for key, value in siblings.items():
            if spot.is_base and key in _CASES:
                continue
            if (part := self._part(key, value, spot)) is not None:
                result[part[0]] = part[1]
        is_known = result.get("properties", {}).keys() >= set(result.get("required", ()))
        return settled(result, schema, () if is_known else self._read_only_names(spot))

    def _part(self, key: str, value: Any, spot: _Spot) -> tuple[str, Any] | None:
        """Convert one keyword; None where it goes."""
        match key:
            case "properties" | "patternProperties" | "dependentSchemas":
                return self._named(key, value, spot)
            case "allOf" | "anyOf" | "oneOf":
                if not isinstance(value, list) or not value:
                    return None
                told = spot.around[-1].get("discriminator") if key != "allOf" else None
                spot = spot._replace(way=through(spot.way, key))
                return key, [_named_case(self._convert(each, spot), each, told) for each in value]
            case "prefixItems" | "items" if isinstance(value, list):
                parts = [self._convert(each, spot.inside()) for each in value]
                return ("prefixItems", parts) if parts else None
            case "not" | "if":
                spot = spot._replace(way="choice", around=(), is_condition=True)
                return key, self._convert(value, spot)
            case "then" | "else":
                return key, self._convert(value, spot._replace(way="choice"))
            case "const":
                # Null is a value here; from a reader it would mean "left out".
                return (key, value) if is_json(value) else None
            case (
                "items"
                | "additionalProperties"
                | "unevaluatedItems"
                | "unevaluatedProperties"
                | "contains"
                | "propertyNames"
            ):
                return key, self._convert(value, spot.inside())
        read: Callable[[Any], Any] | None = KEYWORDS.get(key)
        if read is None or (converted := read(value)) is None:
            return None
        return key, converted

    def _named(self, key: str, value: Any, spot: _Spot) -> tuple[str, Any] | None:
        if not isinstance(value, Mapping):
            return None
        parts = {
            str(name): self._convert(each, spot.inside())
            for name, each in value.items()
            if key != "properties" or not self._is_read_only(each, spot.file)
        }
        if key == "patternProperties":
            parts = {name: each for name, each in parts.items() if compiles(name)}
        if key == "properties":
            parts = {name: _as_dict(each) for name, each in parts.items()}
        return key, parts

    def _is_read_only(self, schema: Any, file: str) -> bool:
        if not isinstance(schema, Mapping):
            return False
        if schema.get("readOnly") is True:
            return True
        if not isinstance(schema.get("$ref"), str):
            return False
        target, _ = self._document.resolved(schema, file)
        return isinstance(target, Mapping) and target.get("readOnly") is True

    def _read_only_names(self, spot: _Spot) -> set[str]:
        """Return the names of a value's properties that are ``readOnly`` anywhere around a spot."""
        names: set[str] = set()
        stack: list[tuple[Any, str]] = [(each, spot.file) for each in spot.around]
        seen: set[int] = set()
        while stack:
            schema, file = stack.pop()
            if not isinstance(schema, Mapping) or id(schema) in seen:
                continue
            seen.add(id(schema))
            if isinstance(reference := schema.get("$ref"), str):
                place = self._document.place(reference, file)
                stack.append((self._document.at(place), place.file))
            if isinstance(properties := schema.get("properties"), Mapping):
                names |= {
                    str(name) for name, each in properties.items() if self._is_read_only(each, file)
                }
            if isinstance(parts := schema.get("allOf"), list):
                stack += [(part, file) for part in parts]
        return names

    def _referred(self, reference: str, spot: _Spot) -> dict[str, Any]:
        """Return a reference to a definition, or ``{}`` where it would go round without end."""
        place = self._document.place(reference, spot.file)
        self._document.at(place)
        target = Target(place)
        if spot.owner is not None and self._circles.closes(spot.owner, place):
            is_all_of = spot.way == "all_of"
            circles = self._all_ofs if is_all_of else self._choices
            if circles.closes(spot.owner, place) or (spot.is_base and not is_all_of):
                return {}
            # The child speaks of its parent as it is without its children.
            target = Target(place, is_base=is_all_of)
        spot.found[target] = None
        return {"$ref": f"#/$defs/{self._name(target)}"}


def _named_case(converted: Any, case: Any, told: Any) -> Any:
    """Return a case with the name by which a ``discriminator`` tells it from the others.

    Only a ``mapping`` is believed: without one, cases often have names that nobody sends.
    """
    mapping = told.get("mapping") if isinstance(told, Mapping) else None
    if not isinstance(mapping, Mapping) or not isinstance(key := told.get("propertyName"), str):
        return converted
    target = case.get("$ref") if isinstance(case, Mapping) else None
    if not isinstance(target, str) or "$ref" not in converted:
        return converted
    ends = (target, target.rpartition("/")[2])
    names = [str(name) for name, each in mapping.items() if each in ends]
    return (
        {**converted, "required": [key], "properties": {key: {"enum": names}}}
        if names
        else converted
    )


def _without_one_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema with ``anyOf`` where it has ``oneOf``; with both, one goes into ``allOf``."""
    cases = schema.get("oneOf")
    if not isinstance(cases, list) or not cases:
        return schema
    if "anyOf" not in schema:
        return {"anyOf" if key == "oneOf" else key: value for key, value in schema.items()}
    rest = {key: value for key, value in schema.items() if key != "oneOf"}
    parts = rest.get("allOf")
    return {**rest, "allOf": [*(parts if isinstance(parts, list) else ()), {"anyOf": cases}]}


def _as_dict(schema: Any) -> dict[str, Any]:
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    return dict(schema)
