import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_gorilla.grammar.constraint import Vocabulary
from langchain_gorilla.grammar.patterns import FORMATS, UncompilablePatternError, pattern
from tests.grammar.test_json_schema import accepts

PATTERNS = [
    "^[a-c]+$", "b", "^a|c$", "^(a|b)*$", "^[^a]*$", r"^\w+\s\d$", r"^\S+$", "^.{2,3}$", "a$",
    r"^[\w.-]+$", r"^\D*$", r"^[^\d\s]+$", "^a*?b??$", "^(?:ab)?$", "",
]  # fmt: skip
TEXTS = st.text("abcABC 09_.-\n'\"\\é", max_size=5)


@given(st.sampled_from(PATTERNS), TEXTS)
def test_what_the_grammar_accepts_is_found_by_re(
    vocabulary: Vocabulary, source: str, text: str
) -> None:
    spelled = repr(text)
    if accepts(vocabulary, {"type": "string", "pattern": source}, spelled):
        assert re.search(source, text)


@given(st.sampled_from(PATTERNS), st.text("abcABC 09_.-'\"\\", max_size=5))
def test_the_grammar_accepts_what_re_finds_in_ascii(
    vocabulary: Vocabulary, source: str, text: str
) -> None:
    if re.search(source, text):
        assert accepts(vocabulary, {"type": "string", "pattern": source}, repr(text))


@pytest.mark.parametrize("source", [r"(a)\1", "a(?=b)", "(?<!a)b", r"\bword", "(?i)a", "(^a)b"])
def test_what_a_grammar_cannot_say_is_uncompilable(source: str) -> None:
    with pytest.raises(UncompilablePatternError):
        pattern(source)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_compiles(name: str) -> None:
    assert pattern(FORMATS[name])
