"""Calls against the schemas of their functions: a call that may run, or a reason why not.

LangGraph's ToolNode checks nothing for tools with a dict schema, and Pydantic tools silently
drop arguments that they do not know; so every call is checked here, by jsonschema.

Covered: unknown functions and arguments, missing arguments, everything the JSON schema says.
An optional argument, or key of an object, that is its schema's ``default`` passes, even where the
rest of the schema says no: the tool's author wrote it, and the tool would use it anyway. Values
are coerced only where nothing is lost: ``3.0`` for an integer is ``3``, and ``None`` for an
argument that may be left out and cannot be null is left out. ``"3"`` is never a number.

Not covered: ``format`` is not enforced. A ``pattern`` is searched with Python's ``re``: one that
``re`` cannot compile is not enforced, and one that backtracks without end costs its time, so
patterns must come from someone who is trusted. References are never fetched.
"""

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import islice
from typing import Any, Final, TypeAlias

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from langchain_gorilla.calls import FunctionCall, JSONValue
from langchain_gorilla.functions import FunctionSchema, FunctionSet
from langchain_gorilla.metaschema import with_own_keywords
from langchain_gorilla.reasons import either, listed, place, sentence, shortened, shown

MAX_DEPTH: Final = 64
"""Lists and dicts inside one another; deeper arguments are refused, far below Python's limit."""

MAX_REASON_CHARACTERS: Final = 500
_MAX_PROBLEMS: Final = 3
_UNIONS: Final = ("anyOf", "oneOf")
# Beyond, a float stands for several integers.
_LARGEST_EXACT_FLOAT: Final = 2.0**53
_MAX_INTEGER_BITS: Final = 1023


class _Drop(Enum):
    DROP = "leave the argument out"


DROP: Final = _Drop.DROP
"""What ``coerce_argument`` returns for an argument that is to be left out of the call."""


@dataclass(frozen=True)
class InvalidCall:
    """A call that must not run.

    Attributes:
        name: The function's true name, or as written where there is no such function.
        arguments: As the model gave them, under true names where those are known.
        reason: For the model: what is wrong and what to write instead, at most 500 characters.
    """

    name: str
    arguments: Mapping[str, JSONValue]
    reason: str


def validate_call(call: FunctionCall, functions: FunctionSet) -> FunctionCall | InvalidCall:
    """Check a call, whose names are true or written ones, and return it under true names.

    Each argument of the result equals ``coerce_argument`` of the given one, so a stream that
    sends arguments one by one sends the same.
    """
    function = functions.find(call.name)
    if function is None:
        return InvalidCall(call.name, call.arguments, _unknown_function(call.name, functions))
    call = functions.as_true(call)
    if (problem := _size_problem(call.arguments)) is not None:
        return InvalidCall(call.name, call.arguments, problem)
    arguments = {
        name: coerced
        for name, value in call.arguments.items()
        if (coerced := coerce_argument(value, name, function)) is not DROP
    }
    try:
        with _one_check():
            found = list(islice(_problems(arguments, function, functions), _MAX_PROBLEMS))
    except RecursionError:
        found = ["The function's schema refers to itself without end; call another function"]
    except Unresolvable as error:
        found = [f"The function's schema lacks {shown(error.ref)}; call another function"]
    if not found:
        return FunctionCall(call.name, arguments)
    reason = shortened(f"{'. '.join(found)}.", MAX_REASON_CHARACTERS)
    return InvalidCall(call.name, call.arguments, reason)


def coerce_argument(value: JSONValue, parameter: str, function: FunctionSchema) -> JSONValue:
    """Return the value in the form that the schema asks for, where nothing is lost by that.

    A float without a fraction becomes the integer that the schema wants, at any depth. ``None``
    becomes ``DROP`` where the argument is optional, cannot be null, and has no other default;
    inside objects such a key is left out. Everything else stays, strings always do; whether it
    fits is for ``validate_call`` to say.

    Args:
        value: What the model wrote.
        parameter: The true name; a name that the schema does not list leaves the value as it is.
        function: The function under its true names.
    """
    schema = function.properties.get(parameter)
    if schema is None or isinstance(value, str | bool) or _size_problem(value) is not None:
        return value
    checker = _checker(function)
    try:
        with _one_check():
            if value is None and parameter not in function.required and checker.may_drop(schema):
                return DROP
            return checker.coerced(value, schema)
    except (RecursionError, Unresolvable):
        # The schema is at fault; validate_call meets the same and says so.
        return value


