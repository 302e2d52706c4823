"""From a request to texts and vectors, and from hits to one list."""

import math
from typing import Any

import pytest

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.errors import EmbeddingError
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.retrieval.clauses import MAX_CLAUSES, clauses
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.document import dense_text, dense_texts, point_id
from langchain_gorilla.retrieval.embedding import unit_mean
from langchain_gorilla.retrieval.points import Hit
from langchain_gorilla.retrieval.ranking import merge, plan_search, possible_names
from langchain_gorilla.retrieval.records import payload_of
from tests.retrieval.small_catalog import DOCUMENTS, HashedWords

TOOLS = {
    entry["name"]: CatalogTool(
        entry["name"],
        FunctionSchema(entry["name"], entry["description"], entry["parameters"]),
    )
    for entry in DOCUMENTS
}


def hits(**scores: float) -> list[Hit]:
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    return [Hit(point_id(TOOLS[name]), score, payload_of(TOOLS[name])) for name, score in ranked]


def merged(*found: list[Hit], k: int = 10) -> list[str]:
    return [hit.name for hit in merge((), found, k)]


# --- Clauses ---


@pytest.mark.parametrize(
    ("request_", "parts"),
    [
        ("Book a flight.", ()),
        ("What is 3.5 times 2, e.g. in euros?", ()),
        ("Book a flight. Send a mail.", ("Book a flight.", "Send a mail.")),
        (
            "Can you help me with a few things? First, book a flight. Then, please send a mail.",
            ("book a flight.", "send a mail."),
        ),
        ("1. Book a flight\n2. Send a mail", ("Book a flight", "Send a mail")),
        ("- book a flight\n- send a mail", ("book a flight", "send a mail")),
        ("Book a flight; send a mail", ("Book a flight", "send a mail")),
        (
            "Book a flight to Rome and send a mail to Bob",
            ("Book a flight to Rome", "send a mail to Bob"),
        ),
        # Of several sentences none is cut further.
        ("Book a flight to Rome and to Oslo. Sort it.", (
            "Book a flight to Rome and to Oslo.", "Sort it.",
        )),
        ("Sort it. Sort it.", ()),
        ("订一张机票;\n发一封邮件", ("订一张机票", "发一封邮件")),
    ],
)  # fmt: skip
def test_a_request_is_cut_into_its_clauses(request_: str, parts: tuple[str, ...]) -> None:
    assert clauses(request_) == parts


def test_a_long_list_is_bounded() -> None:
    assert len(clauses(" ".join(f"Send letter number{i}." for i in range(100)))) == MAX_CLAUSES


# Tried from each of their characters to the end, these would take minutes.


def test_a_run_of_spaces_is_one() -> None:
    gap = " " * 300_000
    assert clauses(f"Book a flight{gap}to Rome and send a mail to Bob") == (
        "Book a flight to Rome",
        "send a mail to Bob",
    )


def test_a_text_without_spaces_is_no_name() -> None:
    assert possible_names("aGk" * 100_000) == ()


# --- Vectors ---


def test_a_request_with_literals_is_embedded_without_them_too() -> None:
    plan = plan_search("Add 'milk' to list 17")
    assert plan.embedded == ("Add 'milk' to list 17", "Add to list")
    assert plan.vectors([[1.0, 0.0], [0.0, 1.0]]) == [pytest.approx([math.sqrt(0.5)] * 2)]


@pytest.mark.parametrize("text", ["Add milk to the list", "'milk' 17", "  Add  milk to it "])
def test_other_requests_are_embedded_once(text: str) -> None:
    assert plan_search(text).embedded == plan_search(text).texts


def test_clauses_keep_their_own_vectors() -> None:
    plan = plan_search("Book flight 17. Send a mail.")
    vectors = plan.vectors([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [1.0, 0.0]])
    assert vectors == [[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]


def test_a_tool_is_embedded_with_and_without_its_parameters() -> None:
    tool = TOOLS["get_weather"]
    assert dense_texts(tool) == (
        dense_text(tool),
        "get weather. Forecast rain, sun and wind for a city.",
    )


def test_a_tool_without_parameters_is_embedded_once() -> None:
    assert dense_texts(CatalogTool("x", FunctionSchema("x", "y", {}))) == ("x. y",)


def test_a_stored_vector_is_the_unit_mean_of_its_texts(tmp_path) -> None:
    embeddings = HashedWords()
    tool = TOOLS["get_weather"]
    with ToolIndex.in_folder(tmp_path / "index", embeddings=embeddings) as index:
        assert index.sync([tool]).embedded == 1
        store: Any = index._opened()
        (point,) = store.store.points([point_id(tool)])
    expected = unit_mean(embeddings.embed_documents(list(dense_texts(tool))))
    assert point.dense == pytest.approx(expected, abs=1e-6)
    assert math.hypot(*expected) == pytest.approx(1.0)


def test_opposite_vectors_have_a_mean_of_zero_and_other_lengths_are_an_error() -> None:
    assert unit_mean([[1.0], [-1.0]]) == [0.0]
    with pytest.raises(EmbeddingError, match=r"vectors of \[1, 2\] numbers"):
        unit_mean([[1.0], [1.0, 0.0]])


# --- Merging ---


def test_a_request_of_one_clause_keeps_its_scores() -> None:
    found = hits(sort=0.5, get_weather=0.9)
    assert [(hit.name, hit.score) for hit in merge((), [found], 10)] == [
        ("get_weather", 0.9),
        ("sort", 0.5),
    ]


def test_every_clause_has_its_tool_among_the_first() -> None:
    # Three clauses, of which one is worded as its tools are and would take all places.
    whole = hits(get_weather=0.62, convert_currency=0.6, sort=0.58, send_mail=0.5, book_flight=0.45)
    loud = hits(get_weather=0.9, convert_currency=0.7, sort=0.65, send_mail=0.1, book_flight=0.1)
    mail = hits(send_mail=0.5, get_weather=0.1, convert_currency=0.1, sort=0.1, book_flight=0.1)
    flight = hits(book_flight=0.5, get_weather=0.1, convert_currency=0.1, sort=0.1, send_mail=0.1)
    assert merged(whole)[:3] == ["get_weather", "convert_currency", "sort"]
    found = merged(whole, loud, mail, flight, mail, flight, loud, k=3)
    assert set(found) == {"get_weather", "send_mail", "book_flight"}


@pytest.mark.parametrize("factor", [0.02, 1.0, 30.0])
def test_the_order_does_not_hang_on_the_scale_of_the_scores(factor: float) -> None:
    def scaled(**scores: float) -> list[Hit]:
        return hits(**{name: factor * score for name, score in scores.items()})

    whole = scaled(get_weather=0.9, sort=0.7, send_mail=0.5)
    one, two = scaled(get_weather=0.9, sort=0.4), scaled(send_mail=0.6, sort=0.5)
    assert merged(whole, one, two) == ["get_weather", "sort", "send_mail"]


def test_a_tool_that_only_a_clause_finds_is_in_the_list() -> None:
    assert "book_flight" in merged(hits(sort=0.9), hits(sort=0.5), hits(book_flight=0.5))


def test_scores_fall_and_no_tool_is_named_twice() -> None:
    whole = [*hits(sort=0.9, get_weather=0.5), *hits(sort=0.4)]
    found = merge((), [whole, hits(sort=0.9), hits(get_weather=0.8)], 10)
    assert [hit.name for hit in found] == ["sort", "get_weather"]
    assert found[0].score >= found[1].score
