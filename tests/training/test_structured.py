"""Answers in JSON of a schema: they fit it, and say no more than question and results do."""

import json
from collections.abc import Iterator
from random import Random

import pytest
from jsonschema import Draft202012Validator
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_gorilla import ChatGorilla, ScriptedEngine
from langchain_gorilla.training import dataset
from langchain_gorilla.training.conversations import Conversations
from langchain_gorilla.training.prompts import Conversation, prompt_before
from langchain_gorilla.training.requests import Requests
from langchain_gorilla.training.structured import Structured
from langchain_gorilla.training.values import Values

ASKS = "It fits this schema: "


@pytest.fixture(scope="module")
def made() -> list[Conversation]:
    return dataset.unseen(7, ["structured"], 300, held_out=False)


def test_the_schema_is_the_one_that_the_system_text_tells(made: list[Conversation]) -> None:
    for one in made:
        assert json.loads(one.system.partition(ASKS)[2]) == one.schema


def answers(made: list[Conversation]) -> Iterator[tuple[Conversation, object]]:
    for one in made:
        yield one, json.loads(one.turns[-1].response)


def test_every_answer_fits_the_schema_that_asks_for_it(made: list[Conversation]) -> None:
    for one, answer in answers(made):
        Draft202012Validator(one.schema).validate(answer)


def test_fields_stand_in_the_schemas_order(made: list[Conversation]) -> None:
    for one, answer in answers(made):
        assert isinstance(answer, dict)
        assert [*answer] == [key for key in one.schema["properties"] if key in answer]


def test_after_a_call_the_fields_say_what_it_was_given_and_returned(
    made: list[Conversation],
) -> None:
    after_calls = [(one, answer) for one, answer in answers(made) if one.calls]

    assert len(after_calls) > 60
    for one, answer in after_calls:
        (result,) = one.turns[1].results
        known = [*one.calls[0].arguments.values(), result.content.strip()]
        for name, value in answer.items():
            told = f'"{name}": {json.dumps(value, ensure_ascii=False)}'
            is_number = not isinstance(value, str) and str(value) in result.content
            assert value in known or told in result.content or is_number


def leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one)
    else:
        yield value


def test_functions_are_offered_for_nothing_too(made: list[Conversation]) -> None:
    assert any(one.functions and len(one.turns) == 1 for one in made)


def test_facts_fill_the_fields_with_what_the_question_says() -> None:
    requests = Requests(Values(Random(5)))
    told = [one for _ in range(200) for one in Structured(requests)._of_facts(3)]

    assert len(told) > 500
    for one in told:
        question = one.turns[0].question
        for value in leaves(json.loads(one.turns[0].response)):
            assert str(value) in question


def test_facts_come_in_lists_in_groups_of_a_few_and_not_at_all() -> None:
    requests = Requests(Values(Random(5)))
    told = [one for _ in range(200) for one in Structured(requests)._of_facts(3)]
    values = [json.loads(one.turns[0].response) for one in told]

    assert any(isinstance(each, list) for value in values for each in value.values())
    assert any(isinstance(each, dict) for value in values for each in value.values())
    assert any(
        one.schema["properties"].keys() - value for one, value in zip(told, values, strict=True)
    )


def test_a_family_asks_for_json_of_one_schema() -> None:
    family = Conversations(Requests(Values(Random(3)))).structured_family(6)

    assert len(family) == 6
    assert len({one.turns[0].question for one in family}) == 6
    assert {prompt_before(one, 0).partition("\n### Instruction")[0] for one in family} == {
        prompt_before(family[0], 0).partition("\n### Instruction")[0]
    }


def test_the_prompt_is_the_one_that_a_response_format_makes(made: list[Conversation]) -> None:
    one = next(one for one in made if one.calls and one.system.startswith("Answer"))
    (call,) = one.calls
    engine = ScriptedEngine(["{}"])
    model = ChatGorilla(model="bundled", engine=engine, constrained=False)
    history = [
        HumanMessage(one.turns[0].question),
        AIMessage("", tool_calls=[{"name": call.name, "args": call.arguments, "id": "1"}]),
        ToolMessage(one.turns[1].results[0].content, tool_call_id="1"),
    ]
    tools = [{"type": "function", "function": document} for document in one.functions]
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": one.schema}}

    model.bind_tools(tools, response_format=wanted).invoke(history)

    assert str(engine.prompts[0]).endswith(prompt_before(one, 1).replace("</s>", "<|eos|>"))
