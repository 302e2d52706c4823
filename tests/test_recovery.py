import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_gorilla import ChatGorilla, ScriptedEngine
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.recovery import as_refusal, recover

HUMAN = HumanMessage("Weather in Paris?")


def f(x: int) -> None:
    """Take a number."""


def answer(*names: str, invalid: int = 0, **args: object) -> AIMessage:
    answer.count = getattr(answer, "count", 0) + 1  # type: ignore[attr-defined]
    prefix = f"m{answer.count}"  # type: ignore[attr-defined]
    return AIMessage(
        content="",
        tool_calls=[
            {"name": name, "args": dict(args), "id": f"{prefix}-{i}"}
            for i, name in enumerate(names)
        ],
        invalid_tool_calls=[
            {"name": "f", "args": "{", "id": f"{prefix}-bad{i}", "error": "f has no parameter x"}
            for i in range(invalid)
        ],
    )


def ran(message: AIMessage) -> list[ToolMessage]:
    return [ToolMessage("ok", tool_call_id=call["id"]) for call in message.tool_calls]


def test_an_answer_without_calls_ends_the_run():
    assert recover([HUMAN, AIMessage("Sunny.")]).next == "end"


def test_runnable_calls_go_to_the_tools_and_add_nothing():
    decided = recover([HUMAN, answer("f", "g")])
    assert (decided.next, decided.messages) == ("tools", ())


def test_an_invalid_call_goes_back_to_the_model_with_its_reason():
    message = answer(invalid=1)
    decided = recover([HUMAN, message])
    assert decided.next == "model"
    (error,) = decided.messages
    assert isinstance(error, ToolMessage)
    assert error.status == "error"
    assert error.tool_call_id == message.invalid_tool_calls[0]["id"]
    assert "f has no parameter x" in error.text


def test_a_reason_that_merging_chunks_lost_comes_from_the_response_metadata():
    message = answer(invalid=1)
    message.invalid_tool_calls[0]["error"] = None
    reasons = {message.invalid_tool_calls[0]["id"]: "x has to be an integer"}
    message.response_metadata["invalid_tool_calls"] = reasons
    assert "x has to be an integer" in recover([HUMAN, message]).messages[0].text


def test_the_reason_of_a_call_that_a_v3_stream_brought_is_not_langchains_own():
    engine = ScriptedEngine(["<<function>>f(x='one')"])
    bound = ChatGorilla(model="bundled", engine=engine).bind_tools([f])
    message = bound.stream_events("one", version="v3").output
    assert "x: got 'one', expected an integer" in recover([HUMAN, message]).messages[0].text


def test_good_siblings_of_an_invalid_call_run():
    decided = recover([HUMAN, answer("f", invalid=1)])
    assert decided.next == "tools"
    assert len(decided.messages) == 1


@pytest.mark.parametrize("max_repairs", [0, 1, 2, 5])
def test_repairs_are_bounded_and_the_end_is_said(max_repairs):
    messages = [HUMAN]
    rounds = 0
    while True:
        messages.append(answer(invalid=1))
        decided = recover(messages, max_repairs=max_repairs)
        messages.extend(decided.messages)
        if decided.next == "end":
            break
        rounds += 1
    assert rounds == max_repairs
    assert isinstance(messages[-1], AIMessage)
    assert "could not write a call" in messages[-1].text
    assert "f has no parameter x" in messages[-1].text


@pytest.mark.parametrize("max_repairs", [0, 1, 3])
def test_an_answer_counts_as_refused_though_a_good_call_stands_beside_the_refused_one(max_repairs):
    messages = [HUMAN]
    rounds = 0
    while rounds < 10:
        message = answer("f", invalid=1, round=rounds)
        decided = recover([*messages, message], max_repairs=max_repairs)
        messages += [message, *decided.messages]
        if decided.next == "end":
            break
        messages += ran(message)
        rounds += 1
    assert rounds == max_repairs
    assert "could not write a call" in messages[-1].text


def test_no_call_of_the_answer_that_ends_the_run_is_left_without_a_result():
    message = answer("f", invalid=1)
    *results, last = recover([HUMAN, message], max_repairs=0).messages
    calls = [*message.invalid_tool_calls, *message.tool_calls]
    assert [m.tool_call_id for m in results] == [call["id"] for call in calls]
    assert "the run ended at a call that stands beside it" in results[-1].text
    assert "beside it" not in last.text


