"""``gorilla search`` and ``gorilla report``: what an index of tools finds, and how well."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from langchain_gorilla.evaluation.outputs import check_outputs, write_json, write_text
from langchain_gorilla.evaluation.printing import (
    out,
    print_lines,
    print_page_table,
    print_problems,
    progress_bar,
)

if TYPE_CHECKING:
    from langchain_gorilla.evaluation.retrieval_page import RetrievalReport
    from langchain_gorilla.retrieval.collection import ToolIndex

app = typer.Typer()

Index = Annotated[
    str,
    typer.Argument(help="An index's folder, or the URL of a Qdrant server.", show_default=False),
]
Collection = Annotated[str, typer.Option(help="On a server: the index's name.")]
Embedder = Annotated[
    Path | None,
    typer.Option(
        "--embedder", "--dense", help="The sentence encoder's folder that the index was made with."
    ),
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write what was found here.")]


@app.command()
def search(
    index: Index,
    query: Annotated[str, typer.Argument(help="The request, in a user's words.")],
    k: Annotated[int, typer.Option("-k", min=1, help="Most tools.")] = 10,
    namespace: Annotated[
        list[str] | None, typer.Option(help="Only tools of this one; may be repeated.")
    ] = None,
    constraints: Annotated[
        bool, typer.Option(help='Read bounds such as "under 10M parameters" as filters.')
    ] = True,
    embedder: Embedder = None,
    collection: Collection = "gorilla-tools",
    json_file: JsonFile = None,
) -> None:
    """Print the tools that an index finds for a request."""
    from langchain_gorilla.errors import UnsupportedOptionError
    from langchain_gorilla.retrieval.points import Where
    from langchain_gorilla.retrieval.retriever import ToolRetriever

    if not query.strip():
        # Such as of a shell's variable that is not set; a library's caller may mean it.
        raise UnsupportedOptionError(
            "The request is empty, so no tool can fit it. Write what is wanted, in a user's words."
        )
    check_outputs(json_file=json_file)
    where = Where(namespaces=tuple(namespace)) if namespace else None
    with _opened(index, embedder, collection) as opened:
        _check_namespaces(opened, namespace or ())
        retriever = ToolRetriever(index=opened, k=k, where=where, constraints=constraints)
        result = retriever.search(query)
    table = Table(title=f"{len(result.hits)} tools", title_justify="left")
    for column in ("", "tool", "namespace", "score", "description"):
        table.add_column(column, justify="right" if column in ("", "score") else "left")
    for place, hit in enumerate(result.hits, 1):
        score = "named" if hit.named else f"{hit.score:.3f}"
        description = " ".join(str(hit.document.get("description") or "").split())
        table.add_row(*map(escape, (str(place), hit.name, hit.namespace, score, description[:100])))
    out.print(table)
    print_problems(result.notes)
    write_json(
        json_file,
        {
            "query": query,
            "notes": list(result.notes),
            "hits": [
                {
                    "tool_id": hit.tool_id,
                    "name": hit.name,
                    "namespace": hit.namespace,
                    "score": hit.score,
                    "named": hit.named,
                    "document": dict(hit.document),
                    "metadata": dict(hit.metadata),
                }
                for hit in result.hits
            ],
        },
    )


@app.command()
def report(
    index: Index,
    out_folder: Annotated[Path, typer.Option("--out", help="Where report.* are written.")],
    pairs: Annotated[
        Path | None,
        typer.Option(help='Requests, a line each: {"query": "…", "tools": ["name", …]}.'),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(min=1, help="Search the own descriptions of only so many tools."),
    ] = None,
    embedder: Embedder = None,
    collection: Collection = "gorilla-tools",
    json_file: JsonFile = None,
) -> None:
    """Say how well an index finds its tools, which are confused, and which are not found."""
    from langchain_gorilla.evaluation import retrieval
    from langchain_gorilla.evaluation.retrieval_page import RetrievalReport, html_report

    check_outputs(json_file=json_file, folder=out_folder)
    with _opened(index, embedder, collection) as opened:
        tools = opened.tools(limit=len(opened))
        given = retrieval.read_pairs(pairs, tools) if pairs else None

        def find(query: str, k: int) -> Any:
            return opened.search(query, k=k).hits

        with _progress("own descriptions") as told:
            own = retrieval.search_own_descriptions(find, tools, sample=sample, progress=told)
        quality = None
        if given:
            with _progress("given requests") as told:
                quality = retrieval.measure(find, given, told)
    found = RetrievalReport(index, len(tools), own, quality)
    write_json(out_folder / "report.json", found.as_json())
    write_text(out_folder / "report.html", html_report(found))
    write_json(json_file, found.as_json())
    _print_findings(found)
    print_lines(out_folder / "report.html", out_folder / "report.json")


def _print_findings(found: "RetrievalReport", most: int = 10) -> None:
    from langchain_gorilla.evaluation.retrieval_page import figures_table, named_qualities

    print_page_table(figures_table(named_qualities(found)))
    own = found.own
    print_lines(f"{len(own.unfound)} tools are not found by their own description.")
    for tool in own.unfound[:most]:
        reason = ", ".join(tool.found_instead) if tool.description else "it has none"
        print_lines(f"  {tool.tool}: {reason}")
    print_lines(f"{len(own.confusions)} pairs of tools are easily confused.")
    for pair in own.confusions[:most]:
        print_lines(f"  {pair.tool} / {pair.rival}: {pair.closeness:.2f}")


def _check_namespaces(opened: "ToolIndex", wanted: Sequence[str], most: int = 20) -> None:
    """Refuse a namespace that no tool is in: finding nothing in it says nothing of the request."""
    from langchain_gorilla.errors import UnsupportedOptionError
    from langchain_gorilla.retrieval.points import Where

    unknown = [one for one in wanted if not opened.tools(Where(namespaces=(one,)), limit=1)]
    if not unknown:
        return
    known = sorted({tool.namespace for tool in opened.tools(limit=len(opened))})
    shown = ", ".join(map(repr, known[:most]))
    more = f" and {len(known) - most} more" if len(known) > most else ""
    has = "Its tools have no namespaces" if known == [""] else f"It has {shown}{more}"
    raise UnsupportedOptionError(
        f"The index has no tool in the namespace {', '.join(map(repr, unknown))}. {has}. Correct "
        "--namespace, or leave it out."
    )


@contextmanager
def _opened(place: str, embedder: Path | None, collection: str) -> Iterator["ToolIndex"]:
    """Open an index that is there; a folder that is not is a mistake, not a new index."""
    from langchain_gorilla.errors import IndexMismatchError, IndexUnavailableError
    from langchain_gorilla.retrieval.collection import ToolIndex
    from langchain_gorilla.retrieval.embedding import LocalEmbeddings

    options: dict[str, Any] = {}
    if embedder is not None:
        options["embeddings"] = LocalEmbeddings(embedder)
    if place.startswith(("http://", "https://")):
        opened = ToolIndex.on_server(place, collection=collection, **options)
    elif not (Path(place) / "current").is_file():
        raise IndexUnavailableError(
            f"There is no tool index in {place}. Make one with `gorilla index`, or with "
            "ToolIndex.in_folder(…).sync(catalog)."
        )
    else:
        opened = ToolIndex.in_folder(place, **options)
    with opened:
        try:
            size = len(opened)
        except IndexMismatchError as error:
            if embedder is None:
                raise IndexMismatchError(
                    f"{error} Here: --embedder FOLDER, the sentence encoder it was made with."
                ) from error
            raise
        if not size:
            raise IndexUnavailableError(
                f"The tool index in {place} is empty. Sync tools into it first."
            )
        yield opened


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    with progress_bar() as progress:
        task = progress.add_task(what, total=None)

        def told(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield told
