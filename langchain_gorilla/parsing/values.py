"""Tokens to one JSON value, as they arrive.

Covers: numbers, strings and their concatenation, ``True``/``true`` and their like, lists, tuples
and sets (as lists), dicts (keys as JSON writes them), sums of numbers. Does not cover: names,
calls, comprehensions and every other expression; the builder says that it is none of ours
(``literal`` is False) and the caller keeps the source text. Nothing is evaluated, nothing
recurses, and every value that comes out is finite, UTF-8-encodable JSON.
"""

import json
from typing import Any, Final

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.parsing.arithmetic import BINARY, MAX_OPERATORS, Operator, Padded, fold
from langchain_gorilla.parsing.literals import LiteralError, parse_number, shorten

MAX_DEPTH: Final = 200

_WORDS: Final = {
    **dict.fromkeys(("True", "true"), True),
    **dict.fromkeys(("False", "false"), False),
    **dict.fromkeys(("None", "null"), None),
}
_NONFINITE: Final = frozenset({"nan", "NaN", "inf", "Infinity"})


class _Word(str):
    """A bare word."""


class _Frame:
    """One open bracket, or the argument itself.

    Attributes:
        bracket: ``(``, ``[``, ``{`` or "" for the argument itself.
        items: Complete elements of a list, tuple or set.
        entries: Complete entries of a dict.
        key: The key whose value is being read, else None.
        tokens: Operands and operators since the last comma, colon or bracket.
    """

    __slots__ = ("bracket", "comma", "entries", "items", "key", "tokens")

    def __init__(self, bracket: str) -> None:
        self.bracket = bracket
        self.items: list[JSONValue] = []
        self.entries: dict[str, JSONValue] | None = None
        self.key: str | None = None
        self.tokens: list[Any] = []
        self.comma = False


