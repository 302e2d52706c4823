"""The members of an object that ``properties`` does not name: their names and values."""

from collections.abc import Callable, Mapping

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.grammar.merging import ContradictionError, Schema, further
from langchain_gorilla.grammar.notation import Notation, free_text
from langchain_gorilla.grammar.rules import (
    ANY_CHARACTER,
    Except,
    Literal,
    Rule,
    choice,
    mark,
    repeat,
    sequence,
)
from langchain_gorilla.metaschema import fits_pattern


def other_member(
    schema: Schema, path: str, notation: Notation, value: Callable[[JSONValue, str], Rule]
) -> Rule | None:
    """Match name and value of one further member; None where there are none.

    Args:
        schema: Of the object.
        path: Where it stands.
        notation: How values are written.
        value: Compiles a schema, given where that stands.

    Raises:
        ContradictionError: There may be some, but no name or no value fits.
    """
    rest = further(schema)
    if rest is False:
        return None
    if patterned := _offered(schema):
        return _patterned(patterned, schema, path, value)
    inner = value(rest, f"{path}/additionalProperties")
    return sequence(_name(schema, path, notation, value), mark(": "), inner)


def enforces_patterns(schema: Schema) -> bool:
    """Tell whether ``other_member`` leaves nothing of ``patternProperties`` to validation.

    A name may match two patterns, and then both say what its value is.
    """
    return len(_offered(schema)) == 1 == len(schema["patternProperties"])


def _offered(schema: Schema) -> Mapping[str, JSONValue]:
    """Give the patterns that other names have to match, and what each says of the value.

    None where any other name may stand too, or where a declared name matches a pattern: a grammar
    could not keep it out of the others.
    """
    patterns = schema.get("patternProperties") or {}
    declared = {*(schema.get("properties") or {}), *(schema.get("required") or ())}
    if schema.get("additionalProperties", False) is not False or any(
        fits_pattern(pattern, name) for pattern in patterns for name in declared
    ):
        return {}
    return {pattern: each for pattern, each in patterns.items() if each is not False}


def _patterned(
    patterned: Mapping[str, JSONValue],
    schema: Schema,
    path: str,
    value: Callable[[JSONValue, str], Rule],
) -> Rule:
    rules, wrong = [], None
    for pattern, each in patterned.items():
        where = f"{path}/patternProperties/{pattern}"
        name = {"allOf": [{"type": "string", "pattern": pattern}, _named(schema)]}
        try:
            rules.append(sequence(value(name, where), mark(": "), value(each, where)))
        except ContradictionError as error:
            wrong = error
    if wrong is not None and not rules:
        raise wrong
    return choice(*rules)


def _name(
    schema: Schema, path: str, notation: Notation, value: Callable[[JSONValue, str], Rule]
) -> Rule:
    """propertyNames, where no property is declared; else any other name."""
    if declared := [Literal(name) for name in schema.get("properties") or {}]:
        return notation.text(Except(repeat(ANY_CHARACTER), choice(*declared)))
    if "propertyNames" not in schema:
        return free_text(notation)
    names = {"allOf": [{"type": "string"}, _named(schema)]}
    return value(names, f"{path}/propertyNames")


def _named(schema: Schema) -> JSONValue:
    return schema.get("propertyNames", True)
