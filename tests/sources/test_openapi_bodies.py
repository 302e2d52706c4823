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
    ({"a": {}, "b": {}, "c": {}}, {}, {"a": None, "b": ["x", None], "c": "y"}, "b=x&c=y"),
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


BYTES = {"type": "string", "contentMediaType": "application/octet-stream"}


@pytest.mark.parametrize(
    "described",
    [
        {"anyOf": [{"type": "string", "format": "binary"}, {"type": "null"}]},
        {"anyOf": [{"type": "array", "items": BYTES}, {"type": "null"}]},
        {"type": ["array", "null"], "items": BYTES},
        {"allOf": [{"$ref": "#/components/schemas/File"}], "title": "File"},
    ],
)
def test_a_file_that_may_be_missing_is_a_file(described: dict):
    # As FastAPI describes UploadFile | None and list[UploadFile] | None.
    schema = {"type": "object", "properties": {"f": described}}
    body = {"content": {"multipart/form-data": {"schema": schema}}}
    description = post(body, "3.1.0", components={"schemas": {"File": BYTES}})
    url = "data:image/png;base64,iVBORw0="
    is_list = "array" in str(described)
    arrived = called(description, {"f": [url] if is_list else url})
    assert parts(arrived) == [("f", "f", "image/png", b"\x89PNG\r")]


def test_a_file_in_a_case_of_a_multipart_body_arrives_as_bytes():
    upload = {"allOf": [{"type": "object", "properties": {"f": BYTES}, "required": ["f"]}]}
    link = {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]}
    schema = {"oneOf": [link, {"$ref": "#/components/schemas/Upload"}]}
    body = {"content": {"multipart/form-data": {"schema": schema}}}
    description = post(body, "3.1.0", components={"schemas": {"Upload": upload}})
    arrived = called(description, {"body": {"f": "data:image/png;base64,iVBORw0="}})
    assert parts(arrived) == [("f", "f", "image/png", b"\x89PNG\r")]


def test_a_file_is_of_the_type_that_its_data_has_where_several_are_described():
    schema = {"type": "object", "properties": {"f": BYTES, "g": BYTES}}
    encoding = {name: {"contentType": "image/png, image/jpeg"} for name in "fg"}
    body = {"content": {"multipart/form-data": {"schema": schema, "encoding": encoding}}}
    arrived = called(post(body), {"f": "data:image/jpeg;base64,/9j/", "g": "text"})
    assert [part[2] for part in parts(arrived)] == ["image/jpeg", "image/png"]


@pytest.mark.parametrize("content_type", ["image/png", "image/*"])
def test_a_part_that_its_encoding_says_is_an_image_is_a_file(content_type):
    schema = {"type": "object", "properties": {"f": {}}}
    media = {"schema": schema, "encoding": {"f": {"contentType": content_type}}}
    description = post({"content": {"multipart/form-data": media}}, "3.1.0")
    arrived = called(description, {"f": "data:image/png;base64,iVBORw0="})
    assert parts(arrived) == [("f", "f", "image/png", b"\x89PNG\r")]


def test_null_is_no_part_of_multipart():
    binary = {"type": "string", "format": "binary", "nullable": True}
    schema = {"type": "object", "properties": {"note": {"nullable": True}, "file": binary, "l": {}}}
    arrived = called(
        post({"content": {"multipart/form-data": {"schema": schema}}}),
        {"note": None, "file": None, "l": ["a", None]},
    )
    assert parts(arrived) == [("l", None, None, b"a")]


def test_a_part_of_json_is_json_text_item_by_item():
    schema = {"type": "object", "properties": {"s": {"type": "string"}, "l": LIST, "n": {}}}
    encoding = {name: {"contentType": "application/json"} for name in schema["properties"]}
    body = {"content": {"multipart/form-data": {"schema": schema, "encoding": encoding}}}
    arrived = called(post(body), {"s": 'a"ö', "l": ["b", "c"], "n": None})
    assert parts(arrived) == [
        ("s", None, "application/json", '"a\\"ö"'.encode()),
        ("l", None, "application/json", b'"b"'),
        ("l", None, "application/json", b'"c"'),
        ("n", None, "application/json", b"null"),
    ]


PART_STYLES = [
    ({"explode": False}, [b"a b,c"]),
    ({"style": "pipeDelimited", "explode": False}, [b"a b|c"]),
    ({"style": "form"}, [b"a b", b"c"]),
    ({"style": "form", "explode": True}, [b"a b", b"c"]),
]


@pytest.mark.parametrize(("encoding", "texts"), PART_STYLES)
def test_a_list_in_multipart_is_as_many_parts_as_its_style_says(encoding: dict, texts: list):
    schema = {"type": "object", "properties": {"x": LIST}}
    media = {"schema": schema, "encoding": {"x": encoding}}
    arrived = called(post({"content": {"multipart/form-data": media}}), {"x": ["a b", "c"]})
    assert parts(arrived) == [("x", None, None, text) for text in texts]


