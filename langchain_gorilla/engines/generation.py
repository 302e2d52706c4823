"""One answer from a loaded model: ``model.generate`` with a look at every token.

All that shapes an answer is in its ``GenerationOptions``: the loaded model's own generation
config is neutral, and randomness comes from a generator of the request's own, so that neither
the process's random state nor another request has a part in it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langchain_gorilla.engines.base import (
    AnswerGrammar,
    Finished,
    GenerationOptions,
    TextPiece,
)
from langchain_gorilla.engines.decode_loop import decode
from langchain_gorilla.engines.drafting import Drafter, token_guesses
from langchain_gorilla.engines.encoding import PromptEncoder
from langchain_gorilla.engines.prefix_cache import PrefixCache
from langchain_gorilla.engines.stop_text import StopText
from langchain_gorilla.engines.token_sequence import TransformersSequence, can_cut
from langchain_gorilla.engines.token_text import TokenText
from langchain_gorilla.engines.turns import Emit, Watch
from langchain_gorilla.errors import PromptError, PromptTooLongError
from langchain_gorilla.formats.base import Prompt

if TYPE_CHECKING:
    import torch

    from langchain_gorilla.grammar.constraint import Constraint


@dataclass(frozen=True)
class Plan:
    """What to generate.

    Attributes:
        ids: The encoded prompt.
        options: How to generate.
        room_tokens: Most tokens that the answer can have, by ``max_tokens`` and context.
        end_ids: Tokens that end the answer because a stop text spells them.
        grammar: What the answer may be; it begins with ``prefix``.
        prefix: What was taken off the prompt's end: not part of the answer's text.
    """

    ids: list[int]
    options: GenerationOptions
    room_tokens: int
    end_ids: frozenset[int]
    grammar: AnswerGrammar | None
    prefix: str


def plan_answer(
    encoder: PromptEncoder,
    prompt: Prompt,
    options: GenerationOptions,
    *,
    context_tokens: int,
    grammar: AnswerGrammar | None = None,
) -> Plan:
    """Encode a prompt and see what room it leaves.

    Raises:
        FormatMismatchError: The vocabulary lacks a special token of the prompt.
        PromptError: The prompt is empty.
        PromptTooLongError: The prompt leaves no room for an answer.
    """
    ids, prefix = encoder.encode(prompt), ""
    if grammar is not None:
        ids, prefix = _without_last_space(encoder, prompt, ids)
        grammar = replace(grammar, answer=replace(grammar.answer, prefix=prefix))
    if not ids:
        raise PromptError("The prompt is empty; a model needs at least one token to go on from.")
    room = context_tokens - len(ids)
    if room < 1:
        raise PromptTooLongError(
            f"The prompt has {len(ids):,} tokens, but prompt and answer together may have "
            f"{context_tokens:,}. Bind fewer tools, shorten the history, or use a model "
            "with a larger context."
        )
    return Plan(
        ids=ids,
        options=options,
        room_tokens=min(room, options.max_tokens or room),
        end_ids=frozenset(
            encoder.specials[text] for text in options.stop if text in encoder.specials
        ),
        grammar=grammar,
        prefix=prefix,
    )


def _without_last_space(
    encoder: PromptEncoder, prompt: Prompt, ids: list[int]
) -> tuple[list[int], str]:
    """Take the space off a prompt's end where it is a token: it may be joined with the answer.

    A space that is part of a longer token stays. The tokenizer has joined it already, and what
    a model was trained on ends in that token.
    """
    last = prompt[-1] if prompt else ""
    if isinstance(last, str) and last.endswith(" "):
        shorter = encoder.encode((*prompt[:-1], last[:-1]))
        if shorter and shorter == ids[:-1]:
            return shorter, " "
    return ids, ""


class Answer:
    """Takes the tokens of one answer and emits its text, until one of them ends it."""

    def __init__(self, plan: Plan, encoder: PromptEncoder, end_ids: Collection[int], emit: Emit):
        """Begin an answer that ends at ``end_ids``, a stop text, or when its room is used up."""
        markers, specials = plan.options.markers, encoder.specials
        kept = {i for token, i in specials.items() if any(token in text for text in markers)}
        self._end_ids = end_ids
        self._text = TokenText(encoder.decode, hidden=set(specials.values()) - kept)
        self._stop = StopText(plan.options.stop)
        self._prefix = plan.prefix
        self._emit = emit
        self._plan = plan
        self._tokens = 0
        self.cached_tokens = 0
        self.finished: Finished | None = None

    def add(self, token: int, *, last: bool = False) -> bool:
        """Take one token; tell whether the answer is complete, as it is after the ``last``."""
        self._tokens += 1
        ended = last or token in self._end_ids
        full = self._tokens >= self._plan.room_tokens
        if token not in self._end_ids:
            self._feed(self._text.add(token))
        if (ended or full) and not self._stop.found:
            self._feed(self._text.close())
            self._show(self._stop.close())
        if ended or full or self._stop.found:
            self.finished = Finished(
                reason="stop" if ended or self._stop.found else "length",
                input_tokens=len(self._plan.ids),
                output_tokens=self._tokens,
                cached_tokens=self.cached_tokens,
            )
        return self.finished is not None

    def _feed(self, text: str) -> None:
        if text and self._prefix:
            # A decoder that drops the space before a text's first word has dropped it already.
            text, self._prefix = text.removeprefix(self._prefix), ""
        self._show(self._stop.feed(text))

    def _show(self, text: str) -> None:
        if text:
            self._emit(TextPiece(text))


def generate(
    weights: Any,
    encoder: PromptEncoder,
    plan: Plan,
    *,
    end_ids: Collection[int],
    constraint: "Constraint | None",
    watch: Watch,
    emit: Emit,
    drafts: bool = True,
    prefixes: PrefixCache | None = None,
) -> None:
    """Generate one answer, emitting its events.

    Args:
        weights: A transformers model with ``generate`` and a neutral generation config.
        encoder: The model's tokenizer.
        plan: What to generate.
        end_ids: Tokens that end an answer.
        constraint: Which tokens may come; at the answer's beginning, and for this answer alone.
        watch: Asked after every token whether to go on.
        emit: Takes the events.
        drafts: Settle several tokens in a forward pass, where there is a constraint and the
            model's cache can be cut back. Greedy answers are the same with and without.
        prefixes: What the model has read before, and will have read; used with ``drafts`` only.

    Raises:
        GenerationCancelledError: As the watch says, within one token.
        GenerationTimeoutError: As the watch says, within one token.
        DeadEndError: No token of the vocabulary fits the constraint.
    """
    answer = Answer(plan, encoder, end_ids, emit)
    rows = weights.config.get_text_config().vocab_size
    processors = _processors(plan.options, encoder.size, rows)
    if constraint is not None and drafts and can_cut(weights):
        _generate_by_loop(weights, encoder, plan, answer, processors, constraint, watch, prefixes)
    else:
        _generate_plainly(weights, plan, answer, processors, constraint, watch)
    if answer.finished is None:  # pragma: no cover - a generate() that ignores its criteria
        raise RuntimeError("generate() ended an answer that was not complete.")
    emit(answer.finished)


def _generate_plainly(
    weights: Any,
    plan: Plan,
    answer: Answer,
    processors: list[Any],
    constraint: "Constraint | None",
    watch: Watch,
) -> None:
    """Generate with ``model.generate``, a token in each forward pass."""
    import torch
    from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

    def after_token(ids: torch.Tensor, _scores: object, **_: object) -> torch.Tensor:
        watch.check()
        token = int(ids[0, -1])
        if constraint is not None:
            constraint.consume([token])
        done = answer.add(token, last=constraint is not None and constraint.complete)
        return torch.full((1,), done, device=ids.device, dtype=torch.bool)

    ids = torch.tensor([plan.ids], device=weights.device)
    if constraint is not None:
        processors = [_only_allowed(constraint), *processors]
    settings = GenerationConfig(max_new_tokens=plan.room_tokens, do_sample=False)  # type: ignore[no-untyped-call]
    weights.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        generation_config=settings,
        logits_processor=LogitsProcessorList(processors),
        stopping_criteria=StoppingCriteriaList([after_token]),
    )


def _generate_by_loop(
    weights: Any,
    encoder: PromptEncoder,
    plan: Plan,
    answer: Answer,
    processors: list[Any],
    constraint: "Constraint",
    watch: Watch,
    prefixes: PrefixCache | None,
) -> None:
    """Generate with the decode loop: several tokens in a forward pass."""
    import torch

    from langchain_gorilla.grammar.constraint import mask_to_bools

    options, vocabulary = plan.options, constraint.vocabulary
    needs_ids = options.repetition_penalty not in (None, 1.0)

    def chosen(tokens: Sequence[int], scores: torch.Tensor) -> int:
        ids = torch.tensor([[*plan.ids, *tokens]] if needs_ids else [[]], device=scores.device)
        for processor in processors:
            scores = processor(ids, scores)
        return int(scores.argmax())

    def pick(tokens: Sequence[int], row: torch.Tensor) -> int:
        scores = row[None]
        if options.temperature == 0:
            # The best token of all is the best of the allowed ones, if it is among them.
            best = chosen(tokens, scores.clone())
            if constraint.try_consume([best]):
                constraint.rollback(1)
                return best
        allowed = torch.from_numpy(mask_to_bools(constraint.allowed(), scores.shape[-1]))
        return chosen(tokens, scores.masked_fill(~allowed.to(scores.device), -torch.inf))

    def take(token: int) -> bool:
        watch.check()
        return answer.add(token, last=constraint.complete)

    prefix, shared = (None, 0) if prefixes is None else prefixes.find(plan.ids)
    answer.cached_tokens = shared
    sequence = TransformersSequence(weights, prefix, shared)
    functions = () if plan.grammar is None else plan.grammar.functions
    decode(
        sequence,
        plan.ids[shared:],
        constraint,
        pick=pick,
        guess=token_guesses(
            Drafter(functions, encoder.decode(plan.ids)),
            decode=vocabulary.decode,
            encode=vocabulary.encode,
        ),
        take=take,
    )
    if prefixes is not None:
        prefixes.keep(sequence.as_prefix())


Processor = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]


def _only_allowed(constraint: "Constraint") -> Processor:
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
