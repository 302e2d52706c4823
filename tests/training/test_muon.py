"""Muon: torch's steps, in a dtype of one's own."""

import pytest
import torch

from langchain_gorilla.training.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(24, 24), (24, 72), (72, 24)])
def test_steps_are_those_of_torch(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    ours = torch.nn.Parameter(torch.randn(shape))
    theirs = torch.nn.Parameter(ours.detach().clone())
    optimizers = (
        Muon([ours], lr=0.01, weight_decay=0.1),
        torch.optim.Muon([theirs], lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
    )
    for _ in range(3):
        ours.grad = torch.randn(shape)
        theirs.grad = ours.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("shape", [(32, 32), (24, 72), (72, 24)])
def test_the_direction_is_nearly_orthogonal(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    matrix = torch.randn(shape)
    found = torch.linalg.svdvals(orthogonal(matrix))
    assert found.max() < 1.25
    assert found.median() > 0.65
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    nearest = left @ right
    assert (
        torch.nn.functional.cosine_similarity(
            orthogonal(matrix).reshape(-1), nearest.reshape(-1), dim=0
        )
        > 0.95
    )


def test_a_parameter_without_a_gradient_stays() -> None:
    still = torch.nn.Parameter(torch.ones(2, 2))
    Muon([still], lr=0.1, weight_decay=0.1).step()
    assert torch.equal(still, torch.ones(2, 2))


def test_a_closure_is_refused() -> None:
    with pytest.raises(ValueError, match="takes no closure"):
        Muon([torch.nn.Parameter(torch.ones(2, 2))], lr=0.1).step(lambda: 0.0)
