"""What a ``ChatGorilla`` and one call of it can be told."""

import os
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, Final

from langchain_core.utils import from_env
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from langchain_gorilla.engines.base import LEAST_SCALED, MOST_SCALED, Engine
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.formats.base import PromptFormat
from langchain_gorilla.functions import function_set
from langchain_gorilla.missing import OnMissingArgument
from langchain_gorilla.narrowing.bound import BoundTools
from langchain_gorilla.narrowing.request import OFFER
from langchain_gorilla.retrieval.retriever import ToolRetriever

REPLACEABLE: Final = (
    "temperature", "max_tokens", "top_p", "top_k", "repetition_penalty", "seed", "timeout",
    "min_call_probability", "compare_functions", "lexical_weight", "on_missing_argument",
)  # fmt: skip
"""Options of the model that hold for a call unless it has its own."""

CALL_OPTIONS: Final = frozenset(
    {
        *REPLACEABLE, "model", "tools", "tool_choice", "strict", "parallel_tool_calls",
        "response_format", "ls_structured_output_format", "stream_usage", OFFER,
    }
)  # fmt: skip
"""What ``invoke(…, option=value)`` and ``bind(option=value)`` take."""

_OTHER_NAMES: Final = {"max_completion_tokens": "max_tokens", "request_timeout": "timeout"}
"""Names that a call's options have elsewhere, as the model's own have by their aliases."""


_LEAST_SEED: Final = -(2**63)
_MOST_SEED: Final = 2**64 - 1
"""The seeds that a torch.Generator takes."""

_MANY_TOOLS: Final = 64
"""Above this many tools, traces and cache keys hold a fingerprint instead of every schema."""

_SECRETS: Final = frozenset({"token", "use_auth_token"})
"""Arguments of ``from_pretrained`` that open a private repository."""

_HOSTED: Final = frozenset(
    {
        *("base_url", "openai_api_base", "anthropic_api_url", "organization"),
        *("openai_organization", "openai_proxy", "default_headers", "default_query"),
        *("http_client", "http_async_client", "http_socket_options", "extra_body"),
        *("extra_headers", "include_response_headers", "disabled_params", "use_responses_api"),
        *("use_previous_response_id", "service_tier", "store", "truncation", "include", "user"),
        *("tiktoken_model_name", "n", "presence_penalty", "frequency_penalty", "logit_bias"),
        *("logprobs", "top_logprobs", "reasoning", "reasoning_effort", "verbosity", "thinking"),
        *("betas", "safety_settings"),
    }
)
"""Options of ``ChatOpenAI`` and its like that speak to a server, or of what only a server does."""


