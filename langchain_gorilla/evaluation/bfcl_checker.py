"""Is a model's answer to a BFCL question right? The verdicts of BFCL's own AST checker.

The rules are those of ``bfcl_eval/eval_checker/ast_eval/ast_checker.py`` (ShishirPatil/gorilla,
commit 6ea57973), written anew and checked row by row against its verdicts. A possible answer
lists, for each parameter, every value that counts; ``""`` in the list makes it optional.

Quirks that are kept, because published figures rest on them:

- Strings are compared without case, blanks and ``,./-_*^``; ``'`` equals ``"``; accents count.
- A value of another type than declared still counts where the possible answer holds that type:
  that is how BFCL writes variables. Such a value is compared as it is, case included.
- The elements of an array are type-checked one level deep, and only against alternatives that are
  lists: an optional array (``""`` listed first) may hold anything.
- An ``int`` counts for a ``float``, never the reverse; ``True`` is no number.
- A missing key of a dict hides a wrong value of another key (the later error wins).
- In a list of dicts, order counts; in parallel calls it does not, and each possible answer takes
  the first call that fits it.
- For one function, only the first function and the first possible answer are looked at.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from langchain_gorilla.errors import GorillaError
from langchain_gorilla.evaluation import java_values, javascript_values

Language: TypeAlias = Literal["python", "java", "javascript"]

Call: TypeAlias = Mapping[str, Mapping[str, Any]]
"""One call as BFCL writes it: ``{name: {parameter: value}}``."""

PYTHON_TYPES: dict[str, type] = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
    "array": list,
    "tuple": list,
    "dict": dict,
    "any": str,
}
"""The types of BFCL's Python questions."""

_IGNORED_IN_STRINGS = re.compile(r"[ ,./\-_*^]")
_NESTED = ("array", "tuple")
_NESTED_SOURCE_TEXT = ("Array", "ArrayList", "array")


class UncheckableError(GorillaError, ValueError):
    """A question or an answer that BFCL's checker has no rule for; it would crash."""


@dataclass(frozen=True)
class Verdict:
    """What the checker says.

    Attributes:
        valid: The answer counts as correct.
        error_type: BFCL's name of the first thing wrong, such as ``"value_error:string"``.
        reason: The same in words.
    """

    valid: bool
    error_type: str | None = None
    reason: str = ""


_VALID = Verdict(True)


def check_calls(
    functions: Sequence[Mapping[str, Any]],
    calls: Sequence[Call],
    possible_answers: Sequence[Call],
    *,
    language: Language,
    category: str,
) -> Verdict:
    """Judge the calls of one answer.

    Args:
        functions: The offered functions as in BFCL's question files.
        calls: The model's calls, decoded.
        possible_answers: BFCL's ``ground_truth``.
        language: What the question is asked in. Arguments of Java and JavaScript questions are
            source text.
        category: Such as ``"live_parallel"``; decides whether order and number count.

    Raises:
        UncheckableError: BFCL's checker would raise: an unknown type, a function that is not
            described, a list where a dict must be, an answer that calls nothing, a number too
            large for a float or to be printed.
    """
    try:
        if "parallel" in category:
            return _check_parallel(functions, calls, possible_answers, language)
        multiple = "multiple" in category
        expected = len(possible_answers) if multiple else 1
        if len(calls) != expected:
            checker = "multiple" if multiple else "simple"
            return Verdict(
                False,
                f"{checker}_function_checker:wrong_count",
                f"{len(calls)} calls where {expected} is right",
            )
        answer = possible_answers[0]
        function = _described(functions, answer) if multiple else functions[0]
        return _check_call(function, calls[0], answer, language)
    except UncheckableError:
        raise
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        StopIteration,
        TypeError,
        ValueError,
    ) as error:
        raise UncheckableError(
            f"BFCL's checker has no rule for this row ({type(error).__name__}: {error}). Functions "
            "need name, parameters with properties and required, and types that BFCL knows."
        ) from error


def _described(functions: Sequence[Mapping[str, Any]], answer: Call) -> Mapping[str, Any]:
    name = next(iter(answer))
    for function in functions:
        if function["name"] == name:
            return function
    raise KeyError(name)


