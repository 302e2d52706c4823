"""What ``bind_tools`` and a call's keyword arguments ask for, in one shape each.

LangChain, OpenAI and Anthropic spell a tool choice in a dozen ways; after this room there are
four. Everything here is pure; nothing is enforced here.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.errors import UnknownToolError, UnsupportedOptionError
from langchain_gorilla.functions import FunctionSchema

_WORDS: Final[Mapping[str, Literal["auto", "any", "none"]]] = {
    "auto": "auto",
    "any": "any",
    "required": "any",
    "none": "none",
}


OTHER_NAMES: Final[Mapping[str, str]] = {
    "max_completion_tokens": "max_tokens",  # OpenAI
    "max_new_tokens": "max_tokens",  # transformers
    "num_predict": "max_tokens",  # Ollama
    "repeat_penalty": "repetition_penalty",  # Ollama and llama.cpp
    "request_timeout": "timeout",
    "stop_sequences": "stop",
}
"""Names that options of a call have elsewhere, and the ones that they have here."""


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
        allowed: Names that a choice is limited to, for narrowing only: elsewhere the tools that
            ``allowed_tools`` leaves are all there are. () is no limit.
    """

    mode: Literal["auto", "any", "named", "none"] = "auto"
    name: str | None = None
    allowed: tuple[str, ...] = ()


def read_tool_choice(value: str | Mapping[str, Any] | bool | None, functions: Bound) -> ToolChoice:
    """Read a tool choice in any spelling that LangChain chat models accept.

    Args:
        value: ``None``, ``False`` or ``"auto"``; ``"any"``, ``"required"`` or ``True``;
            ``"none"``; a tool's name; OpenAI's ``{"type": "function", "function": {"name": …}}``;
            Anthropic's ``{"type": "tool", "name": …}``.
        functions: The bound tools.

    Raises:
        UnknownToolError: The name is not bound, or a call is demanded and nothing is bound.
        UnsupportedOptionError: Anything else.
    """
    choice = spelled_choice(value)
    if choice is None:
        raise UnsupportedOptionError(
            f"tool_choice={value!r:.120} is not understood. Pass a tool's name, "
            '{"type": "function", "function": {"name": …}}, or "auto", "any" or "none".'
        )
    if choice.mode == "any" and not functions.names:
        raise UnknownToolError(
            f"tool_choice={value!r} demands a call, but no tool is bound. "
            "Bind at least one tool, or leave tool_choice out."
        )
    if (name := choice.name) is None:
        return choice
    return ToolChoice("named", _bound(name, functions).name)


def _bound(name: str, functions: Bound) -> FunctionSchema:
    if (function := functions.find(name)) is not None:
        return function
    names = functions.names
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or names[:5]
    raise UnknownToolError(
        f"tool_choice={name!r} is none of the {len(names)} bound tools. "
        + (f"Near names: {', '.join(near)}. " if near else "")
        + 'Pass a bound tool\'s name, or "auto", "any" or "none".'
    )


def read_allowed_tools(
    value: Mapping[str, Any], functions: Bound
) -> tuple[str, list[FunctionSchema]]:
    """Read OpenAI's choice among some of the bound tools.

    Args:
        value: ``{"type": "allowed_tools", "allowed_tools": {"mode": …, "tools": […]}}``, or flat as
            its Responses have it.
        functions: The bound tools.

    Returns:
        What ``read_tool_choice`` takes, and the tools that it is a choice among.

    Raises:
        UnknownToolError: One is not bound.
        UnsupportedOptionError: It lists no tools, or its mode is neither "auto" nor "required".
    """
    spelled = spelled_allowed_tools(value)
    if spelled is None:
        raise UnsupportedOptionError(
            f"tool_choice={value!r:.200} is not understood. Expected "
            '{"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": '
            '"function", "function": {"name": …}}]}}, with "auto" or "required" as its mode.'
        )
    mode, names = spelled
    return mode, [_bound(name, functions) for name in names]


