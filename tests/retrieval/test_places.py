import os
import shutil
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from qdrant_client import QdrantClient
from qdrant_client.models import CreateAlias, CreateAliasOperation, PointStruct

from langchain_gorilla.errors import (
    IndexMismatchError,
    IndexUnavailableError,
    UnsupportedOptionError,
)
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.connection import Connection
from langchain_gorilla.retrieval.places import ServerPlace, free_bytes
from tests.retrieval.small_catalog import DOCUMENTS, HashedWords


def test_a_second_process_on_one_folder_gets_a_clear_error(tmp_path):
    code = (
        "import sys\n"
        "from langchain_gorilla.retrieval.collection import ToolIndex\n"
        "try:\n    ToolIndex.in_folder(sys.argv[1])\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    with ToolIndex.in_folder(tmp_path):
        told = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
        ).stdout
    assert told.startswith("IndexUnavailableError")
    assert f"open in process {os.getpid()}" in told
    assert "ToolIndex.on_server" in told


@pytest.mark.enable_socket
def test_a_server_that_is_not_there_is_a_clear_error():
    # Port 9 (discard) of this machine: nothing listens.
    with pytest.raises(IndexUnavailableError, match=r"Check that the Qdrant server runs"):
        ToolIndex.on_server("http://127.0.0.1:9", client_options={"check_compatibility": False})


@pytest.mark.parametrize(
    ("url", "options", "problem"),
    [
        (None, {}, "made of url=None: no address is given. Expected a server's address such as"),
        ("", {}, "no address is given"),
        (":memory:", {}, r"Without a server: ToolIndex.in_folder\(…\) or in_memory\(\)"),
        ("http://localhost:port", {}, "is not a valid host or port"),
        ("ftp://localhost", {}, "Unknown scheme: ftp"),
        ("http://localhost:1", {"path": "here"}, "Only one of"),
        (
            "http://localhost:1",
            {"apikey": "secret"},
            r"url='http://localhost:1', apikey: .*'apikey'",
        ),
        ("http://localhost:1", {"timeout": "ten"}, r", timeout: "),
    ],
)
def test_options_that_make_no_client_are_an_error_without_their_secrets(url, options, problem):
    with pytest.raises(UnsupportedOptionError, match=problem) as told:
        ToolIndex.on_server(url, client_options=options)
    assert "secret" not in str(told.value)


@pytest.mark.enable_socket
@pytest.mark.parametrize("answer", [b"<html>Welcome</html>", b'{"ok": true}'])
def test_a_web_server_that_is_no_qdrant_is_a_clear_error(answer):
    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(IndexUnavailableError, match=r"is no Qdrant server.*its port"):
            ToolIndex.on_server(
                f"http://127.0.0.1:{server.server_port}",
                client_options={"check_compatibility": False},
            )
        server.shutdown()


@pytest.mark.enable_socket
def test_a_server_that_is_not_there_over_grpc_is_told_in_words():
    # Nothing listens on the port of a socket that is bound and not listening.
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        options = {"prefer_grpc": True, "grpc_port": port, "check_compatibility": False}
        with pytest.raises(IndexUnavailableError, match=r"tools.*: failed to connect") as told:
            ToolIndex.on_server("http://127.0.0.1:1", client_options=options)
    assert "RPC" not in str(told.value)


def test_a_folder_may_lie_in_the_home_folder(tmp_path, monkeypatch, catalog):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with ToolIndex.in_folder("~/tools.index") as index:
        index.sync(catalog)
    assert [entry.name for entry in tmp_path.iterdir()] == ["tools.index"]


@pytest.mark.parametrize("place", ["tools.index", QdrantClient(":memory:"), None])
def test_what_is_no_place_is_an_error_that_names_those_there_are(place):
    with pytest.raises(UnsupportedOptionError, match=r"as its place. Open it with .*in_folder"):
        ToolIndex(place)


def test_a_collection_of_another_program_is_left_alone(catalog):
    place = ServerPlace(Connection({"location": ":memory:"}), "gorilla-tools")
    index = ToolIndex(place)
    collection = f"gorilla-tools--{index._held._generation()}"
    place._client.create_collection(collection, vectors_config={})
    place._client.upsert(collection, [PointStruct(id=1, vector={}, payload={"mine": True})])
    with pytest.raises(IndexMismatchError, match="1 points that are no tool index"):
        index.sync(catalog)
    assert place._client.count(collection).count == 1


def test_an_index_leaves_alone_another_whose_name_begins_with_its_own(catalog):
    connection = Connection({"location": ":memory:"})
    place, beside = ServerPlace(connection, "tools"), ServerPlace(connection, "tools--staging")
    beside._client = place._client
    staging = ToolIndex(beside)
    staging.sync(catalog)
    ToolIndex(place).sync(catalog)
    assert staging.search("forecast rain").hits


