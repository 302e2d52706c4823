"""Arrays: the values of each place, and how many there may be."""

from collections.abc import Callable

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.grammar.merging import ContradictionError, Schema, placed
from langchain_gorilla.grammar.rules import EMPTY, Rule, mark, optional, repeat, sequence
from langchain_gorilla.grammar.scalars import limits


def array(schema: Schema, path: str, value: Callable[[JSONValue, str], Rule]) -> Rule:
    """Match prefixItems, items, minItems, maxItems.

    Args:
        schema: Of the array.
        path: Where it stands.
        value: Compiles the schema of an item, given where that stands.

    Raises:
        SchemaError: A limit is no number of items.
        ContradictionError: No array fits.
    """
    least, most = limits(schema, "minItems", "maxItems", path)
    first, rest = placed(schema)
    if rest is False:
        most = min(len(first), len(first) if most is None else most)
    if most is not None and least > most:
        raise ContradictionError(path, f"minItems {least}, but at most {most} items can be")
    places: list[Rule] = []
    for index in range(min(len(first), len(first) if most is None else most)):
        try:
            places.append(value(first[index], f"{path}/prefixItems/{index}"))
        except ContradictionError:
            if index < least:
                raise
            most = index  # the array can end before
            break
    comma = mark(", ")
    rule: Rule = EMPTY
    if most is None or most > len(first):
        item = value(rest, f"{path}/items")
        if not first:
            return list_of(item, least, most)
        more = None if most is None else most - len(first)
        rule = repeat(sequence(comma, item), max(least - len(first), 0), more)
    for index, place in reversed(list(enumerate(places))):
        rule = sequence(comma if index else EMPTY, place, rule)
        if index >= least:
            rule = optional(rule)
    return sequence(mark("["), rule, mark("]"))


def list_of(item: Rule, least: int = 0, most: int | None = None) -> Rule:
    """Match items between brackets."""
    most = None if most is None else most - 1
    items = sequence(item, repeat(sequence(mark(", "), item), max(least - 1, 0), most))
    return sequence(mark("["), items if least else optional(items), mark("]"))
