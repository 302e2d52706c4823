"""Guesses at how an answer goes on: a wrong one costs little, a right one a forward pass.

The tool whose words the question uses, its arguments in the schema's order, values copied from
the question, and for all else what followed the same words before. Texts are compared, not
tokens: `` Boston`` in a question and ``Boston`` after a quote are different tokens. Everything
here is pure.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.engines.call_guess import NUMBER, CallGuess
from langchain_gorilla.engines.question import Question, stems
from langchain_gorilla.engines.written_call import read_call
from langchain_gorilla.functions import FunctionSchema

_QUESTION_CHARACTERS: Final = 2_500
_GUESSED_CHARACTERS: Final = 90


class Drafter:
    """Guesses for one request."""

    def __init__(
        self,
        functions: Sequence[FunctionSchema],
        prompt: str,
        *,
        syntax: CallSyntax,
        prefix: str = "",
    ) -> None:
        """Expect calls of ``functions`` that take their values from the end of ``prompt``.

        Args:
            functions: What may be called; none if the answer can only be text.
            prompt: What the model reads.
            syntax: How calls are written.
            prefix: What an answer begins with because it was taken off the prompt.
        """
        self._functions = {function.name: function for function in functions}
        self._syntax = syntax
        self._opening = prefix + syntax.opening
        self._guessed = ""
        names = "|".join(sorted(map(re.escape, self._functions), key=len, reverse=True))
        self._call = re.compile(rf"(?<![\w.])({names})\(") if names else None
        question = prompt[-_QUESTION_CHARACTERS:]
        # Tool documents stand before the question, and are no source of values.
        question = question[question.rfind("}]") + 1 :].rstrip()
        last = question.rfind("\n") + 1
        # "### Response:" asks for the answer, and is no part of the question.
        self._question = Question(question[:last] if question.endswith(":") else question)

    def guess(self, answer: str) -> str:
        """Continue an answer by about as much as a forward pass may read."""
        # What was guessed of a shorter answer holds as long as the answer agrees.
        text = self._guessed if self._guessed.startswith(answer) else answer
        while len(text) - len(answer) < _GUESSED_CHARACTERS:
            step = self._step(text)
            if not step:
                break
            text += step
        self._guessed = text
        return text[len(answer) :]

    def _step(self, answer: str) -> str:
        calls = list(self._call.finditer(answer)) if self._call is not None else []
        if not calls:
            return self._beginning(answer)
        last = calls[-1]
        function = self._functions[last[1]]
        written = read_call(answer[last.end() :])
        if not written.brackets:
            return self._between(written.rest, answer, [call[1] for call in calls])
        return CallGuess(
            self._question, self._syntax, function, written, answer[calls[0].start() :]
        ).step()

    # --- Around calls ---

    def _beginning(self, answer: str) -> str:
        if self._call is None:
            return ""
        opening = self._opening
        if opening.startswith(answer):
            return opening[len(answer) :] + self._name("", [])
        if answer.startswith(opening):
            return self._name(answer[len(opening) :], [])
        return ""

    def _between(self, rest: str, answer: str, called: Sequence[str]) -> str:
        """Go on behind a call: with another one if the question has values left for it."""
        separator, closing = self._syntax.separator, self._syntax.closing
        if rest and rest.startswith(separator):
            return self._name(rest[len(separator) :], called)
        if not rest and not self._has_more(answer, called):
            return closing
        return separator[len(rest) :] if separator.startswith(rest) else ""

    def _has_more(self, answer: str, called: Sequence[str]) -> bool:
        said = Counter(NUMBER.findall(answer))
        left = [each for each in self._question.numbers if not said[each.text]]
        left += [each for each in self._question.names if each.text not in answer]
        return bool(left) and len(called) < 12

    def _name(self, begun: str, called: Sequence[str]) -> str:
        """Complete a function's name, the parenthesis included."""
        if not re.fullmatch(r"[\w.]*", begun):
            return ""
        fitting = [name for name in self._functions if name.startswith(begun)]
        if not fitting:
            return ""
        fresh = [name for name in fitting if name not in called]
        # After one call of each comes another of the last, unless a tool is left that fits.
        ranked = sorted(fitting, key=self._relevance, reverse=True)
        best = ranked[0]
        if called and called[-1] in fitting:
            best = called[-1]
            if fresh:
                other = max(fresh, key=self._relevance)
                if self._relevance(other) >= 0.7 * self._relevance(best):
                    best = other
        return f"{best[len(begun) :]}("

    def _relevance(self, name: str) -> float:
        """Say how much of the question is about a function; rare words count more."""
        return self._ranks[name]

    @cached_property
    def _ranks(self) -> dict[str, float]:
        words = {
            each: (stems(each), stems(function.description[:300]))
            for each, function in self._functions.items()
        }
        common = Counter(word for both in words.values() for word in both[0] | both[1])
        said = self._question.stems
        return {
            each: sum(2.0 / common[word] for word in name & said)
            + sum(1.0 / common[word] for word in about & said)
            for each, (name, about) in words.items()
        }


def token_guesses(
    drafter: Drafter,
    *,
    decode: Callable[[Sequence[int]], bytes],
    encode: Callable[[str], list[int]],
) -> Callable[[Sequence[int]], list[int]]:
    """Turn a drafter's texts into tokens, by a vocabulary's functions.

    A guess is tokenized together with what stands before it, as the model itself would join
    them, wherever a token ends between the two.
    """

    def guess(answer: Sequence[int]) -> list[int]:
        written = decode(answer).decode("utf-8", "ignore")
        text = drafter.guess(written)
        if not text:
            return []
        tail = written[-40:]
        tokens, length = encode(tail + text), 0
        for count, token in enumerate(tokens):
            if length >= len(tail.encode()):
                if length == len(tail.encode()):
                    return tokens[count:]
                break
            length += len(decode([token]))
        return encode(text)

    return guess
