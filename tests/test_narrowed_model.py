"""Narrowing inside ChatGorilla: bind all tools, be offered a few."""

import json
import re

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel, create_model

from langchain_gorilla import ChatGorilla, ScriptedEngine, create_tool_agent
from langchain_gorilla.errors import (
    DuplicateFunctionError,
    InvalidFunctionError,
    PromptError,
    PromptTooLongError,
    UnknownToolError,
    UnsupportedOptionError,
)
from langchain_gorilla.narrowing.offering import NOTHING_FITS
from langchain_gorilla.retrieval.abstention import Calibration
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.points import Where
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

RAIN = "Forecast the rain and wind for Oslo"
MONEY = "Exchange money into another currency"
CALL = "<<function>>get_weather(value='Oslo')"


def model(*answers: str, retriever: ToolRetriever | None = None, **options) -> ChatGorilla:
    options = {"engine": ScriptedEngine(answers or ["Yes."] * 20), **options}
    retriever = retriever or ToolRetriever(catalog=catalog(), k=3)
    return ChatGorilla(model="bundled", tool_retriever=retriever, **options)


def offered(message) -> list[str]:
    return [tool["name"] for tool in message.response_metadata["tools_offered"]]


def in_prompt(prompt: str) -> list[str]:
    """Return the names of the tools that a prompt documents, in their order."""
    found = re.search(r"<<function>>(\[.*?\])\n<<question>>", prompt, re.DOTALL)
    return [document["name"] for document in json.loads(found[1])] if found else []


def test_of_all_bound_tools_the_prompt_holds_the_few_that_fit():
    chat = model()
    answer = chat.bind_tools(tools()).invoke(RAIN)
    assert offered(answer)[0] == "get_weather"
    assert len(offered(answer)) <= 3
    assert in_prompt(chat.engine.prompts[0]) == offered(answer)


def test_the_answer_says_what_it_was_offered_with_scores():
    (first, *_) = model().bind_tools(tools()).invoke(RAIN).response_metadata["tools_offered"]
    assert (first["name"], first["reason"]) == ("get_weather", "found")
    assert first["score"] > 1.0


async def test_all_four_ways_of_asking_are_offered_the_same():
    bound = model().bind_tools(tools())
    merged = None
    for chunk in bound.stream(RAIN):
        merged = chunk if merged is None else merged + chunk
    async_merged = None
    async for chunk in bound.astream(RAIN):
        async_merged = chunk if async_merged is None else async_merged + chunk
    answers = [bound.invoke(RAIN), await bound.ainvoke(RAIN), merged, async_merged]
    assert len({json.dumps(a.response_metadata["tools_offered"]) for a in answers}) == 1


def test_a_call_of_an_offered_tool_is_read_and_checked():
    bound = model(CALL, "<<function>>get_weather(town='Oslo')").bind_tools(tools())
    assert bound.invoke(RAIN).tool_calls[0]["args"] == {"value": "Oslo"}
    assert "town" in bound.invoke(RAIN).invalid_tool_calls[0]["error"]


def test_a_call_of_a_tool_that_was_not_offered_is_invalid():
    bound = model("<<function>>book_flight(value='Oslo')").bind_tools(tools())
    assert bound.invoke(RAIN).invalid_tool_calls[0]["name"] == "book_flight"


def test_every_request_asks_for_one_tool_more_than_k_for_each_clause():
    query = "Give a folder another label, and give a branch another label, and forecast rain here"
    chat = model(retriever=ToolRetriever(catalog=catalog(), k=1))
    assert len(offered(chat.bind_tools(tools()).invoke(query))) == 4


def conversation_of_two_turns(chat: ChatGorilla):
    bound = chat.bind_tools(tools())
    first = bound.invoke(RAIN)
    told = [HumanMessage(RAIN), first, ToolMessage("Rain.", tool_call_id=first.tool_calls[0]["id"])]
    second = bound.invoke(told)
    third = bound.invoke([*told, second, HumanMessage(MONEY)])
    return first, second, third


