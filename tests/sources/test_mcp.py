"""Tools of a real MCP server, over stdio and streamable HTTP."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from langchain_core.messages import ToolMessage

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import DuplicateFunctionError, SourceError
from langchain_gorilla.functions import FunctionSet, function_schema

mcp = pytest.importorskip("langchain_gorilla.sources.mcp")
mcp_tool = pytest.importorskip("langchain_gorilla.sources.mcp_tool")

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

SCRIPT = Path(__file__).with_name("mcp_server.py")
STDIO = {"command": sys.executable, "args": [str(SCRIPT)]}
GOOD = [
    "add",
    "fail",
    "wrong",
    "everything",
    "echo",
    "nothing",
    "sleep",
    "crash",
    "appear",
    "change",
    "vanish",
    "open",
]


@pytest.fixture
def http() -> Iterator[dict]:
    """Start the server over HTTP, for one test."""
    port = free_port()
    with serving(port):
        yield {"url": f"http://127.0.0.1:{port}/mcp/"}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(port: int) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, str(SCRIPT), str(port)])
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=["stdio", "http"])
def connection(request) -> dict:
    return STDIO if request.param == "stdio" else request.getfixturevalue("http")


def call(name: str, arguments: dict | None = None) -> dict:
    return {"name": name, "args": arguments or {}, "id": "1", "type": "tool_call"}


def invoked(tools, name: str, arguments: dict | None = None) -> ToolMessage:
    (tool,) = (tool for tool in tools if tool.name == name)
    return tool.invoke(call(name, arguments))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_all_pages_are_listed_and_what_cannot_be_a_tool_is_refused(connection):
    with mcp.McpServer(connection) as server:
        assert server.name == "test-server"
        assert [tool.name for tool in server.tools] == GOOD
        assert [each.where for each in server.tools.refusals] == ["broken", "line\nbreak", "add"]
        assert server.tools.refusals[2].reason == "The server lists this name twice."
        FunctionSet(map(function_schema, server.tools))


def test_sync_and_async_callers_get_content_and_structured_content(connection):
    async def from_a_loop(tool) -> ToolMessage:
        return await tool.ainvoke(call("add", {"a": 1, "b": 2}))

    with mcp.McpServer(connection) as server:
        add = server.tools[0]
        messages = [
            add.invoke(call("add", {"a": 1, "b": 2})),
            # Two loops, neither of which is the session's.
            asyncio.run(from_a_loop(add)),
            asyncio.run(from_a_loop(add)),
        ]
    for message in messages:
        assert message.status == "success"
        assert message.content == '{\n  "sum": 3\n}'
        assert message.artifact["structured_content"] == {"sum": 3}


async def test_a_server_can_be_used_from_a_running_loop(connection):
    async with mcp.McpServer(connection) as server:
        add = server.tools[0]
        found = await asyncio.gather(
            *(add.ainvoke(call("add", {"a": number, "b": 0})) for number in range(5))
        )
        assert [each.artifact["structured_content"]["sum"] for each in found] == [0, 1, 2, 3, 4]
        # Sync calls in a running loop come from LangGraph's own code, for one.
        assert add.invoke(call("add", {"a": 1, "b": 1})).artifact["structured_content"]["sum"] == 2


def test_a_tool_without_a_kept_connection_connects_for_each_call(connection):
    tools = mcp.tools_from_mcp(connection, name="mine")
    assert [tool.name for tool in tools] == GOOD
    assert len(tools.refusals) == 3
    assert invoked(tools, "add", {"a": 2, "b": 2}).artifact["structured_content"] == {"sum": 4}
    message = invoked(tools, "fail")
    assert (message.status, message.content) == ("error", "The disk is full; delete something.")


@pytest.fixture(scope="module")
def shared() -> Iterator:
    with mcp.McpServer(STDIO, name="mine", timeout_s=20) as server:
        yield server


def test_annotations_and_output_schema_are_metadata(shared):
    assert shared.tools[0].metadata == {
        "source": "mcp",
        "origin": "mine",
        "title": "Adder",
        "readOnlyHint": True,
        "openWorldHint": False,
        "outputSchema": {
            "type": "object",
            "properties": {"sum": {"type": "integer"}},
            "required": ["sum"],
        },
    }
    assert shared.tools[1].metadata["destructiveHint"] is True


def test_annotations_do_not_say_where_a_tool_comes_from():
    annotations = {"source": "python", "origin": "trusted", "rate": 5}
    listed = {"name": "read", "inputSchema": {"type": "object"}, "annotations": annotations}
    made = mcp_tool.McpTool.of(mcp_tool.types.Tool.model_validate(listed), "mine", None)
    assert made.metadata == {"source": "mcp", "origin": "mine", "rate": 5}


def test_a_tools_error_is_the_models_to_read(shared):
    message = invoked(shared.tools, "fail")
    assert message.status == "error"
    assert message.content == "The disk is full; delete something."


def test_a_result_that_breaks_its_output_schema_is_an_error(shared):
    message = invoked(shared.tools, "wrong")
    assert message.status == "error"
    assert message.content == (
        "wrong: its result does not fit its outputSchema: $.sum: 'many' is not of type 'integer'"
    )


def test_arguments_are_checked_before_they_are_sent(shared):
    message = invoked(shared.tools, "add", {"a": "1", "b": 2})
    assert message.status == "error"
    assert message.content.startswith("a: got '1', expected an integer")


def test_arguments_may_have_langchains_names(shared):
    arguments = {"runtime": "r", "config": "c", "self": "s"}
    message = invoked(shared.tools, "echo", arguments)
    assert message.artifact["structured_content"] == arguments


def test_a_tool_without_a_schema_takes_anything(shared):
    assert invoked(shared.tools, "open", {"x": [1]}).artifact["structured_content"] == {"x": [1]}


def test_every_kind_of_content_is_named_and_kept(shared):
    message = invoked(shared.tools, "everything")
    assert message.content.split("\n") == [
        "words",
        "[5 bytes of image/png, kept for the application]",
        "[5 bytes of audio/wav, kept for the application]",
        "[link: file:///a.txt (a file)]",
        "inside",
        "[5 bytes of application/pdf, kept for the application]",
    ]
    kinds = [block["type"] for block in message.artifact["content"]]
    assert kinds == ["text", "image", "audio", "file", "text", "file"]
    assert message.artifact["content"][1]["base64"] == "MTIzNDU="


def test_nothing_is_said_in_words(shared):
    assert invoked(shared.tools, "nothing").content == "Done; the tool returned nothing."


def test_a_catalog_follows_what_appears_changes_and_vanishes(connection):
    catalog = ToolCatalog(qualified=True)
    changes: list = []
    with mcp.McpServer(connection) as server:
        server.follow(catalog, namespace="t", on_change=changes.append)
        assert "t.add" in catalog
        assert "t.new" not in catalog
        invoked(server.tools, "appear")
        until(lambda: len(changes) == 1)
        assert changes[0] == mcp.ToolsChange(added=("new",))
        assert catalog.executable("t.new").invoke({}) == "I am new"
        invoked(server.tools, "change")
        until(lambda: len(changes) == 2)
        assert changes[1] == mcp.ToolsChange(replaced=("nothing",))
        assert catalog["t.nothing"].function.description == "Returns nothing at all."
        invoked(server.tools, "vanish")
        until(lambda: len(changes) == 3)
        assert changes[2] == mcp.ToolsChange(removed=("sleep",))
        assert "t.sleep" not in catalog
        version = catalog.version
        assert not server.refresh()
        assert catalog.version == version
        assert [tool.name for tool in server.tools] == [
            *(name for name in GOOD if name != "sleep"),
            "new",
        ]


def test_a_catalog_that_has_one_of_the_names_stays_as_it_was(shared):
    catalog = ToolCatalog([{"name": "echo", "description": "Mine.", "parameters": {}}])
    with pytest.raises(DuplicateFunctionError, match="'echo'"):
        shared.follow(catalog)
    assert len(catalog) == 1


def test_a_later_tool_with_a_name_that_is_taken_is_left_out(caplog):
    catalog = ToolCatalog([{"name": "new", "description": "Mine.", "parameters": {}}])
    changes: list = []
    with mcp.McpServer(STDIO) as server:
        server.follow(catalog, on_change=changes.append)
        invoked(server.tools, "appear")
        until(lambda: len(changes) == 1)
        invoked(server.tools, "vanish")
        until(lambda: len(changes) == 2)
    assert catalog["new"].function.description == "Mine."
    assert "sleep" not in catalog
    assert "is left out" in caplog.text


def test_a_follower_that_fails_stops_nothing(caplog):
    catalog = ToolCatalog()

    def broken(change) -> None:
        raise ValueError("no index here")

    with mcp.McpServer(STDIO) as server:
        server.follow(catalog, on_change=broken)
        invoked(server.tools, "appear")
        until(lambda: "no index here" in caplog.text)
        assert invoked(server.tools, "new").content == "I am new"


def test_a_follower_may_close_the_server():
    server = mcp.McpServer(STDIO).open()
    closed = threading.Event()

    def close(change) -> None:
        server.close()
        closed.set()

    server.follow(ToolCatalog(), on_change=close)
    invoked(server.tools, "appear")
    assert closed.wait(20)
    until(lambda: "is closed" in invoked(server.tools, "nothing").content)


def test_a_follower_that_lists_again_is_told_that_it_has_the_list(caplog):
    with mcp.McpServer(STDIO) as server:
        server.follow(ToolCatalog(), on_change=lambda change: server.refresh())
        invoked(server.tools, "appear")
        until(lambda: "Leave refresh out of on_change" in caplog.text)


def test_a_server_that_takes_too_long_is_an_error_for_the_model():
    with mcp.McpServer(STDIO, timeout_s=9) as server:
        message = invoked(server.tools, "sleep")
    assert message.status == "error"
    assert "sleep: " in message.content


def test_a_program_that_crashed_is_started_again_by_the_next_call():
    with mcp.McpServer(STDIO, timeout_s=10) as server:
        message = invoked(server.tools, "crash")
        assert message.status == "error"
        assert "connection" in message.content.lower()
        assert invoked(server.tools, "add", {"a": 1, "b": 2}).status == "success"
        server.refresh()


def test_a_server_that_is_gone_is_an_error_until_it_is_back():
    port = free_port()
    with serving(port):
        server = mcp.McpServer({"url": f"http://127.0.0.1:{port}/mcp/"}, timeout_s=10).open()
    for _ in range(2):
        message = invoked(server.tools, "add", {"a": 1, "b": 2})
        assert message.status == "error"
        assert "connection" in message.content
    with serving(port):
        threads = [
            threading.Thread(
                target=lambda: found.append(invoked(server.tools, "add", {"a": 1, "b": 2}).status)
            )
            for _ in range(3)
        ]
        found: list[str] = []
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == ["success"] * 3
        server.close()
        assert "is closed" in invoked(server.tools, "add", {"a": 1, "b": 2}).content


def test_a_server_that_was_started_again_serves_the_same_call():
    port = free_port()
    with serving(port):
        server = mcp.McpServer({"url": f"http://127.0.0.1:{port}/mcp/"}, timeout_s=10).open()
    with serving(port):
        # It answers 404 to a session that it does not know.
        for _ in range(2):
            assert invoked(server.tools, "add", {"a": 1, "b": 2}).status == "success"
        server.close()


def test_a_program_that_ended_while_nobody_called_serves_the_same_call(tmp_path):
    note = tmp_path / "pid"
    code = f"import os, runpy; open({str(note)!r}, 'w').write(str(os.getpid())); "
    code += f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    with mcp.McpServer({"command": sys.executable, "args": ["-c", code]}, timeout_s=10) as server:
        session = server._session
        os.kill(int(note.read_text()), signal.SIGKILL)
        until(lambda: server._session is not session or _is_ended(session))
        assert invoked(server.tools, "add", {"a": 1, "b": 2}).status == "success"


def _is_ended(session) -> bool:
    return session._read_stream.statistics().open_send_streams == 0


def test_a_call_that_ran_as_its_server_ended_is_not_made_again(tmp_path):
    note = tmp_path / "calls"
    code = (
        "import json, os, sys\n"
        "for line in sys.stdin:\n"
        "    asked = json.loads(line)\n"
        "    if asked['method'] == 'tools/call':\n"
        f"        open({str(note)!r}, 'a').write('x')\n"
        "        os._exit(1)\n"
        "    if asked['method'] == 'initialize':\n"
        "        found = {'protocolVersion': asked['params']['protocolVersion'], 'capabilities': "
        "{'tools': {}}, 'serverInfo': {'name': 'x', 'version': '1'}}\n"
        "    else:\n"
        "        found = {'tools': [{'name': 'pay', 'inputSchema': {'type': 'object'}}]}\n"
        "    if 'id' in asked:\n"
        "        answer = {'jsonrpc': '2.0', 'id': asked['id'], 'result': found}\n"
        "        print(json.dumps(answer), flush=True)\n"
    )
    with mcp.McpServer({"command": sys.executable, "args": ["-c", code]}, timeout_s=10) as server:
        assert invoked(server.tools, "pay").status == "error"
    assert note.read_text() == "x"


async def test_a_cancelled_call_leaves_the_connection_usable():
    async with mcp.McpServer(STDIO) as server:
        sleep = next(tool for tool in server.tools if tool.name == "sleep")
        task = asyncio.create_task(sleep.ainvoke(call("sleep")))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        message = await server.tools[0].ainvoke(call("add", {"a": 1, "b": 2}))
        assert message.status == "success"


@pytest.mark.parametrize("timeout_s", [30.0, 1.0])
async def test_a_server_is_told_that_nobody_waits_for_its_answer(tmp_path, timeout_s):
    told = tmp_path / "told"
    code = (
        "import json, sys\n"
        "for line in sys.stdin:\n"
        "    asked = json.loads(line)\n"
        "    if asked['method'] == 'notifications/cancelled':\n"
        f"        open({str(told)!r}, 'a').write(f\"{{asked['params']['requestId']}}\")\n"
        "    if asked['method'] == 'initialize':\n"
        "        found = {'protocolVersion': asked['params']['protocolVersion'], 'capabilities': "
        "{'tools': {}}, 'serverInfo': {'name': 'x', 'version': '1'}}\n"
        "    elif asked['method'] == 'tools/list':\n"
        "        found = {'tools': [{'name': 'dig', 'inputSchema': {'type': 'object'}}]}\n"
        "    else:\n"
        "        if 'id' in asked: print(asked['id'], file=sys.stderr)\n"
        "        continue\n"
        "    print(json.dumps({'jsonrpc': '2.0', 'id': asked['id'], 'result': found}), flush=True)\n"
    )
    connection = {"command": sys.executable, "args": ["-c", code]}
    async with mcp.McpServer(connection, timeout_s=timeout_s) as server:
        (dig,) = server.tools
        task = asyncio.create_task(dig.ainvoke(call("dig")))
        if timeout_s > 1:
            await asyncio.sleep(0.3)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            assert (await task).status == "error"
        # initialize is request 0, tools/list 1.
        await asyncio.to_thread(until, lambda: told.exists() and told.read_text() == "2")


def test_refresh_connects_anew_where_the_server_forgot_the_session():
    port = free_port()
    with serving(port):
        server = mcp.McpServer({"url": f"http://127.0.0.1:{port}/mcp/"}, timeout_s=10).open()
    with pytest.raises(SourceError, match="cannot be listed"):
        server.refresh()
    with serving(port):
        catalog = ToolCatalog()
        server.follow(catalog)
        assert not server.refresh()
        assert invoked(server.tools, "appear").status == "success"
        until(lambda: "new" in catalog)
    with serving(port):
        # The new process has lost the tool.
        assert server.refresh().removed == ("new",)
        assert "new" not in catalog
        server.close()


def test_refresh_starts_a_program_anew_that_ended():
    with mcp.McpServer(STDIO, timeout_s=10) as server:
        invoked(server.tools, "crash")
        assert not server.refresh()
        assert invoked(server.tools, "add", {"a": 1, "b": 2}).status == "success"


def test_a_closed_server_says_so_and_can_be_opened_again():
    server = mcp.McpServer(STDIO)
    with server:
        tools = server.tools
        with pytest.raises(SourceError, match="open already"):
            server.open()
    assert "is closed" in invoked(tools, "add", {"a": 1, "b": 2}).content
    with pytest.raises(SourceError, match="open it first"):
        server.refresh()
    server.close()
    with server:
        assert invoked(tools, "add", {"a": 1, "b": 2}).status == "success"
    assert not [thread for thread in threading.enumerate() if thread.name == "mcp-server"][1:]


UNREACHABLE = [
    ({"command": "no-such-program-here"}, "the program 'no-such-program-here' .* No such file"),
    ({"command": sys.executable, "args": ["-c", "pass"]}, "cannot be listed"),
    (
        {"command": sys.executable, "args": [], "cwd": "/no/such"},
        "its 'cwd' '/no/such' is no folder",
    ),
    (
        {"command": sys.executable, "args": ["-c", "exit('no key')"]},
        "it ended before it answered. Its error output may say why",
    ),
    (
        {"command": sys.executable, "args": ["-c", "open(1, 'wb').write(bytes([255, 10]))"]},
        "what it writes is not utf-8. MCP servers write UTF-8",
    ),
    ({"url": "http://127.0.0.1:9/mcp"}, "of the server cannot be listed: ConnectError"),
    ({"args": ["x"]}, "This has args"),
    ({"command": "x", "transport": "pigeon"}, "transport 'pigeon'; expected stdio, sse"),
]


@pytest.mark.parametrize(("connection", "words"), UNREACHABLE)
def test_a_server_that_cannot_be_reached_is_the_callers_to_know(connection: dict, words: str):
    with pytest.raises(SourceError, match=words):
        mcp.tools_from_mcp(connection, timeout_s=30)
    with pytest.raises(SourceError, match=words):
        mcp.McpServer(connection, timeout_s=30).open()


def test_a_server_that_never_answers_is_given_up():
    silent = {"command": sys.executable, "args": ["-c", "import time; time.sleep(60)"]}
    with pytest.raises(SourceError, match="it does not answer"):
        mcp.tools_from_mcp(silent, timeout_s=0.5)
    with pytest.raises(SourceError, match="it does not answer"):
        mcp.McpServer(silent, timeout_s=0.5).open()
