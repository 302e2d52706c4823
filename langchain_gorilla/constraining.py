"""What a request demands of its answer, as a grammar that the engine enforces.

The decision is pure: tool choice, ``strict``, ``parallel_tool_calls`` and ``response_format`` go
in, what the answer may be comes out. Engines turn that into tokens.
"""

from dataclasses import replace

from langchain_gorilla.binding import ResponseFormat, ToolChoice
from langchain_gorilla.engines.base import AnswerGrammar, Fork
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.formats.base import PromptFormat
from langchain_gorilla.functions import FunctionSet
from langchain_gorilla.grammar.call_grammar import (
    Answer,
    chosen,
    compiled_schema,
    coverage,
    trigger,
)


def answer_constraint(
    format_: PromptFormat,
    functions: FunctionSet,
    choice: ToolChoice,
    response: ResponseFormat | None,
    *,
    strict: bool | None,
    parallel: bool,
) -> AnswerGrammar | None:
    """Decide what the answer may be; None where nothing was asked that limits it.

    Args:
        format_: How the model's family writes calls.
        functions: What the model may call.
        choice: From ``read_tool_choice``.
        response: From ``read_response_format``; it takes the place of text, not of calls.
        strict: False leaves calls to chance, where nothing else is demanded of them.
        parallel: Whether one answer may hold several calls.

    Raises:
        UnsupportedOptionError: The family's answers cannot be constrained, and something that
            only a constraint can ensure was demanded.
    """
    demanded = choice.mode != "auto" or response is not None or not parallel
    offers = bool(functions.functions) and strict is not False
    if not demanded and not offers:
        return None
    if format_.syntax.sections:
        if demanded:
            raise UnsupportedOptionError(
                f"{format_.name} answers in free sections, so tool_choice, "
                "parallel_tool_calls=False and structured output cannot be enforced with it. "
                "Leave them out, or use gorilla-openfunctions-v2."
            )
        return None
    offered = functions.written
    refusal = format_.refusal
    if (
        refusal is not None
        and choice.mode == "auto"
        and offered
        and functions.find(refusal.name) is None
    ):
        offered = (*offered, refusal)
    answer = _answer(choice, functions, response, parallel=parallel)
    return AnswerGrammar(functions=offered, syntax=format_.syntax, answer=answer)


def call_fork(
    format_: PromptFormat,
    functions: FunctionSet,
    choice: ToolChoice,
    constraint: AnswerGrammar | None,
    *,
    least: float | None,
) -> Fork | None:
    """Say where the answer has to choose between calls and text; None where it has no choice.

    A call by which a family says that no function fits belongs to the text.

    Args:
        format_: How the model's family writes calls.
        functions: What the model may call.
        choice: From ``read_tool_choice``.
        constraint: From ``answer_constraint``, for the same request.
        least: The caller's ``min_call_probability``.

    Raises:
        UnsupportedOptionError: ``least`` is no probability, or nothing enforces it.
    """
    if least is not None and not 0 <= least <= 1:
        raise UnsupportedOptionError(
            f"min_call_probability is {least!r}; expected a probability, 0 to 1."
        )
    if choice.mode != "auto" or not functions.functions:
        return None
    if least is not None and constraint is None:
        raise UnsupportedOptionError(
            f"min_call_probability={least} has to be enforced by a constraint, and this answer has "
            f"none: {format_.name} answers in free sections, or constrained=False or strict=False "
            "was given. Leave min_call_probability out; response_metadata['call_probability'] "
            "needs no constraint."
        )
    syntax, refusal = format_.syntax, format_.refusal
    if syntax.sections:
        return None
    mark = trigger(syntax)
    if mark is not None and refusal is None:
        openings = [mark]
    else:
        heads = dict.fromkeys((syntax.opening, "")) if syntax.wrapped else [syntax.opening]
        openings = [f"{head}{f.name}(" for head in heads for f in functions.written]
    instead = None
    if least is not None and constraint is not None:
        only = (refusal,) if refusal in constraint.functions and refusal is not None else ()
        answer = replace(constraint.answer, mode="auto" if only else "none")
        instead = replace(constraint, functions=only, answer=answer)
    return Fork(openings=tuple(openings), thought=syntax.reasoning, least=least, instead=instead)


def check_constraint(
    format_: PromptFormat,
    functions: FunctionSet,
    choice: ToolChoice,
    response: ResponseFormat | None,
    *,
    strict: bool | None,
    parallel: bool,
) -> None:
    """Find out when tools are bound, not when a model is asked, what cannot be enforced.

    Raises:
        InvalidFunctionError: More tools than a grammar takes.
        ContradictorySchemaError: No call can fit a tool's schema, or no JSON the response format.
        UnsupportedOptionError: See ``answer_constraint``; or ``strict=True``, and part of a
            schema can only be checked afterwards.
    """
    constraint = answer_constraint(
        format_, functions, choice, response, strict=strict, parallel=parallel
    )
    if constraint is None:
        return
    # Before each of thousands of tools is compiled.
    chosen(constraint.functions, constraint.answer)
    if response is not None and response.schema is not None:
        compiled_schema(response.schema)
    found = coverage(functions.written, format_.syntax)
    gaps = [(each.function, gap) for each in found for gap in each.gaps]
    if strict and gaps:
        function, gap = gaps[0]
        raise UnsupportedOptionError(
            f"strict=True, but {len(gaps)} parts of the schemas cannot be enforced while the "
            f"model writes: the first is {gap.keyword!r} at {gap.path!r} of {function!r} "
            f"({gap.reason}). Leave strict out to have them checked afterwards; "
            "explain_constraint() lists all."
        )


def _answer(
    choice: ToolChoice, functions: FunctionSet, response: ResponseFormat | None, *, parallel: bool
) -> Answer:
    if choice.mode == "named" and choice.name is not None:
        name = functions.written_name(choice.name)
        return Answer(mode="any", name=name, parallel=parallel)
    if choice.mode == "any":
        return Answer(mode="any", parallel=parallel)
    may_call = choice.mode == "auto" and bool(functions.functions)
    schema = None if response is None else response.schema or {"type": "object"}
    return Answer(mode="auto" if may_call else "none", parallel=parallel, final=schema)
