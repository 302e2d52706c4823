"""A model cannot leave the server, set a login or see a key."""

import copy
from base64 import b64encode

import pytest
from pydantic import SecretStr

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import SourceError
from langchain_gorilla.functions import function_schema
from langchain_gorilla.sources.openapi import tools_from_openapi
from tests.sources.apis import api, at, called, invoke, operation, parameter, refused
from tests.sources.local_server import Answer, Received, as_json, serving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "localhost"])

BY_ID = api({"/files/{id}/content": {"get": operation(parameter("id", "path"))}})

TRAVERSALS = [
    "..",
    ".",
    "../admin",
    "../../etc/passwd",
    "a/../b",
    "..\\admin",
    "%2e%2e",
    "%2E%2e/admin",
    ".%2e",
    "%252e%252e",
    "%2e%2e%2f",
    "..;/admin",
    "..%00",
    "",
    "a\r\nHost: evil",
    "a\nb",
    "a\0b",
    "a%0d%0aX: y/..",
]


@pytest.mark.parametrize("value", TRAVERSALS)
def test_a_path_parameter_cannot_lead_out_of_its_place(value: str):
    assert "id: " in refused(BY_ID, {"id": value})


def test_two_placeholders_cannot_make_a_way_up_together():
    description = api({"/x/{a}{b}/y": {"get": operation()}})
    assert called(description, {"a": "a", "b": "b"}).path == "/v1/x/ab/y"
    assert "cannot hold '.'" in refused(description, {"a": ".", "b": "."})
    description = api({"/x/.{a}/y": {"get": operation()}})
    assert "cannot hold '.'" in refused(description, {"a": "."})


HOSTS = [
    "http://evil.example/",
    "//evil.example",
    "@evil.example/x",
    ":80@evil.example",
    "?x=y",
    "#x",
]


@pytest.mark.parametrize("value", HOSTS)
@pytest.mark.parametrize("path", ["/{id}", "{id}", "/a{id}"])
def test_an_address_for_an_argument_stays_on_the_server(path: str, value: str):
    arrived = called(api({path: {"get": operation(parameter("id", "path"))}}), {"id": value})
    assert arrived.path.startswith("/v1/")
    assert arrived.path.count("/") == 2
    assert arrived.query == ""


@pytest.mark.parametrize("style", ["label", "matrix"])
def test_a_list_in_a_path_is_checked_item_by_item(style: str):
    schema = {"type": "array", "items": {"type": "string"}}
    description = api({"/x/{id}": {"get": operation(parameter("id", "path", schema, style=style))}})
    assert "id: " in refused(description, {"id": ["a", ".."]})


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\rb", "a\0b", "a\x7fb"])
def test_a_header_cannot_get_a_line_break(value: str):
    description = api({"/it": {"get": operation(parameter("X-It", "header"))}})
    assert "cannot hold line breaks" in refused(description, {"X-It": value})


@pytest.mark.parametrize("place", ["query", "cookie"])
def test_a_line_break_elsewhere_is_encoded(place: str):
    description = api({"/it": {"get": operation(parameter("x", place))}})
    arrived = called(description, {"x": "a\r\nX-Admin: 1; b=c"})
    assert "a%0D%0AX-Admin%3A%201%3B%20b%3Dc" in (arrived.query or arrived.header("cookie"))
    assert arrived.header("x-admin") is None


def test_a_line_break_in_a_data_url_or_a_part_is_no_header():
    schema = {"type": "object", "properties": {"f": {"type": "string", "format": "binary"}}}
    body = {"content": {"multipart/form-data": {"schema": schema}}}
    arrived = called(
        api({"/it": {"post": operation(body=body)}}),
        {"f": "data:text/plain\r\nX-Evil: 1;base64,AA=="},
    )
    # No data: URL, so text like any other, after its own part's headers.
    assert b"\r\n\r\ndata:text/plain\r\nX-Evil: 1;base64,AA==\r\n" in arrived.body


LOGINS = ["Authorization", "authorization", "Cookie", "Host", "X-API-Key", "Proxy-Authorization"]
LOGINS += ["token"]  # Slack's


