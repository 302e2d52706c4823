"""``gorilla search`` and ``gorilla report`` on real indexes in folders."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.cli import app
from langchain_gorilla.errors import (
    IndexMismatchError,
    IndexUnavailableError,
    UnsupportedOptionError,
)
from langchain_gorilla.evaluation.retrieval import (
    DEPTH,
    Pair,
    UnreadablePairsError,
    measure,
    read_pairs,
    search_own_descriptions,
)
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.embedding import LocalEmbeddings
from langchain_gorilla.retrieval.ranking import ToolHit
from tests.evaluation.chromium import check_pictures, drawn, needs_chromium
from tests.retrieval.small_catalog import DOCUMENTS, document

TWINS = [
    document("close_ticket", "Close a ticket of the help desk."),
    document("shut_ticket", "Close a ticket of the help desk."),
    document("mystery", ""),
]
PAIRS = [
    {"query": "Will it rain in Paris?", "tools": ["get_weather"]},
    {"query": "Exchange money and reserve a seat", "tools": ["convert_currency", "book_flight"]},
    {"query": "Report a bug", "tools": "github.create_issue"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "tools.index"
    with ToolIndex.in_folder(place) as index:
        index.sync(ToolCatalog([*DOCUMENTS, *TWINS], namespace="desk"))
    return place


def run(*arguments: object):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def lines(tmp_path: Path, *rows: object) -> Path:
    file = tmp_path / "pairs.jsonl"
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    file.write_text(text, encoding="utf-8")
    return file


def hit(name: str, score: float = 1.0, description: str = "") -> ToolHit:
    return ToolHit(name, name, "", score, {"description": description})


# --- gorilla search ---


def test_search_prints_and_writes_what_it_finds(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    result = run("search", folder, "Will it rain tomorrow?", "-k", 3, "--json", file)
    assert result.exit_code == 0, result.output
    assert "get_weather" in result.output
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["hits"][0]["name"] == "get_weather"
    assert found["hits"][0]["document"]["parameters"]["properties"].keys() == {"city"}
    assert len(found["hits"]) <= 3


def test_search_marks_a_tool_that_the_request_names(folder: Path) -> None:
    assert "named" in run("search", folder, "call github.create_issue").output


def test_search_in_a_namespace_that_the_index_has_not_names_those_it_has(folder: Path) -> None:
    with pytest.raises(UnsupportedOptionError, match=r"in the namespace 'other'\. It has 'desk'\."):
        run("search", folder, "rain", "--namespace", "other", "--namespace", "desk")
    assert "get_weather" in run("search", folder, "rain", "--namespace", "desk").output


@pytest.mark.parametrize("request_text", ["", "  "])
def test_a_search_for_nothing_is_an_error_and_no_table_of_no_tools(
    folder: Path, request_text: str
) -> None:
    with pytest.raises(UnsupportedOptionError, match="request is empty"):
        run("search", folder, request_text)


def test_search_in_a_namespace_of_an_index_without_any_says_so(tmp_path: Path) -> None:
    with ToolIndex.in_folder(tmp_path / "plain") as index:
        index.sync(ToolCatalog(DOCUMENTS))
    with pytest.raises(UnsupportedOptionError, match="Its tools have no namespaces"):
        run("search", tmp_path / "plain", "rain", "--namespace", "desk")


def test_search_reads_bounds_unless_told_not_to(tmp_path: Path) -> None:
    catalog = ToolCatalog()
    catalog.add(document("small", "An image classifier."), metadata={"parameters": 1e6})
    catalog.add(document("large", "An image classifier."), metadata={"parameters": 1e9})
    with ToolIndex.in_folder(tmp_path / "models") as index:
        index.sync(catalog)
    request = "An image classifier under 10M parameters"
    bounded = run("search", tmp_path / "models", request).output
    free = run("search", tmp_path / "models", request, "--no-constraints").output
    assert "small" in bounded
    assert "large" not in bounded
    assert "large" in free


@pytest.mark.parametrize("command", ["search", "report"])
def test_a_folder_without_an_index_is_an_error_and_stays_as_it_is(
    tmp_path: Path, command: str
) -> None:
    options = ["x"] if command == "search" else ["--out", tmp_path / "out"]
    with pytest.raises(IndexUnavailableError, match="no tool index in"):
        run(command, tmp_path / "nothing", *options)
    assert not (tmp_path / "nothing").exists()


def test_an_index_made_with_an_encoder_asks_for_it(tmp_path: Path, encoder: Path) -> None:
    with ToolIndex.in_folder(tmp_path / "dense", embeddings=LocalEmbeddings(encoder)) as index:
        index.sync(ToolCatalog(DOCUMENTS))
    with pytest.raises(IndexMismatchError, match="--embedder FOLDER"):
        run("search", tmp_path / "dense", "rain")
    assert "get_weather" in run("search", tmp_path / "dense", "rain", "--embedder", encoder).output


# --- gorilla report ---


def test_report_writes_a_page_that_loads_nothing_with_every_picture(
    folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    out, figures = tmp_path / "out", tmp_path / "figures.json"
    given = lines(tmp_path, *PAIRS)
    result = run("report", folder, "--pairs", given, "--out", out, "--json", figures)
    assert result.exit_code == 0, result.output
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3
    assert "<script" not in page
    assert 'src="' not in page
    found = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert found == json.loads(figures.read_text(encoding="utf-8"))
    assert found["tools"] == 9
    assert found["given_requests"]["requests"] == 3
    assert found["given_requests"]["recall@10"] == 1.0
    assert [tool["tool"] for tool in found["not_found_by_own_description"]] == ["mystery"]
    twins = found["confusable"][0]
    assert (twins["tool"], twins["rival"]) == ("shut_ticket", "close_ticket")
    assert twins["closeness"] > 1
    assert "mystery" in result.output
    assert "close_ticket" in result.output


@needs_chromium
@pytest.mark.parametrize("given", [True, False])
def test_chromium_draws_every_picture_of_the_report_and_complains_of_nothing(
    tmp_path: Path, given: bool
) -> None:
    pytest.importorskip("matplotlib")
    twins = [
        document(f"{verb}_{thing}", f"Close a {thing} of the help desk.")
        for thing in ("ticket", "chat", "$case", "<b>order</b>", "thread", "shift")
        for verb in ("close", "shut")
    ]
    with ToolIndex.in_folder(tmp_path / "tools.index") as index:
        index.sync(ToolCatalog([*DOCUMENTS, *twins], namespace="desk"))
    asked = ("--pairs", lines(tmp_path, *PAIRS)) if given else ()
    run("report", tmp_path / "tools.index", *asked, "--out", tmp_path / "out")
    found = drawn(tmp_path / "out" / "report.html", tmp_path)
    check_pictures(found, 3)
    assert found["overflow"] <= 0


def test_report_without_requests_has_the_own_descriptions(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    run("report", folder, "--out", tmp_path / "out", "--sample", 4)
    found = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert found["given_requests"] is None
    assert found["own_descriptions"]["requests"] == 4


# --- Figures ---


def test_figures_of_a_known_ranking() -> None:
    quality = measure(
        lambda query, k: [hit("a"), hit("x"), hit("b")],
        [Pair("both", frozenset({"a", "b"})), Pair("other", frozenset({"c"}))],
    )
    assert quality.recall[:3] == (0.25, 0.25, 0.5)
    assert quality.complete[:3] == (0.0, 0.0, 0.5)
    assert quality.ndcg[0] == 0.5
    assert quality.ndcg[2] == pytest.approx((1 + 1 / 2) / (1 + 0.6309) / 2, abs=1e-3)
    assert len(quality.recall) == DEPTH


def test_a_pair_is_named_once_with_its_nearer_direction() -> None:
    tools = [hit("a", description="about a"), hit("b", description="about b")]
    found = {"about a": [hit("a", 1.0), hit("b", 0.97)], "about b": [hit("a", 1.2), hit("b", 1.0)]}
    own = search_own_descriptions(lambda query, k: found[query], tools)
    assert [(pair.tool, pair.rival, pair.mutual) for pair in own.confusions] == [("b", "a", True)]
    assert own.confusions[0].closeness == pytest.approx(1.2)
    assert own.places[:2] == (1, 1)


def test_a_tool_that_another_one_hides_is_not_found() -> None:
    tools = [hit("a", description="about a")]
    own = search_own_descriptions(lambda query, k: [hit("b"), hit("c")], tools)
    assert own.unfound[0].found_instead == ("b", "c")
    assert own.places[-1] == 1
    assert own.quality.recall[-1] == 0.0


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "line 1: no JSON"),
        ("[" * 100_000, "line 1: no JSON"),
        ([1], "no text under 'query'"),
        ({"query": " ", "tools": ["a"]}, "no text under 'query'"),
        ({"query": "x"}, "no names of tools"),
        ({"query": "x", "tools": []}, "no names of tools"),
        ({"query": "x", "tools": ["a", 2]}, "no names of tools"),
        ({"query": "x", "tools": ["gone"]}, "the index has no tool 'gone'"),
        ("", "holds no request"),
    ],
)
def test_pairs_that_cannot_be_read_are_named(tmp_path: Path, row: object, reason: str) -> None:
    with pytest.raises(UnreadablePairsError, match=reason):
        read_pairs(lines(tmp_path, row), [hit("a")])


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085"])
def test_a_separator_in_a_text_ends_no_line_of_pairs(tmp_path: Path, separator: str) -> None:
    query = f"rain{separator}or sun"
    row = json.dumps({"query": query, "tools": ["a"]}, ensure_ascii=False)
    assert read_pairs(lines(tmp_path, row), [hit("a")]) == [Pair(query, frozenset({"a"}))]


def test_a_file_of_pairs_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = lines(tmp_path, "\ufeff" + json.dumps({"query": "rain", "tools": ["a"]}))
    assert read_pairs(file, [hit("a")]) == [Pair("rain", frozenset({"a"}))]


def test_a_file_of_pairs_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePairsError, match="Cannot read"):
        read_pairs(tmp_path / "none.jsonl", [hit("a")])
