"""One self-contained HTML page of pictures, tables and sentences.

The page loads nothing and runs nothing: pictures are SVG inside it, styles stand in its head.
"""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c1c1c; background: #fff; max-width: 62rem;
       margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
.scroll { overflow-x: auto; } figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; }
"""


@dataclass(frozen=True)
class Table:
    """A table with a title; every cell is text."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def percent(share: float | None) -> str:
    """Write a share in percent; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.1f}"


def html_page(title: str, introduction: str, sections: Iterable[str]) -> str:
    """Return a page.

    Args:
        title: As text.
        introduction: As text.
        sections: As HTML: ``picture``, ``html_table``, ``paragraph``.
    """
    name = html.escape(title)
    body = "\n".join(sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{name}</h1>\n<p>{html.escape(introduction)}</p>\n{body}\n"
        "</body>\n</html>\n"
    )


def picture(title: str, svg: str) -> str:
    """Return a titled picture."""
    return f"<h2>{html.escape(title)}</h2>\n<figure>{svg}</figure>"


def paragraph(text: str) -> str:
    """Return a paragraph."""
    return f"<p>{html.escape(text)}</p>"


def html_table(table: Table) -> str:
    """Return a titled table that scrolls where the page is narrow."""
    return (
        f"<h2>{html.escape(table.title)}</h2>\n"
        f'<div class="scroll"><table>\n{_row("th", table.head)}\n'
        f"{chr(10).join(_row('td', row) for row in table.rows)}\n</table></div>"
    )


def _row(tag: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"
