import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_gorilla.narrowing.selection import (
    MOST_TOOLS,
    OFFERED,
    History,
    OfferedTool,
    largest_fitting,
    offered_before,
    plan_offer,
    read_history,
    read_offered,
    smaller_offers,
    turn_of,
)  # fmt: skip

NAMES = "abcdefgh"


def found(names: str, reason: str = "found") -> list[OfferedTool]:
    return [OfferedTool(name, reason, 1.0 - place / 10) for place, name in enumerate(names)]


def answer(offered: list[OfferedTool] | None = None, calls: str = "") -> AIMessage:
    metadata = {} if offered is None else {OFFERED: [tool.as_data() for tool in offered]}
    return AIMessage(
        "",
        tool_calls=[{"name": name, "args": {}, "id": name} for name in calls],
        response_metadata=metadata,
    )


def reasons(history: History) -> dict[str, str]:
    return {tool.name: tool.reason for tool in history.offered}


def test_the_last_human_message_is_searched_by():
    messages = [HumanMessage("one"), AIMessage("1"), HumanMessage("two")]
    assert read_history(messages, NAMES).query == "two"


def test_without_a_human_message_the_system_is_searched_by():
    assert read_history([SystemMessage("Sort the files.")], NAMES).query == "Sort the files."


def test_within_a_human_turn_the_selection_is_made_once():
    messages = [HumanMessage("one"), answer(found("ab"), "a"), ToolMessage("1", tool_call_id="a")]
    history = read_history(messages, NAMES)
    assert history.query is None
    assert reasons(history) == {"a": "used", "b": "found"}


def test_a_turn_in_which_nothing_was_offered_is_searched_again():
    assert read_history([HumanMessage("one"), answer([])], NAMES).query == "one"


def test_a_new_turn_goes_on_from_what_the_last_answer_was_offered():
    messages = [
        HumanMessage("one"),
        answer(found("ab"), "b"),
        ToolMessage("1", tool_call_id="b"),
        answer(found("ab")),
        HumanMessage("two"),
    ]
    history = read_history(messages, NAMES)
    assert (history.query, reasons(history)) == ("two", {"a": "kept", "b": "used"})


def test_tools_called_without_a_record_stay():
    messages = [HumanMessage("one"), answer(None, "ca"), HumanMessage("two")]
    assert reasons(read_history(messages, NAMES)) == {"c": "used", "a": "used"}


def test_a_tool_that_is_gone_is_offered_no_more():
    messages = [HumanMessage("one"), answer(found("az"), "az"), HumanMessage("two")]
    assert set(reasons(read_history(messages, NAMES))) == {"a"}


def test_what_is_remembered_beside_the_messages_counts_instead_of_their_record():
    messages = [HumanMessage("one"), answer(found("ab"), "b"), HumanMessage("two")]
    history = read_history(messages, NAMES, kept=found("c"), searched=True)
    assert history.query is None
    assert reasons(history) == {"b": "used", "c": "found"}


@pytest.mark.parametrize("junk", [None, [1], [{"name": 1, "reason": "found"}], [{"name": "a"}]])
def test_a_record_that_is_something_else_is_no_record_of_tools(junk):
    message = AIMessage("", response_metadata={OFFERED: junk})
    assert not offered_before(message)


def test_a_record_reads_back_as_it_was_written():
    tools = [*found("ab"), OfferedTool("c", "pinned")]
    assert list(read_offered(tool.as_data() for tool in tools)) == tools


def test_new_tools_are_appended():
    history = History(tuple(found("ba", "kept")), "x")
    assert plan_offer(history, found("cad")).names == ("b", "a", "c", "d")


def test_pinned_tools_stand_in_front_and_forced_ones_before_found_ones():
    history = History((OfferedTool("b", "used"),), "x")
    offer = plan_offer(history, found("c"), pinned=("p",), forced=("f",))
    assert [(tool.name, tool.reason) for tool in offer.tools] == [
        ("p", "pinned"), ("b", "used"), ("f", "forced"), ("c", "found"),
    ]  # fmt: skip


def test_a_tool_found_again_keeps_its_place_and_has_its_new_score():
    history = History((OfferedTool("a", "kept", 0.1), OfferedTool("b", "used", 0.1)), "x")
    offer = plan_offer(history, [OfferedTool("b", "found", 0.9), OfferedTool("a", "found", 0.8)])
    assert offer.tools == (OfferedTool("a", "found", 0.8), OfferedTool("b", "used", 0.9))


def test_an_abstention_offers_no_found_tool_and_keeps_the_called_ones():
    history = History((OfferedTool("a", "used"),), "x")
    assert plan_offer(history, found("bc"), abstained=True).names == ("a",)


