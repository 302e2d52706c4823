"""What every tool that is made of a JSON schema checks, whatever runs it."""

from typing import Any

import pytest
from langchain_core.tools import ToolException

from langchain_gorilla.sources.tool import SourceTool, closed_schema


class Echo(SourceTool):
    def call(self, arguments: dict[str, Any]) -> tuple[Any, Any]:
        return arguments, None


def echo(schema: dict[str, Any]) -> Echo:
    return Echo(
        name="echo",
        description="Give it back.",
        args_schema=closed_schema({"a": schema}, ["a"]),
        handle_tool_error=False,
    )


@pytest.mark.parametrize(
    ("schema", "fits", "fails"),
    [
        ({"type": "number", "multipleOf": 0.01}, 19.99, 0.005),
        ({"type": "string", "pattern": "^[a-z]+$"}, "ab", "A"),
    ],
)
def test_arguments_are_read_as_those_of_calls_are(
    schema: dict[str, Any], fits: Any, fails: Any
) -> None:
    tool = echo(schema)

    assert tool.invoke({"a": fits}) == {"a": fits}
    with pytest.raises(ToolException, match="Correct the arguments"):
        tool.invoke({"a": fails})


def test_a_float_that_is_an_integer_is_sent_as_one() -> None:
    assert str(echo({}).invoke({"a": {"b": [5.0, 0.5]}})) == "{'a': {'b': [5, 0.5]}}"


@pytest.mark.parametrize("value", ["\ud800", float("nan")])
def test_what_cannot_be_written_as_json_is_refused(value: Any) -> None:
    with pytest.raises(ToolException, match="cannot be written as JSON"):
        echo({}).invoke({"a": value})


def test_a_wrong_type_is_told_once_though_an_enum_fails_too() -> None:
    with pytest.raises(ToolException) as raised:
        echo({"type": "integer", "enum": [1, 2]}).invoke({"a": "HIGH"})

    assert str(raised.value).count("'HIGH'") == 1


def test_a_pattern_that_python_cannot_read_lets_any_text_pass() -> None:
    assert echo({"type": "string", "pattern": r"^\p{L}+$"}).invoke({"a": "1"}) == {"a": "1"}
