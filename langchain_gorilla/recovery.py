"""What happens after an answer whose calls cannot all run, decided without side effects.

LangChain's ``create_agent`` ends silently on a message that holds only invalid calls (langchain
issue 33504), and nothing in LangGraph stops a model that repeats one call for ever (langgraph
issues 4231 and 6731). ``recover`` decides both for the ready graph and for the middleware.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True)
class Recovery:
    """What to add to the conversation, and where to go on.

    Attributes:
        messages: Error ToolMessages for calls that will not run; before the end, an AIMessage
            that says why it is the end.
        next: ``tools``: calls wait to be run; ``model``: let it try again; ``end``.
    """

    messages: tuple[BaseMessage, ...]
    next: Literal["tools", "model", "end"]


def recover(
    messages: Sequence[BaseMessage], *, max_repairs: int = 2, max_identical_calls: int = 3
) -> Recovery:
    """Decide what follows the last message, which is the model's.

    Args:
        messages: The whole conversation.
        max_repairs: How many answers of one human turn may hold a refused call before the run
            ends. 0 ends it at the first.
        max_identical_calls: How often one call with the same arguments runs in one human turn.
            Polling a state is a reason to repeat, so this is more than 1.

    Raises:
        UnsupportedOptionError: See ``check_bounds``.
        ValueError: The last message is not the model's.
    """
    check_bounds(max_repairs, max_identical_calls)
    if not messages or not isinstance(answer := messages[-1], AIMessage):
        raise ValueError(
            "recover() needs a conversation whose last message is an AIMessage, got "
            f"{type(messages[-1]).__name__ if messages else 'no messages'}."
        )
    turn = _human_turn(messages[:-1])
    refused = [_refuse_invalid(call, answer) for call in answer.invalid_tool_calls]
    runnable = 0
    seen = [_key(call) for message in turn for call in _calls(message)]
    for call in answer.tool_calls:
        if seen.count(_key(call)) >= max_identical_calls:
            refused.append(_refuse_repeated(call, max_identical_calls))
        else:
            runnable += 1
        seen.append(_key(call))
    if not refused:
        return Recovery((), "tools" if runnable else "end")
    if runnable:
        return Recovery(tuple(refused), "tools")
    if 1 + sum(_was_refused(message, turn) for message in turn) > max_repairs:
        last = AIMessage(content=_last_words(refused))
        return Recovery((*refused, last), "end")
    return Recovery(tuple(refused), "model")


def check_bounds(max_repairs: int, max_identical_calls: int) -> None:
    """Refuse bounds that no run can keep; an agent asks when it is built.

    Raises:
        UnsupportedOptionError: One is out of its range.
    """
    if max_repairs < 0 or max_identical_calls < 1:
        raise UnsupportedOptionError(
            f"max_repairs={max_repairs} has to be at least 0 and "
            f"max_identical_calls={max_identical_calls} at least 1."
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
    reason = call.get("error") or invalid_call_reasons(answer).get(call["id"] or "", "")
    return _error(call, f"This call did not run. {reason}".strip())


def _refuse_repeated(call: ToolCall, times: int) -> ToolMessage:
    return _error(
        call,
        f"This call did not run: {call['name']} was already called {times} times with these "
        "arguments. Answer from its results, or call with other arguments.",
    )


def _error(call: ToolCall | InvalidToolCall, content: str) -> ToolMessage:
    return ToolMessage(
        content=content,
        name=call["name"],
        tool_call_id=call["id"] or "",
        status="error",
        additional_kwargs={"refused": True},
    )


def _was_refused(message: BaseMessage, turn: Sequence[BaseMessage]) -> bool:
    """Whether none of the calls of this answer ran."""
    if not isinstance(message, AIMessage):
        return False
    ids = {call["id"] for call in (*message.tool_calls, *message.invalid_tool_calls)}
    results = [m for m in turn if isinstance(m, ToolMessage) and m.tool_call_id in ids]
    return bool(results) and all(m.additional_kwargs.get("refused") for m in results)


def _last_words(refused: Sequence[ToolMessage]) -> str:
    reasons = " ".join(dict.fromkeys(str(message.content) for message in refused))
    return f"I could not write a call that can run. {reasons}"
