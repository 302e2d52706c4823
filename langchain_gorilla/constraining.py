"""What a request demands of its answer, as a grammar that the engine enforces.

The decision is pure: a ``Demand`` goes in, what the answer may be comes out. Engines turn that
into tokens.
"""

from dataclasses import replace
from typing import Final

from langchain_gorilla.binding import Demand, ToolChoice
from langchain_gorilla.engines.base import AnswerGrammar, Compared, Fork
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.formats.base import PromptFormat
from langchain_gorilla.functions import FunctionSet
from langchain_gorilla.grammar.call_grammar import (
    Answer,
    Coverage,
    chosen,
    compiled_schema,
    coverage,
    trigger,
)
from langchain_gorilla.grammar.json_schema import Gap

_LEAST_BESIDE_JSON: Final = 0.5
"""Probability of calls below which an answer that may be calls or JSON is JSON."""


def answer_constraint(
    format_: PromptFormat,
    functions: FunctionSet,
    demand: Demand,
) -> AnswerGrammar | None:
    """Decide what the answer may be; None where nothing was asked that limits it.

    Args:
        format_: How the model's family writes calls.
        functions: What the model may call.
        demand: From ``read_demand``.

    Raises:
        UnsupportedOptionError: The family's answers cannot be constrained, and something that
            only a constraint can ensure was demanded.
    """
    demanded = demand.choice.mode != "auto" or demand.response is not None or not demand.parallel
    offers = bool(functions.functions) and demand.strict is not False
    if not demanded and not offers:
        return None
    if format_.syntax.sections:
        if demanded or demand.strict:
            raise UnsupportedOptionError(
                f"{format_.name} answers in free sections, so tool_choice, strict=True, "
                "parallel_tool_calls=False and structured output cannot be enforced with it. "
                "Leave them out, or use gorilla-openfunctions-v2."
            )
        return None
    offered = functions.written
    refusal = format_.refusal
    if (
        refusal is not None
        and demand.choice.mode == "auto"
        and offered
        and functions.find(refusal.name) is None
    ):
        offered = (*offered, refusal)
    answer = _answer(functions, demand)
    return AnswerGrammar(functions=offered, syntax=format_.syntax, answer=answer)


def likely_answer(
    format_: PromptFormat, functions: FunctionSet, demand: Demand
) -> AnswerGrammar | None:
    """Say what an answer that nothing constrains will probably be; None where nobody knows.

    Args:
        format_: How the model's family writes calls.
        functions: What the model may call.
        demand: From ``read_demand``; its wishes are not enforced either.
    """
    if not functions.functions or format_.syntax.sections or demand.choice.mode == "none":
        return None
    return AnswerGrammar(functions=functions.written, syntax=format_.syntax)


def call_fork(
    format_: PromptFormat,
    functions: FunctionSet,
    choice: ToolChoice,
    constraint: AnswerGrammar | None,
    *,
    least: float | None,
) -> Fork | None:
    """Say where the answer has to choose between calls and text; None where it has no choice.

    A call by which a family says that no function fits belongs to the text. Where the text has to
    be JSON, calls that the model finds less probable than text give way to it: with free text
    barred, even a call of probability 1e-7 would beat a brace, and an agent would call for ever.

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
    if least is None and constraint is not None and constraint.answer.final is not None:
        least = _LEAST_BESIDE_JSON
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


def compared_functions(
    format_: PromptFormat,
    functions: FunctionSet,
    choice: ToolChoice,
    constraint: AnswerGrammar | None,
    *,
    most: int,
) -> Compared | None:
    """Say which functions are compared where the model is undecided; None where it has no choice.

    Args:
        format_: How the model's family writes calls.
        functions: What the model may call.
        choice: From ``read_tool_choice``.
        constraint: From ``answer_constraint``, for the same request.
        most: The caller's ``compare_functions``.

    Raises:
        UnsupportedOptionError: There is a choice, and nothing constrains the calls.
    """
    names = tuple(function.name for function in functions.written)
    if most <= 1 or len(names) < 2 or choice.mode not in ("auto", "any"):
        return None
    if constraint is None:
        raise UnsupportedOptionError(
            f"compare_functions={most} needs a constraint, and this answer has none: "
            f"{format_.name} answers in free sections, or strict=False was given. Leave "
            "compare_functions out."
        )
    return Compared(functions=names, most=most)


def check_constraint(
    format_: PromptFormat,
    functions: FunctionSet,
    demand: Demand,
) -> None:
    """Find out when tools are bound, not when a model is asked, what cannot be enforced.

    Raises:
        InvalidFunctionError: More tools than a grammar takes.
        ContradictorySchemaError: No call can fit a tool's schema, or no JSON the response format.
        UnsupportedOptionError: See ``answer_constraint``; or ``strict=True``, and part of a
            schema can only be checked afterwards.
    """
    constraint = answer_constraint(format_, functions, demand)
    if constraint is None:
        return
    # Before each of thousands of tools is compiled.
    chosen(constraint.functions, constraint.answer)
    gaps = []
    if demand.response is not None and demand.response.schema is not None:
        found = compiled_schema(demand.response.schema).gaps
        gaps += [("the answer", gap) for gap in found if demand.strict_response]
    for each in coverage(functions.written, format_.syntax):
        gaps += [(repr(each.function), gap) for gap in each.gaps if demand.strict]
    if gaps:
        where, gap = gaps[0]
        more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
        raise UnsupportedOptionError(
            f"strict=True, but the grammar cannot enforce {gap.keyword!r} at {gap.path!r} of "
            f"{where} ({gap.reason}){more}. Leave strict out to have that checked afterwards; "
            "explain_constraint() lists it all."
        )


def left_to_validation(
    format_: PromptFormat, functions: FunctionSet, *, constrained: bool
) -> tuple[Coverage, ...]:
    """Say for each function what the grammar does not enforce: everything, where there is none.

    Raises:
        ContradictorySchemaError: No call can fit a tool's schema.
    """
    if constrained and not format_.syntax.sections:
        return coverage(functions.written, format_.syntax)
    reason = f"{format_.name} answers in free sections" if constrained else "constrained=False"
    return tuple(
        Coverage(each.name, tuple(Gap("", keyword, reason) for keyword in each.parameters))
        for each in functions.written
    )


def _answer(functions: FunctionSet, demand: Demand) -> Answer:
    choice, parallel = demand.choice, demand.parallel
    if choice.mode == "named" and choice.name is not None:
        name = functions.written_name(choice.name)
        return Answer(mode="any", name=name, parallel=parallel)
    if choice.mode == "any":
        return Answer(mode="any", parallel=parallel)
    may_call = choice.mode == "auto" and bool(functions.functions)
    schema = None if demand.response is None else demand.response.schema or {"type": "object"}
    return Answer(mode="auto" if may_call else "none", parallel=parallel, final=schema)
