"""Laws of the parser: cutting, round trip, hold-back, JSON out, no crash."""

import itertools
import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_gorilla.calls import (
    ArgumentDelta,
    ArgumentEnd,
    CallEnd,
    CallEvent,
    CallFailed,
    CallSyntax,
    FunctionCall,
    JSONValue,
    TextDelta,
)
from langchain_gorilla.parsing.openings import AUTO
from langchain_gorilla.parsing.python_calls import coalesce, collect, parse
from langchain_gorilla.parsing.stream import StreamParser
from tests.parsing.syntaxes import SYNTAXES, V2, schema

FUNCTIONS = [
    schema("f", "x", "y", "z"),
    schema("get_weather", "city", "unit"),
    schema("uber.ride", "loc"),
    schema("Uber Carpool", "loc"),
]

# Pieces that matter to the parser, so that random texts reach its corners.
FRAGMENTS = st.sampled_from(
    [
        *(
            "<<function>>",
            "<<",
            "<",
            "<|tool_call_start|>",
            "<|tool_call_end|>",
            "[",
            "]",
            "(",
            ")",
        ),
        *(
            "<function_calls>",
            "</function_calls>",
            "Call: ",
            "<bot_end>",
            "<|EOT|>",
            "</s>",
            "{",
            "}",
        ),
        *("<think>", "</think>", "### Response:", "### Instr", "```", "```python\n", "`", "1. "),
        *("f(", "f(x=", "get_weather(", "get_weather(city='Paris')", "uber.ride(", "Uber Carpool("),
        *(
            "x=1",
            "y=",
            "'a'",
            "'",
            '"',
            '"b"',
            "'''",
            "it's",
            "\\",
            "\\n",
            "\\u00e9",
            "\\ud83d",
            "é",
        ),
        *(
            "\\ude00",
            "‘",
            "’",
            ",",
            ", ",
            ";",
            ":",
            "=",
            "#",
            "/*",
            "*/",
            "//",
            "+",
            "-",
            "*",
            "**",
        ),
        *("1", "07", "1e5", "1e", "0x", ".5", "None", "true", "nan", "b'", "r'", "f'", "x", "a b"),
        *(" ", "\n", "\r\n", "\t", " and ", "if ", ".", "😀", "\u200b", "{'a': 1}", "[1, 2]"),
        *('{"name": "f", "arguments": {"x": 1}}', "return ", "a = ", "def ", "[f(x=1), f(y='b')]"),
    ]
)
TEXTS = st.lists(FRAGMENTS, max_size=14).map("".join)


def run(syntax: CallSyntax, chunks: Sequence[str]) -> list[CallEvent]:
    parser = StreamParser(syntax, FUNCTIONS)
    events: list[CallEvent] = []
    for chunk in chunks:
        events += parser.feed(chunk)
    return coalesce([*events, *parser.close()])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([*SYNTAXES.values(), AUTO]), TEXTS, st.data())
def test_any_split_of_the_text_gives_the_same_events(
    syntax: CallSyntax, text: str, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    edges = [0, *cuts, len(text)]
    chunks = [text[a:b] for a, b in itertools.pairwise(edges)]
    whole = run(syntax, [text])
    assert run(syntax, chunks) == whole
    assert run(syntax, list(text)) == whole


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*SYNTAXES.values(), AUTO]), TEXTS)
def test_every_call_that_is_reported_is_finite_utf8_json(syntax: CallSyntax, text: str) -> None:
    for call in collect(parse(text, syntax, FUNCTIONS)).calls:
        if isinstance(call, FunctionCall):
            json.dumps(call.arguments, allow_nan=False, ensure_ascii=False).encode()
        else:
            assert len(call.reason) < 200
            assert len(call.text) < 500


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*SYNTAXES.values(), AUTO]), TEXTS)
def test_streamed_pieces_are_a_prefix_of_the_argument(syntax: CallSyntax, text: str) -> None:
    streamed: dict[tuple[int, str], str] = {}
    ended: dict[int, dict[str, JSONValue]] = {}
    for event in parse(text, syntax, FUNCTIONS):
        if isinstance(event, ArgumentDelta):
            key = (event.index, event.parameter)
            streamed[key] = streamed.get(key, "") + event.text
        elif isinstance(event, ArgumentEnd):
            ended.setdefault(event.index, {})[event.parameter] = event.value
            whole = streamed.get((event.index, event.parameter), "")
            assert not whole or whole == event.value
        elif isinstance(event, CallEnd):
            assert dict(event.call.arguments) == ended.get(event.index, {})


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="<>|fuction_calEOT[](x=1). \n\"'", max_size=80))
def test_at_most_eleven_characters_of_ordinary_text_are_held_back(text: str) -> None:
    parser = StreamParser(V2, FUNCTIONS)
    out = ""
    for number, char in enumerate(text, 1):
        for event in parser.feed(char):
            if not isinstance(event, TextDelta):
                return
            out += event.text
        if "<<function>>" in text[:number] or "<|" in text[:number]:
            return
        assert number - len(out) <= 11
        assert text.startswith(out)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_text_without_markers_comes_out_verbatim(text: str) -> None:
    if not any(marker in text for marker in ("<", "###")):
        assert parse(text, V2, FUNCTIONS) == ([TextDelta(text)] if text else [])


# --- parse(render(calls)) == calls --------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**30), max_value=10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("ab'\"\\\n:,é", max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
CALLS = st.lists(
    st.builds(
        FunctionCall,
        st.sampled_from(["f", "get_weather", "uber.ride"]),
        st.dictionaries(
            st.sampled_from(["x", "city", "from", "user-id", "a.b"]), VALUES, max_size=3
        ),
    ),
    min_size=1,
    max_size=3,
)


def render(calls: Sequence[FunctionCall], syntax: CallSyntax) -> str:
    written = [
        f"{c.name}({', '.join(f'{k}={v!r}' for k, v in c.arguments.items())})" for c in calls
    ]
    return syntax.opening + syntax.separator.join(written) + syntax.closing


@pytest.mark.parametrize("name", SYNTAXES)
@settings(max_examples=40, deadline=None)
@given(calls=CALLS)
def test_calls_survive_rendering_and_parsing(name: str, calls: list[FunctionCall]) -> None:
    syntax = SYNTAXES[name]
    answer = collect(parse(render(calls, syntax), syntax, FUNCTIONS))
    assert list(answer.calls) == calls
    assert answer.text == ""
    for call, parsed in zip(calls, answer.calls, strict=True):
        assert isinstance(parsed, FunctionCall)
        assert json.dumps(call.arguments) == json.dumps(parsed.arguments)


@given(VALUES)
@settings(max_examples=100, deadline=None)
def test_json_values_read_as_well_as_python_ones(value: JSONValue) -> None:
    answer = collect(parse(f"<<function>>f(x={json.dumps(value)})", V2, FUNCTIONS))
    assert answer.calls == (FunctionCall("f", {"x": value}),)


def test_a_call_cut_anywhere_is_never_reported_as_complete() -> None:
    text = "<<function>>f(x='a', y=[1, {'k': 2}], z=-1.5e3)"
    for end in range(len("<<function>>"), len(text)):
        calls = collect(parse(text[:end], V2, FUNCTIONS, truncated=True)).calls
        assert [type(c) for c in calls] == [CallFailed], text[:end]
        failed = calls[0]
        assert isinstance(failed, CallFailed)
        assert "cut off" in failed.reason
