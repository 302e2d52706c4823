"""What the benchmarks report, where it could be wrong unseen."""

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
