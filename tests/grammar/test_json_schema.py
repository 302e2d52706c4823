"""What values a schema's grammar accepts, and what it refuses to compile."""

import json
import sys
from typing import Any

import pytest

from langchain_gorilla.errors import InvalidFunctionError
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.grammar.call_grammar import compiled_function, compiled_schema, coverage
from langchain_gorilla.grammar.constraint import Vocabulary, WholeConstraint
from langchain_gorilla.grammar.json_schema import compile_value
from langchain_gorilla.grammar.lark import lark
from langchain_gorilla.grammar.merging import SchemaError
from langchain_gorilla.grammar.notation import JSON, PYTHON
from tests.grammar.samples import V2

NODE = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}},
    "required": ["value"],
}
COLOURS = {"propertyNames": {"$ref": "#/$defs/c"}, "$defs": {"c": {"enum": ["red", "blue"]}}}
RECORD = {
    "type": "object",
    "patternProperties": {"^x": {"type": "integer"}, "^y": False},
    "additionalProperties": False,
}
CODES = {"type": "object", "patternProperties": {"^[a-z]{2}$": {"type": "integer"}}}
INTEGERS = {"type": "array", "items": {"type": "integer"}}
EMPTY_OR_ANY = [{"type": "object", "additionalProperties": rest} for rest in (False, {})]
TUPLES = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "allOf": [
        {"items": [{"type": "integer"}]},
        {"items": [{"minimum": 3}, {"type": "string"}], "additionalItems": False},
    ],
}
BRANCH = {
    "$id": "Branch",
    "properties": {"value": {"type": "integer"}, "branches": {"items": {"$ref": "Branch"}}},
    "required": ["value"],
}
ADDRESSED = {
    "$id": "https://example.org/n.json",
    "$ref": "n.json#/$defs/n",
    "$defs": {"n": {"type": "integer"}},
}
CLOSED = {"properties": {"a": {"not": {}}, "b": {}}, "additionalProperties": {"not": {}}}


def accepts(vocabulary: Vocabulary, schema: Any, text: str, notation: Any = PYTHON) -> bool:
    grammar = compile_value(schema, notation).grammar
    constraint = WholeConstraint(vocabulary, vocabulary.matcher(lark(grammar)))
    tokens = vocabulary.encode(text)
    return constraint.try_consume(tokens) == len(tokens) and constraint.can_end


