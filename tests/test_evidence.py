"""The words that functions share with the question."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    ToolMessage,
)

from langchain_gorilla import ChatGorilla, ScriptedEngine, bundled
from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.engines.base import Evidence
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.evidence import (
    BUNDLED_WEIGHT,
    MOST_WORDS,
    last_question,
    lexical_evidence,
    weight_of,
)
from langchain_gorilla.formats.conversation import conversation
from langchain_gorilla.formats.openfunctions import OpenFunctionsV1, OpenFunctionsV2
from langchain_gorilla.functions import function_set
from langchain_gorilla.retrieval.lexical import rarity
from langchain_gorilla.training import dataset
from langchain_gorilla.training.generate import Prompt, constrained_answers
from langchain_gorilla.training.prompts import Conversation, Turn, prompt_before


def document(name: str, description: str, *parameters: str) -> dict[str, Any]:
    properties = {one: {"type": "number"} for one in parameters}
    schema = {"type": "object", "properties": properties, "required": list(parameters)}
    return {"name": name, "description": description, "parameters": schema}


TRIANGLE = document("geometry.triangle_area", "Area of a triangle.", "base", "height")
CUBE = document("geometry.cube_surface", "Surface of a cube.", "side")


SYNTAX = OpenFunctionsV2.syntax


def nats(
    question: str,
    documents: Sequence[dict[str, Any]],
    weight: float = 1.0,
    calls: str = "",
    made: Sequence[FunctionCall] = (),
) -> dict[str, float]:
    functions = function_set(documents).written
    found = lexical_evidence(SYNTAX, functions, question, made, weight=weight)
    return {} if found is None else dict(found.nats(calls))


BOTH = [TRIANGLE, CUBE]


def test_a_function_gains_by_the_words_that_the_question_shares_with_it_alone() -> None:
    found = nats("How large is a triangle of base 3 and height 4?", BOTH)
    assert found["geometry.triangle_area"] > 0
    assert "geometry.cube_surface" not in found


def test_words_are_compared_by_their_stems() -> None:
    assert nats("Two triangles, please", BOTH)["geometry.triangle_area"]


def test_points_count_up_to_a_bound_and_times_the_weight() -> None:
    words = [f"word{letter}" for letter in "abcdefgh"]
    documents = [document("one", " ".join(words)), CUBE]
    bound = MOST_WORDS * rarity(1, 2)
    assert nats(words[0], documents)["one"] < bound
    assert nats(" ".join(words), documents, 1.5)["one"] == 1.5 * bound


def test_names_are_those_that_the_model_writes() -> None:
    documents = [document("get.weather-now", "Weather."), CUBE]
    (name,) = nats("Weather?", documents)
    assert name == function_set(documents).written[0].name != "get.weather-now"


def test_for_a_further_call_what_follows_the_values_before_it_counts() -> None:
    question = "A triangle, base 3 and height 4,500, then a cube of side 9."
    first = "<<function>>geometry.triangle_area(base=3, height=4500)"
    assert set(nats(question, BOTH)) == {"geometry.triangle_area", "geometry.cube_surface"}
    assert set(nats(question, BOTH, calls=first)) == {"geometry.cube_surface"}
    assert not nats(question, BOTH, calls=f"{first}<<function>>geometry.cube_surface(side=9)")


def test_a_value_may_be_an_integer_beyond_any_float() -> None:
    made = [FunctionCall("geometry.triangle_area", {"base": 10**400})]
    assert nats("A cube of side 9.", BOTH, made=made)["geometry.cube_surface"]


def test_calls_of_earlier_answers_to_the_question_count_as_made() -> None:
    question = "A triangle, base 3 and height 4, then a cube of side 9."
    made = [FunctionCall("geometry.triangle_area", {"base": 3, "height": 4.0})]
    assert set(nats(question, BOTH, made=made)) == {"geometry.cube_surface"}


@pytest.mark.parametrize(
    "calls",
    [
        "",
        "<<function>>geometry.cube_surface(side=77)",
        "<<function>>f(a=[True, None, {}])",
        "<<function>>f(unit='m', side=3)",
        "<<function>>f(unit='mm', side=0.5)",
        "f((",
    ],
)
def test_only_whole_words_and_numbers_of_the_question_are_values(calls: str) -> None:
    question = "In mm2, 3.50 of 30.55: m of a triangle"
    assert nats(question, BOTH, calls=calls) == nats(question, BOTH) != {}


def test_values_of_lists_and_objects_count_too() -> None:
    for value in ("['Oslo', 'Rome']", "{'place': 'Rome'}"):
        calls = f"<<function>>f(places={value})"
        assert set(nats("A triangle in Oslo and ROME, a cube", BOTH, calls=calls)) == {
            "geometry.cube_surface"
        }


def test_letters_that_are_longer_in_lower_case_move_nothing() -> None:
    question = f"{'İ' * 20}: a triangle of base 31, a cube"
    assert set(nats(question, BOTH, calls="<<function>>f(base=31)")) == {"geometry.cube_surface"}


@pytest.mark.parametrize(
    ("question", "documents", "weight"),
    [
        ("A triangle", [TRIANGLE], 1.0),
        ("A triangle", BOTH, 0.0),
        ("Good morning!", BOTH, 1.0),
        ("", BOTH, 1.0),
    ],
)
def test_where_nothing_tells_functions_apart_there_is_no_evidence(
    question: str, documents: list[dict[str, Any]], weight: float
) -> None:
    functions = function_set(documents).written
    assert lexical_evidence(SYNTAX, functions, question, weight=weight) is None


CALL = {"name": "f", "args": {"place": "Oslo"}, "id": "1"}


@pytest.mark.parametrize(
    ("said", "question", "calls"),
    [
        ([HumanMessage("one"), AIMessage("Hi"), HumanMessage("two")], "two", 0),
        ([HumanMessage("one"), HumanMessage("two")], "one\ntwo", 0),
        ([ChatMessage("one", role="user")], "one", 0),
        (
            [
                HumanMessage("one"),
                AIMessage("", tool_calls=[CALL]),
                ToolMessage("result", tool_call_id="1"),
            ],
            "one",
            1,
        ),
        ([AIMessage("Hello")], "", 0),
    ],
)
def test_the_last_human_turn_is_the_question(
    said: list[BaseMessage], question: str, calls: int
) -> None:
    found, made = last_question(conversation(said, function_set([])))
    assert found == question
    assert len(made) == calls


def test_the_bundled_model_alone_is_weighed_unasked() -> None:
    v1, v2 = OpenFunctionsV1(), OpenFunctionsV2()
    assert weight_of("bundled", v2, None) == BUNDLED_WEIGHT
    assert weight_of("bundled", v1, None) == 0
    assert weight_of("gorilla-llm/gorilla-openfunctions-v2", v2, None) == 0
    assert weight_of("bundled", v2, 0) == weight_of("bundled", v1, 0) == 0


def asked(**options: Any) -> Evidence | None:
    """Return the evidence of one request about both functions."""
    call = {
        name: options.pop(name) for name in ("tool_choice", "response_format") if name in options
    }
    model = ChatGorilla(model="bundled", engine=ScriptedEngine(["Hi"]), **options)
    model.bind_tools(BOTH, **call).invoke("A triangle")
    assert isinstance(model.engine, ScriptedEngine)
    return model.engine.requests[-1].options.evidence


def test_a_request_brings_its_evidence_where_a_function_is_to_be_chosen() -> None:
    assert asked() is not None
    assert asked(tool_choice="any") is not None
    assert asked(lexical_weight=0) is None
    assert asked(tool_choice="none") is None
    assert asked(tool_choice="geometry.cube_surface") is None
    assert asked(response_format={"type": "json_object"}) is None


@pytest.mark.parametrize("family", ["openfunctions-v1", "llama-pythonic", "nexusraven-2"])
def test_a_family_without_a_mark_of_its_own_for_calls_has_no_evidence(family: str) -> None:
    assert asked(format=family) is None
    with pytest.raises(UnsupportedOptionError, match="no mark that only calls have"):
        asked(format=family, lexical_weight=2)


@pytest.mark.parametrize("family", ["openfunctions-v2", "lfm2", "olmo-3", "llama-4-pythonic"])
def test_a_family_that_marks_its_calls_has_evidence(family: str) -> None:
    found = asked(format=family, lexical_weight=2)
    assert found is not None
    assert found.nats("")


# --- With the bundled model ---

QUESTION = "Work out the area: base 34.3, height 22, a triangle."
WORDS_ALONE = 500.0
"""A weight by which the model's own scores are of no account."""