@pytest.mark.parametrize("name", [*LOGINS, "Content-Length", "Transfer-Encoding", "Accept"])
def test_a_header_that_logs_in_or_steers_is_never_an_argument(name: str):
    description = api({"/it": {"get": operation(parameter(name, "header"), parameter("x"))}})
    (tool,) = tools_from_openapi(description)
    assert list(tool.args_schema["properties"]) == ["x"]
    assert "expected only the keys x" in refused(description, {name: "evil"})


@pytest.mark.parametrize("place", ["header", "query"])
@pytest.mark.parametrize(
    "name", ["X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Content-Sha256", "X-Amz-Date"]
)
def test_a_part_of_an_aws_signature_is_never_an_argument(name: str, place: str):
    description = api({"/it": {"get": operation(parameter(name, place), parameter("x"))}})
    (tool,) = tools_from_openapi(description)
    assert list(tool.args_schema["properties"]) == ["x"]
    arrived = called(description, {"x": "1"}, credentials={name: "abc"})
    assert "abc" in (arrived.header(name) if place == "header" else arrived.query)


SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "api_key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "oauth": {"type": "oauth2", "flows": {}},
    "oidc": {"type": "openIdConnect", "openIdConnectUrl": "x"},
}
BASIC = f"Basic {b64encode(b'user:pass word').decode()}"
SENT = [
    ("key", "secret-1", "x-key", "secret-1"),
    ("key", SecretStr("secret-1\n"), "x-key", "secret-1"),
    ("key", lambda: "secret-1", "x-key", "secret-1"),
    ("cookie", "secret 1;a", "cookie", "sid=secret%201%3Ba"),
    ("basic", ("user", "pass word"), "authorization", BASIC),
    ("basic", "user:pass word", "authorization", BASIC),
    ("bearer", "secret-1", "authorization", "Bearer secret-1"),
    ("bearer", "Bearer secret-1", "authorization", "Bearer secret-1"),
    ("oauth", lambda: SecretStr("secret-1"), "authorization", "Bearer secret-1"),
    ("oidc", "secret-1", "authorization", "Bearer secret-1"),
]


def secured(*names: str, **rest) -> dict:
    return api(
        {"/it": {"get": operation(parameter("x"), security=[{name: []} for name in names])}},
        components={"securitySchemes": SCHEMES},
        **rest,
    )


@pytest.mark.parametrize(("scheme", "given", "header", "value"), SENT)
def test_a_key_goes_where_its_scheme_says(scheme, given, header, value):
    arrived = called(secured(scheme), {"x": "1"}, credentials={scheme: given})
    assert arrived.header(header) == value
    assert arrived.query == "x=1"


def test_a_key_in_the_query_follows_the_arguments():
    arrived = called(secured("query"), {"x": "1"}, credentials={"query": "se cret"})
    assert arrived.query == "x=1&api_key=se%20cret"


async def test_a_key_may_come_from_an_async_function():
    async def fetch() -> str:
        return "secret-1"

    with serving() as server:
        (tool,) = tools_from_openapi(secured("bearer"), server.url, credentials={"bearer": fetch})
        await tool.ainvoke({})
        tool.invoke({})
    assert [each.header("authorization") for each in server.received] == ["Bearer secret-1"] * 2


def test_the_first_alternative_with_all_its_keys_is_used():
    description = secured("oauth")
    description["paths"]["/it"]["get"]["security"] = [{"oauth": []}, {"key": [], "query": []}]
    arrived = called(description, {}, credentials={"key": "secret-1", "query": "secret-2"})
    assert arrived.header("x-key") == "secret-1"
    assert arrived.query == "api_key=secret-2"
    assert arrived.header("authorization") is None


UNUSED = [
    ({"security": []}, None),
    ({"security": [{"unknown": []}]}, None),
    ({}, "Bearer secret-1"),
]


