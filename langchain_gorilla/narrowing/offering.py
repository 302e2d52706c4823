"""One request's tools: the history is read, the catalog searched, the prompt measured.

Sync and async differ in how they wait for the search and in nothing else.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from langchain_core.messages import BaseMessage, SystemMessage

from langchain_gorilla.aliases import dotted_identifier
from langchain_gorilla.binding import ToolChoice
from langchain_gorilla.errors import (
    IndexUnavailableError,
    InvalidFunctionError,
    PromptError,
    PromptTooLongError,
)
from langchain_gorilla.functions import FunctionSchema, FunctionSet
from langchain_gorilla.narrowing.selection import (
    History,
    Offer,
    OfferedTool,
    largest_fitting,
    plan_offer,
    smaller_offers,
)
from langchain_gorilla.retrieval.clauses import clauses
from langchain_gorilla.retrieval.points import Where
from langchain_gorilla.retrieval.retriever import ToolRetriever
from langchain_gorilla.retrieval.searching import SearchResult

NOTHING_FITS = "No available tool can help with this request. If it needs one, say so."
"""What the system tells a model that is offered no tool, because none fits."""


class Toolbox(Protocol):
    """Tools to choose from: a model's bound ones, or a catalog."""

    @property
    def retriever(self) -> ToolRetriever:
        """Finds them."""

    @property
    def where(self) -> Where | None:
        """Which tools of its index may be found; None is all."""

    @property
    def pinned(self) -> Sequence[str]:
        """Those that are always offered."""

    def __contains__(self, name: object) -> bool:
        """Whether a tool can be offered."""

    def everything(self) -> Sequence[str] | None:
        """Return all names to choose from where they are no more than a search may find."""

    def functions(self, names: Sequence[str]) -> list[FunctionSchema]:
        """Return what the model reads of some tools."""

    def by_words(self) -> ToolRetriever:
        """Return what searches them where their index cannot be reached."""


@dataclass(frozen=True)
class Size:
    """How much room a prompt takes.

    Attributes:
        tokens: Of the prompt.
        allowed: Most tokens that leave room for an answer; None is no limit.
        most_functions: Set where there are more functions than the model's format can write, so
            that no token was counted: how many it can.
    """

    tokens: int
    allowed: int | None
    most_functions: int | None = None

    @property
    def fits(self) -> bool:
        """Whether the prompt can be written and leaves room for an answer."""
        if self.most_functions is not None:
            return False
        return self.allowed is None or self.tokens <= self.allowed


Measure = Callable[[Sequence[FunctionSchema]], Size]
"""From the tools of a request to the size of its prompt."""


def needs_search(history: History, choice: ToolChoice) -> bool:
    """Whether this request has to search: once a human turn, and where a search can matter."""
    return bool(history.query) and choice.mode in ("auto", "any") and not choice.allowed


def search(toolbox: Toolbox, query: str) -> SearchResult:
    """Find the tools for a request; by words, with a warning, where the index is unreachable."""
    retriever, k = toolbox.retriever, _most(toolbox.retriever, query)
    try:
        return retriever.search(query, k=k, where=toolbox.where)
    except IndexUnavailableError as error:
        return _fallen_back(toolbox.by_words().search(query, k=k), error)


async def asearch(toolbox: Toolbox, query: str) -> SearchResult:
    """Like ``search``."""
    retriever, k = toolbox.retriever, _most(toolbox.retriever, query)
    try:
        return await retriever.asearch(query, k=k, where=toolbox.where)
    except IndexUnavailableError as error:
        return _fallen_back(await toolbox.by_words().asearch(query, k=k), error)


