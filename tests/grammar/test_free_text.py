"""Masks of free text: those of the grammar itself, bit by bit."""

import random
from pathlib import Path

import numpy as np
import pytest

from langchain_gorilla import bundled
from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.grammar.call_grammar import Answer
from langchain_gorilla.grammar.compiler import ConstraintCompiler
from langchain_gorilla.grammar.constraint import Constraint, Vocabulary, mask_to_bools

SHARED = Path(__file__).resolve().parents[3] / "shared/tokenizers"
V2 = CallSyntax(opening="<<function>>", separator="<<function>>", closing="")
OLMO = CallSyntax(opening="<function_calls>", separator="\n", closing="</function_calls>")
BARE = CallSyntax(opening="[", separator=", ", closing="]")
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [FunctionSchema(name, "", CITY) for name in ("get_weather", "get_time", "f")]
TEXTS = (
    "Hello, wörld! 2 < 3 << 4 <<function> <<f>>",
    " <<function>>get_weather(city='Oslo')",
    " <think>So << be <<function>> it</think> <<function>>f(city=''",
    " Well…<<functio <<<<function>>>> <function_calls>f(",
    " 😀<function_call<function_calls>get_time(city=",
)


ENDS = {"bundled": 1, "deepseek-llm": 100_001, "llama-bpe": 128_001, "llama-spm": 2}


def vocabularies() -> list[object]:
    shipped = bundled.path() / "tokenizer.json"
    real = sorted(SHARED.glob("*/tokenizer.json"))
    return [pytest.param(path, id=path.parent.name) for path in (shipped, *real)]


@pytest.fixture(scope="module", params=vocabularies())
def vocabulary(request: pytest.FixtureRequest) -> Vocabulary:
    path: Path = request.param
    return Vocabulary(path.read_text(), end_ids=[ENDS[path.parent.name]])


def agree(constraint: Constraint) -> bool:
    """Compare with the mask that the grammar gives without help; tell whether there was help."""
    free = constraint._free
    assert free is not None
    helped = free.mask(constraint.tokens, constraint._current())
    if helped is None:
        return False
    assert np.array_equal(helped, constraint._mask()), constraint.vocabulary.decode(
        constraint.tokens
    )
    return True


@pytest.mark.parametrize("answer", [Answer(), Answer(prefix=" "), Answer(mode="none")])
@pytest.mark.parametrize("syntax", [V2, OLMO])
def test_the_mask_is_that_of_the_grammar_wherever_it_is_given(
    vocabulary: Vocabulary, syntax: CallSyntax, answer: Answer
) -> None:
    constraint = ConstraintCompiler(vocabulary).constraint(TOOLS, syntax, answer)
    for text in TEXTS:
        here = constraint.fork()
        for token in vocabulary.encode(text if answer.prefix else text.lstrip(), special=True):
            agree(here)
            if not here.try_consume([token]):
                break
        agree(here)
        here.rollback(len(here.tokens) // 2)
        agree(here)


def test_walks_at_random_meet_no_other_mask(vocabulary: Vocabulary) -> None:
    draw = random.Random(3)
    constraint = ConstraintCompiler(vocabulary).constraint(TOOLS, V2, Answer())
    for _ in range(6):
        here, helped = constraint.fork(), 0
        for _ in range(25):
            helped += agree(here)
            allowed = mask_to_bools(here.allowed(), vocabulary.size).copy()
            allowed[sorted(vocabulary.end_ids)] = False
            here.consume([draw.choice(np.flatnonzero(allowed).tolist())])
        assert helped > 0


def test_there_is_none_behind_a_mark(vocabulary: Vocabulary) -> None:
    constraint = ConstraintCompiler(vocabulary).constraint(TOOLS, V2, Answer())
    assert agree(constraint)
    constraint.consume(vocabulary.encode("Hm. <<function>>", special=True))
    assert not agree(constraint)
    constraint.rollback(len(constraint.tokens))
    assert agree(constraint)


@pytest.mark.parametrize(
    ("syntax", "answer"),
    [(BARE, Answer()), (V2, Answer(mode="any")), (V2, Answer(final={"type": "object"}))],
)
def test_an_answer_that_is_no_free_text_has_none(
    vocabulary: Vocabulary, syntax: CallSyntax, answer: Answer
) -> None:
    constraint = ConstraintCompiler(vocabulary).constraint(TOOLS, syntax, answer)
    assert constraint._free is None
    assert constraint.allowed().any()
