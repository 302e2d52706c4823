"""Names that the model writes: always identifiers, always with a way back."""

import keyword
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.errors import DuplicateFunctionError
from langchain_gorilla.functions import FunctionSchema, FunctionSet


def function(name: str, *parameters: str, **keywords: Any) -> FunctionSchema:
    properties = {parameter: {"type": "string"} for parameter in parameters}
    return FunctionSchema(name, "", {"type": "object", "properties": properties, **keywords})


def is_identifier(name: str) -> bool:
    is_folded = unicodedata.normalize("NFKC", name) == name
    return name.isidentifier() and is_folded and not keyword.iskeyword(name)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("météo", "météo"),
        ("github.create_issue", "github.create_issue"),
        ("_private", "_private"),
        ("match", "match"),
        ("get-weather", "get_weather"),
        ("a--b", "a__b"),
        ("2d.plot", "_2d.plot"),
        ("plot.2d", "plot._2d"),
        ("import", "import_"),
        ("x.class", "x.class_"),
        ("a b/c", "a_b_c"),
        ("a..b", "a._.b"),
        ("f<<function>>rm", "f__function__rm"),
        ("<|eot_id|>", "__eot_id__"),
        ("ﬁle", "file"),
        ("me\u0301te\u0301o", "météo"),
        ("f＜b", "f_b"),
    ],
)
def test_functions_are_written_as_dotted_identifiers(name: str, written: str) -> None:
    functions = FunctionSet([function(name)])

    assert functions.written[0].name == functions.written_name(name) == written
    assert functions.aliases == ({} if name == written else {written: name})


@pytest.mark.parametrize(
    ("name", "written"),
    [("$top", "_top"), ("from", "from_"), ("user.name", "user_name"), ("3d", "_3d"), ("ok", "ok")],
)
def test_parameters_are_written_as_identifiers(name: str, written: str) -> None:
    functions = FunctionSet([function("f", name, required=[name])])

    assert list(functions.written[0].properties) == [written]
    assert functions.written[0].required == (written,)
    assert functions.written_parameter(functions.functions[0], name) == written


def test_every_keyword_that_names_parameters_follows_the_alias() -> None:
    schema = function(
        "f",
        "from",
        "to",
        required=["to", "from"],
        dependentRequired={"to": ["from"], "from": ["to"]},
        dependentSchemas={"from": {"required": ["from"]}},
        anyOf=[{"required": ["from"]}, {"properties": {"from": {"const": "x"}}}],
        additionalProperties={"properties": {"from": {"$ref": "#/properties/from"}}},
    )

    assert FunctionSet([schema]).written[0].parameters == {
        "type": "object",
        "properties": {"from_": {"type": "string"}, "to": {"type": "string"}},
        "required": ["to", "from_"],
        "dependentRequired": {"to": ["from_"], "from_": ["to"]},
        "dependentSchemas": {"from_": {"required": ["from_"]}},
        "anyOf": [{"required": ["from_"]}, {"properties": {"from_": {"const": "x"}}}],
        "additionalProperties": {"properties": {"from": {"$ref": "#/properties/from_"}}},
    }


def test_parameters_that_only_an_option_names_are_written_as_identifiers() -> None:
    options = [{"properties": {"$top": {}}, "required": ["$top"]}, {"required": ["from"]}]
    schema = FunctionSchema("f", "", {"type": "object", "anyOf": options})
    functions = FunctionSet([schema])

    assert functions.written[0].parameters["anyOf"] == [
        {"properties": {"_top": {}}, "required": ["_top"]},
        {"required": ["from_"]},
    ]
    assert functions.as_true(FunctionCall("f", {"_top": 1})).arguments == {"$top": 1}


def test_references_to_a_renamed_parameter_still_resolve() -> None:
    parameters = {
        "type": "object",
        "properties": {
            "a/b~c": {"type": "integer"},
            "plain": {"$ref": "#/properties/a~1b~0c"},
        },
    }
    written = FunctionSet([FunctionSchema("f", "", parameters)]).written[0]

    assert written.properties["plain"] == {"$ref": "#/properties/a_b_c"}
    assert not Draft202012Validator(written.parameters).is_valid({"plain": "text"})


def test_functions_that_need_no_alias_are_the_same_objects() -> None:
    functions = FunctionSet([function("f", "a"), function("g.h")])

    assert all(a is b for a, b in zip(functions.functions, functions.written, strict=True))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["f", "g", "f"], "Two tools are named 'f'.*rename one, or leave one out"),
        (["get_weather", "get-weather"], "'get-weather' and 'get_weather' would both be"),
        (["get-weather", "get_weather"], "'get-weather' and 'get_weather' would both be"),
        (["a-b", "a/b"], "'a/b' and 'a-b' would both be written 'a_b'"),
        (["ﬁle", "file"], "'ﬁle' and 'file' would both be written 'file'"),
    ],
)
def test_two_functions_with_one_name_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(DuplicateFunctionError, match=message):
        FunctionSet(map(function, names))


