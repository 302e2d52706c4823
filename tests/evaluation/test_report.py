import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from langchain_gorilla.cli import app
from langchain_gorilla.evaluation.plots import accuracy_by_category
from langchain_gorilla.evaluation.report import (
    UnreadableRunError,
    html_page,
    markdown,
    read_figures,
    run_names,
    write_report,
)
from langchain_gorilla.evaluation.runner import RunOptions
from langchain_gorilla.evaluation.scoring import Answer, Score
from langchain_gorilla.evaluation.summary import summarize
from tests.evaluation.chromium import check_pictures, drawn, needs_chromium

pytest.importorskip("matplotlib")


def run(model: str, retriever: Any = "none", right: int = 6) -> dict[str, Any]:
    scores = [
        Score(
            f"{category}_{number}",
            category,
            number < right,
            None if number < right else "value_error:string",
            frozenset() if number < right else frozenset({"enum", "type"}),
            True,
            category != "irrelevance",
            Answer(f"{category}_{number}", input_tokens=200, output_tokens=20, seconds=0.5),
        )
        for category in ("simple_python", "parallel", "live_multiple", "irrelevance")
        for number in range(10)
    ]
    return summarize(scores, RunOptions(model=model, retriever=retriever))


RUNS = [run("org/one"), run("org/one", "oracle", right=9), run("<b>two</b> & co", right=2)]


def test_names_tell_runs_apart() -> None:
    names = run_names([*RUNS, run("org/one")])
    assert names[:2] == ["one", "one, oracle"]
    assert len(set(names)) == 4


def test_names_say_what_was_compared_and_weighed() -> None:
    other = run("org/one")
    other["options"] |= {"compare_functions": 3, "lexical_weight": 2.0}
    assert run_names([other]) == ["one, 3 compared, lexical weight 2"]


def test_the_page_holds_every_picture_and_loads_nothing() -> None:
    page = html_page(RUNS, run_names(RUNS))
    assert page.count("<svg") == 3
    assert "<script" not in page
    assert 'src="' not in page
    assert "<b>two</b>" not in page


def test_dollar_signs_in_a_name_are_no_formula() -> None:
    runs = [run("a$x_$")]
    assert "a$x_$" in accuracy_by_category(runs, run_names(runs))


def test_the_same_runs_give_the_same_page() -> None:
    assert html_page(RUNS, run_names(RUNS)) == html_page(RUNS, run_names(RUNS))


def test_markdown_has_the_figures_of_the_page() -> None:
    text = markdown(RUNS, run_names(RUNS))
    assert "60.0 [" in text
    assert "Does a retriever help org/one on this catalog" in text
    assert "| oracle | 40 |" in text


def test_json_holds_the_runs_as_they_came(tmp_path: Path) -> None:
    write_report(RUNS, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["runs"] == RUNS


def test_a_file_that_is_no_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]", encoding="utf-8")
    with pytest.raises(UnreadableRunError, match=r"x\.json is no run"):
        read_figures(tmp_path / "x.json")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(RUNS[0]), encoding="utf-8-sig")
    assert read_figures(tmp_path / "x.json") == RUNS[0]


@pytest.mark.parametrize(
    "place",
    [
        "model", "options", "overall", "categories", "abstention", "cases", "options.retriever",
        "overall.ci95", "overall.input_tokens", "overall.seconds", "overall.error_types",
        "overall.hallucination.any", "categories.parallel.accuracy", "abstention.recall",
    ],
)  # fmt: skip
def test_what_a_file_lacks_is_named(place: str, tmp_path: Path) -> None:
    figures = json.loads(json.dumps(RUNS[0]))
    *outer, last = place.split(".")
    found = figures
    for name in outer:
        found = found[name]
    del found[last]
    (tmp_path / "x.json").write_text(json.dumps(figures), encoding="utf-8")
    with pytest.raises(UnreadableRunError, match=rf"has no {place}\..*gorilla eval bfcl --json"):
        read_figures(tmp_path / "x.json")


@pytest.mark.parametrize("data", [b"[]", b"3", b'"x"', b"\xff", b"{", b"[" * 100_000])
def test_what_is_no_run_is_refused_in_words(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(data)
    with pytest.raises(UnreadableRunError, match=r"x\.json is no run"):
        read_figures(tmp_path / "x.json")


def test_a_bar_in_a_models_name_adds_no_column_to_markdown() -> None:
    text = markdown([run("a|b")], ["a|b"])
    (head,) = (line for line in text.splitlines() if line.startswith("| category"))
    assert head == "| category | a\\|b |"


def write(folder: Path, name: str, figures: dict[str, Any]) -> str:
    (folder / name).write_text(json.dumps(figures), encoding="utf-8")
    return str(folder / name)


def test_runs_without_a_case_in_common_are_not_compared(tmp_path: Path) -> None:
    other = {**RUNS[0], "cases": {"x": True}}
    files = [write(tmp_path, "a.json", RUNS[0]), write(tmp_path, "b.json", other)]
    with pytest.raises(UnreadableRunError, match=r"\(40 cases\) .* \(1\) have no case in common"):
        CliRunner().invoke(app, ["eval", "compare", *files], catch_exceptions=False)


def test_cases_that_only_one_run_has_are_counted(tmp_path: Path) -> None:
    cases = {**dict(list(RUNS[0]["cases"].items())[:30]), "x": True}
    other = {**RUNS[0], "cases": cases}
    files = [write(tmp_path, "a.json", RUNS[0]), write(tmp_path, "b.json", other)]
    result = CliRunner().invoke(app, ["eval", "compare", *files], catch_exceptions=False)
    assert "30 shared cases" in result.output
    assert "Left out: 10 cases that only the first has, 1 that only the second has." in (
        result.output
    )


@needs_chromium
def test_chromium_draws_every_picture_and_complains_of_nothing(tmp_path: Path) -> None:
    page, *_ = write_report(RUNS, tmp_path)
    check_pictures(drawn(page, tmp_path), 3)
