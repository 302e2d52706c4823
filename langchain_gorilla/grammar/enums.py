"""The values of an enum that the keywords beside it allow, by the validator that judges calls."""

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
from referencing.exceptions import Unresolvable

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.grammar.merging import (
    ANNOTATIONS,
    ContradictionError,
    Schema,
    SchemaError,
    is_type,
    listed,
    same,
    types_of,
)
from langchain_gorilla.grammar.notation import compact_json
from langchain_gorilla.grammar.scalars import bounds
from langchain_gorilla.metaschema import fits_pattern, with_own_keywords


def fitting(schema: Schema, types: tuple[str, ...], root: JSONValue, path: str) -> list[JSONValue]:
    """Give the values of an enum that fit the rest of its schema.

    Args:
        schema: What holds the enum, as ``Resolver.plain`` leaves it.
        types: Its types.
        root: The document that it is part of, for references further inside.
        path: Where it stands there.

    Raises:
        ContradictionError: No value fits.
        SchemaError: It is no list of values, or a reference leads to nothing.
    """
    values = schema["enum"]
    if not isinstance(values, list) or not values:
        raise SchemaError(path, f"enum {values!r} is not a list of values")
    typed = [value for value in values if any(is_type(value, name) for name in types)]
    if not typed:
        raise ContradictionError(
            path, f"no value of enum {_short(values)} is of type {schema.get('type')!r}"
        )
    beside = {k: v for k, v in schema.items() if k not in ANNOTATIONS and k not in ("enum", "type")}
    if not beside:
        return typed
    draft = _lenient(validator_for(root, default=Draft202012Validator))
    validator = draft(root, registry=REGISTRY).evolve(schema=beside)
    try:
        found = [
            value
            for value in typed
            # Draft 4 does not know the bounds into which its own were respelled.
            if (not is_type(value, "number") or Decimal(str(value)) in bounds(schema, path))
            and validator.is_valid(value)
        ]
    except Unresolvable as error:
        raise SchemaError(path, f"$ref {error.ref!r} leads to nothing") from None
    if not found:
        raise ContradictionError(path, f"enum {_short(values)} against the keywords beside it")
    return found


def fits(value: JSONValue, schema: Schema, root: JSONValue, path: str) -> bool:
    """Tell whether a value fits a schema; the others are as for ``fitting``."""
    if "enum" in schema and not any(same(value, each) for each in schema["enum"]):
        return False
    try:
        fitting({**schema, "enum": [value]}, types_of(schema), root, path)
    except ContradictionError:
        return False
    return True


def parted(value: list[JSONValue] | dict[str, JSONValue]) -> Schema:
    """Give the schema of one list or object, to be written in parts.

    As a single lexeme it would bar other lists or objects that begin as it does.
    """
    if isinstance(value, list):
        items = [{"enum": [each]} for each in value]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "items": False}
    members = {name: {"enum": [each]} for name, each in value.items()}
    return {
        "type": "object",
        "properties": members,
        "required": [*members],
        "additionalProperties": False,
    }


@lru_cache
def _lenient(draft: Any) -> Any:
    own = {"pattern": _check_patterns}
    return extend(with_own_keywords(draft), own)  # type: ignore[no-untyped-call]


def _check_patterns(
    validator: Validator, patterns: Any, value: JSONValue, schema: Schema
) -> Iterator[ValidationError]:
    """Check ``pattern``, which merging makes a list of, as the validation of calls does."""
    if isinstance(value, str) and not all(fits_pattern(one, value) for one in listed(patterns)):
        yield ValidationError("does not match")


def _short(values: list[JSONValue]) -> str:
    text = compact_json(values)
    return text if len(text) <= 80 else text[:77] + "..."
