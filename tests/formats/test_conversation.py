import pytest
from langchain_core.messages import (
    AIMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.errors import PromptError
from langchain_gorilla.formats.base import (
    AssistantTurn,
    CallResult,
    FailedCall,
    HumanTurn,
    ResultsTurn,
    SystemTurn,
)
from langchain_gorilla.formats.conversation import conversation
from langchain_gorilla.functions import FunctionSchema, FunctionSet

PARAMETERS = {"type": "object", "properties": {"from": {"type": "string"}}}
FUNCTIONS = FunctionSet([FunctionSchema("get-weather", "", PARAMETERS)])


def call(name="f", id_="1", **arguments):
    return {"name": name, "args": arguments, "id": id_, "type": "tool_call"}


def asking(*calls, text="", invalid=()):
    return AIMessage(text, tool_calls=list(calls), invalid_tool_calls=list(invalid))


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
IDS = {"id": "fc_1", "call_id": "1"}
ANTHROPIC = [
    HumanMessage([{"type": "text", "text": "Boston?"}]),
    AIMessage(
        [
            {"type": "thinking", "thinking": "hm", "signature": "x"},
            {"type": "text", "text": "Let me see."},
            {"type": "tool_use", "name": "f", "id": "1", "input": {"a": 1}},
        ],
        tool_calls=[call(a=1)],
    ),
    HumanMessage(
        [
            {"type": "tool_result", "tool_use_id": "1", "content": "5", "is_error": True},
            {"type": "text", "text": "And?"},
        ]
    ),
]


@pytest.mark.parametrize(
    ("messages", "turns"),
    [
        pytest.param(
            [SystemMessage("a"), HumanMessage("q"), SystemMessage("b"), SystemMessage("")],
            (SystemTurn("a\n\nb"), HumanTurn("q")),
            id="system messages are joined in front",
        ),
        pytest.param(
            [HumanMessage("a"), HumanMessage("b", name="eve")],
            (HumanTurn("a"), HumanTurn("b", "eve")),
            id="human messages stay apart, with their names",
        ),
        pytest.param(
            [asking(call(id_="x", a=1), call("g", "y"), text="hm"), AIMessage("done")],
            (
                AssistantTurn("hm", (FunctionCall("f", {"a": 1}), FunctionCall("g"))),
                AssistantTurn("done"),
            ),
            id="an AI message is text and calls",
        ),
        pytest.param(
            [
                asking(call(id_="x"), call("g", "y")),
                ToolMessage("late", tool_call_id="y", status="error"),
                ToolMessage("early", tool_call_id="x"),
            ],
            (
                AssistantTurn("", (FunctionCall("f"), FunctionCall("g"))),
                ResultsTurn(
                    (
                        CallResult(FunctionCall("f"), "early"),
                        CallResult(FunctionCall("g"), "late", is_error=True),
                    )
                ),
            ),
            id="results are one turn in the order of the calls",
        ),
        pytest.param(
            [asking(call(), call()), *[ToolMessage(t, tool_call_id="1") for t in "ab"]],
            (
                AssistantTurn("", (FunctionCall("f"), FunctionCall("f"))),
                ResultsTurn(
                    (CallResult(FunctionCall("f"), "a"), CallResult(FunctionCall("f"), "b"))
                ),
            ),
            id="results of calls with one id keep their order",
        ),
        pytest.param(
            [
                asking(call(id_="x"), call("g", "y")),
                ToolMessage("1", tool_call_id="x"),
                HumanMessage("q"),
                ToolMessage("2", tool_call_id="y"),
            ],
            (
                AssistantTurn("", (FunctionCall("f"), FunctionCall("g"))),
                ResultsTurn((CallResult(FunctionCall("f"), "1"),)),
                HumanTurn("q"),
                ResultsTurn((CallResult(FunctionCall("g"), "2"),)),
            ),
            id="a question between results parts them",
        ),
        pytest.param(
            [
                asking(
                    call(),
                    text="hm",
                    invalid=[{"name": "g", "args": '{"a": ]', "id": "2", "error": "no"}],
                ),
                ToolMessage("Unreadable.", tool_call_id="2", status="error"),
            ],
            (
                AssistantTurn('hm\ng({"a": ])', (FunctionCall("f"),)),
                ResultsTurn((CallResult(FailedCall('g({"a": ])'), "Unreadable.", True),)),
            ),
            id="an unreadable call is text, and its result a result",
        ),
        pytest.param(
            [asking(invalid=[{"name": "g", "args": "g(a=", "id": "2", "error": "no"}])],
            (AssistantTurn("g(a="),),
            id="an unreadable call's source is not repeated",
        ),
        pytest.param(
            ANTHROPIC,
            (
                HumanTurn("Boston?"),
                AssistantTurn("Let me see.", (FunctionCall("f", {"a": 1}),)),
                ResultsTurn((CallResult(FunctionCall("f", {"a": 1}), "5", True),)),
                HumanTurn("And?"),
            ),
            id="Anthropic's blocks",
        ),
        pytest.param(
            [
                AIMessage([{"type": "tool_use", "name": "f", "id": "1", "input": {"a": 1}}]),
                HumanMessage([{"type": "tool_result", "tool_use_id": "1", "content": []}]),
            ],
            (
                AssistantTurn("", (FunctionCall("f", {"a": 1}),)),
                ResultsTurn((CallResult(FunctionCall("f", {"a": 1}), ""),)),
            ),
            id="calls that are content blocks only; a message of results only",
        ),
        pytest.param(
            [
                AIMessage([{"type": "function_call", "name": "f", "arguments": '{"a": 1}', **IDS}]),
                ToolMessage("5", tool_call_id="1"),
            ],
            (
                AssistantTurn("", (FunctionCall("f", {"a": 1}),)),
                ResultsTurn((CallResult(FunctionCall("f", {"a": 1}), "5"),)),
            ),
            id="OpenAI's calls that are content blocks only",
        ),
        pytest.param(
            [AIMessage([{"type": "function_call", "name": "f", "args": {}}], tool_calls=[call()])],
            (AssistantTurn("", (FunctionCall("f"),)),),
            id="a block without an id repeats a call",
        ),
        pytest.param(
            [AIMessage([{"text": "hm"}, {"type": "tool_use", "name": "f", "input": "a="}])],
            (AssistantTurn("hm\nf(a=)"),),
            id="a block whose arguments cannot be read is text",
        ),
        pytest.param(
            [
                AIMessage("", additional_kwargs={"function_call": {"name": "f", "arguments": ""}}),
                FunctionMessage("5", name="f"),
            ],
            (
                AssistantTurn("", (FunctionCall("f"),)),
                ResultsTurn((CallResult(FunctionCall("f"), "5"),)),
            ),
            id="OpenAI's first function calling",
        ),
        pytest.param(
            [
                asking(call(id_=None)),
                ToolMessage("5", tool_call_id=""),
            ],
            (
                AssistantTurn("", (FunctionCall("f"),)),
                ResultsTurn((CallResult(FunctionCall("f"), "5"),)),
            ),
            id="a call without an id, and its result",
        ),
        pytest.param(
            [ChatMessage([{"type": "thinking", "thinking": "hm"}, "a"], role="assistant")],
            (AssistantTurn("a"),),
            id="a chat message of the assistant's may hold thoughts",
        ),
        pytest.param(
            [HumanMessage(["a", {"type": "text", "text": "b"}]), HumanMessage([])],
            (HumanTurn("ab"), HumanTurn("")),
            id="text blocks are joined",
        ),
        pytest.param(
            [HumanMessage([{"type": "text", "text": None}, {"type": "text", "text": "b"}])],
            (HumanTurn("b"),),
            id="a text block without text says nothing",
        ),
        pytest.param(
            [ChatMessage("s", role="system"), ChatMessage("u", role="User")],
            (SystemTurn("s"), HumanTurn("u")),
            id="chat messages by role",
        ),
        pytest.param(
            [asking(call("f"), call("g", "2")), FunctionMessage(["5"], name="g")],
            (
                AssistantTurn("", (FunctionCall("f"), FunctionCall("g"))),
                ResultsTurn((CallResult(FunctionCall("g"), '["5"]'),)),
            ),
            id="function messages by name",
        ),
        pytest.param(
            [asking(call(a="\ud800", b=["\udc00"]), text="\ud83e\udd8d"), HumanMessage("\ud800")],
            (
                AssistantTurn("🦍", (FunctionCall("f", {"a": "\ufffd", "b": ["\ufffd"]}),)),
                HumanTurn("\ufffd"),
            ),
            id="lone surrogates are replaced",
        ),
    ],
)
def test_messages_become_turns(messages, turns):
    assert conversation(messages) == turns


def test_calls_carry_the_names_that_the_model_writes():
    messages = [
        asking({"name": "get-weather", "args": {"from": "x"}, "id": "1"}),
        ToolMessage("5", tool_call_id="1"),
        asking(call("unknown-tool")),
        FunctionMessage("6", name="unknown-tool"),
    ]
    written = FunctionCall(FUNCTIONS.written[0].name, {"from_": "x"})
    assert conversation(messages, FUNCTIONS) == (
        AssistantTurn("", (written,)),
        ResultsTurn((CallResult(written, "5"),)),
        AssistantTurn("", (FunctionCall("unknown-tool"),)),
        ResultsTurn((CallResult(FunctionCall("unknown-tool"), "6"),)),
    )


RESULT = {"type": "tool_result", "tool_use_id": "1"}


def _deep(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("messages", "match"),
    [
        ([], "empty.*HumanMessage"),
        ([HumanMessage("a"), HumanMessage([IMAGE])], r"messages\[1\] .HumanMessage. .*'image_url'"),
        ([SystemMessage([{"type": "audio", "data": ""}])], "'audio'.*reads text only"),
        ([AIMessage([{"type": "file", "file_id": "1"}])], "'file'"),
        ([asking(call()), ToolMessage([IMAGE], tool_call_id="1")], r"messages\[1\] .ToolMessage"),
        (
            [HumanMessage([{"type": "text", "text": 5}])],
            r"messages\[0\] .*text is 5. Expected a str",
        ),
        (
            [asking(call()), HumanMessage([{**RESULT, "content": 5}])],
            r"messages\[1\] .*content is 5. Expected text",
        ),
        (
            [asking(call()), HumanMessage([{**RESULT, "content": [5]}])],
            r"messages\[1\] .*the block 5. Expected text",
        ),
        ([ToolMessage("5", tool_call_id="abc")], "'abc'.*no such call.*ids there: none"),
        ([asking(call()), ToolMessage("5", tool_call_id="2")], "'2'.*ids there: '1'"),
        (
            [asking(call()), AIMessage("a"), ToolMessage("5", tool_call_id="1")],
            r"messages\[2\].*'1'.*ids there: none",
        ),
        ([FunctionMessage("5", name="f")], "'f'.*no open call.*ToolMessage"),
        ([ChatMessage("x", role="narrator")], "'narrator'.*Expected one of system"),
        ([RemoveMessage(id="1")], r"messages\[0\] .RemoveMessage. cannot"),
        ([asking(call(a=_deep(2_000)))], "nested too deeply"),
    ],
)
def test_what_no_prompt_can_carry_is_an_error(messages, match):
    with pytest.raises(PromptError, match=match):
        conversation(messages)


def test_a_chat_message_of_an_assistant_keeps_its_calls():
    function = {"name": "f", "arguments": '{"a": 1}'}
    kept = {"tool_calls": [{"id": "c", "type": "function", "function": function}]}
    (turn,) = conversation([ChatMessage("", role="assistant", additional_kwargs=kept)])
    assert turn == AssistantTurn("", (FunctionCall("f", {"a": 1}),))
