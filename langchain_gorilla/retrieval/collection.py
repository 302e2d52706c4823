"""``ToolIndex``: the searchable collection of a catalog, in a folder, on a server or in memory.

    index = ToolIndex.in_folder("tools.index", embeddings=OpenAIEmbeddings())
    index.sync(catalog)                        # embeds what is new or changed, nothing else
    index.search("Will it rain in Paris?", k=5).hits

Change a tool's documentation, ``sync`` again, and the next search reads the new one.
"""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain_core.embeddings import Embeddings

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.errors import CalibrationError, IndexMismatchError
from langchain_gorilla.retrieval.adapter import FitReport
from langchain_gorilla.retrieval.connection import Connection
from langchain_gorilla.retrieval.document import TEXT_VERSION
from langchain_gorilla.retrieval.embedding import DenseModel
from langchain_gorilla.retrieval.fitting import fitted
from langchain_gorilla.retrieval.header import Header, drifted, measured, read_header
from langchain_gorilla.retrieval.points import Fusion, PointStore, Where
from langchain_gorilla.retrieval.ranking import ToolHit, merge
from langchain_gorilla.retrieval.records import field_kinds
from langchain_gorilla.retrieval.searching import Opened, Searcher, SearchResult
from langchain_gorilla.retrieval.sync import SyncReport, plan_sync
from langchain_gorilla.retrieval.writing import SyncSteps, Writer, advanced, in_thread

