"""Arguments as written, and the names of those that have none.

Positions are mapped by the order of the schema's parameters, or refused with a reason; none is
dropped. Does not cover: types and required parameters (``validation``).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.parsing.literals import shorten

_WRITABLE_NAME: Final = re.compile(r"[\w$][\w$.\-]*")


@dataclass(frozen=True)
class Argument:
    """One argument as written.

    Attributes:
        name: None for a positional one.
        value: A JSON value; the source text where it is an expression.
        is_expression: The value is no literal.
    """

    name: str | None
    value: JSONValue
    is_expression: bool


def is_writable_name(name: str) -> bool:
    """Tell whether a name stands for itself: word characters, no look-alikes.

    Characters that Unicode folds (``ｆ``) or that do not show (U+200B) are refused, so that no
    name passes for another one.
    """
    return bool(_WRITABLE_NAME.fullmatch(name)) and unicodedata.normalize("NFKC", name) == name


def name_positions(
    arguments: Sequence[Argument], properties: tuple[str, ...] | None, *, alone: bool
) -> dict[str, JSONValue] | str:
    """Map positional arguments to names.

    Args:
        arguments: The positional ones.
        properties: The function's parameters in order; None where it is not known.
        alone: The call has no other argument, so a single dict may hold all of them.

    Returns:
        Name to value, or what is wrong, in words for the model.
    """
    if properties is None:
        return "positional arguments of an unknown function; write name=value"
    only = arguments[0].value
    if alone and isinstance(only, dict) and only and set(only) <= set(properties):
        return only
    if len(arguments) > len(properties):
        return "more positional arguments than parameters; write name=value"
    for argument in arguments:
        if argument.is_expression:
            return f"positional argument {shorten(str(argument.value))!r}: write name=value"
    return {n: a.value for n, a in zip(properties, arguments, strict=False)}


def bind_arguments(
    arguments: Sequence[Argument], properties: tuple[str, ...] | None
) -> dict[str, JSONValue] | str:
    """Map all arguments of a call to names; what is wrong where that cannot be done."""
    positional = [a for a in arguments if a.name is None]
    named: dict[str, JSONValue] = {}
    if positional:
        mapped = name_positions(positional, properties, alone=len(arguments) == 1)
        if isinstance(mapped, str):
            return mapped
        named.update(mapped)
    for argument in arguments:
        if argument.name is None:
            continue
        if argument.name in named:
            return f"argument {shorten(argument.name)!r} is given twice"
        named[argument.name] = argument.value
    return named
