"""Muon, an optimizer for matrices: https://kellerjordan.github.io/posts/muon/.

``torch.optim.Muon`` computes in bfloat16 wherever it runs. A CPU that only emulates bfloat16
would spend nine tenths of a training step there, so the dtype is an argument here.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic, from the page above: it lifts small singular values fastest."""


class Muon(torch.optim.Optimizer):
    """Steps along the nearest orthogonal matrix of each gradient's moving mean."""

    def __init__(
        self,
        matrices: Iterable[Tensor],
        *,
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        dtype: torch.dtype = torch.bfloat16,
    ) -> None:
        """Take the matrices to train.

        Args:
            matrices: Parameters, each of two dimensions.
            lr: Learning rate, of the size that AdamW would take: a step is scaled to have the
                root mean square that AdamW's have, as in arXiv 2502.16982.
            momentum: Of the moving mean (Nesterov's).
            weight_decay: Share of ``lr`` by which parameters shrink at each step.
            dtype: What the orthogonal matrix is computed in.
        """
        self.dtype = dtype
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        if closure is not None:
            raise ValueError("Muon.step takes no closure. Compute the gradients before it.")
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(parameter)
                mean = state["momentum_buffer"]
                mean.lerp_(parameter.grad, 1 - group["momentum"])
                ahead = parameter.grad.lerp(mean, group["momentum"])
                size = 0.2 * max(parameter.shape) ** 0.5
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(
                    orthogonal(ahead.to(self.dtype)).to(parameter.dtype), alpha=-group["lr"] * size
                )


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """Give nearly the nearest orthogonal matrix: most singular values are between 0.7 and 1.2.

    Args:
        matrix: Shape (rows, columns).
        steps: Of the Newton-Schulz iteration.
    """
    first, third, fifth = COEFFICIENTS
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / wide.norm().clamp(min=1e-7)
    for _ in range(steps):
        gram = wide @ wide.T
        wide = torch.addmm(
            wide, torch.addmm(gram, gram, gram, beta=third, alpha=fifth), wide, beta=first
        )
    return wide if matrix.shape[0] <= matrix.shape[1] else wide.T
