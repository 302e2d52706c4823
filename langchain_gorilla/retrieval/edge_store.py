"""A collection in a folder: Qdrant Edge, in this process, nothing to install or to start.

Durability: the write-ahead log stays on, so an update that returned survives ``kill -9`` (20 of
20 trials in ``tests/retrieval/test_interrupted_sync.py``). One process at a time has the folder.
"""

import asyncio
import contextlib
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_gorilla.errors import IndexMismatchError, IndexUnavailableError
from langchain_gorilla.retrieval.base_store import BaseStore, hit, stored_point
from langchain_gorilla.retrieval.filters import any_of, filter_of, metadata_path
from langchain_gorilla.retrieval.points import (
    NOTES,
    FieldKind,
    Hit,
    Note,
    Query,
    SparseWeights,
    StoredPoint,
    Where,
)
from langchain_gorilla.retrieval.word_shares import COUNTED, finding, word_shares

if TYPE_CHECKING:
    import qdrant_edge

SCANNED_UP_TO = 100_000
"""Points up to which all vectors are compared, which takes 3 ms; beyond, a graph is built."""

ALL_WORDS_UP_TO = 400_000
"""Points up to which all words of a request choose candidates; beyond, the rarer ones do. To score
what they chose takes as long as is saved at this size; at a million points a third is saved.
"""

_SCROLL = 10_000
_GRAPH_EF = 512
"""Walks through the graph keep this many candidates: recall .95 at a million near-duplicates."""

_OVERSAMPLING = 2.0
"""Vectors are compared by four bits a number, and twice as many as asked for are then compared in
full: together a third of the time that comparing all in full takes. Of the nearest 200 in 100,000
that finds .999, with one and a half times as many .988. Scores are those of the full vectors.
"""


