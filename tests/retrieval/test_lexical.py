"""BM25 over a catalog in this process."""

import pytest

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.functions import function_schema
from langchain_gorilla.retrieval.lexical import LexicalIndex, rarity


def tool(name: str, description: str) -> CatalogTool:
    schema = {"type": "object", "properties": {}}
    document = {"name": name, "description": description, "parameters": schema}
    return CatalogTool(name, function_schema(document))


INDEX = LexicalIndex(
    [
        tool("weather_in", "Get the weather in a city."),
        tool("time_in", "Get the local time in a city."),
        tool("send_mail", "Send a mail."),
    ]
)


def test_tools_have_points_for_the_words_that_they_share_with_a_query() -> None:
    points = INDEX.points("What is the weather in the city of Bergen?")
    assert set(points) == {"weather_in", "time_in"}
    assert points["weather_in"] > points["time_in"] > 0
    assert INDEX.points("Good morning!") == {}


def test_points_rank_as_a_search_does() -> None:
    query = "Send me the time in that city"
    points = INDEX.points(query)
    found = [hit.name for hit in INDEX.search(query).hits]
    assert found == sorted(points, key=lambda name: -points[name])


@pytest.mark.parametrize("total", [2, 10, 1000])
def test_the_rarer_a_word_the_more_it_counts(total: int) -> None:
    assert rarity(1, total) > rarity(2, total) > 0
    assert rarity(1, total) < rarity(1, total + 1)
