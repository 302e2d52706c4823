"""What the tests of decoding ask the bundled model, and two tools that it may call."""

from typing import Any

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.engines.base import (
    AnswerGrammar,
    EngineEvent,
    Finished,
    Fork,
    GenerationOptions,
    TextPiece,
)
from langchain_gorilla.engines.generation import generate
from langchain_gorilla.engines.planning import Plan, plan_answer
from langchain_gorilla.engines.transformers import TransformersEngine
from langchain_gorilla.engines.turns import Watch
from langchain_gorilla.formats.base import Prompt
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.grammar.call_grammar import Answer
from tests.engines.small_model import Answer as Given
from tests.engines.small_model import weather_prompt
from tests.grammar.samples import V2


def function(name: str, required: tuple[str, ...] = (), **properties: Any) -> FunctionSchema:
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return FunctionSchema(name, "", parameters)


WEATHER = function("get_weather", ("city",), city={"type": "string", "maxLength": 20})
BOOK = function(
    "book_hotel",
    ("city", "nights", "stars"),
    city={"type": "string", "maxLength": 12},
    nights={"type": "integer", "minimum": 1, "maximum": 30},
    stars={"type": "string", "enum": ["three", "four", "five"]},
    breakfast={"type": "boolean"},
)
FUNCTIONS = (WEATHER, BOOK)


def ask(
    engine: TransformersEngine,
    question: str | Prompt,
    answer: Answer | None,
    *,
    functions: tuple[FunctionSchema, ...] = FUNCTIONS,
    syntax: CallSyntax = V2,
    **options: Any,
) -> Given:
    grammar = (
        None if answer is None else AnswerGrammar(functions=functions, syntax=syntax, answer=answer)
    )
    prompt = weather_prompt(question) if isinstance(question, str) else question
    events = list(
        engine.stream(
            prompt, GenerationOptions(**{"max_tokens": 80, **options}), constraint=grammar
        )
    )
    pieces = [event.text for event in events[:-1] if isinstance(event, TextPiece)]
    assert isinstance(events[-1], Finished)
    return Given("".join(pieces), pieces, events[-1])


def decoded(
    engine: TransformersEngine,
    question: str,
    answer: Answer | None,
    *,
    drafts: bool,
    fork: Fork | None = None,
    **options: Any,
) -> list[EngineEvent]:
    """Answer a question with drafts, or without; see ``generated``."""
    engine.load()
    loaded = engine._loaded
    grammar = answer and AnswerGrammar(functions=FUNCTIONS, syntax=V2, answer=answer)
    plan = plan_answer(
        loaded.encoder,
        weather_prompt(question),
        GenerationOptions(**{"max_tokens": 36, "fork": fork, **options}),
        context_tokens=2048,
        grammar=grammar,
    )
    constraint, vocabulary = loaded.constrained(plan.grammar, plan.options, loaded.end_ids)
    return generated(engine, plan, constraint, drafts=drafts, vocabulary=vocabulary)


def generated(
    engine: TransformersEngine, plan: Plan, constraint: Any, **options: Any
) -> list[EngineEvent]:
    """Answer outside of the engine's turns, with nothing read before."""
    loaded = engine._loaded
    found: list[EngineEvent] = []
    generate(
        loaded.weights,
        loaded.encoder,
        plan,
        end_ids=loaded.end_ids,
        constraint=constraint,
        watch=Watch(),
        emit=found.append,
        **options,
    )
    return found
