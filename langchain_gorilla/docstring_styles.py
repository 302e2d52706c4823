"""NumPy's, Sphinx's and Epydoc's docstrings as Google's, which is the one that LangChain reads."""

import re
from typing import Final

import docstring_parser
from docstring_parser import DocstringStyle

_STYLES: Final = {
    DocstringStyle.NUMPYDOC: re.compile(
        r"(?m)^(?:(?:Other )?Parameters|Returns|Yields|Raises|Examples?|Notes|See Also)\n-{3,}\s*$"
    ),
    DocstringStyle.REST: re.compile(
        r"(?m)^:(?:param|parameter|arg|argument|key|keyword|returns?|rtype|raises?)\b[^:\n]*:"
    ),
    DocstringStyle.EPYDOC: re.compile(r"(?m)^@(?:param|return|raise)\b[^:\n]*:"),
}
"""What a line of each looks like that no prose has."""
_HEADING: Final = re.compile(r"(?m)^(?:Arguments|Parameters|Params):[ \t]*$")


def as_google(docstring: str) -> str:
    """Return a docstring with its parameters under ``Args:``, and in front what it says of all.

    What it says of results, errors and the like is left out where the parameters are rewritten; a
    docstring of none of these styles, or of Google's, stays as it is.

    Args:
        docstring: Without the indentation of its code.
    """
    if re.search(r"(?m)^Args:", docstring):
        return docstring
    if _HEADING.search(docstring):
        return _HEADING.sub("Args:", docstring, count=1)
    style = next((style for style, line in _STYLES.items() if line.search(docstring)), None)
    if style is None:
        return docstring
    try:
        parsed = docstring_parser.parse(docstring, style)
    except docstring_parser.ParseError:
        return docstring
    parts = [parsed.short_description, parsed.long_description]
    lines = [
        f"    {name.strip().lstrip('*')}: {' '.join((each.description or '').split())}"
        for each in parsed.params
        for name in each.arg_name.replace("\\", "").split(",")
    ]
    args = ["\n".join(["Args:", *lines])] if lines else []
    return "\n\n".join([*filter(None, parts), *args])
