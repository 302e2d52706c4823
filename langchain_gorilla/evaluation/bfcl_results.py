"""BFCL's own result files: a run's answers for BFCL's tools to judge, and others' answers read.

BFCL reads Python calls with Python's grammar, and Java and JavaScript calls with tree-sitter's,
which takes off an argument's outer quotes and reads no escape; so each is written as its reader
wants it. What BFCL's Java reader cannot be given: what follows a character beyond ASCII is cut at
the wrong place there, for it counts bytes as characters.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_gorilla.evaluation.bfcl_decoder import DecodeError, decode_calls
from langchain_gorilla.evaluation.cases import Case
from langchain_gorilla.evaluation.outputs import write_text
from langchain_gorilla.evaluation.rows import (
    InputProblem,
    Row,
    UnreadableFileError,
    read_rows,
    usable_rows,
)
from langchain_gorilla.evaluation.scoring import Answer, Score, refused_arguments, was_cut_off


def write_bfcl_results(folder: Path, model: str, scores: Sequence[Score]) -> list[Path]:
    """Write answers as BFCL's tools read them: ``{model}/{group}/BFCL_v4_{category}_result.json``.

    Each row holds ``id``, ``result`` with the calls as text, token counts and ``latency``, as
    BFCL's handlers of prompted models write them. A call that was refused stands there as the
    model wrote it, so far as that is known; one that was cut off stays open, and BFCL, too, can
    then read nothing of the answer.

    Raises:
        UnwritableOutputError: A file cannot be written; says why.
    """
    by_category: dict[str, list[Score]] = {}
    for score in scores:
        by_category.setdefault(score.category, []).append(score)
    written = []
    for category, members in by_category.items():
        group = "live" if category.startswith("live_") else "non_live"
        path = folder / model.replace("/", "_") / group / f"BFCL_v4_{category}_result.json"
        lines = [json.dumps(_result_row(score), ensure_ascii=False) for score in members]
        write_text(path, "\n".join(lines) + "\n")
        written.append(path)
    return written


def _result_row(score: Score) -> dict[str, Any]:
    answer = score.answer
    is_source = score.category in ("simple_java", "simple_javascript")
    return {
        "id": answer.case_id,
        "result": as_text(answer, as_source_text if is_source else repr) or answer.text,
        "input_token_count": answer.input_tokens,
        "output_token_count": answer.output_tokens,
        "latency": round(answer.seconds, 3),
    }


def as_text(answer: Answer, written: Callable[[Any], str] = repr) -> str:
    """Return all calls of an answer, refused ones included, as ``f(a=1), g(b='x')``.

    Args:
        answer: What the model answered; no calls are an empty text.
        written: How a value is written.
    """
    calls = [
        _call(name, arguments, written) for call in answer.calls for name, arguments in call.items()
    ]
    return ", ".join([*calls, *(_refused(call, written) for call in answer.refused)])


def as_source_text(value: Any) -> str:
    """Return an argument that is Java or JavaScript source text so that BFCL reads it unchanged.

    BFCL drops the quotes around it, so those are taken that do not occur in it; what holds both
    kinds, or several lines, stands there bare, as the expression that it is.
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    quote = next((mark for mark in "\"'" if mark not in text), "")
    return text if "\n" in text or text.endswith("\\") else f"{quote}{text}{quote}"


def _call(name: str, arguments: Mapping[str, Any], written: Callable[[Any], str]) -> str:
    return f"{name}({', '.join(f'{key}={written(value)}' for key, value in arguments.items())})"


def _refused(call: Mapping[str, Any], written: Callable[[Any], str]) -> str:
    name, arguments = call.get("name"), refused_arguments(call.get("args"))
    if name is None or arguments is None:
        return f"{name or ''}({call.get('args') or ''}"
    text = _call(name, arguments, written)
    return text[:-1] if was_cut_off(call) else text


# --- Recorded results ---


