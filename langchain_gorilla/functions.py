"""Functions that a model may call, from whatever the caller has.

One ``FunctionSchema`` comes from LangChain tools, Pydantic models, TypedDicts, callables,
OpenAI dicts, MCP tools, Gorilla's own API documents and BFCL's dialect. ``FunctionSet`` holds
those of one request and the names under which the model writes them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_gorilla.calls import FunctionCall, JSONValue


@dataclass(frozen=True)
class FunctionSchema:
    """One function: what it is called, what it does, what it takes.

    Attributes:
        name: Unique in its set.
        description: For the model; may be empty.
        parameters: A JSON schema of type ``object``, in JSON Schema's own type names.
    """

    name: str
    description: str
    parameters: Mapping[str, JSONValue]

    @property
    def properties(self) -> Mapping[str, Mapping[str, JSONValue]]:
        """Parameter name to its JSON schema, in the order of the documentation."""
        raise NotImplementedError

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the parameters that every call must give."""
        raise NotImplementedError

    def document(self) -> dict[str, JSONValue]:
        """Return ``{"name", "description", "parameters"}``: what a prompt shows of it."""
        raise NotImplementedError


def function_schema(tool: Any) -> FunctionSchema:
    """Convert one tool, of any kind named in this module's docstring."""
    raise NotImplementedError


class FunctionSet:
    """The functions of one request, with a written name for each.

    A model writes Python, so a name or parameter that is no (dotted) Python identifier gets an
    alias. The mapping is reversible; a collision is an error that names both.

    Attributes:
        functions: As given, under their true names.
        written: The same, in the same order, under the names that the model writes.
    """

    functions: tuple[FunctionSchema, ...]
    written: tuple[FunctionSchema, ...]

    def __init__(self, functions: Iterable[FunctionSchema]) -> None:
        """Choose the aliases."""
        raise NotImplementedError

    def find(self, name: str) -> FunctionSchema | None:
        """Return the function with this true or written name, under its true name."""
        raise NotImplementedError

    def as_written(self, call: FunctionCall) -> FunctionCall:
        """Rename a call and its arguments from true to written names."""
        raise NotImplementedError

    def as_true(self, call: FunctionCall) -> FunctionCall:
        """Rename a call and its arguments from written to true names; true ones stay."""
        raise NotImplementedError
