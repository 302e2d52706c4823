"""What a parameter takes: by its schema, else by its words."""

import re
from random import Random
from typing import Any

import pytest

from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.training.documents import draw_value
from langchain_gorilla.training.values import Values
from langchain_gorilla.tuning.kinds import slots_of


def _function(required: tuple[str, ...] = (), **properties: Any) -> FunctionSchema:
    modes = {"mode": {"enum": ["fast", "slow"]}}
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "$defs": modes,
    }
    return FunctionSchema("f", "", schema)


def _kind(name: str, schema: dict[str, Any]) -> str:
    slots = slots_of(Values(Random(1)), _function(**{name: schema}))
    assert not isinstance(slots, str)
    return slots[0].parameter.kind if slots else "none"


@pytest.mark.parametrize(
    ("name", "schema", "kind"),
    [
        ("city", {"type": "string"}, "CITY"),
        ("town", {"type": "string", "description": "The city"}, "CITY"),
        ("source", {"type": "string", "description": "ISO code of the currency"}, "CUR"),
        ("recipient", {"type": "string", "description": "E-mail address"}, "EMAIL"),
        ("departureDate", {"type": "string"}, "DATE"),
        ("x", {"type": "string", "format": "email"}, "EMAIL"),
        ("x", {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}, "DATE"),
        ("qqq", {"type": ["integer", "null"]}, "INT"),
        ("qqq", {"type": "string"}, "PHRASE"),
        ("mode", {"enum": ["fast", "slow"]}, "{fast|slow}"),
        ("level", {"type": "integer", "enum": [1, 2]}, "{1|2}"),
        ("mode", {"const": "fast"}, "{fast}"),
        ("cities", {"type": "array", "items": {"type": "string"}}, "LIST(CITY)"),
        ("on", {"type": "boolean"}, "BOOL"),
        ("cities", {"type": "array", "items": {"type": ["string", "null"]}}, "LIST(CITY)"),
        ("x", {"$ref": "#/$defs/mode"}, "{fast|slow}"),
        ("x", {"anyOf": [{"$ref": "#/$defs/mode"}, {"type": "null"}]}, "{fast|slow}"),
        (
            "x",
            {"type": "object", "properties": {"city": {"type": ["string", "null"]}}},
            "OBJ(city:CITY)",
        ),
        ("x", {"type": "object", "properties": {"og:title": {"type": "string"}}}, "none"),
        ("x", {"type": "array", "items": {"type": "integer", "enum": [1, 2]}}, "none"),
        ("x", {"type": "array", "items": {"type": "object"}}, "none"),
        ("x", {"type": "array"}, "none"),
        ("x", {}, "none"),
        ("x", {"type": "number", "enum": [0.5, 1.5]}, "none"),
    ],
)
def test_a_kind_is_found_by_schema_name_and_description(
    name: str, schema: dict[str, Any], kind: str
) -> None:
    assert _kind(name, schema) == kind


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 3, "maximum": 5},
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "string", "examples": ["AB-1", "CD-2"]},
        {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
        {
            "type": "object",
            "properties": {"city": {"type": "string"}, "age": {"type": "integer"}},
            "required": ["city", "age"],
        },
    ],
)
def test_what_is_drawn_fits_the_schema(schema: dict[str, Any]) -> None:
    from jsonschema import validate

    values = Values(Random(2))
    slots = slots_of(values, _function(x=schema))
    assert not isinstance(slots, str)
    for _ in range(50):
        value = draw_value(values, slots[0])
        validate(value, schema)
        if "examples" in schema:
            assert value in schema["examples"]


def _drawn(function: FunctionSchema, name: str) -> list[Any]:
    values = Values(Random(2))
    slots = slots_of(values, function)
    assert not isinstance(slots, str)
    (slot,) = (one for one in slots if one.name == name)
    return [draw_value(values, slot) for _ in range(50)]


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ({"type": "string", "format": "date-time"}, r"\d{4}-\d\d-\d\dT\d\d:\d\d:00Z"),
        ({"type": "string", "format": "time"}, r"\d\d:\d\d"),
        ({"type": "string", "format": "uuid"}, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ],
)
def test_a_text_of_a_format_is_drawn_in_it(schema: dict[str, Any], pattern: str) -> None:
    drawn = _drawn(_function(x=schema), "x")
    assert all(re.fullmatch(pattern, one) for one in drawn)


def test_numbers_between_small_bounds_are_no_zeros() -> None:
    drawn = _drawn(_function(x={"type": "number", "minimum": 0, "maximum": 0.001}), "x")
    assert all(0 < one <= 0.001 for one in drawn)


def test_values_of_a_field_or_item_are_not_those_of_a_parameter_of_the_same_name() -> None:
    one, two = ({"type": "string", "examples": list(few)} for few in ("ab", "cd"))
    function = _function(
        name=one,
        names={"type": "array", "items": two},
        owner={"type": "object", "properties": {"name": two}},
    )
    assert {*_drawn(function, "name")} == {"a", "b"}


def test_the_form_of_a_date_and_a_time_is_read_from_the_description() -> None:
    slots = slots_of(
        Values(Random(1)),
        _function(
            day={"type": "string", "description": "Day, as YYYY-MM-DD"},
            start_time={"type": "string", "description": "Time of day (HH:MM)"},
            date={"type": "string", "description": "The date"},
        ),
    )
    assert not isinstance(slots, str)
    assert [one.form for one in slots] == ["iso", "clock", ""]


def test_a_required_parameter_that_no_question_speaks_of_is_named() -> None:
    given = {"type": "array", "items": {"type": "object"}}
    found = slots_of(Values(Random(1)), _function(("rows",), rows=given, city={"type": "string"}))
    assert isinstance(found, str)
    assert "'rows' (array of object)" in found
    optional = slots_of(Values(Random(1)), _function((), rows=given, city={"type": "string"}))
    assert [one.name for one in optional if not isinstance(one, str)] == ["city"]


@pytest.mark.parametrize(
    ("schema", "shown"),
    [
        ({"type": "array", "items": True}, "(array)"),
        ({"type": "array", "items": {}}, "(array)"),
        ({"type": ["array", "null"]}, "(['array', 'null'])"),
        ({}, "(of no type)"),
    ],
)
def test_whatever_a_required_parameter_takes_is_named(schema: dict[str, Any], shown: str) -> None:
    found = slots_of(Values(Random(1)), _function(("x",), x=schema))
    assert isinstance(found, str)
    assert shown in found
