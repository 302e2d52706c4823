"""Which functions does the model see for a case? The seam between evaluation and retrieval.

``none`` offers the whole catalog and ``oracle`` only what the right answer calls. A retriever is
one more ``Offer``: the retrieval room adds its own by ``offer_for``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.evaluation.cases import Case

RetrieverName: TypeAlias = Literal["none", "bm25", "dense", "hybrid", "oracle"]

Function: TypeAlias = Mapping[str, Any]
Offer: TypeAlias = Callable[[Case, Sequence[Function]], Sequence[Function]]
"""(case, catalog) → the functions to bind. The catalog holds the case's own functions."""


def offer_for(retriever: RetrieverName) -> Offer:
    """Return how a retriever chooses functions.

    Raises:
        UnsupportedOptionError: This retriever's room is not in the package yet.
    """
    offers: dict[str, Offer] = {"none": _whole_catalog, "oracle": _right_functions}
    if retriever in offers:
        return offers[retriever]
    raise UnsupportedOptionError(
        f"--retriever {retriever} needs the retrieval room, which this version does not have yet. "
        "Use none (every function of the catalog) or oracle (those of the right answer)."
    )


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
    called = {name for answer in case.possible_answers for name in answer}
    return [function for function in case.functions if function["name"] in called] or list(
        case.functions
    )
