"""A collection on a Qdrant server or cluster, or in memory for tests.

A server is shared: several processes read and write it, it shards and replicates. In memory,
``qdrant_client`` is a plain Python loop: good for a few hundred tools.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from langchain_gorilla.retrieval.base_store import BaseStore, hit, stored_point
from langchain_gorilla.retrieval.connection import Connection, explained
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

_SCROLL = 5_000
_WRITTEN = 200
"""Points of one write: a server refuses requests of more than 32 MB, and the words of a long tool
alone take 90 KB."""

_GRAPH_EF = 512


class ClientStore(BaseStore):
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
        self._aclients: Mapping[asyncio.AbstractEventLoop, Any] = {}
        # Local mode is corrupted by concurrent writers (qdrant-client 1193).
        self._lock = threading.RLock()
        with self._explained("open"):
            if not client.collection_exists(collection):
                self._create(dimension)

    def note(self, note: Note) -> Mapping[str, Any] | None:
        """See ``PointStore``."""
        with self._explained("read"):
            records = self._client.retrieve(self._collection, [NOTES[note]], with_payload=True)
        return (records[0].payload or {}).get(note) if records else None

    def write_note(self, note: Note, content: Mapping[str, Any]) -> None:
        """See ``PointStore``."""
        payload: dict[str, Any] = {note: dict(content)}
        point = self._models.PointStruct(id=NOTES[note], vector={}, payload=payload)
        with self._explained("write"):
            self._client.upsert(self._collection, [point], wait=True)

    def _page(self, offset: Any, payload: bool | list[str]) -> tuple[Sequence[Any], Any]:
        with self._explained("read"):
            records, following = self._client.scroll(
                self._collection,
                limit=_SCROLL,
                offset=offset,
                with_payload=payload,
                with_vectors=False,
            )
        return records, following

    def points(self, ids: Sequence[str]) -> list[StoredPoint]:
        """See ``PointStore``."""
        with self._explained("read"):
            records = self._client.retrieve(
                self._collection, list(ids), with_payload=True, with_vectors=True
            )
        return [stored_point(record) for record in records]

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
                    self._collection, metadata_path(name), kinds[kind], wait=True
                )

    def write(self, points: Sequence[StoredPoint]) -> None:
        """See ``PointStore``."""
        for start in range(0, len(points), _WRITTEN):
            structs = [self._point(point) for point in points[start : start + _WRITTEN]]
            with self._explained("write"):
                self._client.upsert(self._collection, structs, wait=True)

    def write_sparse(self, weights: Mapping[str, SparseWeights]) -> None:
        """See ``PointStore``."""
        vectors = [
            self._models.PointVectors(id=point, vector={"bm25": self._sparse(sparse)})
            for point, sparse in weights.items()
        ]
        for start in range(0, len(vectors), _WRITTEN):
            with self._explained("write"):
                self._client.update_vectors(
                    self._collection, vectors[start : start + _WRITTEN], wait=True
                )

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
        return [hit(record, 1.0) for record in records]

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
        return [hit(record, 1.0) for record in records]

    def sample(self, where: Where, limit: int) -> list[Hit]:
        """See ``PointStore``."""
        notes = self._models.HasIdCondition(has_id=list(NOTES.values()))
        condition = filter_of(self._models, where, without=notes)
        with self._explained("read"):
            records, _ = self._client.scroll(
                self._collection, scroll_filter=condition, limit=limit, with_payload=True
            )
        return [hit(record, 0.0) for record in records]

    def optimize(self) -> None:
        """See ``PointStore``; a server does it by itself."""

    def close(self) -> None:
        """See ``PointStore``; the client stays open, since several collections share it."""

    def _create(self, dimension: int | None) -> None:
        models = self._models
        vectors = {}
        if dimension is not None:
            vectors["dense"] = models.VectorParams(size=dimension, distance=models.Distance.COSINE)
        sparse = {"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)}
        try:
            self._client.create_collection(
                self._collection,
                vectors_config=vectors,
                sparse_vectors_config=sparse,
                **self._connection.collection_options,
            )
        except Exception as error:
            if "already exists" in str(error):
                return  # another process makes the same index
            raise
        if self._connection.in_memory:
            return  # local mode has no payload indexes and warns about them
        for name, tenant in (("name", False), ("namespace", True)):
            schema = models.KeywordIndexParams(
                type=models.KeywordIndexType.KEYWORD, is_tenant=tenant
            )
            self._client.create_payload_index(self._collection, name, schema, wait=True)

    def _async_client(self) -> Any:
        """Return the client of the running event loop: its connections end with that loop."""
        loop = asyncio.get_running_loop()
        client = self._aclients.get(loop)
        if client is None:
            from qdrant_client import AsyncQdrantClient

            client = AsyncQdrantClient(**self._connection.options)
            others = {each: held for each, held in self._aclients.items() if not each.is_closed()}
            self._aclients = {**others, loop: client}
        return client

    def _point(self, point: StoredPoint) -> Any:
        vectors: dict[str, Any] = {"bm25": self._sparse(point.sparse)}
        if point.dense is not None:
            vectors["dense"] = list(point.dense)
        return self._models.PointStruct(id=point.id, vector=vectors, payload=dict(point.payload))

    def _sparse(self, weights: SparseWeights) -> Any:
        return self._models.SparseVector(indices=list(weights.indices), values=list(weights.values))

    def _request(self, query: Query) -> Any:
        models = self._models
        condition = filter_of(models, query.where) if query.where else None
        common = {"filter": condition, "limit": query.limit, "with_payload": True}
        sparse = self._sparse(query.sparse)
        words = None
        if query.where.namespaces:
            corpus = filter_of(models, Where(namespaces=query.where.namespaces))
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
        condition = filter_of(self._models, where, any_of(self._models, "name", names))
        return {"scroll_filter": condition, "limit": 100, "with_payload": True}

    @contextlib.contextmanager
    def _explained(self, action: str, *, locked: bool = True) -> Iterator[None]:
        """Serialize local mode, and turn the client's exceptions into ones that say what to do."""
        lock = self._lock if locked and self._connection.in_memory else contextlib.nullcontext()
        with lock, explained(action, self._connection, self._collection):
            yield


def _hits(response: Any) -> list[Hit]:
    return [hit(point, point.score) for point in response.points]
