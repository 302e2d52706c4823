"""The vocabularies of the real Gorilla and Llama models, with random weights.

They are looked for in ``../shared/tokenizers``, or where GORILLA_TOKENIZERS says.
"""

import os
import shutil
from pathlib import Path

import pytest

from langchain_gorilla.engines.base import Finished, GenerationOptions, TextPiece
from langchain_gorilla.engines.encoding import PromptEncoder
from langchain_gorilla.engines.transformers import TransformersEngine, load_engine
from langchain_gorilla.formats.base import BOS, EOS, Special

_FOLDER = Path(
    os.environ.get("GORILLA_TOKENIZERS", Path(__file__).parents[3] / "shared" / "tokenizers")
)
_EXTRA_ROWS = 4000

pytestmark = pytest.mark.skipif(not _FOLDER.is_dir(), reason=f"no vocabularies in {_FOLDER}")


@pytest.fixture(scope="module", params=["deepseek-llm", "llama-bpe", "llama-spm"])
def engine(request: pytest.FixtureRequest, tmp_path_factory) -> TransformersEngine:
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp(request.param)
    for file in (_FOLDER / request.param).iterdir():
        shutil.copy(file, folder)
    config = LlamaConfig(
        vocab_size=len(AutoTokenizer.from_pretrained(folder)) + _EXTRA_ROWS,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=512,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return load_engine(folder, device="cpu")


@pytest.fixture(scope="module")
def encoder(engine: TransformersEngine) -> PromptEncoder:
    return engine._loaded.encoder


@pytest.fixture(scope="module")
def whole(engine: TransformersEngine):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(engine.source.model)


_TEXTS = [
    "Hello there",
    " Hello  there \n\n",
    '### Instruction: <<function>>[{"name": "f"}]\n<<question>>Wie spät? 東京 😀\n### Response: ',
    "get_weather(city='Zürich')",
]


@pytest.mark.parametrize("first", _TEXTS)
@pytest.mark.parametrize("second", _TEXTS)
def test_benign_prompts_have_the_ids_of_the_whole_text(
    encoder: PromptEncoder, whole, first: str, second: str
) -> None:
    text = f"{first}{whole.eos_token}{second}"
    expected = [whole.bos_token_id, *whole.encode(text, add_special_tokens=False)]
    assert encoder.encode((BOS, first, EOS, second)) == expected


def test_no_special_token_comes_from_text(encoder: PromptEncoder) -> None:
    for token in encoder.specials:
        for text in (token, f"a{token}b", f" {token} {token}", token * 3):
            ids = encoder.encode((text,))
            assert not {*encoder.specials.values()} & {*ids}, token
        assert encoder.encode((Special(token),)) == [encoder.specials[token]]


@pytest.mark.parametrize("seed", range(5))
def test_pieces_join_to_the_decoded_whole(
    engine: TransformersEngine, encoder: PromptEncoder, seed: int
) -> None:
    ids: list[int] = []
    engine.load()
    hook = engine._loaded.weights.register_forward_pre_hook(
        lambda _module, _args, inputs: ids.append(int(inputs["input_ids"][0, -1])),
        with_kwargs=True,
    )
    try:
        options = GenerationOptions(max_tokens=200, temperature=1.0, seed=seed)
        events = list(engine.stream((BOS, "Hello"), options))
    finally:
        hook.remove()
    text = "".join(event.text for event in events if isinstance(event, TextPiece))
    assert isinstance(events[-1], Finished)
    generated = [index for index in ids[1:] if index not in {*encoder.specials.values()}]
    # The last token is never fed back, so its text is not among these.
    decoded = encoder.decode(generated).rstrip("\ufffd")
    assert text.startswith(decoded)
    # Rows past the vocabulary are never sampled, though they are many.
    assert max(ids) < encoder.size <= engine.vocab_size - _EXTRA_ROWS
