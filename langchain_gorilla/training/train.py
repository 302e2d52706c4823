"""Train the bundled model: ``python -m langchain_gorilla.training.train --preset cpu``.

Checkpoints hold everything, so that a run that was stopped goes on where it was. With
``torchrun`` or ``RANK``/``WORLD_SIZE`` set, several processes share the work.
"""

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm  # type: ignore[import-untyped]

from langchain_gorilla.engines.precision import computes_bfloat16
from langchain_gorilla.errors import ModelLoadError
from langchain_gorilla.evaluation.outputs import writing
from langchain_gorilla.evaluation.printing import run_command
from langchain_gorilla.training import checkpoints, dataset, processes, starts, tokenizer
from langchain_gorilla.training.dataset import Batch
from langchain_gorilla.training.model import SmallModel
from langchain_gorilla.training.muon import Muon
from langchain_gorilla.training.presets import PRESETS, check, parse_arguments


class Trainer:
    """One process of a training run."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Build the model and go on from the last checkpoint in ``options.out``, if any.

        Args:
            options: As ``parse_arguments`` gives them.

        Raises:
            UnsupportedOptionError: See ``check``; or the run in ``out`` has other settings.
            MissingModelError: See ``check``.
            UnwritableOutputError: See ``check``.
            ModelLoadError: Start, tokenizer or checkpoint cannot be used.
        """
        check(options)
        if not options.tokenizer.is_file():
            raise ModelLoadError(
                f"--tokenizer {options.tokenizer} is not there. Expected: a tokenizer.json. Make "
                "one with python -m langchain_gorilla.training.tokenizer."
            )
        self.tokenizer = tokenizer.read(options.tokenizer)
        dataset.end_id(self.tokenizer)
        self.options, self.preset = options, PRESETS[options.preset]
        self.batch_tokens = options.batch_tokens or self.preset.batch_tokens
        self.workers = self._workers()
        self.settings = self._settings()
        self.checkpoint = options.out / "checkpoint.pt"
        found = checkpoints.read(self.checkpoint, self.settings)
        processes.join(self.preset.device)
        self.rank, self.world = processes.rank(), processes.world()
        torch.manual_seed(options.seed)
        torch.set_num_threads(options.threads)
        # A CPU that only emulates bfloat16 takes fifty times as long for it as for float32.
        native = self.preset.device != "cpu" or computes_bfloat16()
        self.dtype = torch.bfloat16 if native else torch.float32
        self.model = self._build()
        self.optimizers = self._optimizers()
        self.average = {name: one.detach().clone() for name, one in self.model.named_parameters()}
        self.step, self.tokens, self.seconds, self.smooth = 0, 0, 0.0, 0.0
        self.place = (0, -1)  # the last batch that was learned from: its shard, its place there
        options.out.mkdir(parents=True, exist_ok=True)
        if found:
            self._load(found)

    def _workers(self) -> int:
        """Choose how many processes make data: a GPU learns faster than several can write it."""
        if self.options.workers is not None:
            return int(self.options.workers)
        if self.preset.device == "cpu":
            return 0
        return max(1, (os.cpu_count() or 2) // processes.world() - 1)

    def _settings(self) -> dict[str, Any]:
        """Name what the batches and the model depend on; files by their content."""
        options, preset = self.options, self.preset
        weights = options.start and starts.fingerprint(options.start / "model.safetensors")
        sizes = (preset.width, preset.layers, preset.heads, preset.inner)
        return {
            "--preset": f"{options.preset} {sizes}",
            "--seed": options.seed,
            "--batch-tokens": self.batch_tokens,
            "--max-tokens": options.max_tokens,
            "--tokenizer": starts.fingerprint(options.tokenizer),
            "--start": weights,
            "WORLD_SIZE": processes.world(),
        }

    def _build(self) -> SmallModel:
        shape = self.preset.shape(self.tokenizer.get_vocab_size())
        model = SmallModel(shape, tokenizer.features(self.tokenizer))
        if self.options.start:
            model.load_llama(starts.read(self.options.start, self.tokenizer))
        else:
            model.start_copying()
        return model.to(self.preset.device)

    def _optimizers(self) -> list[torch.optim.Optimizer]:
        """Muon for matrices, AdamW for the rest; weight decay on matrices only."""
        rate = self.options.rate or self.preset.rate
        matrices = [one for one in self.model.layers.parameters() if one.ndim == 2]
        known = {id(one) for one in matrices}
        rows = [self.model.base_rows, self.model.flag_rows]
        known |= {id(one) for one in rows}
        others = [one for one in self.model.parameters() if id(one) not in known]
        made: list[torch.optim.Optimizer] = [
            Muon(matrices, lr=rate, weight_decay=0.02, dtype=self.dtype),
            torch.optim.AdamW(
                [{"params": rows, "lr": rate}, {"params": others, "lr": rate / 3}],
                betas=(0.9, 0.98),
                weight_decay=0.0,
            ),
        ]
        for optimizer in made:
            for group in optimizer.param_groups:
                group["full_rate"] = group["lr"]
        return made

    def _save(self) -> None:
        """Write the checkpoint; every process takes part, and returns when it is written."""
        places = processes.gathered(self.place)  # each has one of its own
        if self.rank == 0:
            state = {
                "settings": self.settings,
                "model": self.model.state_dict(),
                "average": self.average,
                "optimizers": [one.state_dict() for one in self.optimizers],
                "step": self.step,
                "tokens": self.tokens,
                "seconds": self.seconds,
                "smooth": self.smooth,
                "places": places,
            }
            checkpoints.write(self.checkpoint, state)
        processes.wait()

    def _load(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        average = state["average"].items()
        self.average = {name: one.to(self.preset.device) for name, one in average}
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            groups = zip(saved["param_groups"], optimizer.param_groups, strict=True)
            for before, now in groups if self.options.rate else ():
                before["full_rate"] = now["full_rate"]
            optimizer.load_state_dict(saved)
        self.step, self.tokens, self.seconds = state["step"], state["tokens"], state["seconds"]
        self.smooth, self.place = state["smooth"], state["places"][self.rank]

    def _batches(self) -> Iterator[tuple[tuple[int, int], Batch]]:
        """Give the batches after the place of this process, each with its own place."""
        found = dataset.stream(
            self.tokenizer,
            self.options.seed,
            self.batch_tokens,
            max_tokens=self.options.max_tokens,
            rank=self.rank,
            world=self.world,
            first_shard=self.place[0],
            workers=self.workers,
        )
        done = self.place
        for shard, place, batch in found:
            if (shard, place) > done:
                yield (shard, place), batch

    def _predict(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Give logits, targets, weights and places of the positions that have a weight."""
        device = self.preset.device
        ids = torch.from_numpy(batch.ids).to(device)
        branches = torch.from_numpy(batch.branches).to(device)
        positions = torch.from_numpy(batch.positions).to(device)
        weights = torch.from_numpy(batch.weights).to(device).reshape(-1)
        chosen = weights.nonzero().squeeze(1)
        targets = torch.from_numpy(batch.targets).to(device).reshape(-1)[chosen]
        weights = weights[chosen]
        with torch.autocast(device, torch.bfloat16, enabled=self.dtype == torch.bfloat16):
            logits = self.model(ids, branches, positions, chosen)
        return logits, targets, weights, chosen

    def loss(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Give the weighted loss of a batch, and the mean loss of its response tokens."""
        logits, targets, weights, _ = self._predict(batch)
        losses = functional.cross_entropy(logits.float(), targets, reduction="none")
        return (losses * weights).sum() / weights.sum(), losses[weights >= 1].mean().detach()

    def all_likeliest(self, batch: Batch) -> list[list[bool]]:
        """Tell for every conversation of every row whether each response token is likeliest."""
        logits, targets, weights, places = self._predict(batch)
        missed = (logits.argmax(-1) != targets) & (weights >= 1)
        most = max(map(len, batch.kinds)) + 1
        branches = torch.from_numpy(batch.branches).to(logits.device).reshape(-1)[places]
        wrong = torch.zeros(len(batch.kinds) * most, device=logits.device)
        wrong.index_add_(0, places // batch.ids.shape[1] * most + branches, missed.float())
        fine = (wrong == 0).reshape(-1, most)[:, 1:].tolist()
        return [row[: len(kinds)] for row, kinds in zip(fine, batch.kinds, strict=True)]

    def use_average(self) -> None:
        """Put the mean of the last steps into the model, as export does."""
        self.model.load_state_dict(self.average)

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        """Give the share of conversations whose responses are all likeliest, by kind.

        Every response is seen after the right ones before it, so this is quicker and kinder
        than generating (see ``evaluate``). ``held`` marks held-out concepts.
        """
        kinds = ("simple", "multiple", "parallel", "parallel_multiple", "irrelevance", "answer")
        held = [[one] for one in dataset.unseen(-1, kinds, 60, held_out=True)]
        sets = {"own": dataset.shard(-1, 0, 60), "held": held}
        right: dict[str, list[bool]] = defaultdict(list)
        for name, families in sets.items():
            encoded = [dataset.encode(self.tokenizer, one) for one in families]
            for batch in dataset.batches(encoded, 8192, Random(0), max_tokens=2048):
                for row_kinds, fine in zip(batch.kinds, self.all_likeliest(batch), strict=True):
                    for kind, likeliest in zip(row_kinds, fine, strict=True):
                        right[f"{name} {kind}"].append(likeliest)
        return {name: round(sum(found) / len(found), 3) for name, found in sorted(right.items())}

    def _take_step(self, batch: Batch, progress: float) -> tuple[float, float]:
        """Learn from one batch; give the response loss and the learning rate's factor."""
        total, response = self.loss(batch)
        total.backward()  # type: ignore[no-untyped-call]
        processes.share_gradients(self.model)
        left = (1 - progress) / self.options.decay
        factor = min(1.0, (self.step + 1) / 30) * max(0.01, min(1.0, left))
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["full_rate"] * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        # The mean of the last 50 steps or so is better than any of them while rates are high.
        kept = min(0.98, self.step / (self.step + 10))
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                self.average[name].lerp_(parameter, 1 - kept)
        return response.item(), factor

    def run(self) -> None:
        """Train to the end, saving, measuring and logging on the way."""
        if self.rank == 0:
            checkpoints.cut_log(self.options.out / "log.jsonl", self.step)
        wanted = self.options.tokens or self.preset.tokens
        bar = tqdm(total=wanted, initial=self.tokens, unit="tok", disable=self.rank > 0)
        begun, before, minutes = time.monotonic(), self.seconds, self.options.minutes
        for place, batch in self._batches():
            self.seconds = before + time.monotonic() - begun
            own = self.seconds / 60 / minutes if minutes else self.tokens / wanted
            progress, size = processes.summed(
                own / self.world, batch.ids.size, device=self.preset.device
            )
            if progress >= 1:
                break
            response, factor = self._take_step(batch, progress)
            self.place = place
            self.tokens += round(size)
            self.smooth = 0.95 * self.smooth + 0.05 * response if self.smooth else response
            bar.update(round(size))
            bar.set_postfix(loss=f"{self.smooth:.3f}", rate=f"{factor:.2f}", at=f"{progress:.3f}")
            self._report(factor)
        self._save()
        if self.rank == 0:
            self.use_average()
            self._log(self.measure())
        processes.leave()

    def _report(self, factor: float) -> None:
        if self.step % 10 == 0:
            seconds, loss = round(self.seconds), round(self.smooth, 4)
            self._log({"seconds": seconds, "loss": loss, "rate": round(factor, 4)})
        if self.step % self.options.save_every == 0:
            self._save()
        if self.step % self.options.measure_every == 0 and self.rank == 0:
            self._log(self.measure())

    def _log(self, entry: dict[str, Any]) -> None:
        if self.rank:
            return
        row = {"step": self.step, "tokens": self.tokens, **entry}
        log = self.options.out / "log.jsonl"
        with writing(log), log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def main() -> None:
    """Run the command."""
    Trainer(parse_arguments()).run()


if __name__ == "__main__":
    run_command(main)
