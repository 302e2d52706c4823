"""One argument's source text to its value, or to a visible failure."""

import math
import re
from typing import Any

import pytest

from langchain_gorilla.calls import CallFailed, CallSyntax, FunctionCall
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.parsing.python_calls import collect, parse

V2 = CallSyntax(opening="<<function>>", separator="<<function>>", closing="")
F = FunctionSchema("f", "", {"type": "object", "properties": {"x": {}, "y": {}, "z": {}}})


def call(source: str) -> FunctionCall | CallFailed:
    (found,) = collect(parse(f"<<function>>{source}", V2, [F])).calls
    return found


def arguments(source: str) -> Any:
    found = call(source)
    assert isinstance(found, FunctionCall), found
    return dict(found.arguments)


def reason(source: str) -> str:
    found = call(source)
    assert isinstance(found, CallFailed), found
    return found.reason


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("07", 7),
        ("0x1F", 31),
        ("0o17", 15),
        ("0b101", 5),
        ("1_000", 1000),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("1E+2", 100.0),
        ("+7", 7),
        ("- 5", -5),
        ("--5", 5),
        ("9" * 4300, int("9" * 4300)),
        ("True", True),
        ("null", None),
        ("(1, 2)", [1, 2]),
        ("(1,)", [1]),
        ("()", []),
        ("(1)", 1),
        ("{'b', 'a'}", ["b", "a"]),
        ("{}", {}),
        (
            "{None: 1, True: 2, 3: 4, 1.5: 5, a: 6}",
            {"null": 1, "true": 2, "3": 4, "1.5": 5, "a": 6},
        ),
        ("{**{'a': 1}, 'b': 2}", {"a": 1, "b": 2}),
        ("[1, 2,]", [1, 2]),
        ("[red, blue]", ["red", "blue"]),
    ],
)
def test_literals_have_their_value(source: str, value: Any) -> None:
    found = arguments(f"f(x={source})")["x"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("5*12", 60),
        ("0.04/12", 0.04 / 12),
        ("7 // 2", 3),
        ("-(3 + 2)", -5),
        ("2**3**2", 512),
        ("-2**2", -4),
        ("2 - 3 - 4", -5),
        ("7 % 4 * 2", 6),
    ],
)
def test_sums_of_numbers_are_worked_out(source: str, value: Any) -> None:
    assert arguments(f"f(x={source})") == {"x": value}


@pytest.mark.parametrize(
    "source",
    [
        *("2024-01-05", "2024-10-15", "555-1234", "+1-555-1234", "12/25/2024", "10:30", "5km"),
        *("https://example.com/a?b=1", "$5", "1.2.3.4", "San Francisco", "TRUE", "9**9**9**9"),
        *("2**-1 + 1//0", "1 << 10**9", "(10**9)*'ab'", "0.1**-(10**6)", "x or 'y'", "not True"),
        *("datetime(2024, 1, 1)", "[i for i in range(10)]", "os.system('id')", "~0", "[0]*10**9"),
        *("().__class__", "1 if open('a') else 2", "float('inf')", "{'k': g(1)}", "don't"),
    ],
)
def test_an_expression_is_its_source_text(source: str) -> None:
    assert arguments(f"f(x={source}, y=2)") == {"x": source, "y": 2}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"'a\nb\tc\\d\'e\x41\u00e9\U0001F600\101\N{BULLET}'", "a\nb\tc\\d'eAé😀A•"),
        (r"'\ud83d\ude00'", "😀"),
        (r"'\d+ \q'", r"\d+ \q"),
        (r"r'\d\''", r"\d\'"),
        ("u'a' \"b\" 'c'", "abc"),
        ("'a' + 'b'", "ab"),
        ("'a\r\nb'", "a\r\nb"),
        ("'a\\\nb'", "ab"),
        ("'''a'b''c'''", "a'b''c"),
        ("'<|EOT|> <<function>>g()'", "<|EOT|> <<function>>g()"),
        ("“Paris”", "Paris"),
        ("‘It’s’", "It’s"),
        ("'nul \x00'", "nul \x00"),
        ("'" + "a" * 100_000 + "'", "a" * 100_000),
    ],
)
def test_strings_are_decoded(source: str, text: str) -> None:
    assert arguments(f"f(x={source})") == {"x": text}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("'McDonald's'", "McDonald's"),
        ("'sed -n '360,450p' /a/b.py'", "sed -n '360,450p' /a/b.py"),
        ("'rock 'n' roll'", "rock 'n' roll"),
        ("'the boys' toys'", "the boys' toys"),
        ("'x 'y'", "x 'y"),
        ("'color:'#fff''", "color:'#fff'"),
        ("'SET a=1, b='c' now'", "SET a=1, b='c' now"),
        ("['McDonald's', 'Wendy's']", ["McDonald's", "Wendy's"]),
        ("{'name': 'O'Brien'}", {"name": "O'Brien"}),
        ('"say "hi" now"', 'say "hi" now'),
    ],
)
def test_a_quote_that_can_only_be_text_is_text(source: str, text: Any) -> None:
    assert arguments(f"f(x={source})") == {"x": text}