class EdgeStore(BaseStore):
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
        self._folder = folder
        self._is_closing = False
        with self._explained("open"):
            if not folder.exists():
                self._create(folder, dimension)
            self._shard = qdrant_edge.EdgeShard.load(str(folder))
        self._shares: Mapping[int, float] | None = None

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

    def note(self, note: Note) -> Mapping[str, Any] | None:
        """See ``PointStore``."""
        with self._explained("read"):
            records = self._shard.retrieve([NOTES[note]], True, False)
        return records[0].payload[note] if records and records[0].payload else None

    def write_note(self, note: Note, content: Mapping[str, Any]) -> None:
        """See ``PointStore``."""
        point = self._edge.Point(NOTES[note], {}, {note: dict(content)})
        with self._explained("write"):
            self._shard.update(self._edge.UpdateOperation.upsert_points([point]))
            self._shard.flush()

    def _page(self, offset: Any, payload: bool | list[str]) -> tuple[Sequence[Any], Any]:
        request = self._edge.ScrollRequest(
            offset=offset, limit=_SCROLL, with_payload=payload, with_vector=False
        )
        with self._explained("read"):
            records, following = self._shard.scroll(request)
        return records, following

    def points(self, ids: Sequence[str]) -> list[StoredPoint]:
        """See ``PointStore``."""
        with self._explained("read"):
            records = self._shard.retrieve(list(ids), True, True)
        return [stored_point(record) for record in records]

    def index_fields(self, fields: Mapping[str, FieldKind]) -> None:
        """See ``PointStore``."""
        edge = self._edge
        with self._explained("write"):
            for name, kind in fields.items():
                schema = edge.FloatIndexParams() if kind == "number" else edge.KeywordIndexParams()
                self._shard.update(
                    edge.UpdateOperation.create_field_index(metadata_path(name), schema)
                )

    def write(self, points: Sequence[StoredPoint]) -> None:
        """See ``PointStore``."""
        edge_points = [self._point(point) for point in points]
        with self._explained("write"):
            self._shard.update(self._edge.UpdateOperation.upsert_points(edge_points))

    def write_sparse(self, weights: Mapping[str, SparseWeights]) -> None:
        """See ``PointStore``."""
        vectors = [
            self._edge.PointVectors(point, {"bm25": self._sparse(sparse)})
            for point, sparse in weights.items()
        ]
        with self._explained("write"):
            self._shard.update(self._edge.UpdateOperation.update_vectors(vectors))

    def delete(self, ids: Sequence[str]) -> None:
        """See ``PointStore``."""
        with self._explained("write"):
            self._shard.update(self._edge.UpdateOperation.delete_points(list(ids)))

    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        """See ``PointStore``."""
        requests = [self._request(query) for query in queries]
        with self._explained("search"):
            found = self._shard.query_batch(self._edge.QueryBatchRequest(requests))
        return [[hit(point, point.score) for point in points] for points in found]

    def named(self, names: Iterable[str], where: Where) -> list[Hit]:
        """See ``PointStore``."""
        named = any_of(self._edge, "name", names)
        return self._scrolled(filter_of(self._edge, where, named), 1.0, 100)

    async def afind(
        self, queries: Sequence[Query], names: Sequence[str], where: Where
    ) -> tuple[list[list[Hit]], list[Hit]]:
        """See ``PointStore``; in a thread, since Qdrant Edge has only blocking calls."""
        return await asyncio.to_thread(self.find, queries, names, where)

    def sample(self, where: Where, limit: int) -> list[Hit]:
        """See ``PointStore``."""
        notes = self._edge.HasIdCondition(set(NOTES.values()))
        return self._scrolled(filter_of(self._edge, where, without=notes), 0.0, limit)

    def optimize(self) -> None:
        """See ``PointStore``; few points need no graph."""
        with self._explained("optimize"):
            if self._shard.info().points_count > SCANNED_UP_TO:
                self._shard.optimize()
        self._shares = None

    def close(self) -> None:
        """See ``PointStore``; waits while another thread is handed what it reads."""
        with self._explained("close"):
            self._is_closing = True
            while True:
                try:
                    self._shard.close()
                    return
                except RuntimeError as error:
                    if "borrowed" not in str(error):
                        raise
                time.sleep(0.01)

    def _scrolled(self, condition: Any, score: float, limit: int) -> list[Hit]:
        request = self._edge.ScrollRequest(limit=limit, filter=condition, with_payload=True)
        with self._explained("read"):
            records, _ = self._shard.scroll(request)
        return [hit(record, score) for record in records]

    def _point(self, point: StoredPoint) -> Any:
        vectors: dict[str, Any] = {"bm25": self._sparse(point.sparse)}
        if point.dense is not None:
            vectors["dense"] = list(point.dense)
        return self._edge.Point(point.id, vectors, dict(point.payload))

    def _sparse(self, weights: SparseWeights) -> Any:
        return self._edge.SparseVector(list(weights.indices), list(weights.values))

    def _request(self, query: Query) -> Any:
        edge = self._edge
        condition = filter_of(edge, query.where) if query.where else None
        words = None
        if query.where.namespaces:
            # A namespace is a catalog of its own: how rare a word is counts in it alone.
            corpus = filter_of(edge, Where(namespaces=query.where.namespaces))
            words = edge.SearchParams(idf=edge.IdfParams(corpus=corpus))
        sparse = edge.Query.Nearest(self._sparse(query.sparse), "bm25")
        rarer = self._rarer_words(query)
        if query.dense is None:
            return edge.QueryRequest(
                query.limit,
                query=sparse,
                prefetches=rarer,
                filter=condition,
                params=words,
                with_payload=True,
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
            edge.Prefetch(
                query.candidates, query=sparse, prefetches=rarer, filter=condition, params=words
            ),
        ]
        return edge.QueryRequest(
            query.limit, query=self._fused(query), prefetches=sides, with_payload=True
        )

    def _rarer_words(self, query: Query) -> list[Any]:
        """Return the search by rarer words that chooses what all words score; none where all do.

        Not behind a filter: what is frequent in all tools can be rare among those it lets through.
        """
        if query.exact or query.where or not (shares := self._word_shares()):
            return []
        words = finding(query.sparse, shares)
        if len(words.indices) == len(query.sparse.indices):
            return []
        nearest = self._edge.Query.Nearest(self._sparse(words), "bm25")
        return [self._edge.Prefetch(max(query.candidates, query.limit), query=nearest)]

    def _word_shares(self) -> Mapping[int, float]:
        """Return how frequent words are, from some tools; nothing in a small collection."""
        if self._shares is None:
            shares: Mapping[int, float] = {}
            with self._explained("read"):
                if self._shard.info().points_count > ALL_WORDS_UP_TO:
                    # Ids are hashes: the first ones are as good a sample as any.
                    request = self._edge.ScrollRequest(
                        limit=COUNTED, with_payload=False, with_vector=["bm25"]
                    )
                    records, _ = self._shard.scroll(request)
                    shares = word_shares(stored_point(record).sparse for record in records)
            self._shares = shares
        return self._shares

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

    @contextlib.contextmanager
    def _explained(self, action: str) -> Iterator[None]:
        """Turn Qdrant Edge's bare exceptions into ones that say what to do."""
        if self._is_closing and action != "close":
            raise IndexUnavailableError(
                f"Cannot {action} the tool index in {self._folder}: it was closed. Open it again."
            )
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
        params = edge.EdgeVectorParams(dimension, edge.Distance.Cosine, quantization_config=short)
        vectors = {"dense": params}
        scanned_kb = SCANNED_UP_TO * dimension * 4 // 1024
        optimizers = edge.EdgeOptimizersConfig(indexing_threshold=scanned_kb)
    return edge.EdgeConfig(
        vectors=vectors,
        sparse_vectors={"bm25": edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        optimizers=optimizers,
        # Left on disk, which is Qdrant Edge's default, the documents of ten hits were ten page
        # faults a search at 100,000 points; kept at hand, none.
        payload_memory=edge.Memory.Cached,
    )