ACCEPTED = [
    ({"type": "string"}, "'it\\'s \"ok\"'", '"it\'s"', "'Grüße 😀'", "'a\\nb'", "''"),
    ({"type": "integer"}, "0", "-12", "123456789012345678901234"),
    ({"type": "number"}, "1", "-0.5", "1e10", "2.5E-3"),
    ({"type": "boolean"}, "True", "False"),
    ({"type": "null"}, "None"),
    ({"type": ["string", "null"], "pattern": ".^"}, "None"),
    ({"type": ["integer", "null"]}, "None", "3"),
    ({"type": "integer", "nullable": True}, "None", "3"),
    ({"enum": ["a", 1, 2.5, None, True]}, "'a'", '"a"', "1", "2.5", "None", "True"),
    ({"enum": ["it's"]}, "'it\\'s'", '"it\'s"'),
    ({"const": {"a": [1]}}, "{'a': [1]}"),
    ({"type": "integer", "minimum": -5, "maximum": 120}, "-5", "0", "99", "120"),
    ({"type": "integer", "exclusiveMinimum": 3}, "4", "1000"),
    ({"type": "integer", "multipleOf": 25, "minimum": 0}, "0", "25", "1075"),
    ({"enum": [19.99, 0.005], "multipleOf": 0.01}, "19.99"),
    ({"type": "integer", "multipleOf": 7, "minimum": 0, "maximum": 50}, "0", "49"),
    ({"type": "integer", "multipleOf": 0.01}, "7", "-12"),
    ({"type": "integer", "multipleOf": 2.5, "minimum": 0}, "0", "25"),
    ({"type": "number", "multipleOf": 0.01}, "19.99", "-0.05", "20", "20.00", "1999.9"),
    ({"type": "number", "multipleOf": 0.01, "exclusiveMinimum": 0}, "0.01", "0.1", "10"),
    ({"type": "number", "multipleOf": 1e-06, "minimum": -90, "maximum": 90}, "48.137154", "-90"),
    ({"type": "number", "multipleOf": 0.5, "minimum": 0, "maximum": 5}, "0", "4.5", "4.0", "5"),
    ({"type": "number", "multipleOf": 1.5, "minimum": 1, "maximum": 5}, "1.5", "3", "3.0", "4.5"),
    # No float is 0.1, and yet this is the largest that there is below 2.
    ({"type": "number", "multipleOf": 0.1, "exclusiveMaximum": 2, "minimum": 1.85}, "1.9"),
    ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "0", "0.999", "0.0"),
    ({"type": "number", "maximum": -1.5}, "-1.5", "-2", "-1.50001"),
    ({"type": "string", "minLength": 2, "maxLength": 3}, "'ab'", "'a\\''", '"äöü"'),
    ({"type": "string", "pattern": "^[A-Z]{2}-\\d+$"}, "'AB-12'", '"AB-1"'),
    ({"type": "string", "pattern": "b"}, "'abc'", "'b'"),
    ({"type": "string", "pattern": "^it's\\\\$"}, "'it\\'s\\\\'", '"it\'s\\\\"'),
    ({"type": "string", "pattern": "^a+$", "maxLength": 3}, "'aaa'"),
    ({"type": "string", "pattern": "^(a|b)$|^c"}, "'a'", "'cd'"),
    ({"type": "string", "format": "date"}, "'2024-02-29'", "'1999-12-31'"),
    ({"type": "string", "format": "date-time"}, "'2024-02-29T10:00:00Z'", "'2024-02-29T10:00:00'"),
    ({"type": "string", "format": "time"}, "'10:00:00+02:00'", "'10:00:00'", "'23:59:59.5'"),
    ({"type": "string", "format": "uuid"}, "'123e4567-e89b-12d3-a456-426614174000'"),
    ({"type": "string", "format": "email"}, "'ann.lee@example.org'", "'ann@localhost'"),
    ({"type": "string", "format": "email"}, "'a.o\\'hara@example.org'"),
    ({"type": "string", "format": "ipv4"}, "'192.168.0.255'"),
    ({"type": "string", "format": "duration"}, "'PT1H30M'", "'P1DT2H'", "'P1Y2M3DT4S'", "'P2W'"),
    ({"format": "LocalDate"}, "'2024-01-05'", "20240105", "{'year': 2024}"),
    ({"anyOf": [{"not": {}}, {"type": "string"}]}, "'a'"),
    (CLOSED, "{}", "{'b': 1}"),
    ({"type": "array", "items": {"not": {}}}, "[]"),
    ({"type": "array"}, "[]", "[1, 'a', [None]]"),
    ({"type": "array", "items": {"type": "integer"}}, "[]", "[1, 2]"),
    ({"type": "array", "minItems": 1, "maxItems": 2}, "[1]", "[1, 2]"),
    ({"prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False}, "[1]", "[]"),
    ({"prefixItems": [{"type": "integer"}], "minItems": 2}, "[1, 'x']", "[1, 2, 3]"),
    ({"allOf": [{"prefixItems": [{"type": "integer"}]}, {"items": {"type": "string"}}]}, "[]"),
    ({"allOf": [{"prefixItems": [{"type": "integer"}]}, {"items": {"minimum": 3}}]}, "[3, 4]"),
    ({"type": "object"}, "{}", "{'a': {'b': 1}}"),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, "{'a': 1, 'b': 2}"),
    (
        {"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["b"]},
        "{'b': 'x'}",
        "{'b': 'x', 'a': 1}",
        "{'a': 1, \"b\": 'x'}",
    ),
    (
        {"properties": {"a": {"type": "integer"}}, "additionalProperties": {"type": "string"}},
        "{'x': 'y', 'a': 1, 'z': ''}",
    ),
    ({"anyOf": [{"type": "integer"}, {"type": "string", "enum": ["a"]}]}, "1", "'a'"),
    ({"anyOf": [{"const": ["all"]}, {"type": "array"}]}, "['all']", "['allow', 1]", "['b']"),
    ({"anyOf": [{"const": {"a": 1}}, {"type": "object"}]}, "{'a': 1}", "{'a': 12}", "{'b': 1}"),
    ({"anyOf": [{"prefixItems": [{"const": 1}], "minItems": 1}, {"type": "array"}]}, "[12]"),
    # Each value and bracket fits the second option, some the first as well.
    ({"anyOf": [{"type": "array", "items": each} for each in (INTEGERS, {})]}, "[[], ['x']]"),
    ({"anyOf": [{"type": "array", "items": each} for each in EMPTY_OR_ANY]}, "[{}, {'a': 1}]"),
    ({"anyOf": [{"additionalProperties": each} for each in (INTEGERS, {})]}, "{'a': ['x']}"),
    (
        {"anyOf": [{"additionalProperties": each} for each in ({"type": "null"}, {})]},
        "{'a': None, 'b': 1}",
    ),
    ({"anyOf": [{"minimum": 3}, {"maximum": -3}], "type": "integer"}, "5", "-7"),
    # What the second says of a is not said of the first's.
    ({"anyOf": [{"type": "object"}, {"properties": {"a": {"type": "integer"}}}]}, "{'a': 'x'}"),
    ({"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 5}]}, "3", "5"),
    ({"$ref": "#/$defs/node", "$defs": {"node": NODE}}, "{'value': 1, 'next': {'value': 2}}"),
    ({"$ref": "#/$defs/n", "minimum": 5, "$defs": {"n": {"type": "integer"}}}, "5"),
    ({"allOf": [{"$ref": "#/$defs/n"}], "nullable": True, "$defs": {"n": {}}}, "None"),
    ({"$ref": "#/$defs/Page%3CUser%3E", "$defs": {"Page<User>": {"type": "integer"}}}, "5"),
    ({"$ref": "#/$defs/Foo%20Bar", "$defs": {"Foo Bar": {"type": "integer"}}}, "5"),
    ({"$ref": "#/$defs/a~1b%25", "$defs": {"a/b%": {"type": "integer"}}}, "5"),
    ({"$ref": "#n", "$defs": {"n": {"$anchor": "n", "type": "integer"}}}, "5"),
    (ADDRESSED, "5"),
    ({"properties": {"b": BRANCH}}, "{'b': {'value': 1, 'branches': [{'value': 2}]}}"),
    (TUPLES, "[3, 'a']"),
    ({"type": "number", "minimum": 0, "maximum": 1e16}, "0.5", "1000000000000001"),
    (RECORD, "{}", "{'x': 1}", "{'x': 1, 'x2': 2}"),
    # dict[constr(pattern=…), int] of Pydantic.
    (CODES, "{}", "{'de': 1}", "{'de': 1, 'fr': 2}"),
    ({**CODES, "properties": {"n1": {}}, "required": ["n1"]}, "{'n1': 'x'}", "{'de': 1, 'n1': 2}"),
    ({**CODES, "propertyNames": {"pattern": "e"}}, "{'de': 1}"),
    ({"patternProperties": {"^a": {"type": "null"}, "^b": {"const": 1}}}, "{'a': None, 'b': 1}"),
    # What a declared name would match as well, only validation tells apart.
    ({**CODES, "properties": {"de": {"type": "integer"}}}, "{'de': 1, 'fr': 2}"),
    ({**CODES, "additionalProperties": {"type": "null"}}, "{'x1': None}"),
    ({"type": "object", **COLOURS}, "{}", "{'red': 1, 'blue': []}"),
    ({**RECORD, "required": ["x"]}, "{'x': 1}"),
    ({"patternProperties": {"^_": False}}, "{'x': 1}"),
    ({"allOf": [RECORD, {"properties": {"x": {}}, "required": ["x"]}]}, "{'x': 1}"),
    ({"enum": ["ä"], "pattern": "^\\p{L}$"}, "'ä'"),
    ({}, "{'a': [1, 2.5, 'x', None, True]}"),
    (True, "1"),
]


@pytest.mark.parametrize(
    ("schema", "text"), [(schema, text) for schema, *texts in ACCEPTED for text in texts]
)
def test_a_value_that_fits_is_accepted(vocabulary: Vocabulary, schema: Any, text: str) -> None:
    assert accepts(vocabulary, schema, text)


REFUSED = [
    ({"type": "string"}, "'a", "a", "'a\nb'", "'\\q'"),
    ({"type": "integer"}, "1.0", "01", "+1", "'1'", "-0"),
    ({"type": "boolean"}, "true", "None"),
    ({"type": ["string", "null"], "pattern": ".^"}, "'a'", "''"),
    ({"enum": ["a"]}, "'b'", "'aa'"),
    ({"enum": [1, 2, 3, 4], "multipleOf": 2}, "3"),
    ({"enum": [19.99, 0.005], "multipleOf": 0.01}, "0.005"),
    ({"enum": [[1], [1, 2, 3]], "maxItems": 2}, "[1, 2, 3]", "[]", "[1, 2]"),
    ({"const": {"a": 1, "b": [2]}}, "{'a': 1}", "{'a': 1, 'b': [2], 'c': 3}", "{'a': 1, 'b': []}"),
    ({"enum": [{"a": 1}, {"b": 1}], "required": ["a"]}, "{'b': 1}"),
    (RECORD, "{'x': 'a'}"),
    (CODES, "{'DE': 1}", "{'': 1}", "{'de': 'x'}", "{'de': 1, 'x1': 2}"),
    ({**CODES, "propertyNames": {"pattern": "e"}}, "{'fr': 1}"),
    (
        {"patternProperties": {"^a": {"type": "null"}, "^b": {"const": 1}}},
        "{'b': None}",
        "{'c': 1}",
    ),
    ({"type": "object", **COLOURS}, "{'green': 1}", "{'': 1}"),
    ({"patternProperties": {"^(.*)$": {"type": "integer"}}}, "{'x': 'a'}"),
    (TUPLES, "[2]", "[3, 4]", "[3, 'a', 5]"),
    # As floats these are the bound.
    ({"type": "number", "exclusiveMaximum": 2**53}, "9007199254740991.9"),
    ({"type": "number", "exclusiveMinimum": 1e16}, "10000000000000000.1"),
    ({"type": "integer", "minimum": -5, "maximum": 120}, "-6", "121", "1200"),
    ({"type": "integer", "exclusiveMinimum": 3}, "3", "-9"),
    ({"type": "integer", "multipleOf": 25}, "26", "5"),
    ({"type": "integer", "multipleOf": 2.5}, "2", "2.5", "12"),
    ({"type": "number", "multipleOf": 0.01}, "19.999", "0.001", "1e-3", "0.010"),
    ({"type": "number", "multipleOf": 0.01, "exclusiveMinimum": 0}, "0", "0.00", "0.005", "-1"),
    ({"type": "number", "multipleOf": 0.5, "minimum": 0, "maximum": 5}, "0.2", "5.5", "-0.5"),
    ({"type": "number", "multipleOf": 0.25, "minimum": 0.3}, "0.25", "0.75001", "0.3"),
    ({"type": "number", "multipleOf": 0.1, "exclusiveMaximum": 2, "minimum": 1.85}, "2", "1.85"),
    ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "1", "1.0", "-0.1", "1e5"),
    ({"type": "string", "minLength": 2, "maxLength": 3}, "'a'", "'abcd'"),
    ({"type": "string", "pattern": "^[A-Z]{2}-\\d+$"}, "'ab-12'", "'AB-12 '"),
    ({"type": "string", "pattern": "^a+$", "maxLength": 3}, "'aaaa'"),
    ({"type": "string", "format": "date"}, "'2023-02-29'", "'2023-13-01'", "'today'"),
    ({"type": "string", "format": "ipv4"}, "'256.1.1.1'"),
    ({"type": "string", "format": "duration"}, "'P'", "'PT'", "'P1DT'", "'P1WT1H'", "'PT1S1M'"),
    ({"format": "date"}, "5", "'today'"),
    ({"anyOf": [{"not": {}}, {"type": "string"}]}, "5"),
    (CLOSED, "{'a': 1}", "{'c': 1}"),
    ({"type": "array", "items": {"not": {}}}, "[1]"),
    ({"type": "array", "minItems": 1, "maxItems": 2}, "[]", "[1, 2, 3]"),
    ({"prefixItems": [{"type": "integer"}], "items": False}, "['a']", "[1, 2]"),
    (
        {"allOf": [{"prefixItems": [{"type": "integer"}]}, {"items": {"type": "string"}}]},
        "[1]",
        "['a']",
    ),
    ({"allOf": [{"prefixItems": [{"type": "integer"}]}, {"items": {"minimum": 3}}]}, "[2]"),
    ({"properties": {"a": {"type": "integer"}}, "required": ["a"]}, "{}", "{'a': 1, 'a': 2}"),
    ({"properties": {"a": {"type": "integer"}}}, "{'b': 1}"),
    (
        {"properties": {"a": {"type": "integer"}}, "additionalProperties": True},
        "{'a': 'x'}",
        '{"a": "x"}',
    ),
    ({"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 5}]}, "2", "6"),
    ({"$ref": "#/$defs/node", "$defs": {"node": NODE}}, "{'next': {'value': 2}}"),
]


@pytest.mark.parametrize(
    ("schema", "text"), [(schema, text) for schema, *texts in REFUSED for text in texts]
)
def test_a_value_that_does_not_fit_is_refused(
    vocabulary: Vocabulary, schema: Any, text: str
) -> None:
    assert not accepts(vocabulary, schema, text)


@pytest.mark.parametrize(
    "value", [None, True, 3, -2.5, 'it\'s "x"\n\\ \x01', [1, ["a"]], {"a": {"b'": None}}]
)
def test_json_notation_is_what_json_dumps_writes(vocabulary: Vocabulary, value: Any) -> None:
    assert accepts(vocabulary, {"const": value}, json.dumps(value), JSON)


TO_ITSELF = [
    {"description": "The next.", "allOf": [{"$ref": "#/$defs/node"}]},
    {"allOf": [{"$ref": "#/$defs/node"}], "nullable": True},
    {"$ref": "#/$defs/node", "type": "object"},
    {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}], "type": ["object", "null"]},
]


@pytest.mark.parametrize("following", TO_ITSELF)
def test_a_schema_may_contain_itself_in_other_words(vocabulary: Vocabulary, following: Any) -> None:
    node = {**NODE, "properties": {"value": {"type": "integer"}, "next": following}}
    schema = {"$ref": "#/$defs/node", "$defs": {"node": node}}
    assert accepts(vocabulary, schema, "{'value': 1, 'next': {'value': 2, 'next': {'value': 3}}}")
    assert not accepts(vocabulary, schema, "{'value': 1, 'next': {'next': {'value': 3}}}")


def test_a_schema_and_its_base_may_contain_themselves(vocabulary: Vocabulary) -> None:
    base = {"properties": {"next": {"$ref": "#/$defs/base"}, "value": {"type": "integer"}}}
    own = {"properties": {"next": {"$ref": "#/$defs/node"}}, "required": ["value"]}
    node = {"allOf": [{"$ref": "#/$defs/base"}, own]}
    schema = {"$ref": "#/$defs/node", "$defs": {"base": base, "node": node}}
    assert accepts(vocabulary, schema, "{'value': 1, 'next': {'value': 2, 'next': {'value': 3}}}")
    assert not accepts(vocabulary, schema, "{'value': 1, 'next': {'next': {'value': 3}}}")


def test_an_option_may_refer_to_another_that_no_value_fits(vocabulary: Vocabulary) -> None:
    wrong = {
        "properties": {"b": {"$ref": "#/$defs/b"}, "x": {"enum": ["a"], "minLength": 5}},
        "required": ["x"],
    }
    other = {"properties": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]}}}
    options = [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}]
    schema = {"anyOf": options, "$defs": {"a": wrong, "b": other}}
    assert accepts(vocabulary, schema, "{'a': None}")
    assert not accepts(vocabulary, schema, "{'a': {'x': 'a'}}")


