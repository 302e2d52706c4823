"""The Gorilla paper's table from recorded answers, beside the published figures."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from langchain_gorilla.errors import GorillaError
from langchain_gorilla.evaluation.apibench import PaperMatcher, StrictMatcher
from langchain_gorilla.evaluation.apibench_data import Benchmark, Hub
from langchain_gorilla.evaluation.python_trees import parser_at_hand
from langchain_gorilla.evaluation.rows import InputProblem, Row, read_rows, usable_rows

PUBLISHED: dict[Hub, dict[str, tuple[float, float]]] = {
    "torchhub": {
        "FT 0_shot": (59.13, 6.98),
        "FT bm25": (37.63, 11.29),
        "FT gpt_index": (60.21, 4.30),
        "FT oracle": (54.83, 15.59),
        "RT 0_shot": (0, 100),
        "RT bm25": (40.32, 4.30),
        "RT gpt_index": (61.82, 0),
        "RT oracle": (67.20, 0),
    },
    "huggingface": {
        "FT 0_shot": (71.68, 10.95),
        "FT bm25": (11.28, 46.46),
        "FT gpt_index": (28.10, 41.48),
        "FT oracle": (45.58, 52.77),
        "RT 0_shot": (0, 99.67),
        "RT bm25": (17.04, 6.42),
        "RT gpt_index": (47.46, 8.19),
        "RT oracle": (91.26, 7.08),
    },
    "tensorflowhub": {
        "FT 0_shot": (83.79, 5.40),
        "FT bm25": (34.30, 20.43),
        "FT gpt_index": (52.40, 19.70),
        "FT oracle": (82.91, 13.28),
        "RT 0_shot": (0, 100),
        "RT bm25": (41.89, 2.77),
        "RT gpt_index": (64.96, 2.33),
        "RT oracle": (94.16, 1.89),
    },
}
"""Accuracy and hallucination in percent: table 2 of arXiv 2305.15334v1. FT was trained without
retrieved documents, RT with the right one in the prompt."""

DUPLICATES_CREDITED = "correct, duplicates credited"
"""Counts answers that match any database row of the right domain with the call."""

CLOSE_ENOUGH_POINTS = 0.3

_MOST_ROWS_NAMED = 20

_SETTING = re.compile(r"_(FT|RT)_(0_shot|bm25|gpt_index|oracle)\b")


class NoResponsesError(GorillaError, ValueError):
    """The folder holds no answers for this hub."""


@dataclass(frozen=True)
class FileFigures:
    """What one file of recorded answers scores.

    Attributes:
        name: The file, as seen from the folder.
        setting: Such as ``"FT bm25"``; None where the name does not say.
        n: Answers that were judged.
        paper: Verdicts of the paper's scripts, counted.
        strict: Verdicts by exact arguments, counted.
        published: Accuracy and hallucination in percent, where the paper has them.
        problems: Rows that were left out, and notes.
    """

    name: str
    setting: str | None
    n: int
    paper: Counter[str]
    strict: Counter[str]
    published: tuple[float, float] | None
    problems: tuple[InputProblem, ...]

    def share(self, verdict: str, *, strict: bool = False) -> float:
        """Return a verdict's share of the answers, 0 to 1."""
        counts = self.strict if strict else self.paper
        return counts[verdict] / self.n if self.n else 0.0

    @property
    def reproduces(self) -> tuple[bool, bool] | None:
        """Say whether the published accuracy and hallucination return, within 0.3 points.

        The accuracy may be that with duplicates credited. None where nothing is published.
        """
        if self.published is None:
            return None
        accuracy, hallucination = self.published
        return (
            any(
                _is_close(self.share(counted), accuracy)
                for counted in ("correct", DUPLICATES_CREDITED)
            ),
            _is_close(self.share("hallucination"), hallucination),
        )


def _is_close(share: float, percent: float) -> bool:
    return abs(100 * share - percent) <= CLOSE_ENOUGH_POINTS


def judge_folder(
    folder: Path, benchmark: Benchmark, *, grammar: Path | None = None
) -> Iterator[FileFigures]:
    """Judge every file of recorded answers of one hub, in the order of their names.

    Args:
        folder: Searched with its subfolders for ``*{hub}*.jsonl``.
        benchmark: The hub's APIs and question domains.
        grammar: A compiled grammar of Python instead of the installed one.

    Raises:
        NoResponsesError: There is no such file.
        GrammarError: tree-sitter is not installed.
    """
    if not folder.is_dir():
        raise NoResponsesError(f"{folder} is no folder. Give the one with the recorded answers.")
    files = sorted(
        (path for path in folder.rglob("*.jsonl") if benchmark.hub in path.name),
        key=lambda path: (path.name, path),
    )
    if not files:
        raise NoResponsesError(
            f"{folder} holds no *{benchmark.hub}*.jsonl. Give the folder with the recorded "
            "answers, such as eval/eval-data/responses of Gorilla's repository."
        )
    paper = PaperMatcher(benchmark.hub, benchmark.apis, grammar=grammar)
    strict = StrictMatcher(benchmark.apis)
    for path in files:
        yield _judge_file(path, path.relative_to(folder).as_posix(), benchmark, paper, strict)


