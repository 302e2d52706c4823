"""``kill -9`` in the middle of a sync, on real storage."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.document import point_id
from tests.retrieval.small_catalog import HashedWords, document

TOOLS = 600

SYNC = """
import sys
import langchain_gorilla.retrieval.collection as collection
from tests.retrieval.test_interrupted_sync import many
from tests.retrieval.small_catalog import HashedWords
collection._DENSE_BATCH = 8
index = collection.ToolIndex.in_folder(sys.argv[1], embeddings=HashedWords())
def progress(done, total):
    print(done, flush=True)
print("start", flush=True)
index.sync(many(sys.argv[2]), progress=progress)
print("end", flush=True)
"""


def many(version: str) -> ToolCatalog:
    return ToolCatalog(
        document(f"tool_{number}", f"{version} word{number} thing{number % 7}")
        for number in range(TOOLS)
    )


def killed_sync(folder: Path, version: str, after_s: float) -> int:
    """Start a sync, kill it; return how many tools it had acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-c", SYNC, str(folder), version],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "start"
    time.sleep(after_s)
    process.kill()
    acknowledged = [line for line in process.stdout.read().split() if line.isdigit()]
    process.wait()
    process.stdout.close()
    return int(acknowledged[-1]) if acknowledged else 0


@pytest.mark.parametrize("seed", range(20))
def test_a_killed_sync_loses_nothing_it_acknowledged_and_the_next_completes_it(tmp_path, seed):
    chance = random.Random(seed)
    first = seed % 2 == 0
    if not first:
        with ToolIndex.in_folder(tmp_path, embeddings=HashedWords()) as index:
            index.sync(many("old"))
    acknowledged = killed_sync(tmp_path, "new", chance.uniform(0.0, 0.6))
    new = {point_id(tool) for tool in many("new")}
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords()) as index:
        if not first:
            found = index.search("tool_5").hits
            assert found[0].name == "tool_5"
            assert [hit.name for hit in found].count("tool_5") == 1
            assert found[0].document["description"].split()[0] in ("old", "new")
        report = index.sync(many("new"))
        assert report.unchanged >= acknowledged
        assert report.embedded == TOOLS - report.unchanged
        assert index._open is not None
        assert set(index._open.store.ids()) == new
        assert index.search("word17").hits[0].document["description"].startswith("new")
