"""BFCL's functions are all accepted, and its gold calls are valid where they fit their schema."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.functions import FunctionSet, function_schema
from langchain_gorilla.validation import InvalidCall, validate_call

# Gold calls that contradict their own function: values outside the enum that are no default,
# true where the strings 'True' and 'False' are listed, Java and JavaScript variable names where
# a list, an object or an integer is asked for.
CONTRADICTORY = 14


@pytest.fixture(scope="module")
def entries() -> list[dict[str, Any]]:
    default = Path(__file__).parents[2].parent / "shared"
    file = Path(os.environ.get("GORILLA_SHARED", default)) / "cases" / "bfcl_gold.jsonl"
    if not file.parent.parent.is_dir():
        pytest.skip(f"No folder {file.parent.parent}: set GORILLA_SHARED to the acceptance cases.")
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def checked_calls(
    entries: list[dict[str, Any]],
) -> Iterator[tuple[FunctionCall, FunctionCall | InvalidCall]]:
    for entry in entries:
        functions = FunctionSet(map(function_schema, entry["functions"]))
        for gold in entry["expect"]:
            call = FunctionCall(gold["name"], gold["args"])
            yield call, validate_call(call, functions)


def test_gold_calls_are_valid_unless_they_contradict_their_schema(
    entries: list[dict[str, Any]],
) -> None:
    results = list(checked_calls(entries))
    invalid = [result for _, result in results if isinstance(result, InvalidCall)]

    assert len(results) == 1_609
    assert len(invalid) == CONTRADICTORY
    assert all(": got " in result.reason for result in invalid)


def test_valid_gold_calls_change_only_by_dropping_none(entries: list[dict[str, Any]]) -> None:
    for call, result in checked_calls(entries):
        if isinstance(result, FunctionCall):
            dropped = call.arguments.keys() - result.arguments.keys()
            assert all(call.arguments[name] is None for name in dropped)
            kept = {name: call.arguments[name] for name in result.arguments}
            assert json.dumps(result.arguments) == json.dumps(kept)
