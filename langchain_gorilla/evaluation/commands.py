"""``gorilla eval``: the paper's table, BFCL runs, comparisons, reports."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from langchain_gorilla.evaluation.outputs import check_outputs, write_json
from langchain_gorilla.evaluation.printing import (
    err,
    print_apibench,
    print_bfcl,
    print_lines,
    print_page_table,
    print_problems,
    progress_bar,
    resumable,
)

app = typer.Typer(
    help="Measure a model, or recorded answers, with APIBench and BFCL.", no_args_is_help=True
)


class HubName(str, Enum):
    """The hubs of APIBench."""

    torchhub = "torchhub"
    huggingface = "huggingface"
    tensorflowhub = "tensorflowhub"


class Retriever(str, Enum):
    """How functions are chosen from the catalog."""

    none = "none"
    bm25 = "bm25"
    dense = "dense"
    hybrid = "hybrid"
    oracle = "oracle"


Model = Annotated[str, typer.Option(help='"bundled", a model id or a directory.')]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="How the model is prompted, such as openfunctions-v2; else by its name.",
    ),
]
Cases = Annotated[
    list[Path], typer.Option(help="BFCL's question files, rows with answers, or folders.")
]
TopK = Annotated[int, typer.Option(min=1, help="Functions that a retriever offers.")]
Embedder = Annotated[
    Path | None,
    typer.Option(
        exists=True, file_okay=False, help="Sentence encoder's folder, for dense and hybrid."
    ),
]
Constrained = Annotated[
    bool,
    typer.Option("--constrained/--unconstrained", help="Hold calls to the functions' schemas."),
]
CompareFunctions = Annotated[
    int, typer.Option(min=1, help="Compare so many functions by their calls where in doubt.")
]
LexicalWeight = Annotated[
    float | None,
    typer.Option(min=0, max=1000, help="Of the question's words at a name; default: the model's."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Only so many of each category.")]
MaxTokens = Annotated[int, typer.Option(min=1, help="Most tokens of an answer.")]
Timeout = Annotated[float | None, typer.Option(min=0.001, help="Most seconds for an answer.")]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="Also write the figures here, as fractions 0 to 1.")
]


@app.command()
def apibench(
    responses: Annotated[Path, typer.Option(help="Folder with recorded answers (*.jsonl).")],
    hub: Annotated[HubName, typer.Option(help="Which hub's questions they answer.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder with api/ and eval/; else the data in the package.")
    ] = None,
    grammar: Annotated[
        Path | None,
        typer.Option(
            help="A compiled grammar of Python, for the trees of broken code; else that of "
            "tree-sitter-languages 1.8, as in the paper, or where it is missing a newer one. "
            "A line under the table says what was used."
        ),
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Print the Gorilla paper's table from recorded answers, beside the published figures."""
    from langchain_gorilla.evaluation import apibench_table
    from langchain_gorilla.evaluation.apibench_data import bundled_benchmark, read_benchmark

    check_outputs(json_file=json_file)
    benchmark = read_benchmark(data, hub.value) if data else bundled_benchmark(hub.value)
    files = list(apibench_table.judge_folder(responses, benchmark, grammar=grammar))
    print_apibench(hub.value, files)
    print_lines(*apibench_table.explanations(hub.value, files, grammar=grammar))
    print_problems([problem for file in files for problem in file.problems])
    write_json(json_file, apibench_table.as_json(files))


