"""Which tools a request is offered, decided from the conversation and a search. No I/O.

The conversation is the memory: every answer says in ``response_metadata["tools_offered"]`` what it
was offered, and the next request goes on from there. The rules:

- The order is chronological and only appended to: a prompt whose beginning stays is read once.
- What was called stays, since its calls are in the history.
- A search is made once per human turn and agent, not per step.
- Pinned and forced tools need no search, and take the place of none.
- Where the prompt does not fit, tools leave whole: first what earlier turns were offered and did
  not use, all at once, since the order is broken anyway; then what this turn found, from the last
  rank up. The best one found stays, or the request is an error.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

OFFERED = "tools_offered"
"""Key of ``response_metadata``: what an answer was offered, as ``OfferedTool.as_data`` writes it."""

PENDING = "tools_pending"
"""Key of ``response_metadata``: True where the human turn's selection is still to be made."""

NOTES = "tools_notes"
"""Key of ``response_metadata``: what was not as asked, in words."""

MOST_TOOLS = 64
"""More than these are never offered beside pinned and called ones: choice gets worse, not better."""

Reason = Literal["pinned", "forced", "named", "found", "used", "kept"]


@dataclass(frozen=True)
class OfferedTool:
    """A tool that a request is offered, and why.

    Attributes:
        name: Its true name.
        reason: ``pinned``: by the caller; ``forced``: ``tool_choice`` names it; ``named``: the
            request does; ``found``: by this turn's search; ``used``: called in the history;
            ``kept``: offered in an earlier turn.
        score: Of the search that found it; None where none did.
    """

    name: str
    reason: Reason
    score: float | None = None

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON carries it."""
        score = None if self.score is None else round(self.score, 4)
        return {"name": self.name, "reason": self.reason, "score": score}


@dataclass(frozen=True)
class History:
    """What a conversation says about its tools.

    Attributes:
        offered: In chronological order; called ones have the reason ``used``.
        query: What to search by; None where this human turn's selection is made.
    """

    offered: tuple[OfferedTool, ...]
    query: str | None


@dataclass(frozen=True)
class Offer:
    """The tools of one request.

    Attributes:
        tools: In the order of the prompt.
        found: Names that this turn's search found, best first.
        notes: What was not as asked, in words for a person.
        abstained: Nothing in the catalog fits the request.
        pending: This human turn's selection is still to be made, as where ``tool_choice`` named
            a tool, or none, before any search.
    """

    tools: tuple[OfferedTool, ...]
    found: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    abstained: bool = False
    pending: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in their order."""
        return tuple(tool.name for tool in self.tools)

    def metadata(self) -> dict[str, Any]:
        """Return what ``response_metadata`` says of it."""
        said: dict[str, Any] = {OFFERED: [tool.as_data() for tool in self.tools]}
        if self.pending:
            said[PENDING] = True
        if self.notes:
            said[NOTES] = list(self.notes)
        return said

    def without(self, names: Container[str]) -> "Offer":
        """Return it without some tools."""
        return replace(self, tools=tuple(tool for tool in self.tools if tool.name not in names))


def read_history(
    messages: Sequence[BaseMessage],
    known: Container[object],
    *,
    kept: Sequence[OfferedTool] | None = None,
    searched: bool = False,
) -> History:
    """Read what a conversation was offered and called so far.

    Args:
        messages: The whole conversation.
        known: The tools that can be offered; others in the history are gone.
        kept: What was offered before, where that is remembered beside the messages; None reads
            what the answers themselves say.
        searched: Whether ``kept`` holds a selection for the last human message.
    """
    turn = _last_human(messages)
    offered = {tool.name: tool for tool in kept or ()}
    used: dict[str, OfferedTool] = {}
    for position, message in enumerate(messages):
        if not isinstance(message, AIMessage):
            continue
        if kept is None and (recorded := offered_before(message)) is not None:
            # Each answer's list goes on from the one before, or left something out on purpose;
            # an agent with other tools did neither, and made no selection among these. Nothing
            # may have been offered by either: searching once more costs less than no tool.
            ours = bool(recorded) and all(tool.name in known for tool in recorded)
            offered = {**({} if ours else offered), **{tool.name: tool for tool in recorded}}
            pending = message.response_metadata.get(PENDING) is True
            searched = searched or (position > turn and ours and not pending)
        for call in message.tool_calls:
            used[call["name"]] = OfferedTool(call["name"], "used")
            offered.setdefault(call["name"], used[call["name"]])
    tools = [
        replace(tool, reason=_reason_now(tool, used, searched=searched))
        for tool in {**used, **offered}.values()
        if tool.name in known
    ]
    return History(tuple(tools), None if searched else _query(messages, turn))


