"""A collection in a folder: Qdrant Edge, in this process, nothing to install or to start.

Durability: the write-ahead log stays on, so an update that returned survives ``kill -9`` (20 of
20 trials in ``tests/retrieval/test_interrupted_sync.py``). One process at a time has the folder.
"""

import asyncio
import contextlib
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_gorilla.errors import IndexMismatchError, IndexUnavailableError
from langchain_gorilla.retrieval.points import (
    ADAPTER_ID,
    HEADER_ID,
    FieldKind,
    Hit,
    Query,
    SparseWeights,
    StoredPoint,
    Where,
)

if TYPE_CHECKING:
    import qdrant_edge

SCANNED_UP_TO = 100_000
"""Points up to which all vectors are compared, which takes 3 ms; beyond, a graph is built."""

_SCROLL = 10_000
_GRAPH_EF = 512
"""Walks through the graph keep this many candidates: recall .95 at a million near-duplicates."""

_OVERSAMPLING = 2.0
"""Vectors are compared by four bits a number, a fifth of the time of all 32; twice as many as asked
for are then compared in full: of the nearest 200 in 100,000 that finds .999, one and a half times as
many .988. Scores are always those of the full vectors."""


class EdgeStore:
    """Points in a folder. Threads may share it; processes may not."""

    def __init__(self, folder: Path, *, dimension: int | None) -> None:
        """Open the folder, or make it.

        Args:
            folder: Of one shard.
            dimension: Of the dense vectors; None for a collection without.

        Raises:
            IndexUnavailableError: The folder cannot be read or written.
        """
        import qdrant_edge

        self._edge = qdrant_edge
        self._dense = dimension is not None
        self._folder = folder
        with self._explained("open"):
            if not folder.exists():
                self._create(folder, dimension)
            self._shard = qdrant_edge.EdgeShard.load(str(folder))

    def _create(self, folder: Path, dimension: int | None) -> None:
        """Make a shard beside and move it in place: killed halfway, it could not be loaded."""
        beside = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        edge = self._edge
        shard = edge.EdgeShard.create(str(beside), _config(dimension))
        for name, schema in (
            ("name", edge.KeywordIndexParams()),
            ("namespace", edge.KeywordIndexParams(is_tenant=True)),
        ):
            shard.update(edge.UpdateOperation.create_field_index(name, schema))
        shard.flush()
        shard.close()
        beside.rename(folder)

    def header(self) -> Mapping[str, Any] | None:
        """See ``PointStore``."""
        return self._note(HEADER_ID, "header")

    def write_header(self, header: Mapping[str, Any]) -> None:
        """See ``PointStore``."""
        self._write_note(HEADER_ID, "header", header)

    def adapter(self) -> Mapping[str, Any] | None:
        """See ``PointStore``."""
        return self._note(ADAPTER_ID, "adapter")

    def write_adapter(self, adapter: Mapping[str, Any]) -> None:
        """See ``PointStore``."""
        self._write_note(ADAPTER_ID, "adapter", adapter)

    def _note(self, point: str, key: str) -> Mapping[str, Any] | None:
        with self._explained("read"):
            records = self._shard.retrieve([point], True, False)
        return records[0].payload[key] if records and records[0].payload else None

    def _write_note(self, point: str, key: str, content: Mapping[str, Any]) -> None:
        note = self._edge.Point(point, {}, {key: dict(content)})
        with self._explained("write"):
            self._update(self._edge.UpdateOperation.upsert_points([note]))
            self._shard.flush()

    def ids(self) -> list[str]:
        """See ``PointStore``."""
        found: list[str] = []
        offset: Any = None
        while True:
            request = self._edge.ScrollRequest(
                offset=offset, limit=_SCROLL, with_payload=False, with_vector=False
            )
            with self._explained("read"):
                records, offset = self._shard.scroll(request)
            found.extend(str(record.id) for record in records)
            if offset is None:
                return [point for point in found if point not in (HEADER_ID, ADAPTER_ID)]

    def points(self, ids: Sequence[str]) -> list[StoredPoint]:
        """See ``PointStore``."""
        with self._explained("read"):
            records = self._shard.retrieve(list(ids), True, True)
        return [_stored(record) for record in records]

    def index_fields(self, fields: Mapping[str, FieldKind]) -> None:
        """See ``PointStore``."""
        edge = self._edge
        with self._explained("write"):
            for name, kind in fields.items():
                schema = edge.FloatIndexParams() if kind == "number" else edge.KeywordIndexParams()
                self._update(edge.UpdateOperation.create_field_index(f"metadata.{name}", schema))

    def write(self, points: Sequence[StoredPoint]) -> None:
        """See ``PointStore``."""
        edge_points = [self._point(point) for point in points]
        with self._explained("write"):
            self._update(self._edge.UpdateOperation.upsert_points(edge_points))

    def write_sparse(self, weights: Mapping[str, SparseWeights]) -> None:
        """See ``PointStore``."""
        vectors = [
            self._edge.PointVectors(point, {"bm25": self._sparse(sparse)})
            for point, sparse in weights.items()
        ]
        with self._explained("write"):
            self._update(self._edge.UpdateOperation.update_vectors(vectors))

    def delete(self, ids: Sequence[str]) -> None:
        """See ``PointStore``."""
        with self._explained("write"):
            self._update(self._edge.UpdateOperation.delete_points(list(ids)))

    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        """See ``PointStore``."""
        requests = [self._request(query) for query in queries]
        with self._explained("search"):
            found = self._shard.query_batch(self._edge.QueryBatchRequest(requests))
        return [[_hit(point, point.score) for point in points] for points in found]

    def named(self, names: Iterable[str], where: Where) -> list[Hit]:
        """See ``PointStore``."""
        condition = self._edge.FieldCondition("name", match=self._edge.MatchAny(list(names)))
        return self._scrolled(self._filter(where, condition), 1.0, 100)

    def find(
        self, queries: Sequence[Query], names: Sequence[str], where: Where
    ) -> tuple[list[list[Hit]], list[Hit]]:
        """See ``PointStore``."""
        found = self.search(queries) if queries else []
        return found, self.named(names, where) if names else []

    async def afind(
        self, queries: Sequence[Query], names: Sequence[str], where: Where
    ) -> tuple[list[list[Hit]], list[Hit]]:
        """See ``PointStore``; in a thread, since Qdrant Edge has only blocking calls."""
        return await asyncio.to_thread(self.find, queries, names, where)

    def names(self) -> frozenset[str]:
        """See ``PointStore``."""
        found: set[str] = set()
        offset: Any = None
        while True:
            request = self._edge.ScrollRequest(
                offset=offset, limit=_SCROLL, with_payload=["name"], with_vector=False
            )
            with self._explained("read"):
                records, offset = self._shard.scroll(request)
            payloads = (record.payload or {} for record in records)
            found.update(payload["name"] for payload in payloads if "name" in payload)
            if offset is None:
                return frozenset(found)

    def sample(self, where: Where, limit: int) -> list[Hit]:
        """See ``PointStore``."""
        named = self._edge.HasIdCondition({HEADER_ID, ADAPTER_ID})
        return self._scrolled(self._filter(where, without=named), 0.0, limit)

    def optimize(self) -> None:
        """See ``PointStore``."""
        with self._explained("optimize"):
            self._shard.optimize()

    def close(self) -> None:
        """See ``PointStore``."""
        with self._explained("close"):
            self._shard.close()

    def _update(self, operation: Any) -> None:
        self._shard.update(operation)

    def _scrolled(self, condition: Any, score: float, limit: int) -> list[Hit]:
        request = self._edge.ScrollRequest(limit=limit, filter=condition, with_payload=True)
        with self._explained("read"):
            records, _ = self._shard.scroll(request)
        return [_hit(record, score) for record in records]

    def _point(self, point: StoredPoint) -> Any:
        vectors: dict[str, Any] = {"bm25": self._sparse(point.sparse)}
        if point.dense is not None:
            vectors["dense"] = list(point.dense)
        return self._edge.Point(point.id, vectors, dict(point.payload))

    def _sparse(self, weights: SparseWeights) -> Any:
        return self._edge.SparseVector(list(weights.indices), list(weights.values))

    def _request(self, query: Query) -> Any:
        edge = self._edge
        condition = self._filter(query.where) if query.where else None
        words = None
        if query.where.namespaces:
            # A namespace is a catalog of its own: how rare a word is counts in it alone.
            corpus = self._filter(Where(namespaces=query.where.namespaces))
            words = edge.SearchParams(idf=edge.IdfParams(corpus=corpus))
        sparse = edge.Query.Nearest(self._sparse(query.sparse), "bm25")
        if query.dense is None:
            return edge.QueryRequest(
                query.limit, query=sparse, filter=condition, params=words, with_payload=True
            )
        graph = edge.SearchParams(
            exact=query.exact,
            hnsw_ef=None if query.exact else _GRAPH_EF,
            quantization=edge.QuantizationSearchParams(rescore=True, oversampling=_OVERSAMPLING),
        )
        dense = edge.Query.Nearest(list(query.dense), "dense")
        if not query.sparse.indices:
            return edge.QueryRequest(
                query.limit, query=dense, filter=condition, params=graph, with_payload=True
            )
        sides = [
            edge.Prefetch(query.candidates, query=dense, filter=condition, params=graph),
            edge.Prefetch(query.candidates, query=sparse, filter=condition, params=words),
        ]
        return edge.QueryRequest(
            query.limit, query=self._fused(query), prefetches=sides, with_payload=True
        )

    def _fused(self, query: Query) -> Any:
        edge = self._edge
        if query.fusion == "dbsf":
            return edge.Fusion.Dbsf()
        expression = edge.Expression
        lexical = [expression.Constant(query.lexical_weight), expression.Variable("$score[1]")]
        return edge.Formula(
            expression.Sum([expression.Variable("$score[0]"), expression.Mult(lexical)]),
            defaults={"$score[0]": 0.0, "$score[1]": 0.0},
        )

    def _filter(self, where: Where, *conditions: Any, without: Any = None) -> Any:
        edge = self._edge
        must = list(conditions)
        if where.namespaces:
            any_of = edge.MatchAny(list(where.namespaces))
            must.append(edge.FieldCondition("namespace", match=any_of))
        if where.names is not None:
            any_name = edge.MatchAny(list(where.names))
            must.append(edge.FieldCondition("name", match=any_name))
        for key, value in where.equal.items():
            must.append(_equal(edge, f"metadata.{key}", value))
        for bounds in where.ranges:
            limits = edge.RangeFloat(gte=bounds.gte, gt=bounds.gt, lte=bounds.lte, lt=bounds.lt)
            must.append(edge.FieldCondition(f"metadata.{bounds.field}", range=limits))
        return edge.Filter(must=must, must_not=[without] if without else None)

    @contextlib.contextmanager
    def _explained(self, action: str) -> Iterator[None]:
        """Turn Qdrant Edge's bare exceptions into ones that say what to do."""
        try:
            yield
        except (OSError, ValueError, RuntimeError) as error:
            raise self._unavailable(action, error) from error
        except Exception as error:
            # qdrant_edge raises Exception itself; its subclasses are bugs and surface.
            if type(error) is not Exception:
                raise
            if "Vector dimension error" in str(error):
                raise IndexMismatchError(
                    f"The tool index in {self._folder} holds other vectors: {error}. Sync with "
                    "the embedder in use: it builds the index anew beside the old one."
                ) from error
            raise self._unavailable(action, error) from error

    def _unavailable(self, action: str, error: Exception) -> IndexUnavailableError:
        text = str(error)
        advice = "Check the folder, or delete it and sync again: it holds nothing else."
        if "No space left" in text or "os error 28" in text:
            advice = "The disk is full. Free space and sync again: it goes on where it stopped."
        elif "WouldBlock" in text:
            advice = "Another process or object has it open: close that one, or use a server."
        elif "not initialized" in text:
            advice = "It was closed. Open it again."
        return IndexUnavailableError(
            f"Cannot {action} the tool index in {self._folder}: {text}. {advice}"
        )


