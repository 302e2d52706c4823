"""Where in a Gorilla-7B answer is the call? As the paper's scripts cut it, and strictly."""

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

FIELD = "api_call"

# Not behind a letter or dot: a search from within a name would be quadratic on long ones.
_CALLEE = re.compile(r"(?<![\w.])[^\W\d]\w*(?:\s*\.\s*[^\W\d]\w*)*\s*(?=\()")
_ESCAPES = {r"\'": "'", r"\"": '"', r"\n": "\n", r"\t": "\t", r"\\": "\\"}
_ESCAPE = re.compile(r"\\['\"nt\\]")
_OPENING, _CLOSING = "([{", ")]}"
_MOST_CHARACTERS_OF_A_CALL = 4_000
_MOST_CALLS = 50


def field_as_the_paper_cuts_it(text: str) -> str | None:
    """Return the source that the original scripts parse, or None without an ``api_call`` field.

    Quirks: the first occurrence of the word counts, wherever it stands; two characters after the
    first colon are taken for the field's opening; the text ends at the last ``)`` before
    ``api_provider``, so that prose between can come along; without one the last character goes.
    """
    pieces = text.split(FIELD)
    if len(pieces) == 1:
        return None
    value = pieces[1].split("api_provider")[0]
    start = value.find(":") if ":" in value else 0
    end = value.rfind(")") if ")" in value else -2
    return value[start + 2 : end + 1]


@dataclass(frozen=True)
class WrittenCall:
    """One call that stands in an answer.

    Attributes:
        callee: Such as ``"torch.hub.load"``.
        node: Its syntax, or None where the call is not Python.
    """

    callee: str
    node: ast.Call | None


def calls_in_field(text: str) -> Iterator[WrittenCall]:
    """Yield the calls in the ``api_call`` field, outer ones first; none without the field.

    Escaped quotes are read as quotes. Brackets are matched without regard to quotes, because the
    recorded answers do not escape the quotes inside a quoted call. No answer needs more than the
    first fifty calls.
    """
    field = field_as_the_paper_cuts_it(text)
    if field is None:
        return
    yield from calls_in_source(
        _ESCAPE.sub(lambda match: _ESCAPES[match.group()], field).strip().lstrip("'\"")
    )


def calls_in_source(source: str) -> Iterator[WrittenCall]:
    """Yield the first fifty calls that stand in a text, outer ones before their arguments."""
    ends = _bracket_ends(source)
    for callee in islice(_CALLEE.finditer(source), _MOST_CALLS):
        start, end = callee.start(), ends.get(callee.end(), 0)
        name = "".join(callee.group().split())
        readable = 0 < end - start <= _MOST_CHARACTERS_OF_A_CALL
        yield WrittenCall(name, parsed_call(source[start:end]) if readable else None)


def parsed_call(source: str) -> ast.Call | None:
    """Return the syntax of one call, or None where the source is something else."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            body = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return body if isinstance(body, ast.Call) else None


def _bracket_ends(source: str) -> dict[int, int]:
    """Map the position of each opening bracket to the position behind its closing one."""
    ends: dict[int, int] = {}
    open_brackets: list[int] = []
    for position, character in enumerate(source):
        if character in _OPENING:
            open_brackets.append(position)
        elif character in _CLOSING and open_brackets:
            ends[open_brackets.pop()] = position + 1
    return ends
