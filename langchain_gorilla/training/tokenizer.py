"""The tokenizer: words split alike wherever they stand, schema text in few tokens.

A byte-level BPE over words of letters. Every merge is mirrored for a word that begins a text,
follows a space or follows an underscore, in lower and in title case, so that ``Boston``,
`` Boston`` and ``_boston`` split alike, and copying a value from a question into a call is
copying token by token. Digits are single. Frequent pieces of JSON schemas and of the prompt
are tokens of their own, so that most prompts are 100 to 400 tokens.

``features`` names what mirrored tokens have in common; the model's embedding is trained on it.

    python -m langchain_gorilla.training.tokenizer --out tokenizer.json
    python -m langchain_gorilla.training.tokenizer --adapt first/tokenizer.json --out tokenizer.json
"""

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from langchain_gorilla.errors import ModelLoadError
from langchain_gorilla.evaluation.outputs import check_outputs, write_text
from langchain_gorilla.evaluation.printing import run_command
from langchain_gorilla.training.conversations import WITHOUT_TOOL
from langchain_gorilla.training.dataset import shard
from langchain_gorilla.training.dialogues import REFUSAL
from langchain_gorilla.training.prompts import (
    END,
    INSTRUCTION,
    RESPONSE,
    RESULTS_HEAD,
    RESULTS_TAIL,
    SYSTEM,
    pieces,
)
from langchain_gorilla.training.values import data_text

PAD = "<pad>"
SPACE = "Ġ"  # how byte-level tokens spell a space
FIRST_SYSTEM = "You are a function calling assistant.\n### Instruction: "
"""The beginning of every prompt of the first run; ``adapt`` gives its token to ``SYSTEM``."""

NEW_PIECES = (
    INSTRUCTION,
    RESULTS_HEAD,
    RESULTS_TAIL,
    " -> ",
    " -> error ",
    "The result is",
    "The results are",
    "Result:",
    " failed:",
    WITHOUT_TOOL,
    "You're welcome!",
    "How can I help you?",
    '": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": null',
    '": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": null',
    '": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": null',
    '"}, {"type": "null"}], "default": null',
    '": {"default": "',
    '": {"enum": ["',
    '"], "type": "string"}',
    '", "parameters": {"properties": {}, "type": "object"}}',
)
"""Tokens that the first run's tokenizer did not have; appended, so that old ids stay."""

_WORD = re.compile(f"^({SPACE}|_)?([A-Za-z])([a-z]*)$|^({SPACE}|_)([0-9])$")
_SPACED_MARK = re.compile(f"^{SPACE}([^A-Za-z0-9{SPACE}_])$")


@dataclass(frozen=True)
class Features:
    """What tokens have in common.

    Attributes:
        base: For every token id, the id of its base (``Boston`` and ``_boston`` share one).
        flags: For every token id, (follows a space, follows an underscore, title case).
    """

    base: tuple[int, ...]
    flags: tuple[tuple[int, int, int], ...]


def features(tokenizer: Tokenizer) -> Features:
    """Name the base and the flags of every token, from its spelling."""
    names = tokenizer.get_vocab(with_added_tokens=True)
    added = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    bases: dict[str, int] = {}
    base: list[int] = []
    flags: list[tuple[int, int, int]] = []
    for name in sorted(names, key=names.__getitem__):
        key, flag = name, (0, 0, 0)
        word, mark = _WORD.match(name), _SPACED_MARK.match(name)
        if name in added:
            key = f"added {name}"
        elif word:
            before = word[1] or word[4] or ""
            letters = (word[2] + word[3]) if word[2] else word[5]
            key = letters.lower()
            flag = (int(before == SPACE), int(before == "_"), int(letters[0].isupper()))
        elif mark:
            key, flag = mark[1], (1, 0, 0)
        base.append(bases.setdefault(key, len(bases)))
        flags.append(flag)
    return Features(tuple(base), tuple(flags))


def read(file: Path) -> Tokenizer:
    """Read a ``tokenizer.json``.

    Raises:
        ModelLoadError: It is missing or damaged.
    """
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # all that the library raises
        raise ModelLoadError(
            f"{file} cannot be read: {error}. Expected: a tokenizer.json. Delete it where a run is "
            "to make its own, or export or copy it again."
        ) from error


