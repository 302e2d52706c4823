"""``ToolCatalog``: from ten to a million tools, by name, content-hashed, run only when called.

A catalog costs a graph nothing at build time: give ``ToolNode`` no tools and let the catalog
run what is called::

    catalog = ToolCatalog([send_mail, get_weather])
    ToolNode([], wrap_tool_call=catalog.wrap_tool_call, awrap_tool_call=catalog.awrap_tool_call)

It runs every tool it holds that can run. Which of them a model may call is decided elsewhere:
``langchain_gorilla.middleware`` refuses what was not offered.
"""

import difflib
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, KeysView, Mapping
from dataclasses import dataclass, field, replace
from inspect import iscoroutinefunction
from itertools import islice
from typing import Any, TypeAlias

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, StructuredTool

from langchain_gorilla.errors import (
    DuplicateFunctionError,
    InvalidFunctionError,
    UnknownToolError,
)
from langchain_gorilla.functions import FunctionSchema, check_several, function_schema
from langchain_gorilla.tool_forms import called_by_name

# One for all tools: made anew, a sixth of the time.
_COMPACT = json.JSONEncoder(separators=(",", ":"))

_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")

_MOST_COMPARED = 2_000
"""Names that an unknown one is compared with: 100,000 take seconds, in which an agent waits."""

MetadataValue: TypeAlias = "str | int | float | tuple[str, ...]"
"""What a filter can compare: a keyword or several, or a finite number. Truth values become the
keywords ``"true"`` and ``"false"``, in the metadata and in filters."""


def fact_problem(key: str, value: Any) -> str:
    """Say why no filter can compare a fact; ``""`` where one can."""
    if not key or '"' in key or "\\" in key:
        return "Expected a key with at least one character, without double quotes and backslashes"
    if isinstance(value, float | int) and not abs(value) <= sys.float_info.max:
        return "Expected a finite number, or no such fact"
    if isinstance(value, int) and float(value) != value:
        return "Expected its digits as text: filters compare floats, and none is this number"
    is_words = isinstance(value, tuple) and all(isinstance(each, str) for each in value)
    if not is_words and not isinstance(value, str | int | float):
        return "Expected a number, a string, a truth value or a tuple of strings"
    if _HALF_CHARACTER.search(" ".join([key, *value] if is_words else [key, str(value)])):
        return "Expected whole characters, and there is half of one"
    return ""


def comparable(value: MetadataValue) -> MetadataValue:
    """Return a value as filters compare it."""
    return str(value).lower() if isinstance(value, bool) else value


@dataclass(frozen=True, eq=False)
class CatalogTool:
    """One tool as a catalog holds it. Treat it as read-only.

    Attributes:
        id: ``namespace/name``, or the name where there is no namespace; unique in a catalog where
            no name holds a slash.
        function: What a model reads of it.
        namespace: The service, team or tenant it belongs to; ``""`` for none.
        metadata: Facts to filter by: numbers in base units (parameters, bytes, seconds), keywords.
        tags: Words about the tool that a search reads beside its own document, such as a domain.
        runs: The tool that runs; None for a bare schema.
    """

    id: str
    function: FunctionSchema
    namespace: str = ""
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    runs: BaseTool | Callable[..., Any] | None = None

    @property
    def name(self) -> str:
        """The name under which a model calls it."""
        return self.function.name

    @property
    def content_hash(self) -> str:
        """Hex SHA-256 of all that a search sees of the tool; what runs is not part of it."""
        # Kept by hand: before Python 3.12 cached_property takes a lock, a tenth of a sync's time.
        kept: str | None = self.__dict__.get("_content_hash")
        if kept is None:
            content = _COMPACT.encode(
                [self.id, self.function.document(), self.namespace, dict(self.metadata), self.tags]
            )
            kept = hashlib.sha256(content.encode()).hexdigest()
            self.__dict__["_content_hash"] = kept
        return kept


