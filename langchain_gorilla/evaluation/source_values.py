"""What ``java_values`` and ``javascript_values`` read alike.

Text that does not fit stays text, and nothing here evaluates any.
"""

import re
from collections.abc import Iterator

_INTEGER = re.compile(r"-?\d+$")


def integer(text: str) -> int | str:
    """Return the integer that the text is, or the text.

    Raises:
        ValueError: It has thousands of digits.
    """
    return int(text) if _INTEGER.match(text) else text


def boolean(text: str) -> bool | str:
    """Return the truth value that the text is, or the text."""
    return text == "true" if text in ("true", "false") else text


def constant(text: str) -> bool | int | float | str:
    """Return the truth value or number that a text of undeclared type is, or the text."""
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def single_line(text: str, opening: re.Pattern[str], closing: str, *, least: int) -> Iterator[str]:
    """Yield what stands on one line between ``opening`` and the next ``closing``, ``least`` long.

    What the regular expression ``opening(.{least,}?)closing`` finds, in linear time.
    """
    position, end = 0, -1
    while match := opening.search(text, position):
        start = match.end()
        if end < start + least:
            end = text.find(closing, start + least)
            if end < 0:
                return
        if "\n" in text[start:end]:
            position = start
            continue
        yield text[start:end]
        position = end + len(closing)
