import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.functions import FunctionSchema, FunctionSet, function_schema
from langchain_gorilla.narrowing.compaction import compact
from langchain_gorilla.validation import validate_call

SHARED = Path(__file__).parents[3] / "shared" / "retrieval"


def compacted(**schema):
    return compact(FunctionSchema("f", "", {"type": "object", **schema})).parameters


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ({"title": "City", "type": "string"}, {"type": "string"}),
        ({"type": "string", "default": None}, {"type": "string"}),
        ({"type": "string", "default": ""}, {"type": "string", "default": ""}),
        ({"description": " two\n\n   lines,  one  space "}, {"description": "two\nlines, one space"}),
        ({"allOf": [{"$ref": "#/$defs/A"}], "description": "x"}, {"$ref": "#/$defs/A", "description": "x"}),
        ({"anyOf": [{"type": "string", "title": "S"}]}, {"type": "string"}),
        ({"type": "array", "items": {}, "minItems": 0}, {"type": "array"}),
        ({"type": "array", "minItems": 1}, {"type": "array", "minItems": 1}),
        ({"enum": [{"title": "a", "default": None}]}, {"enum": [{"title": "a", "default": None}]}),
        ({"type": "object", "additionalProperties": True, "required": []}, {"type": "object"}),
        ({"type": "object", "additionalProperties": False}, {"type": "object", "additionalProperties": False}),
        ({"allOf": [{"minimum": 1}], "maximum": 3}, {"allOf": [{"minimum": 1}], "maximum": 3}),
    ],
)  # fmt: skip
def test_what_says_nothing_goes_and_the_rest_stays(parameter, expected):
    schema = compacted(properties={"p": parameter}, **{"$defs": {"A": {"type": "string"}}})
    assert schema["properties"]["p"] == expected


@pytest.mark.parametrize("schema", [{"properties": {"a": {}}}, {}])
def test_a_function_that_takes_any_argument_still_does(schema):
    function = FunctionSchema("f", "", {"type": "object", **schema, "additionalProperties": True})
    call = FunctionCall("f", {"b": 1})
    assert validate_call(call, FunctionSet([compact(function)])) == call


DRAFT_7 = {"$schema": "http://json-schema.org/draft-07/schema#"}


@pytest.mark.parametrize(
    ("schema", "is_kept"),
    [
        ({"properties": {"p": {"items": [{"type": "integer"}]}}}, True),
        ({"dependencies": {"p": ["q"]}}, True),
        ({"properties": {"p": {"items": {"type": "integer"}}}}, False),
    ],
)
def test_the_draft_is_named_where_keywords_are_read_by_it(schema, is_kept):
    assert ("$schema" in compacted(**DRAFT_7, **schema)) is is_kept


def test_a_property_may_be_called_like_a_keyword():
    schema = compacted(properties={"title": {"type": "string"}, "default": {"type": "null"}})
    assert schema["properties"] == {"title": {"type": "string"}, "default": {"type": "null"}}


def test_definitions_that_nothing_refers_to_go():
    defs = {"A": {"$ref": "#/$defs/B"}, "B": {"type": "string"}, "C": {"type": "string"}}
    schema = compacted(properties={"p": {"$ref": "#/$defs/A"}}, **{"$defs": defs})
    assert set(schema["$defs"]) == {"A", "B"}


def test_a_schema_with_references_elsewhere_stays():
    properties = {"a": {"title": "A", "type": "string"}, "b": {"$ref": "#/properties/a"}}
    assert compacted(properties=properties)["properties"] == properties


SCHEMAS = st.recursive(
    st.sampled_from(
        [
            {"type": "string", "title": "S"},
            {"type": "integer", "minimum": 0, "default": None},
            {"$ref": "#/$defs/D"},
            {"enum": ["a", 1, None], "description": " a  b "},
            {},
        ]
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner},
            optional={"minItems": st.sampled_from([0, 1]), "uniqueItems": st.booleans()},
        ),
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("ab"), inner)},
            optional={
                "required": st.sampled_from([[], ["a"]]),
                "additionalProperties": st.one_of(st.booleans(), inner),
            },
        ),
        st.builds(
            lambda key, options, more: {key: options, **more},
            st.sampled_from(["anyOf", "allOf", "oneOf"]),
            st.lists(inner, min_size=1, max_size=2),
            st.sampled_from([{}, {"description": "d"}, {"maximum": 3}, {"required": ["b"]}]),
        ),
    ),
    max_leaves=6,
)  # fmt: skip
VALUES = st.recursive(
    st.sampled_from([None, True, 0, -1, 5, "a", "b"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(schema=SCHEMAS, value=VALUES)
def test_the_same_values_fit(schema, value):
    whole = {
        "type": "object",
        "properties": {"p": schema},
        "$defs": {"D": {"type": "array", "title": "D"}, "Unused": {}},
    }
    short = compact(FunctionSchema("f", "", whole)).parameters
    for instance in ({"p": value}, {}):
        assert Draft202012Validator(whole).is_valid(instance) == Draft202012Validator(
            short
        ).is_valid(instance)


@given(schema=SCHEMAS)
def test_compaction_is_done_once(schema):
    once = compact(FunctionSchema("f", "", {"type": "object", "properties": {"p": schema}}))
    assert compact(once) == once


@pytest.mark.skipif(not SHARED.is_dir(), reason="no shared/retrieval beside the checkout")
def test_no_real_tool_grows_and_none_loses_a_description():
    with (SHARED / "apizoo" / "catalog.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(500), strict=False)]
    for row in rows:
        function = function_schema(row["tool"])
        short = compact(function)
        assert len(json.dumps(short.document())) <= len(json.dumps(function.document()))
        assert short.properties.keys() == function.properties.keys()
        assert "".join(short.description.split()) == "".join(function.description.split())
