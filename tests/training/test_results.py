import pytest

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.training.prompts import Result, write_content, write_results
from langchain_gorilla.training.results import answer, label, say

PARIS = FunctionCall("weather", {"city": "Paris"})
TOKYO = FunctionCall("weather", {"city": "Tokyo"})
TIMES = FunctionCall("times", {"a": 12, "b": 7})


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([Result(PARIS, "22 C, sunny")], "Paris: 22 C, sunny."),
        (
            [Result(PARIS, "22 C"), Result(TOKYO, '{"temp_c": 18}')],
            "Paris: 22 C. Tokyo: temp c 18.",
        ),
        ([Result(TIMES, "84")], "The result is 84."),
        ([Result(TIMES, "84"), Result(TIMES, "60")], "The results are 84 and 60."),
        ([Result(TIMES, "It is 84.")], "It is 84."),
        ([Result(TIMES, "ok")], "Done: ok."),
        ([Result(TIMES, "done")], "Done."),
        ([Result(PARIS, "[]")], "Paris: nothing found."),
        ([Result(TIMES, "")], "Nothing was found."),
        ([Result(PARIS, "Unknown city", True)], "Paris failed: Unknown city."),
        ([Result(TIMES, '["a", "b"]')], "Result: a, b."),
        ([Result(TIMES, "[a-z]+ has 500 JPY.")], "[a-z]+ has 500 JPY."),
    ],
)
def test_an_answer_says_what_came_back(results: list[Result], said: str) -> None:
    assert answer(results) == said


def test_a_label_is_the_first_argument_that_differs() -> None:
    one = FunctionCall("convert", {"source": "EUR", "target": "USD"})
    other = FunctionCall("convert", {"source": "EUR", "target": "JPY"})
    assert label(one, [one, other]) == "USD"
    assert label(one, [one]) == "EUR"


@pytest.mark.parametrize("value", ["A-12", "ann@x.org", "x" * 40, "", 7, None])
def test_what_is_no_plain_word_is_no_label(value: object) -> None:
    call = FunctionCall("f", {"a": value})
    assert label(call, [call]) == ""


@pytest.mark.parametrize(
    ("content", "written"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('["é"]', '["é"]'),
        ('{"a":1}', '"{\\"a\\":1}"'),
        ("22 C", '"22 C"'),
        ("[not json", '"[not json"'),
    ],
)
def test_json_stays_raw_and_other_text_is_quoted(content: str, written: str) -> None:
    assert write_content(content) == written


def test_results_are_lines_of_call_and_content() -> None:
    text = write_results([Result(PARIS, "22 C"), Result(TIMES, "no", True)])
    assert text == (
        "The calls returned:\n"
        "weather(city='Paris') -> \"22 C\"\n"
        'times(a=12, b=7) -> error "no"\n'
        "Answer the question from these results, or call the next function."
    )


def test_json_is_said_in_words() -> None:
    assert say([{"order_id": "A1", "paid": True}, {"order_id": "B2"}]) == (
        "order id A1, paid yes; order id B2"
    )
