"""What a model has read is found again, within a budget, and changes no answer."""

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_gorilla.chat_models import ChatGorilla
from langchain_gorilla.engines.base import AnswerGrammar, Finished, GenerationOptions
from langchain_gorilla.engines.loading import LoadedModel
from langchain_gorilla.engines.locating import ModelSource
from langchain_gorilla.engines.prefix_cache import DEFAULT_BUDGET_BYTES, Prefix, PrefixCache
from langchain_gorilla.engines.transformers import TransformersEngine
from langchain_gorilla.grammar.call_grammar import Answer
from tests.engines.asking import FUNCTIONS
from tests.engines.small_model import weather_prompt
from tests.grammar.samples import V2

TOKENS = st.lists(st.integers(0, 2), min_size=1, max_size=6)


def prefix(*tokens: int, size_bytes: int = 1) -> Prefix:
    return Prefix(tokens, "".join(map(str, tokens)), size_bytes)


@settings(deadline=None)
@given(st.lists(TOKENS, max_size=8), TOKENS)
def test_the_longest_shared_beginning_is_found(kept: list[list[int]], asked: list[int]) -> None:
    cache = PrefixCache()
    for tokens in kept:
        cache.keep(prefix(*tokens))
    found, shared = cache.find(asked)
    lengths = [
        length
        for tokens in kept
        for length in range(1, len(asked))
        if tokens[:length] == asked[:length]
    ]
    assert shared == max(lengths, default=0)
    assert (found is None) == (shared == 0)
    if found is not None:
        assert list(found.tokens[:shared]) == asked[:shared]


@settings(deadline=None)
@given(st.lists(st.tuples(TOKENS, st.integers(1, 4)), max_size=20), st.integers(0, 8))
def test_the_budget_holds(kept: list[tuple[list[int], int]], budget: int) -> None:
    cache = PrefixCache(budget)
    for tokens, size in kept:
        cache.keep(prefix(*tokens, size_bytes=size))
        assert cache.size_bytes <= budget
        assert cache.size_bytes == sum(each.size_bytes for each in cache._kept.values())
    cache.resize(0)
    assert cache.size_bytes == 0


def test_the_least_recently_used_goes_first() -> None:
    cache = PrefixCache(2)
    cache.keep(prefix(1, 1))
    cache.keep(prefix(2, 2))
    assert cache.find([1, 1, 1])[1] == 2
    cache.keep(prefix(3, 3))
    assert [cache.find([n, n, n])[1] for n in (1, 2, 3)] == [2, 0, 2]


def test_a_longer_one_replaces_what_it_begins_with() -> None:
    cache = PrefixCache()
    for tokens in ((1,), (1, 2), (1, 2, 3), (1, 3)):
        cache.keep(prefix(*tokens))
    assert cache.size_bytes == 2


def test_threads_may_share_it() -> None:
    cache = PrefixCache(50)
    failed: list[Exception] = []

    def work(seed: int) -> None:
        try:
            for number in range(300):
                tokens = (seed % 3, number % 7, number % 5)
                cache.keep(prefix(*tokens, size_bytes=3))
                found, shared = cache.find([*tokens, 9])
                assert found is None or found.tokens[:shared] == tokens[:shared]
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert cache.size_bytes <= 50


# --- On real weights ---


@pytest.fixture
def fresh() -> TransformersEngine:
    return TransformersEngine(LoadedModel(ModelSource(model="bundled", dtype="float32")))


def answer(engine: TransformersEngine, question: str) -> tuple[str, Finished]:
    grammar = AnswerGrammar(functions=FUNCTIONS, syntax=V2, answer=Answer(mode="any"))
    *pieces, finished = engine.stream(
        weather_prompt(question), GenerationOptions(max_tokens=30), constraint=grammar
    )
    assert isinstance(finished, Finished)
    return "".join(piece.text for piece in pieces), finished  # type: ignore[union-attr]


def forget(engine: TransformersEngine) -> None:
    prefixes = engine._loaded.prefixes
    prefixes.resize(0)
    prefixes.resize(DEFAULT_BUDGET_BYTES)