def _judge_file(
    path: Path, name: str, benchmark: Benchmark, paper: PaperMatcher, strict: StrictMatcher
) -> FileFigures:
    rows, problems = read_rows(path)
    usable, left_out = usable_rows(
        name, rows, key="question_id", required={"question_id": int, "text": str}
    )
    known, unknown = _with_known_questions(name, usable, len(benchmark.question_domains))
    paper_verdicts: Counter[str] = Counter()
    strict_verdicts: Counter[str] = Counter()
    for row in known:
        domain = benchmark.question_domains[row.fields["question_id"] - 1]
        judged = paper.verdict(row.fields["text"], domain)
        paper_verdicts[judged.verdict] += 1
        paper_verdicts[DUPLICATES_CREDITED] += judged.duplicate_right
        strict_verdicts[strict.verdict(row.fields["text"], domain)] += 1
    found = _SETTING.search(path.stem)
    setting = " ".join(found.groups()) if found else None
    return FileFigures(
        name,
        setting,
        len(known),
        paper_verdicts,
        strict_verdicts,
        PUBLISHED[benchmark.hub].get(setting) if setting else None,
        tuple(
            sorted(
                (
                    *(replace(problem, file=name) for problem in problems),
                    *left_out,
                    *unknown,
                    *_notes(name, known, len(benchmark.question_domains)),
                ),
                key=lambda problem: problem.row,
            )
        ),
    )


def _with_known_questions(
    name: str, rows: Sequence[Row], questions: int
) -> tuple[list[Row], list[InputProblem]]:
    known = [row for row in rows if 1 <= row.fields["question_id"] <= questions]
    problems = [
        InputProblem(
            name,
            row.number,
            f"question_id {row.fields['question_id']} is none of 1 to {questions}; left out",
        )
        for row in rows
        if not 1 <= row.fields["question_id"] <= questions
    ]
    return known, problems


def _notes(name: str, rows: Sequence[Row], questions: int) -> Iterator[InputProblem]:
    ids = [row.fields["question_id"] for row in rows]
    for row, one, following in zip(rows[1:], ids, ids[1:], strict=False):
        if following < one:
            what = "answers stand in another order than the questions; matched by question_id"
            yield InputProblem(name, row.number, what)
            break
    empty = [row.number for row in rows if not row.fields["text"].strip()]
    if empty:
        first = ", ".join(map(str, empty[:_MOST_ROWS_NAMED]))
        more = f" and {len(empty) - _MOST_ROWS_NAMED} more" if empty[_MOST_ROWS_NAMED:] else ""
        yield InputProblem(name, 0, f"empty answers in rows {first}{more}; judged as they are")
    if len(rows) < questions:
        what = f"{questions - len(rows)} of {questions} questions have no answer; not counted"
        yield InputProblem(name, 0, what)


def labels(files: Sequence[FileFigures]) -> list[str]:
    """Return what each file is called: its setting, or its name where that is not its own."""
    settings = Counter(file.setting for file in files)
    return [
        file.setting if file.setting and settings[file.setting] == 1 else file.name
        for file in files
    ]


def as_json(files: Sequence[FileFigures]) -> dict[str, Any]:
    """Return the figures for ``--json``: fractions 0 to 1 by file, as seen from the folder."""
    return {
        "files": {
            file.name: {
                "n": file.n,
                "accuracy": file.share("correct"),
                "hallucination": file.share("hallucination"),
                "accuracy_duplicates_credited": file.share(DUPLICATES_CREDITED),
                "strict": {
                    "accuracy": file.share("correct", strict=True),
                    "hallucination": file.share("hallucination", strict=True),
                    "no_call": file.share("no_call", strict=True),
                },
                "published": None if file.published is None else [p / 100 for p in file.published],
                "reproduces": None
                if file.reproduces is None
                else dict(zip(("accuracy", "hallucination"), file.reproduces, strict=True)),
                "problems": [str(problem) for problem in file.problems],
            }
            for file in files
        }
    }


_WHY_NOT: dict[Hub, str] = {
    "torchhub": "TorchHub's database was cleaned after the paper, so no row can return.",
    "huggingface": (
        "Duplicate database rows cost HuggingFace accuracy (zero-shot returns with them credited)."
    ),
    "tensorflowhub": "Why is not known: its recorded answers were not at hand here.",
}

_WHY_NOT_ZERO_SHOT: dict[Hub, str] = {
    "torchhub": "its answers hold no api_call, which the script counts as neither.",
    "huggingface": "the file scores like oracle, so its questions held the documents.",
    "tensorflowhub": "the paper counts answers without a call as hallucinations.",
}


def explanations(
    hub: Hub, files: Sequence[FileFigures], *, grammar: Path | None = None
) -> list[str]:
    """Say which rows return and why others do not; ``grammar`` as for ``judge_folder``."""
    known = [
        (label, file)
        for label, file in zip(labels(files), files, strict=True)
        if file.reproduces is not None
    ]
    if not known:
        return []
    both = [label for label, file in known if file.reproduces == (True, True)]
    different = [(label, file) for label, file in known if file.reproduces != (True, True)]
    lines = [f"Both published figures return: {', '.join(both) or 'none'}."]
    if different:
        lines.append(f"Not both: {', '.join(label for label, _ in different)}. {_WHY_NOT[hub]}")
    if any(file.setting == "RT 0_shot" for _, file in different):
        lines.append(f"RT 0_shot: {_WHY_NOT_ZERO_SHOT[hub]}")
    return [*lines, f"Answers that are no Python are read with {parser_at_hand(grammar)}."]