class ToolCatalog:
    """Tools by name.

    Names are unique in the whole catalog, since a model knows a tool by its name only. Where two
    services bring the same names, ``qualified=True`` calls every tool ``namespace.name``.

    Attributes:
        version: Counts the changes, so that what was derived from a catalog knows its age.
    """

    def __init__(
        self, tools: Iterable[Any] = (), *, namespace: str = "", qualified: bool = False
    ) -> None:
        """Start a catalog.

        Args:
            tools: As for ``add_all``.
            namespace: Of these tools.
            qualified: Call a tool ``namespace.name`` where it has a namespace.
        """
        self.qualified = qualified
        self.version = 0
        self._tools: dict[str, CatalogTool] = {}
        self._executables: dict[str, BaseTool] = {}
        self.add_all(tools, namespace=namespace)

    def __len__(self) -> int:
        return len(self._tools)

    def __iter__(self) -> Iterator[CatalogTool]:
        return iter(tuple(self._tools.values()))

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    @property
    def names(self) -> KeysView[str]:
        """The names of all tools, as a view."""
        return self._tools.keys()

    @property
    def namespaces(self) -> Mapping[str, int]:
        """Namespace to its number of tools: what an agent may say about what it cannot list."""
        return Counter(tool.namespace for tool in self)

    def add(
        self,
        tool: Any,
        *,
        namespace: str = "",
        metadata: Mapping[str, MetadataValue] | None = None,
        tags: Iterable[str] = (),
        replace: bool = False,
    ) -> CatalogTool:
        """Add one tool.

        Args:
            tool: What ``bind_tools`` takes, a ``FunctionSchema``, or a ``CatalogTool``, which
                keeps its own namespace, metadata and tags. A BaseTool and a function run;
                anything else is a bare schema.
            namespace: The service, team or tenant it belongs to.
            metadata: Facts to filter by, beside those of the tool's own ``metadata`` that a
                filter can compare, such as its ``source`` and ``origin``; these win.
            tags: Words about the tool that a search reads too; one may stand alone.
            replace: Put it in the place of the tool with its name, as after a change of its
                documentation, instead of raising.

        Raises:
            InvalidFunctionError: The tool has no name or schema, or metadata of another kind.
            DuplicateFunctionError: The catalog has a tool with this name.
        """
        entry = self._entry(tool, namespace, metadata or {}, tags)
        self._put(entry, replace)
        return entry

    def add_all(
        self,
        tools: Iterable[Any],
        *,
        namespace: str = "",
        tags: Iterable[str] = (),
        replace: bool = False,
    ) -> None:
        """Add tools as ``add`` does; all of them, or none where one is refused.

        Tools are taken one by one as they come, so a generator may read them from a source.

        Raises:
            InvalidFunctionError: See ``add``; or a single tool was given.
        """
        check_several(tools)
        common = tags if isinstance(tags, str) else tuple(tags)
        replaced: list[tuple[str, CatalogTool | None]] = []
        try:
            for tool in tools:
                entry = self._entry(tool, namespace, {}, common)
                held = self._tools.get(entry.name)
                self._put(entry, replace)
                replaced.append((entry.name, held))
        except BaseException:
            for name, held in reversed(replaced):
                if held is None:
                    del self._tools[name]
                else:
                    self._tools[name] = held
                self._executables.pop(name, None)
            # What another thread derived meanwhile is of another age.
            self.version += 1
            raise

    def redocument(self, name: str, document: Any) -> CatalogTool:
        """Change what a model reads of a tool; what runs, and where it belongs, stays.

        Args:
            name: Of the tool.
            document: The new documentation, in any form that ``add`` takes, under the same name.

        Raises:
            UnknownToolError: There is no such tool.
            InvalidFunctionError: No schema can be made of the document, or it has another name.
        """
        held = self[name]
        function = function_schema(document)
        if function.name != name:
            raise InvalidFunctionError(
                f"The new documentation of tool {name!r} is that of {function.name!r}. Expected "
                "the same name; a renamed tool is a new one: remove() it and add() the other."
            )
        return self.add(replace(held, function=function), replace=True)

    def remove(self, name: str) -> CatalogTool:
        """Take a tool out and return it.

        Raises:
            UnknownToolError: There is no such tool.
        """
        entry = self[name]
        del self._tools[name]
        self.version += 1
        self._executables.pop(name, None)
        return entry

    def get(self, name: str) -> CatalogTool | None:
        """Return the tool with this name, or None."""
        return self._tools.get(name)

    def __getitem__(self, name: str) -> CatalogTool:
        """Return the tool with this name.

        Raises:
            UnknownToolError: There is none; names the nearest.
        """
        try:
            return self._tools[name]
        except KeyError:
            raise UnknownToolError(self._unknown(name)) from None

    def executable(self, name: str) -> BaseTool:
        """Return the tool that runs, made from its function at its first call.

        Raises:
            UnknownToolError: There is no such tool, or it is a bare schema.
        """
        if (tool := self._executables.get(name)) is not None:
            return tool
        entry = self[name]
        if entry.runs is None:
            raise UnknownToolError(
                f"The tool {name!r} is a schema without code, so it cannot run. Add a LangChain "
                "tool or a function to the catalog, or handle its calls in your own node."
            )
        tool = entry.runs if isinstance(entry.runs, BaseTool) else _tool_of(entry)
        if tool.name != name:
            tool = tool.model_copy(update={"name": name})
        self._executables[name] = tool
        if self._tools.get(name) is not entry:
            # Another thread replaced or removed it meanwhile: what was made runs this once.
            self._executables.pop(name, None)
        return tool

    def resolve(self, request: Any) -> Any:
        """Return a ``ToolCallRequest`` with its tool, or an error ToolMessage that says why not."""
        if request.tool is not None:
            return request
        call = request.tool_call
        try:
            return request.override(tool=self.executable(call["name"]))
        except UnknownToolError as error:
            return ToolMessage(
                f"Error: {error}", name=call["name"], tool_call_id=call["id"], status="error"
            )

    def wrap_tool_call(self, request: Any, execute: Callable[[Any], Any]) -> Any:
        """Run a call of a tool of this catalog; for ``ToolNode`` and for middleware.

        Args:
            request: LangGraph's ``ToolCallRequest``. A tool that the node itself knows is left
                to it.
            execute: The node's own execution.

        Returns:
            What ``execute`` returns, or an error ToolMessage where the catalog cannot run it.
        """
        found = self.resolve(request)
        return found if isinstance(found, ToolMessage) else execute(found)

    async def awrap_tool_call(self, request: Any, execute: Callable[[Any], Awaitable[Any]]) -> Any:
        """Like ``wrap_tool_call``."""
        found = self.resolve(request)
        return found if isinstance(found, ToolMessage) else await execute(found)

    def _put(self, entry: CatalogTool, replace: bool) -> None:
        held = self._tools.get(entry.name)
        if held is not None and not replace:
            raise DuplicateFunctionError(
                f"The catalog has a tool {entry.name!r} (namespace {held.namespace!r}) and gets "
                f"another (namespace {entry.namespace!r}). A model knows tools by their names "
                "only: rename one, build the catalog with qualified=True and namespaces, or pass "
                "replace=True if it is the same tool with new documentation."
            )
        self._tools[entry.name] = entry
        self._executables.pop(entry.name, None)
        self.version += 1

    def _entry(
        self,
        tool: Any,
        namespace: str,
        metadata: Mapping[str, MetadataValue],
        tags: Iterable[str],
    ) -> CatalogTool:
        if isinstance(tool, CatalogTool):
            return tool
        tags = (tags,) if isinstance(tags, str) else tuple(tags)
        function = function_schema(tool)
        for key, value in (("namespace", namespace), ("tags", tags), *metadata.items()):
            if problem := fact_problem(key, value):
                raise InvalidFunctionError(
                    f"The metadata {key!r} of tool {function.name!r} is {value!r:.80}, of type "
                    f"{type(value).__name__}. {problem}."
                )
        metadata = {
            **_own_metadata(tool),
            **{key: comparable(value) for key, value in metadata.items()},
        }
        if self.qualified and namespace:
            function = replace(function, name=f"{namespace}.{function.name}")
        is_function = callable(tool) and not isinstance(tool, type | FunctionSchema)
        runs = tool if isinstance(tool, BaseTool) or is_function else None
        tool_id = f"{namespace}/{function.name}" if namespace else function.name
        return CatalogTool(tool_id, function, namespace, metadata, tags, runs)

    def _like(self, name: str) -> list[str]:
        """Return the names to compare an unknown one with: all, of many those that share a word."""
        names = list(self._tools)
        if len(names) <= _MOST_COMPARED:
            return names
        words = re.findall(r"[^\W_]{3,}", name.lower())
        alike = (each for each in names if any(word in each.lower() for word in words))
        return list(islice(alike, _MOST_COMPARED))

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._like(name), n=3, cutoff=0.6)
        hint = f" Near names: {', '.join(near)}." if near else ""
        return (
            f"{name!r} is none of the {len(self)} tools of the catalog.{hint} Call a tool that "
            "was offered, by its exact name."
        )


def _own_metadata(tool: Any) -> dict[str, MetadataValue]:
    """Return what a filter can compare of a tool's own metadata, which may hold anything else."""
    own = getattr(tool, "metadata", None) if isinstance(tool, BaseTool | FunctionSchema) else None
    found: dict[str, MetadataValue] = {}
    for key, value in (own or {}).items():
        value = tuple(value) if isinstance(value, list) else value
        if not fact_problem(key, value):
            found[key] = comparable(value)
    return found


def _tool_of(entry: CatalogTool) -> BaseTool:
    """Make a LangChain tool of a function."""
    assert callable(entry.runs)
    is_async, runs = iscoroutinefunction(entry.runs), called_by_name(entry.runs)
    return StructuredTool.from_function(
        func=None if is_async else runs,
        coroutine=runs if is_async else None,
        name=entry.name,
        description=entry.function.description or entry.name,
    )
