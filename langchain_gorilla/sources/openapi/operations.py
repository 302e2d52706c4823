"""The operations of a description, as it has them, with what they share put together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from langchain_gorilla.errors import SourceError
from langchain_gorilla.sources.addresses import checked_base_url
from langchain_gorilla.sources.base import Refusal
from langchain_gorilla.sources.openapi.document import Document, UnreadableError
from langchain_gorilla.sources.openapi.swagger2 import (
    Located,
    modern_operation,
    modern_scheme,
    modern_servers,
)

METHODS: Final = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE")
READING: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
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
    servers = modern_servers(document.root) if document.version == "2.0" else None
    for path, item in _mapping(document.root.get("paths")).items():
        if str(path).startswith("x-"):
            continue
        try:
            resolved, file = document.resolved(item, "")
            if not isinstance(resolved, Mapping):
                raise UnreadableError("It is no object with operations.")
            # Beside a reference a path may have operations of its own.
            merged = {**resolved, **(item if isinstance(item, Mapping) else {})}
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
                yield Refusal(where, "It writes. Pass allow_writes=True to have it as a tool.")
            else:
                try:
                    yield _described(
                        key.upper(), str(path), operation, merged, file, document, servers
                    )
                except UnreadableError as error:
                    yield Refusal(where, str(error))
    for name in _mapping(document.root.get("webhooks")):
        yield Refusal(
            f"webhook {name}", "The server makes this call, so there is nothing to call here."
        )


def _described(
    method: str,
    path: str,
    operation: Any,
    item: Mapping[str, Any],
    file: str,
    document: Document,
    servers: Any,
) -> Described:
    operation, file = document.resolved(operation, file)
    if not isinstance(operation, Mapping):
        raise UnreadableError("It is no object.")
    merged: dict[tuple[str, str], Located] = {}
    for each in [*_listed(item.get("parameters")), *_listed(operation.get("parameters"))]:
        parameter, where = document.resolved(each, file)
        if not isinstance(parameter, Mapping) or not isinstance(parameter.get("name"), str):
            raise UnreadableError(f"A parameter has no name: {parameter!r:.120}.")
        if not isinstance(parameter.get("in"), str):
            raise UnreadableError(f"Its parameter {parameter['name']!r:.80} has no place ('in').")
        # An operation's own parameter takes the place of its path's.
        merged[parameter["in"], parameter["name"]] = (parameter, where)
    parameters = list(merged.values())
    if document.version == "2.0":
        parameters, body = modern_operation(operation, parameters, document.root)
    else:
        given, where = document.resolved(operation.get("requestBody"), file)
        body = (given, where) if isinstance(given, Mapping) else None
        servers = next(
            (each["servers"] for each in (operation, item, document.root) if each.get("servers")),
            None,
        )
    return Described(method, path, operation, file, tuple(parameters), body, servers)


def server_url(servers: Any, variables: Mapping[str, str]) -> str | None:
    """Return the address of the first server.

    Args:
        servers: As described.
        variables: Values for its variables; the description's defaults otherwise.

    Returns:
        None where the address is relative, or has a variable without a value.

    Raises:
        UnreadableError: It is no web address.
    """
    server = servers[0] if isinstance(servers, list) and servers else None
    url = server.get("url") if isinstance(server, Mapping) else None
    url = url if isinstance(url, str) else "/"
    described = _mapping(server.get("variables")) if isinstance(server, Mapping) else {}
    defaults = {
        str(name): str(each.get("default", "") if isinstance(each, Mapping) else "")
        for name, each in described.items()
    }
    for name, value in {**defaults, **variables}.items():
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
    """Return the names of all parameters that are described anywhere, in lower case."""
    root = document.root
    shared = (root.get("parameters"), _mapping(root.get("components")).get("parameters"))
    described = [each for part in shared for each in _mapping(part).values()]
    for item in _mapping(root.get("paths")).values():
        for part in (item, *_mapping(item).values()):
            described += _listed(_mapping(part).get("parameters"))
    names = (_mapping(each).get("name") for each in described)
    return {name.lower() for name in names if isinstance(name, str)}


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
