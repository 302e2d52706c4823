import os
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from langchain_gorilla.evaluation import printing
from langchain_gorilla.evaluation.page import Table

NAME = "runs/[v2]/:key:"


@pytest.mark.parametrize("table", [Table(NAME, ("a",), ()), Table("", ("a",), ((NAME,),))])
def test_a_table_prints_names_as_they_are(table: Table) -> None:
    with printing.out.capture() as printed:
        printing.print_page_table(table)
    assert NAME in printed.get()


def test_progress_shows_names_as_they_are() -> None:
    with printing.err.capture() as printed, printing.progress_bar() as progress:
        progress.add_task(NAME, total=1)
        progress.refresh()
    assert NAME in printed.get()


def test_a_problem_prints_names_as_they_are() -> None:
    with printing.err.capture() as printed:
        printing.print_problems([NAME])
    assert NAME in printed.get()


def test_a_character_that_the_output_cannot_encode_is_escaped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = BytesIO()
    monkeypatch.setattr("sys.stdout", TextIOWrapper(written, encoding="ascii"))
    printing.run_command(lambda: printing.print_lines("– of Zürich"))
    sys.stdout.flush()
    assert written.getvalue() == rb"\u2013 of Z\xfcrich" + b"\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full")
@pytest.mark.parametrize(
    ("where", "said"),
    [
        (
            "> /dev/full",
            "2: Error: Nothing more can be written: [Errno 28] No space left on device.",
        ),
        (">&-", "0: "),
    ],
)
def test_an_output_that_takes_nothing_is_a_sentence_at_most(where: str, said: str) -> None:
    program = "from langchain_gorilla.cli import main; main()"
    found = subprocess.run(
        ["sh", "-c", f'"$0" -c "{program}" --help {where}', sys.executable],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert f"{found.returncode}: {found.stderr.strip()}" == said
