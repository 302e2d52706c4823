"""Why a value does not fit its schema, in short sentences that a model can act on.

jsonschema's own messages quote whole values and speak of keywords. These name the place, what
was got and what to write, and stay short whatever the value's size.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from reprlib import Repr
from typing import Any, Final, TypeAlias

from jsonschema import ValidationError

from langchain_gorilla.calls import JSONValue

_TYPE_NAMES: Final = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_NOTHING: Final = "nothing here"
_OTHER_CONSTANT: Final = 1
_OTHER_TYPE: Final = 2

_HOLD_NAMES: Final = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
"""Behind these keywords stands a name of the schema's author, whatever it is."""
_LIMITS: Final = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} keys",
    "maxProperties": "at most {} keys",
    "pattern": "text that matches {}",
    "const": "{}",
}


def sentence(error: ValidationError, written: Mapping[str, str]) -> str:
    """Say where a value is wrong, what was got, and what to write instead.

    Args:
        error: What jsonschema found in a call's arguments.
        written: True parameter name to the name that the model writes.
    """
    path, errors = _closest(error, [*error.absolute_path])
    value = errors[0].instance
    # The whole call is not quoted back: the model has it, and its names are the true ones here.
    got = f"got {shown(value)}, " if path else ""
    if _is_about_key(errors[0]):
        key = str(value)
        got = f"got the key {shown(key if path else written.get(key, key))}, "
    forms = dict.fromkeys(_expected(each, path, written) for each in errors)
    expected = either([form for form in forms if form != _NOTHING][:4] or [_NOTHING])
    return f"{place(path, written)}: {got}expected {expected}{_hint(value, errors)}"


def _is_about_key(error: ValidationError) -> bool:
    """Tell whether what is wrong is a key of an object, and not the object."""
    steps = ["", *error.absolute_schema_path]
    return any(
        step == "propertyNames" and before not in _HOLD_NAMES
        for before, step in itertools.pairwise(steps)
    )


def place(path: Sequence[str | int], written: Mapping[str, str]) -> str:
    """Return a path such as ``items[2].name``, its first step as the model writes it."""
    if not path:
        return "The call"
    steps = [
        f".{step}" if isinstance(step, str) and step.isidentifier() else f"[{step!r}]"
        for step in path[1:]
    ]
    return shortened("".join([written.get(str(path[0]), str(path[0])), *steps]), 80)


_Path: TypeAlias = list[str | int]


def _closest(error: ValidationError, path: _Path) -> tuple[_Path, list[ValidationError]]:
    """Of the forms that a value may have, follow those that it comes closest to.

    A constant inside names a form, so where some have another one, those without it are closer.

    Returns:
        The place that is wrong, and what is wrong there.
    """
    forms: dict[tuple[int, Any], list[ValidationError]] = {}
    for each in error.context or ():
        forms.setdefault((id(each.parent), each.schema_path[0]), []).append(each)
    if not forms:
        return path, [error]
    far = {key: max(map(_distance, form)) for key, form in forms.items()}
    most = min(far.values()) if _OTHER_CONSTANT in far.values() else _OTHER_TYPE
    near = [each for key, form in forms.items() if far[key] <= most for each in form]
    steps = max((each.relative_path for each in near), key=len)
    near = [each for each in near if each.relative_path == steps]
    if not steps:
        return path, near
    # Several forms may hold the same union, which then has the same context.
    inside = {id(each.context): _closest(each, [*path, *steps]) for each in near}.values()
    deepest = max((place for place, _ in inside), key=len)
    return deepest, [each for place, errors in inside if place == deepest for each in errors]


def _distance(error: ValidationError) -> int:
    if error.validator == "type" and not error.relative_path:
        return _OTHER_TYPE
    is_inside = len(error.relative_path) == 1
    return _OTHER_CONSTANT if error.validator == "const" and is_inside else 0


