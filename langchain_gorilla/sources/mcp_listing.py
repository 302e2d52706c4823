"""What an MCP server lists: its tools, page by page, and how one list differs from another."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcp import ClientSession, types
from pydantic import ValidationError

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import DuplicateFunctionError, InvalidFunctionError, SourceError
from langchain_gorilla.sources.base import Refusal, SourcedTool
from langchain_gorilla.sources.mcp_connection import misfit
from langchain_gorilla.sources.mcp_tool import Call, McpTool

_log = logging.getLogger(__name__)

_MAX_PAGES: Final = 1_000


@dataclass(frozen=True)
class ToolsChange:
    """What a list of tools has that the one before had not, and the other way round, by name."""

    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.replaced or self.removed)

    @classmethod
    def between(
        cls, before: Mapping[str, types.Tool], now: Mapping[str, types.Tool]
    ) -> "ToolsChange":
        """Compare two lists."""
        return cls(
            tuple(name for name in now if name not in before),
            tuple(name for name in now if name in before and now[name] != before[name]),
            tuple(name for name in before if name not in now),
        )


def _read_listed(given: Any) -> types.Tool | Refusal:
    """Read one tool of a server's list."""
    try:
        return types.Tool.model_validate(given)
    except ValidationError as error:
        name = given.get("name") if isinstance(given, dict) else None
        return Refusal(str(name or "a tool without a name"), f"It is {misfit(error)}.")


class _Page(types.PaginatedResult):
    """A page of a server's list, each tool as the server wrote it: one may be none."""

    tools: list[Any]


async def all_tools(session: ClientSession) -> list[types.Tool | Refusal]:
    """List the tools, page by page."""
    tools: list[types.Tool | Refusal] = []
    params: types.PaginatedRequestParams | None = None
    for _ in range(_MAX_PAGES):
        request = types.ClientRequest(types.ListToolsRequest(params=params))
        page = await session.send_request(request, _Page)
        tools += map(_read_listed, page.tools)
        if not page.nextCursor:
            return tools
        params = types.PaginatedRequestParams(cursor=page.nextCursor)
    raise SourceError(f"The server's list of tools has over {_MAX_PAGES:,} pages.")


def read_tools(
    listed: list[types.Tool | Refusal], origin: str, call: Call
) -> tuple[dict[str, McpTool], list[Refusal]]:
    """Return tools by name, and what became none."""
    tools: dict[str, McpTool] = {}
    refusals: list[Refusal] = []
    for each in listed:
        if isinstance(each, Refusal):
            refusals.append(each)
            continue
        if each.name in tools:
            refusals.append(Refusal(each.name, "The server lists this name twice."))
            continue
        try:
            tools[each.name] = McpTool.of(each, origin, call)
        except InvalidFunctionError as error:
            refusals.append(Refusal(each.name, str(error)))
    return tools, refusals


class CatalogFollower:
    """Keeps a catalog as a server's list is; see ``McpServer.follow``."""

    def __init__(
        self,
        catalog: ToolCatalog,
        namespace: str,
        server: str,
        on_change: Callable[[ToolsChange], Any] | None,
    ) -> None:
        self._catalog = catalog
        self._namespace = namespace
        self._server = server
        self._on_change = on_change
        self._names: dict[str, str] = {}  # the server's to the catalog's

    def begin(self, tools: Iterable[SourcedTool]) -> None:
        """Add the first tools.

        Raises:
            DuplicateFunctionError: The catalog has a tool with one of the names; it stays as it
                was.
        """
        tools = tuple(tools)
        self._catalog.add_all(tools, namespace=self._namespace)
        is_qualified = self._catalog.qualified and self._namespace
        prefix = f"{self._namespace}." if is_qualified else ""
        self._names = {tool.name: prefix + tool.name for tool in tools}

    def apply(self, change: ToolsChange, tools: Mapping[str, SourcedTool]) -> None:
        """Follow a change to these tools, by name."""
        for name in change.removed:
            if (held := self._names.pop(name, None)) in self._catalog:
                self._catalog.remove(str(held))
        for name, tool in tools.items():
            if name in self._names and name not in change.replaced:
                continue
            try:
                entry = self._catalog.add(
                    tool, namespace=self._namespace, replace=name in self._names
                )
                self._names[name] = entry.name
            except DuplicateFunctionError as error:
                # The others can still be followed.
                _log.warning("A new tool of MCP server %r is left out: %s", self._server, error)
        if self._on_change is not None:
            self._on_change(change)