_Seen: TypeAlias = dict[tuple[int, int], tuple[JSONValue, Any]]
_SEEN: Final[ContextVar[_Seen]] = ContextVar("_SEEN")
"""What one check found out: ids of a value and a part of its schema, to the value and a result.

In a recursive schema every option of an ``anyOf`` leads to the same values inside, so without
this a check takes a power of their depth. A value that is held keeps its id to itself.
"""


@contextmanager
def _one_check() -> Iterator[None]:
    token = _SEEN.set({})
    try:
        yield
    finally:
        _SEEN.reset(token)


@dataclass(frozen=True)
class _Checker:
    """The compiled schema of one function.

    Attributes:
        validator: For the whole; checks parts of it with ``fits``.
        resolver: Looks up ``$ref`` in the same schema.
    """

    validator: Validator
    resolver: Any

    def fits(self, value: JSONValue, schema: Any) -> bool:
        return self.validator.evolve(schema=schema).is_valid(value)

    def may_drop(self, schema: Mapping[str, JSONValue]) -> bool:
        """Say whether leaving out an optional value means what None was meant to."""
        return schema.get("default") is None and not self.fits(None, schema)

    def coerced(self, value: JSONValue, schema: Any) -> JSONValue:
        if value is None or isinstance(value, str | bool) or not isinstance(schema, Mapping):
            return value
        seen, key, given = _SEEN.get(), (id(value), id(schema)), value
        if key in seen:
            coerced: JSONValue = seen[key][1]
            return coerced
        if "$ref" in schema:
            value = self.coerced(value, self.resolver.lookup(schema["$ref"]).contents)
        for part in schema.get("allOf", ()):
            value = self.coerced(value, part)
        for keyword in _UNIONS:
            for option in schema.get(keyword, ()):
                candidate = self.coerced(value, option)
                if self.fits(candidate, option):
                    value = candidate
                    break
        if isinstance(value, float) and _means_integer(value, schema.get("type")):
            value = int(value)
        elif isinstance(value, list):
            value = self._coerced_items(value, schema)
        elif isinstance(value, dict):
            value = self._coerced_properties(value, schema)
        seen[key] = given, value
        return value

    def _coerced_items(self, values: list[JSONValue], schema: Mapping[str, Any]) -> list[JSONValue]:
        rest = schema.get("items")
        first = rest if isinstance(rest, list) else schema.get("prefixItems", [])
        return [
            self.coerced(value, first[place] if place < len(first) else rest)
            for place, value in enumerate(values)
        ]

    def _coerced_properties(
        self, values: dict[str, JSONValue], schema: Mapping[str, Any]
    ) -> dict[str, JSONValue]:
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        rest = schema.get("additionalProperties")
        return {
            name: self.coerced(value, properties.get(name, rest))
            for name, value in values.items()
            if value is not None
            or name in required
            or not isinstance(properties.get(name), Mapping)
            or not self.may_drop(properties[name])
        }


@lru_cache(maxsize=4096)
def _checker(function: FunctionSchema) -> _Checker:
    draft = validator_for(function.parameters, default=Draft202012Validator)
    return _Checker(
        validator=_once_for_each(draft)(function.parameters, registry=REGISTRY),
        resolver=REGISTRY.resolver_with_root(DRAFT202012.create_resource(function.parameters)),
    )


@lru_cache
def _once_for_each(draft: Any) -> Any:
    unions = {key: _once(draft.VALIDATORS[key]) for key in _UNIONS if key in draft.VALIDATORS}
    own = {**unions, "properties": _but_defaults(draft.VALIDATORS["properties"])}
    return extend(with_own_keywords(draft), own)  # type: ignore[no-untyped-call]


_Check: TypeAlias = Callable[[Validator, Any, JSONValue, Any], Iterator[ValidationError]]


def _but_defaults(check: _Check) -> _Check:
    """Check an object's values, but for those that say what leaving them out would say."""

    def check_others(
        validator: Validator, properties: Mapping[str, Any], value: JSONValue, schema: Any
    ) -> Iterator[ValidationError]:
        given = value if isinstance(value, dict) else {}
        others = {
            name: inner
            for name, inner in properties.items()
            if name in given and not _is_default(given[name], name, schema)
        }
        yield from check(validator, others, value, schema)

    return check_others


def _once(check: _Check) -> _Check:
    """Check a union once for each value; the second time, the same is told again.

    The options of a union inside a union are told as its own.
    """

    def check_once(
        validator: Validator, options: Any, value: JSONValue, schema: Any
    ) -> Iterator[ValidationError]:
        seen, key = _SEEN.get(), (id(value), id(options))
        if key not in seen:
            errors = list(check(validator, options, value, schema))
            for error in errors:
                error.context = [
                    inner
                    for each in error.context or ()
                    for inner in (not each.relative_path and each.context) or [each]
                ]
            seen[key] = value, errors
            yield from errors
            return
        for error in seen[key][1]:
            again = ValidationError(error.message)
            again.context = error.context
            yield again

    return check_once


