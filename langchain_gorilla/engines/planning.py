"""What to generate, decided before the first token: an encoded prompt, and the room it leaves."""

from dataclasses import dataclass, replace

from langchain_gorilla.engines.base import AnswerGrammar, GenerationOptions
from langchain_gorilla.engines.encoding import PromptEncoder
from langchain_gorilla.errors import PromptError, PromptTooLongError
from langchain_gorilla.formats.base import Prompt


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
        grammar = _with_prefix(grammar, prefix)
        if (fork := options.fork) is not None and fork.instead is not None:
            instead = _with_prefix(fork.instead, prefix)
            options = replace(options, fork=replace(fork, instead=instead))
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


def _with_prefix(grammar: AnswerGrammar, prefix: str) -> AnswerGrammar:
    return replace(grammar, answer=replace(grammar.answer, prefix=prefix))


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
