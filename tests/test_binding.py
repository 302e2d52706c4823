import pytest

from langchain_gorilla.binding import (
    ResponseFormat,
    ToolChoice,
    read_demand,
    read_response_format,
    read_tool_choice,
)
from langchain_gorilla.errors import UnknownToolError, UnsupportedOptionError
from langchain_gorilla.functions import FunctionSchema, FunctionSet

EMPTY = {"type": "object", "properties": {}}
TOOLS = FunctionSet([FunctionSchema("get-weather", "", EMPTY), FunctionSchema("send", "", EMPTY)])


@pytest.mark.parametrize(
    ("value", "choice"),
    [
        (None, ToolChoice("auto")),
        (False, ToolChoice("auto")),
        ("auto", ToolChoice("auto")),
        ({"type": "auto"}, ToolChoice("auto")),
        (True, ToolChoice("any")),
        ("any", ToolChoice("any")),
        ("required", ToolChoice("any")),
        ({"type": "any"}, ToolChoice("any")),
        ("none", ToolChoice("none")),
        ("send", ToolChoice("named", "send")),
        ({"type": "function", "function": {"name": "send"}}, ToolChoice("named", "send")),
        ({"type": "tool", "name": "send"}, ToolChoice("named", "send")),
        ({"name": "send"}, ToolChoice("named", "send")),
        ("get_weather", ToolChoice("named", "get-weather")),
    ],
)
def test_every_spelling_of_a_tool_choice_is_understood(value, choice):
    assert read_tool_choice(value, TOOLS) == choice


def test_a_dict_names_a_tool_even_where_its_name_is_a_word():
    tools = FunctionSet([FunctionSchema("any", "", EMPTY)])
    named = {"type": "function", "function": {"name": "any"}}
    assert read_tool_choice(named, tools) == ToolChoice("named", "any")
    assert read_tool_choice("any", tools) == ToolChoice("any")


@pytest.mark.parametrize(
    ("options", "parallel"),
    [
        ({}, True),
        ({"parallel_tool_calls": False}, False),
        ({"tool_choice": {"type": "any", "disable_parallel_tool_use": True}}, False),
        ({"tool_choice": {"type": "any", "disable_parallel_tool_use": False}}, True),
    ],
)
def test_a_single_call_is_demanded_as_openai_and_as_anthropic_do(options, parallel):
    assert read_demand(options, TOOLS).parallel is parallel


def test_an_unknown_tool_is_an_error_that_lists_near_names():
    with pytest.raises(UnknownToolError, match=r"'get_wether' is none of the 2.*get-weather"):
        read_tool_choice("get_wether", TOOLS)


@pytest.mark.parametrize("value", ["any", "required", True])
def test_a_demanded_call_without_tools_is_an_error(value):
    with pytest.raises(UnknownToolError, match="no tool is bound"):
        read_tool_choice(value, FunctionSet([]))


@pytest.mark.parametrize(
    "value", [{}, {"type": "allowed_tools"}, {"function": {}}, 5, ["send"], TOOLS.functions[1]]
)
def test_a_choice_of_another_kind_is_an_error(value):
    with pytest.raises(UnsupportedOptionError, match="is not understood"):
        read_tool_choice(value, TOOLS)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, ResponseFormat()),
        ({"type": "json_object", "schema": {"type": "array"}}, ResponseFormat({"type": "array"})),
        (
            {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
            ResponseFormat({"type": "object"}),
        ),
        (
            {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": True},
            ResponseFormat({"type": "object"}, strict=True),
        ),
    ],
)
def test_response_formats_of_openai_are_understood(value, wanted):
    assert read_response_format(value) == wanted


@pytest.mark.parametrize(
    "value",
    [{"type": "xml"}, {}, {"type": "json_schema"}, {"type": "json_schema", "json_schema": {}}],
)
def test_another_response_format_is_an_error(value):
    with pytest.raises(UnsupportedOptionError, match="response_format="):
        read_response_format(value)
