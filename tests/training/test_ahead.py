import operator
import os
from functools import partial
from itertools import count, islice

import numpy as np
import pytest
from tokenizers import Tokenizer

from langchain_gorilla import bundled
from langchain_gorilla.training import dataset
from langchain_gorilla.training.ahead import ahead


@pytest.mark.parametrize("workers", [0, 2])
def test_results_come_in_order_without_end(workers: int) -> None:
    squares = ahead(partial(pow, exp=2), count(3), workers)
    assert list(islice(squares, 9)) == [number * number for number in range(3, 12)]
    assert list(ahead(partial(pow, exp=2), range(3), workers)) == [0, 1, 4]
    assert list(ahead(partial(pow, exp=2), (), workers)) == []


def _process(_index: int) -> int:
    return os.getpid()


def test_other_processes_make_them() -> None:
    assert os.getpid() not in ahead(_process, range(4), 1)
    assert set(ahead(_process, range(4), 0)) == {os.getpid()}


def test_what_goes_wrong_there_goes_wrong_here() -> None:
    parts = ahead(partial(operator.floordiv, 6), [3, 0, 1], 1)
    assert next(parts) == 2
    with pytest.raises(ZeroDivisionError):
        next(parts)


def test_batches_are_the_same_whoever_makes_them() -> None:
    tokenizer = Tokenizer.from_file(str(bundled.path() / "tokenizer.json"))
    here, there = (
        list(islice(dataset.stream(tokenizer, 3, 4096, max_tokens=1200, workers=workers), 3))
        for workers in (0, 1)
    )
    for (*place, batch), (*other_place, other) in zip(here, there, strict=True):
        assert place == other_place
        assert batch.kinds == other.kinds
        assert np.array_equal(batch.ids, other.ids)
        assert np.array_equal(batch.weights, other.weights)
