"""Required arguments that nobody named: asked for, filled in, or waited for."""

from typing import Any, Literal

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langchain_gorilla import ChatGorilla, ScriptedEngine, create_tool_agent
from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.grounding import ungrounded_arguments
from langchain_gorilla.middleware import MissingArgumentInterrupt, ToolCallRepair
from langchain_gorilla.missing import (
    UnusableAnswerError,
    interrupt_payload,
    resumed,
    what_was_said,
)
from tests.reports import Report

booked: list[tuple[str, int]] = []


@tool(parse_docstring=True)
def book_hotel(city: str, nights: int, board: Literal["none", "half"] = "none") -> str:
    """Book a hotel.

    Args:
        city: Where to stay, such as Lima.
        nights: How many nights.
        board: Meals.
    """
    booked.append((city, nights))
    return f"{nights} nights in {city}"


MADE_UP = "<<function>>book_hotel(city='Paris', nights=7)"
TWO = MADE_UP + "<<function>>book_hotel(city='Rome', nights=9)"
QUESTION = "Book me a hotel in Paris, please."


def scripted(*answers: str, **options: Any) -> ChatGorilla:
    return ChatGorilla(model="bundled", engine=ScriptedEngine(answers, chunk=2), **options)


def answer(text: str, question: Any = QUESTION, **options: Any) -> AIMessage:
    return scripted(text, **options).bind_tools([book_hotel]).invoke(question)


def merged(chunks: list[Any]) -> Any:
    return chunks[0] + chunks[1:] if len(chunks) > 1 else chunks[0]


def test_fill_is_the_default_and_names_the_argument() -> None:
    given = answer(MADE_UP)
    [call] = given.tool_calls
    assert call["args"] == {"city": "Paris", "nights": 7}
    assert given.response_metadata["ungrounded_arguments"] == [
        {
            "id": call["id"],
            "tool": "book_hotel",
            "parameter": "nights",
            "description": "How many nights.",
            "schema": {"description": "How many nights.", "type": "integer"},
        }
    ]
    assert "on_missing_argument" not in given.response_metadata


def test_a_call_whose_values_were_said_names_nothing() -> None:
    given = answer(MADE_UP, "Paris, for a week of seven nights")
    assert given.tool_calls
    assert "ungrounded_arguments" not in given.response_metadata


def test_ask_answers_with_a_question_instead_of_the_call() -> None:
    given = answer(MADE_UP, on_missing_argument="ask")
    assert given.tool_calls == given.invalid_tool_calls == []
    assert given.text == (
        "To call book_hotel, I need a value for nights (How many nights), and you have not named "
        "one. What should it be?"
    )
    assert given.response_metadata["finish_reason"] == "stop"
    assert given.response_metadata["asked_for"] == [
        {"tool": "book_hotel", "parameter": "nights", "description": "How many nights."}
    ]


def test_ask_lets_calls_pass_whose_values_were_said() -> None:
    given = answer(MADE_UP, "7 nights in Paris", on_missing_argument="ask")
    assert [call["args"] for call in given.tool_calls] == [{"city": "Paris", "nights": 7}]
    assert given.response_metadata["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "trip", "city": "Paris", "nights": 7}],
        [{"type": "text", "text": "Paris"}, {"type": "text", "text": "7 nights"}],
    ],
)
def test_what_a_tool_gave_in_blocks_was_said(content: Any) -> None:
    call = {"name": "find_trip", "args": {}, "id": "1"}
    found = [
        HumanMessage("Book a hotel for my trip."),
        AIMessage("", tool_calls=[call]),
        ToolMessage(content, tool_call_id="1"),
    ]
    assert answer(MADE_UP, found, on_missing_argument="ask").tool_calls


def test_no_call_runs_while_one_of_them_is_asked_about() -> None:
    given = answer(TWO, "7 nights in Paris, and a hotel in Rome", on_missing_argument="ask")
    assert given.tool_calls == []
    assert given.text.count("What should it be?") == 1


