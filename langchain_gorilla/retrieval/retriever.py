"""``ToolRetriever``: a request → the tools that matter, as a LangChain retriever and as tools."""

import asyncio
import json
import warnings
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field, PrivateAttr

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import CalibrationError, IndexUnavailableError
from langchain_gorilla.retrieval.abstention import COMPARED_HITS, Calibration
from langchain_gorilla.retrieval.calibrations import CalibrationPlan
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.constraints import Constraint, read_constraints
from langchain_gorilla.retrieval.lexical import LexicalIndex
from langchain_gorilla.retrieval.points import Where, requests_with_names
from langchain_gorilla.retrieval.ranking import ToolHit
from langchain_gorilla.retrieval.records import where_holds
from langchain_gorilla.retrieval.searching import SearchResult, check_search
from langchain_gorilla.retrieval.steps import advanced, in_thread


class ToolRetriever(BaseRetriever):
    """Finds the tools for a request in an index, or in a catalog's own words without one.

    >>> def get_weather(city: str) -> str:
    ...     "Get the weather forecast for a city: rain, sun, wind."
    >>> def send_mail(to: str, text: str) -> str:
    ...     "Send a letter to somebody."
    >>> catalog = ToolCatalog([get_weather, send_mail])
    >>> index = ToolIndex.in_memory()  # or in_folder("tools.index", embeddings=…)
    >>> index.sync(catalog).added
    2
    >>> retriever = ToolRetriever(index=index, catalog=catalog)
    >>> [found.metadata["name"] for found in retriever.invoke("Will it rain in Paris?")]
    ['get_weather']
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    index: ToolIndex | None = None
    """Where to search; None searches the catalog's words in this process."""

    catalog: ToolCatalog | None = None
    """Searched by words, with a warning, where the index cannot be reached."""

    k: int = Field(default=10, ge=1)
    """Most tools of a request."""

    where: Where | None = None
    """Which tools may be found."""

    calibration: Calibration | None = None
    """Tells requests that no tool fits from others; made by ``calibrated``."""

    constraints: bool = False
    """Read bounds such as "under 10M parameters" in a request as filters."""

    _words: tuple[ToolCatalog, int, LexicalIndex] | None = PrivateAttr(default=None)

    def search(
        self, query: str, *, k: int | None = None, where: Where | None = None
    ) -> SearchResult:
        """Find tools with their scores.

        Args:
            query: In the user's words.
            k: Most tools; None is the retriever's own.
            where: Which tools; None is the retriever's own filter, and ``Where()`` all tools.

        Raises:
            IndexUnavailableError: The index cannot be reached and there is no catalog.
            UnsupportedOptionError: The query is no text, ``k`` no number, ``where`` no filter.
        """
        k, where = self.k if k is None else k, self.where if where is None else where
        check_search(query, k, where)
        stated = self._stated(query)
        result = self._search(query, self._depth(k), _bounded(where, stated))
        if stated and not result.hits:
            result = _nearest(stated, self._search(query, self._depth(k), where))
        return self._judged(query, k, result)

    async def asearch(
        self, query: str, *, k: int | None = None, where: Where | None = None
    ) -> SearchResult:
        """Like ``search``."""
        k, where = self.k if k is None else k, self.where if where is None else where
        check_search(query, k, where)
        stated = self._stated(query)
        result = await self._asearch(query, self._depth(k), _bounded(where, stated))
        if stated and not result.hits:
            result = _nearest(stated, await self._asearch(query, self._depth(k), where))
        return self._judged(query, k, result)

    def names(self) -> Collection[str] | None:
        """Return the names of all tools that can be found; None without index and catalog."""
        if self.catalog is not None:
            return self.catalog.names
        return None if self.index is None else self.index.names()

    def calibrated(
        self, pairs: Iterable[tuple[str, Collection[str]]] = (), **options: Any
    ) -> "ToolRetriever":
        """Return this retriever with a calibration for its catalog.

        ::

            retriever = retriever.calibrated()
            print(retriever.calibration)  # the threshold, its precision and recall
            retriever.search("Who won the match?").fits  # False

        The index keeps it, so that the next process has it at once: it is fitted anew when a
        document, the embedder or this search changed, or other pairs or options are given.

        Args:
            pairs: Real requests, each with the names of the tools that fit it, or with none where
                none does; a hundred make the threshold much better than documents alone. Those
                with names that the catalog lacks are left out.
            options: ``keep``, ``samples`` and ``seed`` of ``abstention.calibrating``.

        Raises:
            CalibrationError: There is no catalog, too little in it, or the index or its embedder
                cannot be used.
        """
        plan = self._calibration_plan(pairs, options)
        calibration = plan.kept()
        if calibration is None:
            plain = self.model_copy(update={"calibration": None})
            steps, hits = plan.steps(), None
            while not isinstance(step := advanced(steps, hits), Calibration):
                query, k = step
                hits = _calibrating_hits(plain.search(query, k=k))
            plan.keep(calibration := step)
        return self.model_copy(update={"calibration": calibration})

    async def acalibrated(
        self, pairs: Iterable[tuple[str, Collection[str]]] = (), **options: Any
    ) -> "ToolRetriever":
        """Like ``calibrated``."""
        plan = await in_thread(self._calibration_plan, pairs, options)
        calibration = await in_thread(plan.kept)
        if calibration is None:
            plain = self.model_copy(update={"calibration": None})
            steps, hits = plan.steps(), None
            while not isinstance(step := advanced(steps, hits), Calibration):
                query, k = step
                hits = _calibrating_hits(await plain.asearch(query, k=k))
            await in_thread(plan.keep, calibration := step)
        return self.model_copy(update={"calibration": calibration})

    def _calibration_plan(
        self, pairs: Iterable[tuple[str, Collection[str]]], options: dict[str, Any]
    ) -> CalibrationPlan:
        if self.catalog is None:
            raise CalibrationError(
                "A calibration is fitted to a catalog's documents, and this ToolRetriever has "
                "none. Pass catalog= beside index=."
            )
        where = self.where or Where()
        return CalibrationPlan(
            index=self.index,
            tools=[tool for tool in self.catalog if where_holds(where, tool)],
            where=where,
            constraints=self.constraints,
            pairs=requests_with_names(pairs),
            options=options,
        )

    @property
    def _embedder(self) -> str | None:
        return None if self.index is None else self.index.embedder

    def _depth(self, k: int) -> int:
        return k if self.calibration is None else max(k, COMPARED_HITS)

    def _judged(self, query: str, k: int, result: SearchResult) -> SearchResult:
        """Say whether the hits fit, and leave out those that only the judgement needed."""
        judged = replace(result, hits=result.hits[: max(k, 0)])
        # Notes say that another search was made than the calibrated one.
        if self.calibration is None or result.notes:
            return judged
        if self.calibration.embedder != self._embedder:
            raise CalibrationError(
                f"The calibration is for the embedder {self.calibration.embedder!r}, and this "
                f"index has {self._embedder!r}. Call calibrated() again."
            )
        fit = self.calibration.fit(query, result.hits)
        return replace(judged, fit=fit, fits=fit >= self.calibration.threshold)

    def _stated(self, query: str) -> tuple[Constraint, ...]:
        if not self.constraints:
            return ()
        fields = None
        if self.catalog is not None:
            fields = {key for tool in self.catalog for key in tool.metadata}
        return read_constraints(query, fields)

    def _search(self, query: str, k: int, where: Where | None) -> SearchResult:
        if self.index is None:
            return self._by_words(query, k, where, "")
        try:
            return self._synced(self.index.search(query, k=k, where=where), query, k, where)
        except IndexUnavailableError as error:
            return self._by_words(query, k, where, str(error), error)

    async def _asearch(self, query: str, k: int, where: Where | None) -> SearchResult:
        # In threads: to count the words of 10,000 tools, or to read their names, takes seconds.
        if self.index is None:
            return await asyncio.to_thread(self._by_words, query, k, where, "")
        try:
            result = await self.index.asearch(query, k=k, where=where)
            if result.hits:
                return result
            return await asyncio.to_thread(self._synced, result, query, k, where)
        except IndexUnavailableError as error:
            return await asyncio.to_thread(self._by_words, query, k, where, str(error), error)

    def _synced(
        self, result: SearchResult, query: str, k: int, where: Where | None
    ) -> SearchResult:
        """Return a result, or that of the catalog's words where a sync was forgotten."""
        if result.hits or not self.catalog or self.index is None or self.index.names():
            return result
        reason = "the index is empty. Call index.sync(catalog)."
        return self._by_words(query, k, where, reason)

    def _by_words(
        self,
        query: str,
        k: int,
        where: Where | None,
        reason: str,
        error: IndexUnavailableError | None = None,
    ) -> SearchResult:
        if self.catalog is None:
            if error is not None:
                raise error
            raise IndexUnavailableError(
                "This ToolRetriever has nothing to search. Pass index=ToolIndex…, catalog=…, or "
                "both."
            )
        notes: tuple[str, ...] = ()
        if reason:
            notes = (f"Searched the catalog by words alone: {reason}",)
            warnings.warn(notes[0], stacklevel=3)
        catalog, version = self.catalog, self.catalog.version
        words = self._words
        if words is None or words[0] is not catalog or words[1] != version:
            self._words = words = (catalog, version, LexicalIndex(catalog))
        hits = words[2].search(query, k=k, where=where).hits
        return SearchResult(hits, notes, fell_back=bool(notes))

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        return _documents(self.search(query, **kwargs))

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        return _documents(await self.asearch(query, **kwargs))


