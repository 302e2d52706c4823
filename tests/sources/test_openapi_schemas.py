"""A description's schemas as JSON Schema 2020-12."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from langchain_gorilla.functions import function_schema
from langchain_gorilla.sources.openapi import tools_from_openapi
from tests.sources.apis import api, json_body, operation, parameter

X = "http://x.example"


def schema_of(schema: dict, version: str = "3.0.3", **components: dict) -> dict:
    """Return the tool's schema with one optional argument x."""
    description = api(
        {"/it": {"get": operation(parameter("x", schema=schema))}},
        version,
        components={"schemas": components},
    )
    tools = tools_from_openapi(description, X)
    assert tools.refusals == ()
    Draft202012Validator.check_schema(tools[0].args_schema)
    function_schema(tools[0])
    return tools[0].args_schema


def ref(name: str) -> dict:
    return {"$ref": f"#/components/schemas/{name}"}


KEYWORDS = [
    ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
    (
        {"type": "string", "nullable": True, "enum": ["a"]},
        {"type": ["string", "null"], "enum": ["a", None]},
    ),
    (
        {"allOf": [{"type": "string"}], "nullable": True, "description": "d"},
        {"anyOf": [{"allOf": [{"type": "string"}]}, {"type": "null"}], "description": "d"},
    ),
    ({"nullable": True}, {}),
    ({"type": "string", "x-nullable": True}, {"type": ["string", "null"]}),
    ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
    ({"maximum": 1, "exclusiveMaximum": False}, {"maximum": 1}),
    ({"exclusiveMinimum": True}, {}),
    ({"exclusiveMaximum": 5}, {"exclusiveMaximum": 5}),
    ({"pattern": "^a$"}, {"pattern": "^a$"}),
    ({"pattern": r"^\p{L}$"}, {"$comment": r"pattern: ^\p{L}$"}),
    ({"pattern": "[[a]"}, {"$comment": "pattern: [[a]"}),
    ({"type": "string", "enum": [1, True, "a"]}, {"type": "string", "enum": ["1", "true", "a"]}),
    ({"type": "boolean", "enum": ["true", "False"]}, {"type": "boolean", "enum": [True, False]}),
    ({"type": ["integer", "null"], "enum": ["1", "-2", 3, None]},
     {"type": ["integer", "null"], "enum": [1, -2, 3, None]}),
    ({"type": "number", "enum": ["0.5", "1e999", "nan", "true", "x", "[" * 10_000]},
     {"type": "number", "enum": [0.5, "1e999", "nan", "true", "x", "[" * 10_000]}),
    ({"type": ["string", "integer"], "enum": ["1", 2]},
     {"type": ["string", "integer"], "enum": ["1", 2]}),
    ({"enum": ["1", True]}, {"enum": ["1", True]}),
    ({"const": None}, {"const": None}),
    ({"const": float("nan")}, {}),
    ({"oneOf": [{"type": "string"}, {"const": None}]},
     {"anyOf": [{"type": "string"}, {"const": None}]}),
    ({"oneOf": [{"minLength": 1}], "anyOf": [{"minLength": 2}], "allOf": [{"minLength": 3}]},
     {"anyOf": [{"minLength": 2}], "allOf": [{"minLength": 3}, {"anyOf": [{"minLength": 1}]}]}),
    ({"not": {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}},
     {"not": {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}}),
    ({"enum": []}, {}),
    ({"enum": "a"}, {}),
    ({"type": "file"}, {"type": "string"}),
    ({"type": "unknown"}, {}),
    ({"type": ["string", "integer"]}, {"type": ["string", "integer"]}),
    ({"type": 7}, {}),
    ({"maxLength": 10.0, "minLength": "1", "minItems": -1}, {"maxLength": 10}),
    ({"maximum": 10**400, "maxItems": 10**400}, {}),
    ({"maximum": "7", "minimum": True, "multipleOf": 0}, {}),
    ({"required": True}, {}),
    ({"required": []}, {}),
    ({"properties": {"a": {"required": True}}}, {"properties": {"a": {}}, "required": ["a"]}),
    ({"properties": {"a": True, "b": False}}, {"properties": {"a": {}, "b": {"not": {}}}}),
    ({"properties": {"a": 7}, "additionalProperties": False},
     {"properties": {"a": {}}, "additionalProperties": False}),
    ({"properties": {"a": {"readOnly": True}, "b": {}}, "required": ["a", "b"]},
     {"properties": {"b": {}}, "required": ["b"]}),
    ({"properties": {"b": {}}, "required": ["a"]},
     {"properties": {"b": {}, "a": {}}, "required": ["a"]}),
    ({"properties": {"description": {"type": "string"}, "enum": {}, "$ref": {}}},
     {"properties": {"description": {"type": "string"}, "enum": {}, "$ref": {}}}),
    ({"anyOf": [], "allOf": {}, "oneOf": "x", "items": [], "prefixItems": 7}, {}),
    ({"items": [{"type": "string"}]}, {"prefixItems": [{"type": "string"}]}),
    ({"items": {"type": "string"}}, {"items": {"type": "string"}}),
    ({"patternProperties": {"(": {}, "^a": {}}}, {"patternProperties": {"^a": {}}}),
    (
        {"patternProperties": {r"^\p{L}+$": {}, "^a": {}}, "additionalProperties": False},
        {"patternProperties": {"^a": {}}},
    ),
    ({"not": {"type": "string"}}, {"not": {"type": "string"}}),
    ({"x-a": 1, "xml": {}, "externalDocs": {}, "discriminator": {}, "example": {}, "$id": "x",
      "$schema": "y", "$anchor": "z", "unknown": 1, "deprecated": True}, {}),
    ({"default": float("inf"), "title": "", "format": 7}, {}),
    ({"default": False, "format": "int32"}, {"default": False, "format": "int32"}),
    ({"type": "string", "format": "int-or-string"},
     {"type": ["integer", "string"], "format": "int-or-string"}),
    ({"description": ["no text"]}, {}),
    (True, {}),
    ([], {}),
]  # fmt: skip


