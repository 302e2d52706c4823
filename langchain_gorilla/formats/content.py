"""What a message says, as text: its content, in whichever blocks a provider left it.

* Text is text, whatever a provider calls it; what an assistant refused with, or spoke, is said too.
* Left out are calls, which are turns of their own; thoughts, which belong to the model that had
  them; a text's annotations, such as what it cites; and what steers a provider's cache.
* A picture, a sound, a video or a file cannot be read by a model of text: an error. In a tool's
  result a link to one, or its id, is a value like others, and only its bytes are an error.
* Any other block is JSON on a line of its own: what a provider's own tools were asked and gave,
  references, documents of text, and whatever else came from a tool. What an assistant's provider
  encrypted is left out of it, since only the provider can read it.
* The blocks of a tool's result are a line each. Where none is a text, they are a value that
  LangChain took for blocks, and the value is JSON as a whole.

Lone surrogates, which no tokenizer can encode, become U+FFFD.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Literal, TypeAlias

from langchain_core.messages import AIMessage, BaseMessage, FunctionMessage, ToolMessage

from langchain_gorilla.errors import PromptError
from langchain_gorilla.formats.markers import encodable

Speaker: TypeAlias = Literal["person", "assistant", "tool"]
"""Who says something: a human or the system, an AI message, a tool."""

CALLS: Final = ("tool_use", "tool_call", "function_call", "custom_tool_call", "invalid_tool_call")
"""Types of the blocks that hold a call which the application runs."""

_TEXTS: Final = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "refusal": "refusal",
}
"""Types of the blocks of text, and the key that holds it."""

_NOT_SAID: Final = frozenset(
    {
        *CALLS,
        *("tool_call_chunk", "input_json_delta", "function_call_signature"),
        *("reasoning", "thinking", "redacted_thinking", "reasoning_content"),
    }
)
_MEDIA: Final = frozenset(
    {
        *("image", "image_url", "input_image", "image_file", "image_generation_call"),
        *("audio", "audio_url", "input_audio", "video", "video_url"),
        *("file", "file_url", "input_file", "document", "document_url", "media"),
        "container_upload",
    }
)
_BYTES: Final = ("base64", "blob", "input_audio")
_BYTES_KINDS: Final = ("mime_type", "mimeType", "media_type")


@dataclass(frozen=True)
class Place:
    """Which message of a conversation something is in, for error messages."""

    position: int
    kind: str

    def __str__(self) -> str:
        return f"messages[{self.position}] ({self.kind})"


def message_text(message: BaseMessage, place: Place) -> str:
    """Return what a message says.

    Raises:
        PromptError: It holds what is no text; names the place and the block.
    """
    if isinstance(message, ToolMessage | FunctionMessage):
        return content_text(message.content, place, by="tool")
    if isinstance(message, AIMessage):
        said = content_text(message.content, place, by="assistant")
        beside = (encodable(each) for each in _beside(message.additional_kwargs))
        return "\n".join(dict.fromkeys(each for each in (said, *beside) if each))
    return content_text(message.content, place, by="person")


def content_text(content: object, place: Place, *, by: Speaker) -> str:
    """Return what the content of a message, or of a block with a tool's result, says.

    Raises:
        PromptError: See ``message_text``.
    """
    if not isinstance(content, str | list):
        raise PromptError(
            f"{place} holds a result whose content is {content!r:.120}. Expected text, or a list "
            "of blocks. Write the content as text."
        )
    blocks = [_block(block, place) for block in content_blocks(content)]
    is_result = by == "tool"
    if is_result and isinstance(content, list) and not any(map(_is_text, blocks)):
        return encodable(_json([_value(block, place, by) for block in blocks], place))
    pieces = [piece for block in blocks for piece in _pieces(block, place, by)]
    if is_result:
        return encodable("\n".join(text for _, text in pieces))
    # Text goes on where a block of it ends: providers cut it at citations, streams anywhere.
    runs = [
        ("\n" if is_json else "").join(text for _, text in run)
        for is_json, run in groupby(pieces, key=itemgetter(0))
    ]
    return encodable("\n".join(run for run in runs if run))


def content_blocks(content: str | Sequence[Any]) -> Sequence[Any]:
    """Return content as a list of blocks: texts, or dicts with a type."""
    return [content] if isinstance(content, str) else content


def _beside(kept: Mapping[str, Any]) -> Iterator[str]:
    """Yield what OpenAI's chat completions say beside the content, which is empty then."""
    audio = kept.get("audio")
    spoken = audio.get("transcript") if isinstance(audio, Mapping) else None
    yield from (each for each in (kept.get("refusal"), spoken) if isinstance(each, str))