def test_what_was_read_before_is_not_read_again_and_changes_nothing(
    fresh: TransformersEngine, engine: TransformersEngine
) -> None:
    fresh.load()
    lengths: list[int] = []
    fresh._loaded.weights.register_forward_pre_hook(
        lambda _model, _args, kwargs: lengths.append(kwargs["input_ids"].shape[1]),
        with_kwargs=True,
    )
    cold = answer(fresh, "What is the weather in Oslo?")
    assert cold[1].cached_tokens == 0
    other = answer(fresh, "What is the weather in Rome and Lima?")
    assert 0 < other[1].cached_tokens < other[1].input_tokens
    lengths.clear()
    warm = answer(fresh, "What is the weather in Oslo?")
    assert warm == cold
    assert warm[1].cached_tokens == warm[1].input_tokens - 1
    assert max(lengths) < warm[1].input_tokens
    forget(engine)
    assert other == answer(engine, "What is the weather in Rome and Lima?")


def test_unloading_forgets_what_was_read(fresh: TransformersEngine) -> None:
    answer(fresh, "Oslo?")
    assert fresh._loaded.prefixes.size_bytes > 0
    fresh.unload()
    assert fresh._loaded.prefixes.size_bytes == 0


def test_what_was_read_by_weights_that_are_unloaded_is_not_kept(fresh: TransformersEngine) -> None:
    fresh.load()
    fresh._loaded.weights.register_forward_pre_hook(lambda *_: fresh.unload())
    answer(fresh, "Oslo?")
    assert fresh._loaded.prefixes.size_bytes == 0


def test_the_cache_after_one_that_retires_has_its_budget() -> None:
    cache = PrefixCache(2)
    cache.keep(prefix(1, size_bytes=2))
    after = cache.retire()
    for each in (cache, after):
        each.keep(prefix(2, size_bytes=2))
        each.keep(prefix(3, size_bytes=3))
    assert (cache.size_bytes, after.size_bytes) == (0, 2)


def test_the_message_says_how_much_was_read_from_the_cache() -> None:
    class Cached:
        context_tokens = 100

        def encode(self, prompt: Any) -> list[int]:
            return [1]

        def stream(self, *args: Any, **kwargs: Any) -> Any:
            yield Finished(reason="stop", input_tokens=9, output_tokens=2, cached_tokens=7)

        async def astream(self, *args: Any, **kwargs: Any) -> Any:
            for event in self.stream():
                yield event

    usage = ChatGorilla(model="bundled", engine=Cached()).invoke("hi").usage_metadata
    assert usage is not None
    assert usage["input_token_details"] == {"cache_read": 7}


# --- Going on in place ---


def numbers(*tokens: int) -> Prefix:
    """A prefix whose state can be cut, as those of real weights can."""
    return Prefix(tokens, [Cuttable(len(tokens))], 1)


class Cuttable:
    def __init__(self, length: int) -> None:
        self.length = length

    def cut(self, tokens: int) -> "Cuttable":
        return Cuttable(tokens)


def found(cache: PrefixCache, *tokens: int) -> tuple[Prefix, int]:
    prefix, shared = cache.find(tokens)
    assert prefix is not None
    return prefix, shared


def test_memory_is_lent_to_one_asker_at_a_time() -> None:
    cache = PrefixCache()
    cache.keep(numbers(*range(20)))
    whole, shared = found(cache, *range(19), 7, 7)
    assert shared == 19
    loan = cache.borrow(whole, shared)
    assert loan is not None
    assert not cache.borrow(whole, shared)
    # What is lent ends where the asker goes on; others may still find and copy it.
    again, shared = found(cache, *range(25))
    assert (shared, again.state[0].length) == (19, 19)
    assert not cache.borrow(again, shared)
    cache.give_back(loan)
    assert cache.borrow(again, shared)
    assert cache.size_bytes == 1


