"""From a request to searches, and from their hits to one list; nothing here touches storage."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_gorilla.catalog import MetadataValue
from langchain_gorilla.retrieval.clauses import clauses
from langchain_gorilla.retrieval.document import identity, read_text
from langchain_gorilla.retrieval.embedding import unit_mean
from langchain_gorilla.retrieval.points import Hit

DEPTH = 40
"""Hits that each search brings to the merging; a tool below them counts as the last of them."""

_WHOLE = 3.0
"""How much the whole request counts beside its two clauses; half as much beside three, …"""

_TOP_COUNTS_OFF = 0.8
"""Share of a clause's best score that is taken off it: 1 gives every clause the same best score,
0 leaves the places to the clauses that are worded most like a tool."""

_MAX_NAMES = 64

_QUOTED = re.compile(r"[`'\"“‘]([^`'\"”’\n]{1,120})[`'\"”’]")
_WORD = re.compile(r"[^\s,;:!?()\[\]{}`'\"“”‘’]+")
# Only from where a word begins, and no further than a name is long: tried from each character of a
# text without spaces, to its end, 12,000 of them took seconds.
_CALLED = re.compile(
    r"(?<![\w.\-/])([\w.\-/]{1,200})\s*(?:\(|\b(?:tool|function|command|endpoint|API)\b)"
)
# Values of arguments: what is quoted, numbers, dates.
_LITERAL = re.compile(r"'[^'\n]{1,60}'|\"[^\"\n]{1,60}\"|\b\d[\d.,:/-]*\b")
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

    @property
    def embedded(self) -> tuple[str, ...]:
        """All texts to embed for ``vectors``: ``texts``, and the request without its literals.

        "Add 'milk' to list 17" asks for the tool that "Add to list" asks for; the vector of the
        whole request leans towards milk.
        """
        bare = " ".join(_LITERAL.sub(" ", self.text).split())
        plain = " ".join(self.text.split())
        return (*self.texts, bare) if len(bare.split()) > 2 and bare != plain else self.texts

    def vectors(self, embedded: Sequence[Sequence[float]]) -> list[list[float]]:
        """Return one vector for each of ``texts``, from one for each of ``embedded``."""
        vectors = [list(vector) for vector in embedded[: len(self.texts)]]
        if len(embedded) > len(self.texts):
            vectors[0] = unit_mean([embedded[0], embedded[-1]])
        return vectors


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
    text = read_text(text).strip()
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


def merge(named: Iterable[Hit], found: Sequence[Sequence[Hit]], k: int) -> tuple[ToolHit, ...]:
    """Make one list: tools named exactly, then by the whole request and its clauses.

    Args:
        named: Tools whose names the request may hold.
        found: Hits of the whole request, then of each clause.
        k: Most tools.

    Returns:
        Each tool once, although a sync in progress may show two versions of it.
    """
    points: dict[str, Hit] = {}
    for hit in (hit for hits in found for hit in hits):
        points.setdefault(identity(hit.id), hit)
    whole, *parts = [_scores(hits) for hits in found] or [{}]
    scores = _merged(whole, parts)
    floor = min(whole.values(), default=0.0)
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


def _scores(hits: Sequence[Hit]) -> dict[str, float]:
    """Return the score of each tool; of two versions that of the better one."""
    scores: dict[str, float] = {}
    for hit in hits:
        scores.setdefault(identity(hit.id), hit.score)
    return scores


def _merged(
    whole: Mapping[str, float], parts: Sequence[Mapping[str, float]]
) -> Mapping[str, float]:
    """Score tools by the whole request and by the clause that they fit best.

    A clause vouches for a tool by how near the tool comes to the clause's own best one, so that
    every clause has its tool among the first; the more clauses there are, the less the whole
    request says. Scores stay of the size of the whole request's.
    """
    parts = [part for part in parts if part]
    if not parts:
        return whole
    weight = _WHOLE / max(1, len(parts) - 1)
    floor = min(whole.values(), default=0.0)
    taken_off = [_TOP_COUNTS_OFF * max(part.values()) for part in parts]
    floors = [min(part.values()) for part in parts]
    merged = {}
    for tool in dict.fromkeys(tool for scores in (whole, *parts) for tool in scores):
        fits = max(
            part.get(tool, least) - off
            for part, least, off in zip(parts, floors, taken_off, strict=True)
        )
        merged[tool] = (weight * whole.get(tool, floor) + fits) / (weight + 1 - _TOP_COUNTS_OFF)
    return merged


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
