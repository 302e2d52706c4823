"""Rows: what can be learned from, and what is said of the others."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

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


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"messages": "Hello"}, "messages is no list"),
        ({"messages": [ASKED]}, "no message of the assistant"),
        ({"messages": [ASKED, {"role": "assistant", "content": "", "weight": 1}]}, "says nothing"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, "begins with an answer"),
        ({"messages": [{"role": "wizard", "content": "Hi"}]}, "cannot be read"),
        ({"messages": [ASKED, _call('{"city":')], "tools": [WEATHER]}, "cannot be read"),
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