def test_a_schema_that_is_nested_too_deeply_is_an_error_that_says_so() -> None:
    schema: dict[str, Any] = {}
    for _ in range(sys.getrecursionlimit()):
        schema = {"type": "array", "items": schema}
    with pytest.raises(SchemaError, match=r"nested too deeply.*under '\$defs'"):
        compile_value(schema, PYTHON)


def test_an_optional_property_may_be_its_null_default(vocabulary: Vocabulary) -> None:
    schema = {"properties": {"a": {"type": "string", "default": None}}}
    assert accepts(vocabulary, schema, "{'a': None}")


def test_a_required_property_may_not_be_its_null_default(vocabulary: Vocabulary) -> None:
    schema = {"properties": {"a": {"type": "string", "default": None}}, "required": ["a"]}
    assert not accepts(vocabulary, schema, "{'a': None}")


DEFAULTS_OUTSIDE = [
    ({"enum": ["s", "ms"], "default": "N/A"}, "'N/A'"),
    ({"anyOf": [{"type": "integer"}, {"const": "x"}], "default": "N/A"}, "'N/A'"),
    ({"const": "x", "default": "N/A"}, "'N/A'"),
    ({"type": "integer", "minimum": 1, "default": 0}, "0"),
    ({"type": "array", "minItems": 1, "default": []}, "[]"),
]


