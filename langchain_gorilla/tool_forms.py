"""A tool in any form, taken apart: its name, its description, its parameters.

The forms are

- LangChain tools, without what is injected (state, config, runtime), and runnables as tools;
- Pydantic models (v1 and v2), TypedDicts, dataclasses and other classes, functions;
- OpenAI dicts, new (``{"type": "function", "function": {…}}``), legacy (``{"name", …}``) and of
  structured output (``{"name", "schema"}``);
- JSON schemas with a ``title``; tools in the forms of MCP (``inputSchema``), Anthropic
  (``input_schema``) and Amazon Bedrock (``toolSpec``);
- Gorilla's API documents: ``name`` is a title there, ``api_call`` or ``api_name`` what is called.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from functools import wraps
from inspect import Parameter, getdoc, iscoroutinefunction, signature
from typing import Any, Final, NamedTuple, get_args, get_origin, get_type_hints

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool, Tool
from langchain_core.utils.function_calling import convert_to_openai_function
from pydantic import BaseModel, TypeAdapter
from pydantic.dataclasses import is_pydantic_dataclass
from pydantic.errors import PydanticUserError
from pydantic.v1 import BaseModel as BaseModelV1
from typing_extensions import is_typeddict

from langchain_gorilla.aliases import rename_properties
from langchain_gorilla.docstring_styles import as_google
from langchain_gorilla.errors import InvalidFunctionError
from langchain_gorilla.typed_dicts import typed_dict_model

_BLANK_LINES: Final = re.compile(r"(?m)^(?:[ \t]*\n)+(?=[ \t])")
_PARAMETERS: Final = ("parameters", "inputSchema", "input_schema", "schema")
"""The keys under which a dict's parameters are looked for, the first that is there."""

_OBJECT_KEYWORDS: Final = frozenset(
    {"properties", "patternProperties", "$ref", "anyOf", "oneOf", "allOf"}
)
"""Keywords by which a dict without a type is the schema of an object itself."""

_RESULTS: Final = frozenset({"outputSchema", "output_schema", "response", "responses", "returns"})
"""Keys that may hold the schema of what a tool gives, which a model does not read."""

_RESERVED: Final = {
    "args": None,
    "kwargs": None,
    "self": None,
    "config": "RunnableConfig",
    "callbacks": "Callback",
    "run_manager": "Manager",
    "runtime": "Runtime",
}
"""Names that LangChain and LangGraph fill in themselves, or pass to their own tools: a parameter of
that name would lose its argument, unless its annotation asks for what they give (None: nothing)."""


class ToolParts(NamedTuple):
    """A tool taken apart, before its parts are checked.

    Attributes:
        name: What it is called by.
        description: None where it has none.
        parameters: A schema in any dialect that ``dialects`` reads.
        generated: The schema was made from Python code, by Pydantic.
    """

    name: Any
    description: Any
    parameters: Any
    generated: bool = False


def tool_parts(tool: Any) -> ToolParts:
    """Take one tool apart, of any kind named in this module's docstring.

    Raises:
        InvalidFunctionError: It is of another kind, or no JSON schema can be made for it.
    """
    if isinstance(tool, Mapping):
        return _document_parts(tool)
    if isinstance(tool, BaseTool):
        return _langchain_parts(tool)
    if isinstance(tool, type) and (
        issubclass(tool, BaseModel | BaseModelV1) or is_pydantic_dataclass(tool)
    ):
        return _model_parts(tool)
    if is_typeddict(tool):
        with _explained(tool):
            model = typed_dict_model(tool)
            return ToolParts(tool.__name__, model.__doc__, model.model_json_schema(), True)
    for attribute in ("inputSchema", "input_schema"):
        if hasattr(tool, attribute) and not isinstance(tool, type):
            return ToolParts(
                getattr(tool, "name", None),
                getattr(tool, "description", None),
                getattr(tool, attribute),
            )
    if isinstance(tool, type) and issubclass(tool, Enum):
        raise InvalidFunctionError(
            f"{tool.__name__!r:.120} is an Enum, which has values and takes no arguments. Make it "
            f"the type of a parameter, or of a field: class Answer(BaseModel): value: "
            f"{tool.__name__:.120}."
        )
    if callable(tool) and get_origin(tool) is None:
        return _callable_parts(tool)
    raise InvalidFunctionError(
        f"A tool is {tool!r:.120}, of type {type(tool).__name__}. Expected a LangChain tool, a "
        "Pydantic model class, a TypedDict, a function, an MCP tool, or a dict: OpenAI function, "
        "JSON schema with a title, MCP or Anthropic tool, Gorilla API document. A runnable "
        "becomes a tool by its as_tool()."
    )


