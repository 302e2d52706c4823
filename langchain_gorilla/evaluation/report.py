"""Runs → one self-contained HTML page, the same as Markdown, and the same as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_gorilla.errors import GorillaError
from langchain_gorilla.evaluation import page, retriever_effect
from langchain_gorilla.evaluation.outputs import write_text
from langchain_gorilla.evaluation.page import Table, html_table, paragraph, percent, picture
from langchain_gorilla.evaluation.plots import (
    Run,
    accuracy_by_category,
    accuracy_by_retriever,
    hallucination_by_kind,
)
from langchain_gorilla.evaluation.scoring import KINDS
from langchain_gorilla.evaluation.statistics import compare


class UnreadableRunError(GorillaError, ValueError):
    """A file is not what ``gorilla eval bfcl --json`` writes."""


_WRITTEN_BY = (
    "Give a file that `gorilla eval bfcl --json` wrote, or the figures.json in a run's folder."
)
_OF_A_RUN = {
    "model": str, "options": dict, "overall": dict, "categories": dict, "abstention": dict,
    "cases": dict,
}  # fmt: skip
_OF_CASES = {
    "n": int, "accuracy": float, "ci95": list, "hallucination": dict, "input_tokens": float,
    "output_tokens": float, "forward_passes": float, "seconds": float, "error_types": dict,
}  # fmt: skip


def read_figures(path: Path) -> Run:
    """Read a run's ``--json`` file.

    Raises:
        UnreadableRunError: It is missing, not JSON, or not a whole run; says what is missing.
    """
    try:
        run = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableRunError(f"{path} is no run ({error}). {_WRITTEN_BY}") from error
    lacking = next(_lacking(run), None)
    if lacking is not None:
        raise UnreadableRunError(f"{path} is no run: it has no {lacking}. {_WRITTEN_BY}")
    return dict(run)


def _lacking(run: Any) -> Iterator[str]:
    """Name what a report needs and a file does not have."""
    if not isinstance(run, dict):
        yield "object of figures"
        return
    yield from _missing(run, _OF_A_RUN, "")
    if not isinstance(run["options"].get("retriever"), str):
        yield "options.retriever"
    yield from _missing(run["overall"], _OF_CASES, "overall.")
    yield from _missing(run["overall"]["hallucination"], {"any": float}, "overall.hallucination.")
    for name, row in run["categories"].items():
        yield from _missing(row, {"n": int, "accuracy": float, "ci95": list}, f"categories.{name}.")
    yield from (
        f"abstention.{name}" for name in ("precision", "recall") if name not in run["abstention"]
    )


def _missing(found: Any, needed: Mapping[str, type], place: str) -> Iterator[str]:
    for name, kind in needed.items():
        value = found.get(name) if isinstance(found, dict) else None
        # JSON writes a whole fraction as an integer.
        if not isinstance(value, kind | int if kind is float else kind):
            yield f"{place}{name}"


def write_report(runs: Sequence[Run], folder: Path) -> list[Path]:
    """Write ``report.html``, ``report.md`` and ``report.json`` and return their paths.

    Raises:
        MissingPlotLibraryError: matplotlib is not installed.
        UnwritableOutputError: A file cannot be written; says why.
    """
    names = run_names(runs)
    pages = {
        "report.html": html_page(runs, names),
        "report.md": markdown(runs, names),
        "report.json": json.dumps({"runs": list(runs)}, ensure_ascii=False, indent=1),
    }
    for name, text in pages.items():
        write_text(folder / name, text)
    return [folder / name for name in pages]


def run_names(runs: Sequence[Run]) -> list[str]:
    """Name each run by what tells it from the others."""
    names: list[str] = []
    for run in runs:
        options = run["options"]
        parts = [run["model"].rstrip("/").rpartition("/")[2]]
        if options.get("retriever", "none") != "none":
            parts.append(options["retriever"])
        if options.get("catalog_size"):
            parts.append(f"{options['catalog_size']} functions")
        if not options.get("constrained"):
            parts.append("unconstrained")
        if options.get("compare_functions", 1) > 1:
            parts.append(f"{options['compare_functions']} compared")
        if options.get("lexical_weight"):
            parts.append(f"lexical weight {options['lexical_weight']:g}")
        name = ", ".join(parts)
        repeated = sum(other == name or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({repeated + 1})" if repeated else name)
    return names


def html_page(runs: Sequence[Run], names: Sequence[str]) -> str:
    """Return the whole page."""
    groups = retriever_effect.retriever_runs(runs)
    by_retriever = accuracy_by_retriever({group.title: group.by_retriever for group in groups})
    pictures = [
        *([("Accuracy by retriever", by_retriever)] if by_retriever else []),
        ("Accuracy by category", accuracy_by_category(runs, names)),
        ("What is made up", hallucination_by_kind(runs, names)),
    ]
    sections = [picture(title, svg) for title, svg in pictures]
    sections += [html_table(table) for table in _tables(runs, names)]
    sections += [paragraph(line) for line in _findings(runs, names)]
    return page.html_page("BFCL report", _introduction(names), sections)


def markdown(runs: Sequence[Run], names: Sequence[str]) -> str:
    """Return tables and findings as Markdown."""
    parts = ["# BFCL report", _introduction(names)]
    for table in _tables(runs, names):
        rule = " | ".join(["---", *["---:"] * (len(table.head) - 1)])
        head, *rows = (" | ".join(map(_cell, row)) for row in (table.head, *table.rows))
        lines = [head, rule, *rows]
        parts.append(f"## {table.title}\n\n" + "\n".join(f"| {line} |" for line in lines))
    return "\n\n".join([*parts, *_findings(runs, names)]) + "\n"


def _introduction(names: Sequence[str]) -> str:
    return (
        f"Runs: {'; '.join(names)}. Shares in percent, with 95 % bootstrap intervals in brackets. "
        "An answer is right when BFCL's AST checker says so; refused calls are wrong."
    )


def _tables(runs: Sequence[Run], names: Sequence[str]) -> list[Table]:
    categories = list(dict.fromkeys(name for run in runs for name in run["categories"]))
    accuracy = [
        (category, *(_accuracy(run["categories"].get(category)) for run in runs))
        for category in categories
    ]
    accuracy.append(("all", *(_accuracy(run["overall"]) for run in runs)))
    made_up = [
        (
            name,
            *(percent(run["overall"]["hallucination"].get(kind)) for kind in KINDS),
            percent(run["abstention"]["precision"]),
            percent(run["abstention"]["recall"]),
        )
        for name, run in zip(names, runs, strict=True)
    ]
    cost = [
        (
            name,
            *(f"{run['overall'][k]:.1f}" for k in ("input_tokens", "output_tokens")),
            f"{run['overall']['forward_passes']:.1f}",
            f"{run['overall']['seconds']:.2f}",
        )
        for name, run in zip(names, runs, strict=True)
    ]
    kinds = tuple(kind.replace("_", " ") for kind in KINDS)
    return [
        *map(retriever_effect.table, retriever_effect.retriever_runs(runs)),
        Table("Accuracy", ("category", *names), tuple(accuracy)),
        Table(
            "Hallucination and abstention",
            ("run", *kinds, "abstention precision", "abstention recall"),
            tuple(made_up),
        ),
        Table(
            "Cost of one answer, means",
            ("run", "prompt tokens", "tokens", "forward passes", "seconds"),
            tuple(cost),
        ),
    ]


def _findings(runs: Sequence[Run], names: Sequence[str]) -> list[str]:
    """Compare each run with the first, and say whether a retriever helps."""
    lines = []
    for run, name in zip(runs[1:], names[1:], strict=True):
        result = compare(runs[0]["cases"], run["cases"])
        if not result.n:
            lines.append(f"{name} and {names[0]} have no case in common.")
            continue
        low, high = result.ci95
        lines.append(
            f"{name} against {names[0]} on {result.n} shared cases: "
            f"{100 * result.difference:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f}), "
            f"p = {result.p_value:.3g}."
        )
    return [*lines, *map(retriever_effect.answer, retriever_effect.retriever_runs(runs))]


def _accuracy(row: dict[str, Any] | None) -> str:
    if row is None:
        return "–"
    low, high = row["ci95"]
    return f"{percent(row['accuracy'])} [{percent(low)}, {percent(high)}] of {row['n']}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
