import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from langchain_gorilla import ChatGorilla, ScriptedEngine
from langchain_gorilla.cli import app
from langchain_gorilla.evaluation import runner
from langchain_gorilla.evaluation.report import html_page
from langchain_gorilla.evaluation.retriever_effect import answer, retriever_runs, table
from langchain_gorilla.evaluation.runner import RunOptions
from langchain_gorilla.evaluation.scoring import Answer, Score
from langchain_gorilla.evaluation.summary import summarize


def run(retriever: Any, right: int, n: int = 40, unanswered: int = 0, **options: Any) -> Any:
    scores = [
        Score(
            f"multiple_{number}",
            "multiple",
            number < right,
            None if number < right else "no_answer" if number >= n - unanswered else "wrong",
            frozenset(),
            True,
            True,
            Answer(f"multiple_{number}"),
            number % 2 == 0,
        )
        for number in range(n)
    ]
    return summarize(scores, RunOptions(model="m", retriever=retriever, **options))


@pytest.mark.parametrize(
    ("without", "with_it", "said"),
    [
        (10, 30, "Yes: bm25 +50.0 points"),
        (30, 10, "No, it hurts: bm25 -50.0 points"),
        (10, 12, "Not decided by these cases: bm25 +5.0 points"),
        # The interval is above 0, but four cases of one kind may be chance.
        (10, 14, "Not decided by these cases: bm25 +10.0 points"),
    ],
)
def test_whether_it_helps_is_a_word_and_a_figure(without: int, with_it: int, said: str) -> None:
    (group,) = retriever_runs([run("none", without), run("bm25", with_it)])
    assert said in answer(group)


def test_the_best_retriever_decides_and_the_others_are_named() -> None:
    runs = [run("oracle", 35), run("bm25", 5), run("dense", 30), run("none", 10, unanswered=7)]
    (group,) = retriever_runs(runs)
    said = answer(group)
    assert "Yes: dense +50.0 points" in said
    assert "bm25 -12.5 points" in said
    assert "never errs (oracle) +62.5 points" in said
    assert "without one 7 questions have no answer" in said


def test_a_perfect_retriever_alone_is_no_answer_but_a_bound() -> None:
    (group,) = retriever_runs([run("none", 10), run("oracle", 20)])
    assert "? A retriever that never errs (oracle) +25.0 points." in answer(group)


def test_the_table_has_a_row_for_each_retriever_in_order() -> None:
    (group,) = retriever_runs([run("oracle", 20), run("none", 10), run("hybrid", 15)])
    rows = table(group).rows
    assert [row[0] for row in rows] == ["none", "hybrid", "oracle"]
    assert [row[3] for row in rows] == ["–", "+12.5", "+25.0"]
    assert {row[4] for row in rows} == {"50.0"}
    assert all(len(row) == len(table(group).head) for row in rows)


@pytest.mark.parametrize(
    "other",
    [
        {"catalog_size": 9},
        {"constrained": False},
        {"compare_functions": 3},
        {"lexical_weight": 2.0},
        {"max_tokens": 9},
        {"timeout_s": 9.0},
        {"format": "gorilla-7b"},
    ],
)
def test_runs_that_differ_by_more_than_the_retriever_are_not_compared(
    other: dict[str, Any],
) -> None:
    assert retriever_runs([run("none", 10), run("bm25", 20, **other)]) == []


def test_the_picture_draws_the_groups_of_the_table_and_no_other_runs() -> None:
    pytest.importorskip("matplotlib")
    apart = [run("none", 10), run("bm25", 20, max_tokens=9)]
    assert "Accuracy by retriever" not in html_page(apart, ["a", "b"])
    together = [run("none", 10, top_k=3), run("bm25", 20), *apart]
    assert "Accuracy by retriever" in html_page(together, ["a", "b", "c", "d"])


def test_retrievers_with_other_settings_stand_in_groups_of_their_own() -> None:
    runs = [
        run("none", 10),
        run("oracle", 35),
        run("bm25", 11, top_k=5),
        run("bm25", 12, top_k=3),
        run("dense", 13, top_k=5, embedder="one"),
        run("dense", 14, top_k=5, embedder="two"),
    ]
    groups = retriever_runs(runs)
    assert [group.setting for group in groups] == [
        "top_k 5, embedder one",
        "top_k 5, embedder two",
        "top_k 3, embedder None",
    ]
    right = [
        {name: sum(found["cases"].values()) for name, found in group.by_retriever.items()}
        for group in groups
    ]
    assert right == [
        {"none": 10, "bm25": 11, "dense": 13, "oracle": 35},
        {"none": 10, "bm25": 11, "dense": 14, "oracle": 35},
        {"none": 10, "bm25": 12, "oracle": 35},
    ]
    assert len({table(group).title for group in groups}) == 3


def test_one_question_has_a_verb_of_its_own() -> None:
    (group,) = retriever_runs([run("none", 10, unanswered=1), run("bm25", 20)])
    assert "without one 1 question has no answer" in answer(group)


def test_a_retriever_without_a_run_of_the_whole_catalog_is_not_compared() -> None:
    assert retriever_runs([run("bm25", 10), run("oracle", 20)]) == []


# --- The command ---


def rows(count: int) -> str:
    question = {"role": "user", "content": "Weather in Rome?"}
    city = {"type": "dict", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return "\n".join(
        json.dumps(
            {
                "id": f"multiple_{number}",
                "category": "multiple",
                "question": [[question]],
                "functions": [
                    {"name": f"w{number}", "description": "Weather.", "parameters": city}
                ],
                "possible_answer": [{f"w{number}": {"city": ["Rome"]}}],
            }
        )
        for number in range(count)
    )


def test_the_command_runs_every_retriever_that_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "cases.jsonl").write_text(rows(2), encoding="utf-8")
    asked: list[str] = []

    def scripted(options: RunOptions) -> ChatGorilla:
        asked.append(options.retriever)
        answers = ["<<function>>w0(city='Rome')", "<<function>>w1(city='Rome')"]
        return ChatGorilla(model="bundled", engine=ScriptedEngine(answers))

    monkeypatch.setattr(runner, "chat_model", scripted)
    out = tmp_path / "out"
    arguments = ["eval", "retrievers", "--model", "bundled", "--out", str(out)]
    arguments += ["--cases", str(tmp_path / "cases.jsonl"), "--catalog-size", "2"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert asked == ["none", "bm25", "oracle"]
    assert "dense is left out: pass --embedder DIR" in result.output
    assert (
        "Does a retriever help bundled on this catalog (2 functions, 2 questions)?" in result.output
    )
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Accuracy by retriever" in page
    assert "Does a retriever help" in page
    figures = json.loads((out / "oracle" / "figures.json").read_text(encoding="utf-8"))
    assert figures["overall"]["right_functions_offered"] == 1.0
