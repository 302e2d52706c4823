"""Where a command writes: found out before it runs for hours, not after."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from langchain_gorilla.errors import GorillaError

ESCAPED = "backslashreplace"
"""How half a surrogate, which UTF-8 has no bytes for, is written: as JSON's own escape."""


class UnwritableOutputError(GorillaError, ValueError):
    """A file or folder that was to be written cannot be."""


def check_outputs(*, json_file: Path | None = None, folder: Path | None = None) -> None:
    """Refuse targets that cannot be written; what is made to find out is taken away again.

    Raises:
        UnwritableOutputError: ``json_file`` is a folder, ``folder`` is a file, either lies below a
            file, or the system refuses; says which.
    """
    if json_file is not None:
        with writing(json_file):
            if json_file.is_dir():
                raise UnwritableOutputError(f"{json_file} is a folder. Name a file to write.")
            _refuse_below_a_file(json_file)
            # What is there, such as /dev/stdout or a link, is left alone.
            if not os.path.lexists(json_file):
                _try_out(json_file)
    if folder is not None:
        with writing(folder):
            if folder.exists() and not folder.is_dir():
                raise UnwritableOutputError(f"--out {folder} is a file. Name a folder, new or not.")
            _refuse_below_a_file(folder)
            _try_out(folder / f".{uuid4()}")


def _refuse_below_a_file(target: Path) -> None:
    for parent in target.parents:
        if parent.exists() and not parent.is_dir():
            raise UnwritableOutputError(
                f"{target} cannot be written: {parent} is a file, not a folder."
            )


def _try_out(file: Path) -> None:
    """Make a file with its folders, and leave nothing of it; permissions alone do not tell."""
    made = [place for place in file.parents if not place.exists()]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        file.unlink(missing_ok=True)
    finally:
        for place in made:
            with suppress(OSError):
                place.rmdir()


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Name what is written, where the system refuses.

    Raises:
        UnwritableOutputError: The target cannot be written, such as on a full disk; says why.
    """
    try:
        yield
    except OSError as error:
        raise UnwritableOutputError(
            f"{target} cannot be written: {error.strerror}. Name another place."
        ) from error


def write_json(path: Path | None, figures: Any) -> None:
    """Write figures as JSON; None writes nothing.

    Raises:
        UnwritableOutputError: The file cannot be written; says why.
    """
    if path is not None:
        write_text(path, json.dumps(figures, ensure_ascii=False, indent=1))


def write_text(path: Path, text: str) -> None:
    """Write a file, with its folders.

    Raises:
        UnwritableOutputError: The file cannot be written; says why.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors=ESCAPED)
