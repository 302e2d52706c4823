"""One search in an opened collection: a request → queries → hits, sync and async alike."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_gorilla.errors import EmbeddingError, IndexMismatchError, UnsupportedOptionError
from langchain_gorilla.retrieval.adapter import Adapter
from langchain_gorilla.retrieval.embedding import DenseModel, LexicalModel
from langchain_gorilla.retrieval.header import Header
from langchain_gorilla.retrieval.points import Fusion, Hit, PointStore, Query, Where
from langchain_gorilla.retrieval.ranking import (
    DEPTH,
    SearchPlan,
    ToolHit,
    merge,
    plan_search,
)

_CANDIDATES = 200
"""Of each side; a tool that one side alone brings counts as nothing on the other."""


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        hits: Best first.
        notes: What was not as asked, in words for a person: the fallback to words alone, a
            constraint that left nothing.
        fit: Probability that the catalog has a tool for the request; None where the retriever is
            not calibrated.
        fits: Whether ``fit`` reaches the threshold; None where there is none.
        fell_back: Whether words alone decided because an index or its embedder could not be used.
    """

    hits: tuple[ToolHit, ...]
    notes: tuple[str, ...] = ()
    fit: float | None = None
    fits: bool | None = None
    fell_back: bool = False


def check_search(query: str, k: int, where: Where | None) -> None:
    """Refuse what cannot be searched for.

    Raises:
        UnsupportedOptionError: The query is no text, ``k`` no whole number, ``where`` no filter.
    """
    if not isinstance(query, str):
        raise UnsupportedOptionError(
            f"A search for tools was asked {query!r:.120}. Expected a request, as text. In a "
            "chain, put what takes it out of the input before: itemgetter('query') | retriever."
        )
    if not hasattr(k, "__index__"):
        raise UnsupportedOptionError(
            f"k={k!r:.120} is no number of tools. Expected a whole number, such as k=5."
        )
    if not isinstance(where, Where | None):
        raise UnsupportedOptionError(
            f"where={where!r:.120} is no filter. Expected one such as "
            "Where(namespaces=['github'], equal={'read_only': True})."
        )


@dataclass(frozen=True)
class Opened:
    """A collection that is open.

    Attributes:
        store: Its points.
        header: How it was made.
        lexical: The BM25 model that fits the header.
        adapter: What queries are turned by; None for nothing.
    """

    store: PointStore
    header: Header
    lexical: LexicalModel
    adapter: Adapter | None = None

    @classmethod
    def of(cls, store: PointStore, header: Header, *, adapted: bool) -> "Opened":
        """Make what a search needs of a collection; with its adapter, if it has one."""
        adapter = Adapter.from_payload(store.note("adapter")) if adapted else None
        return cls(store, header, LexicalModel(header.mean_tokens), adapter)


@dataclass(frozen=True, kw_only=True)
class Searcher:
    """How a collection is searched.

    Attributes:
        opened: The collection.
        dense: The embedder; None searches by words alone.
        fusion: As for ``ToolIndex``.
        lexical_weight: As for ``ToolIndex``.
    """

    opened: Opened
    dense: DenseModel | None
    fusion: Fusion
    lexical_weight: float

    def search(self, query: str, k: int, where: Where, *, exact: bool) -> SearchResult:
        """See ``ToolIndex.search``."""
        plan = plan_search(query)
        vectors: list[list[float]] | None = None
        notes: tuple[str, ...] = ()
        if self.dense is not None:
            try:
                vectors = self._mapped(plan.vectors(self.dense.queries(plan.embedded)))
            except EmbeddingError as error:
                notes = (_by_words(error),)
        queries = self._queries(plan, vectors, k, where, exact)
        found, named = self.opened.store.find(queries, plan.names, where)
        return _result(named, found, k, notes)

    async def asearch(self, query: str, k: int, where: Where, *, exact: bool) -> SearchResult:
        """See ``ToolIndex.asearch``."""
        plan = plan_search(query)
        vectors: list[list[float]] | None = None
        notes: tuple[str, ...] = ()
        if self.dense is not None:
            try:
                embedded = await self.dense.aqueries(plan.embedded)
                vectors = self._mapped(plan.vectors(embedded))
            except EmbeddingError as error:
                notes = (_by_words(error),)
        queries = self._queries(plan, vectors, k, where, exact)
        found, named = await self.opened.store.afind(queries, plan.names, where)
        return _result(named, found, k, notes)

    def _mapped(self, vectors: list[list[float]]) -> list[list[float]] | None:
        dimension = self.opened.header.dimension
        if dimension is None:
            return None  # made by words only; the next sync adds vectors
        if len(vectors[0]) != dimension:
            raise IndexMismatchError(
                f"The embedder gives vectors of {len(vectors[0])} numbers; the index holds "
                f"{dimension}. Sync: that builds it anew beside."
            )
        if (adapter := self.opened.adapter) is not None:
            return [adapter.turned(vector) for vector in vectors]
        return vectors

    def _queries(
        self,
        plan: SearchPlan,
        vectors: list[list[float]] | None,
        k: int,
        where: Where,
        exact: bool,
    ) -> list[Query]:
        # Two versions of a tool take two places during a sync; ask for some more.
        limit = max(2 * k, DEPTH)
        queries = [
            Query(
                sparse=self.opened.lexical.query(text),
                dense=vectors[place] if vectors and any(vectors[place]) else None,
                where=where,
                limit=limit if place == 0 else DEPTH,
                candidates=max(_CANDIDATES, limit),
                fusion=self.fusion,
                lexical_weight=self.lexical_weight,
                exact=exact,
            )
            for place, text in enumerate(plan.texts)
        ]
        # "?!" has neither words nor a vector.
        return [query for query in queries if query.dense or query.sparse.indices]


def _result(
    named: Sequence[Hit], found: Sequence[Sequence[Hit]], k: int, notes: tuple[str, ...]
) -> SearchResult:
    for note in notes:
        warnings.warn(note, stacklevel=4)
    return SearchResult(merge(named, found, k), notes, fell_back=bool(notes))


def _by_words(error: Exception) -> str:
    return f"Searched by words alone: {error}"
