"""Arguments as they arrive: places, styles, names."""

import json

import pytest

from langchain_gorilla.functions import FunctionSet, function_schema
from langchain_gorilla.sources.openapi import tools_from_openapi
from tests.sources.apis import api, called, json_body, operation, parameter, refused

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

LIST = {"type": "array", "items": {"type": "string"}}
OBJECT = {"type": "object", "properties": {"r": {"type": "integer"}, "g": {"type": "integer"}}}
COLOR = {"r": 1, "g": 2}
TWO = ["a b", "c,d"]

# From the table of OpenAPI's "Style Examples", with values that need encoding.
QUERIES = [
    ({"type": "string"}, {}, "a b&c=d#e", "x=a%20b%26c%3Dd%23e"),
    ({"type": "string"}, {}, "", "x="),
    ({"type": "boolean"}, {}, True, "x=true"),
    ({"type": "integer"}, {}, 1e16, "x=10000000000000000"),
    ({"type": "number"}, {}, 0.5, "x=0.5"),
    (LIST, {}, TWO, "x=a%20b&x=c%2Cd"),
    (LIST, {"explode": False}, TWO, "x=a%20b,c%2Cd"),
    (LIST, {"style": "spaceDelimited", "explode": False}, TWO, "x=a%20b%20c%2Cd"),
    (LIST, {"style": "pipeDelimited", "explode": False}, TWO, "x=a%20b%7Cc%2Cd"),
    (LIST, {"style": "pipeDelimited"}, TWO, "x=a%20b%7Cc%2Cd"),
    (LIST, {"style": "deepObject"}, ["a", "b"], "x%5B0%5D=a&x%5B1%5D=b"),
    (LIST, {}, [], ""),
    (OBJECT, {}, COLOR, "r=1&g=2"),
    (OBJECT, {"explode": False}, COLOR, "x=r,1,g,2"),
    (OBJECT, {"style": "spaceDelimited"}, COLOR, "x=r%201%20g%202"),
    (OBJECT, {"style": "pipeDelimited"}, COLOR, "x=r%7C1%7Cg%7C2"),
    (OBJECT, {"style": "deepObject"}, COLOR, "x%5Br%5D=1&x%5Bg%5D=2"),
    ({}, {"style": "deepObject"}, {"a": {"b": [1]}}, "x%5Ba%5D%5Bb%5D%5B0%5D=1"),
    ({"type": "string"}, {"allowReserved": True}, "a/b?c&d=e#f", "x=a/b?c%26d%3De%23f"),
]


@pytest.mark.parametrize(("schema", "rest", "value", "query"), QUERIES)
def test_a_query_parameter_arrives_in_its_style(schema, rest, value, query):
    get = api({"/it": {"get": operation(parameter("x", schema=schema, **rest))}})
    assert called(get, {"x": value}).query == query


PATHS = [
    ({"type": "string"}, {}, "a b/ö?#%", "a%20b%2F%C3%B6%3F%23%25"),
    ({"type": "string"}, {}, "http://evil.example/x", "http%3A%2F%2Fevil.example%2Fx"),
    ({"type": "string"}, {}, "v1.2..3", "v1.2..3"),
    ({"type": "integer"}, {}, 7, "7"),
    (LIST, {}, TWO, "a%20b,c%2Cd"),
    (OBJECT, {}, COLOR, "r,1,g,2"),
    (OBJECT, {"explode": True}, COLOR, "r=1,g=2"),
    ({"type": "string"}, {"style": "label"}, "a", ".a"),
    (LIST, {"style": "label"}, ["a", "b"], ".a,b"),
    (LIST, {"style": "label", "explode": True}, ["a", "b"], ".a.b"),
    (OBJECT, {"style": "label", "explode": True}, COLOR, ".r=1.g=2"),
    ({"type": "string"}, {"style": "matrix"}, "a", ";id=a"),
    (LIST, {"style": "matrix"}, ["a", "b"], ";id=a,b"),
    (LIST, {"style": "matrix", "explode": True}, ["a", "b"], ";id=a;id=b"),
    (OBJECT, {"style": "matrix"}, COLOR, ";id=r,1,g,2"),
    (OBJECT, {"style": "matrix", "explode": True}, COLOR, ";r=1;g=2"),
]


@pytest.mark.parametrize(("schema", "rest", "value", "segment"), PATHS)
def test_a_path_parameter_arrives_in_its_style(schema, rest, value, segment):
    get = api({"/it/{id}/x": {"get": operation(parameter("id", "path", schema, **rest))}})
    assert called(get, {"id": value}).target == f"/v1/it/{segment}/x"