def test_a_deep_object_in_multipart_is_a_part_for_each_of_its_values():
    schema = {"type": "object", "properties": {"x": {"type": "object"}}}
    media = {"schema": schema, "encoding": {"x": {"style": "deepObject", "explode": True}}}
    body = {"content": {"multipart/form-data": media}}
    arrived = called(post(body), {"x": {"a": True, "b": ["c", "d"]}})
    assert [(name, text) for name, _, _, text in parts(arrived)] == [
        ("x[a]", b"true"),
        ("x[b][0]", b"c"),
        ("x[b][1]", b"d"),
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


MERGE, PATCH = "application/merge-patch+json", "application/json-patch+json"
JSON_TYPES = [
    # As Kubernetes and ASP.NET write them.
    ((PATCH, MERGE, "application/strategic-merge-patch+json"), OBJECT, MERGE),
    ((PATCH, "application/json", "text/json", "application/*+json"), OBJECT, "application/json"),
    ((MERGE, "application/json"), OBJECT, "application/json"),
    ((PATCH, "text/csv"), OBJECT, PATCH),
    ((PATCH, MERGE), {"$ref": "#/components/schemas/Steps"}, PATCH),
    ((MERGE, PATCH), {"$ref": "#/components/schemas/Steps"}, MERGE),
]


@pytest.mark.parametrize(("media_types", "schema", "sent"), JSON_TYPES)
def test_a_json_patch_is_written_only_where_it_is_a_list_or_nothing_else_is_json(
    media_types, schema, sent
):
    content = {media_type: {"schema": schema} for media_type in media_types}
    components = {"schemas": {"Steps": {"type": "array", "items": {}}}}
    arguments = COLOR if schema is OBJECT else {"body": []}
    arrived = called(post({"content": content}, components=components), arguments)
    assert arrived.header("content-type") == sent


def test_bytes_of_any_media_type_are_no_json():
    description = post(json_body({"type": "string", "format": "binary"}, "*/*"))
    arrived = called(description, {"body": "data:image/png;base64,iVBORw0="})
    assert (arrived.header("content-type"), arrived.body) == ("image/png", b"\x89PNG\r")


def test_a_broken_media_type_that_is_not_written_refuses_nothing():
    content = {PATCH: {"schema": {"$ref": "#/no"}}, "application/json": {"schema": OBJECT}}
    assert json.loads(called(post({"content": content}), COLOR).body) == COLOR


@pytest.mark.parametrize("media_type", ["*/*", "application/*+json", "*/*; v=1"])
def test_a_range_that_json_is_in_is_sent_as_json(media_type: str):
    arrived = called(post(json_body(OBJECT, media_type)), COLOR)
    assert json.loads(arrived.body) == COLOR
    assert arrived.header("content-type") == "application/json"


BESIDE = {"properties": {"extra": {"type": "string"}}, "required": ["extra"]}


@pytest.mark.parametrize(
    ("version", "names"), [("3.1.0", ["r", "g", "extra"]), ("3.0.3", ["r", "g"])]
)
def test_from_3_1_on_what_stands_beside_a_bodys_reference_is_an_argument(version, names):
    body = json_body({"$ref": "#/components/schemas/Color", **BESIDE})
    description = post(body, version, components={"schemas": {"Color": OBJECT}})
    (tool,) = tools_from_openapi(description, allow_writes=True)
    assert list(tool.args_schema["properties"]) == names
    assert ("extra" in tool.args_schema.get("required", ())) is ("extra" in names)


@pytest.mark.parametrize(("version", "text"), [("3.1.0", b"extra=a"), ("3.0.3", b"")])
def test_from_3_1_on_a_form_that_may_hold_nothing_but_what_stands_beside_is_a_body(version, text):
    body = json_body({"$ref": "#/components/schemas/None", **BESIDE}, FORM)
    nothing = {"type": "object", "properties": {}}
    description = post(body, version, components={"schemas": {"None": nothing}})
    assert called(description, {"extra": "a"} if text else {}).body == text


@pytest.mark.parametrize("more", [{}, {"additionalProperties": False}])
def test_a_form_that_may_hold_nothing_is_no_body(more: dict):
    schema = {"type": "object", "properties": {}, **more}
    arrived = called(post(json_body(schema, FORM)), {})
    assert (arrived.body, arrived.header("content-type")) == (b"", None)


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_a_map_of_files_arrives_as_files(version: str):
    schema = {
        "type": "object",
        "properties": {"note": {"type": "string"}},
        "additionalProperties": {"type": "string", "format": "binary"},
    }
    body = {"content": {"multipart/form-data": {"schema": schema}}, "required": True}
    given = {"note": "two", "a.txt": "hello", "b.png": "data:image/png;base64,iVBORw=="}
    arrived = called(post(body, version), {"body": given})
    head = f"Content-Type: {arrived.header('content-type')}\r\n\r\n".encode()
    note, text, picture = email.message_from_bytes(head + arrived.body).get_payload()
    assert note.get_filename() is None
    assert text.get_filename() == "a.txt"
    assert picture.get_content_type() == "image/png"
    assert picture.get_payload(decode=True) == b"\x89PNG"
