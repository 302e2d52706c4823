"""Several processes of one training, as ``torchrun`` or ``RANK``/``WORLD_SIZE`` start them.

All take the same steps: whatever a decision hangs on is summed over them first.
"""

import os

import torch
import torch.distributed as dist
from torch import nn


def rank() -> int:
    """Tell which process this is."""
    return int(os.environ.get("RANK", 0))


def world() -> int:
    """Tell how many processes there are."""
    return int(os.environ.get("WORLD_SIZE", 1))


def local_rank() -> int:
    """Tell which process of this machine this is; it has the GPU of that number."""
    return int(os.environ.get("LOCAL_RANK", 0))


def join(device: str) -> None:
    """Join the other processes, if there are any and it was not done yet.

    Args:
        device: ``cpu`` or ``cuda``, the same for all.
    """
    if device == "cuda":
        torch.cuda.set_device(local_rank())
    if world() > 1 and not dist.is_initialized():
        dist.init_process_group("gloo" if device == "cpu" else "nccl")


def wait() -> None:
    """Wait until all processes are here."""
    if world() > 1:
        dist.barrier()


def leave() -> None:
    """End what ``join`` began."""
    if world() > 1:
        dist.destroy_process_group()


def gathered(value: tuple[int, int]) -> list[tuple[int, int]]:
    """Give the values of all processes, by rank."""
    values = [value] * world()
    if world() > 1:
        dist.all_gather_object(values, value)
    return values


def summed(*values: float, device: str) -> list[float]:
    """Add numbers up over the processes."""
    if world() == 1:
        return list(values)
    total = torch.tensor(values, dtype=torch.float64, device=device)
    dist.all_reduce(total)
    found: list[float] = total.tolist()
    return found


def share_gradients(model: nn.Module) -> None:
    """Average the gradients over the processes."""
    if world() == 1:
        return
    gradients = [one.grad for one in model.parameters() if one.grad is not None]
    flat = torch.cat([one.reshape(-1) for one in gradients])
    dist.all_reduce(flat)
    flat /= world()
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()
