"""Python code as tools: what becomes of signatures, what runs, what comes back."""

import dataclasses
import datetime
import enum
import functools
import itertools
import math
import sys
import types
import typing
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import PurePosixPath

import numpy
import pydantic
import pytest
import typing_extensions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from langchain_core.tools import ToolException
from pydantic import Field

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.errors import SourceError
from langchain_gorilla.functions import FunctionSet, function_schema
from langchain_gorilla.sources.docstrings import type_hint
from langchain_gorilla.sources.json_types import NoJsonTypeError, json_type
from langchain_gorilla.sources.python import tools_from_module
from langchain_gorilla.sources.python_tool import PythonTool
from langchain_gorilla.sources.results import presented, returned
from tests.sources.generated import arguments

# A model's arguments may fit the schema and still make no sense to the function, which says so.
EXPECTED = (TypeError, ValueError, ArithmeticError, LookupError, OSError)


Item = typing.TypeVar("Item")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Grade(enum.IntEnum):
    LOW = 1
    HIGH = 2


class LateParcel(typing.TypedDict, total=False):
    to: "typing_extensions.Required[str]"
    by: "int"


class Parcel(typing.TypedDict):
    """What is sent."""

    to: str
    by: typing_extensions.NotRequired[datetime.date]


class Branch(typing.TypedDict):
    branches: "list[Branch]"


class Shop:
    """Sells things.

    Args:
        name: Over the door.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def price(self, of: str, *, count: int = 1) -> str:
        """Tell a price."""
        return f"{self.name}: {count} {of}"

    @staticmethod
    def currency(code: str = "EUR") -> str:
        """Tell the currency."""
        return code

    @classmethod
    def open(cls, name: str) -> str:
        """Open one."""
        return cls(name).name


def place(a, b=2, /, c=3, *rest, d, e=5, **more):
    """Show where arguments arrive."""
    return {"a": a, "b": b, "c": c, "rest": rest, "d": d, "e": e, "more": more}


def typed(
    day: datetime.date,
    colour: Colour,
    amounts: Iterable[Decimal],
    self: "int | None" = None,
    config: str = "",
    run_manager: str = "",
) -> list[str]:
    """Take types that JSON has not.

    Args:
        day: When
            it was.
        colour: Which.
        amounts: How much.
    """
    return [type(each).__name__ for each in (day, colour, *amounts)]


def needs_callback(function: Callable[[int], int], data: list[int]) -> int:
    return function(data[0])


def optional_callback(data: list[int], key: "Callable[[int], int] | None" = None) -> int:
    return sorted(data, key=key)[0]


def leaves() -> None:
    sys.exit(3)


async def later(text: str) -> str:
    """Repeat a text, later."""
    return text


def decorated(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        return function(*args, **kwargs)

    return call


async def endless() -> AsyncIterator[int]:
    for number in itertools.count():
        yield number


def numpy_style(a, axis=None, order="K", keepdims=False, where=True):
    """
    Reduce something.

    More about it.

    Parameters
    ----------
    a : array_like
        Elements to reduce.
    axis : None or int or tuple of ints, optional
        Axes of the reduction.
    order : {'C', 'F', 'K'}, optional
        Memory layout.
    keepdims : bool, optional
        Keep what is reduced.
    where : array_like of bool
        Which elements.
    """
    return numpy.sum(a, axis=axis)


@pytest.fixture
def module():
    """A module of this file's functions."""
    made = types.ModuleType("sample")
    names = [
        "Shop",
        "place",
        "typed",
        "needs_callback",
        "optional_callback",
        "leaves",
        "later",
        "numpy_style",
    ]
    for name in names:
        setattr(made, name, globals()[name])
    made.LIMIT = 3
    made.Wrong = type("Wrong", (Exception,), {})
    made.__all__ = [*names, "LIMIT", "Wrong", "missing"]
    return made


def tools_of(module, **options):
    return {tool.name: tool for tool in tools_from_module(module, **options)}


def schema_of(tools, name):
    return tools[name].args_schema["properties"]


def test_names_are_dotted_and_have_a_way_back_from_what_a_model_writes(module):
    tools = tools_from_module(module)
    functions = FunctionSet(map(function_schema, tools), style="openai")
    assert "sample.place" in [tool.name for tool in tools]
    assert functions.find("sample_place").name == "sample.place"
    call = FunctionCall("sample.typed", {"self": 1})
    assert functions.as_true(functions.as_written(call)) == call


