r"""Function calls to the text that a model would have written.

The law that this file keeps, for every ``CallSyntax`` and every JSON value: what it writes,
the parser reads back as the same calls. Strings escape their quote, the backslash, control
characters and the first character of every marker (``\x3c``), so a call is one line and forges
nothing.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from langchain_gorilla.calls import CallSyntax, FunctionCall, JSONValue, Literals
from langchain_gorilla.errors import PromptError
from langchain_gorilla.formats.markers import break_markers, marker_places

_CONSTANTS: Final = {
    Literals.PYTHON: {True: "True", False: "False", None: "None"},
    Literals.JSON: {True: "true", False: "false", None: "null"},
}
_SHORT_ESCAPES: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\"}
_PARAMETER: Final = re.compile(r"[^\W\d]\w*")
# What may stand in a function's name: letters, digits, underscores, dots and hyphens.
_NOT_IN_A_NAME: Final = re.compile(r"[^\w.\-]")
_NOT_IN_A_QUOTED_NAME: Final = re.compile(r"['\"\\\x00-\x1f\x7f-\x9f\u2028\u2029]")


def write_calls(calls: Sequence[FunctionCall], syntax: CallSyntax, markers: tuple[str, ...]) -> str:
    """Write calls as the family does, opening and closing included; ``""`` for none."""
    if not calls:
        return ""
    return syntax.opening + join_calls(calls, syntax, markers) + syntax.closing


def join_calls(calls: Iterable[FunctionCall], syntax: CallSyntax, markers: tuple[str, ...]) -> str:
    """Write calls and what stands between them, without opening and closing."""
    return syntax.separator.join(write_call(call, syntax, markers) for call in calls)


def write_call(call: FunctionCall, syntax: CallSyntax, markers: tuple[str, ...]) -> str:
    """Write one call without anything around it.

    A name that no parser reads back (a bracket in a function's, a quote in an argument's) has
    such characters replaced by underscores. FunctionSet gives every function that is offered,
    and its parameters, names that need no such thing.

    Raises:
        PromptError: An argument is no JSON value, or is nested too deeply to be written.
    """
    name = _NOT_IN_A_NAME.sub("_", call.name) or "_"
    try:
        arguments = ", ".join(
            f"{_parameter(parameter, syntax, markers)}={_value(value, syntax, markers)}"
            for parameter, value in call.arguments.items()
        )
    except RecursionError:
        raise PromptError(
            f"An argument of a call of {call.name!r} in the history is nested too deeply to be "
            "written. Expected JSON values of ordinary depth. Shorten that message."
        ) from None
    except ValueError as error:
        raise PromptError(
            f"A call of {call.name!r} in the history cannot be written: {error}. Expected JSON "
            "values: null, booleans, finite numbers, strings, lists and string-keyed objects. "
            "Convert the arguments of that AIMessage's tool_calls."
        ) from None
    return f"{name}({arguments})"


def _parameter(name: str, syntax: CallSyntax, markers: tuple[str, ...]) -> str:
    if _PARAMETER.fullmatch(name):
        return name
    # Names are read without escapes, so a marker in one is broken as it is in text.
    plain = _NOT_IN_A_QUOTED_NAME.sub("_", break_markers(name, markers)) or "_"
    return f"{syntax.quote}{plain}{syntax.quote}"


def _value(value: JSONValue, syntax: CallSyntax, markers: tuple[str, ...]) -> str:
    if value is None or isinstance(value, bool):
        return _CONSTANTS[syntax.literals][value]
    if isinstance(value, str):
        return _string(value, syntax, markers)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is not a finite number")
        return float.__repr__(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(_items(value, syntax, markers)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item, syntax, markers) for item in value) + "]"
    raise ValueError(f"{value!r:.60} is a {type(value).__name__}")


def _items(
    value: Mapping[str, JSONValue], syntax: CallSyntax, markers: tuple[str, ...]
) -> Iterable[str]:
    for key, item in value.items():
        if not isinstance(key, str):
            raise ValueError(f"the key {key!r:.60} is a {type(key).__name__}")
        yield f"{_string(key, syntax, markers)}: {_value(item, syntax, markers)}"


def _string(text: str, syntax: CallSyntax, markers: tuple[str, ...]) -> str:
    places = marker_places(text, markers)
    written = (
        _escape(character) if place in places else _character(character, syntax.quote)
        for place, character in enumerate(text)
    )
    return syntax.quote + "".join(written) + syntax.quote


def _character(character: str, quote: str) -> str:
    if character == quote:
        return "\\" + quote
    if short := _SHORT_ESCAPES.get(character):
        return short
    if character < " " or "\x7f" <= character < "\xa0" or character in "\u2028\u2029":
        return _escape(character)
    return character


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
