"""Junk anywhere in a description: a refusal or a valid tool, never a crash."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from langchain_gorilla.errors import SourceError
from langchain_gorilla.functions import function_schema
from langchain_gorilla.sources.openapi import tools_from_openapi

ITSELF = {"$ref": "#/components/schemas/S"}
NEWER = {
    "openapi": "3.0.3",
    "info": {"title": "T", "version": "1"},
    "servers": [{"url": "https://{a}.example/v1", "variables": {"a": {"default": "b"}}}],
    "security": [{"key": []}],
    "tags": [{"name": "t"}],
    "paths": {
        "/a/{id}": {
            "summary": "s",
            "servers": [{"url": "https://c.example"}],
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": ITSELF}],
            "get": {
                "operationId": "get/a",
                "tags": ["t"],
                "deprecated": True,
                "security": [{"key": [], "basic": []}, {}],
                "parameters": [
                    {
                        "name": "x",
                        "in": "query",
                        "style": "deepObject",
                        "explode": False,
                        "allowReserved": True,
                        "example": "e",
                        "schema": {"type": "array", "items": ITSELF, "nullable": True},
                    },
                    {"name": "y", "in": "header", "content": {"application/json": {"schema": {}}}},
                    {"name": "z", "in": "cookie", "schema": {"enum": ["a", None]}},
                ],
                "responses": {"200": {"description": "d"}},
            },
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "multipart/form-data": {
                            "schema": {"properties": {"f": {"type": "string", "format": "binary"}}},
                            "encoding": {"f": {"contentType": "image/png", "style": "form"}},
                        }
                    },
                }
            },
            "put": {"requestBody": {"content": {"application/json": {"schema": ITSELF}}}},
        }
    },
    "components": {
        "schemas": {
            "S": {
                "type": "object",
                "required": ["a"],
                "properties": {"a": {"type": "string", "pattern": "^a"}, "s": ITSELF},
                "discriminator": {"propertyName": "a"},
                "oneOf": [{"$ref": "#/components/schemas/T"}],
            },
            "T": {"allOf": [ITSELF, {"properties": {"b": {"readOnly": True}}}]},
        },
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "query", "name": "k"},
            "basic": {"type": "http", "scheme": "basic"},
        },
    },
}
OLDER = {
    "swagger": "2.0",
    "info": {"title": "T", "version": "1"},
    "host": "h.example",
    "basePath": "/b",
    "schemes": ["https"],
    "consumes": ["application/json"],
    "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "X"}},
    "parameters": {"p": {"name": "p", "in": "query", "type": "string"}},
    "definitions": {"D": {"properties": {"d": {"$ref": "#/definitions/D"}}}},
    "paths": {
        "/a/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "type": "string"},
                {"$ref": "#/parameters/p"},
            ],
            "get": {
                "parameters": [
                    {
                        "name": "l",
                        "in": "query",
                        "type": "array",
                        "items": {"type": "string"},
                        "collectionFormat": "multi",
                    }
                ]
            },
            "post": {
                "parameters": [{"name": "b", "in": "body", "schema": {"$ref": "#/definitions/D"}}]
            },
            "put": {
                "consumes": ["multipart/form-data"],
                "parameters": [
                    {"name": "f", "in": "formData", "type": "file"},
                    {"name": "g", "in": "formData", "type": "array", "items": {"type": "string"}},
                ],
            },
        }
    },
}
JUNK = st.sampled_from(
    [
        *(None, True, 7, -1, 1.5, "text", "", [], {}, [1], {"a": 1}, ["a", None]),
        *({"$ref": "#/no"}, {"$ref": 7}, {"$ref": ""}, {"$ref": "#/paths"}, {"type": []}),
        *({"type": {}}, {"type": ["object", "object"]}, 10**400, "\ud800", {"\ud800": {}}),
    ]
)


def places(node: Any) -> list[tuple[Any, Any]]:
    """Return every place in a description, as its container and key."""
    found = []
    inside = node.items() if isinstance(node, dict) else enumerate(node)
    for key, each in inside:
        found.append((node, key))
        if isinstance(each, dict | list):
            found += places(each)
    return found


@settings(max_examples=300)
@given(st.data(), st.sampled_from([NEWER, OLDER]))
def test_junk_anywhere_gives_valid_tools_and_refusals(data: st.DataObject, whole: dict):
    description = copy.deepcopy(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(description)))
        container[key] = copy.deepcopy(data.draw(JUNK))
    try:
        tools = tools_from_openapi(description, allow_writes=True)
    except SourceError:
        return
    for tool in tools:
        Draft202012Validator.check_schema(tool.args_schema)
        function_schema(tool)


def test_the_descriptions_are_fine_without_junk():
    for description in (NEWER, OLDER):
        tools = tools_from_openapi(description, allow_writes=True)
        assert len(tools) == 3
        assert tools.refusals == ()