def test_a_tool_says_where_it_comes_from(module):
    assert tools_of(module)["sample.place"].metadata == {
        "source": "python",
        "origin": __name__,
    }


@pytest.mark.parametrize(
    ("given_arguments", "changed"),
    [
        ({"a": 1, "d": 4}, {"a": 1, "d": 4}),
        ({"a": 1, "c": 7, "d": 4}, {"a": 1, "c": 7, "d": 4}),
        ({"a": 1, "b": 9, "d": 4, "e": 0}, {"a": 1, "b": 9, "d": 4, "e": 0}),
        ({"a": 1, "d": 4, "rest": [8, 9]}, {"a": 1, "d": 4, "rest": (8, 9)}),
        ({"a": 1, "d": 4, "more": {"x": 1}}, {"a": 1, "d": 4, "more": {"x": 1}}),
    ],
)
def test_arguments_arrive_at_their_places(module, given_arguments, changed):
    artifact = tools_of(module)["sample.place"].call(given_arguments)[1]
    assert artifact == {"a": 0, "b": 2, "c": 3, "rest": (), "d": 0, "e": 5, "more": {}} | changed


@pytest.mark.parametrize(
    ("given_arguments", "reason"),
    [
        ({"d": 1}, "a"),
        ({"a": 1, "d": 1, "nothing": 2}, "expected only the keys a, b"),
        ({"a": 1, "c": 3, "d": 1, "more": {"c": 2}}, "once, under its own name"),
    ],
)
def test_arguments_that_fit_no_place_are_refused_in_words(module, given_arguments, reason):
    result = tools_of(module)["sample.place"].invoke(
        {"name": "sample.place", "args": given_arguments, "id": "1", "type": "tool_call"}
    )
    assert result.status == "error"
    assert reason in result.content


def test_types_that_json_has_not_are_made_from_json(module):
    tools = tools_of(module)
    schema = schema_of(tools, "sample.typed")
    assert schema["day"] == {"type": "string", "format": "date", "description": "When it was."}
    assert schema["colour"]["enum"] == ["red", "blue"]
    result = tools["sample.typed"].invoke(
        {
            "day": "2024-02-29",
            "colour": "blue",
            "amounts": ["1.50", 2],
            "self": 1,
            "config": "c",
            "run_manager": "r",
        }
    )
    assert result == '["date", "Colour", "Decimal", "Decimal"]'


def test_a_value_that_no_date_is_is_named(module):
    tool = tools_of(module)["sample.typed"]
    with pytest.raises(ToolException, match=r"day of sample\.typed"):
        tool.call({"day": "tomorrow", "colour": "red", "amounts": []})


def test_numpy_docstrings_give_types_and_descriptions(module):
    tools = tools_of(module)
    schema = schema_of(tools, "sample.numpy_style")
    assert tools["sample.numpy_style"].description == "Reduce something.\nMore about it."
    assert schema["order"] == {
        "type": "string",
        "enum": ["C", "F", "K"],
        "description": "Memory layout.",
        "default": "K",
    }
    assert {"type": "integer"} in schema["axis"]["anyOf"]
    assert schema["keepdims"]["type"] == "boolean"
    assert tools["sample.numpy_style"].invoke({"a": [[1, 2], [3, 4]], "axis": [0, 1]}) == 10


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ("int", {"type": "integer"}),
        ("float, optional", {"type": "number"}),
        ("str or None", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ("list of str", {"type": "array", "items": {"type": "string"}}),
        ("{'a', 'b'}", {"type": "string", "enum": ["a", "b"]}),
        ("{1, 2}", {"type": "integer", "enum": [1, 2]}),
        ("int or callable", {"type": "integer"}),
    ],
)
def test_type_words_become_schemas(text, schema):
    assert json_type(type_hint(text)).schema == schema


@pytest.mark.parametrize("text", ["widget", "int or widget", "", None, "{see below}", "{²}"])
def test_type_words_that_nobody_knows_mean_anything(text):
    assert type_hint(text) is None


def test_a_set_in_a_docstring_becomes_a_set():
    assert json_type(type_hint("set of str")).adapter.validate_python(["a"]) == {"a"}


@pytest.mark.parametrize("hint", [Callable, type, typing.IO, typing.Type[int], slice])  # noqa: UP006
def test_what_no_json_is_is_an_error(hint):
    with pytest.raises(NoJsonTypeError, match="no form in JSON"):
        json_type(hint)


