"""``BoundTools``: what ``bind_tools`` keeps of many tools, so that ten thousand cost nothing.

A tool is converted when it is offered, not when it is bound. Where the retriever has a catalog,
its documentation is what the model reads: change it there, and the next request shows the change.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, overload

from langchain_core.tools import BaseTool

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import UnknownToolError
from langchain_gorilla.functions import (
    FunctionSchema,
    FunctionSet,
    check_several,
    function_schema,
    function_set,
)
from langchain_gorilla.narrowing.compaction import compact
from langchain_gorilla.retrieval.points import Where
from langchain_gorilla.retrieval.retriever import ToolRetriever


class BoundTools(Sequence[dict[str, JSONValue]]):
    """The tools of one ``bind_tools`` call; as a sequence, the OpenAI dicts of all of them.

    Always offered (``pinned``) are the tools that nobody can find: those that the retriever's
    catalog or index does not hold, such as a schema for structured output. Where tools are marked
    with ``extras["defer_loading"]``, the unmarked ones are pinned too.

    Attributes:
        names: True names, in the order of binding.
        pinned: Those that are always offered.
        retriever: Finds the others.
    """

    def __init__(self, tools: Sequence[Any], retriever: ToolRetriever) -> None:
        """Sort the tools into pinned and found.

        Raises:
            InvalidFunctionError: A tool that cannot be offered.
            DuplicateFunctionError: Two different tools with one name.
            UnknownToolError: A tool is marked as deferred, and the retriever cannot find it; or its
                index was never synced, and these are more tools than it would offer.
        """
        self._tools = _by_name(tools)
        self.names = tuple(self._tools)
        holds = retriever.names()
        unsynced = retriever.catalog is None and holds is not None and not holds
        if unsynced and len(self.names) > retriever.k:
            raise UnknownToolError(
                f"The retriever's index holds no tools, so all {len(self.names)} would be offered "
                "every time. Sync it before they are bound: index.sync(ToolCatalog(tools))."
            )
        marks = {name: _deferred(tool) for name, tool in self._tools.items()}
        deferred = [name for name, mark in marks.items() if mark is True]
        for name in deferred:
            if holds is not None and name not in holds:
                raise UnknownToolError(
                    f"The tool {name!r} is marked defer_loading, but the retriever does not "
                    "know it, so no request would ever be offered it. Add it to the "
                    "retriever's catalog and sync its index, or take the mark off."
                )
        wanted = deferred or [name for name, mark in marks.items() if mark is not False]
        self._findable = {name: None for name in wanted if holds is None or name in holds}
        self.pinned = tuple(name for name in self.names if name not in self._findable)
        self._by_words: ToolRetriever | None = None
        self._functions: dict[str, FunctionSchema] = {}
        self._fingerprint: tuple[int, str] | None = None
        self.retriever = retriever if holds is not None else self.by_words(retriever)
        self._is_all = holds is None or len(self._findable) == len(holds)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    @overload
    def __getitem__(self, index: int) -> dict[str, JSONValue]: ...

    @overload
    def __getitem__(self, index: slice) -> list[dict[str, JSONValue]]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self._openai(name) for name in self.names[index]]
        return self._openai(self.names[index])

    def __iter__(self) -> Iterator[dict[str, JSONValue]]:
        return map(self._openai, self.names)

    def __repr__(self) -> str:
        return f"BoundTools({len(self.names)} tools, {len(self.pinned)} pinned)"

    @property
    def where(self) -> Where | None:
        """Which tools of the index may be found: the bound ones."""
        where, catalog = self.retriever.where, self.retriever.catalog
        # A catalog may have got further tools since these were bound.
        is_all = self._is_all if catalog is None else catalog.names <= self._findable.keys()
        if is_all:
            return where
        where, names = where or Where(), tuple(self._findable)
        if where.names is not None:
            names = tuple(name for name in names if name in where.names)
        return replace(where, names=names)

    def everything(self) -> tuple[str, ...] | None:
        """Return all names to choose from where they are no more than a search may find."""
        if len(self._findable) > self.retriever.k or self.retriever.where is not None:
            return None
        return tuple(self._findable)

    def function(self, name: str) -> FunctionSchema:
        """Return what the model reads of a tool: the catalog's documentation, else its own."""
        entry = None
        if self.retriever.catalog is not None and name in self._findable:
            entry = self.retriever.catalog.get(name)
        if entry is not None:
            return entry.function
        if name not in self._functions:
            self._functions[name] = function_schema(self._tools[name])
        return self._functions[name]

    def functions(self, names: Sequence[str]) -> list[FunctionSchema]:
        """Return the compact documents of some tools, in their order."""
        return [compact(self.function(name)) for name in names]

    def by_words(self, like: ToolRetriever | None = None) -> ToolRetriever:
        """Return a retriever that searches the bound tools' own words; it converts all of them.

        Its filter is the same: a tool without the facts that it asks for is not found.
        """
        if self._by_words is None:
            like = like or self.retriever
            self._by_words = ToolRetriever(
                catalog=ToolCatalog(self._tools[name] for name in self._findable),
                k=like.k,
                where=like.where,
                constraints=like.constraints,
                # It was learnt from the index's scores.
                calibration=like.calibration if like.index is None else None,
            )
        return self._by_words

    def find(self, name: str) -> FunctionSchema | None:
        """Return the tool with this true name, or None."""
        return self.function(name) if name in self._tools else None

    def certain(self, forced: str | None) -> FunctionSet:
        """Return the tools that are offered whatever is found."""
        names = self.pinned if forced is None or forced in self.pinned else (*self.pinned, forced)
        return FunctionSet(self.functions(names))

    def summary(self) -> dict[str, JSONValue]:
        """Return what traces and cache keys hold instead of every schema."""
        return {
            "count": len(self),
            "fingerprint": self.fingerprint,
            "k": self.retriever.k,
            "search": self._search,
        }

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 that changes with the documentation of any of the tools.

        It converts those that the catalog does not hold: all of them, where there is an index and
        no catalog.
        """
        catalog = self.retriever.catalog
        version = 0 if catalog is None else catalog.version
        if self._fingerprint is not None and self._fingerprint[0] == version:
            return self._fingerprint[1]
        digest = hashlib.sha256()
        for name in self.names:
            entry = catalog.get(name) if catalog is not None and name in self._findable else None
            text = self.function(name).fingerprint if entry is None else entry.content_hash
            digest.update(text.encode())
        self._fingerprint = (version, digest.hexdigest())
        return self._fingerprint[1]

    @property
    def _search(self) -> str:
        """Hex SHA-256 that changes with how tools are found; nothing is opened or read for it."""
        retriever, index = self.retriever, self.retriever.index
        searched: list[object] = [self.pinned, retriever.where, retriever.constraints]
        searched.append(retriever.calibration)
        if index is not None:
            # Its documents are the catalog's, or else the bound tools', which are hashed above.
            embedder = None if index.dense is None else index.dense.id
            searched += [str(index.place), embedder, index.adapted]
            searched += [index.fusion, index.lexical_weight]
        return hashlib.sha256(repr(searched).encode("utf-8", "replace")).hexdigest()

    def _openai(self, name: str) -> dict[str, JSONValue]:
        return {"type": "function", "function": self.function(name).document()}


def _by_name(tools: Sequence[Any]) -> dict[str, Any]:
    check_several(tools)
    named: dict[str, Any] = {}
    for tool in tools:
        name = tool_name(tool)
        if name not in named:
            named[name] = tool
        elif named[name] is not tool:
            function_set([named[name], tool])  # one tool in two forms is fine, two tools are not
    return named


def tool_name(tool: Any) -> str:
    """Return a tool's true name, without converting it where its kind says it plainly."""
    if isinstance(tool, BaseTool | FunctionSchema):
        return tool.name
    if isinstance(tool, Mapping):
        inner = tool.get("function")
        function = inner if isinstance(inner, Mapping) else tool
        plain = not any(key in function for key in ("api_call", "api_name", "toolSpec", "title"))
        if plain and isinstance(name := function.get("name"), str) and name.strip():
            return name
    return function_schema(tool).name


def is_deferred(tool: Any) -> bool:
    """Whether a tool is marked to be offered only when it is found."""
    return _deferred(tool) is True


def _deferred(tool: Any) -> bool | None:
    """Return the mark ``defer_loading`` of a tool; None where it has none."""
    if isinstance(tool, BaseTool):
        mark = (tool.extras or {}).get("defer_loading")
    elif isinstance(tool, Mapping):
        extras = tool.get("extras")
        inner = extras.get("defer_loading") if isinstance(extras, Mapping) else None
        mark = tool.get("defer_loading", inner)
    else:
        return None
    return mark if isinstance(mark, bool) else None
