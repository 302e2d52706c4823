"""What every prompt format offers, and the neutral turns that it renders.

A format turns a conversation and its functions into a ``Prompt``: text in which special
tokens stand as objects of their own. Data can therefore never become a special token: an
engine encodes every string with special tokens split, and inserts ``Special`` by id.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from langchain_gorilla.calls import CallSyntax, FunctionCall
from langchain_gorilla.functions import FunctionSchema


@dataclass(frozen=True)
class Special:
    """A special token of the model's vocabulary.

    Attributes:
        token: Its spelling, such as ``<|eot_id|>``, or one of the roles ``bos`` and ``eos``,
            which an engine fills from the tokenizer (``BOS`` vanishes where there is none).
    """

    token: str

    def __str__(self) -> str:
        """Spell the token for display; never for encoding."""
        return {"bos": "", "eos": "<|eos|>"}.get(self.token, self.token)


BOS: Final = Special("bos")
EOS: Final = Special("eos")

Prompt: TypeAlias = tuple[str | Special, ...]
"""Runs of text between special tokens. Two neighbouring strings are one run."""


def make_prompt(parts: Iterable[str | Special]) -> Prompt:
    """Join neighbouring strings into one run, which is how an engine encodes them."""
    runs: list[str | Special] = []
    for part in parts:
        if isinstance(part, str) and runs and isinstance(last := runs[-1], str):
            runs[-1] = last + part
        elif part != "":
            runs.append(part)
    return tuple(runs)


def prompt_text(prompt: Prompt) -> str:
    """Spell a prompt as one string, for people and logs; an engine encodes the parts."""
    return "".join(str(part) for part in prompt)


@dataclass(frozen=True)
class SystemTurn:
    """What the system says, all system messages joined."""

    text: str


@dataclass(frozen=True)
class HumanTurn:
    """What a human says; ``name`` where the message carries one."""

    text: str
    name: str | None = None


@dataclass(frozen=True)
class AssistantTurn:
    """An earlier answer: text, then calls; either may be empty."""

    text: str
    calls: tuple[FunctionCall, ...] = ()


@dataclass(frozen=True)
class FailedCall:
    """A call that could not be read, as the model wrote it: data, never a call again."""

    text: str


@dataclass(frozen=True)
class CallResult:
    """What one call gave.

    Attributes:
        call: The call that it answers.
        content: The tool's text.
        is_error: The tool failed; ``content`` says how.
    """

    call: FunctionCall | FailedCall
    content: str
    is_error: bool = False


@dataclass(frozen=True)
class ResultsTurn:
    """The results of the calls of one assistant turn, in the order of the calls."""

    results: tuple[CallResult, ...]


Turn: TypeAlias = SystemTurn | HumanTurn | AssistantTurn | ResultsTurn


class PromptFormat(ABC):
    """How one model family is prompted.

    A model of your own that was tuned on another prompt gets a format of its own:

    >>> from langchain_gorilla import ChatGorilla
    >>> from langchain_gorilla.formats.openfunctions import OpenFunctionsV2
    >>> class Acme(OpenFunctionsV2):
    ...     name = "acme"
    ...
    ...     def render(self, turns, functions):
    ...         return (*super().render(turns, functions), "Acme: ")
    >>> ChatGorilla(model="bundled", format=Acme()).prompt_text("Hello")[-20:]
    '### Response: Acme: '

    Attributes:
        name: The value of ``ChatGorilla(format=…)`` that chooses this format.
        syntax: How the family writes calls.
        stop: Texts that end an answer, besides the tokenizer's own end token.
        context_tokens: What the family was trained on, for models whose config does not say.
        most_functions: So many can stand in one prompt; None is any number.
        markers: Text that means something to the model, and that data must therefore not
            spell; see ``formats.markers``.
        refusal: A function that this format offers by itself: calling it is the family's way
            of saying that no function fits.
    """

    name: str
    syntax: CallSyntax
    stop: tuple[str, ...] = ()
    context_tokens: int | None = None
    most_functions: int | None = None
    markers: tuple[str, ...] = ()
    refusal: FunctionSchema | None = None

    @abstractmethod
    def render(self, turns: Sequence[Turn], functions: Sequence[FunctionSchema]) -> Prompt:
        """Write the conversation so far, ending where the model's answer begins.

        Args:
            turns: From ``conversation()``; calls in them carry the names the model writes.
            functions: What the model may call, under the names the model writes; may be empty.

        Raises:
            PromptError: This family cannot carry such a conversation; says what it can.
        """

    @abstractmethod
    def render_answer(self, turn: AssistantTurn) -> str:
        """Write an answer as the model itself would have: text, then calls.

        ``parse(render_answer(turn))`` gives the turn's calls and, marker breaks undone, its
        text.
        """