def _calibrating_hits(result: SearchResult) -> tuple[ToolHit, ...]:
    """Return the hits to calibrate by.

    Raises:
        CalibrationError: They are scored by words, where later ones will not be.
    """
    if result.fell_back:
        raise CalibrationError(
            "A calibration is fitted to the scores of the index, and a search had to do without "
            f"them. {result.notes[0]} Then call calibrated() again."
        )
    return result.hits


def _bounded(where: Where | None, stated: tuple[Constraint, ...]) -> Where | None:
    if not stated:
        return where
    where = where or Where()
    return replace(where, ranges=(*where.ranges, *(found.bounds for found in stated)))


def _nearest(stated: tuple[Constraint, ...], result: SearchResult) -> SearchResult:
    """Say that nothing is within the bounds, and offer what is nearest to the request."""
    words = ", ".join(repr(found.text) for found in stated)
    note = f"No tool satisfies {words}; these are the nearest without it."
    return replace(result, notes=(*result.notes, note))


def _documents(result: SearchResult) -> list[Document]:
    return [_document(hit) for hit in result.hits]


def _document(hit: ToolHit) -> Document:
    """Return a tool as text for people and models, and as data in the metadata."""
    return Document(
        page_content=json.dumps(hit.document, ensure_ascii=False),
        id=hit.tool_id,
        metadata={
            "name": hit.name,
            "namespace": hit.namespace,
            "score": hit.score,
            "named": hit.named,
            **({"tags": list(hit.tags)} if hit.tags else {}),
            **({"facts": dict(hit.metadata)} if hit.metadata else {}),
        },
    )
