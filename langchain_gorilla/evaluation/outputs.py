"""Where a command writes: found out before it runs for hours, not after."""

import json
from pathlib import Path
from typing import Any

from langchain_gorilla.errors import GorillaError


class UnwritableOutputError(GorillaError, ValueError):
    """A file or folder that was to be written cannot be."""


def check_outputs(*, json_file: Path | None = None, folder: Path | None = None) -> None:
    """Refuse targets in whose place something else stands; nothing is written yet.

    Raises:
        UnwritableOutputError: ``json_file`` is a folder, ``folder`` is a file, or either lies
            below a file; says which.
    """
    if json_file is not None and json_file.is_dir():
        raise UnwritableOutputError(f"--json {json_file} is a folder. Name a file to write.")
    if folder is not None and folder.exists() and not folder.is_dir():
        raise UnwritableOutputError(f"--out {folder} is a file. Name a folder, new or not.")
    for target in filter(None, (json_file, folder)):
        for parent in target.parents:
            if parent.exists() and not parent.is_dir():
                raise UnwritableOutputError(
                    f"{target} cannot be written: {parent} is a file, not a folder."
                )


def write_json(path: Path | None, figures: Any) -> None:
    """Write figures as JSON; None writes nothing.

    Raises:
        UnwritableOutputError: The file cannot be written; says why.
    """
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        raise UnwritableOutputError(
            f"{path} cannot be written: {error.strerror}. Name another file."
        ) from error