_GRAPH_FROM = 100_000


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
        adapted: bool = False,
    ) -> None:
        """Open a collection; see ``in_folder``, ``on_server`` and ``in_memory``.

        Args:
            place: Where it is.
            embeddings: The dense side; None searches by words alone.
            embedder_id: Names the embedder in the collection; None takes its class and model.
            fusion: ``formula`` for cosines that mean something (sentence encoders); ``dbsf``
                for embedders whose cosines are all alike.
            lexical_weight: Of BM25 in the formula.
            adapted: Turn queries by the adapter that ``fit`` installed, if it did.
        """
        self.place = place
        self.dense = None if embeddings is None else DenseModel.of(embeddings, embedder_id)
        self.fusion: Fusion = fusion
        self.lexical_weight = lexical_weight
        self.adapted = adapted
        self._dimension: int | None = None
        self._open: Opened | None = None
        self._names: frozenset[str] | None = None
        self._lock = threading.Lock()

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
        from langchain_gorilla.retrieval.places import ServerPlace

        connection = Connection({"url": url, **(client_options or {})}, collection_options or {})
        return cls(ServerPlace(connection, collection), **options)

    @classmethod
    def in_memory(cls, **options: Any) -> "ToolIndex":
        """Open an index in memory, for tests and a few hundred tools."""
        from langchain_gorilla.retrieval.places import ServerPlace

        return cls(ServerPlace(Connection({"location": ":memory:"}), "gorilla-tools"), **options)

    def __enter__(self) -> "ToolIndex":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder or connection. Nothing is lost without it."""
        with self._lock:
            if self._open is not None:
                self._open.store.close()
                self._open = None
            self.place.close()

    def __len__(self) -> int:
        """The number of stored points; one per tool when no sync is under way."""
        opened = self._opened()
        return len(opened.store.ids()) if opened else 0

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
        with self._lock:
            if self.dense is not None and self._dimension is None:
                self._dimension = len(self.dense.queries(["dimension"])[0])
            steps = self._steps(tuple(tools), progress)
            vectors: list[list[float]] | None = None
            while True:
                step = advanced(steps, vectors)
                if isinstance(step, SyncReport):
                    return step
                vectors = self.dense.documents(step) if self.dense else []

    async def async_sync(
        self,
        tools: Iterable[CatalogTool],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> SyncReport:
        """Like ``sync``: embeds natively, writes in a thread, where ``progress`` is called.

        Cancelled, it stops after the batch under way; the next sync goes on from there.
        """
        while not self._lock.acquire(blocking=False):
            await asyncio.sleep(0.01)
        try:
            if self.dense is not None and self._dimension is None:
                self._dimension = len((await self.dense.aqueries(["dimension"]))[0])
            steps = self._steps(tuple(tools), progress)
            vectors: list[list[float]] | None = None
            while True:
                step = await in_thread(advanced, steps, vectors)
                if isinstance(step, SyncReport):
                    return step
                vectors = await self.dense.adocuments(step) if self.dense else []
        finally:
            self._lock.release()

    def _steps(
        self, tools: Sequence[CatalogTool], progress: Callable[[int, int], None] | None
    ) -> SyncSteps:
        """Sync, and yield the texts to embed on the way; whoever drives it holds the lock."""
        generation = self._generation()
        before = self.place.current()
        reuse = self._open is not None and before == generation
        store = self._open.store if reuse and self._open else self._store(generation)
        header = read_header(store)
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
        stale = header is None or drifted(header, len(tools), plan)
        if stale:
            header = measured(tools, self.dense, self._dimension, header)
            store.write_note("header", vars(header))
        assert header is not None
        fields = {
            key: kind for key, kind in field_kinds(tools).items() if key not in header.indexed
        }
        store.index_fields(fields)
        writer = Writer(store, self.dense, header)
        reweighted = 0
        if stale and plan.unchanged:
            reweighted = writer.reweight(tools, frozenset(stored))
        embedded = yield from writer.steps(plan, progress)
        done = replace(
            header,
            measured_over=len(tools) if stale else header.measured_over,
            churn=0 if stale else header.churn + writes + len(plan.delete),
            indexed=tuple(sorted({*header.indexed, *fields})),
        )
        if done != header:
            store.write_note("header", vars(done))
        if len(tools) > _GRAPH_FROM and not plan.is_empty:
            store.optimize()
        self._switch(store, done, before, generation)
        return SyncReport(
            added=len(plan.new),
            changed=len(plan.changed),
            deleted=len(plan.delete) - len(plan.changed),
            unchanged=plan.unchanged,
            embedded=embedded,
            reweighted=reweighted,
            rebuilt=before is not None and before != generation,
        )

    def _generation(self) -> str:
        """Name the generation that this embedder and text version belong to."""
        made_by = f"{self.dense.id if self.dense else ''} {self._dimension} {TEXT_VERSION}"
        return hashlib.sha256(made_by.encode()).hexdigest()[:12]

    def _store(self, generation: str) -> PointStore:
        """Open a generation; the one in use can be open only once, so it is closed before."""
        if self._open is not None and self.place.current() == generation:
            self._open.store.close()
            self._open = None
        store: PointStore = self.place.open(generation, self._dimension)
        return store

    def _switch(
        self,
        store: PointStore,
        header: Header,
        before: str | None,
        generation: str,
    ) -> None:
        if before != generation:
            self.place.switch(generation)
        self._names = None
        old = self._open
        self._open = Opened.of(store, header, adapted=self.adapted)
        if old is not None and old.store is not store:
            old.store.close()
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
        return self._searcher(opened).search(query, k, where or Where(), exact=exact)

    async def asearch(
        self, query: str, *, k: int = 10, where: Where | None = None, exact: bool = False
    ) -> SearchResult:
        """Like ``search``."""
        # Opening reads files or asks a server; afterwards no thread is needed.
        opened = self._open or await asyncio.to_thread(self._opened)
        if opened is None or not query.strip() or k < 1:
            return SearchResult(())
        return await self._searcher(opened).asearch(query, k, where or Where(), exact=exact)

    @property
    def embedder(self) -> str | None:
        """Names what makes the dense scores, its adapter included; None for words alone."""
        if self.dense is None:
            return None
        opened = self._opened() if self.adapted else None
        if opened is None or opened.adapter is None:
            return self.dense.id
        return f"{self.dense.id} adapter {opened.adapter.version}"

    def fit(
        self,
        pairs: Iterable[tuple[str, Collection[str]]],
        *,
        held_out: float = 0.25,
        seed: int = 0,
    ) -> FitReport:
        """Fit a query-side adapter to pairs, and install it if it helps.

        It is judged by pairs that it was not fitted to, in whole searches with it and without. An
        installed one is used by indexes that are opened with ``adapted=True``, this one included.

        Args:
            pairs: Real requests, each with the names of the tools that fit it.
            held_out: Share of the pairs to judge by.
            seed: Chooses them.

        Raises:
            CalibrationError: Too few pairs, no embedder, or nothing synced.
        """
        opened = self._opened()
        if self.dense is None or opened is None or opened.header.dimension is None:
            raise CalibrationError(
                "An adapter turns dense vectors, and this index has none. Open it with "
                "embeddings= and sync it first."
            )
        report, adapter = fitted(
            opened, self.dense, list(pairs), held_out=held_out, seed=seed,
            searcher=lambda adapter: self._searcher(replace(opened, adapter=adapter)),
        )  # fmt: skip
        if adapter is not None:
            opened.store.write_note("adapter", adapter.as_payload())
            if self.adapted:
                self._open = replace(opened, adapter=adapter)
        return report

    def _searcher(self, opened: Opened) -> Searcher:
        return Searcher(
            opened=opened,
            dense=self.dense,
            fusion=self.fusion,
            lexical_weight=self.lexical_weight,
        )

    def names(self) -> frozenset[str]:
        """Return the names of all tools; read once after a sync of this object."""
        if not self._names:
            opened = self._opened()
            self._names = opened.store.names() if opened else frozenset()
        return self._names

    def tools(self, where: Where | None = None, *, limit: int = 10_000) -> tuple[ToolHit, ...]:
        """Return some stored tools, with score 0, in no order that means anything."""
        opened = self._opened()
        if opened is None:
            return ()
        return merge((), [opened.store.sample(where or Where(), limit)], limit)

    def _opened(self) -> Opened | None:
        """Return what a search needs; None where nothing was ever synced."""
        if self._open is not None:
            return self._open
        with self._lock:
            return self._load()

    def _load(self) -> Opened | None:
        if self._open is None:
            generation = self.place.current()
            if generation is None:
                return None
            store: PointStore = self.place.open(generation, None)
            header = read_header(store)
            mine = self.dense.id if self.dense else None
            if header is None or header.embedder not in (None, mine):
                store.close()
                made = "something else" if header is None else repr(header.embedder)
                raise IndexMismatchError(
                    f"The index in {self.place} was made with {made}, and this one searches with "
                    f"{mine!r}. Pass the same embeddings, or sync: that builds it anew beside."
                )
            self._open = Opened.of(store, header, adapted=self.adapted)
        return self._open
