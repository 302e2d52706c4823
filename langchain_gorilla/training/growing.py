"""A trained model → a larger one that says the same, to be trained on.

What is added reads but writes nothing yet (new heads, new places of the feed-forward part, new
blocks) or is written but read by nothing yet (new places of the hidden state), so only the norms
shift a little: they see the new places too. A new block reads what the block before it does, as
in LLaMA Pro (arXiv 2401.02415), and new blocks stand evenly among the old ones.
"""

import math
import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from langchain_gorilla.errors import ModelLoadError

_READERS = ("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj")
_WRITERS = ("o_proj", "down_proj")
_BLOCK = re.compile(r"layers\.(\d+)\.")

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
    sources = _sources(_count_blocks(weights), _count_blocks(wanted))
    for name, like in wanted.items():
        block = _BLOCK.search(name)
        source, new = sources[int(block[1])] if block else (0, False)
        old = weights[_BLOCK.sub(f"layers.{source}.", name)].float()
        grown[name] = _enlarged(name, old, like.shape, generator)
        if new and any(part in name for part in _WRITERS):
            grown[name] = torch.zeros(like.shape)
    return grown


def _count_blocks(weights: Iterable[str]) -> int:
    return len({block[1] for block in map(_BLOCK.search, weights) if block})


def _sources(old: int, new: int) -> list[tuple[int, bool]]:
    """Give for every block of the larger model the old block it is made from, and if it is new."""
    sources: list[tuple[int, bool]] = []
    for block in range(old):
        added = (block + 1) * (new - old) // old - block * (new - old) // old
        sources += [(block, False), *[(block, True)] * added]
    return sources


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
