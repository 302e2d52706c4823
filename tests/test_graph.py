import time
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import ConfigurableField
from langchain_core.tools import InjectedToolCallId, StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import InjectedState, InjectedStore, ToolNode
from langgraph.runtime import get_runtime
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, interrupt
from pydantic import BaseModel

from langchain_gorilla import ChatGorilla, ScriptedEngine, create_tool_agent
from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import (
    DuplicateFunctionError,
    UnknownToolError,
    UnsupportedOptionError,
)
from langchain_gorilla.retrieval.retriever import ToolRetriever


def scripted(*answers: str) -> ChatGorilla:
    return ChatGorilla(model="bundled", engine=ScriptedEngine(answers))


def get_weather(city: str) -> str:
    """Get the weather."""
    if city == "Atlantis":
        raise LookupError("no such city")
    return f"20 C in {city}"


def ask(agent, question="Weather?", **config):
    return agent.invoke({"messages": [HumanMessage(question)]}, **config)["messages"]


TWO_CALLS = "<<function>>get_weather(city='Paris')<<function>>get_weather(city='Rome')"


def test_the_agent_calls_in_parallel_and_answers():
    messages = ask(create_tool_agent(scripted(TWO_CALLS, "Both 20 C."), [get_weather]))
    assert [m.type for m in messages] == ["human", "ai", "tool", "tool", "ai"]
    assert [m.text for m in messages[2:]] == ["20 C in Paris", "20 C in Rome", "Both 20 C."]


def test_a_function_is_described_as_bind_tools_describes_it():
    def get_weather(city: str) -> str:
        """Get the weather.

        Args:
            city: The city's name.
        """
        return city

    agents, bound = scripted("Sunny."), scripted("Sunny.")
    ask(create_tool_agent(agents, [get_weather]))
    bound.bind_tools([get_weather]).invoke("Weather?")
    assert agents.engine.prompts == bound.engine.prompts


def test_a_function_gets_no_argument_for_what_no_call_names():
    def get_weather(city: str, **more: str) -> str:
        """Get the weather."""
        return f"{city} {more}"

    model = scripted("<<function>>get_weather(city='Rome')", "Warm.")
    assert ask(create_tool_agent(model, [get_weather]))[2].text == "Rome {}"


def test_a_configurable_model_is_configured_with_its_tools():
    most = ConfigurableField(id="most")
    model = scripted("Warm and sunny.").configurable_fields(max_tokens=most)
    either = model.configurable_alternatives(ConfigurableField(id="llm"), other=scripted("Cold."))
    agent = create_tool_agent(either, [get_weather])
    assert ask(agent, config={"configurable": {"most": 1}})[-1].text == "Warm"
    assert ask(agent, config={"configurable": {"llm": "other"}})[-1].text == "Cold."


def test_what_is_bound_to_a_model_with_fallbacks_stays():
    first, other = (scripted(*answers).bind(stop=["!"]) for answers in ((), ["Warm! Sunny."]))
    agent = create_tool_agent(first.with_fallbacks([other]), [get_weather])
    assert ask(agent)[-1].text == "Warm"


def test_a_schema_alone_is_no_tool_that_runs():
    schema = {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}
    with pytest.raises(UnknownToolError, match="schema without code"):
        create_tool_agent(scripted(), [schema])


def test_the_results_are_in_the_next_prompt():
    model = scripted(TWO_CALLS, "Both 20 C.")
    ask(create_tool_agent(model, [get_weather]))
    assert "get_weather(city='Rome') -> \"20 C in Rome\"" in model.engine.prompts[1]


def test_calls_of_one_answer_run_side_by_side():
    def slow(city: str) -> str:
        """Get the weather, slowly."""
        time.sleep(0.2)
        running.append(time.perf_counter())
        return city

    running: list[float] = []
    calls = "".join(f"<<function>>slow(city='{name}')" for name in "abcd")
    ask(create_tool_agent(scripted(calls, "Done."), [slow]))
    # One after another they would end 0.6 s apart.
    assert max(running) - min(running) < 0.4


async def test_the_async_agent_gives_the_same_conversation():
    agent = create_tool_agent(scripted(TWO_CALLS, "Both 20 C."), [get_weather])
    state = await agent.ainvoke({"messages": [HumanMessage("Weather?")]})
    assert [m.type for m in state["messages"]] == ["human", "ai", "tool", "tool", "ai"]


