"""The words that functions share with the question."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from langchain_gorilla import ChatGorilla
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.evidence import (
    BUNDLED_WEIGHT,
    MOST_WORDS,
    last_question,
    lexical_evidence,
    weight_of,
)
from langchain_gorilla.formats.gorilla7b import Gorilla7B
from langchain_gorilla.formats.openfunctions import OpenFunctionsV2
from langchain_gorilla.functions import FunctionSet, function_set
from langchain_gorilla.retrieval.lexical import rarity


def document(name: str, description: str, *parameters: str) -> dict[str, Any]:
    properties = {one: {"type": "number"} for one in parameters}
    schema = {"type": "object", "properties": properties, "required": list(parameters)}
    return {"name": name, "description": description, "parameters": schema}


TRIANGLE = document("geometry.triangle_area", "Area of a triangle.", "base", "height")
CUBE = document("geometry.cube_surface", "Surface of a cube.", "side")


def nats(
    question: str, functions: FunctionSet, weight: float = 1.0, calls: str = ""
) -> dict[str, float]:
    found = lexical_evidence(OpenFunctionsV2(), functions, question, weight=weight)
    return {} if found is None else dict(found.nats(calls))


def test_a_function_gains_by_the_words_that_the_question_shares_with_it_alone() -> None:
    found = nats("How large is a triangle of base 3 and height 4?", function_set([TRIANGLE, CUBE]))
    assert found["geometry.triangle_area"] > 0
    assert "geometry.cube_surface" not in found


def test_words_are_compared_by_their_stems() -> None:
    assert nats("Two triangles, please", function_set([TRIANGLE, CUBE]))["geometry.triangle_area"]


def test_points_count_up_to_a_bound_and_times_the_weight() -> None:
    words = [f"word{letter}" for letter in "abcdefgh"]
    functions = function_set([document("one", " ".join(words)), CUBE])
    bound = MOST_WORDS * rarity(1, 2)
    assert nats(words[0], functions)["one"] < bound
    assert nats(" ".join(words), functions, 1.5)["one"] == 1.5 * bound


def test_names_are_those_that_the_model_writes() -> None:
    functions = function_set([document("get.weather-now", "Weather."), CUBE])
    written = functions.written[0].name
    assert written != "get.weather-now"
    assert set(nats("Weather?", functions)) == {written}


def test_for_a_further_call_what_follows_the_values_before_it_counts() -> None:
    functions = function_set([TRIANGLE, CUBE])
    question = "A triangle, base 3 and height 4,500, then a cube of side 9."
    first = "<<function>>geometry.triangle_area(base=3, height=4500)"
    assert set(nats(question, functions)) == {"geometry.triangle_area", "geometry.cube_surface"}
    assert set(nats(question, functions, calls=first)) == {"geometry.cube_surface"}
    assert not nats(question, functions, calls=f"{first}<<function>>geometry.cube_surface(side=9)")


@pytest.mark.parametrize(
    "calls",
    ["", "<<function>>geometry.cube_surface(side=77)", "<<function>>f(a=[True, None, {}])", "f(("],
)
def test_values_that_are_not_in_the_question_take_nothing_from_it(calls: str) -> None:
    functions = function_set([TRIANGLE, CUBE])
    assert nats("A triangle", functions, calls=calls) == nats("A triangle", functions)


def test_values_of_lists_and_objects_count_too() -> None:
    functions = function_set([TRIANGLE, CUBE])
    for value in ("['Oslo', 'Rome']", "{'place': 'Rome'}"):
        calls = f"<<function>>f(places={value})"
        found = nats("A triangle in Oslo and ROME, a cube", functions, calls=calls)
        assert set(found) == {"geometry.cube_surface"}


@pytest.mark.parametrize(
    ("question", "documents", "weight"),
    [
        ("A triangle", [TRIANGLE], 1.0),
        ("A triangle", [TRIANGLE, CUBE], 0.0),
        ("Good morning!", [TRIANGLE, CUBE], 1.0),
        ("", [TRIANGLE, CUBE], 1.0),
    ],
)
def test_where_nothing_tells_functions_apart_there_is_no_evidence(
    question: str, documents: list[dict[str, Any]], weight: float
) -> None:
    functions = function_set(documents)
    assert lexical_evidence(OpenFunctionsV2(), functions, question, weight=weight) is None


def test_a_family_that_names_no_functions_has_no_evidence() -> None:
    functions = function_set([TRIANGLE, CUBE])
    assert lexical_evidence(Gorilla7B(), functions, "A triangle", weight=1.0) is None


def test_the_last_human_turn_is_the_question() -> None:
    call = {"name": "f", "args": {}, "id": "1"}
    said = [
        HumanMessage("first"),
        HumanMessage("second"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("result", tool_call_id="1"),
    ]
    assert last_question(said) == "second"
    assert last_question([AIMessage("Hello")]) == ""


def test_the_bundled_model_alone_is_weighed_unasked() -> None:
    assert weight_of("bundled", None) == BUNDLED_WEIGHT
    assert weight_of("gorilla-llm/gorilla-openfunctions-v2", None) == 0
    assert weight_of("bundled", 0) == 0


# --- With the bundled model ---

QUESTION = "Work out the area: base 34.3, height 22, a triangle."


def bound(**options: Any) -> Any:
    model = ChatGorilla(model="bundled", max_tokens=60, **options)
    return model.bind_tools([CUBE, TRIANGLE])


def name(answer: Any) -> str:
    (call,) = answer.tool_calls
    return str(call["name"])


async def test_every_path_weighs() -> None:
    weight = {"lexical_weight": 50}  # so much that the words alone decide
    streamed = sum(bound(**weight).stream(QUESTION), start=AIMessageChunk(""))
    answers = [
        bound(**weight).invoke(QUESTION),
        await bound(**weight).ainvoke(QUESTION),
        streamed,
        bound().invoke(QUESTION, **weight),
        bound(constrained=False, **weight).invoke(QUESTION),
        bound(compare_functions=2, **weight).invoke(QUESTION),
        *bound(max_batch_size=2, **weight).batch([QUESTION, QUESTION]),
    ]
    assert {name(one) for one in answers} == {"geometry.triangle_area"}
    other = QUESTION.replace("triangle", "cube").replace("height", "side")
    assert name(bound(**weight).invoke(other)) == "geometry.cube_surface"


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


def test_sampled_names_are_weighed() -> None:
    sampled = bound(temperature=1.0, lexical_weight=50)
    names = {
        name(answer)
        for seed in range(6)
        if (answer := sampled.invoke(QUESTION, seed=seed)).tool_calls[:1]
        and len(answer.tool_calls) == 1
    }
    assert names == {"geometry.triangle_area"}


@pytest.mark.parametrize("weight", [-1, "much", True])
def test_a_weight_is_a_number_and_not_negative(weight: Any) -> None:
    with pytest.raises(UnsupportedOptionError, match="a number, at least 0"):
        bound().invoke(QUESTION, lexical_weight=weight)
