"""Vectors compared by few bits, the graph of large collections, documents at hand: real folders."""

import contextlib
import json
import threading
import time

import numpy as np
import pytest

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import IndexUnavailableError
from langchain_gorilla.retrieval import edge_store
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.edge_store import EdgeStore
from langchain_gorilla.retrieval.points import Query, SparseWeights, StoredPoint
from tests.retrieval.small_catalog import HashedWords


def vectors(count: int, dimension: int) -> np.ndarray:
    drawn = np.random.default_rng(0).standard_normal((count, dimension))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def filled(folder, rows: np.ndarray) -> EdgeStore:
    store = EdgeStore(folder / "index", dimension=rows.shape[1])
    points = [
        StoredPoint(f"00000000-0000-0000-0001-{number:012}", {}, SparseWeights((), ()), row)
        for number, row in enumerate(rows.tolist())
    ]
    store.write(points)
    return store


def found(store: EdgeStore, row: np.ndarray, *, exact: bool = False) -> dict[str, float]:
    query = Query(sparse=SparseWeights((), ()), dense=row.tolist(), limit=20, exact=exact)
    return {hit.id: hit.score for hit in store.search([query])[0]}


@pytest.mark.parametrize("dimension", [1, 3, 33, 384, 1536])
def test_few_bits_find_what_all_bits_find_with_the_scores_of_all_bits(tmp_path, dimension):
    rows = vectors(500, dimension)
    store = filled(tmp_path, rows)
    for row in vectors(20, dimension):
        scores = sorted((rows @ row).tolist(), reverse=True)[:20]
        assert list(found(store, row).values()) == pytest.approx(scores, abs=1e-5)
        assert list(found(store, row, exact=True).values()) == pytest.approx(scores, abs=1e-5)
    store.close()


def test_beyond_a_size_a_graph_is_built_and_finds_nearly_all(tmp_path, monkeypatch):
    monkeypatch.setattr(edge_store, "SCANNED_UP_TO", 1_000)
    rows = vectors(3_000, 64)
    store = filled(tmp_path, rows)
    before = store._shard.info().segments_count
    store.optimize()
    assert store._shard.info().segments_count > before
    shares = [
        len(found(store, row).keys() & found(store, row, exact=True).keys()) / 20
        for row in vectors(20, 64)
    ]
    assert sum(shares) / len(shares) > 0.95
    store.close()


def test_a_folder_is_closed_while_another_thread_reads(tmp_path):
    store = EdgeStore(tmp_path / "index", dimension=None)
    store.write_note("header", {"numbers": list(range(100))})

    def read():
        with contextlib.suppress(IndexUnavailableError):
            while True:
                store.note("header")

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    time.sleep(0.05)
    store.close()
    reading.join()


def test_few_points_are_left_as_they_are(tmp_path):
    store = filled(tmp_path, vectors(50, 8))
    store.optimize()
    assert store._shard.info().segments_count == 1
    store.close()


def test_an_index_that_was_made_without_few_bits_is_searched_and_synced_as_before(
    tmp_path, monkeypatch
):
    import qdrant_edge

    plain = qdrant_edge.EdgeVectorParams

    def unquantized(dimension, distance, quantization_config):
        return plain(dimension, distance)

    catalog = ToolCatalog([{"name": f"tool{n}", "description": f"word{n}"} for n in range(9)])
    with monkeypatch.context() as patched:
        patched.setattr(qdrant_edge, "EdgeVectorParams", unquantized)
        with ToolIndex.in_folder(tmp_path, embeddings=HashedWords()) as index:
            index.sync(catalog)
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords()) as index:
        assert index.search("word3", k=1).hits[0].name == "tool3"
        catalog.add({"name": "more", "description": "another"})
        assert index.sync(catalog).embedded == 1
        assert index.search("another", k=1).hits[0].name == "more"


def test_documents_are_at_hand_when_a_folder_is_opened(tmp_path):
    store = filled(tmp_path, vectors(50, 8))
    store.close()
    segments = (tmp_path / "index" / "segments").glob("*/segment.json")
    kinds = [json.loads(file.read_text())["config"]["payload_storage_type"] for file in segments]
    assert kinds == [{"type": "in_ram_mmap"}]


def test_an_index_whose_documents_were_left_on_disk_is_searched_and_synced_as_before(
    tmp_path, monkeypatch
):
    import qdrant_edge

    plain = qdrant_edge.EdgeConfig

    def on_disk(*, payload_memory, **options):
        return plain(**options)

    catalog = ToolCatalog([{"name": f"tool{n}", "description": f"word{n}"} for n in range(9)])
    with monkeypatch.context() as patched:
        patched.setattr(qdrant_edge, "EdgeConfig", on_disk)
        with ToolIndex.in_folder(tmp_path) as index:
            index.sync(catalog)
    with ToolIndex.in_folder(tmp_path) as index:
        assert index.search("word3", k=1).hits[0].document["description"] == "word3"
        catalog.add({"name": "more", "description": "another"})
        assert index.sync(catalog).unchanged == 9
        assert index.search("another", k=1).hits[0].name == "more"
