"""Families of schemas that a ``discriminator`` tells apart."""

from copy import deepcopy
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from langchain_gorilla.sources.openapi import tools_from_openapi

PET = {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]}


def ref(name: str, home: str = "components/schemas") -> dict:
    return {"$ref": f"#/{home}/{name}"}


def child(parent: str, home: str = "components/schemas", **properties: Any) -> dict:
    return {"allOf": [ref(parent, home), {"type": "object", "properties": properties}]}


def family(discriminator: Any) -> dict:
    """Return schemas of which Pet does not say that it has children."""
    return {
        "Pet": {**PET, "discriminator": discriminator},
        "Cat": child("Pet", meow={"type": "boolean"}),
        "Dog": {**child("Pet", bark={"type": "integer"}), "x-ms-discriminator-value": "#dog"},
        "Puppy": child("Dog", age={"type": "integer"}),
    }


def description(schemas: dict, body: dict) -> dict:
    content = {"application/json": {"schema": body}}
    return {
        "openapi": "3.0.3",
        "components": {"schemas": schemas},
        "paths": {"/pets": {"post": {"requestBody": {"required": True, "content": content}}}},
    }


def schema_of(given: dict) -> dict:
    (tool,) = tools_from_openapi(given, "https://api.example.com", allow_writes=True)
    return tool.args_schema


def takes(schema: dict, body: dict) -> bool:
    return Draft202012Validator(schema).is_valid({"body": body})


@pytest.mark.parametrize(
    ("mapping", "names"),
    [
        ({}, {"Cat": {"meow": True}, "#dog": {"bark": 1}, "Puppy": {"age": 1}, "Pet": {}}),
        ({"cat": "#/components/schemas/Cat", "dog": "Dog"}, {"cat": {"meow": True}, "dog": {}}),
    ],
)
def test_a_body_of_a_parent_is_any_of_its_children_under_its_name(mapping, names):
    told = {"propertyName": "kind", "mapping": mapping}
    schema = schema_of(description(family(told), ref("Pet")))
    assert all(takes(schema, {"kind": name, **more}) for name, more in names.items())
    assert not takes(schema, {"kind": "Zebra"})
    (first, *_) = names
    assert not takes(schema, {"kind": first, "meow": "loudly"})


def test_a_child_is_as_flat_as_before():
    schema = schema_of(description(family({"propertyName": "kind"}), ref("Cat")))
    assert list(schema["properties"]) == ["kind", "meow"]


def test_cases_have_the_names_of_the_mapping():
    plain = {"Cat": PET, "Dog": PET}
    told = {"propertyName": "kind", "mapping": {"c": "#/components/schemas/Cat", "d": "Dog"}}
    body = {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": told}
    schema = schema_of(description(plain, body))
    assert takes(schema, {"kind": "c"})
    assert takes(schema, {"kind": "d"})
    assert not takes(schema, {"kind": "Cat"})


def test_in_swagger_2_the_discriminator_is_a_name():
    home = "definitions"
    schemas = {"Pet": {**PET, "discriminator": "kind"}, "Cat": child("Pet", home, meow={})}
    parameter = {"in": "body", "name": "pet", "schema": ref("Pet", home)}
    post = {"consumes": ["application/json"], "parameters": [parameter]}
    given = {"swagger": "2.0", "definitions": schemas, "paths": {"/pets": {"post": post}}}
    assert takes(schema_of(given), {"kind": "Cat", "meow": 1})
    assert not takes(schema_of(given), {"kind": "Dog"})


def test_the_description_stays_as_it_was():
    given = description(family({"propertyName": "kind"}), ref("Pet"))
    before = deepcopy(given)
    schema_of(given)
    assert given == before


def test_cases_that_are_no_list_are_no_family() -> None:
    odd = {"Pet": {**PET, "oneOf": True}, "Cat": child("Pet", meow={"type": "boolean"})}
    tools = tools_from_openapi(
        description(odd, ref("Cat")), "https://api.example.com", allow_writes=True
    )
    assert len(tools) + len(tools.refusals) == 1
