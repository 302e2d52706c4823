"""Functions that a model may call, from whatever the caller has.

``FunctionSchema`` is one function, made of a tool in any form (``tool_forms``) with parameters in
any dialect (``dialects``). ``FunctionSet`` holds the functions of one request and the names under
which the model writes them.
"""

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel

from langchain_gorilla.aliases import dotted_identifier, identifier, openai_name, rename_properties
from langchain_gorilla.calls import FunctionCall, JSONValue
from langchain_gorilla.dialects import parameters_schema
from langchain_gorilla.errors import DuplicateFunctionError, InvalidFunctionError
from langchain_gorilla.tool_forms import tool_parts


@dataclass(frozen=True)
class FunctionSchema:
    """One function: what it is called, what it does, what it takes. Treat it as read-only.

    Attributes:
        name: Unique in its set.
        description: For the model; may be empty.
        parameters: A JSON schema of type ``object``, in JSON Schema's own type names.
    """

    name: str
    description: str
    parameters: Mapping[str, JSONValue]

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    @property
    def properties(self) -> Mapping[str, Mapping[str, JSONValue]]:
        """Parameter name to its JSON schema, in the order of the documentation."""
        properties: Mapping[str, Mapping[str, JSONValue]] = self.parameters.get("properties", {})
        return properties

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the parameters that every call must give."""
        return tuple(self.parameters.get("required", ()))

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Every parameter that the schema names, in ``anyOf`` and its like too."""
        return tuple(dict.fromkeys(_named(self.parameters)))

    @cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 of ``document()``; the order of its keys counts, as it does in a prompt."""
        document = json.dumps(self.document(), separators=(",", ":"))
        return hashlib.sha256(document.encode()).hexdigest()

    def document(self) -> dict[str, JSONValue]:
        """Return ``{"name", "description", "parameters"}``: what a prompt shows of it."""
        return {
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }


def function_schema(tool: Any) -> FunctionSchema:
    """Convert one tool, in any form that ``tool_forms`` names.

    A ``FunctionSchema`` is returned as it is.

    Raises:
        InvalidFunctionError: The tool has no usable name or JSON schema, or is of another kind.
    """
    if isinstance(tool, FunctionSchema):
        return tool
    parts = tool_parts(tool)
    name = _checked_name(parts.name, tool)
    description = "" if parts.description is None else parts.description
    if not isinstance(description, str):
        raise InvalidFunctionError(
            f"The description of tool {name!r} is {description!r:.120}. Expected a string."
        )
    try:
        description.encode()
    except UnicodeEncodeError as error:
        raise InvalidFunctionError(
            f"The description of tool {name!r} is no valid Unicode text: {error}."
        ) from error
    schema = parameters_schema(parts.parameters, name, generated=parts.generated)
    return FunctionSchema(name, description, schema)


def _checked_name(name: Any, tool: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise InvalidFunctionError(
            f"A tool has no name: {tool!r:.200}. Give it one: 'name' in a dict, 'title' in a JSON "
            "schema, name= in a LangChain tool."
        )
    # Cc control, Cs lone surrogates, Zl and Zp line breaks: no prompt can carry them in a name.
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name):
        raise InvalidFunctionError(
            f"The tool name {name!r:.120} holds a line break or control character. Use letters, "
            "digits, dots and underscores."
        )
    if "(" in name:
        raise InvalidFunctionError(
            f"The tool name {name!r:.120} is a call, not a name. Give the name alone, and describe "
            "its arguments under 'parameters'; API-zoo files are read by "
            "sources.gorilla_documents.tools_from_gorilla_documents."
        )
    return name


def check_several(tools: Any) -> None:
    """Raise InvalidFunctionError where a single tool stands in the place of several."""
    if isinstance(tools, str | Mapping | BaseModel) or not isinstance(tools, Iterable):
        raise InvalidFunctionError(
            f"The tools are {tools!r:.120}, of type {type(tools).__name__}. Expected a list: put "
            "a single tool into brackets, [tool]."
        )


def function_set(tools: Iterable[Any]) -> "FunctionSet":
    """Convert the tools of one request; one that is given twice, in any two forms, counts once.

    Raises:
        InvalidFunctionError: See ``function_schema``; or a single tool was given.
        DuplicateFunctionError: Two different tools have one name.
    """
    check_several(tools)
    found: list[FunctionSchema] = []
    documents: dict[str, JSONValue] = {}
    for function in map(function_schema, tools):
        document = without_titles(function.document())
        known = documents.setdefault(function.name, document)
        if known is document or known != document:  # FunctionSet refuses the latter.
            found.append(function)
    return FunctionSet(found)


def without_titles(value: JSONValue) -> JSONValue:
    """Return a copy of a JSON schema without the titles that Pydantic writes into it."""
    if isinstance(value, Mapping):
        return {
            key: without_titles(inner)
            for key, inner in value.items()
            if key != "title" or not isinstance(inner, str)
        }
    return [without_titles(inner) for inner in value] if isinstance(value, list) else value


class FunctionSet:
    """The functions of one request, with a written name for each.

    A model writes Python, so a name or parameter that is no (dotted) Python identifier gets an
    alias: ``get-weather`` is written ``get_weather``, ``from`` is written ``from_``. The mapping
    is reversible; a collision is an error that names both. With ``style="openai"`` names are
    written as OpenAI's servers accept them, ``[A-Za-z0-9_-]{1,64}``, and parameters as they are.

    Attributes:
        functions: As given, under their true names.
        written: The same, in the same order, under the names that the model writes.
        aliases: Written name to true name of the functions whose names differ.
    """

    functions: tuple[FunctionSchema, ...]
    written: tuple[FunctionSchema, ...]
    aliases: Mapping[str, str]

    def __init__(
        self,
        functions: Iterable[FunctionSchema],
        *,
        style: Literal["python", "openai"] = "python",
    ) -> None:
        """Choose the aliases.

        Args:
            functions: In the order in which the model reads them.
            style: What the names are written for.

        Raises:
            DuplicateFunctionError: Two functions, or two parameters of one function, have the
                same name or the same alias.
        """
        self.functions = tuple(functions)
        self._style = style
        self._by_name: dict[str, FunctionSchema] = {}
        for function in self.functions:
            if function.name in self._by_name:
                raise DuplicateFunctionError(
                    f"Two tools are named {function.name!r}. A model knows tools by their names "
                    "only: rename one, or leave one out."
                )
            self._by_name[function.name] = function
        self._written_names = _aliases(
            self._by_name, dotted_identifier if style == "python" else openai_name, "Tools"
        )
        self.aliases = {written: true for true, written in self._written_names.items()}
        # Function name to true parameter name to written one, for those that differ.
        self._written_parameters = {
            function.name: names
            for function in self.functions
            if style == "python" and (names := _parameter_aliases(function))
        }
        self.written = tuple(map(self._as_written, self.functions))

    @property
    def names(self) -> tuple[str, ...]:
        """True names, in the order of the functions."""
        return tuple(self._by_name)

    def find(self, name: str) -> FunctionSchema | None:
        """Return the function with this true or written name, under its true name."""
        return self._by_name.get(self.aliases.get(name, name))

    def written_name(self, name: str) -> str:
        """Return how the model writes this true name; other names stay."""
        return self._written_names.get(name, name)

    def written_parameter(self, function: FunctionSchema, parameter: str) -> str:
        """Return how the model writes this parameter of a function under its true name."""
        return self._written_parameters.get(function.name, {}).get(parameter, parameter)

    def as_written(self, call: FunctionCall) -> FunctionCall:
        """Rename a call and its arguments from true to written names; others stay."""
        if (function := self.find(call.name)) is None:
            return call
        names = self._written_parameters.get(function.name, {})
        return FunctionCall(self.written_name(function.name), _renamed(call.arguments, names))

    def as_true(self, call: FunctionCall) -> FunctionCall:
        """Rename a call and its arguments from written to true names; true ones stay.

        An unknown name stays too. An argument that is given under both names keeps both, so
        that none is lost: ``validate_call`` then refuses the call.
        """
        if (function := self.find(call.name)) is None:
            return call
        names = self._written_parameters.get(function.name, {})
        reverse = {written: true for true, written in names.items()}
        return FunctionCall(function.name, _renamed(call.arguments, reverse))

    @cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 of all functions in their order, and of how their names are written."""
        parts = [self._style, *(function.fingerprint for function in self.functions)]
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()

    def _as_written(self, function: FunctionSchema) -> FunctionSchema:
        names = self._written_parameters.get(function.name)
        if names is None and function.name not in self._written_names:
            return function
        parameters = rename_properties(function.parameters, names) if names else function.parameters
        return replace(function, name=self.written_name(function.name), parameters=parameters)


