"""Function calls: what a call is, how a model family writes it, what a parser reports.

``CallSyntax`` is the hinge of the package: the prompt declares it, the grammar constrains to
it, the parser reads it, so the three cannot disagree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

JSONValue: TypeAlias = Any
"""None, bool, int, finite float, str, or lists and string-keyed dicts of these."""


@dataclass(frozen=True)
class FunctionCall:
    """One call with its arguments as JSON values.

    Attributes:
        name: The function's name. In what a parser returns: exactly as written by the model.
        arguments: Argument name to JSON value. Text is UTF-8-encodable, numbers are finite.
    """

    name: str
    arguments: Mapping[str, JSONValue] = field(default_factory=dict)


class Literals(Enum):
    """How a family spells true, false and null inside calls. Parsers accept both."""

    PYTHON = "True, False, None"
    JSON = "true, false, null"


@dataclass(frozen=True, kw_only=True)
class CallSyntax:
    r"""How one model family writes calls: ``opening call (separator call)* closing``.

    Examples (``⏎`` is a newline):
        OpenFunctions v2   ``<<function>>f(a=1)<<function>>g(b=2)``
        OpenFunctions v1   ``f(a=1), g(b=2)``
        Llama pythonic     ``[f(a=1), g(b=2)]``
        LFM2               ``<|tool_call_start|>[f(a=1), g(b=2)]<|tool_call_end|>``
        OLMo-3             ``<function_calls>f(a=1)⏎g(b=2)</function_calls>``
        NexusRaven-2       ``Call: f(a=1); g(b=2)<bot_end>``

    Attributes:
        opening: Text before the first call, ``""`` where calls stand bare.
        separator: Text between two calls.
        closing: Text after the last call, ``""`` where the end of the answer closes.
        wrapped: The model may leave out ``opening`` and ``closing`` but for their brackets
            (Llama-4 and LFM2.5 write the bare list too), so a parser accepts both.
        literals: How true, false and null are spelled when this package writes a call.
        quote: The quote character around strings when this package writes a call.
        sections: The answer is a set of named fields, and ``opening`` is the name of the one
            that holds a call (Gorilla-7B); only what stands in it is a call.
        reasoning: Tags around text that is thought, not said; calls in it are not calls.
    """

    opening: str
    separator: str
    closing: str
    wrapped: bool = False
    sections: bool = False
    literals: Literals = Literals.PYTHON
    quote: str = "'"
    reasoning: tuple[str, str] = ("<think>", "</think>")


# What a parser reports, in the order of the text. Any way of cutting the text into chunks
# gives the same events but for how TextDelta and ArgumentDelta are cut.


@dataclass(frozen=True)
class TextDelta:
    """A further piece of ordinary text for the user."""

    text: str


@dataclass(frozen=True)
class CallStart:
    """A call began; its name is complete.

    Attributes:
        index: Position among all calls of the answer, from 0, failed ones included.
        name: Exactly as written by the model.
    """

    index: int
    name: str


@dataclass(frozen=True)
class ArgumentDelta:
    """A further piece of a string argument that is still being written.

    Attributes:
        index: The call.
        parameter: Name of the argument, as written or mapped from its position.
        text: Decoded characters; never half an escape, never half a surrogate pair.
    """

    index: int
    parameter: str
    text: str


@dataclass(frozen=True)
class ArgumentEnd:
    """An argument is complete; ``value`` is all of it, streamed pieces included."""

    index: int
    parameter: str
    value: JSONValue


@dataclass(frozen=True)
class CallEnd:
    """A call is complete and well-formed; whether it fits the schema is not checked yet."""

    index: int
    call: FunctionCall


@dataclass(frozen=True)
class CallFailed:
    """A call could not be read. Events that were already given for it are void.

    Attributes:
        index: The call; a CallStart with this index may or may not have come before.
        name: As far as it is known, else None.
        text: The source text of the call, shortened in the middle where it is long.
        reason: What is wrong, in words that the model can act on.
    """

    index: int
    name: str | None
    text: str
    reason: str


CallEvent: TypeAlias = TextDelta | CallStart | ArgumentDelta | ArgumentEnd | CallEnd | CallFailed
