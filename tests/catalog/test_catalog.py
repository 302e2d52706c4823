import difflib

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from langchain_gorilla import catalog as catalogs
from langchain_gorilla.catalog import CatalogTool, ToolCatalog
from langchain_gorilla.errors import (
    DuplicateFunctionError,
    InvalidFunctionError,
    UnknownToolError,
)
from langchain_gorilla.functions import FunctionSchema


@tool
def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Sun in {city}"


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def later(text: str) -> str:
    """Repeat a text, later."""
    return text


SCHEMA = {"name": "send_mail", "description": "Send a mail.", "parameters": {"type": "object"}}


def agent(catalog: ToolCatalog):
    graph = StateGraph(MessagesState)
    graph.add_node(
        "tools",
        ToolNode(
            [], wrap_tool_call=catalog.wrap_tool_call, awrap_tool_call=catalog.awrap_tool_call
        ),
    )
    graph.add_edge(START, "tools")
    graph.add_edge("tools", END)
    return graph.compile()


def called(name: str, args: dict) -> dict:
    call = {"name": name, "args": args, "id": "1", "type": "tool_call"}
    return {"messages": [AIMessage("", tool_calls=[call])]}


def test_a_tool_is_found_by_its_name():
    catalog = ToolCatalog([get_weather, add, SCHEMA])
    assert catalog["add"].function.description == "Add two numbers."
    assert catalog.get("nothing") is None
    assert len(catalog) == 3
    assert "send_mail" in catalog


def test_two_tools_with_one_name_are_refused_and_the_catalog_stays():
    catalog = ToolCatalog([add], namespace="math")
    with pytest.raises(DuplicateFunctionError, match="another \\(namespace 'b'\\)"):
        catalog.add_all([get_weather, add], namespace="b")
    assert [entry.name for entry in catalog] == ["add"]


def test_qualified_names_keep_services_apart():
    catalog = ToolCatalog(qualified=True)
    catalog.add(add, namespace="math")
    catalog.add(add, namespace="shop")
    assert [entry.name for entry in catalog] == ["math.add", "shop.add"]
    assert catalog.namespaces == {"math": 1, "shop": 1}
    assert catalog.executable("shop.add").invoke({"a": 1, "b": 2}) == 3


def test_new_documentation_replaces_the_old_where_asked():
    catalog = ToolCatalog([SCHEMA])
    before = catalog["send_mail"].content_hash
    catalog.add({**SCHEMA, "description": "Send a letter."}, replace=True)
    assert catalog["send_mail"].content_hash != before
    assert len(catalog) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"namespace": "other"},
        {"metadata": {"price": 2}},
        {"tags": ("mail",)},
    ],
)
def test_the_hash_covers_all_that_a_search_sees(change):
    assert ToolCatalog([SCHEMA])["send_mail"].content_hash != (
        ToolCatalog().add(SCHEMA, **change).content_hash
    )


@pytest.mark.parametrize("value", [{"a": 1}, (True,), ("a", None)])
def test_metadata_of_another_kind_is_an_error(value):
    with pytest.raises(InvalidFunctionError, match="Expected a number, a string"):
        ToolCatalog().add(add, metadata={"size": value})


@pytest.mark.parametrize("key", ["", 'a "good" one', "a\\b"])
def test_a_metadata_key_that_no_filter_can_name_is_an_error(key):
    with pytest.raises(InvalidFunctionError, match="without double quotes"):
        ToolCatalog().add(add, metadata={key: 1})


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**309])
def test_a_number_that_no_filter_can_compare_is_an_error(value):
    with pytest.raises(InvalidFunctionError, match="Expected a finite number"):
        ToolCatalog().add(add, metadata={"size": value})


@pytest.mark.parametrize("value", [2**53 + 1, 2**64 - 1, -(10**23)])
def test_an_integer_that_no_float_is_is_an_error_since_filters_would_take_it_for_another(value):
    with pytest.raises(InvalidFunctionError, match="Expected its digits as text"):
        ToolCatalog().add(add, metadata={"size": value})


@pytest.mark.parametrize(
    "facts",
    [
        {"metadata": {"\ud83d": 1}},
        {"metadata": {"size": "\ud83d"}},
        {"metadata": {"sizes": ("small", "\ud83d")}},
        {"tags": ["\ud83d"]},
        {"namespace": "\ud83d"},
    ],
)
def test_half_a_character_in_a_fact_is_an_error(facts):
    with pytest.raises(InvalidFunctionError, match="half of one"):
        ToolCatalog().add(add, **facts)


@pytest.mark.parametrize("tool", ["add", add, get_weather, SCHEMA])
def test_a_single_tool_in_the_place_of_several_is_an_error(tool):
    with pytest.raises(InvalidFunctionError, match=r"put a single tool into brackets"):
        ToolCatalog(tool)


def test_of_many_names_few_are_compared_with_an_unknown_one(monkeypatch):
    compared = []
    compare = difflib.get_close_matches

    def noted(word, possibilities, **options):
        compared.append(len(possibilities))
        return compare(word, possibilities, **options)

    monkeypatch.setattr(difflib, "get_close_matches", noted)
    schema = {"type": "object", "properties": {}}
    catalog = ToolCatalog(FunctionSchema(f"send_mail_{n}", "", schema) for n in range(5_000))
    catalog.add(FunctionSchema("get_weather", "", schema))
    with pytest.raises(UnknownToolError, match="Near names: get_weather"):
        catalog["get_weathr_weather"]
    with pytest.raises(UnknownToolError, match="Near names: send_mail"):
        catalog["send_mail"]
    assert compared == [1, 2_000]


