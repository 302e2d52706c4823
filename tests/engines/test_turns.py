"""Requests take turns, and go on exactly as long as somebody can read them."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from langchain_gorilla.engines.base import Finished, TextPiece
from langchain_gorilla.engines.turns import Turns, Watch
from langchain_gorilla.errors import GenerationCancelledError

END = Finished(reason="stop", input_tokens=1, output_tokens=1)


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
            emit(END)

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


async def test_an_answer_that_was_complete_in_time_may_be_read_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def work(emit: Any) -> None:
        emit(TextPiece("Hello"))
        emit(END)

    watch = Watch(timeout_s=60)
    events = Turns().astream(work, watch)
    await anext(events)
    for thread in threading.enumerate():
        if thread.name == "gorilla-engine":
            await asyncio.to_thread(thread.join, 20)
    await asyncio.sleep(0)
    monkeypatch.setattr(watch, "remaining_s", lambda: 0.0)
    assert [event async for event in events] == [END]


@pytest.mark.parametrize("rounds", range(5))
async def test_no_cancellation_is_lost_beside_a_piece_that_comes(rounds: int) -> None:
    loop = asyncio.get_running_loop()
    begin, emitted, end = (threading.Event() for _ in range(3))

    def cancel_after(rounds: int) -> None:
        if rounds:
            loop.call_soon(cancel_after, rounds - 1)
        else:
            reader.cancel()

    def work(emit: Any) -> None:
        assert begin.wait(20)
        emit(TextPiece("Hello"))
        loop.call_soon_threadsafe(cancel_after, rounds)
        emitted.set()
        assert end.wait(20)
        emit(END)

    async def read() -> None:
        async for _ in Turns().astream(work, Watch(timeout_s=60)):
            pass

    reader = asyncio.create_task(read())
    await asyncio.sleep(0.01)
    begin.set()
    assert emitted.wait(20)  # Both wait for the loop, which this holds up.
    for _ in range(20):
        await asyncio.sleep(0)
    end.set()
    with pytest.raises(asyncio.CancelledError):
        await reader


def test_turns_that_are_widened_serve_those_that_wait() -> None:
    turns, gate = Turns(), threading.Event()
    both = threading.Barrier(2, action=gate.set)

    def run(emit: Any) -> None:
        both.wait(20)
        emit(END)

    threads = [threading.Thread(target=list, args=(turns.stream(run, Watch()),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert not gate.wait(0.2)
    turns.widen(2)
    assert gate.wait(20)
    for thread in threads:
        thread.join(20)


def test_turns_that_are_narrowed_end_what_serves_too_many() -> None:
    turns, started = Turns(width=2), [threading.Event() for _ in range(3)]
    gates = [threading.Event() for _ in range(3)]
    servers: dict[int, threading.Thread] = {}

    def work(number: int) -> Any:
        def run(emit: Any) -> None:
            servers[number] = threading.current_thread()
            started[number].set()
            assert gates[number].wait(20)
            emit(END)

        return run

    readers = []
    for number in range(3):
        stream = turns.stream(work(number), Watch())
        readers.append(threading.Thread(target=list, args=(stream,)))
        readers[-1].start()
        assert number == 2 or started[number].wait(20)
    while not turns._waiting:
        readers[2].join(0.001)
    turns.widen(1)
    gates[0].set()
    servers[0].join(20)
    assert not started[2].is_set()
    for gate in gates:
        gate.set()
    for reader in readers:
        reader.join(20)
    assert servers[2] is servers[1]


def ended() -> threading.Thread:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    return thread


@pytest.mark.parametrize(
    ("daemon", "goes_on"), [(False, True), (True, False)], ids=["waited for", "daemon"]
)
def test_a_reader_that_outlives_the_main_thread_gets_its_answer(
    monkeypatch: pytest.MonkeyPatch, daemon: bool, goes_on: bool
) -> None:
    main = ended()
    found: list[object] = []

    def read() -> None:
        try:
            found.extend(Turns().stream(lambda emit: emit(END), Watch()))
        except GenerationCancelledError as error:
            found.append(str(error))

    reader = threading.Thread(target=read, daemon=daemon)
    monkeypatch.setattr("threading.main_thread", lambda: main)
    reader.start()
    reader.join(20)
    assert found == [END] if goes_on else "Nobody reads" in str(found)


def test_an_answer_whose_reader_ended_goes_on_only_beside_the_main_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watches: list[Watch] = []
    reader = threading.Thread(target=lambda: watches.append(Watch()))
    reader.start()
    reader.join()
    watches[0].check()
    monkeypatch.setattr("threading.main_thread", ended)
    with pytest.raises(GenerationCancelledError, match="Nobody reads"):
        watches[0].check()
    # Whoever reads on keeps it going.
    watches[0].read_here()
    watches[0].check()


def test_a_workers_requests_are_answered_after_the_end_of_the_main_thread() -> None:
    code = """if True:
        import threading
        from langchain_gorilla.engines.base import Finished
        from langchain_gorilla.engines.turns import Turns, Watch

        def read():
            threading.main_thread().join()
            end = Finished(reason="stop", input_tokens=1, output_tokens=1)
            print(*Turns().stream(lambda emit: emit(end), Watch()))

        threading.Thread(target=read).start()
    """
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.startswith("Finished(")
    assert ran.stderr == ""


def test_a_forked_process_serves_though_its_threads_are_gone() -> None:
    turns, held, gate = Turns(), threading.Event(), threading.Event()

    def hold(emit: Callable[[Any], None]) -> None:
        held.set()
        assert gate.wait(20)
        emit(END)

    first = threading.Thread(target=list, args=(turns.stream(hold, Watch()),))
    first.start()
    assert held.wait(20)
    server, lock = turns._serving, turns._lock
    assert server == 1
    lock.acquire()
    turns.forget_threads()
    assert list(turns.stream(lambda emit: emit(END), Watch(timeout_s=20))) == [END]
    lock.release()
    gate.set()
    first.join(20)