def test_text_before_the_calls_stays() -> None:
    given = answer("Sure. " + MADE_UP, on_missing_argument="ask")
    assert given.text.startswith("Sure. \n\nTo call book_hotel")


def test_an_answer_to_the_question_is_something_said_and_its_example_is_not() -> None:
    asked = answer("<<function>>book_hotel(city='Oslo', nights=7)", "A week of 7 nights",
                   on_missing_argument="ask")  # fmt: skip
    assert "such as Lima" in asked.text
    for said, calls in (("Lima it is", 1), ("Yes", 0)):
        history = [HumanMessage("A week of 7 nights"), asked, HumanMessage(said)]
        model = scripted("<<function>>book_hotel(city='Lima', nights=7)", on_missing_argument="ask")
        assert len(model.bind_tools([book_hotel]).invoke(history).tool_calls) == calls


@pytest.mark.parametrize("choice", ["any", "book_hotel"])
def test_a_demanded_call_is_filled_in(choice: str) -> None:
    model = scripted(MADE_UP, on_missing_argument="ask")
    given = model.bind_tools([book_hotel], tool_choice=choice).invoke(QUESTION)
    assert given.tool_calls
    assert given.response_metadata["ungrounded_arguments"]


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("text", ["Sure. " + MADE_UP, TWO, "Hello.", "<<function>>book_hotel(x=1)"])
@pytest.mark.parametrize("action", ["ask", "fill", "interrupt"])
async def test_every_path_gives_the_same_message(action: Any, text: str, version: Any) -> None:
    def comparable(message: Any) -> Any:
        metadata = dict(message.response_metadata)
        for key in ("ungrounded_arguments", "invalid_tool_calls"):
            metadata.pop(key, None)
        names = [e["parameter"] for e in message.response_metadata.get("ungrounded_arguments", [])]
        calls = [(call["name"], call["args"]) for call in message.tool_calls]
        return message.text, calls, names, metadata, message.usage_metadata

    model = scripted(*[text] * 4, on_missing_argument=action, output_version=version)
    bound = model.bind_tools([book_hotel])
    invoked = comparable(bound.invoke(QUESTION))
    assert comparable(await bound.ainvoke(QUESTION)) == invoked
    assert comparable(merged(list(bound.stream(QUESTION)))) == invoked
    assert comparable(merged([chunk async for chunk in bound.astream(QUESTION)])) == invoked


def test_ask_streams_no_piece_of_a_call_that_it_takes_back() -> None:
    bound = scripted(TWO, on_missing_argument="ask").bind_tools([book_hotel])
    assert not [c for c in bound.stream(QUESTION) if c.tool_call_chunks]


def test_it_can_be_chosen_for_one_call() -> None:
    bound = scripted(MADE_UP).bind_tools([book_hotel])
    assert bound.invoke(QUESTION, on_missing_argument="ask").tool_calls == []


def test_another_word_is_an_error() -> None:
    with pytest.raises(ValueError, match="on_missing_argument"):
        scripted(MADE_UP, on_missing_argument="guess")
    with pytest.raises(UnsupportedOptionError, match=r"'guess'; expected one of 'ask', 'fill'"):
        scripted(MADE_UP).invoke("Hi", on_missing_argument="guess")


@pytest.mark.parametrize("least", [-0.1, 1.5])
def test_a_threshold_is_a_probability(least: float) -> None:
    with pytest.raises(ValueError, match="min_call_probability"):
        scripted("Hi", min_call_probability=least)
    with pytest.raises(UnsupportedOptionError, match="expected a probability, 0 to 1"):
        scripted("Hi").bind_tools([book_hotel]).invoke("Hi", min_call_probability=least)


