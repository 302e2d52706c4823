"""Where calls begin and end, what is text, what is dropped."""

from typing import Any

import pytest

from langchain_gorilla.calls import (
    ArgumentDelta,
    ArgumentEnd,
    CallEnd,
    CallFailed,
    CallStart,
    CallSyntax,
    FunctionCall,
    TextDelta,
)
from langchain_gorilla.parsing.openings import AUTO
from langchain_gorilla.parsing.python_calls import collect, parse
from langchain_gorilla.parsing.stream import StreamParser
from tests.parsing.syntaxes import LFM2, LIST, OLMO3, RAVEN, V1, V2, schema

TOOLS = [schema("f", "x", "y"), schema("g", "q"), schema("Uber Carpool", "loc")]
F1, GA = ("f", {"x": 1}), ("g", {"q": "a"})
FAILED = "failed"


def read(text: str, syntax: CallSyntax = AUTO) -> tuple[list[Any], str]:
    answer = collect(parse(text, syntax, TOOLS))
    calls = [
        (c.name, dict(c.arguments)) if isinstance(c, FunctionCall) else FAILED for c in answer.calls
    ]
    return calls, answer.text


@pytest.mark.parametrize(
    ("syntax", "text", "content"),
    [
        (V2, "<<function>>f(x=1)<<function>>g(q='a')", ""),
        (V2, "<<function>> f(x=1)\n<<function>> g(q='a')\n", ""),
        (V2, "<<function>>f(x=1), g(q='a')", ""),
        (V2, "<<function>>[f(x=1), g(q='a')]<|EOT|>", ""),
        (
            V2,
            "Sure.\n<<function>>f(x=1)\nThen:\n<<function>>g(q='a')\nDone.",
            "Sure.\nThen:\nDone.",
        ),
        (V1, "f(x=1), g(q='a')", ""),
        (V1, "f(x=1)\ng(q='a')", ""),
        (V1, "f(x=1) and g(q='a')", ""),
        (V1, "1. f(x=1)\n2. g(q='a')", ""),
        (V1, "a = f(x=1)\nb = g(q='a')", ""),
        (V1, "Here:\n```python\nf(x=1)\ng(q='a')\n```\nHope it helps.", "Here:\nHope it helps."),
        (LIST, "[f(x=1), g(q='a'),]", ""),
        (LIST, "Here: [f(x=1), g(q='a')] See [1].", "Here: See [1]."),
        (LFM2, "<|tool_call_start|>[f(x=1), g(q='a')]<|tool_call_end|>\nDone.", "Done."),
        (LFM2, "[f(x=1), g(q='a')]", ""),
        (
            LFM2,
            "<|tool_call_start|>[f(x=1)]<|tool_call_end|> and "
            "<|tool_call_start|>[g(q='a')]<|tool_call_end|>",
            "and ",
        ),
        (
            LFM2,
            '<|tool_call_start|>[{"name": "f", "arguments": {"x": 1}}, '
            '{"name": "g", "parameters": {"q": "a"}}]<|tool_call_end|>',
            "",
        ),
        (OLMO3, "<function_calls>\nf(x=1)\ng(q='a')\n</function_calls>", ""),
        (
            V2,
            "Sure:\n```python\n<<function>>f(x=1)<<function>>g(q='a')\n```\nDone.",
            "Sure:\nDone.",
        ),
        (
            LFM2,
            "```\n<|tool_call_start|>[f(x=1), g(q='a')]<|tool_call_end|>\n```\nDone.",
            "Done.",
        ),
        (OLMO3, "```python\n<function_calls>\nf(x=1)\ng(q='a')\n</function_calls>\n```", ""),
        (RAVEN, "```python\nCall: f(x=1); g(q='a')\n```", ""),
        (RAVEN, "Call: f(x=1); g(q='a')<bot_end>\nThought: that is it", ""),
        (RAVEN, "Call: f(x=1); g(q='a')\nThought: that is it", ""),
    ],
)
def test_two_calls_are_found_and_no_marker_leaks(
    syntax: CallSyntax, text: str, content: str
) -> None:
    calls, said = read(text, syntax)
    assert calls == [F1, GA]
    assert said == content or said.split() == content.split()