class ValueBuilder:
    """Builds one value from tokens, with a stack instead of recursion.

    Attributes:
        failure: Why there is no value, in words for the model; None while there may be one.
        literal: False once the tokens are an expression that is not evaluated here.
        only_strings: Nothing came yet but strings to be joined, outside all brackets.
    """

    def __init__(self) -> None:
        self.failure: str | None = None
        self.literal = True
        self.only_strings = True
        self._frames = [_Frame("")]
        self._space = False

    @property
    def building(self) -> bool:
        """Whether tokens still matter."""
        return self.literal and self.failure is None

    @property
    def expects_key(self) -> bool:
        """Whether the innermost bracket is a dict, or may become one, in front of a colon."""
        top = self._frames[-1]
        return self.building and top.bracket == "{" and top.key is None and not top.items

    def fail(self, reason: str) -> None:
        """There is no value; the first reason stays."""
        self.failure = self.failure or reason

    def space(self) -> None:
        """Whitespace."""
        self._space = True
        tokens = self._frames[-1].tokens
        if tokens and isinstance(tokens[-1], Operator):
            tokens[-1].spaced = True

    def string(self, text: str) -> None:
        """A complete string literal."""
        tokens = self._frames[-1].tokens
        # Adjacent strings are one; joining pairs would be quadratic, so they stay apart.
        if self.building and tokens and not (type(tokens[-1]) is str or tokens[-1] == "+"):
            self.literal = False
        self._push(text)

    def word(self, text: str) -> None:
        """A name, number or other run of word characters."""
        if not self.building:
            return
        try:
            number = parse_number(text) if text[0] in ".0123456789" else None
        except LiteralError as error:
            self.fail(str(error))
            return
        if number is not None:
            self._push(number)
        else:
            self._push(_WORDS[text] if text in _WORDS else _Word(text))

    def symbol(self, text: str) -> None:
        """An operator or any other character."""
        if not self.building:
            return
        if text not in BINARY:
            self.literal = self.only_strings = False
            return
        symbol = Operator(text)
        symbol.spaced, self._space = self._space, False
        self._push(symbol)

    def _push(self, token: Any) -> None:
        if not self.building:
            return
        tokens = self._frames[-1].tokens
        if len(tokens) > 2 * MAX_OPERATORS and not self._joins(tokens, token):
            self.literal = False
            return
        self._space = False
        self.only_strings &= self._joins(tokens or [token], token)
        tokens.append(token)

    @staticmethod
    def _joins(tokens: list[Any], token: Any) -> bool:
        return type(tokens[0]) is str and (type(token) is str or token == "+")

    def open(self, bracket: str) -> None:
        """An opening bracket."""
        self.only_strings = False
        if not self.building:
            return
        tokens = self._frames[-1].tokens
        if tokens and not isinstance(tokens[-1], Operator):
            self.literal = False  # a call or a subscript
        elif len(self._frames) > MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH} brackets")
        else:
            self._frames.append(_Frame(bracket))

    def comma(self) -> None:
        """A comma inside brackets."""
        if not self.building:
            return
        top = self._frames[-1]
        if not self._end_item(top):
            self.fail("a value is missing before a comma")
        top.comma = True

    def colon(self) -> None:
        """A colon, between key and value or elsewhere."""
        if not self.building:
            return
        top = self._frames[-1]
        if top.bracket != "{":
            self.literal = False
        elif top.key is not None or top.items:
            self.fail("a comma is missing between the entries of a dict")
        else:
            self._end_key(top)

    def close(self) -> None:
        """The closing bracket of the innermost open one."""
        if self.building:
            top = self._frames[-1]
            if not self._end_item(top) and top.key is not None:
                self.fail(f"the value of key {shorten(top.key)!r} is missing")
        if self.building:
            self._close(self._frames.pop())

    def _close(self, top: _Frame) -> None:
        if top.bracket == "{" and not top.items:
            self._push(top.entries or {})
        elif top.bracket == "(" and len(top.items) == 1 and not top.comma:
            self._push(top.items[0])
        else:
            self._push(top.items)

    def _end_key(self, top: _Frame) -> None:
        tokens, top.tokens = top.tokens, []
        value = self._reduce(tokens)
        if not self.building:
            return
        if not tokens:
            self.fail("a dict key is missing")
        elif isinstance(value, str):
            top.key = value
        elif value is None or isinstance(value, int | float):
            top.key = json.dumps(value)
        else:
            self.literal = False

    def _end_item(self, top: _Frame) -> bool:
        """Finish the element at hand; False where there is none."""
        tokens, top.tokens = top.tokens, []
        if not tokens:
            return False
        if top.bracket == "{" and len(tokens) == 2 and tokens[0] == "**" and top.key is None:
            # {**{'a': 1}, 'b': 2}
            if isinstance(tokens[1], dict) and not top.items:
                top.entries = {**(top.entries or {}), **tokens[1]}
            else:
                self.literal = False
            return True
        value = self._reduce(tokens)
        if not self.building:
            return True
        if top.key is not None:
            top.entries = top.entries if top.entries is not None else {}
            top.entries[top.key] = value
            top.key = None
        elif top.entries is not None:
            self.fail("a dict entry has no value")
        else:
            top.items.append(value)
        return True

    def _reduce(self, tokens: list[Any]) -> JSONValue:
        """Return the value of an element, or note that it is no literal."""
        if not tokens:
            return None
        last = tokens[-1]
        signs = len(tokens) <= 2 and all(isinstance(t, Operator) for t in tokens[:-1])
        if isinstance(last, _Word) and last in _NONFINITE and signs:
            self.fail(f"{last} has no JSON value")
            return None
        if len(tokens) == 1 and not isinstance(last, Operator):
            if isinstance(last, Padded):
                return int(last)
            return str(last) if isinstance(last, _Word) else last
        if all(type(t) is str or t == "+" for t in tokens) and _alternates(tokens):
            return "".join(t for t in tokens if type(t) is str)
        number = fold(tokens)
        if number is None:
            self.literal = False
        return number

    def finish(self) -> JSONValue:
        """Return the value; look at ``failure`` and ``literal`` first, and again after."""
        if not self.building:
            return None
        tokens = self._frames[-1].tokens
        if not tokens:
            self.fail("a value is missing")
            return None
        value = self._reduce(tokens)
        if len(tokens) == 1 and isinstance(tokens[0], _Word):
            self.literal = False
        return value


def _alternates(tokens: list[Any]) -> bool:
    """Tell whether each ``+`` stands between two strings."""
    plus = True
    for token in tokens:
        if isinstance(token, Operator):
            if plus:
                return False
            plus = True
        else:
            plus = False
    return not plus
