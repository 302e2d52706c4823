"""How sure is a figure? Bootstrap intervals, and two runs compared case by case."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_RESAMPLES = 10_000
_SEED = 20230524  # any fixed number: the same run prints the same interval


def interval_of_share(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % percentile-bootstrap interval of a share.

    Resampling n zeros and ones with replacement draws a binomial count, so that is drawn. Where
    all or none of the cases are hits, every resample is the same and the interval is a point:
    read it as "no spread seen", not as certainty.

    Args:
        hits: Cases that count.
        n: Cases.
    """
    if n == 0:
        return (0.0, 0.0)
    draws = np.random.default_rng(_SEED).binomial(n, hits / n, size=_RESAMPLES) / n
    low, high = np.percentile(draws, [2.5, 97.5])
    return (float(low), float(high))


@dataclass(frozen=True)
class Comparison:
    """Two runs on the cases that both have.

    Attributes:
        n: Shared cases.
        difference: Accuracy of the second run minus the first's, -1 to 1.
        ci95: Its bootstrap interval, cases resampled in pairs.
        only_first: Cases that only the first got right.
        only_second: Cases that only the second got right.
        p_value: Two-sided exact McNemar test: how likely so uneven a split is by chance.
    """

    n: int
    difference: float
    ci95: tuple[float, float]
    only_first: int
    only_second: int
    p_value: float


def compare(first: Mapping[str, bool], second: Mapping[str, bool]) -> Comparison:
    """Compare two runs, given as case id to correct; cases that only one has are left out."""
    shared = sorted(first.keys() & second.keys())
    only_first = sum(first[case] and not second[case] for case in shared)
    only_second = sum(second[case] and not first[case] for case in shared)
    n = len(shared)
    if n == 0:
        return Comparison(0, 0.0, (0.0, 0.0), 0, 0, 1.0)
    shares = [only_first / n, only_second / n]
    draws = np.random.default_rng(_SEED).multinomial(
        n, [*shares, max(0.0, 1 - sum(shares))], size=_RESAMPLES
    )
    low, high = np.percentile((draws[:, 1] - draws[:, 0]) / n, [2.5, 97.5])
    return Comparison(
        n,
        (only_second - only_first) / n,
        (float(low), float(high)),
        only_first,
        only_second,
        _sign_test(only_first, only_second),
    )


def _sign_test(one: int, other: int) -> float:
    n = one + other
    tail: float = sum(math.comb(n, k) for k in range(min(one, other) + 1)) / 2**n
    return min(1.0, 2 * tail)


def mean(values: Sequence[float]) -> float:
    """Return the mean, 0 for no values."""
    return sum(values) / len(values) if values else 0.0
