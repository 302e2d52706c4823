"""Guesses at how a call goes on: a wrong one costs little, a right one a forward pass.

Arguments come in the schema's order, the required ones; values are copied from the question.
Texts are compared, not tokens: `` Boston`` in a question and ``Boston`` after a quote are
different tokens. Everything here is pure.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from langchain_gorilla.functions import FunctionSchema

_QUESTION_CHARACTERS: Final = 1_500
_COPIED_CHARACTERS: Final = 60
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_QUOTED: Final = re.compile(r"""['"\u201c\u2018]([^'"\u201d\u2019\n]{1,60})['"\u201d\u2019]""")
_NAMED: Final = re.compile(r"\b[A-Z][\w&.-]*(?: (?:of |the |de )?[A-Z][\w&.-]*)*")


class Drafter:
    """Guesses for one request."""

    def __init__(self, functions: Sequence[FunctionSchema], prompt: str) -> None:
        """Look for calls of ``functions`` that take their values from the end of ``prompt``."""
        self._functions = {function.name: function for function in functions}
        names = "|".join(sorted(map(re.escape, self._functions), key=len, reverse=True))
        self._call = re.compile(rf"(?<![\w.])({names})\(") if names else None
        question = prompt[-_QUESTION_CHARACTERS:]
        # Tool documents stand before the question, and are no source of values.
        self._question = question[question.rfind("}]") + 1 :]
        self._numbers: list[str] = _NUMBER.findall(self._question)
        self._names: list[str] = [*_QUOTED.findall(self._question), *_NAMED.findall(self._question)]

    def guess(self, answer: str) -> str:
        """Continue an answer; empty where nothing is known."""
        if self._call is None or not (calls := list(self._call.finditer(answer))):
            return ""
        last = calls[-1]
        function = self._functions[str(last[1])]
        return self._in_call(function, answer[last.end() :], answer)

    def _in_call(self, function: FunctionSchema, written: str, answer: str) -> str:
        keys, value, quote, depth = _read(written)
        if depth < 0:
            return ""
        if value is None:
            return self._key(function, keys[:-1], keys[-1])
        following = "" if depth else self._after(function, keys)
        if quote is not None:
            return self._text(value[value.rfind(quote) + 1 :], answer, quote + following)
        if not value:
            return self._value(function, keys[-1], answer, following)
        number = re.search(r"(?<![\w'\"])-?[\d.]+$", value)
        if number:
            rest = next((n for n in self._numbers if n.startswith(number[0])), number[0])
            return rest[len(number[0]) :] + following
        complete = value[-1] in "'\"]}" or value in ("True", "False", "None", "true", "false")
        return following if complete else ""

    def _key(self, function: FunctionSchema, used: Sequence[str], partial: str) -> str:
        begun = partial.lstrip()
        left = [key for key in function.properties if key not in used and key.startswith(begun)]
        left.sort(key=lambda key: key not in function.required)
        if not left or (not begun and left[0] not in function.required):
            return ""
        space = " " if used and partial == begun else ""
        return f"{space}{left[0][len(begun) :]}="

    def _after(self, function: FunctionSchema, used: Sequence[str]) -> str:
        left = [key for key in function.required if key not in used]
        return f", {left[0]}=" if left else ")"

    def _value(self, function: FunctionSchema, key: str, answer: str, following: str) -> str:
        schema = function.properties.get(key, {})
        kind = schema.get("type")
        if kind in ("integer", "number"):
            number = next((n for n in self._numbers if n not in answer), None)
            return f"{number}{following}" if number else ""
        if kind == "string" and "enum" not in schema:
            return "'" + self._text("", answer, f"'{following}")
        return "[" if kind == "array" else ""

    def _text(self, begun: str, answer: str, following: str) -> str:
        """Continue a text by what the question says."""
        fresh = [name for name in self._names if name not in answer or begun]
        for name in sorted(fresh, key=len, reverse=True) if begun else fresh:
            if name.lower().startswith(begun.lower()) and len(name) > len(begun):
                return name[len(begun) :] + following
        if not begun:
            return ""
        found = re.search(r"(?<!\w)" + re.escape(begun), self._question, re.IGNORECASE)
        if found is None:
            return following
        rest = re.match(r"[\w@./:+-]*\w", self._question[found.end() :])
        return (rest[0] if rest else "")[:_COPIED_CHARACTERS] + following


def _read(written: str) -> tuple[list[str], str | None, str | None, int]:
    """Read the arguments so far.

    Returns:
        The keys, the last perhaps unfinished; the value of the last, None before its ``=``; the
        quote of an open string; how many brackets are open, -1 after the call's end.
    """
    keys, value, quote, depth, escaped = [""], None, None, 0, False
    for character in written:
        if quote is None and depth == 0 and character == "," and value is not None:
            keys.append("")
            value = None
            continue
        if quote is None and depth == 0 and character == "=" and value is None:
            keys[-1] = keys[-1].strip()
            value = ""
            continue
        if value is None and character != ")":
            keys[-1] += character
            continue
        value = (value or "") + character
        if quote is not None:
            quote = None if character == quote and not escaped else quote
            escaped = character == "\\" and not escaped
        elif character in "'\"":
            quote = character
        elif character in "[{(":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth < 0:
                break
    return keys, value, quote, depth


def token_guesses(
    drafter: Drafter,
    *,
    decode: Callable[[Sequence[int]], bytes],
    encode: Callable[[str], list[int]],
) -> Callable[[Sequence[int]], list[int]]:
    """Turn a drafter's texts into tokens, by a vocabulary's functions."""

    def guess(answer: Sequence[int]) -> list[int]:
        text = drafter.guess(decode(answer).decode("utf-8", "ignore"))
        return encode(text) if text else []

    return guess
