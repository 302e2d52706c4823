import keyword
import re
from random import Random

import pytest

from langchain_gorilla.training.concepts import Concept, Parameter, written_concepts
from langchain_gorilla.training.conversations import Conversations
from langchain_gorilla.training.documents import OfferedFunction, Style, offer, options
from langchain_gorilla.training.plain_questions import (
    follow_up,
    lead,
    once_more,
    one_call,
    several_calls,
    words_of,
)
from langchain_gorilla.training.questions import Asker
from langchain_gorilla.training.requests import Requests
from langchain_gorilla.training.values import Values

STYLE = Style(langchain=False, described=True)


def functions(seed: int) -> list[OfferedFunction]:
    values = Values(Random(seed))
    return [offer(values, one, STYLE) for one in written_concepts()[seed::40] if one.parameters]


@pytest.mark.parametrize("seed", range(4))
def test_a_question_for_one_call_has_a_place_for_every_value(seed: int) -> None:
    for function in functions(seed):
        request = lead(Random(seed), function)
        if request is None:
            continue
        text = one_call(Random(seed), request, function.slots)
        found = re.findall(r"\{(\w+)\}", text)
        assert sorted(found) == sorted(slot.parameter.key for slot in function.slots), text


@pytest.mark.parametrize("seed", range(12))
def test_a_question_for_several_calls_tells_every_value_once(seed: int) -> None:
    function = next(one for one in functions(seed % 4) if len(one.slots) > 2)
    *changing, still = function.slots
    rows = [
        {slot.parameter.key: f"V{row}{column}W" for column, slot in enumerate(changing)}
        for row in range(3)
    ]
    text = several_calls(Random(seed), "Compute it", changing, {"place": "FIXED"}, rows)
    for value in ["FIXED", *(value for row in rows for value in row.values())]:
        assert text.count(value) == 1, (still, text)
    more = once_more(Random(seed), changing, rows[1], bare=False)
    assert all(more.count(value) == 1 for value in rows[1].values())


def test_a_value_that_could_be_of_two_parameters_is_told_with_its_name() -> None:
    slot = next(slot for one in functions(0) for slot in one.slots)
    row = {slot.parameter.key: "V0"}
    told, short = (
        [once_more(Random(seed), [slot], row, bare=bare) for seed in range(40)]
        for bare in (False, True)
    )
    assert all(words_of(slot) in one for one in told)
    assert not all(words_of(slot) in one for one in short)


def test_a_follow_up_names_its_parameter_where_neither_value_nor_place_says_it() -> None:
    slot = next(slot for one in functions(0) for slot in one.slots)
    asked = [follow_up(Random(seed), slot, ["V0"], "", bare=False) for seed in range(40)]
    placed = [follow_up(Random(seed), slot, ["V0", "V1"], "in", bare=False) for seed in range(40)]
    assert all(words_of(slot) in one for one in asked)
    assert all("in V0 and V1" in one for one in placed)


def test_calls_written_as_code_are_written_once_for_each() -> None:
    values = Values(Random(5))
    ask = Asker(values)
    for function in functions(1)[:60]:
        for _ in range(20):
            asked = ask.same(function)
            if asked and f"{function.name}(" in asked.question:
                assert asked.question.count(f"{function.name}(") == len(asked.calls), asked


def test_parameters_have_the_names_that_prompts_show() -> None:
    values = Values(Random(2))
    offered = [offer(values, one, STYLE) for one in written_concepts()]
    names = [slot.name for one in offered for slot in one.slots]
    assert "from_" in names
    assert [name for name in names if keyword.iskeyword(name)] == []


def test_options_are_offered_but_asked_for_by_name_only() -> None:
    values = Values(Random(1))
    offered = [offer(values, one, STYLE) for one in written_concepts()[:300]]
    known = {one.key for one in options()}
    with_options = [one for one in offered if {slot.parameter.key for slot in one.slots} & known]
    assert len(with_options) > 50
    assert all(
        slot.parameter.optional
        for one in with_options
        for slot in one.slots
        if slot.parameter.key in known
    )
    ask, told = Asker(values), 0
    for one in with_options:
        names = {slot.name for slot in one.slots if slot.parameter.key in known}
        asked = [ask.one(one) for _ in range(8)]
        told += sum(
            bool(names & {*call.arguments}) for each in asked if each for call in each.calls
        )
    assert told < len(with_options)  # of eight times as many questions


def test_money_and_numbers_are_written_as_people_do() -> None:
    make = Conversations(Requests(Values(Random(8)))).make
    said = " ".join(make("simple").turns[0].question or "" for _ in range(4000))
    for pattern in (r"\$\d", r"\d,\d{3}", r"\d million", r" -\d", "zero"):
        assert re.search(pattern, said), pattern


def test_a_date_is_said_and_called_in_two_ways_where_the_document_wants_iso() -> None:
    day = Parameter("d", "DATE", ("date",), ("Date in YYYY-MM-DD format",))
    concept = Concept("x", ("book",), ("Book a day",), (day,), ("Book {d}",))
    values = Values(Random(2))
    asked = [Asker(values).one(offer(values, concept, STYLE)) for _ in range(40)]
    dates = [(one.question, one.calls[0].arguments["date"]) for one in asked if one]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", str(date)) for _, date in dates)
    assert any(re.search(r"March \d+|\d+ July|June \d+", said) for said, _ in dates)


def test_a_time_is_said_and_called_in_two_ways_where_the_document_wants_24_hours() -> None:
    time = Parameter("t", "TIME", ("time",), ("Time of the train",))
    concept = Concept("x", ("leave",), ("Leave at a time",), (time,), ("Leave at {t}",))
    values, pairs = Values(Random(2)), []
    for _ in range(200):
        function = offer(values, concept, STYLE)
        if function.slots[0].form == "clock":
            asked = Asker(values).one(function)
            assert asked is not None
            pairs.append((asked.question, str(asked.calls[0].arguments["time"])))
    assert pairs
    assert all(re.fullmatch(r"\d\d:\d\d", time) for _, time in pairs)
    for said, time in pairs:
        if found := re.search(r"(\d+)(?::(\d\d))? ?p\.?m", said):
            assert time == f"{int(found[1]) % 12 + 12}:{found[2] or '00'}"
    assert any("in the afternoon" in said for said, _ in pairs)


def test_a_number_is_no_word_where_letters_follow_it() -> None:
    number = Parameter("a", "SMALL", ("a",), ("A number",))
    concept = Concept("x", ("root",), ("A root",), (number,), ("Where is {a}y zero",))
    values = Values(Random(2))
    asked = [Asker(values).one(offer(values, concept, STYLE)) for _ in range(60)]
    said = [one.question for one in asked if one and "Where is" in one.question]
    assert said
    assert all(re.search(r"is [\d,-]+y zero", each) for each in said)


def test_a_share_is_called_as_a_fraction_where_the_document_wants_one() -> None:
    rate = Parameter("r", "PCT", ("rate",), ("Yearly rate in percent",))
    concept = Concept("x", ("grow",), ("Grow a sum",), (rate,), ("Grow by {r}%",))
    values = Values(Random(2))
    for _ in range(60):
        function = offer(values, concept, Style(langchain=False, described=True))
        asked = Asker(values).one(function)
        assert asked is not None
        said = re.search(r"(-?[\d.]+)(?:%| percent)", asked.question)
        text = str(function.slots[-1].schema.get("description"))
        if said and function.slots[-1].form == "decimal":
            assert "percent" not in text
            assert asked.calls[0].arguments["rate"] == pytest.approx(float(said[1]) / 100, abs=1e-4)
