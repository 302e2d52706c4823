r"""Gorilla-7B's answers: one API call in a section or in something like a Python dict.

    <<<domain>>>: … <<<api_call>>>: CALL <<<api_provider>>>: … <<<explanation>>>: … <<<code>>>: …
    {'domain': '…', 'api_call': 'CALL', 'api_provider': '…', 'explanation': '…', 'code': '…'}

Both stand alone or after free text. Inner quotes of the dict are often not escaped, so it is no
Python literal; the call is read by its own quotes and brackets, and the field ends where the
next field's name begins.

Covers: assignments, tuple targets, imports in front of the call, several lines, and what hangs
on it (``.to('cuda')`` is left out). Does not cover: more than the first call of the first
``api_call`` field, but for fields that directly follow each other. Nothing is evaluated.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from langchain_gorilla.calls import (
    ArgumentEnd,
    CallEnd,
    CallEvent,
    CallFailed,
    CallStart,
    FunctionCall,
    TextDelta,
)
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.parsing.arguments import Argument, bind_arguments
from langchain_gorilla.parsing.call_reader import CallReader
from langchain_gorilla.parsing.literals import shorten
from langchain_gorilla.parsing.scanner import CutOffError, Source, TextSet
from langchain_gorilla.parsing.strings import UnclosedError

_FIELD: Final = r"domain|api_\w+|explanation|code|framework|functionality|performance"
_SECTION_NAME: Final = re.compile(r"<<<\s*(\w+)\s*>>>\s*:?")
_ENTRY_NAME: Final = re.compile(rf"[{{,]\s*\\*['\"]({_FIELD})\\*['\"]\s*:")
_ESCAPED_QUOTE: Final = re.compile(r"(?<!\\)\\+(['\"])")
_IMPORT: Final = re.compile(r"[ \t]*(?:import|from)\s")
_TARGETS: Final = re.compile(r"[\w\s,.()\[\]*]+?=(?!=)\s*")
_CALLEE: Final = re.compile(r"[ \t]*([^\W\d]\w*(?:\s*\.\s*\w+)*)\s*\(")
_SAID: Final = ("explanation", "code")
MAX_STATEMENT_HEAD: Final = 1_000


@dataclass(frozen=True)
class ApiCall:
    """The call in an answer's ``api_call`` field.

    Attributes:
        callee: The dotted name.
        arguments: As written.
        source: The field's text.
        failure: Why the call cannot be used, else None.
    """

    callee: str
    arguments: tuple[Argument, ...]
    source: str
    failure: str | None


def read_api_call(text: str) -> ApiCall | None:
    """Return the first call of an answer; None where there is no field or no call in it."""
    calls = _api_calls(_fields(text))
    return calls[0] if calls else None


def _api_calls(fields: list[tuple[str, str]]) -> list[ApiCall]:
    """Return the call of the first ``api_call`` field, and of those that directly follow it."""
    names = [name for name, _ in fields]
    if "api_call" not in names:
        return []
    first = names.index("api_call")
    run = takewhile(lambda field: field[0] == "api_call", fields[first:])
    found = [_call_in(value) for _, value in run]
    return [call for call in found if call is not None] if found[0] is not None else []


def _fields(text: str) -> list[tuple[str, str]]:
    """Split an answer into its fields; the first has the name "" and is free text."""
    found = list(_SECTION_NAME.finditer(text)) or list(_ENTRY_NAME.finditer(text))
    if not found:
        return [("", text)]
    ends = [*(match.start() for match in found[1:]), len(text)]
    fields = [(m[1], text[m.end() : end]) for m, end in zip(found, ends, strict=True)]
    return [("", text[: found[0].start()]), *fields]


def _unescaped(field: str) -> str:
    r"""Undo the escapes of a field that is a string in a string, perhaps twice."""
    return _ESCAPED_QUOTE.sub(r"\1", field).replace("\\n", "\n")


def _call_in(field: str) -> ApiCall | None:
    """Read a field as it stands; where that leaves backslashes over, without one level of them."""
    found: ApiCall | None = None
    for code in (field, _unescaped(field)):
        call = _first_call(code.strip().lstrip("\\'\"`").strip())
        if call is not None:
            found = call
            if call.failure is None and not any(map(_has_backslash, call.arguments)):
                break
    return found


def _has_backslash(argument: Argument) -> bool:
    return argument.is_expression and "\\" in str(argument.value)


def _first_call(code: str) -> ApiCall | None:
    """Find the first call among the statements of a piece of code."""
    at = 0
    while at < len(code):
        line = re.compile(r"[^\n;]*").match(code, at)
        if _IMPORT.match(code, at) and line:
            at = line.end() + 1
            continue
        callee = _CALLEE.match(code, at)
        if callee is None:
            targets = _TARGETS.match(code[at : at + MAX_STATEMENT_HEAD])
            callee = _CALLEE.match(code, at + targets.end()) if targets else None
        if callee is not None:
            return _read(re.sub(r"\s", "", callee[1]), code, callee.end())
        at = (line.end() if line else len(code)) + 1
    return None


def _read(callee: str, code: str, at: int) -> ApiCall:
    source = Source()
    source.feed(code[at:])
    source.close()
    reader = CallReader(
        source, lambda event: None, index=0, name=callee, functions={}, stops=TextSet(), bind=False
    )
    try:
        for _ in reader.read():
            pass
    except CutOffError:
        reader.failure = None
        reader.fail("cut off: the answer ended inside this call")
    except UnclosedError:
        reader.fail("the closing bracket of this call is missing")
    if "__" in callee:
        reader.fail(f"{shorten(callee)!r} is no function's name")
    return ApiCall(callee, tuple(reader.arguments), code, reader.failure)


class Gorilla7bParser:
    """Parses one answer of Gorilla-7B; the same face as ``StreamParser``.

    A field's end shows only when the next one begins, and the text of an answer with a call is
    its free text, its explanation and its code. So everything is reported at the end.
    """

    def __init__(self, functions: Sequence[FunctionSchema] | None = None) -> None:
        """Prepare to parse.

        Args:
            functions: Those on offer; they give positional arguments their names. None: not
                known. An empty sequence: there are none, then the answer is text, verbatim:
                asked for an API without tools, it is what the user wants to read.
        """
        self._offers_none = functions is not None and not functions
        self._functions = {f.name: f for f in functions or ()}
        self._pieces: list[str] = []
        self._closed = False

    def feed(self, text: str) -> list[CallEvent]:
        """Add a piece of the answer."""
        if self._closed:
            raise ValueError("The parser is closed. Make a new Gorilla7bParser for each answer.")
        self._pieces.append(text)
        return []

    def close(self, *, truncated: bool = False) -> list[CallEvent]:
        """End the answer; return its text and its call."""
        if self._closed:
            return []
        self._closed = True
        text = "".join(self._pieces)
        fields = _fields(text)
        calls = [] if self._offers_none else _api_calls(fields)
        if not calls:
            return [TextDelta(text)] if text else []
        bare = _unmarked if _SECTION_NAME.search(text) else _unquoted
        said = [
            value if name == "" else bare(value) for name, value in fields if name in ("", *_SAID)
        ]
        words = "\n".join(part for part in (part.strip() for part in said) if part)
        events: list[CallEvent] = [TextDelta(words)] if words else []
        for index, call in enumerate(calls):
            events += self._call_events(index, call)
        return events

    def _call_events(self, index: int, call: ApiCall) -> list[CallEvent]:
        schema = self._functions.get(call.callee)
        properties = None if schema is None else tuple(schema.properties)
        bound = call.failure or bind_arguments(call.arguments, properties)
        if isinstance(bound, str):
            return [CallFailed(index, call.callee, shorten(call.source, 400), bound)]
        return [
            CallStart(index, call.callee),
            *(ArgumentEnd(index, name, value) for name, value in bound.items()),
            CallEnd(index, FunctionCall(call.callee, bound)),
        ]


def _unmarked(section: str) -> str:
    """Take a stray quote off the end of a section, which is what it says as it stands."""
    section = section.strip()
    stray = section[-1:] in ("'", '"') and section.count(section[-1]) % 2
    return section[:-1].rstrip() if stray else section


def _unquoted(field: str) -> str:
    """Take the quotes and brackets of a dict's entry off."""
    return _unescaped(field).strip().removesuffix("}").strip().rstrip(",").strip("'\"").strip()
