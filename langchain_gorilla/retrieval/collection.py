"""``ToolIndex``: the searchable collection of a catalog, in a folder, on a server or in memory.

    index = ToolIndex.in_folder("tools.index", embeddings=OpenAIEmbeddings())
    index.sync(catalog)                        # embeds what is new or changed, nothing else
    index.search("Will it rain in Paris?", k=5).hits

Change a tool's documentation, ``sync`` again, and the next search reads the new one.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from langchain_core.embeddings import Embeddings

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.errors import (
    CalibrationError,
    IndexUnavailableError,
    UnsupportedOptionError,
)
from langchain_gorilla.retrieval.adapter import Adapter, FitReport
from langchain_gorilla.retrieval.connection import Connection
from langchain_gorilla.retrieval.embedding import DenseModel
from langchain_gorilla.retrieval.fitting import Trial
from langchain_gorilla.retrieval.generations import Generations, checked_place
from langchain_gorilla.retrieval.points import Fusion, Where
from langchain_gorilla.retrieval.ranking import ToolHit, merge
from langchain_gorilla.retrieval.searching import Opened, Searcher, SearchResult, check_search
from langchain_gorilla.retrieval.steps import advanced, in_thread
from langchain_gorilla.retrieval.sync import SyncReport


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

        Raises:
            UnsupportedOptionError: There is no such fusion, or place or embedder are none.
            EmbeddingError: The files of a ``LocalEmbeddings`` cannot be read.
        """
        self.place = checked_place(place)
        try:
            self.dense = None if embeddings is None else DenseModel.of(embeddings, embedder_id)
            if fusion not in get_args(Fusion):
                raise UnsupportedOptionError(
                    f"fusion={fusion!r} is not understood. Expected one of "
                    f"{', '.join(map(repr, get_args(Fusion)))}."
                )
        except BaseException:
            place.close()
            raise
        self.fusion: Fusion = fusion
        self.lexical_weight = lexical_weight
        self.adapted = adapted
        self._held = Generations(place, self.dense, adapted=adapted)

    def __deepcopy__(self, memo: Any) -> "ToolIndex":
        """Share the index with the copy of a retriever or model: a folder has one that opens it."""
        return self

    @classmethod
    def in_folder(cls, folder: str | Path, **options: Any) -> "ToolIndex":
        """Open an index in a folder, for one process; options as for ``ToolIndex``."""
        from langchain_gorilla.retrieval.places import FolderPlace

        return cls(FolderPlace(Path(folder).expanduser()), **options)

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
        """Let go of the folder or connection. Nothing is lost without it.

        Raises:
            IndexUnavailableError: An ``async_sync`` is under way on the caller's event loop.
        """
        self._held.close()

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
            IndexUnavailableError: The place cannot be written, or an ``async_sync`` is under way
                on the caller's event loop; what is there stays usable.
            IndexMismatchError: The collection was made by something else.
            EmbeddingError: The embedder failed.
        """
        with self._held.alone():
            if self.dense is not None and self._held.dimension is None:
                self._held.dimension = len(self.dense.queries(["dimension"])[0])
            vectors: list[list[float]] | None = None
            with contextlib.closing(self._held.steps(tuple(tools), progress)) as steps:
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
        async with self._held.alone_on_a_loop():
            if self.dense is not None and self._held.dimension is None:
                self._held.dimension = len((await self.dense.aqueries(["dimension"]))[0])
            vectors: list[list[float]] | None = None
            with contextlib.closing(self._held.steps(tuple(tools), progress)) as steps:
                while True:
                    step = await in_thread(advanced, steps, vectors)
                    if isinstance(step, SyncReport):
                        return step
                    vectors = await self.dense.adocuments(step) if self.dense else []

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
            UnsupportedOptionError: The query is no text, ``k`` no number, ``where`` no filter.
        """
        check_search(query, k, where)
        opened = self._opened()
        if opened is None or not query.strip() or k < 1:
            return SearchResult(())
        try:
            return self._searcher(opened).search(query, k, where or Where(), exact=exact)
        except IndexUnavailableError as error:
            if (renewed := self._held.renewed(opened, error)) is None:
                raise
            return self._searcher(renewed).search(query, k, where or Where(), exact=exact)

    async def asearch(
        self, query: str, *, k: int = 10, where: Where | None = None, exact: bool = False
    ) -> SearchResult:
        """Like ``search``."""
        check_search(query, k, where)
        # Opening reads files or asks a server; afterwards no thread is needed.
        opened = self._open or await asyncio.to_thread(self._opened)
        if opened is None or not query.strip() or k < 1:
            return SearchResult(())
        try:
            return await self._searcher(opened).asearch(query, k, where or Where(), exact=exact)
        except IndexUnavailableError as error:
            renewed = await asyncio.to_thread(self._held.renewed, opened, error)
            if renewed is None:
                raise
            return await self._searcher(renewed).asearch(query, k, where or Where(), exact=exact)

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
            raise _no_vectors()
        trial = Trial.of(opened, pairs, held_out=held_out, seed=seed)
        adapter = trial.adapter(self.dense.queries(trial.asked), seed=seed)
        found = [
            [
                self._searcher(replace(opened, adapter=each)).search(
                    query, 10, Where(), exact=False
                )
                for query in trial.judged
            ]
            for each in (None, adapter)
        ]
        return self._installed(opened, trial.verdict(adapter, *found))

    async def afit(
        self,
        pairs: Iterable[tuple[str, Collection[str]]],
        *,
        held_out: float = 0.25,
        seed: int = 0,
    ) -> FitReport:
        """Like ``fit``: embeds and searches natively, fits in a thread."""
        opened = self._open or await asyncio.to_thread(self._opened)
        if self.dense is None or opened is None or opened.header.dimension is None:
            raise _no_vectors()
        trial = await in_thread(lambda: Trial.of(opened, pairs, held_out=held_out, seed=seed))
        vectors = await self.dense.aqueries(trial.asked)
        adapter = await in_thread(lambda: trial.adapter(vectors, seed=seed))
        found = [
            [
                await self._searcher(replace(opened, adapter=each)).asearch(
                    query, 10, Where(), exact=False
                )
                for query in trial.judged
            ]
            for each in (None, adapter)
        ]
        report: FitReport = await in_thread(self._installed, opened, trial.verdict(adapter, *found))
        return report

    def _installed(self, opened: Opened, verdict: tuple[FitReport, Adapter | None]) -> FitReport:
        report, adapter = verdict
        if adapter is not None:
            opened.store.write_note("adapter", adapter.as_payload())
            if self.adapted:
                # What a sync has opened meanwhile stays open.
                self._held.open = replace(self._open or opened, adapter=adapter)
        return report

    def fingerprint(self) -> str | None:
        """Name what a score here depends on: documents, embedder, adapter and fusion.

        Returns:
            None before the first sync.
        """
        opened = self._opened()
        if opened is None:
            return None
        # Qdrant reads a number's last digit otherwise than Python.
        mean_tokens = f"{opened.header.mean_tokens:.12g}"
        made_by = (self.embedder, self.fusion, self.lexical_weight, mean_tokens)
        return hashlib.sha256(repr((made_by, sorted(opened.store.ids()))).encode()).hexdigest()

    def calibrations(self) -> Mapping[str, Any]:
        """Return what ``keep_calibrations`` kept."""
        opened = self._opened()
        return (opened.store.note("calibrations") or {}) if opened else {}

    def keep_calibrations(self, calibrations: Mapping[str, Any]) -> None:
        """Keep calibrations beside the tools, in place of those before."""
        if (opened := self._opened()) is not None:
            opened.store.write_note("calibrations", calibrations)

    @property
    def _open(self) -> Opened | None:
        return self._held.open

    def _opened(self) -> Opened | None:
        """Return what a search needs; None where nothing was ever synced."""
        return self._held.opened()

    def _searcher(self, opened: Opened) -> Searcher:
        return Searcher(
            opened=opened,
            dense=self.dense,
            fusion=self.fusion,
            lexical_weight=self.lexical_weight,
        )

    def names(self) -> frozenset[str]:
        """Return the names of all tools; read once after a sync of this object."""
        return self._held.names()

    def tools(self, where: Where | None = None, *, limit: int = 10_000) -> tuple[ToolHit, ...]:
        """Return some stored tools, with score 0, in no order that means anything.

        Args:
            where: Which tools.
            limit: Most tools; ``len(index)`` is all.

        Raises:
            UnsupportedOptionError: ``limit`` is less than 1.
        """
        if limit < 1:
            raise UnsupportedOptionError(
                f"limit={limit!r} asks an index for no tools. Expected 1 or more."
            )
        opened = self._opened()
        if opened is None:
            return ()
        return merge((), [opened.store.sample(where or Where(), limit)], limit)


def _no_vectors() -> CalibrationError:
    return CalibrationError(
        "An adapter turns dense vectors, and this index has none. Open it with embeddings= and "
        "sync it first."
    )
