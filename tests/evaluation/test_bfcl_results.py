"""Result files as BFCL's own readers take them; the two of tree-sitter are restated here."""

import ctypes
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from langchain_gorilla import ChatGorilla, ScriptedEngine
from langchain_gorilla.cli import app
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.evaluation.bfcl_decoder import DecodeError, decode_calls
from langchain_gorilla.evaluation.bfcl_results import (
    as_source_text,
    as_text,
    read_bfcl_results,
    write_bfcl_results,
)
from langchain_gorilla.evaluation.cases import Case
from langchain_gorilla.evaluation.python_trees import grammar_of_2023
from langchain_gorilla.evaluation.report import read_figures
from langchain_gorilla.evaluation.rows import UnreadableFileError
from langchain_gorilla.evaluation.runner import RunOptions, run_cases
from langchain_gorilla.evaluation.scoring import Answer, score_answer

LANGUAGES = ("java", "javascript")
_QUOTED = ("string_literal", "character_literal", "string")


def tree(source: str, language: str) -> Any:
    """Parse with the grammars of BFCL's time; it refuses what has an ERROR in it."""
    import tree_sitter

    library = grammar_of_2023()
    if library is None:
        pytest.skip("tree-sitter-languages 1.8 is not installed")
    function = getattr(ctypes.CDLL(str(library)), f"tree_sitter_{language}")
    function.restype = ctypes.c_void_p
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        parser = tree_sitter.Parser(tree_sitter.Language(function()))
    root = parser.parse(source.encode()).root_node
    assert "ERROR" not in str(root), source
    return root


def arguments(node: Any) -> list[Any]:
    if node.type == "assignment_expression":
        return [node]
    return [found for child in node.children for found in arguments(child)]


def as_bfcl_reads(source: str, language: str) -> dict[str, str]:
    read = {}
    for argument in arguments(tree(source, language)):
        name, _, value = argument.children
        text = value.text.decode()
        read[name.text.decode()] = text[1:-1] if value.type in _QUOTED else text
    return read


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_right_answer_is_read_back_unchanged(language: str, shared: Path) -> None:
    lines = (shared / "cases/bfcl_checker.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [
        row
        for row in map(json.loads, lines)
        if row["language"] == language and row["mutation"] == "rendered"
    ]
    assert len(rows) >= 20
    for row in rows:
        (call,) = row["model_output"]
        text = as_text(Answer("x", (call,)), as_source_text)
        assert text.startswith(f"{next(iter(call))}(")
        assert as_bfcl_reads(text, language) == next(iter(call.values()))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "value",
    ["", "5L", "it's", 'say "x"', "C:\\temp", "a\\'b", 'new String[]{"a", "b"}', "f(x -> 1)"],
)
def test_quotes_and_backslashes_reach_bfcl_as_they_are(value: str, language: str) -> None:
    text = as_text(Answer("x", ({"f": {"a": value, "b": "1"}},)), as_source_text)
    assert as_bfcl_reads(text, language) == {"a": value, "b": "1"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_holds_both_kinds_of_quotes_is_the_expression_that_it_is(language: str) -> None:
    value = """call("a", 'b')"""
    text = as_text(Answer("x", ({"f": {"a": value}},)), as_source_text)
    assert as_bfcl_reads(text, language) == {"a": value}


# --- Refused calls ---

_CITY = {"city": {"type": "string"}, "days": {"type": "integer"}}
_WEATHER = {
    "name": "weather",
    "description": "",
    "parameters": {"type": "dict", "properties": _CITY, "required": ["city"]},
}


def result(text: str, folder: Path, category: str = "simple_python") -> tuple[bool, str]:
    """Return our verdict on an answer, and what BFCL is given to judge."""
    message = {"role": "user", "content": "Weather in Rome?"}
    right = () if category == "irrelevance" else ({"weather": {"city": ["Rome"]}},)
    asked = Case("x", category, (message,), (_WEATHER,), right, category != "irrelevance")
    model = ChatGorilla(model="bundled", engine=ScriptedEngine([text]))
    options = RunOptions(model="bundled")
    scores = list(run_cases([asked], model, options, folder))
    (file,) = write_bfcl_results(folder, "m", scores)
    return scores[0].correct, json.loads(file.read_text(encoding="utf-8"))["result"]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("<<function>>wether(city='Rome')", [{"wether": {"city": "Rome"}}]),
        ("<<function>>weather(days='two')", [{"weather": {"days": "two"}}]),
        (
            "<<function>>weather(city='Rome')<<function>>weather(town='Rome')",
            [{"weather": {"city": "Rome"}}, {"weather": {"town": "Rome"}}],
        ),
    ],
)
@pytest.mark.parametrize("category", ["simple_python", "irrelevance"])
def test_a_refused_call_stands_in_bfcls_file(
    text: str, calls: list[Any], category: str, tmp_path: Path
) -> None:
    correct, written = result(text, tmp_path, category)
    assert not correct
    assert decode_calls(written) == calls


