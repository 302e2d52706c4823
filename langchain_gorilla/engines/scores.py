"""What turns a model's scores into those that the most likely token is taken from."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_gorilla.engines.base import GenerationOptions

if TYPE_CHECKING:
    import torch

    from langchain_gorilla.grammar.constraint import Constraint

Processor: TypeAlias = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]


class InTurn:
    """Several processors as one.

    transformers looks at the signature of each of its processors for every token, which takes ten
    times longer for a function than for an object of a class.
    """

    def __init__(self, steps: Sequence[Processor]) -> None:
        """Apply these, the first one first."""
        self._steps = steps

    def __call__(self, ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        """Change scores, shape (1, rows of the LM head), given all ids."""
        for step in self._steps:
            scores = step(ids, scores)
        return scores


def only_allowed(constraint: "Constraint") -> Processor:
    """Give a processor that leaves the tokens that the constraint allows now.

    What is forced comes as the tokenizer would write it, not in other tokens of the same text.
    """
    import torch

    from langchain_gorilla.grammar.constraint import mask_to_bools

    forced: list[int] = []

    def only_allowed(_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        nonlocal forced
        forced = forced or constraint.forced()
        if forced:
            token, forced = forced[0], forced[1:]
            only = torch.full_like(scores, -torch.inf)
            only[:, token] = 0.0
            return only
        allowed = torch.from_numpy(mask_to_bools(constraint.allowed(), scores.shape[-1]))
        return scores.masked_fill(~allowed.to(scores.device), -torch.inf)

    return only_allowed


def score_steps(options: GenerationOptions, tokens: int, rows: int) -> list[Any]:
    """Give what turns scores into the scores that the most likely token is taken from."""
    import torch
    from transformers import (
        RepetitionPenaltyLogitsProcessor,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
    )

    steps: list[Any] = []
    if rows > tokens:

        def real_tokens(_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            # Rows past the tokenizer's last token are padding in the LM head; never sampled.
            scores[:, tokens:] = -torch.inf
            return scores

        steps.append(real_tokens)
    if options.repetition_penalty not in (None, 1.0):
        steps.append(RepetitionPenaltyLogitsProcessor(options.repetition_penalty))
    if options.temperature == 0:
        return steps
    if options.temperature != 1.0:
        steps.append(TemperatureLogitsWarper(options.temperature))
    if options.top_k is not None:
        steps.append(TopKLogitsWarper(options.top_k))
    if options.top_p is not None and options.top_p < 1:
        steps.append(TopPLogitsWarper(options.top_p))
    steps.append(_draw(options.seed))
    return steps


def _draw(seed: int | None) -> Processor:
    """Give a processor that draws one token, as the only one left to choose."""
    import torch

    generator: torch.Generator | None = None

    def draw(_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        nonlocal generator
        if generator is None:
            generator = torch.Generator(device=scores.device)
            if seed is None:
                generator.seed()
            else:
                generator.manual_seed(seed)
        token = torch.multinomial(scores.softmax(dim=-1), 1, generator=generator)
        return torch.full_like(scores, -torch.inf).scatter(1, token, 0.0)

    return draw
