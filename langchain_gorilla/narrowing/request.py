"""Narrowing inside ``ChatGorilla``: a request with ``BoundTools`` becomes one with a few tools."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import BaseMessage, SystemMessage

from langchain_gorilla.binding import ToolChoice, read_response_format, read_tool_choice
from langchain_gorilla.engines.base import Engine
from langchain_gorilla.errors import UnknownToolError
from langchain_gorilla.formats.base import PromptFormat
from langchain_gorilla.formats.conversation import conversation
from langchain_gorilla.functions import FunctionSchema, FunctionSet
from langchain_gorilla.narrowing.bound import BoundTools
from langchain_gorilla.narrowing.offering import (
    Measure,
    Size,
    asearch,
    decide,
    needs_search,
    search,
)
from langchain_gorilla.narrowing.selection import Offer, read_history

OFFER = "tools_offer"
"""Under this key a narrowed request carries its ``Offer`` beside its ``tools``."""

_ANSWER_TOKENS = 512
"""Room that is kept for an answer where ``max_tokens`` does not say how long it may become."""


def narrowed(
    given: Mapping[str, Any], messages: Sequence[BaseMessage], measure: Measure
) -> dict[str, Any]:
    """Return a call's options with the few tools that it is offered, and the ``Offer``.

    Args:
        given: With ``BoundTools`` as its tools.
        messages: The conversation.
        measure: From ``prompt_measure``.

    Raises:
        PromptTooLongError: Not even the smallest useful offer fits.
        UnknownToolError: A call is demanded, and there is nothing to offer.
    """
    bound: BoundTools = given["tools"]
    choice = read_tool_choice(given.get("tool_choice"), bound)
    history = read_history(messages, bound)
    result = search(bound, history.query or "") if needs_search(history, choice) else None
    return _with(given, choice, decide(bound, history, result, choice, measure))


async def anarrowed(
    given: Mapping[str, Any], messages: Sequence[BaseMessage], measure: Measure
) -> dict[str, Any]:
    """Like ``narrowed``; the prompt is measured in a thread, since a first one loads the model."""
    bound: BoundTools = given["tools"]
    choice = read_tool_choice(given.get("tool_choice"), bound)
    history = read_history(messages, bound)
    result = await asearch(bound, history.query or "") if needs_search(history, choice) else None
    offer = await asyncio.to_thread(decide, bound, history, result, choice, measure)
    return _with(given, choice, offer)


def prompt_measure(
    engine: Engine,
    format_: PromptFormat,
    messages: Sequence[BaseMessage],
    *,
    max_tokens: int | None,
    response_format: Mapping[str, Any] | None,
) -> Measure:
    """Return what measures the real prompt of a conversation with some tools, by its tokenizer."""
    wanted = read_response_format(response_format)
    if wanted is not None:
        messages = [*messages, SystemMessage(wanted.instruction())]

    def measure(functions: Sequence[FunctionSchema]) -> Size:
        most = format_.most_functions
        if most is not None and len(functions) > most:
            return Size(0, None, most_functions=most)
        offered = FunctionSet(functions)
        prompt = format_.render(conversation(messages, offered), offered.written)
        context = engine.context_tokens
        answer = min(max_tokens or _ANSWER_TOKENS, context // 4)
        return Size(len(engine.encode(prompt)), context - answer)

    return measure


def _with(given: Mapping[str, Any], choice: ToolChoice, offer: Offer) -> dict[str, Any]:
    bound: BoundTools = given["tools"]
    if choice.mode == "any" and not offer.tools:
        raise UnknownToolError(
            f"tool_choice={given['tool_choice']!r} demands a call, and none of the {len(bound)} "
            "bound tools was found for this request. Leave tool_choice out, name a tool by it, or "
            'mark those that are always offered: extras={"defer_loading": False}.'
        )
    return {**given, "tools": bound.functions(offer.names), OFFER: offer}
