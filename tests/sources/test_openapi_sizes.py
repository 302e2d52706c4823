"""Descriptions of any size, in time that grows with them: counted in calls, not in seconds."""

import sys
from pathlib import Path

from jsonschema import Draft202012Validator

from langchain_gorilla.sources.openapi import tools_from_openapi
from langchain_gorilla.sources.openapi.yaml_text import load_yaml
from tests.sources.large_api import large_api


def calls_for(description: dict) -> int:
    """Count the Python functions that are called until the tools are there."""
    count = 0

    def counted(frame, event: str, argument) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        tools_from_openapi(description, allow_writes=True)
    finally:
        sys.setprofile(before)
    return count


def test_twice_the_operations_take_twice_the_work():
    few, many = (calls_for(load_yaml(large_api(size))) for size in (100, 200))
    assert many < 2.1 * few


def test_twice_the_schemas_take_at_most_twice_the_work():
    few, many = (calls_for(load_yaml(large_api(50, schemas))) for schemas in (40, 80))
    assert many < 2.1 * few


def test_three_megabytes_of_yaml_with_five_thousand_operations_are_five_thousand_tools(
    tmp_path: Path,
):
    path = tmp_path / "large.yaml"
    path.write_text(large_api(5_000), encoding="utf-8")
    assert path.stat().st_size > 3_000_000
    tools = tools_from_openapi(path, allow_writes=True)
    assert len(tools) == 5_000
    assert tools.refusals == ()
    assert len({tool.name for tool in tools}) == 5_000
    for tool in tools[::500]:
        Draft202012Validator.check_schema(tool.args_schema)
