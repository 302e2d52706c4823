"""Scores of a run → figures by category, with intervals, and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from langchain_gorilla.evaluation.cases import CATEGORIES
from langchain_gorilla.evaluation.rows import InputProblem
from langchain_gorilla.evaluation.runner import RunOptions
from langchain_gorilla.evaluation.scoring import KINDS, Score
from langchain_gorilla.evaluation.statistics import interval_of_share, mean

_MOST_NAMED = 20


def summarize(
    scores: Sequence[Score], options: RunOptions, problems: Sequence[InputProblem] = ()
) -> dict[str, Any]:
    """Return a run's figures as ``--json`` writes them; shares are fractions 0 to 1.

    ``categories`` and ``overall`` hold n, accuracy, ci95, hallucination by kind, error_types,
    right_functions_offered, mean tokens, forward passes and seconds; ``abstention`` precision and
    recall of staying silent;
    ``cases`` which were right, for comparing runs.
    """
    present = {score.category for score in scores}
    return {
        "model": options.model,
        "options": asdict(options),
        "overall": figures(scores),
        "categories": {
            category: figures([score for score in scores if score.category == category])
            for category in CATEGORIES
            if category in present
        },
        "abstention": abstention(scores),
        "problems": [*map(str, problems), *_unanswered(scores), *_uncheckable(scores)],
        "cases": {score.case_id: score.correct for score in scores},
    }


def _unanswered(scores: Sequence[Score]) -> Iterator[str]:
    """Name the answers that are none; they are scored with the others."""
    failed: dict[str, list[Score]] = {}
    for score in scores:
        if score.answer.error is not None:
            failed.setdefault(score.answer.error.partition(":")[0], []).append(score)
    for some in failed.values():
        yield f"{len(some)} without an answer, first {some[0].case_id}: {some[0].answer.error}"
    empty = [
        score.case_id
        for score in scores
        if score.answer.error is None and not score.called and not score.answer.text.strip()
    ]
    if empty:
        yield f"empty answers, neither call nor text: {_listed(empty)}"


def _uncheckable(scores: Sequence[Score]) -> Iterator[str]:
    """Name the questions on which BFCL's checker would crash; they count as wrong."""
    found = [score.case_id for score in scores if score.error_type == "uncheckable"]
    if found:
        yield f"BFCL's checker has no rule for these, so they count as wrong: {_listed(found)}"


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _MOST_NAMED} more" if ids[_MOST_NAMED:] else ""
    return f"{', '.join(ids[:_MOST_NAMED])}{more}"


def figures(scores: Sequence[Score]) -> dict[str, Any]:
    """Return the figures of some cases together."""
    n = len(scores)
    correct = sum(score.correct for score in scores)
    offered = [
        score.right_functions_offered
        for score in scores
        if score.right_functions_offered is not None
    ]
    errors: dict[str, int] = {}
    for score in scores:
        if score.error_type is not None:
            errors[score.error_type] = errors.get(score.error_type, 0) + 1
    return {
        "n": n,
        "accuracy": correct / n if n else 0.0,
        "ci95": list(interval_of_share(correct, n)),
        "hallucination": {
            **{kind: mean([kind in score.hallucinations for score in scores]) for kind in KINDS},
            "any": mean([bool(score.hallucinations) for score in scores]),
        },
        "right_functions_offered": mean(offered) if offered else None,
        "input_tokens": mean([score.answer.input_tokens for score in scores]),
        "output_tokens": mean([score.answer.output_tokens for score in scores]),
        "forward_passes": mean([score.answer.forward_passes for score in scores]),
        "seconds": mean([score.answer.seconds for score in scores]),
        "error_types": dict(sorted(errors.items(), key=lambda item: -item[1])),
    }


def abstention(scores: Sequence[Score]) -> Mapping[str, float | int | None]:
    """Return how well the model stays silent: of its silences, how many were right, and reverse.

    None where there is nothing to divide by. An answer that broke off with an error is neither.
    """
    answered = [score for score in scores if score.answer.error is None]
    silent = [score for score in answered if not score.called]
    should = [score for score in answered if not score.expects_call]
    right = sum(not score.expects_call for score in silent)
    return {
        "precision": right / len(silent) if silent else None,
        "recall": right / len(should) if should else None,
        "n_silent": len(silent),
        "n_should_be_silent": len(should),
    }
