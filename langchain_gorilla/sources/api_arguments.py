"""``api_arguments`` and ``parameters`` of Gorilla's documents → properties of a JSON schema.

Shapes in the wild: ``{name: "[REQUIRED] integer: text"}``, ``{name: "string (Optional, text)"}``,
``{name: {"data_type": "String", "description": text, "possible_values": […]}}``,
``{name: example}``, ``{name: ["one", "of"]}``, ``["name", …]``, ``[{"name", "type",
"description"}]``, ``"name"`` and ``"N/A"``.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.dialects import is_json

_TYPES: Final = {
    "string": "string",
    "str": "string",
    "text": "string",
    "integer": "integer",
    "int": "integer",
    "int32": "integer",
    "int64": "integer",
    "long": "integer",
    "number": "number",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "boolean": "boolean",
    "bool": "boolean",
    "array": "array",
    "list": "array",
    "object": "object",
    "dict": "object",
    "json": "object",
}
_NOTHING: Final = frozenset({"", "n/a", "none", "-", "null", "no", "not specified"})
_MARKED: Final = re.compile(r"^\s*\[(required|optional)\]\s*", re.IGNORECASE)
_TYPED: Final = re.compile(
    r"^\s*(?P<word>[A-Za-z]\w*)?(?P<more>[\w<>\[\], ]{0,30}?)\s*(?P<end>[:(]|$)"
)
_REQUIRED: Final = re.compile(r"^\W*required\b|\brequired (?:path )?parameter\b", re.IGNORECASE)
_OPTIONAL: Final = re.compile(r"^\W*optional\b", re.IGNORECASE)
_NAME_KEYS: Final = ("name", "arg_name", "argument", "parameter")
_TYPE_KEYS: Final = ("data_type", "type")
_CHOICE_KEYS: Final = ("possible_values", "valid_values", "enum", "options", "choices")
_DEFAULT_KEYS: Final = ("default", "default_value")
_TEXT_KEYS: Final = ("description", "desc", "example", "format", "located_in")
_LONGEST_NAME: Final = 80
# Named one by one: <id> and <IRE field name> are no markup.
_TAGS: Final = re.compile(
    r"</?(?:p|br|b|i|u|a|ul|ol|li|pre|code|em|strong|div|span|table|tbody|thead|tr|td|th|h[1-6]|tt"
    r"|sup|sub|hr|img|font|small)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_SPACE: Final = re.compile(r"[ \t]*\n[ \t]*(?:\n[ \t]*)+")


def read_arguments(given: Any) -> tuple[dict[str, dict[str, JSONValue]], list[str]]:
    """Return name to JSON schema in the document's order, and the names that are required."""
    properties: dict[str, dict[str, JSONValue]] = {}
    required: list[str] = []
    for name, value in _named(given):
        name, must = _required_name(name)
        schema, says = _schema_of(value)
        if must if says is None else says:
            required.append(name)
        properties[name] = schema
    return properties, required


def plain_text(value: Any) -> str:
    """Return text without markup; ``""`` for anything else."""
    return _SPACE.sub("\n\n", _TAGS.sub(" ", value)).strip() if isinstance(value, str) else ""


def json_type(word: str) -> str | None:
    """Return the JSON type of a type word that documents use; None where nobody knows it."""
    word = word.strip()
    head = re.match(r"[A-Za-z]\w*", word)
    if word.endswith("[]") or (head and head[0].lower() in ("array", "list")):
        return "array"
    return _TYPES.get(head[0].lower()) if head else None


