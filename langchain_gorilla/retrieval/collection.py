"""``ToolIndex``: the searchable collection of a catalog, in a folder, on a server or in memory.

    index = ToolIndex.in_folder("tools.index", embeddings=OpenAIEmbeddings())
    index.sync(catalog)                        # embeds what is new or changed, nothing else
    index.search("Will it rain in Paris?", k=5).hits

Change a tool's documentation, ``sync`` again, and the next search reads the new one.
"""

import asyncio
import hashlib
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

from langchain_core.embeddings import Embeddings

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.errors import EmbeddingError, IndexMismatchError
from langchain_gorilla.retrieval.document import (
    TEXT_VERSION,
    dense_text,
    lexical_text,
    point_id,
    shared_openings,
    text_hash,
)
from langchain_gorilla.retrieval.embedding import DenseModel, LexicalModel, mean_tokens
from langchain_gorilla.retrieval.points import (
    Fusion,
    Hit,
    PointStore,
    Query,
    StoredPoint,
    Where,
)
from langchain_gorilla.retrieval.ranking import (
    CLAUSE_BONUS,
    SearchPlan,
    ToolHit,
    merge,
    plan_search,
)
from langchain_gorilla.retrieval.records import payload_of
from langchain_gorilla.retrieval.sync import SyncPlan, SyncReport, plan_sync

_FORMAT = "langchain-gorilla tool index 1"
_DENSE_BATCH = 128
_SPARSE_BATCH = 1_000
_DRIFT = 0.2
"""Share of the catalog that changes before mean length and boilerplate are measured anew."""

