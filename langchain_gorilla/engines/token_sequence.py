"""What a transformers model has read, for the decode loop: a KV cache that can be cut back."""

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langchain_gorilla.engines.prefix_cache import Prefix

if TYPE_CHECKING:
    import torch


def cache_argument(weights: Any) -> str:
    """Name the argument of ``forward`` and ``generate`` that takes a KV cache.

    ``cache`` from transformers 5.24 on; before, and in code of a model's own, ``past_key_values``.
    """
    known = inspect.signature(weights.forward).parameters
    return "cache" if "cache" in known else "past_key_values"


def can_cut(weights: Any) -> bool:
    """Tell whether a model's cache can be cut back, and its scores be had for some tokens only.

    Sliding windows and convolutions keep no past that could be gone back to.
    """
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    if "logits_to_keep" not in inspect.signature(weights.forward).parameters:
        return False
    layers = DynamicCache(config=weights.config.get_text_config(decoder=True)).layers
    return bool(layers) and all(type(layer) is DynamicLayer for layer in layers)


def cache_of(
    weights: Any, prefix: Prefix | None = None, shared: int = 0, *, in_place: bool = False
) -> Any:
    """Give a KV cache that holds the first ``shared`` tokens of what ``prefix_of`` gave.

    Args:
        weights: The model.
        prefix: None for an empty cache.
        shared: How many of its tokens.
        in_place: Go on in the prefix's memory, instead of in a copy of it. Nobody else may, and
            what it holds behind ``shared`` is lost.
    """
    from langchain_gorilla.engines.roomy_cache import roomy_cache

    cache = roomy_cache(weights.config.get_text_config(decoder=True))
    for state in prefix.state if prefix is not None and shared else ():
        begun = state.cut(shared)
        if in_place:
            cache.layers[state.index].adopt(begun)
        else:
            cache.update(begun.keys, begun.values, state.index)
    return cache


def prefix_of(cache: Any, tokens: Sequence[int]) -> Prefix:
    """Give what was read into a cache of ``cache_of``: the first of ``tokens``.

    It stays as it is: what a cache adds comes behind it.
    """
    # Layers that share another's keys stay empty.
    layers = enumerate(cache.layers)
    state = [layer.state(index) for index, layer in layers if layer.is_initialized]
    size = sum(each.key_room.nbytes + each.value_room.nbytes for each in state)
    return Prefix(tuple(tokens[: cache.get_seq_length()]), state, size)


class TransformersSequence:
    """A ``TokenSequence`` for a model that ``can_cut``.

    Attributes:
        weights: The model.
        cache: What it made of the tokens, in one row.
    """

    def __init__(self, weights: Any, cache: Any) -> None:
        """Go on after what ``cache`` holds."""
        self.weights = weights
        self.cache = cache
        self._cache_argument = cache_argument(weights)
        self._length = int(cache.get_seq_length())

    @property
    def length(self) -> int:
        """How many tokens were read."""
        return self._length

    def extend(self, tokens: Sequence[int], at: Sequence[int]) -> "torch.Tensor":
        """Read further tokens; give float32 scores for each of ``at``, a row of the LM head."""
        import torch

        device = self.weights.device
        with torch.no_grad():
            output = self.weights(
                input_ids=torch.tensor([list(tokens)], device=device),
                use_cache=True,
                logits_to_keep=torch.tensor(list(at), device=device),
                **{self._cache_argument: self.cache},
            )
        self.added(len(tokens))
        scores: torch.Tensor = output.logits[0].float()
        return scores

    def added(self, count: int) -> None:
        """Take note that the cache has got so many further tokens."""
        self._length += count

    def cut(self, length: int) -> None:
        """Forget all tokens but the first ``length``."""
        if length < self._length:
            self.cache.crop(length - self._length)
            self._length = length
