"""Which schemas of a description apply themselves to the same value without end.

A schema may refer to itself inside its properties or items: the value then gets smaller with each
step. A schema that reaches itself through ``allOf``, ``anyOf``, ``oneOf``, ``not`` or a bare
``$ref`` never ends. OpenAPI's way to write a family of types makes such circles: the parent lists
its children in ``oneOf``, and every child has the parent in its ``allOf``.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias, TypeVar

_Node = TypeVar("_Node", bound=Hashable)
_CHOICES: Final = ("anyOf", "oneOf")
_SINGLE: Final = ("not", "if", "then", "else")

Way: TypeAlias = Literal["own", "all_of", "choice"]
"""How a part of a schema applies to the same value: as the schema itself, through ``allOf``
alone, or through something that is one case of several."""


def through(way: Way, keyword: str) -> Way:
    """Return the way of a keyword's part inside a part of this way."""
    return "all_of" if keyword == "allOf" and way != "choice" else "choice"


def same_value_references(schema: Any) -> Iterator[tuple[str, Way]]:
    """Yield the references of a schema that apply to the same value as it does."""
    stack: list[tuple[Any, Way]] = [(schema, "own")]
    while stack:
        node, way = stack.pop()
        if not isinstance(node, Mapping):
            continue
        if isinstance(reference := node.get("$ref"), str):
            yield reference, way
        for keyword in ("allOf", *_CHOICES):
            if isinstance(parts := node.get(keyword), list):
                stack += [(part, through(way, keyword)) for part in parts]
        stack += [(node[keyword], "choice") for keyword in _SINGLE if keyword in node]


class Circles:
    """The circles of one graph, found as far as it is asked about; linear in what is reached."""

    def __init__(self, edges: Callable[[_Node], Iterable[_Node]]) -> None:
        """Take the graph: node to the nodes that it leads to."""
        self._edges: Callable[[Any], Iterable[Any]] = edges
        self._circle: dict[Any, int] = {}
        self._loops: set[Any] = set()

    def closes(self, source: _Node, target: _Node) -> bool:
        """Say whether an edge from one node to another is part of a circle."""
        if source not in self._circle:
            self._visit(source)
        if source == target:
            return source in self._loops
        return self._circle.get(source) == self._circle.get(target, -1)

    def _visit(self, start: Any) -> None:
        """Number the strongly connected parts below a node, after Tarjan, without recursion."""
        index: dict[Any, int] = {}
        low: dict[Any, int] = {}
        open_: list[Any] = []
        is_open: set[Any] = set()
        work: list[tuple[Any, Iterator[Any]]] = []

        def enter(node: Any) -> None:
            index[node] = low[node] = len(index)
            open_.append(node)
            is_open.add(node)
            work.append((node, iter(self._edges(node))))

        enter(start)
        while work:
            node, rest = work[-1]
            for target in rest:
                if target == node:
                    self._loops.add(node)
                if target in self._circle:
                    continue
                if target not in index:
                    enter(target)
                    break
                if target in is_open:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    number = len(self._circle)
                    while True:
                        member = open_.pop()
                        is_open.discard(member)
                        self._circle[member] = number
                        if member == node:
                            break
