"""Prompt to token ids: text can never become a special token.

Covered: every spelling of a special token inside a string is encoded as ordinary text, also by
tokenizers whose model would pick the token from running text (Unigram). Not covered: added
tokens that the tokenizer does not mark as special, such as ``<<function>>`` in the bundled
vocabulary; a prompt format breaks those in data.
"""

import itertools
import json
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from langchain_gorilla.errors import FormatMismatchError, UnsupportedOptionError
from langchain_gorilla.formats.base import Prompt, Special

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerBase

    from langchain_gorilla.grammar.constraint import Vocabulary


class PromptEncoder:
    """Encodes prompts for one tokenizer. Thread-safe: nothing changes after it is made.

    For text without special tokens' spellings the ids are those of the whole prompt encoded at
    once: a run after a special token gets no dummy space where whole text would have none. A
    leading ``bos`` is what a tokenizer itself puts before a text, so the run after it is a
    text's beginning.

    Attributes:
        specials: Spelling to id of the tokens that the vocabulary marks as special.
        size: How many tokens the vocabulary has.
        end_id: The tokenizer's own end token, which ``eos`` stands for; None where it has none.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", *, model: str) -> None:
        """Prepare the tokenizer, which belongs to this encoder from now on.

        Args:
            tokenizer: Changed: it splits special tokens in text.
            model: For error messages.
        """
        self._tokenizer = tokenizer
        self._model = model
        tokenizer.split_special_tokens = True
        added = tokenizer.added_tokens_decoder
        marked = [index for index, token in added.items() if token.special]
        self.specials = {
            str(tokenizer.convert_ids_to_tokens(index)): index
            for index in (*marked, *tokenizer.all_special_ids)
        }
        self.size = len(tokenizer)
        self.end_id = _as_id(tokenizer.eos_token_id)
        # Unknown characters become unk, in every text.
        self._forbidden = {*self.specials.values()} - {tokenizer.unk_token_id}
        backend: Tokenizer | None = getattr(tokenizer, "backend_tokenizer", None)
        if backend is not None:
            backend.encode_special_tokens = True
            backend.no_truncation()
            backend.no_padding()
        self._beginning = backend
        self._inside = None if backend is None else _without_dummy_space(backend)

    def encode(self, prompt: Prompt) -> list[int]:
        """Encode text with special tokens split, and specials by id.

        Raises:
            FormatMismatchError: The vocabulary lacks a special token of the prompt.
        """
        ids: list[int] = []
        run = ""
        at_beginning = True
        for part in prompt:
            if isinstance(part, str):
                run += part
                continue
            special = self.token_id(part)
            if special is None:
                continue
            ids += self._encode_run(run, at_beginning)
            at_beginning = part.token == "bos" and not ids and not run
            run = ""
            ids.append(special)
        return ids + self._encode_run(run, at_beginning)

    def token_id(self, special: Special) -> int | None:
        """Give the id of a special token; None for ``bos`` where the tokenizer has none.

        Raises:
            FormatMismatchError: The vocabulary lacks the token.
        """
        if special.token == "bos":
            return _as_id(self._tokenizer.bos_token_id)
        found = self.end_id if special.token == "eos" else self.find(special.token)
        if found is None:
            raise FormatMismatchError(
                f"The prompt format needs the token {special.token!r}, which the tokenizer of "
                f"{self._model!r} does not have. Pass format= to choose the format that this "
                "model was trained on."
            )
        return found

    def find(self, token: str) -> int | None:
        """Give the id of a token by its spelling, or None."""
        if self._beginning is not None:
            return self._beginning.token_to_id(token)
        index = _as_id(self._tokenizer.convert_tokens_to_ids(token))
        is_unknown = index == self._tokenizer.unk_token_id and token != self._tokenizer.unk_token
        return None if is_unknown else index

    def decode(self, ids: list[int]) -> str:
        """Spell ids, special tokens included, spaces as they are."""
        if self._beginning is not None:
            return self._beginning.decode(ids, skip_special_tokens=False)
        return str(
            self._tokenizer.decode(
                ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
            )
        )

    def vocabulary(self, *, end_ids: Collection[int], size: int) -> "Vocabulary":
        """Give the tokenizer as grammars see it; this takes about a second.

        Args:
            end_ids: Tokens that end an answer.
            size: Rows of the LM head.

        Raises:
            UnsupportedOptionError: This tokenizer cannot follow a grammar; says why.
        """
        from langchain_gorilla.grammar.constraint import Vocabulary

        lacks = None
        if self._beginning is None:
            lacks = "tokenizer.json"
        elif not end_ids:
            lacks = "token that ends an answer"
        if self._beginning is None or lacks:
            raise UnsupportedOptionError(
                f"The model {self._model!r} has no {lacks}, so it cannot follow a grammar. Pass "
                "constrained=False to ChatGorilla."
            )
        return Vocabulary(
            self._beginning.to_str(),
            end_ids=sorted(end_ids),
            size=size,
            control_ids=sorted(self.specials.values()),
        )

    def _encode_run(self, text: str, at_beginning: bool) -> list[int]:
        if not text:
            return []
        text = _encodable(text)
        ids = self._ids(text, at_beginning)
        if self._forbidden.isdisjoint(ids):
            return ids
        # The tokenizer's model itself found a special token: encode each spelling in two parts.
        cuts = [
            match.start() + 1
            for token in self.specials
            for match in re.finditer(re.escape(token), text)
        ]
        edges = [0, *sorted(set(cuts)), len(text)]
        return [
            index
            for start, end in itertools.pairwise(edges)
            for index in self._ids(text[start:end], at_beginning and start == 0)
            if index not in self._forbidden
        ]

    def _ids(self, text: str, at_beginning: bool) -> list[int]:
        backend = self._beginning if at_beginning else self._inside
        if backend is not None:
            return list(backend.encode(text, add_special_tokens=False).ids)
        return list(
            self._tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        )


def _as_id(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _encodable(text: str) -> str:
    """Join surrogate pairs; a lone surrogate, which no tokenizer takes, becomes U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _without_dummy_space(backend: "Tokenizer") -> "Tokenizer":
    """Give a tokenizer for runs inside a text.

    ``Metaspace(prepend_scheme="first")`` puts a space before the first run of a text only; run by
    run, every run would be a first one. Other ways of adding a space treat all runs alike.
    """
    state = json.loads(backend.to_str())
    steps = [state["pre_tokenizer"] or {}]
    steps += steps[0].get("pretokenizers", [])
    first = [step for step in steps if step.get("prepend_scheme") == "first"]
    if not first:
        return backend
    for step in first:
        step["prepend_scheme"] = "never"
    inside: Tokenizer = type(backend).from_str(json.dumps(state))
    inside.encode_special_tokens = True
    return inside
