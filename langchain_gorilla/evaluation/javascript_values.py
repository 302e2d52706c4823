"""JavaScript source text of one argument → Python value, as BFCL's checker reads it.

Like ``java_values``: text that does not fit the type stays text.

Quirks that are kept, because verdicts rest on them:

- Elements are split at every comma, those inside quotes too.
- An object is read up to its first ``}``, so a nested object stays half a text.
- In an object, quotes around a value are dropped before it is read: ``{"a": "5"}`` holds 5.
- Elements of an array of arrays are read without their declared type.

Nothing here evaluates text, and each scan is linear in its length.
"""

import re
from collections.abc import Iterator
from typing import Any

from langchain_gorilla.evaluation.source_values import boolean, constant, integer, single_line

PYTHON_TYPES: dict[str, type] = {
    "String": str,
    "integer": int,
    "float": float,
    "Bigint": int,
    "Boolean": bool,
    "dict": dict,
    "array": list,
    "any": str,
}
"""The types of BFCL's JavaScript questions and what their values become."""

_BIGINT = re.compile(r"-?\d+n$")
_FLOAT = re.compile(r"-?\d+(\.\d+)?$")
_NEW_ARRAY = re.compile(r"new\s+Array\(")
_ARRAY_OF_ARRAYS = re.compile(r"\[\s*\[|new\s+Array\(\s*\[")
_NEXT_ARRAY = re.compile(r",\s*\[")
_BRACKET = re.compile(r"\[")
_SPACES = re.compile(r"\s*")


def javascript_value(text: str, javascript_type: str, element_type: str | None = None) -> Any:
    """Return the value of a JavaScript expression, or the text where it does not fit the type.

    Args:
        text: What the model wrote.
        javascript_type: A key of ``PYTHON_TYPES``.
        element_type: The type of an ``array``'s elements.

    Raises:
        ValueError: BFCL cannot convert this type either, or a number with thousands of digits.
    """
    match javascript_type:
        case "String":
            return text[1:-1] if _is_quoted(text) else text
        case "integer":
            return integer(text)
        case "float":
            return float(text) if _FLOAT.match(text) else text
        case "Bigint":
            return int(text[:-1]) if _BIGINT.match(text) else text
        case "Boolean":
            return boolean(text)
        case "array":
            return _array(text.strip(), element_type)
        case "dict":
            return _object(text.strip())
        case "any":
            return text
    raise ValueError(f"BFCL has no conversion for JavaScript values of type {javascript_type!r}.")


def _is_quoted(text: str) -> bool:
    return text[:1] in ("'", '"') and text.endswith(text[:1])


def _array(code: str, element_type: str | None) -> Any:
    try:
        nested = _array_of_arrays(code)
        if nested is not None:
            return nested
        body = _array_body(code)
        if body is None:
            return code
        elements = [part.strip() for part in body.split(",")] if body.strip() else []
        if element_type is None:
            return [_untyped(element) for element in elements]
        return [javascript_value(element, element_type) for element in elements]
    except ValueError:
        return code  # as BFCL: whatever cannot be read is a variable's name


def _array_body(code: str) -> str | None:
    """Return what stands between the first brackets, on one line."""
    opening = _NEW_ARRAY.match(code)
    if code.startswith("["):
        start, end = 1, code.find("]")
    elif opening is not None:
        start, end = opening.end(), code.find(")", opening.end())
    else:
        return None
    return None if end < 0 or "\n" in code[start:end] else code[start:end]


def _array_of_arrays(code: str) -> list[list[Any]] | None:
    opening = _ARRAY_OF_ARRAYS.match(code)
    if opening is None:
        return None
    end = _array_of_arrays_end(code, opening.end(), "]" if code.startswith("[") else ")")
    if end is None:
        return None
    return [
        [_untyped(part.strip()) for part in inner.strip().removeprefix("[").split(",")]
        for inner in single_line(code[:end], _BRACKET, "]", least=0)
    ]


def _array_of_arrays_end(code: str, position: int, closing: str) -> int | None:
    """Return the end of ``[[…], […]]`` whose first inner bracket opened before ``position``."""
    while (inner := code.find("]", position)) >= 0:
        if "\n" in code[position:inner]:
            return None
        after = _end_of(_SPACES, code, inner + 1)
        if code.startswith(closing, after):
            return after + 1
        following = _NEXT_ARRAY.match(code, after)
        position = following.end() if following else inner + 1
    return None


def _end_of(pattern: re.Pattern[str], code: str, position: int) -> int:
    match = pattern.match(code, position)
    return match.end() if match else position


def _object(code: str) -> Any:
    if code == "{}":
        return {}
    end = code.find("}")
    if not code.startswith("{") or end < 0 or "\n" in code[:end]:
        return code
    return {
        key.strip().strip("'\""): _object_value(value.strip()) for key, value in _pairs(code[1:end])
    }


def _object_value(text: str) -> Any:
    if text.startswith("[") and text.endswith("]"):
        return _array(text, None)
    return _untyped(text.strip("'\""))


def _pairs(content: str) -> Iterator[tuple[str, str]]:
    """Yield key and value texts; a value ends at a comma that a further ``key:`` follows."""
    position = 0
    while (colon := content.find(":", position + 1)) > 0:
        end = _value_end(content, colon + 1)
        yield content[position:colon], content[colon + 1 : end]
        position = end + 1


def _value_end(content: str, position: int) -> int:
    comma = content.find(",", position)
    while comma >= 0:
        following = content.find(",", comma + 1)
        segment_end = len(content) if following < 0 else following
        if content.find(":", comma + 2, segment_end) >= 0:
            return comma
        comma = following
    return len(content)


def _untyped(text: str) -> Any:
    """Return the value of an element whose type nobody declared."""
    text = text.strip()
    return text[1:-1] if _is_quoted(text) else constant(text)