@pytest.mark.parametrize(("described", "schema"), KEYWORDS)
def test_a_keyword_becomes_json_schema(described, schema):
    assert schema_of(described)["properties"]["x"] == schema


def test_a_newer_schema_stays_as_it_is():
    schema = {
        "type": ["object", "null"],
        "properties": {
            "a": {"const": 1},
            "b": {"type": "array", "prefixItems": [{}], "items": False},
        },
        "if": {"required": ["a"]},
        "then": {"required": ["b"]},
        "dependentRequired": {"a": ["b"]},
        "propertyNames": {"maxLength": 3},
        "unevaluatedProperties": False,
    }
    assert schema_of(schema, "3.1.0")["properties"]["x"] == schema


def test_what_stands_beside_a_reference_counts_from_3_1_on():
    schema = {
        "$ref": "#/components/schemas/S",
        "description": "d",
        "minLength": 1,
        "nullable": True,
    }
    newer = schema_of({**schema, "nullable": False}, "3.1.0", S={"type": "string"})
    assert newer["properties"]["x"] == {
        "$ref": "#/$defs/S",
        "description": "d",
        "minLength": 1,
    }
    older = schema_of(schema, S={"type": "string"})
    assert older["properties"]["x"] == {
        "anyOf": [{"$ref": "#/$defs/S"}, {"type": "null"}],
        "description": "d",
    }


OVERLAPS = [
    ([{"type": "integer"}, {"type": "number"}], 3),
    ([{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}], "2024-01-01"),
    ([{"type": "string", "enum": ["asc"]}, {"type": "string"}], "asc"),
    ([{"type": "string"}, {"const": None}], "v"),
    ([{"required": ["kind"]}, {"properties": {"bark": {"type": "string"}}}], {"kind": "Cat"}),
]  # fmt: skip


@pytest.mark.parametrize(("cases", "value"), OVERLAPS)
def test_a_value_that_fits_two_cases_of_a_one_of_is_taken(cases: list, value):
    schema = schema_of({"oneOf": cases, "discriminator": {"propertyName": "kind"}}, "3.1.0")
    assert Draft202012Validator(schema).is_valid({"x": value})


def test_a_value_that_fits_no_case_of_a_one_of_is_refused():
    schema = schema_of({"oneOf": [{"type": "integer"}, {"type": "number"}]})
    assert not Draft202012Validator(schema).is_valid({"x": "3"})


READ_ONLY = {"type": "object", "properties": {"id": {"readOnly": True}, "name": {}}}
NEEDS = {"required": ["id", "name"]}
HIDDEN = [
    {"allOf": [READ_ONLY, NEEDS]},
    {"allOf": [NEEDS, {"allOf": [ref("Base")]}]},
    {"allOf": [ref("Base"), {"properties": {"age": {}}, **NEEDS}]},
    {**READ_ONLY, "anyOf": [NEEDS, {"required": ["age"]}]},
    {**ref("Base"), **NEEDS},
]


@pytest.mark.parametrize("schema", HIDDEN)
def test_a_read_only_property_is_not_demanded_by_another_part_of_its_schema(schema: dict):
    converted = schema_of({"items": schema}, "3.1.0", Base=READ_ONLY)
    assert '"id"' not in json.dumps(converted)
    validator = Draft202012Validator(converted)
    assert validator.is_valid({"x": [{"name": "a"}]})
    assert not validator.is_valid({"x": [{}]})


