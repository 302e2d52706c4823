"""Which dtype ``dtype="auto"`` is on a CPU.

bfloat16 where the processor computes in it and the weights are more than a core's own cache holds:
there reading them is what takes time, and half the bytes are read in half of it; a pass of 16
tokens costs hardly more than one of a single token, which is what drafts live on. The bundled
model, of 18.3M parameters, writes 1.6 times as many tokens a second so, an older one of 8.8M as
many (one thread, AVX-512 BF16; ``benchmarks/bundled_model.py --speed``, and ``GORILLA_DTYPE=float32``
before it). fp16 is slow and imprecise on every CPU.
"""

from typing import Any, Final

LARGE_PARAMETERS: Final = 12_000_000
"""Between the two that were measured."""
_NATIVE: Final = ("avx512_bf16", "amx_bf16", "avx10_2", "bf16", "sve_bf16", "arm_bf16")


def cpu_dtype(config: Any, *, trust_remote_code: bool = False) -> str:
    """Choose the dtype of a model on this machine's CPU: ``bfloat16`` or ``float32``."""
    if not computes_bfloat16():
        return "float32"
    return "bfloat16" if _parameters(config, trust_remote_code) >= LARGE_PARAMETERS else "float32"


def computes_bfloat16() -> bool:
    """Tell whether this processor multiplies bfloat16 matrices natively."""
    import torch

    # Not in torch's older releases.
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) is True for name in _NATIVE)


def _parameters(config: Any, trust_remote_code: bool) -> int:
    """Count a model's parameters without memory for them."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        auto: Any = AutoModelForCausalLM
        model = auto.from_config(config, trust_remote_code=trust_remote_code)
    return sum(parameter.numel() for parameter in model.parameters())