@pytest.mark.parametrize(("schema", "text"), DEFAULTS_OUTSIDE)
def test_a_default_outside_of_its_schema_is_accepted_and_named(
    vocabulary: Vocabulary, schema: Any, text: str
) -> None:
    whole = {"properties": {"a": schema}}
    assert accepts(vocabulary, whole, f"{{'a': {text}}}")
    assert [gap.keyword for gap in compile_value(whole, PYTHON).gaps] == ["default"]


CONTRADICTIONS = [
    ({"type": "integer", "enum": ["1", "2"]}, "no value of enum"),
    ({"type": "integer", "minimum": 5, "maximum": 3}, "minimum 5 and maximum 3"),
    ({"type": "number", "minimum": 1, "exclusiveMaximum": 1}, "no number lies between"),
    ({"type": "integer", "multipleOf": 7, "minimum": 1, "maximum": 6}, "no number fits"),
    ({"type": "number", "multipleOf": 0.1, "minimum": 0.01, "maximum": 0.09}, "no number fits"),
    ({"type": "number", "multipleOf": 0.5, "minimum": 0.1, "maximum": 0.4}, "no number fits"),
    ({"type": "number", "multipleOf": float("inf")}, "multipleOf inf is not above 0"),
    ({"type": "string", "pattern": ".^"}, "no text matches"),
    ({"allOf": [{"type": "string", "pattern": p} for p in ("^a", "^b")]}, "no text fits pattern"),
    ({"type": "string", "pattern": "^..$", "minLength": 3}, "'\\^..\\$', minLength 3 at once"),
    ({"type": "string", "minLength": 3, "maxLength": 1}, "minLength 3 against maxLength 1"),
    ({"type": "array", "minItems": 3, "maxItems": 1}, "minItems 3 against maxItems 1"),
    *(
        ({"type": "string", "pattern": broken}, "does not compile as a regular expression")
        for broken in ("[a-", "(", "a)", "[z-a]", "a**")
    ),
    ({"$ref": "#/$defs/gone"}, "leads to nothing"),
    ({"$ref": "https://example.org/x.json"}, "leads outside"),
    ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "circle"),
    ({"type": "object", "required": ["x"], "additionalProperties": False}, "required and forb"),
    ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "against type 'string'"),
    ({"const": 1, "enum": [2]}, "const 1 is not in enum"),
    ({"anyOf": []}, "not a list of schemas"),
    ({"type": "strnig"}, "'strnig' is not a JSON Schema type"),
    ({"anyOf": [False, False]}, "no value is allowed"),
    ({"anyOf": [{"type": "string"}, {"$ref": "#/$defs/gone"}]}, "leads to nothing"),
    ("string", "is not a JSON schema"),
    (
        {
            "$ref": "#/$defs/n",
            "$defs": {"n": {"properties": {"n": {"$ref": "#/$defs/n"}}, "required": ["n"]}},
        },
        "contain itself",
    ),
]


