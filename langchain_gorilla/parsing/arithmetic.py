"""Arithmetic on number literals, such as ``5 * 12`` and ``0.04/12``.

Covers: ``+ - * / // % **`` and signs, on numbers of at most ``MAX_INT_BITS`` bits at every step,
so work and result are bounded. Does not cover: names, brackets (``values`` hands one bracket's
content over at a time), and what looks like a date or a number to call.
"""

import math
import operator
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

MAX_INT_BITS: Final = 128
MAX_OPERATORS: Final = 64


class Padded(int):
    """An integer written with leading zeros: part of a date more often than of a sum."""


class Operator(str):
    """An operator; ``spaced`` where whitespace stands on a side of it."""

    spaced: bool = False


_POWER: Final = 4
BINARY: Final[dict[str, tuple[int, Callable[[Any, Any], Any]]]] = {
    "+": (1, operator.add),
    "-": (1, operator.sub),
    "*": (2, operator.mul),
    "/": (2, operator.truediv),
    "//": (2, operator.floordiv),
    "%": (2, operator.mod),
    "**": (_POWER, operator.pow),
}
_UNARY_RANK: Final = 3


def fold(tokens: list[Any]) -> int | float | None:
    """Work out arithmetic on number literals; None where that is not what it is.

    Numbers stay below ``MAX_INT_BITS`` at every step, so the work is bounded. Text such as
    ``2024-10-15``, ``555-1234`` or ``12/25/2024`` is a date or a number to call, not a sum.
    """
    if len(tokens) > 2 * MAX_OPERATORS or _looks_like_data(tokens):
        return None
    values: list[int | float] = []
    pending: list[tuple[str, bool]] = []  # operator, unary?

    def reduce_top() -> bool:
        symbol, unary = pending.pop()
        if unary:
            if not values:
                return False
            values[-1] = -values[-1] if symbol == "-" else +values[-1]
            return True
        if len(values) < 2:
            return False
        right, left = values.pop(), values.pop()
        result = _apply(symbol, left, right)
        if result is None:
            return False
        values.append(result)
        return True

    operand_next = True
    for token in tokens:
        if not isinstance(token, Operator):
            if type(token) not in (int, float, Padded) or not operand_next:
                return None
            values.append(int(token) if isinstance(token, Padded) else token)
            operand_next = False
        elif operand_next:
            if token not in ("+", "-"):
                return None
            pending.append((token, True))
        else:
            if token not in BINARY:
                return None
            rank = BINARY[token][0]
            while pending and _reduces_before(pending[-1], rank):
                if not reduce_top():
                    return None
            pending.append((token, False))
            operand_next = True
    while pending:
        if not reduce_top():
            return None
    return values[0] if len(values) == 1 and not operand_next else None


def _reduces_before(waiting: tuple[str, bool], rank: int) -> bool:
    symbol, unary = waiting
    waiting_rank = _UNARY_RANK if unary else BINARY[symbol][0]
    # ** binds to the right and more tightly than a sign on its left.
    return waiting_rank > rank or (waiting_rank == rank and rank != _POWER)


def _looks_like_data(tokens: list[Any]) -> bool:
    operators = [t for t in tokens[1:] if isinstance(t, Operator)]
    if (operators and not isinstance(tokens[0], Operator)) or len(operators) > 1:
        if any(isinstance(t, Padded) for t in tokens):
            return True
        for before, symbol in pairwise(tokens):
            binary = isinstance(symbol, Operator) and not isinstance(before, Operator)
            if binary and symbol == "-" and not symbol.spaced:
                return True
    slashes = [s for s in operators if s == "/" and not s.spaced]
    return len(slashes) > 1


def _apply(symbol: str, left: int | float, right: int | float) -> int | float | None:
    for number in (left, right):
        if isinstance(number, int) and number.bit_length() > MAX_INT_BITS:
            return None
    if (
        symbol == "**"
        and isinstance(left, int)
        and isinstance(right, int)
        and not 0 <= left.bit_length() * right <= MAX_INT_BITS
    ):
        return None
    try:
        result = BINARY[symbol][1](left, right)
    except (ArithmeticError, ValueError):
        return None
    if isinstance(result, float):
        return result if math.isfinite(result) else None
    if isinstance(result, int):
        return result if result.bit_length() <= MAX_INT_BITS else None
    return None  # a negative number to a fractional power is complex