def _means_integer(value: float, kinds: Any) -> bool:
    """Say whether the schema wants an integer, and this float is one."""
    kinds = (kinds,) if isinstance(kinds, str) else kinds or ()
    return (
        "integer" in kinds
        and "number" not in kinds
        and value.is_integer()
        and abs(value) <= _LARGEST_EXACT_FLOAT
    )


def _size_problem(value: JSONValue) -> str | None:
    """Name what would break a validator: endless nesting, integers beyond any float."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        if any(isinstance(each, int) and each.bit_length() > _MAX_INTEGER_BITS for each in level):
            return "An integer has over 300 digits. Write a number of ordinary size."
        level = [
            child
            for each in level
            if isinstance(each, list | dict)
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return None
    return f"The arguments are nested over {MAX_DEPTH} deep. Write them flatter."


def _unknown_function(name: str, functions: FunctionSet) -> str:
    names = [function.name for function in functions.written]
    small = {each.lower(): each for each in names}
    # Cut, because the search takes time with the length of a name that a model made up.
    near = difflib.get_close_matches(name[:100].lower(), small, n=3)
    if near:
        advice = f"Did you mean {either([small[each] for each in near])}?"
    elif names:
        advice = "Call only functions that were offered, or answer in words."
    else:
        advice = "No functions are offered: answer in words."
    return f"There is no function {shown(name)}. {advice}"


def _problems(
    arguments: Mapping[str, JSONValue], function: FunctionSchema, functions: FunctionSet
) -> Iterator[str]:
    """Yield what is wrong with a call, in the names that the model writes."""
    written = {
        name: functions.written_parameter(function, name) for name in function.parameter_names
    }
    unknown = []
    for name in arguments:
        if name not in written and name in written.values():
            yield f"Argument {name} is given twice; write it once"
        elif name not in written:
            unknown.append(name)
    is_closed = _is_closed(function.parameters)
    if unknown and is_closed:
        takes = listed(list(written.values()), 12) if written else "no arguments"
        callee = functions.written_name(function.name)
        yield f"Unknown argument {listed(unknown, 3)}; {shortened(callee, 60)} takes {takes}"
    for name in function.required:
        if name not in arguments:
            description = function.properties.get(name, {}).get("description")
            says = f" ({shortened(description, 80)})" if isinstance(description, str) else ""
            yield f"Missing argument {written[name]}{says}"
    told = [["required"], ["additionalProperties"]] if is_closed else [["required"]]
    places = set()
    parameters = function.parameters
    defaulted = {name for name in arguments if _is_default(arguments[name], name, parameters)}
    for error in _checker(function).validator.iter_errors(arguments):
        if error.absolute_path and error.absolute_path[0] in defaulted:
            continue
        where = place([*error.absolute_path], written)
        if where not in places and list(error.absolute_schema_path) not in told:
            places.add(where)
            yield sentence(error, written)


def _is_default(value: JSONValue, name: str, whole: Mapping[str, Any]) -> bool:
    """Say whether an optional argument or key is what the tool would take without it."""
    schema = whole.get("properties", {}).get(name)
    if name in whole.get("required", ()) or not isinstance(schema, Mapping):
        return False
    if "default" not in schema:
        return False
    # Python's 1 is True and 1.0; JSON's is 1.0 only.
    return json.dumps(value) == json.dumps(schema["default"]) or (
        isinstance(value, int | float)
        and isinstance(schema["default"], int | float)
        and bool not in (type(value), type(schema["default"]))
        and value == schema["default"]
    )


def _is_closed(schema: Mapping[str, Any]) -> bool:
    """Say whether a call may only have the arguments that the schema lists.

    JSON Schema would let others pass; but a tool either drops them, so that the model never
    learns of its mistake, or fails on them.
    """
    if "properties" not in schema or "patternProperties" in schema:
        return False
    if "additionalProperties" in schema:
        return schema["additionalProperties"] is False
    keywords = ("allOf", "anyOf", "oneOf")
    parts = [part for keyword in keywords for part in schema.get(keyword, ())]
    parts += [schema[keyword] for keyword in ("if", "then", "else") if keyword in schema]
    known = {*schema["properties"], *schema.get("required", ())}
    return "dependentSchemas" not in schema and all(
        isinstance(part, Mapping)
        and {"properties", "$ref"}.isdisjoint(part)
        and known.issuperset(part.get("required", ()))
        for part in parts
    )
