import json
from pathlib import Path

import pytest
import torch

from langchain_gorilla.errors import ModelLoadError, UnsupportedOptionError
from langchain_gorilla.evaluation.outputs import UnwritableOutputError
from langchain_gorilla.training import checkpoints


def test_what_is_written_is_read(tmp_path: Path) -> None:
    state = {"settings": {"--seed": 1}, "step": 3, "weights": torch.arange(3)}
    checkpoints.write(tmp_path / "checkpoint.pt", state)
    found = checkpoints.read(tmp_path / "checkpoint.pt", {"--seed": 1})
    assert found is not None
    assert found["step"] == 3
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full")
def test_a_full_disk_is_named_and_the_checkpoint_before_stays(tmp_path: Path) -> None:
    file, state = tmp_path / "checkpoint.pt", {"settings": {}, "weights": torch.zeros(1000)}
    checkpoints.write(file, {**state, "step": 1})
    (tmp_path / "checkpoint.part").symlink_to("/dev/full")
    with pytest.raises(UnwritableOutputError, match=r"checkpoint\.pt cannot be .* Make room"):
        checkpoints.write(file, {**state, "step": 2})
    assert checkpoints.load(file)["step"] == 1
    assert [one.name for one in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_run_without_a_checkpoint_begins(tmp_path: Path) -> None:
    assert checkpoints.read(tmp_path / "checkpoint.pt", {}) is None


def test_every_setting_that_differs_is_named(tmp_path: Path) -> None:
    before, now = {"--seed": 1, "--start": None, "same": 0}, {"--seed": 2, "--start": "x"}
    checkpoints.write(tmp_path / "checkpoint.pt", {"settings": before})
    with pytest.raises(
        UnsupportedOptionError, match="--seed was 1 and is 2; --start was None and is x"
    ):
        checkpoints.read(tmp_path / "checkpoint.pt", {**before, **now})


@pytest.mark.parametrize("share", [0, 0.5])
def test_a_checkpoint_that_was_cut_is_refused(tmp_path: Path, share: float) -> None:
    file = tmp_path / "checkpoint.pt"
    checkpoints.write(file, {"weights": torch.zeros(1000)})
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelLoadError, match="cannot be read"):
        checkpoints.read(file, {})


@pytest.mark.parametrize("content", [[1], {"step": 1}])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "checkpoint.pt")
    with pytest.raises(ModelLoadError, match=r"checkpoint\.pt is no checkpoint"):
        checkpoints.read(tmp_path / "checkpoint.pt", {})


def test_a_text_or_a_folder_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("hello", "utf-8")
    for place in (tmp_path / "text.pt", tmp_path):
        with pytest.raises(ModelLoadError, match="cannot be read"):
            checkpoints.read(place, {})


def test_a_log_ends_with_the_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    rows = [json.dumps({"step": step}) + "\n" for step in (10, 20, 30)]
    file.write_text("".join(rows) + '{"step": 1', "utf-8")  # the last was cut by a kill
    checkpoints.cut_log(file, 20)
    assert file.read_text("utf-8") == "".join(rows[:2])


def test_a_run_without_a_log_has_none_to_cut(tmp_path: Path) -> None:
    checkpoints.cut_log(tmp_path / "log.jsonl", 20)
    assert not list(tmp_path.iterdir())
