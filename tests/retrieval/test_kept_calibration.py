"""A calibration stays in the index: real folders, and Qdrant's memory."""

import pytest
from pydantic import Field

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.points import Where
from langchain_gorilla.retrieval.retriever import ToolRetriever
from tests.retrieval.small_catalog import HashedWords
from tests.retrieval.test_abstention import CATALOG, PAIRS, STRANGE
from tests.retrieval.test_adapter import catalog as house
from tests.retrieval.test_adapter import pairs as house_pairs


class Counted(ToolRetriever):
    """Counts the searches that it makes."""

    searches: list[str] = Field(default_factory=list)

    def search(self, query, **options):
        self.searches.append(query)
        return super().search(query, **options)

    async def asearch(self, query, **options):
        self.searches.append(query)
        return await super().asearch(query, **options)


def retriever(index, catalog=CATALOG, **options) -> Counted:
    return Counted(index=index, catalog=catalog, **options)


@pytest.fixture
def index(new_index):
    index = new_index()
    index.sync(CATALOG)
    return index


def fitted_anew(wanted: Counted, *arguments, **options) -> bool:
    wanted.calibrated(*arguments, **options)
    return bool(wanted.searches)


@pytest.mark.parametrize("embeddings", [None, HashedWords(2048)], ids=["words", "dense"])
def test_another_process_takes_it_without_a_search(tmp_path, embeddings):
    with ToolIndex.in_folder(tmp_path, embeddings=embeddings) as index:
        index.sync(CATALOG)
        first = retriever(index).calibrated(PAIRS)
    with ToolIndex.in_folder(tmp_path, embeddings=embeddings) as index:
        index.sync(CATALOG)
        wanted = retriever(index)
        second = wanted.calibrated(PAIRS)
        assert not wanted.searches
        assert second.calibration == first.calibration
        assert [second.search(query).fit for query in STRANGE] == [
            first.calibration.fit(query, index.search(query).hits) for query in STRANGE
        ]
        assert len(index) == len(CATALOG)
        assert "calibrations" not in {hit.name for hit in index.tools()}


def test_a_fingerprint_does_not_hang_on_the_last_digit_of_a_number(tmp_path):
    # Their mean length, 0.6 * 31 / 2 words, is 9.299999999999999 in Python and 9.3 in the index.
    tools = ToolCatalog(
        {"name": name, "description": "word " * n} for name, n in [("a", 15), ("b", 14)]
    )
    with ToolIndex.in_folder(tmp_path) as index:
        index.sync(tools)
        first = index.fingerprint()
    with ToolIndex.in_folder(tmp_path) as index:
        assert index.fingerprint() == first


def test_without_pairs_the_one_that_was_fitted_to_pairs_is_taken(index):
    fitted = retriever(index).calibrated(PAIRS, keep=0.9).calibration
    assert retriever(index).calibrated().calibration == fitted


@pytest.mark.parametrize(
    ("arguments", "options"),
    [((PAIRS[:60],), {}), ((), {"keep": 0.9}), ((), {"samples": 50}), ((), {"seed": 1})],
    ids=["pairs", "keep", "samples", "seed"],
)
def test_other_pairs_or_options_fit_anew(index, arguments, options):
    retriever(index).calibrated()
    assert fitted_anew(retriever(index), *arguments, **options)
    assert not fitted_anew(retriever(index), *arguments, **options)


def test_a_changed_document_fits_anew(index):
    assert fitted_anew(retriever(index))
    changed = ToolCatalog()
    for tool in CATALOG:
        changed.add({"name": tool.name, "description": f"{tool.function.description} again"})
    index.sync(changed)
    assert fitted_anew(retriever(index, changed))
    assert not fitted_anew(retriever(index, changed))


def test_a_document_more_fits_anew_and_lets_go_of_the_old_ones(index):
    retriever(index).calibrated()
    retriever(index, where=Where(names=tuple(sorted(CATALOG.names)[:40]))).calibrated()
    assert len(index.calibrations()) == 2
    more = ToolCatalog(CATALOG)
    more.add({"name": "more", "description": "Something that was not there before today."})
    index.sync(more)
    assert fitted_anew(retriever(index, more))
    assert len(index.calibrations()) == 1


def test_each_filter_has_its_own(index):
    some = Where(names=tuple(sorted(CATALOG.names)[:40]))
    assert fitted_anew(retriever(index))
    assert fitted_anew(retriever(index, where=some))
    assert fitted_anew(retriever(index, constraints=True))
    assert not fitted_anew(retriever(index))
    assert not fitted_anew(retriever(index, where=some))


def test_another_embedder_fits_anew(tmp_path):
    for size in (512, 1024):
        with ToolIndex.in_folder(tmp_path, embeddings=HashedWords(size)) as index:
            index.sync(CATALOG)
            assert fitted_anew(retriever(index))


@pytest.mark.parametrize("options", [{"fusion": "dbsf"}, {"lexical_weight": 0.1}])
def test_another_fusion_fits_anew(tmp_path, options):
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords()) as index:
        index.sync(CATALOG)
        retriever(index).calibrated()
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords(), **options) as index:
        assert fitted_anew(retriever(index))


def test_an_adapter_fits_anew(tmp_path):
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords(), adapted=True) as index:
        index.sync(house())
        retriever(index, house()).calibrated()
        assert index.fit(house_pairs()).installed
        assert fitted_anew(retriever(index, house()))


def test_without_an_index_nothing_is_kept():
    assert fitted_anew(retriever(None))
    assert fitted_anew(retriever(None))


async def test_async_callers_fit_and_take_the_same(index):
    wanted = retriever(index)
    fitted = (await wanted.acalibrated(PAIRS)).calibration
    assert wanted.searches
    again = retriever(index)
    assert (await again.acalibrated(PAIRS)).calibration == fitted
    assert not again.searches
    assert fitted == ToolRetriever(index=index, catalog=CATALOG).calibrated(PAIRS).calibration
