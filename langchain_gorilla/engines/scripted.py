"""An engine that replays given answers: for tests of your own graph, without a model.

    engine = ScriptedEngine(["<<function>>get_weather(city='Oslo')", "Cold."])
    model = ChatGorilla(model="bundled", engine=engine)

It needs no torch. A token is a word with the whitespace before it, in prompts and answers alike.
"""

import asyncio
import re
import threading
import zlib
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_gorilla.engines.base import (
    AnswerGrammar,
    CancelToken,
    EngineEvent,
    Finished,
    GenerationOptions,
    TextPiece,
)
from langchain_gorilla.engines.stop_text import StopText
from langchain_gorilla.engines.turns import Watch
from langchain_gorilla.errors import PromptTooLongError, ScriptEndedError
from langchain_gorilla.formats.base import Prompt, prompt_text

_WORD = re.compile(r"\s*\S+|\s+")


@dataclass(frozen=True)
class ScriptedRequest:
    """What a ScriptedEngine was asked.

    Attributes:
        prompt: As the prompt format made it.
        options: How to generate.
        constraint: What the answer was to be constrained to; the script is replayed all the same.
    """

    prompt: Prompt
    options: GenerationOptions
    constraint: AnswerGrammar | None


class ScriptedEngine:
    """Replays answers, one for each request, in the order of the requests. Thread-safe.

    Stop texts, max_tokens, timeout and cancellation work as in any engine; temperature, seed and
    a constraint change nothing: the texts are given.

    >>> from langchain_gorilla import ChatGorilla
    >>> engine = ScriptedEngine(["<<function>>get_weather(city='Oslo')", "It is cold."])
    >>> model = ChatGorilla(model="bundled", engine=engine)
    >>> def get_weather(city: str) -> str:
    ...     "Get the current weather for a city."
    >>> model.bind_tools([get_weather]).invoke("How is Oslo?").tool_calls[0]["args"]
    {'city': 'Oslo'}
    >>> model.invoke("And?").text
    'It is cold.'
    >>> "How is Oslo?" in engine.prompts[0]
    True

    Attributes:
        requests: What was asked, in order; it includes requests that failed.
    """

    def __init__(
        self,
        answers: Sequence[str] | Callable[[str], str],
        *,
        chunk: int | None = None,
        context_tokens: int = 4096,
        delay_s: float = 0.0,
    ) -> None:
        """Prepare to answer.

        Args:
            answers: The answers, or a function from a prompt's text to its answer.
            chunk: Characters in each piece; None makes each word a piece.
            context_tokens: Most words of prompt and answer together.
            delay_s: Seconds before each piece.
        """
        if isinstance(answers, str):
            raise TypeError("answers is one text; expected a list of answers, or a function.")
        if not (callable(answers) or isinstance(answers, Sequence)):
            raise TypeError(f"answers is {answers!r:.80}; expected a list of texts, or a function.")
        for text in () if callable(answers) else answers:
            _checked(text)
        if chunk is not None and chunk < 1:
            raise ValueError(f"chunk is {chunk}; expected at least 1 character, or None for words.")
        self.requests: list[ScriptedRequest] = []
        self._answers = answers
        self._chunk = chunk
        self._context_tokens = context_tokens
        self._delay_s = delay_s
        self._lock = threading.Lock()
        self._given = 0

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the lock: a copy, or what is unpickled, goes on with the script on its own."""
        with self._lock:
            kept = {name: value for name, value in vars(self).items() if name != "_lock"}
            return {**kept, "requests": [*self.requests]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Go on from where the other one was."""
        vars(self).update(state)
        self._lock = threading.Lock()

    @property
    def context_tokens(self) -> int:
        """Most words of prompt and answer together."""
        return self._context_tokens

    @property
    def prompts(self) -> list[str]:
        """The text of each prompt so far, special tokens spelled."""
        return [prompt_text(request.prompt) for request in self.requests]

    def encode(self, prompt: Prompt) -> list[int]:
        """Give each word, with the whitespace before it, and each special token an id."""
        ids: list[int] = []
        run = ""
        for part in prompt:
            if isinstance(part, str):
                run += part
                continue
            ids += _word_ids(run)
            run = ""
            ids.append(zlib.crc32(f"special {part.token}".encode()))
        return ids + _word_ids(run)

    def stream(
        self,
        prompt: Prompt,
        options: GenerationOptions,
        *,
        constraint: AnswerGrammar | None = None,
        cancel: CancelToken | None = None,
    ) -> Generator[EngineEvent, None, None]:
        """Replay the next answer; the last event is ``Finished``.

        Raises:
            ScriptEndedError: The script has no further answer.
            PromptTooLongError: The prompt leaves no room for an answer.
            GenerationTimeoutError: ``timeout_s`` passed.
            GenerationCancelledError: ``cancel`` was set.
        """
        watch = Watch(timeout_s=options.timeout_s, cancel=cancel)
        for event in self._plan(ScriptedRequest(prompt, options, constraint)):
            watch.sleep(self._delay_s)
            yield event

    async def astream(
        self,
        prompt: Prompt,
        options: GenerationOptions,
        *,
        constraint: AnswerGrammar | None = None,
    ) -> AsyncGenerator[EngineEvent, None]:
        """Like ``stream``."""
        watch = Watch(timeout_s=options.timeout_s)
        for event in self._plan(ScriptedRequest(prompt, options, constraint)):
            remaining = watch.remaining_s()
            await asyncio.sleep(
                self._delay_s if remaining is None else min(self._delay_s, remaining)
            )
            watch.check()
            yield event

    def _plan(self, request: ScriptedRequest) -> list[EngineEvent]:
        """Decide the whole answer."""
        input_tokens = len(self.encode(request.prompt))
        with self._lock:
            self.requests.append(request)
            room = self._context_tokens - input_tokens
            if room < 1:
                raise PromptTooLongError(
                    f"The prompt has {input_tokens:,} words, but prompt and answer together may "
                    f"have {self._context_tokens:,}. Pass a larger context_tokens= to "
                    "ScriptedEngine, or shorten the prompt."
                )
            text = self._next_answer(request.prompt)
        most = min(room, request.options.max_tokens or room)
        words = _WORD.findall(text)
        stop = StopText(request.options.stop)
        shown = stop.feed("".join(words[:most]))
        shown += stop.close()
        cut = len(words) > most and not stop.found
        used = len(_WORD.findall(shown)) if stop.found else min(len(words), most)
        return [
            *(TextPiece(piece) for piece in self._pieces(shown)),
            Finished(
                reason="length" if cut else "stop", input_tokens=input_tokens, output_tokens=used
            ),
        ]

    def _next_answer(self, prompt: Prompt) -> str:
        index = self._given
        self._given += 1
        if callable(self._answers):
            return _checked(self._answers(prompt_text(prompt)))
        if index >= len(self._answers):
            raise ScriptEndedError(
                f"The script has {len(self._answers)} answers, and this is request {index + 1}. "
                "Give ScriptedEngine an answer for each request that the graph makes; its .prompts "
                "show what was asked."
            )
        return self._answers[index]

    def _pieces(self, text: str) -> list[str]:
        if self._chunk is None:
            return _WORD.findall(text)
        return [text[i : i + self._chunk] for i in range(0, len(text), self._chunk)]


def _checked(answer: object) -> str:
    if not isinstance(answer, str):
        raise TypeError(
            f"An answer is {answer!r:.80}, of type {type(answer).__name__}; expected the text "
            "that the model would write, such as \"<<function>>get_weather(city='Oslo')\"."
        )
    return answer


def _word_ids(text: str) -> list[int]:
    return [zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in _WORD.findall(text)]
