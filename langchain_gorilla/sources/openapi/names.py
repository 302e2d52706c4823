"""Names for tools and arguments: as the description has them, where they can stand.

A tool is named after its ``operationId``, or after method and path: ``get_users_id``. The name
consists of letters, digits and underscores and has at most 64 characters, which every model and
server accepts; a long one ends in a digest of the whole. A name that is taken is followed by
method and path, and if need be by a number; the order of the description decides.

An argument is named as its parameter or property. Where two have one name, or names that a model
would write the same, the first keeps it: path, then query, header, cookie, body. The others get
their place as an ending, ``id_body``, and if need be a number. Comparisons at the end of a name are
words, as most APIs have them: Twilio's ``DateSent<`` is ``DateSent_lt``.
"""

import re
from typing import Final

from langchain_gorilla.aliases import identifier, openai_name

_COMPARISONS: Final = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "!=": "ne", "<>": "ne"}


def tool_name(operation_id: str | None, method: str, path: str, taken: set[str]) -> str:
    """Return a tool's name, and take it."""
    fallback = f"{method.lower()}/{path}"
    name = _safe(operation_id) if operation_id else ""
    if not re.search(r"[A-Za-z0-9]", name) or name in taken:
        name = _safe(fallback)
    base, number = name, 2
    while name in taken:
        name, number = _safe(f"{base}_{number}"), number + 1
    taken.add(name)
    return name


def _safe(text: str) -> str:
    text = re.sub(r"[^A-Za-z0-9_]+", "_", text)
    return openai_name(identifier(text.strip("_") or "_"))


class ArgumentNames:
    """Gives the arguments of one operation their names."""

    def __init__(self) -> None:
        """Begin with none."""
        self._written: set[str] = set()

    def take(self, name: str, place: str) -> str:
        """Return the argument's name for a parameter or property in a place."""
        name = _in_words(name) or "_"
        argument, number = name, 2
        if identifier(argument) in self._written:
            argument = base = f"{name}_{place}"
            while identifier(argument) in self._written:
                argument, number = f"{base}_{number}", number + 1
        self._written.add(identifier(argument))
        return argument


def _in_words(name: str) -> str:
    """Return a name with its last signs as a word: all signs look the same in an identifier."""
    found = re.fullmatch(r"(.*\w)([<>=!]+)", name)
    if found is None or (word := _COMPARISONS.get(found[2])) is None:
        return name
    return f"{found[1]}_{word}"
