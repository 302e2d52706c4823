"""Work that asks on its way, such as for vectors: whoever answers may be async or not."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Result = TypeVar("Result")


def advanced(steps: Generator[Asked, Answer, Result], answer: Answer | None) -> Asked | Result:
    """Go one step on: to the next question, or to the end.

    Args:
        steps: Work under way.
        answer: To the question before; None at the start.
    """
    try:
        return next(steps) if answer is None else steps.send(answer)
    except StopIteration as end:
        result: Result = end.value
        return result


async def in_thread(work: Callable[..., Any], *arguments: Any) -> Any:
    """Run in a thread; a cancellation waits for it, since what it works on is not shared."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