def bound(documents: Sequence[dict[str, Any]] = BOTH, **options: Any) -> Any:
    return ChatGorilla(model="bundled", max_tokens=60, **options).bind_tools(documents)


def name(answer: Any) -> str:
    calls = answer.tool_calls or answer.invalid_tool_calls  # unconstrained, one may be that
    return str(calls[0]["name"]) if calls else ""


@pytest.fixture(scope="module")
def contested() -> tuple[str, list[dict[str, Any]], str]:
    """Find a question that the model and the words name different functions for."""
    for one in dataset.unseen(9, ("multiple",), 200, held_out=False):
        question, documents = str(one.turns[0].question), [dict(each) for each in one.functions]
        own, by_words = (
            name(bound(documents, lexical_weight=weight).invoke(question))
            for weight in (0, WORDS_ALONE)
        )
        if own and by_words and own != by_words:
            return question, documents, by_words
    raise AssertionError("The model names every function as the words do.")


async def test_every_path_weighs(contested: tuple[str, list[dict[str, Any]], str]) -> None:
    question, documents, wanted = contested
    weight = {"lexical_weight": WORDS_ALONE}
    weighed = bound(documents, **weight)
    answers = [
        weighed.invoke(question),
        await weighed.ainvoke(question),
        sum(weighed.stream(question), start=AIMessageChunk("")),
        bound(documents, lexical_weight=0).invoke(question, **weight),
        bound(documents, constrained=False, **weight).invoke(question),
        bound(documents, compare_functions=3, **weight).invoke(question),
        bound(documents, temperature=0.5, seed=3, **weight).invoke(question),
        *bound(documents, max_batch_size=2, **weight).batch([question, question]),
    ]
    assert [name(one) for one in answers] == [wanted] * len(answers)


