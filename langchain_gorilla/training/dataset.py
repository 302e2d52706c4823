"""Training data: a mix of conversations, encoded, in batches of one size.

Nothing is stored: shard ``n`` of a seed is made when it is needed and is the same every time,
on every machine (``fingerprint`` proves it).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from langchain_gorilla.training.conversations import Conversations
from langchain_gorilla.training.prompts import END, Conversation, pieces
from langchain_gorilla.training.values import Values

WIDE: Mapping[str, float] = {
    "simple": 0.11,
    "multiple": 0.17,
    "parallel": 0.24,
    "parallel_multiple": 0.12,
    "irrelevance": 0.09,
    "chat": 0.03,
    "answer": 0.13,
    "chain": 0.05,
    "error": 0.03,
    "remaining": 0.03,
}
"""Share of each kind of conversation; parallel calls are the hard ones, so they lead."""

DIALOGUES: Mapping[str, float] = {
    "simple": 0.05,
    "multiple": 0.11,
    "parallel": 0.17,
    "parallel_multiple": 0.08,
    "irrelevance": 0.06,
    "chat": 0.02,
    "answer": 0.14,
    "chain": 0.07,
    "error": 0.06,
    "remaining": 0.03,
    "session": 0.21,
}
"""The same with more results and errors."""

MIXES: Mapping[str, Mapping[str, float]] = {
    "wide": WIDE,
    "sessions": {**{kind: 0.6 * share for kind, share in WIDE.items()}, "session": 0.4},
    "dialogues": DIALOGUES,
    "everyday": DIALOGUES,
}
"""``sessions`` learns more per token: several questions about one list of functions;
``everyday`` favours the tools that people try first (``EVERYDAY_SHARES``)."""

EVERYDAY_SHARES: Mapping[str, float] = {"everyday": 0.4}
"""Share of concepts from everyday domains, for the mixes that favour them."""

SHARD_SIZE = 2048
"""Conversations in a shard."""

QUESTION_WEIGHT = 0.3
"""Weight of a question's tokens in the loss; a response's are 1, all others 0."""

QUESTION_EVERY = 4
"""Questions are learned in every fourth conversation: it helps, and costs time."""


@dataclass(frozen=True)
class Encoded:
    """One conversation as tokens.

    Attributes:
        ids: Token ids, shape (length,).
        targets: The token to predict at each position, shape (length,); 0 where none.
        weights: Weight of each position in the loss, shape (length,).
        kind: What the conversation teaches.
    """

    ids: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    kind: str


@dataclass(frozen=True)
class Batch:
    """Conversations of about one length, padded; shapes (rows, longest).

    Attributes:
        ids: Token ids; 0 where padded.
        targets: The token to predict at each position.
        weights: Weight of each position in the loss; 0 where padded.
        kinds: What each row teaches.
    """

    ids: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    kinds: tuple[str, ...]


def end_id(tokenizer: Tokenizer) -> int:
    """Give the id of the end token.

    Raises:
        ValueError: The tokenizer is not one of ``training.tokenizer``.
    """
    found = tokenizer.token_to_id(END)
    if found is None:
        raise ValueError(f"The tokenizer has no {END!r}. Make it with training.tokenizer.")
    return found


def encode(tokenizer: Tokenizer, conversation: Conversation, *, questions: bool = False) -> Encoded:
    """Turn a conversation into tokens, targets and weights.

    The end of a response is always taught as the end token, also where the text goes on with
    the next instruction.

    Args:
        tokenizer: Encodes the pieces.
        conversation: What to encode.
        questions: Learn to write the questions too, at ``QUESTION_WEIGHT``.
    """
    learned = {"response": 1.0, "question": QUESTION_WEIGHT if questions else 0.0}
    end = end_id(tokenizer)
    ids: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    for piece in pieces(conversation):
        tokens = tokenizer.encode(piece.text, add_special_tokens=False).ids
        weight = learned.get(piece.role, 0.0)
        if ids and weight:
            targets[-1], weights[-1] = tokens[0], weight
        ids += tokens
        targets += [*tokens[1:], end if piece.role == "response" else 0]
        weights += [weight] * (len(tokens) - 1) + [1.0 if piece.role == "response" else 0.0]
    return Encoded(
        np.array(ids, np.int64),
        np.array(targets, np.int64),
        np.array(weights, np.float32),
        conversation.kind,
    )


def shard(
    seed: int, index: int, size: int = SHARD_SIZE, *, mix: str = "wide"
) -> list[Conversation]:
    """Make the conversations of one shard; the same for the same seed, index and mix."""
    rng = Random(f"{seed}/{index}")
    make = Conversations(Values(rng), everyday=EVERYDAY_SHARES.get(mix, 0.0)).make
    kinds = rng.choices(list(MIXES[mix]), list(MIXES[mix].values()), k=size)
    return [make(kind) for kind in kinds]


def held_out(seed: int, kinds: Sequence[str], count: int) -> list[Conversation]:
    """Make ``count`` conversations of each kind from concepts that are never trained on."""
    make = Conversations(Values(Random(f"held out {seed}")), held_out=True).make
    return [make(kind) for kind in kinds for _ in range(count)]


def fingerprint(seed: int, index: int, mix: str = "wide") -> str:
    """Hash the text of one shard, to compare data across machines and versions."""
    digest = hashlib.sha256()
    for conversation in shard(seed, index, mix=mix):
        for piece in pieces(conversation):
            digest.update(f"{piece.role}\0{piece.text}\0".encode())
    return digest.hexdigest()[:16]


def batches(
    encoded: Sequence[Encoded], batch_tokens: int, rng: Random, *, max_tokens: int
) -> list[Batch]:
    """Group conversations of similar length, ``batch_tokens`` with padding, in random order.

    Args:
        encoded: In any order; those longer than ``max_tokens`` are left out.
        batch_tokens: Tokens of a batch at most, if one conversation is not longer alone.
        rng: Chooses the order.
        max_tokens: The longest conversation.
    """
    fitting = [one for one in encoded if len(one.ids) <= max_tokens]
    fitting.sort(key=lambda one: len(one.ids) + rng.random() * 12)
    groups: list[list[Encoded]] = []
    longest = 0
    for one in fitting:
        longest = max(longest, len(one.ids))
        if not groups or longest * (len(groups[-1]) + 1) > batch_tokens:
            groups.append([])
            longest = len(one.ids)
        groups[-1].append(one)
    rng.shuffle(groups)
    return [_pad(group) for group in groups]


def _pad(group: Sequence[Encoded]) -> Batch:
    shape = (len(group), max(len(one.ids) for one in group))
    ids, targets = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    weights = np.zeros(shape, np.float32)
    for row, one in enumerate(group):
        ids[row, : len(one.ids)] = one.ids
        targets[row, : len(one.ids)] = one.targets
        weights[row, : len(one.ids)] = one.weights
    return Batch(ids, targets, weights, tuple(one.kind for one in group))


def stream(
    tokenizer: Tokenizer,
    seed: int,
    batch_tokens: int,
    *,
    max_tokens: int,
    mix: str = "wide",
    rank: int = 0,
    world: int = 1,
    first_shard: int = 0,
) -> Iterator[tuple[int, int, Batch]]:
    """Give batches without end, each process its own shards.

    Args:
        tokenizer: Encodes them.
        seed: The data's seed.
        batch_tokens: Tokens of one batch, with padding.
        max_tokens: Longer conversations are left out.
        mix: A key of ``MIXES``.
        rank: This process among ``world``.
        world: How many processes there are.
        first_shard: Begin with the ``first_shard``-th of this process.

    Yields:
        (which shard of this process, which batch of the shard, the batch).
    """
    count = first_shard
    while True:
        index = count * world + rank
        encoded = [
            encode(tokenizer, one, questions=place % QUESTION_EVERY == 0)
            for place, one in enumerate(shard(seed, index, mix=mix))
        ]
        grouped = batches(encoded, batch_tokens, Random(index), max_tokens=max_tokens)
        for place, batch in enumerate(grouped):
            yield count, place, batch
        count += 1
