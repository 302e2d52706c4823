"""Asking the bundled model, and counting what it does for it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from langchain_gorilla.engines.base import Finished, GenerationOptions, TextPiece
from langchain_gorilla.engines.decode_loop import MOST_DRAFTED
from langchain_gorilla.engines.transformers import TransformersEngine
from langchain_gorilla.formats.base import Prompt

_SYSTEM = (
    "You are an AI programming assistant, utilizing the Gorilla LLM model, developed by Gorilla "
    "LLM, and you only answer questions related to computer science. For politically sensitive "
    "questions, security and privacy issues, and other non-computer science questions, you will "
    "refuse to answer.\n"
)
_TOOLS = (
    '[{"name": "get_weather", "description": "Get the weather.", "parameters": {"type": "object", '
    '"properties": {"city": {"type": "string"}}, "required": ["city"]}}]'
)


def weather_prompt(question: str = "What is the weather in Oslo and in Rome?") -> Prompt:
    return (
        f"{_SYSTEM}### Instruction: <<function>>{_TOOLS}\n<<question>>{question}\n### Response: ",
    )


@dataclass
class Answer:
    text: str
    pieces: list[str]
    finished: Finished


def ask(
    engine: TransformersEngine,
    prompt: Prompt | None = None,
    options: GenerationOptions | None = None,
) -> Answer:
    options = options or GenerationOptions(max_tokens=40)
    events = list(engine.stream(weather_prompt() if prompt is None else prompt, options))
    pieces = [event.text for event in events[:-1] if isinstance(event, TextPiece)]
    assert len(pieces) == len(events) - 1
    assert isinstance(events[-1], Finished)
    return Answer("".join(pieces), pieces, events[-1])


@dataclass
class Passes:
    """The forward passes of a model, and a gate that holds one of them."""

    lengths: list[int] = field(default_factory=list)
    hold_at: int = 0
    held: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)
    each: Callable[[int], None] = lambda count: None

    def __call__(self, module: object, args: object, kwargs: dict) -> None:
        self.lengths.append(kwargs["input_ids"].shape[1])
        self.each(len(self.lengths))
        if len(self.lengths) == self.hold_at:
            self.held.set()
            assert self.gate.wait(20)

    @property
    def prompts(self) -> list[int]:
        """The lengths of the prompts that were prefilled, in order; drafts are shorter."""
        return [length for length in self.lengths if length > 1 + MOST_DRAFTED]


def settle(engine: TransformersEngine) -> None:
    """Wait until the engine serves nobody and its thread has ended."""
    for thread in threading.enumerate():
        if thread.name == "gorilla-engine":
            thread.join(20)
    assert not engine._loaded.turns._serving