def test_a_loan_given_back_ends_no_other_loan_of_equal_tokens() -> None:
    cache = PrefixCache()
    cache.keep(numbers(*range(20)))
    lost = cache.borrow(*found(cache, *range(25)))
    assert lost is not None
    # An answer that had copied the prefix ends, and what it read takes the prefix's place.
    cache.keep(numbers(*range(21)))
    lent = cache.borrow(*found(cache, *range(20), 99, 99))
    assert lent is not None
    assert lent.tokens == lost.tokens
    cache.give_back(lost)
    assert not cache.borrow(*found(cache, *range(25)))
    cache.give_back(lent)
    assert cache.borrow(*found(cache, *range(25)))


def test_an_answer_over_the_budget_leaves_what_it_borrowed_for_the_next() -> None:
    cache = PrefixCache(10)
    cache.keep(numbers(*range(20)))
    loan = cache.borrow(*found(cache, *range(25)))
    assert loan is not None
    cache.keep(Prefix(tuple(range(30)), [Cuttable(30)], 11))
    assert not cache.borrow(*found(cache, *range(25)))
    cache.give_back(loan)
    assert cache.borrow(*found(cache, *range(25)))
    assert cache.size_bytes == 1


def test_a_forked_process_keeps_what_was_read_and_owes_nothing() -> None:
    cache = PrefixCache()
    cache.keep(numbers(*range(20)))
    assert cache.borrow(*found(cache, *range(25)))
    cache._lock.acquire()
    cache.opening.acquire()
    cache.forget_threads()
    assert cache.borrow(*found(cache, *range(25)))
    assert cache.size_bytes == 1
    assert cache.opening.acquire(blocking=False)


def test_memory_is_not_lent_for_a_small_part_of_a_prefix() -> None:
    cache = PrefixCache()
    cache.keep(numbers(*range(20)))
    assert not cache.borrow(*found(cache, *range(10), 99, 99))
    assert cache.find([*range(30)])[1] == 20


def test_what_became_of_borrowed_memory_takes_its_place() -> None:
    cache = PrefixCache()
    cache.keep(numbers(*range(20)))
    assert cache.borrow(*found(cache, *range(30)))
    cache.keep(numbers(*range(25)))
    assert cache.size_bytes == 1
    assert cache.find([*range(30)])[1] == 25


def test_a_conversation_goes_on_in_place_and_says_the_same(fresh: TransformersEngine) -> None:
    """Each turn's prompt begins with the last one, answer included; then an old one comes back."""
    options = GenerationOptions(max_tokens=12)
    first = weather_prompt("Hello, who are you?")
    prompts = [first]
    for more in (" I can tell you the weather.\n", "### Instruction: Thanks!\n### Response: "):
        prompts.append((*prompts[-1], more))
    prompts += [weather_prompt("Tell me a joke."), prompts[0], prompts[2]]

    def said(prompt: Any) -> Any:
        *pieces, finished = fresh.stream(prompt, options)
        return "".join(piece.text for piece in pieces), finished  # type: ignore[union-attr]

    warm = [said(prompt) for prompt in prompts]
    rooms = {
        state.key_room.data_ptr()
        for kept in fresh._loaded.prefixes._kept.values()
        for state in kept.state
    }
    layers = fresh._loaded.config.get_text_config().num_hidden_layers
    assert len(rooms) == layers * len(fresh._loaded.prefixes._kept)
    assert warm[1][1].cached_tokens >= warm[0][1].input_tokens - 2
    for prompt, expected in zip(prompts, warm, strict=True):
        forget(fresh)
        assert said(prompt) == expected


def test_what_a_cancelled_request_borrowed_is_there_for_the_next(
    fresh: TransformersEngine,
) -> None:
    from langchain_gorilla.engines.base import CancelToken
    from langchain_gorilla.errors import GenerationCancelledError

    options = GenerationOptions(max_tokens=40)
    cold = list(fresh.stream(weather_prompt(), options))
    cancel = CancelToken()
    stream = fresh.stream(weather_prompt(), options, cancel=cancel)
    next(stream)
    cancel.cancel()
    with pytest.raises(GenerationCancelledError):
        list(stream)
    assert list(fresh.stream(weather_prompt(), options)) == cold
    assert not fresh._loaded.prefixes._lent
