import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_gorilla.evaluation.bfcl_checker import UncheckableError, check_calls, standardized
from langchain_gorilla.evaluation.java_values import java_value
from langchain_gorilla.evaluation.javascript_values import javascript_value


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def function(**properties: Any) -> dict[str, Any]:
    return {"name": "f", "parameters": {"properties": properties, "required": []}}


def verdict(
    value: Any, allowed: list[Any], schema: dict[str, Any], category: str = "simple"
) -> Any:
    return check_calls(
        [function(x=schema)],
        [{"f": {"x": value}}],
        [{"f": {"x": allowed}}],
        language="python",
        category=category,
    )


def test_verdict_and_error_type_are_bfcls_on_every_acceptance_row(shared: Path) -> None:
    gold = {row["id"]: row for row in rows(shared / "cases/bfcl_gold.jsonl")}
    different = []
    for row in rows(shared / "cases/bfcl_checker.jsonl"):
        entry = gold["bfcl-" + row["entry"]]
        ours = check_calls(
            entry["functions"],
            row["model_output"],
            entry["possible_answer"],
            language=row["language"],
            category=row["category"],
        )
        if (ours.valid, ours.error_type) != (row["expect"]["valid"], row["expect"]["error_type"]):
            different.append(row["id"])
    assert different == []


@pytest.mark.parametrize(
    ("value", "allowed", "schema", "error_type"),
    [
        ("New York, NY", ["new york ny"], {"type": "string"}, None),
        ("São Paulo", ["Sao Paulo"], {"type": "string"}, "value_error:string"),
        (5, [5.0], {"type": "float"}, None),
        (5.0, [5], {"type": "integer"}, "type_error:simple"),
        (True, [1], {"type": "integer"}, "type_error:simple"),
        ((1, 2), [[1, 2]], {"type": "tuple", "items": {"type": "integer"}}, None),
        (["1"], [[1]], {"type": "array", "items": {"type": "integer"}}, "type_error:nested"),
        (
            ["1"],
            ["", [1]],
            {"type": "array", "items": {"type": "integer"}},
            "value_error:list/tuple",
        ),
        ("user_age", ["user_age"], {"type": "integer"}, None),
        ("USER_AGE", ["user_age"], {"type": "integer"}, "value_error:others"),
        ({"k": "A"}, [{"k": ["a"], "n": [1]}], {"type": "dict"}, "value_error:dict_key"),
        ({"k": "A"}, [{"k": ["a"], "n": [1, ""]}], {"type": "dict"}, None),
    ],
)
def test_a_value_gets_bfcls_error_type(
    value: Any, allowed: list[Any], schema: dict[str, Any], error_type: str | None
) -> None:
    assert verdict(value, allowed, schema).error_type == error_type


@given(st.permutations(range(4)))
def test_the_order_of_parallel_calls_does_not_count(order: list[int]) -> None:
    schema = {"type": "integer"}
    assert check_calls(
        [function(x=schema)],
        [{"f": {"x": number}} for number in order],
        [{"f": {"x": [number]}} for number in range(4)],
        language="python",
        category="parallel",
    ).valid


def test_checking_leaves_its_arguments_as_they_were() -> None:
    functions = [function(x={"type": "tuple", "items": {"type": "string"}})]
    calls, answers = [{"f": {"x": ("A b",)}}], [{"f": {"x": [["ab"]]}}]
    before = copy.deepcopy((functions, calls, answers))
    check_calls(functions, calls, answers, language="python", category="simple_python")
    assert (functions, calls, answers) == before


def test_standardizing_twice_changes_nothing_more() -> None:
    text = "It's a_B-c, D/e*f^g."
    assert standardized(standardized(text)) == standardized(text) == 'it"sabcdefg'


def test_a_type_that_bfcl_does_not_know_cannot_be_checked() -> None:
    with pytest.raises(UncheckableError, match="no rule for this row"):
        verdict(1, [1], {"type": "quaternion"})


