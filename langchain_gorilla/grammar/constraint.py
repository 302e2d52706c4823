"""Which tokens may come next: a grammar at the level of one model's vocabulary.

llguidance does the work behind ``Constraint``; nothing outside of this file knows it, so that
it can be replaced. Covered: tokens that the vocabulary treats as special, rows past its end
(padding in the LM head), tokens that spell control marks, the end of the answer. Not covered:
what the prompt ends with; ``Answer.prefix`` is for that.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from numpy.typing import NDArray

from langchain_gorilla.errors import DeadEndError, UnsupportedOptionError
from langchain_gorilla.grammar.spellings import Spellings

TokenMask: TypeAlias = NDArray[np.uint32]
"""Bits, shape (ceil(vocabulary size / 32),), lowest bit first; 1 = allowed."""

# Runs of characters that continue any Python string, and, without angle brackets, any text in
# front of calls: with them llguidance answers for most tokens at once. At 102,400 tokens the
# slowest 1% of masks took 11.7 ms without.
PYTHON_SLICES: Final = (
    r"""[^'"\\<>\x00-\x1F\x7F]{1,10}""",
    r"""[^'"\\<>\x00-\x1F\x7F]{1,30}""",
    r"""[^'"\\<>\x00-\x1F\x7F]+""",
)
# Of Earley's items in a row of the parser there is one for each function that may be named next;
# llguidance's own limit of 2,000 is below the functions that a grammar takes.
_LIMITS: Final = LLParserLimits(max_items_in_row=20_000)
_PADDING: Final = re.compile(r"\[PAD\d+\]|<unused\d+>")
_MARKING: Final = re.compile(r"[!-/:-@\[-`{-~]")
_NEVER_IN_UTF8: Final = frozenset({0xC0, 0xC1, *range(0xF5, 0x100)})


class Vocabulary:
    """A tokenizer as the grammar room sees it. Making one takes about a second; share it."""

    def __init__(
        self,
        tokenizer_json: str,
        *,
        end_ids: Sequence[int],
        size: int | None = None,
        control_ids: Sequence[int] = (),
    ) -> None:
        """Read a tokenizer.

        Args:
            tokenizer_json: The text of ``tokenizer.json``, or ``backend_tokenizer.to_str()``.
            end_ids: Tokens that end an answer.
            size: Rows of the LM head, where they are more than the tokenizer's tokens.
            control_ids: Further tokens that are never text (``all_special_ids``).

        Raises:
            UnsupportedOptionError: The tokenizer cannot spell every byte, so a grammar may
                lead to where no token fits.
        """
        document = json.loads(tokenizer_json)
        added = document.get("added_tokens") or []
        words = _words(document.get("model") or {})
        known = 1 + max([*words.values(), *(token["id"] for token in added)], default=-1)
        rows = max(size or 0, known)
        try:
            self.tokenizer = LLTokenizer(
                tokenizer_json, n_vocab=rows, eos_token=list(end_ids), slices=list(PYTHON_SLICES)
            )
        except ValueError as error:
            raise UnsupportedOptionError(
                f"A grammar cannot read this tokenizer: {error}. Pass constrained=False to ChatGorilla."
            ) from error
        self.size: int = size or known
        self.known: int = min(self.size, known)
        self.end_ids = frozenset(end_ids)
        spelled = {token["id"]: token["content"] for token in added}
        self.special_tokens: dict[str, int] = {
            text: token for token, text in spelled.items() if self._is_special(token)
        }
        self._spelled = re.compile("|".join(map(re.escape, self.special_tokens)))
        banned = {token for token, text in spelled.items() if _PADDING.fullmatch(text)}
        banned |= {token["id"] for token in added if token.get("special")} | set(control_ids)
        banned -= set(self.special_tokens.values()) | self.end_ids
        self._allowed = _bits(self.size, banned, rows)
        self.end_mask: TokenMask = ~_bits(self.size, self.end_ids, self.size)
        self.banned = frozenset(banned)
        self._check_bytes(words)
        # Tokens that may complete a mark; letters and digits never do.
        every = ((token, word) for word, token in words.items())
        marked = {n for n, word in (*every, *spelled.items()) if _MARKING.search(word)}
        self.punctuated = [(n, self.decode([n])) for n in sorted(marked) if n < self.size]

    def _is_special(self, token: int) -> bool:
        return bool(self.tokenizer.is_special_token(token)) and token not in self.end_ids

    def _check_bytes(self, words: Mapping[str, int]) -> None:
        """Every byte of UTF-8 needs a token of its own."""
        short = (n for word, n in words.items() if len(word) == 1 or word.startswith("<0x"))
        single = {text[0] for n in short if len(text := self.decode([n])) == 1}
        if missing := set(range(0x20, 0x100)) - _NEVER_IN_UTF8 - single - {0x7F}:
            raise UnsupportedOptionError(
                f"The tokenizer has no token for {len(missing)} of the 256 bytes (no byte "
                "fallback), so a grammar could not be followed. Pass constrained=False to ChatGorilla."
            )

    @cached_property
    def spellings(self) -> Spellings:
        """Tokens by what they spell."""
        return Spellings(self._spelled_tokens)

    @cached_property
    def unspaced(self) -> Spellings:
        """Tokens by what they spell, space in front aside."""
        return Spellings((token, text.lstrip()) for token, text in self._spelled_tokens)

    @cached_property
    def blanks(self) -> list[int]:
        """Tokens that spell space and nothing else."""
        return [token for token, text in self._spelled_tokens if text and not text.strip()]

    @cached_property
    def _spelled_tokens(self) -> list[tuple[int, bytes]]:
        return [(token, self.decode([token])) for token in range(self.known)]

    def decode(self, tokens: Sequence[int]) -> bytes:
        """Spell tokens, special ones too."""
        return bytes(self.tokenizer.decode_bytes(list(tokens)))

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """Tokenize text; what spells a special token becomes one only where that is meant."""
        if special or not self.special_tokens:
            return list(self.tokenizer.tokenize_str(text))
        tokens: list[int] = []
        start = 0
        for match in self._spelled.finditer(text):
            tokens += self.tokenizer.tokenize_str(text[start : match.start() + 1])
            start = match.start() + 1
        return tokens + list(self.tokenizer.tokenize_str(text[start:]))

    def matcher(self, lark: str) -> Any:
        """Compile a grammar.

        Raises:
            DeadEndError: llguidance refuses it, for its size or complexity.
        """
        grammar = LLMatcher.grammar_from_lark(lark)
        matcher = LLMatcher(self.tokenizer, grammar, log_level=0, limits=_LIMITS)
        if matcher.is_error():
            raise DeadEndError(f"The grammar does not compile: {matcher.get_error()[:500]}")
        return matcher

    def mask(self, matcher: Any) -> TokenMask:
        """Compute a matcher's mask, padding and control tokens left out."""
        mask = np.empty_like(self._allowed)
        matcher.unsafe_compute_mask_ptr(mask.ctypes.data, mask.nbytes)
        mask &= self._allowed
        shown: TokenMask = mask[: len(self.end_mask)]
        return shown


