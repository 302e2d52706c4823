"""A source by one line of text: ``python:statistics``, ``cli:git``, ``openapi:box.json``.

Each kind is imported when it is asked for, so a package that one kind needs is missing for that
kind only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langchain_gorilla.errors import SourceError
from langchain_gorilla.sources.base import Tools
from langchain_gorilla.sources.programs import command_words


@dataclass(frozen=True)
class SourceOptions:
    """What is common to sources that are named in text.

    Attributes:
        base_url: For ``openapi`` and documents: where operations are called.
        allow_writes: For these: methods that change something become tools too.
        depth: Levels of modules or commands; None for the source's own default.
    """

    base_url: str | None = None
    allow_writes: bool = False
    depth: int | None = None


def tools_from(source: str, options: SourceOptions | None = None) -> Tools:
    """Read a source that is named in text.

    Args:
        source: The kind, a colon, and what is meant: a dotted module, a command line, a path, for
            ``mcp`` an address or a command line.
        options: See there.

    Raises:
        SourceError: There is no such kind or source, or a package is missing that it needs.
    """
    kind, colon, rest = source.partition(":")
    if not colon or kind not in KINDS or not rest.strip():
        raise SourceError(
            f"{source!r} is no source. Write a kind, a colon and what is meant, such as "
            f"python:statistics; kinds: {', '.join(KINDS)}."
        )
    try:
        return KINDS[kind](rest.strip(), options or SourceOptions())
    except ImportError as error:
        extra = "langchain-gorilla[mcp]" if kind == "mcp" else "it"
        raise SourceError(
            f"Sources of kind {kind!r} need a package that is not installed ({error}). Install "
            f"{extra}."
        ) from error


def default_namespace(source: str) -> str:
    """Return what the tools of a source belong to: ``statistics``, ``git``, ``box``."""
    kind, _, rest = source.partition(":")
    rest = rest.strip()
    if kind == "python":
        return rest
    if kind in ("cli", "mcp") and "://" not in rest:
        return Path((command_words(rest) or (kind,))[0]).stem
    return Path(rest.rstrip("/")).stem or kind


def _python(name: str, options: SourceOptions) -> Tools:
    from langchain_gorilla.sources.python import tools_from_module

    return tools_from_module(name, depth=1 if options.depth is None else options.depth)


def _command(command: str, options: SourceOptions) -> Tools:
    from langchain_gorilla.sources.command_line import tools_from_command

    return tools_from_command(command, depth=3 if options.depth is None else options.depth)


def _openapi(path: str, options: SourceOptions) -> Tools:
    from langchain_gorilla.sources.openapi import tools_from_openapi

    return tools_from_openapi(path, options.base_url, options.allow_writes)


def _mcp(server: str, options: SourceOptions) -> Tools:
    from langchain_gorilla.sources.mcp import tools_from_mcp

    if "://" in server:
        return tools_from_mcp({"url": server})
    program, *arguments = command_words(server)
    return tools_from_mcp({"command": program, "args": arguments})


def _documents(path: str, options: SourceOptions) -> Tools:
    from langchain_gorilla.sources.gorilla_documents import tools_from_gorilla_documents

    return tools_from_gorilla_documents(
        path, base_url=options.base_url, allow_writes=options.allow_writes
    )


KINDS: Final[dict[str, Callable[[str, SourceOptions], Tools]]] = {
    "python": _python,
    "cli": _command,
    "openapi": _openapi,
    "mcp": _mcp,
    "apizoo": _documents,
    "apibench": _documents,
    "openfunctions": _documents,
}
"""Kind to its reader. Gorilla's documents have three names and one reader, which knows them all."""
