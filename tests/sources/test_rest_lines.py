"""REST lines of API documents, called against a local server that records what arrives."""

import json
from pathlib import Path

import pytest

from langchain_gorilla.errors import SourceError
from langchain_gorilla.sources.gorilla_documents import tools_from_gorilla_documents
from langchain_gorilla.sources.rest_lines import RestLineTool
from tests.sources.local_server import as_json, serving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "localhost", "::1"])


def document(call: str, **arguments: str) -> dict:
    return {"api_name": "Things API", "api_call": call, "api_arguments": arguments}


def tool_of(tmp_path: Path, base_url: str, row: dict, **options):
    path = tmp_path / "api.json"
    path.write_text(json.dumps(row))
    (tool,) = tools_from_gorilla_documents(path, base_url=base_url, **options)
    return tool


@pytest.mark.parametrize(
    ("call", "described", "given", "method", "target", "body"),
    [
        (
            "GET /scim2/Groups",
            {"startIndex": "integer: From.", "filter": "string: Which."},
            {"startIndex": 2, "filter": "name eq 'a&b'"},
            "GET",
            "/v2/scim2/Groups?startIndex=2&filter=name%20eq%20%27a%26b%27",
            b"",
        ),
        (
            "GET /users/{id}/items",
            {"page[size]": "integer: Size."},
            {"id": "a/b c", "page[size]": 3},
            "GET",
            "/v2/users/a%2Fb%20c/items?page%5Bsize%5D=3",
            b"",
        ),
        (
            "DELETE /users/{id}",
            {},
            {"id": "7"},
            "DELETE",
            "/v2/users/7",
            b"",
        ),
        (
            "PATCH /users/{id}",
            {"name": "string: Name.", "active": "boolean: Whether."},
            {"id": "7", "name": "Ann", "active": True},
            "PATCH",
            "/v2/users/7",
            {"name": "Ann", "active": True},
        ),
        (
            "POST /pods",
            {"body": "object (Required, the pod)", "dryRun": "string (Optional)"},
            {"body": {"kind": "Pod"}, "dryRun": "All"},
            "POST",
            "/v2/pods?dryRun=All",
            {"kind": "Pod"},
        ),
        (
            "DELETE /pods/{name}",
            {"body": "object (Optional, how)", "dryRun": "string (Optional)"},
            {"name": "a", "body": {"gracePeriodSeconds": 0}, "dryRun": "All"},
            "DELETE",
            "/v2/pods/a?dryRun=All",
            {"gracePeriodSeconds": 0},
        ),
        (
            "POST /folders/{folderId}",
            {"payload": "[REQUIRED] : <p>The request body defines the folder.", "link": "Which."},
            {"folderId": "1", "payload": {"name": "a"}, "link": "l"},
            "POST",
            "/v2/folders/1?link=l",
            {"name": "a"},
        ),
        (
            "GET /metadata",
            {"payload": ": The request body defines what to retrieve."},
            {"payload": '{"retrieveFields": true}'},
            "GET",
            "/v2/metadata",
            {"retrieveFields": True},
        ),
        (
            "GET /messages",
            {"body": "string: Text to look for in the messages."},
            {"body": "a b"},
            "GET",
            "/v2/messages?body=a%20b",
            b"",
        ),
        (
            "GET /sobjects/sObject/describe/?start=startTime&version=60",
            {"sObject": "The name of the object.", "startTime": "When."},
            {"sObject": "Account", "startTime": "now"},
            "GET",
            "/v2/sobjects/Account/describe/?version=60&start=now",
            b"",
        ),
        (
            "GET /consent/action/action?ids=listOfIds",
            {"action": "Which.", "listOfIds": "Whose."},
            {"action": "email", "listOfIds": "7"},
            "GET",
            "/v2/consent/action/email?ids=7",
            b"",
        ),
        (
            "GET /portfolio/name/{name}",
            {"name": "Of the portfolio."},
            {"name": "first"},
            "GET",
            "/v2/portfolio/name/first",
            b"",
        ),
        (
            "GET /query?explain=query",
            {"query": "To explain."},
            {"query": "SELECT"},
            "GET",
            "/v2/query?explain=SELECT",
            b"",
        ),
        (
            "GET /things?limit=10&view=full",
            {"limit": "integer: How many.", "view": "How."},
            {"limit": 5},
            "GET",
            "/v2/things?view=full&limit=5",
            b"",
        ),
        (
            "GET /users/:id/files/<name>?as=a%20b",
            {"id": "Whose.", "name": "Which."},
            {"id": "7", "name": "x"},
            "GET",
            "/v2/users/7/files/x?as=a%20b",
            b"",
        ),
    ],
)
def test_arguments_arrive_where_the_line_says(
    tmp_path, call, described, given, method, target, body
):
    with serving(lambda request: as_json({"ok": True})) as server:
        tool = tool_of(tmp_path, f"{server.url}/v2", document(call, **described), allow_writes=True)
        message = tool.invoke({"name": tool.name, "args": given, "id": "1", "type": "tool_call"})
    assert message.status == "success", message.content
    assert json.loads(message.content) == {"ok": True}
    assert message.artifact["status"] == 200
    (received,) = server.received
    assert (received.method, received.target) == (method, target)
    assert (json.loads(received.body) if body else received.body) == body


