"""Several answers in one forward pass: their loops run side by side, their passes together.

Each answer has a thread, a decode loop, a matcher and a KV cache of its own; what they share is
the pass. It runs when every answer under way waits for one, so an answer may join or leave at any
pass, and one that is cancelled disturbs no other. The batch is ragged: a row has as many new
tokens and as long a past as it has, right-padded, the holes masked, positions given. A beginning
of more than ``LONG_TOKENS`` is read by itself, since padding the others to it would cost more.

Every row's keys and values stay in its own cache and are laid side by side layer by layer, for as
long as the layer needs them. Scores are those of a row alone but for the order of additions:
1e-6 in float32, where greedy answers came out the same in every test; in bfloat16 two tokens that
are nearly as probable may change places, as in any batch.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from langchain_gorilla.engines.token_sequence import TransformersSequence, cache_argument

if TYPE_CHECKING:
    import torch

LONG_TOKENS: Final = 64


@dataclass(eq=False)
class _Order:
    """One row's part of a pass: tokens to read, and which of them to give scores for."""

    sequence: TransformersSequence
    tokens: list[int]
    at: list[int]
    scores: Any = None
    error: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self.scores is not None or self.error is not None

    def result(self) -> "torch.Tensor":
        if self.error is not None:
            raise self.error
        scores: torch.Tensor = self.scores
        return scores


class Batcher:
    """Joins the forward passes of one model's answers. Thread-safe."""

    def __init__(self) -> None:
        """Begin with no answers under way."""
        self._changed = threading.Condition()
        self._orders: list[_Order] = []
        self._rows = 0
        self._busy = False
        self.largest = 0

    @contextmanager
    def row(self) -> Iterator[None]:
        """Take part: from now on, passes wait for this answer."""
        with self._changed:
            self._rows += 1
        try:
            yield
        finally:
            with self._changed:
                self._rows -= 1
                self._changed.notify_all()

    def read(
        self, sequence: TransformersSequence, tokens: Sequence[int], at: Sequence[int]
    ) -> "torch.Tensor":
        """Read tokens in the next pass; see ``TokenSequence.extend``."""
        order = _Order(sequence, list(tokens), list(at))
        with self._changed:
            self._orders.append(order)
            # Two orders at least may now be all: whoever waits looks again.
            self._changed.notify_all()
            while not order.is_done and (self._busy or len(self._orders) < self._rows):
                self._changed.wait()
            if order.is_done:
                return order.result()
            self._busy = True
            orders, self._orders = self._orders, []
        try:
            self._serve(orders)
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
        return order.result()

    def _serve(self, orders: Sequence[_Order]) -> None:
        short = [order for order in orders if len(order.tokens) <= LONG_TOKENS]
        groups = [short] * bool(short) + [[each] for each in orders if each not in short]
        self.largest = max(self.largest, *map(len, groups))
        for group in groups:
            try:
                if len(group) == 1:
                    group[0].scores = group[0].sequence.extend(group[0].tokens, group[0].at)
                else:
                    _read_together(group)
            except BaseException as error:  # It belongs to the answers of this pass.
                for order in group:
                    order.error = error


class BatchedSequence:
    """A ``TokenSequence`` whose passes are joined with those of others."""

    def __init__(self, sequence: TransformersSequence, batcher: Batcher) -> None:
        """Go on from where ``sequence`` is; within ``batcher.row()`` only."""
        self._sequence = sequence
        self._batcher = batcher

    @property
    def length(self) -> int:
        """How many tokens were read."""
        return self._sequence.length

    def extend(self, tokens: Sequence[int], at: Sequence[int]) -> "torch.Tensor":
        """Read further tokens; see ``TokenSequence``."""
        return self._batcher.read(self._sequence, tokens, at)

    def cut(self, length: int) -> None:
        """Forget all tokens but the first ``length``."""
        self._sequence.cut(length)


def can_batch(weights: Any) -> bool:
    """Tell whether a model takes a mask with holes, and positions beside it.

    Flash attention does not, nor do BLOOM and a Falcon with ALiBi, which count positions by the
    mask, and rotary embeddings that change with the longest row. Their answers run side by side,
    too, each in passes of its own.
    """
    config = weights.config.get_text_config(decoder=True)
    if config.model_type == "bloom" or getattr(config, "alibi", False):
        return False
    rotary = getattr(config, "rope_parameters", None) or {}
    if rotary.get("rope_type") in ("dynamic", "longrope"):
        return False
    return getattr(weights.config, "_attn_implementation", None) in ("sdpa", "eager")


def _read_together(orders: Sequence[_Order]) -> None:
    """Read the tokens of several rows in one forward pass."""
    import torch

    from langchain_gorilla.engines.side_by_side import side_by_side

    weights = orders[0].sequence.weights
    device, dtype = weights.device, weights.dtype
    counts = [len(order.tokens) for order in orders]
    pasts = [order.sequence.length for order in orders]
    width = max(counts)
    span = max(past + count for past, count in zip(pasts, counts, strict=True))
    padded = [[*order.tokens, *[0] * (width - len(order.tokens))] for order in orders]
    past = torch.tensor(pasts, device=device)[:, None]
    # Padding takes the position of the row's end: what it sees is never read.
    step = torch.arange(width, device=device)[None]
    positions = past + torch.minimum(step, torch.tensor(counts, device=device)[:, None] - 1)
    seen = torch.arange(span, device=device)[None, None] <= positions[:, :, None]
    mask = torch.zeros(seen.shape, dtype=dtype, device=device)
    mask = mask.masked_fill(~seen, torch.finfo(dtype).min)[:, None]
    wanted = sorted({place for order in orders for place in order.at})
    cache = side_by_side([order.sequence.cache for order in orders], counts)
    with torch.no_grad():
        logits = weights(
            input_ids=torch.tensor(padded, device=device),
            attention_mask=mask,
            position_ids=positions,
            use_cache=True,
            logits_to_keep=torch.tensor(wanted, device=device),
            **{cache_argument(weights): cache},
        ).logits.float()
    for row, order in enumerate(orders):
        order.sequence.added(len(order.tokens))
        order.scores = logits[row, [wanted.index(place) for place in order.at]]
