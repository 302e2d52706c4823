"""MCP servers that answer otherwise than the SDK's own server: partly, wrongly, not at all."""

import asyncio
import contextlib
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import ToolMessage

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import SourceError

mcp = pytest.importorskip("langchain_gorilla.sources.mcp")

SCRIPT = Path(__file__).with_name("scripted_mcp_server.py")
TOOL = {"name": "ok", "inputSchema": {"type": "object"}}
LISTED = {"result": {"tools": [TOOL]}}
SAID = {"result": {"content": [{"type": "text", "text": "said"}]}}


def answering(*lists: Any, call: Any = SAID) -> dict:
    """A server that lists these, one after the other, and gives each call this answer."""
    script = {"tools/list": lists or [LISTED], "tools/call": [call]}
    return {"command": sys.executable, "args": [str(SCRIPT), json.dumps(script)]}


def invoked(tools: Any) -> ToolMessage:
    [tool] = tools
    return tool.invoke({"name": tool.name, "args": {}, "id": "1", "type": "tool_call"})


def result(*content: Any, **rest: Any) -> ToolMessage:
    """What becomes of a result with this content."""
    call = {"result": {"content": content, **rest}}
    return invoked(mcp.tools_from_mcp(answering(call=call)))


def blob(data: str, **rest: Any) -> dict:
    return {"type": "resource", "resource": {"uri": "file:///a.bin", "blob": data, **rest}}


UNUSUAL = [
    (blob("MTIz"), "[3 bytes of an unknown type, kept for the application]", "file"),
    (blob("", mimeType="a/b"), "[0 bytes of a/b]", "text"),
    (blob(""), "[0 bytes of an unknown type]", "text"),
    ({"type": "image", "data": "", "mimeType": "image/png"}, "[0 bytes of image/png]", "text"),
    ({"type": "audio", "data": "", "mimeType": "audio/wav"}, "[0 bytes of audio/wav]", "text"),
    (
        {"type": "image", "data": "MTIz", "mimeType": ""},
        "[3 bytes of an unknown type, kept for the application]",
        "image",
    ),
]


def test_a_file_without_a_type_or_without_bytes_costs_nothing_else() -> None:
    message = result(*(content for content, _, _ in UNUSUAL))
    assert message.content.split("\n") == [text for _, text, _ in UNUSUAL]
    blocks = message.artifact["content"]
    assert [block["type"] for block in blocks] == [kind for _, _, kind in UNUSUAL]
    assert blocks[0]["mime_type"] == "application/octet-stream"


STRANGE = [
    ({"type": "video", "data": "x"}, "'video'", {"type": "video", "data": "x"}),
    ({"type": "text"}, "'text'", {"type": "text"}),
    (7, "None", {"value": 7}),
]


@pytest.mark.parametrize(("given", "kind", "kept"), STRANGE)
def test_a_block_that_is_not_understood_is_named_and_kept_beside_the_others(
    given: Any, kind: str, kept: dict
) -> None:
    message = result({"type": "text", "text": "before"}, given, {"type": "text", "text": "after"})
    unknown = f"[content of type {kind}, which is not known here, kept for the application]"
    assert message.content == f"before\n{unknown}\nafter"
    blocks = message.artifact["content"]
    assert [block["type"] for block in blocks] == ["text", "non_standard", "text"]
    assert blocks[1]["value"] == kept


def test_a_long_text_is_cut_and_whole_in_the_artifact() -> None:
    message = result({"type": "text", "text": "x" * 100_000})
    assert len(message.content) < 21_000
    assert len(message.artifact["content"][0]["text"]) == 100_000


def test_structured_content_beside_an_empty_text_is_shown() -> None:
    assert result({"type": "text", "text": ""}, structuredContent={"n": 3}).content == '{"n": 3}'


def test_structured_content_beside_a_picture_is_shown() -> None:
    picture = {"type": "image", "data": "AAAA", "mimeType": "image/png"}
    shown = result(picture, structuredContent={"n": 3}).content
    assert shown == '[3 bytes of image/png, kept for the application]\n{"n": 3}'


MALFORMED = [
    ({"content": "plain text"}, "content: Input should be a valid list"),
    ({"structuredContent": {"a": 1}}, "content: Field required"),
]


@pytest.mark.parametrize(("given", "words"), MALFORMED)
def test_a_result_that_is_none_is_the_models_to_know(given: Any, words: str) -> None:
    message = invoked(mcp.tools_from_mcp(answering(call={"result": given})))
    assert message.status == "error"
    beginning = "ok: what its server answers is no valid CallToolResult "
    assert message.content.startswith(f"{beginning}({words}")


