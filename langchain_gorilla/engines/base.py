"""What every engine offers: a prompt goes in, a stream of text comes out."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from numbers import Integral, Real
from sys import float_info
from typing import Any, Final, Literal, Protocol, TypeAlias, runtime_checkable

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.formats.base import Prompt
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.grammar.call_grammar import Answer

LEAST_SCALED: Final = 1e-20
MOST_SCALED: Final = 1e20
"""What scores may be multiplied or divided by: they are float32, which ends at 3e38, and infinite
scores have no probabilities."""

LEAST_SEED: Final = -(2**63)
MOST_SEED: Final = 2**64 - 1
"""The seeds that a ``torch.Generator`` takes."""

LEAST_TEMPERATURE: Final = 1e-8
"""Below this the best token has all of the probability: float32 scores of language models that
differ at all differ by more than a hundred times as much. So sampling would be greedy."""

_NUMBERS: Final[Mapping[str, tuple[type[Any], Callable[[Any], bool], str]]] = {
    "max_tokens": (Integral, lambda value: value >= 1, "at least 1, as a whole number"),
    "temperature": (
        Real,
        lambda value: 0 <= value <= MOST_SCALED,
        f"at least 0, greedy, as a number up to {MOST_SCALED:g}",
    ),
    "top_p": (Real, lambda value: 0 < value <= 1, "above 0, at most 1, as a number"),
    "top_k": (Integral, lambda value: value >= 1, "at least 1, as a whole number"),
    "repetition_penalty": (
        Real,
        lambda value: LEAST_SCALED <= value <= MOST_SCALED,
        f"a number from {LEAST_SCALED:g} to {MOST_SCALED:g}",
    ),
    "seed": (
        Integral,
        lambda value: LEAST_SEED <= value <= MOST_SEED,
        "a whole number from -2**63 to 2**64 - 1",
    ),
    "timeout_s": (
        Real,
        lambda value: 0 < value <= float_info.max or value == inf,
        "above 0 seconds, as a number that a float can hold",
    ),
}
"""Options of a generation: of which kind, whether a value fits, what does."""


@dataclass(frozen=True, kw_only=True)
class AnswerGrammar:
    """What an answer may be, in words that no tokenizer has a part in.

    An engine makes a constraint of it for its own vocabulary.

    Attributes:
        functions: What may be called, under the names that the model writes.
        syntax: How the model's family writes calls.
        answer: Calls, text, or JSON. Its ``prefix`` is the engine's: a prompt's last space is
            taken off and generated anew, since the tokenizer may join it with what follows.
    """

    functions: tuple[FunctionSchema, ...]
    syntax: CallSyntax
    answer: Answer = field(default_factory=Answer)


@dataclass(frozen=True, kw_only=True)
class Fork:
    """Where an answer becomes calls or text.

    Attributes:
        openings: Texts that calls begin with; whatever begins otherwise is the other branch.
        thought: Tags around a thought, which may come before either; empty where there is none.
        least: Calls less probable than this are not made.
        instead: What the answer is held to if they are not; needs a constraint, as it is one.
    """

    openings: tuple[str, ...]
    thought: tuple[str, str] = ("", "")
    least: float | None = None
    instead: AnswerGrammar | None = None


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Functions that an engine compares by the calls that would follow.

    Attributes:
        functions: Their names, as the model writes them.
        most: How many are compared at one place.
    """

    functions: tuple[str, ...]
    most: int


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What speaks for functions beside the model, where one of them is named.

    Attributes:
        syntax: How the model's family writes calls.
        functions: The names of those that are offered, as the model writes them.
        nats: Takes the whole calls that an answer begins with; gives what speaks for each
            function at the next one, by name, 0 where nothing is given.
    """

    syntax: CallSyntax
    functions: tuple[str, ...]
    nats: Callable[[str], Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class GenerationOptions:
    """How to generate one answer.

    Attributes:
        max_tokens: Most tokens to generate; None fills the context.
        temperature: 0 is greedy, whatever the model's own generation config says. What is below
            LEAST_TEMPERATURE becomes 0.
        top_p: Nucleus, 0 < top_p <= 1; None leaves it off.
        top_k: Most likely tokens to choose from; None leaves it off.
        repetition_penalty: 1 is none; None leaves it off.
        seed: Makes sampling repeatable; None does not.
        stop: Texts that end the answer; they are not part of it. One that spells a special token
            ends the answer as that token, too.
        markers: Texts that a parser has to see, such as a CallSyntax's opening and closing.
            Special tokens spelled in them stay in the answer; all others are left out.
        timeout_s: Seconds until GenerationTimeoutError, waiting for the engine included.
        fork: Where to ask for the probability of calls; None where an answer has no choice.
        compared: Functions to compare by their whole calls where the model is undecided between
            them; None compares none. Greedy answers with a constraint only.
        evidence: What speaks for functions beside the model; None where nothing does, or for a
            vocabulary whose tokens cannot be read.
        whole: Give the text as one piece at the end, for a reader who waits for it anyway: each
            piece wakes the reader, who then takes time from the model.
        likely: What an answer without a constraint will probably be: nothing is held to it, but
            the engine may guess by it. None where nothing is known, or a constraint says it.

    Raises:
        UnsupportedOptionError: A value outside its range; says which range.
    """

    max_tokens: int | None = None
    temperature: float = 0.0
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()
    timeout_s: float | None = None
    fork: Fork | None = None
    compared: Compared | None = None
    evidence: Evidence | None = None
    whole: bool = False
    likely: AnswerGrammar | None = None

    def __post_init__(self) -> None:
        """Refuse what no engine can honour; make plain numbers of all others."""
        for name, (kind, fits, expected) in _NUMBERS.items():
            if (value := getattr(self, name)) is None:
                continue
            if not (isinstance(value, kind) and fits(value)):
                told = name.removesuffix("_s")  # As ChatGorilla has it; the unit is in the text.
                raise UnsupportedOptionError(f"{told} is {value!r}; expected {expected}.")
            # torch and transformers take no NumPy numbers, and no whole ones for a float.
            object.__setattr__(self, name, int(value) if kind is Integral else float(value))
        if self.temperature < LEAST_TEMPERATURE:
            object.__setattr__(self, "temperature", 0.0)
        if "" in self.stop:
            raise UnsupportedOptionError("stop holds an empty text, which would end every answer.")


@dataclass(frozen=True)
class TextPiece:
    """A further piece of the answer: whole characters, special tokens left out."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The last item of every stream.

    Attributes:
        reason: ``stop``: the model ended, or a stop text came; ``length``: max_tokens or the
            context cut the answer off.
        input_tokens: Length of the encoded prompt.
        output_tokens: Generated tokens, the end token included.
        cached_tokens: How many of the prompt's tokens were read before, for another request.
        forward_passes: Of the model, prompt and answer together; None where none is known.
        call_probability: The model's own probability of calls at the options' fork; None
            without a fork, where the answer ended before it, or where the engine has no scores.
    """

    reason: Literal["stop", "length"]
    input_tokens: int
    output_tokens: int
    # Says how the answer came, not what it is.
    cached_tokens: int = field(default=0, compare=False)
    forward_passes: int | None = field(default=None, compare=False)
    call_probability: float | None = field(default=None, compare=False)


EngineEvent: TypeAlias = TextPiece | Finished


class CancelToken:
    """Set by a caller to stop a generation within one token. Thread-safe."""

    def __init__(self) -> None:
        """Start uncancelled."""
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the generation to stop; calling it again does nothing."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether ``cancel`` was called."""
        return self._event.is_set()


