"""What the benchmarks report, where it could be wrong unseen."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import fuzz_grammar, retrieval


def test_a_building_that_was_stopped_is_not_measured_by_its_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = retrieval.Tools(40, 1)
    with monkeypatch.context() as stopped:
        stopped.setattr(retrieval, "_built", stop_half_way)
        with pytest.raises(KeyboardInterrupt):
            retrieval._build_kept(tools, tmp_path)
    with pytest.raises(SystemExit, match="40 is of a run that was stopped"):
        retrieval._build_kept(tools, tmp_path)


def stop_half_way(index: retrieval.ToolIndex, catalog: list[retrieval.CatalogTool]) -> None:
    index.sync(catalog[:30])
    raise KeyboardInterrupt


def test_a_violation_is_not_hidden_by_one_that_is_left_to_validation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    number = {"type": "object", "properties": {"a": {"maximum": 3, "type": "integer"}}}
    monkeypatch.setattr(fuzz_grammar, "bfcl", lambda: [{"name": "f", "parameters": number}])
    monkeypatch.setattr(fuzz_grammar, "api_zoo", list)
    monkeypatch.setattr(fuzz_grammar, "box", list)
    gaps = [SimpleNamespace(gaps=[SimpleNamespace(keyword="maximum")])]
    monkeypatch.setattr(fuzz_grammar, "coverage", lambda *_: gaps)
    monkeypatch.setattr(fuzz_grammar, "written_call", lambda *_: ("f", {"a": 4.5}))
    text = fuzz_grammar.BUNDLED.read_text("utf-8")
    assert fuzz_grammar.fuzz(fuzz_grammar.Vocabulary(text, end_ids=[1]), 2, 0) == 2
    assert "VIOLATION f: 4.5 is not of type 'integer'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("decoding", "--shared nowhere", "--shared nowhere has no cases/bfcl_gold.jsonl and no "),
        ("decoding", "--shared nowhere --parts bundled", "has no cases/bfcl_gold.jsonl. Expected"),
        ("fuzz_grammar", "--tokenizer nowhere", "--tokenizer nowhere is no file. Expected"),
        ("fuzz_grammar", "--calls 0", "--calls is 0. Expected: 1 or more"),
        ("tuning", "--count -1", "--count is -1. Expected: 10 or more"),
        ("tuning", "--general -1", "--general is -1. Expected: 0 or more"),
        ("agent_turn", "--tools nowhere", "--tools nowhere has no catalog. Expected"),
        ("agent_turn", "--k 0", "--k is 0. Expected: 1 or more"),
    ],
)
def test_an_argument_that_cannot_be_used_is_told_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    arguments: str,
    said: str,
) -> None:
    # Beside each other, as when they are run as scripts.
    monkeypatch.syspath_prepend(str(Path(fuzz_grammar.__file__).parent))
    script = importlib.import_module(f"benchmarks.{name}")
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments.split()])
    with pytest.raises(SystemExit):
        script.main()
    assert said in " ".join(capsys.readouterr().err.split())
