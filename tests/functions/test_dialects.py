"""Every dialect of parameters becomes JSON Schema; what is no schema is named with its place."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from langchain_gorilla.dialects import parameters_schema
from langchain_gorilla.errors import InvalidFunctionError


def one(schema: Any) -> Any:
    """Return what becomes of the schema of a single parameter."""
    whole = {"type": "dict", "properties": {"a": schema}}
    return parameters_schema(whole, "f")["properties"]["a"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("string String STRING str char Character", "string"),
        ("integer Integer int long short byte Bigint BigInt BigInteger", "integer"),
        ("number Number float Float double Double BigDecimal", "number"),
        ("boolean Boolean bool", "boolean"),
        ("array Array ArrayList List list tuple set Set Queue Stack Vector LinkedList", "array"),
        ("List[int] ArrayList<String> Array<string> string[] tuple(float)", "array"),
        ("object Object dict Dict HashMap Hashtable Map Dict[str,int]", "object"),
        ("null None void undefined", "null"),
    ],
)
def test_type_words_become_json_schemas_own(words: str, name: str) -> None:
    assert {word: one({"type": word}) for word in words.split()} == {
        word: {"type": name} for word in words.split()
    }


LIMITED = {"type": "integer", "exclusiveMinimum": 0}


@pytest.mark.parametrize("word", ["any", "Any", ""])
def test_any_type_is_no_type(word: str) -> None:
    assert one({"type": word, "description": "d"}) == {"description": "d"}


def test_an_unknown_type_word_stays_readable_as_a_format() -> None:
    assert one({"type": "LocalDate"}) == {"format": "LocalDate"}
    assert one({"type": "LocalDate", "format": "iso"}) == {"format": "iso"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": ["String", "None"]}, {"type": ["string", "null"]}),
        ({"type": ["int", "integer"]}, {"type": ["integer"]}),
        ({"type": ["int", "any"]}, {}),
        ({"type": "int", "minimum": 0, "exclusiveMinimum": True}, LIMITED),
        ({"type": "int", "exclusiveMinimum": 0, "exclusiveMaximum": False}, LIMITED),
        (
            {"type": "string", "description": None, "items": None, "enum": None, "default": None},
            {"type": "string", "default": None},
        ),
        ({"type": None, "const": None}, {"const": None}),
        ({"type": "String", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"type": "string", "enum": ["a"], "nullable": True},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"type": ["int", "str"], "nullable": True}, {"type": ["integer", "string", "null"]}),
        (
            {"allOf": [{"type": "int"}], "nullable": True, "description": "d", "default": 1},
            {
                "anyOf": [{"allOf": [{"type": "integer"}]}, {"type": "null"}],
                "description": "d",
                "default": 1,
            },
        ),
        ({"enum": ["a"], "nullable": True}, {"enum": ["a", None]}),
        ({"nullable": True, "description": "d"}, {"description": "d"}),
        (
            {"type": "tuple", "items": {"type": "float"}},
            {"type": "array", "items": {"type": "number"}},
        ),
        (
            {"type": "array", "items": [{"type": "int"}], "additionalItems": False},
            {"type": "array", "prefixItems": [{"type": "integer"}], "items": False},
        ),
        (
            {"type": "array", "items": {"type": "str"}, "enum": ["x", "y"]},
            {"type": "array", "items": {"type": "string", "enum": ["x", "y"]}},
        ),
        ({"type": "boolean", "enum": ["yes", "no"]}, {"enum": ["yes", "no"]}),
        ({"type": "dict", "properties": {"b": True}}, {"type": "object", "properties": {"b": {}}}),
        (
            {"type": "dict", "properties": {"b": {"type": "int", "required": True}}},
            {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]},
        ),
        ({"type": "float", "default": float("nan")}, {"type": "number"}),
        (
            {"anyOf": [{"type": "int"}, {"type": "dict"}]},
            {"anyOf": [{"type": "integer"}, {"type": "object"}]},
        ),
        ({"enum": ({"type": "dict"},)}, {"enum": [{"type": "dict"}]}),
        (
            {"type": "string", "optional": True, "x-y": 1},
            {"type": "string", "optional": True, "x-y": 1},
        ),
    ],
)
def test_dialects_are_translated_at_any_depth(given: Any, expected: Any) -> None:
    assert one(given) == expected
    assert one({"type": "array", "items": given})["items"] == expected


def test_definitions_are_translated_and_references_stay() -> None:
    schema = parameters_schema(
        {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"type": "float"}}}, "f"
    )

    assert schema == {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/x"}},
        "$defs": {"x": {"type": "number"}},
    }


def test_parameters_that_are_null_are_none() -> None:
    given = {"type": "object", "properties": None, "required": None}
    assert parameters_schema(given, "f") == {"type": "object"}


def test_draft_4_becomes_the_nearest_draft_that_has_what_its_limits_become() -> None:
    limits = {"type": "integer", "minimum": 0, "exclusiveMinimum": True}
    given = {"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"a": limits}}
    assert parameters_schema(given, "f") == {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"a": LIMITED},
    }


def test_a_schema_that_names_its_draft_keeps_that_drafts_tuples() -> None:
    draft = "http://json-schema.org/draft-07/schema#"
    tuples = {"type": "array", "items": [{"type": "integer"}]}

    schema = parameters_schema({"$schema": draft, "properties": {"a": tuples}}, "f")

    assert schema["properties"]["a"] == tuples


def test_what_was_given_is_not_changed() -> None:
    given = {"properties": {"a": {"type": "int", "required": True}}}

    parameters_schema(given, "f")

    assert given == {"properties": {"a": {"type": "int", "required": True}}}


DEEP: dict[str, Any] = {}
for _ in range(2_000):
    DEEP = {"type": "object", "properties": {"a": DEEP}}

REFUSED: dict[str, tuple[Any, str]] = {
    "a string": ("text", "parameters of tool 'f' are 'text'. Expected a JSON schema"),
    "a wrong keyword value": (
        {"properties": {"a": {"type": "string", "minLength": "3"}}},
        r"Tool 'f' has no valid JSON schema: at parameters\.properties\.a\.minLength, '3' is not",
    ),
    "a schema that is a string": ({"properties": {"a": "string"}}, r"properties\.a, 'string'"),
    "an enum that is a string": ({"properties": {"a": {"enum": "x"}}}, r"properties\.a\.enum"),
    "a type that is a number": ({"properties": {"a": {"type": 3}}}, r"properties\.a\.type"),
    "an array": ({"type": "array"}, "type 'array'. Expected 'object': wrap"),
    "bare parameters": ({"loc": {"type": "string"}}, r"keys \['loc'\].*under 'properties'"),
    "a missing definition": ({"properties": {"a": {"$ref": "#/$defs/x"}}}, "refers to '#/.defs/x'"),
    "a place in a list that is a word": (
        {"anyOf": [{"type": "object"}], "properties": {"a": {"$ref": "#/anyOf/x"}}},
        "refers to '#/anyOf/x'",
    ),
    "a remote reference": (
        {"properties": {"a": {"$ref": "https://example.com/x.json"}}},
        "References are never fetched",
    ),
    "what JSON cannot hold": (
        {"properties": {"a": {"const": {1, 2}}}},
        "cannot be written as JSON",
    ),
    "a list entry without name": ([{"description": "d"}], "A parameter of tool 'f' has no name"),
    "a list with one name twice": ([{"name": "a"}, {"name": "a"}], "two parameters named 'a'"),
    "a bad patternProperties key": ({"patternProperties": {"(": {}}}, "no Python regular"),
    "a patternProperties key that repeats too often": (
        {"patternProperties": {"a{1,4294967296}": {}}},
        "no Python regular",
    ),
    "endless nesting": (DEEP, "nested too deeply"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_schema_is_named(case: str) -> None:
    given, message = REFUSED[case]

    with pytest.raises(InvalidFunctionError, match=f"(?s){message}"):
        parameters_schema(given, "f")


def test_a_pattern_of_another_regex_dialect_is_kept() -> None:
    assert one({"type": "string", "pattern": r"^\p{L}+$"})["pattern"] == r"^\p{L}+$"


keywords = st.sampled_from(
    [
        "type",
        "items",
        "properties",
        "required",
        "enum",
        "anyOf",
        "minimum",
        "minLength",
        "default",
        "title",
        "description",
        "additionalProperties",
        "$defs",
        "pattern",
        "const",
        "uniqueItems",
        "format",
        "prefixItems",
        "not",
    ]
)
words = st.sampled_from(["string", "int", "dict", "tuple", "any", "null", "LocalDate"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | words,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(keywords | words, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(keywords, anything, max_size=5))
def test_every_result_satisfies_the_metaschema(schema: dict[str, Any]) -> None:
    """The quick look that spares most schemas the metaschema never lets a wrong one pass."""
    try:
        result = parameters_schema(schema, "f")
    except InvalidFunctionError:
        return
    metaschema = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    assert list(metaschema.iter_errors(result)) == []


@given(st.dictionaries(keywords, anything, max_size=5))
def test_translating_twice_changes_nothing(schema: dict[str, Any]) -> None:
    try:
        result = parameters_schema(schema, "f")
    except InvalidFunctionError:
        return
    assert parameters_schema(result, "f") == result
