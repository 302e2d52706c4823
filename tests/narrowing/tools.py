"""Twenty tools of five kinds, as functions that run."""

from typing import Any

import pytest
from langchain_core.tools import StructuredTool

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import IndexUnavailableError
from langchain_gorilla.retrieval.retriever import ToolRetriever
from langchain_gorilla.retrieval.searching import SearchResult

DESCRIPTIONS = {
    "get_weather": "Forecast rain, sun and wind for a place.",
    "send_mail": "Send an electronic letter to somebody.",
    "convert_currency": "Exchange an amount of money into another currency.",
    "book_flight": "Reserve a seat on an airplane.",
    "sort_lines": "Put the lines of a file in order.",
    **{f"rename_{kind}": f"Give a {kind} another label." for kind in (
        "folder", "branch", "playlist", "column", "host", "album", "queue", "bucket", "ticket",
        "channel", "device", "portfolio", "sensor", "recipe", "garden",
    )},
}  # fmt: skip


def made(name: str, description: str, **options) -> StructuredTool:
    def run(value: str) -> str:
        return f"{name} got {value}"

    return StructuredTool.from_function(run, name=name, description=description, **options)


def tools(**options) -> list[StructuredTool]:
    return [made(name, description, **options) for name, description in DESCRIPTIONS.items()]


def catalog() -> ToolCatalog:
    return ToolCatalog(tools())


def queries_searched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by the query of every search from here on."""
    queries: list[str] = []
    search = ToolRetriever.search

    def recorded(self: ToolRetriever, query: str, **options) -> SearchResult:
        queries.append(query)
        return search(self, query, **options)

    monkeypatch.setattr(ToolRetriever, "search", recorded)
    return queries


def without_index(
    self: ToolRetriever, query: str, *, search: Any = ToolRetriever.search, **options: Any
) -> SearchResult:
    """Search as a retriever does whose index cannot be reached."""
    if self.index is not None:
        raise IndexUnavailableError("gone")
    found: SearchResult = search(self, query, **options)
    return found
