"""What Microsoft adds to Swagger, without which its services cannot be called."""

import pytest
from jsonschema import Draft202012Validator

from langchain_gorilla.sources.openapi import tools_from_openapi
from tests.sources.apis import api, called, operation, parameter, refused

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def swagger(paths: dict, **rest) -> dict:
    return {"swagger": "2.0", "info": {"title": "Azure", "version": "1"}, "paths": paths, **rest}


SCOPE = {
    "name": "scope",
    "in": "path",
    "required": True,
    "type": "string",
    "x-ms-skip-url-encoding": True,
}
ASSIGNMENTS = swagger(
    {"/{scope}/providers/Microsoft.Authorization/roleAssignments": {"get": {"parameters": [SCOPE]}}}
)


@pytest.mark.parametrize("scope", ["subscriptions/1/resourceGroups/a b", "/subscriptions/1/"])
def test_a_value_that_is_not_to_be_encoded_keeps_its_slashes(scope: str):
    arrived = called(ASSIGNMENTS, {"scope": scope})
    below = scope.strip("/").replace(" ", "%20")
    assert arrived.target == f"/v1/{below}/providers/Microsoft.Authorization/roleAssignments"


@pytest.mark.parametrize("scope", ["/", "a/../..", "a//b", "..", "a/%2e%2e/b"])
def test_such_a_value_leads_nowhere_else(scope: str):
    assert "part" in refused(ASSIGNMENTS, {"scope": scope})


def test_paths_that_are_kept_apart_for_their_query_are_called():
    description = swagger(
        {}, **{"x-ms-paths": {"/{box}?restype=container&comp=list": {"get": {}}}}
    )  # fmt: skip
    assert called(description, {"box": "b"}).target == "/v1/b?restype=container&comp=list"


OPEN = [
    {"x-ms-enum": {"name": "Size", "modelAsString": True}},
    {"x-stripeBypassValidation": True},
]


@pytest.mark.parametrize("said", OPEN)
def test_an_enum_that_lists_known_values_among_others_takes_others(said: dict):
    size = {"type": "string", "enum": ["A0", "A1"], **said}
    description = api({"/it": {"get": operation(parameter("size", schema=size))}})
    (tool,) = tools_from_openapi(description)
    Draft202012Validator.check_schema(tool.args_schema)
    assert tool.args["size"]["anyOf"] == [
        {"type": "string", "enum": ["A0", "A1"]},
        {"type": "string"},
    ]
    assert called(description, {"size": "D4s_v5"}).query == "size=D4s_v5"


def test_an_enum_of_these_values_only_stays_closed():
    size = {"type": "string", "enum": ["A0"], "x-ms-enum": {"modelAsString": False}}
    description = api({"/it": {"get": operation(parameter("size", schema=size))}})
    assert "expected one of 'A0'" in refused(description, {"size": "D4s_v5"})
