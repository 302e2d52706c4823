"""Every example runs as it is, on the bundled model, without a network."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("[0-9]*.py"))


def run(*command: str) -> str:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", *command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_as_pasted(example):
    assert run(str(example)).strip()


def test_the_first_example_makes_two_calls_at_once_and_answers_from_both():
    output = run("examples/01_parallel_calls.py")
    asked = [line.split()[2] for line in output.splitlines() if "asked" in line]
    assert sorted(asked) == ["Paris:", "Tokyo:"]
    first_answer = output.index("answered")
    assert output.rindex("asked") < first_answer, "the calls ran one after another"
    (answer,) = [line for line in output.splitlines() if "answer:" in line]
    assert "18" in answer
    assert "26" in answer


def test_a_change_of_documentation_is_in_the_very_next_call():
    output = run("examples/10_narrowing.py")
    before, after = output.split("changed: ")
    assert "get_order_status({'order_id': 'Ann Miller'})" in before
    assert "get_order_status({'customer_name': 'Ann Miller'})" in after
    assert "offered: []" in before
    # Every call is shown, and none is made again once its result is there.
    assert output.count("call: ") == 5
    assert output.count("waiting for payment") == 1


@pytest.mark.parametrize("block", range(3))
def test_the_python_of_the_readme_runs_as_pasted(block):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 3
    if "dtype=" in blocks[block]:
        compile(blocks[block], "README.md", "exec")  # names a 7B model: nothing to run it on here
        return
    # Later blocks use what earlier ones define.
    run("-c", "\n".join(b for b in blocks[: block + 1] if "dtype=" not in b))


def test_the_example_of_sources_has_a_tool_of_each_and_calls_one_twice_at_once():
    output = run("examples/09_tool_sources.py")
    listed = {line.split()[0] for line in output.partition("\n\n")[0].splitlines()}
    assert listed == {"python", "openapi", "command_line", "mcp", "gorilla_documents"}
    asked = [line.split("asked: ")[1] for line in output.splitlines() if "asked: " in line]
    assert asked[:2] == ["get_weather {'city': 'Oslo'}", "get_time {'city': 'Cairo'}"]
