"""Loads a model: config, tokenizer and weights, each when it is first needed.

Safety: only safetensors are read unless the caller passes ``use_safetensors=False`` (a ``.bin``
file is a pickle, which can run code), and a repository's own Python code runs only with
``trust_remote_code=True``.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from langchain_gorilla.engines.base import AnswerGrammar, GenerationOptions
from langchain_gorilla.engines.batching import Batcher
from langchain_gorilla.engines.locating import ModelSource, is_local, locate
from langchain_gorilla.engines.precision import cpu_dtype
from langchain_gorilla.engines.prefix_cache import PrefixCache
from langchain_gorilla.engines.turns import Turns
from langchain_gorilla.errors import (
    GorillaError,
    MissingModelError,
    ModelLoadError,
    UnsupportedOptionError,
)

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

    from langchain_gorilla.engines.encoding import PromptEncoder
    from langchain_gorilla.grammar.compiler import ConstraintCompiler
    from langchain_gorilla.grammar.constraint import Constraint, Vocabulary

ACCELERATOR_BATCH_SIZE = 8
"""Answers that are decoded together on an accelerator; unmeasured, see ``max_batch_size``."""


class LoadedModel:
    """One model, loaded piece by piece and shared by everyone who uses it. Thread-safe."""

    def __init__(self, source: ModelSource) -> None:
        """Remember where the model is; load nothing."""
        self.source = source
        # One at a time until the weights are there, and their device is known.
        self.turns = Turns()
        self.batcher = Batcher()
        self.prefixes = PrefixCache()
        self._batch_size: int | None = None
        # A request that is planned meanwhile does not wait for the weights. Whoever holds the
        # second may take the first, never the other way around.
        self._lock = threading.RLock()
        self._weights_lock = threading.RLock()
        self._batch_lock = threading.Lock()
        self._place: tuple[str, dict[str, Any]] | None = None
        self._config: PreTrainedConfig | None = None
        self._encoder: PromptEncoder | None = None
        self._weights: PreTrainedModel | None = None
        self._end_ids: frozenset[int] = frozenset()
        self._compilers: dict[frozenset[int], ConstraintCompiler] = {}

    @property
    def config(self) -> "PreTrainedConfig":
        """The model's config; no weights are loaded for it."""
        with self._lock:
            if self._config is None:
                path, where = self._locate()
                from transformers import AutoConfig

                with _load_errors("config", self.source, where):
                    self._config = AutoConfig.from_pretrained(path, **where)
            return self._config

    @property
    def encoder(self) -> "PromptEncoder":
        """The tokenizer; no weights are loaded for it."""
        with self._lock:
            if self._encoder is None:
                path, where = self._locate()
                from transformers import AutoTokenizer

                from langchain_gorilla.engines.encoding import PromptEncoder

                with _load_errors("tokenizer", self.source, where):
                    tokenizer = AutoTokenizer.from_pretrained(path, **where)
                self._encoder = PromptEncoder(tokenizer, model=self.source.model)
            return self._encoder

    @property
    def weights(self) -> "PreTrainedModel":
        """The model itself, on its device, its own generation config made neutral."""
        with self._weights_lock:
            if self._weights is None:
                config = self.config  # A broken config is named as such.
                _check_end(self.encoder.end_id, config, self.source)
                path, where = self._locate()
                weights = _load_weights(path, where, self.source, config)
                from transformers import GenerationConfig

                if self.source.pack_weights:
                    from langchain_gorilla.engines.packing import pack

                    pack(weights)
                # A prompt closes earlier answers with the tokenizer's, whatever the configs say.
                self._end_ids = frozenset(
                    _ids(self.encoder.end_id)
                    + _ids(weights.config.get_text_config().eos_token_id)
                    + _ids(getattr(weights.generation_config, "eos_token_id", None))
                )
                # generate() fills whatever a request leaves open from the model's own config.
                weights.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
                self._weights = weights
                self._widen()
            return self._weights

    def weights_and_prefixes(self) -> "tuple[PreTrainedModel, PrefixCache]":
        """Give the model, and what it has read before."""
        with self._weights_lock:
            return self.weights, self.prefixes

    @property
    def end_ids(self) -> frozenset[int]:
        """The tokens that end an answer, by tokenizer and both configs; loads the weights."""
        with self._weights_lock:
            _ = self.weights
            return self._end_ids

    def compiler(self, end_ids: frozenset[int]) -> "ConstraintCompiler":
        """Make constraints for answers that end with one of ``end_ids``.

        Raises:
            UnsupportedOptionError: This tokenizer cannot follow a grammar; says why.
        """
        with self._lock:
            if end_ids not in self._compilers:
                from langchain_gorilla.grammar.compiler import ConstraintCompiler

                size = int(self.config.get_text_config().vocab_size)
                vocabulary = self.encoder.vocabulary(end_ids=end_ids, size=size)
                self._compilers[end_ids] = ConstraintCompiler(vocabulary)
            return self._compilers[end_ids]

    def constrained(
        self, grammar: AnswerGrammar | None, options: GenerationOptions, end_ids: frozenset[int]
    ) -> "tuple[Constraint | None, Vocabulary | None]":
        """Make the constraint of one answer; give the vocabulary for a fork and for guesses.

        Raises:
            UnsupportedOptionError: This tokenizer cannot follow a grammar, and there is one.
            InvalidFunctionError: No grammar can be made of a function.
        """
        fork = options.fork
        if grammar is None:
            if fork is None and options.likely is None and options.evidence is None:
                return None, None
            try:
                return None, self.compiler(end_ids).vocabulary
            except UnsupportedOptionError:
                # A free answer asks nothing of its tokenizer; only its probability stays unknown,
                # and what it calls is neither guessed nor weighed.
                return None, None
        compiler = self.compiler(end_ids)
        constraint = compiler.constraint(grammar.functions, grammar.syntax, grammar.answer)
        if fork is not None and (other := fork.instead) is not None:
            from langchain_gorilla.grammar.diverting import DivertibleConstraint

            constraint = DivertibleConstraint(
                constraint,
                lambda: compiler.constraint(other.functions, other.syntax, other.answer),
            )
        return constraint, compiler.vocabulary

    def resize_batch(self, size: int) -> None:
        """Decode so many answers together from now on, at most."""
        with self._batch_lock:
            self._batch_size = size
        self._widen()

    def _widen(self) -> None:
        with self._batch_lock:
            if (weights := self._weights) is None:
                return  # Loading does it.
            on_cpu = weights.device.type == "cpu"
            self.turns.widen(self._batch_size or (1 if on_cpu else ACCELERATOR_BATCH_SIZE))

    def forget_threads(self) -> None:
        """In a forked process: no other thread is there; what they held is free, or made anew."""
        self._lock, self._weights_lock = threading.RLock(), threading.RLock()
        self._batch_lock = threading.Lock()
        self.turns.forget_threads()
        self.batcher = Batcher()
        self.prefixes.forget_threads()
        # A compiler holds locks, too; its vocabulary is what takes long to make.
        compilers = self._compilers.items()
        self._compilers = {ids: type(each)(each.vocabulary) for ids, each in compilers}

    def unload(self) -> None:
        """Forget the weights; a generation that runs keeps them, the next one loads anew."""
        with self._weights_lock:
            weights, self._weights = self._weights, None
            # What runs goes on with the old cache: the files may say something else by now.
            self.prefixes = self.prefixes.retire()
        if weights is not None and weights.device.type == "cuda":
            import torch

            del weights
            torch.cuda.empty_cache()

    def _locate(self) -> tuple[str, dict[str, Any]]:
        with self._lock:
            if self._place is None:
                self._place = locate(self.source)
            return self._place


