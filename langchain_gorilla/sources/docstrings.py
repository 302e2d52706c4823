"""Docstrings in NumPy's, Google's, Sphinx's and Epydoc's style: what they say of parameters."""

import inspect
import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Union

import docstring_parser

from langchain_gorilla.sources.json_types import ArrayLike, NoJson, NumpyArray

_MAX_DESCRIPTION: Final = 600
_MAX_PARAMETER: Final = 300
_ENUM: Final = re.compile(r"\{([^{}]*)\}")
_BRACED: Final = re.compile(r"(?m)^(\s+\**\w+) \{([^{}\n]*)\} -- ")
_MORE_ARGUMENTS: Final = re.compile(
    r"(?m)(^(?:Args|Arguments|Parameters|Params):\n(?:[ \t].*\n|\n)*)"
    r"(?:Keyword|Other) (?:Args|Arguments|Parameters):[ \t]*\n"
)
_QUOTED: Final = re.compile(r"""['"‘’“”]([^'"‘’“”]*)['"‘’“”]""")
_ROLE: Final = re.compile(r":\w+(?::\w+)?:`~?([^`<>]*?)(?:\s*<[^`]*>)?`")
_REST_OF: Final = re.compile(
    r",?\s*\(?\b(optional|default\b.*|keyword[- ]only|must be.*|shape.*)\)?"
)
_OF: Final = re.compile(
    r"^(?P<outer>lists?|sequences?|iterables?|tuples?|sets?)\s*(?:of|\[)\s*(?P<inner>[\w .-]+?)\]?$"
)
_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("int", "ints", "integer", "integers"), int),
    **dict.fromkeys(("float", "floats", "number", "numbers", "scalar", "scalars", "real"), float),
    **dict.fromkeys(("bool", "bools", "boolean", "booleans"), bool),
    **dict.fromkeys(("str", "strs", "string", "strings", "text"), str),
    **dict.fromkeys(("dtype", "data-type", "data type", "dtype_like", "path", "path-like"), str),
    **dict.fromkeys(("list", "sequence", "iterable"), list),
    **dict.fromkeys(("tuple",), tuple),
    **dict.fromkeys(("dict", "mapping", "dictionary"), dict),
    **dict.fromkeys(("array_like", "array-like", "array_likes", "arraylike"), ArrayLike),
    **dict.fromkeys(
        ("ndarray", "array", "ndarrays", "arrays", "numpy.ndarray", "np.ndarray"), NumpyArray
    ),
    **dict.fromkeys(("callable", "function", "file", "file-like", "file object"), NoJson),
    "none": None,
}


@dataclass(frozen=True)
class ParameterText:
    """What a docstring says of one parameter.

    Attributes:
        description: Its first paragraph, for the model.
        hint: A type hint out of the type that is written there; None where it says nothing that
            is understood.
    """

    description: str = ""
    hint: Any = None


@dataclass(frozen=True)
class DocstringText:
    """A docstring, read.

    Attributes:
        description: Its summary and the paragraph after it.
        parameters: By name, without stars.
    """

    description: str = ""
    parameters: dict[str, ParameterText] = field(default_factory=dict)


def read_docstring(subject: Any, name: str) -> DocstringText:
    """Read the docstring of a function, class or method.

    Args:
        subject: What has it.
        name: Its own name; a first line that is its signature is left out.
    """
    text = _written_for(subject)
    if not isinstance(text, str) or not text.strip():
        return DocstringText()
    lines = text.strip().splitlines()
    while lines and re.match(rf"^(?:[\w.]+\.)?{re.escape(name)}\s*\(", lines[0]):
        lines.pop(0)
        # A signature may go on over indented lines.
        while lines and lines[0].startswith((" ", "\t")):
            lines.pop(0)
    # Older editors write ``path {str} -- Where.`` where Google's style has ``path (str): Where.``
    text = _BRACED.sub(r"\1 (\2): ", "\n".join(lines).strip())
    text = _MORE_ARGUMENTS.sub(r"\1", text)
    try:
        parsed = docstring_parser.parse(text)
    except docstring_parser.ParseError:
        return DocstringText(_paragraph(text, _MAX_DESCRIPTION))
    parameters: dict[str, ParameterText] = {}
    for parameter in parsed.params:
        told = ParameterText(
            _paragraph(parameter.description or "", _MAX_PARAMETER), type_hint(parameter.type_name)
        )
        for each in parameter.arg_name.replace("\\", "").split(","):
            parameters.setdefault(each.strip().lstrip("*"), told)
    parts = [_paragraph(parsed.short_description or "", _MAX_DESCRIPTION)]
    more = parsed.long_description or ""
    if not more.lstrip().startswith((">>>", "..")):
        parts.append(_paragraph(more, _MAX_DESCRIPTION - len(parts[0])))
    return DocstringText("\n".join(filter(None, parts)), parameters)


