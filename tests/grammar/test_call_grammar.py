"""Which answers each mode accepts, in every family's syntax."""

from typing import Any

import pytest

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.errors import InvalidFunctionError, UnknownToolError
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.grammar.call_grammar import Answer, answer_grammar
from langchain_gorilla.grammar.compiler import ConstraintCompiler
from tests.grammar.samples import SYNTAXES, V2


def function(name: str, *required: str, **properties: Any) -> FunctionSchema:
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return FunctionSchema(name, "", parameters)


WEATHER = function(
    "get_weather", "city", city={"type": "string"}, unit={"enum": ["celsius", "fahrenheit"]}
)
NOW = function("clock.now")
FUNCTIONS = (WEATHER, NOW)
CALL = "get_weather(city='Boston')"
FINAL = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}


def accepts(
    compiler: ConstraintCompiler, text: str, answer: Answer, syntax: CallSyntax = V2
) -> bool:
    constraint = compiler.constraint(FUNCTIONS, syntax, answer)
    tokens = compiler.vocabulary.encode(text)
    return constraint.try_consume(tokens) == len(tokens) and constraint.can_end


def wrapped(syntax: CallSyntax, *calls: str) -> str:
    return syntax.opening + syntax.separator.join(calls) + syntax.closing


each_syntax = pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)


@each_syntax
@pytest.mark.parametrize("mode", ["auto", "any"])
def test_one_call_and_parallel_calls_are_accepted(
    compiler: ConstraintCompiler, syntax: CallSyntax, mode: Any
) -> None:
    assert accepts(compiler, wrapped(syntax, CALL), Answer(mode=mode), syntax)
    assert accepts(compiler, wrapped(syntax, CALL, "clock.now()"), Answer(mode=mode), syntax)


@each_syntax
def test_parallel_false_allows_one_call(compiler: ConstraintCompiler, syntax: CallSyntax) -> None:
    single = Answer(mode="any", parallel=False)
    assert accepts(compiler, wrapped(syntax, CALL), single, syntax)
    assert not accepts(compiler, wrapped(syntax, CALL, CALL), single, syntax)


@each_syntax
@pytest.mark.parametrize("mode", ["auto", "none"])
def test_chat_is_accepted(compiler: ConstraintCompiler, syntax: CallSyntax, mode: Any) -> None:
    assert accepts(compiler, "Sure (of course): 3 < 4, [see].\nBye", Answer(mode=mode), syntax)


@each_syntax
def test_any_refuses_chat(compiler: ConstraintCompiler, syntax: CallSyntax) -> None:
    assert not accepts(compiler, "Sure!", Answer(mode="any"), syntax)


@each_syntax
def test_none_refuses_calls(compiler: ConstraintCompiler, syntax: CallSyntax) -> None:
    assert not accepts(compiler, wrapped(syntax, CALL), Answer(mode="none"), syntax)


@each_syntax
@pytest.mark.parametrize("mode", ["auto", "any"])
@pytest.mark.parametrize(
    "call",
    ["rm(path='x')", "get_weather()", "get_weather(town='x')", "get_weather(city=1)",
     "get_weather('x')", "get_weather(city='a', city='b')", "clock.now(a=1)"],
)  # fmt: skip
def test_a_wrong_call_is_refused(
    compiler: ConstraintCompiler, syntax: CallSyntax, mode: Any, call: str
) -> None:
    assert not accepts(compiler, wrapped(syntax, call), Answer(mode=mode), syntax)


def test_auto_accepts_text_and_then_calls(compiler: ConstraintCompiler) -> None:
    assert accepts(compiler, f"Let me look. <<function>>{CALL}", Answer())


def test_nothing_follows_the_calls(compiler: ConstraintCompiler) -> None:
    assert not accepts(compiler, f"<<function>>{CALL} done", Answer())


def test_an_empty_answer_is_refused(compiler: ConstraintCompiler) -> None:
    assert not accepts(compiler, "", Answer())


