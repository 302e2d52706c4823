"""What a ``ChatGorilla`` can be told."""

import os
import warnings
from collections.abc import Mapping
from typing import Any, Final

from langchain_core.utils import from_env
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from langchain_gorilla.binding import OTHER_NAMES
from langchain_gorilla.engines.base import LEAST_SCALED, LEAST_SEED, MOST_SCALED, MOST_SEED, Engine
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.formats.base import PromptFormat
from langchain_gorilla.missing import OnMissingArgument
from langchain_gorilla.retrieval.retriever import ToolRetriever

_SECRETS: Final = frozenset({"token", "use_auth_token"})
"""Arguments of ``from_pretrained`` that open a private repository."""

_OTHER_NAMES: Final = {
    **OTHER_NAMES,
    "model_name": "model",  # OpenAI
    "model_id": "model",  # LangChain's Hugging Face models
    "torch_dtype": "dtype",  # transformers, which ignores it where ``dtype`` stands beside it
    "num_ctx": "context_tokens",  # Ollama
    "n_ctx": "context_tokens",  # llama.cpp
}
"""Names that options have elsewhere, and the ones that they have here."""

_OF_A_CALL: Final = frozenset(
    {"tools", "tool_choice", "strict", "parallel_tool_calls", "response_format"}
)
"""Options that a call has and the model has not, which no ``from_pretrained`` knows either."""

_HOSTED: Final = frozenset(
    {
        *("base_url", "openai_api_base", "anthropic_api_url", "organization"),
        *("openai_organization", "openai_proxy", "default_headers", "default_query"),
        *("http_client", "http_async_client", "http_socket_options", "extra_body"),
        *("extra_headers", "include_response_headers", "disabled_params", "use_responses_api"),
        *("use_previous_response_id", "service_tier", "store", "truncation", "include", "user"),
        *("tiktoken_model_name", "n", "presence_penalty", "frequency_penalty", "logit_bias"),
        *("logprobs", "top_logprobs", "reasoning", "reasoning_effort", "verbosity", "thinking"),
        *("betas", "safety_settings", "keep_alive", "validate_model_on_init", "client_kwargs"),
        *("async_client_kwargs", "sync_client_kwargs", "num_gpu", "num_thread"),
    }
)
"""Options of ``ChatOpenAI``, ``ChatOllama`` and their like that speak to a server, or of what only
a server does."""

_KEYS: Final = ("_api_key", "_api_token")
"""How the names of a server's keys end."""

_LOADING: Final = (
    *("revision", "dtype", "device", "device_map", "quantization_config", "trust_remote_code"),
    *("context_tokens", "prefix_cache_bytes", "max_batch_size", "pack_weights"),
)
"""Options that are about how weights are loaded and kept."""

_ANSWERING: Final = (
    *("model", "temperature", "max_tokens", "top_p", "top_k", "repetition_penalty", "seed"),
    *("stop", "revision", "dtype", "device", "device_map", "quantization_config", "constrained"),
    *("context_tokens", "model_kwargs", "min_call_probability", "compare_functions"),
    *("lexical_weight", "on_missing_argument", "output_version"),
)
"""Options that change an answer, so that a cache tells them apart."""