@pytest.mark.parametrize(("bits", "kind"), [(2_000, "float"), (20_000, "integer")])
def test_a_number_that_is_no_float_or_too_long_to_print_cannot_be_checked(
    bits: int, kind: str
) -> None:
    with pytest.raises(UncheckableError, match="no rule for this row"):
        verdict(1 << bits, [1], {"type": kind})


def test_a_function_that_is_not_described_cannot_be_checked() -> None:
    with pytest.raises(UncheckableError, match="'g'"):
        check_calls([], [{"g": {}}], [{"g": {}}], language="python", category="multiple")


@pytest.mark.parametrize("category", ["simple", "multiple", "parallel"])
def test_an_answer_that_calls_nothing_cannot_be_checked(category: str) -> None:
    with pytest.raises(UncheckableError, match="no rule for this row"):
        check_calls([function()], [{"f": {}}], [{}], language="python", category=category)


@pytest.mark.parametrize(
    ("text", "kind", "element", "value"),
    [
        ("5L", "long", None, 5),
        ("5", "long", None, "5"),
        ("2.5f", "float", None, 2.5),
        ("2.5", "float", None, "2.5"),
        ("2.5", "double", None, 2.5),
        ("true", "boolean", None, True),
        ("new int[]{1, 2}", "Array", "integer", [1, 2]),
        ('new String[]{"a"}', "Array", "String", ['"a"']),
        ('new ArrayList<String>(Arrays.asList("a", "b"))', "ArrayList", "String", ["a", "b"]),
        ("new ArrayList<Integer>() {{ add(1); add(2); }}", "ArrayList", "integer", [1, 2]),
        ("new ArrayList<>()", "ArrayList", "String", []),
        ('new HashMap<String, Object>() {{ put("a", 1); put("b", true); }}', "HashMap", None, {"a": 1, "b": True}),
        ("new HashMap<>()", "HashMap", None, {}),
        ("someMap", "HashMap", None, "someMap"),
    ],
)  # fmt: skip
def test_java_text_becomes_the_value_that_bfcl_reads(
    text: str, kind: str, element: str | None, value: Any
) -> None:
    assert java_value(text, kind, element) == value


@pytest.mark.parametrize(
    ("text", "kind", "element", "value"),
    [
        ("12n", "Bigint", None, 12),
        ("true", "Boolean", None, True),
        ("'a'", "String", None, "a"),
        ("[1, 2]", "array", "integer", [1, 2]),
        ("new Array('a', 'b')", "array", "String", ["a", "b"]),
        ("[[1, 2], [3]]", "array", "array", [[1, 2], [3]]),
        ("[]", "array", "integer", []),
        ("{'a': 1, \"b\": [true, 'x'], c: name}", "dict", None, {"a": 1, "b": [True, "x"], "c": "name"}),
        ("{}", "dict", None, {}),
        ("options", "dict", None, "options"),
    ],
)  # fmt: skip
def test_javascript_text_becomes_the_value_that_bfcl_reads(
    text: str, kind: str, element: str | None, value: Any
) -> None:
    assert javascript_value(text, kind, element) == value


@pytest.mark.parametrize(
    "read",
    [
        lambda text: java_value(text, "ArrayList", "String"),
        lambda text: java_value(text, "HashMap"),
        lambda text: java_value(text, "Array", "integer"),
        lambda text: javascript_value(text, "array", "integer"),
        lambda text: javascript_value(text, "dict"),
    ],
)
@pytest.mark.parametrize(
    "unit",
    ["new ArrayList<>(Arrays.asList(", "new HashMap<", 'put("', "new int[]{", "[[1],", "[", "{a", "{a:", ",", "new "],
)  # fmt: skip
def test_hostile_source_text_is_read_in_moments(read: Any, unit: str) -> None:
    # A quadratic scan of this text takes minutes, an exponential one never ends.
    for prefix in ("", "[[", "{", 'new HashMap<>() {{ put("'):
        read(prefix + unit * 20_000)