@pytest.mark.parametrize(("stated", "header"), UNUSED)
def test_a_key_is_sent_only_where_it_is_asked_for(stated: dict, header):
    # An operation of its own says nothing, so what the whole description says counts.
    description = api(
        {"/it": {"get": operation(**stated)}},
        components={"securitySchemes": SCHEMES},
        security=[{"bearer": []}],
    )
    arrived = called(description, {}, credentials={"bearer": "secret-1"})
    assert arrived.header("authorization") == header


@pytest.mark.parametrize("security", [[{}, {"bearer": []}], [{"bearer": []}, {}]])
def test_a_key_that_was_given_is_sent_where_it_is_optional(security: list):
    description = secured()
    description["paths"]["/it"]["get"]["security"] = security
    arrived = called(description, {}, credentials={"bearer": "secret-1"})
    assert arrived.header("authorization") == "Bearer secret-1"
    assert called(description, {}).header("authorization") is None


def test_a_description_that_never_asks_gets_the_keys_that_were_given():
    description = api({"/it": {"get": operation()}}, components={"securitySchemes": SCHEMES})
    arrived = called(description, {}, credentials={"key": "secret-1"})
    assert arrived.header("x-key") == "secret-1"


def test_the_parameter_of_a_scheme_is_never_an_argument():
    description = api(
        {
            "/it": {
                "get": operation(parameter("x-KEY", "header"), parameter("api_key"), parameter("x"))
            }
        },
        components={"securitySchemes": SCHEMES},
    )
    (tool,) = tools_from_openapi(description)
    assert list(tool.args_schema["properties"]) == ["x"]


def test_the_caller_can_fill_a_parameter_by_name():
    description = api(
        {"/it": {"get": operation(parameter("token", required=True), parameter("Team", "header"))}}
    )
    arrived = called(description, {}, credentials={"token": "secret-1", "team": "secret-2"})
    assert arrived.query == "token=secret-1"
    assert arrived.header("team") == "secret-2"


def test_a_parameter_that_only_refused_operations_have_may_be_filled():
    description = api({"/it": {"post": operation(parameter("Token", "header")), "get": {}}})
    assert len(tools_from_openapi(description, "http://x", credentials={"token": "a"})) == 1


def test_the_callers_headers_go_with_every_call_and_win():
    description = api({"/it": {"get": operation(parameter("X-Team", "header"))}})
    arrived = called(description, {}, headers={"X-Team": "a", "Authorization": "token secret-1"})
    assert arrived.header("x-team") == "a"
    assert arrived.header("authorization") == "token secret-1"


@pytest.mark.parametrize("name", ["Cookie", "cookie"])
def test_the_callers_cookies_go_beside_those_of_the_call(name: str):
    description = api({"/it": {"get": operation(parameter("page", "cookie"))}})
    arrived = called(description, {"page": "2"}, headers={name: "sid=secret-1"})
    assert arrived.header("cookie") == "sid=secret-1; page=2"


KEYLESS = [
    ("Accept", "application/json"),
    ("content-type", "application/json"),
    ("Accept-Language", "en-GB"),
    ("User-Agent", "echo"),
    ("X-GitHub-Api-Version", "2022-11-28"),
]


@pytest.mark.parametrize(("name", "value"), KEYLESS)
def test_a_header_that_holds_no_key_is_not_cut_out_of_answers(name: str, value: str):
    description = api({"/it": {"get": operation()}})
    with serving(lambda received: as_json({"you sent": received.header(name)})) as server:
        message = at(server, description, {}, headers={name: value})
    assert message.artifact["body"] == {"you sent": value}
    assert message.artifact["media_type"] == "application/json"


def test_the_type_of_a_form_is_not_the_callers_to_set():
    schema = {"type": "object", "properties": {"f": {"type": "string", "format": "binary"}}}
    body = {"content": {"multipart/form-data": {"schema": schema}}}
    description = api({"/it": {"post": operation(body=body)}})
    arrived = called(description, {"f": "text"}, headers={"content-type": "application/json"})
    assert arrived.header("content-type").startswith("multipart/form-data; boundary=")


