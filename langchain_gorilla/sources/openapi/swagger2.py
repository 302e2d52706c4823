"""Swagger 2.0's operations, servers and security schemes in the words of OpenAPI 3.0.

Only what a request needs; schemas and references stay where they are in the description. There is
no kept converter for Python: those that exist are written in JavaScript or call a web service.
"""

from collections.abc import Mapping
from typing import Any, Final

from langchain_gorilla.sources.openapi.bodies import body_kind

_ABOUT_PARAMETERS: Final = frozenset(
    {"name", "in", "description", "required", "collectionFormat", "allowEmptyValue"}
)
_FORM: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"

Located = tuple[Mapping[str, Any], str]
"""A part of a description, and the file where it stands."""


def modern_operation(
    operation: Mapping[str, Any], parameters: list[Located], root: Mapping[str, Any]
) -> tuple[list[Located], Located | None]:
    """Return parameters and request body as OpenAPI 3.0 writes them.

    Args:
        operation: As described.
        parameters: Its own and its path's, resolved.
        root: The description, whose ``consumes`` is the operation's where that has none.
    """
    consumes = operation.get("consumes", root.get("consumes"))
    media_types = [each for each in _listed(consumes) if isinstance(each, str)]
    plain: list[Located] = [
        (_parameter(each), file)
        for each, file in parameters
        if each.get("in") not in ("body", "formData")
    ]
    fields = [(each, file) for each, file in parameters if each.get("in") == "formData"]
    for each, file in parameters:
        if each.get("in") == "body":
            media = {"schema": each.get("schema", {})}
            content = dict.fromkeys(media_types or ["application/json"], media)
            said = {key: each[key] for key in ("description", "required") if key in each}
            return plain, ({"content": content, **said}, file)
    if not fields:
        return plain, None
    return plain, (_form(fields, media_types), fields[0][1])


def without_bodies(shared: list[Located], own: list[Located]) -> list[Located]:
    """Return a path's parameters without a body that an operation's own takes the place of."""
    places = {each["in"] for each, _ in own}
    gone = ["body"] if "formData" in places else ["body", "formData"] if "body" in places else []
    return [(each, file) for each, file in shared if each["in"] not in gone]


def modern_servers(root: Mapping[str, Any], operation: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return ``servers``; https before http, and an operation's own ``schemes`` before the root's."""
    base = root.get("basePath")
    # Without its slash it would be a part of the host's name.
    base = f"/{base.lstrip('/')}" if isinstance(base, str) else "/"
    host = root.get("host")
    if not isinstance(host, str) or not host:
        return [{"url": base}]
    stated = operation.get("schemes") or root.get("schemes")
    schemes = [each for each in _listed(stated) if each in ("http", "https")]
    scheme = "http" if schemes and "https" not in schemes else "https"
    return [{"url": f"{scheme}://{host}{base}"}]


def modern_scheme(scheme: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a security scheme."""
    return {"type": "http", "scheme": "basic"} if scheme.get("type") == "basic" else scheme


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    if "schema" in parameter:
        return dict(parameter)
    kept = ("name", "in", "description", "required", "x-ms-skip-url-encoding")
    modern = {key: parameter[key] for key in kept if key in parameter}
    modern["schema"] = _schema(parameter)
    if parameter.get("type") == "array":
        modern |= _style(parameter)
    return modern


def _schema(parameter: Mapping[str, Any]) -> dict[str, Any]:
    schema = {key: value for key, value in parameter.items() if key not in _ABOUT_PARAMETERS}
    if parameter.get("type") == "file":
        schema |= {"type": "string", "format": "binary"}
    return schema


def _style(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """Translate ``collectionFormat``; tabs, which no style writes, become spaces."""
    form = str(parameter.get("collectionFormat", "csv"))
    if parameter.get("in") in ("path", "header"):
        return {"style": "simple", "explode": False}
    if form == "multi":
        return {"style": "form", "explode": True}
    styles = {"ssv": "spaceDelimited", "tsv": "spaceDelimited", "pipes": "pipeDelimited"}
    return {"style": styles.get(form, "form"), "explode": False}


def _form(fields: list[Located], media_types: list[str]) -> dict[str, Any]:
    has_file = any(each.get("type") == "file" for each, _ in fields)
    known = [each for each in media_types if body_kind(each) in ("form", "multipart")]
    media_type = _MULTIPART if has_file else next(iter(known), _FORM)
    properties, encoding = {}, {}
    for each, _ in fields:
        name = str(each.get("name"))
        properties[name] = _schema(each)
        if isinstance(description := each.get("description"), str):
            properties[name]["description"] = description
        if each.get("type") == "array":
            encoding[name] = _style(each)
    required = [str(each.get("name")) for each, _ in fields if each.get("required") is True]
    schema = {"type": "object", "properties": properties, "required": required}
    return {
        "content": {media_type: {"schema": schema, "encoding": encoding}},
        "required": bool(required),
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