def test_an_invalid_call_is_mended_by_the_model():
    bad, good = "<<function>>get_weather(town='Paris')", "<<function>>get_weather(city='Paris')"
    messages = ask(create_tool_agent(scripted(bad, good, "20 C."), [get_weather]))
    assert [m.type for m in messages] == ["human", "ai", "tool", "ai", "tool", "ai"]
    assert messages[2].status == "error"
    assert "town" in messages[2].text


def test_a_model_that_never_mends_its_call_ends_with_words():
    bad = "<<function>>get_weather(town='Paris')"
    messages = ask(create_tool_agent(scripted(*[bad] * 10), [get_weather], max_repairs=2))
    assert isinstance(messages[-1], AIMessage)
    assert "could not write a call" in messages[-1].text
    assert sum(m.type == "ai" for m in messages) == 4


def test_a_model_that_repeats_one_call_for_ever_is_stopped():
    agent = create_tool_agent(
        scripted(*["<<function>>get_weather(city='Paris')"] * 20), [get_weather]
    )
    messages = ask(agent)
    ran = [m for m in messages if isinstance(m, ToolMessage) and m.status != "error"]
    assert len(ran) == 3
    assert isinstance(messages[-1], AIMessage)


def test_a_bound_out_of_range_is_an_error_when_the_graph_is_built():
    with pytest.raises(UnsupportedOptionError, match="max_identical_calls=0"):
        create_tool_agent(scripted(), [get_weather], max_identical_calls=0)


def test_two_tools_of_one_name_are_refused_rather_than_one_of_them_lost():
    other = StructuredTool.from_function(lambda day: day, name="get_weather", description="Later.")
    with pytest.raises(DuplicateFunctionError, match="Two tools are named 'get_weather'"):
        create_tool_agent(scripted(), [get_weather, other])


def test_a_tool_that_is_given_twice_counts_once():
    messages = ask(create_tool_agent(scripted(TWO_CALLS, "Both 20 C."), [get_weather] * 2))
    assert messages[-1].text == "Both 20 C."


def test_a_system_prompt_that_is_no_text_is_refused_when_the_graph_is_built():
    with pytest.raises(UnsupportedOptionError, match="The system prompt is 5, of type int"):
        create_tool_agent(scripted(), [get_weather], system_prompt=5)


def test_a_refused_repetition_does_not_run_beside_a_sibling_that_does():
    one, two = "<<function>>get_weather(city='Paris')", "<<function>>get_weather(city='Rome')"
    model = scripted(one, one + two, "20 C.")
    messages = ask(create_tool_agent(model, [get_weather], max_identical_calls=1))
    results = [m for m in messages if isinstance(m, ToolMessage)]
    assert sorted(m.status for m in results) == ["error", "success", "success"]
    assert len({m.tool_call_id for m in results}) == 3


def test_a_tool_may_read_the_state():
    def count(city: str, state: Annotated[dict, InjectedState]) -> str:
        """Count the messages."""
        return str(len(state["messages"]))

    model = scripted("<<function>>count(city='Paris')", "Two.")
    assert ask(create_tool_agent(model, [count]))[2].text == "2"


def test_an_exception_in_a_tool_reaches_the_model_as_an_error():
    model = scripted("<<function>>get_weather(city='Atlantis')", "There is no such city.")
    messages = ask(create_tool_agent(model, [get_weather]))
    assert messages[2].status == "error"
    assert "no such city" in model.engine.prompts[1]


def test_an_exception_in_a_tool_ends_the_run_where_that_was_asked_for():
    model = scripted("<<function>>get_weather(city='Atlantis')")
    agent = create_tool_agent(model, [get_weather], handle_tool_errors=False)
    with pytest.raises(LookupError, match="no such city"):
        ask(agent)


def test_a_tool_node_of_the_callers_own_is_used():
    node = ToolNode([get_weather], handle_tool_errors="sorry")
    model = scripted("<<function>>get_weather(city='Atlantis')", "Sorry.")
    assert ask(create_tool_agent(model, node))[2].text == "sorry"


