import copy
import json
import pickle
import threading

import pytest
from langchain_tests.integration_tests import RetrieversIntegrationTests

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import IndexUnavailableError, UnsupportedOptionError
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.lexical import LexicalIndex
from langchain_gorilla.retrieval.points import Where
from langchain_gorilla.retrieval.retriever import ToolRetriever
from tests.retrieval.small_catalog import DOCUMENTS, document


class TestStandard(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _index(self, tmp_path, catalog, embeddings):
        self.index = ToolIndex.in_folder(tmp_path, embeddings=embeddings)
        self.index.sync(catalog)
        yield
        self.index.close()

    @property
    def retriever_constructor(self):
        return ToolRetriever

    @property
    def retriever_constructor_params(self):
        return {"index": self.index}

    @property
    def retriever_query_example(self):
        return "the name of a city, a file, an address, a title"


def names(documents) -> list[str]:
    return [document.metadata["name"] for document in documents]


def test_a_document_is_the_tool_as_json_with_its_score(catalog):
    document = ToolRetriever(catalog=catalog).invoke("forecast rain")[0]
    assert json.loads(document.page_content)["name"] == "get_weather"
    assert document.id == "get_weather"
    assert document.metadata["score"] > 0


def test_without_an_index_the_words_of_the_catalog_are_searched(catalog):
    retriever = ToolRetriever(catalog=catalog)
    assert names(retriever.invoke("forecast rain"))[0] == "get_weather"
    assert names(retriever.invoke("use `sort` for rain"))[0] == "sort"


async def test_asked_for_no_tool_it_finds_none(tmp_path, catalog):
    with ToolIndex.in_folder(tmp_path) as index:
        index.sync(catalog)
        retriever = ToolRetriever(index=index, catalog=catalog)
        assert retriever.search("forecast rain", k=0).hits == ()
        assert (await retriever.asearch("forecast rain", k=0)).hits == ()
        for k in (0, -1):
            assert ToolRetriever(catalog=catalog).search("forecast rain", k=k).hits == ()


@pytest.mark.parametrize("asked", [5, None, {"query": "forecast rain"}])
async def test_what_is_no_text_is_refused_in_words(catalog, asked):
    retriever = ToolRetriever(catalog=catalog)
    with pytest.raises(UnsupportedOptionError, match="Expected a request, as text"):
        retriever.invoke(asked)
    with pytest.raises(UnsupportedOptionError, match="Expected a request, as text"):
        await retriever.ainvoke(asked)


def test_a_retriever_that_has_searched_is_copied_with_its_index_shared(tmp_path, catalog):
    words = ToolRetriever(catalog=catalog)
    found = names(words.invoke("forecast rain"))
    pickled = pickle.dumps(words)
    for other in (copy.deepcopy(words), pickle.loads(pickled)):  # noqa: S301
        assert names(other.invoke("forecast rain")) == found
    with ToolIndex.in_folder(tmp_path) as index:
        index.sync(catalog)
        other = copy.deepcopy(ToolRetriever(index=index))
        assert names(other.invoke("forecast rain")) == found


def test_the_words_follow_the_catalog(catalog):
    retriever = ToolRetriever(catalog=catalog)
    assert names(retriever.invoke("teleport")) == []
    catalog.add({**DOCUMENTS[3], "description": "Teleport a gorilla."}, replace=True)
    assert names(retriever.invoke("teleport")) == ["sort"]


def test_the_words_rank_as_an_index_by_words_does(tmp_path, catalog):
    query = "the name of a city, a file, an address, a title and forecast the rain"
    with ToolIndex.in_folder(tmp_path) as index:
        index.sync(catalog)
        indexed = ToolRetriever(index=index).invoke(query)
    assert names(ToolRetriever(catalog=catalog).invoke(query)) == names(indexed)


def test_the_words_of_a_namespace_rank_as_an_index_ranks_them(tmp_path):
    catalog = ToolCatalog([document("one", "mail zebra"), document("two", "alpha")], namespace="a")
    catalog.add_all([document(f"a{n}", "alpha") for n in range(9)], namespace="a")
    catalog.add_all([document(f"b{n}", "mail zebra") for n in range(40)], namespace="b")
    where = Where(namespaces="a")
    with ToolIndex.in_folder(tmp_path) as index:
        index.sync(catalog)
        indexed = index.search("alpha mail", where=where).hits
    found = ToolRetriever(catalog=catalog, where=where).search("alpha mail").hits
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in indexed])


def test_as_many_tools_as_were_asked_for_are_found_by_words():
    catalog = ToolCatalog([document(f"mail{n}", "Send a letter.") for n in range(150)])
    assert len(ToolRetriever(catalog=catalog, k=120).search("a letter").hits) == 120


async def test_words_are_counted_beside_the_event_loop(catalog, monkeypatch):
    threads = []
    search = LexicalIndex.search

    def noted(self, *arguments, **options):
        threads.append(threading.get_ident())
        return search(self, *arguments, **options)

    monkeypatch.setattr(LexicalIndex, "search", noted)
    assert (await ToolRetriever(catalog=catalog).asearch("forecast rain")).hits
    assert threads
    assert threading.get_ident() not in threads


async def test_a_filter_that_lets_all_through_takes_the_place_of_the_retrievers_own():
    catalog = ToolCatalog(DOCUMENTS[:1], namespace="a")
    retriever = ToolRetriever(catalog=catalog, where=Where(namespaces="b"))
    assert not retriever.search("rain").hits
    assert retriever.search("rain", where=Where()).hits
    assert (await retriever.asearch("rain", where=Where())).hits


def test_the_words_are_filtered_too():
    catalog = ToolCatalog(DOCUMENTS[:2], namespace="a")
    catalog.add_all(DOCUMENTS[2:], namespace="b")
    retriever = ToolRetriever(catalog=catalog, where=Where(namespaces=("b",)))
    assert set(names(retriever.invoke("title file amount airport city"))) == {
        entry["name"] for entry in DOCUMENTS[2:]
    }


def test_a_retriever_with_nothing_to_search_says_what_to_pass():
    with pytest.raises(IndexUnavailableError, match="catalog="):
        ToolRetriever().invoke("rain")


async def test_an_index_that_is_gone_leaves_the_words_and_says_so(tmp_path, catalog):
    index = ToolIndex.in_folder(tmp_path)
    index.sync(catalog)
    assert index._open is not None
    index._open.store.close()
    retriever = ToolRetriever(index=index, catalog=catalog)
    with pytest.warns(UserWarning, match="by words alone"):
        assert names(retriever.invoke("forecast rain"))[0] == "get_weather"
    with pytest.warns(UserWarning, match="by words alone"):
        assert names(await retriever.ainvoke("forecast rain"))[0] == "get_weather"
    with pytest.raises(IndexUnavailableError, match="Open it again"):
        ToolRetriever(index=index).invoke("rain")
    index.close()


def test_the_words_are_those_of_the_catalog_in_use(catalog):
    retriever = ToolRetriever(catalog=catalog)
    assert names(retriever.invoke("teleport")) == []
    retriever.catalog = ToolCatalog([{**DOCUMENTS[0], "description": "Teleport."}, *DOCUMENTS[1:]])
    assert names(retriever.invoke("teleport")) == ["get_weather"]


def test_an_option_that_it_does_not_have_is_an_error(catalog):
    with pytest.raises(ValueError, match=r"top_k\n.*not permitted"):
        ToolRetriever(catalog=catalog, top_k=3)
