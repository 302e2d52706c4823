"""Gorilla-7B's two answer shapes."""

import pytest

from langchain_gorilla.calls import (
    ArgumentEnd,
    CallEnd,
    CallFailed,
    CallStart,
    FunctionCall,
    TextDelta,
)
from langchain_gorilla.formats.gorilla7b import Gorilla7B
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.parsing.answers import answer_parser
from langchain_gorilla.parsing.gorilla7b import Gorilla7bParser, read_api_call

LOAD = FunctionSchema(
    "torch.hub.load",
    "",
    {"type": "object", "properties": {"repo_or_dir": {}, "model": {}, "pretrained": {}}},
)


@pytest.mark.parametrize(
    "text",
    [
        "<<<domain>>>: Vision\n<<<api_call>>>: torch.hub.load('a/b', model='c')\n<<<code>>>: x()",
        "<<<domain>>>: V, <<<api_call>>>: m = torch.hub.load('a/b', model='c'), <<<code>>>: x()",
        "Hello. {'domain': 'V', 'api_call': \"m = torch.hub.load('a/b', model='c')\", 'code': 'x()'}",
        "{'domain': 'V', 'api_call': 'torch.hub.load('a/b', model='c')', 'api_provider': 'P'}",
        "{'domain': 'V', 'api_call': \\\"torch.hub.load(\\'a/b\\', model=\\'c\\')\\\", 'code': 'x'}",
        "<<<api_call>>>: import torch\nm, n = torch.hub.load(\n  'a/b',\n  model='c'\n).eval()",
        "{'api_call': 'torch.hub.load('a/b', model='c')'}",
        "<<<api_call>>>: import torch; import os;  torch.hub.load('a/b', model='c')",
    ],
)
def test_the_call_is_read_in_every_shape(text: str) -> None:
    call = read_api_call(text)
    assert call is not None
    assert call.failure is None
    assert call.callee == "torch.hub.load"
    assert [(a.name, a.value) for a in call.arguments] == [(None, "a/b"), ("model", "c")]


@pytest.mark.parametrize(
    "text",
    [
        "I love it (really).",
        "{'text': 'J'}",
        "{'api_call': 'import torch', 'api_provider': 'P', 'code': 'torch.hub.load()'}",
        "<<<api_call>>>: load_from_hub\n<<<code>>>: load_from_hub()",
        "",
    ],
)
def test_no_call_is_invented(text: str) -> None:
    assert read_api_call(text) is None
    parser = Gorilla7bParser([LOAD])
    parser.feed(text)
    assert parser.close() == ([TextDelta(text)] if text else [])


def test_an_answer_becomes_text_and_a_call() -> None:
    parser = Gorilla7bParser([LOAD])
    for char in "<<<api_call>>>: torch.hub.load('a')\n<<<explanation>>>: Loads it.":
        assert parser.feed(char) == []
    assert parser.close() == [
        TextDelta("Loads it."),
        CallStart(0, "torch.hub.load"),
        ArgumentEnd(0, "repo_or_dir", "a"),
        CallEnd(0, FunctionCall("torch.hub.load", {"repo_or_dir": "a"})),
    ]


def test_positions_of_an_unknown_function_are_refused() -> None:
    parser = Gorilla7bParser()
    parser.feed("<<<api_call>>>: torch.hub.load('a')")
    (failed,) = parser.close()
    assert isinstance(failed, CallFailed)
    assert "write name=value" in failed.reason


def test_a_special_name_is_no_function() -> None:
    call = read_api_call("<<<api_call>>>: __import__('os').system('id')")
    assert call is not None
    assert call.failure is not None


def test_our_own_history_is_read_back() -> None:
    parser = answer_parser(Gorilla7B.syntax)
    parser.feed("Hi\n<<<api_call>>>: f(x='it\\'s \\\\n')\n<<<api_call>>>: g(y=\"b\")")
    ends = [e.call for e in parser.close() if isinstance(e, CallEnd)]
    assert ends == [FunctionCall("f", {"x": "it's \\n"}), FunctionCall("g", {"y": "b"})]


def test_a_flood_of_fields_takes_linear_time() -> None:
    text = "{'domain': 'x', 'api_call': 'f()', " + "'api_provider_provider': 'P', " * 20_000
    call = read_api_call(text)
    assert call is not None
    assert call.callee == "f"


def test_without_functions_the_answer_is_text_verbatim() -> None:
    text = "<<<domain>>>: Vision\n<<<api_call>>>: torch.hub.load('a/b')"
    parser = Gorilla7bParser(())
    parser.feed(text)
    assert parser.close() == [TextDelta(text)]


def said(text: str) -> str:
    parser = Gorilla7bParser([LOAD])
    parser.feed(text)
    first = parser.close()[0]
    assert isinstance(first, TextDelta)
    return first.text


@pytest.mark.parametrize(
    "code", ["print('a\\nb')", "sizes = {'a': 1}", "name = 'x'", "print('it\\'s', \"q\")"]
)
def test_a_section_is_told_as_it_stands(code: str) -> None:
    assert said(f"<<<api_call>>>: torch.hub.load('a')\n<<<code>>>: {code}\n") == code


def test_a_stray_quote_at_the_end_of_a_section_is_left_out() -> None:
    assert said("<<<api_call>>>: torch.hub.load('a')\n<<<code>>>: run(x)\n'") == "run(x)"


def test_the_escapes_of_a_dicts_entry_are_undone() -> None:
    assert said("{'api_call': 'torch.hub.load()', 'code': 'a()\\nb(\\'c\\')'}") == "a()\nb('c')"


def test_many_backslashes_take_linear_time() -> None:
    text = "\\" * 400_000
    assert said(f"{{'api_call': 'torch.hub.load()', 'code': '{text} x'}}") == f"{text} x"
