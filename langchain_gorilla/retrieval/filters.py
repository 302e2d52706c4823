"""Which points may be found, in Qdrant's words; its two packages say them alike."""

import re
from typing import Any

from langchain_gorilla.retrieval.points import Where


def filter_of(qdrant: Any, where: Where, *conditions: Any, without: Any = None) -> Any:
    """Return the filter of a search.

    Args:
        qdrant: ``qdrant_client.models`` or ``qdrant_edge``.
        where: Which tools.
        conditions: Hold as well.
        without: Must not hold.
    """
    must = list(conditions)
    if where.namespaces:
        must.append(any_of(qdrant, "namespace", where.namespaces))
    if where.names is not None:
        must.append(any_of(qdrant, "name", where.names))
    for key, value in where.equal.items():
        must.append(_equal(qdrant, metadata_path(key), value))
    for bounds in where.ranges:
        limits = {"gte": bounds.gte, "gt": bounds.gt, "lte": bounds.lte, "lt": bounds.lt}
        must.append(_within(qdrant, metadata_path(bounds.field), limits))
    return qdrant.Filter(must=must, must_not=[without] if without else None)


def metadata_path(key: str) -> str:
    """Return where a metadata key is; quoted where Qdrant would read dots and brackets in it."""
    return f"metadata.{key}" if re.fullmatch(r"[\w-]+", key) else f'metadata."{key}"'


def any_of(qdrant: Any, key: str, values: Any) -> Any:
    """Return the condition that a field has one of these values."""
    return qdrant.FieldCondition(key=key, match=qdrant.MatchAny(any=list(values)))


def _equal(qdrant: Any, key: str, value: Any) -> Any:
    if isinstance(value, tuple):
        if all(isinstance(each, str) for each in value):
            return any_of(qdrant, key, value)
        return qdrant.Filter(should=[_equal(qdrant, key, each) for each in value])
    if isinstance(value, int | float):
        # As a range, 5 is 5.0 too.
        return _within(qdrant, key, {"gte": float(value), "lte": float(value)})
    return qdrant.FieldCondition(key=key, match=qdrant.MatchValue(value=value))


def _within(qdrant: Any, key: str, limits: dict[str, float | None]) -> Any:
    kind = getattr(qdrant, "RangeFloat", None) or qdrant.Range
    return qdrant.FieldCondition(key=key, range=kind(**limits))
