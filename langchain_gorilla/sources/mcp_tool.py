"""``McpTool``: one tool of an MCP server, as a LangChain tool.

The connections are those of langchain-mcp-adapters; the tools are ours, since the adapter's have
no sync call, take the argument ``runtime`` for LangGraph's, raise on audio, hand images to models
that read text only, and leave checking the arguments to the server.
"""

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Any, Final, TypeAlias

import httpx
from anyio import BrokenResourceError, CancelScope, ClosedResourceError, move_on_after
from jsonschema import Draft202012Validator, SchemaError
from jsonschema.exceptions import best_match
from jsonschema.validators import validator_for
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
from langchain_core.messages.content import (
    create_audio_block,
    create_file_block,
    create_image_block,
    create_non_standard_block,
    create_text_block,
)
from langchain_core.tools import ToolException
from mcp import ClientSession, McpError, types
from pydantic import Field, PrivateAttr, ValidationError
from referencing.exceptions import Unresolvable

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.functions import function_schema
from langchain_gorilla.metaschema import with_own_keywords
from langchain_gorilla.reasons import shortened
from langchain_gorilla.sources.event_loop import run
from langchain_gorilla.sources.mcp_connection import misfit, why
from langchain_gorilla.sources.results import cut
from langchain_gorilla.sources.tool import SourceTool

_CANCEL_TIMEOUT_S: Final = 1.0

Content: TypeAlias = Annotated[types.ContentBlock | Any, Field(union_mode="left_to_right")]
"""A block of content; what is none, such as one of a kind that MCP gets later, as it was sent."""


class CallToolResult(types.Result):
    """As the SDK's, but a block that is not understood does not cost the others."""

    content: list[Content]
    structuredContent: dict[str, Any] | None = None  # noqa: N815
    isError: bool = False  # noqa: N815


Call: TypeAlias = Callable[[str, dict[str, Any]], Awaitable[CallToolResult]]


class McpTool(SourceTool):
    """A tool of an MCP server.

    Its content is text, cut; images, sounds and files are named there. Its artifact is plain data:
    ``structured_content`` as the server gave it, None for none, and ``content``, all of it as
    LangChain's content blocks.
    """

    _mcp_name: str = PrivateAttr()
    _mcp_call: Call = PrivateAttr()
    _mcp_output: dict[str, Any] | None = PrivateAttr(default=None)

    @classmethod
    def of(cls, tool: types.Tool, origin: str, call: Call) -> "McpTool":
        """Make the tool.

        Args:
            tool: As the server lists it.
            origin: The server's name.
            call: Calls a tool of the server by its name.

        Raises:
            InvalidFunctionError: Its name or its schema cannot be used.
        """
        made = cls(
            name=tool.name,
            description=tool.description or tool.title or tool.name,
            args_schema={"type": "object", "properties": {}, **tool.inputSchema},
            metadata=_metadata(tool, origin),
        )
        function_schema(made)
        made._mcp_name = tool.name
        made._mcp_call = call
        made._mcp_output = tool.outputSchema
        return made

    def call(self, arguments: dict[str, JSONValue]) -> tuple[str, dict[str, Any]]:
        """Call the server."""
        return run(self.acall(arguments))

    async def acall(self, arguments: dict[str, JSONValue]) -> tuple[str, dict[str, Any]]:
        """Call the server.

        Raises:
            ToolException: The tool failed, or the server did not answer as the protocol says.
        """
        try:
            result = await self._mcp_call(self._mcp_name, arguments)
        except McpError as error:
            raise ToolException(f"{self._mcp_name}: {error.error.message}") from None
        except TimeoutError:
            raise ToolException(f"{self._mcp_name}: its server does not answer.") from None
        except httpx.HTTPStatusError as error:
            raise ToolException(
                f"{self._mcp_name}: its server cannot be asked: {why(error)}. Call another tool, or "
                "tell the user."
            ) from None
        except (ClosedResourceError, BrokenResourceError, httpx.HTTPError, OSError) as error:
            raise ToolException(
                f"{self._mcp_name}: the connection to its server is lost "
                f"({type(error).__name__}). Call another tool, or tell the user."
            ) from None
        except ValidationError as error:
            raise ToolException(
                f"{self._mcp_name}: what its server answers is {misfit(error)}."
            ) from None
        except RuntimeError as error:
            # How the SDK says that the server speaks another version of the protocol.
            raise ToolException(f"{self._mcp_name}: {error}") from None
        text = cut(_text(result))
        if result.isError:
            raise ToolException(text or f"{self._mcp_name} failed and did not say why.")
        if problem := _problem(result.structuredContent, self._mcp_output):
            raise ToolException(
                f"{self._mcp_name}: its result does not fit its outputSchema: {problem}"
            )
        artifact = {
            "structured_content": result.structuredContent,
            "content": [_block(each) for each in result.content],
        }
        return text or "Done; the tool returned nothing.", artifact


