"""Swagger 2.0, whose requests arrive as those of OpenAPI 3 do."""

import email
import json

import pytest
from jsonschema import Draft202012Validator

from langchain_gorilla.sources.openapi import tools_from_openapi
from tests.sources.apis import called

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def swagger(paths: dict, **rest) -> dict:
    return {"swagger": "2.0", "info": {"title": "Old", "version": "1"}, "paths": paths, **rest}


def given(name: str, place: str, **rest) -> dict:
    return {"name": name, "in": place, "type": "string", **rest}


ARRAY = {"type": "array", "items": {"type": "string"}}
FORMATS = [
    ("query", {}, "/v1/it/1?x=a,b%2Cc"),
    ("query", {"collectionFormat": "multi"}, "/v1/it/1?x=a&x=b%2Cc"),
    ("query", {"collectionFormat": "ssv"}, "/v1/it/1?x=a%20b%2Cc"),
    ("query", {"collectionFormat": "pipes"}, "/v1/it/1?x=a%7Cb%2Cc"),
    ("header", {}, "/v1/it/1"),
]


@pytest.mark.parametrize(("place", "rest", "target"), FORMATS)
def test_lists_arrive_in_their_collection_format(place: str, rest: dict, target: str):
    description = swagger(
        {
            "/it/{id}": {
                "parameters": [given("id", "path", required=True)],
                "get": {"parameters": [given("x", place, **ARRAY, **rest)]},
            }
        }
    )
    arrived = called(description, {"id": "1", "x": ["a", "b,c"]})
    assert arrived.target == target
    assert place == "query" or arrived.header("x") == "a,b,c"


def test_a_body_arrives_in_the_type_that_is_consumed():
    description = swagger(
        {"/it": {"post": {"parameters": [{"$ref": "#/parameters/pet"}]}}},
        parameters={
            "pet": {
                "name": "pet",
                "in": "body",
                "required": True,
                "schema": {"$ref": "#/definitions/Pet"},
            }
        },
        definitions={
            "Pet": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "mate": {"$ref": "#/definitions/Pet"}},
            }
        },
        consumes=["application/xml", "application/vnd.pet+json"],
    )
    (tool,) = tools_from_openapi(description, "http://x", allow_writes=True)
    assert tool.args_schema["required"] == ["name"]
    Draft202012Validator.check_schema(tool.args_schema)
    arrived = called(description, {"name": "a", "mate": {"name": "b"}})
    assert json.loads(arrived.body) == {"name": "a", "mate": {"name": "b"}}
    assert arrived.header("content-type") == "application/vnd.pet+json"


def test_a_body_that_is_a_list_is_described_as_its_parameter_is():
    users = {"in": "body", "name": "users", "description": "Whom to add.", "schema": ARRAY}
    description = swagger({"/it": {"post": {"parameters": [users]}}})
    (tool,) = tools_from_openapi(description, allow_writes=True)
    assert tool.args["body"]["description"] == "Whom to add."


def test_form_data_arrives_as_a_form():
    description = swagger(
        {
            "/it": {
                "post": {
                    "parameters": [
                        given("a", "formData", required=True, description="An a."),
                        given("b", "formData", **ARRAY),
                        given("q", "query"),
                    ]
                }
            }
        }
    )
    (tool,) = tools_from_openapi(description, "http://x", allow_writes=True)
    assert tool.args_schema["required"] == ["a"]
    assert tool.args_schema["properties"]["a"]["description"] == "An a."
    arrived = called(description, {"a": "x y", "b": ["1", "2"], "q": "z"})
    assert arrived.body == b"a=x%20y&b=1,2"
    assert arrived.query == "q=z"
    assert arrived.header("content-type") == "application/x-www-form-urlencoded"


def test_a_file_arrives_in_multipart():
    description = swagger(
        {
            "/it": {
                "post": {
                    "consumes": ["application/x-www-form-urlencoded", "multipart/form-data"],
                    "parameters": [given("f", "formData", type="file"), given("a", "formData")],
                }
            }
        }
    )
    arrived = called(description, {"f": "data:;base64,AAE=", "a": "text"})
    head = f"Content-Type: {arrived.header('content-type')}\r\n\r\n".encode()
    file, field = email.message_from_bytes(head + arrived.body).get_payload()
    assert file.get_payload(decode=True) == b"\0\1"
    assert file.get_filename() == "f"
    assert field.get_payload() == "text"


