"""Does a retriever help this model on this catalog? Runs that differ by retriever, side by side.

The Gorilla paper found that a bad retriever hurts: its zero-shot models beat the same models with
BM25. So the question is answered by a figure for each retriever, on the cases that both runs hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_gorilla.evaluation.page import Table, percent
from langchain_gorilla.evaluation.plots import RETRIEVERS, Run
from langchain_gorilla.evaluation.statistics import Comparison, compare

_SAME = (
    "catalog_size", "constrained", "compare_functions", "lexical_weight", "max_tokens", "timeout_s",
    "format",
)  # fmt: skip
"""Options that must be equal for the retriever to be what tells two runs apart; ``top_k`` and
``embedder`` must be, too, of the retrievers that have them."""

_BY_VECTORS = ("dense", "hybrid")

_SURE = 0.05

_HEAD = (
    "retriever", "n", "accuracy [95 %]", "against none", "right functions offered", "no answer",
    "something made up", "prompt tokens", "seconds",
)  # fmt: skip


@dataclass(frozen=True)
class RetrieverRuns:
    """One model's runs on one catalog, by retriever; ``none`` is among them.

    Attributes:
        model: Its name.
        catalog_size: Functions in each case's catalog; None for the case's own.
        by_retriever: The runs, which differ in the retriever alone.
        setting: What tells the group from others of this model and catalog; empty where it is the
            only one.
    """

    model: str
    catalog_size: int | None
    by_retriever: Mapping[str, Run]
    setting: str = ""

    @property
    def name(self) -> str:
        """The model, and what else tells the group from others on this catalog."""
        return f"{self.model}, {self.setting}" if self.setting else self.model

    @property
    def title(self) -> str:
        """The name, and the catalog."""
        return f"{self.name}, {_catalog(self)}"

    def effect(self, retriever: str) -> Comparison:
        """Compare a retriever's run with that of the whole catalog."""
        return compare(self.by_retriever["none"]["cases"], self.by_retriever[retriever]["cases"])


def retriever_runs(runs: Sequence[Run]) -> list[RetrieverRuns]:
    """Return the groups of runs that answer the question: ``none`` and at least one retriever."""
    alike: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        key = (run["model"], *(run["options"].get(name) for name in _SAME))
        alike.setdefault(key, []).append(run)
    groups: dict[tuple[Any, ...], dict[str, Run]] = {}
    for key, members in alike.items():
        for search in _searches(members):
            found = groups.setdefault((*key, *search), {})
            for run in members:
                if _belongs(run["options"], search):
                    found.setdefault(run["options"]["retriever"], run)
    groups = {key: found for key, found in groups.items() if "none" in found and len(found) > 1}
    return [
        RetrieverRuns(
            key[0],
            key[1],
            {name: found[name] for name in RETRIEVERS if name in found},
            _setting(key, [other for other in groups if other[:2] == key[:2]]),
        )
        for key, found in groups.items()
    ]


def _searches(runs: Sequence[Run]) -> list[tuple[Any, Any]]:
    """Return the settings (top_k, embedder) with which these runs searched."""
    all_options = [run["options"] for run in runs]
    by_vectors = [
        (options.get("top_k"), options.get("embedder"))
        for options in all_options
        if options["retriever"] in _BY_VECTORS
    ]
    with_vectors = {top_k for top_k, _ in by_vectors}
    by_words = [
        (options.get("top_k"), None)
        for options in all_options
        if options["retriever"] == "bm25" and options.get("top_k") not in with_vectors
    ]
    return list(dict.fromkeys([*by_vectors, *by_words])) or [(None, None)]


def _belongs(options: Mapping[str, Any], search: tuple[Any, Any]) -> bool:
    """Say whether a run may stand beside one that searched so; the whole catalog always may."""
    top_k, embedder = search
    if options["retriever"] in _BY_VECTORS:
        return bool(options.get("top_k") == top_k and options.get("embedder") == embedder)
    return bool(options["retriever"] != "bm25" or options.get("top_k") == top_k)


def _setting(key: tuple[Any, ...], keys: Sequence[tuple[Any, ...]]) -> str:
    """Name what tells a group from the others of its model and catalog."""
    names = ("model", *_SAME, "top_k", "embedder")
    return ", ".join(
        f"{name} {value}"
        for name, value, values in zip(names, key, zip(*keys, strict=True), strict=True)
        if len(set(values)) > 1
    )


def table(group: RetrieverRuns) -> Table:
    """Return one row for each retriever, shares in percent."""
    rows = []
    for name, run in group.by_retriever.items():
        overall = run["overall"]
        low, high = map(percent, overall["ci95"])
        rows.append(
            (
                name,
                str(overall["n"]),
                f"{percent(overall['accuracy'])} [{low}, {high}]",
                "–" if name == "none" else _points(group.effect(name).difference),
                percent(overall.get("right_functions_offered")),
                percent(_unanswered(run) / overall["n"] if overall["n"] else None),
                percent(overall["hallucination"]["any"]),
                f"{overall['input_tokens']:.0f}",
                f"{overall['seconds']:.2f}",
            )
        )
    return Table(f"Retrievers, {group.title}", _HEAD, tuple(rows))


def answer(group: RetrieverRuns) -> str:
    """Answer the question for one model and catalog, with figures."""
    n = len(group.by_retriever["none"]["cases"])
    question = (
        f"Does a retriever help {group.name} on this catalog ({_catalog(group)}, {_questions(n)})?"
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
            f"without one {_questions(unanswered)} {'has' if unanswered == 1 else 'have'} no "
            "answer, as where the catalog does not fit the prompt"
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


def _questions(n: int) -> str:
    return "1 question" if n == 1 else f"{n} questions"


def _catalog(group: RetrieverRuns) -> str:
    return f"{group.catalog_size} functions" if group.catalog_size else "each case's own functions"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"
