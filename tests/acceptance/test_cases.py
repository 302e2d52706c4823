"""The shared acceptance cases, scored by their own harness, against this project's bounds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASES = Path(os.environ.get("GORILLA_SHARED", ROOT.parent / "shared")) / "cases"

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason="the acceptance cases are not beside this checkout (GORILLA_SHARED)"
)


@pytest.mark.parametrize(
    ("suite", "preferred"),
    [
        ("bfcl_gold", 1.0),
        ("parser_edge", 0.85),
        ("streaming", 0.0),
        ("safety", 0.0),
        ("gorilla7b_outputs", 0.99),
        ("bfcl_checker", 1.0),
        ("bfcl_quirks", 1.0),
        ("eval_quirks", 1.0),
    ],
)
def test_every_case_is_acceptable_and_enough_are_preferred(suite, preferred, tmp_path):
    report = tmp_path / "report.json"
    subprocess.run(
        [
            *(sys.executable, str(CASES / "harness.py"), "--suite", suite),
            *("--adapter", "tests.acceptance.cases_adapter"),
            *("--cases", str(CASES), "--out", str(report)),
        ],
        check=True,
        cwd=ROOT,
    )
    result = json.loads(report.read_text())
    assert result["failures"] == []
    assert result["report"]
    for name, tally in result["report"].items():
        assert tally["preferred"] >= preferred * tally["n"], name