def test_prompts_without_messages_are_weighed_too(
    contested: tuple[str, list[dict[str, Any]], str],
) -> None:
    question, documents, wanted = contested
    asked = Conversation("", tuple(documents), (Turn(question, (), ""),))
    given = [Prompt(prompt_before(asked, 0), documents)]
    (plain,) = constrained_answers(bundled.path(), given)
    (weighed,) = constrained_answers(bundled.path(), given, weight=WORDS_ALONE)
    assert weighed.startswith(f"<<function>>{wanted}(")
    assert not plain.startswith(f"<<function>>{wanted}(")


def test_a_demanded_function_is_called_whatever_speaks_for_another() -> None:
    answer = bound(lexical_weight=50).invoke(QUESTION, tool_choice="geometry.cube_surface")
    assert name(answer) == "geometry.cube_surface"


def test_the_probability_of_calls_is_the_models_own() -> None:
    found = {
        round(
            bound(lexical_weight=weight).invoke(QUESTION).response_metadata["call_probability"],
            5,
        )
        for weight in (0, 2, 50)
    }
    assert len(found) == 1


@pytest.mark.parametrize("weight", [-1, "much", True, 1e4, math.inf, math.nan])
def test_a_weight_is_a_number_and_not_negative(weight: Any) -> None:
    with pytest.raises(UnsupportedOptionError, match="a number from 0 to 1000"):
        bound().invoke(QUESTION, lexical_weight=weight)


@pytest.mark.parametrize("weight", [-1, True, "2", 1e4, math.inf, math.nan])
def test_a_model_takes_no_such_weight_either(weight: Any) -> None:
    with pytest.raises(ValueError, match="lexical_weight"):
        ChatGorilla(model="bundled", lexical_weight=weight)
