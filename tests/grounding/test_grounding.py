import time

import pytest

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.functions import FunctionSchema, function_schema
from langchain_gorilla.grounding import Said, ungrounded_arguments
from langchain_gorilla.missing import question

TEXT, NUMBER, INTEGER, BOOLEAN = ({"type": t} for t in ("string", "number", "integer", "boolean"))
UNIT = {"enum": ["celsius", "fahrenheit"]}
SORT = {"enum": ["asc", "desc"]}
LIST = {"type": "array", "items": {"type": "string"}}
PLACE = {"type": "object", "properties": {"city": TEXT, "zip": TEXT}}


def missing(value, schema, *said, name="value", **root):
    function = FunctionSchema(
        "f", "", {"type": "object", "properties": {name: schema}, "required": [name], **root}
    )
    found = ungrounded_arguments(FunctionCall("f", {name: value}), function, Said(said))
    return [each.parameter for each in found] == [name]


SAID = [
    (TEXT, "Paris", "Weather in PARIS?"),
    (TEXT, "paris", "Weather in Paris's north?"),
    (TEXT, "Düsseldorf", "flights to Dusseldorf"),
    (TEXT, "Zürich", "flights to Zu\u0308rich"),
    (TEXT, "San Francisco, CA", "Weather in San Francisco?"),
    (TEXT, "new-york", "Weather in New York"),
    (TEXT, "NYC", "Weather in New York City"),
    (TEXT, "New York City", "Weather in NYC"),
    (TEXT, "New York", "Weather in NYC"),
    (TEXT, "Los Angeles", "Weather in LA"),
    (TEXT, "UK", "Weather in the United Kingdom"),
    (TEXT, "北京", "北京的天气怎么样"),
    (TEXT, "joe@example.com", "mail Joe (joe@example.com)"),
    (TEXT, "e-mail", "by email"),
    (TEXT, "email", "by e-mail"),
    (TEXT, "apples", "an apple a day"),
    (TEXT, "box", "two boxes"),
    (TEXT, "story", "read me stories"),
    (TEXT, "US", "in the U.S. today"),
    (TEXT, "4K", "a 4k video"),
    (TEXT, "94110", "in 94110"),
    (TEXT, "1.2.3", "version v1.2.3"),
    (TEXT, "3", "three of them"),
    (TEXT, "$50", "fifty dollars"),
    (TEXT, "→", "what is → ?"),
    (TEXT, "getUserName", "get the user name"),
    (NUMBER, 1000, "1,000 of them"),
    (NUMBER, 1000.0, "one thousand"),
    (INTEGER, 1000, "1k"),
    (NUMBER, 0.5, "at 50%"),
    (INTEGER, 50, "at 50 percent"),
    (NUMBER, -5, "five below zero"),
    (INTEGER, 2, "in two days"),
    (BOOLEAN, True, "yes please"),
    (BOOLEAN, False, "is it true?"),
    (BOOLEAN, False, "turn it off"),
    (UNIT, "celsius", "in Celsius"),
    (SORT, "asc", "sorted ascending"),
    ({"enum": ["north_america", "europe"]}, "north_america", "for North America"),
    ({"enum": [1, 2, 3]}, 2, "two of them"),
    ({"enum": ["only"]}, "only", "hello"),
    ({"const": 7}, 7, "hello"),
    ({"type": "string", "default": "en"}, "en", "hello"),
    (TEXT, "2024-05-03", "on May 3rd"),
    (TEXT, "2024-05-03", "tomorrow"),
    (TEXT, "2024-05-03", "on 20240503"),
    (TEXT, "20240503", "on May 3rd"),
    (TEXT, "2024-05-03T15:00:00", "on 5/3 at 3 pm"),
    (TEXT, "May 3, 2024", "on 2024-05-03"),
    (TEXT, "2024-05", "in May"),
    (TEXT, "15:00", "at 3 pm"),
    (TEXT, "19:00", "dinner at seven"),
    (TEXT, "7 PM", "dinner at seven"),
    (TEXT, "19:00:00+02:00", "dinner at seven"),
    (TEXT, "19:00", "tonight"),
    (TEXT, "2024-05-15", "on the 15th"),
    (TEXT, "2024-05-03T00:00:00", "on May 3rd"),
    (TEXT, "2024-05-05T23:59:59Z", "May 3 to 5"),
    (TEXT, "2024-05-03T09:00", "tomorrow morning"),
    (TEXT, "2024-05-03T17:00", "tomorrow at 3 pm for two hours"),
    (TEXT, "14:00 - 16:00", "from 2 to 4 pm"),
    (TEXT, "2024-05-03/2024-05-05", "from May 3 to May 5"),
    (TEXT, "EUR", "five dollars in euros"),
    (TEXT, "USD", "$5 in euros"),
    (TEXT, "GBP", "in pounds"),
    (TEXT, "JPY", "convert to Japanese yen"),
    (TEXT, "euros", "in €"),
    (TEXT, "km", "in kilometers"),
    (TEXT, "kilometres", "5km away"),
    (TEXT, "lbs", "in pounds"),
    (TEXT, "celsius", "it is 30 °C"),
    (TEXT, "100 USD", "send 100 dollars"),
    ({"enum": ["km", "mi"]}, "mi", "how many miles"),
    (LIST, ["Paris", "Rome"], "Paris and Rome"),
    (LIST, ["Paris", "France"], "Paris"),
    (PLACE, {"city": "Paris", "zip": "75001"}, "75001 Paris"),
    ({"anyOf": [TEXT, {"type": "null"}]}, "Paris", "Paris"),
]
NOT_SAID = [
    (TEXT, "Paris", "Weather?"),
    (TEXT, "Paris", "Make a comparison"),
    (TEXT, "San Francisco, CA", "Weather in Los Angeles, CA"),
    (TEXT, "joe@example.com", "mail Joe"),
    (TEXT, "94110", "in 94111"),
    (TEXT, "Los Angeles", "Play la la la"),
    (TEXT, "UK", "unless kept"),
    (TEXT, "", "Weather?"),
    (NUMBER, 1000, "100 of them"),
    (INTEGER, 2, "some of them"),
    (NUMBER, 0.25, "at 50%"),
    (BOOLEAN, True, "on Monday"),
    (UNIT, "celsius", "Weather in Paris?"),
    (SORT, "asc", "sort them"),
    ({"enum": [1, 2, 3]}, 2, "some"),
    ({"type": "string", "default": "en"}, "fr", "hello"),
    (TEXT, "2024-05-03", "on May 4th"),
    (TEXT, "2024-05-03", "in 2024"),
    (TEXT, "2024-05", "in June"),
    (TEXT, "15:00", "at 4 pm"),
    (TEXT, "19:00", "a table for tomorrow"),
    (TEXT, "2024-05-15", "on the 16th"),
    (TEXT, "2024-05-03T10:00:00", "on May 3rd"),
    (TEXT, "2024-05-03 10:00", "tomorrow"),
    (TEXT, "2024-05-03T17:00", "tomorrow at 3 pm"),
    (TEXT, "14:00 - 16:00", "from 2 to 5 pm"),
    (TEXT, "EUR", "five dollars in pounds"),
    (TEXT, "km", "how far is it in miles"),
    (TEXT, "celsius", "can I go by car"),
    (TEXT, "inches", "weather in Paris"),
    (LIST, [], "hello"),
    (LIST, ["Paris", "Rome", "Oslo"], "Oslo"),
    (PLACE, {"city": "Paris", "zip": "75001"}, "hello"),
    ({"anyOf": [TEXT, {"type": "null"}]}, None, "hello"),
]


