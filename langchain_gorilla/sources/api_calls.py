"""What stands in ``api_call``: ``GET /users/{id}`` or ``service.users().get(id: str).execute()``.

People wrote these lines for people, in Python, JavaScript and templates, so nothing here parses
a language: it finds the dotted name, and the names that stand where arguments stand.
"""

import ast
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

_REST: Final = re.compile(
    r"^\s*(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\s+(?:https?://[^/\s]+)?(/\S*)\s*$", re.IGNORECASE
)
_PLACEHOLDER: Final = re.compile(r"\{([^{}/]+)\}")
_OTHER_PLACEHOLDER: Final = re.compile(r"(?<=/)(?::(\w+)|<(\w+)>)(?=/|$)")
"""Express writes ``/users/:id``, Flask ``/users/<id>``."""
_NAME: Final = re.compile(r"[A-Za-z_$][\w$]*")
_ARGUMENT: Final = re.compile(
    r"^\s*(?P<stars>\*{0,2})(?P<name>[A-Za-z_]\w*)\s*(?:(?P<mark>[:=])\s*(?P<rest>.*))?$", re.DOTALL
)
_TYPE: Final = re.compile(
    r"^(str|int|float|bool|list|dict|string|integer|number|boolean|array|object)\b", re.IGNORECASE
)
_BRACKETS: Final = {"(": ")", "[": "]", "{": "}"}
_DOING: Final = frozenset({"execute", "await", "async"})
"""Words of a call that only say how it is sent."""


@dataclass(frozen=True)
class Argument:
    """One argument as a call shows it.

    Attributes:
        name: Its name; ``""`` for a literal that stands by its place.
        type_word: The type that is written beside it, ``""`` for none.
        value: The literal that is written beside it, such as ``'me'``; None for none.
    """

    name: str
    type_word: str = ""
    value: Any = None


@dataclass(frozen=True)
class ApiCall:
    """A line of ``api_call``, taken apart.

    Attributes:
        name: What a model calls: ``GET /users/{id}``, ``service.users.get``.
        method: Upper-case HTTP method; ``""`` for code.
        path: Path with placeholders and without a query; ``""`` for code.
        arguments: In their order, placeholders of the path included.
        literals: Strings that stand by their place: the model of ``from_pretrained('org/model')``.
        fixed_query: Query that the path comes with: name to value, decoded.
    """

    name: str
    method: str = ""
    path: str = ""
    arguments: tuple[Argument, ...] = ()
    literals: tuple[str, ...] = ()
    fixed_query: tuple[tuple[str, str], ...] = ()


def read_api_call(text: str) -> ApiCall | None:
    """Take a line of ``api_call`` apart; None where it names nothing."""
    if rest := _REST.match(text):
        return _rest_call(rest[1].upper(), rest[2])
    return _code_call(text)


def _rest_call(method: str, target: str) -> ApiCall:
    path, _, query = target.partition("?")
    path = _OTHER_PLACEHOLDER.sub(lambda found: f"{{{found[1] or found[2]}}}", path)
    names = dict.fromkeys(_PLACEHOLDER.findall(path))
    fixed: list[tuple[str, str]] = []
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        if value and not _PLACEHOLDER.search(value):
            fixed.append((unquote(name), unquote(value)))
        else:
            names.setdefault(name)
    return ApiCall(f"{method} {path}", method, path, tuple(map(Argument, names)), (), tuple(fixed))


def _code_call(text: str) -> ApiCall | None:
    """Walk along ``a.b(…).c(…)``: names make the name, brackets the arguments."""
    names: list[str] = []
    arguments: dict[str, Argument] = {}
    literals: list[str] = []
    place = 0
    while place < len(text):
        character = text[place]
        if character in _BRACKETS:
            end = _closing(text, place)
            inside = text[place + 1 : end]
            if character == "{" and _NAME.fullmatch(inside.strip()):
                arguments.setdefault(inside.strip(), Argument(inside.strip()))
            else:
                for argument in _arguments(inside):
                    if argument.name:
                        arguments.setdefault(argument.name, argument)
                    else:
                        literals.append(argument.value)
            place = end + 1
        elif character in "'\"" and _opens_quote(text, place):
            place = text.find(character, place + 1) + 1
        elif found := _NAME.match(text, place):
            if found[0] not in _DOING:
                names.append(found[0])
            place = found.end()
        elif character in "=\n" and names and not arguments:
            # What stands left of an assignment is no part of the callee.
            names.clear()
            place += 1
        else:
            place += 1
    if not names:
        return None
    return ApiCall(".".join(names), arguments=tuple(arguments.values()), literals=tuple(literals))


def _closing(text: str, opening: int) -> int:
    """Return where a bracket closes; the text's end for one that does not."""
    open_ones: list[str] = []
    quote = ""
    for place in range(opening, len(text)):
        character = text[place]
        if quote:
            quote = "" if character == quote and text[place - 1] != "\\" else quote
        elif character in "'\"" and _opens_quote(text, place):
            quote = character
        elif character in _BRACKETS:
            open_ones.append(_BRACKETS[character])
        elif open_ones and character == open_ones[-1]:
            open_ones.pop()
            if not open_ones:
                return place
    return len(text)


def _opens_quote(text: str, place: int) -> bool:
    """Tell a quote from an apostrophe, and from one that nobody closes."""
    return not text[place - 1 : place].isalnum() and text.find(text[place], place + 1) > 0


def _arguments(inside: str) -> list[Argument]:
    found: list[Argument] = []
    for part in _parts(inside):
        stripped = part.strip().rstrip(";")
        if stripped[:1] == "{":
            # JavaScript's named arguments, or a placeholder: {limit}, {block_id={blockId}}.
            found += _arguments(stripped[1 : _closing(stripped, 0)])
        elif match := _ARGUMENT.match(stripped):
            rest = (match["rest"] or "").strip()
            type_word = (_TYPE.match(rest) or [""])[0] if match["mark"] == ":" else ""
            found.append(Argument(match["name"], type_word, _literal(rest)))
        elif isinstance(value := _literal(stripped), str):
            found.append(Argument("", value=value))
    return found


def _parts(inside: str) -> list[str]:
    """Split at the commas that stand in no bracket and no string."""
    parts, start, place = [], 0, 0
    while place < len(inside):
        character = inside[place]
        if character in _BRACKETS:
            place = _closing(inside, place)
        elif character in "'\"" and _opens_quote(inside, place):
            place = inside.find(character, place + 1)
        elif character == ",":
            parts.append(inside[start:place])
            start = place + 1
        place += 1
    return [part for part in (*parts, inside[start:]) if part.strip()]


def _literal(text: str) -> Any:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, str | int | float | bool) else None
