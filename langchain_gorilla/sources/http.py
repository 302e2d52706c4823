"""One HTTP call that a model asked for, with limits on all that it may cost.

Covered: one deadline for the whole call, silence and slow dripping included; retries with backoff
and ``Retry-After`` where repeating is harmless (idempotent methods only); redirects inside the
server, and to hosts that the caller names, without keys; a body that is read up to a limit, and
unpacked up to the same limit; keys that are cut out of whatever comes back. No cookie is kept
from one call to the next.

Not covered: httpx logs addresses at level INFO, so a key that the server wants in the query is
in that log; a key in the ``Content-Type`` of an answer, and those that ``http_secrets`` names.

There is one implementation, which is async. ``send`` runs it in an event loop of its own, since
only a cancelled task stops at its deadline whatever the server does.
"""

import asyncio
import inspect
import random
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final

import anyio
import httpx
from langchain_core.tools import ToolException

from langchain_gorilla.errors import SourceError
from langchain_gorilla.sources.addresses import check_address, origin
from langchain_gorilla.sources.event_loop import run
from langchain_gorilla.sources.http_body import Inflater
from langchain_gorilla.sources.http_secrets import spellings, without, without_half

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_IDEMPOTENT: Final = _READING | {"PUT", "DELETE"}
_BUSY: Final = frozenset({429, 502, 503, 504})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS: Final = 5
_OWN_HEADERS: Final = {
    "user-agent": "langchain-gorilla",
    "accept": "application/json, */*;q=0.8",
    "accept-encoding": "gzip",
}
# Options of httpx that would change what a call asks for or how long it takes, and what is for that.
_INSTEAD: Final = {
    "base_url": "base_url= of the tools' source",
    "follow_redirects": "redirect_hosts=",
    "params": "parameters of the description, and credentials= for their values",
    "timeout": "timeout_s= and connect_timeout_s=",
}


@dataclass(frozen=True)
class HttpSettings:
    """The limits of every call.

    Attributes:
        connect_timeout_s: To reach the server.
        timeout_s: For the whole call: retries, redirects and the body included.
        retries: How often a call of an idempotent method is repeated while the server is busy or
            the connection breaks; 0 for never.
        max_bytes: Of a body, after unpacking, that are read.
        max_characters: Of a body that the model is shown; the artifact has what was read.
        redirect_hosts: Hosts that a server may send a reading call on to, as for downloads. No
            key goes there.
        client_options: For ``httpx.AsyncClient``: ``verify``, ``cert``, ``proxy``, …. Keys belong
            into a source's own arguments: those in here are not cut out of answers.

    Raises:
        SourceError: A limit is out of its range, ``redirect_hosts`` is no set of names, or httpx
            or this package does not take one of the ``client_options``.
    """

    connect_timeout_s: float = 10.0
    timeout_s: float = 60.0
    retries: int = 2
    max_bytes: int = 10_000_000
    max_characters: int = 20_000
    redirect_hosts: frozenset[str] = frozenset()
    client_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what would fail at the first call, or lose something in silence."""
        for name in ("connect_timeout_s", "timeout_s"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and value > 0):
                raise SourceError(f"{name}= is {value!r:.80}. Expected seconds, above 0.")
        for name in ("retries", "max_bytes", "max_characters"):
            value = getattr(self, name)
            if not (isinstance(value, int) and value >= 0):
                raise SourceError(f"{name}= is {value!r:.80}. Expected a whole number, 0 or more.")
        # A text would be taken for the letters and the parts of names that it holds.
        hosts = self.redirect_hosts
        is_several = isinstance(hosts, frozenset | set | list | tuple)
        if not is_several or not all(isinstance(host, str) for host in hosts):
            raise SourceError(
                f"redirect_hosts= is {hosts!r:.80}. Expected a set of host names, such as "
                'frozenset({"files.example.com"}).'
            )
        if not isinstance(self.client_options, Mapping):
            raise SourceError(
                f"client_options= is {self.client_options!r:.80}. Expected a dict of options of "
                "httpx.AsyncClient."
            )
        known = inspect.signature(httpx.AsyncClient).parameters
        for name in self.client_options:
            if name in _INSTEAD:
                raise SourceError(
                    f"client_options= has {name!r}, which every call sets itself. Use "
                    f"{_INSTEAD[name]}."
                )
            if name not in known:
                raise SourceError(
                    f"client_options= has {name!r:.80}, which httpx.AsyncClient does not take. "
                    f"Known: {', '.join(sorted(known.keys() - _INSTEAD.keys()))}."
                )


@dataclass(frozen=True)
class HttpRequest:
    """One request, finished.

    Attributes:
        label: What errors call it: ``GET /files/{file_id}``.
        method: In capitals.
        url: Complete and encoded.
        base_url: Which ``url`` must lie below.
        headers: Without keys.
        credentials: The caller's headers, with keys. They take the place of ``headers``, except
            of a ``Content-Type``: only who wrote the body knows it.
        body: None for none.
        secrets: What must never be seen, wherever it is sent.
        is_abroad: Redirected to another host, where nothing of the caller's goes.
    """

    label: str
    method: str
    url: str = field(repr=False)
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    is_abroad: bool = False


@dataclass(frozen=True)
class HttpAnswer:
    """What came back, without keys.

    Attributes:
        status: 200 and so on.
        headers: Names in lower case; without ``set-cookie``.
        body: Unpacked; at most ``max_bytes``.
        is_cut: It is not all of the answer.
        is_packed: The body is in an encoding that was not asked for, as it came.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    is_cut: bool = False
    is_packed: bool = False