def test_a_list_that_begins_with_a_blank_can_be_a_header():
    schema = {"type": "array", "items": {"type": "string"}}
    description = api({"/it": {"get": operation(parameter("X-It", "header", schema))}})
    assert called(description, {"X-It": [" a", "b "]}).header("x-it") == "a,b"


BAD_CREDENTIALS = [
    ("a\r\nX: y", "holds a line break"),
    (7, "is int"),
    (lambda: None, "is NoneType"),
]


@pytest.mark.parametrize(("given", "words"), BAD_CREDENTIALS)
def test_a_credential_that_cannot_be_sent_is_the_callers_mistake(given, words: str):
    with serving() as server:
        (tool,) = tools_from_openapi(secured("key"), server.url, credentials={"key": given})
        with pytest.raises(SourceError, match=words) as caught:
            tool.invoke({})
    assert "X: y" not in str(caught.value)
    assert server.received == []


@pytest.mark.parametrize("name", ["X Team", "X-Team:", "", "X-Ämter", 7])
def test_a_header_needs_a_name_that_can_be_sent(name):
    with pytest.raises(SourceError, match=f"headers= has {name!r}, which is no name of a header"):
        tools_from_openapi(secured("key"), "http://x", headers={name: "ours"})


def test_a_credential_that_nothing_asks_for_is_named():
    with pytest.raises(SourceError, match=r"names tokne, but .* Its schemes: key, query"):
        tools_from_openapi(secured("key"), "http://x", credentials={"tokne": "secret-1"})


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("status", [200, 400, 401])
def test_a_key_is_in_nothing_that_anyone_sees(scheme: str, status: int):
    given = ("user", "secret-1/+ x") if scheme == "basic" else "secret-1/+ x"

    def echo(received: Received) -> Answer:
        return as_json({"headers": received.headers, "target": received.target}, status)

    with serving(echo) as server:
        tools = tools_from_openapi(secured(scheme), server.url, credentials={scheme: given})
        message = invoke(tools, {"x": "1"})
        catalog = ToolCatalog(tools)
        seen = [
            repr(message),
            repr(tools),
            repr(tools[0].model_dump()),
            repr(function_schema(tools[0])),
            repr(list(catalog)),
            repr(vars(tools[0])),
        ]
    assert server.received
    assert message.status == ("success" if status == 200 else "error")
    encoded = b64encode(b"user:secret-1/+ x").decode()
    for text in seen:
        assert "secret-1" not in text
        assert encoded not in text


@pytest.mark.parametrize(
    "given",
    [("secret-1", ""), ("secret-1", "x"), "secret-1:", ("user", "secret-1"), "user:secret-1"],
)
def test_the_key_of_basic_is_cut_out_whichever_half_it_is(given: tuple | str):
    with serving(lambda received: as_json({"user": "user", "key": "secret-1"})) as server:
        tools = tools_from_openapi(secured("basic"), server.url, credentials={"basic": given})
        assert invoke(tools, {}).content == '{"user": "user", "key": "[removed]"}'


@pytest.mark.parametrize(
    "given",
    [
        {"credentials": {"bearer": "Bearer secret-1"}},
        {"headers": {"Authorization": "Bearer secret-1"}},
        {"headers": {"Authorization": "token secret-1"}},
    ],
)
def test_a_key_is_cut_out_without_the_word_before_it_too(given: dict):
    with serving(lambda received: as_json({"key": "secret-1"})) as server:
        tools = tools_from_openapi(secured("bearer"), server.url, **given)
        assert invoke(tools, {}).content == '{"key": "[removed]"}'


def test_a_failing_connection_says_nothing_of_the_key():
    with serving() as server:
        url = server.url
    tools = tools_from_openapi(secured("query"), url, credentials={"query": "secret-1"})
    message = invoke(tools, {})
    assert message.status == "error"
    assert "secret-1" not in repr(message)


def test_an_object_in_the_query_cannot_carry_a_key():
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    description = api(
        {"/it": {"get": operation(parameter("filter", schema=schema))}},
        components={"securitySchemes": SCHEMES},
    )
    assert called(description, {"filter": {"a": "1"}}).query == "a=1"
    assert "cannot hold 'api_key'" in refused(description, {"filter": {"api_key": "evil"}})