def test_the_selection_of_a_turn_is_made_once_and_the_next_turn_appends():
    chat = model(CALL, "It rains.", "Done.")
    first, second, third = conversation_of_two_turns(chat)
    assert offered(second) == offered(first)
    assert offered(third)[: len(offered(first))] == offered(first)
    assert "convert_currency" in offered(third)[len(offered(first)) :]


def test_a_prompt_begins_as_the_one_before_it_ended():
    chat = model(CALL, "It rains.", "Done.")
    conversation_of_two_turns(chat)
    first, second, _ = chat.engine.prompts
    assert second.startswith(first)


def test_a_search_is_made_once_a_human_turn(monkeypatch):
    searched = queries_searched(monkeypatch)
    conversation_of_two_turns(model(CALL, "It rains.", "Done."))
    assert searched == [RAIN, MONEY]


def test_a_graph_keeps_the_selection_in_its_checkpoints():
    chat = model(CALL, "It rains.", "<<function>>convert_currency(value='5')", "Five.")
    agent = create_tool_agent(chat, tools(), checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    agent.invoke({"messages": [("human", RAIN)]}, thread)
    messages = agent.invoke({"messages": [("human", MONEY)]}, thread)["messages"]
    last = [message for message in messages if isinstance(message, AIMessage)][-1]
    reasons = {tool["name"]: tool["reason"] for tool in last.response_metadata["tools_offered"]}
    assert (reasons["get_weather"], reasons["convert_currency"]) == ("used", "used")


class Weather(BaseModel):
    """The weather."""

    celsius: int


def test_what_the_catalog_does_not_hold_is_always_offered():
    answer = model().bind_tools([*tools(), Weather]).invoke(RAIN)
    assert offered(answer)[0] == "Weather"
    assert answer.response_metadata["tools_offered"][0]["reason"] == "pinned"


def test_structured_output_needs_no_search(monkeypatch):
    monkeypatch.setattr(ToolRetriever, "search", None)
    chat = model("<<function>>Weather(celsius=3)")
    assert chat.with_structured_output(Weather).invoke("Cold?") == Weather(celsius=3)


def test_a_forced_tool_needs_no_search(monkeypatch):
    monkeypatch.setattr(ToolRetriever, "search", None)
    chat = model("<<function>>book_flight(value='Oslo')")
    answer = chat.bind_tools(tools(), tool_choice="book_flight").invoke(RAIN)
    assert offered(answer) == ["book_flight"]
    assert answer.tool_calls[0]["name"] == "book_flight"
    assert chat.engine.requests[0].constraint.answer.name == "book_flight"


def test_of_many_tools_the_allowed_ones_alone_are_offered():
    allowed = [{"type": "function", "name": "book_flight"}]
    choice = {"type": "allowed_tools", "mode": "auto", "tools": allowed}
    at_bind, of_a_call = model(), model()
    assert offered(at_bind.bind_tools(tools(), tool_choice=choice).invoke(RAIN)) == ["book_flight"]
    of_a_call.bind_tools(tools()).invoke(RAIN, tool_choice=choice)
    for each in (at_bind, of_a_call):
        assert [f.name for f in each.engine.requests[0].constraint.functions] == ["book_flight"]


def test_no_tool_is_searched_for_where_none_may_be_called(monkeypatch):
    monkeypatch.setattr(ToolRetriever, "search", None)
    assert offered(model().bind_tools(tools(), tool_choice="none").invoke(RAIN)) == []


def test_a_forced_tool_that_is_not_bound_is_an_error_with_near_names():
    with pytest.raises(UnknownToolError, match=r"of the 20 bound tools\. Near names: book_flight"):
        model().bind_tools(tools(), tool_choice="book_flihgt")


def test_a_demanded_call_is_offered_what_there_is():
    answer = model().bind_tools(tools(), tool_choice="any").invoke("rain")
    assert offered(answer) == ["get_weather"]


def test_a_demanded_call_for_which_nothing_is_found_is_an_error_that_says_so():
    with pytest.raises(UnknownToolError, match="none of the 20 bound tools was found"):
        model().bind_tools(tools(), tool_choice="any").invoke("Xylophone?")


def test_tools_marked_as_deferred_are_found_and_the_others_pinned():
    deferred = tools(extras={"defer_loading": True})
    always = made("help", "List the commands.")
    bound = model().bind_tools([*deferred, always])
    assert offered(bound.invoke(RAIN))[:2] == ["help", "get_weather"]
    assert "rename_host" not in offered(bound.invoke(RAIN))


@pytest.mark.parametrize("mark", [{"defer_loading": True}, {"extras": {"defer_loading": True}}])
def test_the_mark_is_read_on_dicts_too(mark):
    dicts = [
        {"type": "function", "function": {"name": name, "description": text}, **mark}
        for name, text in DESCRIPTIONS.items()
    ]
    dicts[-1] = {key: value for key, value in dicts[-1].items() if key not in mark}
    assert offered(model().bind_tools(dicts).invoke(RAIN))[:2] == ["rename_garden", "get_weather"]


def test_a_tool_marked_as_not_deferred_is_pinned():
    bound = [*tools()[:-1], made("rename_garden", "Label.", extras={"defer_loading": False})]
    assert offered(model().bind_tools(bound).invoke(RAIN))[0] == "rename_garden"


def test_tools_are_not_bound_to_an_index_that_was_never_synced():
    retriever = ToolRetriever(index=ToolIndex.in_memory(), k=5)
    with pytest.raises(UnknownToolError, match=r"holds no tools, so all 20 .* Sync it before"):
        model(retriever=retriever).bind_tools(tools())
    few = model(retriever=retriever).bind_tools(tools()[:5])
    assert len(offered(few.invoke(RAIN))) == 5


def test_a_deferred_tool_that_nobody_can_find_is_an_error():
    lost = made("lost", "Lost.", extras={"defer_loading": True})
    with pytest.raises(UnknownToolError, match="'lost' is marked defer_loading"):
        model().bind_tools([*tools(), lost])


def test_only_bound_tools_are_found():
    some = [tool for tool in tools() if tool.name in ("rename_host", "rename_album", "sort_lines")]
    answer = model().bind_tools(some).invoke("Forecast rain, and give a host another label")
    assert offered(answer)[0] == "rename_host"
    assert "get_weather" not in offered(answer)


def test_few_tools_are_all_offered_the_best_first():
    some = [tool for tool in tools() if tool.name in ("send_mail", "get_weather", "book_flight")]
    assert offered(model().bind_tools(some).invoke(RAIN)) == [
        "get_weather", "send_mail", "book_flight",
    ]  # fmt: skip


def test_without_index_and_catalog_the_bound_tools_own_words_are_searched():
    chat = model(retriever=ToolRetriever(k=2))
    assert offered(chat.bind_tools(tools()).invoke(RAIN))[0] == "get_weather"


@pytest.mark.parametrize("with_catalog", [True, False])
def test_an_index_is_searched_with_and_without_a_catalog(tmp_path, with_catalog):
    held = catalog()
    with ToolIndex.in_folder(tmp_path) as index:
        index.sync(held)
        retriever = ToolRetriever(index=index, catalog=held if with_catalog else None, k=2)
        answer = model(retriever=retriever).bind_tools([*tools(), Weather]).invoke(RAIN)
    assert offered(answer)[:2] == ["Weather", "get_weather"]


@pytest.mark.parametrize("with_catalog", [True, False])
async def test_where_the_index_is_gone_words_decide_and_that_is_said(tmp_path, with_catalog):
    held = catalog()
    index = ToolIndex.in_folder(tmp_path)
    index.sync(held)
    retriever = ToolRetriever(index=index, catalog=held if with_catalog else None, k=2)
    bound = model(retriever=retriever).bind_tools(tools())
    assert index._open is not None
    index._open.store.close()
    with pytest.warns(UserWarning, match="by words alone"):
        answer = bound.invoke(RAIN)
    with pytest.warns(UserWarning, match="by words alone"):
        assert offered(await bound.ainvoke(RAIN)) == offered(answer)
    assert offered(answer)[0] == "get_weather"
    assert "by words alone" in answer.response_metadata["tools_notes"][0]
    index.close()


def test_a_forgotten_sync_is_said_and_words_decide(tmp_path):
    with ToolIndex.in_folder(tmp_path) as index:
        chat = model(retriever=ToolRetriever(index=index, catalog=catalog(), k=2))
        with pytest.warns(UserWarning, match="the index is empty"):
            answer = chat.bind_tools(tools()).invoke(RAIN)
    assert offered(answer)[0] == "get_weather"


def test_documentation_that_changes_is_what_the_very_next_call_reads(tmp_path):
    held = catalog()
    with ToolIndex.in_folder(tmp_path) as index:
        index.sync(held)
        chat = model(retriever=ToolRetriever(index=index, catalog=held, k=2))
        bound = chat.bind_tools(tools())
        question = "Irrigate the tulips"
        assert offered(bound.invoke(question)) == []
        held.redocument(
            "sort_lines",
            {
                "name": "sort_lines",
                "description": "Irrigate tulips.",
                "parameters": {"type": "object", "properties": {"liters": {"type": "integer"}}},
            },
        )
        index.sync(held)
        assert offered(bound.invoke(question)) == ["sort_lines"]
    assert '"liters"' in chat.engine.prompts[-1]


def test_where_nothing_fits_no_tool_is_offered_and_the_model_is_told():
    chat = model()
    answer = chat.bind_tools(tools()).invoke("Xylophone?")
    assert offered(answer) == []
    assert NOTHING_FITS in chat.engine.prompts[0]
    assert "<<function>>" not in chat.engine.prompts[0]


def test_a_called_tool_stays_where_nothing_new_fits():
    chat = model(CALL, "It rains.", "You are welcome.")
    bound = chat.bind_tools(tools())
    first = bound.invoke(RAIN)
    told = [HumanMessage(RAIN), first, ToolMessage("Rain.", tool_call_id=first.tool_calls[0]["id"])]
    answer = bound.invoke([*told, AIMessage("Rain."), HumanMessage("Thanks!")])
    assert "get_weather" in offered(answer)
    assert NOTHING_FITS not in chat.engine.prompts[-1]


WORDS = "word " * 100


def large(*names: str) -> list[dict]:
    return [{"name": name, "description": f"{name} rain. {WORDS}"} for name in names]


def sized(context_tokens: int, *answers: str, **options) -> ChatGorilla:
    engine = ScriptedEngine(answers or ["Yes."] * 9, context_tokens=context_tokens)
    return model(retriever=ToolRetriever(k=5), engine=engine, **options)


@pytest.mark.parametrize(("context", "most"), [(260, 1), (360, 2), (460, 3), (2_000, 4)])
def test_tools_that_do_not_fit_leave_whole_from_the_last_rank(context, most):
    names = ("rain_a", "rain_b", "rain_c", "rain_d")
    roomy = offered(sized(9_000, max_tokens=20).bind_tools(large(*names)).invoke("rain"))
    chat = sized(context, max_tokens=20)
    assert offered(chat.bind_tools(large(*names)).invoke("rain")) == roomy[:most]
    assert chat.engine.prompts[0].count(WORDS.strip()) == most


def test_where_not_even_one_tool_fits_the_error_says_what_to_do():
    bound = sized(150, max_tokens=20).bind_tools(large("rain_a", "rain_b"))
    with pytest.raises(PromptTooLongError, match=r"with 'rain_a' the prompt has .* Shorten"):
        bound.invoke("rain")


async def test_the_error_is_the_same_in_async():
    bound = sized(150, max_tokens=20).bind_tools(large("rain_a", "rain_b"))
    with pytest.raises(PromptTooLongError, match="without tools it has"):
        await bound.ainvoke("rain")


def test_tools_that_were_called_stay_when_the_room_gets_small():
    chat = sized(420, "<<function>>rain_b()", "Yes.", max_tokens=20)
    bound = chat.bind_tools(large("rain_a", "rain_b", "rain_c"))
    first = bound.invoke("rain")
    assert "rain_b" in offered(first)
    told = [HumanMessage("rain"), first]
    told.append(ToolMessage("wet " * 150, tool_call_id=first.tool_calls[0]["id"]))
    assert offered(bound.invoke(told)) == ["rain_b"]


def test_room_for_the_answer_is_a_quarter_of_the_context_at_most():
    assert offered(sized(420).bind_tools(large("rain_a", "rain_b")).invoke("rain"))


def test_the_documents_are_compact():
    dicts = [
        {
            "name": "get_rain",
            "description": "Forecast rain.",
            "parameters": {
                "type": "object",
                "properties": {"a": {"title": "Very long title", "type": "string"}},
            },
        }
    ]
    chat = model(retriever=ToolRetriever(k=2))
    chat.bind_tools(dicts).invoke("rain")
    assert "Very long title" not in chat.engine.prompts[0]


def test_two_different_tools_with_one_name_are_an_error():
    with pytest.raises(DuplicateFunctionError, match="get_weather"):
        model().bind_tools([*tools(), made("get_weather", "Another.")])


def test_one_tool_given_twice_counts_once():
    assert len(model().bind_tools([*tools(), *tools()]).kwargs["tools"]) == len(DESCRIPTIONS)


def test_of_two_names_that_would_be_written_alike_the_better_one_is_offered():
    retriever = ToolRetriever(k=9)
    bound = model(retriever=retriever).bind_tools(
        [made("get_rain", "Rain and wind."), made("get-rain", "Rain.")]
    )
    with pytest.warns(UserWarning, match="Rename one of them"):
        answer = bound.invoke("rain and wind")
    assert offered(answer) == ["get_rain"]
    assert "'get-rain' was found and left out" in answer.response_metadata["tools_notes"][0]


def test_a_found_tool_that_cannot_be_written_is_left_out_and_that_is_said():
    properties = {"a-b": {"type": "string"}, "a_b": {"type": "string"}}
    odd = {
        "name": "rain_odd",
        "description": "Forecast rain.",
        "parameters": {"type": "object", "properties": properties},
    }
    chat = model(retriever=ToolRetriever(k=9))
    bound = chat.bind_tools([odd, made("rain_even", "Forecast rain.")])
    with pytest.warns(UserWarning, match="Parameters 'a-b' and 'a_b'"):
        assert offered(bound.invoke("rain")) == ["rain_even"]


def test_what_is_bound_looks_like_the_dicts_of_all_tools():
    bound = model().bind_tools(tools()).kwargs["tools"]
    assert [each["function"]["name"] for each in bound] == list(DESCRIPTIONS)
    assert bound[0] == next(iter(bound))
    assert [each["type"] for each in bound[:2]] == ["function", "function"]


def test_strict_is_checked_for_tools_that_are_always_offered():
    with pytest.raises(UnsupportedOptionError, match="strict=True"):
        model().bind_tools(
            [
                *tools(),
                {
                    "name": "loose",
                    "parameters": {
                        "type": "object",
                        "properties": {"a": {"not": {"type": "string"}}},
                    },
                },
            ],
            strict=True,
        )


def test_a_trace_holds_no_schema():
    chat = model()
    params = chat._get_invocation_params(**chat.bind_tools(tools()).kwargs)
    assert set(params["tools"]) == {"count", "fingerprint", "k", "search"}
    assert len(json.dumps(params["tools"])) < 300


def test_a_cached_answer_is_another_when_the_documentation_is():
    held = catalog()
    chat = model("One.", "Two.", retriever=ToolRetriever(catalog=held, k=2), cache=InMemoryCache())
    bound = chat.bind_tools(tools())
    assert [bound.invoke(RAIN).text, bound.invoke(RAIN).text] == ["One.", "One."]
    held.redocument("get_weather", {"name": "get_weather", "description": "Rain and more rain."})
    assert bound.invoke(RAIN).text == "Two."


def person_model(**fields):
    return create_model("Person", __doc__="Somebody.", **fields)


def look_in(city: str) -> str:
    """Look."""
    return city


def look_in_units(city: str, units: str) -> str:
    """Look."""
    return city + units


look_in_units.__name__ = look_in.__name__


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (person_model(name=(str, ...)), person_model(name=(str, ...), age=(int, ...))),
        (look_in, look_in_units),
    ],
    ids=["class", "function"],
)
def test_a_cached_answer_is_another_when_the_schema_of_a_pinned_tool_is(old, new):
    chat = model("One.", "Two.", cache=InMemoryCache())
    asked = [chat.bind_tools([*tools(), each]).invoke(RAIN).text for each in (old, old, new)]
    assert asked == ["One.", "One.", "Two."]