def test_a_threshold_needs_a_constraint() -> None:
    with pytest.raises(UnsupportedOptionError, match="constrained=False was given"):
        scripted("Hi", min_call_probability=0.5, constrained=False)
    bound = scripted("Hi", min_call_probability=0.5).bind_tools([book_hotel], strict=False)
    with pytest.raises(UnsupportedOptionError, match="strict=False"):
        bound.invoke("Hi")
    sections = scripted("Hi", min_call_probability=0.5, format="gorilla-7b")
    with pytest.raises(UnsupportedOptionError, match="free sections"):
        sections.bind_tools([book_hotel]).invoke("Hi")


# --- Interrupting ---


@pytest.fixture(autouse=True)
def _nothing_booked() -> None:
    booked.clear()


def graph(*answers: str, kind: str = "graph", engine: ScriptedEngine | None = None) -> Any:
    engine = engine or ScriptedEngine(answers)
    model = ChatGorilla(model="bundled", engine=engine, on_missing_argument="interrupt")
    if kind == "graph":
        return create_tool_agent(model, [book_hotel], checkpointer=InMemorySaver())
    middleware = [ToolCallRepair(), MissingArgumentInterrupt()]
    if kind == "other order":
        middleware.reverse()
    return create_agent(model, [book_hotel], middleware=middleware, checkpointer=InMemorySaver())


THREAD: Any = {"configurable": {"thread_id": "1"}}
START: Any = {"messages": [HumanMessage(QUESTION)]}


@pytest.mark.parametrize("kind", ["graph", "middleware"])
def test_an_agent_waits_and_goes_on_with_what_it_is_given(kind: str) -> None:
    engine = ScriptedEngine([MADE_UP, "Booked."])
    agent = graph(kind=kind, engine=engine)
    [stopped] = agent.invoke(START, THREAD)["__interrupt__"]
    assert stopped.value["kind"] == "missing_arguments"
    assert "nights (How many nights)" in stopped.value["question"]
    [missing] = stopped.value["missing"]
    assert (missing["tool"], missing["parameter"], missing["guess"]) == ("book_hotel", "nights", 7)
    assert booked == []
    state = agent.invoke(Command(resume={"nights": 3}), THREAD)
    assert booked == [("Paris", 3)]
    assert [m.type for m in state["messages"]] == ["human", "ai", "tool", "ai"]
    assert state["messages"][1].tool_calls[0]["args"] == {"city": "Paris", "nights": 3}
    assert state["messages"][-1].text == "Booked."
    # The model was asked once for the call and once for the end.
    assert len(engine.prompts) == 2
    assert "nights=3" in engine.prompts[1]


@pytest.mark.parametrize("kind", ["graph", "middleware"])
async def test_an_async_agent_does_the_same(kind: str) -> None:
    agent = graph(MADE_UP, "Booked.", kind=kind)
    assert (await agent.ainvoke(START, THREAD))["__interrupt__"]
    await agent.ainvoke(Command(resume={"nights": 4}), THREAD)
    assert booked == [("Paris", 4)]


@pytest.mark.parametrize("kind", ["graph", "middleware"])
def test_what_cannot_be_used_is_asked_for_again(kind: str) -> None:
    agent = graph(MADE_UP, "Booked.", kind=kind)
    agent.invoke(START, THREAD)
    [again] = agent.invoke(Command(resume={"nights": "many"}), THREAD)["__interrupt__"]
    assert "nights" in again.value["problem"]
    [again] = agent.invoke(Command(resume={"days": 3}), THREAD)["__interrupt__"]
    assert "days was not asked for" in again.value["problem"]
    assert booked == []
    agent.invoke(Command(resume="5"), THREAD)
    assert booked == [("Paris", 5)]


