"""What a server answered, as a tool's result: words for the model, everything for the caller."""

import json
from collections.abc import Mapping
from email.message import Message
from http import HTTPStatus
from typing import Any, Final

from langchain_core.tools import ToolException

from langchain_gorilla.sources.http import HttpAnswer, HttpRequest, HttpSettings, retry_after_s

_TEXTUAL: Final = frozenset(
    {"json", "ndjson", "jsonl", "jsonlines", "json-seq", "xml", "yaml", "javascript", "graphql"}
    | {"www-form-urlencoded"}
)
_ERROR_CHARACTERS: Final = 2_000
_NOT_MODIFIED: Final = 304
# Where the next page is, and what was made.
_SHOWN_HEADERS: Final = ("Link", "Location")
_HEADER_CHARACTERS: Final = 500


def tool_result(
    request: HttpRequest, answer: HttpAnswer, settings: HttpSettings
) -> tuple[str, dict[str, Any]]:
    """Return a tool's content and artifact.

    The artifact is plain data: ``status``, ``headers``, ``media_type``, ``body`` (a JSON value,
    text, or bytes) and ``is_cut``.

    Raises:
        ToolException: The status is no success; says what the server said and what to do.
    """
    media_type, _ = content_type(answer.headers)
    body = answer.body if answer.is_packed else read_body(answer)
    if not (200 <= answer.status < 300 or answer.status == _NOT_MODIFIED):
        said = _shown(body, answer, _ERROR_CHARACTERS)
        raise ToolException(
            f"{request.label}: the server answered {_status_text(answer.status)}"
            f"{f': {said}' if said else '.'}\n{_advice(answer, request)}"
        )
    content = _shown(body, answer, settings.max_characters)
    where = "\n".join(
        f"[{name}: {answer.headers[name.lower()][:_HEADER_CHARACTERS]}]"
        for name in _SHOWN_HEADERS
        if name.lower() in answer.headers
    )
    artifact = {
        "status": answer.status,
        "headers": dict(answer.headers),
        "media_type": media_type,
        "body": body,
        "is_cut": answer.is_cut,
    }
    content = content or f"{_status_text(answer.status)}, without a body."
    return f"{content}\n{where}" if where else content, artifact


def read_body(answer: HttpAnswer) -> Any:
    """Return a body as what it is: a JSON value, text, or bytes; a cut JSON value is text."""
    media_type, charset = content_type(answer.headers)
    subtype = media_type.partition("/")[2].replace(".", "+")
    words = {word.removeprefix("x-") for word in subtype.split("+")}
    is_text = media_type.startswith("text/") or bool(words & _TEXTUAL)
    if not answer.body:
        return ""
    # Many servers write a charset on whatever they send, so it only says that this may be text.
    if media_type and not is_text and charset is None:
        return answer.body
    try:
        text = answer.body.decode(charset or "utf-8", "replace" if is_text else "strict")
    except (LookupError, UnicodeError):
        if not is_text:
            return answer.body
        text = answer.body.decode("utf-8", "replace")
    if "\0" in text and not is_text:
        return answer.body
    text = text.removeprefix("\ufeff")
    is_json = "json" in words or not media_type
    return _json_or_text(text) if is_json and not answer.is_cut else text


def content_type(headers: Mapping[str, str]) -> tuple[str, str | None]:
    """Return media type and charset of an answer; ``""`` and None where it does not say."""
    if not (given := headers.get("content-type", "").strip()):
        return "", None
    message = Message()
    message["content-type"] = given
    charset = message.get_param("charset")
    return message.get_content_type(), charset if isinstance(charset, str) else None


def _json_or_text(text: str) -> Any:
    """Parse what can be written again; JSON's lone surrogates and endless nesting cannot."""
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return text
    return value


def _shown(body: Any, answer: HttpAnswer, most: int) -> str:
    if isinstance(body, bytes):
        media_type = content_type(answer.headers)[0] or "an unknown type"
        size = f"{len(body):,} bytes{' and more' if answer.is_cut else ''}"
        return f"[{size} of {media_type}, kept for the application]"
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    if len(text) > most:
        text = (
            f"{text[:most]}\n[{most:,} of {len(text):,} characters shown; the application has "
            "the rest]"
        )
    if answer.is_cut:
        text = f"{text}\n[This is not all of the answer. Ask for less, or for a next page.]"
    return text


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _advice(answer: HttpAnswer, request: HttpRequest) -> str:
    status = answer.status
    if status in (401, 403):
        if request.secrets:
            return "The application's key does not allow this call. Do not ask for a key: tell the user."
        return "This call needs a key that the application has not set. Tell the user."
    if status in (404, 410):
        return "Nothing is there: check the identifiers, or list what there is."
    if status == 429 or (status == 503 and retry_after_s(answer) is not None):
        wait_s = retry_after_s(answer)
        when = "later" if wait_s is None else f"in {wait_s:.0f} seconds"
        return f"Too many calls: try again {when}."
    if status >= 500:
        return "The server failed: try again later, or go another way."
    if status >= 400:
        return "Correct the arguments and call again."
    return "Call another tool, or tell the user."
