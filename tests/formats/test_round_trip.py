"""What a format writes, the parser reads back: calls exactly, text once breaks are undone."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_gorilla.calls import CallEnd, FunctionCall, TextDelta
from langchain_gorilla.formats.base import AssistantTurn, CallResult
from langchain_gorilla.formats.call_writer import write_call, write_calls
from langchain_gorilla.formats.exchanges import result_lines
from langchain_gorilla.formats.markers import join_markers, read_content
from langchain_gorilla.formats.registry import FORMATS
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.parsing.stream import StreamParser
from tests.formats.test_call_writer import json_values
from tests.formats.test_markers import marked_text

PARAMETERS = ("city", "größe", "_x1", "a-b", "$top", "x.y", "with space", "class")
FUNCTIONS = tuple(
    FunctionSchema(
        name, "", {"type": "object", "properties": {parameter: {} for parameter in PARAMETERS}}
    )
    for name in ("f", "get_weather", "maps.search", "straße", "_private")
)
names = st.sampled_from([function.name for function in FUNCTIONS])
values = json_values | marked_text
calls = st.builds(
    FunctionCall, names, st.dictionaries(st.sampled_from(PARAMETERS), values, max_size=4)
)
call_lists = st.lists(calls, max_size=3).map(tuple)
each_format = pytest.mark.parametrize("prompt_format", FORMATS.values(), ids=FORMATS)


def read(text, syntax):
    parser = StreamParser(syntax, FUNCTIONS)
    events = [*parser.feed(text), *parser.close()]
    said = "".join(event.text for event in events if isinstance(event, TextDelta))
    return said, [event.call for event in events if isinstance(event, CallEnd)], events


def same(calls, others):
    """Compare calls by type and order of their values too: 1 is not 1.0, nor True."""
    return [(c.name, repr(c.arguments)) for c in calls] == [
        (c.name, repr(c.arguments)) for c in others
    ]


@each_format
@given(written=call_lists)
@settings(max_examples=25)
def test_parsing_gives_the_calls_that_were_written(prompt_format, written):
    syntax = prompt_format.syntax
    text, found, events = read(write_calls(written, syntax, prompt_format.markers), syntax)
    assert same(found, written), events
    assert not text.strip()


@each_format
@given(text=marked_text, written=call_lists)
@settings(max_examples=25)
def test_parsing_gives_the_turn_that_was_rendered(prompt_format, text, written):
    turn = AssistantTurn(text, written)
    said, found, events = read(prompt_format.render_answer(turn), prompt_format.syntax)
    assert same(found, written), events
    restored = join_markers(said, prompt_format.markers)
    # White space between text and calls is layout, which a parser may leave out.
    assert restored.strip() == text.strip() if written else restored == text


@each_format
@given(written=call_lists)
@settings(max_examples=25)
def test_calls_are_read_without_what_an_engine_leaves_out(prompt_format, written):
    """Engines drop special tokens from the text, and the stop text at its end."""
    syntax = prompt_format.syntax
    text = write_calls(written, syntax, prompt_format.markers)
    for stop in prompt_format.stop:
        text = text.removesuffix(stop)
    if prompt_format.syntax.wrapped:
        for tag in (syntax.opening.removesuffix("["), syntax.closing.removeprefix("]")):
            text = text.replace(tag, "")
    assert same(read(text, syntax)[1], written)


@pytest.mark.parametrize("name", ["openfunctions-v2", "openfunctions-v1", "nexusraven-2"])
@given(results=st.lists(st.builds(CallResult, calls, marked_text, st.booleans()), max_size=3))
@settings(max_examples=25)
def test_the_lines_of_results_read_back(name, results):
    prompt_format = FORMATS[name]
    syntax, markers = prompt_format.syntax, prompt_format.markers
    written = result_lines(results, syntax, markers)
    lines = written.split("\n") if written else []
    assert len(lines) == len(results)
    for line, result in zip(lines, results, strict=True):
        before = f"{write_call(result.call, syntax, markers)} -> "
        assert line.startswith(before)
        content = line.removeprefix(before)
        assert content.startswith("error ") == result.is_error
        assert read_content(content.removeprefix("error ")) == result.content


@given(marked_text, st.booleans())
def test_the_results_of_chat_families_read_back(content, is_error):
    result = CallResult(FunctionCall("f"), content, is_error)
    key = "error" if is_error else "output"
    assert json.loads(FORMATS["llama-pythonic"].result(result)[0]) == {key: content}
    value = {"error": content} if is_error else content
    assert json.loads(FORMATS["llama-4-pythonic"].result(result)[0]) == value
    for name in ("lfm2.5", "olmo-3"):
        (written,) = FORMATS[name].result(result)
        said = written.removeprefix("Error: ") if is_error else written
        assert join_markers(said, FORMATS[name].markers) == content
