"""The files of a training run that let it go on: its checkpoint and its log.

A checkpoint names the settings that its batches depend on, so that a run is never continued
as a mixture of two.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from langchain_gorilla.errors import ModelLoadError, UnsupportedOptionError
from langchain_gorilla.evaluation.outputs import UnwritableOutputError, write_text

_EXPECTED = (
    "Expected: a whole checkpoint of this program. Give such a one; in a run's folder, delete it "
    "to begin anew, or pass another --out."
)


def write(file: Path, state: Mapping[str, Any]) -> None:
    """Replace a checkpoint at once, so that a kill or a full disk leaves the old one whole.

    Raises:
        UnwritableOutputError: There is no room for it.
    """
    partial = file.with_suffix(".part")
    try:
        torch.save(state, partial)
    except RuntimeError as error:  # of a full disk torch says "unexpected pos 832 vs 726"
        partial.unlink(missing_ok=True)
        raise UnwritableOutputError(
            f"{file} cannot be written; one from before is still whole. Expected: room for a "
            "second one beside it. Make room and run the same again; it goes on from there."
        ) from error
    partial.replace(file)


def read(file: Path, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give the state that a run goes on from, its tensors on the CPU.

    Args:
        file: The checkpoint.
        settings: Of the run that is about to begin, by the names of the options; plain values.

    Returns:
        What was written; None where there is no checkpoint yet.

    Raises:
        ModelLoadError: The file is damaged, or no checkpoint.
        UnsupportedOptionError: The checkpoint was made with other settings; names each.
    """
    if not file.exists():
        return None
    state = load(file)
    before = state["settings"]
    changed = [
        f"{name} was {before[name]} and is {value}"
        for name, value in settings.items()
        if name in before and before[name] != value
    ]
    if changed:
        raise UnsupportedOptionError(
            f"The run in {file.parent} was begun otherwise: {'; '.join(changed)}. Expected: the "
            "same, so that it goes on as it was. Pass what it had, or another --out."
        )
    return state


def load(file: Path) -> dict[str, Any]:
    """Give the state in a checkpoint, its tensors on the CPU.

    Raises:
        ModelLoadError: The file is missing, damaged, or no checkpoint.
    """
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # what is no pickle sends its reader anywhere, such as KeyError: 101
        raise ModelLoadError(f"{file} cannot be read. {_EXPECTED}") from error
    if not isinstance(state, dict) or "settings" not in state:
        raise ModelLoadError(f"{file} is no checkpoint. {_EXPECTED}")
    return state


def cut_log(file: Path, step: int) -> None:
    """Drop the rows after a step, which will be taken again, and a row that was cut by a kill.

    Args:
        file: JSON lines, each with its ``step``; may be missing.
        step: The checkpoint's.
    """
    if not file.exists():
        return
    whole = [one for one in file.read_text("utf-8").splitlines(keepends=True) if one[-1] == "\n"]
    kept = [one for one in whole if json.loads(one)["step"] <= step]
    partial = file.with_suffix(".part")
    write_text(partial, "".join(kept))
    partial.replace(file)
