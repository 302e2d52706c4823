"""What people write to reach an MCP server, and why one cannot be reached."""

from collections.abc import Mapping
from concurrent.futures import CancelledError
from typing import Any, Final

import httpx
from anyio import BrokenResourceError, ClosedResourceError
from langchain_mcp_adapters.sessions import (
    SSEConnection,
    StdioConnection,
    StreamableHttpConnection,
    WebsocketConnection,
)
from mcp import McpError
from mcp.types import CONNECTION_CLOSED, INVALID_REQUEST
from pydantic import ValidationError

from langchain_gorilla.errors import SourceError
from langchain_gorilla.reasons import listed, shortened

_CONNECTIONS: Final[Mapping[str, Any]] = {
    "stdio": StdioConnection,
    "sse": SSEConnection,
    "streamable_http": StreamableHttpConnection,
    "websocket": WebsocketConnection,
}
_ALSO_WRITTEN: Final = dict.fromkeys(
    ("http", "streamable-http", "streamableHttp"), "streamable_http"
)

# Settings of other programs' own. disabledTools and its like are not among them: to leave those
# aside would offer tools that somebody turned off.
_OF_OTHER_PROGRAMS: Final = ("alwaysAllow", "autoApprove", "description", "disabled", "trust")


def read_connection(given: Any) -> dict[str, Any]:
    """Return a connection as langchain-mcp-adapters takes it.

    Args:
        given: As configuration files of MCP clients have it: often without ``transport``, with
            numbers in ``env``, with settings that concern only the client.

    Raises:
        SourceError: It is none; names the key, never the value, which may be secret.
    """
    if not isinstance(given, Mapping) or not ("command" in given or "url" in given):
        keys = ", ".join(map(str, given)) if isinstance(given, Mapping) else ""
        several = keys and all(isinstance(each, Mapping) for each in given.values())
        raise SourceError(
            "An MCP server is a dict with 'command' and 'args' for a program, or 'url' for a "
            f"server. This {f'has {keys}' if keys else 'is none'}."
            + (" Of a dict of servers by name, pass one server's at a time." if several else "")
        )
    if given.get("disabled"):
        raise SourceError("This MCP server is disabled: its 'disabled' is true. Leave it out.")
    default = "stdio" if "command" in given else "streamable_http"
    transport = given.get("transport") or given.get("type") or default
    transport = _ALSO_WRITTEN.get(str(transport), str(transport))
    if transport not in _CONNECTIONS:
        raise SourceError(
            f"An MCP server has transport {transport!r}; expected {', '.join(_CONNECTIONS)}."
        )
    left_aside = {"type", *_OF_OTHER_PROGRAMS}
    if transport == "stdio":
        # Seconds for some programs, milliseconds for others; here timeout_s says it.
        left_aside.add("timeout")
    connection = {key: value for key, value in given.items() if key not in left_aside}
    connection["transport"] = transport
    known = _CONNECTIONS[transport].__annotations__
    if unknown := [str(key) for key in connection if key not in known]:
        raise SourceError(
            f"An MCP server over {transport} takes {', '.join(known)}; it also has "
            f"{', '.join(unknown)}. Leave that out."
        )
    if transport == "stdio":
        if not isinstance(connection["command"], str):
            raise SourceError("'command' is the program's name, a text; 'args' has the rest.")
        arguments = connection.get("args", [])
        if not isinstance(arguments, list | tuple):
            raise SourceError("'args' is a list of texts, one for each argument.")
        connection["args"] = [_text(each, "'args'") for each in arguments]
    elif not str(connection["url"]).startswith(("http://", "https://", "ws://", "wss://")):
        raise SourceError("'url' is an address with its scheme, such as https://….")
    for key in ("env", "headers"):
        if (values := connection.get(key)) is not None:
            if not isinstance(values, Mapping):
                raise SourceError(f"{key!r} is a dict of texts.")
            connection[key] = {
                name: _text(each, f"{key}[{name!r}]") for name, each in values.items()
            }
    return connection


def _text(value: Any, where: str) -> str:
    """Return a text, or a number as one."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise SourceError(
        f"{where} of an MCP server holds a value of type {type(value).__name__}; expected a text. "
        "Write it in quotes."
    )


def unreachable(connection: Mapping[str, Any], error: BaseException) -> SourceError:
    """Say why the tools cannot be listed; an error that says it already stays."""
    error = innermost(error)
    if isinstance(error, SourceError):
        return error
    # Neither arguments nor address, which may hold keys.
    is_program = "command" in connection
    where = f"the program {connection['command']!r}" if is_program else "the server"
    reason = (is_program and _why_no_program(connection, error)) or why(error)
    return SourceError(f"The MCP tools of {where} cannot be listed: {reason}.")


def _why_no_program(connection: Mapping[str, Any], error: BaseException) -> str | None:
    """Say what is wrong with a program that was started, or was not, where that is known."""
    if isinstance(error, NotADirectoryError | FileNotFoundError) and (
        (folder := connection.get("cwd")) is not None and error.filename == str(folder)
    ):
        return f"its 'cwd' {str(folder)!r} is no folder"
    if isinstance(error, McpError) and error.error.code == CONNECTION_CLOSED:
        return "it ended before it answered. Its error output may say why"
    if isinstance(error, UnicodeDecodeError):
        return (
            f"what it writes is not {error.encoding}. MCP servers write UTF-8, and nothing else to "
            "their standard output; 'encoding' names another"
        )
    return None


def innermost(error: BaseException) -> BaseException:
    """Return what went wrong first: inside groups of errors, and before leaving added others."""
    while True:
        inside = getattr(error, "exceptions", None)
        if isinstance(inside, tuple) and inside:
            error = inside[0]
        elif isinstance(error.__context__, TimeoutError):
            return error.__context__
        else:
            return error


def is_lost(error: BaseException) -> bool:
    """Whether a connection is of no more use."""
    return never_ran(error) or (
        isinstance(error, McpError) and error.error.code == CONNECTION_CLOSED
    )


def never_ran(error: BaseException) -> bool:
    """Whether a call cannot have run: it was not sent, or the server has forgotten the session."""
    if isinstance(error, McpError):
        # What the SDK makes of HTTP 404, as after a restart; the code has lost its sign there.
        is_invalid = abs(error.error.code) == abs(INVALID_REQUEST)
        return is_invalid and error.error.message == "Session terminated"
    return isinstance(error, ClosedResourceError | BrokenResourceError)


def misfit(error: ValidationError) -> str:
    """Say what does not fit the protocol and where, without the values."""
    places = [
        f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
        for each in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return f"no valid {error.title} ({listed(places, 2)})"


def why(error: BaseException) -> str:
    """Say what is wrong with a server, without what may hold keys."""
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answers HTTP {error.response.status_code} {error.response.reason_phrase}"
    if isinstance(error, McpError):
        return shortened(error.error.message.rstrip("."), 200) or "an error without a message"
    if isinstance(error, ValidationError):
        return misfit(error)
    if isinstance(error, ClosedResourceError | BrokenResourceError | CancelledError):
        return "the connection is closed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
