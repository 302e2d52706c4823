"""A collection on a Qdrant server or cluster, or in memory for tests.

A server is shared: several processes read and write it, it shards and replicates. In memory,
``qdrant_client`` is a plain Python loop: good for a few hundred tools.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from langchain_gorilla.retrieval.connection import Connection, explained
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

_SCROLL = 5_000
_GRAPH_EF = 512


class ClientStore:
    """Points on a server or in memory, under one collection name."""

    def __init__(
        self, client: Any, connection: Connection, collection: str, *, dimension: int | None
    ) -> None:
        """Open the collection, or make it.

        Args:
            client: A ``QdrantClient`` made from ``connection``.
            connection: Where that is.
            collection: Its name.
            dimension: Of the dense vectors; None for a collection without.

        Raises:
            IndexUnavailableError: The server does not answer or refuses.
        """
        from qdrant_client import models

        self._models = models
        self._client = client
        self._connection = connection
        self._collection = collection
        self._aclient: Any = None
        # Local mode is corrupted by concurrent writers (qdrant-client 1193).
        self._lock = threading.RLock()
        with self._explained("open"):
            if not client.collection_exists(collection):
                self._create(dimension)

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
            records = self._client.retrieve(self._collection, [point], with_payload=True)
        return (records[0].payload or {}).get(key) if records else None

    def _write_note(self, point: str, key: str, content: Mapping[str, Any]) -> None:
        note = self._models.PointStruct(id=point, vector={}, payload={key: dict(content)})
        with self._explained("write"):
            self._client.upsert(self._collection, [note], wait=True)

    def ids(self) -> list[str]:
        """See ``PointStore``."""
        found: list[str] = []
        offset: Any = None
        while True:
            with self._explained("read"):
                records, offset = self._client.scroll(
                    self._collection,
                    limit=_SCROLL,
                    offset=offset,
                    with_payload=False,
                    with_vectors=False,
                )
            found.extend(str(record.id) for record in records)
            if offset is None:
                return [point for point in found if point not in (HEADER_ID, ADAPTER_ID)]

    def points(self, ids: Sequence[str]) -> list[StoredPoint]:
        """See ``PointStore``."""
        with self._explained("read"):
            records = self._client.retrieve(
                self._collection, list(ids), with_payload=True, with_vectors=True
            )
        return [_stored(record) for record in records]

    def index_fields(self, fields: Mapping[str, FieldKind]) -> None:
        """See ``PointStore``."""
        if self._connection.in_memory:
            return  # local mode has no payload indexes and warns about them
        models = self._models
        kinds = {
            "number": models.PayloadSchemaType.FLOAT,
            "keyword": models.PayloadSchemaType.KEYWORD,
        }
        with self._explained("write"):
            for name, kind in fields.items():
                self._client.create_payload_index(
                    self._collection, f"metadata.{name}", kinds[kind], wait=True
                )

    def write(self, points: Sequence[StoredPoint]) -> None:
        """See ``PointStore``."""
        structs = [self._point(point) for point in points]
        with self._explained("write"):
            self._client.upsert(self._collection, structs, wait=True)

    def write_sparse(self, weights: Mapping[str, SparseWeights]) -> None:
        """See ``PointStore``."""
        vectors = [
            self._models.PointVectors(id=point, vector={"bm25": self._sparse(sparse)})
            for point, sparse in weights.items()
        ]
        with self._explained("write"):
            self._client.update_vectors(self._collection, vectors, wait=True)

    def delete(self, ids: Sequence[str]) -> None:
        """See ``PointStore``."""
        selector = self._models.PointIdsList(points=list(ids))
        with self._explained("write"):
            self._client.delete(self._collection, selector, wait=True)

    def search(self, queries: Sequence[Query]) -> list[list[Hit]]:
        """See ``PointStore``."""
        requests = [self._request(query) for query in queries]
        with self._explained("search"):
            found = self._client.query_batch_points(self._collection, requests)
        return [_hits(response) for response in found]

    def named(self, names: Iterable[str], where: Where) -> list[Hit]:
        """See ``PointStore``."""
        with self._explained("read"):
            records, _ = self._client.scroll(self._collection, **self._named(names, where))
        return [Hit(str(record.id), 1.0, record.payload or {}) for record in records]

    def find(
        self, queries: Sequence[Query], names: Sequence[str], where: Where
    ) -> tuple[list[list[Hit]], list[Hit]]:
        """See ``PointStore``."""
        found = self.search(queries) if queries else []
        return found, self.named(names, where) if names else []

    async def afind(
        self, queries: Sequence[Query], names: Sequence[str], where: Where
    ) -> tuple[list[list[Hit]], list[Hit]]:
        """See ``PointStore``; local mode blocks, so it gets a thread."""
        if self._connection.in_memory:
            return await asyncio.to_thread(self.find, queries, names, where)
        return await asyncio.gather(self._asearch(queries), self._anamed(names, where))

    async def _asearch(self, queries: Sequence[Query]) -> list[list[Hit]]:
        if not queries:
            return []
        requests = [self._request(query) for query in queries]
        with self._explained("search", locked=False):
            found = await self._async_client().query_batch_points(self._collection, requests)
        return [_hits(response) for response in found]

    async def _anamed(self, names: Sequence[str], where: Where) -> list[Hit]:
        if not names:
            return []
        with self._explained("read", locked=False):
            records, _ = await self._async_client().scroll(
                self._collection, **self._named(names, where)
            )
        return [Hit(str(record.id), 1.0, record.payload or {}) for record in records]

    def names(self) -> frozenset[str]:
        """See ``PointStore``."""
        found: set[str] = set()
        offset: Any = None
        while True:
            with self._explained("read"):
                records, offset = self._client.scroll(
                    self._collection,
                    limit=_SCROLL,
                    offset=offset,
                    with_payload=["name"],
                    with_vectors=False,
                )
            payloads = (record.payload or {} for record in records)
            found.update(payload["name"] for payload in payloads if "name" in payload)
            if offset is None:
                return frozenset(found)

    def sample(self, where: Where, limit: int) -> list[Hit]:
        """See ``PointStore``."""
        header = self._models.HasIdCondition(has_id=[HEADER_ID, ADAPTER_ID])
        condition = self._filter(where, without=header)
        with self._explained("read"):
            records, _ = self._client.scroll(
                self._collection, scroll_filter=condition, limit=limit, with_payload=True
            )
        return [Hit(str(record.id), 0.0, record.payload or {}) for record in records]

    def optimize(self) -> None:
        """See ``PointStore``; a server does it by itself."""

    def close(self) -> None:
        """See ``PointStore``; the client stays open, since several collections share it."""

    def _create(self, dimension: int | None) -> None:
        models = self._models
        vectors = {}
        if dimension is not None:
            vectors["dense"] = models.VectorParams(size=dimension, distance=models.Distance.COSINE)
        self._client.create_collection(
            self._collection,
            vectors_config=vectors,
            sparse_vectors_config={"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)},
            **self._connection.collection_options,
        )
        if self._connection.in_memory:
            return  # local mode has no payload indexes and warns about them
        for name, tenant in (("name", False), ("namespace", True)):
            schema = models.KeywordIndexParams(
                type=models.KeywordIndexType.KEYWORD, is_tenant=tenant
            )
            self._client.create_payload_index(self._collection, name, schema, wait=True)

    def _async_client(self) -> Any:
        if self._aclient is None:
            from qdrant_client import AsyncQdrantClient

            self._aclient = AsyncQdrantClient(**self._connection.options)
        return self._aclient

    def _point(self, point: StoredPoint) -> Any:
        vectors: dict[str, Any] = {"bm25": self._sparse(point.sparse)}
        if point.dense is not None:
            vectors["dense"] = list(point.dense)
        return self._models.PointStruct(id=point.id, vector=vectors, payload=dict(point.payload))

    def _sparse(self, weights: SparseWeights) -> Any:
        return self._models.SparseVector(indices=list(weights.indices), values=list(weights.values))

    def _request(self, query: Query) -> Any:
        models = self._models
        condition = self._filter(query.where) if query.where else None
        common = {"filter": condition, "limit": query.limit, "with_payload": True}
        sparse = self._sparse(query.sparse)
        words = None
        if query.where.namespaces:
            corpus = self._filter(Where(namespaces=query.where.namespaces))
            words = models.SearchParams(idf=models.IdfCorpusParams(corpus=corpus))
        if query.dense is None:
            return models.QueryRequest(query=sparse, using="bm25", params=words, **common)
        dense = list(query.dense)
        graph = models.SearchParams(exact=query.exact, hnsw_ef=_GRAPH_EF)
        if not query.sparse.indices:
            return models.QueryRequest(query=dense, using="dense", params=graph, **common)
        sides = [
            models.Prefetch(
                query=dense,
                using="dense",
                filter=condition,
                limit=query.candidates,
                params=graph,
            ),
            models.Prefetch(
                query=sparse,
                using="bm25",
                filter=condition,
                limit=query.candidates,
                params=words,
            ),
        ]
        return models.QueryRequest(
            prefetch=sides, query=self._fused(query), limit=query.limit, with_payload=True
        )

    def _fused(self, query: Query) -> Any:
        models = self._models
        if query.fusion == "dbsf":
            return models.FusionQuery(fusion=models.Fusion.DBSF)
        lexical = models.MultExpression(mult=[query.lexical_weight, "$score[1]"])
        return models.FormulaQuery(
            formula=models.SumExpression(sum=["$score[0]", lexical]),
            defaults={"$score[0]": 0.0, "$score[1]": 0.0},
        )

    def _named(self, names: Iterable[str], where: Where) -> dict[str, Any]:
        models = self._models
        named = models.FieldCondition(key="name", match=models.MatchAny(any=list(names)))
        condition = self._filter(where, named)
        return {"scroll_filter": condition, "limit": 100, "with_payload": True}

    def _filter(self, where: Where, *conditions: Any, without: Any = None) -> Any:
        models = self._models
        must = list(conditions)
        if where.namespaces:
            any_of = models.MatchAny(any=list(where.namespaces))
            must.append(models.FieldCondition(key="namespace", match=any_of))
        if where.names is not None:
            any_name = models.MatchAny(any=list(where.names))
            must.append(models.FieldCondition(key="name", match=any_name))
        for key, value in where.equal.items():
            must.append(_equal(models, f"metadata.{key}", value))
        for bounds in where.ranges:
            limits = models.Range(gte=bounds.gte, gt=bounds.gt, lte=bounds.lte, lt=bounds.lt)
            must.append(models.FieldCondition(key=f"metadata.{bounds.field}", range=limits))
        return models.Filter(must=must, must_not=[without] if without else None)

    @contextlib.contextmanager
    def _explained(self, action: str, *, locked: bool = True) -> Iterator[None]:
        """Serialize local mode, and turn the client's exceptions into ones that say what to do."""
        lock = self._lock if locked and self._connection.in_memory else contextlib.nullcontext()
        with lock, explained(action, self._connection, self._collection):
            yield


def _equal(models: Any, key: str, value: Any) -> Any:
    if isinstance(value, tuple):
        return models.FieldCondition(key=key, match=models.MatchAny(any=list(value)))
    if isinstance(value, float):
        return models.FieldCondition(key=key, range=models.Range(gte=value, lte=value))
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def _hits(response: Any) -> list[Hit]:
    return [
        Hit(str(point.id), float(point.score), point.payload or {}) for point in response.points
    ]


def _stored(record: Any) -> StoredPoint:
    vectors = record.vector if isinstance(record.vector, dict) else {}
    sparse = vectors.get("bm25")
    return StoredPoint(
        str(record.id),
        record.payload or {},
        SparseWeights(sparse.indices, sparse.values) if sparse else SparseWeights((), ()),
        vectors.get("dense"),
    )
