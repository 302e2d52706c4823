import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_gorilla.evaluation.statistics import compare, interval_of_share

RUNS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_stays_between_zero_and_one(
    counts: tuple[int, int],
) -> None:
    hits, n = counts
    low, high = interval_of_share(hits, n)
    assert 0 <= low <= hits / n <= high <= 1


def test_an_interval_is_that_of_the_normal_approximation_for_many_cases() -> None:
    low, high = interval_of_share(5_000, 10_000)
    assert (low, high) == (pytest.approx(0.4902, abs=1e-3), pytest.approx(0.5098, abs=1e-3))


def test_the_same_counts_give_the_same_interval() -> None:
    assert interval_of_share(3, 10) == interval_of_share(3, 10)


@given(RUNS)
def test_swapping_two_runs_turns_the_sign(pairs: list[tuple[bool, bool]]) -> None:
    one = {str(i): pair[0] for i, pair in enumerate(pairs)}
    two = {str(i): pair[1] for i, pair in enumerate(pairs)}
    there, back = compare(one, two), compare(two, one)
    assert there.difference == -back.difference
    assert there.p_value == back.p_value
    assert there.ci95[0] <= there.difference <= there.ci95[1]


@given(RUNS)
def test_a_run_does_not_differ_from_itself(pairs: list[tuple[bool, bool]]) -> None:
    run = {str(i): pair[0] for i, pair in enumerate(pairs)}
    result = compare(run, run)
    assert (result.difference, result.ci95, result.p_value) == (0, (0, 0), 1)


def test_only_shared_cases_are_compared() -> None:
    result = compare({"a": True, "b": False}, {"b": True, "c": False})
    assert (result.n, result.difference) == (1, 1)


def test_ten_to_nothing_is_no_chance() -> None:
    worse, better = {str(i): False for i in range(10)}, {str(i): True for i in range(10)}
    assert compare(worse, better).p_value == pytest.approx(2 / 2**10)
