"""How fast an index of tools is, and what it misses: Qdrant Edge against three others.

    python benchmarks/retrieval.py --json FILE [--sizes 1000,10000,100000] [--queries 300]
    python benchmarks/retrieval.py --json FILE --sizes 1000000 --folder DIR [--build-only]

One run measures, for each number of tools: building an index in a folder, syncing it again with
nothing changed, the p50 and p99 of a hybrid and of a dense query of the index alone (no embedder,
ten hits with their documents), and recall@20 against an exact search of the same index. Beside it
stand Qdrant's local mode in memory, numpy's brute force over the same vectors and LangGraph's
InMemoryStore; those that scan in Python stop at 10,000 tools. Vectors are synthetic near-duplicates
of 384 numbers (twenty to a cluster), words follow Zipf's law as tools' texts do; both are drawn
from one seed. A million tools take half an hour of processor time, 6 GB of memory and
8 GB of disk: name them in --sizes. --folder keeps the indexes of Qdrant Edge and measures those
that it holds: build them on a busy machine (--build-only), measure on a quiet one.
"""

import argparse
import gc
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from tqdm import tqdm

from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.evaluation.outputs import check_outputs, write_json
from langchain_gorilla.evaluation.printing import run_command
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.points import Hit, PointStore, Query, SparseWeights

DIMENSION = 384
CLUSTER = 20
WORDS = 20_000
IN_PYTHON_UP_TO = 10_000
CANDIDATES = 200
HYBRID_P99_MS = {10_000: 3.0, 100_000: 12.0, 1_000_000: 20.0}
RECALL_AT_20 = 0.95
RESYNC_S = {100_000: 1.5}


