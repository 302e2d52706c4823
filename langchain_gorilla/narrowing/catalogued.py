"""A whole catalog to choose from, for agents that bind no tools at all."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import UnknownToolError
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.narrowing.compaction import compact
from langchain_gorilla.retrieval.points import Where
from langchain_gorilla.retrieval.retriever import ToolRetriever


class CataloguedTools:
    """The tools of a catalog, as a ``Toolbox``. The catalog may change while it is in use.

    Args:
        catalog: What can be offered.
        retriever: Finds in it; None searches its words in this process.
    """

    pinned: Sequence[str] = ()

    def __init__(self, catalog: ToolCatalog, retriever: ToolRetriever | None) -> None:
        self.catalog = catalog
        self.retriever = retriever or ToolRetriever(catalog=catalog)

    def __contains__(self, name: object) -> bool:
        return name in self.catalog

    @property
    def where(self) -> Where | None:
        """See ``Toolbox``."""
        return self.retriever.where

    def everything(self) -> tuple[str, ...] | None:
        """See ``Toolbox``."""
        if len(self.catalog) > self.retriever.k or self.retriever.where is not None:
            return None
        return tuple(self.catalog.names)

    def functions(self, names: Sequence[str]) -> list[FunctionSchema]:
        """See ``Toolbox``; one that was removed meanwhile is left out."""
        found = map(self.catalog.get, names)
        return [compact(tool.function) for tool in found if tool is not None]

    def by_words(self) -> ToolRetriever:
        """See ``Toolbox``."""
        # A calibration was learnt from the index's scores.
        without = {"index": None, "calibration": None}
        return self.retriever.model_copy(update={**without, "catalog": self.catalog})

    def beside(self, request: Any, names: Sequence[str]) -> Any:
        """Return a ``ToolCallRequest`` that knows some of the tools beside those of its agent.

        Who reads ``runtime.tools`` finds them there, such as LangChain's reviewer who has another
        tool run; bare schemas and removed tools are left out.
        """
        tools = {tool.name: tool for tool in request.runtime.tools}
        for name in names:
            if name not in tools:
                with suppress(UnknownToolError):
                    tools[name] = self.catalog.executable(name)
        return request.override(runtime=replace(request.runtime, tools=[*tools.values()]))
