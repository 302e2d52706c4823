"""What a parameter of one's own function takes: a kind of value that questions can speak of.

The schema says it where it can: choices, bounds, a format, examples. Else the words of the
parameter's name and description do, by what parameters in such words take among this project's
own concepts: an "ISO code of the currency" takes a currency's, whatever its name.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from functools import cache
from itertools import product
from typing import Any
from uuid import UUID

from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.grounding import resolved
from langchain_gorilla.training.concepts import Parameter, written_concepts
from langchain_gorilla.training.documents import Slot
from langchain_gorilla.training.values import NUMBER_TYPES, Values

_BY_TYPE = {"string": "PHRASE", "integer": "INT", "number": "FLT", "boolean": "BOOL"}
_BY_FORMAT = {"email": "EMAIL", "uri": "URL", "url": "URL", "date": "DATE", "time": "TIME"}
_FORMS = {
    "DATE": ("iso", re.compile(r"YYYY-MM-DD|ISO.?8601", re.IGNORECASE)),
    "TIME": ("clock", re.compile(r"HH:MM|24.hour", re.IGNORECASE)),
}
"""How a description says in which form a date or a time is wanted."""


def slots_of(values: Values, function: FunctionSchema) -> tuple[Slot, ...] | str:
    """Give the parameters that questions can speak of, in the order of the document.

    Optional ones that none can speak of, such as lists of objects, are left out, as in calls.

    Args:
        values: Learns the kinds of this function's own.
        function: Under the names that a model writes.

    Returns:
        The slots, or, where a required parameter has none, a sentence that says which.
    """
    slots = []
    for name, schema in function.properties.items():
        optional = name not in function.required
        found = _slot(values, function, name, schema, optional=optional)
        if found is not None:
            slots.append(found)
        elif not optional:
            return (
                f"Its parameter {name!r} ({_shown_type(schema)}) takes what no made-up question "
                "speaks of. Write rows of your own for it."
            )
    return tuple(slots)


def _shown_type(schema: Mapping[str, Any]) -> str:
    kind, items = schema.get("type", "of no type"), schema.get("items")
    inner = items.get("type") if isinstance(items, Mapping) else None
    return f"{kind} of {inner}" if inner else str(kind)


def _slot(
    values: Values, function: FunctionSchema, name: str, given: Mapping[str, Any], *, optional: bool
) -> Slot | None:
    schema = _without_null(given, function)
    json_type = schema.get("type")
    choices = _choices(schema)
    if json_type == "array":
        items = _without_null(schema.get("items"), function)
        choices = _choices(items) if items.get("type", "string") == "string" else ()
    if json_type is None and choices:
        json_type = "string"
    own = f"{function.name}.{name}"
    kind = f"{{{'|'.join(choices)}}}" if choices else _kind(values, function, own, schema)
    if kind is None or json_type not in (*_BY_TYPE, "array", "object"):
        return None
    described = given.get("description") or schema.get("description") or ""
    form, said = _FORMS.get(kind, ("", None))
    if json_type != "string" or not (
        schema.get("format") in ("date", "time") or (said and said.search(described))
    ):
        form = ""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    parameter = Parameter(name, kind, (words,), (described or words,), optional)
    return Slot(parameter, name, str(json_type), choices, dict(given), form)


def _without_null(given: Any, function: FunctionSchema) -> Mapping[str, Any]:
    """Give what is taken if it is given: without references, and without null.

    Args:
        given: A schema of a parameter, of an item or of a field.
        function: Has the definitions.
    """
    schema = resolved(given, function.parameters) if isinstance(given, Mapping) else {}
    branches = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(branches, list):
        found = [resolved(one, function.parameters) for one in branches if isinstance(one, Mapping)]
        real = [one for one in found if one.get("type") != "null"]
        schema = {**schema, **real[0]} if real else schema
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return {**schema, "type": next((one for one in kinds if one != "null"), "null")}
    return schema


def _choices(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the choices as texts; () where there are none, or none that a question can say."""
    given = [schema["const"]] if "const" in schema else schema.get("enum") or []
    fitting = {"integer": int, "string": str}.get(schema.get("type", "string"), ())
    choices = [one for one in given if isinstance(one, fitting) and not isinstance(one, bool)]
    if any(not str(one).strip() or re.search(r"[|{}]", str(one)) for one in choices):
        return ()
    return tuple(map(str, choices))


