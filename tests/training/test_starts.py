import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models

from langchain_gorilla.errors import MissingModelError, ModelLoadError
from langchain_gorilla.training import starts
from langchain_gorilla.training.export import llama_config
from langchain_gorilla.training.model import Shape
from langchain_gorilla.training.prompts import SYSTEM
from langchain_gorilla.training.tokenizer import FIRST_SYSTEM

SHAPE = Shape(3, width=64, layers=2, heads=2, inner=96)


def vocabulary(*tokens: str) -> Tokenizer:
    return Tokenizer(models.WordLevel({token: index for index, token in enumerate(tokens)}))


def write(folder: Path, *tokens: str, **config: Any) -> Path:
    values = {**llama_config(SHAPE, 0, 1), **config}
    (folder / "config.json").write_text(json.dumps(values), "utf-8")
    vocabulary(*tokens).save(str(folder / "tokenizer.json"))
    save_file({"some": torch.arange(3)}, str(folder / "model.safetensors"))
    return folder


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"num_hidden_layers": 1, "intermediate_size": 48},
        {"hidden_size": 32, "num_attention_heads": 1, "num_key_value_heads": 1},
        {"rope_parameters": None, "rope_theta": 100_000.0},
    ],
)
def test_what_can_be_enlarged_fits(tmp_path: Path, config: dict[str, Any]) -> None:
    starts.check(write(tmp_path, **config), SHAPE)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"num_hidden_layers": 3}, "num_hidden_layers is 3, expected 2 at most"),
        ({"hidden_size": 128}, "hidden_size is 128, expected 64 at most"),
        ({"intermediate_size": None}, "intermediate_size is None"),
        ({"num_attention_heads": 4, "head_dim": 16}, "num_attention_heads is 4, .*head_dim is 16"),
        ({"num_attention_heads": 1, "head_dim": 64}, "head_dim is 64, expected 32"),
        ({"num_key_value_heads": 1}, "num_key_value_heads is 1, expected 2"),
        ({"rope_parameters": {"rope_theta": 10_000.0}}, "rope_theta is 10000.0, expected 100000"),
    ],
)
def test_what_growing_cannot_keep_is_refused(
    tmp_path: Path, config: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelLoadError, match=message):
        starts.check(write(tmp_path, **config), SHAPE)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    (write(tmp_path) / "model.safetensors").unlink()
    with pytest.raises(MissingModelError, match=r"has no model\.safetensors"):
        starts.check(tmp_path, SHAPE)


@pytest.mark.parametrize(
    ("start", "training"),
    [(("a", "b"), ("a", "b")), (("a", "b"), ("a", "b", "c")), ((FIRST_SYSTEM,), (SYSTEM, "c"))],
)
def test_weights_serve_where_ids_mean_the_same(
    tmp_path: Path, start: tuple[str, ...], training: tuple[str, ...]
) -> None:
    assert list(starts.read(write(tmp_path, *start), vocabulary(*training))) == ["some"]


@pytest.mark.parametrize("training", [("b", "a"), ("a",), ("a", "c"), ("c", "a", "b")])
def test_weights_for_other_ids_are_refused(tmp_path: Path, training: tuple[str, ...]) -> None:
    with pytest.raises(ModelLoadError, match="another tokenizer"):
        starts.read(write(tmp_path, "a", "b"), vocabulary(*training))


@pytest.mark.parametrize("config", ["{", "[1]", '{"rope_parameters": 3}'])
def test_a_config_that_is_none_is_refused(tmp_path: Path, config: str) -> None:
    (write(tmp_path) / "config.json").write_text(config, "utf-8")
    with pytest.raises(ModelLoadError, match=r"config\.json cannot be read"):
        starts.check(tmp_path, SHAPE)


def test_a_tokenizer_that_is_none_is_refused(tmp_path: Path) -> None:
    (write(tmp_path, "a") / "tokenizer.json").write_text("{", "utf-8")
    with pytest.raises(ModelLoadError, match=r"tokenizer\.json cannot be read"):
        starts.read(tmp_path, vocabulary("a"))


def test_weights_that_were_cut_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path, "a") / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(ModelLoadError, match="cannot be read"):
        starts.read(tmp_path, vocabulary("a"))
