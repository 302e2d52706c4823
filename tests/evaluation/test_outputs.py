import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from langchain_gorilla.cli import app
from langchain_gorilla.evaluation.outputs import UnwritableOutputError, check_outputs, write_json

TOO_LONG = "x" * 300
"""No system makes a file of this name, whoever asks."""


def commands(folder: Path) -> list[list[str]]:
    missing = str(folder / "missing.jsonl")
    asked = ["--model", "bundled", "--cases", missing]
    return [
        ["eval", "bfcl", *asked, "--out", "OUT", "--json", "JSON"],
        ["eval", "retrievers", *asked, "--out", "OUT", "--json", "JSON"],
        ["eval", "report", missing, "--out", "OUT"],
        ["eval", "apibench", "--responses", missing, "--hub", "torchhub", "--json", "JSON"],
        ["search", missing, "query", "--json", "JSON"],
        ["report", missing, "--out", "OUT", "--json", "JSON"],
    ]


@pytest.mark.parametrize("index", range(6))
def test_a_target_that_cannot_be_written_is_named_before_anything_is_read(
    index: int, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    good = {"OUT": str(tmp_path / "new" / "out"), "JSON": str(tmp_path / "new.json")}
    bad: dict[str, list[tuple[Any, str]]] = {
        "OUT": [(tmp_path / "file", "is a file"), (tmp_path / "file" / "x", "is a file, not")],
        "JSON": [(tmp_path, "is a folder"), (tmp_path / "file" / "x.json", "is a file, not")],
    }
    for targets in bad.values():
        targets.append((tmp_path / "new" / TOO_LONG, f"{TOO_LONG} cannot be written: File name"))
    command = commands(tmp_path)[index]
    for name in set(bad) & set(command):
        for target, said in bad[name]:
            targets = {**good, name: str(target)}
            with pytest.raises(UnwritableOutputError, match=said):
                CliRunner().invoke(
                    app, [targets.get(word, word) for word in command], catch_exceptions=False
                )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_new_targets_are_fine_and_checking_makes_none(tmp_path: Path) -> None:
    check_outputs(json_file=tmp_path / "a" / "b.json", folder=tmp_path / "c" / "d")
    assert list(tmp_path.iterdir()) == []
    write_json(tmp_path / "a" / "b.json", {"x": 1})
    assert (tmp_path / "a" / "b.json").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder that takes no files")
@pytest.mark.parametrize("name", ["", "nowhere", "nowhere/below"])
def test_a_folder_that_cannot_be_made_or_written_to_is_named(name: str) -> None:
    with pytest.raises(UnwritableOutputError, match=rf"/proc(/{name})? cannot be written: "):
        check_outputs(folder=Path("/proc", name))


def test_a_target_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "x.json").symlink_to("elsewhere.json")
    check_outputs(json_file=tmp_path / "x.json", folder=tmp_path / "out")
    assert {path.name for path in tmp_path.rglob("*")} == {"out", "x.json"}


def test_a_file_that_cannot_be_written_after_all_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnwritableOutputError, match=r"cannot be written: Is a directory"):
        write_json(tmp_path, {})


def test_half_a_surrogate_is_written_and_read_back(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"x": "\ud83d"})
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == {"x": "\ud83d"}