def _check_parallel(
    functions: Sequence[Mapping[str, Any]],
    calls: Sequence[Call],
    answers: Sequence[Call],
    language: Language,
) -> Verdict:
    if len(calls) != len(answers):
        return Verdict(
            False,
            "parallel_function_checker_no_order:wrong_count",
            f"{len(calls)} calls where {len(answers)} are right",
        )
    left = list(calls)
    for answer in answers:
        function = _described(functions, answer)
        verdicts = [_check_call(function, call, answer, language) for call in left]
        fits = next((i for i, verdict in enumerate(verdicts) if verdict.valid), None)
        if fits is None:
            reasons = "; ".join(verdict.reason for verdict in verdicts)
            return Verdict(
                False,
                "parallel_function_checker_no_order:cannot_find_match",
                f"no call fits {next(iter(answer))!r}: {reasons}",
            )
        del left[fits]
    return _VALID


def _check_call(
    function: Mapping[str, Any], call: Call, answer: Call, language: Language
) -> Verdict:
    allowed = next(iter(answer.values()))
    properties = function["parameters"]["properties"]
    required = function["parameters"]["required"]
    name = function["name"]
    if name not in call:
        return _wrong_call("wrong_func_name", f"{name!r} is not called")
    arguments = call[name]
    for parameter in required:
        if parameter not in arguments:
            return _wrong_call("missing_required", f"{parameter!r} is required")
    for parameter, value in arguments.items():
        if parameter not in properties or parameter not in allowed:
            return _wrong_call("unexpected_param", f"{parameter!r} is not expected")
        verdict = _check_argument(
            parameter, value, properties[parameter], allowed[parameter], language
        )
        if not verdict.valid:
            return verdict
    for parameter, values in allowed.items():
        if parameter not in arguments and "" not in values:
            return _wrong_call("missing_optional", f"{parameter!r} must be given here")
    return _VALID


def _wrong_call(kind: str, reason: str) -> Verdict:
    return Verdict(False, f"simple_function_checker:{kind}", reason)


def _check_argument(
    parameter: str,
    value: Any,
    schema: Mapping[str, Any],
    allowed: Sequence[Any],
    language: Language,
) -> Verdict:
    declared = schema["type"]
    types = _types(language)
    expected = types[declared]
    element_type: type | None = None
    if language == "python":
        if declared in _NESTED:
            element_type = types[schema["items"]["type"]]
    else:
        if type(value) is not str:
            short = "js" if language == "javascript" else language
            return Verdict(False, f"type_error:{short}", f"{parameter!r} must be source text")
        nested = schema["items"]["type"] if declared in _NESTED_SOURCE_TEXT else None
        element_type = types[nested] if nested else None
        value = _from_source(value, declared, nested, language)
    if declared == "tuple" and type(value) is tuple:
        value = list(value)
    if language == "python" and declared == "float" and type(value) is int:
        value = float(value)

    typed = _check_type(parameter, value, allowed, expected, element_type)
    if not typed.valid:
        return typed
    if not typed.variable:
        if expected is dict:
            return _check_dict(parameter, value, allowed)
        if expected is list and element_type is dict:
            return _check_dicts(parameter, value, allowed)
        if expected is str:
            return _check_string(parameter, value, allowed)
        if expected is list:
            return _check_list(parameter, value, allowed)
    if value in allowed:
        return _VALID
    return _wrong_value("others", parameter, value, allowed)


def _types(language: Language) -> Mapping[str, type]:
    by_language: dict[str, Mapping[str, type]] = {
        "python": PYTHON_TYPES,
        "java": java_values.PYTHON_TYPES,
        "javascript": javascript_values.PYTHON_TYPES,
    }
    return by_language[language]


def _from_source(text: str, declared: str, nested: str | None, language: Language) -> Any:
    read = java_values.java_value if language == "java" else javascript_values.javascript_value
    try:
        return read(text, declared, nested)
    except ValueError as error:
        raise UncheckableError(str(error)) from error


@dataclass(frozen=True)
class _Typed(Verdict):
    """A verdict on a value's type.

    Attributes:
        variable: The possible answer is of another type than declared, so the value is compared
            as it stands.
    """

    variable: bool = False


