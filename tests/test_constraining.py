import pytest

from benchmarks.fuzz_grammar import Walker
from langchain_gorilla.binding import Demand, ResponseFormat, ToolChoice
from langchain_gorilla.calls import CallEnd, CallFailed, TextDelta
from langchain_gorilla.constraining import (
    answer_constraint,
    call_fork,
    check_constraint,
    left_to_validation,
    likely_answer,
)
from langchain_gorilla.errors import ContradictorySchemaError, UnsupportedOptionError
from langchain_gorilla.formats.registry import FORMATS, format_named
from langchain_gorilla.functions import FunctionSchema, FunctionSet
from langchain_gorilla.grammar.call_grammar import Answer
from langchain_gorilla.grammar.compiler import ConstraintCompiler
from langchain_gorilla.grammar.constraint import Vocabulary
from langchain_gorilla.parsing.answers import answer_parser
from langchain_gorilla.validation import InvalidCall, validate_call
from tests.grammar.samples import tokenizer_json

V2 = format_named("openfunctions-v2")
SEND = FunctionSchema(
    "mail.send",
    "",
    {
        "type": "object",
        "properties": {
            "to": {"type": "string", "maxLength": 8},
            "from": {"type": "string", "pattern": "^[a-z']{1,4}$"},
            "copies": {"type": "integer", "minimum": 1, "maximum": 12},
            "tags": {"type": "array", "items": {"enum": ["a'b", 'c"d', "\\"]}, "maxItems": 3},
            "options": {
                "type": "object",
                "properties": {"urgent": {"type": "boolean"}, "weight": {"type": "number"}},
            },
        },
        "required": ["to", "copies"],
    },
)
LIST = FunctionSchema("list-all", "", {"type": "object", "properties": {}})
TOOLS = FunctionSet([SEND, LIST])
AUTO, ANY, NONE = ToolChoice("auto"), ToolChoice("any"), ToolChoice("none")
JSON = ResponseFormat({"type": "object", "properties": {"x": {"type": "integer"}}})


def constraint(choice=AUTO, response=None, *, functions=TOOLS, format_=V2, **kwargs):
    return answer_constraint(format_, functions, Demand(choice=choice, response=response, **kwargs))


@pytest.mark.parametrize(
    ("choice", "response", "answer"),
    [
        (AUTO, None, Answer(mode="auto")),
        (ANY, None, Answer(mode="any")),
        (NONE, None, Answer(mode="none")),
        (ToolChoice("named", "list-all"), None, Answer(mode="any", name="list_all")),
        (AUTO, JSON, Answer(mode="auto", final=JSON.schema)),
        (NONE, JSON, Answer(mode="none", final=JSON.schema)),
        (ANY, JSON, Answer(mode="any")),
    ],
)
def test_what_is_demanded_becomes_what_the_answer_may_be(choice, response, answer):
    assert constraint(choice, response).answer == answer


def test_calls_less_probable_than_text_give_way_to_json_where_text_has_to_be_that() -> None:
    forks = [
        call_fork(V2, TOOLS, AUTO, constraint(AUTO, response), least=least)
        for response, least in [(None, None), (JSON, None), (JSON, 0.2)]
    ]
    assert [fork.least for fork in forks] == [None, 0.5, 0.2]
    assert forks[1].instead.answer.final == JSON.schema


def test_any_json_object_is_a_demand_without_a_schema():
    found = constraint(AUTO, ResponseFormat(), functions=FunctionSet([]))
    assert found.answer == Answer(mode="none", final={"type": "object"})


def test_one_call_at_most_is_a_demand_of_its_own():
    assert not constraint(strict=False, parallel=False).answer.parallel


def test_the_grammar_has_the_names_that_the_model_writes():
    assert [function.name for function in constraint().functions] == ["mail.send", "list_all"]


def test_chat_without_tools_is_free():
    assert constraint(functions=FunctionSet([])) is None


def test_strict_false_leaves_offered_calls_free():
    assert constraint(strict=False) is None
    assert constraint(ANY, strict=False) is not None


def test_what_nothing_constrains_is_still_expected_to_call():
    likely = likely_answer(V2, TOOLS, Demand())
    assert [function.name for function in likely.functions] == ["mail.send", "list_all"]
    for format_, functions, demand in (
        (V2, FunctionSet([]), Demand()),
        (V2, TOOLS, Demand(choice=NONE)),
        (format_named("gorilla-7b"), TOOLS, Demand()),
    ):
        assert likely_answer(format_, functions, demand) is None


