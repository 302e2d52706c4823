"""A model's text → calls, with the habits of BFCL's own decoder, for comparable figures.

This is not the production parser (``langchain_gorilla.parsing``) and never serves an agent: it
drops positional arguments and turns ``+5`` into ``-5``, because the leaderboard does. Use it to
reread result files; for answers of this package's models the runner takes the parsed tool calls.

Quirks that are kept (``default_decode_ast_prompting`` and ``resolve_ast_by_type`` of BFCL):

- Backticks, blanks and newlines around the text go; ``[`` and ``]`` are added where missing.
- Positional arguments and ``*args`` are dropped; ``**{…}`` becomes a parameter named None.
- Every unary operator negates: ``+5``, ``~5`` and ``not 5`` are -5.
- A bare name is its text (``true`` is ``"true"``); a subscript is its source text.
- A call without keywords is its source text, one with keywords is ``{name: {…}}``.
- Arithmetic on literals is worked out.
- One thing that cannot be read makes the whole answer unreadable.

Unlike BFCL's decoder it never evaluates text: arithmetic is folded here, with limits on the size
of the result, and text that would make the compiler or the folding run away is unreadable.
"""

import ast
import operator
import warnings
from collections.abc import Callable
from typing import Any, cast

from langchain_gorilla.errors import GorillaError

_MOST_BITS = 4096
_MOST_ELEMENTS = 10_000
_MOST_CHARACTERS = 1_000_000


class DecodeError(GorillaError, ValueError):
    """A text in which BFCL's decoder finds no calls; for irrelevance that is the right answer."""


def decode_calls(text: str) -> list[dict[str, Any]]:
    """Return the calls in a model's answer as ``{name: {parameter: value}}``, in order.

    Args:
        text: Such as ``"f(a=1), g()"``, with or without brackets around it.

    Raises:
        DecodeError: The text is not a list of calls.
    """
    wrapped = text.strip("`\n ")
    if not wrapped.startswith("["):
        wrapped = "[" + wrapped
    if not wrapped.endswith("]"):
        wrapped += "]"
    wrapped = wrapped.strip().strip("'")
    if len(wrapped) > _MOST_CHARACTERS:
        raise DecodeError(f"{len(wrapped)} characters; an answer has at most {_MOST_CHARACTERS}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            body = ast.parse(wrapped, mode="eval").body
        if isinstance(body, ast.Call):
            return [_call(body)]
        if not isinstance(body, ast.List | ast.Tuple | ast.Set):
            raise DecodeError(f"{type(body).__name__} where a list of calls was expected.")
        return [_element(node) for node in body.elts]
    except (SyntaxError, ValueError, TypeError, ArithmeticError) as error:
        if isinstance(error, DecodeError):
            raise
        raise DecodeError(f"Not a list of calls: {error}") from error
    except (RecursionError, MemoryError) as error:
        # The compiler's own limits on nesting; both leave the interpreter sound.
        raise DecodeError("Nested too deeply to be a list of calls.") from error


def _element(node: ast.expr) -> dict[str, Any]:
    if not isinstance(node, ast.Call):
        raise DecodeError(f"{type(node).__name__} where a call was expected.")
    return _call(node)


def _call(node: ast.Call) -> dict[str, Any]:
    parts: list[str] = []
    callee = node.func
    while isinstance(callee, ast.Attribute):
        parts.append(callee.attr)
        callee = callee.value
    if isinstance(callee, ast.Name):
        parts.append(callee.id)
    arguments: dict[Any, Any] = {keyword.arg: _value(keyword.value) for keyword in node.keywords}
    return {".".join(reversed(parts)): arguments}


def _value(node: ast.expr | None) -> Any:
    match node:
        case ast.Constant(value=value):
            return "..." if value is Ellipsis else value
        case ast.UnaryOp(operand=ast.Constant(value=value)):
            return -cast("float", value)  # A TypeError for text, as in BFCL.
        case ast.List(elts=elements):
            return [_value(element) for element in elements]
        case ast.Tuple(elts=elements):
            return tuple(_value(element) for element in elements)
        case ast.Dict(keys=keys, values=values):
            return {_value(key): _value(value) for key, value in zip(keys, values, strict=True)}
        case ast.BinOp():
            return _folded(node)
        case ast.Name(id=name):
            return name
        case ast.Call(keywords=[]):
            return ast.unparse(node)
        case ast.Call():
            return _call(node)
        case ast.Subscript(value=value, slice=key):
            return f"{ast.unparse(value)}[{ast.unparse(key)}]"
    raise DecodeError(f"{type(node).__name__} is no value of an argument.")


# --- Arithmetic on literals ---

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}

_SIGNS: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}


def _folded(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=elements):
            return [_folded(element) for element in elements]
        case ast.Tuple(elts=elements):
            return tuple(_folded(element) for element in elements)
        case ast.UnaryOp(op=sign, operand=operand):
            return _SIGNS[type(sign)](_folded(operand))
        case ast.BinOp(left=left, op=symbol, right=right) if type(symbol) in _OPERATORS:
            one, other = _folded(left), _folded(right)
            _refuse_large(symbol, one, other)
            return _OPERATORS[type(symbol)](one, other)
    raise DecodeError(f"{type(node).__name__} in arithmetic: only literals are worked out.")


def _refuse_large(symbol: ast.operator, one: Any, other: Any) -> None:
    """Raise where the result would be too large to be an argument of a call."""
    sized = (str, bytes, list, tuple)
    if isinstance(symbol, ast.Mod) and isinstance(one, str | bytes):
        # "%99999999d" % 1 is a hundred megabytes.
        raise DecodeError("Formatting is not worked out.")
    if isinstance(one, sized) or isinstance(other, sized):
        elements = sum(len(side) for side in (one, other) if isinstance(side, sized))
        times = max((side for side in (one, other) if isinstance(side, int)), default=1)
        if elements * max(times, 1) > _MOST_ELEMENTS:
            raise DecodeError("The worked-out text or list would be too long.")
    if not (isinstance(one, int) and isinstance(other, int)):
        return
    bits = one.bit_length() + other.bit_length()
    if isinstance(symbol, ast.Pow):
        bits = one.bit_length() * abs(other)
    if isinstance(symbol, ast.LShift):
        bits = one.bit_length() + abs(other)
    if bits > _MOST_BITS:
        raise DecodeError("The worked-out number would be too large.")
