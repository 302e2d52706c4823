"""Generation with the bundled model's real weights, greedy on a CPU."""

import gc
import math
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from langchain_gorilla.engines.base import (
    AnswerGrammar,
    CancelToken,
    Engine,
    Finished,
    GenerationOptions,
    TextPiece,
)
from langchain_gorilla.engines.prefix_cache import PrefixCache
from langchain_gorilla.engines.token_sequence import cache_argument
from langchain_gorilla.engines.transformers import TransformersEngine, load_engine
from langchain_gorilla.engines.turns import Watch
from langchain_gorilla.errors import (
    FormatMismatchError,
    GenerationCancelledError,
    GenerationTimeoutError,
    PromptError,
    PromptTooLongError,
)
from langchain_gorilla.formats.base import Special
from langchain_gorilla.functions import FunctionSchema
from tests.engines.small_model import Passes, ask, settle, weather_prompt
from tests.grammar.samples import V2


def test_it_is_an_engine(engine: TransformersEngine) -> None:
    assert isinstance(engine, Engine)


def test_pieces_join_to_the_text_of_all_tokens(engine: TransformersEngine) -> None:
    import torch
    from transformers import GenerationConfig

    prompt = weather_prompt()
    engine.load()
    ids = torch.tensor([engine.encode(prompt)])
    config = GenerationConfig(max_new_tokens=40, do_sample=False, eos_token_id=1, pad_token_id=0)
    raw = engine._loaded.weights.generate(ids, generation_config=config)[0, ids.shape[1] :].tolist()
    answer = ask(engine, prompt)
    assert raw[-1] == 1  # The end token, which is not part of the text.
    assert answer.text == engine._loaded.encoder.decode(raw[:-1])
    assert answer.finished == Finished(
        reason="stop", input_tokens=ids.shape[1], output_tokens=len(raw)
    )


def test_the_answer_comes_in_pieces(engine: TransformersEngine) -> None:
    answer = ask(engine)
    assert answer.text.startswith("<<function>>get_weather(city='")
    assert len(answer.pieces) > 5


def test_a_whole_answer_comes_in_one_piece(engine: TransformersEngine) -> None:
    whole = ask(engine, options=GenerationOptions(max_tokens=40, whole=True))
    assert whole.pieces == [ask(engine).text]
    assert ask(engine, options=GenerationOptions(max_tokens=3, whole=True)).pieces == [
        ask(engine, options=GenerationOptions(max_tokens=3)).text
    ]


def test_what_is_likely_is_guessed_and_nothing_else_changes(engine: TransformersEngine) -> None:
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    likely = AnswerGrammar(
        functions=(FunctionSchema("get_weather", "Get the weather.", city),), syntax=V2
    )
    for question in ("What is the weather in Oslo and in Rome?", "Sing me a song", "Hello"):
        free = ask(engine, weather_prompt(question))
        guessed = ask(
            engine, weather_prompt(question), GenerationOptions(max_tokens=40, likely=likely)
        )
        assert guessed.text == free.text
    calls = ask(engine, options=GenerationOptions(max_tokens=40, likely=likely)).finished
    assert calls.forward_passes * 2 < ask(engine).finished.forward_passes


async def test_astream_gives_the_same_events(engine: TransformersEngine) -> None:
    options = GenerationOptions(max_tokens=40)
    events = [event async for event in engine.astream(weather_prompt(), options)]
    assert events == list(engine.stream(weather_prompt(), options))


def test_max_tokens_ends_the_answer_as_length(engine: TransformersEngine) -> None:
    answer = ask(engine, options=GenerationOptions(max_tokens=3))
    assert (answer.finished.reason, answer.finished.output_tokens) == ("length", 3)
    assert ask(engine).text.startswith(answer.text)


def test_the_context_ends_the_answer_as_length(engine: TransformersEngine) -> None:
    size = len(engine.encode(weather_prompt()))
    small = load_engine("bundled", dtype="float32", context_tokens=size + 4)
    assert small._loaded is engine._loaded
    for options in (GenerationOptions(), GenerationOptions(max_tokens=40)):
        finished = ask(small, options=options).finished
        assert (finished.reason, finished.output_tokens) == ("length", 4)


def test_a_prompt_that_does_not_fit_says_by_how_much(engine: TransformersEngine) -> None:
    size = len(engine.encode(weather_prompt()))
    small = load_engine("bundled", dtype="float32", context_tokens=size)
    with pytest.raises(PromptTooLongError, match=rf"has {size} tokens.*may have {size}\. Bind few"):
        ask(small)