def fitting(offer, most: int, *, searched: bool = True):
    return largest_fitting(
        smaller_offers(offer, searched=searched), lambda each: len(each.tools) <= most
    )


def test_tools_leave_from_the_last_rank_up():
    offer = plan_offer(History((), "x"), found("abcd"))
    assert [fitting(offer, most).names for most in (4, 3, 2, 1)] == [
        tuple("abcd"), tuple("abc"), tuple("ab"), ("a",),
    ]  # fmt: skip


def test_unused_tools_of_earlier_turns_leave_first_and_together():
    history = History((OfferedTool("a", "kept"), OfferedTool("u", "used"), OfferedTool("b", "kept")), "x")  # fmt: skip
    offer = plan_offer(history, found("cd"))
    assert fitting(offer, 5).names == tuple("aubcd")
    assert fitting(offer, 4).names == tuple("ucd")
    assert fitting(offer, 2).names == tuple("uc")


def test_the_best_tool_found_is_never_left_out():
    assert fitting(plan_offer(History((), "x"), found("ab")), 0) is None
    history = History((OfferedTool("u", "used"),), "x")
    assert fitting(plan_offer(history, found("ab")), 1) is None


def test_later_in_a_turn_found_tools_may_leave_for_the_results():
    history = History((OfferedTool("u", "used"), *found("ab")), None)
    assert fitting(plan_offer(history), 1, searched=False).names == ("u",)


def test_pinned_forced_and_called_tools_never_leave():
    history = History((OfferedTool("u", "used"),), "x")
    offer = plan_offer(history, found("ab"), pinned=("p",), forced=("f",))
    assert fitting(offer, 4).names == ("p", "u", "f", "a")
    assert fitting(offer, 3) is None


@pytest.mark.parametrize("reason", ["kept", "found", "used", "pinned"])
def test_a_forced_tool_never_leaves_whatever_it_was_before(reason):
    history = History((OfferedTool("a", "kept"), OfferedTool("f", reason)), None)
    offer = fitting(plan_offer(history, forced=("f",)), 1, searched=False)
    assert offer.tools == (OfferedTool("f", "forced"),)


def test_there_is_a_most_that_is_offered():
    names = [f"t{place}" for place in range(2 * MOST_TOOLS)]
    history = History(tuple(OfferedTool(name, "kept") for name in names), "x")
    assert fitting(plan_offer(history, found("ab")), 1_000).names == ("a", "b")


tool_lists = st.lists(st.sampled_from(NAMES), unique=True, max_size=6)


@given(kept=tool_lists, used=tool_lists, hits=tool_lists, most=st.integers(0, 12))
def test_what_fits_is_in_order_whole_and_as_much_as_fits(kept, used, hits, most):
    history = History(
        tuple(OfferedTool(name, "used" if name in used else "kept") for name in dict.fromkeys([*kept, *used])),
        "x",
    )  # fmt: skip
    whole = plan_offer(history, found("".join(hits)))
    chosen = fitting(whole, most)
    if chosen is None:
        best = set(hits[:1]) - set(used)
        assert most < len(set(used) | best)
        return
    assert len(chosen.tools) <= most
    assert [name for name in whole.names if name in chosen.names] == list(chosen.names)
    assert set(used) <= set(chosen.names)
    assert (len(whole.tools) <= most) == (chosen == whole)


def test_a_turn_is_another_when_its_text_or_its_message_is():
    turns = [[HumanMessage("a", id="1")], [HumanMessage("b", id="1")], [HumanMessage("a", id="2")]]
    assert len({turn_of(turn) for turn in turns}) == 3
    assert turn_of([*turns[0], AIMessage("x")]) == turn_of(turns[0])


def test_what_another_agent_was_offered_is_no_selection_of_these_tools():
    messages = [HumanMessage("one"), answer(found("ax"), "x"), ToolMessage("1", tool_call_id="x")]
    assert read_history(messages, NAMES).query == "one"


def test_what_another_agent_was_offered_takes_none_of_these_tools_away():
    messages = [HumanMessage("one"), answer(found("ab")), answer(found("xy"))]
    history = read_history(messages, NAMES)
    assert history.query is None
    assert reasons(history) == {"a": "found", "b": "found"}


def test_an_answer_whose_selection_is_pending_leaves_the_turn_to_be_searched():
    offer = plan_offer(History((), "one"), forced=("a",), pending=True)
    message = AIMessage("", response_metadata=offer.metadata())
    history = read_history([HumanMessage("one"), message], NAMES)
    assert (history.query, reasons(history)) == ("one", {"a": "kept"})