def test_what_becomes_no_tool_is_named_with_its_reason(module):
    refusals = {each.where: each.reason for each in tools_from_module(module).refusals}
    assert "takes what no JSON value is" in refusals["sample.needs_callback"]
    assert "left out" in refusals["sample.optional_callback(key)"]
    assert "is a value (3)" in refusals["sample.LIMIT"]
    assert "is an exception" in refusals["sample.Wrong"]
    assert tools_of(module)["sample.optional_callback"].invoke({"data": [3, 1]}) == 1


def test_no_model_ends_the_program(module):
    message = tools_of(module)["sample.leaves"].invoke(
        {"name": "sample.leaves", "args": {}, "id": "1", "type": "tool_call"}
    )
    assert message.status == "error"
    assert "SystemExit: 3" in message.content


async def test_coroutine_functions_run_async(module):
    tool = tools_of(module)["sample.later"]
    assert await tool.ainvoke({"text": "hi"}) == "hi"
    with pytest.raises(NotImplementedError, match="ainvoke"):
        tool.invoke({"text": "hi"})


@decorated
async def behind_a_decorator(text: str) -> str:
    return text


class Later:
    async def __call__(self, text: str) -> str:
        return text


async def one_by_one(text: str) -> AsyncIterator[str]:
    for letter in text:
        yield letter


@pytest.mark.parametrize(
    ("function", "content"),
    [(behind_a_decorator, "hi"), (Later(), "hi"), (one_by_one, '["h", "i"]')],
)
async def test_what_only_turns_out_to_be_async_is_awaited(module, function, content):
    module.function, module.__all__ = function, ["function"]
    (tool,) = tools_from_module(module)
    assert await tool.ainvoke({"text": "hi"}) == content
    with pytest.raises(NotImplementedError, match="ainvoke"):
        tool.invoke({"text": "hi"})


async def test_of_endless_async_items_the_first_are_read(module):
    module.function, module.__all__ = endless, ["function"]
    (tool,) = tools_from_module(module)
    assert (await tool.ainvoke({})).startswith("The first 1,000 items: [0, 1, 2,")


@pytest.mark.parametrize(
    ("hint", "given", "made"),
    [
        (dict[int, str], {"1": "a"}, {1: "a"}),
        (Mapping[datetime.date, int], {"2024-01-31": 1}, {datetime.date(2024, 1, 31): 1}),
        (list[dict[Colour, int]], [{"red": 1}], [{Colour.RED: 1}]),
        (dict[typing.Any, int], {"1": 2}, {"1": 2}),
    ],
)
def test_keys_become_what_they_are(hint, given, made):
    kind = json_type(hint)
    assert (given if kind.adapter is None else kind.adapter.validate_python(given)) == made


@pytest.mark.parametrize("hint", [dict[tuple[int, int], str], dict[Grade, str]])
def test_keys_that_no_text_says_are_no_json(hint):
    with pytest.raises(NoJsonTypeError, match="as a key"):
        json_type(hint)


@pytest.mark.parametrize(
    ("hint", "given", "made"),
    [
        (int, 5.0, 5),
        (list[int] | None, [5.0], [5]),
        (typing.Literal[Colour.RED, Colour.BLUE], "red", Colour.RED),
        (typing.Literal[Grade.LOW, "all"] | None, 1, Grade.LOW),
    ],
)
def test_json_becomes_the_value_that_a_hint_names(hint, given, made):
    kind = json_type(hint)
    assert Draft202012Validator(kind.schema).is_valid(given)
    assert repr(kind.adapter.validate_python(given)) == repr(made)


def test_a_field_that_a_dataclass_fills_itself_is_not_asked_for():
    @dataclasses.dataclass
    class Order:
        count: int
        number: int = dataclasses.field(default=0, init=False)

    assert json_type(Order).schema["properties"].keys() == {"count"}


@pytest.mark.parametrize("hint", [int | float | datetime.date, dict[int, int | float]])
def test_a_whole_number_stays_one_beside_other_types(hint):
    given = {"1": 3} if typing.get_origin(hint) is dict else 3
    kind = json_type(hint)
    made = given if kind.adapter is None else kind.adapter.validate_python(given)
    assert type(made[1] if isinstance(made, dict) else made) is int


