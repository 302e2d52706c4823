"""Conversations to learn from, one a line, in the layout that OpenAI's fine-tuning takes.

A row is ``{"messages": [...], "tools": [...]}`` with messages and tools as in a request of OpenAI's
chat completions, OpenAI's first function calling among them. What the assistant says is learned,
unless it has ``"weight": 0``. A tool's result that is an error has ``"status": "error"`` beside, as
LangChain has it and OpenAI does not. So rows come from ``questions``, from an editor, or from a log
of what a hosted model answered.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ToolMessage,
    convert_to_messages,
    convert_to_openai_messages,
)
from pydantic import ValidationError

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.errors import GorillaError, InvalidFunctionError, PromptError
from langchain_gorilla.evaluation.outputs import write_text
from langchain_gorilla.evaluation.rows import InputProblem, Row, read_rows
from langchain_gorilla.formats.content import Place, message_text
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
    given = row.fields.get("messages")
    tools = row.fields.get("tools") or row.fields.get("functions") or []
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        return "messages is no list of objects"
    if not isinstance(tools, list):
        return "tools is no list"
    weights = [one.get("weight") for one in given]
    if odd := [one for one in weights if one not in (None, 0, 1)]:
        return f"a weight is {odd[0]!r:.60}; expected 0 or 1"
    messages: list[BaseMessage] = []
    for place, one in enumerate(given):
        try:
            messages += convert_to_messages([_as_now(one)])
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            return f"messages[{place}] cannot be read ({where}: {first['msg']})"
        except KeyError as error:
            return f"messages[{place}] cannot be read (it lacks {error})"
        except (
            AttributeError,
            NotImplementedError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            what = str(error).split("\n")[0]
            return f"messages[{place}] cannot be read ({what})"
    try:
        functions = function_set(tools)
        conversation(messages, functions)
    except (InvalidFunctionError, PromptError) as error:
        return str(error)
    learned = tuple(
        place
        for place, message in enumerate(messages)
        if isinstance(message, AIMessage) and weights[place] != 0
    )
    if not learned:
        return "no message of the assistant is to be learned"
    if learned[0] == 0:
        return "begins with an answer; expected a question before it"
    return _checked(TuningRow(tuple(messages), functions, learned))


def _as_now(given: Mapping[str, Any]) -> dict[str, Any]:
    """Write a message as OpenAI does today: content, and calls in ``tool_calls``, with ids.

    OpenAI leaves the content of an answer that only calls out, or has it null. Its first function
    calling had one call, without an id; other logs have none either, or no text for no arguments.
    """
    message = {**given, "content": given.get("content") or ""}
    if message.get("role") == "tool":
        message.setdefault("tool_call_id", "")
    calls = message.get("tool_calls")
    if first := message.pop("function_call", None):
        calls = [{"function": first}]
    if calls:
        message["tool_calls"] = [{"id": "", "type": "function", **call} for call in calls]
        for call in message["tool_calls"]:
            if "function" in call:
                arguments = call["function"].get("arguments") or "{}"
                call["function"] = {**call["function"], "arguments": arguments}
    return message


def _checked(row: TuningRow) -> TuningRow | str:
    """Return a row with its calls as they would run, or say which answer must not be learned."""
    messages = list(row.messages)
    for place in row.learned:
        answer = row.answer(place)
        if not answer.tool_calls and not message_text(answer, Place(place, "AIMessage")).strip():
            return f"message {place} says nothing and calls nothing"
        calls = []
        for call in answer.tool_calls:
            checked = validate_call(FunctionCall(call["name"], call["args"]), row.functions)
            if isinstance(checked, InvalidCall):
                return f"message {place} makes a call that must not run: {checked.reason}"
            calls.append({**call, "name": checked.name, "args": dict(checked.arguments)})
        messages[place] = answer.model_copy(update={"tool_calls": calls})
    return TuningRow(tuple(messages), row.functions, row.learned)


def written(messages: Sequence[BaseMessage], functions: FunctionSet) -> dict[str, Any]:
    """Write a conversation and what it offers as a row."""
    row: dict[str, Any] = {"messages": [one for each in messages for one in _written(each)]}
    if functions.functions:
        row["tools"] = [
            {"type": "function", "function": one.document()} for one in functions.functions
        ]
    return row


def _written(message: BaseMessage) -> list[dict[str, Any]]:
    found = convert_to_openai_messages([message])
    if isinstance(message, ToolMessage) and message.status == "error":
        return [{**one, "status": "error"} for one in found]
    return found


def write_tuning_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows, a line each, in place of what the file held; return how many.

    Raises:
        UnwritableOutputError: The file cannot be written; says why.
    """
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    write_text(path, "".join(lines))
    return len(lines)
