import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_gorilla.grammar.emptiness import MOST_PLACES, have_common_text
from langchain_gorilla.grammar.patterns import FORMATS, pattern
from langchain_gorilla.grammar.rules import ANY_CHARACTER, Both, Literal, repeat
from tests.grammar.test_patterns import PATTERNS, TEXTS


@given(st.lists(st.sampled_from(PATTERNS), min_size=2, max_size=3), TEXTS)
def test_patterns_that_are_found_in_one_text_have_one_in_common(
    sources: list[str], text: str
) -> None:
    if text.isascii() and all(re.search(source, text) for source in sources):
        assert have_common_text([pattern(source) for source in sources])


@pytest.mark.parametrize(
    ("left", "right", "common"),
    [
        ("^a+$", "^b+$", False),
        ("^a", "b$", True),
        ("^a", "^b|c$", True),
        ("^(ab)*$", "^a(ba)*$", False),
        ("^(ab)*$", "^a(ba)*b$", True),
        ("^[0-9]+$", "[a-z]", False),
        ("(a|b)*a(a|b){5}$", "(a|b)*b(a|b){5}$", False),
        ("^x?y?$", "^z?$", True),
        (FORMATS["date"], "^[3-9]", False),
        (FORMATS["uuid"], "-0{12}$", True),
    ],
)
def test_two_patterns_have_a_common_text_or_not(left: str, right: str, common: bool) -> None:
    assert have_common_text([pattern(left), pattern(right)]) is common
    assert have_common_text([pattern(right), pattern(left)]) is common


@pytest.mark.parametrize(
    ("least", "most", "common"),
    [(0, 2, False), (3, 3, True), (4, None, False), (0, None, True)],
)
def test_a_length_counts(least: int, most: int | None, common: bool) -> None:
    three, length = pattern("^[a-z]{3}$"), repeat(ANY_CHARACTER, least, most)
    assert have_common_text([three, length]) is common


def test_what_takes_too_long_to_tell_counts_as_possible() -> None:
    long = repeat(ANY_CHARACTER, 2 * MOST_PLACES, None)
    assert have_common_text([pattern("^a*$"), long])
    assert have_common_text([pattern(f"^a{{{MOST_PLACES}}}$"), long])


def test_what_is_not_regular_counts_as_possible() -> None:
    assert have_common_text([Both((Literal("a"), Literal("b"))), Literal("a")])