_GRAPH_FROM = 100_000


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        hits: Best first.
        notes: What was not as asked, in words for a person: the fallback to words alone, a
            constraint that left nothing.
    """

    hits: tuple[ToolHit, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Header:
    """What a collection remembers of how it was made.

    Attributes:
        embedder: Id of the embedder; None for words only.
        dimension: Of its vectors; None for words only.
        mean_tokens: Mean document length that the BM25 weights were made with.
        openings: Boilerplate that the BM25 texts leave out.
        measured_over: Number of tools when those two were measured; 0 while they are renewed.
        churn: Tools that changed since.
        text_version: ``document.TEXT_VERSION``.
        format: Names this program.
    """

    embedder: str | None
    dimension: int | None
    mean_tokens: float
    openings: tuple[str, ...]
    measured_over: int
    churn: int = 0
    text_version: int = TEXT_VERSION
    format: str = _FORMAT


class ToolIndex:
    """A collection of tool documents. Threads may share it."""

    def __init__(
        self,
        place: Any,
        *,
        embeddings: Embeddings | None = None,
        embedder_id: str | None = None,
        fusion: Fusion = "formula",
        lexical_weight: float = 0.02,
    ) -> None:
        """Open a collection; see ``in_folder``, ``on_server`` and ``in_memory``.

        Args:
            place: Where it is.
            embeddings: The dense side; None searches by words alone.
            embedder_id: Names the embedder in the collection; None takes its class and model.
            fusion: ``formula`` for cosines that mean something (sentence encoders); ``dbsf``
                for embedders whose cosines are all alike.
            lexical_weight: Of BM25 in the formula.
        """
        self.place = place
        self.dense = None if embeddings is None else DenseModel.of(embeddings, embedder_id)
        self.fusion: Fusion = fusion
        self.lexical_weight = lexical_weight
        self._dimension: int | None = None
        self._open: tuple[PointStore, Header, LexicalModel] | None = None
        self._lock = threading.RLock()

    @classmethod
    def in_folder(cls, folder: str | Path, **options: Any) -> "ToolIndex":
        """Open an index in a folder, for one process; options as for ``ToolIndex``."""
        from langchain_gorilla.retrieval.places import FolderPlace

        return cls(FolderPlace(Path(folder)), **options)

    @classmethod
    def on_server(
        cls,
        url: str,
        *,
        collection: str = "gorilla-tools",
        client_options: Mapping[str, Any] | None = None,
        collection_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> "ToolIndex":
        """Open an index on a Qdrant server or cluster, for many processes.

        Args:
            url: Such as ``http://localhost:6333``.
            collection: Its name; an alias there.
            client_options: Of ``QdrantClient``: api_key, timeout, prefer_grpc and so on.
            collection_options: Of ``create_collection``: shard_number, replication_factor,
                write_consistency_factor and so on.
            options: As for ``ToolIndex``.
        """
        from langchain_gorilla.retrieval.client_store import Connection
        from langchain_gorilla.retrieval.places import ServerPlace

        connection = Connection({"url": url, **(client_options or {})}, collection_options or {})
        return cls(ServerPlace(connection, collection), **options)

    @classmethod
    def in_memory(cls, **options: Any) -> "ToolIndex":
        """Open an index in memory, for tests and a few hundred tools."""
        from langchain_gorilla.retrieval.client_store import Connection
        from langchain_gorilla.retrieval.places import ServerPlace

        return cls(ServerPlace(Connection({"location": ":memory:"}), "gorilla-tools"), **options)

    def __enter__(self) -> "ToolIndex":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder or connection. Nothing is lost without it."""
        with self._lock:
            if self._open is not None:
                self._open[0].close()
                self._open = None
            self.place.close()

    def __len__(self) -> int:
        """The number of stored points; one per tool when no sync is under way."""
        opened = self._opened()
        return len(opened[0].ids()) if opened else 0

    # --- Sync ---

    def sync(
        self,
        tools: Iterable[CatalogTool],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> SyncReport:
        """Make the collection hold exactly these tools.

        Only new and changed texts are embedded. Writes come before deletes and each is durable,
        so after ``kill -9`` the next sync completes the work, and a search in between sees each
        tool in its old or new version. Another embedder, or a new version of the search texts,
        builds a new generation beside the old one and switches to it when it is whole.

        Args:
            tools: A ``ToolCatalog``, or its tools.
            progress: Called with (tools done, tools to do), from this thread.

        Raises:
            IndexUnavailableError: The place cannot be written; what is there stays usable.
            IndexMismatchError: The collection was made by something else.
            EmbeddingError: The embedder failed.
        """
        tools = tuple(tools)
        with self._lock:
            generation = self._generation()
            before = self.place.current()
            reuse = self._open is not None and before == generation
            store = self._open[0] if reuse and self._open else self._store(generation)
            header = _read_header(store)
            stored = store.ids()
            if header is None and stored:
                store.close()
                raise IndexMismatchError(
                    f"{self.place} holds {len(stored)} points that are no tool index. Pass another "
                    "folder or collection, so that nothing else is touched."
                )
            plan = plan_sync(tools, stored)
            writes = len(plan.new) + len(plan.changed)
            self.place.check_room(writes, self._dimension)
            stale = header is None or _drifted(header, len(tools), plan)
            if stale:
                header = self._measured(tools, renewed=header is None)
                store.write_header(vars(header))
            assert header is not None
            lexical = LexicalModel(header.mean_tokens)
            reweighted = 0
            if stale and plan.unchanged:
                reweighted = _reweight(store, tools, frozenset(stored), lexical, header)
            embedded = self._apply(store, plan, lexical, header, progress)
            done = Header(
                **{
                    **vars(header),
                    "measured_over": len(tools) if stale else header.measured_over,
                    "churn": 0 if stale else header.churn + writes + len(plan.delete),
                }
            )
            if done != header:
                store.write_header(vars(done))
            if len(tools) > _GRAPH_FROM and not plan.is_empty:
                store.optimize()
            self._switch(store, done, lexical, before, generation)
        return SyncReport(
            added=len(plan.new),
            changed=len(plan.changed),
            deleted=len(plan.delete) - len(plan.changed),
            unchanged=plan.unchanged,
            embedded=embedded,
            reweighted=reweighted,
            rebuilt=before is not None and before != generation,
        )

    async def async_sync(
        self,
        tools: Iterable[CatalogTool],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> SyncReport:
        """Like ``sync``, in a thread; ``progress`` is called from there."""
        return await asyncio.to_thread(self.sync, tuple(tools), progress=progress)

    def _apply(
        self,
        store: PointStore,
        plan: SyncPlan,
        lexical: LexicalModel,
        header: Header,
        progress: Callable[[int, int], None] | None,
    ) -> int:
        """Carry out a plan; return how many texts were embedded."""
        todo = [*plan.changed.items(), *plan.new.items()]
        embedded = done = 0
        size = _SPARSE_BATCH if self.dense is None else _DENSE_BATCH
        pieces = iter(todo)
        while batch := list(islice(pieces, size)):
            reused = self._reusable(store, plan, batch)
            texts = [dense_text(tool) for uuid, tool in batch if uuid not in reused]
            fresh = iter(self._embed(texts, header) if texts else ())
            embedded += len(texts) if self.dense else 0
            store.write(
                [
                    StoredPoint(
                        uuid,
                        payload_of(tool),
                        lexical.document(lexical_text(tool, header.openings)),
                        reused[uuid] if uuid in reused else next(fresh, None),
                    )
                    for uuid, tool in batch
                ]
            )
            if replaced := [plan.replaced[uuid] for uuid, _ in batch if uuid in plan.replaced]:
                store.delete(replaced)
            done += len(batch)
            if progress is not None:
                progress(done, len(todo))
        gone = [uuid for uuid in plan.delete if uuid not in set(plan.replaced.values())]
        for start in range(0, len(gone), _SPARSE_BATCH):
            store.delete(gone[start : start + _SPARSE_BATCH])
        return embedded

    def _reusable(
        self, store: PointStore, plan: SyncPlan, batch: Sequence[tuple[str, CatalogTool]]
    ) -> dict[str, Sequence[float]]:
        """Return the vectors of changed tools whose text for the embedder did not change."""
        olds = {plan.replaced[uuid]: (uuid, tool) for uuid, tool in batch if uuid in plan.replaced}
        if self.dense is None or not olds:
            return {}
        kept = {}
        for point in store.points(list(olds)):
            uuid, tool = olds[point.id]
            if point.dense is not None and point.payload.get("text_hash") == text_hash(tool):
                kept[uuid] = point.dense
        return kept

    def _embed(self, texts: Sequence[str], header: Header) -> Sequence[Sequence[float] | None]:
        if self.dense is None:
            return [None] * len(texts)
        vectors = self.dense.documents(texts)
        for vector in vectors:
            if len(vector) != header.dimension:
                raise EmbeddingError(
                    f"The embedder {self.dense.id!r} gave {len(vector)} numbers for a document and "
                    f"{header.dimension} for a query. One embedder gives vectors of one length."
                )
        return vectors

    def _measured(self, tools: Sequence[CatalogTool], *, renewed: bool) -> Header:
        """Measure a catalog for BM25; a header that says so before the weights are renewed."""
        openings = shared_openings(tools)
        length = mean_tokens(lexical_text(tool, openings) for tool in tools)
        return Header(
            embedder=self.dense.id if self.dense else None,
            dimension=self._dimension,
            mean_tokens=length,
            openings=openings,
            measured_over=len(tools) if renewed else 0,
        )

    def _generation(self) -> str:
        """Name the generation that this embedder and text version belong to."""
        if self.dense is not None and self._dimension is None:
            self._dimension = len(self.dense.queries(["dimension"])[0])
        made_by = f"{self.dense.id if self.dense else ''} {self._dimension} {TEXT_VERSION}"
        return hashlib.sha256(made_by.encode()).hexdigest()[:12]

    def _store(self, generation: str) -> PointStore:
        """Open a generation; the one in use can be open only once, so it is closed before."""
        if self._open is not None and self.place.current() == generation:
            self._open[0].close()
            self._open = None
        store: PointStore = self.place.open(generation, self._dimension)
        return store

    def _switch(
        self,
        store: PointStore,
        header: Header,
        lexical: LexicalModel,
        before: str | None,
        generation: str,
    ) -> None:
        if before != generation:
            self.place.switch(generation)
        old = self._open
        self._open = (store, header, lexical)
        if old is not None and old[0] is not store:
            old[0].close()
        self.place.discard_others(generation)

    # --- Search ---

    def search(
        self, query: str, *, k: int = 10, where: Where | None = None, exact: bool = False
    ) -> SearchResult:
        """Find the tools for a request.

        Args:
            query: In the user's words, of any length.
            k: Most tools.
            where: Which tools may be found.
            exact: Compare with every vector, for measurements; slow beyond 100,000 tools.

        Returns:
            The hits; none from an empty or new collection. Where the embedder fails, words
            alone decide, and ``notes`` says so.

        Raises:
            IndexUnavailableError: The place cannot be read.
            IndexMismatchError: The collection was made with another embedder.
        """
        opened = self._opened()
        if opened is None or not query.strip() or k < 1:
            return SearchResult(())
        store, header, lexical = opened
        plan = plan_search(query)
        vectors: list[list[float]] | None = None
        notes: tuple[str, ...] = ()
        if self.dense is not None:
            try:
                vectors = self._mapped(self.dense.queries(plan.texts), header)
            except EmbeddingError as error:
                notes = (_by_words(error),)
        queries = self._queries(plan, lexical, vectors, k, where or Where(), exact)
        found = store.search(queries) if queries else []
        named = store.named(plan.names, where or Where()) if plan.names else []
        return self._result(named, found, k, notes, dense=vectors is not None)

    async def asearch(
        self, query: str, *, k: int = 10, where: Where | None = None, exact: bool = False
    ) -> SearchResult:
        """Like ``search``."""
        opened = await asyncio.to_thread(self._opened)
        if opened is None or not query.strip() or k < 1:
            return SearchResult(())
        store, header, lexical = opened
        plan = plan_search(query)
        vectors: list[list[float]] | None = None
        notes: tuple[str, ...] = ()
        if self.dense is not None:
            try:
                vectors = self._mapped(await self.dense.aqueries(plan.texts), header)
            except EmbeddingError as error:
                notes = (_by_words(error),)
        queries = self._queries(plan, lexical, vectors, k, where or Where(), exact)
        found = await store.asearch(queries) if queries else []
        named = await store.anamed(plan.names, where or Where()) if plan.names else []
        return self._result(named, found, k, notes, dense=vectors is not None)

    def _result(
        self,
        named: Sequence[Hit],
        found: Sequence[Sequence[Hit]],
        k: int,
        notes: tuple[str, ...],
        *,
        dense: bool,
    ) -> SearchResult:
        for note in notes:
            warnings.warn(note, stacklevel=3)
        # Scores of words alone are BM25's own, larger than cosines by the formula's weight.
        bonus = CLAUSE_BONUS if dense else CLAUSE_BONUS / self.lexical_weight
        return SearchResult(merge(named, found, k, bonus=bonus), notes)

    def tools(self, where: Where | None = None, *, limit: int = 10_000) -> tuple[ToolHit, ...]:
        """Return some stored tools, with score 0, in no order that means anything."""
        opened = self._opened()
        if opened is None:
            return ()
        return merge((), [opened[0].sample(where or Where(), limit)], limit)

    def _opened(self) -> tuple[PointStore, Header, LexicalModel] | None:
        """Return what a search needs; None where nothing was ever synced."""
        if self._open is not None:
            return self._open
        with self._lock:
            generation = self.place.current()
            if generation is None:
                return None
            store: PointStore = self.place.open(generation, None)
            header = _read_header(store)
            mine = self.dense.id if self.dense else None
            if header is None or header.embedder not in (None, mine):
                store.close()
                made = "something else" if header is None else repr(header.embedder)
                raise IndexMismatchError(
                    f"The index in {self.place} was made with {made}, and this one searches with "
                    f"{mine!r}. Pass the same embeddings, or sync: that builds it anew beside."
                )
            self._open = (store, header, LexicalModel(header.mean_tokens))
            return self._open

    def _mapped(self, vectors: list[list[float]], header: Header) -> list[list[float]] | None:
        if header.dimension is None:
            return None  # made by words only; the next sync adds vectors
        if len(vectors[0]) != header.dimension:
            raise IndexMismatchError(
                f"The embedder gives vectors of {len(vectors[0])} numbers; the index in "
                f"{self.place} holds {header.dimension}. Sync: that builds it anew beside."
            )
        return vectors

    def _queries(
        self,
        plan: SearchPlan,
        lexical: LexicalModel,
        vectors: list[list[float]] | None,
        k: int,
        where: Where,
        exact: bool,
    ) -> list[Query]:
        # Two versions of a tool take two places during a sync; ask for some more.
        limit = max(2 * k, 20)
        queries = [
            Query(
                sparse=lexical.query(text),
                dense=vectors[place] if vectors and any(vectors[place]) else None,
                where=where,
                limit=limit if place == 0 else 20,
                candidates=max(100, limit),
                fusion=self.fusion,
                lexical_weight=self.lexical_weight,
                exact=exact,
            )
            for place, text in enumerate(plan.texts)
        ]
        # "?!" has neither words nor a vector.
        return [query for query in queries if query.dense or query.sparse.indices]


def _by_words(error: Exception) -> str:
    return f"Searched by words alone: {error}"


def _read_header(store: PointStore) -> Header | None:
    fields = store.header()
    if fields is None or fields.get("format") != _FORMAT:
        return None
    return Header(**{**fields, "openings": tuple(fields["openings"])})


def _drifted(header: Header, tools: int, plan: SyncPlan) -> bool:
    """Whether so much changed since mean length and boilerplate were measured that they moved."""
    moves = header.churn + len(plan.new) + len(plan.changed) + len(plan.delete)
    return header.measured_over == 0 < tools or moves > _DRIFT * max(header.measured_over, 1)


def _reweight(
    store: PointStore,
    tools: Sequence[CatalogTool],
    stored: frozenset[str],
    lexical: LexicalModel,
    header: Header,
) -> int:
    """Make the BM25 weights of the tools that stay anew; return how many."""
    kept = ((uuid, tool) for tool in tools if (uuid := point_id(tool)) in stored)
    count = 0
    while batch := list(islice(kept, _SPARSE_BATCH)):
        store.write_sparse(
            {uuid: lexical.document(lexical_text(tool, header.openings)) for uuid, tool in batch}
        )
        count += len(batch)
    return count
