import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_gorilla.calls import (
    ArgumentDelta,
    ArgumentEnd,
    CallEnd,
    CallEvent,
    CallFailed,
    CallStart,
    FunctionCall,
    TextDelta,
)
from langchain_gorilla.functions import FunctionSchema, FunctionSet
from langchain_gorilla.messages import AnswerBuilder, invalid_call_reasons, whole_message

WEATHER = FunctionSchema(
    "get-weather",
    "",
    {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "$top": {"type": "integer"},
        },
        "required": ["city"],
    },
)
TOOLS = FunctionSet([WEATHER])


def chunks(*events: CallEvent, reason: str = "stop", blocks: bool = False) -> list[AIMessageChunk]:
    builder = AnswerBuilder(TOOLS, blocks=blocks)
    found = [chunk for event in events for chunk in builder.add(event)]
    last = builder.finish(
        reason=reason, input_tokens=7, output_tokens=3, metadata={"model_name": "m"}
    )
    return [*found, last]


def merged(*events: CallEvent, **kwargs: object) -> AIMessageChunk:
    first, *rest = chunks(*events, **kwargs)  # type: ignore[arg-type]
    return first + rest


def call(index: int = 0, *, days: object = None) -> list[CallEvent]:
    """Return the events of ``get_weather(city='Paris', days=…)``, the city in two pieces."""
    events: list[CallEvent] = [
        CallStart(index, "get_weather"),
        ArgumentDelta(index, "city", 'Par"'),
        ArgumentDelta(index, "city", "is\n"),
        ArgumentEnd(index, "city", 'Par"is\n'),
    ]
    arguments = {"city": 'Par"is\n'}
    if days is not None:
        events.append(ArgumentEnd(index, "days", days))
        arguments["days"] = days
    return [*events, CallEnd(index, FunctionCall("get_weather", arguments))]


def test_a_call_becomes_a_tool_call_under_the_true_name():
    (found,) = merged(*call(days=3)).tool_calls
    assert found["name"] == "get-weather"
    assert found["args"] == {"city": 'Par"is\n', "days": 3}


def test_the_first_chunk_of_a_call_carries_name_and_id_and_no_arguments():
    first = chunks(*call())[0].tool_call_chunks[0]
    assert (first["name"], first["args"], first["index"]) == ("get-weather", "", 0)
    assert first["id"]


def test_string_arguments_stream_as_deltas():
    pieces = [c.tool_call_chunks[0]["args"] for c in chunks(*call())[:-1]]
    assert pieces == ["", '{"city": "Par\\"', "is\\n", '"', "}"]


def test_written_parameter_names_become_true_ones():
    events = [
        CallStart(0, "get_weather"),
        ArgumentEnd(0, "city", "Rome"),
        ArgumentEnd(0, "_top", 5),
        CallEnd(0, FunctionCall("get_weather", {"city": "Rome", "_top": 5})),
    ]
    assert merged(*events).tool_calls[0]["args"] == {"city": "Rome", "$top": 5}


def test_a_lossless_coercion_is_the_same_in_the_deltas():
    found = merged(*call(days=3.0)).tool_calls[0]["args"]["days"]
    assert found == 3
    assert isinstance(found, int)


def test_a_call_that_does_not_fit_the_schema_is_invalid_and_says_why():
    message = merged(*call(days="3"))
    assert not message.tool_calls
    (found,) = message.invalid_tool_calls
    assert found["name"] == "get-weather"
    assert "days" in invalid_call_reasons(message)[found["id"]]


@pytest.mark.parametrize("given_events", range(5))
def test_a_call_that_fails_is_never_valid_however_much_of_it_was_streamed(given_events):
    events = [*call(days=3)[:given_events], CallFailed(0, "get_weather", "get_w", "cut off")]
    message = merged(*events, reason="length")
    assert not message.tool_calls
    (found,) = message.invalid_tool_calls
    assert found["args"]
    assert invalid_call_reasons(message) == {found["id"]: "cut off"}


@given(st.text())
def test_no_source_text_of_a_failed_call_reads_as_arguments(text):
    assert not merged(CallFailed(0, None, text, "no call")).tool_calls


def test_a_whole_message_has_the_reason_in_the_error_field_too():
    message = whole_message(chunks(CallFailed(0, None, "f(", "cut off")))
    assert isinstance(message, AIMessage)
    assert message.invalid_tool_calls[0]["error"] == "cut off"


