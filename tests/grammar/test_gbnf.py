"""GBNF, read back through llguidance's converter."""

import importlib

import pytest

from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.grammar.call_grammar import Answer, answer_grammar
from langchain_gorilla.grammar.constraint import Vocabulary, WholeConstraint
from langchain_gorilla.grammar.gbnf import gbnf
from tests.grammar.samples import SYNTAXES, V2
from tests.grammar.test_call_grammar import CALL, FUNCTIONS, wrapped

convert = importlib.import_module("llguidance.gbnf_to_lark")


def accepts(vocabulary: Vocabulary, text: str, source: str) -> bool:
    matcher = vocabulary.matcher(convert.gbnf_to_lark(source))
    tokens = vocabulary.encode(text)
    constraint = WholeConstraint(vocabulary, matcher)
    return constraint.try_consume(tokens) == len(tokens) and constraint.can_end


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
def test_calls_and_chat_are_accepted_and_unknown_tools_are_not(
    vocabulary: Vocabulary, syntax: object
) -> None:
    source = gbnf(answer_grammar(FUNCTIONS, syntax, Answer())).text  # type: ignore[arg-type]
    assert accepts(vocabulary, wrapped(syntax, CALL, "clock.now()"), source)  # type: ignore[arg-type]
    assert accepts(vocabulary, "Sure, 3 < 4.", source)
    assert not accepts(vocabulary, wrapped(syntax, "rm(a=1)"), source)  # type: ignore[arg-type]


def test_members_stand_in_the_order_of_the_schema(vocabulary: Vocabulary) -> None:
    source = gbnf(answer_grammar(FUNCTIONS, V2, Answer(mode="any"))).text
    assert accepts(vocabulary, "<<function>>get_weather(city='a', unit='celsius')", source)
    assert not accepts(vocabulary, "<<function>>get_weather(unit='celsius', city='a')", source)


def test_what_gbnf_cannot_say_is_named() -> None:
    schema = {"type": "string", "pattern": "^a+$", "maxLength": 3}
    function = FunctionSchema("f", "", {"type": "object", "properties": {"x": schema}})
    (dropped,) = gbnf(answer_grammar([function], V2, Answer(mode="any"))).dropped
    assert "pattern, format and length" in dropped
