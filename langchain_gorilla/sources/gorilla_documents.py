"""Gorilla's own documents as tools: APIBench rows, API-zoo files, OpenFunctions documents.

    tools_from_gorilla_documents("apizoo/")                                       # schemas
    tools_from_gorilla_documents("zoom.json", base_url="https://api.zoom.us/v2")  # that run

A document describes a call and brings no code, so its tool is a bare schema, with one exception:
REST lines such as ``GET /scim2/Groups`` run where ``base_url`` is given (see ``rest_lines``).

The name is what the document tells a model to call: ``GET /scim2/Groups``,
``service.users.getProfile`` for ``service.users().getProfile(userId='me').execute()``. In APIBench
hundreds of rows share ``torch.hub.load``, so there what they load follows:
``torch.hub.load.slow_r50``. Where two rows still have one name, the later one is numbered.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from langchain_gorilla.aliases import identifier
from langchain_gorilla.calls import JSONValue
from langchain_gorilla.errors import InvalidFunctionError
from langchain_gorilla.functions import FunctionSchema, function_schema
from langchain_gorilla.sources.api_arguments import json_type, plain_text, read_arguments
from langchain_gorilla.sources.api_calls import ApiCall, read_api_call
from langchain_gorilla.sources.base import Refusal, SourcedSchema, SourcedTool, Tools
from langchain_gorilla.sources.http import HttpSettings
from langchain_gorilla.sources.rest_lines import RestLines
from langchain_gorilla.sources.row_files import Row, read_rows

_FACTS: Final = {
    "framework": "framework",
    "domain": "domain",
    "provider": "provider",
    "api_version": "version",
}
"""Key of a document to the metadata that a filter may ask for."""


def tools_from_gorilla_documents(
    path: str | Path,
    *,
    base_url: str | None = None,
    allow_writes: bool = False,
    headers: Mapping[str, str] | None = None,
    settings: HttpSettings | None = None,
) -> Tools:
    """Read API documents, whatever their shape.

    Args:
        path: A .json or .jsonl file, or a folder of them.
        base_url: Where REST lines are sent, such as ``https://api.example.com/v2``. Without it
            they are bare schemas.
        allow_writes: Also send methods other than GET, HEAD and OPTIONS; without it those are
            bare schemas.
        headers: Sent with every request, such as an API key. A model can neither see nor set
            them.
        settings: Timeouts, retries and limits.

    Returns:
        A tool for each row, in order; rows that became none in ``refusals``, by file and row.

    Raises:
        SourceError: There is nothing at the path, ``base_url`` is no web address, or one of the
            ``headers`` cannot be sent.
    """
    made = _Made()
    if base_url is not None:
        made.rest = RestLines(base_url, allow_writes, headers or {}, settings or HttpSettings())
    rows = list(read_rows(path))
    made.bare = _bare(rows)
    for row in rows:
        if isinstance(row, Refusal):
            made.refusals.append(row)
        else:
            made.add_row(row)
    return Tools(made.tools, refusals=made.refusals)


class _Made:
    """What has been made so far, and the names that are taken."""

    def __init__(self) -> None:
        self.tools: list[SourcedTool] = []
        self.refusals: list[Refusal] = []
        self.rest: RestLines | None = None
        self.bare: set[str] = set()
        self._seen: dict[str, str] = {}
        self._uses: dict[str, int] = {}

    def add_row(self, row: Row) -> None:
        documents = list(_documents(row.document))
        if not documents:
            self.refusals.append(
                Refusal(
                    row.where,
                    f"None of its keys ({', '.join(map(str, list(row.document)[:6]))}) names an "
                    "API. Expected api_call, or name and parameters.",
                )
            )
        for document in documents:
            try:
                self._add(document, row)
            except InvalidFunctionError as error:
                self.refusals.append(Refusal(row.where, str(error)))

    def _add(self, document: Mapping[str, Any], row: Row) -> None:
        call = read_api_call(text) if (text := plain_text(document.get("api_call"))) else None
        schema = _described(document) if call is None else _api_schema(document, call)
        if (where := self._seen.setdefault(schema.fingerprint, row.where)) != row.where:
            self.refusals.append(
                Refusal(row.where, f"The same API, word for word, as {where}; that one is kept.")
            )
            return
        metadata = _metadata(document, row)
        if call is not None and call.method:
            metadata |= {"method": call.method, "path": call.path}
        name = self._free_name(schema.name)
        bare = SourcedSchema(name, schema.description, schema.parameters, metadata)
        runs = None
        if self.rest is not None and call is not None and call.method:
            runs = self.rest.tool(bare, call, metadata, bare=row.file in self.bare)
        self.tools.append(runs or bare)

    def _free_name(self, name: str) -> str:
        """Return the name, with a number where an earlier row has it."""
        free = name
        while free in self._uses:
            self._uses[name] += 1
            free = f"{name}_{self._uses[name]}"
        self._uses[free] = 1
        return free


def _bare(rows: Iterable[Row | Refusal]) -> set[str]:
    """Return the files that do not mark placeholders: under one line in ten has a mark."""
    lines: Counter[str] = Counter()
    marked: Counter[str] = Counter()
    for row in (each for each in rows if not isinstance(each, Refusal)):
        for document in _documents(row.document):
            call = read_api_call(plain_text(document.get("api_call")))
            lines[row.file] += 1
            marked[row.file] += call is not None and "{" in call.path
    return {file for file in lines if marked[file] * 10 < lines[file]}


def _documents(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Find the documents in a row: itself, or what an evaluation wraps around it."""
    if isinstance(row.get("api_data"), Mapping):
        yield row["api_data"]
    elif isinstance(functions := row.get("function"), list):
        yield from (each for each in functions if isinstance(each, Mapping))
    elif "api_call" in row or "name" in row or isinstance(functions, Mapping):
        yield row
    elif "api_name" in row:
        yield {**row, "api_call": row["api_name"]}


