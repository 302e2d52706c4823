r"""Keep data from forging structure: find, break and escape a format's markers.

A marker is text that means something to a model: ``### Response:``, ``<<function>>``, the
spelling of a special token. Data in a prompt (questions, results, descriptions, earlier
answers) never adds one:

* in plain text a zero-width space goes after the marker's first character, and
  ``join_markers`` takes it out again, whatever the text held before;
* in JSON the first character becomes ``\u003c``, which ``json.loads`` undoes;
* in a written call it becomes ``\x3c``, which every parser of calls undoes.

Covered: each marker anywhere in the data, in any letter case, with other white space in or
before its colon, nested, repeated, or already broken. Markers that are plain words
(``USER:``) are matched as spelled anywhere and in any letter case at the start of a line.
Not covered: look-alikes in other scripts and homoglyphs (other tokens to a model), and advice
in prose, which no escaping can take away.
"""

import itertools
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

BREAK: Final = "\u200b"
"""Goes into a broken marker: a zero-width space, invisible and a token of its own."""

COMMON_MARKERS: Final = ("<|", "<think>", "</think>")
"""How special tokens' spellings begin in most vocabularies, and the tags of thoughts."""
LLAMA_2_MARKERS: Final = (
    "<s>",
    "</s>",
    "<unk>",
    "<pad>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<</SYS>>",
)
"""Spellings that Llama, Llama-2 and their descendants give to tokens and turns."""


def break_markers(text: str, markers: tuple[str, ...]) -> str:
    """Return the text with every marker broken; time is linear in its length.

    The places are those where the text without zero-width spaces has a marker. Breaking adds
    one such space to each, so it moves none of the places, and ``join_markers`` finds and
    undoes exactly them: ``join_markers(break_markers(t, m), m) == t`` for every text.
    """
    return _pattern(markers).sub(lambda place: place.group() + BREAK, text)


def join_markers(text: str, markers: tuple[str, ...]) -> str:
    """Undo ``break_markers``."""
    return _pattern(markers).sub(lambda place: place.group().removesuffix(BREAK), text)


def marker_places(text: str, markers: tuple[str, ...]) -> frozenset[int]:
    """Return where markers begin in the text, broken ones included."""
    return frozenset(place.start() for place in _pattern(markers).finditer(text))


def encodable(text: str) -> str:
    """Join surrogate pairs and replace lone ones by U+FFFD, so that UTF-8 can encode the text."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def write_json(value: object, markers: tuple[str, ...], *, ascii_only: bool) -> str:
    r"""Write JSON whose strings hold no marker; ``json.loads`` gives the value back.

    Args:
        value: A JSON value.
        markers: Their first characters are written ``\uXXXX`` where they occur.
        ascii_only: Write all characters beyond ASCII so, as ``json.dumps`` does by default.
    """
    return _escape(json.dumps(value, ensure_ascii=ascii_only), markers)


def write_content(content: str, markers: tuple[str, ...]) -> str:
    """Write what a tool returned on one line that no content can leave.

    A JSON object or array in ``json.dumps``'s own spelling stays bare, which is how models read
    results; everything else becomes a JSON string. ``read_content`` undoes both.
    """
    if content[:1] in ("{", "[") and _is_canonical_json(content):
        return _escape(content, markers)
    return write_json(content, markers, ascii_only=False)


def read_content(written: str) -> str:
    """Undo ``write_content``."""
    value = json.loads(written)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_canonical_json(text: str) -> bool:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False) == text
    except (ValueError, RecursionError):
        return False


def _escape(json_text: str, markers: tuple[str, ...]) -> str:
    def escaped(place: re.Match[str]) -> str:
        found = place.group()
        return found if found.startswith("\\") else f"\\u{ord(found[0]):04x}{found[1:]}"

    return _json_pattern(markers).sub(escaped, json_text)


@lru_cache(maxsize=64)
def _pattern(markers: tuple[str, ...]) -> re.Pattern[str]:
    """Match the first character of each marker and the zero-width spaces after it."""
    return re.compile("|".join(_marker_patterns(markers)) or r"(?!)")


@lru_cache(maxsize=64)
def _json_pattern(markers: tuple[str, ...]) -> re.Pattern[str]:
    # An escape is taken whole, so that the n of \n is never the first letter of a marker. Lone
    # surrogates, which no tokenizer can encode, become escapes too.
    escape, surrogate = r"\\(?:u[0-9a-fA-F]{4}|.)", "[\ud800-\udfff]"
    return re.compile("|".join((escape, surrogate, *_marker_patterns(markers))), re.DOTALL)


def _marker_patterns(markers: tuple[str, ...]) -> Iterator[str]:
    # The rest is looked ahead at, not consumed: markers that overlap are all found. No two
    # neighbouring repeats share a character, which keeps matching linear.
    rests: dict[str, list[str]] = {}
    for marker in markers:
        first, rest = re.escape(marker[0]), _rest_pattern(marker)
        if marker[:-1].replace(" ", "").isalpha():
            found = f"{first}{BREAK}*(?={rest})"
            yield rf"(?:{found}|(?<![^\r\n])(?i:{found}))"
        else:
            rests.setdefault(first, []).append(rest)
    for first, alternatives in rests.items():
        yield f"(?i:{first}{BREAK}*(?={'|'.join(alternatives)}))"


def _rest_pattern(marker: str) -> str:
    spaces = rf"[\s{BREAK}]*"
    pattern = ""
    for before, character in itertools.pairwise(marker):
        if character == " ":
            continue
        if before == " " or character == ":":
            pattern += spaces
        elif pattern:
            pattern += f"{BREAK}*"
        pattern += re.escape(character)
    return pattern
