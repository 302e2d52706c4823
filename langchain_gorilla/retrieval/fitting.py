"""Fits an adapter to pairs and judges it by pairs that it has not seen, in real searches."""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from langchain_gorilla.errors import CalibrationError
from langchain_gorilla.retrieval.adapter import (
    Adapter,
    FitReport,
    Matrix,
    fitted_matrix,
    ndcg_at_10,
)
from langchain_gorilla.retrieval.points import requests_with_names
from langchain_gorilla.retrieval.searching import Opened, SearchResult

_LEAST_PAIRS = 20
_LEAST_GAIN = 0.02
"""Of nDCG@10: less is chance."""

_READ = 1_000

Pair = tuple[str, Collection[str]]


@dataclass(frozen=True, eq=False)
class Trial:
    """Pairs, parted into those to fit to and those to judge by.

    Attributes:
        fitting: Pairs to fit to.
        judging: Pairs to judge by.
        rows: The rows of ``documents`` of each name.
        documents: Unit vectors of all tools, shape (tools, dimension).
        previous: Version of the adapter before; 0 for none.
    """

    fitting: Sequence[Pair]
    judging: Sequence[Pair]
    rows: Mapping[str, Sequence[int]]
    documents: Matrix
    previous: int

    @classmethod
    def of(cls, opened: Opened, given: Iterable[Pair], *, held_out: float, seed: int) -> "Trial":
        """Part the pairs; see ``ToolIndex.fit``.

        Raises:
            CalibrationError: What is no pair, or too few pairs whose tools the collection holds.
        """
        pairs = requests_with_names(given)
        rows, documents = _documents(opened)
        known = [(query, rows.keys() & set(names)) for query, names in pairs]
        known = [(query, names) for query, names in known if names]
        if len(known) < _LEAST_PAIRS or not 0.0 < held_out < 1.0:
            raise CalibrationError(
                f"{len(known)} of {len(pairs)} pairs name tools of this index, and held_out is "
                f"{held_out}; expected at least {_LEAST_PAIRS} pairs and a share between 0 and 1. "
                "Add pairs, spell the names as the catalog does, or go without an adapter."
            )
        random.Random(seed).shuffle(known)
        # The first fit chooses how strong it is by one pair, of another one.
        cut = min(max(1, round(len(known) * held_out)), len(known) - 2)
        adapter = Adapter.from_payload(opened.store.note("adapter"))
        previous = adapter.version if adapter else 0
        return cls(known[cut:], known[:cut], rows, documents, previous)

    @property
    def asked(self) -> list[str]:
        """The requests to embed for ``adapter``."""
        return [query for query, _ in self.fitting]

    @property
    def judged(self) -> list[str]:
        """The requests to search for ``verdict``."""
        return [query for query, _ in self.judging]

    def adapter(self, vectors: Sequence[Sequence[float]], *, seed: int) -> Adapter:
        """Fit an adapter to the vectors of ``asked``."""
        golds = [
            sorted({row for name in names for row in self.rows[name]}) for _, names in self.fitting
        ]
        return Adapter(
            fitted_matrix(np.array(vectors, dtype=np.float32), golds, self.documents, seed=seed),
            version=1 + self.previous,
            pairs=len(self.fitting),
            before=0.0,
            after=0.0,
        )

    def verdict(
        self, adapter: Adapter, plain: Sequence[SearchResult], adapted: Sequence[SearchResult]
    ) -> tuple[FitReport, Adapter | None]:
        """Judge an adapter by what ``judged`` finds without it and with it.

        Returns:
            What it came to, and the adapter to install; None where it does not help.
        """
        before, after = self._worth(plain), self._worth(adapted)
        helps = after >= before + _LEAST_GAIN
        report = FitReport(
            installed=helps,
            before=before,
            after=after,
            fitted=len(self.fitting),
            held_out=len(self.judging),
            version=adapter.version if helps else self.previous,
        )
        return report, replace(adapter, before=before, after=after) if helps else None

    def _worth(self, results: Sequence[SearchResult]) -> float:
        """Return the mean nDCG@10 of whole searches."""
        gains = [
            ndcg_at_10([hit.name for hit in result.hits], names)
            for result, (_, names) in zip(results, self.judging, strict=True)
        ]
        return sum(gains) / len(gains)


def _documents(opened: Opened) -> tuple[dict[str, list[int]], Matrix]:
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