def test_a_person_approves_the_call_that_will_run() -> None:
    engine = ScriptedEngine([MADE_UP, "Booked."])
    model = ChatGorilla(model="bundled", engine=engine, on_missing_argument="interrupt")
    approval = HumanInTheLoopMiddleware({"book_hotel": True})
    middleware = [ToolCallRepair(), approval, MissingArgumentInterrupt()]
    agent = create_agent(model, [book_hotel], middleware=middleware, checkpointer=InMemorySaver())
    agent.invoke(START, THREAD)
    [stopped] = agent.invoke(Command(resume=3), THREAD)["__interrupt__"]
    assert stopped.value["action_requests"][0]["args"] == {"city": "Paris", "nights": 3}
    agent.invoke(Command(resume={"decisions": [{"type": "approve"}]}), THREAD)
    assert booked == [("Paris", 3)]


@pytest.mark.parametrize("kind", ["graph", "middleware"])
def test_an_agent_that_lacks_nothing_does_not_wait(kind: str) -> None:
    agent = graph("<<function>>book_hotel(city='Paris', nights=2)", "Booked.", kind=kind)
    start = {"messages": [HumanMessage("Two nights in Paris")]}
    assert "__interrupt__" not in agent.invoke(start, THREAD)
    assert booked == [("Paris", 2)]


def test_two_calls_get_their_own_values() -> None:
    agent = graph(TWO, "Booked.")
    [stopped] = agent.invoke({"messages": [HumanMessage("Paris and Rome")]}, THREAD)[
        "__interrupt__"
    ]
    first, second = stopped.value["missing"]
    agent.invoke(Command(resume={first["id"]: {"nights": 1}, second["id"]: {"nights": 2}}), THREAD)
    assert sorted(booked) == [("Paris", 1), ("Rome", 2)]


@pytest.mark.parametrize("kind", ["graph", "middleware", "other order"])
def test_an_invalid_sibling_still_goes_back_to_the_model(kind: str) -> None:
    agent = graph(MADE_UP + "<<function>>book_hotel(town='Rome')", "Booked.", kind=kind)
    assert agent.invoke(START, THREAD)["__interrupt__"]
    assert booked == []
    state = agent.invoke(Command(resume=3), THREAD)
    assert [m.type for m in state["messages"]] == ["human", "ai", "tool", "tool", "ai"]
    assert booked == [("Paris", 3)]


@pytest.mark.parametrize(("kind", "asked"), [("middleware", 4), ("other order", 3)])
def test_a_call_that_was_refused_before_is_not_asked_about(kind: str, asked: int) -> None:
    agent = graph(MADE_UP * 4, "Booked.", kind=kind)
    [stopped] = agent.invoke(START, THREAD)["__interrupt__"]
    assert len(stopped.value["missing"]) == asked
    agent.invoke(Command(resume=3), THREAD)
    assert booked == [("Paris", 3)] * 3


REFUSED = "<<function>>Report(text='Xyzzy')"
ACCEPTED = "<<function>>Report(text='Booked three nights.')"


def reporter(*answers: str, middleware: Any) -> Any:
    model = scripted(*answers, on_missing_argument="interrupt")
    return create_agent(
        model,
        [book_hotel],
        middleware=middleware,
        response_format=ToolStrategy(Report),
        checkpointer=InMemorySaver(),
    )


@pytest.mark.parametrize("repaired", [False, True])
@pytest.mark.parametrize("report", [REFUSED, ACCEPTED])
def test_an_agent_waits_before_a_call_beside_a_structured_answer(
    report: str, repaired: bool
) -> None:
    repair = [ToolCallRepair()] if repaired else []
    agent = reporter(MADE_UP + report, ACCEPTED, middleware=[*repair, MissingArgumentInterrupt()])
    [stopped] = agent.invoke(START, THREAD)["__interrupt__"]
    assert [each["parameter"] for each in stopped.value["missing"]] == ["nights"]
    assert booked == []
    agent.invoke(Command(resume=3), THREAD)
    assert booked == [("Paris", 3)]


@pytest.mark.parametrize("answers", [[ACCEPTED], [REFUSED, ACCEPTED]])
def test_a_structured_answer_is_not_asked_about(answers: list[str]) -> None:
    agent = reporter(*answers, middleware=[ToolCallRepair(), MissingArgumentInterrupt()])
    state = agent.invoke(START, THREAD)
    assert "__interrupt__" not in state
    assert state["structured_response"] == Report(text="Booked three nights.")