class ModelOptions(BaseModel):
    """The options of a ``ChatGorilla``."""

    model_config = ConfigDict(
        populate_by_name=True, arbitrary_types_allowed=True, protected_namespaces=()
    )

    model: str = Field(default_factory=from_env("GORILLA_MODEL", error_message=(
        'ChatGorilla needs a model: pass model="gorilla-llm/gorilla-openfunctions-v2", a directory '
        'with weights, or model="bundled" for the small demonstration model; or set GORILLA_MODEL.'
    )))  # fmt: skip
    """A model id on the hub, a directory with weights, or ``"bundled"``."""

    format: str | PromptFormat | None = None
    """How the model is prompted; None chooses by the model id."""

    temperature: float | None = Field(default=None, ge=0, le=MOST_SCALED)
    """None and 0 are greedy, whatever the model's own generation config says; so is any below
    1e-8, where no token but the best has a chance."""

    max_tokens: int | None = Field(default=None, ge=1, alias="max_completion_tokens")
    """Most tokens of an answer; None is what the context leaves."""

    top_p: float | None = Field(default=None, gt=0, le=1)
    """Sample from the smallest set of tokens with this probability; needs a temperature."""

    top_k: int | None = Field(default=None, ge=1)
    """Sample from so many tokens; needs a temperature."""

    repetition_penalty: float | None = Field(default=None, ge=LEAST_SCALED, le=MOST_SCALED)
    """1 is none; above, tokens that occurred become less likely."""

    seed: int | None = Field(default=None, ge=_LEAST_SEED, le=_MOST_SEED)
    """Makes sampling repeatable."""

    stop: list[str] | str | None = Field(default=None, alias="stop_sequences")
    """Texts that end an answer; a call's own ``stop`` replaces them."""

    timeout: float | None = Field(default=None, gt=0, alias="request_timeout")
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
        if "model_name" in values and "model" not in values:  # ChatOpenAI takes either.
            values = {"model": values["model_name"], **values}
            del values["model_name"]
        known = {*cls.model_fields, *(f.alias for f in cls.model_fields.values() if f.alias)}
        unknown = {name: value for name, value in values.items() if name not in known}
        keys = {name for name in unknown if name.endswith("_api_key")}
        hosted = _HOSTED & unknown.keys()
        # The caller of ChatGorilla(…): above it are __init__, pydantic's, and this validator.
        if given := sorted(name for name in hosted if unknown[name] is not None):
            warnings.warn(
                f"{', '.join(given)}: for a model that a server runs, so without effect on one that "
                "runs here. Leave it out.",
                stacklevel=5,
            )
        kept = {name: value for name, value in values.items() if name in known}
        if further := {name: unknown[name] for name in unknown.keys() - hosted - keys}:
            warnings.warn(
                f"{', '.join(sorted(further))}: not an option of ChatGorilla, so passed to "
                "transformers' from_pretrained. If that is meant, write model_kwargs={…}; else "
                "check the spelling.",
                stacklevel=5,
            )
            kept["model_kwargs"] = {**(values.get("model_kwargs") or {}), **further}
        return kept

    @field_validator("model", "dtype", "device", mode="before")
    @classmethod
    def _name(cls, given: Any) -> Any:
        """Take a path, a torch dtype and a torch device by their names."""
        if isinstance(given, os.PathLike):
            return os.fspath(given)
        is_torch = type(given).__module__ == "torch"
        return str(given).removeprefix("torch.") if is_torch else given

    @field_validator("model_kwargs")
    @classmethod
    def _hide_secrets(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {
            name: SecretStr(value) if name in _SECRETS and isinstance(value, str) else value
            for name, value in given.items()
        }


def plain_arguments(model_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``from_pretrained`` as it takes them: secrets as plain text."""
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in model_kwargs.items()
    }


def refuse_doubled_options(model_kwargs: Mapping[str, Any]) -> None:
    """Refuse options of a ``ChatGorilla`` among the arguments of ``from_pretrained``."""
    if doubled := sorted(model_kwargs.keys() & ModelOptions.model_fields.keys()):
        raise UnsupportedOptionError(
            f"model_kwargs holds {', '.join(doubled)}, which ChatGorilla has an option for. Write "
            f"ChatGorilla({doubled[0]}=…); model_kwargs is for further arguments of transformers' "
            "from_pretrained."
        )


def without_many_tools(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Replace a large catalog by its size and fingerprint: 5,000 tools are 0.9 MB a trace."""
    tools = kwargs.get("tools")
    if isinstance(tools, BoundTools):
        return {**kwargs, "tools": tools.summary()}
    if tools is None or len(tools) <= _MANY_TOOLS:
        return kwargs
    functions = function_set(tools)
    return {**kwargs, "tools": {"count": len(tools), "fingerprint": functions.fingerprint}}


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


_KINDS: Final[tuple[tuple[str, Callable[[Any], bool], str], ...]] = (
    ("model", lambda value: isinstance(value, str), "the id of a model, or a folder, as text"),
    (
        "tools",
        # A mapping may be what a trace holds of many tools; function_set refuses all others.
        lambda value: isinstance(value, Collection) and not isinstance(value, str),
        "a list; put a single tool into brackets, [tool]",
    ),
    ("strict", _is_flag, "True or False"),
    ("parallel_tool_calls", _is_flag, "True or False"),
    (
        "seed",
        lambda value: isinstance(value, Integral) and _LEAST_SEED <= int(value) <= _MOST_SEED,
        "a whole number from -2**63 to 2**64 - 1",
    ),
    (
        "compare_functions",
        lambda value: isinstance(value, Integral) and not _is_flag(value) and int(value) >= 1,
        "a whole number, at least 1",
    ),
    (
        "min_call_probability",
        lambda value: isinstance(value, Real) and not _is_flag(value),
        "a probability, 0 to 1",
    ),
    (
        "lexical_weight",
        lambda value: isinstance(value, Real) and not _is_flag(value) and 0 <= float(value) <= 1000,
        "a number from 0 to 1000",
    ),
)
"""Options of a call that nothing after this room checks: name, whether a value fits, what does."""


def check_kinds(given: Mapping[str, Any]) -> None:
    """Refuse options of a call whose values are of another kind.

    Raises:
        UnsupportedOptionError: Names the option and what is expected.
    """
    for name, fits, expected in _KINDS:
        if (value := given.get(name)) is not None and not fits(value):
            raise UnsupportedOptionError(
                f"{name}={value!r:.120} is not understood. Expected {expected}. Pass that, or "
                f"leave {name} out."
            )


def stop_texts(given: object) -> list[str]:
    """Return the texts that end an answer.

    Raises:
        UnsupportedOptionError: It is no text, and no list of texts.
    """
    texts = [given] if isinstance(given, str) else () if given is None else given
    if isinstance(texts, Iterable):
        found = list(texts)
        if all(isinstance(text, str) for text in found):
            return found
    raise UnsupportedOptionError(
        f"stop={given!r:.120} is not understood. Expected a text, or a list of texts, such as "
        "stop=['###']."
    )


def check_enforced(
    constrained: bool,
    *,
    strict: bool | None = None,
    min_call_probability: float | None = None,
    compare_functions: int | None = None,
    temperature: float | None = None,
) -> None:
    """Refuse what only a constraint can enforce where there is none, or only greedy decoding.

    Raises:
        UnsupportedOptionError: Names the two options that exclude each other.
    """
    given = {
        "strict=True": strict or None,
        "min_call_probability": min_call_probability,
        f"compare_functions={compare_functions}": (compare_functions or 1) > 1 or None,
    }
    for name, value in given.items():
        if value is not None and not constrained:
            raise UnsupportedOptionError(
                f"{name} needs a constraint, and constrained=False was given. Leave one "
                "of them out."
            )
    if (compare_functions or 1) > 1 and temperature:
        raise UnsupportedOptionError(
            f"compare_functions={compare_functions} compares the calls that greedy decoding would "
            f"write, and temperature={temperature:g} was given. Leave one of them out."
        )


def renamed(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a call under the names that they have here."""
    options = {name: value for name, value in given.items() if name not in _OTHER_NAMES}
    others = {here: given[name] for name, here in _OTHER_NAMES.items() if name in given}
    return {**others, **options}


def check_call_options(given: Mapping[str, Any]) -> None:
    """Warn about options that no call has.

    Raises:
        UnsupportedOptionError: See ``check_kinds`` and ``refuse_several_answers``.
    """
    check_kinds(given)
    refuse_several_answers(given)
    if unknown := given.keys() - CALL_OPTIONS:
        warnings.warn(
            f"{', '.join(sorted(unknown))}: not an option of a ChatGorilla call, so without "
            f"effect. Options are {', '.join(sorted(CALL_OPTIONS - {OFFER}))}.",
            stacklevel=3,
        )


def refuse_several_answers(options: Mapping[str, Any]) -> None:
    """Refuse the options of ``generate`` that would take several answers at once."""
    for name in ("num_beams", "num_return_sequences", "num_beam_groups"):
        if options.get(name) not in (None, 1):
            raise UnsupportedOptionError(
                f"{name}={options[name]!r}: answers are greedy or sampled, one at a time, since a "
                "grammar follows one answer and tokens cannot be taken back from a stream. Leave "
                f"{name} out; ask again with another seed= for another answer."
            )
