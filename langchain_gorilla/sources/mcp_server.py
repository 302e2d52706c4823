"""``McpServer``: one session with an MCP server, kept for all callers; see ``mcp``."""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from types import TracebackType
from typing import Any

from anyio import BrokenResourceError, ClosedResourceError, fail_after
from langchain_core.tools import ToolException
from langchain_mcp_adapters.sessions import create_session
from mcp import ClientSession, McpError, types

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import SourceError
from langchain_gorilla.sources.base import SourcedTool, Tools
from langchain_gorilla.sources.mcp_connection import (
    is_lost,
    never_ran,
    read_connection,
    unreachable,
)
from langchain_gorilla.sources.mcp_listing import (
    CatalogFollower,
    ToolsChange,
    all_tools,
    read_tools,
)
from langchain_gorilla.sources.mcp_tool import CallToolResult, called

_log = logging.getLogger(__name__)


class McpServer:
    """A connection to one MCP server.

    It lives in a thread with an event loop of its own, so that its tools serve sync and async
    callers in any loop. Use it in ``with`` or ``async with``; its tools end with it. Where the
    connection ends by itself, since a program crashed or HTTP 503 came, the next call connects anew,
    and a call that could not be sent, or whose session the server had forgotten, is made once more.

    Attributes:
        name: As given, or as the server calls itself.
        tools: The server's tools as last listed, with refusals.
    """

    def __init__(
        self, connection: Mapping[str, Any], *, name: str | None = None, timeout_s: float = 60.0
    ) -> None:
        """Prepare; ``open`` connects. Arguments as for ``tools_from_mcp``.

        Raises:
            SourceError: The connection is none.
        """
        self.name = name or ""
        self.tools = Tools()
        self._connection = read_connection(connection)
        self._timeout_s = timeout_s
        self._listed: dict[str, types.Tool] = {}
        self._followers: list[Callable[[ToolsChange, Mapping[str, SourcedTool]], None]] = []
        self._session: ClientSession | None = None
        self._thread: threading.Thread | None = None
        self._reopening = threading.Lock()
        self._is_closing = False
        self._following: int | None = None  # the thread that tells the followers

    def __enter__(self) -> "McpServer":
        return self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> "McpServer":
        return await asyncio.to_thread(self.open)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.close)

    def open(self) -> "McpServer":
        """Connect and list the tools.

        Raises:
            SourceError: The server cannot be reached, or does not speak the protocol.
        """
        if self._thread is not None and self._thread.is_alive():
            raise SourceError(f"The connection to {self.name!r} is open already.")
        self._is_closing = False
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(started)), name="mcp-server", daemon=True
        )
        self._thread.start()
        try:
            started.result()
        except BaseException:
            self._thread.join()
            self._thread = None
            raise
        return self

    def close(self) -> None:
        """Disconnect, and end a server that was started here.

        Called by a follower, this returns before the server has ended, which waits for followers.
        """
        is_follower = self._is_telling_here()
        # Not while a call connects anew; only a follower would wait there for itself.
        with nullcontext() if is_follower else self._reopening:
            if (thread := self._thread) is None:
                return
            self._is_closing = True
            # The loop is closed already where the connection ended by itself.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._end.set)
            if not is_follower:
                thread.join()
            self._thread = None

    def refresh(self) -> ToolsChange:
        """List the tools again, as a notification would make it happen; connect anew if need be.

        Raises:
            SourceError: The connection was not opened, or is closed; the server does not answer,
                or not as the protocol says; or a follower asks, which has just been told.
        """
        if self._thread is None or self._is_closing:
            raise SourceError(f"There is no connection to {self.name!r}: open it first.")
        if self._is_telling_here():
            raise SourceError(
                f"{self.name!r} is being followed in this call: its tools are as just listed. "
                "Leave refresh out of on_change."
            )
        before = self._listed
        try:
            if self._session is not None:
                return asyncio.run_coroutine_threadsafe(self._relist(), self._loop).result()
        except Exception as error:
            if not is_lost(error):
                raise unreachable(self._connection, error) from None
        # The connection ended by itself, or the server has forgotten the session.
        self._reopen()
        return ToolsChange.between(before, self._listed)

    def follow(
        self,
        catalog: ToolCatalog,
        *,
        namespace: str = "",
        on_change: Callable[[ToolsChange], Any] | None = None,
    ) -> None:
        """Put the tools into a catalog, and keep it as the server's list is from now on.

        Args:
            catalog: Gets what is added and replaced, and loses what is removed.
            namespace: Of these tools in the catalog.
            on_change: Called after each later change, in another thread: where an index is
                synced, for example. A later tool whose name another tool has is left out, with
                a warning in the log, and tried again at each change.

        Raises:
            DuplicateFunctionError: The catalog has a tool with one of the names; it stays as it
                was.
        """
        listed, tools = self._listed, self.tools
        follower = CatalogFollower(catalog, namespace, self.name, on_change)
        follower.begin(tools)
        self._followers.append(follower.apply)
        if change := ToolsChange.between(listed, self._listed):
            # The server's list changed as these were added, and nobody was told.
            follower.apply(change, {each.name: each for each in self.tools})

    async def _serve(self, started: "Future[None]") -> None:
        """Hold the session until ``close``."""
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self._changed = asyncio.Event()
        self._listing = asyncio.Lock()
        try:
            async with self._connected() as session:
                try:
                    with fail_after(self._timeout_s):
                        await self._begin(session)
                except Exception as error:
                    # Told here, before leaving the session adds errors of its own.
                    started.set_exception(unreachable(self._connection, error))
                    return
                started.set_result(None)
                hearing = asyncio.create_task(self._hear())
                # Not in one task: a server that does not answer would keep ``close`` waiting.
                await self._end.wait()
                hearing.cancel()
        except Exception as error:
            if not started.done():
                started.set_exception(unreachable(self._connection, error))
            else:
                _log.warning("The connection to MCP server %r ended: %r", self.name, error)
        finally:
            self._session = None
            if not started.done():
                started.set_exception(SourceError("The MCP server was cancelled as it started."))

    def _connected(self) -> AbstractAsyncContextManager[ClientSession]:
        given = self._connection.get("session_kwargs") or {}
        connection: Any = {
            **self._connection,
            "session_kwargs": {**given, "message_handler": self._on_message},
        }
        return create_session(connection)

    async def _begin(self, session: ClientSession) -> None:
        itself = await session.initialize()
        self.name = self.name or itself.serverInfo.name
        self._session = session
        await self._relist()

    async def _on_message(self, message: Any) -> None:
        # Only noted here: the session reads no answer before this returns.
        if isinstance(message, types.ServerNotification) and isinstance(
            message.root, types.ToolListChangedNotification
        ):
            self._changed.set()

    async def _hear(self) -> None:
        """List again after each notification; the next one may find the server better."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._relist()
            except Exception as error:
                _log.warning("The tools of MCP server %r could not be listed: %r", self.name, error)

    async def _relist(self) -> ToolsChange:
        async with self._listing:
            if (session := self._session) is None:
                raise ClosedResourceError
            try:
                with fail_after(self._timeout_s):
                    found = await all_tools(session)
            except Exception as error:
                self._note(error, session)
                raise
            tools, refusals = read_tools(found, self.name, self._call)
            listed = {
                each.name: each
                for each in found
                if isinstance(each, types.Tool) and each.name in tools
            }
            before, self._listed = self._listed, listed
            self.tools = Tools(tools.values(), refusals=refusals)
            change = ToolsChange.between(before, listed)
            if change:
                # In a thread: a follower may take its time, and calls go on.
                await asyncio.to_thread(self._tell, change, tools)
            return change

    def _tell(self, change: ToolsChange, tools: Mapping[str, SourcedTool]) -> None:
        self._following = threading.get_ident()
        for follower in self._followers:
            try:
                follower(change, tools)
            except Exception:
                _log.exception("A change of MCP server %r could not be followed", self.name)
        self._following = None

    def _is_telling_here(self) -> bool:
        """Tell whether a follower of this server is what runs in this thread."""
        return self._following == threading.get_ident()

    async def _call(self, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        """Call a tool in the session's loop, and wait in the caller's."""
        # Once more where the call did not reach a server that knew the session: nothing ran.
        for is_last in (False, True):
            if self._session is None and not self._is_closing:
                try:
                    await asyncio.to_thread(self._reopen)
                except SourceError as error:
                    raise ToolException(
                        f"{tool}: the connection to its server is lost. {error} Call another tool, "
                        "or tell the user."
                    ) from None
            if (session := self._session) is None:
                break
            calling = self._call_here(tool, arguments, session)
            running = asyncio.run_coroutine_threadsafe(calling, self._loop)
            try:
                result = await asyncio.wrap_future(running)
            except (McpError, ClosedResourceError, BrokenResourceError) as error:
                if is_last or not never_ran(error):
                    raise
            else:
                if result is None:
                    break
                return result
        raise ToolException(
            f"{tool}: the connection to its server is closed. Call another tool, or tell the user."
        )

    def _reopen(self) -> None:
        """Connect anew where the connection ended by itself; the next call may try again.

        Raises:
            SourceError: The server cannot be reached.
        """
        with self._reopening:
            ended = self._thread
            if ended is None or self._session is not None or self._is_telling_here():
                return
            ended.join()
            try:
                self.open()
            except SourceError:
                self._thread = ended
                raise

    def _note(self, error: Exception, session: ClientSession) -> None:
        """Give a session up that is of no more use; in its loop."""
        if is_lost(error) and self._session is session:
            self._session = None
            self._end.set()

    async def _call_here(
        self, tool: str, arguments: dict[str, Any], session: ClientSession
    ) -> CallToolResult | None:
        """Call a tool; None where the connection ended meanwhile."""
        try:
            return await called(session, tool, arguments, self._timeout_s)
        except (McpError, ClosedResourceError, BrokenResourceError) as error:
            self._note(error, session)
            raise
        except asyncio.CancelledError:
            # The loop ends; the caller's own task was not cancelled.
            if self._is_closing or self._session is not session:
                return None
            raise
