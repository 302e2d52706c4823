import json
from pathlib import Path

import pytest

from langchain_gorilla.evaluation.rows import UnreadableFileError, read_rows


def read(folder: Path, data: bytes) -> tuple[list[tuple[int, dict]], list[str]]:
    (folder / "x.jsonl").write_bytes(data)
    rows, problems = read_rows(folder / "x.jsonl")
    return [(row.number, dict(row.fields)) for row in rows], [str(each) for each in problems]


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1}\n{"a": 2}',
        b'{"a": 1}\r\n{"a": 2}\r\n',
        b'\xef\xbb\xbf{"a": 1}\n{"a": 2}\n',
        b'\xef\xbb\xbf[{"a": 1}, {"a": 2}]',
    ],
    ids=["no last newline", "CRLF", "BOM", "array with a BOM"],
)
def test_how_a_file_is_saved_changes_nothing(data: bytes, tmp_path: Path) -> None:
    assert read(tmp_path, data) == ([(1, {"a": 1}), (2, {"a": 2})], [])


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b'{"a": "caf\xe9"}', "not UTF-8 (byte 0xe9 after 10 bytes); left out"),
        (b"hello", "not JSON (Expecting value: line 1 column 1 (char 0)); left out"),
        (b"[1", "not JSON (Expecting ',' delimiter: line 1 column 3 (char 2)); left out"),
        (b"3", "not a JSON object; left out"),
    ],
)
@pytest.mark.parametrize("behind", [b'\n{"a": 2}\n', b"\n", b""])
def test_a_bad_line_is_named_and_takes_no_other_along(
    line: bytes, what: str, behind: bytes, tmp_path: Path
) -> None:
    rows, problems = read(tmp_path, b'{"a": 1}\n' + line + behind)
    assert rows == [(1, {"a": 1}), (3, {"a": 2})][: 2 if b"{" in behind else 1]
    assert problems == [f"x.jsonl, row 2: {what}"]


def test_a_file_that_ends_inside_a_row_is_cut_off_wherever_that_is(tmp_path: Path) -> None:
    last = '{"a": "é"}'.encode()
    for end in range(1, len(last)):
        rows, problems = read(tmp_path, b'{"a": 1}\n' + last[:end])
        assert rows == [(1, {"a": 1})]
        assert problems == ["x.jsonl, row 2: the file is cut off here; left out"]


def test_a_line_separator_inside_a_text_ends_no_row(tmp_path: Path) -> None:
    text = "a\u2028b\u2029c\x85d"
    rows, problems = read(tmp_path, json.dumps({"a": text}, ensure_ascii=False).encode())
    assert (rows, problems) == ([(1, {"a": text})], [])


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="Is a directory"):
        read_rows(tmp_path)