def _config(dimension: int | None) -> "qdrant_edge.EdgeConfig":
    import qdrant_edge as edge

    vectors = None
    optimizers = None
    if dimension is not None:
        # Needs no training, so that a collection has it from its first point on.
        short = edge.TurboQuantQuantizationConfig(bits=edge.TurboQuantBitSize.Bits4)
        params = edge.EdgeVectorParams(
            dimension, edge.Distance.Cosine, quantization_config=short
        )
        vectors = {"dense": params}
        scanned_kb = SCANNED_UP_TO * dimension * 4 // 1024
        optimizers = edge.EdgeOptimizersConfig(indexing_threshold=scanned_kb)
    return edge.EdgeConfig(
        vectors=vectors,
        sparse_vectors={"bm25": edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        optimizers=optimizers,
    )


def _equal(edge: Any, key: str, value: Any) -> Any:
    if isinstance(value, tuple):
        return edge.FieldCondition(key, match=edge.MatchAny(list(value)))
    if isinstance(value, float):
        return edge.FieldCondition(key, range=edge.RangeFloat(gte=value, lte=value))
    return edge.FieldCondition(key, match=edge.MatchValue(value))


def _hit(point: Any, score: float) -> Hit:
    return Hit(str(point.id), float(score), point.payload or {})


def _stored(record: Any) -> StoredPoint:
    vectors = record.vector or {}
    sparse = vectors.get("bm25")
    return StoredPoint(
        str(record.id),
        record.payload or {},
        SparseWeights(sparse.indices, sparse.values) if sparse else SparseWeights((), ()),
        vectors.get("dense"),
    )
