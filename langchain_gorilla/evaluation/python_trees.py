r"""Python source, broken or not → tree-sitter's syntax tree, for APIBench's sub-tree matching.

The original scripts parse with a grammar of early 2023 and a runtime of its time. Trees agree with
those of any other wherever the text is Python. Where it is prose, error recovery decides, and that
depends on the grammar's tables and the runtime's counting, so the nearest ones at hand are used:

1. The tables of ``tree-sitter-languages`` 1.5 to 1.8, which are the original ones, in the system's
   tree-sitter library of that time (``tree_sitter_library``: Debian 12's ``libtree-sitter0``): all
   795 acceptance verdicts and the table to the last digit, as with ``tree_sitter`` 0.20.1.
2. The same tables in the ``tree_sitter`` package, 0.23 or 0.24: all verdicts but 3, and all but 9
   of the 8,720 recorded answers. ``tree-sitter-languages`` ended in 2024 and has wheels for Python
   to 3.11.
3. The kept-up ``tree-sitter-python``: all but 8, and all but 30. It drops a stray backslash alone
   where the old one took the next character with it; many answers are code with escaped quotes,
   ``load(\"a/b\")``, and the quote left behind would begin a string that swallows the call.
   ``as_skipped_in_2023`` blanks out what the old one skipped.

A compiled grammar of your own (``grammar``) takes the place of the tables.
"""

import ctypes
import importlib.util
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from langchain_gorilla.errors import GorillaError
from langchain_gorilla.evaluation.tree_sitter_library import runtime_of_2022

if TYPE_CHECKING:
    from tree_sitter import Language, Parser


class GrammarError(GorillaError, ValueError):
    """There is no usable grammar of Python."""


@cache
def grammar_of_2023() -> Path | None:
    """Find the compiled grammars of ``tree-sitter-languages`` 1.5 to 1.8; None without them."""
    found = importlib.util.find_spec("tree_sitter_languages")
    if found is None or found.origin is None:
        return None
    major, minor = metadata.version("tree-sitter-languages").split(".")[:2]
    libraries = sorted(Path(found.origin).parent.glob("languages.*"))
    is_old = int(major) == 1 and int(minor) <= 8
    return libraries[0] if libraries and is_old else None


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
    return _parser(_language(grammar), grammar)


def _language(library: Path) -> "Language":
    import tree_sitter

    with warnings.catch_warnings():
        # A plain library hands out an address, not the capsule of the Python packages.
        warnings.simplefilter("ignore", DeprecationWarning)
        return tree_sitter.Language(_tables(library))


@cache
def _tables(library: Path) -> int:
    """Return the address of a compiled grammar's tables."""
    try:
        function = ctypes.CDLL(str(library)).tree_sitter_python
    except (OSError, AttributeError) as error:
        raise GrammarError(
            f"{library} is no compiled grammar of Python ({error}). Give a shared library with "
            "the function tree_sitter_python."
        ) from error
    function.restype = ctypes.c_void_p
    return int(function())


def _parser(language: "Language", library: Path) -> "Parser":
    import tree_sitter

    try:
        return tree_sitter.Parser(language)
    except ValueError as error:
        raise GrammarError(
            f"{library} was compiled from sources that tree-sitter cannot use ({error}). Those of "
            "tree-sitter-python 0.20 and later fit."
        ) from error


class Node(Protocol):
    """What is asked of a node; offsets are those of UTF-8."""

    @property
    def child_count(self) -> int:
        """How many children it has."""

    @property
    def children(self) -> "Sequence[Node]":
        """Its children, in order."""

    @property
    def start_byte(self) -> int:
        """Where its text begins."""

    @property
    def end_byte(self) -> int:
        """Where its text ends."""


@dataclass(frozen=True)
class PythonTree:
    """A tree and the text that it was parsed from.

    Attributes:
        root: Broken source gives a tree with ERROR nodes.
        source: UTF-8; nodes' offsets count its bytes.
    """

    root: Node
    source: bytes

    def text_of(self, node: Node) -> str:
        """Return a node's source text."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")


def parse(source: str, grammar: Path | None = None) -> PythonTree:
    """Parse a text as the original scripts did, with ``grammar`` or the nearest one at hand."""
    grammar = grammar or grammar_of_2023()
    if grammar and (root := _old_root(source, grammar)):
        return PythonTree(root, _utf8(source))
    # A grammar of one's own is taken for an old one, which skips by itself.
    read = as_skipped_in_2023(source) if grammar is None else source
    tree = python_parser(grammar).parse(_utf8(read))
    return PythonTree(tree.root_node, _utf8(source))


def _old_root(source: str, grammar: Path) -> Node | None:
    runtime = runtime_of_2022()
    return runtime.parse(_utf8(source), _tables(grammar)) if runtime else None


def parser_at_hand(grammar: Path | None = None) -> str:
    """Say what ``parse`` reads with, and how near that is to what the paper's scripts read with."""
    tables = grammar or grammar_of_2023()
    if tables is None:
        return "tree-sitter-python, newer than the scripts' grammar: 30 of 8,720 answers differ"
    named = f"the grammar {grammar}" if grammar else "the scripts' grammar"
    if _old_root("", tables):
        return f"{named}, in a tree-sitter library of their time"
    near = "" if grammar else ": 9 of 8,720 answers differ (none with Debian 12's libtree-sitter0)"
    return f"{named}, in a newer tree-sitter than the scripts had{near}"


_STRAY_BACKSLASH = re.compile(
    r"""
      \"{3} (?:\\.|[^\\])*? (?:\"{3}|\Z)   # a string, ended or not, keeps its backslashes
    | '{3} (?:\\.|[^\\])*? (?:'{3}|\Z)
    | \"   (?:\\.|[^"\\\n])* \"?
    | '    (?:\\.|[^'\\\n])* '?
    | \#   [^\n]*                          # so does a comment
    | (?: \\(?!\r?\n) (?P<taken>.) | [?$] )
      (?: \s* \\(?!\r?\n) )?               # while it skips already, a backslash takes nothing
    """,
    re.DOTALL | re.VERBOSE,
)
_NO_TOKEN = "?"


def as_skipped_in_2023(source: str) -> str:
    """Replace stray backslashes, and the characters they took, by what any grammar skips.

    Returns:
        Text of the same length in UTF-8, so that offsets stay.
    """
    return _STRAY_BACKSLASH.sub(_blanked, source)


def _blanked(match: re.Match[str]) -> str:
    taken = match["taken"]
    if taken is None:
        return match.group()
    return " " + _NO_TOKEN * len(_utf8(taken)) + match.group()[2:]


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")
