import numpy as np
import pytest

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import (
    EmbeddingError,
    IndexMismatchError,
    UnsupportedOptionError,
)
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.points import Range, Where
from langchain_gorilla.retrieval.retriever import ToolRetriever
from tests.retrieval.small_catalog import DOCUMENTS, HashedWords, document


def names(result) -> list[str]:
    return [hit.name for hit in result.hits]


@pytest.fixture(params=["words", "dense"])
def index(request, new_index, catalog):
    index = new_index(embeddings=HashedWords() if request.param == "dense" else None)
    index.sync(catalog)
    return index


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("Will it rain in Paris? What is the forecast for the city?", "get_weather"),
        ("reserve a seat on a plane from an airport", "book_flight"),
        ("exchange money", "convert_currency"),
    ],
)
def test_the_tool_whose_document_fits_comes_first(index, query, name):
    assert names(index.search(query))[0] == name


UNSPACED = [
    document("q1", "查询一个城市的天气"),
    document("q2", "发送电子邮件给联系人"),
    document("q3", "都市の天気予報を調べる"),
    document("q4", "도시의 미세먼지를 알려준다"),
    document("q5", "จองห้องพักโรงแรม"),
]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("天气", "q1"),
        ("上海今天的天气怎么样？", "q1"),
        ("请给小王发送邮件", "q2"),
        ("東京の天気を教えて", "q3"),
        ("미세먼지가 어때요?", "q4"),
        ("อยากจองโรงแรม", "q5"),
    ],
)
def test_words_without_spaces_between_them_are_found(new_index, query, name):
    index, catalog = new_index(), ToolCatalog(UNSPACED)
    index.sync(catalog)
    assert names(index.search(query))[0] == name
    assert names(ToolRetriever(catalog=catalog).search(query))[0] == name


def test_the_end_of_a_long_text_without_spaces_is_found(new_index):
    index, catalog = new_index(), ToolCatalog([document("long", "的" * 9_000 + "天气")])
    index.sync(catalog)
    assert names(index.search("天气")) == ["long"]
    assert names(ToolRetriever(catalog=catalog).search("天气")) == ["long"]


@pytest.mark.parametrize("name", [entry["name"] for entry in DOCUMENTS])
def test_a_tool_named_exactly_comes_first(index, name):
    hit = index.search(f"Please call `{name}` about rain, money, mail and bugs").hits[0]
    assert (hit.name, hit.named) == (name, True)


@pytest.mark.parametrize("name", [entry["name"] for entry in DOCUMENTS])
def test_a_name_alone_finds_its_tool(index, name):
    assert names(index.search(name))[0] == name


def test_a_plain_word_that_is_a_name_pins_nothing(index):
    assert not any(hit.named for hit in index.search("What sort of weather is it?").hits)


def test_each_clause_brings_its_tool(index):
    found = names(index.search("forecast the rain in a city and send an electronic letter", k=2))
    assert sorted(found) == ["get_weather", "send_mail"]


def test_a_hit_carries_the_whole_document(index):
    assert (
        index.search("forecast rain").hits[0].document["parameters"]["properties"]
        == (DOCUMENTS[0]["parameters"]["properties"])
    )


def test_no_more_than_k_tools(index):
    assert len(index.search("a file city money letter bug", k=3).hits) == 3


@pytest.mark.parametrize("limit", [0, -1])
def test_no_tools_of_an_index_are_no_list_of_them(index, limit):
    with pytest.raises(UnsupportedOptionError, match=f"limit={limit} .*Expected 1 or more"):
        index.tools(limit=limit)


@pytest.mark.parametrize("query", ["", "   \n", "\x00", "🦍🦍🦍", "()[]{}'\"`"])
def test_a_query_without_words_is_no_error(index, query):
    index.search(query)


def test_a_query_of_100000_characters_finds_its_tool(index):
    assert names(index.search("forecast rain wind city " * 4_200))[0] == "get_weather"


def test_words_alone_find_nothing_where_no_word_fits(new_index, catalog):
    index = new_index()
    index.sync(catalog)
    assert index.search("xylophone").hits == ()


def test_an_empty_catalog_has_no_hits(new_index):
    index = new_index()
    assert index.search("anything").hits == ()
    index.sync([])
    assert index.search("anything").hits == ()


