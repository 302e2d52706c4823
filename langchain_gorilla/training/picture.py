"""Draw the loss of a training run: ``python -m langchain_gorilla.training.picture RUN``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from langchain_gorilla.evaluation.plots import MissingPlotLibraryError
from langchain_gorilla.evaluation.printing import run_command
from langchain_gorilla.evaluation.rows import read_rows


def draw(run: Path) -> Path:
    """Draw loss and learning rate over tokens as ``loss.png`` in the run's folder.

    Args:
        run: The ``--out`` folder of ``train``.

    Returns:
        The picture.

    Raises:
        MissingPlotLibraryError: matplotlib is not installed; says how to install it.
        UnreadableFileError: The folder has no log.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingPlotLibraryError(
            "The loss picture needs matplotlib. Run: pip install 'langchain-gorilla[training]'."
        ) from error
    # The last row may have been cut by a kill.
    whole, _ = read_rows(run / "log.jsonl")
    rows = [row.fields for row in whole if "loss" in row.fields]
    millions = [row["tokens"] / 1e6 for row in rows]
    figure = Figure(figsize=(8, 4))
    axes = figure.add_subplot()
    axes.plot(millions, [row["loss"] for row in rows], label="loss of response tokens")
    axes.plot(millions, [row["rate"] for row in rows], label="learning rate / full", alpha=0.5)
    axes.set_xlabel("million tokens")
    axes.set_yscale("log")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    picture = run / "loss.png"
    figure.savefig(picture, dpi=120)
    return picture


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Draw the loss of a training run.")
    parser.add_argument("run", type=Path, help="the --out folder of train")
    draw(parser.parse_args(arguments).run)


if __name__ == "__main__":
    run_command(main)
