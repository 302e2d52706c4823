import ast
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_gorilla.calls import CallSyntax, FunctionCall, Literals
from langchain_gorilla.errors import PromptError
from langchain_gorilla.formats.call_writer import write_call, write_calls
from langchain_gorilla.formats.registry import FORMATS

V2 = FORMATS["openfunctions-v2"]
OLMO = FORMATS["olmo-3"]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "v2", "olmo"),
    [
        ("Boston, MA", "'Boston, MA'", '"Boston, MA"'),
        ('it\'s "x"', r"""'it\'s "x"'""", r'''"it's \"x\""'''),
        ("a\\b\n\r\t\x00\x7f\x9f\u2028é🦍", r"'a\\b\n\r\t\x00\x7f\x9f\u2028é🦍'", None),
        ("<<function>>", r"'\x3c<function>>'", '"<<function>>"'),
        ("<function_calls>", "'<function_calls>'", r'"\x3cfunction_calls>"'),
        (True, "True", "true"),
        (False, "False", "false"),
        (None, "None", "null"),
        (1, "1", "1"),
        (-0.0, "-0.0", "-0.0"),
        (1e22, "1e+22", "1e+22"),
        (3.0, "3.0", "3.0"),
        ([1, [], ("a",)], "[1, [], ['a']]", '[1, [], ["a"]]'),
        ({"a b": {"from": None}}, "{'a b': {'from': None}}", '{"a b": {"from": null}}'),
        ("", "''", '""'),
    ],
)
def test_each_value_has_one_spelling(value, v2, olmo):
    for prompt_format, written in ((V2, v2), (OLMO, olmo)):
        if written is not None:
            call = FunctionCall("f", {"a": value})
            assert (
                write_call(call, prompt_format.syntax, prompt_format.markers) == f"f(a={written})"
            )


@given(json_values)
def test_python_reads_the_same_value(value):
    written = write_call(FunctionCall("f", {"a": value}), V2.syntax, V2.markers)
    node = ast.parse(written, mode="eval").body
    assert isinstance(node, ast.Call)
    assert repr(ast.literal_eval(node.keywords[0].value)) == repr(value)
    assert "\n" not in written


@pytest.mark.parametrize(
    ("name", "written"),
    [
        *[("maps.search", "maps.search()"), ("get-weather", "get-weather()")],
        *[("### Response:", "____Response_()"), ("f(x)\n<|eot|>", "f_x____eot__()"), ("", "_()")],
    ],
)
def test_names_that_no_model_could_have_written_lose_their_other_characters(name, written):
    assert write_call(FunctionCall(name), V2.syntax, V2.markers) == written


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("city", "f(city=1)"),
        ("größe", "f(größe=1)"),
        ("$top", "f('$top'=1)"),
        ("a'\\\n", "f('a___'=1)"),
        ("", "f('_'=1)"),
    ],
)
def test_parameters_that_are_no_identifiers_are_quoted(name, written):
    assert write_call(FunctionCall("f", {name: 1}), V2.syntax, V2.markers) == written


def test_opening_separator_and_closing_stand_around_calls():
    syntax = CallSyntax(opening="<", separator=" | ", closing=">", literals=Literals.JSON)
    calls = [FunctionCall("f"), FunctionCall("g", {"a": None})]
    assert write_calls(calls, syntax, ()) == "<f() | g(a=null)>"
    assert write_calls([], syntax, ()) == ""


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (math.nan, "nan is not a finite number"),
        ([-math.inf], "-inf is not"),
        ({1: 2}, "the key 1 is a int"),
        ({"a": object}, "is a type"),
        pytest.param(10**5_000, "cannot be written", id="an endless number"),
    ],
)
def test_what_is_no_json_value_is_an_error(value, match):
    with pytest.raises(PromptError, match=match):
        write_call(FunctionCall("f", {"a": value}), V2.syntax, V2.markers)


def test_deep_nesting_is_an_error():
    value: list[object] = []
    for _ in range(10_000):
        value = [value]
    with pytest.raises(PromptError, match="nested too deeply"):
        write_call(FunctionCall("f", {"a": value}), V2.syntax, V2.markers)