def test_a_call_that_was_cut_off_stays_open_in_bfcls_file(tmp_path: Path) -> None:
    correct, written = result("<<function>>weather(city='Rome'", tmp_path)
    assert not correct
    assert written == "weather(city='Rome'"
    with pytest.raises(DecodeError):
        decode_calls(written)


# --- Recorded results ---


def asked(number: int, category: str = "simple_python") -> Case:
    message = {"role": "user", "content": "Weather in Rome?"}
    silent = category == "irrelevance"
    right = () if silent else ({"weather": {"city": ["Rome"]}},)
    return Case(f"{category}_{number}", category, (message,), (_WEATHER,), right, not silent)


def recorded(folder: Path, *rows: str | dict[str, Any], name: str = "simple_python") -> str:
    file = folder / "non_live" / f"BFCL_v4_{name}_result.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file.name


def row(number: int, result: Any) -> dict[str, Any]:
    return {"id": f"simple_python_{number}", "result": result, "latency": 0.5}


def test_what_a_run_wrote_is_judged_as_the_run_was(tmp_path: Path) -> None:
    cases = [asked(0), asked(1), asked(2), asked(0, "irrelevance"), asked(1, "irrelevance")]
    right, wrong = "<<function>>weather(city='Rome')", "<<function>>weather(city='Bari')"
    engine = ScriptedEngine([right, wrong, "No.", "No.", wrong])
    model = ChatGorilla(model="bundled", engine=engine)
    scores = list(run_cases(cases, model, RunOptions(model="bundled"), tmp_path / "run"))
    write_bfcl_results(tmp_path / "results", "m", scores)
    answered, problems = read_bfcl_results(tmp_path / "results", cases)
    assert problems == []
    assert [score_answer(*each).correct for each in answered] == [s.correct for s in scores]
    assert [each.correct for each in scores] == [True, False, False, True, False]


def test_every_bad_row_of_recorded_results_is_named(tmp_path: Path) -> None:
    good = "weather(city='Rome')"
    name = recorded(
        tmp_path,
        row(1, good),
        row(0, f"[{good}]"),
        row(1, "weather()"),
        row(9, good),
        row(2, ""),
        row(3, 5),
        {"result": good},
        "junk",
        {**row(0, good), "id": "simple_java_0"},
    )
    java = Case(**{**vars(asked(0)), "id": "simple_java_0", "category": "simple_java"})
    cases = [*(asked(number) for number in range(5)), java]
    answered, problems = read_bfcl_results(tmp_path, cases)
    assert [(case.id, score_answer(case, answer).correct) for case, answer in answered] == [
        ("simple_python_0", True),
        ("simple_python_1", True),
        ("simple_python_2", False),
    ]
    said = [str(problem) for problem in problems]
    for start, words in (
        (f"{name}, row 3: ", "stands in row 1 already"),
        (f"{name}, row 4: ", "'simple_python_9', which is not asked"),
        (f"{name}, row 5: ", "an empty answer"),
        (f"{name}, row 6: ", "result is of the wrong type"),
        (f"{name}, row 7: ", "no id"),
        (f"{name}, row 8: ", "not JSON"),
        (f"{name}, row 9: ", "Java and JavaScript are not judged here"),
        (f"{name}: ", "another order"),
        (f"{tmp_path}: ", "3 of 6 questions have no answer, first simple_python_3"),
    ):
        assert any(line.startswith(start) and words in line for line in said), (start, said)
    assert len(said) == 9


@pytest.mark.parametrize("count", ["NaN", "-Infinity", "1" + 400 * "0"], ids=["nan", "inf", "int"])
def test_a_count_that_is_no_float_is_none(count: str, tmp_path: Path) -> None:
    counts = ("input_token_count", "output_token_count", "latency")
    recorded(tmp_path, {**row(0, "weather()"), **dict.fromkeys(counts, json.loads(count))})
    ((_, answer),), _ = read_bfcl_results(tmp_path, [asked(0)])
    assert (answer.input_tokens, answer.output_tokens, answer.seconds) == (0, 0, 0.0)


def test_a_case_in_two_files_of_results_is_named(tmp_path: Path) -> None:
    recorded(tmp_path, row(0, "weather(city='Rome')"))
    second = recorded(tmp_path, row(0, "weather()"), name="zz")
    _, problems = read_bfcl_results(tmp_path, [asked(0)])
    (problem,) = map(str, problems)
    assert problem.startswith(f"{second}, row 1: id 'simple_python_0' stands in {tmp_path}")


@pytest.mark.parametrize("text", ["weather(city=", "weather('Rome')", "It rains.", "f(**{1: 2})"])
def test_text_that_bfcl_cannot_decode_or_that_calls_wrongly_is_wrong(
    text: str, tmp_path: Path
) -> None:
    recorded(tmp_path, row(0, text))
    ((case, answer),), _ = read_bfcl_results(tmp_path, [asked(0)])
    assert not score_answer(case, answer).correct


