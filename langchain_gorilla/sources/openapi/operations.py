"""The operations of a description, as it has them, with what they share put together."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from langchain_gorilla.errors import SourceError
from langchain_gorilla.sources.addresses import checked_base_url
from langchain_gorilla.sources.base import Refusal
from langchain_gorilla.sources.openapi.bodies import body_kind
from langchain_gorilla.sources.openapi.document import Document, UnreadableError
from langchain_gorilla.sources.openapi.swagger2 import (
    Located,
    modern_operation,
    modern_scheme,
    modern_servers,
    without_bodies,
)

METHODS: Final = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE")
READING: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")
_NO_METHODS: Final = frozenset({"$ref", "summary", "description", "servers", "parameters"})


@dataclass(frozen=True)
class Described:
    """One operation as described.

    Attributes:
        method: In capitals.
        path: With its placeholders, and with the fragment by which some descriptions tell
            operations of one address apart.
        operation: Its own part of the description.
        file: Where that part stands.
        parameters: Its own and its path's, resolved, each with its file.
        body: Its request body, resolved, with its file; None for none.
        servers: The ``servers`` that apply.
    """

    method: str
    path: str
    operation: Mapping[str, Any]
    file: str
    parameters: tuple[Located, ...]
    body: Located | None
    servers: Any

    @property
    def where(self) -> str:
        """What a refusal calls it."""
        return f"{self.method} {self.path}"


def described_operations(
    document: Document, *, allow_writes: bool
) -> Iterator[Described | Refusal]:
    """Yield every operation, or why it is none, in the description's order."""
    for path, item in _paths(document).items():
        if str(path).startswith("x-"):
            continue
        try:
            merged, file = _path_item(item, document)
        except UnreadableError as error:
            yield Refusal(str(path), str(error))
            continue
        for key, operation in merged.items():
            key = str(key)
            if key in _NO_METHODS or key.startswith("x-"):
                continue
            where = f"{key.upper()} {path}"
            if key.upper() not in METHODS:
                yield Refusal(where, f"{key!r:.40} is no method of HTTP that is known here.")
            elif key.upper() not in READING and not allow_writes:
                yield Refusal(
                    where,
                    "It writes. Pass allow_writes=True (--allow-writes) to have it as a tool.",
                )
            else:
                try:
                    yield _described(key.upper(), str(path), operation, merged, file, document)
                except UnreadableError as error:
                    yield Refusal(where, str(error))
    for name in _mapping(document.root.get("webhooks")):
        yield Refusal(
            f"webhook {name}", "The server makes this call, so there is nothing to call here."
        )


def _path_item(item: Any, document: Document) -> Located:
    """Return a path's operations with their file.

    Raises:
        UnreadableError: There are none.
    """
    resolved, file = document.resolved(item, "")
    if not isinstance(resolved, Mapping):
        raise UnreadableError("It is no object with operations.")
    # Beside a reference a path may have operations of its own.
    return {**resolved, **(item if isinstance(item, Mapping) else {})}, file


def _described(
    method: str,
    path: str,
    operation: Any,
    item: Mapping[str, Any],
    file: str,
    document: Document,
) -> Described:
    operation, file = document.resolved(operation, file)
    if not isinstance(operation, Mapping):
        raise UnreadableError("It is no object.")
    own = _parameters(operation, file, document)
    shared = _parameters(item, file, document)
    if document.version == "2.0":
        shared = without_bodies(shared, own)
    # An operation's own parameter takes the place of its path's.
    merged = {(each["in"], each["name"]): (each, where) for each, where in (*shared, *own)}
    parameters = list(merged.values())
    servers: Any
    if document.version == "2.0":
        parameters, body = modern_operation(operation, parameters, document.root)
        servers = modern_servers(document.root, operation)
    else:
        given, where = document.resolved(operation.get("requestBody"), file)
        body = (given, where) if isinstance(given, Mapping) else None
        servers = next(
            (each["servers"] for each in (operation, item, document.root) if each.get("servers")),
            None,
        )
    return Described(method, path, operation, file, tuple(parameters), body, servers)


def _parameters(part: Mapping[str, Any], file: str, document: Document) -> list[Located]:
    """Return the parameters of a path or an operation, resolved.

    Raises:
        UnreadableError: One has no name or no place, or leads nowhere.
    """
    found: list[Located] = []
    for each in _listed(part.get("parameters")):
        parameter, where = document.resolved(each, file)
        if not isinstance(parameter, Mapping) or not isinstance(parameter.get("name"), str):
            raise UnreadableError(f"A parameter has no name: {parameter!r:.120}.")
        if not isinstance(parameter.get("in"), str):
            raise UnreadableError(f"Its parameter {parameter['name']!r:.80} has no place ('in').")
        found.append((parameter, where))
    return found


def check_server_variables(document: Document, given: Mapping[str, Any]) -> None:
    """Refuse a value that no server in the description takes.

    Raises:
        SourceError: No address has a variable of that name, or the value is no string or none of
            those that its variable may have.
    """
    known: dict[str, list[Any]] = {}
    for server in _servers(document):
        described = _variables(server)
        for name in (*described, *PLACEHOLDER.findall(str(server.get("url")))):
            known.setdefault(name, []).append(described.get(name))
    if unknown := sorted(str(name) for name in given if name not in known):
        raise SourceError(
            f"server_variables= names {', '.join(unknown)}, but no server in the description has "
            f"such a variable. Its variables: {', '.join(sorted(known)) or 'none'}."
        )
    for name, value in given.items():
        if not isinstance(value, str):
            raise SourceError(
                f"server_variables= gives {name} {value!r:.80}, which is {type(value).__name__}. "
                "Expected a string."
            )
        choices = [_choices(variable) for variable in known[name]]
        if all(choices) and not any(value in each for each in choices):
            expected = ", ".join(dict.fromkeys(word for each in choices for word in each))
            raise SourceError(
                f"server_variables= gives {name} {value!r:.80}. Expected one of {expected}."
            )


