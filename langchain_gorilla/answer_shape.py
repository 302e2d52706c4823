"""The JSON schema that a structured answer has to fit, and what checks an answer against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import RootModel

from langchain_gorilla.calls import FunctionCall, JSONValue
from langchain_gorilla.dialects import parameters_schema
from langchain_gorilla.errors import InvalidFunctionError
from langchain_gorilla.functions import FunctionSchema, FunctionSet, function_schema
from langchain_gorilla.reasons import shown
from langchain_gorilla.validation import InvalidCall, validate_call

_ROOT: Final = "answer"
_VENDORS: Final = frozenset({"name", "function", "toolSpec"})
"""Keys of dicts that are no JSON schema but hold one."""


@dataclass(frozen=True)
class Shape:
    """A JSON schema as a function whose arguments are the answer, so that calls and JSON agree.

    Attributes:
        functions: The function, alone.
        wrapped: The answer is its only argument, ``answer``: the schema may be of no object.
    """

    functions: FunctionSet
    wrapped: bool

    def checked(self, value: JSONValue) -> FunctionCall | InvalidCall:
        """Check an answer as ``validate_call`` does."""
        name = self.functions.names[0]
        if self.wrapped:
            value = {_ROOT: value}
        if not isinstance(value, dict):
            return InvalidCall(name, {}, f"Got {shown(value)}, expected an object.")
        return validate_call(FunctionCall(name, value), self.functions)

    def answer(self, checked: FunctionCall) -> JSONValue:
        """Give the answer that was checked."""
        return checked.arguments[_ROOT] if self.wrapped else dict(checked.arguments)


def shape_of(schema: Mapping[str, Any] | None) -> Shape | None:
    """Return what checks the answers to a schema; None where it lets every JSON pass.

    Raises:
        InvalidFunctionError: It is no schema.
    """
    if schema is None or schema.keys() <= {"title", "description"}:
        return None
    name = schema["title"]
    wrapped = schema.get("type", "object" if "properties" in schema else None) != "object"
    if wrapped:
        schema = {"properties": {_ROOT: _moved(schema)}, "required": [_ROOT]}
    function = FunctionSchema(name, "", parameters_schema(schema, name))
    # OpenAI's style renames no parameters: the answer is JSON, not Python.
    return Shape(FunctionSet([function], style="openai"), wrapped)


def _moved(value: Any) -> Any:
    """Let a schema's references lead to where it stands as the answer's."""
    if isinstance(value, Mapping):
        return {
            key: f"#/properties/{_ROOT}{inner[1:]}"
            if key == "$ref" and isinstance(inner, str) and (inner == "#" or inner[:2] == "#/")
            else _moved(inner)
            for key, inner in value.items()
        }
    return [_moved(inner) for inner in value] if isinstance(value, list) else value


def schema_of(schema: Mapping[str, Any] | type) -> dict[str, Any]:
    """Return the JSON schema of an answer, with its title.

    LangChain's converter keeps of a dict only what has ``properties``, and of a class that
    refers to itself not what it refers to: it is left with dicts in vendors' forms.

    Raises:
        InvalidFunctionError: None can be made.
    """
    if isinstance(schema, type):
        return _class_schema(schema)
    if isinstance(schema, Mapping):
        if "title" in schema and _VENDORS.isdisjoint(schema):
            return dict(schema)
        if isinstance(inner := schema.get("schema"), Mapping):
            return {"title": schema.get("name", _ROOT), **inner}
    try:
        return convert_to_json_schema(cast("Any", schema))
    except (ValueError, TypeError) as error:
        raise InvalidFunctionError(
            f"No JSON schema can be made of {schema!r:.120}. Expected a Pydantic class, a "
            "TypedDict, an OpenAI function, or a JSON schema with a title. Put a list or a union "
            "into a class: class Answer(RootModel[list[str]]), or a field of a BaseModel."
        ) from error


def _class_schema(schema: type) -> dict[str, Any]:
    if issubclass(schema, RootModel):
        return {"title": schema.__name__, **schema.model_json_schema()}
    function = function_schema(schema)
    described = {"description": function.description} if function.description else {}
    return {"title": function.name, **described, **function.parameters}