HEADERS = [
    ({"type": "string"}, {}, " a b ", "a b"),
    ({"type": "string"}, {}, "ö", "ö"),
    (LIST, {}, ["a", "b"], "a,b"),
    (OBJECT, {}, COLOR, "r,1,g,2"),
    (OBJECT, {"explode": True}, COLOR, "r=1,g=2"),
]


@pytest.mark.parametrize(("schema", "rest", "value", "text"), HEADERS)
def test_a_header_arrives_in_its_style(schema, rest, value, text):
    get = api({"/it": {"get": operation(parameter("X-It", "header", schema, **rest))}})
    arrived = called(get, {"X-It": value}).header("x-it")
    assert arrived.encode("latin-1").decode() == text


def test_a_cookie_arrives_encoded():
    get = api({"/it": {"get": operation(parameter("c", "cookie"), parameter("d", "cookie"))}})
    assert called(get, {"c": "a;b=1", "d": "e"}).header("cookie") == "c=a%3Bb%3D1; d=e"


def test_a_parameter_with_content_arrives_as_json():
    given = {"name": "x", "in": "query", "content": {"application/json": {"schema": OBJECT}}}
    assert called(api({"/it": {"get": operation(given)}}), {"x": COLOR}).query == (
        "x=%7B%22r%22%3A1%2C%22g%22%3A2%7D"
    )


def test_the_same_name_in_every_place_gives_five_arguments():
    places = ("cookie", "query", "header", "path")
    description = api(
        {
            "/it/{id}": {
                "post": operation(
                    *(parameter("id", place) for place in places),
                    body=json_body({"type": "object", "properties": {"id": {}, "id_query": {}}}),
                )
            }
        }
    )
    arguments = {
        "id": "1",
        "id_query": "2",
        "id_header": "3",
        "id_cookie": "4",
        "id_body": "5",
        "id_query_body": "6",
    }
    (tool,) = tools_from_openapi(description, allow_writes=True)
    assert list(tool.args_schema["properties"]) == list(arguments)
    assert tool.args_schema["properties"]["id_header"]["description"] == "(id, in the header)"
    arrived = called(description, arguments)
    assert arrived.target == "/v1/it/1?id=2"
    assert arrived.header("id") == "3"
    assert arrived.header("cookie") == "id=4"
    assert json.loads(arrived.body) == {"id": "5", "id_query": "6"}


def test_names_that_a_model_would_write_the_same_are_told_apart():
    description = api(
        {"/it": {"get": operation(parameter("a-b"), parameter("a_b"), parameter("a.b"))}}
    )
    (tool,) = tools_from_openapi(description)
    assert list(tool.args_schema["properties"]) == ["a-b", "a_b_query", "a.b_query_2"]
    FunctionSet([function_schema(tool)])
    arrived = called(description, {"a-b": "1", "a_b_query": "2", "a.b_query_2": "3"})
    assert arrived.query == "a-b=1&a_b=2&a.b=3"


def test_a_comparison_in_a_name_is_a_word():
    names = ["DateSent", "DateSent<", "DateSent>", "price>=", "price<=", "size!=", "<"]
    description = api({"/it": {"get": operation(*map(parameter, names))}})
    (tool,) = tools_from_openapi(description)
    assert list(tool.args_schema["properties"]) == [
        *["DateSent", "DateSent_lt", "DateSent_gt", "price_gte", "price_lte", "size_ne", "<"]
    ]
    before = tool.args_schema["properties"]["DateSent_lt"]
    assert before["description"] == "(DateSent<, in the query)"
    arrived = called(description, {"DateSent_lt": "2024-01-02", "DateSent_gt": "2023-01-02"})
    assert arrived.query == "DateSent%3C=2024-01-02&DateSent%3E=2023-01-02"


def test_arguments_may_have_the_names_of_langchains_own():
    names = ("self", "config", "run_manager", "callbacks", "tool_call_id", "state", "args", "type")
    description = api({"/it": {"get": operation(*map(parameter, names))}})
    arrived = called(description, {name: name for name in names})
    assert arrived.query == "&".join(f"{name}={name}" for name in names)


def test_a_parameter_of_the_path_item_is_shared_and_overridden():
    description = api(
        {
            "/it/{id}": {
                "parameters": [parameter("id", "path"), parameter("x", schema={"type": "integer"})],
                "get": operation(parameter("x")),
            }
        }
    )
    assert called(description, {"id": "1", "x": "text"}).target == "/v1/it/1?x=text"


def test_a_placeholder_that_no_parameter_describes_is_an_argument():
    description = api({"/it/{id}/{other}": {"get": operation(parameter("id", "path"))}})
    assert called(description, {"id": "1", "other": "2"}).path == "/v1/it/1/2"


