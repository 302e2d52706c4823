import asyncio
import json
import random

import pytest

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import CalibrationError
from langchain_gorilla.retrieval.abstention import Calibration
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.retriever import ToolRetriever
from tests.retrieval.small_catalog import HashedWords

COMMON = ["the", "of", "for", "with", "that", "please"]


def invented(chooser: random.Random, count: int) -> list[str]:
    syllables = [first + second for first in "bdfgklmnprst" for second in "aeiou"]
    return ["".join(chooser.sample(syllables, 3)) for _ in range(count)]


def sentence(chooser: random.Random, words: list[str]) -> str:
    mixed = [*words, *chooser.sample(COMMON, 3)]
    chooser.shuffle(mixed)
    return " ".join(mixed)


def many() -> tuple[ToolCatalog, list[tuple[str, list[str]]], list[str]]:
    """Return 80 tools in 8 topics, a request for each, and requests that none fits."""
    chooser = random.Random(1)
    catalog, pairs = ToolCatalog(), []
    for topic in range(8):
        topic_words = invented(chooser, 12)
        for number in range(10):
            words = [*chooser.sample(topic_words, 4), *invented(chooser, 5)]
            name = f"tool{topic}{number}"
            catalog.add({"name": name, "description": sentence(chooser, words)})
            asked = [*chooser.sample(words[:4], 2), *chooser.sample(words[4:], 3)]
            pairs.append((sentence(chooser, [*asked, *invented(chooser, 2)]), [name]))
    strange = [sentence(chooser, invented(chooser, 7)) for _ in range(40)]
    return catalog, pairs, strange


CATALOG, PAIRS, STRANGE = many()
FITTING = [query for query, _ in PAIRS]


@pytest.fixture(params=["words", "dense"])
def retriever(request, tmp_path):
    catalog = CATALOG
    if request.param == "words":
        yield ToolRetriever(catalog=catalog)
        return
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords(2048)) as index:
        index.sync(catalog)
        yield ToolRetriever(index=index, catalog=catalog)


def share(retriever, queries) -> float:
    return sum(retriever.search(query).fits for query in queries) / len(queries)


def test_requests_that_a_tool_fits_are_told_from_those_that_none_fits(retriever):
    calibrated = retriever.calibrated()
    assert share(calibrated, FITTING) >= 0.9
    assert share(calibrated, STRANGE) <= 0.25


async def test_async_search_judges_the_same(retriever):
    calibrated = retriever.calibrated()
    for query in (*FITTING[:9], *STRANGE[:9]):
        assert (await calibrated.asearch(query)).fit == calibrated.search(query).fit


def test_the_score_is_a_probability_that_rises_with_the_hit(retriever):
    calibrated = retriever.calibrated()
    likely = [calibrated.search(query).fit for query in FITTING]
    unlikely = [calibrated.search(query).fit for query in STRANGE]
    assert all(0.0 <= fit <= 1.0 for fit in (*likely, *unlikely))
    assert sum(likely) / len(likely) > 0.75
    assert sum(unlikely) / len(unlikely) < 0.25


def test_the_threshold_is_reported_with_precision_and_recall(retriever):
    calibration = retriever.calibrated().calibration
    assert calibration.requests == len(CATALOG)
    assert 0.8 < calibration.precision <= 1.0
    assert 0.4 < calibration.recall <= 1.0
    assert calibration.kept > 0.85
    assert f"precision {calibration.precision:.2f}, recall" in str(calibration)


def test_the_same_seed_gives_the_same_calibration():
    retriever = ToolRetriever(catalog=CATALOG)
    first, second = retriever.calibrated(seed=3), retriever.calibrated(seed=3)
    assert first.calibration == second.calibration


def test_pairs_decide_where_they_are_given(retriever):
    calibrated = retriever.calibrated(PAIRS[::2], keep=0.9)
    assert calibrated.calibration.pairs == len(PAIRS) // 2
    assert share(calibrated, [query for query, _ in PAIRS[1::2]]) >= 0.8
    assert share(calibrated, STRANGE) == 0.0


def test_a_tool_named_exactly_fits(retriever):
    assert retriever.calibrated().search("`tool11`").fit == 1.0


def test_k_is_no_part_of_the_judgement(retriever):
    calibrated = retriever.calibrated()
    one, many_hits = calibrated.search(FITTING[0], k=1), calibrated.search(FITTING[0], k=30)
    assert (len(one.hits), one.fit) == (1, many_hits.fit)


def test_nothing_found_is_nothing_that_fits():
    result = ToolRetriever(catalog=CATALOG).calibrated().search("xylophone")
    assert (result.hits, result.fit, result.fits) == ((), 0.0, False)


def test_without_a_calibration_nothing_is_judged(retriever):
    result = retriever.search(FITTING[0])
    assert (result.fit, result.fits) == (None, None)


def test_a_calibration_is_saved_and_read(tmp_path, retriever):
    calibration = retriever.calibrated().calibration
    calibration.save(tmp_path / "calibration.json")
    assert Calibration.load(tmp_path / "calibration.json") == calibration


