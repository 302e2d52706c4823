"""``gorilla index``: sources of tools into a folder that a ``ToolIndex`` searches."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from langchain_gorilla.errors import DuplicateFunctionError, InvalidFunctionError, SourceError
from langchain_gorilla.evaluation.outputs import check_outputs, write_json
from langchain_gorilla.evaluation.printing import print_lines, print_problems, progress_bar

BaseUrl: TypeAlias = Annotated[
    str | None, typer.Option(help="Where operations of descriptions and documents are called.")
]
AllowWrites: TypeAlias = Annotated[
    bool, typer.Option("--allow-writes", help="Take operations that change something too.")
]
Depth: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="Levels of modules and sub-commands.")
]
"""Options of every command that reads sources."""


def index(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE…",
            help="python:MODULE, cli:COMMAND, openapi:FILE, mcp:URL or COMMAND, apizoo:PATH, "
            "apibench:PATH, openfunctions:PATH.",
        ),
    ],
    folder: Annotated[Path, typer.Option(help="The index; made where there is none.")],
    namespace: Annotated[
        str | None, typer.Option(help="Of all tools; else each source's own name.")
    ] = None,
    qualified: Annotated[
        bool, typer.Option(help="Call tools NAMESPACE.NAME, so that equal names are no conflict.")
    ] = False,
    dense: Annotated[
        Path | None, typer.Option(help="A sentence encoder's folder; else words alone are indexed.")
    ] = None,
    base_url: BaseUrl = None,
    allow_writes: AllowWrites = False,
    depth: Depth = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the figures and all refusals here.")
    ] = None,
) -> None:
    """Read sources of tools, and make the folder's index hold exactly these.

    A second run touches only what changed.
    """
    from langchain_gorilla.catalog import ToolCatalog
    from langchain_gorilla.retrieval.collection import ToolIndex
    from langchain_gorilla.retrieval.embedding import LocalEmbeddings
    from langchain_gorilla.sources.base import Refusal
    from langchain_gorilla.sources.registry import SourceOptions, default_namespace, tools_from

    check_outputs(json_file=json_file)
    options = SourceOptions(base_url, allow_writes, depth)
    sources = list(dict.fromkeys(sources))
    catalog = ToolCatalog(qualified=qualified)
    refusals: list[Refusal] = []
    counts: dict[str, int] = {}
    embeddings = None if dense is None else LocalEmbeddings(dense)
    with progress_bar() as progress:
        reading = progress.add_task("Sources", total=len(sources))
        for source in sources:
            progress.update(reading, description=f"Reading {source}")
            tools = tools_from(source, options)
            before = len(catalog)
            own = default_namespace(source) if namespace is None else namespace
            refusals += [*tools.refusals, *_added(catalog, tools, own)]
            counts[source] = len(catalog) - before
            progress.advance(reading)
        if not len(catalog):
            print_problems(refusals)
            left = "no index is made. Name other sources."
            if folder.exists():
                left = f"{folder} stays as it is. Name other sources, or delete the folder."
            raise SourceError(f"No tool can be had from {', '.join(sources)}; {left}")
        progress.update(reading, description="Sources")
        writing = progress.add_task("Tools to write", total=None)

        def shown(done: int, todo: int) -> None:
            progress.update(writing, completed=done, total=todo)

        # Opened only now, since to open a folder makes it: a mistyped source shall leave none.
        with ToolIndex.in_folder(folder, embeddings=embeddings) as tool_index:
            report = tool_index.sync(catalog, progress=shown)
        # Nothing to write is all written, too.
        written = report.added + report.changed
        progress.update(writing, completed=written, total=written)
    for source, count in counts.items():
        print_lines(f"{source}: {count} tools")
    print_lines(
        f"{len(catalog)} tools in {folder}: {report.added} added, {report.changed} changed, "
        f"{report.deleted} deleted, {report.unchanged} unchanged; {report.embedded} embedded."
    )
    print_problems(refusals)
    figures = {
        "sources": counts,
        "tools": len(catalog),
        "sync": asdict(report),
        "refusals": [asdict(refusal) for refusal in refusals],
    }
    write_json(json_file, figures)


def _added(catalog: Any, tools: Iterable[Any], namespace: str) -> list[Any]:
    """Add tools one by one; return those that the catalog refuses."""
    from langchain_gorilla.sources.base import Refusal

    refused = []
    for tool in tools:
        try:
            catalog.add(tool, namespace=namespace)
        except DuplicateFunctionError:
            held = catalog.get(tool.name)
            where = held.namespace if held else namespace
            advice = "" if where == namespace else " Pass --qualified to tell them apart."
            refused.append(
                Refusal(f"{namespace}: {tool.name}", f"A tool of {where!r} has this name.{advice}")
            )
        except InvalidFunctionError as error:
            refused.append(Refusal(f"{namespace}: {tool.name}", str(error)))
    return refused
