"""The token level: masks, forced tokens, rollback, the end, special tokens, many tools."""

import random
import threading
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from langchain_gorilla.errors import (
    ContradictorySchemaError,
    DeadEndError,
    UnsupportedOptionError,
)
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.grammar import compiler as compiler_module
from langchain_gorilla.grammar.call_grammar import MAX_FUNCTIONS, Answer
from langchain_gorilla.grammar.compiler import ConstraintCompiler
from langchain_gorilla.grammar.constraint import (
    Constraint,
    Vocabulary,
    mask_to_bools,
)
from langchain_gorilla.grammar.lazy import LazyConstraint
from tests.grammar.samples import SYNTAXES, V2
from tests.grammar.test_call_grammar import CALL, FUNCTIONS, WEATHER, function, wrapped


def allowed_ids(constraint: Constraint) -> list[int]:
    bools = mask_to_bools(constraint.allowed(), constraint.vocabulary.size)
    return [int(token) for token in np.flatnonzero(bools)]


def test_the_mask_is_what_consuming_accepts(compiler: ConstraintCompiler) -> None:
    constraint = compiler.constraint(FUNCTIONS, V2, Answer())
    for text in ("", "<<function>>get_weather(city", "='a"):
        constraint.consume(compiler.vocabulary.encode(text))
        accepted = [
            token
            for token in range(compiler.vocabulary.size)
            if constraint.fork().try_consume([token])
        ]
        assert allowed_ids(constraint) == accepted


def test_forced_tokens_are_those_of_the_tokenizer(compiler: ConstraintCompiler) -> None:
    constraint = compiler.constraint([WEATHER], V2, Answer(mode="any"))
    expected = compiler.vocabulary.encode("<<function>>get_weather(city=")
    forced = constraint.forced()
    assert forced
    assert forced == expected[: len(forced)]


def test_asking_changes_nothing(compiler: ConstraintCompiler) -> None:
    constraint = compiler.constraint(FUNCTIONS, V2, Answer(mode="any"))
    first = (constraint.allowed().tolist(), constraint.forced(), constraint.can_end)
    assert first == (constraint.allowed().tolist(), constraint.forced(), constraint.can_end)


def test_the_end_is_allowed_only_where_the_grammar_may_end(compiler: ConstraintCompiler) -> None:
    constraint = compiler.constraint(FUNCTIONS, V2, Answer(mode="any", parallel=False))
    assert 0 not in allowed_ids(constraint)
    constraint.consume(compiler.vocabulary.encode(f"<<function>>{CALL}"))
    assert constraint.complete
    assert allowed_ids(constraint) == [0]
    constraint.consume([0])
    assert constraint.ended
    assert constraint.try_consume([5]) == 0
    constraint.rollback(2)
    assert not constraint.can_end


def test_a_token_that_does_not_fit_is_an_error_and_changes_nothing(
    compiler: ConstraintCompiler,
) -> None:
    constraint = compiler.constraint(FUNCTIONS, V2, Answer(mode="any"))
    before = constraint.allowed().tolist()
    with pytest.raises(DeadEndError, match="does not fit the grammar"):
        constraint.consume(compiler.vocabulary.encode("<<function>>rm("))
    assert constraint.allowed().tolist() == before


def test_a_fork_goes_its_own_way(compiler: ConstraintCompiler) -> None:
    constraint = compiler.constraint(FUNCTIONS, V2, Answer(mode="any"))
    fork = constraint.fork()
    fork.consume(compiler.vocabulary.encode("<<function>>"))
    assert constraint.allowed().tolist() != fork.allowed().tolist()


def test_a_mark_that_is_a_token_is_asked_for_by_id(marked_vocabulary: Vocabulary) -> None:
    mark = marked_vocabulary.special_tokens["<<function>>"]
    constraint = ConstraintCompiler(marked_vocabulary).constraint([WEATHER], V2, Answer(mode="any"))
    assert allowed_ids(constraint) == [mark]
    assert constraint.forced()[0] == mark


