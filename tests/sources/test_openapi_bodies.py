"""Bodies as they arrive: JSON, forms, multipart, text and bytes."""

import email
import json

import pytest

from langchain_gorilla.sources.openapi import tools_from_openapi
from tests.sources.apis import api, called, json_body, operation, refused

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

LIST = {"type": "array", "items": {"type": "string"}}
OBJECT = {"type": "object", "properties": {"r": {"type": "integer"}, "g": {"type": "integer"}}}
COLOR = {"r": 1, "g": 2}


def post(body: dict, version: str = "3.0.3", **rest) -> dict:
    return api({"/it": {"post": operation(body=body)}}, version, **rest)


JSON_BODIES = [
    ({"type": "object", "properties": {"a": {}, "b": {}}}, {"a": [1]}, {"a": [1]}),
    ({"type": "object", "properties": {"a": {}}}, {}, {}),
    ({"type": "array", "items": {}}, {"body": [1]}, [1]),
    ({"type": "string"}, {"body": "ö"}, "ö"),
    ({}, {"body": None}, None),
    ({"type": "object", "additionalProperties": True}, {"body": {"k": 1}}, {"k": 1}),
    ({"anyOf": [{"type": "object", "properties": {"a": {}}}]}, {"body": {"a": 1}}, {"a": 1}),
]


@pytest.mark.parametrize(("schema", "arguments", "body"), JSON_BODIES)
def test_a_json_body_arrives(schema: dict, arguments: dict, body):
    arrived = called(post(json_body(schema)), arguments)
    assert json.loads(arrived.body) == body
    assert arrived.header("content-type") == "application/json"


def test_an_optional_body_that_nobody_fills_is_not_sent():
    body = json_body({"type": "object", "properties": {"a": {}}}, required=False)
    arrived = called(post(body), {})
    assert arrived.body == b""
    assert arrived.header("content-type") is None


REQUIREMENTS = [({}, ["a"]), ({"required": True}, ["a"]), ({"required": False}, [])]


@pytest.mark.parametrize(("stated", "required"), REQUIREMENTS)
def test_required_properties_are_required_unless_the_body_may_be_missing(stated, required):
    schema = {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"]}
    body = {"content": {"application/json": {"schema": schema}}, **stated}
    (tool,) = tools_from_openapi(post(body), allow_writes=True)
    assert tool.args_schema.get("required", []) == required


def test_the_parts_of_an_all_of_are_arguments_side_by_side():
    description = post(
        json_body({"$ref": "#/components/schemas/Dog"}),
        components={
            "schemas": {
                "Pet": {
                    "type": "object",
                    "required": ["name", "id"],
                    "properties": {
                        "name": {"type": "string"},
                        "id": {"type": "string", "readOnly": True},
                    },
                },
                "Dog": {
                    "allOf": [
                        {"$ref": "#/components/schemas/Pet"},
                        {"required": ["name", "bark"], "properties": {"bark": {"type": "string"}}},
                    ]
                },
            }
        },
    )
    (tool,) = tools_from_openapi(description, allow_writes=True)
    assert list(tool.args_schema["properties"]) == ["name", "bark"]
    assert tool.args_schema["required"] == ["name", "bark"]
    assert json.loads(called(description, {"name": "a", "bark": "b"}).body) == {
        "name": "a",
        "bark": "b",
    }


FORM = "application/x-www-form-urlencoded"
FORMS = [
    ({"a": {"type": "string"}}, {}, {"a": "x y&z"}, "a=x%20y%26z"),
    ({"a": LIST}, {}, {"a": ["x", "y"]}, "a=x&a=y"),
    ({"a": LIST}, {"a": {"explode": False}}, {"a": ["x", "y"]}, "a=x,y"),
    ({"a": OBJECT}, {}, {"a": COLOR}, "a=%7B%22r%22%3A1%2C%22g%22%3A2%7D"),
    (
        # As Stripe writes lists and nested objects.
        {"a": {"anyOf": [OBJECT, {"enum": [""], "type": "string"}]}, "b": LIST},
        {"a": {"style": "deepObject", "explode": True}, "b": {"style": "deepObject"}},
        {"a": COLOR, "b": ["x"]},
        "a%5Br%5D=1&a%5Bg%5D=2&b%5B0%5D=x",
    ),
    ({"a": OBJECT}, {"a": {"contentType": "application/json"}}, {"a": {}}, "a=%7B%7D"),
]


@pytest.mark.parametrize(("properties", "encoding", "arguments", "text"), FORMS)
def test_a_form_arrives(properties, encoding, arguments, text):
    schema = {"type": "object", "properties": properties}
    body = {"content": {FORM: {"schema": schema, "encoding": encoding}}}
    arrived = called(post(body), arguments)
    assert arrived.body.decode() == text
    assert arrived.header("content-type") == FORM


def parts(arrived) -> list[tuple[str, str | None, str, bytes]]:
    head = f"Content-Type: {arrived.header('content-type')}\r\n\r\n".encode()
    return [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part["content-type"],
            part.get_payload(decode=True),
        )
        for part in email.message_from_bytes(head + arrived.body).get_payload()
    ]


