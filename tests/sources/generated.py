"""Arguments drawn from a JSON schema: small ones, since some functions cost as much as they ask."""

from typing import Any

from hypothesis import strategies as st

# No slash: some functions write a file of that name, into the test's own folder.
SMALL_TEXT = st.text(alphabet="abc0159 -.,:%é", max_size=8)
FORMATS = {
    "date": st.dates().map(lambda value: value.isoformat()),
    "date-time": st.datetimes().map(lambda value: value.isoformat()),
    "time": st.times().map(lambda value: value.isoformat()),
    "duration": st.integers(0, 10_000).map(lambda seconds: f"PT{seconds}S"),
}


def arguments(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Draw a value that the schema allows."""
    return _value(schema, schema.get("$defs", {}), 3)


def _value(schema: Any, definitions: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    if schema is True or not schema:
        return _anything(depth)
    if "$ref" in schema:
        return _value(definitions[schema["$ref"].rpartition("/")[2]], definitions, depth - 1)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return st.one_of([_value(each, definitions, depth) for each in schema[key]])
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, definitions, depth)
    if kind == "array":
        return _array(schema, definitions, depth)
    if kind == "string":
        return FORMATS.get(schema.get("format"), SMALL_TEXT)
    return {
        "integer": st.integers(schema.get("minimum", -4), schema.get("maximum", 6)),
        "number": st.one_of(st.integers(-4, 6), st.floats(-9, 9, width=16)),
        "boolean": st.booleans(),
        "null": st.none(),
    }.get(kind) or _anything(depth)


def _anything(depth: int) -> st.SearchStrategy[Any]:
    simple = st.one_of(st.integers(-4, 6), SMALL_TEXT, st.booleans(), st.floats(-9, 9, width=16))
    return simple if depth <= 0 else st.one_of(simple, st.lists(simple, max_size=3))


def _array(
    schema: dict[str, Any], definitions: dict[str, Any], depth: int
) -> st.SearchStrategy[Any]:
    if "prefixItems" in schema:
        return st.tuples(
            *(_value(each, definitions, depth - 1) for each in schema["prefixItems"])
        ).map(list)
    items = schema.get("items", {}) if depth > 0 else {"type": "number"}
    unique = repr if schema.get("uniqueItems") else None
    return st.lists(
        _value(items, definitions, depth - 1),
        min_size=schema.get("minItems", 0),
        max_size=schema.get("maxItems", 3),
        unique_by=unique,
    )


def _object(
    schema: dict[str, Any], definitions: dict[str, Any], depth: int
) -> st.SearchStrategy[Any]:
    properties = schema.get("properties", {})
    if not properties:
        return st.just({})
    required = set(schema.get("required", ()))
    drawn = {name: _value(each, definitions, depth) for name, each in properties.items()}
    return st.fixed_dictionaries(
        {name: each for name, each in drawn.items() if name in required},
        optional={name: each for name, each in drawn.items() if name not in required},
    )
