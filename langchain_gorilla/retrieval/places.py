"""Where a collection lives, and which of its generations is in use.

A generation is one Qdrant collection or shard, made by one embedder and one version of the search
text. Another embedder gets another generation, built beside the one in use and switched to when it
is whole; killed in between, the next sync finds it and goes on.
"""

import contextlib
import os
import re
import shutil
from pathlib import Path
from typing import Any, Protocol

from langchain_gorilla.errors import IndexMismatchError, IndexUnavailableError
from langchain_gorilla.retrieval.client_store import ClientStore
from langchain_gorilla.retrieval.connection import Connection, explained
from langchain_gorilla.retrieval.edge_store import EdgeStore
from langchain_gorilla.retrieval.points import PointStore

_FREE_BYTES = 96 * 1024 * 1024
"""Qdrant Edge maps its files into memory, where a full disk kills the process: keep clear of it.

Its write-ahead log alone takes 64 MB ahead of the points.
"""

_GENERATION = "[0-9a-f]{12}"
_FOLDER = re.compile(rf"index-{_GENERATION}(\.new)?")


class Place(Protocol):
    """Generations of one collection, of which one is in use."""

    def current(self) -> str | None:
        """Return the generation in use; None before the first sync."""

    def open(self, generation: str, dimension: int | None) -> PointStore:
        """Open a generation, or start it."""

    def switch(self, generation: str) -> None:
        """Use this generation from now on; at once for every process that searches."""

    def discard_others(self, generation: str) -> None:
        """Delete all generations but this one."""

    def check_room(self, points: int, dimension: int | None) -> None:
        """Raise ``IndexUnavailableError`` where so many points surely do not fit."""

    def close(self) -> None:
        """Let go of the place."""


