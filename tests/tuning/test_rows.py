"""Rows: what can be learned from, and what is said of the others."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_gorilla.evaluation.outputs import UnwritableOutputError
from langchain_gorilla.formats.base import ResultsTurn
from langchain_gorilla.formats.conversation import conversation
from langchain_gorilla.functions import function_set
from langchain_gorilla.tuning.rows import (
    UnusableRowsError,
    read_tuning_rows,
    write_tuning_rows,
    written,
)

WEATHER = {
    "type": "function",
    "function": {
        "name": "get-weather",
        "description": "Get the weather.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "maximum": 9}},
            "required": ["city"],
        },
    },
}


def _call(arguments: str, name: str = "get-weather") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {
        "role": "assistant",
        "tool_calls": [{"id": "1", "type": "function", "function": function}],
    }


ASKED = {"role": "user", "content": "Weather in Rome?"}


def _file(folder: Path, *rows: Any) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


def test_a_row_of_openais_fine_tuning_is_read(tmp_path: Path) -> None:
    row = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            ASKED,
            _call('{"city": "Rome"}'),
            {"role": "tool", "tool_call_id": "1", "content": "22 C"},
            {"role": "assistant", "content": "22 C."},
        ],
        "tools": [WEATHER],
        "parallel_tool_calls": True,
    }
    (found,), problems = read_tuning_rows(_file(tmp_path, row))
    assert not problems
    assert found.learned == (2, 4)
    assert found.answer(2).tool_calls[0]["args"] == {"city": "Rome"}
    assert isinstance(found.messages[3], ToolMessage)


def test_an_answer_of_weight_0_is_read_and_not_learned(tmp_path: Path) -> None:
    shown = {"role": "assistant", "content": "No idea.", "weight": 0}
    said = {"role": "assistant", "content": "22 C.", "weight": 1}
    (found,), _ = read_tuning_rows(_file(tmp_path, {"messages": [ASKED, shown, ASKED, said]}))
    assert found.learned == (3,)


def _legacy(arguments: str) -> dict[str, Any]:
    call = {"name": "get-weather", "arguments": arguments}
    return {"role": "assistant", "content": None, "function_call": call}


def test_a_row_of_openais_first_function_calling_is_read(tmp_path: Path) -> None:
    result = {"role": "function", "name": "get-weather", "content": "22 C"}
    messages = [ASKED, _legacy('{"city": "Rome"}'), result, {"role": "assistant", "content": "22"}]
    row = {"messages": messages, "functions": [WEATHER["function"]]}
    (found,), problems = read_tuning_rows(_file(tmp_path, row))
    assert not problems
    assert found.functions.names == ("get-weather",)
    assert found.answer(1).tool_calls[0]["args"] == {"city": "Rome"}
    assert found.learned == (1, 3)


@pytest.mark.parametrize(
    "answer",
    [
        {"role": "assistant", "content": None, "refusal": "I cannot."},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "I cannot."}]},
        {**_call('{"city": "Rome"}'), "weight": None},
        {
            "role": "assistant",
            "tool_calls": [{"function": _legacy('{"city": "A"}')["function_call"]}],
        },
    ],
    ids=["refusal", "refused part", "weight of null", "call without an id"],
)
def test_an_answer_as_logs_have_it_is_learned(tmp_path: Path, answer: dict[str, Any]) -> None:
    row = {"messages": [ASKED, answer], "tools": [WEATHER]}
    (found,), problems = read_tuning_rows(_file(tmp_path, row))
    assert not problems
    assert found.learned == (1,)


def test_no_text_for_arguments_means_none(tmp_path: Path) -> None:
    row = {"messages": [ASKED, _call("", "now")], "tools": [{"name": "now"}]}
    (found,), _ = read_tuning_rows(_file(tmp_path, row))
    assert found.answer(1).tool_calls[0]["args"] == {}


def test_results_without_ids_belong_to_the_calls_in_their_order(tmp_path: Path) -> None:
    first, second = (_call(f'{{"city": "{one}"}}')["tool_calls"][0] for one in ("Rome", "Oslo"))
    calls = [{"function": one["function"]} for one in (first, second)]
    results = [{"role": "tool", "content": one} for one in ("22 C", "4 C")]
    messages = [ASKED, {"role": "assistant", "tool_calls": calls}, *results]
    row = {"messages": messages, "tools": [WEATHER]}
    (found,), problems = read_tuning_rows(_file(tmp_path, row))
    assert not problems
    turns = conversation(found.messages, found.functions)
    assert isinstance(turns[-1], ResultsTurn)
    assert [(one.call.arguments["city"], one.content) for one in turns[-1].results] == [
        ("Rome", "22 C"),
        ("Oslo", "4 C"),
    ]


def test_a_call_is_learned_as_it_would_run(tmp_path: Path) -> None:
    """Its tool's own name, integers where they are wanted, no null where there may be none."""
    call = _call('{"city": "Rome", "days": 3.0}', "get_weather")
    other = _call('{"city": "Rome", "days": null}')
    rows = [{"messages": [ASKED, one], "tools": [WEATHER]} for one in (call, other)]
    found, _ = read_tuning_rows(_file(tmp_path, *rows))
    (first,), (second,) = (one.answer(1).tool_calls for one in found)
    assert (first["name"], repr(first["args"])) == ("get-weather", "{'city': 'Rome', 'days': 3}")
    assert second["args"] == {"city": "Rome"}


