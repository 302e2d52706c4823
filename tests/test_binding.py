import pytest

from langchain_gorilla.binding import (
    ResponseFormat,
    ToolChoice,
    read_allowed_tools,
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


SEND = {"type": "function", "function": {"name": "send"}}
FLAT_SEND = {"type": "function", "name": "send"}


@pytest.mark.parametrize(
    ("value", "mode", "names"),
    [
        ({"allowed_tools": {"mode": "auto", "tools": [SEND]}}, "auto", ["send"]),
        ({"allowed_tools": {"mode": "required", "tools": [SEND, SEND]}}, "required", ["send"]),
        ({"mode": "required", "tools": [FLAT_SEND]}, "required", ["send"]),
        ({"mode": "auto", "tools": [{"name": "get_weather"}]}, "auto", ["get-weather"]),
    ],
)
def test_some_of_the_tools_are_allowed_as_openai_says_it(value, mode, names):
    read, allowed = read_allowed_tools({"type": "allowed_tools", **value}, TOOLS)
    assert (read, [each.name for each in allowed]) == (mode, names)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"allowed_tools": [SEND]},
        {"allowed_tools": {"tools": [SEND]}},
        {"mode": "auto", "tools": []},
        {"mode": "none", "tools": [SEND]},
        {"mode": "auto", "tools": [SEND, {"type": "web_search"}]},
    ],
)
def test_allowed_tools_without_tools_or_mode_are_an_error(value):
    with pytest.raises(UnsupportedOptionError, match='with "auto" or "required" as its mode'):
        read_allowed_tools({"type": "allowed_tools", **value}, TOOLS)


def test_an_allowed_tool_that_is_not_bound_is_an_error():
    choice = {"type": "allowed_tools", "mode": "auto", "tools": [{"name": "sent"}]}
    with pytest.raises(UnknownToolError, match="Near names: send"):
        read_allowed_tools(choice, TOOLS)


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
