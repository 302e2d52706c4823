"""Files of JSON documents in the shapes that people write: rows with their places.

A list, one object, an object of lists, one object a line, and JSON with a mistake in it. A
mistake such as a comma too many is repaired by ``json_repair``, and the result is counted
against the text, since a repair can also lose what it does not understand. Of a file with an object
a line, one broken line never takes the others along.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import json_repair

from langchain_gorilla.errors import SourceError
from langchain_gorilla.sources.base import Refusal

_SUFFIXES: Final = (".json", ".jsonl")
_ROW_KEYS: Final = ("api_call", "api_name", "name")
"""Keys that a row has once; the first that occurs in a text counts its rows."""
_BROKEN: Final = object()
"""In the place of a line that is no document."""


@dataclass(frozen=True)
class Row:
    """One document of a file.

    Attributes:
        where: Its file and place for a person: ``Gmail_API.json row 3``, counted from 1.
        file: The file's name, below the folder that was given.
        document: As it was written.
        repaired: The JSON had a mistake: that of the file, or of its line in a file of lines.
    """

    where: str
    file: str
    document: dict[str, Any]
    repaired: bool = False


def read_rows(path: str | Path) -> Iterator[Row | Refusal]:
    """Yield the rows of a file, or of every .json and .jsonl file below a folder, by name.

    Raises:
        SourceError: There is no such file or folder, or the folder has no such file.
    """
    path = Path(path)
    if path.is_file():
        yield from _file_rows(path, path.name)
        return
    if not path.is_dir():
        raise SourceError(f"There is no file or folder {path}. Pass the path of API documents.")
    files = sorted(
        file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file()
    )
    if not files:
        raise SourceError(f"The folder {path} has no .json or .jsonl file. Pass another one.")
    for file in files:
        yield from _file_rows(file, file.relative_to(path).as_posix())


def _file_rows(path: Path, name: str) -> Iterator[Row | Refusal]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        yield Refusal(name, f"The file cannot be read ({error}). Save it as UTF-8 text.")
        return
    rows = _parsed(text)
    if rows is None:
        yield Refusal(
            name,
            "The file is no JSON, and its mistakes cannot be repaired without losing rows. "
            "Correct it with a JSON editor.",
        )
        return
    if not rows:
        yield Refusal(name, "The file holds no rows. Write API documents into it, or delete it.")
    for number, (document, repaired) in enumerate(rows, 1):
        where = f"{name} row {number}"
        if document is _BROKEN:
            yield Refusal(
                where,
                "The line is no JSON, and its mistakes cannot be repaired without losing something. "
                "Correct it, or delete the line.",
            )
        elif isinstance(document, dict):
            yield Row(where, name, document, repaired)
        else:
            yield Refusal(
                where, f"A row is {json.dumps(document)[:80]}. Expected an object with keys."
            )


def _parsed(text: str) -> list[tuple[Any, bool]] | None:
    """Return the rows, each with whether it had to be repaired; None where that is hopeless."""
    try:
        return [(row, False) for row in _rows(json.loads(text))]
    except (ValueError, RecursionError):
        pass
    if (lines := _lines(text)) is not None:
        return lines
    rows = _repaired(text)
    return None if rows is None else [(row, True) for row in rows]


def _lines(text: str) -> list[tuple[Any, bool]] | None:
    """Read a file with a document a line, ``_BROKEN`` for one that is none; None for another file.

    It is one where most lines are objects: hardly a line of any other JSON is one by itself.
    """
    # Not splitlines(): U+2028 and its kin stand unescaped in JSON's texts.
    lines = [line for line in text.split("\n") if line.strip()]
    found: list[tuple[Any, bool]] = []
    broken = []
    for place, line in enumerate(lines):
        try:
            found.append((json.loads(line), False))
        except (ValueError, RecursionError):
            found.append((_BROKEN, False))
            broken.append(place)
    if broken and 2 * sum(isinstance(document, dict) for document, _ in found) <= len(found):
        return None
    for place in broken:
        # A line that was cut off would be repaired to a call that was cut off.
        rows = _repaired(lines[place]) if lines[place].rstrip().endswith("}") else None
        if rows is not None and len(rows) == 1:
            found[place] = (rows[0], True)
    return found


def _repaired(text: str) -> list[Any] | None:
    """Return the rows of JSON with a mistake; None where one might be lost."""
    try:
        repaired = json_repair.loads(text, skip_json_loads=True)
    except (ValueError, RecursionError):
        return None
    rows = _rows(repaired)
    key = next((key for key in _ROW_KEYS if f'"{key}"' in text), None)
    if key is None or sum(isinstance(row, dict) for row in rows) < text.count(f'"{key}"'):
        return None
    return rows


def _rows(content: Any) -> list[Any]:
    """Find the rows: a list, an object that is one, or an object with lists of them."""
    if isinstance(content, list):
        # One list put into another is a slip of whoever joined two files.
        return [
            row for each in content for row in (_rows(each) if isinstance(each, list) else [each])
        ]
    if isinstance(content, dict) and not any(key in content for key in (*_ROW_KEYS, "function")):
        lists = [value for value in content.values() if isinstance(value, list) and value]
        if lists and all(isinstance(row, dict) for rows in lists for row in rows):
            return [row for rows in lists for row in rows]
    return [content]