def test_arguments_come_in_any_order(compiler: ConstraintCompiler) -> None:
    assert accepts(compiler, "<<function>>get_weather(unit='celsius', city='B')", Answer())


def test_a_named_tool_is_the_only_one(compiler: ConstraintCompiler) -> None:
    named = Answer(mode="any", name="clock.now")
    assert accepts(compiler, "<<function>>clock.now()", named)
    assert not accepts(compiler, f"<<function>>{CALL}", named)


def test_an_unknown_name_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(UnknownToolError, match=r"clock\.now, get_weather"):
        answer_grammar(FUNCTIONS, V2, Answer(mode="any", name="gone"))


def test_any_without_tools_is_an_error() -> None:
    with pytest.raises(UnknownToolError, match="no tools are bound"):
        answer_grammar((), V2, Answer(mode="any"))


def test_ten_thousand_tools_are_an_error() -> None:
    with pytest.raises(InvalidFunctionError, match="10000 tools"):
        answer_grammar([NOW] * 10_000, V2, Answer())


def test_thought_may_stand_before_an_answer(compiler: ConstraintCompiler) -> None:
    thought = "<think>maybe <<function>>rm()?</think>\n"
    assert accepts(compiler, f"{thought}<<function>>{CALL}", Answer())
    assert accepts(compiler, f"{thought}<<function>>{CALL}", Answer(mode="any", reasoning=True))
    assert not accepts(compiler, f"{thought}<<function>>{CALL}", Answer(mode="any"))


def test_final_json_stands_in_the_place_of_text(compiler: ConstraintCompiler) -> None:
    union = Answer(final=FINAL)
    assert accepts(compiler, '{"ok": true}', union)
    assert accepts(compiler, f"<<function>>{CALL}", union)
    assert not accepts(compiler, "Sure!", union)
    assert not accepts(compiler, '{"ok": 1}', union)


def test_final_json_alone_is_mode_none(compiler: ConstraintCompiler) -> None:
    assert accepts(compiler, '{"ok": false}', Answer(mode="none", final=FINAL))
    assert not accepts(compiler, f"<<function>>{CALL}", Answer(mode="none", final=FINAL))


def test_a_prefix_taken_from_the_prompt_comes_first(compiler: ConstraintCompiler) -> None:
    assert accepts(compiler, f" <<function>>{CALL}", Answer(mode="any", prefix=" "))
    assert not accepts(compiler, f"<<function>>{CALL}", Answer(mode="any", prefix=" "))


@pytest.mark.parametrize("count", [63, 64, 65, 100])
def test_many_parameters_are_any_order_up_to_64_and_fixed_above(
    compiler: ConstraintCompiler, count: int
) -> None:
    names = [f"p{n}" for n in range(count)]
    wide = function("wide", "p1", "p40", **{name: {"type": "integer"} for name in names})
    constraint = compiler.constraint([wide], V2, Answer(mode="any"))

    def fits(given: list[str]) -> bool:
        text = "<<function>>wide(" + ", ".join(f"{name}=1" for name in given) + ")"
        tokens, fork = compiler.vocabulary.encode(text), constraint.fork()
        return fork.try_consume(tokens) == len(tokens) and fork.can_end

    assert fits(names)
    assert fits(["p1", "p40"])
    assert fits(["p0", "p1", "p2", "p40"])
    assert fits(["p40", "p1"]) == (count <= 64)
    assert not fits(["p0", "p1"])
    assert not fits(["p1", "p40", "p40"])


def test_required_together_may_be_alternatives(compiler: ConstraintCompiler) -> None:
    either = FunctionSchema(
        "either", "",
        {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
    )  # fmt: skip
    constraint = compiler.constraint([either], V2, Answer(mode="any"))
    for arguments, fits in (("a=1", True), ("b=1", True), ("", False)):
        tokens = compiler.vocabulary.encode(f"<<function>>either({arguments})")
        fork = constraint.fork()
        assert (fork.try_consume(tokens) == len(tokens) and fork.can_end) == fits
