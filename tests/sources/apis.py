"""Small OpenAPI descriptions and what a server gets from their tools."""

from typing import Any

from langchain_core.messages import ToolMessage

from langchain_gorilla.sources.base import Tools
from langchain_gorilla.sources.openapi import tools_from_openapi
from tests.sources.local_server import LocalServer, Received, serving


def api(paths: dict, version: str = "3.0.3", **rest: Any) -> dict:
    return {"openapi": version, "info": {"title": "Test", "version": "1"}, "paths": paths, **rest}


def operation(*parameters: dict, body: dict | None = None, **rest: Any) -> dict:
    given = {"parameters": list(parameters), "responses": {}, **rest}
    return given if body is None else {**given, "requestBody": body}


def parameter(name: str, place: str = "query", schema: dict | None = None, **rest: Any) -> dict:
    schema = {"type": "string"} if schema is None else schema
    return {"name": name, "in": place, "required": place == "path", "schema": schema, **rest}


def json_body(schema: dict, media_type: str = "application/json", **rest: Any) -> dict:
    return {"content": {media_type: {"schema": schema}}, "required": True, **rest}


def invoke(tools: Tools, arguments: dict, name: str | None = None) -> ToolMessage:
    tool = tools[0] if name is None else next(tool for tool in tools if tool.name == name)
    return tool.invoke({"name": tool.name, "args": arguments, "id": "1", "type": "tool_call"})


def called(description: dict, arguments: dict, **options: Any) -> Received:
    """Call the description's first tool and return what arrived."""
    with serving() as server:
        message = at(server, description, arguments, **options)
    assert message.status == "success", message.content
    return server.last


def refused(description: dict, arguments: dict, **options: Any) -> str:
    """Call the first tool, see that nothing arrives, and return the error."""
    with serving() as server:
        message = at(server, description, arguments, **options)
    assert message.status == "error"
    assert server.received == []
    return message.content


def at(server: LocalServer, description: dict, arguments: dict, **options: Any) -> ToolMessage:
    tools = tools_from_openapi(
        description, base_url=f"{server.url}/v1", allow_writes=True, **options
    )
    assert not tools.refusals
    return invoke(tools, arguments)
