"""What changes a model's scores."""

import torch
from transformers import LogitsProcessorList

from langchain_gorilla.engines.scores import InTurn


def test_steps_in_turn_are_one_processor_of_transformers() -> None:
    steps = InTurn([lambda _ids, scores: scores + 1, lambda _ids, scores: scores * 2])
    ids, scores = torch.zeros(1, 1, dtype=torch.long), torch.tensor([[0.0, 1.0]])
    assert LogitsProcessorList([steps])(ids, scores).tolist() == [[2.0, 4.0]]