def _expected(error: ValidationError, path: _Path, written: Mapping[str, str]) -> str:
    """Say what a value should be, after the keyword that it broke."""
    keyword = str(error.validator)
    wanted: Any = error.validator_value
    schema: Any = error.schema
    if keyword == "type" and "enum" not in schema:
        return either([_TYPE_NAMES[kind] for kind in _kinds(error)])
    if keyword in ("type", "enum"):
        return f"one of {listed([shown(each) for each in schema['enum']], 12)}"
    if keyword in _LIMITS:
        return _LIMITS[keyword].format(shown(wanted))
    # The model's own names are those of the call's arguments, not of what is in them.
    names: Mapping[str, str] = {} if path else written
    given: Any = error.instance
    if keyword == "required":
        return f"an object with {_missing(wanted, given, names)}"
    if keyword == "additionalProperties":
        return _keys(schema)
    if keyword == "dependentRequired":
        lacking = {n: _missing(wanted[n], given, names) for n in wanted if n in given}
        return either([f"{lacking[n]} beside {names.get(n, n)}" for n in lacking if lacking[n]])
    if keyword == "items" and wanted is False:
        return f"at most {len(schema.get('prefixItems', ()))} items"
    if keyword == "uniqueItems":
        return "no item twice"
    if schema is False or (keyword == "not" and wanted in ({}, True)):
        return _NOTHING
    return f"a value that fits {keyword}: {shown(wanted)}"


def _missing(needed: list[str], given: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return listed([names.get(name, name) for name in needed if name not in given], 5)


def _keys(schema: Mapping[str, Any]) -> str:
    """Say which keys an object may have, where it may have no others."""
    patterns = [f"keys that match {shown(each)}" for each in schema.get("patternProperties", ())]
    names = listed(list(schema.get("properties", ())), 12)
    kinds = [f"the keys {names}", *patterns] if names else patterns
    return f"only {either(kinds)}" if kinds else "no keys"


def _kinds(error: ValidationError) -> list[str]:
    """Return the types that were asked for, where the type is what is wrong."""
    wanted: Any = error.validator_value if error.validator == "type" else []
    return [wanted] if isinstance(wanted, str) else list(wanted)


def _hint(value: JSONValue, errors: list[ValidationError]) -> str:
    """Add how to write the value, where the model likely meant the right one."""
    kinds = {kind for each in errors for kind in _kinds(each)}
    if isinstance(value, str):
        is_number = re.fullmatch(r"[+-]?\d{1,30}(\.\d{1,30})?", value) is not None
        is_boolean = value.lower() in ("true", "false")
        if (is_number and kinds & {"integer", "number"}) or (is_boolean and "boolean" in kinds):
            return f" (write {value.lower()} without quotes)"
        enums: list[Any] = [each.validator_value for each in errors if each.validator == "enum"]
        for option in itertools.chain(*enums):
            if _folded(option) == _folded(value):
                return f" (write {shown(option)})"
    elif isinstance(value, int | float) and kinds == {"string"}:
        return " (write it in quotes)"
    if kinds == {"object"} and isinstance(value, str) and value.lstrip().startswith("{"):
        return " (write the object itself, not its text)"
    if kinds == {"array"} and not isinstance(value, dict):
        is_list = isinstance(value, str) and value.lstrip().startswith("[")
        return " (write the list itself, not its text)" if is_list else " (put it in a list)"
    return ""


def _folded(value: JSONValue) -> str | None:
    return value.strip().casefold() if isinstance(value, str) else None


def either(parts: list[str]) -> str:
    """Join as in ``a, b or c``."""
    return " or ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def listed(parts: list[str], most: int) -> str:
    """Join the first parts with commas, each shortened."""
    shown = [shortened(part, 60) for part in parts[:most]]
    return ", ".join([*shown, "…"] if len(parts) > most else shown)


_REPR: Final = Repr()
_REPR.maxstring = _REPR.maxother = 60
_REPR.maxlevel = 2


def shown(value: JSONValue) -> str:
    """Show a value as Python writes it, in at most 80 characters, whatever its size."""
    return shortened(_REPR.repr(value), 80)


def shortened(text: str, most: int) -> str:
    """Cut a text that is longer than ``most`` characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
