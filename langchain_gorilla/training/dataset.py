"""Training data: families of conversations, encoded, in batches of one size.

The conversations of a family offer the same functions, which are read once for all of them and
make most of the tokens: each conversation sees what they share and itself, as if it were alone.

Nothing is stored: shard ``n`` of a seed is made when it is needed and is the same every time,
on every machine (``fingerprint`` proves it).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from random import Random

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from langchain_gorilla.errors import ModelLoadError, UnsupportedOptionError
from langchain_gorilla.training.ahead import ahead
from langchain_gorilla.training.conversations import Conversations
from langchain_gorilla.training.prompts import (
    CALL,
    END,
    SHARED_PIECES,
    Conversation,
    Piece,
    pieces,
)
from langchain_gorilla.training.requests import Requests
from langchain_gorilla.training.values import Values

SHARES: Mapping[str, float] = {
    "simple": 0.10,
    "parallel": 0.58,
    "parallel_multiple": 0.10,
    "irrelevance": 0.12,
    "chat": 0.01,
    "answer": 0.04,
    "error": 0.03,
    "remaining": 0.01,
    "session": 0.01,
}
"""Share of each kind of conversation in a family: parallel calls are the hard ones. ``simple`` is a
question for one call, of one function or of several."""

ALONE: Mapping[str, float] = {
    "chain": 0.28,
    "chat": 0.09,
    "irrelevance": 0.16,
    "multiple": 0.11,
    "compose": 0.07,
    "json": 0.05,
}
"""Share of each kind among the conversations that share their functions with no other."""

ALONE_SHARE = 0.3
"""Share of families that are one conversation of ``ALONE``."""

STRUCTURED_SHARE = 0.25
"""Share of families whose answers are JSON of one schema."""

FAMILY_SIZE = 12
"""Conversations of a family at most: they begin alike, so their functions are read once."""

EVERYDAY_SHARE = 0.3
"""Share of concepts from everyday domains: the tools that people try first."""

HARD_SHARE = 0.8
"""Share of draws that take, of two functions or questions, the one with more parameters or
values: with each one more a small model gets fewer calls right."""

TOGETHER_SHARE = 0.85
"""Share of questions for several values that are written for their function, where it has some:
more than are asked when the model is measured (``requests.TOGETHER_SHARE``), for it got 55 in 100
of them right, and of all questions for several values 69 (before step 24)."""

SHARD_SIZE = 400
"""Families in a shard."""

QUESTION_WEIGHT = 0.3
"""Weight of a question's tokens in the loss; a response's are 1 or more, all others 0."""

CHOICE_WEIGHT = 2.0
"""Weight of the tokens that choose: a call or a text, which function, the first of a value,
another call or the end. They are few, and what a small model gets wrong most: of the first tokens
of values 8%, of those after them 1%."""

_ASSIGNING = ("=", "='", "=['")
"""Tokens after which a value begins."""

QUESTION_EVERY = 4
"""Questions are learned in every fourth family: it helps, and costs time."""


@dataclass(frozen=True)
class Encoded:
    """A family of conversations as tokens: what they share, then each one's own part.

    Attributes:
        ids: Token ids, shape (length,).
        targets: The token to predict at each position, shape (length,); 0 where none.
        weights: Weight of each position in the loss, shape (length,).
        branches: Which conversation a position belongs to, from 1; 0 is what all share and the
            only other branch that a position sees. Shape (length,).
        positions: Place of each token in its own conversation, shape (length,).
        kinds: What each conversation teaches.
    """

    ids: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    branches: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Batch:
    """Families of about one length, padded; shapes (rows, longest).

    Attributes:
        ids: Token ids; 0 where padded.
        targets: The token to predict at each position.
        weights: Weight of each position in the loss; 0 where padded.
        branches: As in ``Encoded``; -1 where padded.
        positions: As in ``Encoded``.
        kinds: What the conversations of each row teach.
    """

    ids: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    branches: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    kinds: tuple[tuple[str, ...], ...]


def end_id(tokenizer: Tokenizer) -> int:
    """Give the id of the end token.

    Raises:
        ModelLoadError: The tokenizer is not one of ``training.tokenizer``.
    """
    found = tokenizer.token_to_id(END)
    if found is None:
        raise ModelLoadError(
            f"The tokenizer has no {END!r}. Expected: one that langchain_gorilla.training.tokenizer "
            "made. Pass such a one, or an --out without a tokenizer.json."
        )
    return found


def encode(
    tokenizer: Tokenizer,
    family: Sequence[Conversation],
    *,
    questions: bool = False,
    max_tokens: int | None = None,
) -> Encoded:
    """Turn conversations that begin alike into tokens, targets and weights.

    The end of a response is always taught as the end token, also where the text goes on with
    the next instruction.

    Args:
        tokenizer: Encodes the pieces.
        family: Conversations with the same system text and functions.
        questions: Learn to write the questions too, at ``QUESTION_WEIGHT``.
        max_tokens: Leave out the last conversations where all together are longer; the first
            stays.

    Raises:
        ValueError: The conversations do not begin alike.
    """
    learned = {"response": 1.0, "question": QUESTION_WEIGHT if questions else 0.0}
    end = end_id(tokenizer)
    head = pieces(family[0])[:SHARED_PIECES]
    ids = [token for piece in head for token in _tokens(tokenizer, piece)]
    shared = len(ids)
    targets, weights = [0] * shared, [0.0] * shared
    branches, positions = [0] * shared, list(range(shared))
    kinds: list[str] = []
    for branch, conversation in enumerate(family, 1):
        written = pieces(conversation)
        if written[:SHARED_PIECES] != head:
            raise ValueError("Conversations of a family have one system text and functions.")
        own_ids: list[int] = []
        own_targets: list[int] = []
        own_weights: list[float] = []
        for piece in written[SHARED_PIECES:]:
            tokens, weight = _tokens(tokenizer, piece), learned.get(piece.role, 0.0)
            weighed = [weight] * len(tokens) + [0.0]
            if piece.role == "response":
                weighed = _response_weights(tokenizer, tokens)
            if own_ids and weight:
                own_targets[-1], own_weights[-1] = tokens[0], weighed[0]
            own_ids += tokens
            own_targets += [*tokens[1:], end if piece.role == "response" else 0]
            own_weights += weighed[1:]
        if max_tokens and kinds and len(ids) + len(own_ids) > max_tokens:
            break
        ids += own_ids
        targets += own_targets
        weights += own_weights
        branches += [branch] * len(own_ids)
        positions += range(shared, shared + len(own_ids))
        kinds.append(conversation.kind)
    return Encoded(
        np.array(ids, np.int64),
        np.array(targets, np.int64),
        np.array(weights, np.float32),
        np.array(branches, np.int64),
        np.array(positions, np.int64),
        tuple(kinds),
    )


def _response_weights(tokenizer: Tokenizer, tokens: Sequence[int]) -> list[float]:
    """Weigh the tokens of a response and its end: more where something is chosen, else 1."""
    texts = [tokenizer.id_to_token(token) or "" for token in tokens]
    weights = [1.0] * (len(tokens) + 1)
    calls, named = texts[0] == CALL, False
    for place, text in enumerate(texts):
        before = texts[place - 1] if place else ""
        named = named and "(" not in text
        if not place or text == CALL or named or (calls and before in _ASSIGNING):
            weights[place] = CHOICE_WEIGHT
        named = named or text == CALL
    if calls:
        weights[-1] = CHOICE_WEIGHT
    return weights


def _tokens(tokenizer: Tokenizer, piece: Piece) -> list[int]:
    found: list[int] = tokenizer.encode(piece.text, add_special_tokens=False).ids
    return found


def shard(seed: int, index: int, size: int = SHARD_SIZE) -> list[list[Conversation]]:
    """Make the families of one shard; the same for the same seed and index."""
    rng = Random(f"{seed}/{index}")
    requests = Requests(
        Values(rng), everyday=EVERYDAY_SHARE, hard=HARD_SHARE, together=TOGETHER_SHARE
    )
    conversations = Conversations(requests)
    families: list[list[Conversation]] = []
    for _ in range(size):
        style = rng.random()
        if style < ALONE_SHARE:
            kind = rng.choices(list(ALONE), list(ALONE.values()))[0]
            families.append([conversations.make(kind)])
        elif style < ALONE_SHARE + STRUCTURED_SHARE:
            families.append(conversations.structured_family(FAMILY_SIZE))
        else:
            families.append(conversations.family(SHARES, FAMILY_SIZE))
    return families


def unseen(seed: int, kinds: Sequence[str], count: int, *, held_out: bool) -> list[Conversation]:
    """Make ``count`` conversations of each kind that training does not draw.

    Args:
        seed: Of these conversations.
        kinds: Keys of ``Conversations.kinds``.
        count: Of each kind.
        held_out: From concepts that are never trained on, else from the others.
    """
    name = "held out" if held_out else "unseen"
    requests = Requests(Values(Random(f"{name} {seed}")), held_out=held_out)
    make = Conversations(requests).make
    return [make(kind) for kind in kinds for _ in range(count)]


def fingerprint(seed: int, index: int) -> str:
    """Hash the text of one shard, to compare data across machines and versions."""
    digest = hashlib.sha256()
    for family in shard(seed, index):
        for conversation in family:
            for piece in pieces(conversation):
                digest.update(f"{piece.role}\0{piece.text}\0".encode())
    return digest.hexdigest()[:16]


def batches(
    encoded: Sequence[Encoded], batch_tokens: int, rng: Random, *, max_tokens: int
) -> list[Batch]:
    """Group families of similar length, ``batch_tokens`` with padding, in random order.

    Args:
        encoded: In any order; those longer than ``max_tokens`` are left out.
        batch_tokens: Tokens of a batch at most, if one family is not longer alone.
        rng: Chooses the order.
        max_tokens: The longest family.
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
    branches, positions = np.full(shape, -1, np.int64), np.zeros(shape, np.int64)
    for row, one in enumerate(group):
        length = len(one.ids)
        ids[row, :length], targets[row, :length] = one.ids, one.targets
        weights[row, :length] = one.weights
        branches[row, :length], positions[row, :length] = one.branches, one.positions
    return Batch(ids, targets, weights, branches, positions, tuple(one.kinds for one in group))


