"""Narrowing as middleware: agents that are built with no tools over a catalog of many."""

import asyncio
from typing import ClassVar

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic import BaseModel, Field

from langchain_gorilla import ChatGorilla, ScriptedEngine
from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import PromptTooLongError
from langchain_gorilla.middleware import ToolCallRepair, ToolNarrowing
from langchain_gorilla.narrowing.bound import tool_name
from langchain_gorilla.narrowing.offering import NOTHING_FITS
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.retriever import ToolRetriever
from tests.narrowing.tools import (
    DESCRIPTIONS,
    catalog,
    made,
    queries_searched,
    tools,
    without_index,
)
from tests.retrieval.small_catalog import HashedWords
from tests.test_narrowed_model import MONEY, RAIN, in_prompt, offered

WEATHER = "<<function>>get_weather(value='Oslo')"
FLIGHT = "<<function>>book_flight(value='Oslo')"


def agent(*answers: str, held: ToolCatalog | None = None, own=(), before=(), k=3, **options):
    held = held if held is not None else catalog()
    narrowing = ToolNarrowing(
        held, retriever=options.pop("retriever", None) or ToolRetriever(catalog=held, k=k)
    )
    model = options.pop("model", None) or ChatGorilla(
        model="bundled", engine=ScriptedEngine(answers)
    )
    middleware = [*before, narrowing, ToolCallRepair()]
    graph = create_agent(model, list(own), middleware=middleware, **options)
    graph.prompts = lambda: model.engine.prompts
    return graph


def ask(graph, question=RAIN, thread=None):
    config = {"configurable": {"thread_id": thread}} if thread else None
    return graph.invoke({"messages": [HumanMessage(question)]}, config)


def answers_of(state) -> list[AIMessage]:
    return [message for message in state["messages"] if isinstance(message, AIMessage)]


def results_of(state) -> list[ToolMessage]:
    return [message for message in state["messages"] if isinstance(message, ToolMessage)]


def test_an_agent_without_tools_finds_and_runs_the_catalogs():
    graph = agent(WEATHER, "Rain.")
    state = ask(graph)
    assert [message.text for message in results_of(state)] == ["get_weather got Oslo"]
    assert in_prompt(graph.prompts()[0]) == offered(answers_of(state)[0])
    assert offered(answers_of(state)[0])[0] == "get_weather"


async def test_async_agents_do_the_same():
    state = await agent(WEATHER, "Rain.").ainvoke({"messages": [HumanMessage(RAIN)]})
    assert [message.text for message in results_of(state)] == ["get_weather got Oslo"]
    assert offered(answers_of(state)[0])[0] == "get_weather"


async def test_an_async_tool_runs_in_an_async_agent():
    async def get_weather(value: str) -> str:
        """Forecast rain and wind."""
        await asyncio.sleep(0)
        return f"awaited {value}"

    graph = agent(WEATHER, "Rain.", held=ToolCatalog([get_weather, *tools()[1:]]))
    state = await graph.ainvoke({"messages": [HumanMessage(RAIN)]})
    assert results_of(state)[0].text == "awaited Oslo"


def test_the_selection_is_checkpointed_private_and_appended_to():
    graph = agent(WEATHER, "Rain.", "Five.", checkpointer=InMemorySaver())
    first = ask(graph, thread="1")
    second = ask(graph, MONEY, thread="1")
    assert "tool_selection" not in second
    kept = graph.get_state({"configurable": {"thread_id": "1"}}).values["tool_selection"]
    names = [tool["name"] for tool in kept["tools"]]
    assert names == offered(answers_of(second)[-1])
    assert names[: len(offered(answers_of(first)[0]))] == offered(answers_of(first)[0])
    assert "convert_currency" in names


def test_the_selection_outlives_messages_that_were_removed():
    class Forget(AgentMiddleware):
        def wrap_model_call(self, request, handler):
            said = request.messages
            start = max(n for n, message in enumerate(said) if message.type == "human")
            return handler(request.override(messages=said[start:]))

    graph = agent(WEATHER, "Rain.", "Five.", checkpointer=InMemorySaver(), before=[Forget()])
    graph.invoke({"messages": [HumanMessage(RAIN, id="1")]}, {"configurable": {"thread_id": "1"}})
    state = ask(graph, MONEY, thread="1")
    assert "get_weather" in offered(answers_of(state)[-1])


