"""Conversations for families that know instructions and answers, and no tool role.

None of these families was trained on tool results; how results stand in an instruction is this
package's design. Each result is one line: the call as the model wrote it, ``->``, and the
content as JSON, which cannot leave its line. Neither a result nor a question can therefore add
a turn, and equal conversations give equal text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.formats.base import (
    AssistantTurn,
    CallResult,
    FailedCall,
    HumanTurn,
    ResultsTurn,
    SystemTurn,
    Turn,
)
from langchain_gorilla.formats.call_writer import write_call, write_calls
from langchain_gorilla.formats.markers import break_markers, write_content, write_json

RESULTS: Final = "The calls returned:"
"""Opens an instruction that holds results."""
GO_ON: Final = "Answer the question from these results, or call the next function."
"""Closes it where no further question follows."""


@dataclass(frozen=True)
class Exchange:
    """What stands between two answers, and the answer to it.

    Attributes:
        results: Of the calls of the answer before.
        question: What was asked, several human messages joined by newlines; None if nothing.
        answer: None for the one that the model is to write.
    """

    results: tuple[CallResult, ...]
    question: str | None
    answer: AssistantTurn | None


def system_text(turns: Sequence[Turn]) -> str:
    """Return what the system messages say, ``""`` for none."""
    return next((turn.text for turn in turns if isinstance(turn, SystemTurn)), "")


def answered(turn: AssistantTurn, syntax: CallSyntax, markers: tuple[str, ...]) -> str:
    """Write an answer's text, and its calls on a line of their own."""
    text = break_markers(turn.text, markers)
    between = "\n" if text and turn.calls else ""
    return text + between + write_calls(turn.calls, syntax, markers)


def said(turn: HumanTurn) -> str:
    """Return what a human says, after the name where the message has one."""
    return f"{turn.name}: {turn.text}" if turn.name else turn.text


def exchanges(turns: Sequence[Turn]) -> tuple[Exchange, ...]:
    """Group turns into exchanges; the last one always waits for its answer.

    A conversation that ends with an answer gets a last exchange with nothing in it: the model
    goes on. One that begins with an answer has an empty first one.
    """
    found: list[Exchange] = []
    results: list[CallResult] = []
    questions: list[str] = []
    for turn in turns:
        match turn:
            case HumanTurn():
                questions.append(said(turn))
            case ResultsTurn():
                results.extend(turn.results)
            case AssistantTurn():
                found.append(_exchange(results, questions, turn))
                results, questions = [], []
    return (*found, _exchange(results, questions, None))


def result_lines(
    results: Sequence[CallResult], syntax: CallSyntax, markers: tuple[str, ...]
) -> str:
    """Write ``call -> content`` or ``call -> error content`` for each result, one a line."""
    return "\n".join(_result_line(result, syntax, markers) for result in results)


def folded(
    exchange: Exchange, syntax: CallSyntax, markers: tuple[str, ...], *, before_question: str
) -> str:
    r"""Write an instruction that holds results, and the question that follows them if any.

    Args:
        exchange: One with results.
        syntax: How the calls in the lines are written.
        markers: What data must not spell.
        before_question: The family's mark in front of a question.
    """
    lines = result_lines(exchange.results, syntax, markers)
    if exchange.question is None:
        return f"{RESULTS}\n{lines}\n{GO_ON}"
    return f"{RESULTS}\n{lines}\n{before_question}{break_markers(exchange.question, markers)}"


def _exchange(
    results: Sequence[CallResult], questions: Sequence[str], answer: AssistantTurn | None
) -> Exchange:
    return Exchange(tuple(results), "\n".join(questions) if questions else None, answer)


def _result_line(result: CallResult, syntax: CallSyntax, markers: tuple[str, ...]) -> str:
    if isinstance(result.call, FailedCall):
        call = write_json(result.call.text, markers, ascii_only=False)
    else:
        call = write_call(result.call, syntax, markers)
    error = "error " if result.is_error else ""
    return f"{call} -> {error}{write_content(result.content, markers)}"