def plan_offer(
    history: History,
    found: Iterable[OfferedTool] = (),
    *,
    pinned: Sequence[str] = (),
    forced: Sequence[str] = (),
    notes: Sequence[str] = (),
    abstained: bool = False,
    pending: bool = False,
) -> Offer:
    """Decide what a request is offered, before it is known what fits.

    Args:
        history: From ``read_history``.
        found: By this turn's search, best first.
        pinned: Always offered, in front.
        forced: The tools that ``tool_choice`` names.
        notes: Of the search.
        abstained: The search found nothing that fits; ``found`` is left out then.
        pending: See ``Offer``.
    """
    found = () if abstained else tuple(found)
    tools = {name: OfferedTool(name, "pinned") for name in pinned}
    for tool in history.offered:
        tools.setdefault(tool.name, tool)
    # Whatever they were before: they may not leave.
    tools |= {name: OfferedTool(name, "forced") for name in forced}
    for tool in found:
        before = tools.get(tool.name)
        if before is None or before.reason == "kept":
            tools[tool.name] = tool
        else:
            tools[tool.name] = replace(before, score=tool.score)
    names = tuple(tool.name for tool in found)
    if not found and history.query is None:
        ranked = [tool for tool in tools.values() if tool.reason in ("named", "found")]
        names = tuple(tool.name for tool in sorted(ranked, key=lambda tool: -(tool.score or 0.0)))
    return Offer(tuple(tools.values()), names, tuple(notes), abstained, pending)


def smaller_offers(offer: Offer, *, searched: bool) -> tuple[Offer, ...]:
    """Return the offers to try, from the whole one to the smallest that is of use.

    Args:
        offer: From ``plan_offer``.
        searched: This request made the search, so that its best tool has to stay.
    """
    stale = {tool.name for tool in offer.tools if tool.reason == "kept"}
    droppable = [
        name
        for name in offer.found
        if any(tool.name == name and tool.reason in ("named", "found") for tool in offer.tools)
    ]
    offers = [offer]
    gone = set(stale)
    if stale:
        offers.append(offer.without(frozenset(gone)))
    least = 1 if searched and droppable and droppable[0] == offer.found[0] else 0
    for name in reversed(droppable[least:]):
        gone.add(name)
        offers.append(offer.without(frozenset(gone)))
    return tuple(offers)


def largest_fitting(offers: Sequence[Offer], fits: Callable[[Offer], bool]) -> Offer | None:
    """Return the first offer that fits; None where not even the smallest does.

    Args:
        offers: From ``smaller_offers``, each smaller than the one before.
        fits: Whether the prompt with an offer leaves room for an answer.
    """

    def allowed(offer: Offer) -> bool:
        free = sum(tool.reason in ("named", "found", "kept") for tool in offer.tools)
        return free <= MOST_TOOLS and fits(offer)

    if allowed(offers[0]):
        return offers[0]
    place = bisect_left(range(len(offers)), True, lo=1, key=lambda place: allowed(offers[place]))
    return offers[place] if place < len(offers) else None


def offered_before(message: AIMessage) -> tuple[OfferedTool, ...] | None:
    """Return what an answer says it was offered; None where it says nothing."""
    recorded = message.response_metadata.get(OFFERED)
    return read_offered(recorded) if isinstance(recorded, list) else None


def read_offered(recorded: Iterable[Any]) -> tuple[OfferedTool, ...]:
    """Read back what ``OfferedTool.as_data`` wrote; what is no such thing is left out."""
    return tuple(
        OfferedTool(entry["name"], entry["reason"], entry.get("score"))
        for entry in recorded
        if isinstance(entry, Mapping)
        and isinstance(entry.get("name"), str)
        and entry.get("reason") in get_args(Reason)
    )


def turn_of(messages: Sequence[BaseMessage]) -> str:
    """Name the last human turn: its message's id and text, so that an edited one is another."""
    position = _last_human(messages)
    said = f"{messages[position].id} {messages[position].text}" if position >= 0 else ""
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16]


def _reason_now(tool: OfferedTool, used: Container[str], *, searched: bool) -> Reason:
    """Return why a tool of the history is offered again."""
    if tool.name in used:
        return "used"
    # Within one turn a tool stays found; pins and forces are said anew by each request.
    return tool.reason if searched and tool.reason in ("named", "found") else "kept"


def _last_human(messages: Sequence[BaseMessage]) -> int:
    """Return the position of the last human message; -1 where there is none."""
    return next(
        (
            position
            for position in range(len(messages) - 1, -1, -1)
            if isinstance(messages[position], HumanMessage)
        ),
        -1,
    )


def _query(messages: Sequence[BaseMessage], turn: int) -> str:
    """Return the last human message; without one, what the system says."""
    if turn >= 0:
        return messages[turn].text
    return "\n".join(message.text for message in messages if isinstance(message, SystemMessage))
