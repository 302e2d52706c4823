"""What a transformers model has read, for the decode loop: a KV cache that can be cut back."""

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langchain_gorilla.engines.prefix_cache import Prefix

if TYPE_CHECKING:
    import torch


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


class TransformersSequence:
    """A ``TokenSequence`` for a model that ``can_cut``."""

    def __init__(self, weights: Any, prefix: Prefix | None = None, shared: int = 0) -> None:
        """Begin with the first ``shared`` tokens of what ``as_prefix`` gave, or with nothing."""
        from transformers import DynamicCache

        self._weights = weights
        self._tokens: list[int] = []
        self._cache = DynamicCache(config=weights.config.get_text_config(decoder=True))
        if prefix is not None and shared:
            for index, keys, values in prefix.state:
                self._cache.update(keys[..., :shared, :], values[..., :shared, :], index)
            self._tokens += prefix.tokens[:shared]

    @property
    def length(self) -> int:
        """How many tokens were read."""
        return len(self._tokens)

    def as_prefix(self) -> Prefix:
        """Give what was read. It stays as it is: a cache that grows copies its tensors."""
        layers: list[Any] = self._cache.layers
        # Layers that share another's keys stay empty.
        state = [
            (index, layer.keys, layer.values)
            for index, layer in enumerate(layers)
            if layer.is_initialized
        ]
        sizes = (part.untyped_storage().nbytes() for _, *pair in state for part in pair)
        return Prefix(tuple(self._tokens), state, sum(sizes))

    def extend(self, tokens: Sequence[int], at: Sequence[int]) -> "list[torch.Tensor]":
        """Read further tokens; give float32 scores for each of ``at``, a row of the LM head."""
        import torch

        device = self._weights.device
        with torch.no_grad():
            output = self._weights(
                input_ids=torch.tensor([list(tokens)], device=device),
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=torch.tensor(list(at), device=device),
            )
        self._tokens += tokens
        return list(output.logits[0].float())

    def cut(self, length: int) -> None:
        """Forget all tokens but the first ``length``."""
        if length < len(self._tokens):
            self._cache.crop(length - len(self._tokens))
            del self._tokens[length:]