def _named(given: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(given, Mapping):
        for name, value in given.items():
            if str(name).strip():
                yield str(name).strip(), value
    elif isinstance(given, list | tuple):
        for each in given:
            if isinstance(each, Mapping):
                key = next((key for key in _NAME_KEYS if isinstance(each.get(key), str)), None)
                if key is not None:
                    yield each[key].strip(), {k: v for k, v in each.items() if k != key}
                else:
                    yield from _named(each)
            else:
                yield from _named(str(each))
    elif isinstance(given, str):
        for part in given.split(","):
            name, _, text = part.strip().partition(":")
            name = "_".join(name.partition("=")[0].strip(" '\"`").split())
            if name.lower() not in _NOTHING and len(name) <= _LONGEST_NAME:
                yield name, f": {text}"


def _required_name(name: str) -> tuple[str, bool]:
    """Read a mark that stands in the name: ``id*``, ``id (required)``, ``id (optional)``."""
    must = name.endswith("*") or "(required)" in name.lower()
    plain = re.sub(r"\s*\((?:required|optional)\)\s*$|\*$", "", name, flags=re.IGNORECASE)
    return plain.strip() or name, must


def _schema_of(value: Any) -> tuple[dict[str, JSONValue], bool | None]:
    """Return a parameter's schema, and whether it is required; None where nothing says so."""
    if isinstance(value, str):
        return _from_text(plain_text(value))
    if isinstance(value, Mapping):
        return _from_mapping(value)
    if isinstance(value, list):
        if value and all(isinstance(each, str) for each in value):
            return {"description": f"Such as: {', '.join(value)}"}, None
        return {"type": "array"}, None
    kind = {bool: "boolean", int: "integer", float: "number"}.get(type(value))
    return ({"type": kind, "default": value} if kind else {}), None


def _from_text(text: str) -> tuple[dict[str, JSONValue], bool | None]:
    required: bool | None = None
    if mark := _MARKED.match(text):
        required = mark[1].lower() == "required"
        text = text[mark.end() :]
    schema: dict[str, JSONValue] = {}
    typed = _TYPED.match(text)
    kind = json_type(f"{typed['word']}{typed['more']}") if typed and typed["word"] else None
    if typed and (kind or not typed["word"]):
        text = text[typed.end() :]
        if typed["end"] == "(" and text.count("(") < text.count(")"):
            text = text.rstrip().removesuffix(")")
    if kind:
        schema["type"] = kind
    text = text.strip()
    if required is None and (_REQUIRED.search(text) or _OPTIONAL.match(text)):
        required = not _OPTIONAL.match(text)
    if text:
        schema["description"] = text
    return schema, required


def _from_mapping(value: Mapping[str, Any]) -> tuple[dict[str, JSONValue], bool | None]:
    described = any(key in value for key in (*_TYPE_KEYS, "description"))
    if not described:
        properties, required = read_arguments(value)
        schema: dict[str, JSONValue] = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        return schema, None
    schema = {}
    word = next((value[key] for key in _TYPE_KEYS if isinstance(value.get(key), str)), "")
    if (kind := json_type(word)) is not None:
        schema["type"] = kind
    text = plain_text(
        ". ".join(str(value[key]).rstrip(".") for key in _TEXT_KEYS if value.get(key))
    )
    if text:
        schema["description"] = text
    choices = next((value[key] for key in _CHOICE_KEYS if isinstance(value.get(key), list)), None)
    if choices and all(isinstance(each, str | int | float | bool) for each in choices):
        schema["enum"] = list(dict.fromkeys(choices))
        fits: dict[str, Any] = {
            "integer": int,
            "number": (int, float),
            "string": str,
            "boolean": bool,
        }
        if not all(isinstance(each, fits.get(kind or "", object)) for each in choices):
            schema.pop("type", None)
    default = next((value[key] for key in _DEFAULT_KEYS if key in value), None)
    if default is not None and is_json(default):
        schema["default"] = default
    if isinstance(length := value.get("maximum_length"), int) and kind == "string":
        schema["maxLength"] = length
    if isinstance(properties_ := value.get("properties"), Mapping) and kind == "object":
        schema["properties"], required_ = read_arguments(properties_)
        if required_:
            schema["required"] = required_
    says = value.get("required")
    if not isinstance(says, bool):
        says = _REQUIRED.search(text) is not None if _REQUIRED.search(text) else None
        if value.get("optional") is True or _OPTIONAL.match(text):
            says = False
    return schema, says
