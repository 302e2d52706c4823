"""What the stores do alike: all that can be read by going through a collection."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from langchain_gorilla.retrieval.points import (
    NOTES,
    Hit,
    Query,
    SparseWeights,
    StoredPoint,
    Where,
)


class BaseStore(ABC):
    """A collection whose records come in pages."""

    @abstractmethod
    def _page(self, offset: Any, payload: bool | list[str]) -> tuple[Sequence[Any], Any]:
        """Return some records without their vectors, and where the next ones start."""

    @abstractmethod
    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        """See ``PointStore``."""

    @abstractmethod
    def named(self, names: Iterable[str], where: Where) -> list[Hit]:
        """See ``PointStore``."""

    def ids(self) -> list[str]:
        """See ``PointStore``."""
        notes = set(NOTES.values())
        found = (str(record.id) for record in self._records(payload=False))
        return [point for point in found if point not in notes]

    def names(self) -> frozenset[str]:
        """See ``PointStore``."""
        payloads = (record.payload or {} for record in self._records(payload=["name"]))
        return frozenset(payload["name"] for payload in payloads if "name" in payload)

    def find(
        self, queries: Sequence[Query], names: Sequence[str], where: Where
    ) -> tuple[list[list[Hit]], list[Hit]]:
        """See ``PointStore``."""
        found = self.search(queries) if queries else []
        return found, self.named(names, where) if names else []

    def _records(self, *, payload: bool | list[str]) -> Iterator[Any]:
        offset: Any = None
        while True:
            records, offset = self._page(offset, payload)
            yield from records
            if offset is None:
                return


def hit(point: Any, score: float) -> Hit:
    """Return a record or a scored point as a hit."""
    return Hit(str(point.id), float(score), point.payload or {})


def stored_point(record: Any) -> StoredPoint:
    """Return a record that came with its payload and its vectors."""
    vectors = record.vector if isinstance(record.vector, dict) else {}
    sparse = vectors.get("bm25")
    return StoredPoint(
        str(record.id),
        record.payload or {},
        SparseWeights(sparse.indices, sparse.values) if sparse else SparseWeights((), ()),
        vectors.get("dense"),
    )