def _aliases(
    names: Iterable[str], written: Callable[[str], str], what: str, where: str = ""
) -> dict[str, str]:
    """Return true name to alias for the names that are written differently."""
    owners = {name: name for name in names}
    result: dict[str, str] = {}
    for name in list(owners):
        if (alias := written(name)) == name:
            continue
        if alias in owners:
            raise DuplicateFunctionError(
                f"{what} {name!r} and {owners[alias]!r}{where} would both be written {alias!r} in a "
                "call. Rename one."
            )
        owners[alias] = name
        result[name] = alias
    return result


def _parameter_aliases(function: FunctionSchema) -> dict[str, str]:
    where = f" of tool {function.name!r}"
    return _aliases(function.parameter_names, identifier, "Parameters", where)


def _named(schema: Any) -> Iterator[str]:
    """Yield the parameters that a schema of arguments names, ``$ref`` not followed."""
    if isinstance(schema, Mapping):
        yield from schema.get("properties", ())
        yield from schema.get("required", ())
        for keyword in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(keyword, ()):
                yield from _named(part)


def _renamed(arguments: Mapping[str, JSONValue], names: Mapping[str, str]) -> dict[str, JSONValue]:
    return {
        old if (new := names.get(old, old)) in arguments else new: value
        for old, value in arguments.items()
    }
