"""The decode loop inside of transformers' ``generate``, whose processors and criteria still hold.

    model.generate(ids, custom_generate=by_loop(constraint, guess), logits_processor=[…])

What ``generate`` gives a custom function is used as it is: prepared processors, stopping
criteria (asked after every token, as always), and the cache, which may hold a prompt's beginning.
One row at a time, greedy or sampled; beams are refused, since a loop that settles several tokens
at once has no scores to compare beams by.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from langchain_gorilla.engines.comparing import Comparison
from langchain_gorilla.engines.decode_loop import Anything, TokenSequence, decode
from langchain_gorilla.engines.token_sequence import TransformersSequence, cache_argument
from langchain_gorilla.errors import UnsupportedOptionError

if TYPE_CHECKING:
    import torch

    from langchain_gorilla.grammar.constraint import Constraint


def by_loop(
    constraint: "Constraint | None",
    guess: Callable[[Sequence[int]], Sequence[int]],
    *,
    best_of_all: bool = True,
    seen_by: Callable[[TransformersSequence], TokenSequence] = lambda sequence: sequence,
    scored: "Callable[[Sequence[int], torch.Tensor], None] | None" = None,
    comparison: Comparison | None = None,
) -> Callable[..., "torch.Tensor"]:
    """Give a ``custom_generate`` for one answer of a model that ``can_cut``.

    Args:
        constraint: At the answer's beginning; None lets anything come.
        guess: Continues the answer so far; may be wrong, may be empty.
        best_of_all: Take the best token of all without asking which are allowed, where it is.
            Right for greedy answers and processors that score each token by itself.
        seen_by: Wraps the model's sequence, to count passes and to look ahead.
        scored: Gets the answer so far and the model's own scores of the next token, before the
            constraint is asked.
        comparison: Chooses between functions; needs a constraint. Its ``guess`` is used instead.

    Returns:
        For ``model.generate(custom_generate=…)``, which then gives ids, shape (1, tokens).

    Raises:
        UnsupportedOptionError: From ``generate``: more than one row or beam.
        DeadEndError: From ``generate``: no token fits the constraint.
    """

    def custom_generate(
        model: Any,
        input_ids: "torch.Tensor",
        *,
        logits_processor: Any,
        stopping_criteria: Any,
        generation_config: Any,
        **model_options: Any,
    ) -> "torch.Tensor":
        import torch

        from langchain_gorilla.grammar.constraint import mask_to_bools

        if len(input_ids) != 1 or (generation_config.num_beams or 1) > 1:
            raise UnsupportedOptionError(
                f"The decode loop got {len(input_ids)} rows and num_beams="
                f"{generation_config.num_beams}; it writes one answer at a time. Leave "
                "num_beams and num_return_sequences out, and give one prompt."
            )
        greedy = not generation_config.do_sample
        ends = _end_ids(generation_config) if constraint is None else constraint.end_ids
        length = written = input_ids.shape[1]
        # Criteria and processors look at ids after every token: one buffer, seen longer and longer.
        ids = torch.zeros(
            (1, generation_config.max_length), dtype=torch.long, device=input_ids.device
        )
        ids[:, :length] = input_ids

        def chosen(tokens: Sequence[int], scores: torch.Tensor) -> int:
            scores = logits_processor(ids[:, : length + len(tokens)], scores)
            if greedy:
                return int(scores.argmax(dim=-1))
            return int(torch.multinomial(scores.softmax(dim=-1), 1))

        def likeliest(tokens: Sequence[int], row: torch.Tensor, limits: "Constraint | None") -> int:
            scores = row[None]
            if limits is None:
                return chosen(tokens, scores)
            if greedy and best_of_all:
                best = chosen(tokens, scores.clone())
                if limits.try_consume([best]):
                    limits.rollback(1)
                    return best
            allowed = torch.from_numpy(mask_to_bools(limits.allowed(), scores.shape[-1]))
            return chosen(tokens, scores.masked_fill(~allowed.to(scores.device), -torch.inf))

        def of_a_trial(tokens: Sequence[int], row: torch.Tensor, limits: "Constraint") -> int:
            ids[0, length : length + len(tokens)] = torch.tensor(tokens)
            return likeliest(tokens, row, limits)

        def pick(tokens: Sequence[int], row: torch.Tensor) -> int:
            if scored is not None:
                scored(tokens, row)
            settled = None if comparison is None else comparison.settled(tokens)
            if settled is not None:
                return settled
            token = likeliest(tokens, row, constraint)
            # What was guessed further on would be lost; no name is guessed before it is chosen.
            if comparison is None or constraint is None or sequence.length > length + len(tokens):
                return token
            return comparison.choose(
                tokens,
                row,
                token,
                sequence=sequence,
                constraint=constraint,
                pick=of_a_trial,
                room=generation_config.max_length - length - len(tokens),
            )

        def take(token: int) -> bool:
            nonlocal written
            ids[0, written] = token
            written += 1
            return bool(stopping_criteria(ids[:, :written], None).all())

        sequence = seen_by(TransformersSequence(model, model_options[cache_argument(model)]))
        decode(
            sequence,
            input_ids[0, sequence.length :].tolist(),
            Anything(ends) if constraint is None else constraint,
            pick=pick,
            guess=guess if comparison is None else comparison.guess,
            take=take,
            room=generation_config.max_length - length,
        )
        return ids[:, :written]

    return custom_generate


def _end_ids(generation_config: Any) -> frozenset[int]:
    tensor = generation_config._eos_token_tensor
    return frozenset() if tensor is None else frozenset(tensor.view(-1).tolist())