def _block(block: Any, place: Place) -> str | Mapping[str, Any]:
    """Return a block, the provider's own out of LangChain's ``non_standard``."""
    if isinstance(block, Mapping):
        inner = block.get("value") if block.get("type") == "non_standard" else None
        return inner if isinstance(inner, Mapping) else block
    if isinstance(block, str):
        return block
    raise PromptError(
        f"{place} holds the block {block!r:.120}. Expected text, or a dict with a type. Write it "
        "as text."
    )


def _kind(block: Mapping[str, Any]) -> str | None:
    kind = block.get("type")
    return kind if isinstance(kind, str) else None


def _is_text(block: str | Mapping[str, Any]) -> bool:
    """Say whether a block holds text; ``{"text": …}`` alone, as Amazon and Google have it, does."""
    if isinstance(block, str):
        return False
    return _TEXTS.get(_kind(block) or "") in block or block.keys() == {"text"}


def _pieces(
    block: str | Mapping[str, Any], place: Place, by: Speaker
) -> Iterator[tuple[bool, str]]:
    """Yield what a block says, if anything, after whether that is JSON."""
    if isinstance(block, str):
        yield False, block
    elif _is_text(block):
        yield False, _block_text(block, place)
    elif not _says_nothing(block, by):
        yield True, _json(_value(block, place, by), place)


def _says_nothing(block: Mapping[str, Any], by: Speaker) -> bool:
    if by == "assistant" and _kind(block) in _NOT_SAID:
        return True
    # A streamed text that came to nothing has no text; Amazon marks what it caches.
    return by != "tool" and (_kind(block) in _TEXTS or block.keys() == {"cachePoint"})


def _block_text(block: Mapping[str, Any], place: Place) -> str:
    text = block[_TEXTS.get(_kind(block) or "", "text")]
    if text is None:
        return ""  # As other chat models read an answer without text.
    if isinstance(text, str):
        return text
    raise PromptError(
        f"{place} holds a text block whose text is {text!r:.120}. Expected a string. Write the "
        "content as one, or leave the block out."
    )


def _value(block: str | Mapping[str, Any], place: Place, by: Speaker) -> Any:
    """Return a block as a value that JSON can write.

    Raises:
        PromptError: It is, or holds, what cannot be read as text.
    """
    if isinstance(block, str):
        return block
    try:
        unread = _holds_bytes(block) or (by != "tool" and _is_medium(block))
        value = _without_encrypted(block) if by == "assistant" else block
    except RecursionError:
        raise _too_deep(place) from None
    if unread:
        raise PromptError(
            f"{place} holds a block of type {block.get('type')!r}. This model reads text only. "
            "Describe the content in a text block, or leave the block out."
        )
    return value


def _is_medium(block: Mapping[str, Any]) -> bool:
    source = block.get("source")
    kind = source.get("type") if isinstance(source, Mapping) else block.get("source_type")
    return _kind(block) in _MEDIA and kind not in ("text", "content")


def _holds_bytes(value: Any) -> bool:
    """Say whether a value holds bytes, as they are or as base64, in any provider's form."""
    if isinstance(value, str):
        return value.startswith("data:") and ";base64," in value[:200]
    if isinstance(value, Mapping):
        kind = next((str(value[key]) for key in _BYTES_KINDS if key in value), "text/")
        named = any(map(value.get, _BYTES)) or ("data" in value and not kind.startswith("text/"))
        return named or any(map(_holds_bytes, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_bytes, value))
    return isinstance(value, bytes | bytearray | memoryview)


def _without_encrypted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _without_encrypted(each)
            for key, each in value.items()
            if not str(key).startswith("encrypted_")
        }
    return [_without_encrypted(each) for each in value] if isinstance(value, list) else value


def _json(value: Any, place: Place) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError) as error:
        raise PromptError(
            f"{place} holds a block that JSON cannot write: {error}. Expected text, or a dict of "
            "JSON values. Write the content as text."
        ) from None
    except RecursionError:
        raise _too_deep(place) from None


def _too_deep(place: Place) -> PromptError:
    return PromptError(
        f"{place} holds a block that is nested too deeply. Expected JSON values of ordinary "
        "depth. Write the content as text."
    )
