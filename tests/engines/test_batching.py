"""Answers decoded together are those that each would have had alone."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from langchain_gorilla import ChatGorilla
from langchain_gorilla.engines.base import (
    AnswerGrammar,
    CancelToken,
    EngineEvent,
    GenerationOptions,
)
from langchain_gorilla.engines.batching import _Order, _read_together, can_batch
from langchain_gorilla.engines.loading import LoadedModel
from langchain_gorilla.engines.locating import ModelSource
from langchain_gorilla.engines.token_sequence import TransformersSequence, cache_of, can_cut
from langchain_gorilla.engines.transformers import TransformersEngine, load_engine
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
    # Not of load_engine, which would give both fixtures one engine, and what it has read.
    engine = TransformersEngine(LoadedModel(ModelSource(model="bundled", dtype="float32")))
    engine._loaded.resize_batch(4)
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


TINY = {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}


def random_model(kind: str, **options: Any) -> Any:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **TINY, max_position_embeddings=64, **options)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    for parameter in model.parameters():  # As large as trained ones, so that a fault shows.
        torch.nn.init.normal_(parameter.data, std=0.3)
    return model


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("opt", {"ffn_dim": 64, "word_embed_proj_dim": 32}),
        ("falcon", {"alibi": False}),
        ("mpt", {"max_seq_len": 64}),
        ("xglm", {"ffn_dim": 64}),
        ("biogpt", {"intermediate_size": 64}),
        ("gpt2", {}),
        ("llama", {"intermediate_size": 64, "num_key_value_heads": 2}),
    ],
)
def test_a_familys_rows_score_together_as_each_does_alone(
    kind: str, options: dict[str, Any]
) -> None:
    import torch

    model = random_model(kind, **options)
    assert can_cut(model)
    assert can_batch(model)
    rows = [([5, 6, 7, 8, 9], [10, 11]), ([3], [4, 5, 6]), ([], [20, 21])]

    def begun(past: list[int]) -> TransformersSequence:
        sequence = TransformersSequence(model, cache_of(model))
        if past:
            sequence.extend(past, [0])
        return sequence

    alone = [begun(past).extend(tokens, range(len(tokens))) for past, tokens in rows]
    orders = [_Order(begun(past), tokens, [*range(len(tokens))]) for past, tokens in rows]
    _read_together(orders)
    for order, expected in zip(orders, alone, strict=True):
        torch.testing.assert_close(order.result(), expected, atol=1e-4, rtol=1e-4)


DYNAMIC = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}


@pytest.mark.parametrize(
    ("kind", "options"),
    [("bloom", {}), ("falcon", {"alibi": True}), ("llama", {"rope_parameters": DYNAMIC})],
)
def test_a_family_whose_positions_depend_on_the_other_rows_is_not_batched(
    kind: str, options: dict[str, Any]
) -> None:
    assert not can_batch(random_model(kind, **options))


def test_a_batch_has_at_least_one_row() -> None:
    with pytest.raises(UnsupportedOptionError, match="expected at least 1"):
        load_engine("bundled", max_batch_size=0)