def _written_for(subject: Any) -> str | None:
    """Return a docstring; of a class its own or one of a base of its package.

    What Pydantic, ``Generic`` or ``dict`` say of themselves describes no class that is made of them.
    """
    if not isinstance(subject, type):
        return inspect.getdoc(subject)
    package = subject.__module__.partition(".")[0]
    for each in subject.__mro__:
        text = vars(each).get("__doc__")
        if isinstance(text, str) and each.__module__.partition(".")[0] == package:
            return inspect.cleandoc(text)
    return None


def type_hint(text: str | None) -> Any:
    """Return a type hint for ``None or int or tuple of ints, optional``.

    Returns:
        None where the text says nothing that is understood; ``NoJson`` for what no JSON can be.
    """
    if not text:
        return None
    text = " ".join(text.split())
    literals: list[Any] = []
    for match in _ENUM.finditer(text):
        literals += _literals(match[1])
    rest = _REST_OF.split(_ENUM.sub("", text), maxsplit=1)[0]
    hints: list[Any] = [Literal[tuple(literals)]] if literals else []
    for word in re.split(r"\s*\|\s*|,?\s+or\s+|\s*,\s*|\s*/\s*", rest.strip(" ,;.")):
        if not word.strip():
            continue
        hint = _one(word.strip())
        if hint is Any:
            return None
        hints.append(hint)
    if not hints:
        return None
    return Union[tuple(type(None) if hint is None else hint for hint in hints)]  # noqa: UP007


def _one(word: str) -> Any:
    word = _ROLE.sub(r"\1", word).strip("`")
    plain = re.sub(r"^(?:a|an|the|positive|non-negative|1-d|2-d|n-d)\s+", "", word.lower())
    if plain in _WORDS:
        return _WORDS[plain]
    if match := _OF.match(plain):
        inner = _WORDS.get(match["inner"].strip(), Any)
        if inner in (Any, None, NumpyArray, NoJson):
            return list if match["outer"].startswith(("list", "seq", "iter")) else Any
        if match["outer"].startswith("tuple"):
            return tuple.__class_getitem__((inner, ...))
        outer: Any = set if match["outer"].startswith("set") else list
        return outer.__class_getitem__(inner)
    if plain.startswith(("array_like", "array-like")):
        return ArrayLike
    if plain.startswith("callable"):
        return NoJson
    return Any


def _literals(text: str) -> list[Any]:
    """Return the quoted words of ``{'C', 'F'}``; none where something else stands there too."""
    found = _QUOTED.findall(text)
    rest = _QUOTED.sub("", text).replace(",", " ").split()
    known = {"None": None, "True": True, "False": False}
    others = [known[word] for word in rest if word in known]
    if len(others) == len(rest):
        return [*found, *others]
    return [int(word) for word in rest] if all(map(str.isdecimal, rest)) and not found else []


def _paragraph(text: str, most: int) -> str:
    """Return the first paragraph in one line, cut at a word."""
    first = _ROLE.sub(r"\1", text.strip().partition("\n\n")[0])
    line = " ".join(first.split())
    if len(line) <= most:
        return line
    return f"{line[:most].rpartition(' ')[0]} …"
