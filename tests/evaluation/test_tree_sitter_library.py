"""A system's tree-sitter library, read as the Python package reads its own."""

import ctypes.util
import sys
from pathlib import Path

import pytest

from langchain_gorilla.evaluation import python_trees
from langchain_gorilla.evaluation.python_trees import Node, parse
from langchain_gorilla.evaluation.tree_sitter_library import (
    LibraryNode,
    TreeSitterLibrary,
    runtime_of_2022,
)

needs_both = pytest.mark.skipif(
    sys.version_info >= (3, 12) or runtime_of_2022() is None,
    reason="needs a system's libtree-sitter up to 0.20.7 and the old grammar",
)


def spans(node: Node) -> tuple[object, ...]:
    assert node.child_count == len(node.children)
    return (node.start_byte, node.end_byte, *map(spans, node.children))


@needs_both
def test_trees_of_python_are_those_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "model = hub.load('ü', f(1, k=[2, 3]))\nif model:\n    print(model)"
    theirs = parse(source)
    assert isinstance(theirs.root, LibraryNode)
    monkeypatch.setattr(python_trees, "runtime_of_2022", lambda: None)
    ours = parse(source)
    assert not isinstance(ours.root, LibraryNode)
    assert spans(theirs.root) == spans(ours.root)


@needs_both
def test_a_node_outlives_the_tree_it_was_asked_from() -> None:
    first = parse("a = 1").root.children[0].children[0]
    assert [child.end_byte for child in first.children] == [1, 3, 5]


@needs_both
def test_a_grammar_of_another_runtime_gives_nothing() -> None:
    library = runtime_of_2022()
    assert library is not None
    # The tables begin with the version of the interface; 99 is none that any runtime knows.
    tables = (ctypes.c_uint32 * 64)(99)
    assert library.parse(b"a", ctypes.addressof(tables)) is None


def test_without_the_systems_library_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for found in (None, "no_such_library.so", ctypes.util.find_library("c")):
        monkeypatch.setattr(ctypes.util, "find_library", lambda _, found=found: found)
        assert runtime_of_2022.__wrapped__() is None


def test_a_library_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "no.so").write_bytes(b"no library")
    with pytest.raises(OSError, match=r"no\.so"):
        TreeSitterLibrary(tmp_path / "no.so")
