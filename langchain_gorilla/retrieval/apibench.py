"""APIBench's API documents as a catalog whose tools can be filtered by performance.

    catalog = read_apibench("torchhub_api.jsonl")
    index.sync(catalog)
    ToolRetriever(index=index, catalog=catalog, constraints=True).invoke(
        "Classify images with at least 80% top-1 accuracy"
    )

The tools are bare schemas: the code of an API document is never run.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import InvalidFunctionError, SourceError
from langchain_gorilla.retrieval.performance import performance_metadata


def read_apibench(*files: str | Path, namespace: str | None = None) -> ToolCatalog:
    """Read API documents, one JSON object a line.

    Args:
        files: Such as ``torchhub_api.jsonl``.
        namespace: Of all tools; None takes a file's name without ``_api.jsonl``.

    Returns:
        A tool for each document. Documents with one ``api_name`` are numbered from the second on:
        ``Densenet``, ``Densenet_2``. Metadata: ``framework``, ``dataset`` and what
        ``performance_metadata`` finds.

    Raises:
        InvalidFunctionError: A line is no API document; names file and line.
        SourceError: A file cannot be read.
    """
    catalog = ToolCatalog()
    for file in map(Path, files):
        space = file.name.removesuffix(".jsonl").removesuffix("_api")
        for place, document in _documents(file):
            name = document.get("api_name") or document.get("api_call")
            if not isinstance(name, str) or not name.strip():
                raise InvalidFunctionError(
                    f"{place} has no api_name and no api_call. Expected an API document of "
                    "APIBench."
                )
            metadata = performance_metadata(document.get("performance"))
            if isinstance(framework := document.get("framework"), str) and framework:
                metadata["framework"] = framework
            domain = document.get("domain")
            try:
                catalog.add(
                    _function(_free(catalog, name.partition("(")[0].strip()), document),
                    namespace=space if namespace is None else namespace,
                    metadata=metadata,
                    tags=(domain,) if isinstance(domain, str) and domain else (),
                )
            except InvalidFunctionError as error:
                raise InvalidFunctionError(f"{place}: {error}") from error
    return catalog


def _documents(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            f"The file {file} cannot be read ({error}). Expected API documents as UTF-8 text, "
            "one JSON object a line."
        ) from error
    # Not splitlines(): U+2028 and its kin stand unescaped in JSON's texts.
    for number, line in enumerate(text.split("\n"), start=1):
        place = f"{file.name} line {number}"
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidFunctionError(f"{place} is no JSON: {error}.") from error
        if not isinstance(document, Mapping):
            raise InvalidFunctionError(f"{place} is no object. Expected an API document.")
        yield place, document


def _free(catalog: ToolCatalog, name: str) -> str:
    """Return a name that the catalog does not have."""
    name = " ".join(name.split()) or "api"
    numbered, count = name, 1
    while numbered in catalog:
        count += 1
        numbered = f"{name}_{count}"
    return numbered


def _function(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    described = [document.get(key) for key in ("functionality", "description", "api_call")]
    arguments = document.get("api_arguments")
    properties = {
        str(argument): {"type": "string", "description": f"For example {value}"}
        for argument, value in (arguments.items() if isinstance(arguments, Mapping) else ())
    }
    return {
        "name": name,
        "description": ". ".join(
            text.strip().rstrip(".") for text in described if isinstance(text, str) and text
        ),
        "parameters": {"type": "object", "properties": properties},
    }
