"""``OperationTool``: one operation of a REST API that runs."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from langchain_core.tools import ToolException
from pydantic import PrivateAttr

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.errors import SourceError
from langchain_gorilla.sources.addresses import check_header, check_path
from langchain_gorilla.sources.event_loop import run
from langchain_gorilla.sources.http import HttpRequest, HttpSettings, asend
from langchain_gorilla.sources.http_answers import tool_result
from langchain_gorilla.sources.openapi.bodies import encoded_body
from langchain_gorilla.sources.openapi.operations import PLACEHOLDER, path_and_query
from langchain_gorilla.sources.openapi.security import Credentials, Keys
from langchain_gorilla.sources.openapi.serialization import (
    header_text,
    path_part,
    query_pairs,
    query_text,
)
from langchain_gorilla.sources.openapi.signature import Signature
from langchain_gorilla.sources.tool import SourceTool


class Operation(NamedTuple):
    """How an operation is called.

    Attributes:
        method: In capitals.
        path: With its placeholders.
        server: Its address; None where the description names none.
        signature: What it takes.
        schemes: The security schemes whose keys it is sent with.
    """

    method: str
    path: str
    server: str | None
    signature: Signature
    schemes: tuple[str, ...]

    @property
    def label(self) -> str:
        """What errors call it."""
        return f"{self.method} {self.path}"


class OperationTool(SourceTool):
    """An operation of a REST API.

    Its content is what the server answered, as text; its artifact is plain data with ``status``,
    ``headers``, ``media_type``, ``body`` and ``is_cut``.
    """

    _operation: Operation = PrivateAttr()
    _credentials: Credentials = PrivateAttr()
    _settings: HttpSettings = PrivateAttr()

    @classmethod
    def of(
        cls,
        operation: Operation,
        credentials: Credentials,
        settings: HttpSettings,
        **fields: Any,
    ) -> "OperationTool":
        """Make the tool of an operation; ``fields`` are those of every LangChain tool."""
        tool = cls(args_schema=dict(operation.signature.schema), **fields)
        tool._operation = operation
        tool._credentials = credentials
        tool._settings = settings
        return tool

    def call(self, arguments: dict[str, JSONValue]) -> tuple[str, dict[str, Any]]:
        """Send the request."""
        return run(self.acall(arguments))

    async def acall(self, arguments: dict[str, JSONValue]) -> tuple[str, dict[str, Any]]:
        """Send the request.

        Raises:
            ToolException: The arguments make no request, or the server did not answer as hoped.
            SourceError: The caller named no server, or a credential cannot be sent.
        """
        operation = self._operation
        if operation.server is None:
            raise SourceError(
                f"{operation.label} has no server: the description names no whole address, or one "
                "with a variable that has no value. Pass base_url= to tools_from_openapi, or "
                "server_variables=."
            )
        # Written first: a mistake of the model needs no key.
        self._check_keys(arguments)
        written = _written(operation, arguments)
        keys = await self._credentials.keys(operation.schemes, operation.signature.hidden)
        if keys.fields and operation.signature.body is not None:
            body, media_type = encoded_body(operation.signature.body, {**arguments, **keys.fields})
            headers = {**written.headers, **({"Content-Type": media_type} if media_type else {})}
            written = written._replace(body=body, headers=headers)
        request = _request(operation, operation.server, written, keys)
        answer = await asend(request, self._settings)
        return tool_result(request, answer, self._settings)

    def _check_keys(self, arguments: Mapping[str, Any]) -> None:
        """Refuse an object whose properties would arrive as query parameters that carry keys."""
        for parameter in self._operation.signature.parameters:
            value = arguments.get(parameter.argument)
            if parameter.place != "query" or not isinstance(value, dict):
                continue
            for key in value:
                if self._credentials.covers(key, "query"):
                    raise ToolException(f"{parameter.argument}: it cannot hold {key!r:.80}.")

    def _checked(self, arguments: dict[str, Any]) -> dict[str, JSONValue]:
        return super()._checked(self._without_nulls(arguments))

    def _without_nulls(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out optional arguments that a model filled with null and that cannot be."""
        schema: Any = self.args_schema
        properties, required = schema["properties"], schema.get("required", ())
        return {
            name: value
            for name, value in arguments.items()
            if value is not None
            or name in required
            or name not in properties
            or self._validator.evolve(schema=properties[name]).is_valid(None)
        }


class _Written(NamedTuple):
    """The arguments of one call as a request has them, still without keys."""

    path: str
    query: list[str]
    headers: dict[str, str]
    cookies: list[str]
    body: bytes | None


def _written(operation: Operation, arguments: Mapping[str, Any]) -> _Written:
    """Write the arguments.

    Raises:
        ToolException: One of them would change more than its own place.
    """
    template, pieces = path_and_query(operation.path)
    parts: dict[str, str] = {}
    query_parts: dict[str, str] = {}
    query: list[str] = []
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for parameter in operation.signature.parameters:
        if parameter.argument not in arguments:
            continue
        value, name, style = arguments[parameter.argument], parameter.name, parameter.style
        if parameter.place == "path":
            if f"{{{name}}}" in template:
                parts[name] = path_part(parameter.argument, value, style)
            query_parts[name] = query_text(value, style)
        elif parameter.place == "query":
            query += query_pairs(name, value, style)
        elif parameter.place == "cookie":
            cookies += query_pairs(name, value, style)
        elif value is not None or style.is_json:
            headers[name] = header_text(value, style)
            check_header(parameter.argument, headers[name])
    # A placeholder of no path parameter is a query parameter's, which writes its own piece.
    pieces = [
        PLACEHOLDER.sub(lambda found: query_parts[found[1]], piece)
        for piece in pieces
        if all(name in query_parts for name in PLACEHOLDER.findall(piece))
    ]
    path = _filled(template, parts)
    check_path(path)
    body, media_type = None, None
    if operation.signature.body is not None:
        body, media_type = encoded_body(operation.signature.body, arguments)
    if media_type is not None:
        headers["Content-Type"] = media_type
    return _Written(path, pieces + query, headers, cookies, body)


def _filled(template: str, parts: Mapping[str, str]) -> str:
    """Put the written parts into a path, and encode what stands between them."""
    path, rest = "", template if template.startswith("/") else f"/{template}"
    while rest:
        literal, brace, after = rest.partition("{")
        name, closing, following = after.partition("}")
        if not brace or not closing or name not in parts:
            path += quote(literal + brace, safe="/:@!$&'()*+,;=~%")
            rest = after
            continue
        path += quote(literal, safe="/:@!$&'()*+,;=~%") + parts[name]
        rest = following
    return path


def _request(operation: Operation, server: str, written: _Written, keys: Keys) -> HttpRequest:
    pairs = written.query + [
        f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in keys.query
    ]
    # What a cookie can hold stays as it is: many servers do not decode it.
    held = [(name, quote(value, safe="!#$&()*+/:<=>?@[]^_`{|}~")) for name, value in keys.cookies]
    credentials = {name: each for name, each in keys.headers.items() if name.lower() != "cookie"}
    # A request has one header of cookies.
    cookies = [each for name, each in keys.headers.items() if name not in credentials]
    cookies += written.cookies + [f"{name}={value}" for name, value in held]
    if cookies:
        credentials["Cookie"] = "; ".join(cookies)
    return HttpRequest(
        operation.label,
        operation.method,
        f"{server}{written.path}{'?' if pairs else ''}{'&'.join(pairs)}",
        server,
        written.headers,
        credentials,
        written.body,
        (*keys.secrets, *(value for _, value in held)),
    )
