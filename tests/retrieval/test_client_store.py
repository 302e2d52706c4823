"""What only a server does, with a client that answers for it."""

import asyncio

import grpc
import pytest
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import UnexpectedResponse

from langchain_gorilla.errors import IndexReplacedError, IndexUnavailableError
from langchain_gorilla.retrieval.client_store import ClientStore
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.connection import Connection, explained
from langchain_gorilla.retrieval.places import ServerPlace
from langchain_gorilla.retrieval.points import SparseWeights, StoredPoint, Where
from tests.retrieval.small_catalog import HashedWords


class Replaced(QdrantClient):
    """Local storage that says what a server says of a collection that is gone."""

    def query_batch_points(self, collection_name, *rest, **options):
        if not self.collection_exists(collection_name):
            said = f"Not found: Collection `{collection_name}` doesn't exist!".encode()
            raise UnexpectedResponse(404, "Not Found", said, None)
        return super().query_batch_points(collection_name, *rest, **options)


@pytest.fixture
def client():
    client = Replaced(location=":memory:")
    yield client
    client.close()


def index(client: QdrantClient, **options) -> ToolIndex:
    place = ServerPlace(Connection({"location": ":memory:"}), "tools")
    place._client.close()
    place._client = client
    return ToolIndex(place, **options)


@pytest.mark.parametrize(
    "error",
    [
        ResourceExhaustedResponse("Rate limiting exceeded", 3),
        grpc.RpcError("unavailable"),
        RuntimeError("the client has been closed"),
    ],
)
def test_what_a_server_refuses_is_an_error_of_this_package(error):
    with (
        pytest.raises(IndexUnavailableError, match=str(error)),
        explained("search", Connection({"url": "http://qdrant"}), "tools"),
    ):
        raise error


def test_each_event_loop_has_connections_of_its_own(client, monkeypatch):
    class Bound:
        def __init__(self, **options) -> None:
            self.loop = asyncio.get_running_loop()

        async def scroll(self, *rest, **options):
            assert asyncio.get_running_loop() is self.loop
            return [], None

    monkeypatch.setattr("qdrant_client.AsyncQdrantClient", Bound)
    server = Connection({"url": "http://qdrant"})
    client.create_collection("tools", vectors_config={})
    store = ClientStore(client, server, "tools", dimension=None)
    for _ in range(2):
        assert asyncio.run(store.afind([], ["sort"], Where()))[1] == []


def test_no_request_holds_more_points_than_a_server_takes(client, monkeypatch):
    store = ClientStore(client, Connection({"location": ":memory:"}), "tools", dimension=None)
    written = []
    monkeypatch.setattr(client, "upsert", lambda name, points, wait: written.append(len(points)))
    ids = [f"00000000-0000-0000-0000-{number:012}" for number in range(1_000)]
    store.write([StoredPoint(point, {}, SparseWeights([1], [1.0])) for point in ids])
    assert sum(written) == 1_000
    assert max(written) <= 200


def test_no_request_renews_more_words_than_a_server_takes(client, monkeypatch):
    store = ClientStore(client, Connection({"location": ":memory:"}), "tools", dimension=None)
    written = []
    monkeypatch.setattr(
        client, "update_vectors", lambda name, vectors, wait: written.append(len(vectors))
    )
    ids = [f"00000000-0000-0000-0000-{number:012}" for number in range(1_000)]
    store.write_sparse({point: SparseWeights([1], [1.0]) for point in ids})
    assert sum(written) == 1_000
    assert max(written) <= 200


def test_a_collection_that_another_process_makes_meanwhile_is_used(client, monkeypatch):
    client.create_collection("tools", vectors_config={})
    monkeypatch.setattr(client, "collection_exists", lambda name: False)
    ClientStore(client, Connection({"location": ":memory:"}), "tools", dimension=None)


async def test_a_search_follows_another_process_to_what_it_built(client, catalog):
    index(client).sync(catalog)
    served, beside = (index(client, embeddings=HashedWords()) for _ in range(2))
    assert served.search("forecast rain").hits
    assert (await beside.asearch("forecast rain")).hits
    assert index(client, embeddings=HashedWords()).sync(catalog).rebuilt
    assert served.search("forecast rain").hits[0].name == "get_weather"
    assert (await beside.asearch("forecast rain")).hits[0].name == "get_weather"


def test_what_another_process_built_with_another_embedder_is_a_clear_error(client, catalog):
    served = index(client)
    served.sync(catalog)
    index(client, embeddings=HashedWords()).sync(catalog)
    for _ in range(2):
        with pytest.raises(IndexReplacedError, match="built the index anew"):
            served.search("forecast rain")