def _kind(
    values: Values, function: FunctionSchema, own: str, schema: Mapping[str, Any]
) -> str | None:
    """Name the kind of values without choices; None where there is none.

    Args:
        values: Learns it.
        function: Has the definitions.
        own: Where the schema stands, ``f.owner.name``: the kind, if it is like no other.
        schema: As ``_without_null`` gives it.
    """
    json_type, name = schema.get("type"), own.rpartition(".")[2]
    if "enum" in schema or "const" in schema:
        return None
    if json_type == "array":
        item = _without_null(schema.get("items"), function)
        if item.get("type") not in ("string", "integer", "number") or _choices(item):
            return None
        inner = _kind(values, function, f"{own}.{_singular(name)}", item) or ""
        return f"LIST({inner})" if re.fullmatch("[A-Z_]+", inner) else None
    if json_type == "object":
        return _object_kind(values, function, own, schema)
    if json_type not in _BY_TYPE:
        return None
    examples = [one for one in _listed(schema.get("examples")) if isinstance(one, str)]
    if json_type == "string" and len(examples) > 1:
        values.add_kind(own, lambda: values.rng.choice(examples))
        return own
    if json_type == "string" and schema.get("format") in ("date-time", "uuid"):
        make = _moment if schema["format"] == "date-time" else _uuid
        values.add_kind(own, lambda: make(values))
        return own
    if json_type in ("integer", "number"):
        bounds = _bounds(schema, whole=json_type == "integer")
        if bounds:
            low, high = bounds
            values.add_kind(own, lambda: _between(values, low, high))
            return own
    described = str(schema.get("description") or "")
    return _BY_FORMAT.get(str(schema.get("format"))) or _by_words(name, described, json_type)


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _bounds(schema: Mapping[str, Any], *, whole: bool) -> tuple[float, float] | None:
    """Give the least and the most that a number with two bounds may be."""
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    if not isinstance(least, int | float) or not isinstance(most, int | float) or least > most:
        return None
    return (int(least), int(most)) if whole else (float(least), float(most))


def _between(values: Values, low: float, high: float) -> int | float:
    if isinstance(low, int) and isinstance(high, int):
        return values.rng.randint(low, high)
    drawn = values.rng.uniform(low, high)
    # Of a learning rate, two decimal places are 0.
    return round(drawn, 2) if high - low >= 0.1 else float(f"{drawn:.2g}")


def _moment(values: Values) -> str:
    return f"{values.iso_date()}T{values.clock()}:00Z"


def _uuid(values: Values) -> str:
    return str(UUID(int=values.rng.getrandbits(128), version=4))


def _object_kind(
    values: Values, function: FunctionSchema, own: str, schema: Mapping[str, Any]
) -> str | None:
    """Give the kind of an object of plain fields that all have to be given."""
    fields = schema.get("properties")
    if not isinstance(fields, Mapping) or not fields:
        return None
    kinds: dict[str, str] = {}
    for name, field in fields.items():
        # The kind of an object is written with these around the names of its fields.
        if re.search(r"[:,.]|^\s|\s$", name):
            continue
        kind = _kind(values, function, f"{own}.{name}", _without_null(field, function))
        if kind is not None and re.fullmatch("[A-Z_]+", kind) and kind != "BOOL":
            kinds[name] = kind
    if set(schema.get("required", ())) - set(kinds) or not kinds:
        return None
    return f"OBJ({','.join(f'{name}:{kind}' for name, kind in kinds.items())})"


def _singular(name: str) -> str:
    """``cities`` to ``city``."""
    return re.sub(r"ies$", "y", name) if name.endswith("ies") else re.sub(r"(?<!s)s$", "", name)


class _Guesser:
    """Guesses a kind from words, by what this project's own concepts call their parameters.

    Naive Bayes over the words of names, twice, and of descriptions.
    """

    def __init__(self, kinds: Collection[str]) -> None:
        """Count the words of the parameters of some kinds."""
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for concept in written_concepts():
            for one in concept.parameters:
                if one.kind in kinds:
                    for name, text in product(one.names, one.descriptions):
                        self._counts[one.kind].update(_clues(name, text))
        self._known = {word for words in self._counts.values() for word in words}

    def guess(self, name: str, description: str) -> str | None:
        """Give the likeliest kind; None where no word is known."""
        words = [word for word in _clues(name, description) if word in self._known]
        if not words:
            return None
        total = sum(words.total() for words in self._counts.values())

        def likelihood(kind: str) -> float:
            counts = self._counts[kind]
            size = counts.total() + len(self._known)
            shares = [math.log((counts[word] + 1) / size) for word in words]
            return math.log(counts.total() / total) + sum(shares)

        return max(self._counts, key=likelihood)


_SAYS_LITTLE = frozenset([
    "the", "a", "an", "of", "to", "for", "in", "is", "be", "or", "and", "on", "that",
    "which", "this", "e", "g", "with",
])  # fmt: skip


def _clues(name: str, description: str) -> list[str]:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", name).lower().split()
    said = re.findall(r"[a-z]+", description.lower())
    return [word for word in (*words, *words, *said) if word not in _SAYS_LITTLE]


@cache
def _guesser(json_type: str) -> _Guesser:
    plain = {
        one.kind
        for concept in written_concepts()
        for one in concept.parameters
        if re.fullmatch("[A-Z_]+", one.kind) and one.kind != "BOOL"
    }
    numbers = plain & set(NUMBER_TYPES)
    return _Guesser(plain - numbers if json_type == "string" else numbers)


def _by_words(name: str, description: str, json_type: str) -> str:
    """Name what a parameter of plain type takes, by its name and description."""
    if json_type == "boolean":
        return "BOOL"
    return _guesser(json_type).guess(name, description) or _BY_TYPE[json_type]
