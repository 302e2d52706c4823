"""Calls are checked against their schemas; only lossless changes are made to them."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.functions import FunctionSchema, FunctionSet, function_schema
from langchain_gorilla.validation import (
    DROP,
    MAX_DEPTH,
    MAX_REASON_CHARACTERS,
    InvalidCall,
    coerce_argument,
    validate_call,
)


def functions(properties: dict[str, Any] | None = None, **keywords: Any) -> FunctionSet:
    parameters = {"type": "object", "properties": properties or {}, **keywords}
    return FunctionSet([function_schema({"name": "f", "parameters": parameters})])


def checked(offered: FunctionSet, **arguments: Any) -> FunctionCall | InvalidCall:
    return validate_call(FunctionCall("f", arguments), offered)


def reason(offered: FunctionSet, arguments: dict[str, Any]) -> str:
    result = validate_call(FunctionCall("f", arguments), offered)
    assert isinstance(result, InvalidCall)
    return result.reason


INTEGER = {"type": "integer"}
TREE = {
    "type": "object",
    "properties": {
        "size": INTEGER,
        "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
    },
    "required": ["size"],
}


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (INTEGER, 3.0, 3),
        (INTEGER, -0.0, 0),
        (INTEGER, 2.0**53, 2**53),
        (INTEGER, 1e300, 1e300),
        ({"type": ["integer", "null"]}, 3.0, 3),
        ({"type": ["integer", "number"]}, 3.0, 3.0),
        ({"type": "number"}, 3, 3),
        ({"type": "number"}, 3.0, 3.0),
        ({}, 3.0, 3.0),
        ({"anyOf": [{"type": "string"}, INTEGER]}, 3.0, 3),
        ({"anyOf": [{"type": "number"}, INTEGER]}, 3.0, 3.0),
        ({"oneOf": [{"type": "null"}, {"type": "array", "items": INTEGER}]}, [1.0], [1]),
        ({"allOf": [INTEGER, {"minimum": 1}]}, 3.0, 3),
        ({"type": "array", "items": INTEGER}, [1.0, 2], [1, 2]),
        (
            {"type": "array", "prefixItems": [INTEGER], "items": {"type": "number"}},
            [1.0, 1.0],
            [1, 1.0],
        ),
        (
            {"type": "object", "properties": {"a": INTEGER}},
            {"a": 1.0, "b": 1.0},
            {"a": 1, "b": 1.0},
        ),
        ({"type": "object", "additionalProperties": INTEGER}, {"b": 1.0}, {"b": 1}),
        ({"type": "object", "properties": {"a": INTEGER}}, {"a": None}, {}),
        (
            {"$ref": "#/$defs/tree"},
            {"size": 1.0, "children": [{"size": 2.0}]},
            {"size": 1, "children": [{"size": 2}]},
        ),
        ({"enum": ["a", None]}, None, None),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None, None),
    ],
)
def test_values_are_coerced_only_where_nothing_is_lost(
    schema: dict[str, Any], value: Any, expected: Any
) -> None:
    result = checked(functions({"a": schema}, **{"$defs": {"tree": TREE}}), a=value)

    assert isinstance(result, FunctionCall)
    # As JSON text, which tells 3 from 3.0.
    assert json.dumps(result.arguments["a"]) == json.dumps(expected)


@pytest.mark.parametrize(
    ("schema", "required", "is_dropped"),
    [
        (INTEGER, False, True),
        ({**INTEGER, "default": None}, False, True),
        ({**INTEGER, "default": 7}, False, False),
        (INTEGER, True, False),
        ({"type": ["integer", "null"]}, False, False),
        ({}, False, False),
    ],
)
def test_none_is_dropped_where_leaving_out_means_the_same(
    schema: dict[str, Any], required: bool, is_dropped: bool
) -> None:
    offered = functions({"a": schema}, required=["a"] if required else [])

    assert (coerce_argument(None, "a", offered.functions[0]) is DROP) is is_dropped
    if is_dropped:
        assert checked(offered, a=None) == FunctionCall("f", {})


REASONS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"a": INTEGER}, {"a": "3"}, "a: got '3', expected an integer (write 3 without quotes)."),
    ({"a": {"type": "boolean"}}, {"a": "TRUE"}, "a: got 'TRUE', expected true or false (write true without quotes)."),
    ({"a": {"type": "string"}}, {"a": 94110}, "a: got 94110, expected a string (write it in quotes)."),
    ({"a": {"type": "array"}}, {"a": "x"}, "a: got 'x', expected a list (put it in a list)."),
    ({"a": {"type": "array"}}, {"a": "['x']"}, 'a: got "[\'x\']", expected a list (write the list itself, not its text).'),
    ({"a": {"type": "object"}}, {"a": "{'x': 1}"}, 'a: got "{\'x\': 1}", expected an object (write the object itself, not its text).'),
    ({"a": {"propertyNames": {"pattern": "^[a-z]+$"}}}, {"a": {"b": 1, "B": 2}}, "a: got the key 'B', expected text that matches '^[a-z]+$'."),
    ({"a": {"properties": {"propertyNames": INTEGER}}}, {"a": {"propertyNames": "x"}}, "a.propertyNames: got 'x', expected an integer."),
    ({"a": INTEGER}, {"a": True}, "a: got True, expected an integer."),
    ({"a": INTEGER}, {"a": 3.5}, "a: got 3.5, expected an integer."),
    ({"a": {"type": ["integer", "null"]}}, {"a": []}, "a: got [], expected an integer or null."),
    (
        {"a": {"anyOf": [INTEGER, {"type": "string"}, {"type": "null"}]}},
        {"a": []},
        "a: got [], expected an integer, a string or null.",
    ),
    ({"a": {"enum": ["celsius", "kelvin"]}}, {"a": "Kelvin"}, "a: got 'Kelvin', expected one of 'celsius', 'kelvin' (write 'kelvin')."),
    ({"a": {"type": "string", "enum": ["1"]}}, {"a": 1}, "a: got 1, expected one of '1' (write it in quotes)."),
    ({"a": {"enum": list(range(99))}}, {"a": -1}, "a: got -1, expected one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …."),
    (
        {"a": {"items": {"anyOf": [INTEGER, {"type": "boolean"}]}}},
        {"a": ["x", "x"]},
        "a[0]: got 'x', expected an integer or true or false. a[1]: got 'x', expected an integer or true or false.",
    ),
    ({"a": {"const": 3}}, {"a": 4}, "a: got 4, expected 3."),
    ({"a": {"minimum": 3}}, {"a": 2}, "a: got 2, expected at least 3."),
    ({"a": {"exclusiveMaximum": 3}}, {"a": 3}, "a: got 3, expected less than 3."),
    ({"a": {"maxLength": 2}}, {"a": "abc"}, "a: got 'abc', expected at most 2 characters."),
    ({"a": {"pattern": "^x"}}, {"a": "y"}, "a: got 'y', expected text that matches '^x'."),
    ({"a": {"uniqueItems": True}}, {"a": [1, 1]}, "a: got [1, 1], expected no item twice."),
    (
        {"a": {"items": {"properties": {"n": {"type": "string"}}, "required": ["n"]}}},
        {"a": [{"n": 1}, {}]},
        "a[0].n: got 1, expected a string (write it in quotes). a[1]: got {}, expected an object with n.",
    ),
    (
        {"a": {"properties": {"n": {}}, "additionalProperties": False}},
        {"a": {"m": 1}},
        "a: got {'m': 1}, expected only the keys n.",
    ),
    (
        {"a": {"patternProperties": {"^x": {}}, "additionalProperties": False}},
        {"a": {"m": 1}},
        "a: got {'m': 1}, expected only keys that match '^x'.",
    ),
    (
        {"a": {"type": "object", "additionalProperties": False}},
        {"a": {"m": 1}},
        "a: got {'m': 1}, expected no keys.",
    ),
    (
        {"a": {"type": "object", "dependentRequired": {"m": ["n", "o"]}}},
        {"a": {"m": 1}},
        "a: got {'m': 1}, expected n, o beside m.",
    ),
    (
        {"a": {"prefixItems": [{}], "items": False}},
        {"a": [1, 2]},
        "a: got [1, 2], expected at most 1 items.",
    ),
    (
        {"a": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"n": INTEGER}}]}},
        {"a": {"n": "x"}},
        "a.n: got 'x', expected an integer.",
    ),
    ({"a": {"not": {"type": "string"}}}, {"a": "x"}, "a: got 'x', expected a value that fits not: {'type': 'string'}."),
    ({"a": {"not": {}}}, {"a": 5}, "a: got 5, expected nothing here."),
    (
        {"a": {"anyOf": [{"not": {}}, {"type": "string"}]}},
        {"a": 5},
        "a: got 5, expected a string (write it in quotes).",
    ),
    ({}, {"x": 1}, "Unknown argument x; f takes no arguments."),
    ({"a": {}, "b": {}}, {"x": 1, "a": 2}, "Unknown argument x; f takes a, b."),
]  # fmt: skip


CAT = {"properties": {"kind": {"const": "cat"}, "lives": INTEGER}, "required": ["kind"]}
DOG = {"properties": {"kind": {"const": "dog"}, "name": {"type": "string"}}, "required": ["kind"]}


@pytest.mark.parametrize(
    ("pet", "expected"),
    [
        ({"kind": "dog", "name": 5}, "pet.name: got 5, expected a string (write it in quotes)."),
        ({"kind": "fly"}, "pet.kind: got 'fly', expected 'cat' or 'dog'."),
    ],
)
def test_the_reason_is_about_the_form_that_a_constant_names(
    pet: dict[str, Any], expected: str
) -> None:
    forms = [{"type": "object", **each} for each in (CAT, DOG)]
    union = {"anyOf": [{"oneOf": forms}, {"type": "null"}]}

    assert reason(functions({"pet": union}), {"pet": pet}) == expected


@pytest.mark.parametrize(("properties", "arguments", "expected"), REASONS)
def test_a_reason_says_what_to_write_instead(
    properties: dict[str, Any], arguments: dict[str, Any], expected: str
) -> None:
    assert reason(functions(properties), arguments) == expected


def test_a_missing_argument_is_named_with_its_description() -> None:
    offered = functions({"city": {"description": "Where to look."}}, required=["city"])

    assert reason(offered, {}) == "Missing argument city (Where to look.)."


def test_a_condition_on_arguments_is_told_in_written_names() -> None:
    offered = functions(
        {"from": {}, "to": {}}, anyOf=[{"required": ["from"]}, {"required": ["to"]}]
    )

    assert reason(offered, {}) == "The call: expected an object with from_ or an object with to."


def test_reasons_use_the_names_that_the_model_writes_and_results_the_true_ones() -> None:
    offered = functions({"from": {"type": "array", "items": INTEGER}}, required=["from"])

    assert reason(offered, {"from_": ["x"]}).startswith("from_[0]: got 'x'")
    assert reason(offered, {}) == "Missing argument from_."
    assert checked(offered, from_=[1]) == FunctionCall("f", {"from": [1]})
    assert reason(offered, {"from": [], "from_": []}) == (
        "Argument from_ is given twice; write it once."
    )


def test_at_most_three_problems_are_told() -> None:
    offered = functions(dict.fromkeys("abcde", INTEGER))

    assert reason(offered, dict.fromkeys("abcde", "x")).count("expected") == 3


def test_an_unknown_function_is_answered_with_near_names_only() -> None:
    offered = FunctionSet(
        FunctionSchema(f"tool-{number}", "", {"type": "object"}) for number in range(5_000)
    )

    result = validate_call(FunctionCall("tool_77x", {"a": 1}), offered)

    assert isinstance(result, InvalidCall)
    assert (result.name, result.arguments) == ("tool_77x", {"a": 1})
    assert "Did you mean" in result.reason
    assert "tool_77" in result.reason
    assert result.reason.count("tool_") <= 4


def test_a_function_in_capitals_is_near_the_one_in_small_letters() -> None:
    offered = FunctionSet([FunctionSchema("getWeather", "", {"type": "object"})])

    result = validate_call(FunctionCall("GET_WEATHER"), offered)

    assert isinstance(result, InvalidCall)
    assert "Did you mean getWeather?" in result.reason


def test_without_functions_the_model_is_told_to_use_words() -> None:
    result = validate_call(FunctionCall("f"), FunctionSet([]))

    assert isinstance(result, InvalidCall)
    assert result.reason == "There is no function 'f'. No functions are offered: answer in words."


@pytest.mark.parametrize(
    ("parameters", "is_open"),
    [
        (None, False),
        ({"type": "object", "properties": {"a": {}}}, False),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, False),
        ({"type": "object", "properties": {"a": {}}, "anyOf": [{"required": ["a"]}]}, False),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": True}, True),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "integer"}}, True),
        ({"type": "object", "properties": {}, "patternProperties": {"^x": {}}}, True),
        ({"type": "object", "properties": {}, "allOf": [{"properties": {"x": {}}}]}, True),
        ({"type": "object", "properties": {"a": {}}, "allOf": [{"required": ["x"]}]}, True),
        ({"type": "object"}, True),
    ],
)  # fmt: skip
def test_unknown_arguments_pass_only_where_the_schema_opens_itself(
    parameters: dict[str, Any] | None, is_open: bool
) -> None:
    offered = FunctionSet([function_schema({"name": "f", "parameters": parameters})])

    assert isinstance(checked(offered, x=1, a=2) if is_open else None, FunctionCall) is is_open
    assert isinstance(checked(offered, x=1), FunctionCall) is is_open


def test_the_schemas_own_draft_is_used() -> None:
    old = functions(
        {"a": {"type": "array", "items": [INTEGER]}},
        **{"$schema": "http://json-schema.org/draft-07/schema#"},
    )

    assert reason(old, {"a": ["x"]}) == "a[0]: got 'x', expected an integer."
    assert checked(old, a=[1.0, "y"]) == FunctionCall("f", {"a": [1, "y"]})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer"},
        {"type": ["array", "boolean"]},
        {"enum": ["a"]},
        {"anyOf": [INTEGER, {"type": "string"}], "type": ["integer", "string"]},
        {"allOf": [{"$ref": "#/$defs/n"}], "description": "One."},
        {"$ref": "#/$defs/n"},
    ],
)
def test_null_passes_wherever_it_is_said_to_be_nullable(schema: dict[str, Any]) -> None:
    properties = {"a": {**schema, "nullable": True}}
    offered = functions(properties, required=["a"], **{"$defs": {"n": INTEGER}})

    assert checked(offered, a=None) == FunctionCall("f", {"a": None})


@pytest.mark.parametrize(
    "pattern", [r"^\p{L}+$", "^a{1,4294967296}$", "^[[:alpha:]_-]+$", "^[a-z&&[^aeiou]]+$"]
)
def test_formats_and_patterns_of_other_dialects_are_not_enforced(pattern: str) -> None:
    offered = functions({"a": {"format": "date"}, "b": {"pattern": pattern}})

    assert isinstance(checked(offered, a="never", b="1"), FunctionCall)


def test_a_pattern_that_python_will_read_otherwise_one_day_warns_nobody() -> None:
    offered = functions({"a": {"pattern": "^[[a-z]{3}$"}})

    re.purge()  # Python warns where it compiles, and keeps what it compiled.
    assert isinstance(checked(offered, a="[ab"), FunctionCall)
    assert reason(offered, {"a": "AB"}) == "a: got 'AB', expected text that matches '^[[a-z]{3}$'."


@pytest.mark.parametrize(
    ("schema", "value", "passes"),
    [
        ({"type": "string", "enum": ["a"], "default": "any"}, "any", True),
        ({"type": "string", "enum": ["a"], "default": "any"}, "Any", False),
        ({"type": "integer", "maximum": 3, "default": 5.0}, 5, True),
        ({"type": "integer", "maximum": 3, "default": 5}, 5.0, True),
        ({"type": "string", "default": 1}, True, False),
        ({"type": "string", "default": []}, [], True),
        ({"type": "array", "items": {"type": "string"}, "default": [1]}, [True], False),
    ],
)
def test_an_optional_argument_that_is_its_default_passes(
    schema: dict[str, Any], value: Any, passes: bool
) -> None:
    optional, required = functions({"x": schema}), functions({"x": schema}, required=["x"])
    result = checked(optional, x=value)
    assert isinstance(result, FunctionCall) is passes
    if isinstance(result, FunctionCall):
        assert result.arguments == {"x": coerce_argument(value, "x", optional.functions[0])}
    assert isinstance(checked(required, x=value), InvalidCall)


def test_an_optional_key_inside_that_is_its_default_passes() -> None:
    inner = {"type": "object", "properties": {"unit": {"enum": ["s", "ms"], "default": "any"}}}
    assert isinstance(checked(functions({"x": inner}), x={"unit": "any"}), FunctionCall)
    required = functions({"x": {**inner, "required": ["unit"]}})
    assert isinstance(checked(required, x={"unit": "any"}), InvalidCall)


def test_every_price_in_cents_is_a_multiple_of_a_cent() -> None:
    given = functions({"a": {"type": "number", "multipleOf": 0.01}})

    prices = [cents / 100 for cents in range(-300, 3_000)]
    assert all(isinstance(checked(given, a=price), FunctionCall) for price in prices)
    assert all("a multiple of 0.01" in reason(given, {"a": price + 0.005}) for price in prices)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


RECURSIVE = {"anyOf": [{"type": "number"}, {"type": "array", "items": {"$ref": "#/$defs/value"}}]}


HOSTILE: dict[str, tuple[dict[str, Any], Any, str]] = {
    "deep": ({}, nested(100_000), "nested over 64 deep. Write them flatter"),
    "deep and checked": (RECURSIVE, nested(100_000), "nested over 64 deep"),
    "endless integer": ({}, 10**5_000, "over 300 digits"),
    "no number": ({"multipleOf": 0.1}, float("inf"), "expected a multiple of 0.1"),
    "integer beyond floats": ({"multipleOf": 0.1}, 10**400, "over 300 digits"),
    "long text": (INTEGER, "x" * 1_000_000, "expected an integer"),
    "wide": (INTEGER, [{"k" * 1_000: ["v" * 1_000] * 1_000}] * 100, "expected an integer"),
    "many keys": ({"maxProperties": 1}, {str(i): i for i in range(10_000)}, "at most 1 keys"),
    "endless schema": ({"$ref": "#/properties/a"}, 1, "refers to itself without end"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_values_are_refused_with_a_short_reason(case: str) -> None:
    schema, value, message = HOSTILE[case]

    said = reason(functions({"a": schema}, **{"$defs": {"value": RECURSIVE}}), {"a": value})

    assert message in said
    assert len(said) <= MAX_REASON_CHARACTERS


def test_the_deepest_allowed_value_is_checked_through_a_recursive_schema() -> None:
    offered = functions({"a": {"$ref": "#/$defs/value"}}, **{"$defs": {"value": RECURSIVE}})

    value = nested(MAX_DEPTH - 1)

    assert checked(offered, a=value) == FunctionCall("f", {"a": value})


def node(name: str) -> dict[str, Any]:
    """One of several kinds of node; what tells them apart stands behind what they hold."""
    properties = {
        "args": {"type": "array", "items": {"$ref": "#/$defs/node"}},
        "op": {"const": name},
    }
    return {"type": "object", "properties": properties, "required": ["op", "args"]}


LEAF = {"type": "object", "properties": {"size": INTEGER}, "required": ["size"]}
NODES = ["and", "or", "not"]
ONE_UNION = [*({"$ref": f"#/$defs/{name}"} for name in NODES), LEAF]
UNIONS: dict[str, dict[str, Any]] = {
    "anyOf": {"node": {"anyOf": ONE_UNION}},
    "oneOf": {"node": {"oneOf": ONE_UNION}},
    "a union inside a union": {
        "node": {"anyOf": [{"$ref": "#/$defs/group"}, *ONE_UNION[2:]]},
        "group": {"anyOf": ONE_UNION[:2]},
    },
}


def tree(depth: int, size: Any) -> Any:
    value: Any = {"size": size}
    for _ in range(depth):
        value = {"op": "not", "args": [value]}
    return value


def of_nodes(union: str) -> FunctionSet:
    definitions = {**UNIONS[union], **{name: node(name) for name in NODES}}
    return functions({"a": {"$ref": "#/$defs/node"}}, **{"$defs": definitions})


@pytest.mark.parametrize("union", UNIONS)
def test_a_deep_value_of_a_recursive_union_is_checked(union: str) -> None:
    assert isinstance(checked(of_nodes(union), a=tree(25, 1)), FunctionCall)


@pytest.mark.parametrize("union", UNIONS)
def test_a_deep_value_of_a_recursive_union_is_coerced(union: str) -> None:
    coerced = coerce_argument(tree(25, 1.0), "a", of_nodes(union).functions[0])

    assert json.dumps(coerced) == json.dumps(tree(25, 1))


@pytest.mark.parametrize("union", UNIONS)
def test_what_is_wrong_deep_in_a_recursive_union_is_named(union: str) -> None:
    said = reason(of_nodes(union), {"a": tree(25, "1")})

    assert said.endswith("got '1', expected an integer (write 1 without quotes).")


def test_an_unresolvable_reference_below_an_id_makes_the_call_invalid() -> None:
    offered = functions({"a": {"$id": "https://example.com/a", "$ref": "b"}})

    assert "schema lacks" in reason(offered, {"a": 1})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-9, 9).map(float) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abn"), inner),
    max_leaves=8,
)  # fmt: skip
kinds = st.sampled_from(
    ["string", "integer", "number", "boolean", "array", "object", "null", "any"]
)
schemas = st.recursive(
    st.builds(lambda kind: {"type": kind}, kinds),
    lambda inner: st.one_of(
        st.builds(lambda each: {"type": "array", "items": each}, inner),
        st.builds(lambda each: {"anyOf": each}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(
            lambda each, required: {"type": "object", "properties": each, "required": required},
            st.dictionaries(st.sampled_from("abn"), inner),
            st.lists(st.sampled_from("abn"), unique=True, max_size=2),
        ),
        st.builds(lambda each, default: {**each, "default": default}, inner, json_values),
    ),
    max_leaves=5,
)
parameters = st.dictionaries(st.sampled_from(["a", "b", "from"]), schemas, min_size=1)
arguments = st.dictionaries(st.sampled_from(["a", "b", "from", "from_", "x"]), json_values)


@given(parameters, arguments, st.booleans())
def test_a_valid_call_has_its_arguments_as_they_are_streamed(
    properties: dict[str, Any], given_arguments: dict[str, Any], is_open: bool
) -> None:
    offered = functions(properties, additionalProperties=is_open)
    function = offered.functions[0]

    result = validate_call(FunctionCall("f", given_arguments), offered)

    if isinstance(result, InvalidCall):
        assert 0 < len(result.reason) <= MAX_REASON_CHARACTERS
        return
    streamed = {}
    for name, value in offered.as_true(FunctionCall("f", given_arguments)).arguments.items():
        if (coerced := coerce_argument(value, name, function)) is not DROP:
            streamed[name] = coerced
    assert json.dumps(result.arguments) == json.dumps(streamed)


@given(parameters, arguments)
def test_a_validated_call_is_valid_and_stays_the_same(
    properties: dict[str, Any], given_arguments: dict[str, Any]
) -> None:
    offered = functions(properties)

    result = validate_call(FunctionCall("f", given_arguments), offered)

    if isinstance(result, FunctionCall):
        again = validate_call(result, offered)
        assert isinstance(again, FunctionCall)
        assert json.dumps(again.arguments) == json.dumps(result.arguments)


@given(schemas, st.text() | st.booleans() | st.integers())
def test_texts_booleans_and_integers_are_never_changed(schema: dict[str, Any], value: Any) -> None:
    function = functions({"a": schema}).functions[0]

    assert coerce_argument(value, "a", function) is value
