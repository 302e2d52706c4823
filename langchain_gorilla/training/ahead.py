"""Work that other processes do before it is asked for, in order: a GPU should not wait for data."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

Item = TypeVar("Item")

EACH = 2
"""Results that are made ahead for each process."""


def ahead(make: Callable[[int], Item], indices: Iterable[int], workers: int) -> Iterator[Item]:
    """Give ``make(index)`` for every index, in order.

    Args:
        make: Called in another process, so it has to be picklable, and its results too.
        indices: May be endless.
        workers: How many processes; 0 makes everything here, when it is asked for.
    """
    if not workers:
        yield from map(make, indices)
        return
    # Spawned: a forked process would take over the locks of torch's threads.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        left = iter(indices)
        coming = deque(pool.submit(make, index) for index in islice(left, EACH * workers))
        while coming:
            made = coming.popleft()
            coming.extend(pool.submit(make, index) for index in islice(left, 1))
            yield made.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
