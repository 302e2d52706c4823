"""What a caller can get wrong about constrained answers: each a clear error, early."""

import time
from typing import Any

import pytest
from pydantic import BaseModel

from langchain_gorilla import ChatGorilla, ScriptedEngine
from langchain_gorilla.errors import (
    ContradictorySchemaError,
    InvalidFunctionError,
    UnsupportedOptionError,
)
from langchain_gorilla.grammar.call_grammar import MAX_FUNCTIONS


def model(**options: Any) -> ChatGorilla:
    return ChatGorilla(model="bundled", engine=ScriptedEngine(["Hi"]), **options)


def tool(name: str = "f", **schema: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"x": schema}, "required": ["x"]}
    return {"name": name, "description": "", "parameters": parameters}


SCHEMAS: list[tuple[dict[str, Any], type[Exception], str]] = [
    (
        {"type": "string", "pattern": "(["},
        InvalidFunctionError,
        r"'f'.*/properties/x: pattern '\(\[' does not compile",
    ),
    ({"$ref": "#/$defs/Gone"}, InvalidFunctionError, r"'f' refers to '#/\$defs/Gone'"),
    ({"$ref": "https://host.invalid/x.json"}, InvalidFunctionError, "never fetched"),
    (
        {"type": "integer", "enum": [1, 2], "minimum": 3},
        ContradictorySchemaError,
        r"'f'.*/properties/x: enum \[1,2\]",
    ),
    ({"type": "string", "minLength": 3, "maxLength": 2}, ContradictorySchemaError, "minLength"),
    ({"type": "integer", "minimum": 3, "maximum": 2}, ContradictorySchemaError, "minimum"),
    ({"allOf": [{"type": "string"}, {"type": "integer"}]}, ContradictorySchemaError, "type"),
]


@pytest.mark.parametrize(("schema", "error", "match"), SCHEMAS)
def test_a_schema_that_cannot_be_followed_is_found_when_it_is_bound(
    schema: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        model().bind_tools([tool(**schema)])


def test_an_enum_against_its_type_is_an_error_in_structured_output() -> None:
    schema = {
        "title": "Mood",
        "type": "object",
        "properties": {"mood": {"type": "integer", "enum": ["good", "bad"]}},
        "required": ["mood"],
    }
    response = {"type": "json_schema", "json_schema": {"name": "Mood", "schema": schema}}
    with pytest.raises(ContradictorySchemaError, match=r"/properties/mood.*of type 'integer'"):
        model().bind_tools([tool(type="string")], response_format=response)
    with pytest.raises(ContradictorySchemaError, match=r"/properties/mood.*of type 'integer'"):
        model().with_structured_output(schema, method="json_schema")


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_a_schema_that_fits_passes_the_same_check(method: Any) -> None:
    class Mood(BaseModel):
        mood: str

    assert model().with_structured_output(Mood, method=method)


def test_an_enum_of_a_tool_wins_over_its_type() -> None:
    """As BFCL's schemas have it: they are offered, and the enum is what is meant."""
    bound = model().bind_tools([tool(type="integer", enum=["one", "two"])])
    assert bound.kwargs["tools"][0]["function"]["parameters"]["properties"]["x"] == {  # type: ignore[attr-defined]
        "enum": ["one", "two"]
    }


def test_ten_thousand_tools_at_once_are_refused_before_they_are_compiled() -> None:
    tools = [tool(f"f{number}", type="string") for number in range(10_000)]
    started = time.process_time()
    with pytest.raises(
        InvalidFunctionError, match=rf"10000 tools were bound.*{MAX_FUNCTIONS}.*ToolRetriever"
    ):
        model().bind_tools(tools)
    assert time.process_time() - started < 60


@pytest.mark.parametrize("name", ["num_beams", "num_return_sequences"])
def test_several_answers_at_once_are_refused(name: str) -> None:
    with pytest.raises(UnsupportedOptionError, match=rf"{name}=4.*one at a time"):
        model(**{name: 4})
    with pytest.raises(UnsupportedOptionError, match=rf"{name}=4.*one at a time"):
        model(model_kwargs={name: 4})
    with pytest.raises(UnsupportedOptionError, match=rf"{name}=4.*one at a time"):
        model().invoke("Hi", **{name: 4})
