"""What a caller can get wrong about constrained answers: each a clear error, early."""

import time
from typing import Any

import pytest
import torch
from langchain_core.messages import HumanMessage
from pydantic import BaseModel, ValidationError

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


CALLS: list[tuple[dict[str, Any], str]] = [
    ({"stop": 5}, r"stop=5.*\['###'\]"),
    ({"stop": [1]}, r"stop=\[1\].*text"),
    ({"tools": 5}, r"tools=5.*\[tool\]"),
    ({"tools": "f"}, r"tools='f'.*\[tool\]"),
    ({"model": 5}, "model=5.*folder"),
    ({"seed": "x", "temperature": 1}, "seed='x'.*whole number"),
    ({"seed": 2**70, "temperature": 1}, "seed=1180.*whole number"),
    ({"seed": 0.5}, "seed=0.5.*whole number"),
    ({"parallel_tool_calls": "no"}, "parallel_tool_calls='no'.*True or False"),
    ({"parallel_tool_calls": 0}, "parallel_tool_calls=0.*True or False"),
    ({"strict": "yes"}, "strict='yes'.*True or False"),
]


@pytest.mark.parametrize(("options", "match"), CALLS)
def test_an_option_of_a_call_that_is_of_another_kind_is_refused(
    options: dict[str, Any], match: str
) -> None:
    with pytest.raises(UnsupportedOptionError, match=match):
        model().invoke("Hi", **options)
    with pytest.raises(UnsupportedOptionError, match=match):
        next(model().stream("Hi", **options))
    with pytest.raises(UnsupportedOptionError, match=match):
        model()._generate([HumanMessage("Hi")], **options)


@pytest.mark.parametrize("option", ["strict", "parallel_tool_calls"])
def test_what_is_neither_true_nor_false_is_refused_when_it_is_bound(option: str) -> None:
    with pytest.raises(UnsupportedOptionError, match=f"{option}='yes'.*True or False"):
        model().bind_tools([tool(type="string")], **{option: "yes"})


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
def test_strict_that_is_neither_is_refused_in_structured_output(method: Any) -> None:
    strict: Any = "yes"
    with pytest.raises(UnsupportedOptionError, match=r"strict='yes'.*True or False"):
        model().with_structured_output({"title": "A"}, method=method, strict=strict)


@pytest.mark.parametrize("seed", [-(2**63), 2**64 - 1])
def test_every_seed_that_torch_takes_is_taken(seed: int) -> None:
    torch.Generator().manual_seed(seed)
    assert model(seed=seed).invoke("Hi").text == "Hi"
    assert model().invoke("Hi", seed=seed).text == "Hi"


@pytest.mark.parametrize("seed", [-(2**63) - 1, 2**64])
def test_a_seed_that_torch_does_not_take_is_refused(seed: int) -> None:
    with pytest.raises(ValidationError, match="seed"):
        model(seed=seed)
    with pytest.raises(UnsupportedOptionError, match="seed="):
        model().invoke("Hi", seed=seed)


def test_strict_is_refused_where_nothing_is_constrained() -> None:
    free = model(constrained=False)
    with pytest.raises(UnsupportedOptionError, match=r"strict=True.*constrained=False"):
        free.bind_tools([tool(type="string")], strict=True)
    with pytest.raises(UnsupportedOptionError, match=r"strict=True.*constrained=False"):
        free.with_structured_output({"title": "A", "type": "object"}, strict=True)
    with pytest.raises(UnsupportedOptionError, match=r"strict=True.*constrained=False"):
        free.invoke("Hi", tools=[tool(type="string")], strict=True)
    assert free.bind_tools([tool(type="string")], strict=False)