def test_a_cache_key_is_another_when_something_else_is_searched(tmp_path):
    held, engine = catalog(), ScriptedEngine(["Yes."])
    sure, unsure = (
        Calibration(1.0, 0.0, threshold, precision=1.0, recall=1.0, kept=1.0, requests=9)
        for threshold in (0.9, 0.1)
    )

    def key(**searched):
        chat = model(retriever=ToolRetriever(catalog=held, **searched), engine=engine)
        return chat._get_llm_string(**chat.bind_tools(tools()).kwargs)

    with (
        ToolIndex.in_folder(tmp_path / "a") as one,
        ToolIndex.in_folder(tmp_path / "b") as other,
        ToolIndex.in_folder(tmp_path / "c", embeddings=HashedWords(8)) as dense,
    ):
        options = [
            {},
            {"where": Where(names=("get_weather",))},
            {"where": Where(namespaces=("sky",))},
            {"constraints": True},
            {"calibration": sure},
            {"calibration": unsure},
            {"index": one},
            {"index": other},
            {"index": dense},
        ]
        keys = [key(**each) for each in options]
        dense.fusion = "dbsf"
        keys.append(key(index=dense))
    assert len(set(keys)) == len(options) + 1
    assert key() == keys[0]


def test_the_cache_key_of_a_pinned_tool_is_that_of_its_own_documentation():
    """What the catalog says of a tool that is marked as not deferred is not what is offered."""
    pinned = made("get_weather", "Own words.", extras={"defer_loading": False})
    bound = model().bind_tools([*tools()[1:], pinned]).kwargs["tools"]
    other = made("get_weather", "Other words.", extras={"defer_loading": False})
    assert model().bind_tools([*tools()[1:], other]).kwargs["tools"].summary() != bound.summary()


