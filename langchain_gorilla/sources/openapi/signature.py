"""One operation as a function: its arguments, their schema, and where each of them goes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.sources.addresses import HEADER_NAME
from langchain_gorilla.sources.openapi.bodies import (
    FILE_HINT,
    Body,
    BodyKind,
    best_media_type,
    body_kind,
)
from langchain_gorilla.sources.openapi.document import Document, UnreadableError
from langchain_gorilla.sources.openapi.flattening import FlatObject, flattened
from langchain_gorilla.sources.openapi.names import ArgumentNames
from langchain_gorilla.sources.openapi.operations import PLACEHOLDER, Described, path_and_query
from langchain_gorilla.sources.openapi.schemas import Schemas, Target
from langchain_gorilla.sources.openapi.security import Credentials
from langchain_gorilla.sources.openapi.serialization import SEGMENTS, Style
from langchain_gorilla.sources.openapi.swagger2 import Located
from langchain_gorilla.sources.tool import closed_schema

_PLACES: Final = ("path", "query", "header", "cookie")
_STYLES: Final = {
    "path": frozenset({"simple", "label", "matrix", SEGMENTS}),
    "query": frozenset({"form", "spaceDelimited", "pipeDelimited", "deepObject"}),
    "header": frozenset({"simple"}),
    "cookie": frozenset({"form"}),
}
_BINARY: Final = re.compile(r"(image|audio|video)/|application/(octet-stream|pdf|zip)$")
_EXAMPLE_CHARACTERS: Final = 60
_SAME_VALUE: Final = ("allOf", "anyOf", "oneOf")


@dataclass(frozen=True)
class Parameter:
    """One argument that is no body.

    Attributes:
        argument: What the model calls it.
        name: What the server calls it.
        place: ``path``, ``query``, ``header`` or ``cookie``.
        style: How it is written.
    """

    argument: str
    name: str
    place: str
    style: Style


@dataclass(frozen=True)
class Signature:
    """What a model gives, and where it goes.

    Attributes:
        schema: JSON Schema of all arguments.
        parameters: Those that are no body.
        hidden: Name, place and credential of the parameters that the caller fills; of a field of
            a form its argument, which no model can give.
        body: None for none.
    """

    schema: Mapping[str, JSONValue]
    parameters: tuple[Parameter, ...]
    hidden: tuple[tuple[str, str, str], ...]
    body: Body | None


def read_signature(
    described: Described, document: Document, schemas: Schemas, credentials: Credentials
) -> Signature:
    """Read an operation.

    Raises:
        UnreadableError: A part of it means nothing, or leads nowhere.
        RecursionError: It is nested too deeply.
    """
    return _Reader(document, schemas, credentials).read(described)


class _Reader:
    """Collects the arguments of one operation."""

    def __init__(self, document: Document, schemas: Schemas, credentials: Credentials) -> None:
        self._document = document
        self._schemas = schemas
        self._credentials = credentials
        self._names = ArgumentNames()
        self._found: dict[Target, None] = {}
        self._properties: dict[str, JSONValue] = {}
        self._required: list[str] = []
        self._hidden: list[tuple[str, str, str]] = []

    def read(self, described: Described) -> Signature:
        parameters: list[Parameter] = []
        for given, file in self._ordered(described):
            name, place = given["name"], given["in"]
            if self._credentials.covers(name, place):
                if (key := self._credentials.given_for(name, place)) is not None:
                    self._hidden.append((name, place, key))
                continue
            parameters.append(self._parameter(given, file))
        body = self._body(*described.body) if described.body is not None else None
        schema = closed_schema(self._properties, self._required)
        if definitions := self._schemas.definitions(self._found):
            schema["$defs"] = definitions
        return Signature(schema, tuple(parameters), tuple(self._hidden), body)

    def _ordered(self, described: Described) -> list[tuple[Mapping[str, Any], str]]:
        """Return the parameters by place; what only the path itself names is among them."""
        given = {
            (each["name"], each.get("in")): (each, file) for each, file in described.parameters
        }
        for name, place in given:
            if place not in _PLACES:
                raise UnreadableError(f"Its parameter {name!r:.80} is in {place!r:.40}: unknown.")
            if place in ("header", "cookie") and not HEADER_NAME.fullmatch(name):
                raise UnreadableError(f"{name!r:.80} is no name of a {place}.")
        template, pieces = path_and_query(described.path)
        placeholders = dict.fromkeys(PLACEHOLDER.findall(template), "path")
        for piece in pieces:
            for name in PLACEHOLDER.findall(piece):
                # ?x={x} is a query parameter in other words, and often described as one, too.
                is_query = piece == f"{name}={{{name}}}" and (name, "path") not in given
                placeholders.setdefault(name, "query" if is_query else "path")
        for name, place in placeholders.items():
            unsaid = {"name": name, "in": place, "required": True, "schema": {"type": "string"}}
            given.setdefault((name, place), (unsaid, described.file))
        return sorted(
            (
                (each, file)
                for (name, place), (each, file) in given.items()
                if place != "path" or name in placeholders
            ),
            key=lambda each: _PLACES.index(each[0]["in"]),
        )

    def _parameter(self, given: Mapping[str, Any], file: str) -> Parameter:
        name, place = given["name"], given["in"]
        schema, is_json = given.get("schema", {"type": "string"}), False
        if "schema" not in given and isinstance(content := given.get("content"), Mapping):
            media_type, media = next(iter(content.items()), ("", {}))
            schema = media.get("schema", {}) if isinstance(media, Mapping) else {}
            is_json = body_kind(str(media_type)) == "json"
        argument = self._argument(name, place, [(schema, file)], given)
        if place == "path" or given.get("required") is True:
            self._required.append(argument)
        return Parameter(argument, name, place, _style(given, place, is_json))

    def _argument(
        self,
        name: str,
        place: str,
        schemas: list[tuple[Any, str]],
        described: Mapping[str, Any] | None = None,
        hint: str = "",
    ) -> str:
        """Add an argument and return its name."""
        argument = self._names.take(name, place)
        converted = [self._schemas.converted(each, file, self._found) for each, file in schemas]
        schema: dict[str, Any] = converted[0] if len(converted) == 1 else {"allOf": converted}
        said = (described or {}).get("description") or schema.get("description")
        parts = [said.strip()] if isinstance(said, str) else []
        if argument != name:
            parts.append(f"({name}, in the {place})")
        if hint:
            parts.append(hint)
        parts += _example(described, schemas)
        if parts:
            schema["description"] = " ".join(parts)
        self._properties[argument] = schema
        return argument

    def _body(self, given: Mapping[str, Any], file: str) -> Body | None:
        content = given.get("content")
        if not isinstance(content, Mapping) or not content:
            return None
        lists = {str(each) for each, media in content.items() if self._is_list(media, file)}
        media_type = best_media_type(list(map(str, content)), lists)
        media = content.get(media_type)
        media = media if isinstance(media, Mapping) else {}
        schema, kind = media.get("schema", {}), body_kind(media_type)
        target, _ = self._document.resolved(schema, file)
        is_bytes = isinstance(target, Mapping) and target.get("format") == "binary"
        if media_type == "*/*" and is_bytes:
            kind = "raw"
        is_required = given.get("required") is True
        if self._is_no_body(schema, file, kind):
            return None
        if kind == "raw":
            return Body(media_type, kind, whole=self._raw_body(given, media_type, is_required))
        styles, media_types = _encodings(media)
        # From 3.1 on a file may be {} in the schema, and only the encoding says that it is one.
        binary = frozenset(name for name, known in media_types.items() if _BINARY.match(known[0]))
        flat = flattened(schema, file, self._document)
        if flat is None:
            files, plain = frozenset[str](), None
            if kind == "multipart":
                files = binary | _files(schema, file, self._document)
                plain = _plain(schema, file, self._document)
            hint = FILE_HINT if files or plain is not None else ""
            argument = self._argument("body", "body", [(schema, file)], given, hint)
            if is_required:
                self._required.append(argument)
            return Body(
                media_type,
                kind,
                whole=argument,
                styles=styles,
                media_types=media_types,
                files=files,
                plain=plain,
            )
        files = frozenset(
            name
            for name, each in flat.properties.items()
            if kind == "multipart"
            if name in binary or any(_is_file(*part, self._document) for part in each)
        )
        # Most descriptions leave `required` of the body out and mean that its required properties
        # are needed; only one that says false has a body that may be missing.
        needs = flat.required if given.get("required") is not False else []
        properties = self._flat(flat, needs, files, is_form=kind in ("form", "multipart"))
        return Body(
            media_type,
            kind,
            properties=properties,
            is_required=is_required,
            styles=styles,
            media_types=media_types,
            files=files,
        )

    def _flat(
        self, flat: FlatObject, needs: list[str], files: frozenset[str], *, is_form: bool
    ) -> dict[str, str]:
        properties: dict[str, str] = {}
        for name, schemas in flat.properties.items():
            # Slack's token may be a field; in JSON a name says less about what it means.
            if is_form and (key := self._credentials.given_for(name, "form")) is not None:
                argument = self._names.take(name, "body")
                properties[argument] = name
                self._hidden.append((argument, "form", key))
                continue
            hint = FILE_HINT if name in files else ""
            argument = self._argument(name, "body", schemas, hint=hint)
            properties[argument] = name
            if name in needs:
                self._required.append(argument)
        return properties

    def _raw_body(self, given: Mapping[str, Any], media_type: str, is_required: bool) -> str:
        schema = {"type": "string", "description": f"The body, {media_type}."}
        argument = self._argument("body", "body", [(schema, "")], given, FILE_HINT)
        if is_required:
            self._required.append(argument)
        return argument

    def _is_list(self, media: Any, file: str) -> bool:
        schema = media.get("schema") if isinstance(media, Mapping) else None
        try:
            schema, _ = self._document.resolved(schema, file)
        except UnreadableError:
            # Which matters only where this is the media type to write.
            return False
        return isinstance(schema, Mapping) and schema.get("type") == "array"

    def _is_no_body(self, schema: Any, file: str, kind: BodyKind) -> bool:
        target, _ = self._document.resolved(schema, file)
        if not _is_empty(target, kind):
            return False
        # From 3.1 on, what stands beside a reference counts too.
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return self._document.version != "3.1" or _is_empty({**target, **beside}, kind)


def _is_empty(schema: Any, kind: BodyKind) -> bool:
    """Say whether a body's schema lets nothing be in it, as generators write for "no body"."""
    if not isinstance(schema, Mapping) or schema.get("properties"):
        return False
    if {"$ref", "allOf", "anyOf", "oneOf", "patternProperties"} & schema.keys():
        return False
    more = schema.get("additionalProperties")
    # A form without fields is none; a JSON object without properties may hold any.
    return more is False or (more is None and kind == "form" and "properties" in schema)


