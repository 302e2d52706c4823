"""How a Qdrant server is reached, and what its refusals mean."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_gorilla.errors import (
    IndexMismatchError,
    IndexReplacedError,
    IndexUnavailableError,
    UnsupportedOptionError,
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

    def client(self) -> Any:
        """Return a ``QdrantClient``.

        Raises:
            UnsupportedOptionError: The options name no place, more than one, or what there is not.
        """
        from qdrant_client import QdrantClient

        places = ("location", "url", "host", "path")
        try:
            # Where none is named, the client takes localhost.
            if not any(self.options.get(name) for name in places):
                raise ValueError("no address is given")
            return QdrantClient(**self.options)
        except (TypeError, ValueError) as error:
            # The values of the others may be secrets.
            given = ", ".join(
                f"{name}={value!r}" if name in places else name
                for name, value in self.options.items()
            )
            raise UnsupportedOptionError(
                f"No Qdrant client can be made of {given}: {str(error).rstrip('.')}. Expected a "
                "server's address such as 'http://localhost:6333', and in client_options arguments "
                "of QdrantClient. Without a server: ToolIndex.in_folder(…) or in_memory()."
            ) from error

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
    except (json.JSONDecodeError, AssertionError) as error:
        # What the client makes of another program's web page, and of its JSON.
        if isinstance(error, AssertionError) and "returned None" not in str(error):
            raise
        raise IndexUnavailableError(
            f"What answers on {connection} is no Qdrant server: it gave the client no answer of "
            f"one ({error}). Check the address and its port, which is 6333 unless it was changed, "
            "or index into a folder, which needs no server: ToolIndex.in_folder(…)."
        ) from error
    except (ApiException, QdrantException, grpc.RpcError, httpx.HTTPError, OSError) as error:
        # A gRPC error's own text is a dump of its fields.
        told = (error.details() or error) if isinstance(error, grpc.Call) else error
        text = " ".join(str(told).split())[:400]
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