@pytest.mark.parametrize("given", [5, tools()[0], {"name": "a"}, "a"])
def test_tools_that_are_no_list_are_refused(given):
    with pytest.raises(InvalidFunctionError, match="Expected a list"):
        model().bind_tools(given)


def test_a_model_without_a_retriever_reports_nothing():
    chat = ChatGorilla(model="bundled", engine=ScriptedEngine(["Yes."]))
    answer = chat.bind_tools(tools()).invoke([SystemMessage("Be brief."), HumanMessage(RAIN)])
    assert "tools_offered" not in answer.response_metadata


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    held = catalog()
    index = ToolIndex.in_folder(tmp_path_factory.mktemp("index"), embeddings=HashedWords(2048))
    index.sync(held)
    pairs = [(f"please {text.lower()}", [name]) for name, text in DESCRIPTIONS.items()]
    yield ToolRetriever(index=index, catalog=held, k=3).calibrated(pairs)
    index.close()


def test_below_the_threshold_no_tool_is_offered_and_above_it_some_are(calibrated):
    assert ToolRetriever.search(calibrated, "Xylophone quality?").hits  # an embedder finds always
    chat = model(retriever=calibrated)
    bound = chat.bind_tools(tools())
    assert offered(bound.invoke("Xylophone quality?")) == []
    assert NOTHING_FITS in chat.engine.prompts[0]
    assert offered(bound.invoke(RAIN))[0] == "get_weather"


