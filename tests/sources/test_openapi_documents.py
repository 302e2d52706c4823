"""Descriptions as files and dicts: what is read, what is refused, by name and reason."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from langchain_gorilla.errors import SourceError
from langchain_gorilla.functions import FunctionSet, function_schema
from langchain_gorilla.sources.openapi import tools_from_openapi
from tests.sources.apis import api, json_body, operation, parameter

X = "http://x.example"


def written(folder: Path, text: str, name: str = "api.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


YAML = """
openapi: 3.0
info: {title: Norway, version: 1.10}
servers:
  - url: https://no.example/
paths:
  /on/{id}:
    get:
      operationId: no
      parameters:
        - {name: on, in: query, schema: {type: string, enum: [on, off, yes, no, 2024-01-01, 12:30]}}
        - {name: y, in: query, schema: {type: integer, default: 010, minimum: 0x10}}
        - {name: n, in: query, schema: &number {type: number, maximum: 1e3, minimum: .5}}
        - {<<: *parameter, name: m}
      responses:
        200: {description: null}
        default: {description: ~}
x-shared: &later {}
"""


def test_yaml_means_what_json_would(tmp_path: Path):
    text = YAML.replace("        - {<<: *parameter, name: m}\n", "")
    (tool,) = tools_from_openapi(written(tmp_path, text))
    properties = tool.args_schema["properties"]
    assert tool.name == "no"
    assert tool.metadata["origin"] == "api.yaml"
    assert properties["on"]["enum"] == ["on", "off", "yes", "no", "2024-01-01", "12:30"]
    assert properties["n"] == {"type": "number", "maximum": 1000, "minimum": 0.5}
    # 010 and 0x10 are no numbers in JSON, so they limit nothing.
    assert properties["y"] == {"type": "integer", "default": "010"}


def test_anchors_and_merges_work(tmp_path: Path):
    text = """
openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /a:
    get: &get
      parameters: [{name: x, in: query, schema: {type: string}}]
  /b:
    get: {<<: *get, summary: Other}