def _servers(document: Document) -> Iterator[Mapping[str, Any]]:
    """Yield every server in a description."""
    root = document.root
    lists = [modern_servers(root, {}) if document.version == "2.0" else root.get("servers")]
    lists += [part.get("servers") for part, _ in _parts(document)]
    for servers in lists:
        yield from (each for each in _listed(servers) if isinstance(each, Mapping))


def _variables(server: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    described = _mapping(server.get("variables"))
    return {str(name): _mapping(each) for name, each in described.items()}


def _choices(variable: Mapping[str, Any] | None) -> list[str]:
    """Return the values that a variable may have; none for any."""
    return list(map(str, _listed((variable or {}).get("enum"))))


def path_and_query(path: str) -> tuple[str, list[str]]:
    """Return a described path without its fragment, and the pieces of the query that it has."""
    template, _, query = path.partition("#")[0].partition("?")
    return template, query.split("&") if query else []


def server_url(servers: Any, given: Mapping[str, str]) -> str | None:
    """Return the address of the first server.

    Args:
        servers: As described.
        given: Values for its variables; the description's defaults otherwise.

    Returns:
        None where the address is relative, or has a variable without a value.

    Raises:
        UnreadableError: It is no web address, or does not take such a value.
    """
    server = servers[0] if isinstance(servers, list) and servers else None
    server = _mapping(server)
    url = server.get("url")
    url = url if isinstance(url, str) else "/"
    variables = _variables(server)
    for name, value in given.items():
        if (choices := _choices(variables.get(name))) and value not in choices:
            raise UnreadableError(
                f"Its server takes no {name} {value!r:.80}, only {', '.join(choices)}."
            )
    host = url.partition("//")[2].partition("/")[0]
    # Without a default a part of the path may be empty; a host may not, nor a choice.
    defaults = {
        name: str(each.get("default", ""))
        for name, each in variables.items()
        if "default" in each or not (f"{{{name}}}" in host or _choices(each))
    }
    for name, value in {**defaults, **given}.items():
        url = url.replace(f"{{{name}}}", value)
    if "{" in url:
        return None
    try:
        if not urlsplit(url).netloc:
            return None
        return checked_base_url(f"https:{url}" if url.startswith("//") else url)
    except (SourceError, ValueError) as error:
        raise UnreadableError(f"Its server cannot be used: {error} Pass base_url=.") from None


def security_schemes(document: Document) -> dict[str, Any]:
    """Return the description's security schemes in OpenAPI 3's words, by name."""
    if document.version == "2.0":
        given = _mapping(document.root.get("securityDefinitions"))
    else:
        given = _mapping(_mapping(document.root.get("components")).get("securitySchemes"))
    schemes: dict[str, Any] = {}
    for name, each in given.items():
        try:
            scheme, _ = document.resolved(each, "")
        except UnreadableError:
            continue
        is_old = document.version == "2.0" and isinstance(scheme, Mapping)
        schemes[str(name)] = modern_scheme(scheme) if is_old else scheme
    return schemes


def parameter_names(document: Document) -> set[str]:
    """Return the names of all parameters and fields of forms, in lower case."""
    root = document.root
    shared = (root.get("parameters"), _mapping(root.get("components")).get("parameters"))
    described = [(each, "") for part in shared for each in _mapping(part).values()]
    for part, file in _parts(document):
        described += [(each, file) for each in _listed(part.get("parameters"))]
    names = [each.get("name") for each, _ in _found(described, document)]
    return {name.lower() for name in names + _field_names(document) if isinstance(name, str)}


def _field_names(document: Document) -> list[Any]:
    """Return the names of the fields of forms."""
    bodies = [(part.get("requestBody"), file) for part, file in _parts(document)]
    schemas = [
        (media.get("schema"), file)
        for body, file in _found(bodies, document)
        for media_type, media in _mapping(body.get("content")).items()
        if body_kind(str(media_type)) in ("form", "multipart") and isinstance(media, Mapping)
    ]
    return [
        name
        for schema, _ in _found(schemas, document)
        for name in _mapping(schema.get("properties"))
    ]


def states_security(document: Document) -> bool:
    """Say whether a description says for any operation which keys it needs."""
    return "security" in document.root or any(
        "security" in operation
        for item, file in _path_items(document)
        for operation, _ in _operations(item, file, document)
    )


def _paths(document: Document) -> dict[Any, Any]:
    """Return the paths, those among them that Microsoft keeps apart for the query they have."""
    return {**_mapping(document.root.get("paths")), **_mapping(document.root.get("x-ms-paths"))}


def _path_items(document: Document) -> Iterator[Located]:
    for item in _paths(document).values():
        with suppress(UnreadableError):
            yield _path_item(item, document)


def _parts(document: Document) -> Iterator[Located]:
    """Yield every path's item, and its operations."""
    for item, file in _path_items(document):
        yield item, file
        yield from _operations(item, file, document)


def _operations(item: Mapping[str, Any], file: str, document: Document) -> Iterator[Located]:
    return _found(((each, file) for each in item.values()), document)


def _found(nodes: Iterable[tuple[Any, str]], document: Document) -> Iterator[Located]:
    """Follow references; what leads nowhere is left out, and refuses what needs it."""
    for node, file in nodes:
        with suppress(UnreadableError):
            found, where = document.resolved(node, file)
            if isinstance(found, Mapping):
                yield found, where


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
