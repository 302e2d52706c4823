"""One answer from a loaded model: ``model.generate`` with a look at every token.

All that shapes an answer is in its ``GenerationOptions``: the loaded model's own generation
config is neutral, and randomness comes from a generator of the request's own, so that neither
the process's random state nor another request has a part in it.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_gorilla.engines.base import (
    Finished,
    TextPiece,
)
from langchain_gorilla.engines.batching import BatchedSequence, Batcher, can_batch
from langchain_gorilla.engines.comparing import Comparison
from langchain_gorilla.engines.custom_generate import by_loop
from langchain_gorilla.engines.decode_loop import TokenSequence
from langchain_gorilla.engines.drafting import Drafter, token_guesses
from langchain_gorilla.engines.encoding import PromptEncoder
from langchain_gorilla.engines.forking import ForkReader, Lookahead
from langchain_gorilla.engines.planning import Plan
from langchain_gorilla.engines.prefix_cache import PrefixCache
from langchain_gorilla.engines.repeats import Repeats
from langchain_gorilla.engines.scores import InTurn, Processor, only_allowed, score_steps
from langchain_gorilla.engines.stop_text import StopText
from langchain_gorilla.engines.token_sequence import (
    TransformersSequence,
    cache_argument,
    cache_of,
    can_cut,
    prefix_of,
)
from langchain_gorilla.engines.token_text import TokenText
from langchain_gorilla.engines.turns import Emit, Watch
from langchain_gorilla.engines.weighing import Weighing
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.grammar.call_grammar import chosen
from langchain_gorilla.grammar.diverting import DivertibleConstraint

if TYPE_CHECKING:
    import torch

    from langchain_gorilla.grammar.constraint import Constraint, Vocabulary


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
        self._kept: list[str] = []
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
            if self._kept:
                self._emit(TextPiece("".join(self._kept)))
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
        if text and self._plan.options.whole:
            self._kept.append(text)
        elif text:
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
    processors: Sequence[Processor] = (),
    vocabulary: "Vocabulary | None" = None,
    batcher: Batcher | None = None,
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
        drafts: Settle several tokens in a forward pass, where the model's cache can be cut back.
            Greedy answers are the same with and without.
        prefixes: What the model has read before, and will have read; used where the model's cache
            can be cut back.
        processors: Change the model's scores, before those of the options.
        vocabulary: The model's, to read the options' fork and to weigh functions with; None leaves
            both.
        batcher: Joins forward passes with those of other answers; used with ``drafts``, where the
            model's cache can be cut back and its attention takes a mask.

    Raises:
        GenerationCancelledError: As the watch says, within one token.
        GenerationTimeoutError: As the watch says, within one token.
        DeadEndError: No token of the vocabulary fits the constraint.
        UnsupportedOptionError: Functions are to be compared, and the cache cannot be cut back.
    """
    import torch
    from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

    answer = Answer(plan, encoder, end_ids, emit)
    steps = [*processors, *score_steps(plan.options, encoder.size, _rows(weights))]
    known = vocabulary if constraint is None else constraint.vocabulary
    evidence = plan.options.evidence
    if evidence is not None and known is not None:
        steps = [Weighing(evidence, known, prompt_tokens=len(plan.ids)), *steps]
    cuttable = can_cut(weights)
    looped = drafts and cuttable
    if plan.options.compared is not None and not looped:
        raise UnsupportedOptionError(
            f"compare_functions={plan.options.compared.most} goes back to where a function was "
            "named, and this model keeps no past that it could go back to. Leave "
            "compare_functions out."
        )
    prefix, shared, loan, cache = None, 0, None, None
    with prefixes.opening if prefixes is not None and cuttable else nullcontext():
        if prefixes is not None and cuttable:
            prefix, shared = prefixes.find(plan.ids)
            loan = None if prefix is None else prefixes.borrow(prefix, shared)
        if cuttable:
            cache = cache_of(weights, prefix, shared, in_place=loan is not None)
    answer.cached_tokens = shared
    tokens = list(plan.ids)
    guesses = Guesses(plan, encoder, known) if looped else None
    if not looped or batcher is None or not can_batch(weights):
        batcher = None
    passes = Passes(weights, plan.ids, batcher)
    fork = plan.options.fork
    reader = None
    if fork is not None and vocabulary is not None:
        divert = constraint.divert if isinstance(constraint, DivertibleConstraint) else None
        reader = ForkReader(fork, vocabulary, passes.look, divert)

    def after_token(ids: torch.Tensor, _scores: object, **_: object) -> torch.Tensor:
        watch.check()
        token = int(ids[0, -1])
        tokens.append(token)
        passes.count_plain()
        if guesses is not None:
            guesses.add(token)
        elif constraint is not None:
            constraint.consume([token])
        done = answer.add(token, last=constraint is not None and constraint.complete)
        return torch.full((1,), done, device=ids.device, dtype=torch.bool)

    if constraint is not None and not looped:
        steps = [only_allowed(constraint), *steps]
    if reader is not None and not looped:
        steps = [reader.processor(len(plan.ids)), *steps]
    ids = torch.tensor([plan.ids], device=weights.device)
    settings = GenerationConfig(max_new_tokens=plan.room_tokens, do_sample=False)  # type: ignore[no-untyped-call]
    further: dict[str, Any] = {} if cache is None else {cache_argument(weights): cache}
    comparison = None
    compared, grammar = plan.options.compared, plan.grammar
    if compared is not None and grammar is not None and constraint is not None and guesses:
        comparison = Comparison(
            compared,
            syntax=grammar.syntax,
            vocabulary=constraint.vocabulary,
            guess=guesses.guess,
            evidence=evidence,
            check=watch.check,
        )
    if guesses is not None:
        # Randomness is drawn by a processor, which chooses among the tokens that it is given.
        best = plan.options.temperature == 0
        further["custom_generate"] = by_loop(
            constraint,
            guesses.guess,
            best_of_all=best,
            seen_by=passes.of,
            scored=None if reader is None else reader.see,
            comparison=comparison,
        )
    try:
        with nullcontext() if batcher is None else batcher.row():
            weights.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                generation_config=settings,
                logits_processor=LogitsProcessorList([InTurn(steps)]),
                stopping_criteria=StoppingCriteriaList([after_token]),
                **further,
            )
        if cuttable and prefixes is not None:
            prefixes.keep(prefix_of(cache, tokens))
    finally:
        if loan is not None and prefixes is not None:
            prefixes.give_back(loan)
        if cache is not None:
            # An error's frames hold the cache by their closures; what is kept of it is in ``prefixes``.
            cache.layers.clear()
    if answer.finished is None:  # pragma: no cover - a generate() that ignores its criteria
        raise RuntimeError("generate() ended an answer that was not complete.")
    emit(
        replace(
            answer.finished,
            forward_passes=passes.count,
            call_probability=None if reader is None else reader.probability,
        )
    )