def _document_parts(tool: Mapping[str, Any]) -> ToolParts:
    """Take a dict apart, whichever vendor's form it has."""
    if isinstance(function := tool.get("function"), Mapping):
        if beside := next(
            (key for key in _PARAMETERS if key in tool.keys() - function.keys()), None
        ):
            raise InvalidFunctionError(
                f"The tool {function.get('name')!r:.120} has {beside!r} beside its 'function', "
                "where nothing reads it. Put it inside."
            )
        tool = function
    elif isinstance(bedrock := tool.get("toolSpec"), Mapping):
        schema = bedrock.get("inputSchema")
        tool = {
            **bedrock,
            "inputSchema": schema.get("json") if isinstance(schema, Mapping) else schema,
        }
    schema_key = next((key for key in _PARAMETERS if key in tool), None)
    if schema_key is None and tool.get("type", "function") not in ("function", "object", "dict"):
        raise InvalidFunctionError(
            f"A tool has the type {tool['type']!r:.120} and no parameters. Tools that a vendor "
            "hosts do not run with a local model: pass a function with a JSON schema. For an "
            "answer that is no object pass method='json_schema' to with_structured_output."
        )
    callee, name, title = tool.get("api_call") or tool.get("api_name"), tool.get("name"), None
    if callee is not None:
        name, title = callee, name
    elif name is None:
        name = tool.get("title")
    parameters = tool.get(schema_key) if schema_key else _own_schema(tool)
    if schema_key is None and parameters is None and callee is None:
        _refuse_misspelled(tool, name)
    description = tool.get("description")
    if isinstance(title, str) and title != name:
        # The model reads the title nowhere else, and it often says what a service is.
        description = f"{title}: {description}" if description else title
    return ToolParts(name, description, parameters)