def test_a_catalog_is_bound_and_run_and_a_few_of_it_offered():
    catalog = ToolCatalog([get_weather])
    for number in range(50):
        catalog.add({"name": f"sort_{number}", "description": f"Sort the lines of file {number}."})
    model = scripted("<<function>>get_weather(city='Paris')", "20 C.")
    model.tool_retriever = ToolRetriever(catalog=catalog, k=2)
    messages = ask(create_tool_agent(model, catalog), "Get the weather")
    assert [m.text for m in messages[2:]] == ["20 C in Paris", "20 C."]
    assert "sort_7" not in model.engine.prompts[0]


def test_a_tool_that_returns_directly_ends_the_run():
    model = scripted("<<function>>get_weather(city='Paris')", "Not asked for.")
    messages = ask(create_tool_agent(model, [direct()]))
    assert [m.type for m in messages] == ["human", "ai", "tool"]
    assert messages[-1].text == "20 C in Paris"


def test_a_tool_that_makes_its_own_message_returns_directly_too():
    def greet(id_: Annotated[str, InjectedToolCallId]) -> ToolMessage:
        """Greet."""
        return ToolMessage("Hello.", tool_call_id=id_)

    tool = StructuredTool.from_function(greet, return_direct=True)
    messages = ask(create_tool_agent(scripted("<<function>>greet()", "Not asked for."), [tool]))
    assert messages[-1].text == "Hello."


def test_a_tool_of_a_catalog_that_returns_directly_ends_the_run():
    catalog = ToolCatalog([direct()])
    model = scripted("<<function>>get_weather(city='Paris')", "Not asked for.")
    model.tool_retriever = ToolRetriever(catalog=catalog, k=2)
    assert ask(create_tool_agent(model, catalog))[-1].text == "20 C in Paris"


@pytest.mark.parametrize(
    "call",
    [
        "<<function>>count(city='Paris')",  # It does not return directly.
        "<<function>>get_weather(town='Paris')",  # It is refused.
        "<<function>>get_weather(city='Atlantis')",  # It fails.
    ],
)
def test_a_result_that_the_model_has_to_read_keeps_the_run_going(call):
    def count(city: str) -> str:
        """Count the letters."""
        return str(len(city))

    answer = "<<function>>get_weather(city='Paris')" + call
    messages = ask(create_tool_agent(scripted(answer, "Both."), [direct(), count]))
    assert messages[-1].text == "Both."


def direct() -> StructuredTool:
    return StructuredTool.from_function(get_weather, return_direct=True)


def test_options_that_are_bound_to_the_model_are_kept():
    model = scripted("one two three")
    agent = create_tool_agent(
        model.bind(max_tokens=7).with_config(tags=["x"]).bind(stop=["two"]), [get_weather]
    )
    assert ask(agent)[-1].text.strip() == "one"
    (request,) = model.engine.requests
    assert request.options.max_tokens == 7
    assert "get_weather" in model.engine.prompts[0]


def test_a_model_that_tries_again_is_taken_with_its_tools():
    agent = create_tool_agent(scripted(TWO_CALLS, "Both.").with_retry(), [get_weather])
    assert ask(agent)[-1].text == "Both."


def test_a_tool_without_brackets_is_an_error_that_says_so():
    with pytest.raises(UnsupportedOptionError, match=r"brackets, \[tool\]"):
        create_tool_agent(scripted(), get_weather)


def test_what_is_no_chat_model_is_an_error_that_says_so():
    with pytest.raises(UnsupportedOptionError, match="'bundled', which has no bind_tools"):
        create_tool_agent("bundled", [get_weather])


def test_tools_that_are_bound_to_the_model_are_refused():
    with pytest.raises(UnsupportedOptionError, match=r"tools bound.*without bind_tools"):
        create_tool_agent(scripted().bind_tools([get_weather]).bind(stop=["x"]), [get_weather])


@pytest.mark.parametrize("system_prompt", ["Be brief.", SystemMessage("Be brief.")])
def test_the_system_prompt_is_sent_and_not_kept(system_prompt):
    model = scripted("Hello.")
    messages = ask(create_tool_agent(model, [get_weather], system_prompt=system_prompt))
    assert "Be brief." in model.engine.prompts[0]
    assert [m.type for m in messages] == ["human", "ai"]