async def test_async_search_finds_the_same(index):
    query = "forecast the rain in a city and send an electronic letter, with `sort`"
    assert names(await index.asearch(query)) == names(index.search(query))


def test_namespaces_filter(new_index):
    catalog = ToolCatalog(qualified=True)
    for namespace in ("a", "b"):
        catalog.add_all(DOCUMENTS, namespace=namespace)
    index = new_index(embeddings=HashedWords())
    index.sync(catalog)
    found = index.search("forecast rain", where=Where(namespaces=("b",)))
    assert {hit.namespace for hit in found.hits} == {"b"}
    assert found.hits[0].name == "b.get_weather"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Where(ranges=(Range("size", lte=10),)), {"small"}),
        (Where(ranges=(Range("size", gt=10),)), {"large"}),
        (Where(equal={"vendor": "x"}), {"small", "large"}),
        (Where(equal={"vendor": ("x", "y")}), {"small", "large", "other"}),
        (Where(equal={"kinds": "b"}), {"large"}),
        (Where(equal={"free": True}), {"small"}),
        (Where(equal={"weight": 5}), {"other"}),
        (Where(equal={"size": (10, 10.5)}), {"small", "large"}),
        (Where(equal={"vendor": "x"}, ranges=(Range("size", gte=5, lt=10.5),)), {"small"}),
    ],
)
def test_metadata_filters(new_index, where, expected):
    catalog = ToolCatalog()
    for name, metadata in {
        "small": {"size": 10, "vendor": "x", "free": True},
        "large": {"size": 10.5, "vendor": "x", "kinds": ("a", "b"), "free": False},
        "other": {"vendor": "y", "weight": 5.0},
    }.items():
        catalog.add(document(name, "Classify a picture."), metadata=metadata)
    index = new_index()
    index.sync(catalog)
    assert {hit.name for hit in index.search("classify a picture", where=where).hits} == expected


@pytest.mark.parametrize("key", ["price ($)", "a.b", "a[0]"])
def test_a_metadata_key_may_have_any_characters(new_index, key):
    catalog = ToolCatalog()
    for name in ("small", "large"):
        catalog.add(document(name, "Classify a picture."), metadata={key: name})
    index = new_index()
    index.sync(catalog)
    found = index.search("classify a picture", where=Where(equal={key: "small"}))
    assert names(found) == ["small"]


def test_half_a_character_in_a_request_leaves_its_words(index):
    assert names(index.search("forecast the rain \ud83d"))[0] == "get_weather"


def test_a_failing_embedder_leaves_the_words_and_says_so(new_index, catalog):
    class Failing(HashedWords):
        def embed_query(self, text: str) -> list[float]:
            if text == "dimension":
                return super().embed_query(text)
            raise ConnectionError("no route to host")

    index = new_index(embeddings=Failing())
    index.sync(catalog)
    with pytest.warns(UserWarning, match="by words alone"):
        result = index.search("forecast rain")
    assert names(result)[0] == "get_weather"
    assert "no route to host" in result.notes[0]


@pytest.mark.parametrize("vector", [[], [float("nan")] * 256])
def test_vectors_that_cannot_be_stored_are_refused(new_index, catalog, vector):
    class Broken(HashedWords):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [vector for _ in texts]

    with pytest.raises(EmbeddingError, match="gave a vector"):
        new_index(embeddings=Broken()).sync(catalog)


def test_another_embedder_is_refused_before_a_sync(tmp_path, catalog):
    from langchain_gorilla.retrieval.collection import ToolIndex

    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords()) as index:
        index.sync(catalog)
    with (
        ToolIndex.in_folder(tmp_path, embeddings=HashedWords(32, "other")) as other,
        pytest.raises(IndexMismatchError, match="sync"),
    ):
        other.search("rain")
    with (
        ToolIndex.in_folder(tmp_path, embeddings=HashedWords(32)) as smaller,
        pytest.raises(IndexMismatchError, match="vectors of 32"),
    ):
        smaller.search("rain")