def test_methods_of_a_class_are_a_level_deeper(module):
    assert "sample.Shop.currency" not in tools_of(module)
    tools = tools_from_module(module, depth=2)
    names = [tool.name for tool in tools]
    assert {"sample.Shop", "sample.Shop.currency", "sample.Shop.open"} <= set(names)
    refused = {each.where: each.reason for each in tools.refusals}
    assert "Pass the object itself" in refused["sample.Shop.price"]


def test_a_class_gives_its_constructor_and_an_object_its_methods():
    (constructor,) = [t for t in tools_from_module(Shop) if t.name.endswith(".Shop")]
    content, artifact = constructor.call({"name": "Corner"})
    assert "Shop object" in content
    assert isinstance(artifact, Shop)
    tools = tools_of(Shop("Corner"))
    assert tools["Shop.price"].invoke({"of": "tea", "count": 2}) == "Corner: 2 tea"
    assert schema_of(tools, "Shop.price").keys() == {"of", "count"}


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"include": ["mean", "statistics.med*"], "exclude": ["*_low", "*_high"]}, 3),
        ({"include": ["mean", "median"], "exclude": "mean"}, 1),
    ],
)
def test_filters_take_whole_names_and_names_below_the_module(options, names):
    assert len(tools_from_module("statistics", **options)) == names


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"include": "meen"}, "include= has 'meen', .* There is mean, "),
        ({"include": ["mean", "med_*"]}, "include= has 'med_\\*'"),
        ({"include": "NormalDist.pdf"}, "include= has 'NormalDist.pdf', .* raise depth="),
        ({"exclude": "quantils"}, "exclude= has 'quantils', .* There is quantiles"),
    ],
)
def test_a_pattern_that_chooses_nothing_is_an_error(options, said):
    with pytest.raises(SourceError, match=said):
        tools_from_module("statistics", **options)


def test_a_pattern_with_a_star_may_exclude_nothing():
    every = tools_from_module("statistics")
    assert len(tools_from_module("statistics", exclude="*test*")) == len(every)


def test_a_package_s_modules_are_a_level_deeper():
    tools = tools_from_module("json", include=["json.decoder.*", "tool.main"], depth=2)
    assert [tool.name for tool in tools] == ["json.decoder.JSONDecoder", "json.tool.main"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no_such_module_anywhere", "no Python module"),
        ("statistics.nothing", "has no 'nothing'"),
        ("", "no Python module"),
        (".json", "no Python module"),
    ],
)
def test_a_name_that_nothing_has_is_an_error(name, reason):
    with pytest.raises(SourceError, match=reason):
        tools_from_module(name)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("1 / 0", "its import fails with ZeroDivisionError"),
        ("raise SystemExit('usage: x FILE')", "its import fails with SystemExit: usage: x FILE"),
        (
            "def __getattr__(name):\n    if name == 'plot': 1 / 0\n    raise AttributeError(name)",
            "reading it fails with ZeroDivisionError",
        ),
    ],
)
def test_code_that_fails_is_an_error_that_says_how(tmp_path, monkeypatch, code, reason):
    (tmp_path / "broken.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    with pytest.raises(SourceError, match=reason):
        tools_from_module("broken.plot")


def test_a_module_in_a_package_that_ends_the_program_is_refused(tmp_path, monkeypatch):
    package = tmp_path / "with_script"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "good.py").write_text("def ok(): ...")
    (package / "run.py").write_text("raise SystemExit('usage: run FILE')")
    monkeypatch.syspath_prepend(tmp_path)
    tools = tools_from_module("with_script", depth=2)
    assert [tool.name for tool in tools] == ["with_script.good.ok"]
    assert [str(each) for each in tools.refusals] == [
        "with_script.run: its import fails with SystemExit: usage: run FILE."
    ]


def test_a_name_that_is_loaded_on_demand_and_fails_is_refused(module):
    def load(name):
        raise ImportError(f"{name} needs matplotlib")

    module.__getattr__ = load
    module.__all__ = ["place", "plot"]
    tools = tools_from_module(module)
    assert [tool.name for tool in tools] == ["sample.place"]
    assert [str(each) for each in tools.refusals] == [
        "sample.plot: reading it fails with ImportError: plot needs matplotlib."
    ]


def test_a_default_that_compares_as_an_array_is_not_in_the_schema(module):
    def smooth(kernel: list[float] = numpy.array([1.0, 2.0])) -> float:  # noqa: B008
        return sum(kernel)

    module.smooth = smooth
    module.__all__ = ["smooth"]
    assert "default" not in schema_of(tools_of(module), "sample.smooth")["kernel"]


