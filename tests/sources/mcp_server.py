"""A real MCP server for the tests: ``python mcp_server.py`` over stdio, ``… PORT`` over HTTP."""

import asyncio
import base64
import os
import sys

from mcp import types
from mcp.server.lowlevel import NotificationOptions, Server

PAGE = 3
server = Server("test-server")
server.create_initialization_options = (  # type: ignore[method-assign]
    lambda *arguments, make=server.create_initialization_options: make(
        NotificationOptions(tools_changed=True)
    )
)


def tool(name: str, description: str, properties: dict | None = None, **rest) -> types.Tool:
    schema = {"type": "object", "properties": properties or {}, "required": list(properties or {})}
    return types.Tool(name=name, description=description, inputSchema=schema, **rest)


SUM = {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]}
TOOLS = {
    each.name: each
    for each in (
        tool(
            "add",
            "Add two numbers.",
            {"a": {"type": "integer"}, "b": {"type": "integer"}},
            title="Adder",
            outputSchema=SUM,
            annotations=types.ToolAnnotations(readOnlyHint=True, openWorldHint=False),
        ),
        tool("fail", "Always fails.", annotations=types.ToolAnnotations(destructiveHint=True)),
        tool("wrong", "Breaks its own output schema.", outputSchema=SUM),
        tool("everything", "Returns every kind of content."),
        tool(
            "echo",
            "Return the arguments.",
            {
                "runtime": {"type": "string"},
                "config": {"type": "string"},
                "self": {"type": "string"},
            },
        ),
        tool("nothing", "Returns nothing."),
        tool("sleep", "Sleeps for a minute."),
        tool("crash", "Ends the server."),
        tool("appear", "Adds a tool."),
        tool("change", "Changes a tool."),
        tool("vanish", "Removes a tool."),
        types.Tool(name="open", description="Has an empty schema.", inputSchema={}),
        types.Tool(
            name="broken", description="No schema.", inputSchema={"type": "nonsense", "required": 7}
        ),
        tool("line\nbreak", "Has a name that no prompt can carry."),
    )
}
TWICE = tool("add", "The same name again.")


@server.list_tools()
async def list_tools(request: types.ListToolsRequest) -> types.ListToolsResult:
    cursor = request.params.cursor if request and request.params else None
    start = int(cursor or 0)
    listed = [*TOOLS.values(), TWICE]
    end = start + PAGE
    return types.ListToolsResult(
        tools=listed[start:end], nextCursor=str(end) if end < len(listed) else None
    )


@server.call_tool()
async def call_tool(name: str, arguments: dict):
    session = server.request_context.session
    match name:
        case "add":
            return {"sum": arguments["a"] + arguments["b"]}
        case "fail":
            raise ValueError("The disk is full; delete something.")
        case "wrong":
            # A whole result is passed on unchecked, so that the client meets it.
            return types.CallToolResult(content=[], structuredContent={"sum": "many"})
        case "everything":
            data = base64.b64encode(b"12345").decode()
            return [
                types.TextContent(type="text", text="words"),
                types.ImageContent(type="image", data=data, mimeType="image/png"),
                types.AudioContent(type="audio", data=data, mimeType="audio/wav"),
                types.ResourceLink(
                    type="resource_link", name="link", uri="file:///a.txt", description="a file"
                ),
                types.EmbeddedResource(
                    type="resource",
                    resource=types.TextResourceContents(uri="file:///b.txt", text="inside"),
                ),
                types.EmbeddedResource(
                    type="resource",
                    resource=types.BlobResourceContents(
                        uri="file:///c.pdf", blob=data, mimeType="application/pdf"
                    ),
                ),
            ]
        case "echo" | "open":
            return arguments
        case "sleep":
            await asyncio.sleep(60)
        case "crash":
            os._exit(1)
        case "appear":
            TOOLS["new"] = tool("new", "Appeared while connected.")
            await session.send_tool_list_changed()
        case "change":
            TOOLS["nothing"] = tool("nothing", "Returns nothing at all.")
            await session.send_tool_list_changed()
        case "vanish":
            del TOOLS["sleep"]
            await session.send_tool_list_changed()
        case "new":
            return [types.TextContent(type="text", text="I am new")]
    return []


async def over_stdio() -> None:
    from mcp.server.stdio import stdio_server

    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def over_http(port: int) -> None:
    import contextlib

    import uvicorn
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.applications import Starlette
    from starlette.routing import Mount

    manager = StreamableHTTPSessionManager(server)

    @contextlib.asynccontextmanager
    async def lifespan(app):
        async with manager.run():
            yield

    app = Starlette(routes=[Mount("/mcp", app=manager.handle_request)], lifespan=lifespan)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        over_http(int(sys.argv[1]))
    else:
        asyncio.run(over_stdio())
