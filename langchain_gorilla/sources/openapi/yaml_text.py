"""YAML as OpenAPI means it: JSON's values, in time that grows with the text.

OpenAPI allows YAML's JSON schema only, but PyYAML reads YAML 1.1: ``on`` and ``no`` as truth
values, ``2024-01-01`` as a date, ``12:30`` as a number to the base 60, ``200:`` as a number for a
key. Here those are the strings that they look like.
"""

import math
import re
from collections.abc import Hashable
from typing import Any, Final

import yaml

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # PyYAML built without libyaml: the same, ten times slower.
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

_MERGE: Final = "tag:yaml.org,2002:merge"


class _JSONLoader(_SafeLoader):
    """Loads what JSON can hold."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - how PyYAML declares it

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping whose keys are the texts that they are written as."""
        if isinstance(node, yaml.MappingNode):
            self.flatten_mapping(node)
        found: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "expected a plain key", key_node.start_mark
                )
            found[key_node.value] = self.construct_object(value_node, deep=deep)
        return found


def _number(loader: Any, node: Any) -> Any:
    text = node.value
    number = float(text)
    # JSON has no infinity; the text at least says what was meant.
    return number if math.isfinite(number) else text


_RESOLVERS: Final = (
    ("tag:yaml.org,2002:null", r"(?:~|null|Null|NULL|)$", "~nN\0"),
    ("tag:yaml.org,2002:bool", r"(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("tag:gorilla,json:int", r"[-+]?(?:0|[1-9][0-9]{0,300})$", "-+0123456789"),
    (
        "tag:gorilla,json:float",
        r"[-+]?(?:(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)$",
        "-+.0123456789",
    ),
    (_MERGE, r"<<$", "<"),
)
for _tag, _pattern, _first in _RESOLVERS:
    _JSONLoader.add_implicit_resolver(
        _tag, re.compile(_pattern), ["" if each == "\0" else each for each in _first]
    )
_JSONLoader.add_constructor("tag:gorilla,json:int", lambda loader, node: int(node.value))
_JSONLoader.add_constructor("tag:gorilla,json:float", _number)
# An explicit tag, such as !!timestamp, stays text too.
for _kind in ("timestamp", "binary"):
    _JSONLoader.add_constructor(f"tag:yaml.org,2002:{_kind}", lambda loader, node: node.value)


def load_yaml(text: str) -> Any:
    """Return the value of a YAML text.

    Raises:
        yaml.YAMLError: It is no YAML, or holds more than JSON can.
        RecursionError: It is nested too deeply.
    """
    return yaml.load(text, Loader=_JSONLoader)


def expanded_nodes(value: Any) -> int:
    """Count the nodes of a loaded value, each as often as an alias repeats it.

    Linear in the text, even where the count is not.

    Raises:
        RecursionError: An alias stands inside what it names, or the nesting is too deep.
    """
    counts: dict[int, int] = {}
    open_: set[int] = set()

    def count(node: Any) -> int:
        if not isinstance(node, dict | list):
            return 1
        if (known := counts.get(id(node))) is not None:
            return known
        if id(node) in open_:
            raise RecursionError("An alias stands inside what it names.")
        open_.add(id(node))
        inside = node.values() if isinstance(node, dict) else node
        counts[id(node)] = total = 1 + sum(map(count, inside))
        open_.discard(id(node))
        return total

    return count(value)
