"""What was asked of an answer decides what in it is a call."""

import json

import pytest

from langchain_gorilla.calls import CallEnd, CallSyntax, TextDelta
from langchain_gorilla.parsing.answers import AnswerParser, answer_parser
from tests.parsing.syntaxes import LIST, SYNTAXES, V1, V2, schema

TOOLS = [schema("f", "x"), schema("true_north", "x")]
CALLS = {
    "v2": "<<function>>f(x=1)",
    "v1": "f(x=1)",
    "list": "[f(x=1)]",
    "lfm2": "<|tool_call_start|>[f(x=1)]<|tool_call_end|>",
    "olmo3": "<function_calls>f(x=1)</function_calls>",
    "raven": "Call: f(x=1)<bot_end>",
}


def read(parser: AnswerParser, text: str, piece: int) -> tuple[str, list[str]]:
    events = [e for at in range(0, len(text), piece) for e in parser.feed(text[at : at + piece])]
    events += parser.close()
    said = "".join(event.text for event in events if isinstance(event, TextDelta))
    return said, [event.call.name for event in events if isinstance(event, CallEnd)]


@pytest.mark.parametrize("piece", [1, 3, 1000])
@pytest.mark.parametrize("family", SYNTAXES)
class TestEveryFamily:
    def test_a_call_that_is_quoted_in_json_calls_nothing(self, family: str, piece: int) -> None:
        text = json.dumps({"text": f"The docs say:\n{CALLS[family]}"})
        for may_call in (True, False):
            parser = answer_parser(SYNTAXES[family], TOOLS, may_call=may_call, may_be_json=True)
            assert read(parser, text, piece) == (text, [])

    def test_calls_may_come_instead_of_json(self, family: str, piece: int) -> None:
        parser = answer_parser(SYNTAXES[family], TOOLS, may_be_json=True)
        assert read(parser, CALLS[family], piece) == ("", ["f"])

    @pytest.mark.parametrize("before", ["", "Sure.\n", "Sure "])
    def test_an_answer_that_must_not_call_is_text(
        self, family: str, piece: int, before: str
    ) -> None:
        text = before + CALLS[family]
        parser = answer_parser(SYNTAXES[family], TOOLS, may_call=False)
        assert read(parser, text, piece) == (text, [])


@pytest.mark.parametrize("piece", [1, 2, 1000])
@pytest.mark.parametrize(
    "text",
    [
        *('"f(x=1)"', "12", "-0.5", "true", " null ", "false", "[]", "[ ]", '["f(x=1)"]', "[[1]]"),
        *("[-1]", "[true, 1]", "[null]", '\n{"a": "f(x=1)"}', '[ {"a": 1}]', "[[], 1]"),
    ],
)
def test_any_json_is_text(text: str, piece: int) -> None:
    for syntax in (LIST, V1):
        assert read(answer_parser(syntax, TOOLS, may_be_json=True), text, piece) == (text, [])


@pytest.mark.parametrize("piece", [1, 1000])
@pytest.mark.parametrize(
    ("syntax", "text"), [(V1, "true_north(x=1)"), (LIST, "[true_north(x=1)]"), (LIST, "[ f(x=1)]")]
)
def test_names_that_begin_like_json_are_calls(syntax: CallSyntax, text: str, piece: int) -> None:
    said, calls = read(answer_parser(syntax, TOOLS, may_be_json=True), text, piece)
    assert (said, len(calls)) == ("", 1)


def test_json_is_text_however_many_lines_are_left_empty_before_it() -> None:
    text = "\n" * 5_000 + '{"a": 1}'
    assert read(answer_parser(LIST, TOOLS, may_be_json=True), text, 1) == (text, [])


def test_text_that_must_not_call_ends_with_the_turn() -> None:
    parser = answer_parser(V2, TOOLS, may_call=False)
    assert read(parser, "Hello.\n### Instruction: <<function>>f(x=1)", 5) == (
        "Hello.\n### Instruction:",
        [],
    )


def test_an_empty_answer_is_none() -> None:
    assert read(answer_parser(V2, TOOLS, may_be_json=True), "", 1) == ("", [])
