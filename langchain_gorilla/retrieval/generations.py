"""Which generation of an index is open, and how a sync makes the one that fits."""

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.errors import (
    IndexMismatchError,
    IndexReplacedError,
    IndexUnavailableError,
    InvalidFunctionError,
    UnsupportedOptionError,
)
from langchain_gorilla.retrieval.document import TEXT_VERSION
from langchain_gorilla.retrieval.embedding import DenseModel
from langchain_gorilla.retrieval.header import Header, drifted, measured, read_header
from langchain_gorilla.retrieval.points import PointStore
from langchain_gorilla.retrieval.records import field_kinds
from langchain_gorilla.retrieval.searching import Opened
from langchain_gorilla.retrieval.sync import SyncReport, plan_sync
from langchain_gorilla.retrieval.writing import SyncSteps, Writer


def checked_place(place: Any) -> Any:
    """Return the place of an index as it is.

    Raises:
        UnsupportedOptionError: It is none, such as a path, or a client of Qdrant's own.
    """
    if not hasattr(place, "discard_others"):
        raise UnsupportedOptionError(
            f"A ToolIndex was given {place!r:.120}, of type {type(place).__name__}, as its place. "
            "Open it with ToolIndex.in_folder(path), on_server(url, client_options={…}) or "
            "in_memory(), which make the Qdrant client themselves."
        )
    return place


class Generations:
    """The generations of one index. Threads may share it.

    Attributes:
        open: The one in use, once it was opened.
        dimension: Of the embedder's vectors, once it was asked.
    """

    def __init__(self, place: Any, dense: DenseModel | None, *, adapted: bool) -> None:
        """Open nothing yet; see ``ToolIndex``."""
        self.place = place
        self.dense = dense
        self.adapted = adapted
        self.open: Opened | None = None
        self.dimension: int | None = None
        # Held by whoever syncs or closes; and the event loop that the holder awaits on, if it does.
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        # Held by whoever opens, switches or closes: a search may wait for it on an event loop, and
        # must not wait for a sync that awaits its embedder on the same one.
        self._opening = threading.Lock()
        self._closed = False
        # With what they were read from, since a sync may end while they are read.
        self._names: tuple[Opened, frozenset[str]] | None = None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others from syncing and closing; waits until they are done.

        Raises:
            IndexUnavailableError: An ``async_sync`` of the caller's own event loop is under way,
                which could not go on while it is waited for.
        """
        while not self._lock.acquire(timeout=0.05):
            if self._loop is not None and self._loop is _running_loop():
                raise IndexUnavailableError(
                    f"An async_sync of the index in {self.place} is under way on this event loop, "
                    "which would wait for itself. Await that one, or cancel and await it, first."
                )
        try:
            yield
        finally:
            self._lock.release()

    @contextlib.asynccontextmanager
    async def alone_on_a_loop(self) -> AsyncIterator[None]:
        """Like ``alone``, for a sync that awaits its embedder."""
        while not self._lock.acquire(blocking=False):
            await asyncio.sleep(0.01)
        self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            self._loop = None
            self._lock.release()

    def opened(self) -> Opened | None:
        """Return what a search needs; None where nothing was ever synced.

        Raises:
            IndexUnavailableError: The place cannot be read, or was let go of.
            IndexMismatchError: The generation in use was made by something else.
        """
        if self.open is not None:
            return self.open
        with self._opening:
            return self._load()

    def _load(self) -> Opened | None:
        self._check_open()
        if self.open is None:
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
            self.open = Opened.of(store, header, adapted=self.adapted)
        return self.open

    def renewed(self, gone: Opened, error: IndexUnavailableError) -> Opened | None:
        """Return the generation that took the place of one that could not be searched.

        A sync of this object closes the one before while others search it; another process removes
        it from a server.

        Args:
            gone: What was searched.
            error: Why it could not be.

        Returns:
            None where there is no other, or one that this object cannot search.
        """
        with self._opening:
            if self.open is not gone:
                return self.open
            if not isinstance(error, IndexReplacedError):
                return None
            self.open = renewed = None
            try:
                with contextlib.suppress(IndexMismatchError):
                    renewed = self._load()
            finally:
                self.open = renewed or gone
            return renewed

    def _check_open(self) -> None:
        if self._closed:
            raise IndexUnavailableError(f"The index in {self.place} was closed. Open it again.")

    def names(self) -> frozenset[str]:
        """Return the names of all tools; read once after a sync of this object."""
        if (opened := self.opened()) is None:
            return frozenset()
        held = self._names
        if held is None or held[0] is not opened or not held[1]:
            self._names = held = (opened, opened.store.names())
        return held[1]

    def close(self) -> None:
        """Let go of the place.

        Raises:
            IndexUnavailableError: See ``alone``.
        """
        with self.alone(), self._opening:
            self._closed = True
            if self.open is not None:
                self.open.store.close()
                self.open = None
            self.place.close()

    def steps(
        self, tools: Sequence[CatalogTool], progress: Callable[[int, int], None] | None
    ) -> SyncSteps:
        """Sync, and yield the texts to embed on the way; whoever drives it holds the lock."""
        for tool in tools:
            if not isinstance(tool, CatalogTool):
                raise InvalidFunctionError(
                    f"A tool to index is {tool!r:.120}, of type {type(tool).__name__}. Expected a "
                    "ToolCatalog or its tools: sync(ToolCatalog(tools))."
                )
        self._check_open()
        # What can be searched is searched meanwhile; what cannot is replaced.
        with self._opening, contextlib.suppress(IndexMismatchError, IndexUnavailableError):
            self._load()
        generation = self._generation()
        before = self.place.current()
        store: PointStore
        if self.open is not None and before == generation:
            store = self.open.store
        else:
            store = self.place.open(generation, self.dimension)
        try:
            return (yield from self._synced(store, generation, before, tools, progress))
        except BaseException:
            # Whoever holds the exception holds the store, and a folder opens only once.
            if self.open is None or self.open.store is not store:
                store.close()
            raise

    def _synced(
        self,
        store: PointStore,
        generation: str,
        before: str | None,
        tools: Sequence[CatalogTool],
        progress: Callable[[int, int], None] | None,
    ) -> SyncSteps:
        """Make a store hold the tools, and switch to it."""
        header = read_header(store)
        stored = store.ids()
        if header is None and stored:
            raise IndexMismatchError(
                f"{self.place} holds {len(stored)} points that are no tool index. Pass another "
                "folder or collection, so that nothing else is touched."
            )
        plan = plan_sync(tools, stored)
        writes = len(plan.new) + len(plan.changed)
        stale = header is None or drifted(header, len(tools), plan)
        if stale or not plan.is_empty:
            self.place.check_room(writes, self.dimension)
        if stale:
            header = measured(tools, self.dense, self.dimension, header)
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
        if not plan.is_empty:
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
        made_by = f"{self.dense.id if self.dense else ''} {self.dimension} {TEXT_VERSION}"
        return hashlib.sha256(made_by.encode()).hexdigest()[:12]

    def _switch(
        self,
        store: PointStore,
        header: Header,
        before: str | None,
        generation: str,
    ) -> None:
        with self._opening:
            if before != generation:
                self.place.switch(generation)
            old = self.open
            self.open = Opened.of(store, header, adapted=self.adapted)
            if old is not None and old.store is not store:
                old.store.close()
            self.place.discard_others(generation)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