def test_vectors_may_be_arrays(new_index, catalog):
    class Arrays(HashedWords):
        def _vector(self, text: str):
            return np.array(super()._vector(text), dtype=np.float32)

    index = new_index(embeddings=Arrays())
    index.sync(catalog)
    assert names(index.search("forecast rain"))[0] == "get_weather"


def test_a_filter_takes_several_truth_values(new_index):
    catalog = ToolCatalog()
    catalog.add(DOCUMENTS[0], metadata={"stable": True})
    index = new_index()
    index.sync(catalog)
    where = Where(equal={"stable": [True, False]})
    assert names(index.search("forecast rain", where=where)) == ["get_weather"]


@pytest.mark.parametrize(
    "where",
    [
        Where(namespaces="mail"),
        Where(names="send_mail"),
        Where(equal={"kind": ["letter", "fax"]}),
        Where(ranges=Range("size", lt=3)),
    ],
)
def test_a_filter_takes_a_single_keyword_or_bound_and_a_list(new_index, where):
    catalog = ToolCatalog(DOCUMENTS[:1], namespace="ail")
    catalog.add(DOCUMENTS[1], namespace="mail", metadata={"kind": "letter", "size": 2})
    index = new_index()
    index.sync(catalog)
    query = "rain in a city, a letter"
    assert names(index.search(query, where=where)) == ["send_mail"]
    assert names(ToolRetriever(catalog=catalog).search(query, where=where)) == ["send_mail"]


@pytest.mark.parametrize(
    ("equal", "problem"),
    [
        ({"kind": None}, "'kind' = None. Expected a number, a string"),
        ({"kind": ["letter", None]}, "'kind' = None. Expected a number, a string"),
        ({"size": float("nan")}, "Expected a finite number"),
        ({'a "good" one': 1}, "without double quotes"),
    ],
)
def test_a_filter_for_what_no_metadata_holds_is_an_error(equal, problem):
    with pytest.raises(UnsupportedOptionError, match=problem):
        Where(equal=equal)


@pytest.mark.parametrize("bound", [float("nan"), float("inf")])
def test_a_bound_that_is_no_number_is_an_error(bound):
    with pytest.raises(UnsupportedOptionError, match="Expected a finite number"):
        Where(ranges=Range("size", lt=bound))


def test_tools_whose_ids_are_spelled_alike_are_both_found(new_index):
    catalog = ToolCatalog([document("mail/send", "Send a letter.")])
    catalog.add(document("send", "Send a parcel."), namespace="mail")
    index = new_index()
    index.sync(catalog)
    assert set(names(index.search("a letter, a parcel"))) == {"mail/send", "send"}


def test_a_fusion_that_there_is_not_is_an_error_and_leaves_the_folder_free(tmp_path):
    with pytest.raises(UnsupportedOptionError, match="'formula', 'dbsf'") as held:
        ToolIndex.in_folder(tmp_path, fusion="rrf")
    ToolIndex.in_folder(tmp_path).close()
    assert held.tb is not None


def test_an_embedder_that_is_none_is_an_error_and_leaves_the_folder_free(tmp_path):
    with pytest.raises(UnsupportedOptionError, match="'all-MiniLM' has no embed_documents") as held:
        ToolIndex.in_folder(tmp_path, embeddings="all-MiniLM")
    ToolIndex.in_folder(tmp_path).close()
    assert held.tb is not None


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"query": None}, "was asked None. Expected a request, as text"),
        ({"query": ["weather"]}, r"was asked \['weather'\]"),
        ({"query": b"weather"}, "was asked b'weather'"),
        ({"k": "3"}, "k='3' is no number of tools. Expected a whole number"),
        ({"k": 2.0}, "k=2.0 is no number of tools"),
        ({"where": {"namespace": "github"}}, r"is no filter. Expected one such as Where\("),
    ],
)
async def test_what_is_no_request_is_an_error_wherever_it_is_searched(
    index, catalog, asked, problem
):
    asked = {"query": "weather", "k": 3, "where": None, **asked}
    for searched in (
        index,
        ToolRetriever(index=index, catalog=catalog),
        ToolRetriever(catalog=catalog),
    ):
        with pytest.raises(UnsupportedOptionError, match=problem):
            searched.search(**asked)
        with pytest.raises(UnsupportedOptionError, match=problem):
            await searched.asearch(**asked)