TEMPLATES = [
    ("/drives(id='{id}')/root", "/v1/drives(id='a%2Fb')/root"),
    ("/a{id}b.{id}", "/v1/aa%2Fbb.a%2Fb"),
    ("it/{id}", "/v1/it/a%2Fb"),
    ("/it/{id}?kind=old", "/v1/it/a%2Fb?kind=old"),
    ("/it/{id}#variant", "/v1/it/a%2Fb"),
    ("/it?id={id}", "/v1/it?id=a%2Fb"),
    ("/it/{id}?of=x:{id}&kind=old#variant", "/v1/it/a%2Fb?of=x:a%2Fb&kind=old"),
    ("/with space/{id}", "/v1/with%20space/a%2Fb"),
    ("/it/{id}/", "/v1/it/a%2Fb/"),
]


@pytest.mark.parametrize(("template", "target"), TEMPLATES)
def test_a_path_is_filled_in(template: str, target: str):
    description = api({template: {"get": operation(parameter("id", "path"))}})
    assert called(description, {"id": "a/b"}).target == target


IN_QUERIES = [
    ({"type": "string"}, "a&b=c#d", "a%26b%3Dc%23d"),
    ({"type": "string"}, "..", ".."),
    ({"type": "string"}, "", ""),
    (LIST, ["a&b", "c"], "a%26b,c"),
    ({"type": "boolean"}, True, "true"),
]


@pytest.mark.parametrize(("schema", "value", "text"), IN_QUERIES)
def test_a_value_in_the_query_of_a_path_stays_in_its_place(schema, value, text: str):
    get = api({"/it?id={id}&kind=old": {"get": operation(parameter("id", "path", schema))}})
    assert called(get, {"id": value}).target == f"/v1/it?id={text}&kind=old"


QUERY_PARAMETERS = [
    ([], {"id": "1"}, "kind=old&id=1"),
    ([parameter("id")], {"id": "1"}, "kind=old&id=1"),
    ([parameter("id")], {}, "kind=old"),
    ([parameter("id", schema=LIST)], {"id": ["1", "2"]}, "kind=old&id=1&id=2"),
]


@pytest.mark.parametrize(("parameters", "arguments", "query"), QUERY_PARAMETERS)
def test_a_query_parameter_that_its_path_names_too_arrives_once(parameters, arguments, query):
    get = api({"/it?id={id}&kind=old": {"get": operation(*parameters)}})
    assert called(get, arguments).query == query


def test_a_key_in_the_query_of_a_path_is_no_argument():
    description = api(
        {"/it?key={key}": {"get": operation()}},
        components={"securitySchemes": {"s": {"type": "apiKey", "in": "query", "name": "key"}}},
    )
    assert called(description, {}, credentials={"s": "secret-1"}).query == "key=secret-1"


BAD_ARGUMENTS = [
    ({}, "expected an object with id"),
    ({"id": "x"}, "id: got 'x', expected an integer"),
    ({"id": 1, "n": 0}, "n: got 0, expected at least 1"),
    ({"id": 1, "other": 2}, "expected only the keys id, n"),
    ({"id": 1, "n": None, "s": "x"}, "expected only the keys"),
    ({"id": None}, "id: got None, expected an integer"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD_ARGUMENTS)
def test_arguments_that_do_not_fit_are_not_sent(arguments: dict, words: str):
    description = api(
        {
            "/it/{id}": {
                "get": operation(
                    parameter("id", "path", {"type": "integer"}),
                    parameter("n", schema={"type": "integer", "minimum": 1}),
                )
            }
        }
    )
    assert words in refused(description, arguments)


def test_null_for_what_may_be_left_out_is_left_out():
    description = api(
        {"/it": {"get": operation(parameter("a"), parameter("b", schema={"nullable": True}))}}
    )
    assert called(description, {"a": None, "b": None}).query == ""


@pytest.mark.parametrize(
    ("schema", "rest", "value", "query"),
    [
        ({"type": ["string", "null"]}, {}, None, ""),
        ({}, {}, ["a", None, "b"], "x=a&x=b"),
        ({}, {"explode": False}, ["a", None, "b"], "x=a,b"),
        ({}, {}, {"r": None, "g": [2, None]}, "g=2"),
        ({}, {"style": "deepObject"}, {"r": None, "g": [None, 2]}, "x%5Bg%5D%5B0%5D=2"),
    ],
)
def test_null_in_a_query_is_left_out(schema, rest, value, query):
    get = api({"/it": {"get": operation(parameter("x", schema=schema, **rest))}}, "3.1.0")
    assert called(get, {"x": value}).query == query


def test_null_as_header_and_cookie_is_left_out():
    schema = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    both = (parameter("X-It", "header", schema), parameter("c", "cookie", schema))
    arrived = called(api({"/it": {"get": operation(*both)}}, "3.1.0"), {"X-It": None, "c": None})
    assert (arrived.header("x-it"), arrived.header("cookie")) == (None, None)
