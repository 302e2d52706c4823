"""How a name is written where it cannot stand as it is: in Python code, on OpenAI's servers.

Every function here gives a name back unchanged where it can stand. Two names may come out the
same; ``FunctionSet`` finds such collisions and keeps the way back.
"""

import hashlib
import keyword
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from langchain_gorilla.calls import JSONValue

_OPENAI_NAME_LENGTH: Final = 64


def identifier(name: str) -> str:
    """Return a name that Python reads as one identifier: ``$top`` to ``_top``.

    Python folds identifiers to NFKC as it reads them, so an alias is folded from the start.
    """
    if _is_plain_identifier(name):
        return name
    text = "".join(
        character if f"_{character}".isidentifier() else "_"
        for character in unicodedata.normalize("NFKC", name)
    )
    if not text.isidentifier():
        text = f"_{text}"
    return f"{text}_" if keyword.iskeyword(text) else text


def dotted_identifier(name: str) -> str:
    """Return a name that Python reads as an attribute: ``git-hub.from`` to ``git_hub.from_``."""
    if _is_plain_identifier(name):
        return name
    return ".".join(map(identifier, unicodedata.normalize("NFKC", name).split(".")))


def openai_name(name: str) -> str:
    """Return a name of the form ``[A-Za-z0-9_-]{1,64}``; a long one ends in a digest of it."""
    text = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    if len(text) <= _OPENAI_NAME_LENGTH:
        return text
    # Long names differ at their ends most often, which the cut would lose.
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{text[: _OPENAI_NAME_LENGTH - len(digest) - 1]}_{digest}"


def rename_properties(
    schema: Mapping[str, JSONValue], names: Mapping[str, str]
) -> dict[str, JSONValue]:
    """Return the schema of an object whose properties have new names; order is kept.

    Args:
        schema: Renamed wherever it speaks of the object's own properties: ``required``,
            conditions and references into ``#/properties`` included. Objects inside it keep
            their names.
        names: Old name to new name.
    """
    return {key: _references(value, names) for key, value in _own(schema, names).items()}


def _is_plain_identifier(name: str) -> bool:
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name)


def _own(schema: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Rename in every keyword that applies to the object itself."""
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "required":
            value = _list(value, names)
        elif key == "properties":
            value = {names.get(name, name): each for name, each in value.items()}
        elif key in ("dependentRequired", "dependentSchemas", "dependencies"):
            value = {
                names.get(name, name): _list(each, names)
                if isinstance(each, list)
                else _own(each, names)
                if isinstance(each, Mapping)
                else each
                for name, each in value.items()
            }
        elif key in ("allOf", "anyOf", "oneOf"):
            value = [_own(each, names) if isinstance(each, Mapping) else each for each in value]
        elif key in ("not", "if", "then", "else") and isinstance(value, Mapping):
            value = _own(value, names)
        result[key] = value
    return result


def _list(names: list[str], new: Mapping[str, str]) -> list[str]:
    return [new.get(name, name) for name in names]


def _references(value: Any, names: Mapping[str, str]) -> Any:
    """Follow the new names in references such as ``#/properties/$top``."""
    if isinstance(value, list):
        return [_references(each, names) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: _pointer(each, names)
        if key == "$ref" and isinstance(each, str)
        else _references(each, names)
        for key, each in value.items()
    }


def _pointer(reference: str, names: Mapping[str, str]) -> str:
    if not reference.startswith("#/properties/"):
        return reference
    root, properties, name, *rest = reference.split("/")
    name = unquote(name).replace("~1", "/").replace("~0", "~")
    # A name that does not change keeps its spelling: only identifiers need no escapes.
    return "/".join([root, properties, names[name], *rest]) if name in names else reference
