"""What a search reads of a tool: words for BM25, a text for the embedder, and their identity.

On six catalogs with 9,420 real tools, names split at underscores, dots and capitals, with
parameter texts and enums, were found better than ``name: description`` and far better than raw
JSON (the project's own study; ``tests.acceptance.retrieval_adapter`` scores what is here).
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from langchain_gorilla.catalog import CatalogTool

TEXT_VERSION = 3
"""Raised with every change of the texts below, so that a collection knows it has to be rebuilt."""

MAX_TEXT_CHARS = 20_000
"""Of a text, for queries too; what follows changes no ranking and only costs time."""

_SHARED_BY = 4
"""So many tools of one catalog open alike before the opening counts as boilerplate."""

_MAX_DEPTH = 3

_NOT_WORD = re.compile(r"[^\w]+|_+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_UNSPACED = re.compile(
    "[\u3005\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003ffff]{3,}"
)
_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?\n]+\s*|$)")


def read_text(text: str) -> str:
    """Return what a search reads of a request: its beginning, in whole characters.

    A model can write half of a surrogate pair, which neither BM25 nor an embedder takes.
    """
    return text[:MAX_TEXT_CHARS].encode(errors="replace").decode()


def split_name(name: str) -> str:
    """Return the words of a name: ``get_userInfo.v2`` gives ``get user Info v2``."""
    return _CAMEL.sub(" ", _NOT_WORD.sub(" ", name)).strip()


def spaced(text: str) -> str:
    """Return a text as BM25 can cut it: Chinese, Japanese, Korean, Thai and their like in pairs.

    They put no spaces between words, so a run of them would be one word: ``查询天气`` gives
    ``查询 询天 天气``, as Lucene's CJK analyzer does.
    """
    if text.isascii():
        return text
    return _UNSPACED.sub(lambda run: f" {' '.join(map(''.join, pairwise(run[0])))} ", text)


def dense_text(tool: CatalogTool) -> str:
    """Return all that an embedder reads: tags, name, description, parameters with their enums."""
    return _text(tool, tool.function.description)


def dense_texts(tool: CatalogTool) -> tuple[str, ...]:
    """Return the texts whose mean vector stands for a tool: all of it, and without parameters.

    The mean finds more than either: parameters tell tools apart and, in long documents, drown what
    a tool is for. nDCG@10 on the 4,311 tools of API zoo, MiniLM: 69.8 with the first text alone,
    71.3 with both; complete within ten on BFCL 94.1 and 94.5.
    """
    words = [*(split_name(tag) for tag in tool.tags), split_name(tool.name)]
    short = ". ".join(filter(None, [*words, tool.function.description]))[:MAX_TEXT_CHARS]
    return tuple(dict.fromkeys((dense_text(tool), short)))


def lexical_text(tool: CatalogTool, openings: Iterable[str] = ()) -> str:
    """Return what BM25 reads: as the embedder, without an opening that siblings share.

    Args:
        tool: The tool.
        openings: ``shared_openings`` of its catalog.
    """
    return spaced(_text(tool, _without_opening(tool.function.description, frozenset(openings))))


def shared_openings(tools: Iterable[CatalogTool]) -> tuple[str, ...]:
    """Find the first sentences that at least four descriptions share, sorted.

    "This tool belongs to the file system. Tool description: …" makes siblings longer and more
    alike; BM25 then ranks them below shorter strangers.
    """
    counts: Counter[str] = Counter()
    for tool in tools:
        counts.update(_openings(tool.function.description))
    return tuple(sorted(opening for opening, count in counts.items() if count >= _SHARED_BY))


def text_hash(tool: CatalogTool) -> str:
    """Return 16 hex digits that change with what the embedder reads, and with nothing else."""
    return hashlib.sha256(dense_text(tool).encode()).hexdigest()[:16]


def point_id(tool: CatalogTool) -> str:
    """Return the id under which a tool with this content is stored, as a UUID.

    The first half is the tool, the second its present content. Ids alone then tell a sync what
    is new, changed and gone, and no payload is read. Two points with one first half are one tool
    in two versions, as between the two steps of a sync.
    """
    # The id of a/b without a namespace is that of b in the namespace a; names are unique.
    unique = f"{tool.id}\n{tool.name}" if "/" in tool.name else tool.id
    identity = hashlib.sha256(unique.encode()).hexdigest()
    content = hashlib.sha256(f"{TEXT_VERSION} {tool.content_hash}".encode()).hexdigest()
    return f"{identity[:8]}-{identity[8:12]}-{identity[12:16]}-{content[:4]}-{content[4:16]}"


def identity(point: str) -> str:
    """Return the half of a point's id that stays when the documentation changes."""
    return point[:18]


def _text(tool: CatalogTool, description: str) -> str:
    parts = [
        *(split_name(tag) for tag in tool.tags),
        split_name(tool.name),
        description,
        *_parameter_texts(tool.function.parameters, _MAX_DEPTH),
    ]
    return ". ".join(filter(None, parts))[:MAX_TEXT_CHARS]


def _parameter_texts(schema: Mapping[str, Any], depth: int) -> Iterable[str]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or depth == 0:
        return
    for name, parameter in properties.items():
        if not isinstance(parameter, Mapping):
            continue
        described = parameter.get("description")
        options = parameter.get("enum")
        words = [
            f"{split_name(name)}:",
            described if isinstance(described, str) else "",
            " ".join(map(str, options)) if isinstance(options, Sequence) else "",
        ]
        yield " ".join(filter(None, words))
        yield from _parameter_texts(parameter, depth - 1)
        if isinstance(items := parameter.get("items"), Mapping):
            yield from _parameter_texts(items, depth - 1)


def _openings(description: str) -> list[str]:
    """Return the text up to the end of each sentence but the last, shortest first."""
    ends = [match.end() for match in _SENTENCE.finditer(description) if match.group()]
    return [description[:end] for end in ends[:8] if description[end:].strip()]


def _without_opening(description: str, openings: frozenset[str]) -> str:
    shared = [opening for opening in _openings(description) if opening in openings]
    return description[len(shared[-1]) :] if shared else description