def test_a_default_that_json_cannot_write_is_not_in_the_schema(module):
    def wait(most: float = math.inf, least: float = 0.5):
        return most

    module.wait, module.__all__ = wait, ["wait"]
    tools = tools_of(module)
    assert schema_of(tools, "sample.wait") == {
        "most": {"type": "number"},
        "least": {"type": "number", "default": 0.5},
    }
    assert tools["sample.wait"].call({})[1] == math.inf


def test_an_enumeration_is_no_tool(module):
    module.Colour, module.__all__ = enum.IntEnum("Colour", ["RED", "BLUE"]), ["Colour"]
    found = tools_from_module(module, depth=2)
    assert list(found) == []
    assert [each.where for each in found.refusals] == ["sample.Colour"]


def test_braces_around_types_are_read_as_google_s_parentheses(module):
    def rotate(path, angle=90.0):
        """Turn a picture.

        Arguments:
            path {str} -- Where it is.

        Keyword Arguments:
            angle {float} -- In degrees. (default: {90.0})

        Returns:
            str -- Where it is now.
        """

    module.rotate, module.__all__ = rotate, ["rotate"]
    tools = tools_of(module)
    assert tools["sample.rotate"].description == "Turn a picture."
    properties = schema_of(tools, "sample.rotate")
    assert properties["path"] == {"type": "string", "description": "Where it is."}
    assert properties["angle"]["description"].startswith("In degrees.")


def test_another_name_for_a_type_is_no_tool(module):
    class Page(pydantic.BaseModel, typing.Generic[Item]):
        items: list[Item]

    class Box(typing.Generic[Item]):
        """Holds one."""

    module.Names = typing_extensions.TypeAliasType("Names", list[str])
    module.UserId = typing.NewType("UserId", int)
    module.IntPage, module.IntBox, module.Pairs = Page[int], Box[int], list[tuple[int, int]]
    module.__all__ = ["IntBox", "IntPage", "Names", "Pairs", "UserId"]
    found = tools_from_module(module)
    assert list(found) == []
    assert [each.where.partition(".")[2] for each in found.refusals] == module.__all__
    assert {each.reason for each in found.refusals} == {
        "It is another name for a type, nothing to call."
    }


def test_a_class_is_not_described_by_what_its_library_says_of_itself(module):
    class Order(pydantic.BaseModel):
        amount: int

    class Basket(typing.Generic[Item]):
        def __init__(self, item: str) -> None:
            pass

    module.Order, module.Basket, module.__all__ = Order, Basket, ["Basket", "Order"]
    tools = tools_of(module)
    assert tools["sample.Order"].description == "sample.Order"
    assert tools["sample.Basket"].description == "sample.Basket"


class Shape(enum.Enum):
    SQUARE = (1, 1)
    WIDE = (16, 9)


class Key(enum.Enum):
    FIRST = b"\x00"
    LAST = b"\xff"


@pytest.mark.parametrize(
    ("hint", "schema", "given", "received"),
    [
        (Shape, ["SQUARE", "WIDE"], "WIDE", Shape.WIDE),
        (Key, ["FIRST", "LAST"], "LAST", Key.LAST),
        (typing.Literal[Shape.SQUARE, Shape.WIDE], ["SQUARE", "WIDE"], "WIDE", Shape.WIDE),
        (typing.Literal[b"r", b"w"], ["r", "w"], "w", b"w"),
    ],
)
def test_choices_that_json_cannot_say_are_made_by_name(module, hint, schema, given, received):
    def take(choice):
        return [choice is received or choice == received, type(choice) is type(received)]

    take.__annotations__ = {"choice": hint}
    module.take, module.__all__ = take, ["take"]
    tools = tools_of(module)
    assert schema_of(tools, "sample.take")["choice"] == {"enum": schema, "type": "string"}
    assert tools["sample.take"].call({"choice": given})[1] == [True, True]


@pytest.mark.parametrize("hint", [typing.Literal[b"\xff", b"a"], typing.Literal[b"a", "a"]])
def test_choices_that_no_text_tells_apart_are_refused(hint):
    with pytest.raises(NoJsonTypeError):
        json_type(hint)


def test_a_model_with_what_no_text_says_is_refused():
    class Door(pydantic.BaseModel):
        key: Key

    with pytest.raises(NoJsonTypeError):
        json_type(Door)