def test_a_demanded_call_is_offered_tools_below_the_threshold_too(calibrated):
    bound = model(retriever=calibrated).bind_tools(tools(), tool_choice="any")
    assert offered(bound.invoke("Xylophone quality?"))


def test_pinned_tools_are_offered_below_the_threshold(calibrated):
    chat = model(retriever=calibrated)
    assert offered(chat.bind_tools([*tools(), Weather]).invoke("Xylophone quality?")) == ["Weather"]
    assert NOTHING_FITS not in chat.engine.prompts[0]


def test_a_filter_holds_where_a_search_could_find_all_tools():
    held, only = catalog(), Where(names=("get_weather",))
    chat = model(retriever=ToolRetriever(catalog=held, k=50, where=only))
    answer = chat.bind_tools(tools()).invoke(RAIN)
    assert offered(answer) == ["get_weather"]


def test_a_turn_that_began_with_a_forced_tool_is_searched_afterwards():
    chat = model("<<function>>book_flight(value='Oslo')", "Done.")
    first = chat.bind_tools(tools(), tool_choice="book_flight").invoke(RAIN)
    told = [HumanMessage(RAIN), first, ToolMessage("Ok", tool_call_id=first.tool_calls[0]["id"])]
    assert offered(chat.bind_tools(tools()).invoke(told))[:2] == ["book_flight", "get_weather"]


