"""Values as paths, queries, headers and cookies write them: OpenAPI's ``style`` and ``explode``.

Every part that comes from a value is percent-encoded; only the style's own delimiters are not. Null
has no form outside JSON: what is null is left out, as RFC 6570 says of undefined values.
"""

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from langchain_gorilla.sources.addresses import path_text

SEGMENTS: Final = "segments"
"""The style of a path parameter whose value may hold slashes: RFC 6570's ``{+name}``, Microsoft's
``x-ms-skip-url-encoding``. It is a word of this package: OpenAPI has none for it."""
_DELIMITERS: Final = {"spaceDelimited": " ", "pipeDelimited": "|"}
# What allowReserved lets through, less what would start another parameter or a fragment.
_RESERVED: Final = ":/?[]@!$'()*,;"


@dataclass(frozen=True)
class Style:
    """How a value is written.

    Attributes:
        style: OpenAPI's name: ``form``, ``simple``, ``deepObject``, ….
        explode: Items and properties apart from each other.
        is_json: As JSON text instead.
        allow_reserved: Delimiters of addresses stay as they are.
    """

    style: str
    explode: bool
    is_json: bool = False
    allow_reserved: bool = False


def scalar(value: Any) -> str:
    """Write one value as text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def delimiter(style: Style) -> str:
    """Return what stands between the items of a list that is one text."""
    return _DELIMITERS.get(style.style, ",")


def said(value: Any) -> Any:
    """Return a list without its nulls, an object without its properties that are null."""
    if isinstance(value, list):
        return [each for each in value if each is not None]
    if isinstance(value, dict):
        return {key: each for key, each in value.items() if each is not None}
    return value


def query_pairs(name: str, value: Any, style: Style) -> list[str]:
    """Write a query parameter, a cookie or a field of a form as ``name=value`` pieces, encoded."""
    safe = _RESERVED if style.allow_reserved else ""
    between = quote(delimiter(style), safe=",")

    def pair(key: str, *texts: Any) -> str:
        written = between.join(quote(scalar(text), safe=safe) for text in texts)
        return f"{quote(key, safe='')}={written}"

    if style.is_json:
        return [pair(name, _json(value))]
    value = said(value)
    if value is None:
        return []
    if not isinstance(value, list | dict):
        return [pair(name, value)]
    if style.style == "deepObject":
        return [pair(key, each) for key, each in deep(name, value)]
    if not value:
        return []
    if isinstance(value, list):
        if style.explode:
            return [pair(name, each) for each in value]
        return [pair(name, *value)]
    if style.explode:
        return [
            pair(str(key), item)
            for key, each in value.items()
            for item in (said(each) if isinstance(each, list) else [each])
        ]
    return [pair(name, *(part for each in value.items() for part in each))]


def query_text(value: Any, style: Style) -> str:
    """Write a value into a query that names it itself, encoded; a list with commas."""
    return "".join(query_pairs("", value, Style("form", False, style.is_json))).partition("=")[2]


def path_part(name: str, value: Any, style: Style) -> str:
    """Write a path parameter, encoded.

    Raises:
        ToolException: The value could lead out of its segment.
    """

    def text(each: Any) -> str:
        if style.style == SEGMENTS:
            # Azure's identifiers begin with the slash that the path has, too.
            return path_text(scalar(each).strip("/"), name, safe="/")
        return path_text(scalar(each), name)

    if style.is_json:
        return path_text(_json(value), name)
    value = said(value)
    if isinstance(value, dict):
        if style.explode:
            items = [f"{text(key)}={text(each)}" for key, each in value.items()]
        else:
            items = [text(part) for each in value.items() for part in each]
    else:
        items = [text(each) for each in (value if isinstance(value, list) else [value])]
    if style.style == "label":
        return "." + ("." if style.explode else ",").join(items)
    if style.style == "matrix":
        key = quote(name, safe="")
        if not style.explode or not isinstance(value, list | dict):
            return f";{key}={','.join(items)}"
        named = items if isinstance(value, dict) else [f"{key}={item}" for item in items]
        return "".join(f";{item}" for item in named)
    return ",".join(items) or path_text("", name)


def header_text(value: Any, style: Style) -> str:
    """Write a header's value; nothing is encoded."""
    if style.is_json:
        return _json(value)
    value = said(value)
    if isinstance(value, dict):
        if style.explode:
            return ",".join(f"{key}={scalar(each)}" for key, each in value.items())
        return ",".join(scalar(part) for each in value.items() for part in each)
    return ",".join(map(scalar, value)) if isinstance(value, list) else scalar(value).strip()


def deep(prefix: str, value: Any) -> list[tuple[str, Any]]:
    """Write nested values as ``a[b][0]``, as most servers read them."""
    value = said(value)
    if isinstance(value, dict):
        inside = [(str(key), each) for key, each in value.items()]
    elif isinstance(value, list):
        inside = [(str(place), each) for place, each in enumerate(value)]
    else:
        return [(prefix, value)]
    return [pair for key, each in inside for pair in deep(f"{prefix}[{key}]", each)]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
