"""Whether ``ChatGorilla`` answers rows as they do: the same calls, in any order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage
from tqdm import tqdm  # type: ignore[import-untyped]

from langchain_gorilla.chat_models import ChatGorilla
from langchain_gorilla.evaluation.runner import NO_ANSWER
from langchain_gorilla.training.evaluate import interval
from langchain_gorilla.tuning.rows import TuningRow


@dataclass(frozen=True)
class Judged:
    """One answer of a row, and the model's own.

    Attributes:
        group: What the row's answer is: ``"no call"``, ``"one call"`` or ``"several calls"``.
        question: The last message before the answer.
        expected: Its calls as (name, arguments).
        calls: The model's.
        right: They are the same, in any order, and none is invalid.
        problem: Why the model could not be asked, such as a prompt that does not fit; then nothing
            is right.
    """

    group: str
    question: str
    expected: tuple[tuple[str, Mapping[str, Any]], ...]
    calls: tuple[tuple[str, Mapping[str, Any]], ...]
    right: bool
    problem: str = ""


def judged(model: ChatGorilla, rows: Sequence[TuningRow], *, name: str) -> Iterator[Judged]:
    """Ask for every learned answer of rows that offer functions.

    Args:
        model: Asked with the functions of the row.
        rows: See ``read_tuning_rows``.
        name: Shown beside the progress.
    """
    asked = [(row, place) for row in rows for place in row.learned if row.functions.functions]
    for row, place in tqdm(asked, desc=name):
        expected = _calls(row.answer(place))
        group = {0: "no call", 1: "one call"}.get(len(expected), "several calls")
        question = row.messages[place - 1].text
        try:
            bound = model.bind_tools(list(row.functions.functions))
            answer = bound.invoke(list(row.messages[:place]))
        except NO_ANSWER as error:
            yield Judged(group, question, expected, (), right=False, problem=str(error))
            continue
        assert isinstance(answer, AIMessage)
        calls = _calls(answer)
        left = list(calls)
        for one in expected:
            if one in left:
                left.remove(one)
        right = not left and len(calls) == len(expected) and not answer.invalid_tool_calls
        yield Judged(group, question, expected, calls, right)


def _calls(answer: AIMessage) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    return tuple((call["name"], call["args"]) for call in answer.tool_calls)


def table(runs: Mapping[str, Sequence[Judged]]) -> str:
    """Write the shares that are right, of runs on the same rows, as a Markdown table."""
    lines = [f"| answers | n | {' | '.join(runs)} |", f"|---|---|{'---|' * len(runs)}"]
    groups = ("one call", "several calls", "no call", "all")
    for group in groups:
        cells, count = [], 0
        for found in runs.values():
            these = [one for one in found if group in (one.group, "all")]
            count = len(these)
            if count:
                right = sum(one.right for one in these)
                low, high = interval(right, count)
                cells.append(f"{right / count:.2f} ({low:.2f}-{high:.2f})")
        if count:
            lines.append(f"| {group} | {count} | {' | '.join(cells)} |")
    return "\n".join(lines)