class Tools:
    """Synthetic tools, their vectors and requests for them, all from one seed."""

    def __init__(self, count: int, queries: int, seed: int = 0) -> None:
        draw = np.random.default_rng(seed)
        centres = _units(draw.standard_normal((count // CLUSTER + 1, DIMENSION), dtype=np.float32))
        self.vectors = np.empty((count, DIMENSION), dtype=np.float32)
        for start in range(0, count, 50_000):
            part = np.arange(start, min(start + 50_000, count))
            noise = draw.standard_normal((len(part), DIMENSION), dtype=np.float32)
            self.vectors[part] = _units(centres[part // CLUSTER] + 0.02 * noise)
        # Zipf's law without its first words, the stop words. A request then shares words with
        # half as many tools as there are (median; p95 of 1.2 times as many), as on six catalogs
        # of real tools.
        frequency = 1 / (np.arange(WORDS) + 3)
        words = draw.choice(WORDS, (count, 24), p=frequency / frequency.sum())
        self.words = [" ".join(f"word{n}" for n in row) for row in words]
        asked = draw.integers(0, count, queries)
        noise = draw.standard_normal((queries, DIMENSION), dtype=np.float32)
        self.asked_vectors = _units(self.vectors[asked] + 0.02 * noise)
        self.asked_words = [" ".join(self.words[place].split()[:8]) for place in asked]

    def catalog(self) -> list[CatalogTool]:
        """Return the tools as a catalog holds them."""
        return [
            CatalogTool(
                f"tool-{place}",
                FunctionSchema(
                    f"tool_{place}",
                    words,
                    {"type": "object", "properties": {"value": {"type": "string"}}},
                ),
            )
            for place, words in enumerate(self.words)
        ]


class Looked(Embeddings):
    """Gives each tool its synthetic vector, so that no encoder's time is measured."""

    _NUMBER = re.compile(r"tool (\d+)")

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.model = f"synthetic-{len(tools.words)}"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """See ``Embeddings``."""
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """See ``Embeddings``."""
        found = self._NUMBER.search(text)
        row: list[float] = self.tools.vectors[int(found.group(1)) if found else 0].tolist()
        return row


def numbers(text: str) -> list[int]:
    """Read numbers with commas between them."""
    return [int(number) for number in text.split(",")]


def main() -> None:
    """Measure every size and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--sizes", type=numbers, default="1000,10000,100000")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--build-only", action="store_true")
    options = parser.parse_args()
    check_outputs(json_file=options.json)
    if options.queries < 1:
        parser.error(f"--queries is {options.queries}. Expected: 1 or more.")
    if options.build_only:
        if options.folder is None:
            parser.error("--build-only leaves the indexes in --folder DIR; pass one.")
        for size in options.sizes:
            row = _build_kept(Tools(size, options.queries), options.folder)
            print(f"{size:>9,} built            {json.dumps(row)}", flush=True)
        return
    result: dict[str, Any] = {
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "dimension": DIMENSION,
        "queries": options.queries,
        "sizes": {},
    }
    for size in options.sizes:
        rows = measure(size, options.queries, options.folder)
        result["sizes"][str(size)] = rows
        for name, row in rows.items():
            print(f"{size:>9,} {name:16} {json.dumps(row)}", flush=True)
    result["bounds"] = bounds(result["sizes"])
    for name, bound in result["bounds"].items():
        print(
            f"{name}: {bound['value']} (bound {bound['bound']}) {'ok' if bound['met'] else 'NOT'}"
        )
    write_json(options.json, result)
    sys.exit(not all(bound["met"] for bound in result["bounds"].values()))


def measure(size: int, queries: int, folder: Path | None = None) -> dict[str, Any]:
    """Measure one number of tools in every place; the index of Qdrant Edge stays in the folder."""
    tools = Tools(size, queries)
    rows = {"edge": _edge(tools, folder), "brute_force": _brute_force(tools)}
    if size <= IN_PYTHON_UP_TO:
        rows["local_mode"] = _local_mode(tools)
        rows["langgraph_store"] = _langgraph_store(tools)
    return rows


def bounds(sizes: dict[str, Any]) -> dict[str, Any]:
    """Compare what was measured with the project's bounds."""
    found: dict[str, Any] = {}
    for size, row in ((int(size), rows["edge"]) for size, rows in sizes.items()):
        for name, value, bound in (
            ("hybrid p99 ms", row["hybrid_ms"]["p99"], HYBRID_P99_MS.get(size)),
            ("resync s", row["resync_s"], RESYNC_S.get(size)),
        ):
            if bound is not None:
                found[f"{name}, {size}"] = {"value": value, "bound": bound, "met": value <= bound}
        recall = row["recall@20"]
        found[f"recall@20, {size}"] = {
            "value": recall, "bound": RECALL_AT_20, "met": recall >= RECALL_AT_20,
        }  # fmt: skip
    return found


def _edge(tools: Tools, kept: Path | None) -> dict[str, Any]:
    with _edge_folder(kept) as folder:
        row = _build_kept(tools, folder)
        with ToolIndex.in_folder(_index_folder(folder, tools), embeddings=Looked(tools)) as index:
            catalog = _frozen(tools)
            start = time.perf_counter()
            report = index.sync(catalog)
            row["resync_s"] = round(time.perf_counter() - start, 3)
            assert report.unchanged == len(catalog)
            store, hybrid, dense = _searches(index, tools)
            row |= {"hybrid_ms": _timed(store, hybrid), "dense_ms": _timed(store, dense)}
            row["recall@20"] = _recall(store, hybrid)
        row["disk_mb"] = round(_bytes(_index_folder(folder, tools)) / 1e6)
    return row


def _local_mode(tools: Tools) -> dict[str, Any]:
    import warnings

    with warnings.catch_warnings(), ToolIndex.in_memory(embeddings=Looked(tools)) as index:
        warnings.filterwarnings("ignore", message="Local mode")
        row = _built(index, tools.catalog())
        store, hybrid, dense = _searches(index, tools)
        few = slice(0, 30)  # a search takes a fifth of a second
        return row | {
            "hybrid_ms": _timed(store, hybrid[few]), "dense_ms": _timed(store, dense[few]),
        }  # fmt: skip


def _brute_force(tools: Tools) -> dict[str, Any]:
    def search(vector: np.ndarray) -> np.ndarray:
        scores = tools.vectors @ vector
        best = np.argpartition(-scores, 10)[:10]
        return best[np.argsort(-scores[best])]

    return {"dense_ms": _times(search, list(tools.asked_vectors))}


def _langgraph_store(tools: Tools) -> dict[str, Any]:
    from langgraph.store.base import PutOp
    from langgraph.store.memory import InMemoryStore

    asked = iter(range(len(tools.asked_words)))

    class Asked(Looked):
        def embed_query(self, text: str) -> list[float]:
            if text != "asked":
                return super().embed_query(text)
            row: list[float] = tools.asked_vectors[next(asked)].tolist()
            return row

    store = InMemoryStore(index={"dims": DIMENSION, "embed": Asked(tools), "fields": ["text"]})
    start = time.perf_counter()
    store.batch(
        [
            PutOp(("tools",), f"tool-{place}", {"text": f"tool {place}: {words}"})
            for place, words in enumerate(tools.words)
        ]
    )
    built_s = time.perf_counter() - start
    few = ["asked"] * min(30, len(tools.asked_words))
    times = _times(lambda text: store.search(("tools",), query=text, limit=10), few)
    return {"build_s": round(built_s, 2), "dense_ms": times}


@contextmanager
def _edge_folder(kept: Path | None) -> Iterator[Path]:
    """Give the folder to keep indexes in, or one that is gone afterwards."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="gorilla-benchmark-") as folder:
        yield Path(folder)


def _build_kept(tools: Tools, folder: Path) -> dict[str, Any]:
    """Build the index of these tools unless the folder has it; return what the building took."""
    figures = folder / f"{len(tools.words)}.json"
    if figures.exists():
        row: dict[str, Any] = json.loads(figures.read_text(encoding="utf-8"))
        return row
    place = _index_folder(folder, tools)
    if place.exists():
        raise SystemExit(
            f"{place} is of a run that was stopped: building the rest would look quick. Delete it."
        )
    catalog = _frozen(tools)
    with ToolIndex.in_folder(place, embeddings=Looked(tools)) as index:
        row = _built(index, catalog)
    figures.write_text(json.dumps(row), encoding="utf-8")
    return row


def _index_folder(folder: Path, tools: Tools) -> Path:
    return folder / str(len(tools.words))


def _frozen(tools: Tools) -> list[CatalogTool]:
    """Return the catalog, out of the collector's sight.

    Python walks all objects now and then; a process that keeps 100,000 tools freezes them.
    """
    catalog = tools.catalog()
    gc.collect()
    gc.freeze()
    return catalog


def _built(index: ToolIndex, catalog: Sequence[CatalogTool]) -> dict[str, Any]:
    start = time.perf_counter()
    with tqdm(total=len(catalog), unit="tool", disable=None) as bar:
        index.sync(catalog, progress=lambda done, total: bar.update(done - bar.n))
    seconds = time.perf_counter() - start
    return {"build_s": round(seconds, 2), "tools_per_s": round(len(catalog) / seconds)}


def _searches(index: ToolIndex, tools: Tools) -> tuple[PointStore, list[Query], list[Query]]:
    """Return the opened store, a hybrid and a dense query for every request."""
    index.search("opens the collection", k=1)
    opened = index._open
    assert opened is not None
    hybrid, dense = [], []
    for words, vector in zip(tools.asked_words, tools.asked_vectors, strict=True):
        row = vector.tolist()
        hybrid.append(Query(sparse=opened.lexical.query(words), dense=row, candidates=CANDIDATES))
        dense.append(Query(sparse=SparseWeights((), ()), dense=row))
    return opened.store, hybrid, dense


def _timed(store: PointStore, queries: Sequence[Query]) -> dict[str, float]:
    def search(query: Query) -> list[list[Hit]]:
        return store.search([query])

    for query in queries[:10]:
        search(query)
    return _times(search, queries)


def _times(search: Callable[[Any], Any], queries: Sequence[Any]) -> dict[str, float]:
    times = []
    for query in queries:
        start = time.perf_counter()
        search(query)
        times.append(1_000 * (time.perf_counter() - start))
    ordered = sorted(times)
    p99 = ordered[int(0.99 * (len(ordered) - 1))]
    return {"p50": round(statistics.median(ordered), 3), "p99": round(p99, 3)}


def _recall(store: PointStore, queries: Sequence[Query]) -> float:
    shares = []
    for query in queries:
        wanted, found = (
            {hit.id for hit in store.search([_deep(query, exact=exact)])[0]}
            for exact in (True, False)
        )
        shares.append(len(wanted & found) / max(1, len(wanted)))
    return round(statistics.fmean(shares), 4)


def _deep(query: Query, *, exact: bool) -> Query:
    return Query(
        sparse=query.sparse, dense=query.dense, limit=20, candidates=CANDIDATES, exact=exact
    )


def _units(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: np.ndarray = vectors / lengths
    return unit


def _bytes(folder: Path) -> int:
    # As the disk counts: Qdrant's files have holes.
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    run_command(main)