def _own_schema(tool: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return a dict that is a JSON schema itself without the keys that name and describe it.

    Raises:
        InvalidFunctionError: It is the schema of a plain value.
    """
    if _OBJECT_KEYWORDS.isdisjoint(tool) and tool.get("type") != "object":
        if {"enum", "const"}.isdisjoint(tool):
            return None
        raise InvalidFunctionError(
            f"The schema {tool.get('title', tool.get('name'))!r:.120} is one of a plain value, and "
            "a function takes named arguments. Put it under 'properties', or pass "
            "method='json_schema' to with_structured_output."
        )
    return {
        key: value for key, value in tool.items() if key not in ("name", "title", "description")
    }


def _refuse_misspelled(tool: Mapping[str, Any], name: Any) -> None:
    """Refuse a schema of arguments under an unknown key: the tool would silently take nothing."""
    for key, value in tool.items():
        if key not in _RESULTS and _looks_like_parameters(str(key), value):
            raise InvalidFunctionError(
                f"The tool {name!r:.120} has no parameters, but its key {key!r:.120} holds what "
                f"looks like their schema. They are read from one of {', '.join(_PARAMETERS)}: "
                "rename the key, or leave it out."
            )


def _looks_like_parameters(key: str, value: Any) -> bool:
    """Tell whether a value is a schema of an object, or under such a key lists parameters."""
    if isinstance(value, Mapping) and (
        "properties" in value or str(value.get("type")).lower() in ("object", "dict")
    ):
        return True
    if not key.lower().startswith(("param", "arg", "input")):
        return False
    each = value.values() if isinstance(value, Mapping) else value
    if not isinstance(each, Collection) or not each:
        return False
    return all(isinstance(one, Mapping) for one in each)


def _langchain_parts(tool: BaseTool) -> ToolParts:
    if isinstance(tool, Tool) and tool.args_schema is None:
        # LangChain's tools of one unnamed string; they take it as __arg1.
        parameters: Any = convert_to_openai_function(tool)["parameters"]
    else:
        with _explained(tool):
            parameters = _without_config(tool.tool_call_schema)
        # LangChain names the fields; the tool would take a value under the name of one that has
        # an alias for an unknown key, and run with the default.
        fields = getattr(tool.args_schema, "model_fields", {})
        aliases = {name: field.validation_alias for name, field in fields.items()}
        names = {name: alias for name, alias in aliases.items() if isinstance(alias, str)}
        if names:
            parameters = rename_properties(parameters, names)
    return ToolParts(tool.name, tool.description, parameters, generated=True)


def _model_parts(model: type) -> ToolParts:
    with _explained(model):
        schema = _generated_schema(model)
    # A recursive model is a reference into its own $defs, where its description is.
    definitions = schema.get("$defs") or schema.get("definitions", {})
    described = definitions.get(model.__name__, {}) if "$ref" in schema else schema
    name = described.get("title", model.__name__)
    return ToolParts(name, described.get("description"), schema, generated=True)


def _callable_parts(function: Callable[..., Any]) -> ToolParts:
    name = getattr(function, "__name__", None)
    if not isinstance(name, str) or name == "<lambda>":
        raise InvalidFunctionError(
            f"A tool is {function!r:.120}, which has no name. Pass a function, or make a tool of "
            "it: StructuredTool.from_function(func=…, name=…, description=…)."
        )
    named = called_by_name(function)
    # LangChain's own tool leaves out what is injected and reads the docstring's Args.
    with _explained(function):
        is_async = iscoroutinefunction(function)
        read = _with_documented_hints(named)
        tool = StructuredTool.from_function(
            func=None if is_async else read,
            coroutine=read if is_async else None,
            name=name,
            description=name,
            parse_docstring=True,
        )
        parameters = _without_config(tool.tool_call_schema)
        # Of the docstring only what stands before its Args.
        description = getattr(tool.args_schema, "__doc__", None)
    return ToolParts(name, description, parameters, generated=True)


def called_by_name(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function without the parameters that no name gives, as LangChain calls it.

    LangChain would give them too, by name: None for ``**fields``, an error for ``*more``.

    Raises:
        InvalidFunctionError: No call could give what the function needs.
    """
    try:
        whole = signature(function)
    except ValueError:  # Of some builtins nobody knows.
        return function
    parameters = [*whole.parameters.values()]
    by_name = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    named = [one for one in parameters if one.kind in by_name]
    by_place = [
        one.name
        for one in parameters
        if (one.kind is one.POSITIONAL_ONLY and one.default is one.empty)
        or (one.kind is one.VAR_POSITIONAL and not named)
    ]
    taken = [
        one.name
        for one in named
        if (one.name in _RESERVED and not _asks_for_its_own(one))
        # Pydantic takes these for private and leaves them out.
        or (one.name.startswith("_") and one.default is one.empty)
    ]
    for found, problem in (
        (by_place, "is given by its place"),
        (taken, "is a name that LangChain keeps for itself"),
    ):
        if found:
            raise InvalidFunctionError(
                f"The function {function.__name__!r} cannot be called by LangChain, which gives "
                f"arguments by name: {found[0]!r} {problem}. Write a function around it, with "
                "parameters of other names, or take tools_from_module."
            )
    if len(named) == len(parameters):
        return function

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    called.__signature__ = whole.replace(parameters=named)  # type: ignore[attr-defined]
    return called


def _asks_for_its_own(parameter: Parameter) -> bool:
    """Tell whether a parameter of a reserved name is annotated as what LangChain gives there."""
    given = _RESERVED[parameter.name]
    return given is not None and given in str(parameter.annotation)


def _with_documented_hints(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as LangChain reads it, whatever its docstring's Args describe.

    LangChain refuses a function where one of them has no type hint: a parameter without one,
    ``**kwargs``, or a name that is no parameter. A hint for what is no parameter changes nothing.
    What stands behind a blank line in Args would be lost, and Args without one before it too, and
    parameters in the styles of NumPy, Sphinx and Epydoc would be a part of the description.
    Of a class it reads the attributes' hints, not those of what the class is called with.
    """
    source: Any = function
    hints = get_type_hints(source, include_extras=True)
    if is_class := isinstance(source, type):
        for maker in (source.__new__, source.__init__):  # type: ignore[misc]
            hints |= get_type_hints(maker, include_extras=True)
    written = getdoc(function) or ""
    docstring = as_google(written)
    # Of the docstring it reads Args as a paragraph of its own, up to the first blank line.
    head, args, rest = f"\n{docstring}".partition("\nArgs:\n")
    if args:
        docstring = f"{head.rstrip()}\n{args}{_BLANK_LINES.sub('', rest)}".strip()
    described: set[str] = set()
    for line in docstring.partition("Args:")[2].splitlines():
        name, colon, _ = line.partition(":")
        if colon:
            described |= {name.strip(), name.split(" (")[0].strip()}
    if described <= hints.keys() and docstring == written and not is_class:
        return function

    @wraps(function)
    def read(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    read.__doc__ = docstring
    read.__annotations__ = {**dict.fromkeys(described, Any), **hints}
    return read


def _generated_schema(model: Any) -> Mapping[str, Any]:
    """Return the JSON schema of a Pydantic model or dataclass, or the dict in its place."""
    if isinstance(model, Mapping):
        return model
    if is_pydantic_dataclass(model):
        return TypeAdapter(model).json_schema()
    schema: Mapping[str, Any] = (
        model.schema() if issubclass(model, BaseModelV1) else model.model_json_schema()
    )
    return schema


def _without_config(model: Any) -> Mapping[str, Any]:
    """Return the schema without a ``RunnableConfig``.

    LangChain leaves it in what it reads of a tool's own ``_run``, and where it may be None.
    """
    schema = _generated_schema(model)
    configs = {
        name
        for name, field in getattr(model, "model_fields", {}).items()
        if RunnableConfig in (field.annotation, *get_args(field.annotation))
    }
    if not configs:
        return schema
    left_out = {"$defs": {RunnableConfig.__name__}, "properties": configs}
    kept = {
        **schema,
        "required": [each for each in schema.get("required", ()) if each not in configs],
    }
    for key, names in left_out.items():
        kept[key] = {name: each for name, each in schema[key].items() if name not in names}
    return {key: value for key, value in kept.items() if value}


@contextmanager
def _explained(tool: Any) -> Iterator[None]:
    """Turn what Pydantic and LangChain raise about a signature into InvalidFunctionError."""
    try:
        yield
    except (PydanticUserError, KeyError, NameError, TypeError, ValueError, RecursionError) as error:
        raise InvalidFunctionError(
            f"No JSON schema can be made for {tool!r:.120}: {error}. Give every parameter a type "
            "that JSON can carry, or pass a dict with a JSON schema."
        ) from error
