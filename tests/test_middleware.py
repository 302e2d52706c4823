import subprocess
import sys

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain.agents.structured_output import StructuredOutputValidationError, ToolStrategy
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from pydantic import BaseModel

from langchain_gorilla import ChatGorilla, ScriptedEngine
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.middleware import ToolCallRepair
from tests.reports import Report

GOOD = "<<function>>get_weather(city='Paris')"
BAD = "<<function>>get_weather(town='Paris')"


def get_weather(city: str) -> str:
    """Get the weather."""
    return f"20 C in {city}"


def agent(*answers: str, **kwargs: object):
    model = ChatGorilla(model="bundled", engine=ScriptedEngine(answers))
    return create_agent(model, [get_weather], middleware=[ToolCallRepair(**kwargs)])


def types(state) -> list[str]:
    return [message.type for message in state["messages"]]


QUESTION = {"messages": [HumanMessage("Weather?")]}


def test_an_agent_without_bad_calls_is_left_alone():
    assert types(agent(GOOD, "20 C.").invoke(QUESTION)) == ["human", "ai", "tool", "ai"]


def test_an_invalid_call_goes_back_to_the_model():
    state = agent(BAD, GOOD, "20 C.").invoke(QUESTION)
    assert types(state) == ["human", "ai", "tool", "ai", "tool", "ai"]


async def test_an_invalid_call_goes_back_to_the_model_in_async_agents():
    state = await agent(BAD, GOOD, "20 C.").ainvoke(QUESTION)
    assert types(state) == ["human", "ai", "tool", "ai", "tool", "ai"]


def test_a_reason_survives_streaming_inside_the_agent():
    events = list(agent(BAD, GOOD, "20 C.").stream(QUESTION, stream_mode=["messages", "values"]))
    messages = events[-1][1]["messages"]
    assert "town" in messages[2].text


def test_good_siblings_of_an_invalid_call_run():
    state = agent(BAD + GOOD, "20 C.").invoke(QUESTION)
    results = [m for m in state["messages"] if isinstance(m, ToolMessage)]
    assert sorted(m.status for m in results) == ["error", "success"]


def test_an_agent_that_never_mends_its_call_ends_with_words():
    state = agent(*[BAD] * 10, max_repairs=1).invoke(QUESTION)
    assert isinstance(state["messages"][-1], AIMessage)
    assert "could not write a call" in state["messages"][-1].text


def test_a_repeated_call_is_stopped():
    state = agent(*[GOOD] * 30, max_identical_calls=2).invoke(QUESTION)
    ran = [m for m in state["messages"] if isinstance(m, ToolMessage) and m.status == "success"]
    assert len(ran) == 2


class City(BaseModel):
    """A city."""

    name: str


def agent_for_json(*answers: str):
    model = ChatGorilla(model="bundled", engine=ScriptedEngine(answers))
    # ProviderStrategy: the model says that it can be held to a schema.
    return create_agent(model, [get_weather], middleware=[ToolCallRepair()], response_format=City)


def test_an_invalid_call_is_no_answer_that_should_have_been_json():
    state = agent_for_json(BAD, GOOD, '{"name": "Paris"}').invoke(QUESTION)
    assert types(state) == ["human", "ai", "tool", "ai", "tool", "ai"]
    assert state["structured_response"] == City(name="Paris")


async def test_an_invalid_call_is_no_answer_that_should_have_been_json_in_async_agents():
    state = await agent_for_json(BAD, '{"name": "Paris"}').ainvoke(QUESTION)
    assert state["structured_response"] == City(name="Paris")


def test_an_answer_that_is_neither_json_nor_a_call_is_the_error_of_create_agent():
    with pytest.raises(StructuredOutputValidationError):
        agent_for_json("20 C.").invoke(QUESTION)


def test_a_structured_answer_of_create_agent_passes():
    class Weather(BaseModel):
        """The weather."""

        celsius: int

    model = ChatGorilla(model="bundled", engine=ScriptedEngine(["<<function>>Weather(celsius=20)"]))
    graph = create_agent(
        model, [get_weather], middleware=[ToolCallRepair()], response_format=ToolStrategy(Weather)
    )
    assert graph.invoke(QUESTION)["structured_response"] == Weather(celsius=20)


SHORT = "<<function>>Report(text='Wet.')"
LONG = "<<function>>Report(text='Wet all day.')"


def reporter(*answers: str, **kwargs: object):
    model = ChatGorilla(model="bundled", engine=ScriptedEngine(answers))
    return create_agent(
        model,
        [get_weather],
        middleware=[ToolCallRepair(**kwargs)],
        response_format=ToolStrategy(Report),
    )


@pytest.mark.parametrize("max_repairs", [0, 2, 4])
def test_a_structured_answer_that_never_passes_ends_with_words(max_repairs):
    state = reporter(*[SHORT] * 10, max_repairs=max_repairs).invoke(QUESTION)
    assert types(state) == ["human", *["ai", "tool"] * (max_repairs + 1), "ai"]
    assert "could not write a call" in state["messages"][-1].text
    assert "too short" in state["messages"][-1].text
    assert state.get("structured_response") is None


async def test_a_structured_answer_that_never_passes_ends_async_agents():
    state = await reporter(*[SHORT] * 10).ainvoke(QUESTION)
    assert types(state) == ["human", *["ai", "tool"] * 3, "ai"]


def test_a_structured_answer_that_passes_after_repair_is_the_result():
    state = reporter(SHORT, LONG).invoke(QUESTION)
    assert state["structured_response"] == Report(text="Wet all day.")
    assert [m.status for m in state["messages"] if m.type == "tool"] == ["error", "success"]


def test_a_good_call_beside_a_refused_structured_answer_runs_and_the_agent_goes_on():
    state = reporter(GOOD + SHORT, LONG).invoke(QUESTION)
    assert state["structured_response"] == Report(text="Wet all day.")
    assert "20 C in Paris" in [m.text for m in state["messages"]]


def test_a_good_call_in_each_answer_does_not_lift_the_bound():
    answers = [f"<<function>>get_weather(city='City {n}')" + BAD for n in range(10)]
    state = agent(*answers, max_repairs=1).invoke(QUESTION)
    assert types(state) == ["human", "ai", "tool", "tool", "ai", "tool", "tool", "ai"]
    ran = [m for m in state["messages"] if isinstance(m, ToolMessage) and m.status == "success"]
    assert [m.text for m in ran] == ["20 C in City 0"]


def test_a_call_that_other_middleware_answers_is_no_repair():
    class Answers(AgentMiddleware):
        def after_model(self, state, runtime):
            calls = state["messages"][-1].tool_calls
            return {"messages": [ToolMessage("Known.", tool_call_id=c["id"]) for c in calls]}

    model = ChatGorilla(model="bundled", engine=ScriptedEngine([GOOD, "20 C."]))
    middleware = [ToolCallRepair(max_repairs=0), Answers()]
    state = create_agent(model, [get_weather], middleware=middleware).invoke(QUESTION)
    assert [m.text for m in state["messages"][2:]] == ["Known.", "20 C."]


def test_the_core_imports_without_langchain_and_the_middleware_says_what_to_install():
    code = (
        "import sys; sys.modules['langchain'] = None\n"
        "import langchain_gorilla\n"
        "try:\n    import langchain_gorilla.middleware\n"
        "except ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'langchain-gorilla[langchain]'" in done.stdout


def test_a_bound_out_of_range_is_an_error_when_the_middleware_is_made():
    with pytest.raises(UnsupportedOptionError, match="max_repairs=-1"):
        ToolCallRepair(max_repairs=-1)
