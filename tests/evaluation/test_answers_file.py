import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from langchain_gorilla import ChatGorilla, ScriptedEngine, bundled
from langchain_gorilla.errors import MissingModelError
from langchain_gorilla.evaluation.answers_file import (
    ANSWERS_FILE,
    DifferentRunError,
    RunInUseError,
    add_answer,
    alone_in,
    open_run,
)
from langchain_gorilla.evaluation.cases import Case
from langchain_gorilla.evaluation.model_files import model_fingerprint
from langchain_gorilla.evaluation.outputs import UnwritableOutputError
from langchain_gorilla.evaluation.runner import RunOptions, run_cases
from langchain_gorilla.evaluation.scoring import Answer


def case(name: str) -> Case:
    function = {"name": name, "description": "", "parameters": {"type": "dict", "properties": {}}}
    message = {"role": "user", "content": f"{name}?"}
    return Case(name, "simple_python", (message,), (function,), ({name: {}},), True)


CASES = [case("f"), case("g")]


def answered(prompt: str) -> str:
    return "<<function>>f()" if "f?" in prompt else "Nö, nothing fits."


def run(options: RunOptions, folder: Path) -> tuple[list[Answer], int]:
    """Return the answers, their seconds aside, and how many were asked for."""
    engine = ScriptedEngine(answered)
    model = ChatGorilla(model="bundled", engine=engine)
    scores = list(run_cases(CASES, model, options, folder))
    return [replace(score.answer, seconds=0.0) for score in scores], len(engine.requests)


@pytest.fixture
def options(tmp_path: Path) -> RunOptions:
    weights = tmp_path / "weights"
    weights.mkdir()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (weights / name).write_bytes(name.encode())
    return RunOptions(model=str(weights))


def test_a_run_killed_at_any_byte_goes_on_with_the_same_answers(
    options: RunOptions, tmp_path: Path
) -> None:
    answers, _ = run(options, tmp_path / "run")
    file = tmp_path / "run" / ANSWERS_FILE
    whole = file.read_bytes()
    assert "ö".encode() in whole
    asked = []
    for end in range(len(whole) + 1):
        file.write_bytes(whole[:end])
        again, count = run(options, tmp_path / "run")
        assert again == answers
        assert [json.loads(line) for line in file.read_bytes().splitlines()]
        asked.append(count)
    # The more was written, the less is asked again.
    assert asked == sorted(asked, reverse=True)
    assert set(asked) == {0, 1, 2}
    assert {path.name for path in file.parent.iterdir()} == {ANSWERS_FILE, "lock"}


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.pop("calls"),
        lambda row: row.pop("seconds"),
        lambda row: row.pop("question"),
        lambda row: row.update(calls=None),
        lambda row: row.update(refused=[1]),
        lambda row: row.update(more=1),
    ],
)
def test_a_row_that_is_no_answer_is_asked_anew(
    change: object, options: RunOptions, tmp_path: Path
) -> None:
    answers, _ = run(options, tmp_path / "run")
    file = tmp_path / "run" / ANSWERS_FILE
    lines = file.read_text(encoding="utf-8").splitlines()
    row = json.loads(lines[1])
    assert callable(change)
    change(row)
    file.write_text("\n".join([lines[0], json.dumps(row), lines[2]]) + "\n", encoding="utf-8")
    assert run(options, tmp_path / "run") == (answers, 1)
    assert run(options, tmp_path / "run") == (answers, 0)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_answers_of_other_weights_in_the_same_folder_are_not_taken(
    name: str, options: RunOptions, tmp_path: Path
) -> None:
    open_run(tmp_path / "run", asdict(options))
    open_run(tmp_path / "run", asdict(options))
    (Path(options.model) / name).write_bytes(b"retrained")
    with pytest.raises(DifferentRunError, match=r"files of the model .* have changed.*--out"):
        open_run(tmp_path / "run", asdict(options))


def test_what_else_lies_in_a_models_folder_does_not_count(options: RunOptions) -> None:
    before = model_fingerprint(options.model)
    (Path(options.model) / "README.md").write_text("A card.", encoding="utf-8")
    assert model_fingerprint(options.model) == before
    assert model_fingerprint("bundled") == model_fingerprint(str(bundled.path()))


def test_a_run_that_does_not_say_its_models_files_is_another_one(tmp_path: Path) -> None:
    options = RunOptions(model="bundled")
    open_run(tmp_path, asdict(options))
    file = tmp_path / ANSWERS_FILE
    header = json.loads(file.read_text(encoding="utf-8"))
    del header["model_files"]
    file.write_text(json.dumps(header) + "\n", encoding="utf-8")
    with pytest.raises(DifferentRunError, match="does not say which files its model had"):
        open_run(tmp_path, asdict(options))


def test_a_hub_model_that_was_not_downloaded_yet_stays_the_same(tmp_path: Path) -> None:
    options = RunOptions(model="nobody/has-this-model-openfunctions")
    open_run(tmp_path, asdict(options))
    file = tmp_path / ANSWERS_FILE
    assert json.loads(file.read_text(encoding="utf-8"))["model_files"] == options.model
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace(f'"model_files": "{options.model}"', '"model_files": "commit:1"'),
        encoding="utf-8",
    )
    assert open_run(tmp_path, asdict(options)) == {}


def test_a_file_of_answers_without_options_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / ANSWERS_FILE
    file.write_text('{"case_id": "x"}\n{"case_id": "y"}\n', encoding="utf-8")
    with pytest.raises(DifferentRunError, match="first line holds no options"):
        open_run(tmp_path, asdict(RunOptions(model="bundled")))


def test_a_models_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingModelError, match=r"nowhere.* does not exist"):
        model_fingerprint(str(tmp_path / "nowhere"))


def test_one_process_at_a_time_writes_to_a_folder(tmp_path: Path) -> None:
    with (
        alone_in(tmp_path / "run"),
        pytest.raises(RunInUseError, match="choose another --out"),
        alone_in(tmp_path / "run"),
    ):
        pass
    with alone_in(tmp_path / "run"):
        pass


def test_half_a_surrogate_in_an_answer_ends_no_run(options: RunOptions, tmp_path: Path) -> None:
    open_run(tmp_path, asdict(options))
    answer = Answer("f", ({"f": {"x": "\ud83d"}},))
    add_answer(tmp_path, "asked", answer)
    assert open_run(tmp_path, asdict(options)) == {"f": ("asked", answer)}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full")
def test_a_full_disk_is_named(tmp_path: Path) -> None:
    (tmp_path / ANSWERS_FILE).symlink_to("/dev/full")
    with pytest.raises(UnwritableOutputError, match=r"answers\.jsonl cannot be written: No space"):
        add_answer(tmp_path, "asked", Answer("f"))
