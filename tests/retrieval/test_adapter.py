import random
from dataclasses import replace

import numpy as np
import pytest

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import CalibrationError
from langchain_gorilla.retrieval.adapter import Adapter, ndcg_at_10
from langchain_gorilla.retrieval.header import read_header
from langchain_gorilla.retrieval.retriever import ToolRetriever
from tests.retrieval.small_catalog import HashedWords

TOPICS = {
    "weather": "forecast rain wind temperature",
    "mail": "letter recipient attachment inbox",
    "travel": "airplane seat luggage departure",
    "money": "currency exchange balance invoice",
    "music": "playlist song album concert",
    "cooking": "recipe oven ingredient dinner",
}
# What the users of this house say; no word of it is in a document.
JARGON = {
    "weather": "sky umbrella outside sunshine",
    "mail": "note postman write reply",
    "travel": "trip holiday wings airport",
    "money": "cash wallet bucks pay",
    "music": "tune band listen radio",
    "cooking": "food kitchen hungry eat",
}


def catalog() -> ToolCatalog:
    held = ToolCatalog()
    for topic, words in TOPICS.items():
        held.add({"name": f"about_{topic}", "description": f"Everything with {words}."})
    for number in range(40):
        held.add(
            {
                "name": f"other_{number}",
                "description": f"Item{number} shelf{number * 7} row{number} box{number}.",
            }
        )
    return held


def pairs(seed: int = 0, count: int = 60) -> list[tuple[str, list[str]]]:
    chooser = random.Random(seed)
    topics = [chooser.choice(list(JARGON)) for _ in range(count)]
    return [
        (" ".join(chooser.sample(JARGON[topic].split(), 2)), [f"about_{topic}"]) for topic in topics
    ]


def test_a_sync_during_a_fit_is_not_undone(new_index):
    class Syncing(HashedWords):
        index = None

        def embed_query(self, text):
            if (index := self.index) is not None:
                self.index = None
                index.sync([*catalog(), *ToolCatalog({"name": f"new_{n}"} for n in range(30))])
            return super().embed_query(text)

    embeddings = Syncing()
    index = new_index(embeddings=embeddings, adapted=True)
    index.sync(catalog())
    embeddings.index = index
    index.fit(pairs())
    assert index._held.open.header == read_header(index._held.open.store)


@pytest.fixture
def index(new_index):
    index = new_index(embeddings=HashedWords(), adapted=True)
    index.sync(catalog())
    return index


def found(index, query: str) -> str:
    return index.search(query).hits[0].name


def test_an_adapter_that_helps_is_installed_and_used(index):
    report = index.fit(pairs())
    assert report.installed
    assert report.after > report.before + 0.3
    assert (report.fitted, report.held_out, report.version) == (45, 15, 1)
    assert found(index, "umbrella outside") == "about_weather"


def test_nothing_is_embedded_again_and_old_requests_are_found_as_before(index):
    embedded = len(index.dense.embeddings.documents)
    index.fit(pairs())
    assert len(index.dense.embeddings.documents) == embedded
    assert found(index, "song and concert") == "about_music"
    assert found(index, "Item7 shelf49") == "other_7"


def test_a_pair_may_name_a_single_tool(index):
    assert index.fit([(query, name) for query, [name] in pairs()]).installed


def test_an_adapter_that_does_not_help_is_refused(index):
    shuffled = [(query, [f"other_{number % 40}"]) for number, (query, _) in enumerate(pairs())]
    report = index.fit(shuffled)
    assert not report.installed
    assert (report.version, index.embedder) == (0, index.dense.id)


def test_a_worse_adapter_leaves_the_one_before(index):
    index.fit(pairs())
    shuffled = [(query, [f"other_{number % 40}"]) for number, (query, _) in enumerate(pairs(1))]
    assert index.fit(shuffled).version == 1
    assert found(index, "umbrella outside") == "about_weather"


def test_versions_count(index):
    assert [index.fit(pairs(seed)).version for seed in (0, 1)] == [1, 2]
    assert index.embedder == f"{index.dense.id} adapter 2"