def test_a_checkpointer_keeps_the_conversation():
    model = scripted("Hello Ann.", "Ann.")
    agent = create_tool_agent(model, [get_weather], checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    ask(agent, "I am Ann.", config=thread)
    assert len(ask(agent, "Who am I?", config=thread)) == 4
    assert "I am Ann." in model.engine.prompts[1]


def catalog_agent(*answers: str):
    catalog = ToolCatalog([get_weather])
    model = scripted(*answers)
    model.tool_retriever = ToolRetriever(catalog=catalog, k=9)
    return catalog, model, create_tool_agent(model, catalog)


def test_a_tool_that_a_catalog_gets_later_is_offered_and_runs():
    catalog, _, agent = catalog_agent("<<function>>get_tide(city='Brest')", "High.")
    catalog.add(StructuredTool.from_function(get_weather, name="get_tide", description="Tides."))
    assert ask(agent, "Get the tide")[2].text == "20 C in Brest"


async def test_the_async_agent_is_offered_later_tools_too():
    catalog, _, agent = catalog_agent("<<function>>get_tide(city='Brest')", "High.")
    catalog.add(StructuredTool.from_function(get_weather, name="get_tide", description="Tides."))
    state = await agent.ainvoke({"messages": [HumanMessage("Get the tide")]})
    assert state["messages"][2].text == "20 C in Brest"


def test_a_tool_that_a_catalog_lost_is_not_offered():
    catalog, model, agent = catalog_agent("No.")
    catalog.remove("get_weather")
    ask(agent, "Get the weather")
    assert "get_weather" not in model.engine.prompts[0]


def test_the_tools_of_a_catalog_that_did_not_change_are_bound_once(monkeypatch):
    bound, bind = [], ChatGorilla.bind_tools

    def counted(self, tools, **options):
        bound.append(tools)
        return bind(self, tools, **options)

    monkeypatch.setattr(ChatGorilla, "bind_tools", counted)
    _, _, agent = catalog_agent("One.", "Two.")
    ask(agent)
    ask(agent)
    assert len(bound) == 1


def test_each_call_that_interrupts_gets_its_own_answer_and_the_others_run_once():
    def book(city: str) -> str:
        """Book a room."""
        if city == "Paris":
            time.sleep(0.1)  # asks last, though it was called first
        booked.append(city)
        return f"{city}: {interrupt(city)}" if city != "Rome" else "Rome: booked"

    booked: list[str] = []
    calls = "".join(f"<<function>>book(city='{name}')" for name in ("Paris", "Rome", "Oslo"))
    agent = create_tool_agent(scripted(calls, "Done."), [book], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    asked = agent.invoke({"messages": [HumanMessage("Book.")]}, config)["__interrupt__"]
    answers = {each.id: f"{each.value} it is" for each in asked}
    messages = agent.invoke(Command(resume=answers), config)["messages"]
    results = [message.text for message in messages[2:5]]
    assert results == ["Paris: Paris it is", "Rome: booked", "Oslo: Oslo it is"]
    assert booked.count("Rome") == 1


def edited(answer: AIMessage, city: str) -> AIMessage:
    return answer.model_copy(
        update={"tool_calls": [{**answer.tool_calls[0], "args": {"city": city}}]}
    )


def test_a_call_that_is_edited_at_a_breakpoint_runs_as_edited():
    model = scripted("<<function>>get_weather(city='Paris')", "20 C.")
    agent = create_tool_agent(model, [get_weather], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    *_, answer = ask(agent, config=config, interrupt_before=["tools"])
    agent.update_state(config, {"messages": [edited(answer, "Rome")]})
    messages = agent.invoke(None, config)["messages"]
    assert [m.text for m in messages] == ["Weather?", "", "20 C in Rome", "20 C."]


def test_a_run_goes_on_from_an_edited_answer_of_the_past():
    model = scripted("<<function>>get_weather(city='Paris')", "20 C.", "Rome, then.")
    agent = create_tool_agent(model, [get_weather], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    ask(agent, config=config)
    past = next(s for s in agent.get_state_history(config) if s.next == ("tools",))
    answer = past.values["messages"][-1]
    fork = agent.update_state(past.config, {"messages": [edited(answer, "Rome")]})
    messages = agent.invoke(None, fork)["messages"]
    assert [m.text for m in messages] == ["Weather?", "", "20 C in Rome", "Rome, then."]


def test_what_a_person_says_at_a_breakpoint_goes_to_the_model():
    model = scripted("<<function>>get_weather(city='Paris')", "Rome, then.")
    agent = create_tool_agent(model, [get_weather], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    ask(agent, config=config, interrupt_before=["tools"])
    agent.update_state(config, {"messages": [HumanMessage("No, in Rome.")]})
    messages = agent.invoke(None, config)["messages"]
    assert [m.text for m in messages] == ["Weather?", "", "No, in Rome.", "Rome, then."]


def test_a_tool_remembers_in_the_agents_store():
    def note(text: str, store: Annotated[Any, InjectedStore]) -> str:
        """Note a text."""
        store.put(("notes",), "1", {"text": text})
        return "noted"

    store = InMemoryStore()
    ask(create_tool_agent(scripted("<<function>>note(text='hi')", "Done."), [note], store=store))
    assert store.get(("notes",), "1").value == {"text": "hi"}


class TypedState(MessagesState):
    user: str


class PydanticState(BaseModel):
    messages: Annotated[list, add_messages]
    user: str = ""


@dataclass
class DataclassState:
    messages: Annotated[list, add_messages] = field(default_factory=list)
    user: str = ""


@pytest.mark.parametrize("state_schema", [TypedState, PydanticState, DataclassState])
def test_tools_read_and_change_a_state_of_ones_own(state_schema):
    def greet(
        word: str,
        state: Annotated[Any, InjectedState],
        tool_call_id: Annotated[str, InjectedToolCallId],
    ) -> Command:
        """Greet the user."""
        user = state["user"] if isinstance(state, dict) else state.user
        message = ToolMessage(f"{word} {user}", tool_call_id=tool_call_id)
        return Command(update={"user": f"{user}, greeted", "messages": [message]})

    model = scripted("<<function>>greet(word='Hi')", "Done.")
    agent = create_tool_agent(model, [greet], state_schema=state_schema)
    state = agent.invoke({"messages": [HumanMessage("Greet me.")], "user": "Ann"})
    assert [m.text for m in state["messages"]] == ["Greet me.", "", "Hi Ann", "Done."]
    assert state["user"] == "Ann, greeted"


@pytest.mark.parametrize("state_schema", [dict, dataclass(type("Empty", (), {})), "State"])
def test_a_state_without_messages_is_refused_when_the_graph_is_built(state_schema):
    with pytest.raises(UnsupportedOptionError, match="Derive yours from it: class State"):
        create_tool_agent(scripted(), [get_weather], state_schema=state_schema)


def test_a_tool_reads_the_context_of_a_run():
    def whoami() -> str:
        """Say who asks."""
        return get_runtime(TypedState).context["user"]

    model = scripted("<<function>>whoami()", "Ann.")
    agent = create_tool_agent(model, [whoami], context_schema=TypedState)
    state = agent.invoke({"messages": [HumanMessage("Who?")]}, context={"user": "Ann"})
    assert state["messages"][2].text == "Ann"


def test_a_graph_stops_at_the_nodes_that_it_was_built_to_stop_at():
    model = scripted("<<function>>get_weather(city='Paris')", "20 C.")
    agent = create_tool_agent(
        model,
        [get_weather],
        checkpointer=InMemorySaver(),
        interrupt_before=["tools"],
        interrupt_after=["tools"],
    )
    config = {"configurable": {"thread_id": "1"}}
    assert len(ask(agent, config=config)) == 2
    assert len(agent.invoke(None, config)["messages"]) == 3
    assert len(agent.invoke(None, config)["messages"]) == 4


def test_an_agent_with_a_name_is_a_node_of_that_name_and_signs_its_answers():
    calls = "<<function>>get_weather(town='Paris')"
    agent = create_tool_agent(scripted(calls), [get_weather], name="weather", max_repairs=0)
    team = StateGraph(MessagesState).add_node(agent).add_edge(START, "weather").compile()
    messages = ask(team)
    assert [(m.type, m.name) for m in messages] == [
        ("human", None),
        ("ai", "weather"),
        ("tool", "get_weather"),
        ("ai", "weather"),
    ]