class ModelOptions(BaseModel):
    """The options of a ``ChatGorilla``."""

    model_config = ConfigDict(arbitrary_types_allowed=True, protected_namespaces=())

    model: str = Field(default_factory=from_env("GORILLA_MODEL", default=""))
    """A model id on the hub, a directory with weights, or ``"bundled"``."""

    format: str | PromptFormat | None = None
    """How the model is prompted; None chooses by the model id."""

    temperature: float | None = Field(default=None, ge=0, le=MOST_SCALED)
    """None and 0 are greedy, whatever the model's own generation config says; so is any below
    1e-8, where no token but the best has a chance."""

    max_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of an answer; None is what the context leaves."""

    top_p: float | None = Field(default=None, gt=0, le=1)
    """Sample from the smallest set of tokens with this probability; needs a temperature."""

    top_k: int | None = Field(default=None, ge=1)
    """Sample from so many tokens; needs a temperature."""

    repetition_penalty: float | None = Field(default=None, ge=LEAST_SCALED, le=MOST_SCALED)
    """1 is none; above, tokens that occurred become less likely."""

    seed: int | None = Field(default=None, ge=LEAST_SEED, le=MOST_SEED)
    """Makes sampling repeatable."""

    stop: list[str] | str | None = None
    """Texts that end an answer; a call's own ``stop`` replaces them."""

    timeout: float | None = Field(default=None, gt=0)
    """Seconds for one answer, waiting for the engine included."""

    streaming: bool = False
    """Stream inside ``invoke`` too, so that callbacks see tokens."""

    stream_usage: bool | None = None
    """Accepted so that a swap changes one line; a stream always ends with its usage."""

    max_retries: int | None = None
    """Accepted so that a swap changes one line; a local model has no network to retry."""

    api_key: SecretStr | None = None
    """Accepted so that a swap changes one line; a local model needs none."""

    revision: str | None = None
    """Git revision of the model on the hub."""

    dtype: str | None = Field(default_factory=from_env("GORILLA_DTYPE", default=None))
    """Such as ``"bfloat16"``; None is the weights' own on an accelerator, and on a CPU bfloat16 or
    float32, by processor and size."""

    device: str | None = Field(default_factory=from_env("GORILLA_DEVICE", default=None))
    """Such as ``"cuda:0"`` or ``"cpu"``; None is an accelerator where there is one."""

    device_map: str | dict[str, Any] | None = None
    """accelerate's placement over several devices, such as ``"auto"``; replaces ``device``."""

    quantization_config: Any = None
    """Passed to transformers' ``from_pretrained``."""

    trust_remote_code: bool = False
    """Run Python code that comes with the model. No model of the Gorilla family needs it."""

    constrained: bool = True
    """Let the model write only calls that fit their tool's schema, and honour tool_choice,
    parallel_tool_calls and structured output. False leaves all of that to chance."""

    tool_retriever: ToolRetriever | None = Field(default=None, exclude=True, repr=False)
    """Finds for each human turn, of all bound tools, the few that the model is offered."""

    min_call_probability: float | None = Field(default=None, ge=0, le=1)
    """Where the model may choose between text and calls, it writes text if it finds calls less
    probable than this; ``response_metadata["call_probability"]`` says how probable they were. None
    is no bound, and 0.5 beside a ``response_format``, which would else bar the text it prefers."""

    compare_functions: int = Field(default=1, ge=1)
    """Where the model is undecided between functions, so many of them are compared by the whole
    calls that it would write, and the most probable call is made; 1 takes the most probable name,
    as greedy decoding does. For greedy, constrained answers; costs the passes of further calls
    where there is doubt. Not compared: whether to call, and whether another call follows."""

    lexical_weight: float | None = Field(default=None, ge=0, le=1000, strict=True)
    """Nats by which a function's name gains on others for each point of BM25 that its document has
    for the last human turn, up to those of two words that no other function has; 0 leaves the
    choice to the model alone. None is 2 for the bundled model, which names functions worse than
    BM25 does, and 0 for all others. For families that mark their calls, where the mark has said
    already that something is called; English."""

    on_missing_argument: OnMissingArgument = "fill"
    """What happens to a required argument whose value occurs nowhere in the conversation (see
    ``langchain_gorilla.grounding``): ``"fill"`` keeps the call and names the argument in
    ``response_metadata["ungrounded_arguments"]``, ``"ask"`` answers with a question instead of
    the calls, ``"interrupt"`` stops the agent before the call runs (``create_tool_agent``, or
    ``MissingArgumentInterrupt`` in ``create_agent``)."""

    context_tokens: int | None = Field(default=None, ge=1)
    """Most tokens of prompt and answer; None is what the model's config says."""

    prefix_cache_bytes: int | None = Field(default=None, ge=0)
    """Memory for prompts that were read, whose beginnings are then not read again; 0 is none. All
    models that share the weights share it, so the last value counts; None leaves 512 MiB."""

    max_batch_size: int | None = Field(default=None, ge=1)
    """Most answers that are decoded together, where several callers wait. All models that share
    the weights share it, so the last value counts; None leaves it, at first 1 on a CPU, where one
    after another measured faster, and 8 on an accelerator."""

    pack_weights: bool = False
    """Order the weights for the CPU's matrix kernels: passes are 1.4 times faster with models whose
    hidden size is 512 or more, and slower with smaller ones. Through private functions of torch;
    where they are missing there is a warning, and the weights stay as they are."""

    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Further arguments of transformers' ``from_pretrained``. A ``token`` is kept as a
    ``SecretStr``, so that no repr, trace or cache key holds it; any other may be given as one."""

    engine: Engine | None = Field(default=None, exclude=True, repr=False)
    """Runs the prompts instead of transformers, such as ``ScriptedEngine`` in tests."""

    @model_validator(mode="before")
    @classmethod
    def _keep_unknown_arguments(cls, values: Any) -> Any:
        """Move arguments that are no fields into ``model_kwargs``, with a warning.

        Those of a model on a server go, so that a swap changes one line; its keys without a word.
        """
        if not isinstance(values, dict):
            return values
        values = {_OTHER_NAMES.get(name, name): value for name, value in values.items()}
        unknown = values.keys() - cls.model_fields.keys()
        inner = values.get("model_kwargs")
        # What ChatOpenAI has no option for, it is given in its own model_kwargs.
        beside = inner if isinstance(inner, Mapping) else {}
        hosted = {each for each in (*unknown, *beside) if each in _HOSTED}
        # The caller of ChatGorilla(…): above it are __init__, pydantic's, and this validator.
        if given := sorted(each for each in hosted if {**beside, **values}[each] is not None):
            warnings.warn(
                f"{', '.join(given)}: for a model that a server runs, so without effect on one that "
                "runs here. Leave it out.",
                stacklevel=5,
            )
        further = {each for each in unknown - hosted if not each.endswith(_KEYS)}
        if strange := sorted(further - _OF_A_CALL):  # Those are refused.
            warnings.warn(
                f"{', '.join(strange)}: not an option of ChatGorilla, so passed to "
                "transformers' from_pretrained. If that is meant, write model_kwargs={…}; else "
                "check the spelling.",
                stacklevel=5,
            )
        kept = {name: value for name, value in values.items() if name not in unknown}
        if hosted or further:
            loading = {name: value for name, value in beside.items() if name not in hosted}
            kept["model_kwargs"] = {**loading, **{name: values[name] for name in further}}
        return kept

    @field_validator("model", "dtype", "device", mode="before")
    @classmethod
    def _name(cls, given: Any) -> Any:
        """Take a path, a torch dtype and a torch device by their names."""
        if isinstance(given, os.PathLike):
            return os.fspath(given)
        is_torch = type(given).__module__ == "torch"
        return str(given).removeprefix("torch.") if is_torch else given

    @field_validator("device", mode="before")
    @classmethod
    def _numbered(cls, given: Any) -> Any:
        """Take a device by its number, as transformers' pipelines do: -1 is the CPU."""
        if type(given) is not int:
            return given
        return "cpu" if given < 0 else f"cuda:{given}"

    @field_validator("api_key", mode="before")
    @classmethod
    def _unasked(cls, given: Any) -> Any:
        """Leave out what ChatOpenAI would ask for its key: nobody asks here."""
        return None if callable(given) else given

    @field_validator("model_kwargs")
    @classmethod
    def _hide_secrets(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {
            name: SecretStr(value) if name in _SECRETS and isinstance(value, str) else value
            for name, value in given.items()
        }

    def _loading_options(self) -> dict[str, Any]:
        """Return what ``load_engine`` takes beside the model; secrets as plain text."""
        own = {name: getattr(self, name) for name in _LOADING}
        further = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in self.model_kwargs.items()
        }
        return {**own, **further}

    def _answering_options(self) -> dict[str, Any]:
        """Return what changes an answer, as far as it is given."""
        found = {name: getattr(self, name) for name in _ANSWERING}
        return {name: value for name, value in found.items() if value is not None}


