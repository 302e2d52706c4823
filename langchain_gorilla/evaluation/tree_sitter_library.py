"""tree-sitter's C library itself, with a grammar: the parser's runtime as it was in 2022.

Where a text is no Python, error recovery decides what its tree is, and recovery measures progress
by a count of nodes. Up to 0.20.7 all of them were counted, since then only the visible ones, so no
release of the ``tree_sitter`` package with wheels gives the trees that APIBench's scripts saw. Some
systems still have such a library: Debian 12's package ``libtree-sitter0`` is 0.20.7.
"""

import ctypes
import ctypes.util
import weakref
from functools import cache
from pathlib import Path
from typing import Any, Final

_PARSER = ctypes.c_void_p
_TREE = ctypes.c_void_p


class _Node(ctypes.Structure):
    """``TSNode`` of tree_sitter/api.h, which its functions take and give by value."""

    _fields_ = (
        ("context", ctypes.c_uint32 * 4),
        ("id", ctypes.c_void_p),
        ("tree", ctypes.c_void_p),
    )


_FUNCTIONS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "ts_parser_new": (_PARSER, ()),
    "ts_parser_delete": (None, (_PARSER,)),
    "ts_parser_set_language": (ctypes.c_bool, (_PARSER, ctypes.c_void_p)),
    "ts_parser_parse_string": (_TREE, (_PARSER, _TREE, ctypes.c_char_p, ctypes.c_uint32)),
    "ts_tree_delete": (None, (_TREE,)),
    "ts_tree_root_node": (_Node, (_TREE,)),
    "ts_node_child_count": (ctypes.c_uint32, (_Node,)),
    "ts_node_child": (_Node, (_Node, ctypes.c_uint32)),
    "ts_node_start_byte": (ctypes.c_uint32, (_Node,)),
    "ts_node_end_byte": (ctypes.c_uint32, (_Node,)),
}
"""Result and arguments of what is used."""


class TreeSitterLibrary:
    """A loaded library."""

    def __init__(self, path: str | Path) -> None:
        """Load it.

        Raises:
            OSError: It cannot be loaded.
            AttributeError: It has not tree-sitter's functions.
        """
        self.functions: Any = ctypes.CDLL(str(path))
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(self.functions, name)
            function.restype, function.argtypes = result, arguments

    @property
    def counts_all_nodes(self) -> bool:
        """Whether it is of the time before visible nodes were counted, and told on request."""
        return not hasattr(self.functions, "ts_node_descendant_count")

    def parse(self, source: bytes, language: int) -> "LibraryNode | None":
        """Parse a text.

        Args:
            source: UTF-8.
            language: Address of a compiled grammar's tables.

        Returns:
            The tree's root, or None where the grammar was made for another runtime.
        """
        parser = self.functions.ts_parser_new()
        try:
            if not self.functions.ts_parser_set_language(parser, language):
                return None
            tree = self.functions.ts_parser_parse_string(parser, None, source, len(source))
        finally:
            self.functions.ts_parser_delete(parser)
        return LibraryNode(_Tree(self.functions, tree))


class _Tree:
    """Owns a tree's memory."""

    def __init__(self, functions: Any, address: int) -> None:
        self.functions, self.address = functions, address
        weakref.finalize(self, functions.ts_tree_delete, address)


class LibraryNode:
    """A node; what ``tree_sitter.Node`` has of the same name is the same."""

    def __init__(self, tree: _Tree, node: _Node | None = None) -> None:
        """Wrap a node of a tree, its root by default."""
        self._tree = tree
        self._node = tree.functions.ts_tree_root_node(tree.address) if node is None else node

    @property
    def child_count(self) -> int:
        """How many children it has."""
        return int(self._tree.functions.ts_node_child_count(self._node))

    @property
    def children(self) -> list["LibraryNode"]:
        """Its children, in order."""
        child = self._tree.functions.ts_node_child
        return [LibraryNode(self._tree, child(self._node, at)) for at in range(self.child_count)]

    @property
    def start_byte(self) -> int:
        """Where its text begins."""
        return int(self._tree.functions.ts_node_start_byte(self._node))

    @property
    def end_byte(self) -> int:
        """Where its text ends."""
        return int(self._tree.functions.ts_node_end_byte(self._node))


@cache
def runtime_of_2022() -> TreeSitterLibrary | None:
    """Find the system's library, if it is one that counts all nodes; None without one."""
    name = ctypes.util.find_library("tree-sitter")
    if name is None:
        return None
    try:
        library = TreeSitterLibrary(name)
    except (OSError, AttributeError):
        return None
    return library if library.counts_all_nodes else None