def send(request: HttpRequest, settings: HttpSettings) -> HttpAnswer:
    """Like ``asend``, from anywhere, a running event loop included."""
    return run(asend(request, settings))


async def asend(request: HttpRequest, settings: HttpSettings) -> HttpAnswer:
    """Send a request and read the answer, whatever its status.

    Raises:
        ToolException: There is no answer, or it is a redirect that must not be followed; says
            so in words for the model.
    """
    check_address(request.url, request.base_url)
    deadline = time.monotonic() + settings.timeout_s
    try:
        # Before Python 3.12 asyncio.wait_for may lose a cancellation.
        with anyio.fail_after(settings.timeout_s):
            return await _patiently(request, settings, deadline)
    except TimeoutError:
        raise ToolException(_silence(request, f"{settings.timeout_s:g} seconds")) from None


async def _patiently(request: HttpRequest, settings: HttpSettings, deadline: float) -> HttpAnswer:
    """Exchange, and again while the server is busy and repeating is harmless."""
    retries = settings.retries if request.method in _IDEMPOTENT else 0
    async with _client(settings) as client:
        for attempt in range(retries + 1):
            # Jitter, so that many callers do not come back all at once.
            pause_s = 0.5 * 2**attempt * random.uniform(0.5, 1.0)
            try:
                answer = await _exchange(request, settings, client)
            except httpx.ConnectTimeout:
                raise ToolException(
                    _silence(request, f"{settings.connect_timeout_s:g} seconds")
                ) from None
            except httpx.TransportError as error:
                if attempt == retries or time.monotonic() + pause_s >= deadline:
                    raise ToolException(_broken(request, error)) from None
            else:
                if answer.status not in _BUSY or attempt == retries:
                    return answer
                asked_s = retry_after_s(answer)
                pause_s = pause_s if asked_s is None else asked_s
                if time.monotonic() + pause_s >= deadline:
                    return answer
            await asyncio.sleep(pause_s)
    raise AssertionError("The last attempt returns or raises.")


async def _exchange(
    request: HttpRequest, settings: HttpSettings, client: httpx.AsyncClient
) -> HttpAnswer:
    """Send one request and follow where its server may lead."""
    current = request
    for _ in range(_MAX_REDIRECTS + 1):
        response = await client.send(
            _message(current, client),
            stream=True,
            auth=None if current.is_abroad else httpx.USE_CLIENT_DEFAULT,
        )
        try:
            location = response.headers.get("location")
            if response.status_code not in _REDIRECTS or location is None:
                return await _answer(response, request, settings)
        finally:
            await response.aclose()
        current = _redirected(current, response.status_code, location, settings)
    raise ToolException(
        f"{request.label}: the server redirected more than {_MAX_REDIRECTS} times. Call another "
        "tool, or tell the user."
    )


def _message(request: HttpRequest, client: httpx.AsyncClient) -> httpx.Request:
    """Return a request as httpx has it."""
    if request.is_abroad:
        # Not from the client, whose own headers and cookies may hold keys.
        return httpx.Request(
            request.method,
            request.url,
            headers=_OWN_HEADERS,
            extensions={"timeout": client.timeout.as_dict()},
        )
    written = {name.lower(): (name, value) for name, value in request.headers.items()}
    given = {name.lower(): (name, value) for name, value in request.credentials.items()}
    if "content-type" in written:
        given.pop("content-type", None)
    return client.build_request(
        request.method,
        request.url,
        # Blanks around a value are no part of it, and httpx refuses them.
        headers=[
            (name.encode(), value.strip(" \t").encode())
            for name, value in {**written, **given}.values()
        ],
        content=request.body,
    )


