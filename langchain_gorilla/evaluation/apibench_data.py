"""APIBench: the three hubs' APIs, and which domain answers which question.

What a verdict needs comes with the package (``data/apibench_*.json``, packed by
``benchmarks/pack_apibench.py``); ``read_benchmark`` reads Gorilla's own files instead.
"""

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from langchain_gorilla.errors import GorillaError

Hub: TypeAlias = Literal["torchhub", "huggingface", "tensorflowhub"]
HUBS: tuple[Hub, ...] = ("torchhub", "huggingface", "tensorflowhub")

BUNDLED = Path(__file__).parent / "data"

_EVAL_FILES: dict[Hub, str] = {
    "torchhub": "torchhub_eval.json",
    "huggingface": "huggingface_eval.json",
    "tensorflowhub": "tensorflow_eval.json",
}


class BenchmarkDataError(GorillaError, ValueError):
    """APIBench's own files are missing or not what they should be."""


@dataclass(frozen=True)
class Api:
    """One row of a hub's API database.

    Attributes:
        api_call: Python source of the call that loads the model.
        domain: What the model is for; an answer is right when its API has the right domain.
    """

    api_call: str
    domain: str


@dataclass(frozen=True)
class Benchmark:
    """One hub.

    Attributes:
        hub: Its name.
        apis: The database in the order of the file, which decides verdicts.
        question_domains: Domain of the right answer to question ``question_id - 1``.
    """

    hub: Hub
    apis: tuple[Api, ...]
    question_domains: tuple[str, ...]


@cache
def bundled_benchmark(hub: Hub) -> Benchmark:
    """Return a hub's APIs and question domains as they come with the package."""
    packed = json.loads((BUNDLED / f"apibench_{hub}.json").read_text(encoding="utf-8"))
    return Benchmark(
        hub,
        tuple(Api(call, domain) for call, domain in packed["apis"]),
        tuple(packed["question_domains"]),
    )


def read_benchmark(folder: Path, hub: Hub) -> Benchmark:
    """Read Gorilla's own files: ``api/{hub}_api.jsonl`` and ``eval/{hub}_eval.json``.

    Raises:
        BenchmarkDataError: A file is missing or empty, or a row is not JSON or lacks a field; says
            which.
    """
    apis = folder / "api" / f"{hub}_api.jsonl"
    questions = folder / "eval" / _EVAL_FILES[hub]
    return Benchmark(
        hub,
        tuple(
            Api(_text(row, where, "api_call"), _text(row, where, "domain"))
            for where, row in _rows(apis)
        ),
        tuple(_text(row, where, "api_data", "domain") for where, row in _rows(questions)),
    )


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield each row with the words that say where it stands."""
    try:
        lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n")
    except OSError as error:
        raise BenchmarkDataError(
            f"Cannot read {path}: {error.strerror}. Give the folder that holds api/ and eval/."
        ) from error
    if not any(map(bytes.strip, lines)):
        raise BenchmarkDataError(f"{path} holds no rows. Give Gorilla's own file.")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number},"
        try:
            yield where, json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise BenchmarkDataError(f"{where} is not UTF-8: {error}.") from error
        except (ValueError, RecursionError) as error:
            raise BenchmarkDataError(f"{where} is not JSON: {error}.") from error


def _text(row: Any, where: str, *names: str) -> str:
    """Return the text that stands in a row under these names, the outer one first."""
    for name in names:
        row = row.get(name) if isinstance(row, dict) else None
    if not isinstance(row, str):
        raise BenchmarkDataError(
            f"{where} has no text under {'.'.join(names)}. Give Gorilla's own file."
        )
    return row
