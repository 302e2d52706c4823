"""Names of functions weighed by what else speaks for them."""

import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.engines.base import Evidence
from langchain_gorilla.engines.weighing import Weighing
from tests.engines.characters import MARK, Bytes

BARE = CallSyntax(opening="", separator=", ", closing="")


def weighing(
    nats: Mapping[str, float],
    syntax: CallSyntax = MARK,
    prompt: int = 0,
    later: Mapping[str, float] | None = None,
) -> Weighing:
    """Weigh by ``nats``, and by ``later`` behind a call."""
    vocabulary: Any = Bytes()
    evidence = Evidence(
        syntax=syntax,
        functions=tuple(nats),
        nats=lambda calls: nats if later is None or not calls else later,
    )
    return Weighing(evidence, vocabulary, prompt_tokens=prompt)


def shares(weigher: Weighing, answer: str, given: Mapping[str, float]) -> dict[str, float]:
    """Weigh the probabilities of the next characters."""
    row = torch.full((128,), -torch.inf)
    for text, share in given.items():
        row[ord(text)] = torch.tensor(share).log()
    before = row.clone()
    found = weigher.weigh(answer.encode(), row).softmax(-1)
    assert torch.equal(row, before)
    return {text: round(float(found[ord(text)]), 4) for text in given}


def test_a_name_gains_on_others_what_speaks_for_it() -> None:
    found = shares(weighing({"f": 0.0, "g": 2.0}), "#", {"f": 0.6, "g": 0.3, "x": 0.1})
    assert found["g"] / found["f"] == pytest.approx(0.5 * math.exp(2), rel=1e-3)


def test_whether_a_function_is_named_stays_as_probable() -> None:
    found = shares(weighing({"f": 0.0, "g": 5.0}, BARE), "", {"f": 0.3, "g": 0.1, "T": 0.6})
    assert found["T"] == 0.6
    assert found["f"] + found["g"] == pytest.approx(0.4, abs=1e-3)


def test_a_token_that_names_begin_with_counts_for_the_best_of_them() -> None:
    weigher = weighing({"get_a": 0.0, "get_b": 3.0, "find": 1.0})
    even = shares(weigher, "#", {"g": 0.5, "f": 0.5})
    assert even["g"] / even["f"] == pytest.approx(math.exp(2), rel=1e-3)
    assert shares(weigher, "#get_", {"a": 0.5, "b": 0.5})["b"] > 0.95


@pytest.mark.parametrize("answer", ["", "#f(", "#f(a='#", "Text"])
def test_elsewhere_nothing_is_weighed(answer: str) -> None:
    given = {"f": 0.6, "g": 0.4}
    assert shares(weighing({"f": 0.0, "g": 9.0}), answer, given) == given


def test_a_further_call_is_weighed_too() -> None:
    weigher = weighing({"f": 9.0, "g": 0.0}, later={"g": 9.0})
    assert shares(weigher, "#", {"f": 0.1, "g": 0.9})["f"] > 0.9
    assert shares(weigher, "#f(a='#')#", {"f": 0.9, "g": 0.1})["g"] > 0.9


def test_where_all_are_alike_or_none_is_allowed_nothing_is_weighed() -> None:
    assert shares(weighing({"f": 2.0, "g": 2.0}), "#", {"f": 0.6, "g": 0.4}) == {"f": 0.6, "g": 0.4}
    assert shares(weighing({"f": 0.0, "g": 9.0}), "#", {"x": 1.0}) == {"x": 1.0}


def test_a_name_that_is_forbidden_stays_so() -> None:
    found = shares(weighing({"f": 0.0, "g": 9.0, "h": 1.0}), "#", {"f": 0.7, "h": 0.3, "g": 0.0})
    assert found["g"] == 0.0
    assert found["f"] + found["h"] == pytest.approx(1.0, abs=1e-3)


def test_as_a_processor_it_leaves_the_prompt_out() -> None:
    weigher = weighing({"f": 0.0, "g": 9.0}, prompt=3)
    row = torch.full((1, 128), -torch.inf)
    row[0, ord("f")], row[0, ord("g")] = -0.1, -2.0
    named = torch.tensor([[*b"#f(", *b"#"]])
    assert int(weigher(named, row).argmax()) == ord("g")
    assert int(weigher(torch.tensor([[*b"abc", *b"#f("]]), row).argmax()) == ord("f")
