"""What is stored of a tool beside its vectors, and whether a filter lets it through."""

from collections.abc import Iterable
from typing import Any

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.retrieval.document import text_hash
from langchain_gorilla.retrieval.points import FieldKind, Where


def payload_of(tool: CatalogTool) -> dict[str, Any]:
    """Return the payload of a tool's point."""
    return {
        "name": tool.name,
        "namespace": tool.namespace,
        "tool_id": tool.id,
        "text_hash": text_hash(tool),
        "document": tool.function.document(),
        "metadata": dict(tool.metadata),
        "tags": list(tool.tags),
    }


def where_holds(where: Where, tool: CatalogTool) -> bool:
    """Whether a filter lets a tool through, as Qdrant decides it."""
    if where.namespaces and tool.namespace not in where.namespaces:
        return False
    if where.names is not None and tool.name not in where.names:
        return False
    for key, wanted in where.equal.items():
        held = tool.metadata.get(key)
        held_values = held if isinstance(held, tuple) else (held,)
        wanted_values = wanted if isinstance(wanted, tuple) else (wanted,)
        if not set(held_values) & set(wanted_values):
            return False
    for bounds in where.ranges:
        value = tool.metadata.get(bounds.field)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if not bounds.holds(value):
            return False
    return True


def field_kinds(tools: Iterable[CatalogTool]) -> dict[str, FieldKind]:
    """Return what each metadata field holds; one that holds both kinds is left unindexed."""
    kinds: dict[str, FieldKind | None] = {}
    for tool in tools:
        for key, value in tool.metadata.items():
            kind: FieldKind = "number" if isinstance(value, int | float) else "keyword"
            kinds[key] = kind if kinds.get(key, kind) == kind else None
    return {key: kind for key, kind in kinds.items() if kind is not None}