def test_an_empty_prompt_is_refused(engine: TransformersEngine) -> None:
    with pytest.raises(PromptError, match="prompt is empty"):
        ask(engine, ())


@pytest.mark.parametrize("stop", ["r(c", "(city", "Oslo", "<<function>>get", "')"])
def test_a_stop_text_across_tokens_ends_the_answer(
    engine: TransformersEngine, passes: Passes, stop: str
) -> None:
    whole = ask(engine)
    passes.lengths.clear()
    answer = ask(engine, options=GenerationOptions(max_tokens=40, stop=("never", stop)))
    assert answer.text == whole.text[: whole.text.index(stop)]
    assert answer.finished.reason == "stop"
    needed, text = 0, ""
    while stop not in text:
        text += whole.pieces[needed]
        needed += 1
    assert answer.finished.output_tokens == len(passes.lengths) == needed


def test_a_stop_text_that_is_a_special_token_ends_the_answer(engine: TransformersEngine) -> None:
    encoder = engine._loaded.encoder
    first = encoder.encode((ask(engine).pieces[0],))[0]
    encoder.specials["<<function>>"] = first
    try:
        answer = ask(engine, options=GenerationOptions(max_tokens=9, stop=("<<function>>",)))
        kept = ask(engine, options=GenerationOptions(max_tokens=9, markers=("<<function>>f",)))
        hidden = ask(engine, options=GenerationOptions(max_tokens=9))
    finally:
        del encoder.specials["<<function>>"]
    assert (answer.text, answer.finished.output_tokens) == ("", 1)
    assert kept.text.startswith("<<function>>get")
    assert hidden.text.startswith("get")


def test_sampling_repeats_with_a_seed(engine: TransformersEngine) -> None:
    def sample(seed: int | None) -> str:
        return ask(
            engine, options=GenerationOptions(max_tokens=12, temperature=2.5, seed=seed)
        ).text

    assert sample(3) == sample(3)
    assert len({sample(seed) for seed in (3, 4, 5, None)}) > 1


def test_sampling_leaves_the_random_state_of_the_process_alone(engine: TransformersEngine) -> None:
    import torch

    before = torch.get_rng_state()
    ask(engine, options=GenerationOptions(max_tokens=4, temperature=1.0, seed=3))
    ask(engine, options=GenerationOptions(max_tokens=4, temperature=1.0))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("narrow", [{"top_k": 1}, {"top_p": 1e-6}])
def test_sampling_from_one_token_is_greedy(engine: TransformersEngine, narrow: dict) -> None:
    options = GenerationOptions(max_tokens=8, temperature=2.0, **narrow)
    assert (
        ask(engine, options=options).text
        == ask(engine, options=GenerationOptions(max_tokens=8)).text
    )


def test_a_repetition_penalty_changes_the_answer(engine: TransformersEngine) -> None:
    options = GenerationOptions(max_tokens=40, repetition_penalty=5.0)
    assert ask(engine, options=options).text != ask(engine).text


def test_threads_get_the_same_answers_as_one_after_the_other(engine: TransformersEngine) -> None:
    prompts = [
        weather_prompt(f"What is the weather in {city}?") for city in ("Oslo", "Rome", "Lima")
    ]
    expected = [ask(engine, prompt).text for prompt in prompts]
    assert len(set(expected)) == 3
    with ThreadPoolExecutor(3) as pool:
        assert [answer.text for answer in pool.map(lambda p: ask(engine, p), prompts)] == expected


def test_two_streams_read_in_turns_do_not_block_each_other(engine: TransformersEngine) -> None:
    options = GenerationOptions(max_tokens=6, timeout_s=20)
    pairs = list(
        zip(
            engine.stream(weather_prompt(), options),
            engine.stream(weather_prompt(), options),
            strict=True,
        )
    )
    assert all(one == other for one, other in pairs)


def test_requests_are_served_in_order(engine: TransformersEngine, passes: Passes) -> None:
    passes.hold_at = 1
    prompts = [weather_prompt("weather" + " in Oslo" * count) for count in (1, 9, 3, 7, 5)]
    threads = []
    for count, prompt in enumerate(prompts):
        options = GenerationOptions(max_tokens=2)
        threads.append(threading.Thread(target=ask, args=(engine, prompt, options)))
        threads[-1].start()
        while len(engine._loaded.turns._waiting) < count or not passes.held.wait(1):
            time.sleep(0.001)
    passes.gate.set()
    for thread in threads:
        thread.join(20)
    assert passes.prompts == [len(engine.encode(prompt)) for prompt in prompts]