def interrupted() -> AIMessage:
    return answer(TWO, "hotels", on_missing_argument="interrupt")


def test_true_keeps_what_the_model_made_up() -> None:
    given = interrupted()
    kept = resumed(given, True)
    assert kept.tool_calls == given.tool_calls
    assert kept.id == given.id
    assert "ungrounded_arguments" not in kept.response_metadata


def test_one_value_serves_both_calls() -> None:
    kept = resumed(interrupted(), {"city": "Oslo", "nights": 2.0})
    assert [call["args"] for call in kept.tool_calls] == [{"city": "Oslo", "nights": 2}] * 2


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("Oslo", "several values are missing"),
        ({"city": "Oslo"}, "No value was given for nights"),
        ({"city": "Oslo", "nights": 1, "x": 2}, "x was not asked for"),
        ({"city": 3, "nights": 1}, "city"),
        ({"city": "Oslo", "nights": None}, "nights"),
        (None, "several values are missing"),
    ],
)
def test_what_cannot_be_used_says_why(given: Any, match: str) -> None:
    with pytest.raises(UnusableAnswerError, match=match):
        resumed(interrupted(), given)


def test_a_key_of_a_call_that_was_not_asked_for_says_so() -> None:
    given = answer(MADE_UP, on_missing_argument="interrupt")
    [call] = given.tool_calls
    with pytest.raises(UnusableAnswerError, match="days was not asked for; expected nights"):
        resumed(given, {call["id"]: {"nights": 3, "days": 3}})


def test_a_parameter_of_two_calls_is_one_question() -> None:
    asked = interrupt_payload(interrupted())["question"]
    assert asked.count("nights") == 2  # Name and description.
    assert asked.count("What should it be?") == 2


def asked_for(guess: Any, **schema: Any) -> AIMessage:
    """An answer whose one missing argument has this schema."""
    missing = [{"id": "1", "tool": "f", "parameter": "x", "description": "", "schema": schema}]
    return AIMessage(
        "",
        tool_calls=[{"name": "f", "args": {"x": guess}, "id": "1"}],
        response_metadata={"ungrounded_arguments": missing, "on_missing_argument": "interrupt"},
    )


BOOLEAN = {"type": "boolean"}
OPTIONAL = {"anyOf": [BOOLEAN, {"type": "null"}]}
NUMBER = {"type": "number"}
STRINGS = {"type": "array", "items": {"type": "string"}}
COLOURS = {"type": "object", "additionalProperties": {"type": "string"}}
REFERRED = {"$ref": "#/$defs/Colours", "$defs": {"Colours": COLOURS}}


@pytest.mark.parametrize(
    ("schema", "given", "value"),
    [
        (STRINGS, '["Paris", "ROME"]', ["Paris", "ROME"]),
        (COLOURS, '{"Colour": "Red"}', {"Colour": "Red"}),
        (COLOURS, {"Colour": "Red"}, {"Colour": "Red"}),
        (REFERRED, {"Colour": "Red"}, {"Colour": "Red"}),
        ({"type": "object", "properties": {"n": NUMBER}}, {"x": {"n": 2}}, {"n": 2}),
        (COLOURS, {}, {}),
        (COLOURS, {"x": {"x": "Red"}}, {"x": "Red"}),
        (COLOURS, {"1": {"x": {"1": "Red"}}}, {"1": "Red"}),
        (NUMBER, " 12.5 ", 12.5),
        (BOOLEAN, "TRUE", True),
        (BOOLEAN, "Yes", True),
        (BOOLEAN, "no", False),
        (BOOLEAN, True, True),
        (BOOLEAN, False, False),
        (BOOLEAN, {"x": False}, False),
        (OPTIONAL, True, True),
        (OPTIONAL, "None", None),
        ({"type": "string"}, "None", "None"),
        ({"type": "string"}, "1e999", "1e999"),
        ({"enum": ["12", "13"]}, " 12 ", "12"),
    ],
)
def test_a_value_arrives_as_it_was_given(schema: Any, given: Any, value: Any) -> None:
    [call] = resumed(asked_for("guess", **schema), given).tool_calls
    assert call["args"] == {"x": value}
    assert type(call["args"]["x"]) is type(value)


