"""Conversations to learn from, one a line, in the layout that OpenAI's fine-tuning takes.

A row is ``{"messages": [...], "tools": [...]}`` with messages and tools as in a request of OpenAI's
chat completions. What the assistant says is learned, unless it has ``"weight": 0``. So rows come
from ``questions``, from an editor, or from a log of what a hosted model answered.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    convert_to_messages,
    convert_to_openai_messages,
)

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.errors import GorillaError, InvalidFunctionError, PromptError
from langchain_gorilla.evaluation.rows import InputProblem, Row, read_rows
from langchain_gorilla.formats.conversation import conversation
from langchain_gorilla.functions import FunctionSet, function_set
from langchain_gorilla.validation import InvalidCall, validate_call


class UnusableRowsError(GorillaError, ValueError):
    """A file of rows holds none that can be learned from or measured by."""


@dataclass(frozen=True)
class TuningRow:
    """One conversation.

    Attributes:
        messages: In order.
        functions: What is offered in it; may be empty.
        learned: Places in ``messages`` of the answers to learn, at least one.
    """

    messages: tuple[BaseMessage, ...]
    functions: FunctionSet
    learned: tuple[int, ...]

    def answer(self, place: int) -> AIMessage:
        """Return the answer at a place of ``learned``."""
        message = self.messages[place]
        assert isinstance(message, AIMessage)
        return message


def read_tuning_rows(path: Path) -> tuple[list[TuningRow], list[InputProblem]]:
    """Read a file of rows; one that cannot be used is named, with its line, and left out.

    Raises:
        UnreadableFileError: There is no such file, or it cannot be opened.
        UnusableRowsError: No row of the file can be used; names the first problem.
    """
    rows, problems = read_rows(path)
    found = []
    for row in rows:
        read = _read(row)
        if isinstance(read, TuningRow):
            found.append(read)
        else:
            problems.append(InputProblem(path.name, row.number, f"{read}; left out"))
    if not found:
        raise UnusableRowsError(
            f"{path} holds no usable row ({problems[0].what}). Expected lines such as "
            '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "tool_calls": '
            '[…]}], "tools": [{"type": "function", "function": {…}}]}; gorilla tune questions '
            "writes such a file."
        )
    return found, problems


def _read(row: Row) -> TuningRow | str:
    """Return a row, or what is wrong with it."""
    given, tools = row.fields.get("messages"), row.fields.get("tools") or []
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        return "messages is no list of objects"
    if not isinstance(tools, list):
        return "tools is no list"
    weights = [one.get("weight", 1) for one in given]
    try:
        # OpenAI leaves the content of an answer that only calls out, or has it null.
        messages = convert_to_messages(
            [{**one, "content": one.get("content") or ""} for one in given]
        )
        functions = function_set(tools)
        conversation(messages, functions)
    except (InvalidFunctionError, PromptError) as error:
        return str(error)
    except (KeyError, TypeError, ValueError, NotImplementedError) as error:
        return f"a message cannot be read ({error})"
    learned = tuple(
        place
        for place, message in enumerate(messages)
        if isinstance(message, AIMessage) and weights[place]
    )
    if not learned:
        return "no message of the assistant is to be learned"
    if learned[0] == 0:
        return "begins with an answer; expected a question before it"
    made = TuningRow(tuple(messages), functions, learned)
    return _problem(made) or made


def _problem(row: TuningRow) -> str | None:
    """Say which answer must not be learned: a call that its function's schema refuses."""
    for place in row.learned:
        answer = row.answer(place)
        if not answer.tool_calls and not answer.text.strip():
            return f"message {place} says nothing and calls nothing"
        for call in answer.tool_calls:
            checked = validate_call(FunctionCall(call["name"], call["args"]), row.functions)
            if isinstance(checked, InvalidCall):
                return f"message {place} makes a call that must not run: {checked.reason}"
    return None


def written(messages: Sequence[BaseMessage], functions: FunctionSet) -> dict[str, Any]:
    """Write a conversation and what it offers as a row."""
    row: dict[str, Any] = {"messages": convert_to_openai_messages(list(messages))}
    if functions.functions:
        row["tools"] = [
            {"type": "function", "function": one.document()} for one in functions.functions
        ]
    return row


def write_tuning_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows, a line each, in place of what the file held; return how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count
