"""What MCP connections may look like, and what is said where one cannot be used."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from langchain_gorilla.errors import SourceError
from tests.sources.local_server import Answer, Received, as_json, serving

mcp = pytest.importorskip("langchain_gorilla.sources.mcp")
mcp_connection = pytest.importorskip("langchain_gorilla.sources.mcp_connection")

PROGRAM = {"command": "x", "args": [], "transport": "stdio"}
SERVER = {"url": "https://x.example/mcp", "transport": "streamable_http"}

TAKEN = [
    ({"command": "x"}, PROGRAM),
    ({"command": "x", "type": "stdio", "args": ()}, PROGRAM),
    ({**PROGRAM, "disabled": False, "autoApprove": [], "alwaysAllow": ["a"]}, PROGRAM),
    ({**PROGRAM, "timeout": 60_000, "description": "Files.", "trust": True}, PROGRAM),
    ({**PROGRAM, "args": ["--port", 80]}, {**PROGRAM, "args": ["--port", "80"]}),
    ({**PROGRAM, "env": {"PORT": 80, "A": "b"}}, {**PROGRAM, "env": {"PORT": "80", "A": "b"}}),
    ({**PROGRAM, "env": None}, {**PROGRAM, "env": None}),
    ({"url": SERVER["url"]}, SERVER),
    ({"url": SERVER["url"], "type": "http"}, SERVER),
    ({"url": SERVER["url"], "type": "streamable-http"}, SERVER),
    ({"url": SERVER["url"], "type": "streamableHttp"}, SERVER),
    ({**SERVER, "timeout": 5, "headers": {"Age": 3}},
     {**SERVER, "timeout": 5, "headers": {"Age": "3"}}),
    ({"url": "ws://x.example", "type": "websocket"},
     {"url": "ws://x.example", "transport": "websocket"}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "read"), TAKEN)
def test_a_connection_may_be_written_as_clients_write_it(given: dict, read: dict) -> None:
    assert mcp_connection.read_connection(given) == read


REFUSED = [
    ("npx server --key=s3cret", "This is none"),
    ({"args": ["x"], 1: 2}, "This has args, 1"),
    ({}, "This is none"),
    ({"box": {"command": "box-server"}}, "This has box. Of a dict of servers .* pass one"),
    ({**PROGRAM, "disabled": True}, "is disabled"),
    ({**PROGRAM, "disabledTools": ["rm"]}, "takes transport, command, .* has disabledTools. Leave"),
    ({**PROGRAM, "headers": {}}, "over stdio takes .* has headers"),
    ({**PROGRAM, "url": "https://x.example"}, "over stdio takes .* has url"),
    ({**SERVER, "args": []}, "over streamable_http takes .* has args"),
    ({**SERVER, "type": "pigeon", "transport": None}, "transport 'pigeon'; expected stdio, sse"),
    ({**SERVER, "transport": ["sse"]}, "expected stdio, sse"),
    ({"command": ["npx", "s3cret"]}, "'command' is the program's name"),
    ({**PROGRAM, "args": "--key s3cret"}, "'args' is a list"),
    ({**PROGRAM, "args": None}, "'args' is a list"),
    ({**PROGRAM, "args": [["s3cret"]]}, "'args' of an MCP server holds a value of type list"),
    ({**PROGRAM, "env": ["KEY=s3cret"]}, "'env' is a dict"),
    ({**PROGRAM, "env": {"KEY": ["s3cret"]}}, r"env\['KEY'\] of an MCP server .* of type list"),
    ({**PROGRAM, "env": {"DEBUG": True}}, r"env\['DEBUG'\] .* of type bool; expected a text"),
    ({**SERVER, "headers": {"Key": None}}, r"headers\['Key'\] .* of type NoneType"),
    ({"url": "user:s3cret@x.example"}, "'url' is an address with its scheme"),
    ({"url": 3}, "'url' is an address"),
]


@pytest.mark.parametrize(("given", "words"), REFUSED)
def test_a_connection_that_is_none_says_what_is_wrong_and_no_value(given: Any, words: str) -> None:
    with pytest.raises(SourceError, match=words) as refusal:
        mcp_connection.read_connection(given)
    assert "s3cret" not in str(refusal.value)


class _Locked(BaseHTTPRequestHandler):
    """Asks everybody for a key."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def locked() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Locked) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/mcp"
        server.shutdown()


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize("transport", ["http", "sse"])
def test_a_server_that_wants_a_key_is_told_from_one_that_is_not_there(
    transport: str, locked: str
) -> None:
    connection = {"url": locked, "transport": transport}
    with pytest.raises(SourceError, match="cannot be listed: it answers HTTP 401 Unauthorized"):
        mcp.tools_from_mcp(connection, timeout_s=20)
    with pytest.raises(SourceError, match="cannot be listed: it answers HTTP 401 Unauthorized"):
        mcp.McpServer(connection, timeout_s=20).open()


def refusing(status: int):
    """Answer as an MCP server that has one tool and refuses the first call of it."""
    left = [status]

    def respond(received: Received) -> Answer:
        if received.method != "POST":
            return Answer(405)
        asked = json.loads(received.body)
        if "id" not in asked:
            return Answer(202, b"")
        if asked["method"] == "tools/call" and left:
            return Answer(left.pop())
        result = {
            "initialize": {
                "protocolVersion": "2025-06-18",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "test", "version": "1"},
            },
            "tools/list": {"tools": [{"name": "ok", "inputSchema": {"type": "object"}}]},
            "tools/call": {"content": [{"type": "text", "text": "done"}]},
        }[asked["method"]]
        return as_json({"jsonrpc": "2.0", "id": asked["id"], "result": result})

    return respond


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_call_that_a_server_refuses_by_http_says_how() -> None:
    with serving(refusing(429)) as server:
        (tool,) = mcp.tools_from_mcp({"url": server.url}, timeout_s=20)
        assert "its server cannot be asked: it answers HTTP 429 Too Many" in tool.invoke({})


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_connection_that_ended_by_itself_can_be_opened_again() -> None:
    with serving(refusing(503)) as server, mcp.McpServer({"url": server.url}, timeout_s=20) as kept:
        assert "is closed" in kept.tools[0].invoke({})
        kept._thread.join()
        assert kept.open().tools[0].invoke({}) == "done"