def test_true_is_the_value_of_a_boolean_and_a_guess_is_kept_by_giving_it() -> None:
    answer = asked_for(False, **BOOLEAN)
    [missing] = interrupt_payload(answer)["missing"]
    assert resumed(answer, True).tool_calls[0]["args"] == {"x": True}
    assert resumed(answer, missing["guess"]).tool_calls[0]["args"] == {"x": False}


@pytest.mark.parametrize("schema", [{"type": "string"}, NUMBER, COLOURS, STRINGS, {}])
def test_true_keeps_a_guess_that_is_no_boolean(schema: Any) -> None:
    assert resumed(asked_for("guess", **schema), True).tool_calls[0]["args"] == {"x": "guess"}


@pytest.mark.parametrize("given", ["1e999", "NaN", "-Infinity", float("nan"), float("inf")])
def test_a_number_has_to_be_finite(given: Any) -> None:
    with pytest.raises(UnusableAnswerError, match="x holds a number that is not finite"):
        resumed(asked_for(7.0, **NUMBER), given)
    with pytest.raises(UnusableAnswerError, match="x holds a number that is not finite"):
        resumed(asked_for([7.0], type="array", items={"type": ["number", "string"]}), [1.0, given]
                if isinstance(given, float) else f"[1, {given}]")  # fmt: skip


def test_a_dict_that_an_object_does_not_take_says_why() -> None:
    with pytest.raises(UnusableAnswerError, match="Colour"):
        resumed(asked_for({}, **COLOURS), {"Colour": 3})


def referring(target: str) -> AIMessage:
    """An answer whose arguments are missing; the second refers to the target."""
    painter = {
        "name": "paint",
        "description": "Paint.",
        "parameters": {
            "type": "object",
            "properties": {"first": {"enum": ["red", "green"]}, "second": {"$ref": target}},
            "required": ["first", "second"],
            "definitions": {"Colour": {"enum": ["red", "green"]}},
        },
    }
    model = scripted("<<function>>paint(first='red', second='red')",
                     on_missing_argument="interrupt")  # fmt: skip
    return model.bind_tools([painter]).invoke("Do it.")


@pytest.mark.parametrize("target", ["#/definitions/Colour", "#/properties/first"])
def test_a_value_is_checked_wherever_its_schema_stands(target: str) -> None:
    given = referring(target)
    kept = resumed(given, {"first": "red", "second": "green"})
    assert kept.tool_calls[0]["args"] == {"first": "red", "second": "green"}
    with pytest.raises(UnusableAnswerError, match="second: got 'blue', expected one of 'red'"):
        resumed(given, {"first": "red", "second": "blue"})


@pytest.mark.parametrize("target", ["#/definitions/Colour", "#/properties/first"])
def test_the_question_names_the_choices_wherever_they_stand(target: str) -> None:
    asked = interrupt_payload(referring(target))["question"]
    assert str(asked).count("It is one of: red, green.") == 2


