"""Cancelling and timing out in an event loop, which is never blocked."""

import asyncio
import threading
import time

import pytest

from langchain_gorilla.engines.base import GenerationOptions
from langchain_gorilla.engines.transformers import TransformersEngine
from langchain_gorilla.errors import GenerationTimeoutError, PromptTooLongError
from tests.engines.small_model import Passes, settle, weather_prompt


async def _read(engine: TransformersEngine, options: GenerationOptions | None = None) -> None:
    async for _ in engine.astream(weather_prompt(), options or GenerationOptions()):
        pass


async def _held(passes: Passes) -> None:
    assert await asyncio.to_thread(passes.held.wait, 20)


async def test_cancelling_the_task_stops_within_one_token(
    engine: TransformersEngine, passes: Passes
) -> None:
    passes.hold_at = 3
    task = asyncio.create_task(_read(engine))
    await _held(passes)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    passes.gate.set()
    settle(engine)
    assert len(passes.lengths) == 3


async def test_cancelling_a_waiting_task_takes_it_out_of_the_queue(
    engine: TransformersEngine, passes: Passes
) -> None:
    passes.hold_at = 1
    first = asyncio.create_task(_read(engine, GenerationOptions(max_tokens=3)))
    await _held(passes)
    second = asyncio.create_task(_read(engine))
    await asyncio.sleep(0.05)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    passes.gate.set()
    await first
    settle(engine)
    assert len(passes.prompts) == 1


async def test_closing_the_stream_stops_within_one_token(
    engine: TransformersEngine, passes: Passes
) -> None:
    passes.hold_at = 3
    events = engine.astream(weather_prompt(), GenerationOptions())
    await anext(events)
    await _held(passes)
    await events.aclose()
    passes.gate.set()
    settle(engine)
    assert len(passes.lengths) == 3


async def test_a_timeout_stops_within_one_token(engine: TransformersEngine, passes: Passes) -> None:
    passes.each = lambda count: time.sleep(0.05)
    with pytest.raises(GenerationTimeoutError, match=r"after 0\.2 s.*generating"):
        await _read(engine, GenerationOptions(timeout_s=0.2))
    settle(engine)
    assert len(passes.lengths) <= 4


async def test_a_timeout_counts_the_wait_for_the_turn(
    engine: TransformersEngine, passes: Passes
) -> None:
    passes.hold_at = 1
    first = asyncio.create_task(_read(engine, GenerationOptions(max_tokens=3)))
    await _held(passes)
    with pytest.raises(GenerationTimeoutError, match="waited for its turn"):
        await _read(engine, GenerationOptions(timeout_s=0.1))
    passes.gate.set()
    await first


async def test_the_event_loop_is_not_blocked(engine: TransformersEngine, passes: Passes) -> None:
    passes.each = lambda count: time.sleep(0.02)
    task = asyncio.create_task(_read(engine, GenerationOptions(max_tokens=10)))
    longest = 0.0
    while not task.done():
        start = time.monotonic()
        await asyncio.sleep(0.001)
        longest = max(longest, time.monotonic() - start)
    await task
    # One pass alone takes 0.02 s, the answer 0.2 s.
    assert longest < 0.15


async def test_many_tasks_share_one_engine(engine: TransformersEngine) -> None:
    options = GenerationOptions(max_tokens=4)
    before = {thread.name for thread in threading.enumerate()}
    await asyncio.gather(*(_read(engine, options) for _ in range(8)))
    settle(engine)
    started = {thread.name for thread in threading.enumerate()} - before
    assert not [name for name in started if not name.startswith("asyncio_")]


async def test_a_prompt_that_does_not_fit_is_an_error_at_once(
    engine: TransformersEngine, passes: Passes
) -> None:
    with pytest.raises(PromptTooLongError, match=r"may have 2,048"):
        async for _ in engine.astream(("word " * 4000,), GenerationOptions()):
            pass
    assert passes.lengths == []
