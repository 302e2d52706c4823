"""``gorilla tune``: a model for one's own functions, from their documents to figures."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from langchain_gorilla.evaluation.printing import print_lines, print_problems, resumable
from langchain_gorilla.indexing import AllowWrites, BaseUrl, Depth

if TYPE_CHECKING:
    from langchain_gorilla.chat_models import ChatGorilla
    from langchain_gorilla.tuning.rows import TuningRow

app = typer.Typer(
    help="Tune a model on functions of your own: write questions, train, measure.",
    no_args_is_help=True,
)

FormatOption = Annotated[
    str | None, typer.Option("--format", help="The prompt format, where the name does not tell.")
]


@app.command()
def questions(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE…",
            help="python:MODULE, cli:COMMAND, openapi:FILE, mcp:URL or COMMAND, apizoo:PATH, "
            "openfunctions:PATH; or tools:FILE, a JSON list of tools as OpenAI takes them.",
        ),
    ],
    folder: Annotated[
        Path, typer.Option("--out", help="Folder for train.jsonl and test.jsonl, written anew.")
    ],
    count: Annotated[int, typer.Option(min=1, help="Questions; a tenth is kept for test.")] = 1000,
    general: Annotated[
        int,
        typer.Option(
            min=0,
            help="Rows of the bundled model's own training beside them; for that model alone.",
        ),
    ] = 0,
    phrases: Annotated[
        Path | None,
        typer.Option(
            help='How people ask: JSON, {"get_weather": ["Is it raining in {city}?"], …}.'
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the questions.")] = 1,
    base_url: BaseUrl = None,
    allow_writes: AllowWrites = False,
    depth: Depth = None,
) -> None:
    """Write questions for calls of your tools, and the calls: read them, add your own.

    The rows have the layout of OpenAI's fine-tuning, so that logged conversations can be added.
    """
    from langchain_gorilla.evaluation.outputs import check_outputs
    from langchain_gorilla.sources.registry import SourceOptions
    from langchain_gorilla.tuning.questions import write_questions

    check_outputs(folder=folder)
    options = SourceOptions(base_url, allow_writes, depth)
    tools, refusals = _tools(sources, options)
    given = None if phrases is None else _phrases(phrases)
    print_problems(refusals)
    made = write_questions(tools, folder, count=count, general=general, phrases=given, seed=seed)
    print_problems(made.refusals)
    print_lines(
        f"{len(tools)} tools; {made.train} rows in {folder / 'train.jsonl'}, {made.test} in "
        f"{folder / 'test.jsonl'}."
    )


@app.command()
def model(
    data: Annotated[Path, typer.Option(help="Folder of train.jsonl, and of test.jsonl if any.")],
    folder: Annotated[Path, typer.Option("--out", help="Folder of the new model.")],
    base: Annotated[
        str, typer.Option("--model", help="What to train: a folder, a Hub id, or bundled.")
    ] = "bundled",
    format_: FormatOption = None,
    epochs: Annotated[float, typer.Option(help="How often each row is learned from.")] = 2.0,
    rate: Annotated[
        float | None,
        typer.Option(help="Learning rate; else 3e-4 below 100M parameters, 2e-5, LoRA 2e-4."),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Examples of a step.")] = 16,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Longest example; else the context, at most 2,048.")
    ] = None,
    lora: Annotated[
        int | None,
        typer.Option(
            min=1, help="Rank of LoRA matrices (pip install langchain-gorilla\\[tuning])."
        ),
    ] = None,
    keep: Annotated[
        float,
        typer.Option(
            min=0, max=0.99, help="Share of the weights before that is kept, against forgetting."
        ),
    ] = 0.3,
    seed: Annotated[int, typer.Option(min=0, help="Of the order of rows.")] = 1,
) -> None:
    """Train a model on train.jsonl, and measure it by test.jsonl before and after."""
    from langchain_gorilla.evaluation.outputs import check_outputs
    from langchain_gorilla.formats.registry import choose_format
    from langchain_gorilla.tuning.measuring import table
    from langchain_gorilla.tuning.questions import TEST, TRAIN
    from langchain_gorilla.tuning.training import TuningOptions, tune

    check_outputs(folder=folder)
    prompted = choose_format(base, format_)
    options = TuningOptions(
        epochs=epochs,
        rate=rate,
        batch_size=batch_size,
        max_tokens=max_tokens,
        lora_rank=lora,
        keep=keep,
        seed=seed,
    )
    rows = _rows(data / TRAIN)
    # Of fewer than ten questions none is kept, and the file is empty.
    kept = (data / TEST).exists() and (data / TEST).stat().st_size
    test = _rows(data / TEST) if kept else []
    with resumable():
        tuned = tune(rows, model=base, format_=prompted, out=folder, options=options)
    extra = ", lexical_weight=2" if base == "bundled" else ""
    print_lines(
        f"Learned {tuned.learned_tokens} tokens of {tuned.tokens} in {tuned.examples} examples; "
        f"{tuned.too_long} were too long.",
        f'Use it: ChatGorilla(model="{folder}", format="{prompted.name}"{extra})',
    )
    if test:
        # Behind the training, which refuses what it cannot do before it takes time.
        before = _measured(base, format_, test, base)
        after = _measured(str(folder), prompted.name, test, base)
        print_lines(table({"before": before, "after": after}))


@app.command()
def measure(
    rows: Annotated[Path, typer.Option("--rows", help="File of rows, such as test.jsonl.")],
    name: Annotated[str, typer.Option("--model", help="A folder, a Hub id, or bundled.")],
    format_: FormatOption = None,
    lexical_weight: Annotated[
        float | None, typer.Option(min=0, help="As ChatGorilla's; 2 for models of bundled.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write every answer here.")
    ] = None,
) -> None:
    """Measure a model by rows: the share of answers with the same calls."""
    from dataclasses import asdict

    from langchain_gorilla.chat_models import ChatGorilla
    from langchain_gorilla.evaluation.outputs import check_outputs, write_json
    from langchain_gorilla.tuning.measuring import table

    check_outputs(json_file=json_file)
    read = _rows(rows)
    options: dict[str, Any] = {} if lexical_weight is None else {"lexical_weight": lexical_weight}
    asked = ChatGorilla(model=name, format=format_, temperature=0, **options)
    found = _judged(asked, read, name)
    print_lines(table({name: found}))
    write_json(json_file, [asdict(one) for one in found])


def _measured(name: str, format_: str | None, rows: "list[TuningRow]", base: str) -> list[Any]:
    from langchain_gorilla.chat_models import ChatGorilla
    from langchain_gorilla.engines.transformers import load_engine
    from langchain_gorilla.evidence import BUNDLED_WEIGHT

    # What is made of the bundled model is asked as that is.
    options: dict[str, Any] = {"lexical_weight": BUNDLED_WEIGHT} if base == "bundled" else {}
    asked = ChatGorilla(model=name, format=format_, temperature=0, **options)
    try:
        return _judged(asked, rows, "before" if name == base else "after")
    finally:
        # One at a time: the other is measured next.
        load_engine(name, dtype=asked.dtype, device=asked.device).unload()


def _judged(asked: "ChatGorilla", rows: "list[TuningRow]", name: str) -> list[Any]:
    """Ask for the answers of rows, and say which could not be asked for."""
    from langchain_gorilla.tuning.measuring import judged

    found = list(judged(asked, rows, name=name))
    problems = [one.problem for one in found if one.problem]
    if problems:
        what = (
            f"{len(problems)} of {len(found)} answers count as wrong: the model could not be asked"
        )
        print_problems([f"{what} ({problems[0]})"])
    left = sum(len(row.learned) for row in rows) - len(found)
    if left:
        print_problems([f"{left} answers are not measured: their rows offer no tools."])
    return found


def _rows(path: Path) -> "list[TuningRow]":
    from langchain_gorilla.tuning.rows import read_tuning_rows

    rows, problems = read_tuning_rows(path)
    print_problems(problems)
    return rows


def _tools(sources: list[str], options: Any) -> tuple[list[Any], list[Any]]:
    from langchain_gorilla.errors import SourceError
    from langchain_gorilla.sources.registry import KINDS, tools_from

    tools: list[Any] = []
    refusals: list[Any] = []
    for source in sources:
        kind, _, rest = (part.strip() for part in source.partition(":"))
        if not rest or kind not in ("tools", *KINDS):
            raise SourceError(
                f"{source!r} is no source. Write a kind, a colon and what is meant, such as "
                f"tools:tools.json or python:statistics; kinds: tools, {', '.join(KINDS)}."
            )
        if kind == "tools":
            tools += _listed_tools(Path(rest))
            continue
        found = tools_from(source, options)
        tools += found
        refusals += found.refusals
    return tools, refusals


def _listed_tools(path: Path) -> list[Any]:
    from langchain_gorilla.errors import InvalidFunctionError
    from langchain_gorilla.functions import function_schema

    listed = _json(path)
    if not isinstance(listed, list):
        raise InvalidFunctionError(
            f"{path} holds {_shown(listed)}. Expected a list of tools, as OpenAI takes them."
        )
    for number, tool in enumerate(listed, start=1):
        if not isinstance(tool, dict):
            raise InvalidFunctionError(
                f"Tool {number} of {path} is {_shown(tool)}. Expected an object, as OpenAI takes "
                'tools: {"type": "function", "function": {…}}.'
            )
        try:
            function_schema(tool)
        except InvalidFunctionError as error:
            raise InvalidFunctionError(f"Tool {number} of {path}: {error}") from error
    return listed


def _phrases(path: Path) -> dict[str, Any]:
    from langchain_gorilla.tuning.phrases import PhrasesError

    given = _json(path)
    if not isinstance(given, dict):
        raise PhrasesError(
            f"{path} holds {_shown(given)}. Expected an object, tool names with lists of "
            'templates: {"get_weather": ["Is it raining in {city}?"]}.'
        )
    return given


def _shown(value: Any) -> str:
    """Show a JSON value as the file has it, cut: ``null``, not Python's ``NoneType``."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _json(path: Path) -> Any:
    from langchain_gorilla.evaluation.rows import UnreadableFileError

    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UnreadableFileError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"{path} is no JSON ({error}).") from error
