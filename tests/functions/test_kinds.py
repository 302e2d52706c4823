"""Every kind of tool becomes the same FunctionSchema; what cannot is refused with advice."""

import functools
import inspect
import typing
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Annotated, Any, Literal, Optional

import pydantic.dataclasses
import pydantic.v1
import pytest
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import BaseTool, InjectedToolArg, StructuredTool, Tool, tool
from langgraph.prebuilt import InjectedState, ToolRuntime
from pydantic import BaseModel, Field
from typing_extensions import NotRequired, Required, TypedDict

from langchain_gorilla.errors import InvalidFunctionError
from langchain_gorilla.functions import FunctionSchema, function_schema

WEATHER_PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"description": "Where.", "type": "string"},
        "days": {"default": 1, "type": "integer"},
    },
    "required": ["city"],
}


class Weather(BaseModel):
    """Tell the weather."""

    city: str = Field(description="Where.")
    days: int = 1


class WeatherV1(pydantic.v1.BaseModel):
    """Tell the weather."""

    city: str = pydantic.v1.Field(description="Where.")
    days: int = 1

    class Config:
        title = "Weather"


class WeatherDict(TypedDict):
    """Tell the weather."""

    city: Annotated[str, ..., "Where."]
    days: Annotated[int, 1]


@tool("Weather", parse_docstring=True)
def weather_tool(city: str, days: int = 1) -> str:
    """Tell the weather.

    Args:
        city: Where.
    """
    return f"{city} {days}"


def weather(city: str, days: int = 1) -> str:
    """Tell the weather.

    Args:
        city: Where.
    """
    return f"{city} {days}"


async def weather_later(city: str, days: int = 1) -> str:
    """Tell the weather.

    Args:
        city: Where.
    """
    return f"{city} {days}"


def document(**parts: Any) -> dict[str, Any]:
    return {"name": "Weather", "description": "Tell the weather.", **parts}