@pytest.mark.parametrize(("schema", "value", "said"), SAID)
def test_a_value_that_was_said_is_not_missing(schema, value, said):
    assert not missing(value, schema, said)


@pytest.mark.parametrize(("schema", "value", "said"), NOT_SAID)
def test_a_value_that_was_not_said_is_missing(schema, value, said):
    assert missing(value, schema, said)


def test_a_boolean_is_said_by_its_parameters_name():
    assert not missing(False, BOOLEAN, "without breakfast", name="include_breakfast")
    assert not missing(True, BOOLEAN, "with breakfast", name="wantsBreakfast")
    assert not missing(True, BOOLEAN, "and notify me", name="notifications")
    assert not missing(True, BOOLEAN, "nonstop flights", name="non_stop")
    assert missing(True, BOOLEAN, "a room", name="include_breakfast")


def test_nothing_is_said_of_what_the_parameter_counts():
    for said in (
        "no children",
        "without any children",
        "we don't have any children",
        "no kids",
        "no child",
    ):
        assert not missing(0, INTEGER, f"two adults and {said}", name="num_children")
    assert missing(0, INTEGER, "two adults, and no breakfast", name="num_children")
    assert missing(1, INTEGER, "two adults and no children", name="num_children")


def test_a_number_that_is_part_of_a_date_or_time_is_said_by_that():
    for name, value, said in [
        ("hour", 19, "wake me at 7:30 pm"),
        ("minute", 30, "half past seven"),
        ("month", 5, "on the 3rd of May"),
        ("year", 2025, "next year"),
    ]:
        assert not missing(value, INTEGER, said, name=name)
        assert missing(value, INTEGER, "wake me", name=name)