def _check_type(
    parameter: str,
    value: Any,
    allowed: Sequence[Any],
    expected: type,
    element_type: type | None,
) -> _Typed:
    answer_type = next((type(answer) for answer in allowed if answer != ""), None)
    variable = answer_type is not None and answer_type is not expected
    error = "type_error:simple"
    if type(value) is expected:
        if element_type is None or any(
            _elements_fit(parameter, value, answer, element_type) for answer in allowed
        ):
            return _Typed(True, variable=variable)
        error = "type_error:nested"
        if type(value) is answer_type:
            return _Typed(False, error, f"an element of {parameter!r} has the wrong type")
    elif answer_type is not None and type(value) is answer_type:
        return _Typed(True, variable=True)
    return _Typed(
        False,
        "type_error:simple",
        f"{parameter!r} is {type(value).__name__}, not {expected.__name__}",
    )


def _elements_fit(parameter: str, value: Any, answer: Any, element_type: type) -> bool:
    if type(answer) is not list:
        return True
    return all(
        _check_type(parameter, element, answer, element_type, None).valid for element in value
    )


def standardized(text: str) -> str:
    """Return a text as BFCL compares it: lower case, without blanks and ``,./-_*^``."""
    return _IGNORED_IN_STRINGS.sub("", text).lower().replace("'", '"')


def _comparable(value: Any) -> Any:
    return standardized(value) if type(value) is str else value


def _wrong_value(kind: str, parameter: str, value: Any, allowed: Any) -> Verdict:
    return Verdict(
        False,
        f"value_error:{kind}",
        f"{parameter!r} is {_short(value)}, expected one of {_short(allowed)}",
    )


def _short(value: Any, most_characters: int = 200) -> str:
    text = repr(value)
    return text if len(text) <= most_characters else text[:most_characters] + "…"


def _check_string(parameter: str, value: str, allowed: Sequence[Any]) -> Verdict:
    texts = [standardized(answer) for answer in allowed if type(answer) is str]
    if standardized(value) in texts:
        return _VALID
    return _wrong_value("string", parameter, value, allowed)


def _check_list(parameter: str, value: Sequence[Any], allowed: Sequence[Any]) -> Verdict:
    elements = [_comparable(element) for element in value]
    if elements in [[_comparable(element) for element in answer] for answer in allowed]:
        return _VALID
    return _wrong_value("list/tuple", parameter, value, allowed)


def _check_dict(parameter: str, value: Mapping[str, Any], allowed: Sequence[Any]) -> Verdict:
    verdict = Verdict(False, "dict_checker:unclear", f"{parameter!r} has no dict among its answers")
    for answer in allowed:
        if answer == "":
            continue
        verdict = _check_keys(value, answer)
        if verdict.valid:
            return verdict
    return verdict


def _check_keys(value: Mapping[str, Any], answer: Mapping[str, Any]) -> Verdict:
    # A missing key is reported last and so wins over a wrong value; BFCL does the same.
    for key, options in answer.items():
        if key not in value and "" not in options:
            return Verdict(False, "value_error:dict_key", f"key {key!r} is missing")
    for key, item in value.items():
        if key not in answer:
            return Verdict(False, "value_error:dict_key", f"key {key!r} is not expected")
        if _comparable(item) not in [_comparable(option) for option in answer[key]]:
            return _wrong_value("dict_value", key, item, answer[key])
    return _VALID


def _check_dicts(
    parameter: str, value: Sequence[Mapping[str, Any]], allowed: Sequence[Any]
) -> Verdict:
    verdict = Verdict(False, "list_dict_checker:unclear", f"{parameter!r} has no possible answer")
    for answer in allowed:
        if len(value) != len(answer):
            verdict = Verdict(
                False,
                "value_error:list_dict_count",
                f"{parameter!r} holds {len(value)} dicts where {len(answer)} are right",
            )
            continue
        verdicts = (
            _check_dict(parameter, item, [options])
            for item, options in zip(value, answer, strict=True)
        )
        wrong = next((verdict for verdict in verdicts if not verdict.valid), None)
        if wrong is None:
            return _VALID
        verdict = wrong
    return verdict
