"""A model answers BFCL cases; every answer is on disk before the next question.

A run is a folder. ``answers.jsonl`` holds its options in the first line and one answer in each
further one, so a run that was stopped goes on where it stopped, and a run with other options or
changed questions is refused rather than mixed in.
"""

import copy
import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from langchain_gorilla.errors import (
    GenerationTimeoutError,
    GorillaError,
    InvalidFunctionError,
    PromptError,
    PromptTooLongError,
)
from langchain_gorilla.evaluation.cases import Case
from langchain_gorilla.evaluation.offers import Function, RetrieverName, catalogs, offering
from langchain_gorilla.evaluation.rows import read_rows
from langchain_gorilla.evaluation.scoring import Answer, Score, score_answer

ANSWERS_FILE = "answers.jsonl"

_NO_ANSWER = (PromptError, PromptTooLongError, GenerationTimeoutError, InvalidFunctionError)
"""What one question can run into; the others are still asked."""

_SOURCE_NAMES = {"java": "Java", "javascript": "JavaScript"}


class DifferentRunError(GorillaError, ValueError):
    """The folder holds answers of a run with other options."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What decides a run's answers.

    Attributes:
        model: ``"bundled"``, a model id or a directory.
        retriever: How functions are chosen from the catalog.
        catalog_size: Functions in each case's catalog; None for the case's own.
        top_k: Functions that a retriever offers.
        embedder: Directory of the sentence encoder of ``dense`` and ``hybrid``.
        constrained: Whether calls are constrained to the functions while they are generated.
        max_tokens: Most tokens of an answer.
        timeout_s: Most seconds for an answer; None for no limit.
    """

    model: str
    retriever: RetrieverName = "none"
    catalog_size: int | None = None
    top_k: int = 5
    embedder: str | None = None
    constrained: bool = True
    max_tokens: int | None = 512
    timeout_s: float | None = None


def chat_model(options: RunOptions) -> BaseChatModel:
    """Return the model of a run, greedy."""
    # Here, not above: evaluating recorded answers needs no torch.
    from langchain_gorilla.chat_models import ChatGorilla

    return ChatGorilla(
        model=options.model,
        constrained=options.constrained,
        temperature=0,
        max_tokens=options.max_tokens,
        timeout=options.timeout_s,
    )


def run_cases(
    cases: Sequence[Case],
    model: BaseChatModel,
    options: RunOptions,
    folder: Path,
    *,
    all_cases: Sequence[Case] | None = None,
) -> Iterator[Score]:
    """Ask the cases that the folder has no answers to, and yield every score, in order.

    Args:
        cases: What to ask.
        model: Answers.
        options: Recorded with the answers; the model's are not read from it.
        folder: The run; made where it is missing.
        all_cases: Where catalogs are filled from; None for ``cases``.

    Raises:
        DifferentRunError: The folder holds another run.
        UnsupportedOptionError: A retriever or catalog size that cannot be had.
    """
    catalog_of = catalogs(cases if all_cases is None else all_cases, options.catalog_size)
    recorded = open_run(folder, options)
    with (
        offering(options.retriever, top_k=options.top_k, embedder=options.embedder) as offer,
        (folder / ANSWERS_FILE).open("a", encoding="utf-8") as file,
    ):
        for case in cases:
            offered = [as_shown(f, case.language) for f in offer(case, catalog_of(case))]
            question = _fingerprint(case, offered)
            record = recorded.get(case.id)
            if record is not None and record[0] == question:
                yield score_answer(case, record[1], offered)
                continue
            answer = ask(model, case, offered)
            line = {"question": question, **asdict(answer)}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            yield score_answer(case, answer, offered)


