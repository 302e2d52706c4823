"""The engine for weights that transformers can load; loaded once, shared by all who ask.

Importing this module loads neither torch nor transformers; the first prompt does.
"""

import asyncio
import json
import os
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from langchain_gorilla import bundled
from langchain_gorilla.engines.base import (
    AnswerGrammar,
    CancelToken,
    EngineEvent,
    GenerationOptions,
)
from langchain_gorilla.engines.loading import LoadedModel, best_device
from langchain_gorilla.engines.locating import ModelSource, is_local
from langchain_gorilla.engines.turns import Emit, Watch, Work, within
from langchain_gorilla.errors import ModelLoadError, UnsupportedOptionError
from langchain_gorilla.formats.base import Prompt

_CONTEXT_NAMES = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx")

_registry_lock = threading.Lock()
_engines: "dict[object, TransformersEngine]" = {}
_models: dict[object, LoadedModel] = {}


def _forget_threads() -> None:
    """In a forked process there is none of the threads that served, or that held a lock."""
    global _registry_lock
    _registry_lock = threading.Lock()
    for loaded in _models.values():
        loaded.forget_threads()


if hasattr(os, "register_at_fork"):  # There is no fork on Windows.
    os.register_at_fork(after_in_child=_forget_threads)


def load_engine(
    model: str | os.PathLike[str],
    *,
    revision: str | None = None,
    dtype: Any = "auto",
    device: Any = None,
    device_map: Any = None,
    quantization_config: Any = None,
    trust_remote_code: bool = False,
    context_tokens: int | None = None,
    prefix_cache_bytes: int | None = None,
    max_batch_size: int | None = None,
    pack_weights: bool = False,
    **options: Any,
) -> "TransformersEngine":
    """Give the engine for a model; the same one for the same arguments.

    Nothing is loaded yet. Once loaded, weights stay until ``unload()`` or the end of the process.
    Engines that differ only in ``context_tokens``, ``prefix_cache_bytes`` or ``max_batch_size``
    share their weights, and so do None and the device that None takes. Other arguments count as
    they are given, since what they stand for is known only with the weights: ``dtype="float32"``
    beside ``"auto"`` loads them twice, even where ``"auto"`` takes it.

    Args:
        model: A folder, a Hub id, or ``"bundled"``. What looks like a path is never asked for on
            the Hub.
        revision: A branch, tag or commit of a Hub repository.
        dtype: A torch dtype or its name. ``"auto"`` is the checkpoint's on an accelerator; on a
            CPU bfloat16 where the processor computes in it and the model has 12M parameters or
            more, else float32.
        device: A torch device; None takes cuda, then mps, then cpu, whichever is there.
        device_map: Given to accelerate, to spread a model over devices; instead of ``device``.
        quantization_config: As in ``from_pretrained``.
        trust_remote_code: Run the repository's own Python code.
        context_tokens: Most tokens of prompt and answer together; None asks the config.
        prefix_cache_bytes: Memory for what the model has read, so that the beginning of a prompt
            is not read again; 0 keeps nothing. For all who share the weights, so the last value
            counts; None leaves it, 512 MiB at first.
        max_batch_size: Most answers that are decoded together, in one forward pass. For all who
            share the weights, so the last value counts; None leaves it, at first 1 on a CPU, where
            one after another measured faster, and 8 on an accelerator.
        pack_weights: Order the weights for the CPU's matrix kernels, 1.4 times faster passes of
            models whose hidden size is 512 or more; warns and does nothing where torch cannot.
        **options: Further arguments of ``from_pretrained``; ``use_safetensors`` is True unless
            it is among them.

    Raises:
        UnsupportedOptionError: ``device`` and ``device_map`` together, or no context left.
    """
    device, dtype = device or None, dtype or "auto"  # An empty environment variable names none.
    if device is not None and device_map is not None:
        raise UnsupportedOptionError("device and device_map exclude each other; pass one of them.")
    if context_tokens is not None and context_tokens < 2:
        raise UnsupportedOptionError(
            f"context_tokens is {context_tokens}; expected at least 2, prompt and answer."
        )
    if prefix_cache_bytes is not None and prefix_cache_bytes < 0:
        raise UnsupportedOptionError(
            f"prefix_cache_bytes is {prefix_cache_bytes}; expected a number of bytes, 0 for none."
        )
    if max_batch_size is not None and max_batch_size < 1:
        raise UnsupportedOptionError(f"max_batch_size is {max_batch_size}; expected at least 1.")
    source = ModelSource(
        model=_name(model),
        revision=revision,
        dtype=_plain_dtype(dtype),
        device=None if device is None else str(device),
        device_map=device_map,
        quantization_config=quantization_config,
        trust_remote_code=trust_remote_code,
        options=options,
        pack_weights=pack_weights,
    )
    key = _frozen({**vars(source), "device": _unless_best(source.device)})
    with _registry_lock:
        engine = _engines.get((key, context_tokens))
        if engine is None:
            loaded = _models.get(key)
            if loaded is None:
                loaded = _models[key] = LoadedModel(source)
            engine = TransformersEngine(loaded, context_tokens=context_tokens)
            _engines[(key, context_tokens)] = engine
        if prefix_cache_bytes is not None:
            engine._loaded.prefixes.resize(prefix_cache_bytes)
        if max_batch_size is not None:
            engine._loaded.resize_batch(max_batch_size)
        return engine


