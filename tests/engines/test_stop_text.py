import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_gorilla.engines.stop_text import StopText

_few = st.text(alphabet="ab#", max_size=12)
_stops = st.lists(st.text(alphabet="ab#", min_size=1, max_size=4), max_size=3)


def _shown(pieces: list[str], stop: list[str]) -> tuple[str, bool]:
    finder = StopText(stop)
    text = "".join(finder.feed(piece) for piece in pieces)
    return text + finder.close(), finder.found


@given(text=_few, stop=_stops, cuts=st.lists(st.integers(0, 12)))
def test_any_split_of_the_text_shows_the_same(text: str, stop: list[str], cuts: list[int]) -> None:
    edges = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(edges)]
    assert _shown(pieces, stop) == _shown([text], stop) == _shown(list(text), stop)


@given(text=_few, stop=_stops)
def test_no_stop_text_is_ever_shown(text: str, stop: list[str]) -> None:
    shown, found = _shown(list(text), stop)
    assert not any(each in shown for each in stop)
    assert found == any(each in text for each in stop)
    assert text.startswith(shown)


@given(text=_few, stop=_stops)
def test_only_a_beginning_of_a_stop_text_is_held_back(text: str, stop: list[str]) -> None:
    finder = StopText(stop)
    shown = finder.feed(text)
    held = finder.close()
    assert finder.found or shown + held == text
    assert not held or any(each.startswith(held) and each != held for each in stop)


@pytest.mark.parametrize(
    ("text", "stop", "shown"),
    [
        ("one\n### two", ["###"], "one\n"),
        ("xabc", ["abc", "b"], "xa"),
        ("xabc", ["abc", "bc"], "x"),
        ("###", ["###"], ""),
        ("", ["###"], ""),
        ("##", ["###"], "##"),
    ],
)
def test_the_stop_text_that_is_complete_first_counts(
    text: str, stop: list[str], shown: str
) -> None:
    assert _shown([text], stop)[0] == shown
