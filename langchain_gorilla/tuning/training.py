"""Trains a model on rows, by transformers' own trainer, and writes a folder to load.

In one process. Rows have the usual layout, so a model that needs several GPUs can be trained on
them elsewhere; ``measuring`` takes it from there.
"""

import hashlib
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import gcd
from pathlib import Path
from typing import Any

from langchain_gorilla.engines.loading import LoadedModel
from langchain_gorilla.engines.locating import ModelSource, locate
from langchain_gorilla.errors import GorillaError, UnsupportedOptionError
from langchain_gorilla.evaluation.model_files import model_fingerprint, model_folder
from langchain_gorilla.evaluation.outputs import UnwritableOutputError, check_outputs
from langchain_gorilla.formats.base import PromptFormat
from langchain_gorilla.tuning.examples import NOT_LEARNED, Example, examples
from langchain_gorilla.tuning.rows import TuningRow, UnusableRowsError

SMALL_PARAMETERS = 100_000_000
"""Below, a model is trained at a higher rate, and several examples at once."""

_AT_ONCE_ON_CPU = 4
"""Examples that a small model sees together on a CPU: 16 are no faster there (54 s for 32 of 900
tokens, and 51 s by fours, one thread) and take 7.0 instead of 2.6 GB."""

_LONGEST = 2_048


class OtherRunError(GorillaError, ValueError):
    """The folder holds checkpoints that are not this run's: of other rows, model or options."""


