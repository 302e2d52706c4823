import asyncio
import threading

import pytest

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import IndexUnavailableError
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.points import Range, Where
from tests.retrieval.small_catalog import DOCUMENTS, HashedWords, document


class Awaited(HashedWords):
    """An embedder behind a network: only its async side answers, in the caller's own loop."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()
        self.slow = asyncio.Event()
        self.slow.set()

    def embed_documents(self, texts):
        raise AssertionError("the blocking side was used")

    embed_query = embed_documents

    async def aembed_documents(self, texts):
        self.threads.add(threading.get_ident())
        await self.slow.wait()
        return [self._vector(text) for text in texts]

    async def aembed_query(self, text):
        return (await self.aembed_documents([text]))[0]


async def test_an_async_sync_awaits_the_embedder(new_index, catalog):
    embeddings = Awaited()
    index = new_index(embeddings=embeddings)
    assert (await index.async_sync(catalog)).embedded == len(DOCUMENTS)
    assert embeddings.threads == {threading.get_ident()}
    found = await index.asearch("forecast rain and wind")
    assert found.hits[0].name == "get_weather"


async def test_a_cancelled_sync_is_completed_by_the_next(new_index, catalog):
    embeddings = Awaited()
    index = new_index(embeddings=embeddings)
    await index.async_sync(catalog)
    catalog.add(document("water_plants", "Water the plants."))
    embeddings.slow.clear()
    task = asyncio.create_task(index.async_sync(catalog))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    embeddings.slow.set()
    assert (await index.async_sync(catalog)).added == 1
    assert index.names() == {tool.name for tool in catalog}


async def test_a_folder_is_free_while_the_cancellation_of_a_sync_is_held(tmp_path, catalog):
    embeddings = Awaited()
    embeddings.slow.clear()
    with ToolIndex.in_folder(tmp_path, embeddings=embeddings) as index:
        index._held.dimension = embeddings.size
        task = asyncio.create_task(index.async_sync(catalog))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as held:
            await task
        embeddings.slow.set()
        assert (await index.async_sync(catalog)).embedded == len(DOCUMENTS)
        assert held.tb is not None


async def test_two_async_syncs_at_once_take_turns(new_index, catalog):
    index = new_index()
    reports = await asyncio.gather(index.async_sync(catalog), index.async_sync(catalog))
    assert sorted(report.added for report in reports) == [0, len(DOCUMENTS)]


def test_names_follow_a_sync(new_index, catalog):
    index = new_index()
    assert index.names() == frozenset()
    index.sync(catalog)
    assert index.names() == {entry["name"] for entry in DOCUMENTS}
    catalog.remove("sort")
    index.sync(catalog)
    assert "sort" not in index.names()


def test_a_search_may_be_bound_to_names(new_index, catalog):
    index = new_index()
    index.sync(catalog)
    query = "rain, a letter, a bug, a file, money, an airport"
    found = index.search(query, where=Where(names=("sort", "send_mail")))
    assert {hit.name for hit in found.hits} == {"sort", "send_mail"}
    assert index.search(query, where=Where(names=())).hits == ()


def test_metadata_that_comes_later_is_filtered_by_too(new_index):
    catalog = ToolCatalog()
    index = new_index()
    catalog.add(DOCUMENTS[0], metadata={"parameters": 5, "kind": "weather"})
    index.sync(catalog)
    catalog.add(DOCUMENTS[3], metadata={"parameters": 2.5, "kind": ("files", "text"), "year": 2020})
    index.sync(catalog)
    query = "rain file city path"

    def found(**where) -> list[str]:
        return [hit.name for hit in index.search(query, where=Where(**where)).hits]

    assert found(ranges=(Range("parameters", lt=3),)) == ["sort"]
    assert found(ranges=(Range("year", gte=2000),)) == ["sort"]
    assert found(equal={"kind": "weather"}) == ["get_weather"]
    assert found(equal={"kind": "text"}) == ["sort"]
    assert found(equal={"parameters": 5}) == ["get_weather"]


@pytest.mark.parametrize("synced_before", [False, True])
async def test_the_event_loop_is_not_held_while_a_sync_awaits_its_embedder(
    tmp_path, catalog, synced_before
):
    embeddings = Awaited()
    if synced_before:
        with ToolIndex.in_folder(tmp_path, embeddings=embeddings) as index:
            await index.async_sync(catalog)
    expected = {tool.name for tool in catalog} if synced_before else set()
    catalog.add(document("water_plants", "Water the plants."))
    with ToolIndex.in_folder(tmp_path, embeddings=embeddings) as index:
        index._held.dimension = embeddings.size
        embeddings.slow.clear()
        task = asyncio.create_task(index.async_sync(catalog))
        await asyncio.sleep(0.2)
        # In a thread, so that a loop that would be held is a failure and no standstill.
        names = asyncio.create_task(asyncio.to_thread(index.names))
        done, _ = await asyncio.wait([names], timeout=2)
        embeddings.slow.set()
        await task
    assert done
    assert await names == expected


@pytest.mark.parametrize("call", [ToolIndex.close, lambda index: index.sync(ToolCatalog())])
async def test_what_would_wait_for_a_sync_on_its_own_loop_is_an_error(new_index, catalog, call):
    embeddings = Awaited()
    index = new_index(embeddings=embeddings)
    await index.async_sync(ToolCatalog())
    embeddings.slow.clear()
    task = asyncio.create_task(index.async_sync(catalog))
    await asyncio.sleep(0.2)
    with pytest.raises(IndexUnavailableError, match="under way on this event loop"):
        call(index)
    embeddings.slow.set()
    assert (await task).added == len(DOCUMENTS)


class SlowlyAsked(HashedWords):
    """An embedder that answers requests when it is told to, and documents at once."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()

    async def aembed_query(self, text):
        await self.answers.wait()
        return self._vector(text)


async def test_a_search_goes_on_in_the_generation_that_a_sync_switched_to(tmp_path, catalog):
    with ToolIndex.in_folder(tmp_path) as words:
        words.sync(catalog)
    embeddings = SlowlyAsked()
    with ToolIndex.in_folder(tmp_path, embeddings=embeddings) as index:
        index._held.dimension = embeddings.size
        search = asyncio.create_task(index.asearch("forecast rain and wind"))
        await asyncio.sleep(0.2)
        assert (await index.async_sync(catalog)).rebuilt
        embeddings.answers.set()
        assert (await search).hits[0].name == "get_weather"


def test_names_that_were_read_while_a_sync_ended_are_not_kept(new_index, catalog, monkeypatch):
    index = new_index()
    index.sync(catalog)
    store = index._held.open.store
    read = store.names

    def slow():
        found = read()
        monkeypatch.undo()
        catalog.remove("sort")
        index.sync(catalog)
        return found

    monkeypatch.setattr(store, "names", slow)
    index.names()
    assert "sort" not in index.names()
