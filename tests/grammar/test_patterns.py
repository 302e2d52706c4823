import re
from datetime import date, datetime, time, timedelta
from ipaddress import IPv4Address
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AnyUrl, TypeAdapter

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


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("date", date),
        ("time", time),
        ("date-time", datetime),
        ("duration", timedelta),
        ("uuid", UUID),
        ("ipv4", IPv4Address),
        ("uri", AnyUrl),
    ],
)
@given(data=st.data())
def test_what_a_format_lets_pass_pydantic_reads(name: str, kind: type, data: st.DataObject) -> None:
    # Whole, without the line break that $ lets pass behind it.
    written = re.compile(FORMATS[name].removesuffix("$"), re.ASCII)
    text = data.draw(st.from_regex(written, fullmatch=True))
    assert isinstance(TypeAdapter(kind).validate_python(text), kind)
