"""Answers decoded together are those that each would have had alone."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from langchain_gorilla import ChatGorilla
from langchain_gorilla.engines.base import (
    AnswerGrammar,
    CancelToken,
    EngineEvent,
    Finished,
    GenerationOptions,
)
from langchain_gorilla.engines.transformers import TransformersEngine, load_engine
from langchain_gorilla.engines.turns import Turns, Watch
from langchain_gorilla.errors import GenerationCancelledError, UnsupportedOptionError
from langchain_gorilla.grammar.call_grammar import Answer
from tests.engines.asking import FUNCTIONS
from tests.engines.small_model import settle, weather_prompt
from tests.grammar.samples import V2

QUESTIONS = (
    "What is the weather in Oslo and in Rome?",
    "Hello!",
    "Book me a hotel in Rio de Janeiro for 3 nights, four stars, with breakfast.",
    "Tell me a joke.",
    "7 * 6 = ?",
    "weather 'Ürümqi' now!!! 12 12.5 " + "please " * 90,
)
MODES = (Answer(mode="any"), Answer(), None)


# In float32: in bfloat16 two tokens that are nearly as probable may change places in any batch.
@pytest.fixture(scope="module")
def single() -> TransformersEngine:
    return load_engine("bundled", dtype="float32")


@pytest.fixture(scope="module")
def together() -> Iterator[TransformersEngine]:
    engine = load_engine("bundled", dtype="float32", max_batch_size=4)
    engine.load()
    yield engine
    settle(engine)
    engine.unload()


def events(
    engine: TransformersEngine, question: str, answer: Answer | None, **options: Any
) -> list[EngineEvent]:
    grammar = None
    if answer is not None:
        grammar = AnswerGrammar(functions=FUNCTIONS, syntax=V2, answer=answer)
    given = GenerationOptions(**{"max_tokens": 24, **options})
    return list(engine.stream(weather_prompt(question), given, constraint=grammar))


def test_greedy_answers_are_those_of_one_after_another(
    single: TransformersEngine, together: TransformersEngine
) -> None:
    asked = [(question, answer) for question in QUESTIONS for answer in MODES]
    alone = [events(single, *each) for each in asked]
    with ThreadPoolExecutor(len(asked)) as pool:
        jobs = [pool.submit(events, together, *each) for each in asked]
        assert [job.result() for job in jobs] == alone
    assert together._loaded.batcher is not None
    assert together._loaded.batcher.largest > 1


def test_sampled_answers_repeat_by_their_seed(
    single: TransformersEngine, together: TransformersEngine
) -> None:
    asked = [(QUESTIONS[n % 3], MODES[n % 2], n) for n in range(6)]
    alone = [events(single, q, a, temperature=1.2, seed=seed) for q, a, seed in asked]
    with ThreadPoolExecutor(6) as pool:
        jobs = [
            pool.submit(events, together, q, a, temperature=1.2, seed=seed) for q, a, seed in asked
        ]
        assert [job.result() for job in jobs] == alone


def test_one_that_is_cancelled_disturbs_no_other(
    single: TransformersEngine, together: TransformersEngine
) -> None:
    alone = events(single, QUESTIONS[2], MODES[0], max_tokens=60)
    cancel = CancelToken()

    def cancelled() -> None:
        grammar = AnswerGrammar(functions=FUNCTIONS, syntax=V2, answer=Answer(mode="any"))
        options = GenerationOptions(max_tokens=60)
        for _ in together.stream(
            weather_prompt(QUESTIONS[0]), options, constraint=grammar, cancel=cancel
        ):
            cancel.cancel()

    with ThreadPoolExecutor(4) as pool:
        others = [
            pool.submit(events, together, QUESTIONS[2], MODES[0], max_tokens=60) for _ in range(3)
        ]
        with pytest.raises(GenerationCancelledError):
            pool.submit(cancelled).result()
        assert [other.result() for other in others] == [alone] * 3
    settle(together)
    assert together._loaded.batcher is not None
    assert together._loaded.batcher._rows == 0


def test_an_error_of_one_disturbs_no_other(together: TransformersEngine) -> None:
    broken = AnswerGrammar(functions=FUNCTIONS, syntax=V2, answer=Answer(mode="any", name="gone"))

    def fail() -> None:
        list(together.stream(weather_prompt(), GenerationOptions(max_tokens=24), constraint=broken))

    with ThreadPoolExecutor(4) as pool:
        good = [pool.submit(events, together, QUESTIONS[0], MODES[0]) for _ in range(3)]
        bad = pool.submit(fail)
        with pytest.raises(ValueError, match="'gone'"):
            bad.result()
        assert len({str(job.result()) for job in good}) == 1


def test_callers_come_in_order_and_only_so_many_at_once() -> None:
    turns, lock = Turns(width=3), threading.Lock()
    gate = threading.Event()
    started = [threading.Event() for _ in range(12)]
    running, most, order = 0, 0, []

    def work(number: int) -> Any:
        def run(emit: Any) -> None:
            nonlocal running, most
            with lock:
                order.append(number)
                running += 1
                most = max(most, running)
            started[number].set()
            if number == 0:
                assert gate.wait(20)
            with lock:
                running -= 1
            emit(Finished(reason="stop", input_tokens=1, output_tokens=1))

        return run

    readers = []
    for number in range(12):
        stream = turns.stream(work(number), Watch())
        thread = threading.Thread(target=list, args=(stream,))
        thread.start()
        readers.append(thread)
        if number < 3:
            assert started[number].wait(20)
    gate.set()
    for thread in readers:
        thread.join(20)
    assert sorted(order) == list(range(12))
    assert order[:3] == [0, 1, 2]
    assert most <= 3


def test_turns_that_are_widened_serve_those_that_wait() -> None:
    turns, gate = Turns(), threading.Event()
    both = threading.Barrier(2, action=gate.set)

    def run(emit: Any) -> None:
        both.wait(20)
        emit(Finished(reason="stop", input_tokens=1, output_tokens=1))

    threads = [threading.Thread(target=list, args=(turns.stream(run, Watch()),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert not gate.wait(0.2)
    turns.widen(2)
    assert gate.wait(20)
    for thread in threads:
        thread.join(20)


async def test_batch_and_abatch_go_through_it(together: TransformersEngine) -> None:
    def get_weather(city: str) -> str:
        """Get the weather."""
        return city

    cities = ["Oslo", "Rome", "Lima", "Paris", "Quito", "Tokyo"]
    asked = [f"What is the weather in {city}?" for city in cities]
    alone = ChatGorilla(model="bundled", dtype="float32", max_tokens=24).bind_tools([get_weather])
    model = ChatGorilla(
        model="bundled", dtype="float32", max_tokens=24, max_batch_size=4
    ).bind_tools([get_weather])

    def calls(messages: Any) -> Any:
        return [(m.text, [(c["name"], c["args"]) for c in m.tool_calls]) for m in messages]

    expected = calls([alone.invoke(question) for question in asked])
    assert calls(model.batch(asked)) == expected
    assert calls(await model.abatch(asked)) == expected
    assert calls(await asyncio.gather(*map(model.ainvoke, asked))) == expected


def test_a_batch_has_at_least_one_row() -> None:
    with pytest.raises(UnsupportedOptionError, match="expected at least 1"):
        load_engine("bundled", max_batch_size=0)