def test_a_forbidden_parameter_is_no_parameter(vocabulary: Vocabulary) -> None:
    schema = {"properties": {"a": False, "b": {"type": "integer"}}}
    assert accepts(vocabulary, schema, "{'b': 1}")
    assert not accepts(vocabulary, schema, "{'a': 1}")


@pytest.mark.parametrize(("schema", "message"), CONTRADICTIONS)
def test_a_contradiction_is_an_error_that_names_tool_and_place(schema: Any, message: str) -> None:
    definitions = schema.get("$defs", {}) if isinstance(schema, dict) else {}
    parameters = {"type": "object", "properties": {"x": schema}, "$defs": definitions}
    with pytest.raises(InvalidFunctionError, match=message) as caught:
        coverage([FunctionSchema("broken", "", parameters)], V2)
    assert "'broken'" in str(caught.value)


def test_the_final_schema_is_checked_too() -> None:
    with pytest.raises(InvalidFunctionError, match="structured output"):
        compiled_schema({"type": "integer", "minimum": 2, "maximum": 1})


GAPS = [
    ({"type": "string", "format": "date-time", "pattern": "^[0-9]{4}-[0-9]{2}$"}, "format"),
    ({"type": "string", "pattern": "^(?=a)b"}, "pattern"),
    ({"type": "string", "pattern": "^\\p{L}+$"}, "pattern"),
    ({"type": "string", "pattern": "^[[:alnum:]_-]+$"}, "pattern"),
    ({"type": "string", "pattern": r"^[\w-\.]+@([\w-]+\.)+[\w-]{2,4}$"}, "pattern"),
    ({"type": "string", "pattern": "(?<!a*)b"}, "pattern"),
    ({"type": "string", "pattern": r"^\h+$"}, "pattern"),
    ({"type": "string", "pattern": "^(?i)abc$"}, "pattern"),
    ({"type": "string", "pattern": "^[^]*$"}, "pattern"),
    (RECORD, "patternProperties"),
    ({**CODES, "properties": {"de": {"type": "integer"}}}, "patternProperties"),
    ({**CODES, "additionalProperties": True}, "patternProperties"),
    ({"patternProperties": {"^a": {}, "b": {}}}, "patternProperties"),
    ({"type": "string", "format": "urn"}, "format"),
    ({"type": "array", "uniqueItems": True}, "uniqueItems"),
    ({"type": "object", "maxProperties": 3}, "maxProperties"),
    ({"properties": {"a": {}}, "propertyNames": {"pattern": "^a"}}, "propertyNames"),
    ({"type": "number", "multipleOf": 0.3}, "multipleOf"),
    ({"type": "integer", "multipleOf": 77}, "multipleOf"),
    ({"type": "number", "maximum": 1.1e-125}, "maximum"),
    ({"type": "number", "exclusiveMinimum": -1e200}, "exclusiveMinimum"),
    ({"type": "integer", "not": {"const": 3}}, "not"),
    ({"$recursiveRef": "#"}, "$recursiveRef"),
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "oneOf"),
    ({"oneOf": [{"type": "string"}, {"properties": {"a": {}}, "required": ["a"]}]}, "oneOf"),
    ({"oneOf": [{"minimum": 5}, {"type": "string"}]}, "oneOf"),
    ({"oneOf": [{"properties": {"a": a}, "required": ["a"]} for a in (True, {})]}, "oneOf"),
    ({"oneOf": [{"minimum": 5}, {"enum": ["a"]}]}, "oneOf"),
    # Without its impossible b, an object fits the second as well.
    (
        {
            "oneOf": [
                {"properties": {"a": {}}},
                {"properties": {"b": {"enum": [""], "minLength": 1}}},
            ]
        },
        "oneOf",
    ),
    ({"oneOf": [{"type": "object", "required": [name]} for name in "ab"]}, "oneOf"),
    ({"oneOf": [{"properties": {name: {}}, "required": ["a", "b"]} for name in "xy"]}, "oneOf"),
    (
        {
            "oneOf": [
                {"properties": {name: {}}, "required": [name], "additionalProperties": {}}
                for name in "ab"
            ]
        },
        "oneOf",
    ),
]


