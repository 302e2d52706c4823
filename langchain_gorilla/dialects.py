"""One JSON schema out of the ways in which tools spell their parameters.

What comes in: JSON Schema of any draft, OpenAPI's ``nullable``, draft 3's ``"required": true``,
draft 4's ``"exclusiveMinimum": true``, keywords that are null because a serialiser wrote all it
had, Pydantic v1's ``items`` lists, Gorilla's lists of parameters, and the type words of Python, Java
and JavaScript that BFCL uses (``dict``, ``float``, ``tuple``, ``any``, ``ArrayList``, ``HashMap``,
…). What comes out is JSON Schema in its own type names; every other keyword stays as it was.

A type word that nobody knows becomes a ``format`` without a ``type``: any value is accepted,
and the model still reads the word.
"""

import inspect
import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final, NamedTuple

from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.errors import InvalidFunctionError
from langchain_gorilla.metaschema import all_text, check_schema
from langchain_gorilla.schema_keywords import LISTS_OF_SCHEMAS, MAPS_OF_SCHEMAS, SCHEMAS, TYPES

_WORDS_OF_TYPES: Final = {
    "string": "string str char character charsequence text",
    "integer": "integer int long short byte bigint biginteger int32 int64",
    "number": "number float double decimal bigdecimal real",
    "boolean": "boolean bool",
    "array": "array list arraylist linkedlist tuple set hashset queue deque stack vector sequence",
    "object": "object dict dictionary map hashmap treemap hashtable struct mapping",
    "null": "null none nonetype nil void undefined",
}
_TYPE_WORDS: Final = {
    word: name for name, words in _WORDS_OF_TYPES.items() for word in words.split()
}
_PYTHON_TYPES: Final = {
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_DRAFT_4: Final = "http://json-schema.org/draft-04/schema"
_DRAFT_7: Final = "http://json-schema.org/draft-07/schema#"
_ANY_WORDS: Final = frozenset({"any", "anything", ""})
# A TypedDict without a docstring inherits dict's, and LangChain passes it on.
_DICT_DOCSTRING: Final = inspect.getdoc(dict)

_COMPOSING: Final = frozenset({"$ref", "allOf", "anyOf", "oneOf", "const", "not"})
_ROOT_KEYWORDS: Final = frozenset(
    {*MAPS_OF_SCHEMAS, *LISTS_OF_SCHEMAS, *SCHEMAS, "type", "required", "$ref", "$schema"}
    | {"title", "description", "minProperties", "maxProperties", "dependentRequired"}
)


def parameters_schema(given: Any, tool: str, *, generated: bool = False) -> dict[str, JSONValue]:
    """Return the JSON schema, of type ``object``, of what a tool takes.

    Args:
        given: A schema in any dialect of this module's docstring, a list of parameters, or
            None or ``{}`` for a tool that takes nothing.
        tool: The tool's name, for error messages.
        generated: The schema was made from Python code, by Pydantic. Its titles repeat the names
            and its description repeats the function's, so they go.

    Raises:
        InvalidFunctionError: It is no JSON schema; names the place and what is wrong there.
    """
    if given is None or (isinstance(given, Mapping | list | tuple) and not given):
        return {"type": "object", "properties": {}}
    if isinstance(given, list | tuple):
        given = {"type": "object", "properties": _listed(given, tool)}
    if not isinstance(given, Mapping):
        raise InvalidFunctionError(
            f"The parameters of tool {tool!r} are {given!r:.120}. Expected a JSON schema of type "
            "object, or a list of parameters with a name each."
        )
    if _ROOT_KEYWORDS.isdisjoint(given):
        raise InvalidFunctionError(
            f"The parameters of tool {tool!r} are no JSON schema: none of the keys "
            f"{list(given)!r:.120} is one of its keywords. Put parameters under 'properties'."
        )
    try:
        rules = _Rules(generated=generated, keeps_items_lists="$schema" in given)
        schema = _object_schema(_normalised(given, rules), tool)
        schema.pop("nullable", None)  # a call always has arguments
        if generated:
            schema.pop("description", None)
        check_schema(schema, tool)
    except RecursionError:
        raise InvalidFunctionError(
            f"The parameters of tool {tool!r} are nested too deeply. Describe repeating "
            "structure once under '$defs' and refer to it with '$ref'."
        ) from None
    return schema


def _listed(parameters: list[Any] | tuple[Any, ...], tool: str) -> dict[str, Any]:
    """Turn Gorilla's list of ``{"name", "description", …}`` into properties."""
    properties: dict[str, Any] = {}
    for parameter in parameters:
        name = parameter.get("name") if isinstance(parameter, Mapping) else None
        if not isinstance(name, str) or not name:
            raise InvalidFunctionError(
                f"A parameter of tool {tool!r} has no name: {parameter!r:.120}. "
                'Write {"name": …, "description": …}.'
            )
        if name in properties:
            raise InvalidFunctionError(
                f"Tool {tool!r} has two parameters named {name!r}. Rename one."
            )
        properties[name] = {key: value for key, value in parameter.items() if key != "name"}
    return properties


class _Rules(NamedTuple):
    """What depends on where a schema comes from.

    Attributes:
        generated: See ``parameters_schema``.
        keeps_items_lists: A schema that names its draft keeps the draft's form of a tuple;
            without a name it is read as draft 2020-12, where Pydantic v1's form is an error.
    """

    generated: bool
    keeps_items_lists: bool


def _normalised(schema: Mapping[str, Any], rules: _Rules) -> dict[str, JSONValue]:
    """Return a copy in JSON Schema's own words, recursively."""
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if value is None and key not in ("default", "const"):
            continue  # Not given: no other keyword may be null.
        elif key == "type":
            result.update(_typed(value, schema.get("format")))
        elif rules.generated and (key == "title" or value == _DICT_DOCSTRING):
            continue
        elif key == "$schema" and str(value).rstrip("#") == _DRAFT_4:
            result[key] = _DRAFT_7  # The nearest one that knows what _settle_limits writes.
        elif key in MAPS_OF_SCHEMAS and isinstance(value, Mapping):
            result[key] = {str(name): _inner(each, rules) for name, each in value.items()}
        elif key in LISTS_OF_SCHEMAS and isinstance(value, list | tuple):
            result[key] = [_inner(each, rules) for each in value]
        elif key in SCHEMAS:
            result[key] = _inner(value, rules)
        elif key not in ("default", "examples") or is_json(value):
            # Defaults such as NaN or a Python object only inform; JSON cannot write them.
            result[key] = _plain(value)
    if isinstance(properties := result.get("properties"), dict):
        _lift_required(result, properties)
    if isinstance(result.get("items"), list) and not rules.keeps_items_lists:
        result["prefixItems"] = result.pop("items")
        if "additionalItems" in result:
            result["items"] = result.pop("additionalItems")
    _settle_limits(result)
    _settle_enum(result)
    return result


def _inner(schema: Any, rules: _Rules) -> Any:
    if not isinstance(schema, Mapping):
        return _plain(schema)
    result = _normalised(schema, rules)
    if result.get("nullable") is True:
        del result["nullable"]
        return with_null(result)
    return result


def with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Let null through as well, as OpenAPI's ``nullable`` means it.

    Args:
        schema: Without that keyword; changed.
    """
    if not _COMPOSING.isdisjoint(schema) or {"type", "enum"}.isdisjoint(schema):
        said: dict[str, Any] = {
            key: schema.pop(key) for key in ("description", "default") if key in schema
        }
        return {"anyOf": [schema, {"type": "null"}], **said} if schema else said
    kinds, values = schema.get("type"), schema.get("enum")
    if isinstance(kinds, str | list):
        kinds = [kinds] if isinstance(kinds, str) else kinds
        schema["type"] = [*kinds, *(["null"] if "null" not in kinds else [])]
    if isinstance(values, list) and None not in values:
        schema["enum"] = [*values, None]
    return schema


def _lift_required(schema: dict[str, Any], properties: dict[str, Any]) -> None:
    """Bring ``properties`` and ``required`` into the form that the rest of the package reads."""
    required = schema.get("required", [])
    for name, each in properties.items():
        if each is True or each is False:
            properties[name] = {} if each else {"not": {}}
        # Draft 3 and Gorilla's lists say in the parameter itself that it is required.
        elif (
            isinstance(each, dict)
            and isinstance(each.get("required"), bool)
            and each.pop("required")
            and isinstance(required, list)
        ):
            required = [*required, name]
    if required:
        schema["required"] = list(dict.fromkeys(required)) if all_text(required) else required


def _settle_limits(schema: dict[str, Any]) -> None:
    """Write draft 4's ``exclusiveMinimum: true`` beside a ``minimum`` as later drafts do."""
    for exclusive, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(flag := schema.get(exclusive), bool):
            del schema[exclusive]
            if flag and limit in schema:
                schema[exclusive] = schema.pop(limit)


def _settle_enum(schema: dict[str, Any]) -> None:
    """Make a parameter possible whose ``enum`` has no value of its ``type``, as BFCL has them.

    Beside ``array`` the values are meant for the items; otherwise they stand and the type goes.
    """
    kind, values = schema.get("type"), schema.get("enum")
    if not isinstance(kind, str) or not isinstance(values, list):
        return
    if any(type(value) in _PYTHON_TYPES.get(kind, ()) for value in values):
        return
    if kind == "array" and isinstance(items := schema.get("items", {}), dict):
        schema["items"] = {**items, "enum": schema.pop("enum")}
    else:
        del schema["type"]


def _typed(words: Any, format_: Any) -> dict[str, JSONValue]:
    """Return ``type``, or ``format`` for a word that is no type, or nothing for any type."""
    if isinstance(words, str):
        if words in TYPES:
            return {"type": words}
        if (name := _json_type(words)) is not None:
            return {"type": name}
        if words.strip().lower() in _ANY_WORDS or format_ is not None:
            return {}
        return {"format": words}
    if not all_text(words):
        return {"type": _plain(words)}
    names = [_json_type(word) for word in words]
    return {} if None in names else {"type": list(dict.fromkeys(names))}


def _json_type(word: str) -> str | None:
    """Translate one type word: ``ArrayList<String>`` to ``array``; None means any value."""
    word = word.strip()
    if word.endswith("[]"):
        return "array"
    # What stands in brackets says more than JSON Schema's type does: List[int], string (ISO).
    head = re.fullmatch(r"(\w+)\s*(?:[\[<(].*)?", word, re.DOTALL)
    return _TYPE_WORDS.get(head[1].lower()) if head else None


def _object_schema(schema: dict[str, Any], tool: str) -> dict[str, JSONValue]:
    """Make sure that the whole is an object, with its properties in sight."""
    # Pydantic writes a recursive model as a reference to itself among its $defs.
    seen = set()
    while isinstance(ref := schema.get("$ref"), str) and ref.startswith("#/") and ref not in seen:
        seen.add(ref)
        try:
            target = REGISTRY.resolver_with_root(DRAFT202012.create_resource(schema)).lookup(ref)
        except Unresolvable:
            break
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**target.contents, **rest}
    kind = schema.get("type", "object")
    if kind != "object" and not (isinstance(kind, list) and "object" in kind):
        raise InvalidFunctionError(
            f"The parameters of tool {tool!r} have the type {kind!r:.120}. Expected 'object': "
            "wrap the value in an object with one property."
        )
    return {**({} if "type" in schema else {"type": "object"}), **schema, "type": "object"}


def _plain(value: Any) -> Any:
    """Copy into plain lists and dicts; what is no JSON is left for the check to name."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def is_json(value: Any) -> bool:
    """Say whether JSON can write the value."""
    if isinstance(value, str) or value is None:
        return True
    if isinstance(value, float):
        return isfinite(value)
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, TypeError):
        return False
    return True
