"""Write a training checkpoint as a folder that ``AutoModelForCausalLM`` loads.

python -m langchain_gorilla.training.export --checkpoint RUN/checkpoint.pt \
        --tokenizer tokenizer.json --preset cpu --out langchain_gorilla/bundled
"""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from langchain_gorilla.errors import ModelLoadError
from langchain_gorilla.evaluation.outputs import check_outputs, writing
from langchain_gorilla.evaluation.printing import run_command
from langchain_gorilla.training import checkpoints, starts
from langchain_gorilla.training.dataset import end_id
from langchain_gorilla.training.growing import grow
from langchain_gorilla.training.model import Shape, SmallModel
from langchain_gorilla.training.presets import PRESETS
from langchain_gorilla.training.prompts import END
from langchain_gorilla.training.tokenizer import PAD, features
from langchain_gorilla.training.tokenizer import read as read_tokenizer


def llama_config(shape: Shape, pad_id: int, end: int) -> dict[str, Any]:
    """Give ``config.json`` for a model of this shape."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": True,
        "attention_dropout": 0.0,
        "bos_token_id": None,
        "dtype": "float16",
        "eos_token_id": end,
        "head_dim": shape.head_width,
        "hidden_act": "silu",
        "hidden_size": shape.width,
        "initializer_range": 0.02,
        "intermediate_size": shape.inner,
        "max_position_embeddings": shape.context_tokens,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "num_key_value_heads": shape.heads,
        "pad_token_id": pad_id,
        "pretraining_tp": 1,
        "rms_norm_eps": 1e-05,
        "rope_parameters": {"rope_theta": shape.rope_base, "rope_type": "default"},
        "tie_word_embeddings": True,
        "use_cache": True,
        "vocab_size": shape.vocabulary,
    }


def export(
    checkpoint: Path,
    tokenizer_file: Path,
    preset: str,
    out: Path,
    *,
    mix: Path | None = None,
    share: float = 0.5,
) -> None:
    """Write config, weights and tokenizer into ``out``, each file replaced at once.

    Weights that lie between those before and after a further training often do better than
    either, as in WiSE-FT (arXiv 2109.01903): what was forgotten comes back sooner than what was
    learned is lost.

    Args:
        checkpoint: Of ``train``.
        tokenizer_file: The ``tokenizer.json`` of the run.
        preset: The preset of the run.
        out: Made where it is missing; other files in it are left alone.
        mix: The model that the training began with, of this size or smaller; None for none of it.
        share: Its share of the weights.

    Raises:
        MissingModelError: ``mix`` lacks a file.
        ModelLoadError: Checkpoint or tokenizer cannot be read, or they or ``mix`` do not fit the
            preset and each other.
        UnwritableOutputError: ``out`` cannot be written.
    """
    check_outputs(folder=out)
    tokenizer = read_tokenizer(tokenizer_file)
    shape = PRESETS[preset].shape(tokenizer.get_vocab_size())
    model = SmallModel(shape, features(tokenizer))
    try:
        model.load_state_dict(checkpoints.load(checkpoint)["average"])
    except RuntimeError as error:
        raise ModelLoadError(
            f"{checkpoint} is of a model of other sizes. Expected: those of the preset {preset} "
            f"and of {tokenizer_file}. Pass the --preset and --tokenizer that the run had."
        ) from error
    pad_id, end = tokenizer.token_to_id(PAD) or 0, end_id(tokenizer)
    out.mkdir(parents=True, exist_ok=True)
    with writing(out), tempfile.TemporaryDirectory(dir=out.parent) as folder:
        made = Path(folder)
        weights = model.to_llama()
        if mix is not None:
            starts.check(mix, shape)
            before = grow(starts.read(mix, tokenizer), weights)
            weights = {name: one.lerp(before[name], share) for name, one in weights.items()}
        stored = {name: _stored(tensor) for name, tensor in weights.items()}
        (made / "model.safetensors").write_bytes(save(stored, metadata={"format": "pt"}))
        _write(made / "config.json", llama_config(shape, pad_id, end))
        _write(made / "generation_config.json", {"eos_token_id": end, "pad_token_id": pad_id})
        _write(
            made / "tokenizer_config.json",
            {
                "clean_up_tokenization_spaces": False,
                "eos_token": END,
                "model_max_length": shape.context_tokens,
                "pad_token": PAD,
                "tokenizer_class": "PreTrainedTokenizerFast",
            },
        )
        shutil.copyfile(tokenizer_file, made / "tokenizer.json")
        for file in sorted(made.iterdir()):
            os.chmod(file, 0o644)
            os.replace(file, out / file.name)


def _stored(weights: Tensor) -> Tensor:
    """Round weights to what the file holds: matrices to fp8 (E4M3), all others to fp16.

    A matrix takes half of fp16's room so, for a mean error of 2.3%, and answers hardly change
    (see the model card). ``from_pretrained`` reads them into the dtype that the config names.
    """
    return weights.to(torch.float8_e4m3fn if weights.ndim == 2 else torch.float16)


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Write a checkpoint as a model folder.")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="cpu")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--mix", type=Path, help="model that the training began with")
    parser.add_argument("--share", type=float, default=0.5, help="its share of the weights")
    chosen = parser.parse_args(arguments)
    if not 0 <= chosen.share <= 1:
        parser.error(f"--share is {chosen.share:g}; expected a share, 0 to 1.")
    export(
        chosen.checkpoint,
        chosen.tokenizer,
        chosen.preset,
        chosen.out,
        mix=chosen.mix,
        share=chosen.share,
    )


if __name__ == "__main__":
    run_command(main)
