"""What every source gives: tools that run, and what became none, with the reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_core.tools import BaseTool

from langchain_gorilla.functions import FunctionSchema

SourcedTool: TypeAlias = "BaseTool | FunctionSchema"
"""A tool that runs, or the bare schema of one that nothing here can run."""


@dataclass(frozen=True, eq=False)
class SourcedSchema(FunctionSchema):
    """A bare schema that remembers where it comes from, as a tool does in its ``metadata``.

    Attributes:
        metadata: As a tool's; see ``Tools``.
    """

    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """One part of a source that became no tool.

    Attributes:
        where: Its place in the source: ``POST /files``, ``Gmail_API.json row 3``.
        reason: Why, in a sentence that says what would help.
    """

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


class Tools(list[SourcedTool]):
    """The tools of one source, in its order: a list, so that ``bind_tools`` takes it as it is.

    A tool's ``metadata`` says where it comes from (``source``: the kind of source, ``origin``:
    the file, module, command or server) and what can be filtered by; a catalog keeps both.

    Attributes:
        refusals: What became no tool; nothing is left out without a word.
    """

    def __init__(
        self, tools: Iterable[SourcedTool] = (), *, refusals: Iterable[Refusal] = ()
    ) -> None:
        """Hold tools and refusals."""
        super().__init__(tools)
        self.refusals = tuple(refusals)