SUM = {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]}
PROMISES = [
    (SUM, {"sum": 3}, None),
    (SUM, {"sum": "3"}, "$.sum: '3' is not of type 'integer'"),
    (SUM, None, "$: None is not of type 'object'"),
    ({"type": "nonsense"}, {"sum": 3}, "the schema itself is none"),
    ({"$ref": "#/$defs/Sum"}, {"sum": 3}, "the schema itself is none"),
    ({"properties": {"sum": {"pattern": r"\p{L}"}}}, {"sum": "3"}, None),
]


@pytest.mark.parametrize(("schema", "value", "problem"), PROMISES)
def test_a_result_has_to_fit_the_schema_that_its_tool_promises(
    schema: Any, value: Any, problem: str | None
) -> None:
    listed = {"result": {"tools": [{**TOOL, "outputSchema": schema}]}}
    call = {"result": {"content": [], "structuredContent": value}}
    message = invoked(mcp.tools_from_mcp(answering(listed, call=call)))
    assert message.status == ("error" if problem else "success")
    if problem:
        beginning = "ok: its result does not fit its outputSchema: "
        assert message.content.startswith(beginning + problem)


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_listed_tool_that_is_none_is_refused_and_the_others_can_be_called(is_kept: bool) -> None:
    listed = {"result": {"tools": [{"name": "bare"}, TOOL, {"inputSchema": {}}, "word"]}}
    server = mcp.McpServer(answering(listed))
    with server if is_kept else contextlib.nullcontext():
        tools = server.tools if is_kept else mcp.tools_from_mcp(answering(listed))
        assert invoked(tools).content == "said"
    assert list(map(str, tools.refusals)) == [
        "bare: It is no valid Tool (inputSchema: Field required).",
        "a tool without a name: It is no valid Tool (name: Field required).",
        "a tool without a name: It is no valid Tool (: Input should be a valid dictionary or "
        "instance of Tool).",
    ]


def test_what_a_server_says_against_listing_is_told() -> None:
    refused = {"error": {"code": -32601, "message": "No tools today."}}
    with pytest.raises(SourceError, match=r"cannot be listed: No tools today\.$"):
        mcp.tools_from_mcp(answering(refused))


def test_a_list_that_never_comes_does_not_keep_close_waiting() -> None:
    server = mcp.McpServer(answering(LISTED, None), timeout_s=60).open()
    assert invoked(server.tools).content == "said"
    # The server said that its list changed; by now it is asked for.
    time.sleep(0.5)
    closing = threading.Thread(target=server.close, daemon=True)
    closing.start()
    closing.join(20)
    assert not closing.is_alive()


def test_a_list_that_never_comes_is_given_up_after_the_timeout() -> None:
    with (
        mcp.McpServer(answering(LISTED, None), timeout_s=4) as server,
        pytest.raises(SourceError, match="it does not answer"),
    ):
        server.refresh()


async def test_a_refresh_that_close_ends_says_so() -> None:
    server = mcp.McpServer(answering(LISTED, None), timeout_s=60).open()
    refreshing = asyncio.create_task(asyncio.to_thread(server.refresh))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(server.close)
    with pytest.raises(SourceError, match=r"cannot be listed: .*[cC]onnection (is )?closed"):
        await refreshing


def test_a_change_of_the_list_while_a_catalog_takes_it_is_followed_too() -> None:
    class SlowCatalog(ToolCatalog):
        def add_all(self, tools: Any, **options: Any) -> None:
            super().add_all(tools, **options)
            if tools:
                server.refresh()

    now = {"result": {"tools": [{**TOOL, "description": "New."}, {**TOOL, "name": "late"}]}}
    with mcp.McpServer(answering(LISTED, now)) as server:
        server.follow(catalog := SlowCatalog())
        assert {each.name: each.function.description for each in catalog} == {
            "ok": "New.",
            "late": "late",
        }


def test_a_tool_whose_name_was_taken_is_taken_at_the_next_change_once_it_is_free() -> None:
    listed = [TOOL, *({**TOOL, "name": name} for name in ("new", "last"))]
    more = [{"result": {"tools": listed[:length]}} for length in (2, 3)]
    catalog = ToolCatalog([{"name": "new", "description": "Mine.", "parameters": {}}])
    with mcp.McpServer(answering(LISTED, *more)) as server:
        server.follow(catalog)
        server.refresh()
        catalog.remove("new")
        server.refresh()
        assert {each.name for each in catalog} == {"ok", "new", "last"}
