"""From a request to searches, and from their hits to one list; nothing here touches storage."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_gorilla.catalog import MetadataValue
from langchain_gorilla.retrieval.clauses import clauses
from langchain_gorilla.retrieval.document import MAX_TEXT_CHARS, identity
from langchain_gorilla.retrieval.points import Hit

CLAUSE_BONUS = 0.2
"""What the first tool of a clause gains, the second half of it, and so on: in cosines."""

_CLAUSE_DEPTH = 10
_MAX_NAMES = 64

_QUOTED = re.compile(r"[`'\"“‘]([^`'\"”’\n]{1,120})[`'\"”’]")
_WORD = re.compile(r"[^\s,;:!?()\[\]{}`'\"“”‘’]+")
_CALLED = re.compile(r"([\w.\-/]+)\s*(?:\(|\b(?:tool|function|command|endpoint|API)\b)")
# What no ordinary word has: get_weather, GitHub.create, v2, getWeather.
_IDENTIFIER = re.compile(r"\w[._/\-:]\w|[a-z][A-Z]|[A-Za-z]\d|_")


@dataclass(frozen=True)
class SearchPlan:
    """What to look up for one request.

    Attributes:
        text: The request, bounded.
        parts: Its clauses; empty where it is one.
        names: What in it may be the exact name of a tool.
    """

    text: str
    parts: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts to search by, the whole request first."""
        return (self.text, *self.parts)


@dataclass(frozen=True)
class ToolHit:
    """A tool that a search found.

    Attributes:
        tool_id: Its id in the catalog.
        name: What a model calls it.
        namespace: Where it belongs.
        score: Higher is nearer; comparable within one search only.
        document: name, description and parameters, as a prompt shows them.
        metadata: Facts to filter by.
        tags: Words beside its document.
        named: The request names it exactly.
    """

    tool_id: str
    name: str
    namespace: str
    score: float
    document: Mapping[str, Any]
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    named: bool = False


def plan_search(text: str) -> SearchPlan:
    """Cut a request into what is searched: the whole, its clauses, names in it.

    A request of any length is fine: the first 20,000 characters are read.
    """
    text = text[:MAX_TEXT_CHARS].strip()
    return SearchPlan(text, clauses(text), possible_names(text))


def possible_names(text: str) -> tuple[str, ...]:
    """Return what may be a tool's exact name: the whole text, what is quoted, identifiers.

    A plain word such as ``sort`` counts only where it is quoted, or stands before "tool" or an
    opening parenthesis: elsewhere it is a word.
    """
    words = (word.rstrip(".") for word in _WORD.findall(text))
    found = [
        text,
        *_QUOTED.findall(text),
        *_CALLED.findall(text),
        *(word for word in words if _IDENTIFIER.search(word)),
    ]
    return tuple(dict.fromkeys(name for name in found if 0 < len(name) <= 200))[:_MAX_NAMES]


def merge(
    named: Iterable[Hit], found: Sequence[Sequence[Hit]], k: int, *, bonus: float = CLAUSE_BONUS
) -> tuple[ToolHit, ...]:
    """Make one list: tools named exactly, then by the whole request with its clauses' bonus.

    Args:
        named: Tools whose names the request may hold.
        found: Hits of the whole request, then of each clause.
        k: Most tools.
        bonus: What the first tool of a clause gains over its score for the whole request.

    Returns:
        Each tool once, although a sync in progress may show two versions of it.
    """
    points: dict[str, Hit] = {}
    scores: dict[str, float] = {}
    whole, *parts = found or [[]]
    floor = min((hit.score for hit in whole), default=0.0)
    for hit in whole:
        tool = identity(hit.id)
        if tool not in points:
            points[tool], scores[tool] = hit, hit.score
    gains: dict[str, float] = {}
    for part in parts:
        seen: set[str] = set()
        for hit in part[:_CLAUSE_DEPTH]:
            tool = identity(hit.id)
            if tool in seen:
                continue
            gains[tool] = max(gains.get(tool, 0.0), bonus / (1 + len(seen)))
            seen.add(tool)
            points.setdefault(tool, hit)
    for tool, gain in gains.items():
        scores[tool] = scores.get(tool, floor) + gain
    pinned: dict[str, Hit] = {}
    for hit in named:
        pinned.setdefault(identity(hit.id), hit)
    best = max(scores.values(), default=0.0)

    def rank(tool: str) -> tuple[float, str]:
        # Equal scores come in any order; a prompt wants the same tools in the same order.
        return -round(scores.get(tool, floor), 6), tool

    order = sorted(pinned, key=rank)
    order += [tool for tool in sorted(scores, key=rank) if tool not in pinned]
    return tuple(
        _tool_hit(pinned.get(tool) or points[tool], best + 1.0 if tool in pinned else scores[tool],
                  named=tool in pinned)
        for tool in order[:k]
    )  # fmt: skip


def _tool_hit(hit: Hit, score: float, *, named: bool) -> ToolHit:
    payload = hit.payload
    return ToolHit(
        tool_id=payload["tool_id"],
        name=payload["name"],
        namespace=payload["namespace"],
        score=score,
        document=payload["document"],
        metadata={
            key: tuple(value) if isinstance(value, list) else value
            for key, value in payload["metadata"].items()
        },
        tags=tuple(payload["tags"]),
        named=named,
    )
