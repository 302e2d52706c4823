"""Requests take turns, one or a few at a time, and each one's reader can walk away.

A generation runs in a thread of the engine's and never waits for its reader, so two streams that
one thread reads in turns cannot block each other.
"""

import asyncio
import queue
import threading
import time
import traceback
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from langchain_gorilla.engines.base import CancelToken, EngineEvent, Finished
from langchain_gorilla.errors import GenerationCancelledError, GenerationTimeoutError

_POLL_S = 0.02
"""How often a waiting reader looks at its CancelToken."""

_WAITING = "while it waited for its turn"
_GENERATING = "while it was generating"

_T = TypeVar("_T")


class Watch:
    """Knows whether a generation should go on: asked after every token.

    The time counts from the moment this is made.
    """

    def __init__(self, *, timeout_s: float | None = None, cancel: CancelToken | None = None):
        """Start the clock."""
        self._timeout_s = timeout_s
        self._cancel = cancel
        self._start = time.monotonic()
        self._abandoned = threading.Event()
        self._reader = threading.current_thread()

    @property
    def polls(self) -> bool:
        """Whether a waiting reader has to look at a CancelToken now and then."""
        return self._cancel is not None

    def read_here(self) -> None:
        """This thread reads on; at first that is the one that started the clock."""
        self._reader = threading.current_thread()

    def abandon(self) -> None:
        """The reader has gone."""
        self._abandoned.set()

    def remaining_s(self) -> float | None:
        """Seconds until the timeout, 0 when it has passed; None where there is none."""
        if self._timeout_s is None:
            return None
        remaining = self._start + self._timeout_s - time.monotonic()
        # Nothing can wait for longer, and an infinite timeout is one too.
        return min(max(0.0, remaining), threading.TIMEOUT_MAX)

    def sleep(self, seconds: float) -> None:
        """Wait, but not past a cancellation or the timeout; then ``check``."""
        end = time.monotonic() + seconds
        self.check()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _POLL_S, self.remaining_s() or _POLL_S))
            self.check()

    def check(self, doing: str = _GENERATING) -> None:
        """Do nothing if the generation should go on.

        Raises:
            GenerationCancelledError: The caller cancelled, or nobody reads any more.
            GenerationTimeoutError: The time is up.
        """
        if self._cancel is not None and self._cancel.cancelled:
            raise GenerationCancelledError(f"The request was cancelled {doing}.")
        if self._abandoned.is_set() or self._ends_with_the_process():
            raise GenerationCancelledError(f"Nobody reads the answer any more ({doing}).")
        if self.remaining_s() == 0.0:
            raise GenerationTimeoutError(
                f"No complete answer after {self._timeout_s:g} s; the time ran out {doing}. Raise "
                "the timeout, lower max_tokens, or use a smaller model or a faster device."
            )

    def _ends_with_the_process(self) -> bool:
        """Tell whether the main thread has ended, and the reader is not one that outlives it."""
        if threading.main_thread().is_alive():
            return False
        return self._reader.daemon or not self._reader.is_alive()


@dataclass(frozen=True)
class _Failed:
    error: BaseException


Emit: TypeAlias = Callable[[EngineEvent], None]
Work: TypeAlias = Callable[[Emit], None]
"""Generates: emits events, ``Finished`` last, and checks its Watch after every token."""
_Item: TypeAlias = EngineEvent | _Failed


@dataclass(eq=False)
class _Job:
    """One request: what to do, whether to go on with it, and where its events go."""

    work: Work
    watch: Watch
    put: Callable[[_Item], None]
    started: bool = False

    def run(self) -> None:
        try:
            self.watch.check(_WAITING)
            self.work(self.put)
        except BaseException as error:  # Whatever it is, it belongs to the reader.
            # What its frames hold would stay as long as the error is kept, and where nobody reads
            # it until the garbage collector comes by.
            traceback.clear_frames(error.__traceback__)
            self.put(_Failed(error))

    def check(self) -> None:
        self.watch.check(_GENERATING if self.started else _WAITING)


