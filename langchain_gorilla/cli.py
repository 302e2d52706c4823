"""The ``gorilla`` command: one sub-command for each room that has something to run.

A room keeps its commands in a module of its own with a Typer app, and is named here. Those
modules import heavy libraries inside their commands only, so that ``gorilla --help`` is quick.
"""

import sys

import typer
from rich.console import Console

from langchain_gorilla.errors import GorillaError
from langchain_gorilla.evaluation.commands import app as evaluation
from langchain_gorilla.evaluation.retrieval_commands import app as retrieval
from langchain_gorilla.indexing import index
from langchain_gorilla.training.commands import app as training
from langchain_gorilla.tuning.commands import app as tuning

app = typer.Typer(
    name="gorilla",
    help="Tool calling with local Gorilla models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(evaluation, name="eval")
app.command()(index)
app.add_typer(training, name="train")
app.add_typer(tuning, name="tune")
# No name: its commands stand beside the others, `gorilla search` and `gorilla report`.
app.add_typer(retrieval)


@app.callback()
def _gorilla() -> None:
    """Tool calling with local Gorilla models."""


def main() -> None:
    """Run the command; a caller's mistake is a sentence, not a traceback."""
    try:
        app()
    except GorillaError as error:
        console = Console(stderr=True, soft_wrap=True, emoji=False)
        console.print(f"Error: {error}", style="red", markup=False)
        sys.exit(2)


if __name__ == "__main__":
    main()
