"""What a training run is asked for: presets, the command line, and what is refused at once."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.evaluation.outputs import check_outputs
from langchain_gorilla.training import processes, starts
from langchain_gorilla.training.model import Shape


@dataclass(frozen=True)
class Preset:
    """Sizes of model and training.

    Attributes:
        width: See ``model.Shape``, as are ``layers``, ``heads``, ``inner``.
        batch_tokens: Tokens of a batch of one process, with padding.
        tokens: Tokens of the whole run.
        rate: Learning rate of the matrices (Muon) and of the embedding (AdamW).
        device: ``cpu`` or ``cuda``.
    """

    width: int
    layers: int
    heads: int
    inner: int
    batch_tokens: int
    tokens: int
    rate: float
    device: str

    def shape(self, vocabulary: int) -> Shape:
        """Give the sizes of the model."""
        return Shape(vocabulary, self.width, self.layers, self.heads, self.inner)


PRESETS = {
    "cpu": Preset(384, 8, 12, 1152, 4096, 200_000_000, 2e-3, "cpu"),
    "gpu": Preset(384, 8, 12, 1152, 65_536, 1_500_000_000, 3e-3, "cuda"),
}
"""18.3 million parameters, what 20 MB hold in fp8; trained in bf16 where the processor has it."""


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train the bundled model.")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="cpu")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and log")
    parser.add_argument("--tokenizer", type=Path, required=True, help="tokenizer.json")
    parser.add_argument("--start", type=Path, help="exported model to start from")
    parser.add_argument("--tokens", type=int, help="tokens of the run (default: the preset's)")
    parser.add_argument("--minutes", type=float, help="end by the clock instead of by tokens")
    parser.add_argument("--batch-tokens", type=int, help="of one process (default: the preset's)")
    parser.add_argument(
        "--rate",
        type=float,
        help="default: as the run began, or the preset's; to go on from trained weights take a "
        "quarter of it, since more forgets faster than a short run learns",
    )
    parser.add_argument("--decay", type=float, default=0.5, help="last part of the run that slows")
    parser.add_argument("--max-tokens", type=int, default=2048, help="longest family")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save-every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--measure-every", type=int, default=250, help="steps between measures")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--workers",
        type=int,
        help="processes that make data ahead (default: 0 on a CPU; beside a GPU all but one core)",
    )
    return parser.parse_args(arguments)


def check(options: argparse.Namespace) -> None:
    """Refuse what cannot be trained, before any work; the tokenizer may not be made yet.

    Args:
        options: As ``parse_arguments`` gives them.

    Raises:
        UnsupportedOptionError: A number is not positive, the seed is too large, or the preset's
            device is missing.
        MissingModelError: ``start`` lacks a file.
        ModelLoadError: ``start`` does not fit the preset.
        UnwritableOutputError: ``out`` cannot be written.
    """
    if options.workers is not None and options.workers < 0:
        raise UnsupportedOptionError(
            f"--workers is {options.workers}. Expected: 0, where the training makes its data "
            "itself, or more. Leave it out for the default."
        )
    if not -(2**63) <= options.seed < 2**63:
        raise UnsupportedOptionError(
            f"--seed is {options.seed}. Expected: a number of 64 bits. Leave it out for the default."
        )
    for name, value in vars(options).items():
        if name in ("seed", "workers"):
            continue
        if isinstance(value, (int, float)) and not value > 0:
            raise UnsupportedOptionError(
                f"--{name.replace('_', '-')} is {value}. Expected: more than 0. "
                "Leave it out for the default."
            )
    preset = PRESETS[options.preset]
    if preset.device == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if processes.local_rank() >= count:
            raise UnsupportedOptionError(
                f"The preset {options.preset} needs CUDA, one GPU for each process; torch sees "
                f"{count}. Install torch with CUDA, start fewer processes, or pass --preset cpu."
            )
    if options.start:
        starts.check(options.start, preset.shape(0))
    if processes.rank() == 0:  # what one makes to find out, and takes away, is in others' way
        check_outputs(folder=options.out)