def test_a_familys_own_refusal_stays_possible_unless_a_call_is_demanded():
    raven = format_named("nexusraven-2")
    names = [f.name for f in constraint(format_=raven).functions]
    assert names == ["mail.send", "list_all", "out_of_domain"]
    assert len(constraint(ANY, format_=raven).functions) == 2


def test_answers_in_free_sections_are_free_where_nothing_is_demanded():
    assert constraint(format_=format_named("gorilla-7b")) is None


@pytest.mark.parametrize(
    "demand",
    [{"choice": ANY}, {"choice": NONE}, {"response": JSON}, {"parallel": False}, {"strict": True}],
)
def test_answers_in_free_sections_cannot_be_held_to_a_demand(demand):
    with pytest.raises(UnsupportedOptionError, match="gorilla-7b answers in free sections"):
        constraint(format_=format_named("gorilla-7b"), **demand)


def check(parameters, *, strict=None):
    functions = FunctionSet([FunctionSchema("f", "", {"type": "object", "properties": parameters})])
    check_constraint(V2, functions, Demand(strict=strict))


def test_a_schema_that_contradicts_itself_is_found_when_it_is_bound():
    with pytest.raises(ContradictorySchemaError, match="f"):
        check({"x": {"type": "integer", "minimum": 3, "maximum": 2}, "y": {}})


def test_strict_refuses_a_schema_that_can_only_be_checked_afterwards():
    lookahead = {"x": {"type": "string", "pattern": "^(?=.*a)b"}}
    check(lookahead)
    with pytest.raises(UnsupportedOptionError, match=r"strict=True.*'pattern'.*explain_constraint"):
        check(lookahead, strict=True)


LOOKAHEAD = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^(?=.*a)b"}}}


@pytest.mark.parametrize(
    "demand",
    [
        Demand(response=ResponseFormat(LOOKAHEAD), strict=True),
        Demand(response=ResponseFormat(LOOKAHEAD, strict=True)),
    ],
)
def test_strict_holds_the_schema_of_json_too(demand):
    with pytest.raises(UnsupportedOptionError, match="'pattern' at '/properties/x' of the answer"):
        check_constraint(V2, FunctionSet([]), demand)


def test_a_strict_answer_leaves_the_tools_as_they_are():
    tool = FunctionSchema("f", "", LOOKAHEAD)
    check_constraint(V2, FunctionSet([tool]), Demand(response=ResponseFormat(strict=True)))


@pytest.mark.parametrize(
    ("name", "constrained", "reason"),
    [("gorilla-7b", True, "free sections"), ("openfunctions-v2", False, "constrained=False")],
)
def test_without_a_grammar_all_of_a_schema_is_left_to_validation(name, constrained, reason):
    (found, _) = left_to_validation(format_named(name), TOOLS, constrained=constrained)
    assert found.function == "mail.send"
    assert {(gap.path, gap.keyword) for gap in found.gaps} == {
        ("", "type"), ("", "properties"), ("", "required"),
    }  # fmt: skip
    assert all(reason in gap.reason for gap in found.gaps)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(tokenizer_json(), end_ids=[0])


@pytest.mark.parametrize(
    "name", [name for name, each in FORMATS.items() if not each.syntax.sections]
)
def test_whatever_a_familys_grammar_allows_its_parser_reads_and_validation_passes(name, vocabulary):
    syntax = FORMATS[name].syntax
    compiler = ConstraintCompiler(vocabulary)
    walks = 0
    for seed in range(25):
        fresh = compiler.constraint(TOOLS.written, syntax, Answer(mode="any"))
        if (text := Walker(vocabulary, seed).walk(fresh)) is None:
            continue  # A walk that found no end.
        walks += 1
        parser = answer_parser(syntax, TOOLS.written)
        events = [*parser.feed(text), *parser.close()]
        assert not [e for e in events if isinstance(e, CallFailed | TextDelta)], text
        calls = [event.call for event in events if isinstance(event, CallEnd)]
        assert calls, text
        for call in calls:
            assert not isinstance(validate_call(call, TOOLS), InvalidCall), text
    assert walks > 10
