"""A trained model → a larger one that says the same, to be trained on.

What is added reads but writes nothing yet (new heads, new places of the feed-forward part, new
blocks) or is written but read by nothing yet (new places of the hidden state), so only the norms
shift a little: they see the new places too.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from langchain_gorilla.errors import ModelLoadError

_READERS = ("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj")
_WRITERS = ("o_proj", "down_proj")

WRITTEN = 0.5
"""How strongly new places of the hidden state are written, beside the old ones."""


def grow(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Enlarge the weights of a Llama.

    Args:
        weights: A Llama's under its names, as ``SmallModel.to_llama`` gives them.
        wanted: Those of a model of the larger size, for the shapes; the width of a head and the
            vocabulary are the same.

    Returns:
        Weights of the larger size; equal to ``weights`` where the sizes are.

    Raises:
        ModelLoadError: The larger model is smaller somewhere, or lacks some of the weights.
    """
    if left := sorted(set(weights) - set(wanted)):
        raise ModelLoadError(
            f"The model has weights that the larger one has no place for: {', '.join(left[:3])}"
            f"{' …' if left[3:] else ''}. Expected: a Llama with tied embeddings and no more "
            "layers. Choose sizes that are no smaller, or another model."
        )
    generator = torch.Generator().manual_seed(23)
    grown: dict[str, Tensor] = {}
    for name, like in wanted.items():
        if name in weights:
            grown[name] = _enlarged(name, weights[name].float(), like.shape, generator)
        else:
            grown[name] = _of_new_block(name, like, generator)
    return grown


def _enlarged(name: str, old: Tensor, shape: torch.Size, generator: torch.Generator) -> Tensor:
    if any(before > after for before, after in zip(old.shape, shape, strict=True)):
        raise ModelLoadError(
            f"{name} has the shape {tuple(old.shape)}, more than {tuple(shape)}. Expected: a model "
            "that is nowhere larger. Choose sizes that are no smaller, or another model."
        )
    if "norm" in name:
        # The mean square is taken over more places, which are all but empty.
        scaled = old * math.sqrt(len(old) / shape[0])
        return torch.cat([scaled, scaled.mean().expand(shape[0] - len(old))])
    new = torch.zeros(shape)
    if name.endswith("weight") and any(part in name for part in (*_READERS, *_WRITERS)):
        noise = torch.randn(shape, generator=generator) * old.std()
        rows, columns = old.shape
        if any(part in name for part in _READERS):
            new[rows:] = noise[rows:]
        else:
            new[rows:, :columns] = WRITTEN * noise[rows:, :columns]
    new[tuple(slice(size) for size in old.shape)] = old
    return new


def _of_new_block(name: str, like: Tensor, generator: torch.Generator) -> Tensor:
    if "norm" in name:
        return torch.ones_like(like)
    if any(part in name for part in _WRITERS) or name.endswith("bias"):
        return torch.zeros_like(like)
    return torch.randn(like.shape, generator=generator) / math.sqrt(like.shape[1])