def test_typing_s_typed_dicts_are_objects_on_every_python(module):
    def send(parcel: Parcel, more: list[Parcel] | None = None) -> str:
        return repr((parcel, more))

    module.send, module.__all__ = send, ["send"]
    tools = tools_of(module)
    parcel = {
        "type": "object",
        "description": "What is sent.",
        "properties": {"to": {"type": "string"}, "by": {"format": "date", "type": "string"}},
        "required": ["to"],
    }
    assert schema_of(tools, "sample.send")["parcel"] == parcel
    assert tools["sample.send"].args_schema["$defs"] == {"Parcel": parcel}
    more = [{"to": "b", "by": "2026-01-02"}]
    content, _ = tools["sample.send"].call({"parcel": {"to": "a"}, "more": more})
    assert content == "({'to': 'a'}, [{'to': 'b', 'by': datetime.date(2026, 1, 2)}])"


def test_a_typed_dict_of_itself_is_named(module):
    with pytest.raises(NoJsonTypeError, match="Branch refers to itself"):
        json_type(Branch)


def test_a_signature_in_a_docstring_leaves_the_object_out():
    tools = tools_of(dict)
    assert list(schema_of(tools, "builtins.dict.clear")) == ["self"]
    assert list(schema_of(tools, "builtins.dict.update")) == ["self", "E", "F"]


def test_no_property_of_an_object_runs():
    class Client(Shop):
        @property
        def session(self):
            sys.exit("it was looked at")

        stock = functools.cached_property(lambda self: sys.exit("it was looked at"))

    assert "Client.price" in tools_of(Client("Corner"))


def test_what_chooses_by_its_first_argument_gets_one_there(module):
    chooses = functools.singledispatch(lambda value, digits=2: f"{value} {digits}")
    module.chooses, module.__all__ = chooses, ["chooses"]
    assert tools_of(module)["sample.chooses"].invoke({"value": 3}) == "3 2"


@pytest.mark.parametrize(
    ("name", "required", "kinds"),
    [
        ("math.sqrt", ["x"], {"x": "number"}),
        ("math.log", ["x"], {"x": "number", "base": "number"}),
        ("math.hypot", None, {"coordinates": "array"}),
        ("datetime.date", ["year", "month", "day"], {"year": "integer", "day": "integer"}),
        ("datetime.date.weekday", ["self"], {"self": "string"}),
        ("statistics.mean", ["data"], {"data": "array"}),
        ("json.dumps", ["obj"], {"sort_keys": "boolean"}),
        ("json.loads", ["s"], {}),
    ],
)
def test_builtins_have_the_types_of_their_stubs(name, required, kinds):
    module = name.partition(".")[0]
    schema = tools_of(module, depth=2)[name].args_schema
    assert schema.get("required") == required
    assert {key: schema["properties"][key]["type"] for key in kinds} == kinds


@pytest.mark.parametrize(
    ("name", "given_arguments", "result"),
    [
        ("statistics.mean", {"data": [1, 2, 3]}, 2),
        ("statistics.quantiles", {"data": [1, 2, 3], "n": 2}, [2.0]),
        ("math.hypot", {"coordinates": [3, 4]}, 5.0),
        ("math.log", {"x": 8, "base": 2}, 3.0),
        ("itertools.product", {"iter1": [1], "repeat": 2}, [[1, 1]]),
        ("builtins.max", {"arg1": [], "default": 3}, 3),
        ("json.dumps", {"obj": {"b": 1, "a": [2]}, "sort_keys": True}, '{"a": [2], "b": 1}'),
        ("datetime.date", {"year": 2024, "month": 2, "day": 29}, "2024-02-29"),
        ("datetime.date.weekday", {"self": "2024-02-29"}, 3),
        ("datetime.date.fromisoformat", {"date_string": "2024-02-29"}, "2024-02-29"),
        ("datetime.timedelta.total_seconds", {"self": "PT90S"}, 90.0),
        ("numpy.sum", {"a": [[1, 2], [3, 4]], "axis": 0}, "array([4, 6])"),
        ("numpy.add", {"x1": 1, "x2": 2}, 3),
        ("numpy.linspace", {"start": 0, "stop": 1, "num": 3}, "array([0. , 0.5, 1. ])"),
    ],
)
def test_real_functions_run(name, given_arguments, result):
    module = name.partition(".")[0]
    assert tools_of(module, include=[name], depth=2)[name].invoke(given_arguments) == result