def test_a_problem_has_the_name_under_which_the_value_is_given() -> None:
    address = {"type": "object", "properties": {"mail": {"type": "string"}}}
    mailer = {
        "name": "send",
        "description": "Send.",
        "parameters": {
            "type": "object",
            "properties": {"to.addr": address, "from": {"type": "integer"}},
            "required": ["to.addr", "from"],
            "if": {"properties": {"from": {"const": 1}}},
            "then": {"properties": {"to.addr": {"required": ["mail"]}}},
        },
    }
    model = scripted("<<function>>send(to_addr={'mail': 'a'}, from_=7)",
                     on_missing_argument="interrupt")  # fmt: skip
    given = model.bind_tools([mailer]).invoke("Send it.")
    with pytest.raises(UnusableAnswerError, match=r"^to\.addr\.mail: got 3"):
        resumed(given, {"to.addr": {"mail": 3}, "from": 2})
    with pytest.raises(UnusableAnswerError, match=r"^from: got 'x'"):
        resumed(given, {"to.addr": {"mail": "b"}, "from": "x"})
    with pytest.raises(UnusableAnswerError, match=r"^to\.addr: got \{\}"):
        resumed(given, {"to.addr": {}, "from": 1})


def test_values_that_do_not_go_together_say_why() -> None:
    ranged = {
        "name": "ranged",
        "description": "Range.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "mode": {"enum": ["x", "y"]}},
            "required": ["a", "mode"],
            "if": {"properties": {"mode": {"const": "x"}}},
            "then": {"properties": {"a": {"maximum": 5}}},
        },
    }
    model = scripted("<<function>>ranged(a=4, mode='x')", on_missing_argument="interrupt")
    given = model.bind_tools([ranged]).invoke("Do x.")
    with pytest.raises(UnusableAnswerError, match="a: got 100"):
        resumed(given, 100)
    kept = resumed(given, 5)
    assert kept.tool_calls[0]["args"] == {"a": 5, "mode": "x"}
    assert "missing_argument_schemas" not in kept.response_metadata


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_the_content_blocks_hold_the_given_value(version: Any) -> None:
    given = answer("Sure. " + MADE_UP, on_missing_argument="interrupt", output_version=version)
    kept = resumed(given, 3)
    blocks = [block for block in kept.content_blocks if block["type"] == "tool_call"]
    assert [block["args"] for block in blocks] == [{"city": "Paris", "nights": 3}]
    assert kept.text == given.text
    assert given.tool_calls[0]["args"]["nights"] == 7


@pytest.fixture
def _no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a result from saying what a call held."""
    monkeypatch.setattr(book_hotel, "func", lambda **_: "No room, try again.")


@pytest.mark.usefixtures("_no_room")
@pytest.mark.parametrize("kind", ["graph", "middleware"])
def test_a_value_that_was_given_is_not_asked_for_again(kind: str) -> None:
    again = "<<function>>book_hotel(city='Paris', nights=3)"
    agent = graph(MADE_UP, again, "No room.", kind=kind)
    agent.invoke(START, THREAD)
    assert "__interrupt__" not in agent.invoke(Command(resume={"nights": 3}), THREAD)


@pytest.mark.usefixtures("_no_room")
def test_a_guess_that_was_not_taken_is_asked_about_again() -> None:
    agent = graph(MADE_UP, MADE_UP, "No room.")
    agent.invoke(START, THREAD)
    assert agent.invoke(Command(resume={"nights": 3}), THREAD)["__interrupt__"]


@pytest.mark.usefixtures("_no_room")
def test_a_guess_that_was_let_stand_is_not_asked_about_again() -> None:
    agent = graph(MADE_UP, MADE_UP, "No room.")
    agent.invoke(START, THREAD)
    assert "__interrupt__" not in agent.invoke(Command(resume=True), THREAD)


@pytest.mark.parametrize("value", ["“Zoë”\nRoom 5", 7, 2.5, ["Lima", "Rome"], {"at": "Köln"}])
def test_what_was_given_counts_as_said_whatever_its_type(value: Any) -> None:
    given = AIMessage("", response_metadata={"given_arguments": [value]})
    function = FunctionSchema(
        "f", "", {"type": "object", "properties": {"a": {}}, "required": ["a"]}
    )
    call = FunctionCall("f", {"a": value})
    assert ungrounded_arguments(call, function, what_was_said([given])) == ()
