"""The answers of a run on disk: a run that was killed anywhere goes on where it stopped.

``answers.jsonl`` holds the run's options and its model's fingerprint in the first line, and one
answer in each further one. A run with other options, or of a model whose files have changed, is
refused rather than mixed in.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from langchain_gorilla.errors import GorillaError
from langchain_gorilla.evaluation.model_files import model_fingerprint
from langchain_gorilla.evaluation.outputs import ESCAPED, write_text, writing
from langchain_gorilla.evaluation.rows import Row, read_rows
from langchain_gorilla.evaluation.scoring import Answer

ANSWERS_FILE = "answers.jsonl"


class DifferentRunError(GorillaError, ValueError):
    """The folder holds answers of a run with other options, or of another model."""


class RunInUseError(GorillaError, RuntimeError):
    """Another process is writing to the folder."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes from writing to a run's folder; gone with the process, if it ends.

    Raises:
        RunInUseError: Another one is writing to it.
    """
    import portalocker

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as file:
        try:
            portalocker.lock(file, portalocker.LOCK_EX | portalocker.LOCK_NB)
        except portalocker.exceptions.LockException as error:
            raise RunInUseError(
                f"Another process is writing its answers to {folder}, and one at a time may. Wait "
                "for it, or choose another --out."
            ) from error
        yield


def open_run(folder: Path, options: Mapping[str, Any]) -> dict[str, tuple[str, Answer]]:
    """Make ``answers.jsonl`` ready for further lines, and return what it holds.

    What a killed run left half written is taken off; its question is asked anew.

    Args:
        folder: Of the run; made where it is missing.
        options: Of the run, ``model`` among them.

    Returns:
        The recorded answers by case, each with its question's fingerprint.

    Raises:
        DifferentRunError: The recorded options are other ones, or the model's files have changed.
        MissingModelError: The model's folder does not exist.
        UnwritableOutputError: The file cannot be written; says why.
    """
    path = folder / ANSWERS_FILE
    header = {"options": dict(options), "model_files": model_fingerprint(options["model"])}
    data = path.read_bytes() if path.exists() else b""
    if b"\n" not in data.strip() and not _is_object(data):
        # New, or killed while its first line was written.
        _write(path, [header])
        return {}
    rows, problems = read_rows(path)
    different = _difference(rows[0].fields if rows else {}, header)
    if different:
        raise DifferentRunError(
            f"{path} holds another run: {different}. Choose another --out, or remove the folder to "
            "start anew."
        )
    recorded = [(row.fields, answer) for row in rows[1:] if (answer := _recorded(row)) is not None]
    if problems or len(recorded) < len(rows) - 1 or not data.endswith(b"\n"):
        # What follows must begin on a line of its own.
        _write(path, [rows[0].fields, *(fields for fields, _ in recorded)])
    return {answer.case_id: (question, answer) for _, (question, answer) in recorded}


def add_answer(folder: Path, question: str, answer: Answer) -> None:
    """Write an answer behind the others of a run.

    Args:
        folder: Of the run; ``open_run`` has made it ready.
        question: Fingerprint of what was asked.
        answer: To it.

    Raises:
        UnwritableOutputError: The file cannot be written; says why.
    """
    path = folder / ANSWERS_FILE
    line = json.dumps({"question": question, **asdict(answer)}, ensure_ascii=False)
    with writing(path), path.open("a", encoding="utf-8", errors=ESCAPED) as file:
        file.write(line + "\n")


def _is_object(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except ValueError:
        return False


def _write(path: Path, rows: list[Mapping[str, Any]]) -> None:
    """Write the file whole or not at all, so that being killed here loses nothing."""
    partial = path.with_name(f"{path.name}.partial")
    lines = [json.dumps(dict(row), ensure_ascii=False) + "\n" for row in rows]
    write_text(partial, "".join(lines))
    os.replace(partial, path)


def _difference(recorded: Mapping[str, Any], asked: Mapping[str, Any]) -> str | None:
    """Say why the recorded run is another one than is asked for; None where it is the same."""
    options = recorded.get("options")
    if not isinstance(options, dict):
        return "its first line holds no options"
    now = asked["options"]
    names = [name for name in {**options, **now} if options.get(name) != now.get(name)]
    if names:
        changed = (f"{name} was {options.get(name)}, not {now.get(name)}" for name in names)
        return f"with other options: {', '.join(changed)}"
    files = recorded.get("model_files")
    if files is None:
        return "it does not say which files its model had"
    # An id alone was written, or is all that is known now, where nothing is downloaded.
    if now["model"] in (files, asked["model_files"]) or files == asked["model_files"]:
        return None
    return f"the files of the model {now['model']} have changed since"


def _recorded(row: Row) -> tuple[str, Answer] | None:
    """Return the answer of a row with its question's fingerprint; None for what is no answer."""
    fields = dict(row.fields)
    question, case_id = fields.pop("question", None), fields.get("case_id")
    if not isinstance(question, str) or not isinstance(case_id, str):
        return None
    if fields.keys() != Answer.__dataclass_fields__.keys():
        return None
    if not _are_objects(fields["calls"]) or not _are_objects(fields["refused"]):
        return None
    fields["calls"], fields["refused"] = tuple(fields["calls"]), tuple(fields["refused"])
    return question, Answer(**fields)


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)
