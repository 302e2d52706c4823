"""How well a search finds tools: for given requests, and for every tool's own description.

Requests of people say how good a search is. A tool's own description is the easiest request that
a catalog knows of: a tool that it does not find will not be found by anybody, and a tool that
takes another's place there is one that a model will take for it.
"""

import json
import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from langchain_gorilla.errors import GorillaError
from langchain_gorilla.retrieval.ranking import ToolHit

DEPTH = 20
"""Places of a ranking that count; figures are given for every number of tools up to it."""

_CLOSE = 0.95
"""Of its own score for its own description; a rival above it is easily confused with a tool."""

_DESCRIPTION_CHARS = 500

Search: TypeAlias = Callable[[str, int], Sequence[ToolHit]]
"""From a request and a number of tools to its hits, best first."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (searches done, searches to do)."""


class UnreadablePairsError(GorillaError, ValueError):
    """A file does not hold requests with the tools that fit them."""


@dataclass(frozen=True)
class Pair:
    """A request and every tool that it needs, by name or id."""

    query: str
    tools: frozenset[str]


@dataclass(frozen=True)
class Quality:
    """How well requests are answered; shares from 0 to 1, index 0 for one tool offered.

    Attributes:
        requests: How many.
        recall: Mean share of a request's tools among the first k.
        complete: Share of requests with all their tools among the first k.
        ndcg: Normalised discounted cumulative gain of the first k.
    """

    requests: int
    recall: tuple[float, ...]
    complete: tuple[float, ...]
    ndcg: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the figures by number of tools."""
        return {
            "requests": self.requests,
            **{
                f"{name}@{k}": getattr(self, name)[k - 1]
                for name in ("recall", "complete", "ndcg")
                for k in range(1, DEPTH + 1)
            },
        }


@dataclass(frozen=True)
class Unfound:
    """A tool that its own description does not find.

    Attributes:
        tool: Its name.
        description: What was searched; empty where it has none.
        found_instead: The first tools there, best first.
    """

    tool: str
    description: str
    found_instead: tuple[str, ...]


@dataclass(frozen=True)
class Confusion:
    """Two tools of which one nearly takes, or takes, the other's place.

    Attributes:
        tool: Whose description was searched.
        rival: What was found for it.
        closeness: The rival's score divided by the tool's; 1 and more is before it.
        mutual: The rival's description finds the tool as near.
    """

    tool: str
    rival: str
    closeness: float
    mutual: bool


@dataclass(frozen=True)
class OwnDescriptions:
    """What searching every tool's own description says.

    Attributes:
        quality: Of these searches: easier than what people write.
        places: How many tools are found at each place, best place first; the last number
            counts those that are not found at all.
        unfound: The tools that their own description does not find among ``DEPTH``.
        confusions: Nearest first.
    """

    quality: Quality
    places: tuple[int, ...]
    unfound: tuple[Unfound, ...]
    confusions: tuple[Confusion, ...]


def read_pairs(file: Path, known: Iterable[ToolHit]) -> list[Pair]:
    """Read requests, one JSON object a line: ``{"query": "…", "tools": ["name or id", …]}``.

    Args:
        file: The lines.
        known: All tools of the index.

    Returns:
        The requests, their tools as ids.

    Raises:
        UnreadablePairsError: Says which line, what is wrong with it and what is expected.
    """
    ids = {tool.tool_id for tool in known}
    by_name = {tool.name: tool.tool_id for tool in known}
    try:
        # Not splitlines(): U+2028 and its kin stand unescaped in JSON's texts.
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadablePairsError(f"Cannot read {file}: {error}.") from error
    pairs = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        query, names = _pair(line, f"{file}, line {number}")
        unknown = [name for name in names if name not in ids and name not in by_name]
        if unknown:
            raise UnreadablePairsError(
                f"{file}, line {number}: the index has no tool {unknown[0]!r}. Name tools as they "
                "are called, or by their id; sync the index if the tool is new."
            )
        pairs.append(Pair(query, frozenset(n if n in ids else by_name[n] for n in names)))
    if not pairs:
        raise UnreadablePairsError(f"{file} holds no request. {_EXPECTED}")
    return pairs


def measure(search: Search, pairs: Sequence[Pair], progress: Progress | None = None) -> Quality:
    """Search every request and say how well its tools are found."""
    rankings = []
    for done, pair in enumerate(pairs, 1):
        found = [hit.tool_id for hit in search(pair.query, DEPTH)]
        rankings.append([place for place, tool in enumerate(found) if tool in pair.tools])
        if progress is not None:
            progress(done, len(pairs))
    return _quality(rankings, [len(pair.tools) for pair in pairs])


def search_own_descriptions(
    search: Search,
    tools: Sequence[ToolHit],
    *,
    sample: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> OwnDescriptions:
    """Search every tool's own description.

    Args:
        search: Of the index.
        tools: All of it.
        sample: Search only so many tools, drawn at random; None searches all.
        seed: Draws them.
        progress: Told how far it is.
    """
    chosen = list(tools)
    if sample is not None and sample < len(chosen):
        chosen = random.Random(seed).sample(chosen, sample)
    rankings: list[list[int]] = []
    places = [0] * (DEPTH + 1)
    unfound = []
    closeness: dict[tuple[str, str], float] = {}
    for done, tool in enumerate(chosen, 1):
        description = str(tool.document.get("description") or "")[:_DESCRIPTION_CHARS]
        hits = search(description, DEPTH) if description.strip() else ()
        place = next((i for i, hit in enumerate(hits) if hit.tool_id == tool.tool_id), None)
        rankings.append([] if place is None else [place])
        places[DEPTH if place is None else place] += 1
        if place is None:
            unfound.append(Unfound(tool.name, description, tuple(hit.name for hit in hits[:3])))
        for rival, near in _rivals(hits, place):
            closeness[tool.name, rival] = near
        if progress is not None:
            progress(done, len(chosen))
    return OwnDescriptions(
        _quality(rankings, [1] * len(rankings)), tuple(places), tuple(unfound), _pairs(closeness)
    )


def _rivals(hits: Sequence[ToolHit], place: int | None) -> Iterable[tuple[str, float]]:
    """Yield the tools that score nearly as high as the one at ``place``, or higher."""
    if place is None:
        return
    own = hits[place]
    for position, hit in enumerate(hits):
        # A score that an exact name gave says nothing of likeness.
        if position == place or hit.named or own.named or own.score <= 0:
            continue
        if position < place or hit.score >= _CLOSE * own.score:
            yield hit.name, hit.score / own.score


def _pairs(closeness: dict[tuple[str, str], float]) -> tuple[Confusion, ...]:
    """Name each pair once, by the direction in which it is closer."""
    found = [
        Confusion(tool, rival, near, mutual=(rival, tool) in closeness)
        for (tool, rival), near in closeness.items()
        if (near, tool) >= (closeness.get((rival, tool), -math.inf), rival)
    ]
    return tuple(sorted(found, key=lambda pair: (-pair.closeness, pair.tool, pair.rival)))


def _quality(rankings: Sequence[Sequence[int]], wanted: Sequence[int]) -> Quality:
    """Make figures of the places where wanted tools were found.

    Args:
        rankings: For each request, the places of its tools, from 0.
        wanted: For each request, how many tools it needs.
    """
    count = max(1, len(rankings))
    recall, complete, ndcg = [], [], []
    gains = [1 / math.log2(place + 2) for place in range(DEPTH)]
    for k in range(1, DEPTH + 1):
        within = [[place for place in places if place < k] for places in rankings]
        recall.append(sum(len(w) / n for w, n in zip(within, wanted, strict=True)) / count)
        complete.append(sum(len(w) == n for w, n in zip(within, wanted, strict=True)) / count)
        ndcg.append(
            sum(
                sum(gains[place] for place in w) / sum(gains[: min(k, n)])
                for w, n in zip(within, wanted, strict=True)
            )
            / count
        )
    return Quality(len(rankings), tuple(recall), tuple(complete), tuple(ndcg))


_EXPECTED = 'Expected lines such as {"query": "Will it rain?", "tools": ["get_weather"]}.'


def _pair(line: str, where: str) -> tuple[str, list[str]]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UnreadablePairsError(f"{where}: no JSON ({error}). {_EXPECTED}") from error
    query = row.get("query") if isinstance(row, dict) else None
    names = row.get("tools") if isinstance(row, dict) else None
    names = [names] if isinstance(names, str) else names
    if not isinstance(query, str) or not query.strip():
        raise UnreadablePairsError(f"{where}: no text under 'query'. {_EXPECTED}")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise UnreadablePairsError(f"{where}: no names of tools under 'tools'. {_EXPECTED}")
    return query, names
