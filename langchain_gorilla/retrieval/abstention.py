"""Whether a catalog has a tool for a request at all: a score, a threshold, how far to trust them.

A search always has a best hit. What tells a fitting one apart is, by words, its BM25 score for the
length of the request, and with an embedder, how far it stands out of the nine hits after it. Both
are turned into a probability by a logistic curve that is fitted to one catalog:

- Requests that a tool fits: half the words of a tool's description; or the pairs, if given.
- Requests that no tool fits: the same ones, searched without that tool and its nearest
  neighbours, as if the catalog knew nothing of the kind.

Half a description is easier to find than what people write, so without pairs the threshold also
stays below half of the requests that no tool fits: a tool withheld costs more than a tool offered
in vain. Precision and recall are measured on the half of the requests that the threshold was not
chosen by. What this cannot tell apart is a request that differs from a tool in what its words do
not say: those are offered the tool.
"""

import json
import math
import random
import re
from collections.abc import Collection, Generator, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.errors import CalibrationError
from langchain_gorilla.retrieval.ranking import ToolHit

COMPARED_HITS = 10
"""How many hits a judgement looks at."""

_DEPTH = 40
_NEIGHBOURS = 10
_LEAST_REQUESTS = 8
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True)
class Calibration:
    """What a catalog's scores mean.

    Attributes:
        slope: Of the logistic curve.
        offset: Of the logistic curve.
        threshold: Probability below which nothing fits.
        precision: Share of the requests told that nothing fits for which that is so.
        recall: Share of the requests that nothing fits which are told so.
        kept: Share of the requests that a tool fits which are offered tools.
        requests: How many of each kind it was fitted to and measured on.
        pairs: How many of the fitting ones were given as pairs; 0: all are made from documents.
        embedder: Id of the embedder of the scores; None: by words.
    """

    slope: float
    offset: float
    threshold: float
    precision: float
    recall: float
    kept: float
    requests: int
    pairs: int = 0
    embedder: str | None = None

    def fit(self, query: str, hits: Sequence[ToolHit]) -> float:
        """Return the probability that one of the hits is a tool for the request.

        Args:
            query: The request.
            hits: At least ``COMPARED_HITS`` where there are so many, best first.
        """
        if not hits:
            return 0.0
        if hits[0].named:
            return 1.0
        return self._probability(_distinction(query, hits, by_words=self.embedder is None))

    def _probability(self, value: float) -> float:
        return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, self.slope * value + self.offset))))

    def save(self, file: str | Path) -> None:
        """Write it as JSON."""
        Path(file).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, file: str | Path) -> "Calibration":
        """Read what ``save`` wrote.

        Raises:
            CalibrationError: The file holds something else.
        """
        try:
            return cls(**json.loads(Path(file).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise CalibrationError(
                f"{file} holds no calibration: {error}. Expected what Calibration.save() writes."
            ) from error

    def __str__(self) -> str:
        source = f"{self.pairs} pairs" if self.pairs else "the catalog's documents"
        return (
            f"nothing fits below {self.threshold:.2f} (from {source}; held out: precision "
            f"{self.precision:.2f}, recall {self.recall:.2f}, {self.kept:.0%} of the requests that "
            "a tool fits keep their tools)"
        )


Calibrating: TypeAlias = Generator[tuple[str, int], Sequence[ToolHit], Calibration]
"""Yields searches to make, each a request and a number of tools, and takes their hits."""


def calibrating(
    tools: Iterable[CatalogTool],
    *,
    pairs: Iterable[tuple[str, Collection[str]]] = (),
    embedder: str | None = None,
    keep: float = 0.95,
    samples: int = 200,
    seed: int = 0,
) -> Calibrating:
    """Fit a calibration; ``ToolRetriever.calibrated`` is the way to call this.

    Args:
        tools: All tools that the search may find.
        pairs: Real requests, each with the names of the tools that fit it, or with none.
        embedder: Id of the embedder, where the search has one.
        keep: Share of the fitting requests that the threshold lets through, about.
        samples: Most tools to make requests of.
        seed: Chooses tools and words.

    Raises:
        CalibrationError: Too few tools or pairs to tell anything.
    """
    if not 0.5 <= keep < 1.0:
        raise CalibrationError(f"keep={keep} is a share of requests. Expected 0.5 to below 1.")
    tools = tuple(tools)
    by_words = embedder is None
    neighbours = max(1, min(_NEIGHBOURS, len(tools) // 4))
    fitting, unfit = [], []
    for query, tool in _made_requests(tools, samples, seed):
        near = {hit.name for hit in (yield tool.function.description, neighbours + 1)}
        hits = yield query, _DEPTH
        fitting.append(_distinction(query, hits, by_words=by_words))
        others = [hit for hit in hits if hit.name != tool.name and hit.name not in near]
        unfit.append(_distinction(query, others, by_words=by_words))
    names = {tool.name for tool in tools}
    given = list(pairs)
    # What a tool fitted that is gone says nothing of this catalog.
    real = [pair for pair in given if not pair[1] or not names.isdisjoint(pair[1])]
    trusted = any(wanted for _, wanted in real)
    if trusted:
        fitting = []
    for query, wanted in real:
        hits = yield query, _DEPTH
        if not wanted:
            unfit.append(_distinction(query, hits, by_words=by_words))
            continue
        fitting.append(_distinction(query, hits, by_words=by_words))
        near = {hit.name for hit in hits[:neighbours]}
        others = [hit for hit in hits if hit.name not in wanted and hit.name not in near]
        unfit.append(_distinction(query, others, by_words=by_words))
    if min(len(fitting), len(unfit)) < _LEAST_REQUESTS:
        left_out = len(given) - len(real)
        beside = f" ({left_out} more name none of these tools)" if left_out else ""
        raise CalibrationError(
            f"{len(tools)} tools and {len(real)} pairs{beside} give {len(fitting)} requests to "
            f"calibrate with; expected at least {_LEAST_REQUESTS}. Add descriptions or pairs, or "
            "leave calibration= out: so few tools can all be offered."
        )
    slope, offset = _logistic(fitting, unfit)
    threshold = _threshold(fitting, unfit, keep, trusted=trusted)
    chosen = _threshold(fitting[::2], unfit[::2], keep, trusted=trusted)
    held_fitting, held_unfit = fitting[1::2], unfit[1::2]
    refused_rightly = sum(value < chosen for value in held_unfit) / len(held_unfit)
    refused_wrongly = sum(value < chosen for value in held_fitting) / len(held_fitting)
    refused = refused_rightly + refused_wrongly
    curve = Calibration(slope, offset, 0.0, 0.0, 0.0, 0.0, 0)
    return Calibration(
        slope=slope,
        offset=offset,
        threshold=curve._probability(threshold),
        precision=refused_rightly / refused if refused else 1.0,
        recall=refused_rightly,
        kept=1.0 - refused_wrongly,
        requests=len(fitting),
        pairs=len(real),
        embedder=embedder,
    )


def _distinction(query: str, hits: Sequence[ToolHit], *, by_words: bool) -> float:
    """Return how much the best hit says; see the module's docstring."""
    scores = [hit.score for hit in hits[:COMPARED_HITS] if not hit.named]
    if not scores:
        return 0.0
    if by_words:
        return scores[0] / math.sqrt(max(1, len(set(_WORD.findall(query.lower())))))
    return scores[0] - sum(scores[1:]) / (COMPARED_HITS - 1)


def _made_requests(
    tools: Sequence[CatalogTool], samples: int, seed: int
) -> Iterable[tuple[str, CatalogTool]]:
    """Yield requests made of descriptions, each with its tool."""
    chooser = random.Random(seed)
    described = [tool for tool in tools if len(_WORD.findall(tool.function.description)) >= 4]
    for tool in chooser.sample(described, min(samples, len(described))):
        words = tool.function.description.split()
        half = chooser.sample(range(len(words)), max(3, len(words) // 2))
        yield " ".join(words[place] for place in sorted(half)), tool


def _threshold(
    fitting: Sequence[float], unfit: Sequence[float], keep: float, *, trusted: bool
) -> float:
    """Return the value below which nothing fits."""
    lowest = float(np.quantile(fitting, 1.0 - keep))
    if trusted:
        return lowest
    middle = float(np.median(unfit))
    # The next value after the middle: many may have the middle one, such as no score at all.
    return min([lowest, *(value for value in (*fitting, *unfit) if value > middle)])


def _logistic(fitting: Sequence[float], unfit: Sequence[float]) -> tuple[float, float]:
    """Fit slope and offset of P(fits | value), both kinds equally likely, by Newton's method."""
    values = np.array([*fitting, *unfit])
    labels = np.array([1.0] * len(fitting) + [0.0] * len(unfit))
    weights = np.where(labels == 1.0, 0.5 / len(fitting), 0.5 / len(unfit)) * len(values)
    spread = float(values.std()) or 1.0
    inputs = np.stack([(values - values.mean()) / spread, np.ones(len(values))], axis=1)
    solution = np.zeros(2)
    for _ in range(50):
        odds = 1.0 / (1.0 + np.exp(-np.clip(inputs @ solution, -50, 50)))
        # A little shrinkage keeps the curve finite where the two kinds do not overlap.
        gradient = inputs.T @ (weights * (odds - labels)) + np.array([solution[0], 0.0])
        curvature = inputs.T @ (inputs * (weights * odds * (1 - odds))[:, None]) + np.diag(
            [1, 1e-6]
        )
        step = np.linalg.solve(curvature, gradient)
        solution = solution - step
        if float(np.abs(step).max()) < 1e-9:
            break
    slope = max(float(solution[0]) / spread, 1e-9)
    return slope, float(solution[1]) - slope * float(values.mean())