@pytest.mark.parametrize(
    "events",
    [
        [CallStart(0, "none_fits"), CallEnd(0, FunctionCall("none_fits", {}))],
        [CallStart(0, "none_fits"), CallFailed(0, "none_fits", "none_fits('", "cut off")],
        [CallFailed(0, "none_fits", "none_fits", "cut off")],
    ],
)
def test_a_call_that_declines_is_a_text_even_where_it_cannot_be_read(events):
    builder = AnswerBuilder(TOOLS, refusal="none_fits")
    (only,) = [chunk for event in events for chunk in builder.add(event)]
    assert only.content == "None of the available functions can help with that."
    assert not only.tool_call_chunks


def test_equal_calls_have_different_ids():
    message = merged(*call(0), *call(1))
    assert len({found["id"] for found in message.tool_calls}) == 2


def test_good_siblings_of_a_failed_call_stay():
    message = merged(*call(0), CallFailed(1, "f", "f(", "cut off"), *call(2))
    assert len(message.tool_calls) == 2
    assert len(message.invalid_tool_calls) == 1


def test_calls_are_numbered_from_one_where_text_came_first():
    message = merged(TextDelta("Let me see. "), *call(0), *call(1))
    assert [chunk["index"] for chunk in message.tool_call_chunks] == [1, 2]


def test_text_around_calls_is_one_content():
    message = merged(TextDelta("Let "), TextDelta("me see."), *call(0), TextDelta(" Done."))
    assert message.content == "Let me see. Done."


@pytest.mark.parametrize("lead", [[], [TextDelta("Let me see.")]])
def test_content_blocks_never_share_an_index(lead):
    message = merged(*lead, *call(0), TextDelta("Then"), *call(1), TextDelta("."), blocks=True)
    texts = [block["index"] for block in message.content if block["type"] == "text"]
    assert texts
    calls = [chunk["index"] for chunk in message.tool_call_chunks]
    assert len({*texts, *calls}) == len(texts) + len(calls)


@pytest.mark.parametrize("whole", [False, True])
def test_content_blocks_are_in_the_order_of_the_answer(whole):
    events = [TextDelta("a"), *call(0), TextDelta("b"), *call(1, days=2), TextDelta("c")]
    message = merged(*events, blocks=True)
    if whole:
        message = whole_message(chunks(*events, blocks=True))
    kinds = ["text", "tool_call", "text", "tool_call", "text"]
    assert [block["type"] for block in message.content_blocks] == kinds
    calls = [block["args"] for block in message.content_blocks if block["type"] == "tool_call"]
    assert calls == [each["args"] for each in message.tool_calls]


@pytest.mark.parametrize(
    "events", [call(days="x"), [CallFailed(0, None, "f(", "days: got 'x', cut off")]]
)
def test_a_refused_call_of_a_whole_message_is_a_block_with_its_reason(events):
    message = whole_message(chunks(TextDelta("a"), *events, *call(1), blocks=True))
    _, refused, good = message.content_blocks
    assert refused == message.invalid_tool_calls[0]
    assert refused["type"] == "invalid_tool_call"
    assert "days: got 'x'" in refused["error"]
    assert good["type"] == "tool_call"


@pytest.mark.parametrize(
    ("events", "reason", "reported"),
    [
        ([TextDelta("Hi")], "stop", "stop"),
        (call(), "stop", "tool_calls"),
        (call(), "length", "length"),
        ([CallFailed(0, None, "f(", "cut off")], "stop", "stop"),
    ],
)
def test_the_finish_reason_is_that_of_openai(events, reason, reported):
    assert merged(*events, reason=reason).response_metadata["finish_reason"] == reported


def test_usage_and_metadata_come_once():
    message = merged(TextDelta("Hi"), *call())
    assert message.usage_metadata == {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
    assert message.response_metadata["model_name"] == "m"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=10,
)  # fmt: skip


@given(json_values)
def test_streamed_arguments_are_the_json_of_the_value(value):
    free = FunctionSet(
        [FunctionSchema("f", "", {"type": "object", "properties": {"x": {}, "s": {}}})]
    )
    builder = AnswerBuilder(free)
    events = [
        CallStart(0, "f"),
        ArgumentDelta(0, "s", "é\\"),
        ArgumentEnd(0, "s", "é\\"),
        ArgumentEnd(0, "x", value),
        CallEnd(0, FunctionCall("f", {"s": "é\\", "x": value})),
    ]
    text = "".join(c.tool_call_chunks[0]["args"] for e in events for c in builder.add(e))
    assert json.loads(text) == {"s": "é\\", "x": value}
