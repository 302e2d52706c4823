import re
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from langchain_gorilla.grammar.lark import regex
from langchain_gorilla.grammar.numbers import (
    Bounds,
    decimal_multiples,
    integer,
    multiples,
    number,
)
from langchain_gorilla.grammar.rules import NOTHING, Rule

INTEGERS = st.integers(-3000, 3000)
DECIMALS = st.decimals(-200, 200, places=2)


def matches(rule: Rule, text: str) -> bool:
    pattern = re.sub(r"\\x\{([0-9a-f]+)\}", lambda m: re.escape(chr(int(m[1], 16))), regex(rule))
    return rule != NOTHING and re.fullmatch(pattern, text) is not None


@given(st.none() | INTEGERS, st.none() | INTEGERS, INTEGERS)
def test_an_integer_matches_just_when_it_lies_in_the_range(
    low: int | None, high: int | None, value: int
) -> None:
    inside = (low is None or value >= low) and (high is None or value <= high)
    assert matches(integer(low, high), str(value)) == inside


@given(st.none() | DECIMALS, st.none() | DECIMALS, st.booleans(), st.booleans(), DECIMALS)
def test_a_number_matches_just_when_it_lies_in_the_range(
    low: Decimal | None, high: Decimal | None, above: bool, below: bool, value: Decimal
) -> None:
    bounds = Bounds(low, high, above and low is not None, below and high is not None)
    assume(not bounds.empty)
    assume(value or not str(value).startswith("-"))
    assert matches(number(bounds), str(value)) == (value in bounds)


@given(st.sampled_from([2, 4, 5, 10, 20, 25, 50, 100, 125]), st.none() | INTEGERS, INTEGERS)
def test_a_multiple_matches_just_when_it_is_one(divisor: int, low: int | None, value: int) -> None:
    rule = multiples(divisor, low, None)
    assert rule is not None
    assert matches(rule, str(value)) == (value % divisor == 0 and (low is None or value >= low))


@given(
    st.sampled_from(["0.1", "0.01", "0.001", "0.5", "0.25", "0.05", "0.125", "0.02"]),
    st.none() | DECIMALS,
    st.none() | DECIMALS,
    st.booleans(),
    st.booleans(),
    st.decimals(-200, 200, places=3),
)
def test_a_decimal_multiple_matches_just_when_it_is_one(
    divisor: str,
    low: Decimal | None,
    high: Decimal | None,
    above: bool,
    below: bool,
    value: Decimal,
) -> None:
    bounds = Bounds(low, high, above and low is not None, below and high is not None)
    assume(not bounds.empty)
    rule = decimal_multiples(Decimal(divisor), bounds)
    assert rule is not None
    step, near = Decimal(divisor), (value / Decimal(divisor)).to_integral_value()
    for each in (value, near * step, (near * step).normalize(), low, high):
        if each is None or (not each and str(each).startswith("-")):
            continue
        is_multiple = each in bounds and each % step == 0
        places = len(f"{each:f}".partition(".")[2])
        if not is_multiple or places <= len(divisor.partition(".")[2]):
            assert matches(rule, f"{each:f}") == is_multiple


def test_a_fraction_is_too_short_to_be_rounded_onto_an_excluded_bound() -> None:
    rule = number(Bounds(Decimal(0), Decimal(1), False, True))
    assert matches(rule, "0." + "9" * 14)
    assert not matches(rule, "0." + "9" * 17)
