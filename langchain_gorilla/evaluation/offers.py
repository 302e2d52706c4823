"""Which functions does the model see for a case? The seam between evaluation and retrieval.

``none`` offers the whole catalog, ``oracle`` only what the right answer calls, and a retriever
what it finds for the question in an index of the catalog.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.evaluation.cases import Case
from langchain_gorilla.evaluation.scoring import called_by_the_right_answer

if TYPE_CHECKING:
    from langchain_gorilla.retrieval.collection import ToolIndex

RetrieverName: TypeAlias = Literal["none", "bm25", "dense", "hybrid", "oracle"]

Function: TypeAlias = Mapping[str, Any]
Offer: TypeAlias = Callable[[Case, Sequence[Function]], Sequence[Function]]
"""(case, catalog) → the functions to bind. The catalog holds the case's own functions."""


@contextmanager
def offering(
    retriever: RetrieverName, *, top_k: int = 5, embedder: str | Path | None = None
) -> Iterator[Offer]:
    """Give how a retriever chooses functions; its index lives as long as the context.

    Args:
        retriever: ``bm25`` needs no embedder; ``dense`` compares vectors only, ``hybrid`` both.
        top_k: Functions that a retriever offers.
        embedder: Directory of a sentence encoder, as for ``LocalEmbeddings``.

    Raises:
        UnsupportedOptionError: The retriever needs an embedder.
    """
    if retriever == "none":
        yield _whole_catalog
        return
    if retriever == "oracle":
        yield _right_functions
        return
    if retriever != "bm25" and embedder is None:
        raise UnsupportedOptionError(
            f"--retriever {retriever} compares vectors, so it needs a sentence encoder. Pass "
            "--embedder DIR, a directory with config.json, tokenizer.json and weights of "
            "all-MiniLM-L6-v2 or its kin, or use --retriever bm25."
        )
    # Here, not above: evaluating without a retriever needs no Qdrant.
    from langchain_gorilla.retrieval.collection import ToolIndex
    from langchain_gorilla.retrieval.embedding import LocalEmbeddings

    options: dict[str, Any] = {}
    if retriever != "bm25" and embedder is not None:
        options["embeddings"] = LocalEmbeddings(embedder)
    if retriever == "dense":
        options["lexical_weight"] = 0.0
    with (
        tempfile.TemporaryDirectory(prefix="gorilla-eval-") as folder,
        ToolIndex.in_folder(folder, **options) as index,
    ):
        yield _Retrieved(index, top_k)


class _Retrieved:
    """Offers what an index of the case's catalog finds for the question."""

    def __init__(self, index: "ToolIndex", top_k: int) -> None:
        self.index = index
        self.top_k = top_k
        self.indexed: list[Function] = []

    def __call__(self, case: Case, catalog: Sequence[Function]) -> Sequence[Function]:
        by_name = {function["name"]: function for function in catalog}
        # Names do not tell: two cases may document one name differently.
        if self.indexed != list(catalog):
            # Catalogs of neighbouring cases are alike, so little is embedded anew.
            self.index.sync(ToolCatalog([dict(function) for function in catalog]))
            self.indexed = list(catalog)
        hits = self.index.search(str(case.messages[-1]["content"]), k=self.top_k).hits
        return [by_name[hit.name] for hit in hits]


def catalogs(cases: Sequence[Case], size: int | None) -> Callable[[Case], list[Function]]:
    """Return a function from case to catalog: its own functions and others', ``size`` in all.

    The others come from the following cases, wrapping around, one of each name; so a catalog is
    the same in every run on the same cases. None adds no others.

    Raises:
        UnsupportedOptionError: ``size`` is more than there are functions.
    """
    pool: dict[str, Function] = {}
    first_of: dict[str, int] = {}
    for case in cases:
        first_of[case.id] = len(pool)
        for function in case.functions:
            pool.setdefault(function["name"], function)
    if size is not None and size > len(pool):
        raise UnsupportedOptionError(
            f"--catalog-size {size}: these cases hold {len(pool)} functions of different names."
        )
    others = list(pool.values())

    def catalog(case: Case) -> list[Function]:
        offered = {function["name"]: function for function in case.functions}
        start = first_of[case.id]
        for other in (*others[start:], *others[:start]):
            if len(offered) >= (size or 0):
                break
            offered.setdefault(other["name"], other)
        return list(offered.values())

    return catalog


def _whole_catalog(case: Case, catalog: Sequence[Function]) -> Sequence[Function]:
    return catalog


def _right_functions(case: Case, catalog: Sequence[Function]) -> Sequence[Function]:
    """Return what the right answer calls; where nothing is to be called, the case's functions."""
    called = called_by_the_right_answer(case)
    return [function for function in case.functions if function["name"] in called] or list(
        case.functions
    )