@pytest.mark.parametrize(
    ("result", "correct"),
    [
        ([{"weather": '{"city": "Rome"}'}], True),
        ([{"weather": {"city": "Rome"}}], True),
        ([{"weather": '{"city": "Bari"}'}], False),
        ([{"weather": '{"city": "Rome"}'}, {"weather": '{"city": "Rome"}'}], False),
        ([{"weather": '{"city": "Rome"'}], False),
        ([{"weather": '["Rome"]'}], False),
        ([{"weather": "{}", "other": "{}"}], False),
        (["weather(city='Rome')"], False),
    ],
)
def test_answers_of_function_calling_models_are_calls(
    result: Any, correct: bool, tmp_path: Path
) -> None:
    recorded(tmp_path, row(0, result))
    ((case, answer),), problems = read_bfcl_results(tmp_path, [asked(0)])
    assert not problems
    assert score_answer(case, answer).correct is correct


def test_a_name_that_servers_take_is_the_functions_own(tmp_path: Path) -> None:
    dotted = {**_WEATHER, "name": "weather.now"}
    case = asked(0)
    case = Case(
        **{
            **vars(case),
            "functions": (dotted,),
            "possible_answers": ({"weather.now": {"city": ["Rome"]}},),
        }
    )
    recorded(tmp_path, row(0, [{"weather_now": '{"city": "Rome"}'}]))
    ((_, answer),), _ = read_bfcl_results(tmp_path, [case])
    assert score_answer(case, answer).correct


def asked_rows(folder: Path) -> Path:
    question = {"role": "user", "content": "Weather in Rome?"}
    rows = [
        {
            "id": f"simple_python_{number}",
            "question": [[question]],
            "functions": [_WEATHER],
            "possible_answer": [{"weather": {"city": ["Rome"]}}],
        }
        for number in range(2)
    ]
    cases = folder / "cases.jsonl"
    cases.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return cases


def test_the_command_judges_recorded_results(tmp_path: Path) -> None:
    cases = asked_rows(tmp_path)
    recorded(tmp_path / "model", row(0, "weather(city='Rome')"), row(1, ""))
    arguments = ["eval", "bfcl", "--cases", str(cases), "--json", str(tmp_path / "x.json")]
    judged = [*arguments, "--results", str(tmp_path / "model")]
    result = CliRunner().invoke(app, judged, catch_exceptions=False)
    assert "row 2: an empty answer" in result.output
    figures = read_figures(tmp_path / "x.json")
    assert (figures["model"], figures["overall"]["accuracy"]) == ("model", 0.5)
    for wrong in (arguments, [*judged, "--model", "bundled"]):
        with pytest.raises(UnsupportedOptionError, match="either --model"):
            CliRunner().invoke(app, wrong, catch_exceptions=False)


def test_recorded_answers_beyond_the_limit_are_no_problems(tmp_path: Path) -> None:
    cases = asked_rows(tmp_path)
    recorded(tmp_path / "model", *(row(n, "weather(city='Rome')") for n in range(2)))
    command = ["eval", "bfcl", "--cases", str(cases), "--results", str(tmp_path / "model")]
    command += ["--limit", "1", "--json", str(tmp_path / "x.json")]
    CliRunner().invoke(app, command, catch_exceptions=False)
    figures = read_figures(tmp_path / "x.json")
    assert (figures["overall"]["n"], figures["problems"]) == (1, [])


def test_results_in_the_current_folder_bear_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = asked_rows(tmp_path)
    recorded(tmp_path / "model", row(0, "weather(city='Rome')"))
    monkeypatch.chdir(tmp_path / "model")
    command = ["eval", "bfcl", "--cases", str(cases), "--results", "."]
    assert "BFCL, model" in CliRunner().invoke(app, command, catch_exceptions=False).output


def test_a_folder_without_results_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"holds no BFCL_v\*_result\.json"):
        read_bfcl_results(tmp_path, [asked(0)])


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["--out", "runs/x"], "--out"),
        (["--retriever", "bm25", "--top-k", "5"], "--retriever, --top-k"),
        (["--unconstrained"], "--constrained/--unconstrained"),
    ],
)
def test_recorded_results_refuse_what_would_do_nothing_with_them(
    given: list[str], named: str, tmp_path: Path
) -> None:
    cases = asked_rows(tmp_path)
    recorded(tmp_path / "model", row(0, "weather(city='Rome')"))
    command = ["eval", "bfcl", "--cases", str(cases), "--results", str(tmp_path / "model")]
    with pytest.raises(UnsupportedOptionError, match=f"so {named} would do nothing"):
        CliRunner().invoke(app, [*command, *given], catch_exceptions=False)


def test_results_that_answer_no_question_are_no_score_of_zero(tmp_path: Path) -> None:
    cases = asked_rows(tmp_path)
    recorded(tmp_path / "model", row(7, "weather(city='Rome')"))
    command = ["eval", "bfcl", "--cases", str(cases), "--results", str(tmp_path / "model")]
    with pytest.raises(UnreadableFileError, match=r"answers none of these questions.*which is not"):
        CliRunner().invoke(app, command, catch_exceptions=False)