@pytest.mark.parametrize(("schema", "keyword"), GAPS)
def test_what_cannot_be_compiled_is_named_with_its_path(schema: Any, keyword: str) -> None:
    function = FunctionSchema("f", "", {"type": "object", "properties": {"x": schema}})
    (found,) = coverage([function], V2)
    assert [(gap.path, gap.keyword) for gap in found.gaps] == [("/properties/x", keyword)]


@pytest.mark.parametrize(
    "options",
    [
        [{"type": "integer"}, {"type": "string"}],
        [{"enum": ["a"]}, {"enum": ["b"]}],
        [
            {"properties": {"kind": {"const": kind}}, "required": ["kind"], "type": "object"}
            for kind in "ab"
        ],
        [{"properties": {name: {}}, "required": [name]} for name in "ab"],
    ],
)
def test_options_that_lie_apart_leave_no_gap(options: list[Any]) -> None:
    assert compile_value({"oneOf": options}, PYTHON).gaps == ()


def test_many_unions_that_hold_at_once_are_left_before_they_multiply(
    vocabulary: Vocabulary,
) -> None:
    unions = [{"anyOf": [{"required": [f"a{n}"]}, {"required": [f"b{n}"]}]} for n in range(8)]
    schema = {"type": "object", "allOf": unions}
    assert {gap.keyword for gap in compile_value(schema, JSON).gaps} == {"anyOf"}
    text = ", ".join(f'"a{n}": 1' for n in range(8))
    assert accepts(vocabulary, schema, f"{{{text}}}", JSON)


def test_arguments_have_no_option_that_is_never() -> None:
    parameters = {"type": "object", "properties": {"a": {}}, "anyOf": [False, {"required": ["a"]}]}
    assert coverage([FunctionSchema("f", "", parameters)], V2)[0].gaps == ()


def test_an_enum_of_whole_calls_is_named() -> None:
    parameters = {"type": "object", "properties": {"a": {}}, "enum": [{"a": 1}]}
    (found,) = coverage([FunctionSchema("f", "", parameters)], V2)
    assert [(gap.path, gap.keyword) for gap in found.gaps] == [("", "enum")]


def test_equal_functions_are_compiled_once() -> None:
    from langchain_gorilla.grammar.notation import notation_of

    one, other = (FunctionSchema("f", "", {"type": "object"}) for _ in range(2))
    assert compiled_function(one, notation_of(V2)) is compiled_function(other, notation_of(V2))


@pytest.mark.parametrize(
    "schema", [CODES, {"patternProperties": {"^(.*)$": {}}}, {**CODES, "properties": {"n1": {}}}]
)
def test_the_only_pattern_of_names_is_enforced(schema: Any) -> None:
    assert compile_value(schema, PYTHON).gaps == ()