def open_run(folder: Path, options: RunOptions) -> dict[str, tuple[str, Answer]]:
    """Return the recorded answers by case, with their questions' fingerprints.

    Raises:
        DifferentRunError: The folder's options are other ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ANSWERS_FILE
    if not path.exists() or not path.read_text(encoding="utf-8").strip():
        header = json.dumps({"options": asdict(options)}, ensure_ascii=False)
        path.write_text(header + "\n", encoding="utf-8")
        return {}
    rows, problems = read_rows(path)
    if not rows or rows[0].fields.get("options") != asdict(options):
        raise DifferentRunError(
            f"{path} holds a run with other options: "
            f"{_differences(rows[0].fields.get('options') if rows else None, asdict(options))}. "
            "Choose another --out, or remove the folder to start anew."
        )
    if problems:
        # Cut off in the middle of a line; what follows must begin on a line of its own.
        kept = [json.dumps(dict(row.fields), ensure_ascii=False) for row in rows]
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return {answer.case_id: (question, answer) for question, answer in map(_recorded, rows[1:])}


def _differences(recorded: Any, asked: Mapping[str, Any]) -> str:
    if not isinstance(recorded, dict):
        return "its first line holds none"
    names = [name for name in {**recorded, **asked} if recorded.get(name) != asked.get(name)]
    return ", ".join(f"{name} was {recorded.get(name)}, not {asked.get(name)}" for name in names)


def _recorded(row: Any) -> tuple[str, Answer]:
    fields = dict(row.fields)
    question = fields.pop("question", "")
    fields["calls"], fields["refused"] = tuple(fields["calls"]), tuple(fields["refused"])
    return question, Answer(**fields)


def _fingerprint(case: Case, offered: Sequence[Function]) -> str:
    shown = json.dumps([case.messages, list(offered)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()[:16]


# --- One question ---


def ask(model: BaseChatModel, case: Case, offered: Sequence[Function]) -> Answer:
    """Ask one question; what the model cannot be asked is an ``Answer`` with ``error``."""
    started = time.perf_counter()
    try:
        # A retriever may find nothing; then the model is asked without tools.
        bound = model.bind_tools([dict(function) for function in offered]) if offered else model
        message = bound.invoke([dict(turn) for turn in case.messages])
    except _NO_ANSWER as error:
        seconds = time.perf_counter() - started
        return Answer(case.id, seconds=seconds, error=f"{type(error).__name__}: {error}")
    return answer_of(case.id, message, time.perf_counter() - started)


def answer_of(case_id: str, message: AIMessage, seconds: float) -> Answer:
    """Return what counts of a message."""
    usage = message.usage_metadata
    output_tokens = usage["output_tokens"] if usage else 0
    return Answer(
        case_id,
        tuple({call["name"]: call["args"]} for call in message.tool_calls),
        tuple(
            {"name": call["name"], "args": call["args"], "error": call["error"]}
            for call in message.invalid_tool_calls
        ),
        message.text,
        usage["input_tokens"] if usage else 0,
        output_tokens,
        message.response_metadata.get("forward_passes", output_tokens),
        seconds,
    )


def as_shown(
    function: Function, language: Literal["python", "java", "javascript"]
) -> dict[str, Any]:
    """Return a function as the model sees it.

    Arguments of Java and JavaScript questions are source text, so their parameters are strings
    whose description names the type, as BFCL shows them.
    """
    shown = copy.deepcopy(dict(function))
    if language == "python":
        return shown
    for schema in shown["parameters"].get("properties", {}).values():
        kind = schema.pop("type", "any")
        items = schema.pop("items", None)
        elements = f" with elements of type {items['type']}" if items and "type" in items else ""
        for keyword in ("properties", "default", "enum"):
            schema.pop(keyword, None)
        schema["type"] = "string"
        schema["description"] = (
            f"{schema.get('description', '')} {_SOURCE_NAMES[language]} source text of type "
            f"{kind}{elements}."
        ).strip()
    return shown


# --- BFCL's own result files ---


def write_bfcl_results(folder: Path, model: str, scores: Sequence[Score]) -> list[Path]:
    """Write answers as BFCL's tools read them: ``{model}/{group}/BFCL_v4_{category}_result.json``.

    Each row holds ``id``, ``result`` with the calls as Python text, token counts and ``latency``,
    as BFCL's handlers of prompted models write them.
    """
    by_category: dict[str, list[Score]] = {}
    for score in scores:
        by_category.setdefault(score.category, []).append(score)
    written = []
    for category, members in by_category.items():
        group = "live" if category.startswith("live_") else "non_live"
        path = folder / model.replace("/", "_") / group / f"BFCL_v4_{category}_result.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(_result_row(score.answer), ensure_ascii=False) for score in members]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        written.append(path)
    return written


def _result_row(answer: Answer) -> dict[str, Any]:
    return {
        "id": answer.case_id,
        "result": as_python_calls(answer.calls) if answer.calls else answer.text,
        "input_token_count": answer.input_tokens,
        "output_token_count": answer.output_tokens,
        "latency": round(answer.seconds, 3),
    }


def as_python_calls(calls: Sequence[Mapping[str, Mapping[str, Any]]]) -> str:
    """Return calls as ``f(a=1), g(b='x')``, which BFCL's decoder reads back."""
    return ", ".join(
        f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
        for call in calls
        for name, arguments in call.items()
    )