def test_a_search_is_made_once_a_human_turn(monkeypatch):
    searched = queries_searched(monkeypatch)
    ask(agent(WEATHER, FLIGHT, "Rain."))
    assert searched == [RAIN]


def guessing(*calls: str) -> GenericFakeChatModel:
    """A chat model of another kind, which calls what it was not offered."""

    class Guessing(GenericFakeChatModel):
        bound: ClassVar[list] = []

        def bind_tools(self, tools, **kwargs):
            self.bound.append([tool_name(tool) for tool in tools])
            return self

    messages = [
        AIMessage("", tool_calls=[{"name": name, "args": {"value": "x"}, "id": name}])
        for name in calls
    ]
    Guessing.bound.clear()
    return Guessing(messages=iter([*messages, AIMessage("Done.")]))


def test_a_tool_that_was_not_offered_does_not_run():
    model = guessing("book_flight", "get_weather")
    state = ask(agent(model=model))
    refused, ran = results_of(state)
    assert refused.status == "error"
    assert "was not offered" in refused.text
    assert "get_weather" in refused.text
    assert ran.text == "get_weather got x"
    assert "book_flight" not in model.bound[0]


async def test_a_tool_that_was_not_offered_does_not_run_in_async_agents():
    graph = agent(model=guessing("book_flight"))
    state = await graph.ainvoke({"messages": [HumanMessage(RAIN)]})
    assert "was not offered" in results_of(state)[0].text


def test_a_tool_that_is_removed_while_it_is_called_is_said_to_be_gone():
    held = catalog()

    def answer(prompt: str) -> str:
        if "get_weather" in held:
            held.remove("get_weather")
            return WEATHER
        return "It is gone."

    model = ChatGorilla(model="bundled", engine=ScriptedEngine(answer))
    result = results_of(ask(agent(held=held, model=model)))[0]
    assert result.content.startswith("Error: 'get_weather' is none of the ")


def test_a_tool_that_nobody_has_is_an_error_message_that_lists_no_catalog():
    state = ask(agent(model=guessing("no_such_tool")))
    assert results_of(state)[0].status == "error"
    assert "rename_host" not in results_of(state)[0].text


def test_other_chat_models_report_what_they_were_offered():
    assert offered(answers_of(ask(agent(model=guessing())))[0])[0] == "get_weather"


def test_the_agents_own_tools_are_always_offered_and_run():
    own = made("help", "List the commands.")
    state = ask(agent("<<function>>help(value='x')", "Done.", own=[own]))
    assert results_of(state)[0].text == "help got x"


def test_an_own_tool_that_is_deferred_is_offered_when_it_is_found():
    own = made("book_flight", "Reserve a seat on an airplane.", extras={"defer_loading": True})
    graph = agent(FLIGHT, "Done.", FLIGHT, "Done.", own=[own])
    ask(graph)
    assert "book_flight" not in in_prompt(graph.prompts()[0])
    state = ask(graph, "Reserve a seat on an airplane")
    assert results_of(state)[0].text == "book_flight got Oslo"


def test_structured_output_is_offered_beside_the_selection():
    class Weather(BaseModel):
        """The weather."""

        celsius: int

    graph = agent("<<function>>Weather(celsius=20)", response_format=ToolStrategy(Weather))
    state = ask(graph)
    assert state["structured_response"] == Weather(celsius=20)
    assert set(in_prompt(graph.prompts()[0])) >= {"Weather", "get_weather"}


class Report(BaseModel):
    """A report."""

    text: str = Field(description="word " * 150)


