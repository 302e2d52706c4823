"""Python source, broken or not → tree-sitter's syntax tree, for APIBench's sub-tree matching.

The original scripts parse with a grammar of 2023 that Gorilla's repository ships compiled. This
package uses the kept-up ``tree-sitter-python`` instead. Trees agree wherever the text is Python;
where it is prose, error recovery differs between builds, and with it about one verdict in forty
of such answers. ``grammar_from`` loads a compiled grammar of your own, such as the original
``codebleu/parser/my-languages.so``, for its exact trees.
"""

import ctypes
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from langchain_gorilla.errors import GorillaError

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Parser


class GrammarError(GorillaError, ValueError):
    """There is no usable grammar of Python."""


@cache
def python_parser(grammar: Path | None = None) -> "Parser":
    """Return a parser of Python.

    Args:
        grammar: A shared library with the function ``tree_sitter_python``; None for the
            installed ``tree-sitter-python``.

    Raises:
        GrammarError: tree-sitter is not installed, or the library cannot be used.
    """
    try:
        import tree_sitter
        import tree_sitter_python
    except ImportError as error:
        raise GrammarError(
            "APIBench's paper mode needs tree-sitter: pip install 'langchain-gorilla[evaluation]'."
        ) from error
    if grammar is None:
        return tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language()))
    return tree_sitter.Parser(_language(grammar))


def _language(library: Path) -> "Language":
    import tree_sitter

    try:
        function = ctypes.CDLL(str(library)).tree_sitter_python
    except (OSError, AttributeError) as error:
        raise GrammarError(
            f"{library} is no compiled grammar of Python ({error}). Give a shared library with "
            "the function tree_sitter_python."
        ) from error
    function.restype = ctypes.c_void_p
    with warnings.catch_warnings():
        # A plain library hands out an address, not the capsule of the Python packages.
        warnings.simplefilter("ignore", DeprecationWarning)
        return tree_sitter.Language(function())


def parse(source: str, grammar: Path | None = None) -> "Node":
    """Return the root of the tree; broken source gives a tree with ERROR nodes."""
    return python_parser(grammar).parse(source.encode("utf-8", "replace")).root_node


def text_of(node: "Node") -> str:
    """Return a node's source text."""
    return (node.text or b"").decode("utf-8", "replace")
