"""Fits an adapter to pairs and judges it by pairs that it has not seen, in real searches."""

import random
from collections.abc import Callable, Collection, Sequence

import numpy as np

from langchain_gorilla.errors import CalibrationError
from langchain_gorilla.retrieval.adapter import Adapter, FitReport, fitted_matrix, ndcg_at_10
from langchain_gorilla.retrieval.embedding import DenseModel
from langchain_gorilla.retrieval.points import Where
from langchain_gorilla.retrieval.searching import Opened, Searcher

_LEAST_PAIRS = 20
_LEAST_GAIN = 0.005
"""Of nDCG@10: less is chance."""

_READ = 1_000

Pair = tuple[str, Collection[str]]


def fitted(
    opened: Opened,
    dense: DenseModel,
    pairs: Sequence[Pair],
    *,
    held_out: float,
    seed: int,
    searcher: Callable[[Adapter | None], Searcher],
) -> tuple[FitReport, Adapter | None]:
    """Fit an adapter; see ``ToolIndex.fit``.

    Args:
        opened: The collection.
        dense: Its embedder.
        pairs: Requests with the names of the tools that fit them.
        held_out: Share of the pairs to judge by.
        seed: Chooses them.
        searcher: A search with an adapter, or without any.

    Returns:
        What it came to, and the adapter to install; None where it does not help.

    Raises:
        CalibrationError: Too few pairs whose tools the collection holds.
    """
    rows, documents = _documents(opened)
    known = [(query, {name for name in names if name in rows}) for query, names in pairs]
    known = [(query, names) for query, names in known if names]
    if len(known) < _LEAST_PAIRS or not 0.0 < held_out < 1.0:
        raise CalibrationError(
            f"{len(known)} of {len(pairs)} pairs name tools of this index, and held_out is "
            f"{held_out}; expected at least {_LEAST_PAIRS} pairs and a share between 0 and 1. Add "
            "pairs, spell the names as the catalog does, or go without an adapter."
        )
    random.Random(seed).shuffle(known)
    cut = max(1, round(len(known) * held_out))
    judging, fitting = known[:cut], known[cut:]
    queries = np.array(dense.queries([query for query, _ in fitting]), dtype=np.float32)
    golds = [sorted({row for name in names for row in rows[name]}) for _, names in fitting]
    previous = Adapter.from_payload(opened.store.note("adapter"))
    adapter = Adapter(
        fitted_matrix(queries, golds, documents, seed=seed),
        version=1 + (previous.version if previous else 0),
        pairs=len(fitting),
        before=0.0,
        after=0.0,
    )
    before, after = (_judged(searcher(each), judging) for each in (None, adapter))
    helps = after >= before + _LEAST_GAIN
    installed = Adapter(adapter.matrix, adapter.version, adapter.pairs, before, after)
    in_use = adapter.version if helps else adapter.version - 1
    report = FitReport(helps, before, after, len(fitting), len(judging), in_use)
    return report, installed if helps else None


def _documents(
    opened: Opened,
) -> tuple[dict[str, list[int]], "np.ndarray[tuple[int, int], np.dtype[np.float32]]"]:
    """Return the rows of each name, and the vectors of all tools."""
    rows: dict[str, list[int]] = {}
    vectors: list[Sequence[float]] = []
    ids = opened.store.ids()
    for start in range(0, len(ids), _READ):
        for point in opened.store.points(ids[start : start + _READ]):
            if point.dense is not None:
                rows.setdefault(point.payload["name"], []).append(len(vectors))
                vectors.append(point.dense)
    return rows, np.array(vectors, dtype=np.float32)


def _judged(searcher: Searcher, pairs: Sequence[Pair]) -> float:
    """Return the mean nDCG@10 of whole searches."""
    gains = [
        ndcg_at_10(
            [hit.name for hit in searcher.search(query, 10, Where(), exact=False).hits], names
        )
        for query, names in pairs
    ]
    return sum(gains) / len(gains)