def read_bfcl_results(
    folder: Path, cases: Sequence[Case]
) -> tuple[list[tuple[Case, Answer]], list[InputProblem]]:
    """Read recorded answers to these cases, decoded as BFCL decodes them.

    Prompted models' answers are text, function-calling ones a list of ``{name: arguments}`` with
    the arguments as JSON text, and names as servers take them, ``math_sqrt`` for ``math.sqrt``.
    An answer in which BFCL's decoder finds no calls is text: wrong where something was to be
    called, right where nothing was.

    Args:
        folder: Of one model; searched with its subfolders for ``BFCL_v*_result.json``.
        cases: What was asked.

    Returns:
        Cases with their answers, in the order of the cases, and what is wrong with the files. Java
        and JavaScript are left out: BFCL reads those with tree-sitter's grammars.

    Raises:
        UnreadableFileError: There is no such file.
    """
    files = sorted(folder.rglob("BFCL_v*_result.json"))
    if not files:
        raise UnreadableFileError(
            f"{folder} holds no BFCL_v*_result.json. Give the folder of a model's recorded results."
        )
    positions = {case.id: position for position, case in enumerate(cases)}
    answers: dict[str, Answer] = {}
    places: dict[str, str] = {}
    problems: list[InputProblem] = []
    for file in files:
        rows, wrong = read_rows(file)
        usable, left_out = usable_rows(
            file.name, rows, key="id", required={"id": str, "result": (str, list)}
        )
        problems += [*wrong, *left_out]
        known = []
        for row in usable:
            id_ = row.fields["id"]
            if id_ not in positions:
                what = f"answers {id_!r}, which is not asked; left out"
            elif cases[positions[id_]].language != "python":
                what = "Java and JavaScript are not judged here; left out"
            elif id_ in answers:
                what = f"id {id_!r} stands in {places[id_]} already; left out"
            else:
                known.append(row)
                answers[id_] = _recorded(row, cases[positions[id_]])
                places[id_] = f"{file}, row {row.number},"
                continue
            problems.append(InputProblem(file.name, row.number, what))
        problems += _notes(file.name, known, positions)
    missing = [case.id for case in cases if case.id not in answers]
    if missing:
        what = f"{len(missing)} of {len(cases)} questions have no answer, first {missing[0]}"
        problems.append(InputProblem(str(folder), 0, f"{what}; not counted"))
    return [(case, answers[case.id]) for case in cases if case.id in answers], problems


def _recorded(row: Row, case: Case) -> Answer:
    id_, result = row.fields["id"], row.fields["result"]
    calls: tuple[dict[str, Any], ...] = ()
    text = ""
    try:
        calls = tuple(decode_calls(result) if isinstance(result, str) else _called(result, case))
    except DecodeError:
        text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    tokens = _number(row, "output_token_count")
    return Answer(
        id_,
        calls,
        text=text,
        input_tokens=int(_number(row, "input_token_count")),
        output_tokens=int(tokens),
        forward_passes=int(tokens),
        seconds=_number(row, "latency"),
    )


def _called(result: Sequence[Any], case: Case) -> Iterator[dict[str, Any]]:
    """Decode the calls of a function-calling model.

    Raises:
        DecodeError: One is none, or its arguments are no JSON object.
    """
    true_names = {one["name"].replace(".", "_"): one["name"] for one in case.functions}
    for call in result:
        if not isinstance(call, Mapping) or len(call) != 1:
            raise DecodeError(f"{call!r:.120} where a call was expected.")
        ((name, arguments),) = call.items()
        try:
            given: Any = json.loads(arguments) if isinstance(arguments, str) else arguments
        except (ValueError, RecursionError) as error:
            raise DecodeError(f"The arguments of {name!r} are no JSON ({error}).") from error
        if not isinstance(given, dict):
            raise DecodeError(f"The arguments of {name!r} are no object.")
        yield {str(true_names.get(name, name)): given}


def _number(row: Row, name: str) -> float:
    value = row.fields.get(name)
    # Handlers of several turns write lists there, and Python's JSON knows NaN and Infinity.
    if isinstance(value, int | float) and abs(value) <= sys.float_info.max:
        return float(value)
    return 0.0


def _notes(name: str, rows: Sequence[Row], positions: Mapping[str, int]) -> Iterator[InputProblem]:
    found = [positions[row.fields["id"]] for row in rows]
    if found != sorted(found):
        what = "answers stand in another order than the questions; matched by id"
        yield InputProblem(name, 0, what)
    for row in rows:
        result = row.fields["result"]
        if not (result.strip() if isinstance(result, str) else result):
            yield InputProblem(name, row.number, "an empty answer; judged as it is")
