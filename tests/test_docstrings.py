"""The examples in docstrings run as they stand, and give what they show."""

import doctest
import sys

import pytest

import langchain_gorilla
from langchain_gorilla.retrieval.retriever import ToolRetriever

EXPORTED = [getattr(langchain_gorilla, name) for name in langchain_gorilla.__all__]


@pytest.mark.parametrize("named", [*EXPORTED, ToolRetriever], ids=lambda named: named.__name__)
def test_an_example_gives_what_it_shows(named):
    (example,) = doctest.DocTestFinder(recurse=False).find(
        named, named.__name__, globs=dict(vars(sys.modules[named.__module__]))
    )
    assert example.examples
    told: list[str] = []
    result = doctest.DocTestRunner().run(example, out=told.append)
    assert result.failed == 0, "".join(told)
