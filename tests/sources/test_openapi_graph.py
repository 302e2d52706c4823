"""REST tools where they are used: bound to a model, run by LangGraph from a catalog."""

import pytest
from langchain_core.messages import AIMessage
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from langchain_gorilla import ChatGorilla, ScriptedEngine
from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.sources.openapi import tools_from_openapi
from tests.sources.apis import api, json_body, operation, parameter
from tests.sources.local_server import Answer, Received, as_json, serving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

FILES = api(
    {
        "/files/{file-id}": {
            "get": operation(parameter("file-id", "path"), operationId="files/get"),
            "put": operation(
                parameter("file-id", "path"),
                body=json_body({"$ref": "#/components/schemas/File"}),
                operationId="files/put",
            ),
        }
    },
    components={
        "schemas": {
            "File": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "parent": {"$ref": "#/components/schemas/File"},
                },
            }
        }
    },
)


def files(received: Received) -> Answer:
    if received.path == "/files/2":
        return as_json({"message": "no such file"}, 404)
    return as_json({"id": received.path.rpartition("/")[2]})


def agent(catalog: ToolCatalog):
    graph = StateGraph(MessagesState)
    node = ToolNode(
        [], wrap_tool_call=catalog.wrap_tool_call, awrap_tool_call=catalog.awrap_tool_call
    )
    graph.add_node("tools", node)
    graph.add_edge(START, "tools")
    graph.add_edge("tools", END)
    return graph.compile()


def calls(*given: tuple[str, dict]) -> dict:
    return {
        "messages": [
            AIMessage(
                "",
                tool_calls=[
                    {"name": name, "args": arguments, "id": str(place), "type": "tool_call"}
                    for place, (name, arguments) in enumerate(given)
                ],
            )
        ]
    }


ASKED = calls(
    ("files_get", {"file-id": "1"}),
    ("files_get", {"file-id": "2"}),
    ("files_put", {"file-id": "3", "name": "a", "parent": {"name": "b"}}),
    ("files_put", {"file-id": "../3", "name": "a"}),
)


async def test_a_graph_runs_calls_side_by_side_and_failures_are_messages():
    with serving(files) as server:
        tools = tools_from_openapi(FILES, server.url, allow_writes=True)
        graph = agent(ToolCatalog(tools))
        for state in (graph.invoke(ASKED), await graph.ainvoke(ASKED)):
            answers = state["messages"][1:]
            assert [each.status for each in answers] == ["success", "error", "success", "error"]
            assert answers[0].artifact["body"] == {"id": "1"}
            assert "404 Not Found" in answers[1].content
            assert "no such file" in answers[1].content
            assert "cannot hold '.'" in answers[3].content
    assert len(server.received) == 6


def test_a_model_writes_the_arguments_under_names_that_python_has():
    tools = tools_from_openapi(FILES, "http://x", allow_writes=True)
    engine = ScriptedEngine(["<<function>>files_put(file_id='7', name='a')"])
    model = ChatGorilla(model="bundled", engine=engine).bind_tools(tools)
    (call,) = model.invoke("Rename file 7 to a.").tool_calls
    assert call["name"] == "files_put"
    assert call["args"] == {"file-id": "7", "name": "a"}


def test_openai_gets_the_same_schema():
    for tool in tools_from_openapi(FILES, "http://x", allow_writes=True):
        function = convert_to_openai_tool(tool)["function"]
        assert function["name"] == tool.name
        assert list(function["parameters"]["properties"]) == list(tool.args)