@pytest.mark.parametrize("marked", ["GET /users/{id}", "GET /users/:id"])
def test_where_lines_mark_placeholders_a_segment_called_like_an_argument_stays(tmp_path, marked):
    path = tmp_path / "api.json"
    rows = [document(marked), document("GET /users/email", email="string: To look for.")]
    path.write_text(json.dumps(rows))
    with serving(lambda request: as_json({})) as server:
        tools_from_gorilla_documents(path, base_url=server.url)[1].invoke({"email": "a@b.c"})
    assert server.last.target == "/users/email?email=a%40b.c"


def test_headers_of_the_document_are_the_model_s_and_those_of_the_caller_are_not(tmp_path):
    row = document(
        "GET /things",
        **{"If-Modified-Since": "A date.", "X-Api-Key": "Your key.", "X-Team": "Which team."},
    )
    with serving(lambda request: as_json({"key": request.header("X-Api-Key")})) as server:
        tool = tool_of(
            tmp_path, server.url, row, headers={"X-Api-Key": "secret-key", "X-Team": "ours"}
        )
        assert set(tool.args_schema["properties"]) == {"If-Modified-Since"}
        content = tool.invoke({"If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"})
    assert server.received[0].header("X-Api-Key") == "secret-key"
    assert server.received[0].header("X-Team") == "ours"
    assert server.received[0].header("If-Modified-Since").startswith("Mon")
    assert "secret-key" not in content


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"X Team": "ours"}, "'X Team', which is no name of a header"),
        ({"": "ours"}, "'', which is no name"),
        ({"X-Ämter": "ours"}, "no name of a header"),
        ({"X-Team": "ours\r\nX-Admin: 1"}, "'X-Team' that cannot be sent"),
        ({"X-Team": None}, "'X-Team' that cannot be sent"),
    ],
)
def test_a_header_that_cannot_be_sent_is_the_callers_mistake(tmp_path, headers, words):
    with pytest.raises(SourceError, match=words):
        tool_of(tmp_path, "http://localhost", document("GET /things"), headers=headers)


def test_a_header_of_the_caller_that_holds_no_key_is_not_cut_out_of_answers(tmp_path):
    with serving(lambda request: as_json({"you want": request.header("accept")})) as server:
        headers = {"Accept": "application/json", "content-type": "text/plain"}
        row = document("POST /things", name="string: Name.")
        tool = tool_of(tmp_path, server.url, row, headers=headers, allow_writes=True)
        assert tool.invoke({"name": "a"}) == '{"you want": "application/json"}'
    # The body is JSON, whatever the caller's header says.
    assert server.last.header("content-type") == "application/json"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"id": "../admin"}, "cannot hold"),
        ({"id": "%2e%2e/admin"}, "cannot hold"),
        ({"id": ""}, "cannot be empty"),
        ({}, "id"),
        ({"id": "1", "X-Team": "a\r\nAuthorization: b"}, "line break|control"),
        ({"id": "1", "Authorization": "mine"}, "only the keys"),
    ],
)
def test_a_model_cannot_leave_its_place(tmp_path, given, reason):
    row = document("GET /things/{id}", **{"X-Team": "Team.", "Proxy-Authorization": "No."})
    with serving(lambda request: as_json({})) as server:
        tool = tool_of(tmp_path, server.url, row)
        message = tool.invoke({"name": tool.name, "args": given, "id": "1", "type": "tool_call"})
    assert message.status == "error"
    import re

    assert re.search(reason, message.content), message.content
    assert not server.received


def test_an_answer_that_is_no_success_is_an_error_for_the_model(tmp_path):
    with serving(lambda request: as_json({"why": "no such thing"}, status=404)) as server:
        tool = tool_of(tmp_path, server.url, document("GET /things/{id}"))
        message = tool.invoke(
            {"name": tool.name, "args": {"id": "9"}, "id": "1", "type": "tool_call"}
        )
    assert message.status == "error"
    assert "404" in message.content
    assert "no such thing" in message.content


async def test_lines_run_async_too(tmp_path):
    with serving(lambda request: as_json([1])) as server:
        tool = tool_of(tmp_path, server.url, document("GET /things"))
        assert json.loads(await tool.ainvoke({})) == [1]


def test_lines_that_write_stay_bare_until_they_are_allowed(tmp_path):
    row = document("POST /things", name="string: Name.")
    assert not isinstance(tool_of(tmp_path, "https://example.com", row), RestLineTool)
    allowed = tool_of(tmp_path, "https://example.com", row, allow_writes=True)
    assert isinstance(allowed, RestLineTool)


@pytest.mark.parametrize("url", ["example.com", "ftp://example.com", "https://u:p@example.com"])
def test_a_base_url_that_is_none_is_an_error(tmp_path, url):
    with pytest.raises(SourceError, match="base URL"):
        tool_of(tmp_path, url, document("GET /things"))
