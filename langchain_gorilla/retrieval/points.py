"""What the three places of a collection have in common: points, queries, hits, filters.

``edge_store`` keeps points in a folder, ``client_store`` on a Qdrant server or in memory; both
speak these values, and only they know Qdrant.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from langchain_gorilla.catalog import MetadataValue, comparable, fact_problem
from langchain_gorilla.errors import CalibrationError, UnsupportedOptionError

Note = Literal["header", "adapter", "calibrations"]
"""What a collection keeps beside its tools: how it was made, the query-side adapter and the
calibrations that were fitted to it."""

NOTES: Mapping[Note, str] = {
    "header": "00000000-0000-0000-0000-000000000000",
    "adapter": "00000000-0000-0000-0000-000000000001",
    "calibrations": "00000000-0000-0000-0000-000000000002",
}
"""The points without vectors that hold them; no search ever finds one."""

Fusion = Literal["formula", "dbsf"]

FieldKind = Literal["keyword", "number"]
"""What a metadata field holds, and so how it is indexed."""


@dataclass(frozen=True)
class SparseWeights:
    """BM25 token ids and their weights, of one length."""

    indices: Sequence[int]
    values: Sequence[float]


@dataclass(frozen=True)
class StoredPoint:
    """One tool as it is stored.

    Attributes:
        id: ``document.point_id``.
        payload: name, namespace, tool id, text hash, document, tags, metadata.
        sparse: BM25 weights of its lexical text.
        dense: Unit vector of its dense text; None where the collection has no embedder.
    """

    id: str
    payload: Mapping[str, Any]
    sparse: SparseWeights
    dense: Sequence[float] | None = None


@dataclass(frozen=True)
class Range:
    """Bounds on one number of a tool's metadata; a tool without the number is outside.

    Attributes:
        field: Key in the metadata.
        gte: At least; None is unbounded, as are the others.
        gt: More than.
        lte: At most.
        lt: Less than.
    """

    field: str
    gte: float | None = None
    gt: float | None = None
    lte: float | None = None
    lt: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a number is inside."""
        return (
            (self.gte is None or value >= self.gte)
            and (self.gt is None or value > self.gt)
            and (self.lte is None or value <= self.lte)
            and (self.lt is None or value < self.lt)
        )


@dataclass(frozen=True)
class Where:
    """Which tools a search may find.

    Attributes:
        namespaces: Any of these, or a single one; empty is all.
        names: Any of these, or a single one; None is all.
        equal: Metadata key to the value it has (or has among its values); of several, any.
        ranges: All of these bounds, or a single one.

    Raises:
        UnsupportedOptionError: No metadata holds such a value or bound, or has such a key.
    """

    namespaces: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None
    equal: Mapping[str, MetadataValue] = field(default_factory=dict)
    ranges: tuple[Range, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "namespaces", several(self.namespaces))
        if self.names is not None:
            object.__setattr__(self, "names", several(self.names))
        object.__setattr__(self, "ranges", several(self.ranges))
        for each in self.ranges:
            for bound in (each.gte, each.gt, each.lte, each.lt):
                if bound is not None:
                    _wanted(each.field, float(bound))
        equal = {key: _wanted(key, value) for key, value in self.equal.items()}
        object.__setattr__(self, "equal", equal)

    def __bool__(self) -> bool:
        return bool(self.namespaces or self.names is not None or self.equal or self.ranges)


def several(values: Any) -> tuple[Any, ...]:
    """Return names or bounds as a tuple; a string is one name, not its letters."""
    return (values,) if isinstance(values, str | Range) else tuple(values)


def requests_with_names(pairs: Iterable[Any]) -> list[tuple[str, tuple[str, ...]]]:
    """Return requests, each with the names of the tools that fit it; one name may stand alone.

    Raises:
        CalibrationError: One is something else, such as the key of a dict.
    """
    read = []
    for pair in pairs:
        fits = isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str)
        if not fits or not isinstance(pair[1], Iterable):
            raise CalibrationError(
                f"A pair to learn from is {pair!r:.120}. Expected a request and the names of the "
                "tools that fit it, such as ('Will it rain?', ['get_weather']); of a dict, pass "
                "its .items()."
            )
        read.append((pair[0], several(pair[1])))
    return read


def _wanted(key: str, value: Any) -> Any:
    """Return a value, or several, as the metadata has them."""
    if isinstance(value, list | tuple):
        return tuple(_wanted(key, each) for each in value)
    if problem := fact_problem(key, value):
        raise UnsupportedOptionError(f"A filter asks for {key!r} = {value!r:.80}. {problem}.")
    return comparable(value)


@dataclass(frozen=True, kw_only=True)
class Query:
    """One search: dense, sparse or both, fused.

    Attributes:
        sparse: BM25 tokens of the query; may be empty.
        dense: The query's vector; None searches by words only.
        where: The filter.
        limit: Most hits.
        candidates: How many each side brings to the fusion.
        fusion: ``formula``: cosine + ``lexical_weight`` x BM25; ``dbsf``: both sides normalised
            by their own mean and spread, for embedders whose cosines are not calibrated.
        lexical_weight: See ``fusion``.
        exact: Compare with every vector instead of walking the graph.
    """

    sparse: SparseWeights
    dense: Sequence[float] | None = None
    where: Where = Where()
    limit: int = 10
    candidates: int = 100
    fusion: Fusion = "formula"
    lexical_weight: float = 0.02
    exact: bool = False


@dataclass(frozen=True)
class Hit:
    """A point that a search found, with its score and payload."""

    id: str
    score: float
    payload: Mapping[str, Any]


class PointStore(Protocol):
    """A Qdrant collection in one place. All methods may raise ``IndexUnavailableError``."""

    def note(self, note: Note) -> Mapping[str, Any] | None:
        """Return what ``write_note`` wrote last, or None."""

    def write_note(self, note: Note, content: Mapping[str, Any]) -> None:
        """Keep something beside the tools; durable when this returns."""

    def ids(self) -> list[str]:
        """Return the ids of all tools' points."""

    def points(self, ids: Sequence[str]) -> list[StoredPoint]:
        """Return those of these points that exist, with their vectors, in any order."""

    def index_fields(self, fields: Mapping[str, FieldKind]) -> None:
        """Index metadata fields, so that filters on them read no payloads."""

    def write(self, points: Sequence[StoredPoint]) -> None:
        """Insert or replace points; durable when this returns."""

    def write_sparse(self, weights: Mapping[str, SparseWeights]) -> None:
        """Replace the sparse vectors of existing points."""

    def delete(self, ids: Sequence[str]) -> None:
        """Delete points; unknown ids are none of its business."""

    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        """Return the hits of each query, best first."""

    def named(self, names: Iterable[str], where: Where) -> list[Hit]:
        """Return the points whose name is one of these, with score 1."""

    def find(
        self, queries: Sequence[Query], names: Sequence[str], where: Where
    ) -> tuple[list[list[Hit]], list[Hit]]:
        """Return what ``search`` and ``named`` do; nothing is asked where nothing is wanted."""

    async def afind(
        self, queries: Sequence[Query], names: Sequence[str], where: Where
    ) -> tuple[list[list[Hit]], list[Hit]]:
        """Like ``find``."""

    def names(self) -> frozenset[str]:
        """Return the names of all tools."""

    def sample(self, where: Where, limit: int) -> list[Hit]:
        """Return some points that the filter lets through, with score 0."""

    def optimize(self) -> None:
        """Build what makes a large collection fast; may take minutes."""

    def close(self) -> None:
        """Let go of the place; further calls are an error."""
