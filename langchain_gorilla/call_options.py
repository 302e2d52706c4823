"""What one call of a ``ChatGorilla`` can be told, and what of it excludes what."""

import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, Final

from langchain_gorilla.answer_shape import schema_of
from langchain_gorilla.binding import OTHER_NAMES, read_allowed_tools
from langchain_gorilla.engines.base import LEAST_SEED, MOST_SEED
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.functions import function_set
from langchain_gorilla.narrowing.bound import BoundTools
from langchain_gorilla.narrowing.request import OFFER

REPLACEABLE: Final = (
    "temperature", "max_tokens", "top_p", "top_k", "repetition_penalty", "seed", "timeout",
    "min_call_probability", "compare_functions", "lexical_weight", "on_missing_argument",
)  # fmt: skip
"""Options of the model that hold for a call unless it has its own."""

CALL_OPTIONS: Final = frozenset(
    {
        *REPLACEABLE, "model", "tools", "tool_choice", "strict", "parallel_tool_calls",
        "response_format", "ls_structured_output_format", "stream", "stream_usage", "stop", OFFER,
    }
)  # fmt: skip
"""What ``invoke(…, option=value)`` and ``bind(option=value)`` take."""

_MANY_TOOLS: Final = 64
"""Above this many tools, traces and cache keys hold a fingerprint instead of every schema."""


def without_many_tools(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Replace a large catalog by its size and fingerprint: 5,000 tools are 0.9 MB a trace."""
    kwargs = _with_schema(kwargs)
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
        lambda value: isinstance(value, Integral) and LEAST_SEED <= int(value) <= MOST_SEED,
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
    """Return the options of a call as they are spelled here.

    Under the names that they have here; a class as ``response_format`` by its schema; and of
    OpenAI's ``allowed_tools`` the tools that it leaves, with its mode as the choice.

    Raises:
        InvalidFunctionError: No schema can be made of the class, or no tool of one given.
        UnknownToolError: A tool is allowed that is not bound.
        UnsupportedOptionError: ``allowed_tools`` lists no tools, or is of no known mode.
    """
    options = {name: value for name, value in given.items() if name not in OTHER_NAMES}
    others = {here: given[name] for name, here in OTHER_NAMES.items() if name in given}
    options = _with_schema({**others, **options})
    choice = options.get("tool_choice")
    if not isinstance(choice, Mapping) or choice.get("type") != "allowed_tools":
        return options
    tools = options.get("tools") or ()
    bound = tools if isinstance(tools, BoundTools) else function_set(tools)
    mode, allowed = read_allowed_tools(choice, bound)
    kept = [{"type": "function", "function": each.document()} for each in allowed]
    return {**options, "tools": kept, "tool_choice": mode}


def _with_schema(options: dict[str, Any]) -> dict[str, Any]:
    """Replace a class by its schema: its repr says nothing to a trace or a cache."""
    wanted = options.get("response_format")
    if not isinstance(wanted, type):
        return options
    schema = schema_of(wanted)
    inner = {"name": schema["title"], "schema": schema}
    return {**options, "response_format": {"type": "json_schema", "json_schema": inner}}


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
