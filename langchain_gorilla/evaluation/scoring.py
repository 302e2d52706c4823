"""One answer → right or wrong, and what was made up.

A call counts where the package offers it to an agent (``tool_calls``) and where it refused it
(``invalid_tool_calls``): a refused call makes the answer wrong, and shows what the model made up.
So the figures are those of model, parser and validation together. BFCL itself judges the model's
bare text; lossless coercions such as ``3.0`` for an integer, which validation makes, can only
help here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators
from referencing.exceptions import Unresolvable

from langchain_gorilla.evaluation.bfcl_checker import UncheckableError, check_calls
from langchain_gorilla.evaluation.cases import Case
from langchain_gorilla.functions import FunctionSchema, function_schema

KINDS = ("unknown_tool", "unknown_parameter", "type", "enum", "unreadable")
"""What a model can make up: a function, a parameter, a value of the wrong type or outside the
enum. ``unreadable`` is a call that was refused though its arguments, as far as they could be read,
fit the schema: cut off, or no Python."""


@dataclass(frozen=True)
class Answer:
    """What a model answered to one case.

    Attributes:
        case_id: The case.
        calls: Calls that an agent would run, ``{name: {parameter: value}}``.
        refused: Calls that validation or parsing refused: ``{"name", "args", "error"}``.
        text: Words beside the calls.
        input_tokens: Length of the prompt.
        output_tokens: Tokens generated.
        forward_passes: Of the model while generating; as many as tokens unless the engine says.
        seconds: From question to complete answer.
        error: Why there is no answer, such as a prompt that is too long; None where there is one.
    """

    case_id: str
    calls: tuple[Mapping[str, Mapping[str, Any]], ...] = ()
    refused: tuple[Mapping[str, Any], ...] = ()
    text: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    forward_passes: int = 0
    seconds: float = 0.0
    error: str | None = None

    @property
    def called(self) -> bool:
        """Whether the model tried to call anything."""
        return bool(self.calls or self.refused)


@dataclass(frozen=True)
class Score:
    """The verdict on one answer.

    Attributes:
        case_id: The case.
        category: The case's.
        correct: Counts as right.
        error_type: BFCL's name of what is wrong, or ours: ``refused_call``, ``no_answer``,
            ``uncheckable``, ``irrelevance_error:called``, ``relevance_error:not_called``.
        hallucinations: Which of ``KINDS`` occur.
        called: Whether anything was called.
        expects_call: Whether something was to be called.
        answer: What was judged.
        right_functions_offered: Whether the model could see all that the right answer calls; None
            where that is not known or nothing is to be called.
    """

    case_id: str
    category: str
    correct: bool
    error_type: str | None
    hallucinations: frozenset[str]
    called: bool
    expects_call: bool
    answer: Answer = field(repr=False)
    right_functions_offered: bool | None = None


def score_answer(
    case: Case, answer: Answer, offered: Sequence[Mapping[str, Any]] | None = None
) -> Score:
    """Judge one answer.

    Args:
        case: The question.
        answer: Of this case.
        offered: The functions that the model could see; None for the case's own.
    """
    error_type = _error_type(case, answer)
    seen = case.functions if offered is None else offered
    return Score(
        case.id,
        case.category,
        error_type is None,
        error_type,
        frozenset(_hallucinations(answer, seen)),
        answer.called,
        case.expects_call,
        answer,
        called_by_the_right_answer(case) <= {function["name"] for function in seen}
        if case.possible_answers
        else None,
    )


def called_by_the_right_answer(case: Case) -> set[str]:
    """Return the names of what the right answer calls; none where nothing is to be called."""
    return {name for answer in case.possible_answers for name in answer}


def _error_type(case: Case, answer: Answer) -> str | None:
    if answer.error is not None:
        return "no_answer"
    if not case.expects_call:
        return "irrelevance_error:called" if answer.called else None
    if not case.possible_answers:
        return None if answer.called else "relevance_error:not_called"
    if answer.refused:
        return "refused_call"
    try:
        return check_calls(
            case.functions,
            answer.calls,
            case.possible_answers,
            language=case.language,
            category=case.category,
        ).error_type
    except UncheckableError:
        return "uncheckable"


def _hallucinations(answer: Answer, offered: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    schemas = {function["name"]: function for function in offered}
    attempts: list[tuple[str | None, Mapping[str, Any] | None, bool]] = [
        (name, arguments, False) for call in answer.calls for name, arguments in call.items()
    ]
    for refused in answer.refused:
        # Of half a name or half a value nothing can be said.
        if was_cut_off(refused):
            yield "unreadable"
        else:
            attempts.append((refused.get("name"), refused_arguments(refused.get("args")), True))
    for name, arguments, is_refused in attempts:
        if name is not None and name not in schemas:
            yield "unknown_tool"
            continue
        if name is None or arguments is None:
            yield "unreadable"
            continue
        try:
            schema = function_schema(schemas[name])
            problems = list(_Validator(dict(schema.parameters)).iter_errors(dict(arguments)))
        except (ArithmeticError, TypeError, ValueError, RecursionError, Unresolvable):
            # By a schema that is none, nothing is made up; nor is a number that none can weigh.
            continue
        yield from _made_up_arguments(schema, arguments, problems)
        if is_refused and not problems:
            yield "unreadable"


def _made_up_arguments(
    schema: FunctionSchema, arguments: Mapping[str, Any], problems: Sequence[ValidationError]
) -> Iterator[str]:
    if arguments.keys() - schema.properties.keys():
        yield "unknown_parameter"
    for problem in problems:
        if problem.absolute_path and problem.absolute_path[0] in schema.properties:
            if problem.validator == "type":
                yield "type"
            elif problem.validator in ("enum", "const"):
                yield "enum"


def _additional_properties(
    validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if "patternProperties" not in schema:
        check = Draft202012Validator.VALIDATORS["additionalProperties"]
        yield from check(validator, allowed, instance, schema) or ()


# To Python a complex number is a number too; to JSON it is none, and nothing is below or above it.
_TYPES = Draft202012Validator.TYPE_CHECKER.redefine_many(
    {
        "array": lambda checker, value: isinstance(value, list | tuple),
        "number": lambda checker, value: (
            isinstance(value, int | float) and not isinstance(value, bool)
        ),
    }
)

# A model's answer chooses the text that a schema's regular expression runs on, and the wrong pair
# runs for ever; no figure asks for a pattern.
_Validator = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "additionalProperties": _additional_properties,
        **dict.fromkeys(
            ("pattern", "patternProperties", "format", "unevaluatedProperties"),
            lambda validator, value, instance, schema: (),
        ),
    },
    type_checker=_TYPES,
)


def was_cut_off(refused: Mapping[str, Any]) -> bool:
    """Say whether a call was refused because the answer ended inside it."""
    return str(refused.get("error")).startswith("cut off")


def refused_arguments(text: Any) -> dict[str, Any] | None:
    """Return the arguments of a refused call, as far as they were read; None where none were.

    Their JSON ends in ``]``, so that nothing runs it.
    """
    if isinstance(text, dict):
        return text
    if not isinstance(text, str) or not text.endswith("]"):
        return None
    try:
        arguments = json.loads(text[:-1] + "}")
    except (ValueError, RecursionError):
        return None
    return arguments if isinstance(arguments, dict) else None
