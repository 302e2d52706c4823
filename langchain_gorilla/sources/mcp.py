"""Tools of MCP servers, over stdio and streamable HTTP, for sync and async callers.

``tools_from_mcp`` lists a server's tools once; each call opens a session of its own, so nothing
has to be closed. ``McpServer`` keeps one session and hears when the server's tools change::

    with McpServer({"command": "my-server", "args": []}, name="files") as server:
        server.follow(catalog, namespace="files", on_change=lambda change: index.sync(catalog))

A server's words (descriptions, results, hints such as ``readOnlyHint``) are as trustworthy as
whoever runs it. A stdio server is a program that is started here with a scrubbed environment.
"""

from collections.abc import Mapping
from typing import Any

from langchain_gorilla.sources.base import Refusal, Tools
from langchain_gorilla.sources.event_loop import run

try:
    from anyio import fail_after
    from langchain_mcp_adapters.sessions import create_session
    from mcp import types

    from langchain_gorilla.sources.mcp_connection import innermost, read_connection, unreachable
    from langchain_gorilla.sources.mcp_listing import ToolsChange, all_tools, read_tools
    from langchain_gorilla.sources.mcp_server import McpServer
    from langchain_gorilla.sources.mcp_tool import CallToolResult, called
except ImportError as error:  # pragma: no cover
    raise ImportError(
        "Tools of MCP servers need langchain-mcp-adapters: pip install 'langchain-gorilla[mcp]'."
    ) from error

__all__ = ["McpServer", "ToolsChange", "tools_from_mcp"]


def tools_from_mcp(
    connection: Mapping[str, Any], *, name: str | None = None, timeout_s: float = 60.0
) -> Tools:
    """List the tools of an MCP server; each call connects anew.

    Args:
        connection: As langchain-mcp-adapters takes it: ``command``, ``args``, ``env`` for a
            program, ``url``, ``headers`` for a server; ``transport`` follows from these. What
            clients note for themselves, such as ``autoApprove``, is left aside.
        name: Of the server, for metadata; what it calls itself otherwise.
        timeout_s: To connect and list, and for each call.

    Raises:
        SourceError: The connection is none, or the server cannot be reached, or does not speak
            the protocol.
    """
    connection = read_connection(connection)

    async def listed() -> tuple[list[types.Tool | Refusal], str]:
        async with create_session(connection) as session:  # type: ignore[arg-type]
            with fail_after(timeout_s):
                itself = await session.initialize()
            with fail_after(timeout_s):
                tools = await all_tools(session)
        return tools, itself.serverInfo.name

    async def call(tool: str, arguments: dict[str, Any]) -> CallToolResult:
        try:
            async with create_session(connection) as session:  # type: ignore[arg-type]
                with fail_after(timeout_s):
                    await session.initialize()
                return await called(session, tool, arguments, timeout_s)
        except Exception as error:
            # Task groups wrap what went wrong inside them.
            raise innermost(error) from None

    try:
        found, itself = run(listed())
    except Exception as error:
        raise unreachable(connection, error) from None
    tools, refusals = read_tools(found, name or itself, call)
    return Tools(tools.values(), refusals=refusals)
