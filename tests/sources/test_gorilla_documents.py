"""Gorilla's documents in every shape that people write them in."""

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from langchain_gorilla.errors import SourceError
from langchain_gorilla.functions import FunctionSet
from langchain_gorilla.sources.api_arguments import read_arguments
from langchain_gorilla.sources.api_calls import read_api_call
from langchain_gorilla.sources.gorilla_documents import tools_from_gorilla_documents

SHARED = Path(os.environ.get("GORILLA_SHARED", Path(__file__).resolve().parents[3] / "shared"))

ZOO_ROW = {
    "user_name": "someone",
    "api_name": "Mail API - Users.getProfile",
    "api_call": "service.users().getProfile(userId='me').execute()",
    "api_version": "1.0",
    "api_arguments": {"userId": "[REQUIRED] string: The user's address."},
    "functionality": "Gets the current user's profile.",
    "meta_data": {"documentation_link": "https://example.com/profile"},
}


def written(folder: Path, content: str, name: str = "api.json") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("call", "name", "arguments"),
    [
        ("GET /scim2/Groups", "GET /scim2/Groups", []),
        ("get /users/{id}/x/{n}", "GET /users/{id}/x/{n}", ["id", "n"]),
        ("GET https://api.example.com/v1/a?start={s}&end=now", "GET /v1/a", ["s"]),
        ("service.users().get(userId='me').execute()", "service.users.get", ["userId"]),
        ("service.acl().delete(a: str, b: int).execute()", "service.acl.delete", ["a", "b"]),
        ("stripe.Charge.create(amount={amount})", "stripe.Charge.create", ["amount"]),
        ("yfinance.Ticker({ticker}).splits", "yfinance.Ticker.splits", ["ticker"]),
        ("await notion.x.list({id={blockId}});", "notion.x.list", ["id"]),
        ("D.Tabs.{method}({accountId: '1'})", "D.Tabs", ["method", "accountId"]),
        ("model = f(a, b=[1, (2, 3)], c='x, y')", "f", ["a", "b", "c"]),
        ("f(*files, **options)", "f", ["files", "options"]),
        ("f(it's, b", "f", ["b"]),
        ("plain.name", "plain.name", []),
    ],
)
def test_a_call_is_taken_apart(call, name, arguments):
    found = read_api_call(call)
    if "?" in call:
        assert (found.name, [a.name for a in found.arguments]) == (name, ["start"])
        assert found.fixed_query == (("end", "now"),)
    else:
        assert (found.name, [a.name for a in found.arguments]) == (name, arguments)


@pytest.mark.parametrize("call", ["", "   ", "()", "'text'", "42"])
def test_a_call_that_names_nothing_is_none(call):
    assert read_api_call(call) is None


@pytest.mark.parametrize(
    ("value", "schema", "required"),
    [
        ("[REQUIRED] integer: Size.", {"type": "integer", "description": "Size."}, True),
        ("string: Text.", {"type": "string", "description": "Text."}, False),
        (": Untyped.", {"description": "Untyped."}, False),
        ("[REQUIRED] : Who.", {"description": "Who."}, True),
        (
            "boolean (Optional, whether to format)",
            {"type": "boolean", "description": "Optional, whether to format"},
            False,
        ),
        ("Required. The form ID.", {"description": "Required. The form ID."}, True),
        ("array of strings", {"type": "array"}, False),
        ("The user's address", {"description": "The user's address"}, False),
        (
            {"data_type": "Number (Integer)", "description": "Size.", "default": 1},
            {"type": "number", "description": "Size", "default": 1},
            False,
        ),
        (
            {"data_type": "String", "description": "d", "possible_values": ["a", "b"]},
            {"type": "string", "description": "d", "enum": ["a", "b"]},
            False,
        ),
        ({"data_type": "String", "required": True}, {"type": "string"}, True),
        (
            {"x": "integer: one", "y": "[REQUIRED] string: two"},
            {
                "type": "object",
                "properties": {
                    "x": {"type": "integer", "description": "one"},
                    "y": {"type": "string", "description": "two"},
                },
                "required": ["y"],
            },
            False,
        ),
        (
            "string: <p>The <b>name</b> of <id>.</p>",
            {"type": "string", "description": "The  name  of <id>."},
            False,
        ),
        (True, {"type": "boolean", "default": True}, False),
        (["metric", "imperial"], {"description": "Such as: metric, imperial"}, False),
        (None, {}, False),
    ],
)
def test_an_argument_s_text_becomes_a_schema(value, schema, required):
    properties, must = read_arguments({"a": value})
    assert properties == {"a": schema}
    assert must == (["a"] if required else [])


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("N/A", []),
        ("", []),
        (None, []),
        ("image, text", ["image", "text"]),
        (["model_id", "'quoted'", "pretrained=True"], ["model_id", "quoted", "pretrained"]),
        ([{"name": "size", "type": "int", "description": "Edge."}], ["size"]),
        ({"id*": "string", "x (optional)": "string"}, ["id", "x"]),
    ],
)
def test_arguments_come_in_lists_and_texts_too(given, names):
    assert list(read_arguments(given)[0]) == names