@pytest.mark.parametrize(
    ("strategy", "said"),
    [(ToolStrategy, "<<function>>Report(text='Wet.')"), (ProviderStrategy, '{"text": "Wet."}')],
)
def test_the_offer_leaves_room_for_structured_output(strategy, said):
    held = ToolCatalog(made(f"rain_{n}", "rain " + "word " * 100) for n in range(6))
    engine = ScriptedEngine([said], context_tokens=500)
    model = ChatGorilla(model="bundled", engine=engine, max_tokens=20)
    state = ask(agent(held=held, model=model, response_format=strategy(Report)))
    assert state["structured_response"] == Report(text="Wet.")
    assert len(offered(answers_of(state)[0])) < 3


def test_a_tool_that_is_named_like_structured_output_is_left_out():
    held = ToolCatalog([made("Report", "Forecast rain."), *tools()])
    state = ask(
        agent("<<function>>Report(text='Wet.')", held=held, response_format=ToolStrategy(Report))
    )
    assert state["structured_response"] == Report(text="Wet.")


@pytest.mark.parametrize("human_first", [True, False])
@pytest.mark.parametrize(
    ("decision", "result"),
    [
        ({"type": "approve"}, "get_weather got Oslo"),
        ({"type": "reject", "message": "no"}, "User rejected"),
        (
            {"type": "edit", "edited_action": {"name": "get_weather", "args": {"value": "Rome"}}},
            "get_weather got Rome",
        ),
        ({"type": "respond", "message": "It is dry."}, "It is dry."),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_a_human_decides_about_a_catalogs_call_in_batch_mode(human_first, decision, result):
    human = HumanInTheLoopMiddleware(interrupt_on={"get_weather": True})
    held = catalog()
    narrowing = ToolNarrowing(held, retriever=ToolRetriever(catalog=held, k=3))
    model = ChatGorilla(model="bundled", engine=ScriptedEngine([WEATHER, "Done."]))
    graph = create_agent(
        model,
        [],
        middleware=[human, narrowing] if human_first else [narrowing, human],
        checkpointer=InMemorySaver(),
    )
    config = {"configurable": {"thread_id": "1"}}
    paused = graph.invoke({"messages": [HumanMessage(RAIN)]}, config)
    (request,) = paused["__interrupt__"]
    assert request.value["action_requests"][0]["name"] == "get_weather"
    state = graph.invoke(Command(resume={"decisions": [decision]}), config)
    assert result in results_of(state)[0].text
    assert answers_of(state)[-1].text == "Done."


def reviewed(name: str):
    """Run an agent whose reviewer has another tool run than the one that the model called."""
    human = HumanInTheLoopMiddleware(interrupt_on={"get_weather": True})
    held = catalog()
    narrowing = ToolNarrowing(held, retriever=ToolRetriever(catalog=held, k=3))
    graph = create_agent(
        ChatGorilla(model="bundled", engine=ScriptedEngine([WEATHER, "Done."])),
        [made("mine", "My own.")],
        middleware=[narrowing, human],
        checkpointer=InMemorySaver(),
    )
    config = {"configurable": {"thread_id": "1"}}
    graph.invoke({"messages": [HumanMessage(f"{RAIN} {MONEY}")]}, config)
    edit = {"type": "edit", "edited_action": {"name": name, "args": {"value": "Rome"}}}
    return graph.invoke(Command(resume={"decisions": [edit]}), config)


@pytest.mark.parametrize("name", ["convert_currency", "mine"])
def test_a_human_may_have_another_tool_run_that_was_offered(name):
    assert f"{name} got Rome" in results_of(reviewed(name))[0].text


def test_what_a_human_has_run_was_offered():
    with pytest.raises(ValueError, match=r"sort_lines.*not an available tool.*get_weather"):
        reviewed("sort_lines")


async def test_a_human_decides_in_async_agents_too():
    human = HumanInTheLoopMiddleware(interrupt_on={"get_weather": True})
    graph = agent(WEATHER, "Done.", before=[human], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    await graph.ainvoke({"messages": [HumanMessage(RAIN)]}, config)
    state = await graph.ainvoke(Command(resume={"decisions": [{"type": "approve"}]}), config)
    assert results_of(state)[0].text == "get_weather got Oslo"


def test_where_nothing_fits_the_model_is_offered_nothing_and_told_so():
    graph = agent("Sorry.", system_prompt=SystemMessage("Be brief."))
    state = ask(graph, "Xylophone?")
    assert offered(answers_of(state)[0]) == []
    assert "Be brief." in graph.prompts()[0]
    assert NOTHING_FITS in graph.prompts()[0]


def test_where_nothing_fits_the_model_is_told_so_at_each_step_of_the_turn():
    graph = agent(WEATHER, "Sorry.")
    ask(graph, "Xylophone?")
    assert [NOTHING_FITS in prompt for prompt in graph.prompts()] == [True, True]


def test_documentation_that_changes_is_what_the_very_next_call_reads(tmp_path):
    held = catalog()
    with ToolIndex.in_folder(tmp_path) as index:
        index.sync(held)
        retriever = ToolRetriever(index=index, catalog=held, k=2)
        graph = agent("No.", "<<function>>sort_lines(value='x')", "Done.", held=held, retriever=retriever)  # fmt: skip
        assert offered(answers_of(ask(graph, "Irrigate the tulips"))[0]) == []
        held.redocument(
            "sort_lines",
            {
                "name": "sort_lines",
                "description": "Irrigate tulips.",
                "parameters": {"type": "object", "properties": {"value": {"type": "string"}}},
            },
        )
        index.sync(held)
        state = ask(graph, "Irrigate the tulips")
    assert offered(answers_of(state)[0]) == ["sort_lines"]
    assert results_of(state)[0].text == "sort_lines got x"


def test_the_offer_fits_the_models_context():
    held = ToolCatalog(made(f"rain_{n}", "rain " + "word " * 100) for n in range(6))
    engine = ScriptedEngine(["Yes."], context_tokens=420)
    model = ChatGorilla(model="bundled", engine=engine, max_tokens=20)
    assert 1 <= len(offered(answers_of(ask(agent(held=held, model=model)))[0])) < 4
    engine = ScriptedEngine(["Yes."], context_tokens=120)
    model = ChatGorilla(model="bundled", engine=engine, max_tokens=20)
    with pytest.raises(PromptTooLongError, match="Not even the fewest tools"):
        ask(agent(held=held, model=model))


def test_ten_thousand_tools_cost_nothing_when_an_agent_is_built(monkeypatch):
    held = ToolCatalog(
        {"name": f"tool_{n}", "description": f"Do the thing {n} of kind {n % 97}."}
        for n in range(10_000)
    )
    monkeypatch.setattr(ToolCatalog, "executable", None)
    monkeypatch.setattr(StructuredTool, "from_function", None)
    assert "model" in agent(held=held).get_graph().nodes


def test_a_bare_schema_that_is_called_says_why_it_cannot_run():
    held = ToolCatalog([{"name": "get_weather", "description": "Forecast rain and wind."}])
    state = ask(agent("<<function>>get_weather()", "Sorry.", held=held))
    assert "a schema without code" in results_of(state)[0].text


def test_the_bundled_model_answers_from_a_catalog():
    def get_weather(city: str) -> str:
        """Get the current weather for a city.

        Args:
            city: Name of the city.
        """
        return {"Paris": "18 C and cloudy", "Tokyo": "26 C and sunny"}[city]

    held = ToolCatalog([get_weather, *tools()[1:]])
    model = ChatGorilla(model="bundled", max_tokens=100)
    state = ask(agent(held=held, model=model, k=1), "What is the weather in Paris and in Tokyo?")
    assert sorted(message.text for message in results_of(state)) == [
        "18 C and cloudy", "26 C and sunny",
    ]  # fmt: skip
    assert "26" in answers_of(state)[-1].text


def test_below_the_threshold_of_a_calibrated_retriever_no_tool_is_offered(tmp_path):
    held = catalog()
    pairs = [(f"please {text.lower()}", [name]) for name, text in DESCRIPTIONS.items()]
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords(2048)) as index:
        index.sync(held)
        retriever = ToolRetriever(index=index, catalog=held, k=3).calibrated(pairs)
        graph = agent("Sorry.", WEATHER, "Rain.", held=held, retriever=retriever)
        assert offered(answers_of(ask(graph, "Xylophone quality?"))[0]) == []
        assert NOTHING_FITS in graph.prompts()[0]
        assert offered(answers_of(ask(graph))[0])[0] == "get_weather"


def test_an_own_tool_that_the_catalog_holds_too_is_offered_once():
    graph = agent(WEATHER, "Rain.", own=[made("get_weather", "Own words.")])
    ask(graph)
    assert in_prompt(graph.prompts()[0]).count("get_weather") == 1


def test_an_own_tool_that_the_catalog_holds_too_is_estimated_once():
    model = guessing("get_weather")
    model.profile = {"max_input_tokens": 9_000}
    state = ask(agent(model=model, own=[made("get_weather", "Own words.")]))
    assert results_of(state)[0].text == "get_weather got x"


def test_a_tool_that_would_be_written_like_an_own_one_is_left_out():
    graph = agent(WEATHER, "Rain.", own=[made("get-weather", "Own words.")])
    with pytest.warns(UserWarning, match="write it as 'get-weather'"):
        state = ask(graph)
    assert results_of(state)[0].text == "get-weather got Oslo"


def test_a_turn_that_began_with_a_forced_tool_is_searched_afterwards():
    class FlightFirst(AgentMiddleware):
        def wrap_model_call(self, request, handler):
            first = request.messages[-1].type == "human"
            return handler(request.override(tool_choice="book_flight") if first else request)

    state = ask(agent(FLIGHT, WEATHER, "Rain.", before=[FlightFirst()]))
    assert [message.text for message in results_of(state)] == [
        "book_flight got Oslo", "get_weather got Oslo",
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["auto", "required"])
def test_of_a_catalog_the_allowed_tools_are_offered_without_a_search(mode, monkeypatch):
    listed = [{"type": "function", "name": name} for name in ("book_flight", "send_mail", "mine")]
    choice = {"type": "allowed_tools", "mode": mode, "tools": listed}

    class FlightOrMailFirst(AgentMiddleware):
        def wrap_model_call(self, request, handler):
            first = request.messages[-1].type == "human"
            return handler(request.override(tool_choice=choice) if first else request)

    searched = queries_searched(monkeypatch)
    own = [made("mine", "My own."), made("other", "Another of my own.")]
    graph = agent(FLIGHT, WEATHER, "Rain.", own=own, before=[FlightOrMailFirst()])
    state = ask(graph)
    assert in_prompt(graph.prompts()[0]) == ["book_flight", "send_mail", "mine"]
    assert offered(answers_of(state)[0]) == ["book_flight", "send_mail"]
    assert [message.text for message in results_of(state)] == [
        "book_flight got Oslo", "get_weather got Oslo",
    ]  # fmt: skip
    assert searched == [RAIN]


def test_a_catalogs_tool_that_is_named_like_a_word_can_be_forced():
    class Forced(AgentMiddleware):
        def wrap_model_call(self, request, handler):
            return handler(request.override(tool_choice={"type": "tool", "name": "any"}))

    held = ToolCatalog([made("any", "Rent a car."), *tools()])
    state = ask(agent("<<function>>any(value='a van')", "Done.", held=held, before=[Forced()]))
    assert offered(answers_of(state)[0])[0] == "any"


def test_a_second_agent_with_another_catalog_searches_it_in_the_same_turn():
    first = ask(agent("Over to you."), f"{RAIN}. {MONEY}")
    money = ToolCatalog([made("change_money", "Exchange an amount of money."), *tools()[1:2]])
    second = agent("Done.", held=money, k=1).invoke({"messages": first["messages"]})
    assert "change_money" in offered(answers_of(second)[-1])


def test_a_calibrated_retriever_whose_index_is_gone_falls_back_to_words(tmp_path, monkeypatch):
    held = catalog()
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords(2048)) as index:
        index.sync(held)
        retriever = ToolRetriever(index=index, catalog=held, k=3).calibrated()
        monkeypatch.setattr(ToolRetriever, "search", without_index)
        with pytest.warns(UserWarning, match="by words alone"):
            state = ask(agent(WEATHER, "Rain.", held=held, retriever=retriever))
    assert results_of(state)[0].text == "get_weather got Oslo"
