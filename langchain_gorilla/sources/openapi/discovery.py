"""Google's Discovery documents in the words of OpenAPI 3.0.

Google describes its APIs by ``resources`` with ``methods``, ``parameters`` and ``schemas``, and for
most of them by nothing else. Read are all methods of all resources; addresses with ``{+name}``,
whose value holds slashes; keys and tokens as security schemes ``key`` and ``oauth2``; ``fields`` of
the parameters that every method takes, and ``alt`` where a method can download.

Not covered: the upload of media, of which a method's description then tells; ``batchPath``; which
scopes a token needs is listed under its scheme, and checked by the server.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from langchain_gorilla.errors import SourceError
from langchain_gorilla.sources.openapi.serialization import SEGMENTS

KIND: Final = "discovery#restDescription"
_VARIABLE: Final = re.compile(r"\{(\+?)([^{}]+?)\*?\}")
_JSON: Final = "application/json"
# What Google's servers fill; older documents say so in words only.
_OUTPUT: Final = re.compile(r"\W*output only\b", re.IGNORECASE)
_ABOUT_PLACE: Final = frozenset({"location", "repeated", "required"})
_NO_UPLOAD: Final = "The content of a file cannot be sent here, only what describes it."
_DOWNLOAD: Final = {
    "name": "alt",
    "in": "query",
    "description": "media for the content itself, json for what describes it.",
    "schema": {"type": "string", "enum": ["json", "media"], "default": "json"},
}


def as_openapi(document: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return a Discovery document as an OpenAPI 3.0 description.

    Args:
        document: Its content.
        what: What errors call it.

    Raises:
        SourceError: It has no methods.
    """
    common = _mapping(document.get("parameters"))
    schemas = _mapping(document.get("schemas"))
    scopes = _mapping(_mapping(_mapping(document.get("auth")).get("oauth2")).get("scopes"))
    paths: dict[str, Any] = {}
    for name, tags, method in _methods(document, ()):
        path = _VARIABLE.sub(r"{\2}", f"/{str(method.get('path', '')).lstrip('/')}")
        verb = str(method.get("httpMethod", "GET")).lower()
        # One address, /v1/{name}, is often that of several methods.
        if verb in paths.get(path, {}):
            path = f"{path}#{name}"
        paths.setdefault(path, {})[verb] = _operation(name, tags, method, common, schemas)
    if not paths:
        raise SourceError(f"{what} is a Discovery document without methods: nothing to call.")
    schemes: dict[str, Any] = {"key": {"type": "apiKey", "in": "query", "name": "key"}}
    if scopes:
        described = {str(each): _text(_mapping(scope)) for each, scope in scopes.items()}
        schemes["oauth2"] = {"type": "oauth2", "flows": {"implicit": {"scopes": described}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": document.get("title"), "version": document.get("version")},
        "servers": [{"url": _server(document)}],
        "paths": paths,
        "components": {
            "securitySchemes": schemes,
            "schemas": {str(name): _schema(each) for name, each in schemas.items()},
        },
    }


def _server(document: Mapping[str, Any]) -> str:
    root, service = document.get("rootUrl"), document.get("servicePath")
    if isinstance(root, str) and root:
        return f"{root.rstrip('/')}/{service.lstrip('/') if isinstance(service, str) else ''}"
    base = document.get("baseUrl")
    return base if isinstance(base, str) else "/"


def _methods(
    part: Mapping[str, Any], tags: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...], Mapping[str, Any]]]:
    """Yield the methods of a document or resource and of what is below it: id, resources, method."""
    for name, method in _mapping(part.get("methods")).items():
        if isinstance(method, Mapping):
            yield str(method.get("id") or ".".join((*tags, str(name)))), tags, method
    for name, resource in _mapping(part.get("resources")).items():
        yield from _methods(_mapping(resource), (*tags, str(name)))


