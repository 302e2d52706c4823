"""Training on rows: what is learned, what is written, what is refused."""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from langchain_core.messages import AIMessage, HumanMessage
from safetensors.torch import load_file
from transformers import Trainer

from langchain_gorilla import ChatGorilla, bundled
from langchain_gorilla.errors import MissingModelError, UnsupportedOptionError
from langchain_gorilla.evaluation.outputs import UnwritableOutputError
from langchain_gorilla.formats.registry import FORMATS
from langchain_gorilla.functions import function_set
from langchain_gorilla.tuning import training
from langchain_gorilla.tuning.rows import TuningRow, UnusableRowsError
from langchain_gorilla.tuning.training import OtherRunError, TuningOptions, tune

V2 = FORMATS["openfunctions-v2"]


def open_gate(name: str) -> str:
    """Open a gate."""
    return name


FUNCTIONS = function_set([open_gate])


def _row(question: str, gate: str) -> TuningRow:
    call = {"name": "open_gate", "args": {"name": gate}, "id": "1"}
    return TuningRow((HumanMessage(question), AIMessage("", tool_calls=[call])), FUNCTIONS, (1,))


ROWS = [_row(f"The {one} is hungry", one) for one in ("goat", "old cow", "lama", "raven")]


def _tune(
    rows: Sequence[TuningRow], out: Path, *, model: Path | str = "bundled", **options: Any
) -> Any:
    chosen = TuningOptions(**{"epochs": 1, "batch_size": 2, **options})
    return tune(rows, model=str(model), format_=V2, out=out, options=chosen)


def _stopped(*_: Any) -> None:
    raise KeyboardInterrupt


def _copied(folder: Path) -> Path:
    return shutil.copytree(bundled.path(), folder / "base")


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    """Read weights, of whatever dtype (the bundled ones are fp8), as float32."""
    found = load_file(folder / "model.safetensors")
    return {name: one.float() for name, one in found.items()}


def _calls(folder: Path, question: str) -> list[tuple[str, dict[str, Any]]]:
    model = ChatGorilla(model=str(folder), format=V2, temperature=0)
    answer = model.bind_tools([open_gate]).invoke(question)
    return [(call["name"], call["args"]) for call in answer.tool_calls]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tuned") / "model"
    _tune(ROWS, out, epochs=12, rate=1e-3)
    return out


def test_what_rows_say_is_learned_and_carries_over(tuned: Path) -> None:
    """That gates are opened for the hungry, the bundled model does not know; no row has a pony."""
    assert not _calls(bundled.path(), "The pony is hungry")
    assert _calls(tuned, "The pony is hungry") == [("open_gate", {"name": "pony"})]


def test_the_folder_holds_a_model_like_the_first_and_no_checkpoint(tuned: Path) -> None:
    before, after = (_weights(one) for one in (bundled.path(), tuned))
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    config = json.loads((tuned / "config.json").read_text("utf-8"))
    assert config["use_cache"] is True
    assert not (tuned / "checkpoints").exists()


def test_what_was_learned_from_is_counted(tmp_path: Path) -> None:
    long = _row(f"The {'very ' * 300} goat is hungry", "goat")
    counted = _tune([ROWS[0], long], tmp_path / "model", max_tokens=200)
    assert (counted.examples, counted.too_long) == (1, 1)
    assert 0 < counted.learned_tokens < counted.tokens < 200


@pytest.mark.parametrize("batch_size", [1, 6, 7, 16])
def test_a_step_has_its_batch_however_many_are_seen_together(batch_size: int) -> None:
    for small in (True, False):
        for on_cpu in (True, False):
            at_once = training._at_once(batch_size, small=small, on_cpu=on_cpu)
            assert batch_size % at_once == 0
            assert at_once <= 4 or (small and not on_cpu)


