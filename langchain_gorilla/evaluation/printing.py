"""What commands print: tables on stdout, problems, progress and mistakes on stderr."""

import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from langchain_gorilla.errors import GorillaError

if TYPE_CHECKING:
    from langchain_gorilla.evaluation import page
    from langchain_gorilla.evaluation.apibench_table import FileFigures

# A file or pipe has no width; tables in it are whole. Names are names: `:key:` is no picture.
out = Console(
    soft_wrap=True, width=None if sys.stdout and sys.stdout.isatty() else 180, emoji=False
)
err = Console(stderr=True, soft_wrap=True, emoji=False)


def run_command(command: Callable[[], object]) -> None:
    """Run a command; a caller's mistake is a sentence, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Not every terminal's encoding has every character that tables and tools hold.
            stream.reconfigure(errors="backslashreplace")
    try:
        command()
    except GorillaError as error:
        err.print(f"Error: {error}", style="red", markup=False)
        sys.exit(2)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        # What could not be written is let go, or Python would try again at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        err.print(f"Error: Nothing more can be written: {error}.", style="red", markup=False)
        sys.exit(2)


@contextmanager
def resumable() -> Iterator[None]:
    """Say, where Ctrl-C stops a run, that it need not begin anew."""
    try:
        yield
    except KeyboardInterrupt:
        err.print("Stopped; the same command goes on.")
        raise


def print_apibench(hub: str, files: "Sequence[FileFigures]") -> None:
    """Print the paper's table, a row for each file of answers."""
    from langchain_gorilla.evaluation.apibench_table import DUPLICATES_CREDITED, labels

    table = _table(
        f"APIBench, {hub} (percent)",
        "answers", "n", "accuracy", "duplicates credited", "hallucination", "published", "return",
        "strict accuracy", "strict hallucination", "strict no call",
    )  # fmt: skip
    for label, file in zip(labels(files), files, strict=True):
        table.add_row(
            escape(label),
            str(file.n),
            _percent(file.share("correct")),
            _percent(file.share(DUPLICATES_CREDITED)),
            _percent(file.share("hallucination")),
            "–" if file.published is None else "/".join(map(str, file.published)),
            "/".join("yes" if met else "no" for met in file.reproduces or ()),
            _percent(file.share("correct", strict=True)),
            _percent(file.share("hallucination", strict=True)),
            _percent(file.share("no_call", strict=True)),
        )
    out.print(table)


def print_bfcl(figures: Mapping[str, Any], answers: str) -> None:
    """Print a run's figures (``summary.summarize``) and where its answers are."""
    table = _table(
        f"BFCL, {figures['model']} (percent)",
        "category", "n", "accuracy", "95 % interval", "unknown tool", "unknown parameter", "type",
        "enum", "unreadable", "tokens out", "passes", "seconds",
    )  # fmt: skip
    for name, row in [*figures["categories"].items(), ("all", figures["overall"])]:
        made_up = row["hallucination"]
        table.add_row(
            name,
            str(row["n"]),
            _percent(row["accuracy"]),
            " to ".join(_percent(bound) for bound in row["ci95"]),
            *(_percent(made_up[k]) for k in made_up if k != "any"),
            f"{row['output_tokens']:.0f}",
            f"{row['forward_passes']:.0f}",
            f"{row['seconds']:.2f}",
        )
    out.print(table)
    silence = figures["abstention"]
    out.print(
        f"Abstention: precision {_percent(silence['precision'])}, "
        f"recall {_percent(silence['recall'])}. Answers: {answers}",
        markup=False,
    )
    print_problems(figures["problems"])


def print_page_table(text: "page.Table") -> None:
    """Print a page's table."""
    table = _table(text.title, *text.head)
    for row in text.rows:
        table.add_row(*map(escape, row))
    out.print(table)


def print_lines(*lines: object) -> None:
    """Print lines as they are, square brackets and all."""
    for line in lines:
        out.print(str(line), markup=False)


def print_problems(problems: Sequence[object], most: int = 20) -> None:
    """Print what was wrong with the inputs, ``most`` of it."""
    for problem in problems[:most]:
        err.print(f"! {problem}", style="yellow", markup=False)
    if len(problems) > most:
        err.print(f"! and {len(problems) - most} more", style="yellow")


def progress_bar() -> Progress:
    """Return what shows, while it is entered, how far a task is and when it will end."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
    )


def _table(title: str, first: str, *others: str) -> Table:
    """Begin a table: names to the left, figures to the right."""
    table = Table(title=escape(title), title_justify="left")
    table.add_column(first)
    for column in others:
        table.add_column(column, justify="right")
    return table


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f}"