def test_the_value_is_in_the_artifact_of_the_tool_message():
    (tool,) = tools_from_module("numpy", include=["numpy.arange"])
    call = {"name": tool.name, "args": {"start_or_stop": 3}, "id": "1", "type": "tool_call"}
    message = tool.invoke(call)
    assert message.content == "array([0, 1, 2])"
    assert isinstance(message.artifact, numpy.ndarray)


@pytest.mark.parametrize(
    ("value", "content"),
    [
        (None, None),
        (True, True),
        (numpy.int64(3), 3),
        (numpy.float32(0.5), 0.5),
        ("text", "text"),
        ([1, 2], [1, 2]),
        (["a", "b"], '["a", "b"]'),
        ([], "[]"),
        ((1, {2}), [1, [2]]),
        (PurePosixPath("a/b"), "a/b"),
        ({"a": Decimal("1.5")}, {"a": "1.5"}),
        ({1: "x"}, {"1": "x"}),
        (datetime.timedelta(seconds=90), "PT1M30S"),
        (Colour.RED, "red"),
        (float("nan"), "nan"),
        (1 + 2j, "(1+2j)"),
        (b"bytes", "b'bytes'"),
        ({(1, 2): 3}, "{(1, 2): 3}"),
    ],
)
def test_results_are_json_or_a_short_repr(value, content):
    assert presented(value)[0] == content
    assert type(presented(value)[0]) is type(content)
    assert presented(value)[1] is value


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ((each for each in "ab"), '["a", "b"]'),
        (map(str.upper, []), "[]"),
        (zip([1], [2], strict=True), [[1, 2]]),
        (itertools.islice([1, 2], 1), [1]),
    ],
)
def test_of_what_only_computes_its_items_are_the_result(value, content):
    assert returned(value)[0] == content


def test_of_endless_items_the_first_are_shown_and_none_is_lost():
    content, artifact = returned(itertools.count())
    assert content.startswith("The first 1,000 items: [0, 1, 2, ")
    assert list(itertools.islice(artifact, 1_003)) == list(range(1_003))


def test_an_iterator_that_may_wait_for_something_is_left_alone(tmp_path):
    path = tmp_path / "lines"
    path.write_text("one\n")
    with path.open() as lines:
        assert returned(lines)[1] is lines
        assert next(lines) == "one\n"


def test_a_method_that_chooses_by_its_first_argument_gets_one_there():
    class Chooser:
        @functools.singledispatchmethod
        def choose(self, value):
            return "anything"

        @choose.register
        def _(self, value: int):
            return "a number"

    tool = tools_of(Chooser())["Chooser.choose"]
    assert tool.invoke({"value": 3}) == "a number"


def test_a_partial_is_what_its_function_is():
    made = types.ModuleType("sample")
    made.parcel = functools.partial(place, 3)
    (tool,) = tools_from_module(made)
    assert tool.description == place.__doc__
    assert "a" not in tool.args_schema["properties"]


def test_the_keywords_of_a_typed_dict_are_any():
    unpack = getattr(typing, "Unpack", typing_extensions.Unpack)

    def order(**options: unpack[LateParcel]) -> dict:
        return options

    made = types.ModuleType("sample")
    made.__all__, made.order = ["order"], order
    assert tools_of(made)["sample.order"].invoke({"options": {"to": "Kiel"}}) == {"to": "Kiel"}


def test_a_name_in_quotes_inside_an_annotation_is_found():
    def send(parcels: list["LateParcel"]) -> int:
        return len(parcels)

    made = types.ModuleType("sample")
    made.__all__, made.send = ["send"], send
    items = schema_of(tools_of(made), "sample.send")["parcels"]["items"]
    assert items == {"$ref": "#/$defs/LateParcel"}


def test_a_literal_text_is_a_text():
    assert json_type(typing_extensions.LiteralString).schema == {"type": "string"}


def test_what_is_annotated_counts_in_annotations_that_are_text():
    def choose(
        count: "typing.Annotated[int, 'How many.', Field(ge=1)]",
        parcel: "LateParcel",
        size: typing.Annotated[int, "Not this."] = 1,
    ) -> int:
        """Choose.

        Args:
            size: How large.
        """
        return count

    made = types.ModuleType("sample")
    made.__all__, made.choose = ["choose"], choose
    properties = schema_of(tools_of(made), "sample.choose")
    assert properties["count"] == {"type": "integer", "minimum": 1, "description": "How many."}
    assert properties["size"]["description"] == "How large."
    assert properties["parcel"]["required"] == ["to"]