def test_a_read_only_property_in_a_condition_stays_its_condition():
    schema = {**READ_ONLY, "not": {"required": ["id"]}}
    assert schema_of(schema)["properties"]["x"]["not"] == {"required": ["id"]}


def test_a_tool_carries_the_definitions_that_it_reaches_and_no_others():
    schema = schema_of(
        {"$ref": "#/components/schemas/Tree"},
        Tree={"type": "object", "properties": {"left": {"$ref": "#/components/schemas/Tree"}}},
        Other={"type": "string"},
    )
    assert schema["$defs"] == {
        "Tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/Tree"}}}
    }
    validator = Draft202012Validator(schema)
    assert validator.is_valid({"x": {"left": {"left": {}}}})
    assert not validator.is_valid({"x": {"left": {"left": 1}}})


def test_references_to_any_place_work():
    description = api(
        {
            "/a": {"get": operation(parameter("x", schema={"type": "integer"}))},
            "/b~c/{id}": {
                "get": operation(
                    parameter("x", schema={"$ref": "#/paths/~1a/get/parameters/0/schema"}),
                    parameter("y", schema={"$ref": "#/components/schemas/a%20b/properties/c~1d"}),
                )
            },
        },
        components={"schemas": {"a b": {"properties": {"c/d": {"type": "boolean"}}}}},
    )
    schema = tools_from_openapi(description, X)[1].args_schema
    assert schema["properties"]["x"] == {"$ref": "#/$defs/schema"}
    assert Draft202012Validator(schema).is_valid({"id": "1", "x": 1, "y": True})
    assert not Draft202012Validator(schema).is_valid({"id": "1", "x": "1"})
    assert not Draft202012Validator(schema).is_valid({"id": "1", "y": 1})


def test_two_definitions_with_one_name_are_told_apart():
    description = api(
        {
            "/a": {
                "get": operation(
                    parameter("x", schema={"$ref": "#/components/schemas/S"}),
                    parameter("y", schema={"$ref": "#/x-other/S"}),
                )
            }
        },
        components={"schemas": {"S": {"type": "string"}}},
        **{"x-other": {"S": {"type": "integer"}}},
    )
    schema = tools_from_openapi(description, X)[0].args_schema
    assert schema["$defs"] == {"S": {"type": "string"}, "S-2": {"type": "integer"}}


CIRCLES = {
    "a parent that lists its children": {
        "S": {
            "type": "object",
            "properties": {"kind": {"type": "string"}},
            "required": ["kind"],
            "discriminator": {"propertyName": "kind"},
            "oneOf": [ref("Cat"), ref("Dog")],
        },
        "Cat": {"allOf": [ref("S"), {"required": ["meow"], "properties": {"meow": {}}}]},
        "Dog": {"allOf": [ref("S"), {"required": ["bark"], "properties": {"bark": {}}}]},
    },
    "a reference to itself": {"S": ref("S")},
    "two references to each other": {"S": ref("T"), "T": ref("S")},
    "an allOf of itself": {"S": {"allOf": [ref("S"), {"required": ["kind"]}]}},
    "two in each other's allOf": {"S": {"allOf": [ref("T")]}, "T": {"allOf": [ref("S")]}},
    "two in each other's anyOf": {"S": {"anyOf": [ref("T"), {}]}, "T": {"anyOf": [ref("S"), {}]}},
    "an anyOf in an allOf": {"S": {"allOf": [{"anyOf": [ref("T"), {}]}]}, "T": {"anyOf": [ref("S"), {}]}},
    "an allOf in a not": {"S": {"not": {"allOf": [ref("S")]}}},
    "a long way round": {
        "S": {"oneOf": [ref("A"), {"type": "string"}]},
        "A": {"allOf": [ref("B")]},
        "B": {"allOf": [ref("C")], "anyOf": [ref("S"), {}]},
        "C": {"anyOf": [ref("A"), {}]},
    },
    "through a property": {"S": {"properties": {"s": ref("S")}, "required": ["kind"]}},
}  # fmt: skip


@pytest.mark.parametrize("circle", CIRCLES)
def test_a_schema_that_applies_itself_without_end_comes_to_one(circle: str):
    schema = schema_of(ref("S"), **CIRCLES[circle])
    # Without its end this would be a RecursionError.
    list(Draft202012Validator(schema).iter_errors({"x": {"kind": "cat", "s": {"kind": "dog"}}}))


