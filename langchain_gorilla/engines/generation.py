"""One answer from a loaded model: ``model.generate`` with a look at every token.

All that shapes an answer is in its ``GenerationOptions``: the loaded model's own generation
config is neutral, and randomness comes from a generator of the request's own, so that neither
the process's random state nor another request has a part in it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_gorilla.engines.base import Finished, GenerationOptions, TextPiece
from langchain_gorilla.engines.encoding import PromptEncoder
from langchain_gorilla.engines.stop_text import StopText
from langchain_gorilla.engines.token_text import TokenText
from langchain_gorilla.engines.turns import Emit, Watch
from langchain_gorilla.errors import PromptError, PromptTooLongError
from langchain_gorilla.formats.base import Prompt

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Plan:
    """What to generate.

    Attributes:
        ids: The encoded prompt.
        options: How to generate.
        room_tokens: Most tokens that the answer can have, by ``max_tokens`` and context.
    """

    ids: list[int]
    options: GenerationOptions
    room_tokens: int


def plan_answer(
    encoder: PromptEncoder, prompt: Prompt, options: GenerationOptions, *, context_tokens: int
) -> Plan:
    """Encode a prompt and see what room it leaves.

    Raises:
        FormatMismatchError: The vocabulary lacks a special token of the prompt.
        PromptError: The prompt is empty.
        PromptTooLongError: The prompt leaves no room for an answer.
    """
    ids = encoder.encode(prompt)
    if not ids:
        raise PromptError("The prompt is empty; a model needs at least one token to go on from.")
    room = context_tokens - len(ids)
    if room < 1:
        raise PromptTooLongError(
            f"The prompt has {len(ids):,} tokens, but prompt and answer together may have "
            f"{context_tokens:,}. Bind fewer tools, narrow them with tool_retriever=, shorten the "
            "history, or use a model with a larger context."
        )
    return Plan(ids, options, min(room, options.max_tokens or room))


class Answer:
    """Takes the tokens of one answer and emits its text, until one of them ends it."""

    def __init__(self, plan: Plan, encoder: PromptEncoder, end_ids: Collection[int], emit: Emit):
        """Begin an answer that ends at ``end_ids``, a stop text, or when its room is used up."""
        stop, markers = plan.options.stop, plan.options.markers
        specials = encoder.specials
        kept = {i for token, i in specials.items() if any(token in text for text in markers)}
        self._end_ids = {*end_ids, *(specials[text] for text in stop if text in specials)}
        self._text = TokenText(encoder.decode, hidden=set(specials.values()) - kept)
        self._stop = StopText(stop)
        self._emit = emit
        self._plan = plan
        self._tokens = 0
        self.finished: Finished | None = None

    def add(self, token: int) -> bool:
        """Take one token; tell whether the answer is complete."""
        self._tokens += 1
        ended = token in self._end_ids
        full = self._tokens >= self._plan.room_tokens
        if not ended:
            self._show(self._stop.feed(self._text.add(token)))
        if (ended or full) and not self._stop.found:
            self._show(self._stop.feed(self._text.close()))
            self._show(self._stop.close())
        if ended or full or self._stop.found:
            self.finished = Finished(
                reason="stop" if ended or self._stop.found else "length",
                input_tokens=len(self._plan.ids),
                output_tokens=self._tokens,
            )
        return self.finished is not None

    def _show(self, text: str) -> None:
        if text:
            self._emit(TextPiece(text))


def generate(
    weights: Any,
    encoder: PromptEncoder,
    end_ids: Collection[int],
    plan: Plan,
    *,
    watch: Watch,
    emit: Emit,
) -> None:
    """Generate one answer, emitting its events.

    Args:
        weights: A transformers model with ``generate`` and a neutral generation config.
        encoder: The model's tokenizer.
        end_ids: Tokens that end an answer.
        plan: What to generate.
        watch: Asked after every token whether to go on.
        emit: Takes the events.

    Raises:
        GenerationCancelledError: As the watch says, within one token.
        GenerationTimeoutError: As the watch says, within one token.
    """
    import torch
    from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

    answer = Answer(plan, encoder, end_ids, emit)

    def after_token(ids: torch.Tensor, _scores: object, **_: object) -> torch.Tensor:
        watch.check()
        done = answer.add(int(ids[0, -1]))
        return torch.full((1,), done, device=ids.device, dtype=torch.bool)

    ids = torch.tensor([plan.ids], device=weights.device)
    rows = weights.config.get_text_config().vocab_size
    settings = GenerationConfig(max_new_tokens=plan.room_tokens, do_sample=False)  # type: ignore[no-untyped-call]
    weights.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        generation_config=settings,
        logits_processor=LogitsProcessorList(_processors(plan.options, encoder.size, rows)),
        stopping_criteria=StoppingCriteriaList([after_token]),
    )
    if answer.finished is None:  # pragma: no cover - a generate() that ignores its criteria
        raise RuntimeError("generate() ended an answer that was not complete.")
    emit(answer.finished)


Processor = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]


def _processors(options: GenerationOptions, tokens: int, rows: int) -> list[Any]:
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
