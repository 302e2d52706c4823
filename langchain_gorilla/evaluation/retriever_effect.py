"""Does a retriever help this model on this catalog? Runs that differ by retriever, side by side.

The Gorilla paper found that a bad retriever hurts: its zero-shot models beat the same models with
BM25. So the question is answered by a figure for each retriever, on the cases that both runs hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_gorilla.evaluation.page import Table
from langchain_gorilla.evaluation.plots import RETRIEVERS, Run
from langchain_gorilla.evaluation.statistics import Comparison, compare

_SAME = ("catalog_size", "constrained", "max_tokens")
"""Options that must be equal for the retriever to be what tells two runs apart."""

_SURE = 0.05

_HEAD = (
    "retriever", "n", "accuracy [95 %]", "against none", "right functions offered", "no answer",
    "something made up", "prompt tokens", "seconds",
)  # fmt: skip


@dataclass(frozen=True)
class RetrieverRuns:
    """One model's runs on one catalog, by retriever; ``none`` is among them."""

    model: str
    catalog_size: int | None
    by_retriever: Mapping[str, Run]

    def effect(self, retriever: str) -> Comparison:
        """Compare a retriever's run with that of the whole catalog."""
        return compare(self.by_retriever["none"]["cases"], self.by_retriever[retriever]["cases"])


def retriever_runs(runs: Sequence[Run]) -> list[RetrieverRuns]:
    """Return the groups of runs that answer the question: ``none`` and at least one retriever."""
    groups: dict[tuple[Any, ...], dict[str, Run]] = {}
    for run in runs:
        options = run["options"]
        key = (run["model"], *(options.get(name) for name in _SAME))
        groups.setdefault(key, {}).setdefault(options["retriever"], run)
    return [
        RetrieverRuns(key[0], key[1], {name: found[name] for name in RETRIEVERS if name in found})
        for key, found in groups.items()
        if "none" in found and len(found) > 1
    ]


def table(group: RetrieverRuns) -> Table:
    """Return one row for each retriever, shares in percent."""
    rows = []
    for name, run in group.by_retriever.items():
        overall = run["overall"]
        low, high = map(_percent, overall["ci95"])
        rows.append(
            (
                name,
                str(overall["n"]),
                f"{_percent(overall['accuracy'])} [{low}, {high}]",
                "–" if name == "none" else _points(group.effect(name).difference),
                _percent(overall.get("right_functions_offered")),
                _percent(_unanswered(run) / overall["n"] if overall["n"] else None),
                _percent(overall["hallucination"]["any"]),
                f"{overall['input_tokens']:.0f}",
                f"{overall['seconds']:.2f}",
            )
        )
    return Table(f"Retrievers, {group.model}, {_catalog(group)}", _HEAD, tuple(rows))


def answer(group: RetrieverRuns) -> str:
    """Answer the question for one model and catalog, with figures."""
    n = len(group.by_retriever["none"]["cases"])
    question = (
        f"Does a retriever help {group.model} on this catalog ({_catalog(group)}, {n} questions)?"
    )
    effects = {
        name: group.effect(name)
        for name in group.by_retriever
        if name not in ("none", "oracle") and group.effect(name).n
    }
    words = []
    if effects:
        best = max(effects, key=lambda name: effects[name].difference)
        words.append(f"{_verdict(effects[best])}: {_effect(best, effects.pop(best))}")
        words += [_effect(name, effect) for name, effect in effects.items()]
    if "oracle" in group.by_retriever:
        oracle = group.effect("oracle")
        words.append(f"a retriever that never errs (oracle) {_points(oracle.difference)} points")
    unanswered = _unanswered(group.by_retriever["none"])
    if unanswered:
        words.append(
            f"without one {unanswered} questions have no answer, as where the catalog does not fit "
            "the prompt"
        )
    said = "; ".join(words)
    return f"{question} {said[:1].upper()}{said[1:]}."


def _verdict(effect: Comparison) -> str:
    low, high = effect.ci95
    # Both, since the interval alone is too narrow where a few cases decide.
    if effect.p_value >= _SURE or low <= 0 <= high:
        return "not decided by these cases"
    return "yes" if effect.difference > 0 else "no, it hurts"


def _unanswered(run: Run) -> int:
    return int(run["overall"]["error_types"].get("no_answer", 0))


def _effect(name: str, effect: Comparison) -> str:
    low, high = effect.ci95
    return (
        f"{name} {_points(effect.difference)} points ({_points(low)} to {_points(high)}, "
        f"p = {effect.p_value:.2g})"
    )


def _catalog(group: RetrieverRuns) -> str:
    return f"{group.catalog_size} functions" if group.catalog_size else "each case's own functions"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"
