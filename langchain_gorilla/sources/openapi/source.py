"""``tools_from_openapi``: a description of a REST API becomes tools that call it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langchain_gorilla.sources.addresses import checked_base_url
from langchain_gorilla.sources.base import Refusal, Tools
from langchain_gorilla.sources.http import HttpSettings
from langchain_gorilla.sources.openapi.document import Document, UnreadableError, read_document
from langchain_gorilla.sources.openapi.inheritance import with_cases
from langchain_gorilla.sources.openapi.names import tool_name
from langchain_gorilla.sources.openapi.operations import (
    Described,
    check_server_variables,
    described_operations,
    parameter_names,
    security_schemes,
    server_url,
    states_security,
)
from langchain_gorilla.sources.openapi.schemas import Schemas
from langchain_gorilla.sources.openapi.security import Credential, Credentials, read_scheme
from langchain_gorilla.sources.openapi.signature import read_signature
from langchain_gorilla.sources.openapi.tool import Operation, OperationTool


def tools_from_openapi(
    path_or_dict: str | Path | Mapping[str, Any],
    base_url: str | None = None,
    allow_writes: bool = False,
    *,
    credentials: Mapping[str, Credential] | None = None,
    headers: Mapping[str, Credential] | None = None,
    server_variables: Mapping[str, str] | None = None,
    settings: HttpSettings | None = None,
    max_schema_characters: int | None = 20_000,
) -> Tools:
    """Make a tool of every operation of an OpenAPI description.

    Versions 3.0, 3.1 and Swagger 2.0 are read, as JSON or YAML, and Google's Discovery documents.
    What becomes no tool is in the result's ``refusals``, with its reason.

    Args:
        path_or_dict: The path of the description, or its content. Files below its folder that it
            refers to are read; nothing is fetched.
        base_url: Where every operation is called, instead of the servers that the description
            names. Without it, a description that names no whole address gives tools that can be
            searched and bound, and raise ``SourceError`` when they are called.
        allow_writes: Make tools of methods that change something, too; without it only of GET,
            HEAD, OPTIONS and TRACE.
        credentials: Keys by the name of their security scheme, or of the header, query or cookie
            parameter or field of a form that carries them. They are sent where the description
            asks for them, to the servers that it names; a model sees neither keys nor such
            parameters.
        headers: Sent with every call, for keys that the description does not speak of.
        server_variables: Values for the variables in the servers' addresses.
        settings: Timeouts, retries and limits.
        max_schema_characters: Of the definitions that one tool's schema carries; of farther ones
            only the type is there. None for no limit.

    Raises:
        SourceError: It cannot be read or is no OpenAPI description, ``base_url`` is no web
            address, ``credentials`` has a name that nothing asks for, ``headers`` one that is no
            header's, or ``server_variables`` a name or value that no server takes.
    """
    document = with_cases(read_document(path_or_dict))
    override = None if base_url is None else checked_base_url(base_url)
    keys = Credentials(
        {name: read_scheme(each) for name, each in security_schemes(document).items()},
        credentials,
        headers,
    )
    keys.check_names(parameter_names(document))
    check_server_variables(document, server_variables or {})
    schemas = Schemas(document, max_characters=max_schema_characters)
    tools: list[OperationTool] = []
    refusals: list[Refusal] = []
    names: set[str] = set()
    is_stated = states_security(document)
    for described in described_operations(document, allow_writes=allow_writes):
        if isinstance(described, Refusal):
            refusals.append(described)
            continue
        try:
            signature = read_signature(described, document, schemas, keys)
            server = override or server_url(described.servers, server_variables or {})
        except UnreadableError as error:
            refusals.append(Refusal(described.where, str(error)))
            continue
        except RecursionError:
            refusals.append(Refusal(described.where, "Its schemas are nested too deeply."))
            continue
        security = described.operation.get("security", document.root.get("security"))
        operation = Operation(
            described.method,
            described.path,
            server,
            signature,
            keys.chosen(security, is_stated=is_stated),
        )
        operation_id = described.operation.get("operationId")
        operation_id = operation_id if isinstance(operation_id, str) else None
        tools.append(
            OperationTool.of(
                operation,
                keys,
                settings or HttpSettings(),
                name=tool_name(operation_id, described.method, described.path, names),
                description=_description(described),
                metadata=_metadata(described, operation_id, document),
            )
        )
    return Tools(tools, refusals=refusals)


def _description(described: Described) -> str:
    said = [described.operation.get(key) for key in ("summary", "description")]
    texts = list(dict.fromkeys(text.strip() for text in said if isinstance(text, str)))
    if len(texts) == 2 and texts[1].startswith(texts[0]):
        texts = texts[1:]
    if described.operation.get("deprecated") is True:
        texts.insert(0, "Deprecated.")
    # A lone surrogate would make the tool unusable in any prompt.
    whole = "\n\n".join(filter(None, texts)).encode("utf-8", "replace").decode()
    return whole or described.where


def _metadata(described: Described, operation_id: str | None, document: Document) -> dict[str, Any]:
    tags = described.operation.get("tags")
    metadata: dict[str, Any] = {
        "source": "openapi",
        "origin": document.origin,
        "method": described.method,
        "path": described.path,
    }
    if operation_id:
        metadata["operation_id"] = operation_id
    if isinstance(tags, list) and tags:
        metadata["tags"] = tuple(map(str, tags))
    if described.operation.get("deprecated") is True:
        metadata["deprecated"] = True
    return metadata