def best_device() -> str:
    """Name the device that weights are loaded onto where nobody names one; imports torch."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _load_weights(
    path: str, where: dict[str, Any], source: ModelSource, config: "PreTrainedConfig"
) -> "PreTrainedModel":
    import torch
    from transformers import AutoModelForCausalLM

    device, device_map = _placement(source)
    options = {"use_safetensors": True, **source.options, **where}
    if source.quantization_config is not None:
        options["quantization_config"] = source.quantization_config
    dtype = source.dtype
    if dtype == "auto" and device == "cpu" and source.quantization_config is None:
        dtype = cpu_dtype(config, trust_remote_code=source.trust_remote_code)
    with _load_errors("weights", source, where), _quiet_progress():
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            path, dtype=dtype, device_map=device_map, output_loading_info=True, **options
        )
        weights: PreTrainedModel = loaded[0]
        if device_map is None:
            weights.to(torch.device(device))  # type: ignore[arg-type]  # Its decorator hides self.
    missing = sorted(loaded[1]["missing_keys"])
    if missing and source.quantization_config is None:
        raise ModelLoadError(
            f"The weights of {source.model!r} are incomplete: {len(missing)} of the model's "
            f"tensors are not in them, such as {missing[0]!r}, and would be random. Download the "
            "checkpoint again, or check that config.json belongs to it."
        )
    return weights


def _placement(source: ModelSource) -> tuple[str, Any]:
    """Give the kind of device that dtype="auto" is for, and the device_map, if any."""
    if source.device_map is not None:
        placed = source.device_map
        return (str(placed) if placed in ("cpu", "cuda", "mps") else best_device()), placed
    device = source.device or best_device()
    # Accelerate loads straight onto the device; the CPU needs no detour. Apple's GPUs have no fp8,
    # which weights may be stored in, as the bundled ones are: the CPU turns them into fp16 first.
    return device, None if device.startswith(("cpu", "mps")) else {"": device}


@contextmanager
def _load_errors(what: str, source: ModelSource, where: Mapping[str, Any]) -> Iterator[None]:
    try:
        yield
    except (GorillaError, ImportError):
        raise  # An ImportError's own message says what to install.
    except Exception as error:  # tokenizers and safetensors raise plain Exceptions.
        lines = str(error).strip().splitlines() or [""]
        if not threading.main_thread().is_alive():  # From then on Python lends no pool of threads.
            raise ModelLoadError(
                f"Cannot load the {what} of {source.model!r}: the main thread has ended, and "
                "loading needs threads that Python no longer starts. Let the main thread wait for "
                "the others, by join(), or ask the model once before it ends."
            ) from error
        if isinstance(error, OSError) and where.get("local_files_only"):
            raise MissingModelError(
                f"No model {source.model!r}: there is no such folder, the Hub cannot be reached, "
                f"and its {what} is not in the local cache. Check the name and the network, or "
                "give a folder, or 'bundled'."
            ) from error
        raise ModelLoadError(
            f"Cannot load the {what} of {source.model!r}: {type(error).__name__}: "
            f"{lines[0].rstrip('.')}. Check {_suspects(what, source)}that the files are complete, "
            "and that this version of transformers knows the model." + _advice(what, source)
        ) from error


def _check_end(end_id: int | None, config: "PreTrainedConfig", source: ModelSource) -> None:
    rows = config.get_text_config().vocab_size
    if end_id is not None and end_id >= rows:
        raise ModelLoadError(
            f"The tokenizer of {source.model!r} ends an answer with the token {end_id}, and the "
            f"model knows those below {rows}. Expected: the tokenizer that the model was trained "
            "with. Copy that into the folder, or enlarge the model by resize_token_embeddings()."
        )


def _suspects(what: str, source: ModelSource) -> str:
    """Name the caller's options that the weights may not have taken; their values may be secret."""
    if what != "weights":
        return ""
    named = ("dtype", "device", "device_map", "quantization_config")
    given = [name for name in named if getattr(source, name) not in (None, "auto")]
    options = [*given, *sorted(source.options)]
    return f"the options that were given ({', '.join(options)}), " if options else ""


def _advice(what: str, source: ModelSource) -> str:
    is_here = source.model == "bundled" or is_local(source.model)
    if what != "weights" or "use_safetensors" in source.options or is_here:
        return ""
    return (
        " If it has no safetensors, pass model_kwargs={'use_safetensors': False} (a pickle can run "
        "code)."
    )


@contextmanager
def _quiet_progress() -> Iterator[None]:
    """Leave out the bar "Loading weights"; downloads keep theirs."""
    from transformers.utils import logging

    def bar(factory: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if options.get("desc") == "Loading weights":
            options = {**options, "disable": True}
        return factory(*args, **options)

    previous = logging.set_tqdm_hook(bar)
    try:
        yield
    finally:
        logging.set_tqdm_hook(previous)


def _ids(value: object) -> list[int]:
    if isinstance(value, int):
        return [value]
    return [index for index in value if isinstance(index, int)] if isinstance(value, list) else []
