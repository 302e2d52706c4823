"""Carries out a sync plan in a collection: embeds what is new, writes before it deletes."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.errors import EmbeddingError
from langchain_gorilla.retrieval.document import dense_texts, lexical_text, point_id, text_hash
from langchain_gorilla.retrieval.embedding import DenseModel, LexicalModel, unit_mean
from langchain_gorilla.retrieval.header import Header
from langchain_gorilla.retrieval.points import PointStore, StoredPoint
from langchain_gorilla.retrieval.records import payload_of
from langchain_gorilla.retrieval.sync import SyncPlan, SyncReport

SyncSteps: TypeAlias = Generator[list[str], list[list[float]], SyncReport]
"""A sync that yields the texts it needs vectors of, so that sync and async callers share it."""

_DENSE_BATCH = 128
_SPARSE_BATCH = 1_000


@dataclass(frozen=True)
class Writer:
    """Writes tools to one generation of a collection.

    Attributes:
        store: Where to.
        dense: The embedder; None for words only.
        header: How the collection is made.
    """

    store: PointStore
    dense: DenseModel | None
    header: Header

    @property
    def lexical(self) -> LexicalModel:
        """The BM25 model that fits the header."""
        return LexicalModel(self.header.mean_tokens)

    def reweight(self, tools: Sequence[CatalogTool], stored: frozenset[str]) -> int:
        """Make the BM25 weights of the tools that stay anew; return how many."""
        lexical, openings = self.lexical, self.header.openings
        kept = ((uuid, tool) for tool in tools if (uuid := point_id(tool)) in stored)
        count = 0
        while batch := list(islice(kept, _SPARSE_BATCH)):
            self.store.write_sparse(
                {uuid: lexical.document(lexical_text(tool, openings)) for uuid, tool in batch}
            )
            count += len(batch)
        return count

    def steps(
        self, plan: SyncPlan, progress: Callable[[int, int], None] | None
    ) -> Generator[list[str], list[list[float]], int]:
        """Carry out a plan: yield texts, take their vectors; return how many tools were embedded."""
        lexical, openings = self.lexical, self.header.openings
        todo = [*plan.changed.items(), *plan.new.items()]
        embedded = done = 0
        size = _SPARSE_BATCH if self.dense is None else _DENSE_BATCH
        pieces = iter(todo)
        while batch := list(islice(pieces, size)):
            reused = self._reusable(plan, batch)
            views = [dense_texts(tool) for uuid, tool in batch if uuid not in reused]
            vectors: list[list[float]] = []
            if self.dense is not None and views:
                embeddings = iter(self._checked((yield [text for view in views for text in view])))
                vectors = [unit_mean([next(embeddings) for _ in view]) for view in views]
                embedded += len(views)
            fresh = iter(vectors)
            self.store.write(
                [
                    StoredPoint(
                        uuid,
                        payload_of(tool),
                        lexical.document(lexical_text(tool, openings)),
                        reused[uuid] if uuid in reused else next(fresh, None),
                    )
                    for uuid, tool in batch
                ]
            )
            if replaced := [plan.replaced[uuid] for uuid, _ in batch if uuid in plan.replaced]:
                self.store.delete(replaced)
            done += len(batch)
            if progress is not None:
                progress(done, len(todo))
        replaced_ids = set(plan.replaced.values())
        gone = [uuid for uuid in plan.delete if uuid not in replaced_ids]
        for start in range(0, len(gone), _SPARSE_BATCH):
            self.store.delete(gone[start : start + _SPARSE_BATCH])
        return embedded

    def _reusable(
        self, plan: SyncPlan, batch: Sequence[tuple[str, CatalogTool]]
    ) -> dict[str, Sequence[float]]:
        """Return the vectors of changed tools whose text for the embedder did not change."""
        olds = {plan.replaced[uuid]: (uuid, tool) for uuid, tool in batch if uuid in plan.replaced}
        if self.dense is None or not olds:
            return {}
        kept = {}
        for point in self.store.points(list(olds)):
            uuid, tool = olds[point.id]
            if point.dense is not None and point.payload.get("text_hash") == text_hash(tool):
                kept[uuid] = point.dense
        return kept

    def _checked(self, vectors: list[list[float]]) -> list[list[float]]:
        for vector in vectors:
            if self.dense is not None and len(vector) != self.header.dimension:
                raise EmbeddingError(
                    f"The embedder {self.dense.id!r} gave {len(vector)} numbers for a document and "
                    f"{self.header.dimension} for a query. One embedder gives vectors of one "
                    "length."
                )
        return vectors
