r"""Web addresses that a model fills in and cannot leave.

What comes from a model is percent-encoded into its place, so a value never adds a segment, a
query or a host. A value that a server or a proxy could still read as a way out of its segment is
refused: empty ones, ``.`` and ``..`` in any spelling (``%2e%2e``, ``..\``, encoded twice), and
control characters. ``check_address`` then compares the finished address with the base it was
built on, whatever built it.

Not covered: what the server's own name resolves to. A base URL comes from the caller or from the
description, never from a model.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

import httpx
from langchain_core.tools import ToolException

from langchain_gorilla.errors import SourceError

HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_HOST: Final = re.compile(rb"[\w.:-]+", re.ASCII)
_DECODINGS: Final = 3


def checked_base_url(url: str) -> str:
    """Return a base URL without its trailing slash.

    Raises:
        SourceError: It is no absolute http(s) address, or has a user, a query or a fragment.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as error:
        raise SourceError(f"The base URL {url!r:.200} is no web address: {error}.") from None
    if parsed.scheme not in ("http", "https") or not _HOST.fullmatch(parsed.raw_host):
        raise SourceError(
            f"The base URL {url!r:.200} is not absolute. Expected http:// or https:// and a host."
        )
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise SourceError(
            "A base URL has a user, a query or a fragment. Expected scheme, host and path only: "
            "pass keys in credentials=."
        )
    return str(parsed).rstrip("/")


def path_text(value: str, name: str, *, safe: str = "") -> str:
    """Percent-encode a value for one segment of a path.

    Args:
        value: From the model.
        name: Of the argument, for the error.
        safe: Delimiters that the parameter's style writes itself.

    Raises:
        ToolException: The value could lead out of its segment.
    """
    if not value:
        raise ToolException(f"{name}: a part of the path cannot be empty. Give the identifier.")
    decoded = value
    for _ in range(_DECODINGS):
        if _CONTROL.search(decoded):
            raise ToolException(f"{name}: a path cannot hold line breaks or control characters.")
        if any(part in (".", "..") for part in re.split(r"[/\\;]", decoded)):
            raise ToolException(
                f"{name}: a path cannot hold '.' or '..' as a part. Give the plain identifier."
            )
        decoded = unquote(decoded)
    return quote(value, safe=safe)


def check_path(path: str) -> None:
    """Check a finished path, encoded, below its base.

    Raises:
        ToolException: A segment is empty inside the path, or leads upwards.
    """
    segments = path.split("/")[1:]
    for place, segment in enumerate(segments):
        if segment == "" and place < len(segments) - 1:
            raise ToolException("A part of the path is empty. Give every argument of the path.")
        if unquote(segment) in (".", ".."):
            raise ToolException("A path cannot hold '.' or '..' as a part.")


def check_address(url: str, base_url: str) -> httpx.URL:
    """Return a finished address as it will be sent.

    Raises:
        ToolException: It does not lie below its base URL.
    """
    try:
        address, base = httpx.URL(url), httpx.URL(base_url)
    except httpx.InvalidURL:
        raise ToolException("The arguments make no valid web address.") from None
    below = base.raw_path.split(b"?")[0].rstrip(b"/") + b"/"
    path = address.raw_path.split(b"?")[0]
    if origin(address) != origin(base) or not (path + b"/").startswith(below):
        raise ToolException("The arguments lead away from the server of this tool.")
    return address


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address, the scheme's own port filled in."""
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def check_own_headers(headers: Mapping[Any, Any]) -> None:
    """Check the names of the headers that a caller wants sent.

    Raises:
        SourceError: One is no name of a header.
    """
    for name in headers:
        if not (isinstance(name, str) and HEADER_NAME.fullmatch(name)):
            raise SourceError(
                f"headers= has {name!r:.80}, which is no name of a header. Expected letters, "
                "digits and hyphens, such as X-Team."
            )


def check_header(name: str, value: str) -> None:
    """Check the value of a header.

    Raises:
        ToolException: It holds a line break or another control character.
    """
    if _CONTROL.search(value.replace("\t", " ")):
        raise ToolException(f"{name}: a header cannot hold line breaks or control characters.")