def _described(document: Mapping[str, Any]) -> FunctionSchema:
    """Read an OpenFunctions document, or an API whose call names nothing."""
    if "api_call" not in document:
        return function_schema(document)
    return function_schema({**document, "api_call": None, "name": document.get("api_name")})


def _api_schema(document: Mapping[str, Any], call: ApiCall) -> FunctionSchema:
    properties, required = _parameters(document, call)
    parameters: dict[str, JSONValue] = {"type": "object", "properties": properties}
    if required:
        parameters["required"] = required
    name = call.name
    title = plain_text(document.get("api_name"))
    if "domain" in document and (loads := _loaded(call) or title):
        name = f"{name}.{identifier(loads)}"
    description = _description(document, title)
    return function_schema({"name": name, "description": description, "parameters": parameters})


def _loaded(call: ApiCall) -> str:
    """Return the model that a call of APIBench names; ``""`` where it names none."""
    named = {argument.name: argument.value for argument in call.arguments}
    values = [named.get(key) for key in _MODEL_KEYS]
    texts = [value for value in (*values, *reversed(call.literals)) if isinstance(value, str)]
    return _HOST.sub("", texts[0]).strip("/ ") if texts else ""


def _parameters(
    document: Mapping[str, Any], call: ApiCall
) -> tuple[dict[str, JSONValue], list[str]]:
    """Join what the document says of the arguments with what its call shows."""
    if isinstance(document.get("parameters"), Mapping | list):
        schema = function_schema(
            {"name": "parameters", "parameters": document["parameters"]}
        ).parameters
        properties, required = dict(schema["properties"]), list(schema.get("required", ()))
    else:
        described, required = read_arguments(document.get("api_arguments"))
        properties = dict(described)
    in_path = "{" in call.path
    for argument in call.arguments:
        known = properties.setdefault(argument.name, {})
        if "type" not in known and "enum" not in known:
            kind = json_type(argument.type_word) or _JSON_TYPE.get(type(argument.value))
            if kind:
                known["type"] = kind
        if argument.value is not None:
            # APIBench's calls are whole as they stand; elsewhere a value is an example.
            if "domain" in document:
                known.setdefault("default", argument.value)
            else:
                known.setdefault("description", f"Such as {argument.value!r}")
        if in_path and f"{{{argument.name}}}" in call.path:
            known.setdefault("type", "string")
            required.append(argument.name)
    return properties, list(dict.fromkeys(required))


_MODEL_KEYS: Final = ("model", "model_name", "pretrained_model_name_or_path")
_HOST: Final = re.compile(r"^https?://[^/]+/")
_JSON_TYPE: Final = {str: "string", bool: "boolean", int: "integer", float: "number"}


def _description(document: Mapping[str, Any], title: str) -> str:
    """Join title, function and description, each once."""
    details = document.get("meta_data") or document.get("metadata")
    texts = [
        title,
        plain_text(document.get("functionality")),
        plain_text(document.get("description")),
        plain_text(details.get("description")) if isinstance(details, Mapping) else "",
    ]
    kept: list[str] = []
    for text in texts:
        if text and not any(text in other for other in kept):
            kept.append(text.rstrip("."))
    return ". ".join(kept)


def _metadata(document: Mapping[str, Any], row: Row) -> dict[str, Any]:
    metadata: dict[str, Any] = {"source": "gorilla_documents", "origin": row.file}
    for key, fact in _FACTS.items():
        if text := plain_text(document.get(key)):
            metadata[fact] = text
    details = document.get("meta_data") or document.get("metadata")
    if isinstance(details, Mapping) and (link := plain_text(details.get("documentation_link"))):
        metadata["documentation"] = link
    if row.repaired:
        metadata["repaired"] = True
    return metadata