@pytest.mark.parametrize("name", ["openfunctions-v2", "lfm2"])
def test_marks_as_tokens_work_in_auto(marked_vocabulary: Vocabulary, name: str) -> None:
    syntax = SYNTAXES[name]
    compiler = ConstraintCompiler(marked_vocabulary)
    start, end = (
        [marked_vocabulary.special_tokens[text]] if text else []
        for text in (
            ("<<function>>", "") if name == "openfunctions-v2"
            else ("<|tool_call_start|>", "<|tool_call_end|>")
        )
    )  # fmt: skip
    inner = wrapped(syntax, CALL)
    for mark in ("<<function>>", "<|tool_call_start|>", "<|tool_call_end|>"):
        inner = inner.replace(mark, "")
    tokens = [*marked_vocabulary.encode("Let me see. "), *start, *marked_vocabulary.encode(inner)]
    constraint = compiler.constraint(FUNCTIONS, syntax, Answer())
    constraint.consume([*tokens, *end])
    assert constraint.can_end


def test_a_mark_that_is_a_token_cannot_be_spelled(marked_vocabulary: Vocabulary) -> None:
    constraint = ConstraintCompiler(marked_vocabulary).constraint(FUNCTIONS, V2, Answer())
    tokens = marked_vocabulary.encode("<<function>>")
    assert tokens != [marked_vocabulary.special_tokens["<<function>>"]]
    assert constraint.try_consume(tokens) < len(tokens)


def test_a_value_that_reads_like_a_mark_is_written_in_plain_tokens(
    marked_vocabulary: Vocabulary,
) -> None:
    schema = {
        "type": "object",
        "properties": {"mode": {"type": "string", "enum": ["<<function>>x"]}},
        "required": ["mode"],
    }
    only = FunctionSchema("only", "", schema)
    constraint = ConstraintCompiler(marked_vocabulary).constraint([only], V2, Answer(mode="any"))
    constraint.consume(marked_vocabulary.encode("<<function>>only(mode='", special=True))
    forced = constraint.forced()
    assert marked_vocabulary.decode(forced).startswith(b"<<function>>x'")
    assert marked_vocabulary.special_tokens["<<function>>"] not in forced
    constraint.consume(forced)


def test_padding_is_never_allowed(marked_vocabulary: Vocabulary) -> None:
    constraint = ConstraintCompiler(marked_vocabulary).constraint((), V2, Answer(mode="none"))
    allowed = allowed_ids(constraint)
    assert marked_vocabulary.size == 500
    assert max(allowed) <= max(marked_vocabulary.special_tokens.values())
    assert marked_vocabulary.banned
    assert not marked_vocabulary.banned & set(allowed)


def test_a_tokenizer_without_byte_fallback_is_an_error() -> None:
    plain = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    with pytest.raises(UnsupportedOptionError, match="constrained=False"):
        Vocabulary(plain.to_str(), end_ids=[0])


MANY = [
    function(f"{verb}_{noun}", "a", a={"type": "integer"}, b={"type": "string"})
    for verb in ("get", "set", "list", "drop")
    for noun in ("user", "users", "file", "mail", "event", "note", "tag")
] + [function("get"), function("clock.now")]


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
@pytest.mark.parametrize("mode", ["auto", "any"])
@pytest.mark.parametrize(
    "calls",
    [
        ["get_user(a=1)"],
        ["get_users(a=1, b='x')", "get()", "drop_tag(b='', a=-1)"],
        ["clock.now()"],
    ],
)
def test_many_tools_accept_what_few_do(
    compiler: ConstraintCompiler, syntax: object, mode: str, calls: list[str]
) -> None:
    constraint = compiler.constraint(MANY, syntax, Answer(mode=mode))  # type: ignore[arg-type]
    assert isinstance(constraint, LazyConstraint)
    tokens = compiler.vocabulary.encode(wrapped(syntax, *calls))  # type: ignore[arg-type]
    fork = constraint.fork()
    fork.consume(tokens)
    assert fork.can_end
    fork.rollback(len(tokens))
    assert fork.allowed().tolist() == constraint.allowed().tolist()
    constraint.consume(tokens)
    assert constraint.can_end


@pytest.mark.parametrize(
    "text", ["get_us(a=1)", "get_user(b='x')", "get(a=1)", "get_user(a=1)<<function>>rm()"]
)
def test_many_tools_refuse_what_few_do(compiler: ConstraintCompiler, text: str) -> None:
    constraint = compiler.constraint(MANY, V2, Answer())
    tokens = compiler.vocabulary.encode(f"<<function>>{text}")
    assert constraint.try_consume(tokens) < len(tokens)


