"""Answers in JSON of a schema: they fit it, and say no more than question and results do."""

import json
from collections.abc import Iterator

import pytest
from jsonschema import Draft202012Validator
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_gorilla import ChatGorilla, ScriptedEngine
from langchain_gorilla.training import dataset
from langchain_gorilla.training.prompts import Conversation, prompt_before

ASKS = "It fits this schema: "


@pytest.fixture(scope="module")
def made() -> list[Conversation]:
    return dataset.unseen(7, ["structured"], 300, held_out=False)


def schema_of(one: Conversation) -> dict[str, object]:
    return json.loads(one.system.partition(ASKS)[2])


def answers(made: list[Conversation]) -> Iterator[tuple[Conversation, object]]:
    for one in made:
        yield one, json.loads(one.turns[-1].response)


def test_every_answer_fits_the_schema_that_asks_for_it(made: list[Conversation]) -> None:
    for one, answer in answers(made):
        Draft202012Validator(schema_of(one)).validate(answer)


def test_fields_stand_in_the_schemas_order(made: list[Conversation]) -> None:
    for one, answer in answers(made):
        assert isinstance(answer, dict)
        assert [*answer] == [key for key in schema_of(one)["properties"] if key in answer]


def test_with_functions_a_call_comes_first_and_its_result_is_what_the_fields_say(
    made: list[Conversation],
) -> None:
    after_calls = [(one, answer) for one, answer in answers(made) if one.functions]

    assert len(after_calls) > 60
    for one, answer in after_calls:
        (result,) = one.turns[1].results
        known = [*one.calls[0].arguments.values(), result.content.strip()]
        for name, value in answer.items():
            told = f'"{name}": {json.dumps(value, ensure_ascii=False)}'
            is_number = not isinstance(value, str) and str(value) in result.content
            assert value in known or told in result.content or is_number


def test_the_prompt_is_the_one_that_a_response_format_makes(made: list[Conversation]) -> None:
    one = next(one for one in made if one.functions and one.system.startswith("Answer"))
    (call,) = one.calls
    engine = ScriptedEngine(["{}"])
    model = ChatGorilla(model="bundled", engine=engine, constrained=False)
    history = [
        HumanMessage(one.turns[0].question),
        AIMessage("", tool_calls=[{"name": call.name, "args": call.arguments, "id": "1"}]),
        ToolMessage(one.turns[1].results[0].content, tool_call_id="1"),
    ]
    tools = [{"type": "function", "function": document} for document in one.functions]
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema_of(one)}}

    model.bind_tools(tools, response_format=wanted).invoke(history)

    assert str(engine.prompts[0]).endswith(prompt_before(one, 1).replace("</s>", "<|eos|>"))
