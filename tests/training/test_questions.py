import re
from collections.abc import Callable
from random import Random

import pytest

from langchain_gorilla.training.concepts import Concept, Parameter, written_concepts
from langchain_gorilla.training.documents import OfferedFunction, Style, draw_value, offer
from langchain_gorilla.training.phrasing import Phrasing, commands, phrases
from langchain_gorilla.training.questions import Asked, Asker
from langchain_gorilla.training.requests import distinct
from langchain_gorilla.training.templates import written
from langchain_gorilla.training.values import Values


def concept(question: str, **kinds: str) -> Concept:
    parameters = tuple(Parameter(key, kind, (f"the_{key}",), ("",)) for key, kind in kinds.items())
    return Concept("tests", ("tested",), ("Test it",), parameters, (question,))


def asked(question: str, **kinds: str) -> list[Asked]:
    """Ask the same function several times, in the words of the question."""
    found = []
    for seed in range(150):
        values = Values(Random(seed))
        function = offer(values, concept(question, **kinds), Style(False, True))
        found.append(Asker(values).same(function))
    return [one for one in found if one is not None]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("Show the log", True), ("show it", True), ("The log, please", False), ("A7 is late", False)],
)
def test_a_command_begins_with_a_verb(text: str, is_one: bool) -> None:
    assert commands(text) is is_one


@pytest.mark.parametrize(("text", "is_one"), [("show the oven", True), ("the oven", False)])
def test_could_you_stands_before_commands_alone(text: str, is_one: bool) -> None:
    polished = [Phrasing(Values(Random(seed))).polish(text) for seed in range(200)]
    found = [one for one in polished for ask in phrases("ask") if f"{ask} {text}" in one]
    assert bool(found) is is_one


def test_a_quote_is_closed_where_a_part_is_asked_for_again() -> None:
    questions = [one.question for one in asked('Make "{a}" due on {b}', a="WORD", b="CODE")]
    assert not [text for text in questions if text.count('"') % 2]


def test_a_named_value_is_asked_for_again_with_its_name() -> None:
    questions = [one.question for one in asked("Move it with x = {a}", a="CODE")]
    assert not [text for text in questions if "=:" in text.replace(" ", "")]


def test_values_in_a_row_are_never_listed_in_place() -> None:
    listed = re.compile(r"Add [-\w]+,? (and )?[-\w]+,? and (?!also|add|then)[-\w]")
    questions = [one.question for one in asked("Add {a} and {b}", a="CODE", b="CODE")]
    assert not [text for text in questions if listed.match(text)]


def written_for(
    asking: Callable[[Asker, OfferedFunction], Asked | None], file: str
) -> list[tuple[OfferedFunction, Asked]]:
    """Ask 300 functions that have questions in a file, in words of that file where it can be."""
    values = Values(Random(7))
    asker, found = Asker(values), []
    known = [one for one in written_concepts() if one.names[0] in written(file)]
    for concept in values.rng.sample(known, 300):
        function = offer(values, concept, Style(False, True))
        asked = asking(asker, function)
        if asked is not None:
            found.append((function, asked))
    assert len(found) > 250
    return found


@pytest.mark.parametrize(
    ("asking", "file"),
    [(Asker.together, "questions_together.txt"), (Asker.one, "questions_singly.txt")],
)
def test_a_written_question_says_all_that_its_calls_need(
    asking: Callable[[Asker, OfferedFunction], Asked | None], file: str
) -> None:
    for function, asked in written_for(asking, file):
        for call in asked.calls:
            for slot in function.slots:
                assert slot.parameter.optional or slot.name in call.arguments
                value = call.arguments.get(slot.name)
                if isinstance(value, str) and not slot.form:
                    assert value.lower() in asked.question.lower()


def test_questions_written_for_several_calls_ask_for_two_to_four() -> None:
    made = [asked.calls for _, asked in written_for(Asker.together, "questions_together.txt")]
    assert {len(calls) for calls in made} == {2, 3, 4}
    assert sum(distinct(calls) for calls in made) > 0.95 * len(made)


def test_a_list_of_words_holds_none_twice() -> None:
    values = Values(Random(1))
    function = offer(values, concept("Sort {a}", a="LIST(ROOM)"), Style(False, True))
    for _ in range(200):
        drawn = draw_value(values, function.slots[0])
        assert isinstance(drawn, list)
        assert len(drawn) == len(set(map(str, drawn)))