@dataclass(frozen=True, kw_only=True)
class TuningOptions:
    """How a model is trained.

    Attributes:
        epochs: How often each row is learned from; Gorilla's own models saw theirs five times.
        rate: Learning rate, which falls along a cosine after a short rise; None is 3e-4 for models
            of less than ``SMALL_PARAMETERS``, else 2e-5, as Gorilla's, and 2e-4 with ``lora_rank``.
        batch_size: Examples of one step.
        max_tokens: The longest example, within the model's context; None is that, at most 2,048.
            Longer ones are left out, and counted.
        lora_rank: Train matrices of this rank beside the weights, by peft, and add them up at the
            end: a 7B in the memory of one GPU. None trains all weights.
        keep: Share of the weights before in those that are written, from 0 to 1. As in WiSE-FT
            (arXiv 2109.01903): what was forgotten comes back sooner than what was learned is lost.
        seed: Of the order of rows.

    Raises:
        UnsupportedOptionError: An option is out of its range, or peft is not installed.
    """

    epochs: float = 2.0
    rate: float | None = None
    batch_size: int = 16
    max_tokens: int | None = None
    lora_rank: int | None = None
    keep: float = 0.3
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be trained, before anything is loaded or measured."""
        for name in ("epochs", "rate", "batch_size", "max_tokens", "lora_rank"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise UnsupportedOptionError(f"{name} is {value}; expected a number above 0.")
        if not 0 <= self.seed < 2**32:  # numpy's.
            raise UnsupportedOptionError(f"seed is {self.seed}; expected 0 to 2**32 - 1.")
        if not 0 <= self.keep < 1:
            raise UnsupportedOptionError(f"keep is {self.keep}; expected a share from 0, below 1.")
        if self.lora_rank and find_spec("peft") is None:
            raise UnsupportedOptionError(
                "lora_rank needs peft, which is not installed. Install langchain-gorilla[tuning], "
                "or leave it out to train all weights."
            )


@dataclass(frozen=True)
class Tuned:
    """What was learned from.

    Attributes:
        examples: How many.
        tokens: Of all examples, once.
        learned_tokens: Of the answers in them.
        too_long: Examples that were left out.
    """

    examples: int
    tokens: int
    learned_tokens: int
    too_long: int


def tune(
    rows: Sequence[TuningRow],
    *,
    model: str,
    format_: PromptFormat,
    out: Path,
    options: TuningOptions | None = None,
) -> Tuned:
    """Train a model on rows and write it, with its tokenizer, in its own dtype.

    A run that was stopped goes on from the last epoch that it ended: until the end there is a
    folder ``checkpoints`` in ``out``.

    Args:
        rows: What is learned.
        model: A folder, a Hub id, or ``"bundled"``.
        format_: How it is prompted.
        out: Folder of the new model; made where it is missing.
        options: None is the default of each.

    Raises:
        MissingModelError: There is no such model.
        ModelLoadError: It cannot be used.
        OtherRunError: ``out`` holds checkpoints of another run, or of another program.
        PromptError: The format cannot carry a row.
        UnsupportedOptionError: More ``max_tokens`` than the model reads.
        UnusableRowsError: There are no rows, or no example is short enough.
        UnwritableOutputError: ``out`` cannot be written, or is the model's own folder.
    """
    options = options or TuningOptions()
    check_outputs(folder=out)
    base = model_folder(model)
    if base and out.exists() and out.samefile(base):
        raise UnwritableOutputError(
            f"{out} holds the model that is trained, which a run that stops would leave half "
            "written. Name another folder."
        )
    if not rows:
        raise UnusableRowsError("There are no rows to learn from. Give at least one.")
    loaded = LoadedModel(ModelSource(model=model, dtype=_dtype(options), device="cpu"))
    context = loaded.config.get_text_config().max_position_embeddings
    longest = options.max_tokens or min(context, _LONGEST)
    if longest > context:
        raise UnsupportedOptionError(
            f"max_tokens is {longest}; {model!r} reads {context} tokens at most. Pass no more."
        )
    every = [one for row in rows for one in examples(row, format_, loaded.encoder, loaded.end_ids)]
    data = [one for one in every if len(one.ids) <= longest]
    if not data:
        raise UnusableRowsError(
            f"All {len(every)} examples are longer than {longest} tokens. Offer fewer functions in "
            "a row, or pass a larger --max-tokens."
        )
    checkpoints = out / "checkpoints"
    run = repr((model_fingerprint(model), options, data))
    _check_run(checkpoints, hashlib.sha256(run.encode()).hexdigest())
    trained = _train(loaded.weights, data, checkpoints, options)
    if options.keep:
        loaded.unload()  # What was trained is that very object: read the weights before anew.
        _mix(trained, loaded.weights, options.keep)
    _save(trained, loaded, out)
    shutil.rmtree(checkpoints)
    return Tuned(
        len(data),
        sum(len(one.ids) for one in data),
        sum(label != NOT_LEARNED for one in data for label in one.labels),
        len(every) - len(data),
    )


def _on_cpu() -> bool:
    import torch

    return not (torch.cuda.is_available() or torch.backends.mps.is_available())


def _computes_bfloat16() -> bool:
    import torch

    return torch.cuda.is_available() and torch.cuda.is_bf16_supported()


def _dtype(options: TuningOptions) -> str:
    """Choose the dtype of the weights: what is trained has to hold small changes."""
    if options.lora_rank is None or _on_cpu():
        return "float32"
    return "bfloat16" if _computes_bfloat16() else "float16"


def _check_run(checkpoints: Path, fingerprint: str) -> None:
    """Note which run the checkpoints are of."""
    note = checkpoints / "run.sha256"
    if note.exists() and note.read_text() != fingerprint:
        raise OtherRunError(
            f"{checkpoints} holds the checkpoints of a run with other rows, another model or other "
            "options. Pass another --out, or delete that folder."
        )
    if not note.exists() and checkpoints.exists() and any(checkpoints.iterdir()):
        raise OtherRunError(
            f"{checkpoints} is in use: it holds files that no tuning wrote, and would be deleted at "
            "the end. Pass another --out."
        )
    checkpoints.mkdir(parents=True, exist_ok=True)
    note.write_text(fingerprint)


def _train(weights: Any, data: Sequence[Example], checkpoints: Path, options: TuningOptions) -> Any:
    """Train the weights and return them, what was trained beside them added."""
    from transformers import Trainer, TrainingArguments

    small, on_cpu = weights.num_parameters() < SMALL_PARAMETERS, _on_cpu()
    if not small:
        # transformers renames it on the way to its version 6.
        newer = getattr(weights, "activation_checkpointing_enable", None)
        (newer or weights.gradient_checkpointing_enable)()
        weights.enable_input_require_grads()
    if options.lora_rank:
        import peft

        config = peft.LoraConfig(
            r=options.lora_rank,
            lora_alpha=2 * options.lora_rank,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        weights = peft.get_peft_model(weights, config)
    at_once = _at_once(options.batch_size, small=small, on_cpu=on_cpu)
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=options.epochs,
        learning_rate=options.rate or (2e-4 if options.lora_rank else 3e-4 if small else 2e-5),
        lr_scheduler_type="cosine",
        warmup_steps=0.03,
        per_device_train_batch_size=at_once,
        gradient_accumulation_steps=options.batch_size // at_once,
        train_sampling_strategy="group_by_length",
        bf16=_computes_bfloat16(),
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        logging_steps=10,
        save_strategy="epoch",
        save_total_limit=1,
        report_to="none",
        seed=options.seed,
        remove_unused_columns=False,
    )
    # With several GPUs, transformers would have each see batch_size examples in a step.
    arguments._n_gpu = 1
    rows: Any = [{"input_ids": list(one.ids), "labels": list(one.labels)} for one in data]
    trainer = Trainer(model=weights, args=arguments, train_dataset=rows, data_collator=_padded)
    trainer.train(resume_from_checkpoint=_last_checkpoint(checkpoints))
    return weights.merge_and_unload() if options.lora_rank else weights


def _at_once(batch_size: int, *, small: bool, on_cpu: bool) -> int:
    """Choose how many examples of a step are seen together; it divides the batch size."""
    if not small:
        return 1
    return gcd(batch_size, _AT_ONCE_ON_CPU) if on_cpu else batch_size


def _last_checkpoint(checkpoints: Path) -> str | None:
    """Give the newest checkpoint that was written to its end: its state comes last."""
    whole = [state.parent for state in checkpoints.glob("checkpoint-*/trainer_state.json")]
    newest = max(whole, key=lambda one: int(one.name.rpartition("-")[2]), default=None)
    return None if newest is None else str(newest)


def _padded(batch: Sequence[dict[str, list[int]]]) -> dict[str, Any]:
    """Put examples side by side, padded on the right; shapes (rows, longest)."""
    import torch

    longest = max(len(one["input_ids"]) for one in batch)

    def filled(name: str, value: int) -> Any:
        return torch.tensor([one[name] + [value] * (longest - len(one[name])) for one in batch])

    lengths = torch.tensor([len(one["input_ids"]) for one in batch])
    return {
        # Whatever token pads is not seen.
        "input_ids": filled("input_ids", 0),
        "attention_mask": (torch.arange(longest) < lengths[:, None]).long(),
        "labels": filled("labels", NOT_LEARNED),
    }


def _mix(trained: Any, before: Any, keep: float) -> None:
    """Move trained weights towards those before, in place."""
    # Not the state dict, where tied weights stand twice.
    start = dict(before.named_parameters())
    for name, parameter in trained.named_parameters():
        parameter.data.lerp_(start[name].data.to(parameter.data), keep)


def _save(weights: Any, loaded: LoadedModel, out: Path) -> None:
    from transformers import AutoTokenizer, GenerationConfig

    path, where = locate(loaded.source)
    weights.to(loaded.config.dtype)
    weights.config.use_cache = True  # The trainer has no use for it.
    try:
        found = GenerationConfig.from_pretrained(path, revision=where["revision"])
    except OSError:  # Not every model has one; loading has emptied it.
        found = GenerationConfig(eos_token_id=sorted(loaded.end_ids))  # type: ignore[no-untyped-call]
    weights.generation_config = found
    weights.save_pretrained(out)
    AutoTokenizer.from_pretrained(path, **where).save_pretrained(out)
