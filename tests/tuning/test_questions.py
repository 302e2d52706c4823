"""Questions for one's own functions."""

import json
from pathlib import Path
from typing import Any

import pytest

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.functions import function_set
from langchain_gorilla.training.kept_out import is_kept_out
from langchain_gorilla.tuning.phrases import PhrasesError
from langchain_gorilla.tuning.questions import (
    NoQuestionsError,
    OwnQuestions,
    _request,
    general_rows,
    write_questions,
)
from langchain_gorilla.tuning.rows import read_tuning_rows
from langchain_gorilla.validation import validate_call


def reserve_room(room: str, guests: int, date: str = "") -> str:
    """Reserve a meeting room."""
    return f"{room} {guests} {date}"


def water_plants(zone: str) -> str:
    """Water the plants of a zone."""
    return zone


def all_doors() -> str:
    """Show which doors are open."""
    return ""


FROM = {
    "name": "send-parcel",
    "description": "Send a parcel.",
    "parameters": {
        "type": "object",
        "properties": {
            "from": {"type": "string", "description": "City of the sender"},
            "weight": {"type": "number", "minimum": 0.1, "maximum": 30},
            "express": {"type": "boolean"},
        },
        "required": ["from", "weight", "express"],
    },
}
TOOLS = [reserve_room, water_plants, all_doors, FROM]


def _rows(count: int = 120, **options: Any) -> list[dict[str, Any]]:
    return list(OwnQuestions(function_set(TOOLS), phrases={}, seed=1, **options).rows(count))


def _calls(row: dict[str, Any]) -> list[FunctionCall]:
    calls = row["messages"][-1].get("tool_calls") or []
    return [
        FunctionCall(one["function"]["name"], json.loads(one["function"]["arguments"]))
        for one in calls
    ]


def test_every_call_fits_its_tool_under_its_true_names() -> None:
    functions = function_set(TOOLS)
    called = [call for row in _rows() for call in _calls(row)]
    assert {one.name for one in called} == {*functions.names}
    for call in called:
        assert isinstance(validate_call(call, functions), FunctionCall), call
        assert call.name != "send-parcel" or "from" in call.arguments


def test_one_call_several_calls_and_none_are_asked_for() -> None:
    counts = {min(len(_calls(row)), 2) for row in _rows()}
    assert counts == {0, 1, 2}


def test_a_text_that_is_wanted_stands_in_the_question() -> None:
    for row in _rows():
        question = row["messages"][0]["content"].lower()
        for call in _calls(row):
            for name in ("room", "zone", "from"):
                value = call.arguments.get(name)
                assert value is None or value.lower() in question


def test_what_is_asked_for_is_offered_unless_nothing_fits() -> None:
    for row in _rows():
        offered = {one["function"]["name"] for one in row["tools"]}
        assert {one.name for one in _calls(row)} <= offered


def test_the_same_seed_gives_the_same_questions_and_another_gives_others(tmp_path: Path) -> None:
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_questions(TOOLS, tmp_path / folder, count=30, seed=seed, general=5)
    texts = [(tmp_path / one / "train.jsonl").read_text("utf-8") for one in "abc"]
    assert texts[0] == texts[1] != texts[2]


def test_a_tenth_is_kept_and_no_question_is_in_both(tmp_path: Path) -> None:
    made = write_questions(TOOLS, tmp_path, count=100, general=20)
    assert (made.train, made.test, made.refusals) == (110, 10, ())
    train, test = (read_tuning_rows(tmp_path / one)[0] for one in ("train.jsonl", "test.jsonl"))
    asked = [{row.messages[0].text for row in rows} for rows in (train, test)]
    assert not asked[0] & asked[1]


def test_every_row_can_be_read_general_ones_too(tmp_path: Path) -> None:
    made = write_questions(TOOLS, tmp_path, count=60, general=60)
    rows, problems = read_tuning_rows(tmp_path / "train.jsonl")
    assert not problems
    assert len(rows) == made.train


def test_a_shown_mistake_of_the_training_is_not_learned() -> None:
    shown = [
        message
        for row in general_rows(400, 1)
        for message in row["messages"]
        if message.get("weight") == 0
    ]
    assert shown
    assert all(one["role"] == "assistant" for one in shown)


def test_peoples_own_words_are_asked() -> None:
    phrases = {"send-parcel": ["Off with {weight} kilos from {from}[ quickly @express=True]!"]}
    asker = OwnQuestions(function_set(TOOLS), phrases=phrases, seed=1)
    asked = [row for row in asker.rows(150) if "Off with" in row["messages"][0]["content"]]
    sent = [call for row in asked for call in _calls(row) if call.name == "send-parcel"]
    assert any(one.arguments["express"] is True for one in sent)


@pytest.mark.parametrize(
    ("phrases", "what"),
    [
        ({"fly": ["Fly!"]}, "'fly', which is none of the 4 tools"),
        ({"water_plants": ["Water {area}"]}, "'area'; its parameters are zone"),
        ({"water_plants": "Water {zone}"}, "Expected a list"),
        ({"all_doors": ["Open {door}"]}, "its parameters are none"),
        ({"water_plants": ["Water[ a lot @much=True] {zone}"]}, "speaks of 'much'"),
        ({"water_plants": ["It is dry"]}, r"gives no zone, .* Write \{zone\}"),
        ({"water_plants": 5}, "Expected a list"),
        ({"water_plants": ["{zone} [is dry"]}, "do not pair"),
        ({"water_plants": ["{zone} [is [so] dry]"]}, "do not pair"),
        ({"water_plants": ["{zone} is {dry"]}, "do not pair"),
        ({"all_doors": ["[Doors?]"]}, "says nothing outside"),
        ({"send-parcel": ["{from} {weight}[ now @express=true]"]}, "True or False"),
        ({"send-parcel": ["{from} {weight}[@express=True]"]}, "True or False"),
        ({"send-parcel": ["{from} {weight} now @express=True"]}, "True or False"),
        ({"send-parcel": ["{from} {weight}[ now @express=True @express=1]"]}, "True or False"),
        ({"send-parcel": ["{express}[ a lot @weight=True][ there @from=True]"]}, "no boolean"),
        (["Water {zone}"], "The phrases are a list"),
    ],
)
def test_phrases_that_fit_no_tool_are_an_error(phrases: Any, what: str) -> None:
    with pytest.raises(PhrasesError, match=what):
        OwnQuestions(function_set(TOOLS), phrases=phrases, seed=1)


