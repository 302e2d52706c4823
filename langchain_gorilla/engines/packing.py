"""Linear weights in the order in which the CPU's matrix kernels read them, where one asks for it.

oneDNN multiplies weights of any layout by ordering them anew, a part at a time, in every pass.
Ordered once, a pass of a Llama of 90M parameters takes 1 / 1.4 of the time in bfloat16, for one
token as for 16, and gives the same scores bit by bit; in float32 1 / 1.2 for one token and 1 / 1.4
for 16, with rounding of its own (3e-6). Models whose matrices are smaller than about 512 by 512,
such as the bundled one, become slower: a call of oneDNN's costs more than it saves. Hence opt-in:
``pack_weights=True``. ``benchmarks/decoding.py`` prints the ratios.

The functions behind it are torch's own, not its interface (torch 2.13), so a small matrix is
tried first: where they are missing, refuse the dtype or give something else, there is one
warning, and the weights stay as they are.
"""

import warnings
from typing import Any, Final

import torch
from torch import nn

_ROWS: Final = 16
"""Tokens that a pass is expected to have; with fewer or more it is correct, too."""


class PackedLinear(nn.Module):
    """A Linear whose weight is packed; the plain one is let go."""

    def __init__(self, linear: nn.Linear) -> None:
        """Pack a weight."""
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        # Neither parameter nor buffer: what is packed can be neither moved nor saved.
        self._packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), _ROWS)
        self.bias = linear.bias

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Multiply, shape (..., in_features) to (..., out_features)."""
        found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            inputs, self._packed, self.bias, "none", [], ""
        )
        return found


def pack(weights: Any) -> int:
    """Pack the Linears of a model, in place; give how many: 0, with a warning, where none can be.

    Memory is that of the plain weights, but for those that are embeddings as well.
    """
    if problem := _problem(weights):
        warnings.warn(
            f"pack_weights does nothing here: {problem}. The model works as it is, only not "
            "faster. Leave pack_weights out.",
            stacklevel=2,
        )
        return 0
    # Quantized ones and those of adapters are classes of their own.
    found = [
        (module, name, child)
        for module in weights.modules()
        for name, child in module.named_children()
        if type(child) is nn.Linear
    ]
    for module, name, child in found:
        setattr(module, name, PackedLinear(child))
    return len(found)


def _problem(weights: Any) -> str:
    """Say why a model's weights cannot be packed; nothing where they can."""
    if weights.device.type != "cpu":
        return f"it is for models on a CPU, and this one is on {weights.device.type}"
    plain = nn.Linear(64, 48, dtype=weights.dtype)
    inputs = torch.randn(3, 64).to(weights.dtype)
    with torch.no_grad():
        try:
            packed = PackedLinear(plain)(inputs)
        except (AttributeError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0]
            return f"torch {torch.__version__} cannot pack {weights.dtype} weights ({reason})"
        if not torch.allclose(packed.float(), plain(inputs).float(), rtol=0.02, atol=0.02):
            return f"torch {torch.__version__} multiplies packed {weights.dtype} weights wrongly"
    return ""