def _rows(weights: Any) -> int:
    return int(weights.config.get_text_config().vocab_size)


class Passes:
    """The forward passes of one answer: how many, and what they would give for other tokens."""

    def __init__(self, weights: Any, prompt: Sequence[int], batcher: Batcher | None) -> None:
        """Begin before the first one."""
        self._batcher = batcher
        self._weights = weights
        self._prompt = list(prompt)
        self._sequence: Lookahead | None = None
        self._plain = 0

    @property
    def count(self) -> int:
        """How many there were."""
        return self._plain if self._sequence is None else self._sequence.passes

    def of(self, sequence: TransformersSequence) -> TokenSequence:
        """Watch a sequence, in the decode loop."""
        joined = None if self._batcher is None else BatchedSequence(sequence, self._batcher)
        self._sequence = Lookahead(joined or sequence)
        return self._sequence

    def count_plain(self) -> None:
        """Count one, outside of the loop."""
        self._plain += 1

    def look(self, answer: Sequence[int], further: Sequence[int]) -> "Sequence[torch.Tensor]":
        """Give the scores after each of ``further``, if it followed the answer so far."""
        if self._sequence is not None:
            return self._sequence.look(len(self._prompt) + len(answer), further)
        import torch

        self._plain += 1
        read = torch.tensor([[*self._prompt, *answer, *further]], device=self._weights.device)
        with torch.no_grad():
            return list(self._weights(input_ids=read, use_cache=False).logits[0, -len(further) :])


class Guesses:
    """How an answer may go on: by what its calls need, else by what came before."""

    def __init__(self, plan: Plan, encoder: PromptEncoder, vocabulary: "Vocabulary | None") -> None:
        """Begin before the answer's first token."""
        self._repeats = Repeats(plan.ids)
        self._calls: Callable[[Sequence[int]], list[int]] | None = None
        grammar = plan.grammar or plan.options.likely
        if grammar is not None and vocabulary is not None and grammar.answer.mode != "none":
            drafter = Drafter(
                chosen(grammar.functions, grammar.answer),
                encoder.decode(plan.ids),
                syntax=grammar.syntax,
                prefix=plan.prefix,
            )
            self._calls = token_guesses(drafter, decode=vocabulary.decode, encode=vocabulary.encode)

    def add(self, token: int) -> None:
        """Take a token of the answer."""
        self._repeats.add(token)

    def guess(self, answer: Sequence[int]) -> list[int]:
        """Continue the answer so far, or a guess at it."""
        return (self._calls(answer) if self._calls else []) or self._repeats.guess(answer)
