"""JSON rows from files that may be broken: what can be read, and what is wrong, by file and row.

One bad row never takes the others along; it becomes an ``InputProblem`` that names it.
"""

import codecs
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_gorilla.errors import GorillaError


class UnreadableFileError(GorillaError, ValueError):
    """A file is missing or cannot be opened; nothing in it can be evaluated."""


@dataclass(frozen=True)
class InputProblem:
    """Something wrong with one row of an input.

    Attributes:
        file: Name of the file.
        row: Its line, from 1; 0 for the file as a whole.
        what: What is wrong, and what was done about it.
    """

    file: str
    row: int
    what: str

    def __str__(self) -> str:
        where = f"{self.file}, row {self.row}" if self.row else self.file
        return f"{where}: {self.what}"


@dataclass(frozen=True)
class Row:
    """One JSON object of a file, with its line number from 1."""

    number: int
    fields: Mapping[str, Any]


def read_rows(path: Path) -> tuple[list[Row], list[InputProblem]]:
    """Read a file of JSON objects, one a line, or one JSON array of objects.

    Raises:
        UnreadableFileError: There is no such file, or it cannot be opened.
    """
    try:
        data = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise UnreadableFileError(f"Cannot read {path}: {error.strerror}.") from error
    if data.lstrip().startswith(b"["):
        return _array(path.name, data)
    rows, problems = [], []
    # Not splitlines(): U+2028 and its kin stand unescaped in JSON's texts.
    lines = data.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = _object(line, is_open=number == len(lines))
        if isinstance(found, str):
            problems.append(InputProblem(path.name, number, f"{found}; left out"))
        else:
            rows.append(Row(number, found))
    if not rows:
        problems.append(InputProblem(path.name, 0, "holds no rows"))
    return rows, problems


def _object(line: bytes, *, is_open: bool) -> dict[str, Any] | str:
    """Return the object of a line, or what is wrong; no newline ends a line that ``is_open``."""
    may_be_cut = is_open and line.lstrip().startswith(b"{")
    try:
        fields = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        if may_be_cut and error.reason == "unexpected end of data":
            return "the file is cut off here"
        return f"not UTF-8 (byte 0x{line[error.start]:02x} after {error.start} bytes)"
    except (ValueError, RecursionError) as error:
        return "the file is cut off here" if may_be_cut else f"not JSON ({error})"
    return fields if isinstance(fields, dict) else "not a JSON object"


def _array(name: str, data: bytes) -> tuple[list[Row], list[InputProblem]]:
    try:
        items = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        return [], [InputProblem(name, 0, f"not UTF-8 ({error}); left out")]
    except (ValueError, RecursionError) as error:
        return [], [InputProblem(name, 0, f"not JSON ({error}); left out")]
    rows = [Row(n, item) for n, item in enumerate(items, start=1) if isinstance(item, dict)]
    problems = [
        InputProblem(name, number, "not a JSON object; left out")
        for number, item in enumerate(items, start=1)
        if not isinstance(item, dict)
    ]
    return rows, problems


def usable_rows(
    name: str, rows: Sequence[Row], *, key: str, required: Mapping[str, type | tuple[type, ...]]
) -> tuple[list[Row], list[InputProblem]]:
    """Keep the rows with an id of their own and every required field.

    Args:
        name: The file, for the problems.
        rows: As read.
        key: The field that identifies a row; of two rows with one id the first is kept.
        required: Field to type, ``key`` among them.
    """
    kept: dict[Any, Row] = {}
    problems = []
    for row in rows:
        wrong = [
            f"no {field}" if field not in row.fields else f"{field} is of the wrong type"
            for field, kind in required.items()
            if not _is_a(row.fields.get(field), kind)
        ]
        if wrong:
            problems.append(InputProblem(name, row.number, f"{', '.join(wrong)}; left out"))
        elif (first := kept.get(row.fields[key])) is not None:
            what = f"{key} {row.fields[key]!r} stands in row {first.number} already; left out"
            problems.append(InputProblem(name, row.number, what))
        else:
            kept[row.fields[key]] = row
    return list(kept.values()), problems


def _is_a(value: Any, kind: type | tuple[type, ...]) -> bool:
    # To Python True is a 1; as an id it is a mistake.
    return isinstance(value, kind) and not isinstance(value, bool)