@runtime_checkable
class Engine(Protocol):
    """Generates text from prompts. One engine serves many callers and threads at once."""

    @property
    def context_tokens(self) -> int:
        """Most tokens of prompt and answer together."""

    def encode(self, prompt: Prompt) -> list[int]:
        """Token ids of a prompt: strings with special tokens split, Special by id."""

    def stream(
        self,
        prompt: Prompt,
        options: GenerationOptions,
        *,
        constraint: AnswerGrammar | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[EngineEvent]:
        """Generate one answer; the last event is ``Finished``.

        Closing the iterator early, or cancelling, stops the generation within one token. With a
        constraint the answer fits it, unless max_tokens or a stop text cuts it off.

        Raises:
            InvalidFunctionError: No grammar can be made of a function of the constraint.
            UnsupportedOptionError: This engine cannot honour the constraint.
            PromptTooLongError: The prompt leaves no room for an answer.
            GenerationTimeoutError: ``timeout_s`` passed.
            GenerationCancelledError: ``cancel`` was set.
        """

    def astream(
        self,
        prompt: Prompt,
        options: GenerationOptions,
        *,
        constraint: AnswerGrammar | None = None,
    ) -> AsyncIterator[EngineEvent]:
        """Like ``stream``; cancelling the task stops the generation within one token."""