def test_one_tag_may_stand_alone():
    catalog = ToolCatalog()
    assert catalog.add(add, tags="sums").tags == ("sums",)
    catalog.add_all([later], tags="sums")
    assert catalog["later"].tags == ("sums",)


def test_an_unknown_name_is_an_error_that_names_the_nearest():
    with pytest.raises(UnknownToolError, match="Near names: get_weather"):
        ToolCatalog([get_weather])["get_wether"]


@pytest.mark.parametrize(
    ("name", "args", "content"),
    [
        ("get_weather", {"city": "Rome"}, "Sun in Rome"),
        ("add", {"a": 1, "b": 2}, "3"),
    ],
)
def test_an_empty_tool_node_runs_what_the_catalog_holds(name, args, content):
    result = agent(ToolCatalog([get_weather, add])).invoke(called(name, args))
    assert result["messages"][-1].content == content


def test_a_function_runs_without_what_no_name_gives():
    def log(text: str, *more: str, **fields: str) -> str:
        """Log a text."""
        return f"{text} {more} {fields}"

    def power(base: int = 2, /, exponent: int = 1) -> int:
        """Raise two to a power."""
        return int(base**exponent)

    catalog = ToolCatalog([log, power])
    assert catalog.executable("log").invoke({"text": "hi"}) == "hi () {}"
    assert catalog.executable("power").invoke({"exponent": 3}) == 8


async def test_it_runs_async_too():
    result = await agent(ToolCatalog([later])).ainvoke(called("later", {"text": "hi"}))
    assert result["messages"][-1].content == "hi"


@pytest.mark.parametrize(
    ("name", "reason"), [("send_mail", "schema without code"), ("nothing", "none of the 1 tools")]
)
def test_what_cannot_run_is_a_message_for_the_model(name, reason):
    message = agent(ToolCatalog([SCHEMA])).invoke(called(name, {}))["messages"][-1]
    assert isinstance(message, ToolMessage)
    assert message.status == "error"
    assert reason in message.content


def test_a_catalog_tool_keeps_its_own_namespace():
    entry = ToolCatalog().add(add, namespace="math")
    assert ToolCatalog([entry])["add"] is entry
    assert isinstance(entry, CatalogTool)


def test_a_tool_s_own_metadata_reaches_the_catalog_and_the_caller_s_wins():
    own = tool(add)
    own.metadata = {
        "source": "python",
        "origin": "maths",
        "names": ["a", "b"],
        "fast": True,
        "object": object(),
        "nested": {"a": 1},
        'a "good" one': 1,
        "limit": float("inf"),
    }
    entry = ToolCatalog().add(own, metadata={"origin": "mine"})
    assert entry.metadata == {
        "source": "python",
        "origin": "mine",
        "names": ("a", "b"),
        "fast": "true",
    }


def test_tools_stream_into_a_catalog_one_by_one():
    catalog = ToolCatalog()
    seen = []

    def stream():
        for number in range(3):
            seen.append(len(catalog))
            yield {"name": f"tool{number}", "parameters": {"type": "object"}}

    catalog.add_all(stream(), namespace="stream")
    assert seen == [0, 1, 2]


def test_a_stream_that_fails_leaves_what_was_replaced_as_it_was():
    catalog = ToolCatalog([SCHEMA, get_weather])

    def stream():
        yield {**SCHEMA, "description": "New."}
        yield add
        raise OSError("the source went away")

    with pytest.raises(OSError, match="went away"):
        catalog.add_all(stream(), replace=True)
    assert [entry.name for entry in catalog] == ["send_mail", "get_weather"]
    assert catalog["send_mail"].function.description == "Send a mail."


def test_new_documentation_keeps_what_runs_and_where_it_belongs():
    def double(number: int) -> int:
        """Double a number."""
        return 2 * number

    catalog = ToolCatalog()
    old = catalog.add(double, namespace="maths", metadata={"year": 2024}, tags=["sums"])
    new = catalog.redocument("double", {"name": "double", "description": "Twice a number."})
    assert (new.id, new.namespace, new.metadata, new.tags) == (
        old.id, old.namespace, old.metadata, old.tags,
    )  # fmt: skip
    assert new.function.description == "Twice a number."
    assert new.content_hash != old.content_hash
    assert catalog.executable("double").invoke({"number": 4}) == 8


def test_documentation_of_another_name_is_an_error():
    catalog = ToolCatalog([{"name": "a"}])
    with pytest.raises(InvalidFunctionError, match="that of 'b'"):
        catalog.redocument("a", {"name": "b"})
    with pytest.raises(UnknownToolError, match="'c' is none of the 1 tools"):
        catalog.redocument("c", {"name": "c"})


def test_what_is_made_of_a_tool_that_is_replaced_meanwhile_is_not_kept(monkeypatch):
    def later_add(a: int, b: int) -> int:
        """Add two numbers, and one more."""
        return a + b + 1

    later_add.__name__ = add.__name__
    catalog, made = ToolCatalog([add]), catalogs._tool_of

    def replaced_meanwhile(entry):
        if entry.runs is add:  # another thread's part
            catalog.add(later_add, replace=True)
        return made(entry)

    monkeypatch.setattr(catalogs, "_tool_of", replaced_meanwhile)
    catalog.executable("add")
    assert catalog.executable("add").invoke({"a": 1, "b": 2}) == 4


def test_a_catalog_that_refused_tools_has_another_version_than_while_it_took_them():
    catalog, seen = ToolCatalog(), []

    def stream():
        yield get_weather
        seen.append(catalog.version)
        yield get_weather

    with pytest.raises(DuplicateFunctionError):
        catalog.add_all(stream())
    assert catalog.version not in seen