def decide(
    toolbox: Toolbox,
    history: History,
    result: SearchResult | None,
    choice: ToolChoice,
    measure: Measure,
    *,
    taken: Sequence[str] = (),
) -> Offer:
    """Decide what a request is offered, so that its prompt fits.

    Args:
        toolbox: The tools to choose from.
        history: What the conversation was offered so far.
        result: Of this turn's search; None where there was none.
        choice: What the caller demands.
        measure: How large the prompt becomes.
        taken: Names of other tools that stand in the prompt.

    Raises:
        PromptTooLongError: Not even the smallest useful offer fits; says which and why.
        PromptError: Even the smallest useful offer is more functions than the format can write.
    """
    found: tuple[OfferedTool, ...] = ()
    notes: tuple[str, ...] = ()
    abstained = False
    if result is not None:
        taken = [*taken, *toolbox.pinned, *(tool.name for tool in history.offered)]
        found, notes = _writable(toolbox, taken, _found(toolbox, result))
        notes = (*result.notes, *notes)
        # A call that is demanded needs something to call.
        free = choice.mode != "any" or bool(toolbox.pinned or history.offered)
        abstained = free and (not found or result.fits is False)
    offer = plan_offer(
        history,
        found,
        pinned=toolbox.pinned,
        forced=choice.allowed if choice.name is None else (choice.name,),
        notes=notes,
        abstained=abstained,
        pending=result is None and bool(history.query),
    )
    offers = smaller_offers(offer, searched=result is not None)
    chosen = largest_fitting(
        offers, lambda candidate: measure(toolbox.functions(candidate.names)).fits
    )
    if chosen is None:
        size = measure(toolbox.functions(offers[-1].names))
        if size.most_functions is not None:
            raise PromptError(_too_many(offers[-1], size.most_functions))
        raise PromptTooLongError(_too_long(offers[-1], size, measure([]).tokens))
    return chosen


def told(messages: Sequence[BaseMessage], offer: Offer) -> list[BaseMessage]:
    """Return what the model reads: where it is offered nothing, it is told so."""
    if offer.abstained and not offer.tools:
        return [*messages, SystemMessage(NOTHING_FITS)]
    return list(messages)


def _found(toolbox: Toolbox, result: SearchResult) -> tuple[OfferedTool, ...]:
    """Return the hits that can be offered, and after them all others where they are few."""
    found = [
        OfferedTool(hit.name, "named" if hit.named else "found", hit.score)
        for hit in result.hits
        if hit.name in toolbox
    ]
    everything = toolbox.everything() if result.fits is None else None
    names = {tool.name for tool in found}
    others = [OfferedTool(name, "found") for name in everything or () if name not in names]
    return (*found, *others)


def _writable(
    toolbox: Toolbox, taken: Sequence[str], found: Sequence[OfferedTool]
) -> tuple[tuple[OfferedTool, ...], tuple[str, ...]]:
    """Leave out what cannot stand in one prompt with better tools, and say so.

    Of thousands of tools some have names that a call would write alike, or a schema that cannot
    be written: an error would end every conversation that happens to find them.
    """
    owners = {dotted_identifier(name): name for name in taken}
    kept, notes = [], []
    for tool in found:
        owner = owners.setdefault(dotted_identifier(tool.name), tool.name)
        if owner != tool.name:
            notes.append(
                f"{tool.name!r} was found and left out, since a call would write it as {owner!r}. "
                "Rename one of them."
            )
            continue
        try:
            FunctionSet(toolbox.functions([tool.name]))
        except InvalidFunctionError as error:
            notes.append(f"{tool.name!r} was found and left out: {error}")
            continue
        kept.append(tool)
    for note in notes:
        warnings.warn(note, stacklevel=4)
    return tuple(kept), tuple(notes)


def _most(retriever: ToolRetriever, query: str) -> int:
    """Return how many tools a request may get: one more for each thing that it asks for."""
    return retriever.k + len(clauses(query))


def _fallen_back(result: SearchResult, error: IndexUnavailableError) -> SearchResult:
    note = f"Searched the bound tools by words alone: {error}"
    warnings.warn(note, stacklevel=4)
    return SearchResult(result.hits, (*result.notes, note), result.fit, result.fits)


def _too_many(offer: Offer, most: int) -> str:
    return (
        f"The model's prompt format can write {most} function{'' if most == 1 else 's'}, and this "
        f"request needs more, with {_listed(offer)}: tools that were called, pinned or forced, and "
        "an agent's own, stay beside the best one that is found. Begin a new conversation for "
        "another tool, or use a model that takes more, such as gorilla-openfunctions-v2."
    )


def _listed(offer: Offer) -> str:
    names = ", ".join(repr(name) for name in offer.names[:5])
    more = f" and {len(offer.names) - 5} more" if len(offer.names) > 5 else ""
    return f"{names}{more}"


def _too_long(offer: Offer, size: Size, without: int) -> str:
    return (
        f"Not even the fewest tools that this request needs fit: with {_listed(offer)} the prompt "
        f"has {size.tokens:,} tokens, and {size.allowed:,} leave room for an answer; without "
        f"tools it has {without:,}. Shorten the documentation of these tools or the conversation, "
        "pin fewer tools, lower max_tokens, or use a model with a larger context."
    )