def test_a_zoo_row_becomes_a_schema_with_its_provenance(tmp_path):
    (tool,) = tools_from_gorilla_documents(written(tmp_path, json.dumps([ZOO_ROW])))
    assert tool.name == "service.users.getProfile"
    assert tool.required == ("userId",)
    assert "Mail API - Users.getProfile" in tool.description
    assert tool.metadata == {
        "source": "gorilla_documents",
        "origin": "api.json",
        "version": "1.0",
        "documentation": "https://example.com/profile",
    }


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([ZOO_ROW]),
        json.dumps(ZOO_ROW),
        json.dumps({"apis": [ZOO_ROW]}),
        json.dumps([[ZOO_ROW]]),
        "\ufeff" + json.dumps(ZOO_ROW),
        json.dumps(ZOO_ROW) + "\n\n" + "\n",
        json.dumps([ZOO_ROW]).replace("}]", "},]"),
        json.dumps([ZOO_ROW])[:-1],
    ],
    ids=["list", "object", "of lists", "nested", "BOM", "lines", "comma too many", "not closed"],
)
def test_a_file_has_any_shape(tmp_path, content):
    tools = tools_from_gorilla_documents(written(tmp_path, content))
    assert [tool.name for tool in tools] == ["service.users.getProfile"]
    assert not tools.refusals


def test_a_line_may_hold_what_unicode_calls_the_end_of_one(tmp_path):
    rows = [{"api_call": "f()", "description": "a\u2028b"}, {"api_call": "g()"}]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    assert [tool.name for tool in tools_from_gorilla_documents(written(tmp_path, lines))] == [
        "f",
        "g",
    ]


LINES = [json.dumps({"api_call": f"f{number}()", "description": "x"}) for number in range(4)]


@pytest.mark.parametrize(
    "broken",
    [
        '{"api_call": "torch.hub.lo',
        "# a comment",
        "<html>",
        "[" * 100_000,
        f"{LINES[0]}{LINES[1]}",
    ],
    ids=["cut off", "comment", "page", "deep", "two"],
)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_one_broken_line_is_named_and_takes_no_other_along(tmp_path, place, broken):
    lines = [*LINES[:place], broken, *LINES[place:]]
    tools = tools_from_gorilla_documents(written(tmp_path, "\n".join(lines), "api.jsonl"))
    assert [tool.name for tool in tools] == ["f0", "f1", "f2", "f3"]
    assert not any("repaired" in tool.metadata for tool in tools)
    assert [refusal.where for refusal in tools.refusals] == [f"api.jsonl row {place + 1}"]
    assert "line is no JSON" in tools.refusals[0].reason


def test_a_line_with_a_comma_too_many_is_repaired_alone(tmp_path):
    lines = [*LINES[:2], '{"api_call": "g()",}', *LINES[2:]]
    tools = tools_from_gorilla_documents(written(tmp_path, "\n".join(lines), "api.jsonl"))
    assert [tool.name for tool in tools] == ["f0", "f1", "g", "f2", "f3"]
    assert [tool.name for tool in tools if "repaired" in tool.metadata] == ["g"]
    assert not tools.refusals


def test_repaired_files_say_so(tmp_path):
    (tool,) = tools_from_gorilla_documents(written(tmp_path, json.dumps([ZOO_ROW])[:-1]))
    assert tool.metadata["repaired"] is True


@pytest.mark.parametrize(
    ("content", "where", "reason"),
    [
        ("no JSON at all", "api.json", "no JSON, and its mistakes"),
        ("", "api.json", "holds no rows"),
        ("[]", "api.json", "holds no rows"),
        ('{"api_call": "f()" "api_call": "g()"', "api.json", "no JSON, and its mistakes"),
        ('[{"api_call": "f()"}, 3]', "api.json row 2", "A row is 3"),
        ('[{"colour": "red"}]', "api.json row 1", "None of its keys"),
        ('[{"api_call": ""}]', "api.json row 1", "no name"),
        ('[{"api_call": "f()"}, {"api_call": "f()"}]', "api.json row 2", "as api.json row 1"),
        (
            '[{"name": "f", "parameters": {"type": "object", "properties": 3}}]',
            "api.json row 1",
            "no valid JSON schema",
        ),
    ],
)
def test_what_becomes_no_tool_is_named_by_file_and_row(tmp_path, content, where, reason):
    refused = tools_from_gorilla_documents(written(tmp_path, content)).refusals
    assert [refusal.where for refusal in refused] == [where]
    assert reason in refused[0].reason