def test_it_is_saved_beside_the_collection_and_off_by_default(tmp_path):
    from langchain_gorilla.retrieval.collection import ToolIndex

    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords()) as index:
        index.sync(catalog())
        assert index.fit(pairs()).installed
        before = [hit.score for hit in index.search("umbrella outside").hits]
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords()) as index:
        assert [hit.score for hit in index.search("umbrella outside").hits] == before
        assert len(index) == len(catalog())
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords(), adapted=True) as index:
        assert found(index, "umbrella outside") == "about_weather"
        assert index.sync(catalog()).unchanged == len(catalog())
        assert found(index, "umbrella outside") == "about_weather"


async def test_async_searches_use_it_too(index):
    index.fit(pairs())
    assert (await index.asearch("umbrella outside")).hits[0].name == "about_weather"


async def test_async_callers_fit_the_same_adapter(new_index):
    reports = []
    for awaited in (True, False):
        index = new_index(embeddings=HashedWords(), adapted=True)
        index.sync(catalog())
        reports.append(await index.afit(pairs()) if awaited else index.fit(pairs()))
        assert found(index, "umbrella outside") == "about_weather"
    # Before, all tools are equally far: which ones are found is the store's choice.
    awaited, plain = (replace(report, before=0.0) for report in reports)
    assert awaited == plain


async def test_async_callers_are_told_of_too_few_pairs_and_no_vectors(index, new_index):
    with pytest.raises(CalibrationError, match="0 of 0 pairs"):
        await index.afit([])
    with pytest.raises(CalibrationError, match="embeddings= and"):
        await new_index().afit(pairs())


def test_a_calibration_of_another_adapter_is_an_error(index):
    retriever = ToolRetriever(index=index, catalog=catalog()).calibrated(samples=20)
    index.fit(pairs())
    with pytest.raises(CalibrationError, match="adapter 1"):
        retriever.search("umbrella outside")


def test_the_adapter_goes_with_its_embedder(tmp_path):
    from langchain_gorilla.retrieval.collection import ToolIndex

    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords(), adapted=True) as index:
        index.sync(catalog())
        index.fit(pairs())
    other = HashedWords(300, model="other")
    with ToolIndex.in_folder(tmp_path, embeddings=other, adapted=True) as index:
        index.sync(catalog())
        assert index.embedder == index.dense.id


@pytest.mark.parametrize(
    ("given", "options", "match"),
    [
        (pairs(count=10), {}, "10 of 10 pairs"),
        ([("rain", ["no_such_tool"])] * 50, {}, "0 of 50 pairs"),
        (pairs(), {"held_out": 1.0}, "held_out is 1.0"),
    ],
)
def test_too_few_pairs_are_an_error(index, given, options, match):
    with pytest.raises(CalibrationError, match=match):
        index.fit(given, **options)


def test_two_pairs_are_always_left_to_fit_to(index):
    assert index.fit(pairs(), held_out=0.999).fitted == 2


def test_an_index_by_words_has_nothing_to_adapt(new_index):
    index = new_index()
    index.sync(catalog())
    with pytest.raises(CalibrationError, match="has none"):
        index.fit(pairs())


def test_an_adapter_reads_back_as_it_was_written():
    matrix = np.eye(3, dtype=np.float32) * 0.5
    adapter = Adapter(matrix, version=3, pairs=40, before=0.5, after=0.6)
    again = Adapter.from_payload(adapter.as_payload())
    assert again is not None
    assert np.array_equal(again.matrix, matrix)
    assert (again.version, again.pairs, again.before, again.after) == (3, 40, 0.5, 0.6)
    assert Adapter.from_payload({"format": "another"}) is None


def test_a_zero_vector_stays():
    adapter = Adapter(np.zeros((2, 2), dtype=np.float32), 1, 1, 0.0, 0.0)
    assert adapter.turned([1.0, 0.0]) == [1.0, 0.0]


@pytest.mark.parametrize(
    ("ranked", "wanted", "gain"),
    [("ab", {"a"}, 1.0), ("ba", {"a"}, 0.6309), ("xy", {"a"}, 0.0), ("abc", {"a", "b"}, 1.0)],
)
def test_gain_is_discounted_by_rank(ranked, wanted, gain):
    assert ndcg_at_10(list(ranked), wanted) == pytest.approx(gain, abs=1e-4)