def test_an_error_of_a_tool_is_written_and_read_as_one(tmp_path: Path) -> None:
    calls = [{"name": "get-weather", "args": {"city": one}, "id": one} for one in ("A", "B")]
    messages = [
        HumanMessage("Weather in A and B?"),
        AIMessage("", tool_calls=calls),
        ToolMessage("no such city", tool_call_id="A", status="error"),
        ToolMessage("4 C", tool_call_id="B"),
        AIMessage("There is no A; B: 4 C."),
    ]
    row = written(messages, function_set([WEATHER]))
    assert [one.get("status") for one in row["messages"]] == [None, None, "error", None, None]
    (found,), _ = read_tuning_rows(_file(tmp_path, row))
    results = [one for one in found.messages if isinstance(one, ToolMessage)]
    assert [one.status for one in results] == ["error", "success"]


def test_a_lone_surrogate_is_written_and_read_back(tmp_path: Path) -> None:
    messages = [HumanMessage("Half \ud83d an emoji"), AIMessage("Yes.")]
    write_tuning_rows(tmp_path / "rows.jsonl", [written(messages, function_set([]))])
    (found,), _ = read_tuning_rows(tmp_path / "rows.jsonl")
    assert found.messages[0].text == messages[0].text


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnwritableOutputError, match=f"{tmp_path} cannot be written: Is a dir"):
        write_tuning_rows(tmp_path, [])


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"messages": "Hello"}, "messages is no list"),
        ({"messages": [ASKED]}, "no message of the assistant"),
        ({"messages": [ASKED, {"role": "assistant", "content": "", "weight": 1}]}, "says nothing"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, "begins with an answer"),
        ({"messages": [{"role": "wizard", "content": "Hi"}]}, r"messages\[0\] cannot be read"),
        (
            {"messages": [ASKED, _call('{"city":')], "tools": [WEATHER]},
            r"messages\[1\] cannot be read",
        ),
        (
            {"messages": [ASKED, _call("[" * 9999 + "]" * 9999)], "tools": [WEATHER]},
            r"messages\[1\] cannot be read",
        ),
        ({"messages": [ASKED, _call("[1]")], "tools": [WEATHER]}, "args: Input should be a"),
        ({"messages": [ASKED, {**_call("{}"), "weight": "0"}]}, "a weight is '0'; expected 0 or 1"),
        ({"messages": [ASKED, _legacy("{}")], "functions": [WEATHER]}, "must not run: .*city"),
        ({"messages": [ASKED, _call("{}")], "tools": [WEATHER]}, "city"),
        (
            {"messages": [ASKED, _call('{"city": "Rome", "days": 10}')], "tools": [WEATHER]},
            "must not run: .*9",
        ),
        ({"messages": [ASKED, _call("{}", "fly")], "tools": [WEATHER]}, "fly"),
        ({"messages": [ASKED, _call("{}")], "tools": ["get-weather"]}, "get-weather"),
        ({"messages": [ASKED, _call("{}")], "tools": "get-weather"}, "tools is no list"),
    ],
)
def test_a_row_that_cannot_be_learned_from_is_named_with_its_line(
    tmp_path: Path, row: Any, what: str
) -> None:
    fine = {"messages": [ASKED, {"role": "assistant", "content": "22 C."}]}
    found, problems = read_tuning_rows(_file(tmp_path, fine, row))
    assert len(found) == 1
    (problem,) = problems
    assert problem.row == 2
    assert re.search(what, problem.what), problem.what


def test_a_file_without_a_usable_row_is_an_error_that_shows_one(tmp_path: Path) -> None:
    with pytest.raises(UnusableRowsError, match=r"no message of the assistant.*gorilla tune"):
        read_tuning_rows(_file(tmp_path, {"messages": [ASKED]}))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    call = {"name": "get-weather", "args": {"city": "Zürich", "days": 2}, "id": "call_1"}
    messages = [
        HumanMessage("Weather in Zürich?"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("4 C", tool_call_id="call_1"),
        AIMessage("4 C."),
    ]
    path = tmp_path / "new" / "rows.jsonl"
    functions = function_set([WEATHER])
    assert write_tuning_rows(path, [written(messages, functions)]) == 1
    (found,), problems = read_tuning_rows(path)
    assert not problems
    assert found.answer(1).tool_calls[0]["args"] == call["args"]
    assert [one.text for one in found.messages] == [one.text for one in messages]
    assert found.functions.fingerprint == functions.fingerprint
