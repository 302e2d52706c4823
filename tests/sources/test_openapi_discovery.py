"""Google's Discovery documents: their methods become tools whose requests arrive as Google reads them."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from langchain_gorilla.errors import SourceError
from langchain_gorilla.functions import function_schema
from langchain_gorilla.sources.openapi import tools_from_openapi
from tests.sources.apis import invoke
from tests.sources.local_server import Received, serving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

NAME = {
    "location": "path",
    "required": True,
    "type": "string",
    "pattern": "^projects/[^/]+/shelves/[^/]+$",
    "description": "Required. The shelf, as projects/{project}/shelves/{shelf}.",
}
SCOPE = "https://www.googleapis.com/auth/library"
LIBRARY = {
    "kind": "discovery#restDescription",
    "discoveryVersion": "v1",
    "id": "library:v1",
    "name": "library",
    "version": "v1",
    "title": "Library API",
    "protocol": "rest",
    "rootUrl": "https://library.googleapis.com/",
    "servicePath": "",
    "baseUrl": "https://library.googleapis.com/",
    "batchPath": "batch",
    "auth": {"oauth2": {"scopes": {SCOPE: {"description": "See and edit your books"}}}},
    "parameters": {
        "alt": {"type": "string", "location": "query", "enum": ["json", "media", "proto"]},
        "fields": {
            "type": "string",
            "location": "query",
            "description": "Selector specifying which fields to include in a partial response.",
        },
        "key": {"type": "string", "location": "query", "description": "API key."},
        "prettyPrint": {"type": "boolean", "location": "query", "default": "true"},
    },
    "schemas": {
        "Shelf": {
            "id": "Shelf",
            "type": "object",
            "properties": {
                "name": {"type": "string", "description": "Output only. Its name."},
                "theme": {
                    "type": "string",
                    "annotations": {"required": ["library.projects.shelves.create"]},
                },
                "order": {
                    "type": "string",
                    "enum": ["BY_TITLE", "BY_AGE"],
                    "enumDescriptions": ["Titles first to last.", ""],
                },
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "books": {"type": "array", "items": {"$ref": "Book"}},
                "extra": {"type": "any"},
                "size": {"type": "integer", "format": "int32", "minimum": "1", "maximum": "9"},
                "etag": {"type": "string", "readOnly": True},
            },
        },
        "Book": {
            "id": "Book",
            "type": "object",
            "properties": {"title": {"type": "string"}, "sequel": {"$ref": "Book"}},
        },
    },
    "resources": {
        "projects": {
            "resources": {
                "shelves": {
                    "methods": {
                        "get": {
                            "id": "library.projects.shelves.get",
                            "path": "v1/{+name}",
                            "flatPath": "v1/projects/{projectsId}/shelves/{shelvesId}",
                            "httpMethod": "GET",
                            "description": "Gets a shelf.",
                            "parameterOrder": ["name"],
                            "parameters": {"name": NAME},
                            "scopes": [SCOPE],
                        },
                        "create": {
                            "id": "library.projects.shelves.create",
                            "path": "v1/{+parent}/shelves",
                            "httpMethod": "POST",
                            "parameters": {
                                "parent": {**NAME, "pattern": "^projects/[^/]+$"},
                                "notify": {
                                    "type": "boolean",
                                    "location": "query",
                                    "default": "false",
                                },
                            },
                            "request": {"$ref": "Shelf"},
                            "response": {"$ref": "Shelf"},
                            "scopes": [SCOPE],
                        },
                    },
                    "resources": {
                        "books": {
                            "methods": {
                                "get": {
                                    "id": "library.projects.shelves.books.get",
                                    "path": "v1/{+name}",
                                    "httpMethod": "GET",
                                    "parameters": {
                                        "name": {
                                            **NAME,
                                            "pattern": "^projects/[^/]+/shelves/[^/]+/books/.+$",
                                        }
                                    },
                                    "supportsMediaDownload": True,
                                },
                                "sell": {
                                    "id": "library.projects.shelves.books.sell",
                                    "path": "v1/{+name}:sell",
                                    "httpMethod": "POST",
                                    "parameters": {"name": {**NAME, "pattern": "^.+$"}},
                                },
                            }
                        }
                    },
                }
            }
        },
        "files": {
            "methods": {
                "list": {
                    "id": "library.files.list",
                    "path": "drive/{corpus}/files",
                    "httpMethod": "GET",
                    "parameters": {
                        "corpus": {"type": "string", "location": "path", "required": True},
                        "labelIds": {"type": "string", "location": "query", "repeated": True},
                        "maxResults": {
                            "type": "integer",
                            "location": "query",
                            "format": "uint32",
                            "default": "100",
                            "minimum": "1",
                        },
                        "order": {
                            "type": "string",
                            "location": "query",
                            "description": "How to sort.",
                            "enum": ["name", "time"],
                            "enumDescriptions": ["By name.", "By time."],
                        },
                    },
                },
                "insert": {
                    "id": "library.files.insert",
                    "path": "files",
                    "httpMethod": "POST",
                    "description": "Inserts a file.",
                    "request": {"$ref": "Book"},
                    "supportsMediaUpload": True,
                    "mediaUpload": {"protocols": {"simple": {"path": "/upload/files"}}},
                },
            }
        },
    },
}
BY_NAME = {tool.name: tool for tool in tools_from_openapi(LIBRARY, allow_writes=True)}


def arrived(name: str, arguments: dict, **options) -> Received:
    with serving() as server:
        tools = tools_from_openapi(LIBRARY, server.url, True, **options)
        message = invoke(tools, arguments, name)
    assert message.status == "success", message.content
    return server.last


def test_every_method_becomes_a_tool_under_its_id():
    tools = tools_from_openapi(LIBRARY)
    assert [tool.name for tool in tools] == [
        "library_projects_shelves_get",
        "library_projects_shelves_books_get",
        "library_files_list",
    ]
    assert [refusal.where for refusal in tools.refusals] == [
        "POST /v1/{parent}/shelves",
        "POST /v1/{name}:sell",
        "POST /files",
    ]
    assert all("allow_writes=True" in refusal.reason for refusal in tools.refusals)
    assert tools[1].metadata["tags"] == ("projects", "shelves", "books")
    assert tools[1].metadata["origin"] == "Library API"
    assert len(BY_NAME) == 6


def test_a_document_in_a_file_is_read(tmp_path: Path):
    path = tmp_path / "library.json"
    path.write_text(json.dumps(LIBRARY))
    assert len(tools_from_openapi(path)) == 3


def test_the_server_is_the_documents_own():
    in_service = {**LIBRARY, "servicePath": "drive/v3/"}
    older = {key: each for key, each in LIBRARY.items() if key not in ("rootUrl", "servicePath")}
    servers = [
        tools_from_openapi(each)[0]._operation.server for each in (LIBRARY, in_service, older)
    ]
    assert servers == [
        "https://library.googleapis.com",
        "https://library.googleapis.com/drive/v3",
        "https://library.googleapis.com",
    ]


def test_a_name_with_slashes_arrives_as_it_is():
    name = "projects/p 1/shelves/a?b"
    request = arrived("library_projects_shelves_get", {"name": name, "fields": "theme,size"})
    assert request.target == "/v1/projects/p%201/shelves/a%3Fb?fields=theme%2Csize"
    request = arrived("library_projects_shelves_books_sell", {"name": "projects/p/books/b"})
    assert (request.method, request.target, request.body) == (
        "POST",
        "/v1/projects/p/books/b:sell",
        b"",
    )


@pytest.mark.parametrize(
    "name",
    [
        "projects/p",
        "projects/p/shelves/s/books/b/../../../..",
        "projects/p/shelves/s/books/%2e%2e/x",
        "projects/p/shelves/s/books//x",
        "/projects/p/shelves/s/books/b",
    ],
)
def test_a_name_leads_nowhere_else(name: str):
    with serving() as server:
        tools = tools_from_openapi(LIBRARY, server.url)
        message = invoke(tools, {"name": name}, "library_projects_shelves_books_get")
    assert message.status == "error"
    assert server.received == []


def test_a_variable_without_a_plus_stays_one_segment():
    request = arrived("library_files_list", {"corpus": "a/b", "labelIds": ["x", "y"]})
    assert request.target == "/drive/a%2Fb/files?labelIds=x&labelIds=y"


def test_parameters_keep_types_limits_defaults_and_what_choices_mean():
    schema = BY_NAME["library_files_list"].args_schema
    assert schema["required"] == ["corpus"]
    assert schema["properties"]["labelIds"] == {"type": "array", "items": {"type": "string"}}
    assert schema["properties"]["maxResults"] == {
        "type": "integer",
        "format": "uint32",
        "default": 100,
        "minimum": 1,
    }
    assert schema["properties"]["order"] == {
        "type": "string",
        "enum": ["name", "time"],
        "description": "How to sort. name: By name; time: By time.",
    }


def test_a_body_has_what_may_be_sent_and_what_its_method_requires():
    tool = BY_NAME["library_projects_shelves_create"]
    Draft202012Validator.check_schema(tool.args_schema)
    properties = tool.args_schema["properties"]
    assert list(properties) == [
        "parent", "notify", "fields", "theme", "order", "labels", "books", "extra", "size"
    ]  # fmt: skip
    assert tool.args_schema["required"] == ["parent", "theme"]
    assert properties["notify"]["default"] is False
    assert properties["size"] == {"type": "integer", "format": "int32", "minimum": 1, "maximum": 9}
    assert properties["labels"] == {
        "type": "object",
        "additionalProperties": {"type": "string"},
    }
    assert properties["order"]["description"] == "BY_TITLE: Titles first to last."
    book = tool.args_schema["$defs"]["Book"]["properties"]
    assert book["sequel"] == {"$ref": "#/$defs/Book"}
    body = {"theme": "SF", "books": [{"title": "Dune", "sequel": {"title": "Messiah"}}]}
    request = arrived(tool.name, {"parent": "projects/p", "notify": True, **body})
    assert request.target == "/v1/projects/p/shelves?notify=true"
    assert request.header("content-type") == "application/json"
    assert json.loads(request.body) == body


def test_media_can_be_downloaded_and_not_uploaded():
    assert BY_NAME["library_projects_shelves_books_get"].args["alt"]["enum"] == ["json", "media"]
    assert "alt" not in BY_NAME["library_projects_shelves_get"].args
    assert "cannot be sent here" in BY_NAME["library_files_insert"].description
    assert arrived("library_files_insert", {"title": "a"}).target == "/files"


def test_keys_are_sent_where_they_are_taken():
    name = {"name": "projects/p/shelves/s"}
    request = arrived("library_projects_shelves_get", name, credentials={"oauth2": "ya29.token"})
    assert request.header("authorization") == "Bearer ya29.token"
    request = arrived("library_files_list", {"corpus": "c"}, credentials={"key": "AIzaKey"})
    assert request.target == "/drive/c/files?key=AIzaKey"
    assert not any("key" in tool.args for tool in BY_NAME.values())


def test_other_documents_of_google_and_empty_ones_are_refused():
    with pytest.raises(SourceError, match="a Discovery document without methods"):
        tools_from_openapi({"kind": "discovery#restDescription"})
    with pytest.raises(SourceError, match=r"discovery#directoryList.*Save the one of a single API"):
        tools_from_openapi({"kind": "discovery#directoryList", "items": []})


def spots(node, at=()):
    """Yield the way to every part."""
    yield at
    for key, each in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(each, dict | list):
            yield from spots(each, (*at, key))
        else:
            yield (*at, key)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([at for at in spots(LIBRARY) if at]),
    st.sampled_from([None, 7, "", "x", [], [None], {}, {"a": 1}, True, {"$ref": "Gone"}]),
)
def test_junk_anywhere_is_a_refusal_or_a_valid_tool(where: tuple, junk):
    broken = copy.deepcopy(LIBRARY)
    *way, last = where
    node = broken
    for step in way:
        node = node[step]
    node[last] = junk
    try:
        tools = tools_from_openapi(broken, allow_writes=True)
    except SourceError:
        return
    for tool in tools:
        Draft202012Validator.check_schema(tool.args_schema)
        function_schema(tool)
