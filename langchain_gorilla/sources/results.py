"""What a model reads of a Python value: JSON where the value has a form in it, else a short repr.

The value itself goes into the ToolMessage's ``artifact``, whatever it is.
"""

import json
import math
import numbers
import reprlib
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import chain, islice
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from pydantic_core import to_jsonable_python

MAX_CHARACTERS: Final = 20_000
"""Of what a model reads; the artifact holds all."""

MAX_ITERATED: Final = 1_000
"""Items that are read of what only computes the next one."""

_MAX_DEPTH: Final = 32
_MAX_ITEMS: Final = 10_000
_LAZY_MODULES: Final = frozenset({"builtins", "itertools"})
"""Where the types of generators are, and of what only computes; another iterator may wait for a
network or a keyboard."""
_TEXT_TYPES: Final = (date, datetime, time, timedelta, Decimal, Fraction, UUID, PurePath)


class _NotJsonError(Exception):
    pass


def presented(value: Any) -> tuple[Any, Any]:
    """Return what the model reads, and the value.

    Numbers, texts and objects are read as they are, dates and decimals as their text, tuples and
    sets as lists, NumPy's numbers as numbers. Anything else is its repr.
    """
    try:
        content = _plain(value, _MAX_DEPTH)
    except _NotJsonError:
        return _short_repr(value), value
    if isinstance(content, str):
        return cut(content), value
    try:
        text = json.dumps(content, ensure_ascii=False)
    except (ValueError, RecursionError):
        return _short_repr(value), value
    if len(text) > MAX_CHARACTERS:
        return cut(text), value
    # LangChain takes a list of texts or objects for blocks of a message.
    is_list = isinstance(content, list)
    is_blocks = is_list and all(isinstance(each, str | dict) for each in content)
    return (text if is_blocks else content), value


def returned(value: Any) -> tuple[Any, Any]:
    """Like ``presented``, for what a call gave: of a generator, ``map`` and such, the items.

    Only the first of very many are read; the value then begins with them all the same.
    """
    if not isinstance(value, Iterator) or type(value).__module__ not in _LAZY_MODULES:
        return presented(value)
    items = list(islice(value, MAX_ITERATED + 1))
    if len(items) <= MAX_ITERATED:
        return presented(items)
    shown = presented(items[:MAX_ITERATED])[0]
    text = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)
    return f"The first {MAX_ITERATED:,} items: {text}", chain(items, value)


def cut(text: str, most: int = MAX_CHARACTERS) -> str:
    """Return a text of at most so many characters, and say how many are left out."""
    if len(text) <= most:
        return text
    return f"{text[:most]}\n… {len(text) - most} more characters are left out."


def _plain(value: Any, depth: int) -> Any:
    """Return the value in JSON's own types.

    Raises:
        _NotJsonError: It has no form in JSON, or is too large to look for one.
    """
    if depth == 0:
        raise _NotJsonError
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Enum):
        return _plain(value.value, depth - 1)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, float) or (
        isinstance(value, numbers.Real) and not isinstance(value, Fraction)
    ):
        number = float(value)
        if not math.isfinite(number):
            raise _NotJsonError
        return number
    if isinstance(value, _TEXT_TYPES):
        is_time = isinstance(value, date | time | timedelta)
        return str(to_jsonable_python(value) if is_time else value)
    if isinstance(value, Mapping) and len(value) <= _MAX_ITEMS:
        return {_key(key): _plain(each, depth - 1) for key, each in value.items()}
    is_list = isinstance(value, list | tuple | Set) or (
        isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview)
    )
    if is_list and len(value) <= _MAX_ITEMS:
        return [_plain(each, depth - 1) for each in value]
    raise _NotJsonError


def _key(key: Any) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    if key is None or isinstance(key, bool | int | float):
        return json.dumps(key)
    raise _NotJsonError


def _short_repr(value: Any) -> str:
    """Return the object's repr, cut; of containers, only their first items."""
    shortened = reprlib.Repr()
    shortened.maxstring = shortened.maxother = 500
    try:
        # NumPy, pandas and most others shorten their own.
        text = repr(value) if not isinstance(value, list | dict | tuple | Set) else ""
        text = text or shortened.repr(value)
    except Exception as error:  # A repr is anyone's code, and no reason to lose the result.
        text = f"<{type(value).__name__}; its repr failed: {type(error).__name__}>"
    return text if len(text) <= 2_000 else f"{text[:2_000]} …"
