import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_gorilla.evaluation.bfcl_decoder import DecodeError, decode_calls
from langchain_gorilla.evaluation.bfcl_results import as_text
from langchain_gorilla.evaluation.scoring import Answer

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda n: n.isidentifier())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 10**9) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
CALLS = st.lists(
    st.fixed_dictionaries({}).flatmap(
        lambda _: st.builds(
            lambda name, arguments: {f"call_{name}": {f"p_{k}": v for k, v in arguments.items()}},
            NAMES,
            st.dictionaries(NAMES, VALUES, max_size=3),
        )
    ),
    min_size=1,
    max_size=3,
)


@given(CALLS)
def test_what_we_write_into_result_files_is_what_bfcl_decodes(calls: list[dict[str, Any]]) -> None:
    assert decode_calls(as_text(Answer("x", tuple(calls)))) == calls


def test_every_quirk_row_decodes_as_in_bfcl(shared: Path) -> None:
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {"$key:None" if k is None else k: plain(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        odd = isinstance(value, complex | bytes) or value == float("inf")
        return {"$repr": repr(value)} if odd else value

    for line in (shared / "cases/bfcl_quirks.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["kind"] != "decoder":
            continue
        if "raises" in row["expect_bfcl"]:
            with pytest.raises(DecodeError):
                decode_calls(row["text"])
        else:
            assert plain(decode_calls(row["text"])) == row["expect_bfcl"]["decoded"], row["text"]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("```f(a=1)```", [{"f": {"a": 1}}]),
        ("f(a=+5), g.h(b=not 3)", [{"f": {"a": -5}}, {"g.h": {"b": -3}}]),
        ("f('dropped', a=x)", [{"f": {"a": "x"}}]),
        ("f(a=g(1), b=g(c=2))", [{"f": {"a": "g(1)", "b": {"g": {"c": 2}}}}]),
        ("f(a=2**3 + 1)", [{"f": {"a": 9}}]),
        ("", []),
    ],
)
def test_bfcls_habits_are_kept(text: str, calls: list[dict[str, Any]]) -> None:
    assert decode_calls(text) == calls


@pytest.mark.parametrize(
    "text",
    [
        "I cannot help with that.",
        "f(a=" + "(" * 100_000,
        "f(a=" + "-" * 100_000 + "1)",
        "f(a=" + "+".join(["1"] * 20_000) + ")",
        "f(a=9**9**9)",
        "f(a='x' * 10**12)",
        "f(a='%99999999d' % 1)",
        "f(a=1 << 10**9)",
        "f(a=" + "9" * 10_000 + ")" if sys.version_info >= (3, 11) else "f(a=",
        "f(" + "a" * 1_000_001 + "=1)",
    ],
)
def test_hostile_text_is_unreadable_and_nothing_worse(text: str) -> None:
    with pytest.raises(DecodeError):
        decode_calls(text)


def test_nothing_in_the_text_is_run() -> None:
    seen: list[str] = []
    armed = [True]

    def watch(event: str, _: Any) -> None:
        if armed[0] and event in ("exec", "os.system", "subprocess.Popen", "import"):
            seen.append(event)

    sys.addaudithook(watch)
    with pytest.raises(DecodeError):
        decode_calls("f(a=__import__('os').system('true') + 1)")
    assert decode_calls("f(a=__import__('os'))") == [{"f": {"a": "__import__('os')"}}]
    armed[0] = False
    assert seen == []