@pytest.mark.parametrize(
    "text",
    [
        *("f(x=1)", "[f(x=1)]", "(f(x=1))", "'[f(x=1)]'", "f(x=1)]", "[f(x=1)", "return f(x=1)"),
        *("<function>f(x=1)", "<tool_call>f(x=1)</tool_call>", "<|python_tag|>f(x=1)<|eom_id|>"),
        *("<TOOLCALL>[f(x=1)]</TOOLCALL>", '{"name": "f", "parameters": {"x": 1}}'),
        *("```\n[f(x=1)]\n```", "<<function>>return f(x=1)", "<|python_start|>[f(x=1)]"),
        *("<<function>>f(x=1)</s>", "<<function>>f(x=1)\n### Response: <<function>>g(q='a')"),
        *("<<function>>```python\nf(x=1)\n```", "<<function>>\n```\nf(x=1)\n```"),
        "<<function>>f(x=1)<|EOT|><<function>>g(q='a')",
        "<think>maybe <<function>>g(q='no')</think><<function>>f(x=1)",
        "<|tool_call_start|>[f(x=1)]<|tool_call_end|>[f(x=1)]<|tool_call_end|>",
    ],
)
def test_one_call_is_found_however_it_is_wrapped(text: str) -> None:
    calls, said = read(text)
    assert calls == [F1]
    assert "function" not in said.partition("</think>")[2]


@pytest.mark.parametrize(
    "text",
    [
        *("f", "None", " \n\t", "3 + 4 = 7", "[1, 2, 3]", "[ ]", "x = 1", "[()]", "Let's try: ["),
        *(
            "f (x=1) is how",
            "The function f(x) = x^2 is a parabola.",
            "f(x) = x^2",
            "call me (maybe)",
        ),
        *("I would call f() first", "f() needs a city", "See [1] Smith (2020), [2] Doe (2021)."),
        *("[link](url) and [f](url)", "def f(x=1):\n    pass", "a << b", "x <<= 2", "<<function"),
        *("cat <<EOF\nhi\nEOF", "＜＜function＞＞f(x=1)", "&lt;&lt;function&gt;&gt;f(x=1)"),
        *("print(x=1)", "- one (a)\n- two (b)", "Write `f(x=1)`.", "<|EO", "text <", "`" * 3),
        *("The <<function>> marker starts a call.", "<<function>>\n```python\nx = 1\n```"),
        "<think>I could [f(x=1)] here",
    ],
)
def test_prose_comes_out_verbatim(text: str) -> None:
    assert read(text) == ([], text)


@pytest.mark.parametrize("syntax", [V2, AUTO])
@pytest.mark.parametrize(
    "text", ["```python\n<<function>> starts a call.\n```", "```\n\n<<function>>\n```", "```py"]
)
def test_a_fence_without_a_call_comes_out_verbatim(syntax: CallSyntax, text: str) -> None:
    assert read(text, syntax) == ([], text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f(x=b'z'), g(q='a')", [FAILED, GA]),
        ("[f(x=1e999), g(q='a')]", [FAILED, GA]),
        ("<<function>>f(x=[1, 2<<function>>g(q='a')", [FAILED, GA]),
        ("<<function>>f(x='x 'y')<<function>>g(q='a')", [("f", {"x": "x 'y"}), GA]),
        ("<<function>>f(x='abc)<<function>>g(q='a')", [FAILED, GA]),
        ("[f(x='abc), g(q='a')]", [FAILED, GA]),
        ("<<function>>g(q='a')<<function>>f(x='x 'y', z='c')", [GA, FAILED]),
        ("<<function>>g(q='a')<<function>>f(x='ab", [GA, FAILED]),
        ("[g(q='a'), f(x='ab", [GA, FAILED]),
        ("[f(x=1).g(q=2), g(q='a')]", [FAILED, GA]),
        ("<<function>>f(x=1)(y=2)", [FAILED]),
        ("<<function>>f\u2060(x=1)", [FAILED]),
        ("<<function>>ｆ(x=1)", [FAILED]),
        ("<<function>>f(]}", [FAILED]),
        ("<<function>>f()]})]}", [FAILED]),
        ("<<function>>" + "f(x=" * 300 + ")" * 300, [FAILED]),
    ],
)
def test_a_bad_call_fails_visibly_and_alone(text: str, expected: list[Any]) -> None:
    assert read(text)[0] == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("<<function>>Uber Carpool(loc='a')", "Uber Carpool"),
        ("<<function>>a . b(loc='a')", "a.b"),
        ("<<function>>mcp__fs__read-file(loc='a')", "mcp__fs__read-file"),
        ("<<function>>météo(loc='a')", "météo"),
        ("<<function>>2nd_item(loc='a')", "2nd_item"),
        ("<<function>>gеt(loc='a')", "gеt"),
    ],
)
def test_names_are_what_is_written(text: str, name: str) -> None:
    assert read(text, V2) == ([(name, {"loc": "a"})], "")


def test_a_string_argument_streams_while_it_is_written() -> None:
    parser = StreamParser(V2, TOOLS)
    assert parser.feed("Hi <<function>>f(x='a") == [
        TextDelta("Hi "),
        CallStart(0, "f"),
        ArgumentDelta(0, "x", "a"),
    ]
    assert parser.feed("b\\") == [ArgumentDelta(0, "x", "b")]
    assert parser.feed("n\\ud83d") == [ArgumentDelta(0, "x", "\n")]
    assert parser.feed("\\ude00'") == [ArgumentDelta(0, "x", "😀")]
    assert parser.feed(", y=") == [ArgumentEnd(0, "x", "ab\n😀")]
    assert parser.feed("1)") == [ArgumentEnd(0, "y", 1)]
    assert parser.close() == [CallEnd(0, FunctionCall("f", {"x": "ab\n😀", "y": 1}))]