ROWS = {
    "name": "insert",
    "description": "Insert rows.",
    "parameters": {
        "type": "object",
        "properties": {
            "table": {"type": "string"},
            "rows": {"type": "array", "items": {"type": "object"}},
        },
    },
}


def test_a_phrase_for_a_value_that_cannot_be_made_up_is_an_error() -> None:
    with pytest.raises(PhrasesError, match="'rows', for which no value can be made up"):
        OwnQuestions(function_set([ROWS]), phrases={"insert": ["Insert {rows}"]}, seed=1)


@pytest.mark.parametrize(
    ("tools", "what"),
    [
        ([], "these 0 tools"),
        (
            [{**ROWS, "parameters": {**ROWS["parameters"], "required": ["rows"]}}],
            "tools .insert: Its",
        ),
    ],
)
def test_where_nothing_can_be_asked_the_files_stay(
    tmp_path: Path, tools: list[Any], what: str
) -> None:
    (tmp_path / "train.jsonl").write_text("mine", encoding="utf-8")
    with pytest.raises(NoQuestionsError, match=what):
        write_questions(tools, tmp_path, general=5)
    assert (tmp_path / "train.jsonl").read_text("utf-8") == "mine"


def test_a_tool_that_nothing_can_ask_for_is_named_and_offered() -> None:
    rows = {"type": "array", "items": {"type": "object"}}
    odd = {
        "name": "insert",
        "description": "Insert rows.",
        "parameters": {"type": "object", "properties": {"rows": rows}, "required": ["rows"]},
    }
    asker = OwnQuestions(function_set([*TOOLS, odd]), phrases={}, seed=1)
    assert [one.where for one in asker.refusals] == ["insert"]
    made = list(asker.rows(100))
    assert not [call for row in made for call in _calls(row) if call.name == "insert"]
    assert [row for row in made if "insert" in {one["function"]["name"] for one in row["tools"]}]


def test_a_tool_whose_pattern_no_value_fits_ends_the_search_and_is_named(tmp_path: Path) -> None:
    number = {"type": "string", "pattern": "^XQ-[0-9]{9}$"}
    odd = {
        "name": "find_invoice",
        "description": "Find an invoice.",
        "parameters": {"type": "object", "properties": {"n": number}, "required": ["n"]},
    }
    made = write_questions([odd], tmp_path, count=50)
    assert made.train + made.test < 50
    (refusal,) = made.refusals
    assert refusal.where == "find_invoice"
    assert "examples" in refusal.reason


def test_where_little_can_be_asked_for_refusals_are_no_more_than_a_third() -> None:
    rows = list(OwnQuestions(function_set([all_doors]), phrases={}, seed=1).rows(200))
    assert 0 < sum(not _calls(row) for row in rows) <= len(rows) / 3


def test_a_shown_error_of_the_training_is_one_in_its_row() -> None:
    messages = [message for row in general_rows(400, 1) for message in row["messages"]]
    assert {one.get("status") for one in messages if one["role"] == "tool"} == {None, "error"}


def test_prompts_that_are_never_trained_on_are_not_asked() -> None:
    assert not [row for row in _rows() if is_kept_out(row["messages"][0]["content"])]


@pytest.mark.parametrize(
    ("name", "description", "request_"),
    [
        ("get_time", "Get the time. In UTC.", "Get the time"),
        ("get_time", "Returns the time.", "Return the time"),
        ("rows.fetch", "Fetches rows\nfrom a table", "Fetch rows"),
        ("tar", "GNU tar saves many files together", "Use tar"),
        ("mailbox.findMail", "", "Use mailbox find mail"),
        ("get_user", "Get [the] user {id}", "Get the user id"),
        ("_", "", "Use _"),
    ],
)
def test_a_description_becomes_a_request(name: str, description: str, request_: str) -> None:
    assert _request(name, description) == request_


def test_a_list_of_a_single_choice_is_asked_for(tmp_path: Path) -> None:
    scopes = {"type": "array", "items": {"type": "string", "enum": ["read"]}}
    grant = {
        "name": "grant",
        "description": "Grant access.",
        "parameters": {"type": "object", "properties": {"s": scopes}, "required": ["s"]},
    }
    made = write_questions([grant], tmp_path, count=15)
    assert made.train + made.test == 15


def test_of_many_optional_parameters_a_question_speaks_of_a_few() -> None:
    properties = {f"{word}_name": {"type": "string"} for word in "abcdefghijklmnop"}
    wide = {
        "name": "search",
        "description": "Search.",
        "parameters": {"type": "object", "properties": properties},
    }
    rows = list(OwnQuestions(function_set([wide, water_plants]), phrases={}, seed=1).rows(100))
    told = [set(one.arguments) for row in rows for one in _calls(row) if one.name == "search"]
    assert max(map(len, told)) <= 3
    assert len(set().union(*told)) > 8
