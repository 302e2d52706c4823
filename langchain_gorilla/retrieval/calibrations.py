"""Calibrations that an index keeps: fitted once, taken again by every process that opens it.

One is kept for each search: a filter, a fusion, constraints or none. It is fitted anew when a
document or the embedder changed, and when other pairs or options are given.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.retrieval.abstention import Calibrating, Calibration, calibrating
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.document import point_id
from langchain_gorilla.retrieval.points import Where

_FORMAT = "langchain-gorilla calibration 1"


@dataclass(frozen=True, kw_only=True)
class CalibrationPlan:
    """A calibration that is wanted.

    Attributes:
        index: What is searched, and where the calibration is kept; None: it is kept nowhere.
        tools: All that can be found.
        where: The filter of the search.
        constraints: Whether the search reads bounds in requests.
        pairs: Real requests, each with the names of the tools that fit it.
        options: Of ``abstention.calibrating``.
    """

    index: ToolIndex | None
    tools: Sequence[CatalogTool]
    where: Where
    constraints: bool
    pairs: Sequence[tuple[str, Collection[str]]]
    options: Mapping[str, Any]

    def steps(self) -> Calibrating:
        """Fit it; yields searches to make, and takes their hits."""
        embedder = None if self.index is None else self.index.embedder
        return calibrating(self.tools, pairs=self.pairs, embedder=embedder, **self.options)

    def kept(self) -> Calibration | None:
        """Return the one that the index keeps; None where it has none, or one of other documents.

        Without pairs and options any will do: what was fitted to pairs is better than what is
        fitted to documents alone.
        """
        found = self._notes.get(self._search) if self.index is not None else None
        if found is None or found["corpus"] != self._corpus:
            return None
        if (self.pairs or self.options) and found["asked"] != self._asked:
            return None
        return Calibration(**json.loads(found["calibration"]))

    def keep(self, calibration: Calibration) -> None:
        """Keep it, and let go of those that no longer fit the documents."""
        if self.index is None or self._documents is None:
            return
        fresh = {
            search: note
            for search, note in self._notes.items()
            if note["documents"] == self._documents
        }
        fresh[self._search] = {
            "documents": self._documents,
            "corpus": self._corpus,
            "asked": self._asked,
            # Text: Qdrant reads a number's last digit otherwise than Python.
            "calibration": json.dumps(asdict(calibration)),
        }
        self.index.keep_calibrations(fresh)

    @property
    def _notes(self) -> Mapping[str, Any]:
        return {} if self.index is None else self.index.calibrations()

    @cached_property
    def _search(self) -> str:
        return _hash([_FORMAT, asdict(self.where), self.constraints])

    @cached_property
    def _documents(self) -> str | None:
        return None if self.index is None else self.index.fingerprint()

    @cached_property
    def _corpus(self) -> str:
        return _hash([self._documents, sorted(point_id(tool) for tool in self.tools)])

    @cached_property
    def _asked(self) -> str:
        pairs = [[query, sorted(names)] for query, names in self.pairs]
        return _hash([pairs, dict(self.options)])


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
