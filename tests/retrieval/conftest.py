"""Real storage: a folder, and Qdrant's memory."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.retrieval.collection import ToolIndex
from tests.retrieval.small_catalog import DOCUMENTS, HashedWords


@pytest.fixture
def catalog() -> ToolCatalog:
    return ToolCatalog(DOCUMENTS)


@pytest.fixture
def embeddings() -> HashedWords:
    return HashedWords()


@pytest.fixture(params=["folder", "memory"])
def new_index(request, tmp_path: Path) -> Iterator[Callable[..., ToolIndex]]:
    made: list[ToolIndex] = []

    def make(**options) -> ToolIndex:
        if request.param == "folder":
            index = ToolIndex.in_folder(tmp_path / f"index{len(made)}", **options)
        else:
            index = ToolIndex.in_memory(**options)
        made.append(index)
        return index

    yield make
    for index in made:
        index.close()