PART_FORMATS = [
    ({}, ["a,b"]),
    ({"collectionFormat": "ssv"}, ["a b"]),
    ({"collectionFormat": "multi"}, ["a", "b"]),
]


@pytest.mark.parametrize(("rest", "texts"), PART_FORMATS)
def test_a_list_in_multipart_arrives_in_its_collection_format(rest: dict, texts: list):
    fields = [given("x", "formData", **ARRAY, **rest), given("f", "formData", type="file")]
    arrived = called(swagger({"/it": {"post": {"parameters": fields}}}), {"x": ["a", "b"]})
    head = f"Content-Type: {arrived.header('content-type')}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + arrived.body).get_payload()
    assert [part.get_payload() for part in parts] == texts


SERVERS = [
    (
        {"host": "a.example", "basePath": "/v1", "schemes": ["http", "https"]},
        "https://a.example/v1",
    ),
    ({"host": "a.example:8080", "schemes": ["http"]}, "http://a.example:8080"),
    ({"host": "a.example"}, "https://a.example"),
    ({"host": "a.example", "basePath": "v1/"}, "https://a.example/v1"),
    ({"basePath": "/v1"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("stated", "address"), SERVERS)
def test_host_base_path_and_schemes_make_the_server(stated: dict, address: str | None):
    (tool,) = tools_from_openapi(swagger({"/it": {"get": {}}}, **stated))
    assert tool._operation.server == address


@pytest.mark.parametrize(("own", "scheme"), [("http", "http"), ("https", "https")])
def test_an_operation_s_own_schemes_come_before_the_description_s(own: str, scheme: str):
    other = {"http": "https", "https": "http"}[own]
    description = swagger({"/it": {"get": {"schemes": [own]}}}, host="a.example", schemes=[other])
    (tool,) = tools_from_openapi(description)
    assert tool._operation.server == f"{scheme}://a.example"


def body_of(name: str) -> dict:
    schema = {"type": "object", "properties": {name: {"type": "string"}}}
    return {"name": f"{name}_body", "in": "body", "schema": schema}


@pytest.mark.parametrize(
    ("shared", "own"),
    [
        (body_of("old"), body_of("new")),
        (body_of("old"), given("new", "formData")),
        (given("old", "formData"), body_of("new")),
    ],
)
def test_an_operation_s_own_body_takes_the_place_of_its_path_s(shared: dict, own: dict):
    parameters = {"shared": shared, "own": own}
    item = {
        "parameters": [{"$ref": "#/parameters/shared"}],
        "post": {"parameters": [{"$ref": "#/parameters/own"}]},
    }
    description = swagger({"/it": item}, parameters=parameters)
    (tool,) = tools_from_openapi(description, allow_writes=True)
    assert list(tool.args_schema["properties"]) == ["new"]


def test_a_charset_beside_the_consumed_type_changes_no_form():
    post = {
        "parameters": [given("x", "formData")],
        "consumes": ["multipart/form-data; charset=utf-8"],
    }
    arrived = called(swagger({"/it": {"post": post}}), {"x": "ö"})
    assert arrived.header("content-type").startswith("multipart/form-data; boundary=")


KEYS = [
    ({"type": "basic"}, ("user", "pass"), "authorization", "Basic dXNlcjpwYXNz"),
    ({"type": "apiKey", "in": "header", "name": "X-Key"}, "secret", "x-key", "secret"),
    ({"type": "oauth2", "flow": "implicit"}, "secret", "authorization", "Bearer secret"),
]


@pytest.mark.parametrize(("scheme", "key", "header", "value"), KEYS)
def test_keys_go_where_their_definition_says(scheme, key, header, value):
    description = swagger(
        {"/it": {"get": {}}}, securityDefinitions={"s": scheme}, security=[{"s": []}]
    )
    assert called(description, {}, credentials={"s": key}).header(header) == value
