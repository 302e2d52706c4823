"""One answer: how the engine's text becomes message chunks.

The chat model's four paths (invoke, ainvoke, stream, astream) differ in how they wait for the
engine and in nothing else; what they share is here.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from langchain_core.messages import AIMessageChunk

from langchain_gorilla.engines.base import EngineEvent, Finished
from langchain_gorilla.grounding import Ungrounded, ungrounded_arguments
from langchain_gorilla.messages import AnswerBuilder
from langchain_gorilla.missing import question
from langchain_gorilla.parsing.answers import answer_parser
from langchain_gorilla.request import Request

PROVIDER = "gorilla"


class Answer:
    """One answer on its way from the engine's text to message chunks."""

    def __init__(self, request: Request, *, blocks: bool) -> None:
        demand, refusal = request.demand, request.format.refusal
        is_json = demand.response is not None
        self._parser = answer_parser(
            request.format.syntax,
            request.functions.written,
            # Without JSON to mistake it for, a call of a tool that nobody bound is told as such.
            may_call=demand.choice.mode != "none"
            and not (is_json and not request.functions.written),
            may_be_json=is_json,
        )
        # A tool of the caller's that has the refusal's name is a tool.
        declines = refusal is not None and request.functions.find(refusal.name) is None
        self._builder = AnswerBuilder(
            request.functions,
            refusal=refusal.name if refusal is not None and declines else None,
            blocks=blocks,
        )
        self._functions = request.functions
        self._missing = request.missing
        self._held: list[AIMessageChunk] = []
        self._metadata: dict[str, Any] = {
            "model_name": request.model,
            "model_provider": PROVIDER,
            "format": request.format.name,
            **request.metadata,
        }

    def add(self, event: EngineEvent) -> Iterator[AIMessageChunk]:
        """Yield the chunks that one event of the engine completes."""
        if isinstance(event, Finished):
            for call in self._parser.close(truncated=event.reason == "length"):
                yield from self._shown(self._builder.add(call))
            yield from self._finish(event)
        else:
            for call in self._parser.feed(event.text):
                yield from self._shown(self._builder.add(call))

    def _shown(self, chunks: Iterable[AIMessageChunk]) -> Iterator[AIMessageChunk]:
        """Hold calls back, and what follows them, while a question may take their place."""
        for chunk in chunks:
            if self._missing.asks and (self._held or chunk.tool_call_chunks):
                self._held.append(chunk)
            else:
                yield chunk

    def _finish(self, event: Finished) -> Iterator[AIMessageChunk]:
        missing = list(self._ungrounded())
        asks = self._missing.asks and bool(missing)
        if asks:
            yield self._builder.ask_instead(question([each for _, each in missing]))
        else:
            yield from self._held
        metadata = {**self._metadata, "generated_tokens": event.output_tokens}
        if event.forward_passes is not None:
            metadata["forward_passes"] = event.forward_passes
        if event.call_probability is not None:
            metadata["call_probability"] = event.call_probability
        yield self._builder.finish(
            reason=event.reason,
            input_tokens=event.input_tokens,
            output_tokens=event.output_tokens,
            cached_tokens=event.cached_tokens,
            metadata={**metadata, **self._missing.metadata(missing)},
        )

    def _ungrounded(self) -> Iterator[tuple[str, Ungrounded]]:
        for id_, call in self._builder.calls:
            function = self._functions.find(call.name)
            assert function is not None  # The call is valid.
            for each in ungrounded_arguments(call, function, self._missing.said):
                yield id_, each
