"""Which words choose the candidates of a large collection: plain values, and a real folder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.retrieval import edge_store
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.edge_store import EdgeStore
from langchain_gorilla.retrieval.points import Query, SparseWeights, StoredPoint, Where
from langchain_gorilla.retrieval.word_shares import READ, finding, word_shares
from tests.retrieval.small_catalog import HashedWords, document

RARE, FREQUENT, EVERYWHERE, UNSEEN = 1, 2, 3, 4
SHARES = {RARE: 0.01, FREQUENT: 0.5, EVERYWHERE: 1.0}


def words(*tokens: int) -> SparseWeights:
    return SparseWeights(tokens, [1.0] * len(tokens))


def test_a_share_is_that_of_the_documents_with_the_word():
    assert word_shares([words(1, 2), words(2), words(2), words(3)]) == {1: 0.25, 2: 0.75, 3: 0.25}


def test_no_documents_have_no_shares():
    assert word_shares([]) == {}


@pytest.mark.parametrize(
    ("request_words", "kept"),
    [
        ((RARE, FREQUENT, EVERYWHERE), [RARE]),
        ((EVERYWHERE, FREQUENT), [FREQUENT]),
        ((EVERYWHERE,), [EVERYWHERE]),
        ((UNSEEN, EVERYWHERE, FREQUENT), [UNSEEN, FREQUENT]),
        ((UNSEEN, RARE, FREQUENT), [UNSEEN, RARE]),
        ((), []),
    ],
)
def test_the_rarest_words_choose_and_one_of_them_is_known(request_words, kept):
    assert finding(words(*request_words), SHARES).indices == kept


@given(
    st.dictionaries(st.integers(0, 50), st.floats(0.001, 1.0)),
    st.lists(st.integers(0, 60), unique=True),
)
def test_words_that_choose_are_words_of_the_request_and_in_few_tools(shares, tokens):
    weights = {token: token + 0.5 for token in tokens}
    kept = finding(SparseWeights(tokens, list(weights.values())), shares)
    assert set(zip(kept.indices, kept.values, strict=True)) <= weights.items()
    known = [shares[token] for token in kept.indices if token in shares]
    assert len(known) == 1 or sum(known) <= READ
    assert bool(known) == bool(shares.keys() & weights.keys())


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A hundred tools: all have one word, half another one, each tenth a rare one."""
    monkeypatch.setattr(edge_store, "ALL_WORDS_UP_TO", 50)
    store = EdgeStore(tmp_path / "index", dimension=None)
    points = []
    for number in range(100):
        tokens = [EVERYWHERE, 1_000 + number]
        tokens += [FREQUENT] if number % 2 else []
        tokens += [RARE] if number % 10 == 1 else []
        point = f"{number * 7_919 % 100:08}-0000-0000-0001-000000000000"
        points.append(StoredPoint(point, {}, words(*tokens)))
    store.write(points)
    yield store
    store.close()


def found(store: EdgeStore, query: SparseWeights, **options) -> dict[str, float]:
    return {
        hit.id: hit.score for hit in store.search([Query(sparse=query, limit=50, **options)])[0]
    }


def test_tools_are_found_by_rarer_words_and_scored_by_all(store):
    query = words(EVERYWHERE, FREQUENT, RARE)
    chosen = found(store, query)
    scores = found(store, query, exact=True)
    assert chosen.keys() == found(store, words(RARE)).keys()
    assert len(chosen) == 10
    assert chosen == pytest.approx({point: scores[point] for point in chosen})


def test_an_exact_search_reads_all_words(store):
    assert len(found(store, words(EVERYWHERE, RARE), exact=True)) == 50


def test_behind_a_filter_all_words_are_read(store):
    store.write(
        [
            StoredPoint(
                "00000001-0000-0000-0002-000000000000", {"namespace": "mail"}, words(FREQUENT)
            )
        ]
    )
    hits = found(store, words(FREQUENT, RARE), where=Where(namespaces=("mail",)))
    assert list(hits) == ["00000001-0000-0000-0002-000000000000"]


def test_a_small_collection_is_searched_by_all_words(store, monkeypatch):
    monkeypatch.setattr(edge_store, "ALL_WORDS_UP_TO", 1_000)
    assert len(found(store, words(EVERYWHERE, RARE))) == 50


@pytest.mark.parametrize("embeddings", [None, HashedWords()], ids=["words", "dense"])
def test_a_large_index_is_searched_and_follows_its_catalog(tmp_path, monkeypatch, embeddings):
    monkeypatch.setattr(edge_store, "ALL_WORDS_UP_TO", 20)
    catalog = ToolCatalog(
        [document(f"tool{n}", f"Handle the thing of colour{n}.") for n in range(40)]
    )
    with ToolIndex.in_folder(tmp_path, embeddings=embeddings) as index:
        index.sync(catalog)
        assert index.search("handle the thing of colour7", k=1).hits[0].name == "tool7"
        catalog.add(document("more", "Handle the thing of aubergine."))
        index.sync(catalog)
        assert index.search("handle the thing of aubergine", k=1).hits[0].name == "more"