def _style(given: Mapping[str, Any], place: str, is_json: bool) -> Style:
    default = "form" if place in ("query", "cookie") else "simple"
    style = SEGMENTS if given.get("x-ms-skip-url-encoding") is True else given.get("style")
    style = style if isinstance(style, str) and style in _STYLES[place] else default
    explode = given.get("explode")
    explode = explode if isinstance(explode, bool) else style == "form"
    return Style(style, explode, is_json, given.get("allowReserved") is True)


def _encodings(media: Mapping[str, Any]) -> tuple[dict[str, Style], dict[str, tuple[str, ...]]]:
    """Return the styles and media types that a form's ``encoding`` states."""
    styles: dict[str, Style] = {}
    media_types: dict[str, tuple[str, ...]] = {}
    encoding = media.get("encoding")
    for name, each in encoding.items() if isinstance(encoding, Mapping) else ():
        if not isinstance(each, Mapping):
            continue
        stated = str(each.get("contentType", ""))
        known = tuple(filter(None, map(str.strip, stated.split(","))))
        if known and stated.isprintable():
            media_types[str(name)] = known
        if {"style", "explode", "allowReserved"} & each.keys():
            styles[str(name)] = _style(each, "query", False)
        elif known and body_kind(known[0]) == "json":
            styles[str(name)] = Style("form", True, is_json=True)
    return styles, media_types


