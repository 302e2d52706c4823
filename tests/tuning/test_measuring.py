"""What counts as a right answer."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_gorilla import ChatGorilla
from langchain_gorilla.engines.scripted import ScriptedEngine
from langchain_gorilla.errors import DeadEndError
from langchain_gorilla.functions import function_set
from langchain_gorilla.tuning.measuring import Judged, judged, table
from langchain_gorilla.tuning.rows import TuningRow


def add(a: int, b: int = 0) -> int:
    """Add."""
    return a + b


def _row(*arguments: dict[str, int]) -> TuningRow:
    calls = [{"name": "add", "args": one, "id": f"{place}"} for place, one in enumerate(arguments)]
    answer = AIMessage("" if calls else "No.", tool_calls=calls)
    return TuningRow((HumanMessage("Add."), answer), function_set([add]), (1,))


@pytest.mark.parametrize(
    ("said", "row", "group", "right"),
    [
        ("<<function>>add(a=1, b=2)", _row({"a": 1, "b": 2}), "one call", True),
        ("<<function>>add(b=2, a=1)", _row({"a": 1, "b": 2}), "one call", True),
        ("<<function>>add(a=1)", _row({"a": 1, "b": 2}), "one call", False),
        (
            "<<function>>add(a=2)<<function>>add(a=1)",
            _row({"a": 1}, {"a": 2}),
            "several calls",
            True,
        ),
        ("<<function>>add(a=1)", _row({"a": 1}, {"a": 2}), "several calls", False),
        ("<<function>>add(a=1)<<function>>add(a=1)", _row({"a": 1}), "one call", False),
        ("<<function>>add(a=1)<<function>>add(a='x')", _row({"a": 1}), "one call", False),
        ("I cannot.", _row(), "no call", True),
        ("<<function>>add(a=1)", _row(), "no call", False),
    ],
)
def test_an_answer_is_right_if_its_calls_are_in_any_order(
    said: str, row: TuningRow, group: str, right: bool
) -> None:
    model = ChatGorilla(model="bundled", engine=ScriptedEngine([said]), constrained=False)
    (found,) = judged(model, [row], name="test")
    assert (found.group, found.right) == (group, right)


@pytest.mark.parametrize(
    ("parameters", "description", "problem"),
    [
        ({"type": "object", "properties": {}}, "long " * 3000, "The prompt has"),
        (
            {
                "type": "object",
                "properties": {"x": {"type": "integer", "minimum": 5, "maximum": 3}},
                "required": ["x"],
            },
            "",
            "cannot be fulfilled",
        ),
    ],
    ids=["too long", "contradictory"],
)
def test_an_answer_that_cannot_be_asked_for_is_wrong_and_says_why(
    parameters: dict[str, Any], description: str, problem: str
) -> None:
    tool = {"name": "odd", "description": description, "parameters": parameters}
    row = TuningRow((HumanMessage("Hi"), AIMessage("Hello.")), function_set([tool]), (1,))
    found = list(judged(ChatGorilla(model="bundled", temperature=0), [row], name="test"))
    assert [one.right for one in found] == [False]
    assert problem in found[0].problem


def test_an_answer_that_has_no_way_out_ends_no_measurement() -> None:
    def dead(prompt: str) -> str:
        raise DeadEndError("No token fits.")

    model = ChatGorilla(model="bundled", engine=ScriptedEngine(dead))
    found = list(judged(model, [_row(), _row()], name="test"))
    assert [one.problem for one in found] == ["No token fits."] * 2


def test_rows_that_offer_nothing_are_not_asked() -> None:
    row = TuningRow((HumanMessage("Hi"), AIMessage("Hello.")), function_set([]), (1,))
    model = ChatGorilla(model="bundled", engine=ScriptedEngine([]))
    assert list(judged(model, [row], name="test")) == []


def test_the_table_has_a_row_for_each_group_that_there_is() -> None:
    def of(group: str, right: bool) -> Judged:
        return Judged(group, "?", (), (), right)

    before = [of("one call", True), of("one call", False), of("no call", True)]
    after = [of("one call", True), of("one call", True), of("no call", True)]
    lines = table({"before": before, "after": after}).split("\n")
    assert lines[0] == "| answers | n | before | after |"
    assert lines[2].startswith("| one call | 2 | 0.50 (")
    assert lines[3].startswith("| no call | 1 | 1.00 (")
    assert lines[4].startswith("| all | 3 | 0.67 (")
    assert "| 1.00 (" in lines[4]
