"""How a Qdrant server is reached, and what its refusals mean."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_gorilla.errors import (
    IndexMismatchError,
    IndexReplacedError,
    IndexUnavailableError,
)


@dataclass(frozen=True)
class Connection:
    """How to reach a server; ``location=":memory:"`` needs none.

    Attributes:
        options: Arguments of ``qdrant_client.QdrantClient``: url, api_key, timeout and so on.
        collection_options: Arguments of ``create_collection``: shard_number,
            replication_factor, write_consistency_factor and so on.
    """

    options: Mapping[str, Any]
    collection_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def in_memory(self) -> bool:
        """Whether there is no server."""
        return self.options.get("location") == ":memory:"

    def __str__(self) -> str:
        if self.in_memory:
            return "memory"
        return str(self.options.get("url") or self.options.get("host") or "localhost")


@contextlib.contextmanager
def explained(action: str, connection: Connection, collection: str) -> Iterator[None]:
    """Turn the client's exceptions into the errors of this package."""
    import grpc  # type: ignore[import-untyped]
    import httpx
    from qdrant_client.common.client_exceptions import QdrantException
    from qdrant_client.http.exceptions import ApiException

    try:
        yield
    except RuntimeError as error:
        # What is closed in another thread says so with nothing narrower.
        if "closed" not in str(error):
            raise
        raise IndexUnavailableError(
            f"The tool collection {collection!r} on {connection} was closed: {error} Open it again."
        ) from error
    except (ApiException, QdrantException, grpc.RpcError, httpx.HTTPError, OSError) as error:
        text = " ".join(str(error).split())[:400]
        if "dimension error" in text.lower():
            raise IndexMismatchError(
                f"The tool collection {collection!r} on {connection} holds other vectors: {text}. "
                "Sync with the embedder in use: it builds the collection anew beside the old one."
            ) from error
        if "doesn't exist" in text:
            raise IndexReplacedError(
                f"The tool collection {collection!r} is gone from {connection}: {text}. Another "
                "process may have built the index anew, with another embedder: open it as that "
                "one does, or sync again."
            ) from error
        raise IndexUnavailableError(
            f"Cannot {action} the tool collection {collection!r} on {connection}: {text}. Check "
            "that the Qdrant server runs there and has room, that the API key is right, or index "
            "into a folder, which needs no server: ToolIndex.in_folder(…)."
        ) from error
