"""REST lines of API documents, such as ``GET /scim2/Groups``, as tools that run.

A document names arguments and does not say where they go, so places follow from the line: a
placeholder is in the path, and so is a segment that is an argument's name, where the document does
not mark placeholders; a name such as ``If-Modified-Since`` is a header; of the rest, ``body`` is the
body where the method may have one, and so is, whatever the method, what is described as the request
body; what remains is the query for methods without a body, else an object in the body.

A model can neither leave the base URL nor set what names who calls: such headers are not offered.
"""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from pydantic import PrivateAttr

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.errors import SourceError
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.sources.addresses import (
    check_header,
    check_own_headers,
    check_path,
    checked_base_url,
    path_text,
)
from langchain_gorilla.sources.api_calls import ApiCall
from langchain_gorilla.sources.event_loop import run
from langchain_gorilla.sources.http import HttpRequest, HttpSettings, asend
from langchain_gorilla.sources.http_answers import tool_result
from langchain_gorilla.sources.http_secrets import may_hold_key
from langchain_gorilla.sources.tool import SourceTool

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
# Nothing forbids a DELETE its body, but what else it takes is in the query.
_MAY_HAVE_BODY: Final = _WITH_BODY | {"DELETE"}
_IS_BODY: Final = re.compile(r"\W*(?:the |a )?(?:json )?request body\b", re.IGNORECASE)
_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")
_HEADER: Final = re.compile(r"[A-Z][A-Za-z0-9]*(?:-[A-Z][A-Za-z0-9]*)+")
_CALLERS: Final = re.compile(
    r"authorization|proxy-.*|cookie|set-cookie|host|content-length|content-type|connection"
    r"|transfer-encoding|te|upgrade|expect|forwarded|x-forwarded-.*|.*(?:api-?key|token|secret)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class RestLine:
    """Where a line's arguments go.

    Attributes:
        method: In capitals.
        path: Below the base URL, with ``{placeholders}``.
        query: Argument to its name in the query.
        fixed_query: What the line itself has there.
        headers: Arguments that are headers.
        body: Arguments that are keys of the body.
        whole_body: The argument that is the body; ``""`` for none.
    """

    method: str
    path: str
    query: Mapping[str, str]
    fixed_query: tuple[tuple[str, str], ...] = ()
    headers: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    whole_body: str = ""


class RestLines:
    """Makes tools of REST lines, all of one server."""

    def __init__(
        self,
        base_url: str,
        allow_writes: bool,
        headers: Mapping[str, str],
        settings: HttpSettings,
    ) -> None:
        """See ``tools_from_gorilla_documents``.

        Raises:
            SourceError: ``base_url`` is no web address, or a header cannot be sent.
        """
        self._base_url = checked_base_url(base_url)
        self._allow_writes = allow_writes
        self._headers: dict[str, Any] = dict(headers)
        self._settings = settings
        check_own_headers(self._headers)
        for name, value in self._headers.items():
            if not (isinstance(value, str) and value.isprintable()):
                raise SourceError(
                    f"headers= has a value of {name!r} that cannot be sent. Expected a text "
                    "without line breaks and control characters."
                )

    def tool(
        self, schema: FunctionSchema, call: ApiCall, metadata: Mapping[str, Any], *, bare: bool
    ) -> "RestLineTool | None":
        """Return the tool; None for a method that writes and is not allowed to.

        Args:
            schema: Its own.
            call: Its line.
            metadata: Its own.
            bare: The document does not mark placeholders.
        """
        if call.method not in _READING and not self._allow_writes:
            return None
        given = {name.lower() for name in self._headers}
        hidden = {
            name
            for name in schema.properties
            if name.lower() in given or (_HEADER.fullmatch(name) and _CALLERS.fullmatch(name))
        }
        parameters: dict[str, JSONValue] = {
            **schema.parameters,
            "properties": {k: v for k, v in schema.properties.items() if k not in hidden},
            "additionalProperties": False,
        }
        shown = [name for name in schema.properties if name not in hidden]
        bodies = {name for name in shown if _is_body(name, schema.properties[name], call.method)}
        line = _placed(call, shown, bodies, bare)
        in_path = set(_PLACEHOLDER.findall(line.path))
        required = [
            name
            for name in schema.properties
            if name not in hidden and (name in schema.required or name in in_path)
        ]
        parameters.pop("required", None)
        if required:
            parameters["required"] = required
        tool = RestLineTool(
            name=schema.name,
            description=schema.description,
            args_schema=parameters,
            metadata=dict(metadata),
        )
        tool._line = line
        tool._base_url = self._base_url
        tool._headers = self._headers
        tool._settings = self._settings
        return tool


class RestLineTool(SourceTool):
    """A REST line as a tool; content and artifact are those of an OpenAPI operation."""

    _line: RestLine = PrivateAttr()
    _base_url: str = PrivateAttr()
    _headers: dict[str, str] = PrivateAttr()
    _settings: HttpSettings = PrivateAttr()

    def call(self, arguments: dict[str, JSONValue]) -> tuple[str, dict[str, Any]]:
        """Send the request."""
        return run(self.acall(arguments))

    async def acall(self, arguments: dict[str, JSONValue]) -> tuple[str, dict[str, Any]]:
        """Send the request.

        Raises:
            ToolException: The arguments make no request, or the server did not answer as hoped.
        """
        request = self._request(arguments)
        return tool_result(request, await asend(request, self._settings), self._settings)

    def _request(self, arguments: Mapping[str, Any]) -> HttpRequest:
        line = self._line
        path = _PLACEHOLDER.sub(
            lambda match: path_text(_text(arguments[match[1]]), match[1]), line.path
        )
        check_path(path)
        # What a line shows of an argument is an example of it.
        pairs = [(name, text) for name, text in line.fixed_query if arguments.get(name) is None]
        for argument, name in line.query.items():
            value = arguments.get(argument)
            values = value if isinstance(value, list) else [value]
            pairs += [(name, _text(each)) for each in values if each is not None]
        query = "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in pairs)
        headers = {name: _text(arguments[name]) for name in line.headers if name in arguments}
        for name, text in headers.items():
            check_header(name, text)
        body: Any = {name: arguments[name] for name in line.body if name in arguments}
        if line.whole_body in arguments:
            body = arguments[line.whole_body]
        content = None
        if body or line.whole_body in arguments:
            content = _json(body).encode()
            headers["content-type"] = "application/json"
        return HttpRequest(
            label=f"{line.method} {line.path}",
            method=line.method,
            url=f"{self._base_url}{path}{f'?{query}' if query else ''}",
            base_url=self._base_url,
            headers=headers,
            credentials=self._headers,
            body=content,
            secrets=tuple(text for name, text in self._headers.items() if may_hold_key(name)),
        )


def _is_body(name: str, schema: Any, method: str) -> bool:
    """Say whether an argument is the whole body."""
    if name == "body" and method in _MAY_HAVE_BODY:
        return True
    said = schema.get("description") if isinstance(schema, Mapping) else None
    return isinstance(said, str) and _IS_BODY.match(said) is not None


def _json(value: Any) -> str:
    """Return a body as JSON; documents seldom say that it is no text, so it may be JSON already."""
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            if isinstance(json.loads(value), dict | list):
                return value
    return json.dumps(value, ensure_ascii=False)


def _placed(call: ApiCall, names: list[str], bodies: set[str], bare: bool) -> RestLine:
    """Decide where each argument goes.

    Args:
        call: The line.
        names: The arguments.
        bodies: Those that look like the whole body; the first that has no other place is it.
        bare: The document does not mark placeholders.
    """
    rest = list(names)
    segments = call.path.split("/")
    if bare and "{" not in call.path:
        # Salesforce's documents write /sobjects/sObject/describe with an argument sObject.
        shown = {value for _, value in call.fixed_query}
        for name in set(rest) & set(segments) - {"body", "data"} - shown:
            place = len(segments) - 1 - segments[::-1].index(name)
            segments[place] = f"{{{name}}}"
    path = "/".join(segments)
    in_path = set(_PLACEHOLDER.findall(path))
    rest = [name for name in rest if name not in in_path]
    query = {value: name for name, value in call.fixed_query if value in rest}
    fixed = tuple((name, value) for name, value in call.fixed_query if value not in rest)
    rest = [name for name in rest if name not in query]
    headers = tuple(name for name in rest if _HEADER.fullmatch(name))
    rest = [name for name in rest if name not in headers]
    whole = next((name for name in rest if name in bodies), "")
    body = tuple(name for name in rest if name != whole)
    if whole or call.method not in _WITH_BODY:
        query |= {name: name for name in body}
        body = ()
    return RestLine(call.method, path, query, fixed, headers, body, whole)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