def test_a_family_of_types_keeps_its_meaning():
    schema = schema_of(ref("S"), **CIRCLES["a parent that lists its children"])
    validator = Draft202012Validator(schema)
    assert validator.is_valid({"x": {"kind": "cat", "meow": 1}})
    assert not validator.is_valid({"x": {"meow": 1}})
    assert not validator.is_valid({"x": {"kind": "cat"}})


@given(
    st.dictionaries(
        st.sampled_from("ABCDE"),
        st.recursive(
            st.sampled_from("ABCDE").map(lambda name: ref(name)) | st.just({"type": "string"}),
            lambda inner: (
                st.builds(
                    lambda keyword, parts: {keyword: parts if keyword != "not" else parts[0]},
                    st.sampled_from(["allOf", "anyOf", "oneOf", "not"]),
                    st.lists(inner, min_size=1, max_size=3),
                )
                | st.builds(lambda part: {"properties": {"p": part}}, inner)
            ),
            max_leaves=6,
        ),
        min_size=5,
        max_size=5,
    )
)
def test_whatever_refers_to_whatever_a_value_can_be_checked(schemas: dict):
    assume(not any(is_nothing_but_itself(name, schemas) for name in schemas))
    schema = schema_of(ref("A"), **schemas)
    list(Draft202012Validator(schema).iter_errors({"x": {"p": {"p": "a"}}}))


def is_nothing_but_itself(name: str, schemas: dict) -> bool:
    """Say whether bare references lead from a schema back to it."""
    seen: set[str] = set()
    while list(schemas[name]) == ["$ref"] and name not in seen:
        seen.add(name)
        name = schemas[name]["$ref"].rpartition("/")[2]
    return name in seen


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "properties",
                    "items",
                    "required",
                    "enum",
                    "nullable",
                    "pattern",
                    "minimum",
                    "exclusiveMinimum",
                    "allOf",
                    "anyOf",
                    "not",
                    "additionalProperties",
                    "$ref",
                    "default",
                    "format",
                    "maxLength",
                    "const",
                    "if",
                    "description",
                    "readOnly",
                    "prefixItems",
                    "patternProperties",
                    "multipleOf",
                    "uniqueItems",
                    "dependentRequired",
                    "x-a",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_whatever_stands_for_a_schema_becomes_a_valid_one_or_a_refusal(schema):
    description = api({"/it": {"get": operation(parameter("x", schema=schema))}})
    tools = tools_from_openapi(description, X)
    assert len(tools) + len(tools.refusals) == 1
    for tool in tools:
        Draft202012Validator.check_schema(tool.args_schema)
        json.dumps(tool.args_schema, allow_nan=False)


@given(_JSON, _JSON)
def test_whatever_stands_for_a_body_or_an_item_becomes_a_tool_or_a_refusal(body, item):
    description = api(
        {
            "/it": {"post": operation(body=body)},
            "/schema": {"post": operation(body=json_body(item))},
            "/other": item,
        }
    )
    tools = tools_from_openapi(description, X, allow_writes=True)
    assert len(tools) + len(tools.refusals) >= 2
    for tool in tools:
        Draft202012Validator.check_schema(tool.args_schema)


def test_definitions_beyond_the_limit_keep_their_type_only():
    chain = {
        f"S{number}": {
            "type": "object",
            "description": "word " * 100,
            "properties": {"next": ref(f"S{number + 1}")},
        }
        for number in range(50)
    }
    description = api(
        {"/it": {"get": operation(parameter("x", schema=ref("S0")))}},
        components={"schemas": {**chain, "S50": {"type": "object", "required": ["a"]}}},
    )
    whole = tools_from_openapi(description, X, max_schema_characters=None)[0].args_schema
    assert len(whole["$defs"]) == 51
    schema = tools_from_openapi(description, X, max_schema_characters=2_000)[0].args_schema
    assert list(schema["$defs"]) == ["S0", "S1", "S2", "S3"]
    assert schema["$defs"]["S3"] == {"type": "object"}
    assert Draft202012Validator(schema).is_valid({"x": {"next": {"next": {"next": {"any": 1}}}}})
    assert not Draft202012Validator(schema).is_valid({"x": {"next": {"next": {"next": 1}}}})


def test_examples_are_shown_where_they_are_short():
    description = api(
        {
            "/it": {
                "get": operation(
                    parameter("a", description="A.", example="abc"),
                    parameter("b", schema={"type": "boolean", "example": True}),
                    parameter("c", example="x" * 100),
                    parameter("d", example={"k": 1}),
                )
            }
        }
    )
    properties = tools_from_openapi(description, X)[0].args_schema["properties"]
    assert properties["a"]["description"] == "A. Example: abc"
    assert properties["b"]["description"] == "Example: true"
    assert "description" not in properties["c"]
    assert "description" not in properties["d"]
