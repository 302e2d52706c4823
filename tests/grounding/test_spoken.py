import time

import pytest

from langchain_gorilla.spoken import (
    dates_in,
    days_in,
    is_relative_date_in,
    is_relative_time_in,
    months_in,
    numbers_in,
    times_in,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1000 euros", 1000),
        ("1,000 euros", 1000),
        ("1.000 euros", 1000),
        ("1 000 euros", 1000),
        ("1_000", 1000),
        ("1'000'000", 1_000_000),
        ("1.000.000", 1_000_000),
        ("1k", 1000),
        ("address 0x1F", 31),
        ("2.5K followers", 2500),
        ("3M users", 3_000_000),
        ("2 million", 2_000_000),
        ("one thousand", 1000),
        ("a thousand", 1000),
        ("twenty-five", 25),
        ("twenty five thousand three hundred and two", 25_302),
        ("one hundred and twenty", 120),
        ("two and a half hours", 2.5),
        ("half a million", 500_000),
        ("three point one four", 3.14),
        ("two dozen eggs", 24),
        ("a dozen", 12),
        ("a couple of tickets", 2),
        ("the third floor", 3),
        ("the 21st floor", 21),
        ("the twelfth floor", 12),
        ("the thirtieth of them", 30),
        ("nineteen eighty-four", 1984),
        ("twenty twenty-six", 2026),
        ("three quarters", 0.75),
        ("2 1/2 cups", 2.5),
        ("½ cup", 0.5),
        ("1½ cups", 1.5),
        ("2½k dollars", 2500),
        ("1 mil", 1_000_000),
        ("2.5mil", 2_500_000),
        ("five grand, or 5 grand", 5000),
        ("two to three hundred people", 200),
        ("two or three thousand", 2000),
        ("between two and three million", 2_000_000),
        ("10^3 samples", 1000),
        ("2**10", 1024),
        ("10⁶ cells", 1_000_000),
        ("1.5 x 10^6", 1_500_000),
        ("10^-3", 0.001),
        ("1e-4", 0.0001),
        ("2.5e3", 2500),
        ("5 lakh", 500_000),
        ("three crore", 30_000_000),
        ("50%", 0.5),
        ("50 percent", 50),
        ("fifty percent", 0.5),
        ("3,5 km", 3.5),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("minus 5", 5),
        ("-5", 5),
        ("rooms 12 345", 345),
        ("40.7128° N, 74.0060° W", 40.7128),
        (".75 of it", 0.75),
        ("1,00,000 rupees", 100_000),
        ("10,20,300", 20),
        ("50-60k a year", 50_000),
        ("5 to 10 million", 5_000_000),
        ("3 and a half hours", 3.5),
        ("between two and three hundred", 300),
        ("fourty two", 42),
        ("children: none", 0),
        ("٣", 3),
    ],
)
def test_a_number_is_read_in_every_spelling(text, number):
    assert any(abs(found - number) < 1e-9 for found in numbers_in(text)), numbers_in(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,000", 10), ("one thousand", 100), ("no digits", 0), ("12", 2), ("on 3/4/2024", 0.75)],
)
def test_no_other_number_is_read(text, number):
    assert number not in numbers_in(text)


@pytest.mark.parametrize(
    "text",
    [
        *("9" * 500, "9" * 500 + "k", "one " * 500, "million " * 200),
        "zero point " + "one " * 310 + "half",
    ],
)
def test_what_is_absurdly_long_is_read_all_the_same(text):
    assert numbers_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-03",
        "2024/5/3",
        "20240503",
        "05/03/2024",
        "03.05.2024",
        "3/5",
        "May 3",
        "may 3rd, 2024",
        "the 3rd of May",
        "3 May",
        "May the 3rd",
        "May the third",
        "the third of May",
        "3-May-2024",
        "at 2024-05-03T10:00",
    ],
)
def test_a_date_is_read_in_every_spelling(text):
    assert (5, 3) in dates_in(text)


def test_the_day_of_a_date_may_be_any_word():
    assert dates_in("the fifteenth of May or December twenty-fifth") == {(5, 15), (12, 25)}


@pytest.mark.parametrize(
    "text",
    [
        "May 3 to 5",
        "May 3-5",
        "between May 3rd and the 5th",
        "3-5 May",
        "the third and fifth of May",
    ],
)
def test_both_ends_of_a_range_are_dates_of_its_month(text):
    assert {(5, 3), (5, 5)} <= dates_in(text)


def test_a_day_may_be_named_without_its_month():
    assert days_in("from the 3rd to the fifth, not the 7th of May at the 9:30") == {3, 5}


def test_an_old_spelling_of_s_is_one():
    assert dates_in("the 5th of ſeptember") == {(9, 5)}
    assert months_in("in ſept") == {9}


def test_a_fraction_of_very_many_words_is_read():
    found = numbers_in("zero point " + "three " * 400_000)
    assert any(abs(number - 1 / 3) < 1e-9 for number in found)


def test_what_is_no_date_gives_none():
    assert dates_in("42 apples at 99.99, 31/31") == frozenset()


def test_months_stand_alone_too():
    assert months_in("in May or 2024-07, or on 9/9") == {5, 7, 9}


@pytest.mark.parametrize(
    "text",
    ["tomorrow", "next Friday", "in two weeks", "on Monday", "last month", "three days ago",
     "this coming weekend", "on Fri", "in a fortnight"],
)  # fmt: skip
def test_words_that_need_a_calendar_are_seen(text):
    assert is_relative_date_in(text)


@pytest.mark.parametrize("text", ["May 3", "the day is long", "weeks of work", "right now"])
def test_other_words_need_none(text):
    assert not is_relative_date_in(text)


def test_words_that_need_a_clock_are_others_than_those_that_need_a_calendar():
    assert all(map(is_relative_time_in, ("right now", "tomorrow morning", "in half an hour")))
    assert not any(map(is_relative_time_in, ("tomorrow", "next Friday", "in two weeks")))


def test_a_long_run_of_digits_takes_linear_time():
    start = time.process_time()
    assert 7 in numbers_in("1" * 50_000 + " 7")
    assert 7 in numbers_in("12,34," * 20_000 + " 7")
    assert 7 in numbers_in("2 x " * 20_000 + "two to " * 20_000 + " 7")
    assert 7 in numbers_in("9^999 0^-1 7")
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("15:00", (15, 0)),
        ("3pm", (15, 0)),
        ("3:30 PM", (15, 30)),
        ("3 o'clock", (15, 0)),
        ("12 am", (0, 0)),
        ("noon", (12, 0)),
        ("at midnight", (0, 0)),
        ("08:05:30", (8, 5)),
        ("at 8", (20, 0)),
        ("at eight", (20, 0)),
        ("three pm", (15, 0)),
        ("half past three", (15, 30)),
        ("quarter to nine", (8, 45)),
        ("ten minutes to one", (12, 50)),
        ("20 past 4 pm", (16, 20)),
        ("seven thirty", (19, 30)),
        ("at half nine", (9, 30)),
        ("at 2130", (21, 30)),
        ("six twenty-five am", (6, 25)),
        ("from 2 to 5 pm", (14, 0)),
        ("from 2 to 5 pm", (17, 0)),
        ("nine to five", (9, 0)),
        ("ten to midnight", (23, 50)),
        ("quarter to noon", (11, 45)),
        ("quarter to 12 pm", (11, 45)),
    ],
)
def test_a_time_is_read_in_every_spelling(text, time):
    assert time in times_in(text)


def test_a_larger_number_is_no_hour():
    assert not {(20, 0), (5, 0)} & times_in("500 of them in 2024")