def test_any_message_counts():
    assert not missing("Paris", TEXT, "Weather?", "Where?", "Paris")


def test_a_reference_is_followed():
    assert missing("a", {"$ref": "#/$defs/E"}, "x", **{"$defs": {"E": {"enum": ["a", "b"]}}})
    assert not missing("a", {"$ref": "#/$defs/E"}, "x", **{"$defs": {"E": {"enum": ["a"]}}})
    assert missing("a", {"$ref": "#/$defs/E"}, "x", **{"$defs": {"E": {"$ref": "#/$defs/E"}}})


def test_a_reference_is_followed_wherever_it_leads():
    two = {"enum": ["a", "b"]}
    assert not missing("a", {"$ref": "#/definitions/E"}, "x", definitions={"E": {"enum": ["a"]}})
    assert missing("a", {"$ref": "#/$defs/E~1F%20G"}, "x", **{"$defs": {"E/F G": two}})
    assert not missing("a", {"$ref": "#/$defs/E"}, "x", **{"$defs": {"E": {"default": "a"}}})


@pytest.mark.parametrize(
    "schema", [{"$ref": "#/$defs/any"}, {"anyOf": [TEXT, True]}, {"anyOf": [True]}, {"$ref": "#/x"}]
)
def test_a_schema_that_takes_anything_says_nothing(schema):
    assert missing("Paris", schema, "Weather?", **{"$defs": {"any": True}})
    assert not missing("Paris", schema, "Paris", **{"$defs": {"any": True}})


def test_only_required_arguments_are_asked_for():
    function = function_schema(
        {
            "name": "f",
            "parameters": {
                "type": "object",
                "properties": {"a": TEXT, "b": TEXT, "c": TEXT},
                "required": ["c", "a"],
            },
        }
    )
    call = FunctionCall("f", {"a": "x1", "b": "x2", "c": "x3"})
    found = ungrounded_arguments(call, function, Said(["hello"]))
    assert [each.parameter for each in found] == ["c", "a"]


def book(**properties):
    return function_schema(
        {
            "name": "book",
            "parameters": {
                "type": "object",
                "properties": properties,
                "required": list(properties),
            },
        }
    )


def test_the_question_names_tool_parameter_and_description():
    function = book(
        city={"type": "string", "description": "Where to stay."},
        stars={"type": "string", "enum": ["four", "five"]},
    )
    call = FunctionCall("book", {"city": "Paris", "stars": "five"})
    asked = question(ungrounded_arguments(call, function, Said(["Book a hotel"])))
    assert asked == (
        "To call book, I need a value for city (Where to stay), and you have not named one. "
        "What should it be?\n"
        "To call book, I need a value for stars, and you have not named one. It is one of: "
        "four, five. What should it be?"
    )


def test_the_question_names_the_choices_that_a_reference_leads_to():
    function = FunctionSchema(
        "paint",
        "",
        {
            "type": "object",
            "properties": {"colour": {"anyOf": [{"$ref": "#/$defs/Colour"}, {"type": "null"}]}},
            "required": ["colour"],
            "$defs": {"Colour": {"enum": ["red", "green"]}},
        },
    )
    call = FunctionCall("paint", {"colour": "red"})
    assert "It is one of: red, green." in question(
        ungrounded_arguments(call, function, Said(["Paint it"]))
    )


def test_one_parameter_of_two_calls_is_one_question():
    function = book(city={"type": "string"})
    found = [
        each
        for city in ("Paris", "Rome")
        for each in ungrounded_arguments(
            FunctionCall("book", {"city": city}), function, Said(["x"])
        )
    ]
    assert question(found).count("What should it be?") == 1


def test_a_long_conversation_takes_little_time():
    said = Said(["The 3rd of May, one thousand words about Paris and 1,000 trains. "] * 3_000)
    started = time.process_time()
    for value in ("Oslo, Norway", 17, "2024-07-01", "08:30"):
        missing_schema = NUMBER if isinstance(value, int) else TEXT
        function = book(x=missing_schema)
        ungrounded_arguments(FunctionCall("book", {"x": value}), function, said)
    assert time.process_time() - started < 5
