import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_gorilla.formats.markers import (
    BREAK,
    break_markers,
    encodable,
    join_markers,
    marker_places,
    read_content,
    write_content,
    write_json,
)
from langchain_gorilla.formats.registry import FORMATS

MARKER_SETS = sorted({prompt_format.markers for prompt_format in FORMATS.values()})
V2 = FORMATS["openfunctions-v2"].markers

# Text in which markers, halves of markers, their variants and breaks are frequent.
_pieces = st.sampled_from(
    [
        *sorted({marker for markers in MARKER_SETS for marker in markers}),
        *("<<func", "tion>>", "<", ">", "#", "##", " ", "\n", "\t", ":", '"', "\\", "'", BREAK),
        *("### response :", "###\u00a0Response:", "<<FUNCTION>>", "user:", "ſ", "K", "é", "\x00"),
        *("[", "]", "{", "}", "|", "\\u003c", "\\x3c", "\u2028", "\r\n", "🦍"),
    ]
)
marked_text = st.lists(_pieces | st.text(max_size=4), max_size=12).map("".join)
marker_sets = st.sampled_from(MARKER_SETS)


@given(marked_text, marker_sets)
@example(f"<{BREAK}<function>>", V2)
@example("<<<<function>><<function>>", V2)
@example(f"\n{BREAK}user: <{BREAK}{BREAK}{BREAK}|", V2)
def test_joining_undoes_breaking_for_every_text(text, markers):
    assert join_markers(break_markers(text, markers), markers) == text


@given(marked_text, marker_sets)
def test_broken_text_spells_no_marker(text, markers):
    broken = break_markers(text, markers)
    assert not [marker for marker in markers if marker in broken]


@given(marked_text, marked_text, marker_sets)
def test_equal_broken_texts_come_from_equal_texts(one, other, markers):
    assert (break_markers(one, markers) == break_markers(other, markers)) == (one == other)


@given(marked_text, marker_sets, st.booleans())
def test_json_spells_no_marker_and_reads_back(text, markers, ascii_only):
    value = {text: [text, 1.5, None, True, {"a": text}]}
    written = write_json(value, markers, ascii_only=ascii_only)
    assert json.loads(written) == value
    assert not [marker for marker in markers if marker in written]


@given(marked_text | st.builds(lambda t: json.dumps([t], ensure_ascii=False), marked_text))
def test_a_result_is_one_line_and_reads_back(content):
    written = write_content(content, V2)
    assert "\n" not in written
    assert read_content(written) == content


@pytest.mark.parametrize(
    ("content", "written"),
    [
        ("5 degrees", '"5 degrees"'),
        ('{"a": "é"}', '{"a": "é"}'),
        ('{"a":1}', r'"{\"a\":1}"'),
        ('["### Response:"]', r'["\u0023## Response:"]'),
        ('{"a": 1, "a": 2}', r'"{\"a\": 1, \"a\": 2}"'),
        ("3", '"3"'),
        ("", '""'),
        ("[" * 100_000, '"' + "[" * 100_000 + '"'),
    ],
)
def test_only_a_canonical_object_or_array_stays_bare(content, written):
    assert write_content(content, V2) == written


@pytest.mark.parametrize(
    "variant",
    [
        *("### Response:", "### response:", "###  Response:", "###\tResponse:", "###Response:"),
        *("### Response :", "#### Response:", "<<FUNCTION>>", "<<function>>", "<<<function>>"),
        *("<|EOT|>", "<｜end▁of▁sentence｜>", "</S>", "USER:", "user:", "a\nAssistant:", "USER :"),
    ],
)
def test_variants_of_markers_are_broken(variant):
    assert break_markers(variant, V2) != variant


@pytest.mark.parametrize(
    "harmless",
    [
        *("a < b << c", "Superuser: root", "The user: Bob", "# Heading", "### Results", "x|>y"),
        *("List<String>", "<sub>2</sub>", "Response: fine", "[1, 2]", "question?", "&lt;&lt;"),
    ],
)
def test_harmless_text_stays_as_it_is(harmless):
    assert break_markers(harmless, V2) == harmless
    assert json.loads(write_json(harmless, V2, ascii_only=True)) == harmless


@pytest.mark.parametrize(
    "unit",
    [
        *("### Response: <<function>>", "<", "#", "###" + " " * 50, "<" + BREAK),
        *("\n", "### Response" + " " * 30),
    ],
    ids=ascii,
)
def test_a_megabyte_takes_linear_time(unit):
    text = (unit * (1_000_000 // len(unit)))[:1_000_000]
    start = time.process_time()
    broken = break_markers(text, V2)
    write_content(text, V2)
    assert time.process_time() - start < 5
    assert join_markers(broken, V2) == text


def test_one_long_run_of_breaks_takes_linear_time():
    text = "<" + BREAK * 1_000_000 + "<###" + " " * 1_000_000
    start = time.process_time()
    assert join_markers(break_markers(text, V2), V2) == text
    assert time.process_time() - start < 5


def test_places_are_where_markers_begin():
    assert marker_places("a ### Response: <<function>>", V2) == {2, 16}


@pytest.mark.parametrize(
    ("text", "clean"), [("\ud83e\udd8d", "🦍"), ("a\ud800b", "a\ufffdb"), ("é", "é")]
)
def test_lone_surrogates_are_replaced(text, clean):
    assert encodable(text) == clean


def test_json_can_always_be_encoded():
    written = write_json({"\udfff": "\ud800"}, V2, ascii_only=False)
    assert json.loads(written.encode().decode()) == {"\udfff": "\ud800"}