def spelled_allowed_tools(value: object) -> tuple[str, list[str]] | None:
    """Return mode and names of OpenAI's ``allowed_tools``, bound or not; None if it is none."""
    if not isinstance(value, Mapping) or value.get("type") != "allowed_tools":
        return None
    inner = value.get("allowed_tools", value)
    inner = inner if isinstance(inner, Mapping) else {}
    mode, listed = inner.get("mode"), inner.get("tools")
    choices = [spelled_choice(each) for each in listed] if isinstance(listed, list | tuple) else []
    names = [choice.name for choice in choices if choice is not None and choice.name is not None]
    if mode not in ("auto", "required") or not names or len(names) < len(choices):
        return None
    return mode, list(dict.fromkeys(names))


def spelled_choice(value: object) -> ToolChoice | None:
    """Return what a tool choice says, its tool bound or not; None where it is not understood."""
    if isinstance(value, Mapping):
        function = value.get("function")
        name = function.get("name") if isinstance(function, Mapping) else value.get("name")
        if isinstance(name, str) and name:
            return ToolChoice("named", name)
        word = value.get("type")
        return ToolChoice(_WORDS[word]) if isinstance(word, str) and word in _WORDS else None
    if isinstance(value, str):
        return ToolChoice(_WORDS[value]) if value in _WORDS else ToolChoice("named", value)
    if value is None or isinstance(value, bool):
        return ToolChoice("any" if value else "auto")
    return None


@dataclass(frozen=True)
class ResponseFormat:
    """A demand for JSON as the final text.

    Attributes:
        schema: The JSON schema it has to fit; None for any JSON object.
        strict: As in ``Demand``, of the JSON alone.
    """

    schema: Mapping[str, JSONValue] | None = None
    strict: bool = False

    def instruction(self) -> str:
        """Return the sentence that tells a model about the demand."""
        if self.schema is None:
            return "Answer with one JSON object and nothing else."
        schema = json.dumps(self.schema, ensure_ascii=False)
        return f"Answer with one JSON value and nothing else. It fits this schema: {schema}"


def read_response_format(value: Mapping[str, Any] | None) -> ResponseFormat | None:
    """Read OpenAI's ``response_format``.

    Args:
        value: ``{"type": "json_schema", "json_schema": {"schema": …}}``, or flat as its Responses
            have it, ``{"type": "json_schema", "schema": …}``; ``{"type": "json_object"}``, to which
            llama.cpp's ``"schema"`` may be added; ``{"type": "text"}`` or None.

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
    if kind == "json_schema" and isinstance(outer := value.get("json_schema", value), Mapping):
        schema = outer.get("schema")
        if isinstance(schema, Mapping):
            return ResponseFormat(schema, strict=outer.get("strict") is True)
    raise UnsupportedOptionError(
        f"response_format={value!r} is not understood. Pass "
        '{"type": "json_schema", "json_schema": {"name": …, "schema": {…}}} or '
        '{"type": "json_object"}, or use with_structured_output().'
    )


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What one answer has to be.

    Attributes:
        choice: Whether it has to call, and what.
        response: What JSON takes the place of its text, not of its calls; None for free text.
        strict: True: calls have to fit their schemas; False leaves them to chance, where nothing
            else is demanded of them; None holds them to what a grammar can say.
        parallel: Whether it may hold several calls.
    """

    choice: ToolChoice = ToolChoice()
    response: ResponseFormat | None = None
    strict: bool | None = None
    parallel: bool = True

    @property
    def strict_response(self) -> bool:
        """Whether the JSON has to fit its schema, whatever holds for calls."""
        return self.response is not None and (self.strict is True or self.response.strict)


def read_demand(options: Mapping[str, Any], functions: Bound) -> Demand:
    """Read ``tool_choice``, ``response_format``, ``strict`` and ``parallel_tool_calls``.

    Args:
        options: Of ``bind_tools`` or a call; what is not given is not demanded.
        functions: The bound tools.

    Raises:
        UnknownToolError: See ``read_tool_choice``.
        UnsupportedOptionError: See ``read_tool_choice`` and ``read_response_format``.
    """
    choice = options.get("tool_choice")
    # Anthropic's choice says it itself.
    single = isinstance(choice, Mapping) and choice.get("disable_parallel_tool_use") is True
    return Demand(
        choice=read_tool_choice(choice, functions),
        response=read_response_format(options.get("response_format")),
        strict=options.get("strict"),
        parallel=options.get("parallel_tool_calls") is not False and not single,
    )
