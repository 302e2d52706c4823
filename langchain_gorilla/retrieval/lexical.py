"""BM25 over a catalog in this process: what is left when the index cannot be reached."""

import math
import threading
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.retrieval.document import lexical_text, point_id, shared_openings
from langchain_gorilla.retrieval.embedding import LexicalModel, mean_tokens
from langchain_gorilla.retrieval.points import Hit, SparseWeights, Where
from langchain_gorilla.retrieval.ranking import DEPTH, merge, plan_search
from langchain_gorilla.retrieval.records import payload_of, where_holds
from langchain_gorilla.retrieval.searching import SearchResult


def rarity(holding: int, total: int) -> float:
    """Give BM25's weight of a word that so many of all documents hold."""
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))


class LexicalIndex:
    """The words of a catalog; built at the first search. The same ranking as an index by words.

    Args:
        tools: The catalog. Later changes to it are not seen.
    """

    def __init__(self, tools: Iterable[CatalogTool]) -> None:
        self._tools = tuple(tools)
        self._postings: dict[int, list[tuple[int, float]]] | None = None
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle the tools; their words are read again."""
        return LexicalIndex, (self._tools,)

    def search(self, query: str, *, k: int = 10, where: Where | None = None) -> SearchResult:
        """Find tools by words and by exact name."""
        where = where or Where()
        plan = plan_search(query)
        self._build()
        # As deep as an index is searched: a merging counts what is below as the last of them.
        depths = [max(2 * k, DEPTH), *(DEPTH for _ in plan.parts)]
        found = [
            self._best(self._lexical.query(text), where, depth)
            for text, depth in zip(plan.texts, depths, strict=True)
        ]
        names = set(plan.names)
        named = [
            Hit(point_id(tool), 1.0, payload_of(tool))
            for tool in self._tools
            if tool.name in names and where_holds(where, tool)
        ]
        return SearchResult(merge(named, found, k))

    def points(self, query: str) -> dict[str, float]:
        """Give BM25's points of every tool that shares a word with the query, by its name."""
        self._build()
        scores = self._scores(self._lexical.query(query), None)
        return {self._tools[place].name: points for place, points in scores.items()}

    def _best(self, query: SparseWeights, where: Where, most: int) -> list[Hit]:
        scores = self._scores(query, self._corpus(where.namespaces))
        best = sorted(scores, key=lambda place: -scores[place])
        hits = []
        for place in best:
            if where_holds(where, tool := self._tools[place]):
                hits.append(Hit(point_id(tool), scores[place], payload_of(tool)))
                if len(hits) == most:
                    break
        return hits

    def _corpus(self, namespaces: tuple[str, ...]) -> frozenset[int] | None:
        """Return the places of some namespaces' tools; None for all, where none are named."""
        if not namespaces:
            return None
        return frozenset(
            place for place, tool in enumerate(self._tools) if tool.namespace in namespaces
        )

    def _scores(self, query: SparseWeights, corpus: frozenset[int] | None) -> dict[int, float]:
        """Score the tools of a corpus, in which alone it counts how rare a word is."""
        assert self._postings is not None
        scores: dict[int, float] = defaultdict(float)
        total = len(self._tools if corpus is None else corpus)
        for token in query.indices:
            postings = self._postings.get(token, [])
            if corpus is not None:
                postings = [each for each in postings if each[0] in corpus]
            counts = rarity(len(postings), total)
            for place, weight in postings:
                scores[place] += counts * weight
        return scores

    def _build(self) -> None:
        with self._lock:
            if self._postings is not None:
                return
            openings = shared_openings(self._tools)
            texts = [lexical_text(tool, openings) for tool in self._tools]
            self._lexical = LexicalModel(mean_tokens(texts))
            postings: dict[int, list[tuple[int, float]]] = defaultdict(list)
            for place, text in enumerate(texts):
                weights = self._lexical.document(text)
                for token, weight in zip(weights.indices, weights.values, strict=True):
                    postings[token].append((place, weight))
            self._postings = postings
