"""Values that fit a JSON schema: the fullest, or the least that is allowed."""

import re
from typing import Any

TEXT = "a b/ö&c=d?e#f%g+h"
"""Everything that an address could trip over."""


def sample(schema: dict, *, full: bool, root: dict | None = None, depth: int = 0) -> Any:
    root = schema if root is None else root
    if "$ref" in schema:
        target = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return sample(target, full=full, root=root, depth=depth + 1)
    if "allOf" in schema:
        merged: dict = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            while "$ref" in part:
                part = root["$defs"][part["$ref"].rpartition("/")[2]]
            merged = {
                **merged,
                **part,
                "properties": {**merged.get("properties", {}), **part.get("properties", {})},
                "required": [*merged.get("required", []), *part.get("required", [])],
            }
        if not merged["properties"]:
            del merged["properties"]
        return sample(merged, full=full, root=root, depth=depth)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            return sample(schema[keyword][0], full=full, root=root, depth=depth)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        names = dict(schema.get("properties", {}))
        if not full or depth > 4:
            names = {name: names.get(name, {}) for name in schema.get("required", ())}
        return {
            name: sample(each, full=full, root=root, depth=depth + 1)
            for name, each in names.items()
        }
    if kind == "array":
        count = max(schema.get("minItems", 0), 2 if full and depth <= 4 else 0)
        if schema.get("uniqueItems"):
            count = min(count, 1)
        count = min(count, schema.get("maxItems", count))
        item = schema.get("items", {})
        return [sample(item, full=full, root=root, depth=depth + 1) for _ in range(count)]
    if kind == "integer":
        return schema.get("minimum", 7)
    if kind == "number":
        return schema.get("minimum", 2.5)
    if kind == "boolean":
        return True
    return None if kind == "null" else _text(schema)


def _text(schema: dict) -> str:
    by_format = {"date-time": "2024-02-29T12:30:00Z", "date": "2024-02-29", "uri": "https://a.b/c"}
    text = by_format.get(schema.get("format", ""), TEXT)
    if "pattern" in schema:
        text = "0" * 40
        for known in (
            "0" * schema.get("minLength", 1),
            "-1",
            "/a",
            "a" * 40,
            "2024-02-29",
            "{user_question} {content}",
        ):
            if re.search(schema["pattern"], known):
                text = known
                break
    if "minLength" in schema:
        text = text.ljust(schema["minLength"], "x")
    return text[: schema.get("maxLength", len(text))]