def test_ids_that_begin_anew_with_each_answer_are_not_mixed_up():
    bad = AIMessage("", invalid_tool_calls=[{"name": "f", "args": "{", "id": "0", "error": "no"}])
    messages = [HUMAN, bad, *recover([HUMAN, bad]).messages]
    for job in range(3):
        message = AIMessage("", tool_calls=[{"name": "f", "args": {"job": job}, "id": "0"}])
        messages += [message, *ran(message)]
    assert recover([*messages, bad], max_repairs=2).next == "model"


def answered(message: AIMessage, *, refused: bool) -> ToolMessage:
    result = ToolMessage("Too short.", tool_call_id=message.tool_calls[0]["id"], id="r")
    return as_refusal(result) if refused else result


def test_a_refusal_behind_the_answer_counts_and_is_not_said_twice():
    message = answer("Ans")
    decided = recover([HUMAN, message, answered(message, refused=True)], max_repairs=1)
    assert decided.next == "model"
    assert [m.id for m in decided.messages] == ["r"]
    ended = recover([HUMAN, message, answered(message, refused=True)], max_repairs=0)
    assert ended.next == "end"
    assert "Too short." in ended.messages[-1].text


def test_what_someone_else_answered_is_neither_refused_nor_run():
    message = answer("f", "g")
    decided = recover([HUMAN, message, answered(message, refused=False)], max_repairs=0)
    assert (decided.next, decided.messages) == ("tools", ())
    message = answer("f")
    decided = recover([HUMAN, message, answered(message, refused=False)], max_repairs=0)
    assert (decided.next, decided.messages) == ("model", ())


def test_a_call_that_others_answer_is_bounded_like_one_that_runs():
    messages = [HUMAN]
    for _ in range(10):
        message = answer("f", x=1)
        messages += [message, answered(message, refused=False)]
        decided = recover(messages, max_repairs=1, max_identical_calls=3)
        messages = [*messages[:-1], *decided.messages] if decided.messages else messages
        if decided.next == "end":
            break
    assert sum(isinstance(m, AIMessage) for m in messages) == 6  # Three, two refused, the words.


def test_a_new_human_turn_starts_the_count_again():
    messages = [HUMAN]
    for _ in range(2):
        messages.append(answer(invalid=1))
        messages.extend(recover(messages).messages)
    messages += [HumanMessage("And in Rome?"), answer(invalid=1)]
    assert recover(messages).next == "model"


def test_a_call_may_be_repeated_up_to_the_bound_and_is_then_refused():
    messages = [HUMAN]
    for _ in range(3):
        message = answer("poll", job=1)
        assert recover([*messages, message], max_identical_calls=3).next == "tools"
        messages += [message, *ran(message)]
    decided = recover([*messages, answer("poll", job=1)], max_identical_calls=3)
    assert decided.next == "model"
    assert "already called 3 times" in decided.messages[0].text


def test_other_arguments_are_another_call():
    messages = [HUMAN]
    for job in range(5):
        message = answer("poll", job=job)
        assert recover([*messages, message], max_identical_calls=1).next == "tools"
        messages += [message, *ran(message)]


def test_a_model_that_only_repeats_itself_is_stopped():
    messages = [HUMAN]
    for _ in range(50):
        message = answer("poll", job=1)
        decided = recover([*messages, message])
        messages += [message, *(decided.messages or ran(message))]
        if decided.next == "end":
            break
    assert decided.next == "end"
    assert len(messages) < 20


@pytest.mark.parametrize("messages", [[], [HUMAN], [HUMAN, ToolMessage("ok", tool_call_id="1")]])
def test_a_conversation_that_does_not_end_with_the_model_is_an_error(messages):
    with pytest.raises(ValueError, match="last message is an AIMessage"):
        recover(messages)


@pytest.mark.parametrize(
    ("bounds", "match"),
    [
        ({"max_repairs": -1}, "max_repairs=-1.*at least 0"),
        ({"max_repairs": "2"}, "max_repairs='2'.*whole number"),
        ({"max_identical_calls": 0}, "max_identical_calls=0.*at least 1"),
    ],
)
def test_bounds_out_of_range_are_an_error(bounds, match):
    with pytest.raises(UnsupportedOptionError, match=match):
        recover([HUMAN, answer("f")], **bounds)