class Turns:
    """A queue of generations, served in the order in which they came, ``width`` at a time.

    Threads serve while there are requests, and end with them. They are no daemons (torch may not
    be cut off in the middle), but when the main thread ends, they drop within one token what is
    not read by a thread that the interpreter waits for: it does not wait for answers in the making
    that nobody will see.
    """

    def __init__(self, width: int = 1) -> None:
        """Serve nobody yet."""
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._width = width
        self._serving = 0

    def widen(self, width: int) -> None:
        """Serve so many at a time from now on, those that wait included; those served go on."""
        with self._lock:
            self._width = width
            self._start_servers()

    def forget_threads(self) -> None:
        """In a forked process: the threads that served, and those that they served, are not there.

        An answer begun before the fork gets no further here; it goes on in the other process.
        """
        self._lock = threading.Lock()
        self._waiting.clear()
        self._serving = 0

    def stream(self, work: Work, watch: Watch) -> Generator[EngineEvent, None, None]:
        """Wait for the turn, then give events as they come."""
        items: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        job = self._enter(_Job(work, watch, items.put))
        try:
            while True:
                watch.read_here()
                event = _event(_wait(items, job))
                yield event
                if isinstance(event, Finished):
                    return
        finally:
            self._leave(job)

    async def astream(self, work: Work, watch: Watch) -> AsyncGenerator[EngineEvent, None]:
        """Like ``stream``, without blocking the event loop and without a further thread."""
        loop = asyncio.get_running_loop()
        items: asyncio.Queue[_Item] = asyncio.Queue()

        def put(item: _Item) -> None:
            try:
                loop.call_soon_threadsafe(items.put_nowait, item)
            except RuntimeError:  # The loop is closed, and its readers with it.
                watch.abandon()

        job = self._enter(_Job(work, watch, put))
        try:
            while True:
                event = _event(await _await(items, job))
                yield event
                if isinstance(event, Finished):
                    return
        finally:
            self._leave(job)

    def _enter(self, job: _Job) -> _Job:
        with self._lock:
            self._waiting.append(job)
            self._start_servers()
        return job

    def _start_servers(self) -> None:
        """Start as many threads as find something to do; the lock is held."""
        for _ in range(min(self._width, len(self._waiting) + self._serving) - self._serving):
            threading.Thread(target=self._serve, name="gorilla-engine").start()
            self._serving += 1

    def _leave(self, job: _Job) -> None:
        job.watch.abandon()
        with self._lock:
            if job in self._waiting:
                self._waiting.remove(job)

    def _serve(self) -> None:
        while True:
            with self._lock:
                if not self._waiting or self._serving > self._width:
                    self._serving -= 1
                    return
                job = self._waiting.popleft()
                job.started = True
            job.run()


def _event(item: _Item) -> EngineEvent:
    if isinstance(item, _Failed):
        try:
            raise item.error
        finally:
            del item  # The error's own traceback holds this frame.
    return item


def _wait(items: "queue.SimpleQueue[_Item]", job: _Job) -> _Item:
    while True:
        remaining = job.watch.remaining_s()
        wait = min(_POLL_S, remaining or _POLL_S) if job.watch.polls else remaining
        try:
            return items.get(timeout=wait) if wait != 0 else items.get_nowait()
        except queue.Empty:
            job.check()


async def _await(items: "asyncio.Queue[_Item]", job: _Job) -> _Item:
    while items.empty():
        try:
            return await within(job.watch.remaining_s(), items.get())
        except asyncio.TimeoutError:
            job.check()
    return items.get_nowait()  # It was there in time, however late it is read.


async def within(seconds: float | None, awaited: Coroutine[Any, Any, _T]) -> _T:
    """Wait for something; before Python 3.12 ``wait_for`` may lose a cancellation, this does not.

    Raises:
        asyncio.TimeoutError: It took longer.
    """
    task = asyncio.create_task(awaited)
    try:
        await asyncio.wait((task,), timeout=seconds)
        if not task.done():
            raise asyncio.TimeoutError
        return task.result()
    finally:
        task.cancel()