class FolderPlace:
    """A folder: ``index-*`` for each generation, ``current``, ``lock``.

    Args:
        folder: Is made where it is not there.

    Raises:
        IndexUnavailableError: Another process, or another object here, has the folder open.
        IndexMismatchError: The folder holds something else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for entry in folder.iterdir():
                if not _is_harmless(entry.name):
                    raise IndexMismatchError(
                        f"{folder} holds {entry.name!r}, which is no part of a tool index. Pass a "
                        "new or empty folder, so that nothing else is touched."
                    )
            self._lock = _FolderLock(folder / "lock")
        except OSError as error:
            raise IndexUnavailableError(
                f"Cannot use {folder} for a tool index: {error}. Pass a folder that this process "
                "may write to."
            ) from error

    def __str__(self) -> str:
        return str(self.folder)

    def current(self) -> str | None:
        """See ``Place``."""
        try:
            generation = (self.folder / "current").read_text().strip()
        except FileNotFoundError:
            return None
        # One that was deleted by hand is made anew by the next sync.
        return generation if (self.folder / f"index-{generation}").is_dir() else None

    def open(self, generation: str, dimension: int | None) -> PointStore:
        """See ``Place``."""
        return EdgeStore(self.folder / f"index-{generation}", dimension=dimension)

    def switch(self, generation: str) -> None:
        """See ``Place``."""
        beside = self.folder / "current.new"
        try:
            with beside.open("w") as file:
                file.write(generation)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.folder / "current")
        except OSError as error:
            raise IndexUnavailableError(
                f"Cannot write {beside}: {error}. Free space or check permissions and sync again."
            ) from error

    def discard_others(self, generation: str) -> None:
        """See ``Place``."""
        for entry in self.folder.glob("index-*"):
            if _FOLDER.fullmatch(entry.name) and entry.name != f"index-{generation}":
                shutil.rmtree(entry, ignore_errors=True)

    def check_room(self, points: int, dimension: int | None) -> None:
        """See ``Place``."""
        # Log and segment each hold a vector; payload and BM25 weights come to some 2 KB.
        needed = _FREE_BYTES + points * (8 * (dimension or 0) + 4_000)
        if (free := free_bytes(self.folder)) < needed:
            raise IndexUnavailableError(
                f"The disk under {self.folder} has {free / 1e6:.0f} MB free; {points} tools need "
                f"up to {needed / 1e6:.0f} MB while they are written. Free space and sync again; "
                "the index is as it was."
            )

    def close(self) -> None:
        """See ``Place``."""
        self._lock.release()


class ServerPlace:
    """A Qdrant server, or memory: ``name`` is an alias of the collection in use.

    Args:
        connection: How to reach it.
        name: Of the alias; its collections are called ``name--generation``.

    Raises:
        IndexUnavailableError: The server does not answer or refuses.
        IndexMismatchError: A collection with this very name exists, or an alias of another.
        UnsupportedOptionError: No client can be made of the options.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self.connection = connection
        self.name = name
        with self._explained("open"):
            self._client = connection.client()
            self._check_name(name)

    def _check_name(self, name: str) -> None:
        taken = {found.name for found in self._client.get_collections().collections}
        taken |= {
            alias.alias_name
            for alias in self._client.get_aliases().aliases
            if not alias.collection_name.startswith(f"{name}--")
        }
        if name in taken:
            raise IndexMismatchError(
                f"{self.connection} has a collection or an alias {name!r} that is no tool index. "
                "Pass another collection=…, so that nothing else is touched."
            )

    def __str__(self) -> str:
        return f"{self.name} on {self.connection}"

    def current(self) -> str | None:
        """See ``Place``."""
        with self._explained("read"):
            aliases = self._client.get_aliases().aliases
        for alias in aliases:
            if alias.alias_name == self.name:
                return str(alias.collection_name).rpartition("--")[2]
        return None

    def open(self, generation: str, dimension: int | None) -> PointStore:
        """See ``Place``."""
        collection = f"{self.name}--{generation}"
        return ClientStore(self._client, self.connection, collection, dimension=dimension)

    def switch(self, generation: str) -> None:
        """See ``Place``."""
        from qdrant_client import models

        alias = models.CreateAlias(
            collection_name=f"{self.name}--{generation}", alias_name=self.name
        )
        operations: list[Any] = [models.CreateAliasOperation(create_alias=alias)]
        if self.current() is not None:
            delete = models.DeleteAlias(alias_name=self.name)
            operations.insert(0, models.DeleteAliasOperation(delete_alias=delete))
        with self._explained("switch"):
            self._client.update_collection_aliases(operations)

    def discard_others(self, generation: str) -> None:
        """See ``Place``."""
        with self._explained("delete"):
            # Another program may call a collection of its own tools--backup.
            ours = re.compile(rf"{re.escape(self.name)}--{_GENERATION}")
            for found in self._client.get_collections().collections:
                if ours.fullmatch(found.name) and found.name != f"{self.name}--{generation}":
                    self._client.delete_collection(found.name)

    def check_room(self, points: int, dimension: int | None) -> None:
        """See ``Place``; a server says so itself."""

    def close(self) -> None:
        """See ``Place``."""
        self._client.close()

    def _explained(self, action: str) -> contextlib.AbstractContextManager[None]:
        return explained(action, self.connection, self.name)


class _FolderLock:
    """One process, and one object in it, has the folder; gone with the process, however it ends."""

    def __init__(self, path: Path) -> None:
        import portalocker

        self._file = path.open("a+")
        try:
            portalocker.lock(self._file, portalocker.LOCK_EX | portalocker.LOCK_NB)
        except portalocker.exceptions.LockException as error:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            who = "this process" if holder == str(os.getpid()) else f"process {holder}"
            raise IndexUnavailableError(
                f"The tool index in {path.parent} is open in {who}. One object in one process may "
                "have it: share that one, close() it, or index on a Qdrant server "
                "(ToolIndex.on_server) for several processes."
            ) from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let others have it."""
        self._file.close()


def free_bytes(folder: Path) -> int:
    """Return the room on the disk of a folder."""
    return shutil.disk_usage(folder).free


def _is_harmless(name: str) -> bool:
    """Whether a file is part of an index, or one that a file manager or network disk leaves."""
    ours = name in ("current", "current.new", "lock") or _FOLDER.fullmatch(name)
    return bool(ours) or name.startswith(".")
