"""Runs → pictures as SVG text, for the report; matplotlib is imported here only."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_gorilla.errors import GorillaError
from langchain_gorilla.evaluation.cases import CATEGORIES
from langchain_gorilla.evaluation.scoring import KINDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Run: TypeAlias = dict[str, Any]
"""A run's figures, as ``summary.summarize`` returns them."""

COLOURS = ("#1f5fa8", "#d1731b", "#3a8a4d", "#8a4a9e", "#7a6a52", "#b3324a")

_LEGEND_CHARACTERS = 72
"""Of the names in one line of a legend."""

RETRIEVERS = ("none", "bm25", "dense", "hybrid", "oracle")


class MissingPlotLibraryError(GorillaError, ImportError):
    """matplotlib is not installed."""


def accuracy_by_category(runs: Sequence[Run], names: Sequence[str]) -> str:
    """Draw accuracy with its 95 % interval, bars side by side for runs."""
    present = [name for name in CATEGORIES if any(name in run["categories"] for run in runs)]
    figure, axes = blank_axes(height=1.2 + 0.28 * len(present) * max(1, len(runs)))
    thickness = 0.8 / len(runs)
    for index, (run, name) in enumerate(zip(runs, names, strict=True)):
        rows = [run["categories"].get(category) for category in present]
        shares = [100 * row["accuracy"] if row else 0 for row in rows]
        spread = [
            [100 * (row["accuracy"] - row["ci95"][0]) if row else 0 for row in rows],
            [100 * (row["ci95"][1] - row["accuracy"]) if row else 0 for row in rows],
        ]
        axes.barh(
            [place + index * thickness for place in range(len(present))],
            shares,
            height=thickness * 0.92,
            xerr=spread,
            label=name,
            color=COLOURS[index % len(COLOURS)],
            ecolor="#333333",
            capsize=2,
        )
    middle = thickness * (len(runs) - 1) / 2
    axes.set_yticks([place + middle for place in range(len(present))], present)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("accuracy, percent (bars: 95 % bootstrap interval)")
    return as_svg(figure, axes)


def hallucination_by_kind(runs: Sequence[Run], names: Sequence[str]) -> str:
    """Draw which share of answers makes something up, by kind."""
    figure, axes = blank_axes(height=3.2)
    thickness = 0.8 / len(runs)
    for index, (run, name) in enumerate(zip(runs, names, strict=True)):
        made_up = run["overall"]["hallucination"]
        axes.bar(
            [place + index * thickness for place in range(len(KINDS))],
            [100 * made_up.get(kind, 0) for kind in KINDS],
            width=thickness * 0.92,
            label=name,
            color=COLOURS[index % len(COLOURS)],
        )
    middle = thickness * (len(runs) - 1) / 2
    axes.set_xticks(
        [place + middle for place in range(len(KINDS))], [k.replace("_", " ") for k in KINDS]
    )
    axes.set_ylim(0, max(5.0, axes.get_ylim()[1]))
    axes.set_ylabel("answers, percent")
    return as_svg(figure, axes)


def accuracy_by_retriever(groups: Mapping[str, Mapping[str, Run]]) -> str | None:
    """Draw accuracy against the retriever, a line for each group; None without any.

    Args:
        groups: Name to runs by retriever, which differ in nothing else.
    """
    if not groups:
        return None
    figure, axes = blank_axes(height=3.2)
    for index, (name, found) in enumerate(groups.items()):
        places = [place for place, retriever in enumerate(RETRIEVERS) if retriever in found]
        rows = [found[RETRIEVERS[place]]["overall"] for place in places]
        axes.errorbar(
            places,
            [100 * row["accuracy"] for row in rows],
            yerr=[
                [100 * (row["accuracy"] - row["ci95"][0]) for row in rows],
                [100 * (row["ci95"][1] - row["accuracy"]) for row in rows],
            ],
            marker="o",
            capsize=3,
            label=name,
            color=COLOURS[index % len(COLOURS)],
        )
    axes.set_xticks(range(len(RETRIEVERS)), RETRIEVERS)
    axes.set_ylim(0, 100)
    axes.set_ylabel("accuracy, percent")
    return as_svg(figure, axes)


def blank_axes(*, height: float) -> tuple["Figure", "Axes"]:
    """Return a figure of this height in inches and its axes.

    Raises:
        MissingPlotLibraryError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingPlotLibraryError(
            "Reports are drawn with matplotlib: pip install 'langchain-gorilla[evaluation]'."
        ) from error
    # A Figure of its own, not pyplot's: no display is looked for, nothing is kept.
    figure = Figure(figsize=(8, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def as_svg(figure: "Figure", axes: "Axes") -> str:
    """Return a figure as an ``<svg>`` element, what is labelled in a legend above."""
    from matplotlib import rc_context

    # Above the picture, where no bar can be under it.
    _, names = axes.get_legend_handles_labels()
    if names:
        legend = axes.legend(
            frameon=False,
            fontsize="small",
            loc="lower left",
            bbox_to_anchor=(0, 1.02),
            ncols=max(1, min(3, _LEGEND_CHARACTERS // max(map(len, names)))),
        )
        for text in legend.get_texts():
            text.set_parse_math(False)  # dollar signs in a model's name are no formula
    written = io.StringIO()
    # Fixed ids and no date: the same figures give the same page. Text stays text, so that it can
    # be searched and read aloud.
    with rc_context({"svg.hashsalt": "langchain-gorilla", "svg.fonttype": "none"}):
        figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()[written.getvalue().index("<svg") :]
