"""A catalog's search quality → one self-contained page with a picture of each finding."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from langchain_gorilla.evaluation import page
from langchain_gorilla.evaluation.page import Table, html_table, paragraph, picture
from langchain_gorilla.evaluation.plots import COLOURS, as_svg, blank_axes
from langchain_gorilla.evaluation.retrieval import DEPTH, Confusion, OwnDescriptions, Quality

_SHOWN = 30
"""Rows of a list on the page; the JSON has all."""


@dataclass(frozen=True)
class RetrievalReport:
    """All that a report says.

    Attributes:
        index: Where the tools are.
        tools: How many it has.
        own: What every tool's own description finds.
        given: How well given requests are answered; None where none were given.
    """

    index: str
    tools: int
    own: OwnDescriptions
    given: Quality | None = None

    def as_json(self) -> dict[str, Any]:
        """Return every figure and every finding, shares as fractions."""
        return {
            "index": self.index,
            "tools": self.tools,
            "given_requests": self.given.as_json() if self.given else None,
            "own_descriptions": self.own.quality.as_json(),
            "places": {
                **{str(place + 1): count for place, count in enumerate(self.own.places[:-1])},
                "not found": self.own.places[-1],
            },
            "not_found_by_own_description": [asdict(tool) for tool in self.own.unfound],
            "confusable": [asdict(pair) for pair in self.own.confusions],
        }


def html_report(report: RetrievalReport) -> str:
    """Return the page.

    Raises:
        MissingPlotLibraryError: matplotlib is not installed.
    """
    qualities = named_qualities(report)
    own = report.own
    sections = [
        picture("How many tools are enough", quality_by_tools_offered(qualities)),
        html_table(figures_table(qualities)),
        picture("Where a tool's own description finds it", places_of_tools(own.places)),
        html_table(
            Table(
                f"Tools that their own description does not find ({len(own.unfound)})",
                ("tool", "found instead", "description"),
                tuple(
                    (tool.tool, ", ".join(tool.found_instead) or "–", tool.description or "none")
                    for tool in own.unfound[:_SHOWN]
                ),
            )
        ),
    ]
    if own.confusions:
        sections.append(picture("Tools that are easily confused", closest_pairs(own.confusions)))
    sections += [
        html_table(
            Table(
                f"Tools that are easily confused ({len(own.confusions)})",
                ("described", "found as near or nearer", "closeness", "both ways"),
                tuple(
                    (pair.tool, pair.rival, f"{pair.closeness:.2f}", "yes" if pair.mutual else "no")
                    for pair in own.confusions[:_SHOWN]
                ),
            )
        ),
        paragraph(
            "Closeness is the score of the second tool for the first one's description, divided "
            "by the first one's own. Give such tools descriptions that say what tells them apart. "
            f"Lists show the first {_SHOWN}; report.json has all."
        ),
    ]
    return page.html_page("Tool retrieval report", _introduction(report), sections)


def named_qualities(report: RetrievalReport) -> dict[str, Quality]:
    """Return the figures by the kind of request, given ones first."""
    given = {"given requests": report.given} if report.given else {}
    return {**given, "own descriptions": report.own.quality}


def figures_table(qualities: dict[str, Quality]) -> Table:
    """Return the figures for the usual numbers of tools, in percent."""
    head = [f"{name}@{k}" for name in ("recall", "complete", "ndcg") for k in (1, 5, 10, DEPTH)]
    rows = []
    for name, quality in qualities.items():
        figures = quality.as_json()
        rows.append((name, str(quality.requests), *(f"{100 * figures[key]:.1f}" for key in head)))
    return Table("Figures, percent", ("requests", "n", *head), tuple(rows))


def quality_by_tools_offered(qualities: dict[str, Quality]) -> str:
    """Draw recall and completeness against the number of tools offered."""
    figure, axes = blank_axes(height=3.4)
    offered = range(1, DEPTH + 1)
    for index, (name, quality) in enumerate(qualities.items()):
        colour = COLOURS[index % len(COLOURS)]
        for values, what, style in (
            (quality.recall, "recall", "-"),
            (quality.complete, "complete", "--"),
            (quality.ndcg, "nDCG", ":"),
        ):
            axes.plot(
                offered, [100 * v for v in values], style, color=colour, label=f"{name}: {what}"
            )
    axes.set_xticks([1, 5, 10, 15, DEPTH])
    axes.set_ylim(0, 102)
    axes.set_xlabel("tools offered")
    axes.set_ylabel("percent")
    return as_svg(figure, axes)


def places_of_tools(places: Sequence[int]) -> str:
    """Draw how many tools their own description finds at each place; the last bar is none."""
    figure, axes = blank_axes(height=3.0)
    colours = [COLOURS[0]] * DEPTH + [COLOURS[5]]
    axes.bar(range(1, DEPTH + 2), places, color=colours)
    axes.set_xticks([1, 5, 10, 15, DEPTH + 1], ["1", "5", "10", "15", "not found"])
    # Most tools are first; the few others matter and would be invisible on a plain scale.
    axes.set_yscale("symlog", linthresh=1)
    axes.set_xlabel("place")
    axes.set_ylabel("tools")
    return as_svg(figure, axes)


def closest_pairs(confusions: Sequence[Confusion]) -> str:
    """Draw the closeness of the nearest pairs."""
    shown = confusions[:_SHOWN]
    figure, axes = blank_axes(height=1.2 + 0.24 * len(shown))
    axes.barh(
        range(len(shown)),
        [pair.closeness for pair in shown],
        color=[COLOURS[5] if pair.closeness >= 1 else COLOURS[1] for pair in shown],
    )
    names = [f"{_short(pair.tool)} / {_short(pair.rival)}" for pair in shown]
    axes.set_yticks(range(len(shown)), names, fontsize="small")
    axes.invert_yaxis()
    axes.axvline(1.0, color="#333333", linewidth=0.8)
    axes.set_xlabel("closeness (1 and more: the other tool is found first)")
    return as_svg(figure, axes)


def _short(name: str) -> str:
    # A dollar sign would start a formula in a picture.
    name = name.replace("$", "\\$")
    return name if len(name) <= 36 else f"{name[:33]}…"


def _introduction(report: RetrievalReport) -> str:
    given = f"{report.given.requests} given requests and " if report.given else ""
    return (
        f"{report.index}: {report.tools} tools. Searched: {given}the own descriptions of "
        f"{report.own.quality.requests} tools, which are easier to find than what people write."
    )
