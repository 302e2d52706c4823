"""``gorilla tune``: the files, the words, the errors."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from langchain_gorilla.cli import app
from langchain_gorilla.errors import GorillaError
from langchain_gorilla.tuning import training

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "water_plants",
            "description": "Water the plants of a zone.",
            "parameters": {
                "type": "object",
                "properties": {"zone": {"type": "string"}},
                "required": ["zone"],
            },
        },
    }
]


def _run(*arguments: Any) -> Result:
    return CliRunner().invoke(app, ["tune", *map(str, arguments)])


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    path = tmp_path / "tools.json"
    path.write_text(json.dumps(TOOLS), encoding="utf-8")
    return path


def test_help_names_the_extra_in_brackets() -> None:
    assert "langchain-gorilla[tuning]" in "".join(_run("model", "--help").output.split())


def test_questions_are_written_learned_and_measured(tools: Path, tmp_path: Path) -> None:
    folder, model = tmp_path / "rows", tmp_path / "model"
    made = _run("questions", f"tools:{tools}", "--out", folder, "--count", 10)
    assert made.exit_code == 0, made.output
    assert f"1 tools; 9 rows in {folder / 'train.jsonl'}, 1 in" in made.output
    trained = _run("model", "--data", folder, "--out", model, "--epochs", 1)
    assert trained.exit_code == 0, trained.output
    assert "in 9 examples; 0 were too long" in trained.output
    assert f'ChatGorilla(model="{model}", format="openfunctions-v2", lexical_weight=2)' in (
        trained.output
    )
    assert "| answers | n | before | after |" in trained.output
    answers = tmp_path / "answers.json"
    measured = _run(
        *("measure", "--rows", folder / "test.jsonl", "--model", model),
        *("--format", "openfunctions-v2", "--lexical-weight", 2, "--json", answers),
    )
    assert measured.exit_code == 0, measured.output
    assert len(json.loads(answers.read_text("utf-8"))) == 1


def test_more_tokens_than_the_model_reads_are_refused_before_anything_is_asked(
    tools: Path, tmp_path: Path
) -> None:
    _run("questions", f"tools:{tools}", "--out", tmp_path, "--count", 10)
    refused = _run("model", "--data", tmp_path, "--out", tmp_path / "x", "--max-tokens", 9999)
    assert "max_tokens is 9999" in str(refused.exception)
    assert "before" not in refused.output


def test_a_source_is_read_as_gorilla_index_does(tmp_path: Path) -> None:
    made = _run("questions", "python:statistics", "--out", tmp_path, "--count", 20)
    assert made.exit_code == 0, made.output
    row = json.loads((tmp_path / "train.jsonl").read_text("utf-8").split("\n")[0])
    assert row["tools"]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("questions", "tools:nowhere.json", "--out", "x"), "Cannot read nowhere.json"),
        (("questions", "statistics", "--out", "x"), "is no source"),
        (("model", "--data", "nowhere", "--out", "x"), "Cannot read nowhere/train.jsonl"),
        (("model", "--data", ".", "--out", "x", "--model", "my-model"), "No prompt format"),
        (("model", "--data", "nowhere", "--out", "x", "--epochs", "0"), "epochs is 0"),
        (("measure", "--rows", "nowhere.jsonl", "--model", "bundled"), "Cannot read nowhere"),
    ],
)
def test_a_callers_mistake_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    found = _run(*arguments)
    assert isinstance(found.exception, GorillaError)
    assert what in str(found.exception)


@pytest.mark.parametrize(
    ("held", "what"),
    [
        ("null", "given.json holds null. Expected a list of tools"),
        ("3", "given.json holds 3. Expected a list of tools"),
        ('{"name": "f"}', 'given.json holds {"name": "f"}. Expected a list of tools'),
        ('[{"name": "f"}, null]', "Tool 2 of given.json is null. Expected an object"),
        ("[[]]", "Tool 1 of given.json is []. Expected an object"),
        ('[{"name": "f"}, {}]', "Tool 2 of given.json: "),
    ],
)
def test_a_file_of_tools_that_holds_something_else_is_told_what_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str, what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("given.json").write_text(held, encoding="utf-8")
    found = _run("questions", "tools:given.json", "--out", "x")
    assert isinstance(found.exception, GorillaError)
    assert what in str(found.exception)


@pytest.mark.parametrize("held", ["null", "3", '["Is it raining?"]'])
def test_a_file_of_phrases_that_holds_something_else_is_told_what_it_holds(
    tools: Path, tmp_path: Path, held: str
) -> None:
    phrases = tmp_path / "phrases.json"
    phrases.write_text(held, encoding="utf-8")
    found = _run("questions", f"tools:{tools}", "--out", tmp_path / "x", "--phrases", phrases)
    assert isinstance(found.exception, GorillaError)
    assert f"phrases.json holds {held}. Expected an object" in str(found.exception)


@pytest.mark.parametrize("source", ["tools.json", "tools:", "tool:tools.json"])
def test_a_source_that_is_none_is_told_the_kinds_tools_among_them(
    tmp_path: Path, source: str
) -> None:
    found = _run("questions", source, "--out", tmp_path / "x")
    assert isinstance(found.exception, GorillaError)
    assert "is no source" in str(found.exception)
    assert "tools:tools.json" in str(found.exception)
    assert "kinds: tools, python" in str(found.exception)


def test_ctrl_c_says_that_the_tuning_can_go_on(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    rows = tmp_path / "rows"
    _run("questions", f"tools:{tools}", "--out", rows, "--count", 4)
    monkeypatch.setattr(training, "tune", interrupted)
    result = _run("model", "--data", rows, "--out", tmp_path / "tuned")
    assert result.exit_code == 130
    assert "Stopped; the same command goes on." in result.output


def test_fewer_than_ten_questions_are_learned_and_not_measured(tools: Path, tmp_path: Path) -> None:
    folder, model = tmp_path / "rows", tmp_path / "model"
    _run("questions", f"tools:{tools}", "--out", folder, "--count", 4)
    trained = _run("model", "--data", folder, "--out", model, "--epochs", 1)
    assert trained.exit_code == 0, trained.exception
    assert "in 4 examples" in trained.output


def test_a_file_with_a_byte_order_mark_is_read(tools: Path, tmp_path: Path) -> None:
    tools.write_text(json.dumps(TOOLS), encoding="utf-8-sig")
    made = _run("questions", f"tools:{tools}", "--out", tmp_path, "--count", 4)
    assert made.exit_code == 0, made.exception


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ([], "1 answers are not measured: their rows offer no tools"),
        (
            [{"name": "long", "description": "long " * 3000}],
            "1 of 1 answers count as wrong: the model could not be asked (The prompt has",
        ),
    ],
)
def test_what_is_not_measured_is_said(tmp_path: Path, tool: list[Any], said: str) -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"messages": messages, "tools": tool}), encoding="utf-8")
    measured = _run("measure", "--rows", rows, "--model", "bundled")
    assert measured.exit_code == 0, measured.exception
    assert said in measured.output


def test_phrases_are_read_from_a_file(tools: Path, tmp_path: Path) -> None:
    phrases = tmp_path / "phrases.json"
    phrases.write_text('{"water_plants": ["The {zone} looks dry"]}', encoding="utf-8")
    _run("questions", f"tools:{tools}", "--out", tmp_path, "--count", 40, "--phrases", phrases)
    assert "looks dry" in (tmp_path / "train.jsonl").read_text("utf-8")
    phrases.write_text('{"water_plants": ["The {area} looks dry"]}', encoding="utf-8")
    found = _run("questions", f"tools:{tools}", "--out", tmp_path, "--phrases", phrases)
    assert "speaks of 'area'" in str(found.exception)