def _operation(
    name: str,
    tags: tuple[str, ...],
    method: Mapping[str, Any],
    common: Mapping[str, Any],
    schemas: Mapping[str, Any],
) -> dict[str, Any]:
    """Return a method as an operation.

    Args:
        name: Its id.
        tags: The resources that it is below.
        method: As described.
        common: The parameters that every method takes.
        schemas: The document's, of which some properties are required by certain methods.
    """
    path = str(method.get("path", ""))
    with_slashes = {found[2] for found in _VARIABLE.finditer(path) if found[1]}
    own = _mapping(method.get("parameters"))
    order = method.get("parameterOrder")
    first = map(str, order) if isinstance(order, list) else ()
    parameters = [
        _parameter(each, _mapping(own[each]), with_slashes)
        for each in dict.fromkeys((*first, *map(str, own)))
        if each in own
    ]
    if "fields" in common and "fields" not in own:
        parameters.append(_parameter("fields", _mapping(common["fields"]), set()))
    if method.get("supportsMediaDownload") is True and "alt" not in own:
        parameters.append(_DOWNLOAD)
    said = [_text(method)]
    if method.get("supportsMediaUpload") is True:
        said.append(_NO_UPLOAD)
    operation: dict[str, Any] = {
        "operationId": name,
        "description": "\n\n".join(filter(None, said)),
        "deprecated": method.get("deprecated") is True,
        "tags": list(tags),
        "parameters": parameters,
        "security": [{"oauth2": []}, {"key": []}] if method.get("scopes") else [{"key": []}],
    }
    given = _mapping(method.get("request"))
    request = _schema(given)
    if "$ref" in request:
        properties = _mapping(_mapping(schemas.get(given["$ref"])).get("properties"))
        needed = [str(each) for each, about in properties.items() if _needs(name, about)]
        if needed:
            request = {"allOf": [request], "required": needed}
        operation["requestBody"] = {"content": {_JSON: {"schema": request}}}
    return operation


def _needs(method: str, described: Any) -> bool:
    """Say whether a method requires a property of its body."""
    needing = _mapping(_mapping(described).get("annotations")).get("required")
    return isinstance(needing, list) and method in needing


def _parameter(name: str, given: Mapping[str, Any], with_slashes: set[str]) -> dict[str, Any]:
    schema = _schema({key: each for key, each in given.items() if key not in _ABOUT_PLACE})
    parameter: dict[str, Any] = {
        "name": name,
        "in": "path" if given.get("location") == "path" else "query",
        "required": given.get("required") is True,
        "description": schema.pop("description", ""),
        "schema": {"type": "array", "items": schema} if given.get("repeated") is True else schema,
    }
    if name in with_slashes:
        parameter["style"] = SEGMENTS
    return parameter


def _schema(given: Any) -> dict[str, Any]:
    """Return a schema as OpenAPI writes it; ``{}`` for what is none."""
    given = _mapping(given)
    schema: dict[str, Any] = {}
    for key in ("type", "format", "pattern", "enum", "required"):
        if key in given and given[key] != "any":
            schema[key] = given[key]
    if isinstance(reference := given.get("$ref"), str):
        pointer = reference.replace("~", "~0").replace("/", "~1").replace("%", "%25")
        schema["$ref"] = f"#/components/schemas/{pointer}"
    for key in ("minimum", "maximum"):
        if (number := _number(given.get(key))) is not None:
            schema[key] = number
    if "default" in given:
        schema["default"] = _default(given["default"], given.get("type"))
    if text := " ".join(filter(None, (_text(given), _choices(given)))):
        schema["description"] = text
    if given.get("readOnly") is True or _OUTPUT.match(_text(given)):
        schema["readOnly"] = True
    for key in ("items", "additionalProperties"):
        if key in given:
            schema[key] = _schema(given[key])
    if properties := _mapping(given.get("properties")):
        schema["properties"] = {str(name): _schema(each) for name, each in properties.items()}
    return schema


def _choices(given: Mapping[str, Any]) -> str:
    """Return what the values of an ``enum`` mean."""
    values, texts = given.get("enum"), given.get("enumDescriptions")
    if not isinstance(values, list) or not isinstance(texts, list):
        return ""
    pairs = [
        f"{value}: {text.strip().rstrip('.')}"
        for value, text in zip(values, texts, strict=False)
        if isinstance(text, str) and text.strip()
    ]
    return f"{'; '.join(pairs)}." if pairs else ""


def _default(value: Any, kind: Any) -> Any:
    """Read a default, which is always text, as its type says."""
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    number = _number(value) if kind in ("integer", "number") else None
    return value if number is None else number


def _number(value: Any) -> int | float | None:
    for read in (int, float):
        try:
            return read(value) if isinstance(value, str) else None
        except ValueError:
            continue
    return None


def _text(part: Mapping[str, Any]) -> str:
    text = part.get("description")
    return text.strip() if isinstance(text, str) else ""


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}