def test_a_redirect_to_another_host_is_an_error_and_takes_no_key_along():
    with serving() as other:
        there = f"http://localhost:{other.port}/steal"
        with serving(lambda received: Answer(302, b"", {"Location": there})) as server:
            message = at(server, secured("bearer"), {}, credentials={"bearer": "secret-1"})
    assert message.status == "error"
    assert "redirected to another host" in message.content
    assert other.received == []


BAD_BASES = [
    ("ftp://x", "not absolute"),
    ("/v1", "not absolute"),
    ("", "not absolute"),
    ("http://user:pw@x", "has a user"),
    ("http://x/?a=b", "has a user, a query"),
    ("http://[x", "not absolute"),
    (7, "no web address"),
]


@pytest.mark.parametrize(("base_url", "words"), BAD_BASES)
def test_a_base_url_that_cannot_be_used_is_refused(base_url, words: str):
    with pytest.raises(SourceError, match=words) as caught:
        tools_from_openapi(BY_ID, base_url)
    assert "pw" not in str(caught.value)


def test_what_writes_is_no_tool_unless_it_is_allowed():
    methods = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
    description = api({"/it": {method: operation() for method in methods}})
    readers = tools_from_openapi(description, "http://x")
    assert [tool.metadata["method"] for tool in readers] == ["GET", "OPTIONS", "HEAD", "TRACE"]
    assert [each.where for each in readers.refusals] == [
        "PUT /it",
        "POST /it",
        "DELETE /it",
        "PATCH /it",
    ]
    assert len(tools_from_openapi(description, "http://x", allow_writes=True)) == 8


def test_a_copied_tool_still_calls():
    with serving() as server:
        (tool,) = tools_from_openapi(secured("key"), server.url, credentials={"key": "secret-1"})
        for other in (copy.copy(tool), tool.model_copy(update={"name": "other"})):
            other.invoke({})
    assert server.last.header("x-key") == "secret-1"


FIELDS = {
    "type": "object",
    "properties": {"token": {"type": "string"}, "channel": {"type": "string"}},
    "required": ["token", "channel"],
}
FORM_TYPES = ["application/x-www-form-urlencoded", "multipart/form-data"]


@pytest.mark.parametrize("media_type", FORM_TYPES)
def test_a_key_goes_into_the_field_of_a_form_that_carries_it(media_type: str):
    body = {"content": {media_type: {"schema": FIELDS}}}
    description = api({"/chat": {"post": operation(body=body)}})
    (tool,) = tools_from_openapi(description, allow_writes=True, credentials={"token": "xoxb-1"})
    assert tool.args_schema["required"] == ["channel"]
    assert "token" not in tool.args
    arrived = called(description, {"channel": "C1"}, credentials={"token": "xoxb-1"})
    assert b"xoxb-1" in arrived.body
    assert b"C1" in arrived.body
    assert arrived.header("content-type").startswith(media_type)


def test_a_key_is_the_only_field_of_swagger_s_form_too():
    token = {"name": "token", "in": "formData", "type": "string", "required": True}
    description = {
        "swagger": "2.0",
        "info": {"title": "Slack", "version": "1"},
        "paths": {"/auth.test": {"post": {"parameters": [token]}}},
    }
    arrived = called(description, {}, credentials={"token": "xoxb-1"})
    assert arrived.body == b"token=xoxb-1"
    assert arrived.header("content-type") == "application/x-www-form-urlencoded"
    given = {"token": "mine"}
    assert "no keys" in refused(description, given, credentials={"token": "xoxb-1"})


def test_a_field_of_json_is_the_models_to_fill():
    description = api(
        {
            "/devices": {
                "get": operation(parameter("token")),
                "post": operation(body={"content": {"application/json": {"schema": FIELDS}}}),
            }
        }
    )
    tools = tools_from_openapi(description, allow_writes=True, credentials={"token": "k"})
    assert ["token" in tool.args for tool in tools] == [False, True]
