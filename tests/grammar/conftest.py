import pytest

from langchain_gorilla.grammar.compiler import ConstraintCompiler
from langchain_gorilla.grammar.constraint import Vocabulary
from tests.grammar.samples import tokenizer_json


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary(tokenizer_json(), end_ids=[0])


@pytest.fixture(scope="session")
def marked_vocabulary() -> Vocabulary:
    """One in which the call marks are tokens of their own."""
    special = ("<<function>>", "<|tool_call_start|>", "<|tool_call_end|>", "<think>", "</think>")
    return Vocabulary(tokenizer_json(special=special, padding=3), end_ids=[0], size=500)


@pytest.fixture
def compiler(vocabulary: Vocabulary) -> ConstraintCompiler:
    return ConstraintCompiler(vocabulary)
