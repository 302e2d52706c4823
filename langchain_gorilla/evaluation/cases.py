"""BFCL questions from BFCL's own files, or from rows that carry their answers.

Two layouts are read, whichever a file has:

- BFCL's: ``BFCL_v4_{category}.json`` with ``id``, ``question``, ``function``, and the answers in
  ``possible_answer/BFCL_v4_{category}.json`` beside it with ``id``, ``ground_truth``;
- whole rows: ``id``, ``category``, ``question``, ``functions``, and ``possible_answer``, or
  ``expect`` with ``"call"`` or ``"no_call"``.

Questions and answers are matched by id, in whatever order they stand.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_gorilla.evaluation.bfcl_checker import Language
from langchain_gorilla.evaluation.rows import (
    InputProblem,
    Row,
    UnreadableFileError,
    read_rows,
    usable_rows,
)

CATEGORIES = (
    "simple_python",
    "simple_java",
    "simple_javascript",
    "multiple",
    "parallel",
    "parallel_multiple",
    "live_simple",
    "live_multiple",
    "live_parallel",
    "live_parallel_multiple",
    "irrelevance",
    "live_irrelevance",
    "live_relevance",
)
"""BFCL's single-turn categories, in the order of reports."""

_OLDER_NAMES = {
    "simple": "simple_python",
    "java": "simple_java",
    "javascript": "simple_javascript",
    "relevance": "live_relevance",
}
_PREFIX = re.compile(r"^bfcl-")

_NO_POSSIBLE_ANSWER = "no possible answer, which is a list of {name: {parameter: [values]}}"

_ROLES = ("system", "developer", "user", "assistant")
"""Who speaks in a single turn; results of tools need a call before them."""


@dataclass(frozen=True)
class Case:
    """One question.

    Attributes:
        id: BFCL's, such as ``"live_simple_0-0-0"``.
        category: One of ``CATEGORIES``.
        messages: ``{"role", "content"}`` dicts of the single turn.
        functions: As in BFCL's files, with its type names.
        possible_answers: BFCL's ``ground_truth``; empty where only calling or not calling counts.
        expects_call: False where no offered function fits.
    """

    id: str
    category: str
    messages: tuple[Mapping[str, Any], ...]
    functions: tuple[Mapping[str, Any], ...]
    possible_answers: tuple[Mapping[str, Any], ...]
    expects_call: bool

    @property
    def language(self) -> Language:
        """What arguments are written in."""
        if self.category == "simple_java":
            return "java"
        return "javascript" if self.category == "simple_javascript" else "python"


def read_cases(paths: Sequence[Path]) -> tuple[list[Case], list[InputProblem]]:
    """Read questions from files and folders; what cannot be used is named and left out.

    Raises:
        UnreadableFileError: A path does not exist, or no file there can be read.
    """
    cases: dict[str, Case] = {}
    places: dict[str, str] = {}
    problems: list[InputProblem] = []
    for path in (file for given in paths for file in _files(given)):
        found, wrong = _read_file(path)
        problems += wrong
        for row, case in found:
            if case.id in cases:
                what = f"id {case.id!r} stands in {places[case.id]} already; left out"
                problems.append(InputProblem(path.name, row, what))
            else:
                cases[case.id] = case
                places[case.id] = f"{path}, row {row},"
    return list(cases.values()), problems


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted([*path.glob("BFCL_v*.json"), *path.glob("*.jsonl")])
    if not files:
        raise UnreadableFileError(f"{path} holds no BFCL_v*.json and no *.jsonl.")
    return files


def _read_file(path: Path) -> tuple[list[tuple[int, Case]], list[InputProblem]]:
    rows, problems = read_rows(path)
    usable, left_out = usable_rows(
        path.name, rows, key="id", required={"id": str, "question": list}
    )
    answers, answer_problems = _answers(path, usable)
    problems += [*left_out, *answer_problems]
    cases = []
    unanswered = []
    for row in usable:
        case = _case(row, answers)
        if isinstance(case, Case):
            cases.append((row.number, case))
        elif case == _NO_POSSIBLE_ANSWER:
            unanswered.append(row.number)
        else:
            problems.append(InputProblem(path.name, row.number, f"{case}; left out"))
    file = path.parent / "possible_answer" / path.name
    if len(unanswered) > 1 and not file.exists():
        what = f"{len(unanswered)} questions without an answer, and there is no {file}; left out"
        return cases, [*problems, InputProblem(path.name, 0, what)]
    return cases, problems + [
        InputProblem(path.name, row, f"{_NO_POSSIBLE_ANSWER}; left out") for row in unanswered
    ]


def _case(row: Row, answers: Mapping[str, Any]) -> Case | str:
    """Return the question of a row, or what is wrong with the row."""
    fields = row.fields
    id_ = _PREFIX.sub("", fields["id"])
    category = fields.get("category") or id_.rsplit("_", 1)[0]
    if not isinstance(category, str):
        return "category is no text"
    category = _OLDER_NAMES.get(category, category)
    if category not in CATEGORIES:
        return f"category {category!r} is none of BFCL's single-turn categories"
    turns = fields["question"]
    if not (turns and isinstance(turns[0], list) and turns[0] and all(map(_is_message, turns[0]))):
        return (
            "question is no list of turns with messages, each with content and a role of "
            f"{', '.join(_ROLES)}"
        )
    functions = fields.get("functions", fields.get("function"))
    if isinstance(functions, dict):
        functions = [functions]
    if not isinstance(functions, list) or not all(map(_is_function, functions)):
        return "no functions with name and parameters whose properties are objects"
    expects_call = fields.get("expect") != "no_call" and not category.endswith("irrelevance")
    possible = fields.get("possible_answer", answers.get(fields["id"]))
    if "relevance" in category:
        possible = []
    elif not _is_answer(possible):
        return _NO_POSSIBLE_ANSWER
    elif not functions:
        return "no functions, though the answer calls one"
    return Case(id_, category, tuple(turns[0]), tuple(functions), tuple(possible), expects_call)


def _is_message(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("role") in _ROLES
        and isinstance(value.get("content"), str)
    )


def _is_function(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("parameters"), dict):
        return False
    properties = value["parameters"].get("properties", {})
    return (
        isinstance(value.get("name"), str)
        and isinstance(properties, dict)
        and all(isinstance(schema, dict) for schema in properties.values())
    )


def _is_answer(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_possible_call, value))


def _is_possible_call(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(
            isinstance(allowed, dict) and all(isinstance(each, list) for each in allowed.values())
            for allowed in value.values()
        )
    )


def _answers(path: Path, questions: Sequence[Row]) -> tuple[dict[str, Any], list[InputProblem]]:
    """Read the answers that BFCL keeps in a folder beside the questions."""
    file = path.parent / "possible_answer" / path.name
    if not file.exists():
        return {}, []
    rows, problems = read_rows(file)
    name = f"possible_answer/{file.name}"
    problems = [InputProblem(name, problem.row, problem.what) for problem in problems]
    usable, left_out = usable_rows(name, rows, key="id", required={"id": str, "ground_truth": list})
    problems += left_out
    asked = {row.fields["id"]: position for position, row in enumerate(questions)}
    for row in usable:
        if row.fields["id"] not in asked:
            what = f"answers {row.fields['id']!r}, which is not asked; left out"
            problems.append(InputProblem(name, row.number, what))
    positions = [asked[row.fields["id"]] for row in usable if row.fields["id"] in asked]
    if positions != sorted(positions):
        what = "answers stand in another order than the questions; matched by id"
        problems.append(InputProblem(name, 0, what))
    return {row.fields["id"]: row.fields["ground_truth"] for row in usable}, problems