def adapt(first: Path) -> Tokenizer:
    """Make the tokenizer from the first run's: same ids, the new prompt's pieces added.

    Args:
        first: The first run's ``tokenizer.json``.

    Raises:
        ModelLoadError: It is missing or damaged.
    """
    data = json.loads(read(first).to_str())
    for token in data["added_tokens"]:
        if token["content"] == FIRST_SYSTEM:
            token["content"] = SYSTEM
    if SYSTEM in (token["content"] for token in data["added_tokens"]):
        vocabulary = data["model"]["vocab"]
        if FIRST_SYSTEM in vocabulary:
            vocabulary[SYSTEM] = vocabulary.pop(FIRST_SYSTEM)
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in NEW_PIECES])
    return tokenizer


def build(merges: int = 1200, *, families: int = 1500, seed: int = 123) -> Tokenizer:
    """Make a tokenizer from the words of the training data.

    Args:
        merges: Merges of letters; each is mirrored six times.
        families: How many families of conversations the words are counted in.
        seed: Of those families.
    """
    counts: Counter[str] = Counter()
    written = (piece for one in shard(seed, 0, families) for chat in one for piece in pieces(chat))
    for piece in written:
        counts.update(re.findall(r"[a-z]{2,}", piece.text.lower()))
    vocabulary: dict[str, int] = {}
    for token in [PAD, END, *_byte_letters()]:
        vocabulary.setdefault(token, len(vocabulary))
    pairs: list[tuple[str, str]] = []

    def merge(left: str, right: str) -> None:
        vocabulary.setdefault(left + right, len(vocabulary))
        pairs.append((left, right))  # two pairs may make one token; both are needed

    letters = [chr(code) for code in (*range(48, 58), *range(65, 91), *range(97, 123))]
    for letter in letters:
        merge(SPACE, letter)
        merge("_", letter)
    for mark in "'\"([{$-+*#=<&@/.,%":
        merge(SPACE, mark)
    for pair in ("=|'", "'|,", "'|)", "[|'", "'|]", "]|)", "=|['", "']|)", "']|,", "]|,"):
        left, right = pair.split("|")
        merge(left, right)
    for left, right in _word_merges(counts, merges):
        for before in ("", SPACE, "_"):
            merge(before + left, right)
            merge(before + left[0].upper() + left[1:], right)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs))
    words = Regex(r"[ _]?[A-Za-z]+|[ _]?[0-9]|[ ]?[^A-Za-z0-9_\s]+|_|\s")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, normalized=False) for text in (PAD, END)])
    schema_pieces = [json.loads(line) for line in data_text("pieces.txt").split("\n") if line]
    whole = ["<<function>>", "<<question>>", SYSTEM, RESPONSE, REFUSAL, *schema_pieces, *NEW_PIECES]
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in dict.fromkeys(whole)])
    return tokenizer


def _byte_letters() -> list[str]:
    """Give the letters that byte-level tokens spell bytes with, in the order of the bytes."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = iter(range(256, 512))
    return [chr(byte if byte in shown else next(hidden)) for byte in range(256)]


def _word_merges(counts: Counter[str], merges: int) -> list[tuple[str, str]]:
    """Merge letters of lower-case words, the most frequent pair first.

    Counts are flattened, so that words of the templates do not crowd out the others.
    """
    words = {word: (list(word), min(count, 400) ** 0.75) for word, count in counts.items()}
    found: list[tuple[str, str]] = []
    for _ in range(merges):
        pairs: defaultdict[tuple[str, str], float] = defaultdict(float)
        for parts, weight in words.values():
            for pair in pairwise(parts):
                pairs[pair] += weight
        if not pairs:  # every word is one token
            break
        left, right = max(pairs, key=pairs.__getitem__)
        found.append((left, right))
        for parts, _weight in words.values():
            place = 0
            while place < len(parts) - 1:
                if parts[place] == left and parts[place + 1] == right:
                    parts[place : place + 2] = [left + right]
                place += 1
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Make the tokenizer.")
    parser.add_argument("--adapt", type=Path, help="the first run's tokenizer.json")
    parser.add_argument("--merges", type=int, default=1200)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    check_outputs(json_file=chosen.out)
    made = adapt(chosen.adapt) if chosen.adapt else build(chosen.merges)
    write_text(chosen.out, made.to_str(pretty=True))


if __name__ == "__main__":
    run_command(main)