def test_a_file_that_is_no_text_is_refused_and_its_neighbours_stay(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00garbage")
    written(tmp_path, json.dumps(ZOO_ROW), "b.json")
    tools = tools_from_gorilla_documents(tmp_path)
    assert len(tools) == 1
    assert tools.refusals[0].where == "a.json"


@pytest.mark.parametrize("name", ["nowhere.json", "."])
def test_nothing_at_a_path_is_an_error(tmp_path, name):
    with pytest.raises(SourceError, match=r"no file or folder|no \.json"):
        tools_from_gorilla_documents(tmp_path / name)


def test_rows_with_one_name_are_numbered(tmp_path):
    rows = [{**ZOO_ROW, "functionality": text} for text in ("one", "two", "three")]
    tools = tools_from_gorilla_documents(written(tmp_path, json.dumps(rows)))
    name = "service.users.getProfile"
    assert [tool.name for tool in tools] == [name, f"{name}_2", f"{name}_3"]


@pytest.mark.parametrize(
    ("call", "name", "default"),
    [
        (
            "torch.hub.load(repo_or_dir='org/repo', model='slow_r50', pretrained=True)",
            "torch.hub.load.slow_r50",
            {"repo_or_dir": "org/repo", "model": "slow_r50", "pretrained": True},
        ),
        (
            "AutoModel.from_pretrained('Org/bert-base')",
            "AutoModel.from_pretrained.Org_bert_base",
            {},
        ),
        ("hub.load('https://tfhub.dev/google/enc/4')", "hub.load.google_enc_4", {}),
        ("load(x)", "load.My_API", {}),
    ],
)
def test_an_apibench_row_is_named_after_what_it_loads(tmp_path, call, name, default):
    row = {"domain": "Video", "framework": "PyTorch", "api_name": "My API", "api_call": call}
    (tool,) = tools_from_gorilla_documents(written(tmp_path, json.dumps(row), "hub.jsonl"))
    assert tool.name == name
    assert (tool.metadata["domain"], tool.metadata["framework"]) == ("Video", "PyTorch")
    defaults = {key: value.get("default") for key, value in tool.properties.items()}
    assert {key: value for key, value in defaults.items() if value is not None} == default


@pytest.mark.parametrize(
    "row",
    [
        {"name": "get", "description": "d", "parameters": {"type": "object", "properties": {}}},
        {"name": "T", "api_call": "get", "parameters": [{"name": "a", "description": "d"}]},
        {"type": "function", "function": {"name": "get", "parameters": {"type": "object"}}},
        {"question": "?", "function": [{"name": "get", "parameters": {"type": "dict"}}]},
        {"code": "…", "api_data": {"api_name": "x", "api_call": "get()"}},
    ],
    ids=["OpenFunctions v2", "OpenFunctions v1", "OpenAI", "BFCL", "APIBench evaluation"],
)
def test_documents_of_every_generation_are_read(tmp_path, row):
    (tool,) = tools_from_gorilla_documents(written(tmp_path, json.dumps(row)))
    assert tool.name == "get"


@pytest.mark.skipif(not (SHARED / "apizoo").is_dir(), reason="the shared API zoo is not here")
def test_99_percent_of_the_api_zoo_become_tools_with_valid_schemas():
    tools = tools_from_gorilla_documents(SHARED / "apizoo")
    files = {refusal.where.partition(" row ")[0] for refusal in tools.refusals}
    assert len(tools) >= 4_500
    assert len(tools) / (len(tools) + len(tools.refusals)) >= 0.99
    assert all(" row " in refusal.where and refusal.reason for refusal in tools.refusals), files
    for tool in tools:
        Draft202012Validator.check_schema(tool.parameters)
    # Chains and calls kept as dotted names, and REST lines under their own, all with a way back.
    assert {"service.users.getProfile", "GET /scim2/Groups"} <= {tool.name for tool in tools}
    assert FunctionSet(tools[:1500]).aliases


@pytest.mark.skipif(not (SHARED / "apibench").is_dir(), reason="the shared APIBench is not here")
@pytest.mark.parametrize("hub", ["torchhub", "huggingface", "tensorflowhub"])
def test_every_apibench_row_is_a_tool_or_the_repetition_of_one(hub):
    path = SHARED / "apibench" / "api" / f"{hub}_api.jsonl"
    tools = tools_from_gorilla_documents(path)
    rows = len(path.read_text(encoding="utf-8").splitlines())
    assert len(tools) + len(tools.refusals) == rows
    assert all("word for word" in refusal.reason for refusal in tools.refusals)
