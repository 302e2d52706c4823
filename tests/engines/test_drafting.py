"""Guesses at how an answer goes on. A wrong one costs time only, so these are habits, not laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_gorilla.calls import CallSyntax, Literals
from langchain_gorilla.engines.drafting import Drafter, token_guesses
from langchain_gorilla.engines.question import Question, stems
from langchain_gorilla.engines.repeats import Repeats
from langchain_gorilla.engines.written_call import read_call
from langchain_gorilla.functions import FunctionSchema
from tests.engines.asking import BOOK, WEATHER, function
from tests.grammar.samples import V2

PROMPT = (
    '[{"name": "book_hotel"}]\nBook the "Grand Budapest" in Rio de Janeiro for 12 nights with '
    "breakfast, mail joe@example.com. It should have five stars.\n### Response:"
)
COUNT = function("count", ("ids",), ids={"type": "array", "items": {"type": "integer"}})
PACK = function(
    "pack",
    ("things",),
    things={"type": "array", "items": {"type": "string"}},
    box={
        "type": "object",
        "properties": {"width": {"type": "number"}, "wet": {"type": "boolean"}},
        "required": ["width", "wet"],
    },
)


def continued(answer: str, prompt: str = PROMPT, *tools: FunctionSchema) -> str:
    return Drafter(tools or (BOOK, COUNT), prompt, syntax=V2).guess(answer)


@pytest.mark.parametrize(
    ("answer", "begins"),
    [
        ("", "<<function>>book_hotel(city='Grand Budapest', nights=12, stars='five', breakfast="),
        ("<<func", "tion>>book_hotel(city='"),
        ("<<function>>co", "unt(ids=["),
        ("<<function>>book_hotel(", "city='Grand Budapest', nights=12, stars='five'"),
        ("<<function>>book_hotel(ni", "ghts=12, city='"),
        ("<<function>>book_hotel(city='R", "io de Janeiro', nights=12"),
        ("<<function>>book_hotel(city='joe", "@example.com', nights=12"),
        ("<<function>>book_hotel(city='Rome'", ", nights=12"),
        ("<<function>>book_hotel(city='Rome', ", "nights=12"),
        ("<<function>>book_hotel(city='Rome',", " nights=12"),
        ('<<function>>book_hotel(city="', 'Grand Budapest", nights=12, stars="five"'),
        ("<<function>>book_hotel(city='a, b=(', nights=", "12, stars="),
        ("<<function>>book_hotel(city='it\\'s', nights=1", "2, stars="),
        ("<<function>>book_hotel(nights=12, stars='fo", "ur', city="),
        ("<<function>>book_hotel(stars='five', nights=12, city='Oslo', breakfast=T", "rue)"),
        ("<<function>>count(ids=", "[12])"),
        ("<<function>>count(ids=[1, 2]", ")"),
    ],
)
def test_a_guess_continues_the_call(answer: str, begins: str) -> None:
    assert continued(answer)[: len(begins)] == begins


@pytest.mark.parametrize("answer", ["Sure. ", "No", "<<function>>other(x="])
def test_where_nothing_is_known_nothing_is_guessed(answer: str) -> None:
    assert continued(answer) == ""


def test_lists_and_objects_are_filled() -> None:
    prompt = "Pack apples, rice and salt into a box with a width of 2.5"
    assert continued("<<function>>pack(things=['apples'", prompt, PACK).startswith(
        ", 'rice', 'salt'], box={'width': 2.5, 'wet': True})"
    )


def test_a_second_call_takes_what_the_first_left() -> None:
    prompt = "What is the weather in Oslo and in Lima?"
    first = "<<function>>get_weather(city='Oslo')"
    assert continued(first, prompt, WEATHER) == "<<function>>get_weather(city='Lima')"
    assert continued(first + "<<function>>get_weather(city='Lima')", prompt, WEATHER) == ""


def test_the_tool_is_the_one_that_the_question_is_about() -> None:
    prompt = "Please book a hotel."
    assert continued("", prompt, WEATHER, BOOK, COUNT).startswith("<<function>>book_hotel(")


def test_a_family_writes_its_own_constants_and_brackets() -> None:
    syntax = CallSyntax(opening="[", separator=", ", closing="]", quote='"', literals=Literals.JSON)
    drafter = Drafter([PACK], "Pack it.", syntax=syntax)
    assert drafter.guess('[pack(things=["it"], box={"width": 2.0, "wet": ') == "true})]"


def test_without_functions_there_are_no_guesses() -> None:
    assert Drafter([], PROMPT, syntax=V2).guess("f(") == ""


@given(st.text("<>function(city=', [{}]\"\\)1a.", max_size=40))
def test_no_answer_is_too_odd_for_a_guess(answer: str) -> None:
    drafter = Drafter([BOOK, COUNT, PACK], PROMPT, syntax=V2)
    for text in (answer, f"<<function>>pack({answer}", f"<<function>>book_hotel(city='{answer}"):
        assert len(drafter.guess(text)) < 400


@given(st.text(max_size=60))
def test_no_question_is_too_odd_for_a_guess(question: str) -> None:
    drafter = Drafter([BOOK, COUNT, PACK], question, syntax=V2)
    for text in ("", "<<function>>pack(things=['", "<<function>>book_hotel(nights="):
        assert len(drafter.guess(text)) < 400


# --- What a question says ---


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("numbers", "3 nights, 1,250.50 dollars, two rooms at 10:30", ["3", "1250.50", "2"]),
        ("names", "Find Bob in New York. Calculate it for Rio de Janeiro", ["Bob", "New York", "Rio de Janeiro"]),
        ("names", "play 'Hey Jude' by the \"Beatles\"", ["Hey Jude", "Beatles"]),
        ("dates", "on March 8th, 2023, 9 Oct 2024 or 2025/1/2", ["2023-03-08", "2024-10-09", "2025-01-02"]),
        ("dates", "on February 30, 2023", []),
        ("times", "at 3 pm, 12:15am or 18:30", ["15:00", "00:15", "18:30"]),
    ],
)  # fmt: skip
def test_values_are_found(kind: str, text: str, expected: list[str]) -> None:
    assert [each.text for each in getattr(Question(text), kind)] == expected


def test_a_value_beside_the_parameters_own_words_is_preferred() -> None:
    question = Question("a width of 3 and a height of 5")
    best = question.best(question.numbers, stems("height"), frozenset(), ())
    assert best is not None
    assert best.text == "5"


def test_a_long_copy_goes_on_to_the_end_of_the_sentence() -> None:
    question = Question("Tell him that I will be late today. Thanks.")
    assert question.going_on("I will be") == (" late today", True)


def test_a_copy_begins_at_the_beginning_of_a_word() -> None:
    question = Question("An overtaxed man takes care.")
    assert question.going_on("ta") == ("kes", True)


# --- Where a call stands ---


@pytest.mark.parametrize(
    ("text", "kinds", "key", "quote", "tail"),
    [
        ("", "(", None, None, ""),
        ("ci", "(", None, None, "ci"),
        ("city=", "(", "city", None, ""),
        ("city='Os, (", "(", "city", "'", "Os, ("),
        ("city='it\\'s', n=1", "(", "n", None, "1"),
        ("a=[1, {'b': \"x", "([{", "b", '"', "x"),
        ("a={'b': 1}, c=2, ", "(", None, None, ""),
    ],
)
def test_an_unfinished_call_is_read(
    text: str, kinds: str, key: str | None, quote: str | None, tail: str
) -> None:
    written = read_call(text)
    assert "".join(bracket.kind for bracket in written.brackets) == kinds
    assert (written.brackets[-1].key, written.quote, written.tail) == (key, quote, tail)


def test_what_follows_a_call_is_told_apart() -> None:
    written = read_call("a=(1), b=')')<<function>>f(")
    assert (written.brackets, written.rest) == ([], "<<function>>f(")


# --- Tokens ---


def test_a_guess_is_tokenized_as_the_model_would_join_it() -> None:
    words = {bytes([byte]): 256 + byte for byte in range(256)}
    words |= {b"<<function>>": 0, b"get_weather(": 1, b"city": 2, b"='": 3, b"=": 4, b"'": 5}
    spelled = {token: word for word, token in words.items()}

    def encode(text: str) -> list[int]:
        rest, tokens = text.encode(), []
        while rest:
            word = max((word for word in words if rest.startswith(word)), key=len)
            tokens.append(words[word])
            rest = rest[len(word) :]
        return tokens

    drafter = Drafter([WEATHER], "the weather in Oslo", syntax=V2)
    guess = token_guesses(
        drafter, decode=lambda tokens: b"".join(spelled[token] for token in tokens), encode=encode
    )
    assert guess([0, 1, 2])[:2] == [3, words[b"O"]]
    # A token that would join what is written and what is guessed comes too late.
    assert guess([0, 1, 2, 4])[:2] == [5, words[b"O"]]


def test_what_came_after_the_same_tokens_comes_again() -> None:
    repeats = Repeats([1, 2, 3, 4, 5, 1, 2, 3, 9])
    assert repeats.guess([1, 2, 3]) == [9]
    assert repeats.guess([7, 2, 3, 4]) == [5, 1, 2, 3, 9]
    assert repeats.guess([2, 3]) == []
    assert repeats.guess([8, 8, 8]) == []


def test_an_answer_that_repeats_itself_is_continued() -> None:
    repeats = Repeats([1])
    for token in (5, 6, 7, 8, 5, 6, 7):
        repeats.add(token)
    assert repeats.guess([6, 7, 8, 5, 6, 7])[:2] == [8, 5]
