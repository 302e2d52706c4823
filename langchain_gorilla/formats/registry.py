"""Which prompt format a model has, by its id or its folder's name.

A repository or folder is recognised by a part of its name, in any letter case; where several
fit, the one furthest to the right decides, so a folder called ``llama-3.2`` may hold models of
any kind in folders below it.

Licences: xLAM-2 and Hammer2.1-7b, which are often named beside these families, are CC-BY-NC-4.0
(no commercial use) and have no format here. Llama, LFM and DeepSeek-based weights carry their
vendors' use terms. Read the model card before you ship.
"""

import difflib
import re
from typing import Final

from langchain_gorilla.errors import UnknownFormatError
from langchain_gorilla.formats.base import PromptFormat
from langchain_gorilla.formats.gorilla7b import Gorilla7B
from langchain_gorilla.formats.lfm2 import LFM2, LFM25
from langchain_gorilla.formats.llama_pythonic import Llama4Pythonic, LlamaPythonic
from langchain_gorilla.formats.nexusraven import NexusRaven
from langchain_gorilla.formats.olmo3 import Olmo3
from langchain_gorilla.formats.openfunctions import (
    OpenFunctionsV0,
    OpenFunctionsV1,
    OpenFunctionsV2,
)

_FORMATS: Final[tuple[tuple[PromptFormat, str], ...]] = (
    (OpenFunctionsV2(), r"openfunctions[-_]?v2|bundled"),
    (OpenFunctionsV1(), r"openfunctions[-_]?v1"),
    (OpenFunctionsV0(), r"openfunctions[-_]?v0"),
    (Gorilla7B(), r"gorilla[-_]7b"),
    (LlamaPythonic(), r"llama[-_]?3[._-]?2(?!\d)|toolace|watt[-_]tool|coalm"),
    (Llama4Pythonic(), r"llama[-_]?4(?!\d)"),
    (LFM2(), r"lfm2(?![._-]?5(?!\d))"),
    (LFM25(), r"lfm2[._-]?5(?!\d)"),
    (Olmo3(), r"olmo[-_]?3(?!\d)"),
    (NexusRaven(), r"nexusraven[-_]?v?2"),
)

FORMATS: Final = {prompt_format.name: prompt_format for prompt_format, _ in _FORMATS}
"""Every format by name."""

_EXAMPLES: Final = (
    *("bundled", "gorilla-openfunctions-v2", "gorilla-openfunctions-v1", "gorilla-7b-hf-v1"),
    *("gorilla-openfunctions-v0", "Llama-3.2-3B-Instruct", "ToolACE-2-8B", "watt-tool-8B"),
    *("CoALM-8B", "Llama-4-Scout-17B-16E-Instruct", "LFM2-1.2B-Tool", "LFM2.5-1.2B-Instruct"),
    *("Olmo-3-7B-Instruct", "NexusRaven-V2-13B"),
)


_SERVED: Final = re.compile(r"gpt-\d[\w.-]*|o\d(-\w+)*|(claude|gemini)-[\w.-]+")
"""Models whose weights nobody has: what a caller of ``ChatOpenAI`` and its like leaves as it was."""


def choose_format(model_id: str, format: str | PromptFormat | None = None) -> PromptFormat:
    """Return the format that the caller asks for, else the one that the model id implies.

    Raises:
        UnknownFormatError: Neither names one; lists the known ones.
    """
    if isinstance(format, PromptFormat):
        return format
    return format_for(model_id) if format is None else format_named(format)


def format_for(model_id: str) -> PromptFormat:
    """Return the format of a model by its hub id or local folder.

    Raises:
        UnknownFormatError: No family is recognised in it; lists the known ones.
    """
    found = [
        (match.start(), prompt_format)
        for prompt_format, pattern in _FORMATS
        for match in re.finditer(pattern, model_id.lower())
    ]
    if found:
        return max(found, key=lambda each: each[0])[1]
    if _SERVED.fullmatch(model_id):
        raise UnknownFormatError(
            f"{model_id!r} runs on its maker's servers only; a ChatGorilla runs its model here. Pass "
            'a folder with weights, a Hub id such as "gorilla-llm/gorilla-openfunctions-v2", or '
            '"bundled".'
        )
    near = _near(re.split(r"[/\\]", model_id.rstrip("/\\"))[-1], _EXAMPLES)
    raise UnknownFormatError(
        f"No prompt format for the model {model_id!r}.{near} Known formats: "
        f"{', '.join(FORMATS)}. Pass format= with one of these names, or your own PromptFormat."
    )


def format_named(name: str) -> PromptFormat:
    """Return the format of this name, in any letter case.

    Raises:
        UnknownFormatError: There is none; lists the known ones.
    """
    try:
        return FORMATS[name.lower()]
    except KeyError:
        raise UnknownFormatError(
            f"No prompt format is called {name!r}.{_near(name, tuple(FORMATS))} Known: "
            f"{', '.join(FORMATS)}. Pass one of these names, or your own PromptFormat."
        ) from None


def _near(name: str, known: tuple[str, ...]) -> str:
    lower = {each.lower(): each for each in known}
    near = [lower[each] for each in difflib.get_close_matches(name.lower(), lower, 3, 0.5)]
    return f" Near: {', '.join(near)}." if near else ""