def test_a_step_has_its_batch_beside_several_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []

    class Seen:
        def __init__(self, *, args: Any, **_: Any) -> None:
            steps.append(args.train_batch_size * args.gradient_accumulation_steps)

        def train(self, **_: Any) -> None:
            pass

    monkeypatch.setattr("transformers.Trainer", Seen)
    monkeypatch.setattr(training, "_on_cpu", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    _tune(ROWS, tmp_path, batch_size=4)
    assert steps == [4]


# peft asks transformers by a name that is to go.
@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
def test_lora_gives_a_plain_model_too(tmp_path: Path) -> None:
    _tune(ROWS, tmp_path / "model", lora_rank=2)
    before, after = (_weights(one) for one in (bundled.path(), tmp_path / "model"))
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_lora_without_peft_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(UnsupportedOptionError, match=r"langchain-gorilla\[tuning\]"):
        _tune(ROWS, tmp_path, lora_rank=2)


def test_a_run_that_was_stopped_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    learn = Trainer.training_step

    def counted(self: Trainer, *args: Any, **options: Any) -> Any:
        steps.append(1)
        return learn(self, *args, **options)

    monkeypatch.setattr(Trainer, "training_step", counted)
    with monkeypatch.context() as patched:
        patched.setattr(training, "_save", _stopped)
        with pytest.raises(KeyboardInterrupt):
            _tune(ROWS, tmp_path)
    assert len(steps) == 2
    _tune(ROWS, tmp_path)
    assert len(steps) == 2
    assert (tmp_path / "model.safetensors").exists()


def test_checkpoints_of_other_rows_are_not_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "run.sha256").write_text("of another run")
    with pytest.raises(OtherRunError, match="other rows"):
        _tune(ROWS, tmp_path)


def test_checkpoints_of_a_model_whose_files_have_changed_are_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = _copied(tmp_path)
    monkeypatch.setattr(training, "_train", _stopped)
    with pytest.raises(KeyboardInterrupt):
        _tune(ROWS, tmp_path, model=base)
    with (base / "config.json").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(OtherRunError, match="another model"):
        _tune(ROWS, tmp_path, model=base)


def test_a_folder_checkpoints_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "checkpoints" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("precious")
    with pytest.raises(OtherRunError, match="files that no tuning wrote"):
        _tune(ROWS, tmp_path)
    assert mine.exists()


def test_a_checkpoint_that_was_cut_off_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(training, "_save", _stopped)
        with pytest.raises(KeyboardInterrupt):
            _tune(ROWS, tmp_path)
    cut_off = tmp_path / "checkpoints" / "checkpoint-9"
    cut_off.mkdir()
    (cut_off / "model.safetensors").write_bytes(b"half")
    _tune(ROWS, tmp_path)
    assert (tmp_path / "model.safetensors").exists()


def test_more_tokens_than_the_model_reads_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedOptionError, match=r"max_tokens is 9999; .* reads 2048"):
        _tune(ROWS, tmp_path, max_tokens=9999)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableOutputError, match="is a file"):
        _tune(ROWS, tmp_path / "file")


def test_the_model_that_is_trained_is_not_written_over(tmp_path: Path) -> None:
    base = _copied(tmp_path)
    with pytest.raises(UnwritableOutputError, match="holds the model that is trained"):
        _tune(ROWS, base, model=base)


def test_no_rows_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnusableRowsError, match="no rows"):
        _tune([], tmp_path)


def test_rows_that_are_all_too_long_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnusableRowsError, match="All 4 examples are longer than 10 tokens"):
        _tune(ROWS, tmp_path, max_tokens=10)


def test_a_share_of_the_weights_before_is_kept(tmp_path: Path) -> None:
    before = _weights(bundled.path())
    moved = {}
    for keep in (0.0, 0.75):
        _tune(ROWS, tmp_path / f"{keep}", keep=keep, rate=1e-2)
        after = _weights(tmp_path / f"{keep}")
        moved[keep] = {name: (after[name] - before[name]).norm().item() for name in before}
    for name, distance in moved[0.75].items():
        assert distance == pytest.approx(moved[0.0][name] / 4, rel=0.1), name


@pytest.mark.parametrize("keep", [-0.1, 1.0])
def test_a_share_is_from_0_and_below_1(tmp_path: Path, keep: float) -> None:
    with pytest.raises(UnsupportedOptionError, match=f"keep is {keep}"):
        _tune(ROWS, tmp_path, keep=keep)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 0) for name in ("epochs", "rate", "batch_size", "max_tokens", "lora_rank")),
        ("epochs", float("inf")),
        ("seed", 2**32),
    ],
)
def test_an_option_out_of_its_range_is_named(name: str, value: float) -> None:
    with pytest.raises(UnsupportedOptionError, match=f"{name} is {value}"):
        TuningOptions(**{name: value})  # type: ignore[arg-type]


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingModelError, match="nowhere"):
        tune(ROWS, model="./nowhere", format_=V2, out=tmp_path)
