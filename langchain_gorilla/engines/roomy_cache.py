"""A KV cache that grows in place, and can go on in memory that it was handed.

transformers' own copies all its keys and values for every forward pass, 100 MB for 4,000 tokens
of a model of 90M parameters. This one has room behind its end: a pass writes what it adds.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transformers.cache_utils import DynamicCache, DynamicLayer

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class LayerState:
    """One layer's keys and values, shape (1, heads, tokens, size), and the memory they lie in."""

    index: int
    keys: "torch.Tensor"
    values: "torch.Tensor"
    key_room: "torch.Tensor"
    value_room: "torch.Tensor"

    def cut(self, tokens: int) -> "LayerState":
        """Give the state of the first ``tokens``, in the same memory."""
        keys, values = self.keys[..., :tokens, :], self.values[..., :tokens, :]
        return LayerState(self.index, keys, values, self.key_room, self.value_room)


class RoomyLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """A layer whose tensors are the beginning of larger ones, its rooms; None while it is empty."""

    key_room: Any = None
    value_room: Any = None

    def update(
        self, key_states: "torch.Tensor", value_states: "torch.Tensor", *_: Any, **__: Any
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        """Add the keys and values of further tokens; give all of them."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        self.keys, self.key_room = _added(self.keys, self.key_room, key_states)
        self.values, self.value_room = _added(self.values, self.value_room, value_states)
        return self.keys, self.values

    def adopt(self, state: LayerState) -> None:
        """Go on behind a state in its own memory, whose rest nobody else may use."""
        self.lazy_initialization(state.keys, state.values)
        self.keys, self.values = state.keys, state.values
        self.key_room, self.value_room = state.key_room, state.value_room

    def state(self, index: int) -> LayerState:
        """Give what was read."""
        keys: Any = self.keys
        values: Any = self.values
        return LayerState(index, keys, values, self.key_room, self.value_room)


def roomy_cache(config: Any) -> Any:
    """Give an empty cache for a model all of whose layers are plain ones."""
    cache = DynamicCache(config=config)
    cache.layers = [RoomyLayer() for _ in cache.layers]  # type: ignore[no-untyped-call]
    return cache


def _added(
    view: Any, room: "torch.Tensor | None", new: "torch.Tensor"
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Write ``new`` behind ``view``, moving both to a larger place where the old one is full."""
    start = view.shape[-2] if view.numel() else 0
    end = start + new.shape[-2]
    moved = room is not None and start and view.data_ptr() != room.data_ptr()
    if room is None or moved or room.shape[-2] < end:
        size = end + 128 + end // 16
        room = new.new_empty((*new.shape[:-2], size, new.shape[-1]))
        if start:
            room[..., :start, :] = view
    room[..., start:end, :] = new
    return room[..., :end, :], room
