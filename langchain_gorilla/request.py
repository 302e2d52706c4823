"""One request: what is asked of the engine, decided before a token is generated."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import BaseMessage, SystemMessage

from langchain_gorilla.binding import Demand, read_demand
from langchain_gorilla.constraining import (
    answer_constraint,
    call_fork,
    compared_functions,
    likely_answer,
)
from langchain_gorilla.engines.base import AnswerGrammar, Engine, EngineEvent, GenerationOptions
from langchain_gorilla.evidence import function_evidence
from langchain_gorilla.formats.base import Prompt, PromptFormat
from langchain_gorilla.formats.conversation import conversation
from langchain_gorilla.functions import FunctionSet, function_set
from langchain_gorilla.missing import MissingArguments, what_was_said
from langchain_gorilla.narrowing.offering import told
from langchain_gorilla.narrowing.request import OFFER


@dataclass(frozen=True, kw_only=True)
class Request:
    """One answer, decided before a token is generated.

    Attributes:
        model: Its name, as the caller gave it.
        engine: Generates the text.
        format: How the model is prompted.
        functions: What it was offered.
        demand: What was asked of the answer.
        prompt: What it reads.
        options: How it generates.
        constraint: What the answer may be; None leaves it free.
        missing: What happens to required arguments that nobody named.
        metadata: Further ``response_metadata``, such as what the model was offered.
    """

    model: str
    engine: Engine
    format: PromptFormat
    functions: FunctionSet
    demand: Demand
    prompt: Prompt
    options: GenerationOptions
    constraint: AnswerGrammar | None
    missing: MissingArguments
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def whole(self) -> "Request":
        """Give the same request, its text to come as one piece at the end."""
        return replace(self, options=replace(self.options, whole=True))

    def events(self) -> Iterator[EngineEvent]:
        """Ask the engine, and yield its answer as it comes."""
        return self.engine.stream(self.prompt, self.options, constraint=self.constraint)

    def aevents(self) -> AsyncIterator[EngineEvent]:
        """Like ``events``."""
        return self.engine.astream(self.prompt, self.options, constraint=self.constraint)


def plan_request(
    messages: Sequence[BaseMessage],
    options: Mapping[str, Any],
    *,
    model: str,
    engine: Engine,
    format_: PromptFormat,
    stop: Sequence[str],
    constrained: bool,
) -> Request:
    """Decide everything about one answer.

    Args:
        messages: The conversation.
        options: ``call_options.CALL_OPTIONS``, the model's own where the call has none.
        model: Its name, as the caller gave it.
        engine: Generates the text.
        format_: How the model is prompted.
        stop: Texts that end the answer, beside those of the format.
        constrained: Whether the answer is held to what is demanded of it.

    Raises:
        InvalidFunctionError: A tool that cannot be offered.
        PromptError: The messages make no prompt.
        UnknownToolError: ``tool_choice`` names a tool that is not bound.
        UnsupportedOptionError: An option out of its range, or one that cannot be enforced.
    """
    functions = function_set(options.get("tools") or ())
    demand = read_demand(options, functions)
    said = what_was_said(messages)
    offer = options.get(OFFER)
    if offer is not None:
        messages = told(messages, offer)
    if demand.response is not None:
        messages = [*messages, SystemMessage(demand.response.instruction())]
    turns = conversation(messages, functions)
    constraint = answer_constraint(format_, functions, demand) if constrained else None
    least = options.get("min_call_probability")
    syntax = format_.syntax
    return Request(
        model=model,
        engine=engine,
        format=format_,
        functions=functions,
        demand=demand,
        prompt=format_.render(turns, functions.written),
        options=GenerationOptions(
            max_tokens=options.get("max_tokens"),
            temperature=options.get("temperature") or 0.0,
            top_p=options.get("top_p"),
            top_k=options.get("top_k"),
            repetition_penalty=options.get("repetition_penalty"),
            seed=options.get("seed"),
            stop=(*format_.stop, *stop),
            markers=(syntax.opening, syntax.separator, syntax.closing, *syntax.reasoning),
            timeout_s=options.get("timeout"),
            fork=call_fork(format_, functions, demand.choice, constraint, least=least),
            compared=compared_functions(
                format_, functions, demand.choice, constraint, most=options["compare_functions"]
            ),
            evidence=function_evidence(
                format_,
                functions.written,
                demand,
                turns,
                model=model,
                given=options["lexical_weight"],
            ),
            likely=likely_answer(format_, functions, demand) if constraint is None else None,
        ),
        constraint=constraint,
        missing=MissingArguments(
            options["on_missing_argument"],
            said,
            demanded=demand.choice.mode != "auto" or demand.response is not None,
        ),
        metadata={} if offer is None else offer.metadata(),
    )