@app.command()
def bfcl(
    context: typer.Context,
    cases: Cases,
    model: Annotated[str | None, typer.Option(help='"bundled", a model id or a directory.')] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Judge a model's recorded results (BFCL_v*_result.json) instead of asking one.",
        ),
    ] = None,
    prompt_format: Format = None,
    retriever: Annotated[Retriever, typer.Option(help="Who chooses functions.")] = Retriever.none,
    catalog_size: Annotated[
        int | None, typer.Option(min=1, help="Functions to choose from, other cases' included.")
    ] = None,
    top_k: TopK = 5,
    embedder: Embedder = None,
    constrained: Constrained = True,
    compare_functions: CompareFunctions = 1,
    lexical_weight: LexicalWeight = None,
    limit: Limit = None,
    max_tokens: MaxTokens = 512,
    timeout: Timeout = None,
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="The run's folder; a stopped run goes on there.")
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Let a model answer BFCL's questions, and judge the answers as BFCL does."""
    from langchain_gorilla.errors import UnsupportedOptionError
    from langchain_gorilla.evaluation.cases import read_cases
    from langchain_gorilla.evaluation.runner import RunOptions, lexical_weight_of

    if results is not None and model is None:
        idle = [option for name, option in _given(context).items() if name not in _OF_RESULTS]
        if idle:
            raise UnsupportedOptionError(
                f"--results judges answers that are there, so {', '.join(idle)} would do nothing. "
                "Leave them out, or ask a model with --model."
            )
        check_outputs(json_file=json_file)
        every_case, problems = read_cases(cases)
        _refuse_none(every_case, problems)
        figures = _judged(results, every_case, limit, problems)
        write_json(json_file, figures)
        print_bfcl(figures, str(results))
        return
    if model is None or results is not None:
        raise UnsupportedOptionError(
            "Who answered? Give either --model, which is asked, or --results, a folder of recorded "
            "answers."
        )
    options = RunOptions(
        model=model,
        format=prompt_format,
        retriever=retriever.value,
        catalog_size=catalog_size,
        top_k=top_k,
        embedder=str(embedder) if embedder else None,
        constrained=constrained,
        compare_functions=compare_functions,
        lexical_weight=lexical_weight_of(model, prompt_format, lexical_weight),
        max_tokens=max_tokens,
        timeout_s=timeout,
    )
    print_problems(_without_effect(_given(context), retriever))
    folder = out_folder or Path("evaluation_results") / _run_name(options)
    check_outputs(json_file=json_file, folder=folder)
    every_case, problems = read_cases(cases)
    _refuse_none(every_case, problems)
    figures = _run(options, every_case, limit, problems, folder)
    write_json(json_file, figures)
    print_bfcl(figures, str(folder))


@app.command()
def retrievers(
    model: Model,
    cases: Cases,
    out_folder: Annotated[
        Path, typer.Option("--out", help="Runs and report.*; stopped runs go on there.")
    ],
    prompt_format: Format = None,
    catalog_size: Annotated[
        int, typer.Option(min=1, help="Functions to choose from, other cases' included.")
    ] = 12,
    top_k: TopK = 5,
    embedder: Embedder = None,
    constrained: Constrained = True,
    compare_functions: CompareFunctions = 1,
    lexical_weight: LexicalWeight = None,
    limit: Limit = None,
    max_tokens: MaxTokens = 512,
    timeout: Timeout = None,
    json_file: JsonFile = None,
) -> None:
    """Does a retriever help a model on a catalog? Run all, in one table and one picture."""
    from langchain_gorilla.evaluation import retriever_effect
    from langchain_gorilla.evaluation.cases import read_cases
    from langchain_gorilla.evaluation.report import write_report
    from langchain_gorilla.evaluation.runner import RunOptions, lexical_weight_of

    check_outputs(json_file=json_file, folder=out_folder)
    every_case, problems = read_cases(cases)
    _refuse_none(every_case, problems)
    runs = []
    for retriever in Retriever:
        vectors = retriever in (Retriever.dense, Retriever.hybrid)
        if vectors and embedder is None:
            err.print(f"! {retriever.value} is left out: pass --embedder DIR.", style="yellow")
            continue
        options = RunOptions(
            model=model,
            format=prompt_format,
            retriever=retriever.value,
            catalog_size=catalog_size,
            top_k=top_k,
            embedder=str(embedder) if vectors else None,
            constrained=constrained,
            compare_functions=compare_functions,
            lexical_weight=lexical_weight_of(model, prompt_format, lexical_weight),
            max_tokens=max_tokens,
            timeout_s=timeout,
        )
        folder = out_folder / retriever.value
        runs.append(_run(options, every_case, limit, problems, folder))
    for group in retriever_effect.retriever_runs(runs):
        print_page_table(retriever_effect.table(group))
        print_lines(retriever_effect.answer(group))
    print_lines(*write_report(runs, out_folder))
    write_json(json_file, {"runs": runs})
    print_problems(list(dict.fromkeys(problem for run in runs for problem in run["problems"])))


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="A run's --json file.")],
    second: Annotated[Path, typer.Argument(help="Another run's, on the same cases.")],
) -> None:
    """Compare two runs case by case: is the second better, and how sure is that?"""
    from langchain_gorilla.evaluation.report import UnreadableRunError, read_figures
    from langchain_gorilla.evaluation.statistics import compare as compare_runs

    one, other = read_figures(first)["cases"], read_figures(second)["cases"]
    result = compare_runs(one, other)
    if not result.n:
        raise UnreadableRunError(
            f"{first} ({len(one)} cases) and {second} ({len(other)}) have no case in common. "
            "Compare runs on the same --cases."
        )
    low, high = result.ci95
    print_lines(
        f"{result.n} shared cases. Accuracy of the second minus the first: "
        f"{100 * result.difference:+.1f} points (95 % interval {100 * low:+.1f} to "
        f"{100 * high:+.1f}). Only the first right: {result.only_first}, only the second: "
        f"{result.only_second}, p = {result.p_value:.3g}."
    )
    if len(one) + len(other) > 2 * result.n:
        print_lines(
            f"Left out: {len(one) - result.n} cases that only the first has, "
            f"{len(other) - result.n} that only the second has."
        )


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="--json files of runs.")],
    out_folder: Annotated[Path, typer.Option("--out", help="Where report.* are written.")],
) -> None:
    """Write runs as one self-contained page, Markdown and JSON."""
    from langchain_gorilla.evaluation.report import read_figures, write_report

    check_outputs(folder=out_folder)
    print_lines(*write_report([read_figures(run) for run in runs], out_folder))