def test_a_complete_call_stays_valid_when_generation_stopped_at_a_limit() -> None:
    parser = StreamParser(V2, TOOLS)
    parser.feed("<<function>>f(x=1)")
    assert parser.close(truncated=True) == [CallEnd(0, FunctionCall("f", {"x": 1}))]


@pytest.mark.parametrize("text", ["f(x=1", '{"name": "f", "arguments": {"x": 1'])
def test_the_reason_of_a_cut_call_names_the_limit(text: str) -> None:
    parser = StreamParser(V2, TOOLS)
    parser.feed(f"<<function>>{text}")
    *_, failed = parser.close(truncated=True)
    assert isinstance(failed, CallFailed)
    assert failed.reason == "cut off: the answer ended at its length limit inside this call"
    assert failed.text == text


@pytest.mark.parametrize(
    ("syntax", "text"),
    [
        (V2, "<<function>>"),
        (LFM2, "<|tool_call_start|>["),
        (OLMO3, "<function_calls>\n"),
        (RAVEN, "Call: "),
        (V2, "<<function>>f(x=1)\n<<function>>"),
    ],
)
def test_an_answer_that_is_cut_behind_a_marker_has_a_call_that_failed(
    syntax: CallSyntax, text: str
) -> None:
    answer = collect(parse(text, syntax, TOOLS, truncated=True))
    *_, failed = answer.calls
    assert isinstance(failed, CallFailed)
    assert failed.reason == "cut off: the answer ended at its length limit in front of a call"
    assert (failed.index, answer.text) == (text.count("f("), "")


@pytest.mark.parametrize(
    "text", ["<|tool_call_start|>[f(x=1), ", "<|tool_call_start|>[f(x=1)]<|tool_call_end|>"]
)
def test_an_answer_that_is_cut_behind_a_call_has_none_that_failed(text: str) -> None:
    (call,) = collect(parse(text, LFM2, TOOLS, truncated=True)).calls
    assert call == FunctionCall("f", {"x": 1})


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("<|tool_call_start|>[]<|tool_call_end|>", ""),
        ("<|tool_call_start|>[ ]<|tool_call_end|>Hello.", "Hello."),
        ("Well. <|tool_call_start|>[]<|tool_call_end|>\nNo.", "Well. No."),
        ("<|tool_call_start|>[] is empty", "<|tool_call_start|>[] is empty"),
    ],
)
def test_an_empty_block_calls_nothing_and_leaves_no_marker(text: str, content: str) -> None:
    assert read(text, LFM2) == ([], content)


@pytest.mark.parametrize("spaces", [511, 512, 513, 5_000])
def test_any_number_of_spaces_may_stand_between_calls(spaces: int) -> None:
    text = f"[f(x=1),{' ' * spaces}g(q='a')]"
    assert read(text, LIST) == ([F1, GA], "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[f(x=1), a = g(q='a')]", [F1, GA]),
        ("f(x=1), await  g(q='a')", [F1, GA]),
        ("b = f(x=1)", [F1]),
        ("return = f(x=1)", []),
    ],
)
def test_a_statement_is_read_the_same_in_one_piece_and_in_many(
    text: str, expected: list[Any]
) -> None:
    parser = StreamParser(V1, TOOLS)
    events = [event for character in text for event in parser.feed(character)]
    streamed = collect([*events, *parser.close()])
    assert streamed == collect(parse(text, V1, TOOLS))
    assert read(text, V1)[0] == expected


def test_a_closed_parser_takes_no_more_text() -> None:
    parser = StreamParser(V2, TOOLS)
    parser.close()
    assert parser.close() == []
    with pytest.raises(ValueError, match="new StreamParser"):
        parser.feed("a")


def test_without_functions_only_markers_announce_calls() -> None:
    assert collect(parse("f(x=1)", V1, [])).calls == ()
    assert collect(parse("<<function>>f(x=1)", V2, [])).calls == (FunctionCall("f", {"x": 1}),)


def test_where_functions_are_not_known_any_name_may_be_a_call() -> None:
    assert collect(parse("[h(x=1)]", LIST, None)).calls == (FunctionCall("h", {"x": 1}),)


def test_a_failed_calls_text_is_shortened() -> None:
    (failed,) = collect(parse("<<function>>f(x='" + "a" * 10_000, V2, TOOLS)).calls
    assert isinstance(failed, CallFailed)
    assert len(failed.text) < 500