def test_a_turn_that_began_without_tools_is_searched_afterwards():
    chat = model()
    first = chat.bind_tools(tools(), tool_choice="none").invoke(RAIN)
    assert "get_weather" in offered(chat.bind_tools(tools()).invoke([HumanMessage(RAIN), first]))


def test_a_second_model_with_other_tools_searches_them_in_the_same_turn():
    money = [made("convert_currency", DESCRIPTIONS["convert_currency"]), made("tax", "Count tax.")]
    both = f"{RAIN}. {MONEY}"
    first = model("Over to you.").bind_tools(tools()[:1]).invoke(both)
    second = model(retriever=ToolRetriever(k=1)).bind_tools(money)
    assert offered(second.invoke([HumanMessage(both), first])) == ["convert_currency"]


def test_a_second_model_searches_the_turn_in_which_the_first_was_offered_nothing():
    question = "Levitate the zeppelin"
    first = model("Over to you.").bind_tools(tools()).invoke(question)
    second = model(retriever=ToolRetriever(k=1)).bind_tools(
        [made("levitate", "Levitate a zeppelin."), made("tax", "Count tax.")]
    )
    assert offered(first) == []
    assert offered(second.invoke([HumanMessage(question), first])) == ["levitate"]


def test_a_format_of_one_function_is_offered_the_best_one():
    bound = model(format="gorilla-7b").bind_tools(tools())
    assert offered(bound.invoke("Give a folder another label")) == ["rename_folder"]