def test_what_a_stub_says_of_texts_and_bytes_is_text():
    (tool,) = tools_from_module("json", include=["loads"])
    assert {each["type"] for each in tool.args_schema["properties"]["s"]["anyOf"]} == {"string"}
    assert tool.invoke({"s": "[1, 2]"}) == [1, 2]


def test_long_and_broken_results_stay_short():
    class Broken:
        def __repr__(self):
            raise RuntimeError

    endless: list = []
    endless.append(endless)
    assert len(presented("x" * 1_000_000)[0]) < 21_000
    assert len(presented(list(range(100_000)))[0]) < 21_000
    assert len(presented(numpy.zeros(1_000_000))[0]) < 3_000
    assert "repr failed: RuntimeError" in presented(Broken())[0]
    assert len(presented(endless)[0]) < 3_000


def _law(tool: PythonTool, found: list, examples: int) -> Callable[[], None]:
    # The same examples every time: what a thousand functions raise is no law of this package.
    @settings(
        max_examples=examples,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(arguments(tool.args_schema))
    def law(drawn):
        Draft202012Validator(tool.args_schema).validate(drawn)
        try:
            tool.call(drawn)
        except ToolException as error:
            found.append(error.__cause__)
        else:
            found.append(None)

    return law


def _tried(module: str, *, depth: int = 1, exclude: tuple[str, ...] = (), examples: int) -> dict:
    """Call every tool of a module with generated arguments; name to the errors and successes."""
    outcomes: dict[str, list] = {}
    for tool in tools_from_module(module, depth=depth, exclude=exclude):
        Draft202012Validator.check_schema(tool.args_schema)
        found = outcomes.setdefault(tool.name, [])

        _law(tool, found, examples)()
    return outcomes


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("module", "depth", "examples", "expected", "tools"),
    [
        ("statistics", 1, 15, EXPECTED, 19),
        # Typed by their stubs, so that a TypeError would be the schema's mistake. math.prod
        # multiplies anything.
        ("math", 1, 15, (ValueError, ArithmeticError), 54),
        ("json", 1, 15, EXPECTED, 4),
        ("datetime", 2, 15, EXPECTED, 50),
    ],
)
def test_each_tool_runs_with_generated_arguments(module, depth, examples, expected, tools):
    outcomes = _tried(module, depth=depth, exclude=("*math.prod",), examples=examples)
    assert len(outcomes) >= tools
    for name, found in outcomes.items():
        assert all(each is None or isinstance(each, expected) for each in found), (name, found)
    worked = [name for name, found in outcomes.items() if None in found]
    # Texts that are no JSON and no dates are drawn, so a reader of these may never be lucky.
    assert len(worked) >= 0.75 * len(outcomes), sorted(set(outcomes) - set(worked))


@pytest.mark.filterwarnings("ignore")
def test_numpys_top_level_runs_with_generated_arguments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # These print pages, run NumPy's own tests or change how NumPy behaves from then on.
    without = ("numpy.test", "numpy.info", "numpy.show_*", "numpy.set*")
    outcomes = _tried("numpy", exclude=without, examples=2)
    assert len(outcomes) >= 430
    # NumPy tells some mistakes in its own way: no attribute ndim, a dtype that is no Python.
    expected = (*EXPECTED, AttributeError, SyntaxError)
    for name, found in outcomes.items():
        assert all(each is None or isinstance(each, expected) for each in found), (name, found)
    assert sum(None in found for found in outcomes.values()) >= 0.6 * len(outcomes)


@pytest.mark.filterwarnings("ignore")
def test_requests_runs_with_generated_arguments():
    from requests import RequestException

    outcomes = _tried("requests", examples=10)
    assert {"requests.get", "requests.post", "requests.Session"} <= outcomes.keys()
    expected = (*EXPECTED, AttributeError, RequestException)
    for name, found in outcomes.items():
        assert all(each is None or isinstance(each, expected) for each in found), (name, found)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_a_tool_gives_what_its_function_gives(data):
    import statistics

    (tool,) = tools_from_module("statistics", include=["fmean"])
    assert tool.invoke({"data": data}) == statistics.fmean(data)