def declared_context_tokens(model: str) -> int | None:
    """Return what the config of a local model says, without transformers; None where none says."""
    folder = bundled.path() if model == "bundled" else Path(model).expanduser()
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return _stated_context(config.get)


def _stated_context(entry: Callable[[str], Any]) -> int | None:
    """Return the first entry of a config that can be the length of a context."""
    found = map(entry, _CONTEXT_NAMES)
    return next((value for value in found if isinstance(value, int) and value > 1), None)


class TransformersEngine:
    """Generates with a model that transformers loads. Made by ``load_engine``.

    Requests are served in the order in which they came, one at a time or ``max_batch_size``
    together. Greedy unless a request
    has a temperature; the model's own generation config counts only for its end tokens. With a
    seed, sampling repeats on the same device and library versions. A timeout counts the loading
    of the weights, which goes on for the next request.
    """

    def __init__(self, loaded: LoadedModel, *, context_tokens: int | None = None) -> None:
        """Generate with ``loaded``; see ``load_engine``."""
        self._loaded = loaded
        self._context_tokens = context_tokens

    def __repr__(self) -> str:
        return f"TransformersEngine({self._loaded.source.model!r})"

    @property
    def source(self) -> ModelSource:
        """Which model this is, and how it is loaded."""
        return self._loaded.source

    @property
    def context_tokens(self) -> int:
        """Most tokens of prompt and answer together; loads the config, not the weights.

        Raises:
            MissingModelError: There is no such model.
            ModelLoadError: The config does not say, and no ``context_tokens`` was given.
        """
        if self._context_tokens is None:
            config = self._loaded.config.get_text_config()
            said = _stated_context(lambda name: getattr(config, name, None))
            if said is None:
                raise ModelLoadError(
                    f"The config of {self.source.model!r} does not say how long its context is; "
                    f"looked for {', '.join(_CONTEXT_NAMES)}. Pass context_tokens=."
                )
            self._context_tokens = said
        return self._context_tokens

    @property
    def vocab_size(self) -> int:
        """Rows of the LM head; may be more than the tokenizer has tokens."""
        return int(self._loaded.config.get_text_config().vocab_size)

    def encode(self, prompt: Prompt) -> list[int]:
        """Token ids of a prompt; loads the tokenizer, not the weights.

        Raises:
            MissingModelError: There is no such model.
            ModelLoadError: The tokenizer cannot be used.
            FormatMismatchError: The vocabulary lacks a special token of the prompt.
        """
        return self._loaded.encoder.encode(prompt)

    def load(self) -> None:
        """Load the weights now, instead of with the first request.

        Raises:
            MissingModelError: There is no such model.
            ModelLoadError: The files are there but cannot be used.
        """
        _ = self._loaded.weights

    def unload(self) -> None:
        """Free the weights, for every holder of this engine; the next request loads them again."""
        self._loaded.unload()

    def stream(
        self,
        prompt: Prompt,
        options: GenerationOptions,
        *,
        constraint: AnswerGrammar | None = None,
        cancel: CancelToken | None = None,
    ) -> Generator[EngineEvent, None, None]:
        """Generate one answer; the last event is ``Finished``.

        The generation goes on while the reader is busy; closing the iterator, or dropping it,
        stops it within one token.

        Args:
            prompt: From a prompt format.
            options: How to generate.
            constraint: What the answer may be; None is any text.
            cancel: Stops the generation within one token.

        Raises:
            UnsupportedOptionError: This model's tokenizer cannot follow a grammar.
            InvalidFunctionError: No grammar can be made of a function of the constraint.
            MissingModelError: There is no such model.
            ModelLoadError: The files are there but cannot be used.
            FormatMismatchError: The vocabulary lacks a special token of the prompt.
            PromptTooLongError: The prompt leaves no room for an answer.
            GenerationTimeoutError: ``timeout_s`` passed.
            GenerationCancelledError: ``cancel`` was set.
        """
        watch = Watch(timeout_s=options.timeout_s, cancel=cancel)
        yield from self._loaded.turns.stream(self._work(prompt, options, constraint, watch), watch)

    async def astream(
        self,
        prompt: Prompt,
        options: GenerationOptions,
        *,
        constraint: AnswerGrammar | None = None,
    ) -> AsyncGenerator[EngineEvent, None]:
        """Like ``stream``; cancelling the task stops the generation within one token."""
        watch = Watch(timeout_s=options.timeout_s)
        # A tokenizer takes a second to load and a long prompt some 10 ms to encode.
        planning = asyncio.to_thread(self._work, prompt, options, constraint, watch)
        try:
            work = await within(watch.remaining_s(), planning)
        except asyncio.TimeoutError:
            watch.check("while its prompt was encoded")
            raise
        events = self._loaded.turns.astream(work, watch)
        try:
            async for event in events:
                yield event
        finally:
            await events.aclose()

    def _work(
        self,
        prompt: Prompt,
        options: GenerationOptions,
        constraint: AnswerGrammar | None,
        watch: Watch,
    ) -> Work:
        """Check and encode a request now; give what its turn will do."""
        from langchain_gorilla.engines.generation import generate
        from langchain_gorilla.engines.planning import plan_answer

        loaded = self._loaded
        encoder = loaded.encoder
        plan = plan_answer(
            encoder, prompt, options, context_tokens=self.context_tokens, grammar=constraint
        )

        def work(emit: Emit) -> None:
            weights, prefixes = loaded.weights_and_prefixes()
            end_ids = plan.end_ids | loaded.end_ids
            compiled, vocabulary = loaded.constrained(plan.grammar, plan.options, end_ids)
            watch.check("while the weights were loaded")
            generate(
                weights,
                encoder,
                plan,
                end_ids=end_ids,
                constraint=compiled,
                watch=watch,
                emit=emit,
                prefixes=prefixes,
                vocabulary=vocabulary,
                batcher=loaded.batcher,
            )

        return work


def _name(model: str | os.PathLike[str]) -> str:
    name = os.fspath(model)
    if name == "bundled" and isinstance(model, str):
        return name
    if isinstance(model, str) and not is_local(name):
        return name
    return str(Path(name).expanduser().resolve())


def _unless_best(device: str | None) -> str | None:
    """Give a device, or None where it is the one that None takes; torch only where one is named."""
    return None if device is None or device == best_device() else device


def _plain_dtype(dtype: Any) -> Any:
    """Spell a dtype without importing torch; dicts, one dtype for each part, stay."""
    return dtype if isinstance(dtype, dict) else str(dtype).removeprefix("torch.")


def _frozen(value: Any) -> object:
    """Give a hashable stand-in: equal for equal arguments, so that they share one engine."""
    if isinstance(value, Mapping):
        return frozenset((str(name), _frozen(inner)) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return tuple(_frozen(inner) for inner in value)
    as_dict = getattr(value, "to_dict", None)
    if callable(as_dict):  # Quantization configs.
        return type(value).__name__, json.dumps(as_dict(), sort_keys=True, default=str)
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return type(value), value