async def called(
    session: ClientSession, tool: str, arguments: dict[str, Any], timeout_s: float
) -> CallToolResult:
    """Call a tool; a server whose answer is no longer waited for is told so, and may stop.

    Not by ``session.call_tool``: for the result's schema it lists the tools again, without a time
    limit, and fails on a list with one that is none.
    """
    params = types.CallToolRequestParams(name=tool, arguments=arguments)
    request = types.ClientRequest(types.CallToolRequest(params=params))
    # The number that the request is about to get: the SDK tells nobody, and cancels for nobody.
    number = getattr(session, "_request_id", None)
    try:
        return await session.send_request(request, CallToolResult, timedelta(seconds=timeout_s))
    except asyncio.CancelledError:
        await _cancel(session, number, "The caller gave up.")
        raise
    except McpError as error:
        if error.error.code == httpx.codes.REQUEST_TIMEOUT:
            await _cancel(session, number, f"No answer in {timeout_s:g} seconds.")
        raise


async def _cancel(session: ClientSession, number: Any, reason: str) -> None:
    """Tell a server that a request is no longer waited for, if the connection lets it."""
    if not isinstance(number, int):
        return
    params = types.CancelledNotificationParams(requestId=number, reason=reason)
    notification = types.ClientNotification(types.CancelledNotification(params=params))
    # The connection may be what is lost.
    lost = suppress(ClosedResourceError, BrokenResourceError)
    with lost, CancelScope(shield=True), move_on_after(_CANCEL_TIMEOUT_S):
        await session.send_notification(notification)


def _metadata(tool: types.Tool, origin: str) -> dict[str, Any]:
    """Return what MCP says beside name and schema, under MCP's own words."""
    metadata: dict[str, Any] = {}
    if tool.annotations is not None:
        metadata |= tool.annotations.model_dump(exclude_none=True)
    # A server may annotate with any words, and does not choose what its tools count as.
    metadata |= {"source": "mcp", "origin": origin}
    if tool.title is not None:
        metadata["title"] = tool.title
    if tool.outputSchema is not None:
        metadata["outputSchema"] = tool.outputSchema
    return metadata


def _problem(value: JSONValue, schema: dict[str, Any] | None) -> str | None:
    """Say how a structured result breaks the schema that its tool promises, if it has one."""
    if schema is None:
        return None
    checker = with_own_keywords(validator_for(schema, default=Draft202012Validator))
    try:
        # No format checker: a pattern may be written for another regex dialect.
        checker.check_schema(schema, format_checker=None)
        found = best_match(checker(schema, registry=REGISTRY).iter_errors(value))
    except (SchemaError, Unresolvable, RecursionError) as error:
        return shortened(f"the schema itself is none: {error}", 300)
    return shortened(f"{found.json_path}: {found.message}", 300) if found else None


def _text(result: CallToolResult) -> str:
    parts = [*map(_described, result.content)]
    # What a server structures it should also write as text; some do not, beside a picture.
    if result.structuredContent is not None and not any(map(_is_text, result.content)):
        parts = [*filter(None, parts), json.dumps(result.structuredContent, ensure_ascii=False)]
    return "\n".join(parts)


def _is_text(content: Content) -> bool:
    """Say whether a block holds words."""
    block = content.resource if isinstance(content, types.EmbeddedResource) else content
    words = types.TextContent | types.TextResourceContents
    return isinstance(block, words) and bool(block.text.strip())


def _described(content: Content) -> str:
    """Return a block of content as a model can read it."""
    if isinstance(content, types.TextContent):
        return content.text
    if isinstance(content, types.ImageContent | types.AudioContent):
        return _bytes_named(content.data, content.mimeType)
    if isinstance(content, types.ResourceLink):
        said = f" ({content.description})" if content.description else ""
        return f"[{content.name}: {content.uri}{said}]"
    if not isinstance(content, types.EmbeddedResource):
        kind = content.get("type") if isinstance(content, dict) else None
        return f"[content of type {kind!r:.40}, which is not known here, kept for the application]"
    resource = content.resource
    if isinstance(resource, types.TextResourceContents):
        return resource.text
    return _bytes_named(resource.blob, resource.mimeType)


def _bytes_named(data: str, media_type: str | None) -> str:
    try:
        size = f"{len(base64.b64decode(data)):,} bytes"
    except (binascii.Error, ValueError):
        size = "something"
    kept = ", kept for the application" if data else ""
    return f"[{size} of {media_type or 'an unknown type'}{kept}]"


def _block(content: Content) -> dict[str, Any]:
    """Return a block of content as LangChain's."""
    block: Any
    if isinstance(content, types.TextContent):
        block = create_text_block(content.text)
    elif isinstance(content, types.ImageContent):
        block = _bytes_block(create_image_block, content.data, content.mimeType)
    elif isinstance(content, types.AudioContent):
        block = _bytes_block(create_audio_block, content.data, content.mimeType)
    elif isinstance(content, types.ResourceLink):
        block = create_file_block(url=str(content.uri), mime_type=content.mimeType)
    elif not isinstance(content, types.EmbeddedResource):
        block = create_non_standard_block(
            content if isinstance(content, dict) else {"value": content}
        )
    elif isinstance(content.resource, types.TextResourceContents):
        block = create_text_block(content.resource.text)
    else:
        block = _bytes_block(create_file_block, content.resource.blob, content.resource.mimeType)
    return dict(block)


def _bytes_block(make: Callable[..., Any], data: str, media_type: str | None) -> Any:
    if not data:
        # LangChain has no block for nothing.
        return create_text_block(_bytes_named(data, media_type))
    return make(base64=data, mime_type=media_type or "application/octet-stream")
