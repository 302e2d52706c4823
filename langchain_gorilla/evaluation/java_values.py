"""Java source text of one argument → Python value, as BFCL's checker reads it.

BFCL asks Java questions in Java: a model answers with text such as ``"5L"`` or
``"new int[]{1, 2}"``, and its checker turns the text into a value before comparing. Text that does
not fit the type stays text, so that a variable's name can be an answer.

Quirks that are kept, because verdicts rest on them:

- ``float`` needs the suffix ``f``; ``long`` needs ``L``; ``double`` has no suffix.
- ``char`` is never unquoted.
- Elements are split at every comma, those inside quotes too.
- Elements of an ``Array`` of ``String`` keep their quotes; those of an ``ArrayList`` lose them.
- A ``HashMap`` is read from ``put("key", value)`` only.

Nothing here evaluates text, and each scan is linear in its length.
"""

import re
from collections.abc import Iterator
from typing import Any

from langchain_gorilla.evaluation.source_values import boolean, constant, integer, single_line

PYTHON_TYPES: dict[str, type] = {
    "byte": int,
    "short": int,
    "integer": int,
    "float": float,
    "double": float,
    "long": int,
    "boolean": bool,
    "char": str,
    "Array": list,
    "ArrayList": list,
    "Set": set,
    "HashMap": dict,
    "Hashtable": dict,
    "Queue": list,
    "Stack": list,
    "String": str,
    "any": str,
}
"""The types of BFCL's Java questions and what their values become."""

_LONG = re.compile(r"-?\d+[lL]$")
_FLOAT = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?[fF]$")
_DOUBLE = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?$")

_AS_LIST = re.compile(r"new\s+ArrayList<\w*>\(Arrays\.asList\(")
_ADDED_LIST = re.compile(r"new\s+ArrayList<\w*>\(\)\s*\{\{")
_EMPTY_LIST = re.compile(r"new\s+ArrayList<\w*>\(\)")
_ARRAY = re.compile(r"new\s+\w+\[\]\s*\{")
_MAP = re.compile(r"new\s+HashMap<")
_AFTER_MAP_TYPE = re.compile(r"\s*\(\)")
_MAP_BODY = re.compile(r"\s*\{\s*\{?")
_ADD = re.compile(r"add\(")
_PUT = re.compile(r'put\("')


def java_value(text: str, java_type: str, element_type: str | None = None) -> Any:
    """Return the value of a Java expression, or the text itself where it does not fit the type.

    Args:
        text: What the model wrote.
        java_type: A key of ``PYTHON_TYPES``.
        element_type: The type of an ``Array``'s or ``ArrayList``'s elements.

    Raises:
        ValueError: BFCL cannot convert this type either, or a number with thousands of digits.
    """
    match java_type:
        case "byte" | "short" | "integer":
            return integer(text)
        case "long":
            return int(text.rstrip("\n")[:-1]) if _LONG.match(text) else text
        case "float":
            return float(text.rstrip("\n")[:-1]) if _FLOAT.match(text) else text
        case "double":
            return float(text) if _DOUBLE.match(text) else text
        case "boolean":
            return boolean(text)
        case "char" | "String" | "any":
            return text
        case "Array":
            return _array(text, element_type)
        case "ArrayList":
            return _array_list(text, element_type)
        case "HashMap":
            return _hash_map(text)
    raise ValueError(f"BFCL has no conversion for Java values of type {java_type!r}.")


def _array(text: str, element_type: str | None) -> Any:
    body = next(single_line(text, _ARRAY, "}", least=0), None)
    if body is None:
        return text
    elements = [part.strip() for part in body.split(",") if part.strip()]
    return [java_value(e, element_type) if element_type else _untyped(e) for e in elements]


def _array_list(text: str, element_type: str | None) -> Any:
    listed = next(single_line(text, _AS_LIST, "))", least=1), None)
    if listed is not None:
        return [_list_element(part.strip(), element_type) for part in listed.split(",")]
    opening = _ADDED_LIST.search(text)
    if opening is not None:
        end = text.find("}}", opening.end() + 1)
        if end >= 0:
            added = single_line(text[opening.end() : end], _ADD, ")", least=1)
            return [_list_element(part.strip(), element_type) for part in added]
    return [] if _EMPTY_LIST.search(text) else text


def _list_element(text: str, element_type: str | None) -> Any:
    if element_type in ("char", "String"):
        return text[1:-1]  # without its quotes
    return java_value(text, element_type) if element_type else _untyped(text)


def _hash_map(text: str) -> Any:
    after = _after_map_constructor(text)
    if after is None:
        return text
    body = _MAP_BODY.match(text, after)
    end = text.find("}", body.end()) if body else -1
    if body is None or end < 0:
        return {}
    return dict(_puts(text[body.end() : end]))


def _after_map_constructor(text: str) -> int | None:
    """Return where ``new HashMap<…>()`` ends."""
    opening = _MAP.search(text)
    if opening is None:
        return None
    position = text.find(">", opening.end())
    while position >= 0:
        call = _AFTER_MAP_TYPE.match(text, position + 1)
        if call is not None:
            return call.end()
        position = text.find(">", position + 1)
    return None


def _puts(body: str) -> Iterator[tuple[str, Any]]:
    position = 0
    while opening := _PUT.search(body, position):
        key_end = body.find('",', opening.end())
        end = body.find(")", key_end + 2) if key_end >= 0 else -1
        if end < 0:
            return
        yield body[opening.end() : key_end], _untyped(body[key_end + 2 : end].strip())
        position = end + 1


def _untyped(text: str) -> Any:
    """Return the value of an element whose type nobody declared."""
    if text.startswith('"') and text.endswith('"'):
        return text[1:-1]
    if _LONG.match(text):
        return int(text[:-1])
    if _FLOAT.match(text):
        return float(text[:-1])
    return constant(text)