def test_many_tools_end_only_after_a_call(compiler: ConstraintCompiler) -> None:
    constraint = compiler.constraint(MANY, V2, Answer(mode="any"))
    constraint.consume(compiler.vocabulary.encode("<<function>>get_user(a=1)"))
    assert constraint.can_end
    constraint.consume(compiler.vocabulary.encode("<<function>>"))
    assert not constraint.can_end


def test_many_tools_accept_chat(compiler: ConstraintCompiler) -> None:
    constraint = compiler.constraint(MANY, V2, Answer())
    constraint.consume(compiler.vocabulary.encode("I cannot do that (yet)."))
    assert constraint.can_end


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), lazy=st.booleans())
def test_rolling_back_restores_the_mask(vocabulary: Vocabulary, seed: int, lazy: bool) -> None:
    choose = random.Random(seed)
    compiler = ConstraintCompiler(vocabulary)
    constraint = compiler.constraint(MANY if lazy else FUNCTIONS, V2, Answer(mode="any"))
    masks = [constraint.allowed().tolist()]
    for _ in range(25):
        token = choose.choice(allowed_ids(constraint))
        constraint.consume([token])
        masks.append(constraint.allowed().tolist())
        if constraint.ended:
            break
    back = choose.randrange(len(masks))
    constraint.rollback(back)
    assert constraint.allowed().tolist() == masks[len(masks) - 1 - back]


def test_a_tool_set_is_compiled_once(
    compiler: ConstraintCompiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler.constraint(FUNCTIONS, V2, Answer())
    monkeypatch.setattr(compiler_module, "lark", lambda *_: pytest.fail("compiled again"))
    compiler.constraint(list(FUNCTIONS), V2, Answer())


def test_threads_share_a_compiler(compiler: ConstraintCompiler) -> None:
    ended: list[bool] = []

    def work(index: int) -> None:
        constraint = compiler.constraint(MANY, V2, Answer(mode="any"))
        text = f"<<function>>{MANY[index].name}(a={index})"
        constraint.consume(compiler.vocabulary.encode(text))
        ended.append(constraint.can_end)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [True] * 8


def test_a_contradiction_among_many_tools_shows_when_it_is_called(
    compiler: ConstraintCompiler,
) -> None:
    broken = FunctionSchema(
        "broken", "", {"type": "object", "properties": {"x": {"type": "integer", "enum": ["1"]}}}
    )
    constraint = compiler.constraint([*MANY, broken], V2, Answer(mode="any"))
    with pytest.raises(ContradictorySchemaError, match="'broken'"):
        constraint.consume(compiler.vocabulary.encode("<<function>>broken("))


def test_the_space_taken_from_the_prompt_joins_the_mark(compiler: ConstraintCompiler) -> None:
    answer = Answer(mode="any", prefix=" ")
    constraint = compiler.constraint([WEATHER], V2, answer)
    expected = compiler.vocabulary.encode(f" <<function>>{CALL}")
    forced = constraint.forced()
    assert forced
    assert forced == expected[: len(forced)]


def test_forced_tokens_of_many_tools_are_those_of_the_tokenizer(
    compiler: ConstraintCompiler,
) -> None:
    constraint = compiler.constraint(MANY, V2, Answer(mode="any"))
    expected = compiler.vocabulary.encode("<<function>>drop_event(b='x', a=1)")
    position = count = 0
    while position < len(expected):
        forced = constraint.forced()
        assert forced == expected[position : position + len(forced)]
        count += len(forced)
        step = forced or [expected[position]]
        constraint.consume(step)
        position += len(step)
    assert count


@pytest.mark.parametrize("mode", ["auto", "any"])
def test_as_many_functions_as_a_grammar_takes_can_be_called(
    compiler: ConstraintCompiler, mode: Literal["auto", "any"]
) -> None:
    many = [function(f"do_{number}") for number in range(MAX_FUNCTIONS)]
    constraint = compiler.constraint(many, V2, Answer(mode=mode))
    assert constraint.try_consume(compiler.vocabulary.encode("<<function>>"))
    assert constraint.allowed().any()
    assert constraint.try_consume(compiler.vocabulary.encode("do_4095("))
