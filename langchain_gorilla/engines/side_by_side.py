"""Several KV caches as one, laid side by side for as long as a forward pass needs them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from transformers.cache_utils import Cache, DynamicLayer

if TYPE_CHECKING:
    import torch


def side_by_side(caches: Sequence[Any], counts: Sequence[int]) -> Cache:
    """Give the cache of a batch whose rows are ``caches``, of which each reads its own count."""
    rows = zip(*(cache.layers for cache in caches), strict=True)
    layers: list[Any] = [_SideBySide(layer, counts) for layer in rows]
    return Cache(layers=layers)


# Some models ask a layer how long its past is, and transformers answers for its own kinds only.
class _SideBySide(DynamicLayer):  # type: ignore[no-untyped-call]
    """One layer of several caches, as attention wants to see it."""

    def __init__(self, layers: Sequence[Any], counts: Sequence[int]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.is_initialized = True
        self._layers = layers
        self._counts = counts

    def update(
        self, key_states: "torch.Tensor", value_states: "torch.Tensor", *_: Any, **__: Any
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        """Add each row's own tokens to its cache; give all rows, right-padded with zeros."""
        rows = [
            layer.update(
                key_states[row : row + 1, :, :count], value_states[row : row + 1, :, :count]
            )
            for row, (layer, count) in enumerate(zip(self._layers, self._counts, strict=True))
        ]
        span = max(keys.shape[-2] for keys, _ in rows)
        shape = (*key_states.shape[:2], span)
        keys = key_states.new_zeros((*shape, key_states.shape[-1]))
        values = value_states.new_zeros((*shape, value_states.shape[-1]))
        for row, (own_keys, own_values) in enumerate(rows):
            keys[row, :, : own_keys.shape[-2]] = own_keys[0]
            values[row, :, : own_values.shape[-2]] = own_values[0]
        return keys, values

    def get_seq_length(self) -> int:
        """The longest past; positions and mask are given, so that nothing follows from it."""
        return max(int(layer.get_seq_length()) for layer in self._layers)
