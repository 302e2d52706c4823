import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_gorilla.sources.http_body import Inflater


def unpacked(packed: bytes, size: int, max_bytes: int = 1_000_000) -> tuple[bytes, bool]:
    inflater = Inflater("gzip", max_bytes)
    for start in range(0, len(packed), size):
        if not inflater.feed(packed[start : start + size]):
            break
    return inflater.body, inflater.is_cut


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=4), st.integers(1, 80))
def test_members_are_joined_however_the_body_is_split(members: list[bytes], size: int):
    packed = b"".join(map(gzip.compress, members))
    assert unpacked(packed, size) == (b"".join(members), False)


@given(st.integers(1, 59), st.integers(1, 60))
def test_a_packed_body_that_breaks_off_anywhere_is_cut(end: int, size: int):
    packed = gzip.compress(bytes(range(50)), mtime=0)
    assert unpacked(packed[:end], size)[1]


@pytest.mark.parametrize("limit", [1, 4, 5, 9])
def test_the_limit_counts_all_members(limit: int):
    packed = gzip.compress(b"12345") * 2
    assert unpacked(packed, 7, limit) == (b"1234512345"[:limit], True)
    assert unpacked(packed, 7, 10) == (b"1234512345", False)


@pytest.mark.parametrize("rest", [b"\0" * 9, b"garbage", gzip.compress(b"x")[:1]])
@pytest.mark.parametrize("size", [1, 1_000])
def test_padding_after_the_end_is_no_part_of_the_body(rest: bytes, size: int):
    body, is_cut = unpacked(gzip.compress(b"body") + rest, size)
    assert body == b"body"
    assert is_cut == rest.startswith(b"\x1f")


def test_what_is_no_gzip_is_cut():
    assert unpacked(b"plain", 10) == (b"", True)


def test_no_body_is_not_cut():
    assert unpacked(b"", 1) == (b"", False)


def test_zlib_is_unpacked_too():
    assert unpacked(zlib.compress(b"body"), 3) == (b"body", False)
