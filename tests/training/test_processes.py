"""Two processes on this machine's CPU; each runs this file as a program."""

import os
import subprocess
import sys
import time
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from tokenizers import Tokenizer

from langchain_gorilla import bundled
from langchain_gorilla.training import (
    checkpoints,
    commands,
    dataset,
    evaluate,
    presets,
    processes,
    tokenizer,
    train,
)

TINY = presets.Preset(32, 2, 4, 48, 1024, 8_000, 3e-3, "cpu")
TOKENIZER = bundled.path() / "tokenizer.json"
BUNDLED: dict[str, Any] = {"start": None, "minutes": None, "rate": None, "threads": 1, "own": 1}


def work(folder: Path) -> None:
    """Do what one of the processes does."""
    begin, group = dist.init_process_group, count()

    def meet(backend: str) -> None:
        where = f"file://{folder}/group{next(group)}"
        begin(backend, init_method=where, rank=processes.rank(), world_size=processes.world())

    def write(*given: Any) -> None:
        time.sleep(0.5)  # the other process has to wait for it
        write_at_once(*given)

    write_at_once, checkpoints.write = checkpoints.write, write
    dist.init_process_group = meet
    presets.PRESETS["cpu"] = TINY
    train.Trainer.measure = lambda self: {}  # type: ignore[method-assign]
    dataset.shard = partial(dataset.shard, size=12)  # type: ignore[assignment]
    for name, tokens in (("whole", 12_000), ("parts", 5_000), ("parts", 12_000)):
        given = ["--out", str(folder / name), "--tokens", str(tokens), "--decay", "0.001"]
        train.Trainer(presets.parse_arguments([*given, "--tokenizer", str(TOKENIZER)])).run()

    def note(what: str) -> None:
        with (folder / "done.txt").open("a") as file:
            file.write(f"{processes.rank()} {what}\n")

    def build() -> Tokenizer:
        note("tokenizer")
        return Tokenizer.from_file(str(TOKENIZER))

    tokenizer.build = build
    evaluate.main = lambda given: note("measure")
    commands.bundled(
        folder / "bundled", preset=commands.PresetName.cpu, tokens=1, seed=1, **BUNDLED
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    root = Path(train.__file__).parents[2]
    shared = {**os.environ, "WORLD_SIZE": "2", "PYTHONPATH": str(root)}
    if sys.platform == "linux":
        shared["GLOO_SOCKET_IFNAME"] = "lo"  # the machine's own name may not resolve
    started = [
        subprocess.Popen(
            [sys.executable, __file__, str(folder)],
            env={**shared, "RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        for process in started:
            said, _ = process.communicate(timeout=500)
            assert process.returncode == 0, said
    finally:
        for process in started:
            process.kill()
            process.wait()
            assert process.stdout
            process.stdout.close()
    return folder


def test_each_process_goes_on_where_it_was(runs: Path) -> None:
    whole, parts = (
        torch.load(runs / name / "checkpoint.pt", weights_only=True) for name in ("whole", "parts")
    )
    for name in ("step", "tokens", "places", "smooth"):
        assert whole[name] == parts[name], name
    assert len(whole["places"]) == 2
    for name, tensor in whole["model"].items():
        torch.testing.assert_close(tensor, parts["model"][name])


def test_the_first_process_alone_makes_the_tokenizer_and_measures(runs: Path) -> None:
    assert (runs / "done.txt").read_text().splitlines() == ["0 tokenizer", "0 measure"]
    assert (runs / "bundled" / "model" / "model.safetensors").exists()


if __name__ == "__main__":
    work(Path(sys.argv[1]))
