"""The ``gorilla`` command: one sub-command for each room that has something to run.

A room keeps its commands in a module of its own with a Typer app, and is named here. Those
modules import heavy libraries inside their commands only, so that ``gorilla --help`` is quick.
"""

import typer

from langchain_gorilla.evaluation.commands import app as evaluation
from langchain_gorilla.evaluation.printing import run_command
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


def main() -> None:
    """Run the command."""
    run_command(app)


if __name__ == "__main__":
    main()
