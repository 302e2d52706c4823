"""Rows as tokens: what a model reads before each answer, and the answer that it learns.

A prompt is the one that ``ChatGorilla`` sends, to the token: the same turns, names, format and
encoding. An answer is as the family writes it, ended by the token that ends its answers.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_gorilla.formats.base import (
    EOS,
    AssistantTurn,
    HumanTurn,
    Prompt,
    PromptFormat,
    Special,
    make_prompt,
)
from langchain_gorilla.formats.conversation import conversation
from langchain_gorilla.tuning.rows import TuningRow

if TYPE_CHECKING:
    from langchain_gorilla.engines.encoding import PromptEncoder

NOT_LEARNED = -100
"""The label of a token that is read, not learned: what torch's cross entropy leaves out."""


@dataclass(frozen=True)
class Example:
    """A text as tokens.

    Attributes:
        ids: Token ids, shape (length,).
        labels: The same, ``NOT_LEARNED`` where a token is only read; shape (length,).
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]


def examples(
    row: TuningRow, format_: PromptFormat, encoder: "PromptEncoder", end_ids: Collection[int]
) -> list[Example]:
    """Encode a row: an example for each learned answer, or one for those that begin alike.

    Args:
        row: What is learned.
        format_: How the model is prompted.
        encoder: Of the model's tokenizer.
        end_ids: The tokens that end an answer of this model.

    Raises:
        PromptError: The format cannot carry the conversation.
    """
    found: list[Example] = []
    for place in reversed(row.learned):
        *before, answer = conversation(row.messages[: place + 1], row.functions)
        assert isinstance(answer, AssistantTurn)
        prompt = format_.render(before, row.functions.written)
        after = format_.render([*before, answer, HumanTurn("…")], row.functions.written)
        read = encoder.encode(prompt)
        said = _answer_ids(answer, format_, encoder)
        said.append(_end_id(prompt, after, encoder, end_ids))
        # A later answer was read behind this one: where its text begins with this, to the token,
        # both are learned in one.
        whole = found[-1] if found else Example((), ())
        start, end = len(read), len(read) + len(said)
        if whole.ids[:end] == (*read, *said):
            labels = (*whole.labels[:start], *said, *whole.labels[end:])
            found[-1] = Example(whole.ids, labels)
        else:
            found.append(Example((*read, *said), (*[NOT_LEARNED] * len(read), *said)))
    return found[::-1]


def _answer_ids(
    answer: AssistantTurn, format_: PromptFormat, encoder: "PromptEncoder"
) -> list[int]:
    """Encode an answer as a model would go on: without a beginning, its own marks as tokens."""
    syntax = format_.syntax
    marks = [one for one in (syntax.opening, syntax.separator, syntax.closing) if one]
    special = [re.escape(one) for mark in marks for one in encoder.specials if one in mark]
    text = format_.render_answer(answer)
    pieces = re.split(f"({'|'.join(special)})", text) if special else [text]
    parts = [Special(one) if one in encoder.specials else one for one in pieces]
    # Behind a special token nothing is a text's beginning, which some tokenizers mark by a space.
    return encoder.encode(make_prompt([EOS, *parts]))[1:]


def _end_id(
    prompt: Prompt, after: Prompt, encoder: "PromptEncoder", end_ids: Collection[int]
) -> int:
    """Give the token that ends an answer: the family's own mark of it where it ends answers."""

    def specials(one: Prompt) -> list[Special]:
        return [part for part in one if isinstance(part, Special)]

    behind = specials(after)[len(specials(prompt)) :]
    marks = (encoder.token_id(part) for part in behind)
    found = next((token for token in marks if token in end_ids), encoder.token_id(EOS))
    assert found is not None
    return found
