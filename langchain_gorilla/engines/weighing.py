"""Which function: the model's own scores and what else speaks for a function, together.

Where a function is named, its name gains what the request's evidence gives it, in nats: a product
of two experts, as near as one token shows it. A token that several names begin with gains what
the best of them does, before it is known what the model thinks of the rest of that name.

What is shifted is only the choice among names. Their whole probability stays what it was, and
``evidence`` is only given for families that mark their calls, so that at a name nothing else
competes: whether anything is called was the model's decision alone.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from langchain_gorilla.engines.base import Evidence
from langchain_gorilla.engines.heads import Heads

if TYPE_CHECKING:
    import torch

    from langchain_gorilla.grammar.constraint import Vocabulary


class Weighing:
    """Weighs the names of functions in one answer; a ``Processor``."""

    def __init__(
        self, evidence: Evidence, vocabulary: "Vocabulary", *, prompt_tokens: int = 0
    ) -> None:
        """Weigh by the evidence.

        Args:
            evidence: What speaks for which function.
            vocabulary: The model's.
            prompt_tokens: Of the ids that a processor gets, so many are the prompt.
        """
        self._evidence = evidence
        self._heads = Heads(evidence.functions, evidence.syntax, vocabulary)
        self._prompt_tokens = prompt_tokens

    def __call__(self, ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        """Weigh scores of the next token, shape (1, rows of the LM head), given all ids."""
        return self.weigh(ids[0, self._prompt_tokens :].tolist(), scores[0])[None]

    def weigh(self, answer: Sequence[int], row: "torch.Tensor") -> "torch.Tensor":
        """Weigh the scores of the token after an answer, shape (rows of the LM head,)."""
        import torch

        head = self._heads.at(answer)
        if head is None:
            return row
        nats = self._evidence.nats(self._heads.text(answer)[: head.start])
        gains = {
            token: max(nats.get(name, 0.0) for name in names)
            for token, names in self._heads.tokens(answer, head).items()
        }
        if len(set(gains.values())) < 2:
            return row
        index = torch.tensor(list(gains), device=row.device)
        before = row[index].float()
        if not before.isfinite().any():  # no name is allowed here
            return row
        after = before + torch.tensor(list(gains.values()), device=row.device)
        after += before.logsumexp(0) - after.logsumexp(0)
        weighed = row.clone()
        weighed[index] = after.to(row.dtype)
        return weighed
