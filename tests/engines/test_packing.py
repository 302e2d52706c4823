"""Packed weights: the same scores, and nothing at all where they cannot be had."""

import warnings

import pytest
import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from langchain_gorilla import ChatGorilla
from langchain_gorilla.engines.packing import PackedLinear, pack
from langchain_gorilla.engines.transformers import load_engine
from tests.engines.small_model import ask


def llama(dtype: torch.dtype, *, tied: bool = True) -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=600,
        hidden_size=128,
        intermediate_size=352,
        num_hidden_layers=2,
        num_attention_heads=4,
        attention_bias=True,
        tie_word_embeddings=tied,
    )
    return LlamaForCausalLM(config).to(dtype).eval()


def scores(model: LlamaForCausalLM, tokens: int) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=torch.arange(tokens)[None]).logits.float()


needs_bfloat16 = pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    reason="torch packs no bfloat16 for this processor",
)


@pytest.mark.parametrize(
    ("dtype", "rounding"),
    [(torch.float32, 1e-5), pytest.param(torch.bfloat16, 0.02, marks=needs_bfloat16)],
    ids=str,
)
@pytest.mark.parametrize("tokens", [1, 2, 16, 33])
@pytest.mark.parametrize("tied", [True, False])
def test_scores_are_those_of_the_plain_weights(
    dtype: torch.dtype, rounding: float, tokens: int, tied: bool
) -> None:
    plain, packed = llama(dtype, tied=tied), llama(dtype, tied=tied)
    assert pack(packed) == 2 * 7 + 1
    assert torch.allclose(scores(packed, tokens), scores(plain, tokens), rtol=0, atol=rounding)


def test_plain_weights_are_let_go_but_for_embeddings() -> None:
    for tied in (True, False):
        model = llama(torch.float32, tied=tied)
        embedding = model.model.embed_tokens.weight
        pack(model)
        assert not any(type(module) is nn.Linear for module in model.modules())
        matrices = [each for each in model.parameters() if each.dim() == 2]
        assert len(matrices) == 1
        assert matrices[0] is embedding


def test_a_dtype_that_torch_cannot_pack_is_one_warning_and_stays() -> None:
    model, same = llama(torch.float64), llama(torch.float64)
    with pytest.warns(UserWarning, match=r"does nothing here: torch .*float64 .*Leave") as found:
        assert pack(model) == 0
    assert len(found) == 1
    assert not any(isinstance(module, PackedLinear) for module in model.modules())
    assert torch.equal(scores(model, 5), scores(same, 5))


def test_another_device_than_a_cpu_is_one_warning_and_stays() -> None:
    with torch.device("meta"):
        model = llama(torch.float32)
    with pytest.warns(UserWarning, match="it is for models on a CPU, and this one is on meta"):
        assert pack(model) == 0


def test_the_engine_packs_only_where_it_is_asked_to() -> None:
    plain = load_engine("bundled", dtype="float32")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        packed = load_engine("bundled", dtype="float32", pack_weights=True)
        answer = ask(packed)
    assert packed is not plain
    assert answer == ask(plain)
    kinds = [
        {type(module) for module in engine._loaded.weights.modules()} for engine in (plain, packed)
    ]
    assert nn.Linear in kinds[0]
    assert PackedLinear not in kinds[0]
    assert nn.Linear not in kinds[1]
    assert PackedLinear in kinds[1]
    packed.unload()


def test_a_chat_model_hands_the_option_on() -> None:
    model = ChatGorilla(model="bundled", dtype="float32", pack_weights=True, max_tokens=8)
    assert model._engine_for("bundled") is load_engine(
        "bundled", dtype="float32", pack_weights=True
    )
    assert (
        model.invoke("Hello").text
        == model.model_copy(update={"pack_weights": False}).invoke("Hello").text
    )
