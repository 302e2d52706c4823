"""Keys: from the caller's settings to the request, never through a model.

A model sees no parameter that carries one: none of a security scheme, none that the caller gave a
value for, no part of an AWS signature, and no header that servers read as a login or that belongs
to the connection.
"""

import inspect
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from pydantic import SecretStr

from langchain_gorilla.errors import SourceError
from langchain_gorilla.sources.addresses import HEADER_NAME, check_own_headers
from langchain_gorilla.sources.http_secrets import may_hold_key

Secret: TypeAlias = "str | SecretStr | tuple[str, str]"
Credential: TypeAlias = "Secret | Callable[[], Secret | Awaitable[Secret]]"
"""A key; user and password for HTTP Basic; or a function, sync or async, that returns one for
each call."""

_SHORTEST_PASSWORD: Final = 4

Place: TypeAlias = Literal["header", "query", "cookie", "form"]

# By OpenAPI's own rule the first three are never parameters.
_NEVER_ARGUMENTS: Final = frozenset(
    {"accept", "content-type", "authorization", "proxy-authorization", "cookie", "host"}
    | {"content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"}
    | {"keep-alive", "proxy-connection", "accept-encoding"}
    | {"x-api-key", "api-key", "apikey", "x-auth-token", "x-access-token", "access-token"}
    | {"token", "auth-token", "private-token", "x-auth-key", "x-api-token", "api-token", "x-token"}
    | {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-real-ip"}
    | {"x-original-url", "x-rewrite-url", "x-original-host", "x-host"}
    | {"x-http-method-override", "x-http-method", "x-method-override"}
)
# What AWS's clients reckon from a whole request; AWS takes them as headers or in the query.
_SIGNATURES: Final = frozenset(
    f"x-amz-{part}"
    for part in ("algorithm", "content-sha256", "credential", "date", "security-token", "signature")
) | {"x-amz-signedheaders"}


@dataclass(frozen=True)
class Scheme:
    """How one security scheme sends its key.

    Attributes:
        place: Where.
        name: Of the header, query parameter or cookie.
        kind: What goes there: the key as it is, or with a word before it.
        word: That word: ``Bearer``.
    """

    place: Place
    name: str
    kind: Literal["plain", "basic", "word"] = "plain"
    word: str = ""


@dataclass
class Keys:
    """The keys of one call.

    Attributes:
        headers: Name to value.
        query: Names and values, in order.
        cookies: As ``query``.
        fields: Of a form, by argument.
        secrets: Every text that must not be seen.
    """

    headers: dict[str, str] = field(default_factory=dict)
    query: list[tuple[str, str]] = field(default_factory=list)
    cookies: list[tuple[str, str]] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)


def read_scheme(described: Any) -> Scheme | None:
    """Read a security scheme in OpenAPI 3's words; None for one that no request can carry."""
    match described:
        case {"type": "apiKey", "in": "header" | "query" | "cookie" as place, "name": str(name)}:
            return Scheme(place, name) if place == "query" or HEADER_NAME.fullmatch(name) else None
        case {"type": "http", "scheme": str(word)} if word.lower() == "basic":
            return Scheme("header", "Authorization", "basic", "Basic")
        case {"type": "http", "scheme": str(word)}:
            return Scheme("header", "Authorization", "word", word.capitalize())
        case {"type": "oauth2" | "openIdConnect"}:
            return Scheme("header", "Authorization", "word", "Bearer")
    return None


