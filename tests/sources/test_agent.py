"""Tools of several sources in one catalog, called by an agent in one answer."""

import json
import sys

import numpy
import pytest
from langchain_core.tools import ToolException
from langgraph.prebuilt import ToolNode

from langchain_gorilla import ChatGorilla, ScriptedEngine, create_tool_agent
from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.sources.command_line import tools_from_command
from langchain_gorilla.sources.gorilla_documents import tools_from_gorilla_documents
from langchain_gorilla.sources.python import tools_from_module

QUESTION = {"messages": [("human", "What is the mean, and what is in the file?")]}


def test_an_agent_runs_tools_of_two_sources_side_by_side(tmp_path):
    (tmp_path / "in.json").write_text('{"a": 1}')
    tools = [
        *tools_from_module("numpy", include=["mean", "arange"]),
        *tools_from_command([sys.executable, "-m", "json.tool"], cwd=tmp_path),
    ]
    engine = ScriptedEngine(
        [
            "<<function>>numpy.mean(a=[1, 2, 6])<<function>>json.tool(infile='in.json', compact=True)",
            "The mean is 3.",
        ]
    )
    agent = create_tool_agent(ChatGorilla(model="bundled", engine=engine), tools)
    messages = agent.invoke(QUESTION)["messages"]
    mean, file = messages[2:4]
    assert (mean.name, mean.content, mean.status) == ("numpy.mean", "3.0", "success")
    assert isinstance(mean.artifact, numpy.floating)
    assert (file.name, file.content, file.artifact.exit_code) == ("json.tool", '{"a":1}', 0)
    assert messages[-1].content == "The mean is 3."


def test_a_tool_s_error_comes_back_to_the_model(tmp_path):
    tools = tools_from_module("math", include=["sqrt"])
    engine = ScriptedEngine(["<<function>>math.sqrt(x=-1)", "There is no real root."])
    agent = create_tool_agent(ChatGorilla(model="bundled", engine=engine), tools)
    messages = agent.invoke(QUESTION)["messages"]
    assert messages[2].status == "error"
    assert "ValueError" in messages[2].content


def test_one_catalog_holds_all_and_runs_what_runs(tmp_path):
    path = tmp_path / "apis.json"
    path.write_text(json.dumps({"api_name": "Mail", "api_call": "mail.send(to: str)"}))
    catalog = ToolCatalog(qualified=True)
    catalog.add_all(tools_from_module("math"), namespace="python")
    catalog.add_all(tools_from_gorilla_documents(path), namespace="zoo")
    assert catalog.namespaces == {"python": 55, "zoo": 1}
    assert catalog["python.math.sqrt"].metadata == {"source": "python", "origin": "math"}
    assert catalog["zoo.mail.send"].metadata["source"] == "gorilla_documents"
    assert catalog.executable("python.math.sqrt").invoke({"x": 4}) == 2.0
    assert ToolNode([catalog.executable("python.math.sqrt")]).tools_by_name.keys() == {
        "python.math.sqrt"
    }


def test_arguments_that_are_nested_without_end_are_an_error_for_the_model():
    (tool,) = tools_from_module("json", include=["dumps"])
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ToolException, match="nested too deeply"):
        tool._run(obj=deep)
