"""A query-side adapter: one matrix that turns what users ask towards what tools say.

Fitted to pairs of one catalog and one embedder. Documents keep their vectors, so nothing is
embedded again; tools without pairs are found as before. It does not carry over to another catalog.
"""

import base64
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

_FORMAT = "langchain-gorilla adapter 1"
_TEMPERATURE = 0.05
_STRENGTHS = (0.0, 0.0005, 0.002, 0.01)
"""How much it costs to leave the identity; which is best depends on the catalog and the pairs."""

_STEPS = 300
_BATCH = 128


@dataclass(frozen=True, eq=False)
class Adapter:
    """A fitted adapter.

    Attributes:
        matrix: Shape (dimension, dimension), applied to a query's unit vector from the right.
        version: Counts the adapters that a collection has had.
        pairs: How many it was fitted to.
        before: nDCG@10 of held-out pairs without it, from 0 to 1.
        after: The same with it.
    """

    matrix: Matrix
    version: int
    pairs: int
    before: float
    after: float

    def turned(self, vector: Sequence[float]) -> list[float]:
        """Return the unit vector to search by for a query's unit vector."""
        turned = np.asarray(vector, dtype=np.float32) @ self.matrix
        length = float(np.linalg.norm(turned))
        return [float(value) for value in turned / length] if length else list(vector)

    def as_payload(self) -> dict[str, Any]:
        """Return it as JSON carries it; the matrix in half precision."""
        return {
            "format": _FORMAT,
            "dimension": len(self.matrix),
            "matrix": base64.b64encode(self.matrix.astype("<f2").tobytes()).decode("ascii"),
            "version": self.version,
            "pairs": self.pairs,
            "before": self.before,
            "after": self.after,
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any] | None) -> "Adapter | None":
        """Read what ``as_payload`` wrote; None for nothing and for another format."""
        if payload is None or payload.get("format") != _FORMAT:
            return None
        size = int(payload["dimension"])
        flat = np.frombuffer(base64.b64decode(payload["matrix"]), dtype="<f2")
        return cls(
            flat.astype(np.float32).reshape(size, size),
            version=int(payload["version"]),
            pairs=int(payload["pairs"]),
            before=float(payload["before"]),
            after=float(payload["after"]),
        )


@dataclass(frozen=True)
class FitReport:
    """What a fit came to.

    Attributes:
        installed: Whether searches can use the adapter; False where it did not help.
        before: nDCG@10 of the held-out pairs without it, from 0 to 1.
        after: The same with it.
        fitted: Pairs that it was fitted to.
        held_out: Pairs that it was judged by.
        version: Of the adapter that is installed now; 0 for none.
    """

    installed: bool
    before: float
    after: float
    fitted: int
    held_out: int
    version: int


def fitted_matrix(
    queries: Matrix, golds: Sequence[Collection[int]], documents: Matrix, *, seed: int
) -> Matrix:
    """Fit a matrix: softmax over the whole catalog, by Adam, held near the identity.

    How near is chosen by every fourth pair, which this first fit does not see.

    Args:
        queries: Unit vectors, shape (pairs, dimension).
        golds: For each query the rows of ``documents`` that fit it; at least one.
        documents: Unit vectors, shape (tools, dimension).
        seed: Of the order of the pairs.

    Returns:
        Shape (dimension, dimension).
    """
    judging = np.arange(len(queries)) % 4 == 0
    seen = [gold for gold, judges in zip(golds, judging, strict=True) if not judges]
    unseen = [gold for gold, judges in zip(golds, judging, strict=True) if judges]

    def worth(stay: float) -> float:
        matrix = _descended(queries[~judging], seen, documents, stay=stay, seed=seed)
        nearest = np.argsort(-(queries[judging] @ matrix) @ documents.T, axis=1)[:, :10]
        return sum(
            ndcg_at_10(list(map(str, row)), set(map(str, gold)))
            for row, gold in zip(nearest, unseen, strict=True)
        )

    return _descended(queries, golds, documents, stay=max(_STRENGTHS, key=worth), seed=seed)


def _descended(
    queries: Matrix,
    golds: Sequence[Collection[int]],
    documents: Matrix,
    *,
    stay: float,
    seed: int,
) -> Matrix:
    chooser = np.random.default_rng(seed)
    size = queries.shape[1]
    matrix = np.eye(size, dtype=np.float32)
    identity = matrix.copy()
    first, second = np.zeros_like(matrix), np.zeros_like(matrix)
    for step in range(1, _STEPS + 1):
        rows = chooser.choice(len(queries), min(_BATCH, len(queries)), replace=False)
        batch = queries[rows]
        logits = (batch @ matrix) @ documents.T / _TEMPERATURE
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        for place, row in enumerate(rows):
            wanted = list(golds[row])
            shares[place, wanted] -= 1.0 / len(wanted)
        gradient = batch.T @ (shares @ documents) / (_TEMPERATURE * len(rows))
        gradient += stay * (matrix - identity) * len(matrix)
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        rate = 2e-3 * min(1.0, 2.0 * (1.0 - step / _STEPS))
        corrected = first / (1 - 0.9**step)
        matrix -= rate * corrected / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
    return matrix


def ndcg_at_10(found: Sequence[str], wanted: Collection[str]) -> float:
    """Return the normalised discounted gain of the first ten names, from 0 to 1."""
    first = list(dict.fromkeys(found))[:10]
    gain = sum(1 / math.log2(place + 2) for place, name in enumerate(first) if name in wanted)
    return gain / sum(1 / math.log2(place + 2) for place in range(min(10, len(wanted))))