@pytest.mark.parametrize(
    "source",
    [
        "f(x='echo 'hi', y='celsius')",
        "f(x='say 'hi', ok', y='2')",
        "f(x='p('a') works', y=1)",
        "f(x='a' y='b')",
    ],
)
def test_a_string_with_two_readings_is_refused(source: str) -> None:
    assert reason(source)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("f(x='a, y='b')", "quote is missing in front of ', y='"),
        ("f(x=b'z')", "bytes"),
        ("f(x=f'{y}')", "f-string"),
        ("f(x=1e999)", "finite"),
        ("f(x=[1, 1e999])", "finite"),
        ("f(x=nan)", "no JSON value"),
        ("f(x=-inf)", "no JSON value"),
        ("f(x=1+2j)", "complex"),
        ("f(x=" + "9" * 4301 + ")", "4300 digits"),
        ("f(x=0x" + "f" * 5000 + ")", "4300 digits"),
        (r"f(x='\ud83d')", "surrogate"),
        ("f(x='\ud83d')", "surrogate"),
        (r"f(x='C:\users')", "hexadecimal"),
        ("f(x=)", "missing"),
        ("f(x=[1,,2])", "missing"),
        ("f(x={'a': })", "missing"),
        ("f(x={'a': 'b' 'c': 'd'})", "comma"),
        ("f(x=1 y=2)", "comma"),
        ("f(, x=1)", "missing"),
        ("f(x=" + "[" * 300 + "]" * 300 + ")", "nested deeper"),
        ("f(x=[1)]", "brackets"),
        ("f(x=1, x=2)", "twice"),
        ("f(*[1])", r"\*"),
        ("f(**y)", r"\*"),
        ("f(x='a' % 3)", "expression"),
        ("f(x=f(y=1))", "call f first"),
        ("f(\u200bx=1)", "argument name"),
        ("f(x:=1)", "stray|write name=value"),
    ],
)
def test_what_has_no_value_says_why(source: str, words: str) -> None:
    assert re.search(words, reason(source))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f(from=1, class='a', 2x=3)", {"from": 1, "class": "a", "2x": 3}),
        ("f(user-id='a', user.name='b', $top=1)", {"user-id": "a", "user.name": "b", "$top": 1}),
        ("f('x'=1, \"y\": 2)", {"x": 1, "y": 2}),
        ("f(x: 1, y: 'a')", {"x": 1, "y": "a"}),
        ("f(x=1,\xa0y=2)", {"x": 1, "y": 2}),
        ("f(\n  x=1,  # one\n  y=2 /* two */,\n)", {"x": 1, "y": 2}),
        ("f( )", {}),
    ],
)
def test_argument_names_are_what_is_written(source: str, expected: Any) -> None:
    assert arguments(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f(\n  x=1,  # one\n  y='a'  # two\n)", {"x": 1, "y": "a"}),
        ("f(x='a' /* one */, y=2)", {"x": "a", "y": 2}),
        ("f(x=['a',  # one\n 'b'  # two\n], y=2)", {"x": ["a", "b"], "y": 2}),
        ("f(x={'a': 'b'  # one\n}, y=2)", {"x": {"a": "b"}, "y": 2}),
        ("f(x='a'  # one\n 'b', y=2)", {"x": "ab", "y": 2}),
        ("f(x='a'# it's one\n, y='b')", {"x": "a", "y": "b"}),
        ("f(x='a'/* one */, y='b')", {"x": "a", "y": "b"}),
    ],
)
def test_a_comment_behind_a_string_is_passed_over(source: str, expected: Any) -> None:
    assert arguments(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f('a', 2)", {"x": "a", "y": 2}),
        ("f('a', z=2)", {"x": "a", "z": 2}),
        ("f({'x': 1, 'z': 2})", {"x": 1, "z": 2}),
        ("f({'other': 1})", {"x": {"other": 1}}),
    ],
)
def test_positions_are_mapped_by_the_schema(source: str, expected: Any) -> None:
    assert arguments(source) == expected


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("f(1, 2, 3, 4)", "more positional"),
        ("f('a', x='b')", "twice"),
        ("f(x='a', 'b')", "follows a named one"),
        ("f(Paris)", "write name=value"),
        ("f(...)", "write name=value"),
        ("g('a')", "unknown function"),
    ],
)
def test_positions_without_a_name_are_refused(source: str, words: str) -> None:
    assert words in reason(source)


def test_negative_zero_keeps_its_sign() -> None:
    assert math.copysign(1, arguments("f(x=-0.0)")["x"]) == -1


def test_many_positional_arguments_take_linear_time() -> None:
    assert "more positional" in reason("f(" + "1, " * 20_000 + "1)")


LONG = 400_000


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("f(x=" + "a" * LONG + " (", "cut off"),
        ("f(x=" + "a" * LONG + " b'c')", "bytes"),
    ],
    ids=["bracket", "string"],
)
def test_a_long_word_in_front_takes_linear_time(source: str, words: str) -> None:
    assert words in reason(source)


def test_many_empty_lines_behind_a_bracket_in_a_string_take_linear_time() -> None:
    text = "a )" + "\n" * LONG + "o'clock"
    assert arguments(f"f(x='{text}')") == {"x": text}