"""
    tools = tools_from_openapi(written(tmp_path, text), X)
    assert [list(tool.args_schema["properties"]) for tool in tools] == [["x"], ["x"]]
    assert tools[1].description == "Other"


@pytest.mark.parametrize("suffix", ["json", "yaml", "txt"])
def test_json_is_read_whatever_the_name(tmp_path: Path, suffix: str):
    path = written(tmp_path, "\ufeff" + json.dumps(api({"/a": {"get": {}}})), f"api.{suffix}")
    assert len(tools_from_openapi(path, X)) == len(tools_from_openapi(str(path), X)) == 1


BAD_FILES = [
    ("", "holds nothing, or null. Expected an OpenAPI description: an object with"),
    ("null", "holds nothing, or null"),
    ("[]", "holds a list"),
    ("7", "holds the number 7"),
    ("true", "holds true"),
    ("hello", "holds only the text 'hello'"),
    ("{", "no valid JSON or YAML"),
    ("a: [", "no valid JSON or YAML"),
    ("a: *nowhere", "no valid JSON or YAML"),
    ("? [a]\n: b", "expected a plain key"),
    ("a: !!python/object/apply:os.system [ls]", "no valid JSON or YAML"),
    ("openapi: 4.0.0", "version '4.0.0'"),
    ("swagger: '1.2'", "version '1.2'"),
    ("title: x", "neither 'openapi' nor 'swagger'"),
    ("openapi: 3.0.0", "has no 'paths'"),
    ("openapi: 3.0.0\npaths: [a]", "'paths' is no object"),
    ("openapi: 3.0.0\npaths: &a {x: *a}", "an alias stands inside"),
    ("[" * 100_000, "nested too deeply|no valid"),
    ("{" * 5_000, "nested too deeply|no valid"),
]


@pytest.mark.parametrize(("text", "words"), BAD_FILES)
def test_a_file_that_is_no_description_is_refused(tmp_path: Path, text: str, words: str):
    with pytest.raises(SourceError, match=words):
        tools_from_openapi(written(tmp_path, text))


def test_other_bad_sources_are_refused(tmp_path: Path):
    with pytest.raises(SourceError, match=r"missing\.json cannot be read: No such file"):
        tools_from_openapi(tmp_path / "missing.json")
    with pytest.raises(SourceError, match="cannot be read: Is a directory"):
        tools_from_openapi(tmp_path)
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match="Save it, and give the path"):
        tools_from_openapi("https://x.example/openapi.json")
    with pytest.raises(SourceError, match="no text in UTF-8"):
        tools_from_openapi(tmp_path / "a.json")
    with pytest.raises(SourceError, match=r"is int\. Expected a path or a dict"):
        tools_from_openapi(7)  # type: ignore[arg-type]
    with pytest.raises(SourceError, match="NUL character"):
        tools_from_openapi('{"openapi": "3.1.0"}\0')


def test_lone_surrogates_are_replaced(tmp_path: Path):
    text = json.dumps(api({"/it": {"get": operation(parameter("x", description="a\ud800b"))}}))
    (tool,) = tools_from_openapi(written(tmp_path, text, "api.json"), X)
    assert function_schema(tool).properties["x"]["description"] == "a?b"


def test_a_dict_that_holds_itself_is_refused():
    description = api({"/it": {"get": {}}})
    description["paths"]["/it"]["x-all"] = description
    with pytest.raises(SourceError, match="cannot be written as JSON: Circular"):
        tools_from_openapi(description)


def test_a_yaml_bomb_is_refused_before_it_bursts(tmp_path: Path):
    levels = "".join(
        f"x{level}: &x{level} [{', '.join([f'*x{level - 1}'] * 10)}]\n" for level in range(1, 12)
    )
    text = f"openapi: 3.0.0\nx0: &x0 [a]\n{levels}paths: {{}}\n"
    with pytest.raises(SourceError, match="repeats its parts by aliases"):
        tools_from_openapi(written(tmp_path, text))


def test_a_description_of_webhooks_alone_gives_refusals():
    tools = tools_from_openapi({"openapi": "3.1.0", "info": {}, "webhooks": {"new": {"post": {}}}})
    assert list(tools) == []
    assert [str(each) for each in tools.refusals] == [
        "webhook new: The server makes this call, so there is nothing to call here."
    ]


REFUSED = [
    ({"get": operation({"$ref": "#/components/parameters/no"})}, "which the description does not"),
    ({"get": operation({"$ref": "https://x.example/p.json"})}, "nothing is fetched"),
    ({"get": operation({"$ref": "other.yaml#/p"})}, "Give the path of the description"),
    ({"get": operation({"$ref": "#anchor"})}, "the anchor 'anchor'"),
    ({"get": operation({"in": "query"})}, "A parameter has no name"),
    ({"get": operation("text")}, "A parameter has no name"),
    ({"get": operation({"name": "x", "in": {}})}, "'x' has no place"),
    ({"get": operation(parameter("x", "body"))}, "is in 'body': unknown"),
    ({"get": operation(parameter("a b", "header"))}, "is no name of a header"),
    ({"get": operation(parameter("x", schema={"$ref": "#/no"}))}, "'#/no'"),
    ({"get": operation(body=json_body({"allOf": [{"$ref": "#/no"}]}))}, "'#/no'"),
    ({"get": []}, "It is no object"),
    ({"get": None}, "It is no object"),
    ({"query": {}}, "'query' is no method of HTTP"),
    ({"$ref": "#/paths/~1no"}, "does not hold"),
    ({"$ref": "#/paths/~1it"}, "round in a circle"),
    ([], "It is no object with operations"),
]


@pytest.mark.parametrize(("item", "words"), REFUSED)
def test_an_operation_that_cannot_be_read_is_refused_and_its_siblings_stay(item, words: str):
    tools = tools_from_openapi(api({"/it": item, "/other": {"get": {}}}), X)
    assert [tool.metadata["path"] for tool in tools] == ["/other"]
    (refusal,) = tools.refusals
    assert "/it" in refusal.where
    assert words in refusal.reason


def test_endless_nesting_refuses_its_operation_only():
    schema: dict = {}
    for _ in range(3_000):
        schema = {"type": "array", "items": schema}
    tools = tools_from_openapi(
        api({"/it": {"get": operation(parameter("x", schema=schema))}, "/other": {"get": {}}}), X
    )
    assert len(tools) == 1
    assert "nested too deeply" in tools.refusals[0].reason


def test_references_into_files_below_are_followed(tmp_path: Path):
    (tmp_path / "parts").mkdir()
    written(
        tmp_path / "parts", json.dumps({"get": operation({"$ref": "p.yaml#/list/0"})}), "it.json"
    )
    written(
        tmp_path / "parts",
        "list:\n  - {name: x, in: query, schema: {$ref: '../api.json#/components/schemas/S'}}\n",
        "p.yaml",
    )
    description = api(
        {"/it": {"$ref": "parts/it.json"}},
        components={
            "schemas": {
                "S": {"type": "object", "properties": {"s": {"$ref": "#/components/schemas/S"}}}
            }
        },
    )
    tools = tools_from_openapi(written(tmp_path, json.dumps(description), "api.json"), X)
    assert tools.refusals == ()
    schema = tools[0].args_schema
    assert schema["$defs"]["S"]["properties"]["s"] == {"$ref": "#/$defs/S"}
    Draft202012Validator(schema).validate({"x": {"s": {"s": {}}}})


def test_a_form_in_another_file_has_its_files_there(tmp_path: Path):
    form = {
        "type": "object",
        "additionalProperties": True,
        "properties": {"f": {"$ref": "#/file"}},
        "file": {"type": "string", "format": "binary"},
    }
    written(tmp_path, json.dumps(form), "form.json")
    body = json_body({"$ref": "form.json"}, "multipart/form-data")
    description = written(tmp_path, json.dumps(api({"/it": {"post": operation(body=body)}})))
    (tool,) = tools_from_openapi(description, X, allow_writes=True)
    assert tool._operation.signature.body.files == {"f"}


TOKEN = parameter("X-Token-1", "header")
ELSEWHERE = [
    ({"/it": {"get": operation({"$ref": "parts.json#/token"})}}),
    ({"/it": {"$ref": "parts.json#/item"}}),
    ({"/it": {"get": {"$ref": "parts.json#/item/get"}}}),
    ({"/it": {"$ref": "#/components/pathItems/item"}}),
]


@pytest.mark.parametrize("paths", ELSEWHERE)
def test_a_parameter_that_stands_elsewhere_takes_a_credential(tmp_path: Path, paths: dict):
    item = {"get": operation({"$ref": "#/token"})}
    written(tmp_path, json.dumps({"token": TOKEN, "item": item}), "parts.json")
    shared = {"pathItems": {"item": {"parameters": [TOKEN], "get": operation()}}}
    description = api({**paths, "/no": {"$ref": "#/no"}}, "3.1.0", components=shared)
    (tool,) = tools_from_openapi(
        written(tmp_path, json.dumps(description)), X, credentials={"x-token-1": "secret-1"}
    )
    assert tool._operation.signature.hidden == (("X-Token-1", "header", "x-token-1"),)


def test_a_key_is_sent_where_an_operation_in_another_file_asks_for_it(tmp_path: Path):
    item = {"get": operation(security=[{"key": []}]), "head": operation(security=[])}
    written(tmp_path, json.dumps(item), "item.json")
    schemes = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}
    description = api({"/it": {"$ref": "item.json"}}, components={"securitySchemes": schemes})
    tools = tools_from_openapi(
        written(tmp_path, json.dumps(description)), X, credentials={"key": "secret-1"}
    )
    assert [tool._operation.schemes for tool in tools] == [("key",), ()]


@pytest.mark.parametrize("reference", ["../secret.yaml", "/etc/passwd", "a/../../secret.yaml"])
def test_a_file_outside_the_folder_is_not_opened(tmp_path: Path, reference: str):
    written(tmp_path, "name: x", "secret.yaml")
    (tmp_path / "in").mkdir()
    description = api({"/it": {"get": operation({"$ref": reference})}})
    tools = tools_from_openapi(written(tmp_path / "in", json.dumps(description), "api.json"), X)
    assert "outside the description's folder" in tools.refusals[0].reason


def test_a_reference_that_can_be_no_file_refuses_what_needs_it(tmp_path: Path):
    description = api({"/it": {"get": operation({"$ref": "x%00.json"})}})
    tools = tools_from_openapi(written(tmp_path, json.dumps(description), "api.json"), X)
    assert "which is no file" in tools.refusals[0].reason


def test_a_broken_file_below_refuses_what_needs_it(tmp_path: Path):
    written(tmp_path, "a: [", "p.yaml")
    description = api({"/it": {"get": operation({"$ref": "p.yaml"}, {"$ref": "q.yaml"})}})
    tools = tools_from_openapi(written(tmp_path, json.dumps(description), "api.json"), X)
    assert "p.yaml is no valid JSON or YAML" in tools.refusals[0].reason


SERVERS = [
    ([{"url": "https://a.example/v1/"}, {"url": "https://b.example"}], "https://a.example/v1"),
    ([{"url": "//a.example/v1"}], "https://a.example/v1"),
    (
        [{"url": "https://{r}.a.example/{v}", "variables": {"r": {"default": "eu"}, "v": {}}}],
        "https://eu.a.example",
    ),
]


@pytest.mark.parametrize(("servers", "address"), SERVERS)
def test_the_first_server_is_called(servers: list, address: str):
    (tool,) = tools_from_openapi(api({"/it": {"get": {}}}, servers=servers))
    assert tool._operation.server == address


def test_the_nearest_servers_count_and_variables_can_be_given():
    own = [{"url": "https://{who}.example", "variables": {"who": {"default": "own"}}}]
    description = api(
        {
            "/it": {
                "servers": [{"url": "https://path.example"}],
                "get": {"servers": own},
                "head": {},
            }
        },
        servers=[{"url": "https://root.example"}],
    )
    tools = tools_from_openapi(description, server_variables={"who": "me"})
    assert [tool._operation.server for tool in tools] == [
        "https://me.example",
        "https://path.example",
    ]


@pytest.mark.parametrize("variable", [{}, {"enum": ["us", "eu"]}])
def test_a_variable_without_a_default_is_no_empty_text(variable: dict):
    servers = [{"url": "https://{region}.example", "variables": {"region": variable}}]
    description = api({"/it": {"get": {}}}, servers=servers)
    (tool,) = tools_from_openapi(description)
    with pytest.raises(SourceError, match="with a variable that has no value"):
        tool.invoke({})
    (tool,) = tools_from_openapi(description, server_variables={"region": "eu"})
    assert tool._operation.server == "https://eu.example"


REGION = {"url": "https://{region}.example", "variables": {"region": {"default": "us"}}}
CHOICE = {"url": REGION["url"], "variables": {"region": {"default": "us", "enum": ["us", "eu"]}}}
BAD_VARIABLES = [
    ([CHOICE], {"regoin": "eu"}, r"names regoin, but no server .* Its variables: region\."),
    ([CHOICE], {"region": "mars"}, r"gives region 'mars'\. Expected one of us, eu\."),
    ([REGION], {"region": 2}, r"gives region 2, which is int\. Expected a string\."),
    (None, {"region": "eu"}, r"Its variables: none\."),
]


@pytest.mark.parametrize(("servers", "given", "words"), BAD_VARIABLES)
def test_a_server_variable_that_no_server_takes_is_the_callers_mistake(servers, given, words: str):
    with pytest.raises(SourceError, match=words):
        tools_from_openapi(api({"/it": {"get": {}}}, servers=servers), server_variables=given)


KNOWN_VARIABLES = [
    (api({"/it": {"get": {}}}, servers=[{"url": "https://a.example"}, CHOICE]), None),
    (api({"/it": {"get": {}, "post": {"servers": [CHOICE]}}}), None),
    (api({"/it": {"$ref": "#/components/i"}}, components={"i": {"servers": [CHOICE], "get": {}}}),
     "https://eu.example"),
    (api({"/it": {"get": {}}}, servers=[{"url": "https://{region}.example"}]), "https://eu.example"),
    ({"swagger": "2.0", "host": "{region}.example", "paths": {"/it": {"get": {}}}},
     "https://eu.example"),
]  # fmt: skip


@pytest.mark.parametrize(("description", "address"), KNOWN_VARIABLES)
def test_a_server_variable_may_be_that_of_any_server(description: dict, address: str | None):
    (tool,) = tools_from_openapi(description, server_variables={"region": "eu"})
    assert tool._operation.server == address or address is None


def test_an_operation_whose_own_server_does_not_take_a_variable_is_refused():
    own = {**CHOICE, "variables": {"region": {"default": "us", "enum": ["us"]}}}
    description = api({"/a": {"get": {}}, "/b": {"get": {"servers": [own]}}}, servers=[CHOICE])
    tools = tools_from_openapi(description, server_variables={"region": "eu"})
    assert [tool._operation.server for tool in tools] == ["https://eu.example"]
    assert [str(each) for each in tools.refusals] == [
        "GET /b: Its server takes no region 'eu', only us."
    ]


@pytest.mark.parametrize(
    "servers", [None, [], [{"url": "/v1"}], [{}], "text", [{"url": "https://{who}.example"}]]
)
def test_without_an_absolute_server_a_tool_says_what_it_needs(servers):
    (tool,) = tools_from_openapi(api({"/it": {"get": {}}}, servers=servers))
    with pytest.raises(SourceError, match="Pass base_url= to tools_from_openapi"):
        tool.invoke({})


def test_a_server_that_is_no_web_address_refuses_its_operations():
    tools = tools_from_openapi(api({"/it": {"get": {}}}, servers=[{"url": "ftp://x.example"}]))
    assert "Pass base_url=" in tools.refusals[0].reason


LONG = "x" * 100
NAMES = [
    ("get", "/a", "repos/list-for.user", "repos_list_for_user"),
    ("get", "/users/{id}/posts", None, "get_users_id_posts"),
    ("get", "/", None, "get"),
    ("get", "/a", "", "get_a"),
    ("get", "/a", 7, "get_a"),
    ("get", "/a", "获取", "get_a"),
    ("get", "/a", "1st", "_1st"),
    ("get", "/a", "class", "class_"),
    ("get", "/a", "get_file#shared", "get_file_shared"),
]


@pytest.mark.parametrize(("method", "path", "operation_id", "name"), NAMES)
def test_a_tool_is_named_after_its_operation(method, path, operation_id, name):
    given = {} if operation_id is None else {"operationId": operation_id}
    (tool,) = tools_from_openapi(api({path: {method: given}}), X)
    assert tool.name == name
    FunctionSet([function_schema(tool)])


def test_names_are_distinct_short_and_always_the_same():
    same = {"operationId": "list"}
    paths = {
        "/a": {"get": same, "head": same},
        "/b": {"get": same},
        "/list": {"get": {"operationId": "get_b"}},
        f"/{LONG}": {"get": {}},
        f"/{LONG}/x": {"get": {"operationId": LONG}},
        "/l-i-s-t": {"get": {}},
        "/l_i_s_t": {"get": {}},
    }
    names = [tool.name for tool in tools_from_openapi(api(paths), X)]
    assert names[:4] == ["list", "head_a", "get_b", "get_list"]
    assert names[6:] == ["get_l_i_s_t", "get_l_i_s_t_2"]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 64 for name in names)
    assert names == [tool.name for tool in tools_from_openapi(api(paths), X)]


def test_metadata_says_where_a_tool_comes_from():
    described = operation(
        operationId="getIt",
        tags=["a", "b"],
        deprecated=True,
        summary="Get it.",
        description="Get it. Now.",
    )
    (tool,) = tools_from_openapi(api({"/it": {"get": described}}), X)
    assert tool.metadata == {
        "source": "openapi",
        "origin": "Test",
        "method": "GET",
        "path": "/it",
        "operation_id": "getIt",
        "tags": ("a", "b"),
        "deprecated": True,
    }
    assert tool.description == "Deprecated.\n\nGet it. Now."