def test_multipart_arrives_with_files_as_bytes():
    binary = {"type": "string", "format": "binary"}
    schema = {
        "type": "object",
        "properties": {
            "note": {"type": "string"},
            "about": OBJECT,
            "file": binary,
            "image": binary,
            "more": {"type": "array", "items": binary},
        },
    }
    body = {
        "content": {
            "multipart/form-data": {
                "schema": schema,
                "encoding": {"file": {"contentType": "text/csv"}},
            }
        }
    }
    arguments = {
        "note": "a\r\n--b",
        "about": COLOR,
        "file": "x,y",
        "image": "data:image/png;base64,iVBORw0=",
        "more": ["1", "data:,2"],
    }
    assert parts(called(post(body), arguments)) == [
        ("note", None, None, b"a\r\n--b"),
        ("about", None, "application/json", b'{"r": 1, "g": 2}'),
        ("file", "file", "text/csv", b"x,y"),
        ("image", "image", "image/png", b"\x89PNG\r"),
        ("more", "more", "application/octet-stream", b"1"),
        ("more", "more", "application/octet-stream", b"2"),
    ]


def test_broken_base64_is_refused():
    body = {
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"f": {"type": "string", "format": "binary"}},
                }
            }
        }
    }
    assert "no valid base64" in refused(post(body), {"f": "data:image/png;base64,@@@"})


RAW_BODIES = [
    ("text/plain", "ö", "ö".encode(), "text/plain; charset=utf-8"),
    ("application/xml", "<a/>", b"<a/>", "application/xml"),
    ("application/octet-stream", "data:;base64,AAE=", b"\0\1", "application/octet-stream"),
    ("image/*", "data:image/gif;base64,AAE=", b"\0\1", "image/gif"),
    ("image/*", "text", b"text", "application/octet-stream"),
]


@pytest.mark.parametrize(("media_type", "value", "body", "sent"), RAW_BODIES)
def test_another_body_arrives_as_text_or_bytes(media_type, value, body, sent):
    arrived = called(post(json_body(OBJECT, media_type)), {"body": value})
    assert arrived.body == body
    assert arrived.header("content-type") == sent


def test_of_several_media_types_json_is_written():
    content = {
        media_type: {"schema": OBJECT}
        for media_type in ("text/csv", FORM, "application/merge-patch+json; v=1", "multipart/mixed")
    }
    arrived = called(post({"content": content}), COLOR)
    assert arrived.header("content-type") == "application/merge-patch+json; v=1"


@pytest.mark.parametrize("more", [{}, {"additionalProperties": False}])
def test_a_form_that_may_hold_nothing_is_no_body(more: dict):
    schema = {"type": "object", "properties": {}, **more}
    arrived = called(post(json_body(schema, FORM)), {})
    assert (arrived.body, arrived.header("content-type")) == (b"", None)
