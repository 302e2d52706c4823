"""Box's description: 294 operations of GET, POST, PUT, PATCH, DELETE, and two of OPTIONS."""

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.functions import FunctionSet, function_schema
from langchain_gorilla.sources.http import HttpSettings
from langchain_gorilla.sources.openapi import tools_from_openapi
from tests.sources.described_server import DescribedServer
from tests.sources.local_server import serving
from tests.sources.samples import sample

SHARED = Path(os.environ.get("GORILLA_SHARED", Path(__file__).resolve().parents[3] / "shared"))
BOX = SHARED / "openapi" / "box.json"

pytestmark = [
    pytest.mark.skipif(not BOX.is_file(), reason="the shared description of Box is not here"),
    pytest.mark.allow_hosts(["127.0.0.1"]),
]


@pytest.fixture(scope="module")
def box() -> DescribedServer:
    return DescribedServer(json.loads(BOX.read_text(encoding="utf-8")), "/2.0")


@pytest.fixture(scope="module")
def tools():
    return tools_from_openapi(BOX, allow_writes=True)


def test_every_operation_is_a_tool_with_a_valid_schema(box, tools):
    described = [(method, path) for method, path, _, _ in box.operations()]
    assert len([method for method, _ in described if method != "OPTIONS"]) == 294
    assert [(tool.metadata["method"], tool.metadata["path"]) for tool in tools] == described
    assert tools.refusals == ()
    for tool in tools:
        Draft202012Validator.check_schema(tool.args_schema)


def test_without_writes_what_writes_is_refused_by_name(tools):
    readers = tools_from_openapi(BOX)
    assert len(readers) == 131
    assert {tool.metadata["method"] for tool in readers} == {"GET", "OPTIONS"}
    assert len(readers.refusals) == len(tools) - len(readers) == 165
    assert str(readers.refusals[0]) == (
        "POST /oauth2/token: It writes. Pass allow_writes=True (--allow-writes) to have it as a tool."
    )


def test_a_catalog_and_a_model_take_them_all(tools):
    functions = FunctionSet(map(function_schema, tools))
    # No tool needs another name, and parameters such as if-match get one.
    assert not functions.aliases
    assert len(ToolCatalog(tools, namespace="box")) == 296


@pytest.mark.parametrize("full", [True, False], ids=["everything", "the least"])
def test_every_call_arrives_as_the_description_says(box, full: bool):
    with serving() as server:
        tools = tools_from_openapi(
            BOX,
            f"{server.url}/2.0",
            allow_writes=True,
            credentials={"OAuth2Security": "the-token"},
            settings=HttpSettings(timeout_s=20),
        )
        for tool, (method, path, operation, parameters) in zip(
            tools, box.operations(), strict=True
        ):
            arguments = sample(tool.args_schema, full=full)
            Draft202012Validator(tool.args_schema).validate(arguments)
            call = {"name": tool.name, "args": arguments, "id": "1", "type": "tool_call"}
            message = tool.invoke(call)
            assert message.status == "success", message.content
            received = server.last
            assert received.method == method
            wants_key = operation.get("security", box.description["security"]) != []
            assert received.header("authorization") == ("Bearer the-token" if wants_key else None)
            assert box.decoded(received, path, operation, parameters) == sent(
                arguments, operation, parameters, box
            )
    assert len(server.received) == 296


def sent(arguments: dict, operation: dict, parameters: list[dict], box: DescribedServer) -> dict:
    """Return by place what was meant; in Box's description no two arguments have one name."""
    found: dict = {"path": {}, "query": {}, "header": {}}
    rest = dict(arguments)
    for parameter in parameters:
        if parameter["name"] in rest:
            value = rest.pop(parameter["name"])
            if value != [] or parameter["in"] != "query":
                found[parameter["in"]][parameter["name"]] = value
    if rest:
        content = box.resolved(operation["requestBody"])["content"]
        (media_type,) = content
        is_json = media_type.endswith("json")
        body = rest["body"] if set(rest) == {"body"} else rest
        if not is_json and isinstance(body, dict):
            body = {
                name: json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
                for name, value in body.items()
            }
        found["body"] = body
    return found