def _words(model: Mapping[str, Any]) -> dict[str, int]:
    """Word to id; Unigram models list them, the others map them."""
    vocabulary = model.get("vocab") or {}
    if isinstance(vocabulary, Mapping):
        return dict(vocabulary)
    return {word: index for index, (word, _) in enumerate(vocabulary)}


def _bits(size: int, cleared: Sequence[int] | set[int] | frozenset[int], rows: int) -> TokenMask:
    bits = np.zeros(-(-rows // 32) * 32, dtype=np.uint8)
    bits[:size] = 1
    bits[list(cleared)] = 0
    return np.packbits(bits, bitorder="little").view(np.uint32)


def mask_to_bools(mask: TokenMask, size: int) -> NDArray[np.bool_]:
    """Unpack a mask, shape (size,); True = allowed."""
    bits = np.unpackbits(mask.view(np.uint8), count=size, bitorder="little")
    return bits.view(np.bool_)


class TextMasks(Protocol):
    """Knows the masks of one answer, as long as it is free text."""

    def mask(self, tokens: Sequence[int], matcher: Any) -> TokenMask | None:
        """Compute the mask after an answer's tokens so far; None where it has to be computed."""

    def fork(self) -> "TextMasks":
        """Return one for another answer."""


class Constraint(ABC):
    """The state of one answer under a grammar. Not thread-safe; ``fork`` one for each use."""

    vocabulary: Vocabulary

    def __init__(self, vocabulary: Vocabulary, free: TextMasks | None = None) -> None:
        """Start before the first token.

        Args:
            vocabulary: The model's.
            free: Knows the masks as long as the answer is free text.
        """
        self.vocabulary = vocabulary
        self.ended = False
        self.tokens: list[int] = []
        self._free = free

    @property
    def end_ids(self) -> frozenset[int]:
        """The tokens that end an answer."""
        return self.vocabulary.end_ids

    def allowed(self) -> TokenMask:
        """Mark the tokens that keep the answer inside the grammar; the state is unchanged.

        Raises:
            DeadEndError: No token fits.
        """
        if self.ended or self.complete:
            return np.copy(self.vocabulary.end_mask)
        mask = None if self._free is None else self._free.mask(self.tokens, self._current())
        mask = self._mask() if mask is None else mask
        if not mask.any():
            raise DeadEndError("No token of the vocabulary fits the grammar here.")
        return mask

    def try_consume(self, tokens: Sequence[int]) -> int:
        """Go on by the longest run of these tokens that fits; return its length."""
        for position, token in enumerate(tokens):
            if self.ended:
                return position
            if token in self.vocabulary.end_ids:
                if not self.can_end:
                    return position
                self.ended = True
            elif token in self.vocabulary.banned or not self._step(token):
                return position
            else:
                self.tokens.append(token)
        return len(tokens)

    def consume(self, tokens: Sequence[int]) -> None:
        """Go on by these tokens.

        Raises:
            DeadEndError: One of them does not fit; the state is as before.
        """
        taken = self.try_consume(tokens)
        if taken < len(tokens):
            self.rollback(taken)
            spelled = self.vocabulary.decode([tokens[taken]])
            raise DeadEndError(f"Token {tokens[taken]} ({spelled!r}) does not fit the grammar.")

    def rollback(self, count: int) -> None:
        """Take the last ``count`` tokens back."""
        if count and self.ended:
            self.ended = False
            count -= 1
        if count:
            self._back(count)
            del self.tokens[len(self.tokens) - count :]

    @property
    @abstractmethod
    def can_end(self) -> bool:
        """Whether the answer may end here."""

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether nothing but the end may come."""

    @abstractmethod
    def forced(self) -> list[int]:
        """Return the tokens that have to come, as the tokenizer would write them; or none."""

    @abstractmethod
    def fork(self) -> "Constraint":
        """Return an independent copy."""

    def _mask(self) -> TokenMask:
        mask = self.vocabulary.mask(self._current())
        if not self.can_end:
            # Where the vocabulary does not mark its end token as special, it is text, too.
            mask &= ~self.vocabulary.end_mask
        return mask

    @abstractmethod
    def _current(self) -> Any:
        """Return the matcher that knows what may come next."""

    @abstractmethod
    def _step(self, token: int) -> bool: ...

    @abstractmethod
    def _back(self, count: int) -> None: ...


class WholeConstraint(Constraint):
    """A constraint whose grammar is compiled as a whole."""

    def __init__(self, vocabulary: Vocabulary, matcher: Any, free: TextMasks | None = None) -> None:
        """Take over a fresh matcher."""
        super().__init__(vocabulary, free)
        self._matcher = matcher

    @property
    def can_end(self) -> bool:
        """Whether the answer may end here."""
        return bool(self._matcher.is_accepting())

    @property
    def complete(self) -> bool:
        """Whether nothing but the end may come."""
        return bool(self._matcher.is_stopped())

    def forced(self) -> list[int]:
        """Return the tokens that have to come, as the tokenizer would write them; or none."""
        return [] if self.ended else forced_tokens(self.vocabulary, self._matcher)

    def fork(self) -> "WholeConstraint":
        """Return an independent copy."""
        free = None if self._free is None else self._free.fork()
        copy = WholeConstraint(self.vocabulary, self._matcher.deep_copy(), free)
        copy.ended, copy.tokens = self.ended, list(self.tokens)
        return copy

    def try_consume(self, tokens: Sequence[int]) -> int:
        """Go on by the longest run of these tokens that fits; return its length."""
        if self.ended or not self.vocabulary.end_ids.isdisjoint(tokens):
            return super().try_consume(tokens)
        if not self.vocabulary.banned.isdisjoint(tokens):
            return super().try_consume(tokens)
        taken = int(self._matcher.try_consume_tokens(list(tokens)))
        self.tokens += tokens[:taken]
        return taken

    def _current(self) -> Any:
        return self._matcher

    def _step(self, token: int) -> bool:
        return bool(self._matcher.try_consume_tokens([token]))

    def _back(self, count: int) -> None:
        rewind(self._matcher, count)


def forced_tokens(vocabulary: Vocabulary, matcher: Any) -> list[int]:
    """Return a matcher's forced tokens, as far as it takes them itself."""
    tokens = [int(token) for token in matcher.compute_ff_tokens()]
    never = vocabulary.end_ids | vocabulary.banned
    tokens = tokens[: next((n for n, token in enumerate(tokens) if token in never), len(tokens))]
    # Vocabularies exist whose encoder and decoder disagree on a character (added tokens).
    if tokens and (fitting := matcher.validate_tokens(tokens)):
        return tokens[:fitting]
    # llguidance spells a value that reads like a mark with the mark's own token, and then neither
    # takes that token nor allows another.
    spelled = bytes(matcher.compute_ff_bytes()) if tokens else b""
    plain = vocabulary.encode(spelled.decode("utf-8", "ignore"))
    return plain[: matcher.validate_tokens(plain)] if plain else plain


def rewind(matcher: Any, count: int) -> None:
    """Roll a matcher back."""
    if not matcher.rollback(count):
        raise DeadEndError(f"Cannot roll {count} tokens back: {matcher.get_error()[:200]}")