def _redirected(
    request: HttpRequest, status: int, location: str, settings: HttpSettings
) -> HttpRequest:
    """Return the request that a redirect asks for.

    Raises:
        ToolException: It leads to a host that nobody allowed.
    """
    here = httpx.URL(request.url)
    try:
        there = here.join(location)
    except httpx.InvalidURL:
        raise ToolException(
            f"{request.label}: the server redirected to something that is no web address."
        ) from None
    is_upgrade = (here.scheme, there.scheme) == ("http", "https") and here.host == there.host
    # As browsers do. Where a POST made something, GET shows it; any other method that became GET
    # would look done without having been carried out, and so would a POST sent on to itself.
    is_made = status in (301, 302) and request.method == "POST"
    is_made &= not (is_upgrade and here.raw_path == there.raw_path)
    repeats = request.method in _READING or not (status == 303 or is_made)
    onward = replace(
        request,
        url=str(there),
        method=request.method if repeats else "GET",
        body=request.body if repeats else None,
        headers={
            name: value
            for name, value in request.headers.items()
            if repeats or name.lower() != "content-type"
        },
    )
    if origin(here) == origin(there) or (is_upgrade and not here.port and not there.port):
        return onward
    if (
        there.host in settings.redirect_hosts
        and onward.method in _READING
        and there.scheme in (here.scheme, "https")
    ):
        return replace(onward, headers={}, credentials={}, body=None, is_abroad=True)
    raise ToolException(
        f"{request.label}: the server redirected to another host, {there.host[:100]}, which this "
        "tool does not follow. Call another tool, or tell the user."
    )


async def _answer(
    response: httpx.Response, request: HttpRequest, settings: HttpSettings
) -> HttpAnswer:
    """Read an answer up to the limit, and cut the keys out of it."""
    # A mock's answer may have been read, and unpacked, before it was sent.
    is_read = response.is_stream_consumed
    encoding = "" if is_read else response.headers.get("content-encoding", "")
    inflater = Inflater(encoding, settings.max_bytes)
    # Read raw: httpx would unpack each piece whole, and a small piece can hold gigabytes.
    async for piece in response.aiter_bytes() if is_read else response.aiter_raw():
        if not inflater.feed(piece):
            break
    secrets = spellings(request.secrets)
    body = without(inflater.body, secrets)
    if inflater.is_cut:
        body = without_half(body, secrets)
    headers = {
        # A credential may be a word such as "json", without which the body could not be read.
        name: value if name == "content-type" else without(value.encode(), secrets).decode()
        for name, value in response.headers.items()
        if name != "set-cookie"
    }
    return HttpAnswer(
        response.status_code,
        headers,
        body,
        inflater.is_cut,
        inflater.is_packed,
    )


def _client(settings: HttpSettings) -> httpx.AsyncClient:
    """Make the client of one call, which nobody has to close and which no event loop owns."""
    headers = httpx.Headers(_OWN_HEADERS)
    headers.update(settings.client_options.get("headers"))
    options = {
        "verify": _tls(),
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        **settings.client_options,
        "headers": headers,
        "timeout": httpx.Timeout(settings.timeout_s, connect=settings.connect_timeout_s),
    }
    return httpx.AsyncClient(**options)


@lru_cache
def _tls() -> ssl.SSLContext:
    """Return the usual certificates, which take longer to read than a call takes."""
    return httpx.create_ssl_context()


def retry_after_s(answer: HttpAnswer) -> float | None:
    """Return how many seconds the server asks to wait; None where it does not say."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        then = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    now = datetime.now(timezone.utc)
    return max(0.0, (then.replace(tzinfo=then.tzinfo or timezone.utc) - now).total_seconds())


def _silence(request: HttpRequest, time_s: str) -> str:
    return (
        f"{request.label}: the server gave no complete answer within {time_s}. {_outcome(request)}"
    )


def _broken(request: HttpRequest, error: httpx.TransportError) -> str:
    what = (
        "the server could not be reached"
        if isinstance(error, httpx.ConnectError)
        else "the connection to the server broke before its answer was complete"
    )
    # The error's own text is left out: it may hold the address, and with it a key.
    return f"{request.label}: {what} ({type(error).__name__}). {_outcome(request)}"


def _outcome(request: HttpRequest) -> str:
    if request.method in _READING:
        return "Try again later, call another tool, or tell the user."
    return "It may or may not have been carried out: look before you try again."