def _files(schema: Any, file: str, document: Document) -> frozenset[str]:
    """Return the properties of a multipart body that are files in any of its cases."""
    return frozenset(
        str(name)
        for part, where in _parts(schema, file, document, _SAME_VALUE)
        if isinstance(properties := part.get("properties"), Mapping)
        for name, each in properties.items()
        if _is_file(each, where, document)
    )


def _plain(schema: Any, file: str, document: Document) -> frozenset[str] | None:
    """Return the properties that are no files in a map of files; None for another body."""
    parts = list(_parts(schema, file, document, _SAME_VALUE))
    if not any(_is_file(part.get("additionalProperties"), at, document) for part, at in parts):
        return None
    known = (part.get("properties") for part, _ in parts)
    named = {str(name) for each in known if isinstance(each, Mapping) for name in each}
    return frozenset(named) - _files(schema, file, document)


def _is_file(schema: Any, file: str, document: Document) -> bool:
    """Say whether a property of a multipart body is a file or a list of files, or may be one."""
    return any(
        part.get("format") == "binary"
        or part.get("type") == "file"
        or ("contentMediaType" in part and "contentEncoding" not in part)
        for part, _ in _parts(schema, file, document, (*_SAME_VALUE, "items"))
    )


def _parts(
    schema: Any, file: str, document: Document, keywords: tuple[str, ...]
) -> Iterator[Located]:
    """Yield a schema and what it holds under keywords, each part once, references followed."""
    stack, seen = [(schema, file)], set[int]()
    while stack:
        part, where = document.resolved(*stack.pop())
        if not isinstance(part, Mapping) or id(part) in seen:
            continue
        seen.add(id(part))
        yield part, where
        for keyword in keywords:
            inside = part.get(keyword)
            stack += [(each, where) for each in (inside if isinstance(inside, list) else [inside])]


def _example(described: Mapping[str, Any] | None, schemas: list[tuple[Any, str]]) -> list[str]:
    """Return a short example as a sentence; a small model writes what it has seen."""
    for given in (described, *(schema for schema, _ in schemas)):
        value = given.get("example") if isinstance(given, Mapping) else None
        if isinstance(value, str | int | float) and len(str(value)) <= _EXAMPLE_CHARACTERS:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            return [f"Example: {text}"] if text.isprintable() and text else []
    return []