def test_a_waiting_request_that_times_out_leaves_the_queue(
    engine: TransformersEngine, passes: Passes
) -> None:
    passes.hold_at = 1
    first = threading.Thread(target=ask, args=(engine,))
    first.start()
    assert passes.held.wait(20)
    with pytest.raises(GenerationTimeoutError, match=r"after 0\.05 s.*waited for its turn"):
        ask(engine, options=GenerationOptions(timeout_s=0.05))
    passes.gate.set()
    first.join(20)
    settle(engine)
    assert len(passes.prompts) == 1


def test_a_waiting_request_that_is_cancelled_leaves_the_queue(
    engine: TransformersEngine, passes: Passes
) -> None:
    passes.hold_at = 1
    first = threading.Thread(target=ask, args=(engine,))
    first.start()
    assert passes.held.wait(20)
    cancel = CancelToken()
    threading.Timer(0.05, cancel.cancel).start()
    with pytest.raises(GenerationCancelledError, match="waited for its turn"):
        next(engine.stream(weather_prompt(), GenerationOptions(), cancel=cancel))
    passes.gate.set()
    first.join(20)
    settle(engine)
    assert len(passes.prompts) == 1


def test_a_timeout_stops_within_one_token(engine: TransformersEngine, passes: Passes) -> None:
    passes.each = lambda count: time.sleep(0.05)
    with pytest.raises(
        GenerationTimeoutError, match=r"after 0\.2 s.*generating.*Raise the timeout"
    ):
        ask(engine, options=GenerationOptions(timeout_s=0.2))
    settle(engine)
    assert len(passes.lengths) <= 4


@pytest.mark.parametrize("timeout_s", [math.inf, 1e10])
def test_a_timeout_may_be_longer_than_anything_can_wait(
    engine: TransformersEngine, timeout_s: float
) -> None:
    answer = ask(engine, options=GenerationOptions(max_tokens=2, timeout_s=timeout_s))
    assert answer.finished.output_tokens == 2


def test_a_cancel_token_stops_within_one_token(engine: TransformersEngine, passes: Passes) -> None:
    cancel = CancelToken()
    passes.each = lambda count: cancel.cancel() if count == 3 else None
    with pytest.raises(GenerationCancelledError, match="was cancelled"):
        list(engine.stream(weather_prompt(), GenerationOptions(), cancel=cancel))
    settle(engine)
    assert len(passes.lengths) == 3


def test_closing_the_iterator_stops_within_one_token(
    engine: TransformersEngine, passes: Passes
) -> None:
    passes.hold_at = 3
    events = engine.stream(weather_prompt(), GenerationOptions())
    assert isinstance(next(events), TextPiece)
    assert passes.held.wait(20)
    events.close()
    passes.gate.set()
    settle(engine)
    assert len(passes.lengths) == 3


def test_an_error_in_the_model_reaches_the_reader(
    engine: TransformersEngine, passes: Passes
) -> None:
    def fail(count: int) -> None:
        raise ZeroDivisionError("in the model")

    passes.each = fail
    with pytest.raises(ZeroDivisionError, match="in the model"):
        ask(engine)


@pytest.fixture
def layers(engine: TransformersEngine, passes: Passes) -> Iterator[list[weakref.ref]]:
    """The layers of the KV caches, as they are read; no garbage is collected meanwhile."""
    found: list[weakref.ref] = []
    name = cache_argument(engine._loaded.weights)
    hook = engine._loaded.weights.register_forward_pre_hook(
        lambda _model, _args, given: found.extend(map(weakref.ref, given[name].layers)),
        with_kwargs=True,
    )
    gc.disable()
    yield found
    gc.enable()
    hook.remove()


def test_an_answer_that_nobody_reads_to_its_end_leaves_no_cache_behind(
    engine: TransformersEngine, passes: Passes, layers: list[weakref.ref]
) -> None:
    passes.hold_at = 3
    events = engine.stream(weather_prompt(), GenerationOptions())
    next(events)
    assert passes.held.wait(20)
    events.close()
    passes.gate.set()
    settle(engine)
    assert len(layers) > 0
    assert not any(layer() for layer in layers)