def refuse_doubled_options(given: Mapping[str, Any]) -> None:
    """Refuse one option under two names.

    Args:
        given: What a ``ChatGorilla`` is made with.
    """
    names = [_OTHER_NAMES.get(each, each) for each in given]
    for name in names:
        if names.count(name) > 1:
            same = [each for each in given if _OTHER_NAMES.get(each, each) == name]
            raise UnsupportedOptionError(
                f"{' and '.join(same)} are names of one option. Write ChatGorilla({name}=…) alone."
            )


def refuse_unusable_options(model: str, model_kwargs: Mapping[str, Any]) -> None:
    """Refuse no model, and what is no argument of ``from_pretrained``.

    Args:
        model: Its name; an empty one would be that of the current folder.
        model_kwargs: May hold no options of a ``ChatGorilla`` or a call.
    """
    if not model.strip():
        raise UnsupportedOptionError(
            'ChatGorilla needs a model: pass model="gorilla-llm/gorilla-openfunctions-v2", a '
            'directory with weights, or model="bundled" for the small demonstration model; or set '
            "GORILLA_MODEL."
        )
    if doubled := sorted(model_kwargs.keys() & {*ModelOptions.model_fields, *_OTHER_NAMES}):
        raise UnsupportedOptionError(
            f"model_kwargs holds {', '.join(doubled)}, which ChatGorilla has an option for. Write "
            f"ChatGorilla({_OTHER_NAMES.get(doubled[0], doubled[0])}=…); model_kwargs is for "
            "further arguments of transformers' from_pretrained."
        )
    if of_a_call := sorted(model_kwargs.keys() & _OF_A_CALL):
        raise UnsupportedOptionError(
            f"{', '.join(of_a_call)}: of a call, not of a ChatGorilla. Use bind_tools(), "
            f"with_structured_output() or bind({of_a_call[0]}=…) of the model, or pass it to "
            "invoke()."
        )
