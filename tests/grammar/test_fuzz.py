"""Every walk through a grammar gives a call that ast reads and jsonschema passes."""

import re
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from benchmarks.fuzz_grammar import Walker, judged, keywords, written_call
from langchain_gorilla.errors import DeadEndError, InvalidFunctionError
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.grammar.call_grammar import Answer, coverage
from langchain_gorilla.grammar.compiler import ConstraintCompiler
from langchain_gorilla.grammar.constraint import Vocabulary
from tests.grammar.samples import V2

BOUNDS = st.integers(-50, 50)
LENGTHS = st.integers(0, 4)


def optional(**keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keywords)


def with_type(name: str, **keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return optional(**keywords).map(lambda found: {"type": name, **found})


SCALARS = st.one_of(
    with_type("integer", minimum=BOUNDS, exclusiveMaximum=BOUNDS, multipleOf=st.integers(1, 12)),
    with_type("number", minimum=BOUNDS, maximum=st.floats(-50, 50), exclusiveMinimum=BOUNDS),
    with_type(
        "string",
        minLength=LENGTHS,
        maxLength=st.integers(2, 9),
        pattern=st.sampled_from(["^[a-z']+$", "x", r"^\d{2}\\?$", '^(a|"b)+$']),
    ),
    with_type("string", format=st.sampled_from(["date", "ipv4", "email", "uuid", "date-time"])),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": ["integer", "null"]}, {}]),
    st.lists(st.none() | st.booleans() | BOUNDS | st.text(max_size=5), min_size=1, max_size=4).map(
        lambda values: {"enum": values}
    ),
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(["a", "b_1", "city"])
    return with_type(
        "object",
        properties=st.dictionaries(names, inner, max_size=3),
        required=st.lists(names, unique=True, max_size=2),
        additionalProperties=st.booleans() | inner,
    )


SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        with_type("array", items=inner, minItems=LENGTHS, maxItems=LENGTHS),
        st.lists(inner, min_size=1, max_size=2).map(
            lambda items: {"type": "array", "prefixItems": items}
        ),
        objects(inner),
        st.lists(inner, min_size=1, max_size=2).map(lambda options: {"anyOf": options}),
        st.lists(inner, min_size=1, max_size=2).map(lambda options: {"allOf": options}),
    ),
    max_leaves=4,
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(objects(SCHEMAS), st.integers(0, 2**32))
def test_every_walk_is_a_valid_call(vocabulary: Vocabulary, parameters: Any, seed: int) -> None:
    function = FunctionSchema("f", "", parameters)
    try:
        (found,) = coverage([function], V2)
    except InvalidFunctionError:
        assume(False)
    left = {gap.keyword for gap in found.gaps}
    compiler = ConstraintCompiler(vocabulary)
    constraint = compiler.constraint([function], V2, Answer(mode="any", parallel=False))
    try:
        text = Walker(vocabulary, seed).walk(constraint)
    except DeadEndError:
        # Whether a pattern and another, or a format, leave any text is not decided at bind.
        assert len(re.findall("'(pattern|format)'", str(parameters))) > 1
        text = None
    assume(text is not None)
    assert text is not None
    name, arguments = written_call(text, V2.opening)
    assert name == "f"
    errors = Draft202012Validator(judged(parameters)).iter_errors(arguments)
    assert [error.message for error in errors if left.isdisjoint(keywords(error))] == []