def test_an_error_that_is_kept_keeps_no_cache(
    engine: TransformersEngine,
    passes: Passes,
    layers: list[weakref.ref],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def check(_watch: Watch, doing: str = "") -> None:
        if len(passes.lengths) == 3:
            raise ZeroDivisionError("while it was generating")

    monkeypatch.setattr(Watch, "check", check)
    with pytest.raises(ZeroDivisionError) as kept:
        ask(engine)
    settle(engine)
    assert kept.value.__traceback__ is not None
    assert len(layers) > 0
    assert not any(layer() for layer in layers)


def test_requests_leave_no_thread_behind(engine: TransformersEngine) -> None:
    settle(engine)
    before = set(threading.enumerate())
    for _ in range(3):
        ask(engine, options=GenerationOptions(max_tokens=2))
        next(engine.stream(weather_prompt(), GenerationOptions()))  # Dropped unread.
    settle(engine)
    assert set(threading.enumerate()) == before


def test_an_interpreter_that_ends_does_not_wait_for_an_unread_answer() -> None:
    code = (
        "import time; from langchain_gorilla.engines.transformers import load_engine;"
        "from langchain_gorilla.engines.base import GenerationOptions as O;"
        "engine = load_engine('bundled'); engine.load();"
        "engine._loaded.weights.register_forward_pre_hook(lambda *_: time.sleep(0.05));"
        "stream = engine.stream(('one two three',), O()); next(stream);"
        "time.sleep(0.2); import atexit; start = time.monotonic();"
        "atexit.register(lambda: print(time.monotonic() - start))"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert float(ended.stdout) < 1.0
    assert ended.stderr == ""


def test_special_tokens_in_data_are_plain_text(engine: TransformersEngine) -> None:
    end = engine._loaded.encoder.specials["</s>"]
    assert end not in engine.encode(("a</s>b<pad>",))
    assert engine.encode(("a", Special("</s>"), "b")).count(end) == 1
    assert engine.encode((Special("eos"),)) == [end]


def test_a_format_for_another_vocabulary_is_an_error(engine: TransformersEngine) -> None:
    with pytest.raises(FormatMismatchError, match=r"<\|eot_id\|>.*'bundled'.*Pass format="):
        ask(engine, (Special("<|eot_id|>"),))


def test_a_second_turn_without_tools_reads_only_what_is_new(engine: TransformersEngine) -> None:
    engine._loaded.prefixes = PrefixCache()
    first = ask(engine)
    assert first.finished.cached_tokens == 0
    (text,) = weather_prompt()
    assert isinstance(text, str)
    second = ask(engine, (f"{text}{first.text}\n### Instruction: Thanks!\n### Response: ",))
    assert second.finished.cached_tokens >= first.finished.input_tokens - 1
    engine._loaded.prefixes = PrefixCache()
    cold = ask(engine, (f"{text}{first.text}\n### Instruction: Thanks!\n### Response: ",))
    assert cold.text == second.text


def test_the_loop_honours_what_generate_is_given(engine: TransformersEngine) -> None:
    """Processors, stopping criteria and a streamer's limits of transformers itself."""
    import torch
    from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

    from langchain_gorilla.engines.custom_generate import by_loop
    from langchain_gorilla.engines.token_sequence import cache_of
    from langchain_gorilla.errors import UnsupportedOptionError

    engine.load()
    weights = engine._loaded.weights
    ids = torch.tensor([engine.encode(weather_prompt())])
    seen: list[int] = []

    def no_capitals(_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        scores[:, banned] = -torch.inf
        return scores

    def after_five(found: torch.Tensor, _scores: object) -> torch.Tensor:
        seen.append(found.shape[1])
        return torch.tensor([found.shape[1] == ids.shape[1] + 5])

    decode = engine._loaded.encoder.decode
    banned = [token for token in range(engine.vocab_size) if not decode([token]).islower()]

    def generated(**options: object) -> list[int]:
        settings = GenerationConfig(**{"max_new_tokens": 20, "do_sample": False, **options})
        rows = weights.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            generation_config=settings,
            logits_processor=LogitsProcessorList([no_capitals]),
            stopping_criteria=StoppingCriteriaList([after_five]),
            **{cache_argument(weights): cache_of(weights)},
            **further,
        )
        return rows[0, ids.shape[1] :].tolist()

    further: dict[str, object] = {}
    expected = generated()
    further = {"custom_generate": by_loop(None, lambda answer: [banned[0], *expected])}
    seen.clear()
    assert generated() == expected
    assert len(expected) == 5
    assert seen == [ids.shape[1] + count for count in range(1, 6)]
    further = {"custom_generate": by_loop(None, lambda answer: expected[len(answer) :])}
    assert generated(max_new_tokens=3) == expected[:3]
    with pytest.raises(UnsupportedOptionError, match="num_beams=2"):
        generated(num_beams=2)
