"""What happens after an answer whose calls cannot all run, decided without side effects.

LangChain's ``create_agent`` ends silently on a message that holds only invalid calls (langchain
issue 33504), and nothing in LangGraph stops a model that repeats one call for ever (langgraph
issues 4231 and 6731). Nor does anything stop its structured output, which asks again until an
answer passes. ``recover`` decides all three for the ready graph and for the middleware.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    InvalidToolCall,
    ToolCall,
    ToolMessage,
)

from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.messages import invalid_call_reasons

_REFUSED: Final = {"refused": True}
"""In ``additional_kwargs`` of a ToolMessage; a conversation that is kept keeps it."""


@dataclass(frozen=True)
class Recovery:
    """What to add to the conversation, and where to go on.

    Attributes:
        messages: Error ToolMessages for calls that will not run, those that stood behind the
            answer already under their own ids; before the end, an AIMessage that says why it is
            the end.
        next: ``tools``: calls wait to be run; ``model``: let it try again; ``end``.
    """

    messages: tuple[BaseMessage, ...]
    next: Literal["tools", "model", "end"]


def recover(
    messages: Sequence[BaseMessage], *, max_repairs: int = 2, max_identical_calls: int = 3
) -> Recovery:
    """Decide what follows the model's last answer.

    Args:
        messages: The whole conversation. ToolMessages may stand behind the answer: what has
            answered some of its calls before the tools ran. ``as_refusal`` marks those that
            refuse a call; others, such as a person's, count as answers.
        max_repairs: How many answers of one human turn may hold a refused call before the run
            ends. 0 ends it at the first. The good calls of an answer run, but for the one that
            ends the run.
        max_identical_calls: How often one call with the same arguments runs, or is answered
            otherwise, in one human turn. Polling a state is a reason to repeat, so this is more
            than 1.

    Raises:
        UnsupportedOptionError: See ``check_bounds``.
        ValueError: The last message is not the model's, ToolMessages behind it aside.
    """
    check_bounds(max_repairs, max_identical_calls)
    answer, results = last_answer(messages)
    if answer is None:
        raise ValueError(
            "recover() needs a conversation whose last message is an AIMessage, or ToolMessages "
            f"behind one, got {type(messages[-1]).__name__ if messages else 'no messages'}."
        )
    turn = _human_turn(messages[: len(messages) - len(results) - 1])
    answered = {result.tool_call_id: result for result in results}
    refused = [result for result in results if _is_refusal(result)]
    refused += [
        _refuse_invalid(call, answer)
        for call in answer.invalid_tool_calls
        if call["id"] not in answered
    ]
    waiting = []
    seen = [_key(call) for message in turn for call in _calls(message)]
    for call in answer.tool_calls:
        result = answered.get(call["id"] or "")
        repeated = seen.count(_key(call)) >= max_identical_calls
        seen.append(_key(call))
        if result is None and not repeated:
            waiting.append(call)
        elif result is None:
            refused.append(_refuse_repeated(call, max_identical_calls))
        elif repeated and not _is_refusal(result):
            refused.append(as_refusal(result))
    if refused and 1 + _refused_answers(turn) > max_repairs:
        last = AIMessage(content=_last_words(refused))
        return Recovery((*refused, *map(_refuse_sibling, waiting), last), "end")
    if waiting:
        return Recovery(tuple(refused), "tools")
    return Recovery(tuple(refused), "model" if refused or results else "end")


def last_answer(messages: Sequence[BaseMessage]) -> tuple[AIMessage | None, list[ToolMessage]]:
    """Return the model's last answer and the ToolMessages behind it; None where others follow it.

    ``create_agent`` itself answers structured-output calls, and its middleware others, before
    the hooks that come after the model see the answer.
    """
    results: list[ToolMessage] = []
    for message in reversed(messages):
        if isinstance(message, AIMessage):
            return message, results[::-1]
        if not isinstance(message, ToolMessage):
            break
        results.append(message)
    return None, []


def as_refusal(result: ToolMessage) -> ToolMessage:
    """Return the message with the mark by which ``recover`` counts its call as refused."""
    marked = {**result.additional_kwargs, **_REFUSED}
    return result.model_copy(update={"additional_kwargs": marked})


def check_bounds(max_repairs: int, max_identical_calls: int) -> None:
    """Refuse bounds that no run can keep; an agent asks when it is built.

    Raises:
        UnsupportedOptionError: One is out of its range.
    """
    bounds: dict[str, tuple[Any, int]] = {
        "max_repairs": (max_repairs, 0),
        "max_identical_calls": (max_identical_calls, 1),
    }
    for name, (bound, least) in bounds.items():
        if not isinstance(bound, int) or bound < least:
            raise UnsupportedOptionError(
                f"{name}={bound!r} is not understood. Expected a whole number, at least {least}."
            )


def _human_turn(messages: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
    """Return what came after the last human message."""
    for position in range(len(messages) - 1, -1, -1):
        if isinstance(messages[position], HumanMessage):
            return messages[position + 1 :]
    return messages


def _calls(message: BaseMessage) -> Sequence[ToolCall]:
    return message.tool_calls if isinstance(message, AIMessage) else ()


def _key(call: ToolCall) -> str:
    return call["name"] + json.dumps(call["args"], sort_keys=True, default=repr)


def _refuse_invalid(call: InvalidToolCall, answer: AIMessage) -> ToolMessage:
    reason = invalid_call_reasons(answer).get(call["id"] or "") or call.get("error") or ""
    return _error(call, f"This call did not run. {reason}".strip())


def _refuse_repeated(call: ToolCall, times: int) -> ToolMessage:
    return _error(
        call,
        f"This call did not run: {call['name']} was already called {times} times with these "
        "arguments. Answer from its results, or call with other arguments.",
    )


def _refuse_sibling(call: ToolCall) -> ToolMessage:
    return _error(call, "This call did not run: the run ended at a call that stands beside it.")


def _error(call: ToolCall | InvalidToolCall, content: str) -> ToolMessage:
    return ToolMessage(
        content=content,
        name=call["name"],
        tool_call_id=call["id"] or "",
        status="error",
        additional_kwargs=dict(_REFUSED),
    )


def _is_refusal(message: BaseMessage) -> bool:
    return isinstance(message, ToolMessage) and bool(message.additional_kwargs.get("refused"))


def _refused_answers(turn: Sequence[BaseMessage]) -> int:
    """Return how many answers hold a refused call, whatever became of their other calls."""
    # By place, not by id: some models number the calls of each answer from 0 again.
    answers: list[bool] = []
    for message in turn:
        if isinstance(message, AIMessage):
            answers.append(False)
        elif answers and _is_refusal(message):
            answers[-1] = True
    return sum(answers)


def _last_words(refused: Sequence[ToolMessage]) -> str:
    reasons = " ".join(dict.fromkeys(message.text for message in refused))
    return f"I could not write a call that can run. {reasons}"