KINDS = {
    "pydantic v2": Weather,
    "pydantic v1": WeatherV1,
    "typed dict": WeatherDict,
    "tool": weather_tool,
    "function": weather,
    "async function": weather_later,
    "tool with a dict schema": StructuredTool(
        name="Weather", description="Tell the weather.", args_schema=WEATHER_PARAMETERS
    ),
    "openai": {"type": "function", "function": document(parameters=WEATHER_PARAMETERS)},
    "openai responses": {"type": "function", **document(parameters=WEATHER_PARAMETERS)},
    "openai legacy": document(parameters=WEATHER_PARAMETERS),
    "json schema with a title": {
        "title": "Weather",
        "description": "Tell the weather.",
        **WEATHER_PARAMETERS,
    },
    "mcp dict": document(inputSchema=WEATHER_PARAMETERS),
    "mcp object": SimpleNamespace(**document(inputSchema=WEATHER_PARAMETERS)),
    "anthropic": document(input_schema=WEATHER_PARAMETERS),
    "openai structured output": document(schema=WEATHER_PARAMETERS, strict=True),
    "bedrock": {"toolSpec": document(inputSchema={"json": WEATHER_PARAMETERS})},
    "gorilla, object": {
        "api_name": "Weather",
        "description": "Tell the weather.",
        "parameters": WEATHER_PARAMETERS,
    },
    "gorilla, list": {
        "api_call": "Weather",
        "description": "Tell the weather.",
        "parameters": [
            {"name": "city", "description": "Where.", "type": "str", "required": True},
            {"name": "days", "default": 1, "type": "int"},
        ],
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_function(kind: str) -> None:
    function = function_schema(KINDS[kind])

    assert function.name.lower().startswith("weather")
    assert function.description == "Tell the weather."
    assert function.parameters == WEATHER_PARAMETERS
    assert list(function.properties) == ["city", "days"]
    assert function.required == ("city",)


def test_a_function_schema_is_returned_as_it_is() -> None:
    function = function_schema(Weather)

    assert function_schema(function) is function


def test_the_document_has_its_keys_in_the_order_of_the_prompt() -> None:
    assert list(function_schema(Weather).document()) == ["name", "description", "parameters"]


def test_injected_arguments_are_left_out() -> None:
    def search(
        query: str,
        config: RunnableConfig,
        runtime: ToolRuntime,
        state: Annotated[dict[str, Any], InjectedState],
        secret: Annotated[str, InjectedToolArg],
    ) -> str:
        """Search."""
        return query

    for kind in (search, tool(search)):
        assert list(function_schema(kind).properties) == ["query"]


def test_a_tool_is_offered_under_the_aliases_that_it_reads() -> None:
    class Trip(BaseModel):
        start: str = Field(alias="from")
        hours: int = Field(1, alias="max")

    @tool(args_schema=Trip)
    def book(start: str, hours: int) -> str:
        """Book a trip."""
        return f"{start} {hours}"

    function = function_schema(book)
    assert (list(function.properties), function.required) == (["from", "max"], ("from",))
    assert book.invoke({"from": "Oslo", "max": 3}) == "Oslo 3"


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
def test_a_runnable_is_taken_as_a_tool() -> None:
    runnable = RunnableLambda(lambda given: given["a"]).as_tool(
        name="first", description="Take the first.", arg_types={"a": int}
    )

    assert function_schema(runnable).parameters == {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
    }


def test_a_single_input_tool_takes_langchains_unnamed_argument() -> None:
    single: BaseTool = Tool(name="echo", description="Echo.", func=str)

    assert function_schema(single).required == ("__arg1",)


def test_a_dataclass_is_called_with_its_fields() -> None:
    @dataclass
    class Point:
        """A point."""

        x: int
        y: int = 0

    function = function_schema(Point)

    assert (function.name, function.required) == ("Point", ("x",))


def test_pydantics_dataclass_is_called_with_its_fields() -> None:
    @pydantic.dataclasses.dataclass
    class Point:
        """A point."""

        x: Annotated[int, Field(ge=1)]
        y: int = 0

    function = function_schema(Point)

    assert (function.name, function.description) == ("Point", "A point.")
    assert function.properties == {
        "x": {"type": "integer", "minimum": 1},
        "y": {"type": "integer", "default": 0},
    }
    assert function.required == ("x",)


class Account:
    """An account."""

    owner: bytes

    def __init__(self, owner: str, limit: int = 0) -> None:
        self.owner = owner.encode()


def test_a_class_is_called_with_what_it_is_made_of() -> None:
    assert function_schema(Account).properties == {
        "owner": {"type": "string"},
        "limit": {"type": "integer", "default": 0},
    }


def test_a_recursive_model_keeps_its_definitions() -> None:
    class Node(BaseModel):
        """A node."""

        name: str
        children: "list[Node]" = []

    function = function_schema(Node)

    assert function.description == "A node."
    assert list(function.properties) == ["name", "children"]
    assert function.properties["children"]["items"] == {"$ref": "#/$defs/Node"}
    assert "Node" in function.parameters["$defs"]


class NodeV1(pydantic.v1.BaseModel):
    """A node."""

    children: "list[NodeV1]" = []


NodeV1.update_forward_refs()


def test_a_recursive_model_of_pydantic_v1_keeps_its_description() -> None:
    assert function_schema(NodeV1).description == "A node."


def test_blank_lines_around_args_lose_no_description() -> None:
    def roomy(city: str, days: int, unit: str) -> None:
        """Tell the weather.
        Args:

            city: Where.

            days: How far ahead.

                Ten at most.

            unit: Celsius or not.

        Returns:
            Nothing: it is printed.
        """

    def narrow(city: str, days: int, unit: str) -> None:
        """Tell the weather.

        Args:
            city: Where.
            days: How far ahead.
                Ten at most.
            unit: Celsius or not.
        """

    narrow.__name__ = "roomy"
    assert function_schema(roomy) == function_schema(narrow)
    assert function_schema(roomy).properties["unit"]["description"] == "Celsius or not."


def test_a_docstring_may_describe_what_has_no_hint_or_is_no_parameter() -> None:
    def send(to, text: str = "", **more: int) -> None:
        """Send a text.

        Args:
            to: Whom to.
            text (str): What,
                in words: all of it.
            cc: Gone since the last version.
            **more: Anything: else.
        """

    schema = function_schema(send)
    assert schema.description == "Send a text."
    described = {name: each.get("description") for name, each in schema.properties.items()}
    assert described == {"to": "Whom to.", "text": "What, in words: all of it."}


def test_what_no_name_gives_is_not_offered() -> None:
    def log(text: str, *more: str, **fields: str) -> str:
        return f"{text} {more} {fields}"

    def power(base: int = 2, /, exponent: int = 1) -> int:
        return int(base**exponent)

    assert list(function_schema(log).properties) == ["text"]
    assert list(function_schema(power).properties) == ["exponent"]


def test_a_typed_dict_without_docstring_does_not_describe_the_dict_type() -> None:
    class Inner(TypedDict):
        a: int

    class Outer(TypedDict):
        inner: Inner

    function = function_schema(Outer)

    assert function.description == ""
    assert "dictionary" not in str(function.parameters)


def test_generated_titles_go_and_a_parameter_named_title_stays() -> None:
    class Book(BaseModel):
        title: Optional[str] = None  # noqa: UP045
        kind: Literal["novel", "play"] = "novel"

    assert function_schema(Book).properties == {
        "title": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "kind": {"default": "novel", "enum": ["novel", "play"], "type": "string"},
    }


def test_an_object_of_few_values_is_a_tool_that_takes_them() -> None:
    function = function_schema({"title": "f", "type": "object", "enum": [{"a": 1}]})
    assert function.parameters == {"type": "object", "enum": [{"a": 1}]}


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf", "allOf"])
def test_a_titled_schema_of_several_parts_is_a_tool_that_takes_them(keyword: str) -> None:
    parts = [{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}]
    function = function_schema({"title": "pet", keyword: parts})
    assert function.parameters == {"type": "object", keyword: parts}


def test_gorillas_title_leads_the_description() -> None:
    function = function_schema(
        {
            "name": "Uber Carpool",
            "api_name": "uber.ride",
            "description": "Find a ride.",
            "parameters": [{"name": "loc", "description": "Start."}, {"name": "type"}],
        }
    )

    assert function.name == "uber.ride"
    assert function.description == "Uber Carpool: Find a ride."
    assert function.parameters == {
        "type": "object",
        "properties": {"loc": {"description": "Start."}, "type": {}},
    }


@pytest.mark.parametrize(
    "given", [{}, {"parameters": None}, {"parameters": {}}, {"inputSchema": None}]
)
def test_a_tool_without_parameters_takes_nothing(given: dict[str, Any]) -> None:
    function = function_schema({"name": "now", **given})

    assert function.parameters == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    "given",
    [
        {"outputSchema": {"type": "object", "properties": {}}},
        {"cache_control": {"type": "ephemeral"}},
        {"annotations": {"title": "Now"}, "strict": True},
        {"tags": [{"name": "time"}], "examples": [{"name": "now"}]},
        {"api_call": "now", "api_arguments": {"properties": "What to read.", "type": "Which."}},
    ],
)
def test_a_key_that_says_something_else_is_not_taken_for_parameters(given: dict[str, Any]) -> None:
    assert function_schema({"name": "now", **given}).properties == {}


def _total(*values: int) -> int:
    return sum(values)


def _divided(a: int, /, b: int) -> float:
    return a / b


def _joined(args: list[str]) -> str:
    return " ".join(args)


def _hidden(_id: int, _cache: dict[int, str] = {}) -> str:  # noqa: B006
    return _cache[_id]


def _deployed(config: str = "production") -> str:
    return config


def _started(runtime: str) -> str:
    return runtime


def _called_back(number: str, callbacks: list[str]) -> str:
    return number


def _signed(*given: Any) -> None: ...


_signed.__signature__ = inspect.signature(weather)  # type: ignore[attr-defined]


class _Service:
    def stop(self) -> None: ...


REFUSED: dict[str, tuple[Any, str]] = {
    "no name": ({"description": "?"}, "has no name.*Give it one"),
    "an empty name": ({"name": " "}, "has no name"),
    "a name that is no string": ({"name": 7}, "has no name"),
    "a name of two lines": ({"name": "a\nb"}, r"'a\\nb' holds a line break"),
    "a lone surrogate in a name": ({"name": "a\ud800"}, "control character"),
    "a lone surrogate in a description": ({"name": "a", "description": "\ud800"}, "Unicode"),
    "a description that is no string": ({"name": "a", "description": ["b"]}, "Expected a string"),
    "a call for a name": ({"api_call": "f().g(x=1)"}, "is a call, not a name"),
    "a schema without title": ({"type": "object", "properties": {}}, "'title' in a JSON schema"),
    "misspelled parameters": (
        {"name": "f", "paramters": {"type": "object", "properties": {"a": {}}}},
        "'f' has no parameters.*'paramters'.*parameters, inputSchema, input_schema, schema",
    ),
    "misspelled parameters of an OpenAI dict": (
        {"type": "function", "function": {"name": "f", "args": {"properties": {"a": {}}}}},
        "'f' has no parameters.*'args'",
    ),
    "listed parameters under another key": (
        {"name": "f", "params": [{"name": "a"}]},
        "'f' has no parameters.*'params'",
    ),
    "parameters in a map under another key": (
        {"name": "f", "arguments": {"a": {"type": "string"}}},
        "'f' has no parameters.*'arguments'",
    ),
    "parameters beside the function": (
        {"type": "function", "function": {"name": "f"}, "parameters": {"properties": {"a": {}}}},
        "'f' has 'parameters' beside its 'function'.*Put it inside",
    ),
    "the schema of a choice": ({"title": "f", "enum": ["a"]}, "'f' is one of a plain value"),
    "the schema of a list": ({"title": "f", "type": "array"}, "method='json_schema'"),
    "a hosted tool": ({"type": "web_search"}, "do not run with a local model"),
    "a number": (3, "of type int.*Expected a LangChain tool, a Pydantic model class"),
    "a type with its parameter": (list[int], "list.int., of type .*Expected a LangChain tool"),
    "a lambda": (lambda x: x, "has no name.*StructuredTool.from_function"),
    "a partial": (functools.partial(weather, days=2), "has no name"),
    "a function of values by their place": (
        _total,
        "'_total' cannot be called.*'values' is given by",
    ),
    "a parameter by its place alone": (_divided, "'a' is given by its place.*tools_from_module"),
    "a parameter called args": (_joined, "'args' is a name that LangChain keeps"),
    "a private parameter": (_hidden, "'_id' is a name that LangChain keeps"),
    "a parameter called config": (_deployed, "'config' is a name that LangChain keeps"),
    "a parameter called runtime": (_started, "'runtime' is a name that LangChain keeps"),
    "a parameter called callbacks": (_called_back, "'callbacks' is a name that LangChain keeps"),
    "a method of no object": (_Service.stop, "'self' is a name that LangChain keeps"),
    "a signature of its own": (_signed, "No JSON schema can be made.*_signed.*'city'"),
    "a builtin without signature": (int, "No JSON schema can be made.*int"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_tool_is_refused_with_advice(case: str) -> None:
    given, message = REFUSED[case]

    with pytest.raises(InvalidFunctionError, match=f"(?s){message}"):
        function_schema(given)


def test_a_type_without_json_schema_is_refused() -> None:
    class Opaque:
        pass

    class Model(BaseModel, arbitrary_types_allowed=True):
        a: Opaque

    with pytest.raises(InvalidFunctionError, match="Give every parameter a type"):
        function_schema(Model)


def test_the_fingerprint_depends_on_every_part_and_on_the_order_of_parameters() -> None:
    properties = {"a": {}, "b": {}}
    reordered = {"b": {}, "a": {}}
    functions = [
        FunctionSchema("f", "d", {"type": "object", "properties": properties}),
        FunctionSchema("g", "d", {"type": "object", "properties": properties}),
        FunctionSchema("f", "e", {"type": "object", "properties": properties}),
        FunctionSchema("f", "d", {"type": "object", "properties": reordered}),
    ]

    assert len({function.fingerprint for function in functions}) == len(functions)
    assert functions[0].fingerprint == FunctionSchema(**functions[0].document()).fingerprint
    assert all(len(function.fingerprint) == 64 for function in functions)


class Hotel(TypedDict, total=False):
    """A hotel.

    Args:
        name: How it is called.
    """

    name: Required[str]
    stars: Optional[int]  # noqa: UP045
    json: Annotated[Optional[str], ..., "As it came."]  # noqa: UP045
    rooms: Required[list["Room"]]


class Room(typing.TypedDict):
    beds: Annotated[int, Field(gt=0)]
    floor: Annotated[int, Field(ge=1), "Which one."]
    hotel: NotRequired[Hotel]


def test_a_typed_dict_says_what_may_be_null_and_what_may_be_left_out() -> None:
    function = function_schema(Hotel)
    assert function.required == ("name", "rooms")
    assert function.properties == {
        "name": {"type": "string", "description": "How it is called."},
        "stars": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "json": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "As it came."},
        "rooms": {"type": "array", "items": {"$ref": "#/$defs/Room"}},
    }


def test_a_typed_dict_may_hold_others_that_hold_it() -> None:
    definitions = function_schema(Hotel).parameters["$defs"]
    assert definitions["Room"] == {
        "type": "object",
        "properties": {
            "beds": {"type": "integer", "exclusiveMinimum": 0},
            "floor": {"type": "integer", "minimum": 1, "description": "Which one."},
            "hotel": {"$ref": "#/$defs/Hotel"},
        },
        "required": ["beds", "floor"],
    }


class Unfinished(TypedDict):
    inner: "NoSuchName"  # noqa: F821


def test_a_typed_dict_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(InvalidFunctionError, match=r"No JSON schema can be made.*Unfinished"):
        function_schema(Unfinished)


class OwnRun(BaseTool):
    name: str = "own_run"
    description: str = "Look it up."

    def _run(self, query: str, config: RunnableConfig) -> str:
        return query


def maybe_configured(query: str, config: RunnableConfig | None = None) -> str:
    """Look it up."""
    return query


@pytest.mark.parametrize("given", [OwnRun(), maybe_configured])
def test_no_model_reads_of_a_config(given: Any) -> None:
    assert function_schema(given).parameters == {
        "type": "object",
        "properties": {"query": {"type": "string"}},
        "required": ["query"],
    }


STYLES = {
    "google": """Tell the weather.

    For ten days.

    Args:
        city: Where, by name.
        days (int, optional): How far
            ahead.

    Returns:
        The weather.
    """,
    "google, headed otherwise": """Tell the weather.

    For ten days.

    Parameters:
        city: Where, by name.
        days: How far ahead.
    """,
    "numpy": """Tell the weather.

    For ten days.

    Parameters
    ----------
    city : str
        Where, by name.
    days : int, optional
        How far
        ahead.

    Returns
    -------
    str
        The weather.

    Examples
    --------
    >>> tell("Paris")
    """,
    "sphinx": """Tell the weather.

    For ten days.

    :param city: Where, by name.
    :type city: str
    :param int days: How far
        ahead.
    :returns: The weather.
    :raises KeyError: There is no such city.
    """,
    "epydoc": """Tell the weather.

    For ten days.

    @param city: Where, by name.
    @type city: str
    @param days: How far ahead.
    @return: The weather.
    """,
}


@pytest.mark.parametrize("style", STYLES)
def test_what_a_docstring_says_of_parameters_is_theirs_in_every_style(style: str) -> None:
    def tell(city: str, days: int = 3) -> str:
        return city * days

    tell.__doc__ = STYLES[style]
    schema = function_schema(tell)
    assert schema.description == "Tell the weather. For ten days."
    described = {name: each["description"] for name, each in schema.properties.items()}
    assert described == {"city": "Where, by name.", "days": "How far ahead."}


def test_results_and_examples_of_numpy_s_style_are_no_description() -> None:
    def tell() -> None:
        """Tell all.

        Returns
        -------
        str
            All.
        """

    assert function_schema(tell).description == "Tell all."


def test_prose_with_colons_and_rules_stays_a_description() -> None:
    def tell(city: str) -> None:
        """Tell: the weather.

        Parameters are few:
        :) and so on
        """

    assert function_schema(tell).description == (
        "Tell: the weather. Parameters are few:\n:) and so on"
    )


def test_an_enum_is_no_tool_and_may_be_a_type() -> None:
    class Color(Enum):
        RED = "red"
        BLUE = "blue"

    class Paint(TypedDict):
        color: Annotated[Color, Color.RED, "Which."]

    with pytest.raises(InvalidFunctionError, match="'Color' is an Enum, which has values"):
        function_schema(Color)
    schema = function_schema(Paint)
    assert schema.properties["color"]["default"] == "red"
    assert schema.parameters["$defs"]["Color"]["enum"] == ["red", "blue"]
