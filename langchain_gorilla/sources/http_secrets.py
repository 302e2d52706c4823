"""Keys, cut out of whatever a server sends back.

Not covered: a key that a server sends back transformed, and one that cannot be told from data: of
less than four characters, a number of less than eight digits, ``true``, ``false``, ``null``. Such
texts stand in many answers by chance, and without them JSON is none.
"""

import json
import re
from typing import Final
from urllib.parse import quote

_SHORTEST_SECRET: Final = 4
_SHORTEST_NUMBER: Final = 8
# A key behind the word that says how to read it: "Bearer abc", "Token abc".
_WORDED: Final = re.compile(r"[A-Za-z-]+ +(\S{8,})")
# They say what is asked for, not who asks, and servers write the same words in their answers.
_KEYLESS: Final = re.compile(
    r"accept(-.*)?|content-.*|user-agent|.*version|cache-control|pragma|prefer|range|if-.*"
    r"|x-requested-with",
    re.IGNORECASE,
)


def may_hold_key(header: str) -> bool:
    """Say whether a header that the caller sets may be a login: not ``Accept`` and its like."""
    return _KEYLESS.fullmatch(header) is None


def spellings(secrets: tuple[str, ...]) -> list[bytes]:
    """Return secrets in the spellings in which a server may send them back, longest first."""
    worded = (found[1] for secret in secrets if (found := _WORDED.fullmatch(secret)))
    spelled = {
        spelling.encode()
        for secret in (*secrets, *worded)
        if not _is_like_data(secret)
        for spelling in (secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1])
    }
    return sorted(spelled, key=len, reverse=True)


def without(text: bytes, secrets: list[bytes]) -> bytes:
    """Cut secrets out of a text."""
    for secret in secrets:
        text = text.replace(secret, b"[removed]")
    return text


def without_half(text: bytes, secrets: list[bytes]) -> bytes:
    """Leave out the beginning of a secret that stands where a text is cut off."""
    halves = [secret[:length] for secret in secrets for length in range(len(secret))]
    return text[: len(text) - max((len(half) for half in halves if text.endswith(half)), default=0)]


def _is_like_data(secret: str) -> bool:
    return (
        len(secret) < _SHORTEST_SECRET
        or secret.lower() in ("true", "false", "null")
        or (secret.isdecimal() and len(secret) < _SHORTEST_NUMBER)
    )
