"""The exported model that a training begins with: whether it fits, and its weights.

Shapes alone do not tell: two heads of 16 are as wide as one of 32, and a token id means
another word in another vocabulary.
"""

import hashlib
import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from langchain_gorilla.errors import MissingModelError, ModelLoadError
from langchain_gorilla.training.model import Shape
from langchain_gorilla.training.prompts import SYSTEM
from langchain_gorilla.training.tokenizer import FIRST_SYSTEM
from langchain_gorilla.training.tokenizer import read as read_tokenizer

_FILES = ("config.json", "model.safetensors", "tokenizer.json")


def fingerprint(file: Path) -> str:
    """Name the content of a file, wherever it lies."""
    return f"sha256 {hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"


def check(folder: Path, shape: Shape) -> None:
    """Refuse a model whose sizes cannot be enlarged to those of the training.

    Args:
        folder: What ``export`` wrote.
        shape: Of the model that is trained; its vocabulary is not looked at.

    Raises:
        MissingModelError: A file is missing.
        ModelLoadError: A size does not fit; names each. Or there is no reading its config.
    """
    for name in _FILES:
        if not (folder / name).is_file():
            raise MissingModelError(
                f"{folder} has no {name}. Expected: a model folder that "
                "langchain_gorilla.training.export wrote. Correct the path, or leave it out."
            )
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        config |= config.get("rope_parameters") or {}
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelLoadError(
            f"{folder / 'config.json'} cannot be read: {error}. Expected: a Llama's. Export the "
            "model again."
        ) from error
    heads, width = config.get("num_attention_heads"), config.get("hidden_size")
    config.setdefault("num_key_value_heads", heads)
    config.setdefault("head_dim", width // heads if width and heads else None)
    most = {
        "hidden_size": shape.width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.inner,
    }
    # Growing adds heads and places beside the old ones; what is inside a head stays.
    same = {
        "head_dim": shape.head_width,
        "num_key_value_heads": heads,
        "rope_theta": shape.rope_base,
    }
    off = [
        f"{name} is {config.get(name)}, expected {limit} at most"
        for name, limit in most.items()
        if config.get(name) is None or config[name] > limit
    ]
    off += [
        f"{name} is {config.get(name)}, expected {value}"
        for name, value in same.items()
        if config.get(name) != value
    ]
    if off:
        raise ModelLoadError(
            f"{folder} does not fit the preset: {'; '.join(off)}. Choose a preset that is "
            "no smaller, or another model."
        )


def read(folder: Path, tokenizer: Tokenizer) -> dict[str, Tensor]:
    """Give the weights of a model whose token ids mean the same.

    Args:
        folder: One that ``check`` let pass.
        tokenizer: Of the training; may know more tokens, after the model's.

    Raises:
        ModelLoadError: The tokenizer is another one, or it or the weights are damaged.
    """
    known = tokenizer.get_vocab(with_added_tokens=True)
    # The one token that tokenizer.adapt spells anew, under its old id.
    known.setdefault(FIRST_SYSTEM, known.get(SYSTEM, -1))
    own = read_tokenizer(folder / "tokenizer.json").get_vocab(with_added_tokens=True)
    if any(known.get(token) != number for token, number in own.items()):
        raise ModelLoadError(
            f"{folder} has another tokenizer than the training. Expected: the same token "
            "ids, with new ones after them at most. Pass the model's tokenizer.json as "
            "--tokenizer, or an --out without one."
        )
    try:
        return load_file(folder / "model.safetensors")
    except SafetensorError as error:
        raise ModelLoadError(
            f"{folder / 'model.safetensors'} cannot be read: {error}. Expected: a whole file. "
            "Export or copy the model again."
        ) from error