def stream(
    tokenizer: Tokenizer,
    seed: int,
    batch_tokens: int,
    *,
    max_tokens: int,
    rank: int = 0,
    world: int = 1,
    first_shard: int = 0,
    workers: int = 0,
) -> Iterator[tuple[int, int, Batch]]:
    """Give batches without end, each process its own shards.

    Args:
        tokenizer: Encodes them.
        seed: The data's seed.
        batch_tokens: Tokens of one batch, with padding.
        max_tokens: Of a family; conversations that do not fit are left out.
        rank: This process among ``world``.
        world: How many processes there are.
        first_shard: Begin with the ``first_shard``-th of this process.
        workers: Further processes, which make the shards ahead; 0 makes them here, in between.

    Yields:
        (which shard of this process, which batch of the shard, the batch).

    Raises:
        UnsupportedOptionError: No family of a whole shard is as short as ``max_tokens``.
    """
    make = partial(_shard_batches, tokenizer, seed, batch_tokens, max_tokens)
    indices = (number * world + rank for number in count(first_shard))
    for number, grouped in enumerate(ahead(make, indices, workers), first_shard):
        if not grouped:  # nor would any other shard have one: the search would never end
            raise UnsupportedOptionError(
                f"--max-tokens is {max_tokens}, and all conversations are longer. Expected: room "
                "for a prompt with its tools. Leave it out for the default."
            )
        for place, batch in enumerate(grouped):
            yield number, place, batch


def _shard_batches(
    tokenizer: Tokenizer, seed: int, batch_tokens: int, max_tokens: int, index: int
) -> list[Batch]:
    encoded = [
        encode(tokenizer, one, questions=place % QUESTION_EVERY == 0, max_tokens=max_tokens)
        for place, one in enumerate(shard(seed, index))
    ]
    return batches(encoded, batch_tokens, Random(index), max_tokens=max_tokens)