class Credentials:
    """The caller's keys for one description."""

    def __init__(
        self,
        schemes: Mapping[str, Scheme | None],
        given: Mapping[str, Credential] | None,
        headers: Mapping[str, Credential] | None,
    ) -> None:
        """Take the settings.

        Args:
            schemes: Of the description, by name.
            given: By scheme, or by the name of a header, query or cookie parameter.
            headers: Sent with every call.

        Raises:
            SourceError: ``headers`` has what is no name of a header.
        """
        check_own_headers(headers or {})
        self.schemes = schemes
        self._given = dict(given or {})
        self._headers = dict(headers or {})
        self._fixed = {name.lower() for name in self._headers}
        self._carriers = {
            (scheme.place, scheme.name.lower() if scheme.place == "header" else scheme.name)
            for scheme in schemes.values()
            if scheme is not None
        }

    def __repr__(self) -> str:
        return f"Credentials({', '.join(self._given)})"

    def covers(self, name: str, place: str) -> bool:
        """Say whether a parameter is not the model's to fill."""
        written = name.lower() if place == "header" else name
        if (place, written) in self._carriers or self.given_for(name, place) is not None:
            return True
        if place in ("header", "query") and name.lower() in _SIGNATURES:
            return True
        return place == "header" and (written in _NEVER_ARGUMENTS or written in self._fixed)

    def given_for(self, name: str, place: str) -> str | None:
        """Return the key under which the caller gave a value for a parameter by its name."""
        for key in self._given if place in ("header", "query", "cookie", "form") else ():
            same = key.lower() == name.lower() if place == "header" else key == name
            if same and key not in self.schemes:
                return key
        return None

    def check_names(self, parameters: set[str]) -> None:
        """Refuse a credential that nothing in the description asks for.

        Args:
            parameters: The names of all its parameters, in lower case.

        Raises:
            SourceError: It is named neither after a scheme nor after a parameter.
        """
        names = self._given.keys() - self.schemes.keys()
        unknown = {name for name in names if name.lower() not in parameters}
        if unknown:
            known = ", ".join(self.schemes) or "none"
            raise SourceError(
                f"credentials= names {', '.join(sorted(unknown))}, but the description has no such "
                f"security scheme or parameter. Its schemes: {known}. Keys that it does not speak "
                "of go into headers=."
            )

    def chosen(self, alternatives: Any, *, is_stated: bool) -> tuple[str, ...]:
        """Return the schemes to use for one operation.

        Args:
            alternatives: Its ``security``: a list of schemes that are needed together.
            is_stated: The description says for any operation what it needs.

        Returns:
            The first alternative with keys that the caller gave all of, also where the call may
            go without: who gave a key wants to be known. Without such an alternative none: the
            call goes out as it is and the server decides. Where a description has schemes and
            never says where they are needed, every key that was given.
        """
        if not is_stated:
            return tuple(name for name in self._given if name in self.schemes)
        for each in alternatives if isinstance(alternatives, list) else ():
            names = tuple(map(str, each)) if isinstance(each, Mapping) else ("",)
            if names and all(name in self._given for name in names):
                return names
        return ()

    async def keys(
        self, schemes: tuple[str, ...], parameters: tuple[tuple[str, str, str], ...]
    ) -> Keys:
        """Return the keys of one call.

        Args:
            schemes: From ``chosen``.
            parameters: Name, place and credential of those that the caller fills.

        Raises:
            SourceError: A credential is no text, or has a line break.
        """
        keys = Keys()
        for name in schemes:
            if (scheme := self.schemes.get(name)) is None:
                continue
            value = await _value(name, self._given[name])
            _put(keys, scheme, *value)
        for name, place, key in parameters:
            _put(keys, Scheme(place, name), *await _value(key, self._given[key]))  # type: ignore[arg-type]
        for name, given in self._headers.items():
            _put(keys, Scheme("header", name), *await _value(name, given))
        return keys


def _put(keys: Keys, scheme: Scheme, value: str, parts: tuple[str, ...]) -> None:
    sent = b64encode(value.encode()).decode() if scheme.kind == "basic" else value
    if scheme.kind == "basic":
        # Stripe and others take the key as the user, and nothing or an x as the password.
        user, _, password = value.partition(":")
        parts = (*parts, user if len(password) < _SHORTEST_PASSWORD else password)
    if scheme.place != "header" or may_hold_key(scheme.name):
        keys.secrets += [*parts, sent]
    if scheme.kind != "plain" and not sent.lower().startswith(f"{scheme.word.lower()} "):
        sent = f"{scheme.word} {sent}"
    if scheme.place == "header":
        keys.headers[scheme.name] = sent
    elif scheme.place == "query":
        keys.query.append((scheme.name, sent))
    elif scheme.place == "form":
        keys.fields[scheme.name] = sent
    else:
        keys.cookies.append((scheme.name, sent))


async def _value(name: str, given: Any) -> tuple[str, tuple[str, ...]]:
    """Return a credential as text, and the parts of it that are secret."""
    if callable(given):
        given = given()
        if inspect.isawaitable(given):
            given = await given
    if isinstance(given, SecretStr):
        given = given.get_secret_value()
    parts: tuple[str, ...] = (given,) if isinstance(given, str) else ()
    if isinstance(given, tuple) and len(given) == 2:
        given, parts = f"{given[0]}:{given[1]}", (str(given[1]),)
    if not isinstance(given, str):
        raise SourceError(
            f"The credential {name!r} is {type(given).__name__}. Expected a string, a SecretStr, "
            "a pair of user and password, or a function that returns one."
        )
    # Files with keys end in a line break.
    value = given.strip()
    if any(not character.isprintable() for character in value):
        raise SourceError(f"The credential {name!r} holds a line break or control character.")
    return value, tuple(part.strip() for part in parts)
