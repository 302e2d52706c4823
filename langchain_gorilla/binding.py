"""What ``bind_tools`` and a call's keyword arguments ask for, in one shape each.

LangChain, OpenAI and Anthropic spell a tool choice in a dozen ways; after this room there are
four. Everything here is pure; nothing is enforced here.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.errors import UnknownToolError, UnsupportedOptionError
from langchain_gorilla.functions import FunctionSchema

_WORDS: Mapping[str, Literal["auto", "any", "none"]] = {
    "auto": "auto",
    "any": "any",
    "required": "any",
    "none": "none",
}


class Bound(Protocol):
    """Bound tools by name: a ``FunctionSet``, or what stands for a large catalog."""

    @property
    def names(self) -> Sequence[str]:
        """True names, in the order of binding."""

    def find(self, name: str) -> FunctionSchema | None:
        """Return the tool with this name, or None."""


@dataclass(frozen=True)
class ToolChoice:
    """Whether the model may, must or must not call, and what.

    Attributes:
        mode: ``auto``: text or calls; ``any``: at least one call; ``named``: exactly the tool
            ``name``; ``none``: text only.
        name: The true name of the tool, for ``named`` only.
    """

    mode: Literal["auto", "any", "named", "none"] = "auto"
    name: str | None = None


def read_tool_choice(value: str | Mapping[str, Any] | bool | None, functions: Bound) -> ToolChoice:
    """Read a tool choice in any spelling that LangChain chat models accept.

    Args:
        value: ``None``, ``False`` or ``"auto"``; ``"any"``, ``"required"`` or ``True``;
            ``"none"``; a tool's name; OpenAI's ``{"type": "function", "function": {"name": …}}``;
            Anthropic's ``{"type": "tool", "name": …}``.
        functions: The bound tools.

    Raises:
        UnknownToolError: The name is not bound, or a call is demanded and nothing is bound.
        UnsupportedOptionError: A dict of another kind.
    """
    if isinstance(value, Mapping):
        value = _named_in(value)
    if value is None or value is False:
        return ToolChoice()
    if value is True:
        value = "any"
    if (mode := _WORDS.get(value)) is not None:
        if mode == "any" and not functions.names:
            raise UnknownToolError(
                f"tool_choice={value!r} demands a call, but no tool is bound. "
                "Bind at least one tool, or leave tool_choice out."
            )
        return ToolChoice(mode)
    if (function := functions.find(value)) is not None:
        return ToolChoice("named", function.name)
    names = functions.names
    near = difflib.get_close_matches(value, names, n=3, cutoff=0.5) or names[:5]
    raise UnknownToolError(
        f"tool_choice={value!r} is none of the {len(names)} bound tools. "
        + (f"Near names: {', '.join(near)}. " if near else "")
        + 'Pass a bound tool\'s name, or "auto", "any" or "none".'
    )


def _named_in(choice: Mapping[str, Any]) -> str:
    """Return the word or tool name that a dict stands for."""
    function = choice.get("function")
    name = function.get("name") if isinstance(function, Mapping) else choice.get("name")
    if isinstance(name, str) and name:
        return name
    if isinstance(kind := choice.get("type"), str) and kind in _WORDS:
        return kind
    raise UnsupportedOptionError(
        f"tool_choice={dict(choice)!r} is not understood. Pass a tool's name, "
        '{"type": "function", "function": {"name": …}}, or "auto", "any" or "none".'
    )


@dataclass(frozen=True)
class ResponseFormat:
    """A demand for JSON as the final text.

    Attributes:
        schema: The JSON schema it has to fit; None for any JSON object.
    """

    schema: Mapping[str, JSONValue] | None = None

    def instruction(self) -> str:
        """Return the sentence that tells a model about the demand."""
        if self.schema is None:
            return "Answer with one JSON object and nothing else."
        schema = json.dumps(self.schema, ensure_ascii=False)
        return f"Answer with one JSON value and nothing else. It fits this schema: {schema}"


def read_response_format(value: Mapping[str, Any] | None) -> ResponseFormat | None:
    """Read OpenAI's ``response_format``.

    Args:
        value: ``{"type": "json_schema", "json_schema": {"schema": …}}``,
            ``{"type": "json_object"}``, to which llama.cpp's ``"schema"`` may be added,
            ``{"type": "text"}`` or None.

    Raises:
        UnsupportedOptionError: Anything else.
    """
    kind = value.get("type") if isinstance(value, Mapping) else None
    if value is None or kind == "text":
        return None
    if kind == "json_object" and "schema" not in value:
        return ResponseFormat()
    if kind == "json_object" and isinstance(schema := value["schema"], Mapping):
        return ResponseFormat(schema)
    if kind == "json_schema" and isinstance(outer := value.get("json_schema"), Mapping):
        schema = outer.get("schema")
        if isinstance(schema, Mapping):
            return ResponseFormat(schema)
    raise UnsupportedOptionError(
        f"response_format={value!r} is not understood. Pass "
        '{"type": "json_schema", "json_schema": {"name": …, "schema": {…}}} or '
        '{"type": "json_object"}, or use with_structured_output().'
    )
