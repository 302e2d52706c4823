"""The bundled model on an accelerator, where there is one."""

import pytest
import torch

from langchain_gorilla.engines.base import CancelToken, Finished, GenerationOptions, TextPiece
from langchain_gorilla.engines.transformers import TransformersEngine, load_engine
from langchain_gorilla.errors import GenerationCancelledError

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

_PROMPT = (
    'You are a helpful assistant.\n### Instruction: <<function>>[{"name": "get_weather", '
    '"description": "Get the weather.", "parameters": {"type": "object", "properties": {"city": '
    '{"type": "string"}}, "required": ["city"]}}]\n<<question>>What is the weather in Oslo?\n'
    "### Response: ",
)


def _text(engine: TransformersEngine, options: GenerationOptions) -> str:
    events = list(engine.stream(_PROMPT, options))
    assert isinstance(events[-1], Finished)
    return "".join(event.text for event in events if isinstance(event, TextPiece))


def test_the_accelerator_is_the_default_with_the_dtype_of_the_checkpoint() -> None:
    engine = load_engine("bundled")
    engine.load()
    weights = engine._loaded.weights
    assert (weights.device.type, weights.dtype) == ("cuda", torch.float16)


@pytest.mark.parametrize("options", [{}, {"device_map": "auto"}, {"device": "cuda:0"}])
def test_greedy_gives_the_answer_of_the_cpu(options: dict) -> None:
    greedy = GenerationOptions(max_tokens=30)
    expected = _text(load_engine("bundled", device="cpu"), greedy)
    assert _text(load_engine("bundled", dtype="float32", **options), greedy) == expected


def test_sampling_repeats_with_a_seed() -> None:
    engine = load_engine("bundled")
    options = GenerationOptions(max_tokens=30, temperature=2.0, top_p=0.9, seed=7)
    assert _text(engine, options) == _text(engine, options)


def test_cancelling_stops_within_one_token() -> None:
    engine = load_engine("bundled")
    engine.load()
    cancel = CancelToken()
    passes: list[int] = []

    def count(*_: object) -> None:
        passes.append(1)
        if len(passes) == 3:
            cancel.cancel()

    hook = engine._loaded.weights.register_forward_pre_hook(count)
    try:
        with pytest.raises(GenerationCancelledError):
            list(engine.stream(_PROMPT, GenerationOptions(), cancel=cancel))
    finally:
        hook.remove()
    assert len(passes) == 3


def test_unload_frees_the_memory_of_the_device() -> None:
    engine = load_engine("bundled", dtype="bfloat16")
    before = torch.cuda.memory_allocated()
    engine.load()
    assert torch.cuda.memory_allocated() > before
    engine.unload()
    assert torch.cuda.memory_allocated() <= before
