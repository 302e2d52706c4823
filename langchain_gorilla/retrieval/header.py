"""What a collection remembers of how it was made, and when that is out of date."""

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.retrieval.document import TEXT_VERSION, lexical_text, shared_openings
from langchain_gorilla.retrieval.embedding import DenseModel, mean_tokens
from langchain_gorilla.retrieval.points import PointStore
from langchain_gorilla.retrieval.sync import SyncPlan

_FORMAT = "langchain-gorilla tool index 1"
_DRIFT = 0.2
"""Share of the catalog that changes before mean length and boilerplate are measured anew."""


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
        indexed: Metadata fields that filters need not read payloads for.
        text_version: ``document.TEXT_VERSION``.
        format: Names this program.
    """

    embedder: str | None
    dimension: int | None
    mean_tokens: float
    openings: tuple[str, ...]
    measured_over: int
    churn: int = 0
    indexed: tuple[str, ...] = ()
    text_version: int = TEXT_VERSION
    format: str = _FORMAT


def measured(
    tools: Sequence[CatalogTool],
    dense: DenseModel | None,
    dimension: int | None,
    old: Header | None,
) -> Header:
    """Measure a catalog for BM25; a header that says so before the weights are renewed."""
    openings = shared_openings(tools)
    length = mean_tokens(lexical_text(tool, openings) for tool in tools)
    return Header(
        embedder=dense.id if dense else None,
        dimension=dimension,
        mean_tokens=length,
        openings=openings,
        measured_over=len(tools) if old is None else 0,
        indexed=old.indexed if old else (),
    )


def read_header(store: PointStore) -> Header | None:
    """Return the header of a collection; None in a new one and in another program's."""
    fields = store.note("header")
    if fields is None or fields.get("format") != _FORMAT:
        return None
    return Header(
        **{
            **fields,
            "openings": tuple(fields["openings"]),
            "indexed": tuple(fields.get("indexed", ())),
        }
    )


def drifted(header: Header, tools: int, plan: SyncPlan) -> bool:
    """Whether so much changed since mean length and boilerplate were measured that they moved."""
    moves = header.churn + len(plan.new) + len(plan.changed) + len(plan.delete)
    return header.measured_over == 0 < tools or moves > _DRIFT * max(header.measured_over, 1)