_OF_RESULTS = ("cases", "results", "limit", "json_file")
"""Parameters of ``bfcl`` that judge recorded answers; the others say how a model is asked."""


def _given(context: typer.Context) -> dict[str, str]:
    """Return the options on the command line by the names of their parameters."""
    found = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name and source is not None and source.name == "COMMANDLINE":
            found[parameter.name] = "/".join((*parameter.opts, *parameter.secondary_opts))
    return found


def _without_effect(given: dict[str, str], retriever: Retriever) -> list[str]:
    """Name the options that the retriever has no use for."""
    idle = [] if retriever in (Retriever.dense, Retriever.hybrid) else ["embedder"]
    if retriever in (Retriever.none, Retriever.oracle):
        idle.append("top_k")
    return [
        f"{given[name]} does nothing with --retriever {retriever.value}"
        for name in idle
        if name in given
    ]


def _run(
    options: Any, every_case: list[Any], limit: int | None, problems: list[Any], folder: Path
) -> dict[str, Any]:
    """Run, or go on with, one run; its answers, BFCL's files and figures are in the folder."""
    from langchain_gorilla.evaluation import runner
    from langchain_gorilla.evaluation.bfcl_results import write_bfcl_results
    from langchain_gorilla.evaluation.summary import summarize

    chosen = _limited(every_case, limit)
    scores = []
    model = runner.chat_model(options)
    with resumable(), progress_bar() as progress:
        name = (
            options.model
            if options.retriever == "none"
            else f"{options.model}, {options.retriever}"
        )
        task = progress.add_task(f"BFCL with {name}", total=len(chosen))
        for score in runner.run_cases(chosen, model, options, folder, all_cases=every_case):
            scores.append(score)
            progress.advance(task)
    write_bfcl_results(folder / "bfcl_results", options.model, scores)
    figures = summarize(scores, options, problems)
    write_json(folder / "figures.json", figures)
    return figures


def _judged(
    results: Path, cases: list[Any], limit: int | None, problems: list[Any]
) -> dict[str, Any]:
    """Return the figures of recorded results."""
    from langchain_gorilla.evaluation.bfcl_results import read_bfcl_results
    from langchain_gorilla.evaluation.rows import UnreadableFileError
    from langchain_gorilla.evaluation.runner import RunOptions
    from langchain_gorilla.evaluation.scoring import score_answer
    from langchain_gorilla.evaluation.summary import summarize

    answered, wrong = read_bfcl_results(results, cases)
    if not answered:
        raise UnreadableFileError(
            f"{results} answers none of these questions. {'; '.join(map(str, wrong[:5]))}."
        )
    options = RunOptions(model=results.resolve().name, constrained=False, max_tokens=None)
    chosen = {case.id for case in _limited([case for case, _ in answered], limit)}
    scores = [score_answer(case, answer) for case, answer in answered if case.id in chosen]
    return summarize(scores, options, [*problems, *wrong])


def _refuse_none(cases: list[Any], problems: list[Any]) -> None:
    from langchain_gorilla.evaluation.rows import UnreadableFileError

    if not cases:
        raise UnreadableFileError(
            f"There is no question to ask. {'; '.join(map(str, problems[:5]))}."
        )


def _limited(cases: list[Any], limit: int | None) -> list[Any]:
    taken: dict[str, int] = {}
    chosen = []
    for case in cases:
        taken[case.category] = taken.get(case.category, 0) + 1
        if limit is None or taken[case.category] <= limit:
            chosen.append(case)
    return chosen


def _run_name(options: Any) -> str:
    parts = [options.model.strip("/").replace("/", "_"), options.retriever]
    if options.format:
        parts.append(options.format)
    if options.catalog_size:
        parts.append(f"catalog-{options.catalog_size}")
    parts.append("constrained" if options.constrained else "unconstrained")
    if options.compare_functions > 1:
        parts.append(f"compared-{options.compare_functions}")
    if options.lexical_weight:
        parts.append(f"lexical-{options.lexical_weight:g}")
    return "-".join(parts)