def test_a_collection_of_another_program_whose_name_begins_alike_stays(catalog):
    place = ServerPlace(Connection({"location": ":memory:"}), "tools")
    place._client.create_collection("tools--backup", vectors_config={})
    ToolIndex(place).sync(catalog)
    assert place._client.collection_exists("tools--backup")


def test_a_collection_with_the_name_itself_is_an_error():
    place = ServerPlace(Connection({"location": ":memory:"}), "tools")
    place._client.create_collection("taken", vectors_config={})
    with pytest.raises(IndexMismatchError, match="Pass another"):
        place._check_name("taken")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 150 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=150m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_a_clear_error_and_the_index_stays(small_disk, catalog):
    """Qdrant Edge maps its files, where a full disk kills a process: room is checked ahead."""
    with ToolIndex.in_folder(small_disk / "index", embeddings=HashedWords()) as index:
        index.sync(catalog)
        before = len(index)
        (small_disk / "ballast").write_bytes(b"x" * free_bytes(small_disk))
        catalog.add({**DOCUMENTS[0], "description": "Measure snow."}, replace=True)
        with pytest.raises(IndexUnavailableError, match="Free space and sync again"):
            index.sync(catalog)
        assert index.search("forecast rain").hits[0].name == "get_weather"
        assert len(index) == before
        (small_disk / "ballast").unlink()
        assert index.sync(catalog).changed == 1


@pytest.mark.skipif("QDRANT_URL" not in os.environ, reason="QDRANT_URL names no Qdrant server")
@pytest.mark.enable_socket
def test_a_real_server_holds_what_a_folder_holds(catalog):
    index = ToolIndex.on_server(
        os.environ["QDRANT_URL"], collection="gorilla-test", embeddings=HashedWords()
    )
    assert index.sync(catalog).added + index.sync(catalog).unchanged >= len(DOCUMENTS)
    assert index.search("forecast rain in a city").hits[0].name == "get_weather"


def test_a_folder_of_another_program_is_left_alone(tmp_path):
    (tmp_path / "index-products").mkdir()
    with pytest.raises(IndexMismatchError, match="'index-products', which is no part"):
        ToolIndex.in_folder(tmp_path)


def test_what_came_later_survives_a_sync(tmp_path, catalog):
    with ToolIndex.in_folder(tmp_path) as index:
        (tmp_path / "index-products").mkdir()
        index.sync(catalog)
    assert (tmp_path / "index-products").exists()


def test_hidden_files_are_no_hindrance(tmp_path, catalog):
    (tmp_path / ".DS_Store").touch()
    with ToolIndex.in_folder(tmp_path) as index:
        assert index.sync(catalog).added == len(DOCUMENTS)


def test_an_alias_of_another_collection_is_an_error():
    place = ServerPlace(Connection({"location": ":memory:"}), "tools")
    place._client.create_collection("documents-v3", vectors_config={})
    alias = CreateAlias(collection_name="documents-v3", alias_name="documents")
    place._client.update_collection_aliases([CreateAliasOperation(create_alias=alias)])
    with pytest.raises(IndexMismatchError, match="an alias 'documents' that is no tool index"):
        place._check_name("documents")


def test_a_folder_that_cannot_be_locked_is_a_clear_error(tmp_path):
    (tmp_path / "lock").mkdir()
    with pytest.raises(IndexUnavailableError, match="may write to"):
        ToolIndex.in_folder(tmp_path)


def test_a_generation_deleted_by_hand_is_made_anew_with_its_vectors(tmp_path, catalog):
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords()) as index:
        index.sync(catalog)
    for generation in tmp_path.glob("index-*"):
        shutil.rmtree(generation)
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords()) as index:
        assert index.search("forecast rain").hits == ()
        assert index.sync(catalog).embedded == len(DOCUMENTS)


def test_a_closed_index_says_so(new_index, catalog):
    index = new_index()
    index.sync(catalog)
    index.close()
    for use in (lambda: index.search("rain"), lambda: index.sync(catalog)):
        with pytest.raises(IndexUnavailableError, match="was closed"):
            use()


def test_a_sync_that_has_nothing_to_write_needs_no_room(tmp_path, catalog, monkeypatch):
    with ToolIndex.in_folder(tmp_path) as index:
        index.sync(catalog)
        monkeypatch.setattr("langchain_gorilla.retrieval.places.free_bytes", lambda folder: 0)
        assert index.sync(catalog).unchanged == len(DOCUMENTS)