def test_a_format_of_one_function_is_offered_another_in_the_next_turn():
    bound = model(format="gorilla-7b").bind_tools(tools())
    told = [HumanMessage(RAIN), bound.invoke(RAIN), HumanMessage(MONEY)]
    assert offered(bound.invoke(told)) == ["convert_currency"]


def test_a_called_tool_that_leaves_a_format_no_room_for_a_new_one_is_an_error_that_says_so():
    call = {"name": "get_weather", "args": {"value": "Oslo"}, "id": "1"}
    told = [
        HumanMessage(RAIN),
        AIMessage("", tool_calls=[call]),
        ToolMessage("5", tool_call_id="1"),
    ]
    bound = model(format="gorilla-7b").bind_tools(tools())
    with pytest.raises(PromptError, match=r"can write 1 function, .* 'get_weather', 'convert_curr"):
        bound.invoke([*told, HumanMessage(MONEY)])


@pytest.mark.parametrize("with_catalog", [True, False])
def test_a_calibrated_retriever_whose_index_is_gone_falls_back_to_words_too(
    calibrated, with_catalog, monkeypatch
):
    held = calibrated.catalog if with_catalog else None
    bound = model(retriever=calibrated.model_copy(update={"catalog": held})).bind_tools(tools())
    monkeypatch.setattr(ToolRetriever, "search", without_index)
    with pytest.warns(UserWarning, match="by words alone"):
        assert offered(bound.invoke(RAIN))[0] == "get_weather"


def test_a_filter_of_facts_holds_where_the_index_is_gone(monkeypatch):
    index = ToolIndex.in_memory()
    index.sync(catalog())
    retriever = ToolRetriever(index=index, where=Where(namespaces=("mine",)))
    bound = model(retriever=retriever).bind_tools(tools())
    monkeypatch.setattr(ToolRetriever, "search", without_index)
    with pytest.warns(UserWarning, match="by words alone"):
        assert offered(bound.invoke(RAIN)) == []


def test_a_filter_holds_where_the_bound_tools_own_words_are_searched():
    where = Where(equal={"source": "radar"})
    bound = [*tools(), made("get_storms", "Forecast rain.", metadata={"source": "radar"})]
    chat = model(retriever=ToolRetriever(where=where))
    assert offered(chat.bind_tools(bound).invoke(RAIN)) == ["get_storms"]