@pytest.mark.parametrize("content", ["", "{}", "[1]", json.dumps({"slope": 1, "other": 2})])
def test_a_file_that_holds_something_else_is_an_error(tmp_path, content):
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(CalibrationError, match="holds no calibration"):
        Calibration.load(tmp_path / "c.json")


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(CalibrationError, match="holds no calibration"):
        Calibration.load(tmp_path / "none.json")


def test_the_calibration_of_another_embedder_is_an_error(tmp_path):
    catalog = CATALOG
    calibration = ToolRetriever(catalog=catalog).calibrated().calibration
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords(2048)) as index:
        index.sync(catalog)
        with pytest.raises(CalibrationError, match="calibrated\\(\\) again"):
            ToolRetriever(index=index, catalog=catalog, calibration=calibration).search(FITTING[0])


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: ToolRetriever(catalog=ToolCatalog()).calibrated(), "0 tools and 0 pairs"),
        (lambda: ToolRetriever().calibrated(), "Pass catalog="),
        (lambda: ToolRetriever(catalog=CATALOG).calibrated([("send it", ["tool11"])]), "1 pairs"),
        (lambda: ToolRetriever(catalog=CATALOG).calibrated(keep=1.0), "keep=1.0"),
    ],
)
def test_too_little_to_calibrate_with_is_an_error(make, match):
    with pytest.raises(CalibrationError, match=match):
        make()


def test_pairs_of_tools_that_are_gone_change_nothing(retriever):
    gone = [(query, ["tool_that_is_gone"]) for query in STRANGE]
    with_them = retriever.calibrated([*PAIRS[::2], *gone]).calibration
    assert with_them == retriever.calibrated(PAIRS[::2]).calibration


def test_pairs_without_names_are_requests_that_no_tool_fits(retriever):
    calibrated = retriever.calibrated([*PAIRS[::2], *((query, []) for query in STRANGE)])
    without = retriever.calibrated(PAIRS[::2])
    assert calibrated.calibration.requests == len(PAIRS[::2])
    assert calibrated.calibration.threshold >= without.calibration.threshold
    assert share(calibrated, [query for query, _ in PAIRS[1::2]]) >= 0.8


def test_pairs_without_names_alone_leave_the_requests_made_of_documents(retriever):
    strange = retriever.calibrated([(query, []) for query in STRANGE])
    assert strange.calibration.requests == retriever.calibrated().calibration.requests


def test_pairs_of_tools_that_are_gone_alone_are_an_error_that_counts_them():
    gone = [(query, ["tool_that_is_gone"]) for query in STRANGE]
    catalog = ToolCatalog([{"name": "go", "description": "", "parameters": {}}])
    with pytest.raises(CalibrationError, match=f"0 pairs .{len(STRANGE)} more name none of these"):
        ToolRetriever(catalog=catalog).calibrated(gone)


@pytest.mark.parametrize(
    "pairs", [dict(PAIRS), "send it", [("send it",)], [(3, ["tool11"])], [("send it", None)]]
)
async def test_what_is_no_pair_is_an_error_that_shows_one(tmp_path, pairs):
    shown = r"Expected a request and the names of the tools that fit it, such as \('Will it rain"
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords(2048)) as index:
        index.sync(CATALOG)
        retriever = ToolRetriever(index=index, catalog=CATALOG)
        for learns in (retriever.calibrated, index.fit):
            with pytest.raises(CalibrationError, match=shown):
                learns(pairs)
        for learns in (retriever.acalibrated, index.afit):
            with pytest.raises(CalibrationError, match=shown):
                await learns(pairs)


def test_where_words_stand_in_for_an_index_nothing_is_judged(tmp_path):
    catalog = CATALOG
    index = ToolIndex.in_folder(tmp_path, embeddings=HashedWords(2048))
    index.sync(catalog)
    retriever = ToolRetriever(index=index, catalog=catalog).calibrated()
    assert index._open is not None
    index._open.store.close()
    with pytest.warns(UserWarning, match="by words alone"):
        assert retriever.search(STRANGE[0]).fits is None
    index.close()


class Failing(HashedWords):
    """An embedder that works until it is told to fail."""

    fails = False

    def embed_query(self, text):
        if self.fails:
            raise ConnectionError("no answer")
        return super().embed_query(text)


async def test_where_words_stand_in_for_an_embedder_nothing_is_calibrated(tmp_path):
    embeddings = Failing(2048)
    with ToolIndex.in_folder(tmp_path, embeddings=embeddings) as index:
        index.sync(CATALOG)
        retriever = ToolRetriever(index=index, catalog=CATALOG)
        embeddings.fails = True
        for calibrate in (retriever.calibrated, lambda: asyncio.run(retriever.acalibrated())):
            with (
                pytest.warns(UserWarning, match="by words alone"),
                pytest.raises(CalibrationError, match=r"no answer.*calibrated\(\) again"),
            ):
                await asyncio.to_thread(calibrate)
        assert index.calibrations() == {}


def test_before_the_first_sync_nothing_is_calibrated():
    with ToolIndex.in_memory(embeddings=HashedWords()) as index:
        retriever = ToolRetriever(index=index, catalog=CATALOG)
        with (
            pytest.warns(UserWarning, match="by words alone"),
            pytest.raises(CalibrationError, match="index is empty"),
        ):
            retriever.calibrated()