def test_two_parameters_with_one_alias_are_refused() -> None:
    message = "Parameters 'a-b' and 'a_b' of tool 'f' would both be written 'a_b'"
    with pytest.raises(DuplicateFunctionError, match=message):
        FunctionSet([function("f", "a-b", "a_b")])


@pytest.mark.parametrize("name", ["get.weather", "x" * 65, "é" * 100, "ok-name", "a" * 64])
def test_openai_names_fit_and_lead_back(name: str) -> None:
    functions = FunctionSet([function(name, "$top")], style="openai")
    written = functions.written[0]

    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", written.name)
    assert functions.find(written.name) is functions.functions[0]
    assert list(written.properties) == ["$top"]


def test_long_openai_names_that_differ_at_the_end_stay_apart() -> None:
    names = ["x" * 80 + end for end in "ab"]

    first, second = FunctionSet(map(function, names), style="openai").written

    assert first.name != second.name
    assert re.fullmatch(r"x{55}_[0-9a-f]{8}", first.name)


def test_calls_are_renamed_both_ways() -> None:
    functions = FunctionSet([function("get-weather", "from", "to")])
    true = FunctionCall("get-weather", {"from": 1, "to": 2, "unknown": 3})
    written = FunctionCall("get_weather", {"from_": 1, "to": 2, "unknown": 3})

    assert functions.as_written(true) == written
    assert functions.as_true(written) == true
    assert functions.as_true(true) == true


def test_an_argument_under_both_names_is_never_lost() -> None:
    functions = FunctionSet([function("f", "from")])
    call = FunctionCall("f", {"from": 1, "from_": 2})

    assert functions.as_true(call) == call
    assert functions.as_written(call) == call


def test_an_unknown_function_is_left_alone() -> None:
    functions = FunctionSet([function("f", "from")])
    call = FunctionCall("get-weather", {"from": 1})

    assert functions.as_true(call) == functions.as_written(call) == call
    assert functions.find("get-weather") is None


def test_the_fingerprint_depends_on_functions_order_and_style() -> None:
    f, g = function("f"), function("g")
    sets = [
        FunctionSet([f, g]),
        FunctionSet([g, f]),
        FunctionSet([f]),
        FunctionSet([f, g], style="openai"),
    ]

    assert len({each.fingerprint for each in sets}) == len(sets)
    assert FunctionSet([f, g]).fingerprint == sets[0].fingerprint


characters = st.characters(exclude_categories=["Cs"]) | st.sampled_from("ab_-. $1<>éﬁ·")
names = st.text(characters, min_size=1, max_size=8) | st.sampled_from(["from", "from_", "a_b"])


@st.composite
def function_sets(draw: st.DrawFn) -> FunctionSet:
    functions: list[FunctionSchema] = []
    for name in draw(st.lists(names, max_size=4)):
        parameters: list[str] = []
        for parameter in draw(st.lists(names, max_size=4)):
            try:
                FunctionSet([function(name, *parameters, parameter)])
            except DuplicateFunctionError:
                continue
            parameters.append(parameter)
        candidate = function(name, *parameters)
        try:
            FunctionSet([*functions, candidate])
        except DuplicateFunctionError:
            continue
        functions.append(candidate)
    return FunctionSet(functions)


@st.composite
def calls(draw: st.DrawFn, functions: FunctionSet) -> FunctionCall:
    """A call of the set under true, written or unknown names."""
    known = [each.name for each in (*functions.functions, *functions.written)]
    name = draw(st.sampled_from(known) | names if known else names)
    found = functions.find(name)
    parameters: list[str] = []
    if found is not None:
        place = functions.functions.index(found)
        parameters = [*found.properties, *functions.written[place].properties]
    keys = st.sampled_from(parameters) | names if parameters else names
    return FunctionCall(name, draw(st.dictionaries(keys, st.integers(), max_size=4)))


@given(function_sets())
def test_written_names_are_identifiers(functions: FunctionSet) -> None:
    for written in functions.written:
        assert all(map(is_identifier, written.name.split(".")))
        assert all(map(is_identifier, written.properties))


@given(function_sets())
def test_true_and_written_names_find_the_same_function(functions: FunctionSet) -> None:
    for true, written in zip(functions.functions, functions.written, strict=True):
        assert functions.find(true.name) is functions.find(written.name) is true


@given(st.data())
def test_aliasing_is_reversible(data: st.DataObject) -> None:
    functions = data.draw(function_sets())
    call = data.draw(calls(functions))

    true = functions.as_true(call)

    assert functions.as_true(functions.as_written(call)) == true
    assert functions.as_true(true) == true
    assert sorted(true.arguments.values()) == sorted(call.arguments.values())


@given(st.data())
def test_a_call_in_true_names_comes_back_unchanged(data: st.DataObject) -> None:
    functions = data.draw(function_sets())
    call = functions.as_true(data.draw(calls(functions)))

    assert functions.as_true(functions.as_written(call)) == call
