"""``gorilla train``: the bundled model's whole recipe in one command."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from langchain_gorilla.evaluation.printing import resumable

app = typer.Typer(help="Train the bundled model, from data to figures.", no_args_is_help=True)
out = Console(soft_wrap=True, emoji=False)


class PresetName(str, Enum):
    """Sizes of model and training."""

    auto = "auto"
    cpu = "cpu"
    gpu = "gpu"


@app.callback()
def _train() -> None:
    """Train the bundled model, from data to figures."""


@app.command()
def bundled(
    folder: Annotated[
        Path, typer.Option("--out", help="Folder of the run; a run that was stopped goes on there.")
    ],
    preset: Annotated[
        PresetName, typer.Option(help="auto: gpu where CUDA is, else cpu.")
    ] = PresetName.auto,
    start: Annotated[
        Path | None, typer.Option(help="Model folder to go on from, with its tokenizer.")
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(help="Tokens to train on; else the preset's.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="End by the clock instead.")] = None,
    rate: Annotated[
        float | None, typer.Option(help="Learning rate; else as the run began, or the preset's.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the data and the first weights.")] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1,
    own: Annotated[
        int,
        typer.Option(min=0, help="Conversations of each kind to measure at the end; 0 for none."),
    ] = 60,
) -> None:
    """Make data and tokenizer, train, write the model folder, draw the loss, measure.

    In the folder: tokenizer.json, checkpoint.pt, log.jsonl, loss.png, and model/ for
    ChatGorilla(model="FOLDER/model", format="openfunctions-v2").
    """
    import torch

    from langchain_gorilla.evaluation.outputs import write_text
    from langchain_gorilla.training import (
        evaluate,
        export,
        picture,
        presets,
        processes,
        tokenizer,
        train,
    )  # fmt: skip

    name = preset.value
    if name == "auto":
        name = "gpu" if torch.cuda.is_available() else "cpu"
    vocabulary, model = folder / "tokenizer.json", folder / "model"
    options = ["--preset", name, "--out", str(folder), "--tokenizer", str(vocabulary)]
    options += ["--seed", str(seed), "--threads", str(threads)]
    for option, value in (
        ("--start", start),
        ("--tokens", tokens),
        ("--minutes", minutes),
        ("--rate", rate),
    ):
        options += [option, str(value)] if value is not None else []
    chosen = presets.parse_arguments(options)
    presets.check(chosen)
    processes.join(presets.PRESETS[name].device)
    first = processes.rank() == 0
    if first and not vocabulary.exists():
        partial = folder / "tokenizer.part"
        if start:
            made = tokenizer.read(start / "tokenizer.json")
        else:
            out.print("Making the tokenizer from the data")
            made = tokenizer.build()
        write_text(partial, made.to_str(pretty=True))
        partial.replace(vocabulary)
    processes.wait()
    if first:
        out.print(f"Training with the preset {name}")
    with resumable():
        train.Trainer(chosen).run()
    if not first:
        return
    export.export(folder / "checkpoint.pt", vocabulary, name, model)
    out.print(f"Model: {model}", markup=False)
    out.print(
        f"Measure it: gorilla eval bfcl --model {model} --format openfunctions-v2 --cases FOLDER",
        markup=False,
    )
    try:
        out.print(f"Loss: {picture.draw(folder)}", markup=False)
    except ImportError as error:  # the training and its figures are worth more than the picture
        out.print(f"No picture of the loss. {error}", markup=False)
    if own:
        given = ["--model", str(model), "--own", str(own), "--seen", "--threads", str(threads)]
        evaluate.main(given)
