"""Bodies of requests: JSON, forms, multipart, text and bytes.

A model writes text, so a file is text too: as it stands, or a ``data:`` URL where it is bytes
(``data:application/pdf;base64,…``).
"""

import base64
import binascii
import json
import re
import secrets
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote, unquote_to_bytes

from langchain_core.tools import ToolException

from langchain_gorilla.sources.openapi.serialization import (
    Style,
    deep,
    delimiter,
    query_pairs,
    said,
    scalar,
)

BodyKind: TypeAlias = Literal["json", "form", "multipart", "raw"]

FILE_HINT: Final = "Text, or a data: URL for bytes (data:application/pdf;base64,…)."
_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w-]+=[\w.-]+)*)(;base64)?,", re.A)
_RANKS: Final[tuple[BodyKind, ...]] = ("json", "form", "multipart", "raw")


@dataclass(frozen=True)
class Body:
    """What an operation takes in its body.

    Attributes:
        media_type: As described.
        kind: How it is written.
        whole: The argument that is all of it; None where its properties are arguments.
        properties: Argument to property.
        is_required: A body without properties is sent too.
        styles: Of the properties of a form or a multipart body, where the description says.
        media_types: That the parts of a multipart body may have, where the description says.
        files: Properties that are files.
        plain: Properties that are none, where whatever else is given is a file; None elsewhere.
    """

    media_type: str
    kind: BodyKind
    whole: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    is_required: bool = False
    styles: Mapping[str, Style] = field(default_factory=dict)
    media_types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    plain: frozenset[str] | None = None

    def is_file(self, name: str) -> bool:
        """Say whether a part of a multipart body is a file."""
        return name in self.files or (self.plain is not None and name not in self.plain)

    def media_type_of(self, name: str) -> str:
        """Return the first media type of a part; ``""`` where the description says none or a range."""
        known = self.media_types.get(name, ("",))
        return "" if any("*" in each for each in known) else known[0]


def body_kind(media_type: str) -> BodyKind:
    """Say how a body of a media type is written."""
    essence = _essence(media_type)
    if essence.endswith(("/json", "+json")) or essence == "*/*":
        return "json"
    if essence == "application/x-www-form-urlencoded":
        return "form"
    return "multipart" if essence.startswith("multipart/") else "raw"


def best_media_type(media_types: list[str], lists: Container[str]) -> str:
    """Return the media type that says the most in arguments: JSON first, the first of equals.

    Args:
        media_types: Of one body.
        lists: Those of them whose content is described as a list.
    """

    def rank(media_type: str) -> tuple[int, bool, bool]:
        essence = _essence(media_type)
        # A JSON Patch is a list of operations. Kubernetes and ASP.NET name it first, and describe
        # the object that their other types take.
        is_odd = essence == "application/json-patch+json" and media_type not in lists
        return _RANKS.index(body_kind(media_type)), is_odd, essence != "application/json"

    return min(media_types, key=rank)


def encoded_body(body: Body, arguments: Mapping[str, Any]) -> tuple[bytes | None, str | None]:
    """Write a body; return it with its ``Content-Type``, or None twice where there is none.

    Raises:
        ToolException: A ``data:`` URL is broken.
    """
    if body.whole is not None:
        if body.whole not in arguments:
            return None, None
        value = arguments[body.whole]
    else:
        value = {
            name: arguments[argument]
            for argument, name in body.properties.items()
            if argument in arguments
        }
        if not value and not body.is_required:
            return None, None
    if body.kind == "json":
        # No request is of a range such as */* or application/*+json.
        media_type = "application/json" if "*" in body.media_type else body.media_type
        return json.dumps(value, ensure_ascii=False).encode(), media_type
    if body.kind == "form" and isinstance(value, dict):
        return _form(body, value).encode(), body.media_type
    if body.kind == "multipart" and isinstance(value, dict):
        return _multipart(body, value)
    content, given = file_content(scalar(value))
    if "*" in body.media_type:
        return content, given or "application/octet-stream"
    is_open = body.media_type.startswith("text/") and "charset" not in body.media_type
    return content, f"{body.media_type}; charset=utf-8" if is_open else body.media_type


def file_content(text: str) -> tuple[bytes, str | None]:
    """Return the bytes that a text or a ``data:`` URL stands for, and the URL's media type.

    Raises:
        ToolException: The URL's base64 is broken.
    """
    if (head := _DATA_URL.match(text)) is None:
        return text.encode(), None
    data = unquote_to_bytes(text[head.end() :])
    if head[3]:
        try:
            data = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ToolException(f"A data: URL holds no valid base64: {error}.") from None
    return data, head[1]


def _essence(media_type: str) -> str:
    """Return a media type without its parameters."""
    return media_type.partition(";")[0].strip().lower()


def _form(body: Body, values: Mapping[str, Any]) -> str:
    pairs: list[str] = []
    for name, value in values.items():
        # Without a style objects are JSON, and so are lists that hold objects.
        style = body.styles.get(name)
        if style is None:
            inner = value if isinstance(value, list) else [value]
            is_json = isinstance(value, dict) or any(
                isinstance(each, list | dict) for each in inner
            )
            style = Style("form", True, is_json=is_json)
        pairs += query_pairs(name, value, style)
    return "&".join(pairs)


def _multipart(body: Body, values: Mapping[str, Any]) -> tuple[bytes, str]:
    # Random, so that no value can hold it.
    boundary = secrets.token_hex(16)
    parts: list[bytes] = []
    for name, value in values.items():
        for key, each in _in_parts(body, name, value):
            media_type = body.media_type_of(name)
            if body.is_file(name):
                content, given = file_content(scalar(each))
                if not media_type or given in body.media_types.get(name, ()):
                    media_type = given or "application/octet-stream"
                filename = f'; filename="{_quoted(name)}"'
            else:
                if isinstance(each, list | dict):
                    media_type = media_type or "application/json"
                is_json = body_kind(media_type) == "json"
                text = json.dumps(each, ensure_ascii=False) if is_json else scalar(each)
                content, filename = text.encode(), ""
            head = f'Content-Disposition: form-data; name="{_quoted(key)}"{filename}'
            head += f"\r\nContent-Type: {media_type}" if media_type else ""
            parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")
    whole = b"".join(parts) + f"--{boundary}--\r\n".encode()
    essence = body.media_type.partition(";")[0].strip()
    return whole, f"{essence}; boundary={boundary}"


def _in_parts(body: Body, name: str, value: Any) -> list[tuple[str, Any]]:
    """Return the parts of one property: the items of a list, unless they are one text."""
    is_json = body_kind(body.media_type_of(name)) == "json"
    if value is None and not is_json:
        return []
    style = None if body.is_file(name) else body.styles.get(name)
    if style is not None and style.style == "deepObject":
        return deep(name, value)
    if not isinstance(value, list):
        return [(name, value)]
    items: list[Any] = value if is_json else said(value)
    if items and style is not None and not style.explode:
        items = [delimiter(style).join(map(scalar, items))]
    return [(name, each) for each in items]


def _quoted(name: str) -> str:
    """Escape a part's name as browsers do."""
    return re.sub(r'["\r\n]', lambda found: quote(found[0]), name)
