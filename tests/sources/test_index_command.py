"""``gorilla index`` on real sources and a real embedded Qdrant."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from langchain_gorilla import indexing
from langchain_gorilla.cli import app
from langchain_gorilla.errors import GorillaError, SourceError
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.embedding import LocalEmbeddings
from langchain_gorilla.retrieval.points import Where
from langchain_gorilla.sources import registry
from langchain_gorilla.sources.registry import default_namespace, tools_from

ROWS = [
    {"api_name": "Mail", "api_call": "mail.send(to: str)", "functionality": "Send a letter."},
    {"api_name": "Rain", "api_call": "GET /rain/{city}", "functionality": "Forecast the rain."},
]


@pytest.fixture
def documents(tmp_path) -> Path:
    path = tmp_path / "apis.json"
    path.write_text(json.dumps(ROWS))
    return path


def run(*arguments: str, folder: Path, expected: int = 0):
    result = CliRunner().invoke(app, ["index", *arguments, "--folder", str(folder)])
    assert result.exit_code == expected, result.output
    return result


def test_sources_are_indexed_found_and_filtered_by_where_they_come_from(tmp_path, documents):
    folder = tmp_path / "index"
    result = run("python:statistics", f"apizoo:{documents}", folder=folder)
    assert "python:statistics: 19 tools" in result.output
    assert "21 tools" in result.output
    assert "21 added, 0 changed, 0 deleted, 0 unchanged" in result.output
    with ToolIndex.in_folder(folder) as index:
        assert index.search("Forecast rain").hits[0].name == "GET /rain/{city}"
        found = index.search("mean of data", where=Where(equal={"source": "python"})).hits
        assert found[0].name.startswith("statistics.")
        assert {hit.namespace for hit in found} == {"statistics"}
        where = Where(equal={"origin": "apis.json", "method": "GET"})
        assert [hit.name for hit in index.search("letter or rain", where=where).hits] == [
            "GET /rain/{city}"
        ]


def test_figures_that_cannot_be_written_are_an_error_before_anything_is_indexed(tmp_path):
    folder = tmp_path / "index"
    result = CliRunner().invoke(
        app, ["index", "python:statistics", "--folder", str(folder), "--json", str(tmp_path)]
    )
    assert isinstance(result.exception, GorillaError)
    assert "is a folder. Name a file to write." in str(result.exception)
    assert not folder.exists()


def test_a_second_run_touches_only_what_changed(tmp_path, documents):
    folder = tmp_path / "index"
    sources = ("python:statistics", f"apizoo:{documents}")
    run(*sources, folder=folder)
    again = run(*sources, folder=folder).output
    assert "0 added, 0 changed, 0 deleted, 21 unchanged" in again
    assert "0/0" in again  # Nothing was to be written: not 0 of 1.
    changed = [{**ROWS[0], "functionality": "Send a parcel."}, {**ROWS[1], "api_call": "GET /snow"}]
    documents.write_text(json.dumps(changed))
    assert "1 added, 1 changed, 1 deleted, 19 unchanged" in run(*sources, folder=folder).output
    with ToolIndex.in_folder(folder) as index:
        assert index.search("Send a parcel").hits[0].name == "mail.send"


def test_a_python_module_reads_the_same_in_another_process(tmp_path):
    import os
    import subprocess

    folder = tmp_path / "index"
    run("python:datetime", "--depth", "2", folder=folder)
    # Hash seeds differ from process to process, and so does the order of sets.
    program = "from langchain_gorilla.cli import main; main()"
    arguments = ["index", "python:datetime", "--depth", "2", "--folder", str(folder)]
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "0 added, 0 changed, 0 deleted" in result.stdout


def test_the_folder_is_printed_as_it_is_named(tmp_path, documents):
    folder = tmp_path / ":key:"
    assert f"2 tools in {folder}: " in run(f"apizoo:{documents}", folder=folder).output


def test_one_namespace_for_all(tmp_path, documents):
    folder = tmp_path / "index"
    run(f"apizoo:{documents}", "--namespace", "mine", folder=folder)
    with ToolIndex.in_folder(folder) as index:
        assert {hit.namespace for hit in index.search("letter rain").hits} == {"mine"}


def test_equal_names_are_refused_by_name_and_kept_apart_where_asked(tmp_path, documents):
    again = tmp_path / "more.json"
    again.write_text(documents.read_text())
    sources = (f"apizoo:{documents}", f"apizoo:{again}")
    result = run(*sources, "--json", str(tmp_path / "a.json"), folder=tmp_path / "index")
    figures = json.loads((tmp_path / "a.json").read_text())
    assert figures["tools"] == 2
    assert [each["where"] for each in figures["refusals"]] == [
        "more: mail.send",
        "more: GET /rain/{city}",
    ]
    assert "Pass --qualified" in result.output
    assert "4 tools" in run(*sources, "--qualified", folder=tmp_path / "other").output


@pytest.mark.parametrize("qualified", [(), ("--qualified",)])
def test_equal_names_of_one_namespace_are_refused_without_advice_that_does_not_help(
    tmp_path, documents, qualified
):
    again = tmp_path / "more.json"
    again.write_text(documents.read_text())
    sources = (f"apizoo:{documents}", f"apizoo:{again}", "--namespace", "mine", *qualified)
    output = run(*sources, folder=tmp_path / "index").output
    assert "A tool of 'mine' has this name." in output
    assert "Pass --qualified" not in output


def test_a_source_that_is_named_twice_is_read_once(tmp_path):
    result = run("python:statistics", "python:statistics", folder=tmp_path / "index")
    assert "python:statistics: 19 tools" in result.output
    assert "has this name" not in result.output


def test_a_source_may_be_named_like_markup():
    progress = indexing.progress_bar()
    progress.add_task("Reading apizoo:a[/b]")
    progress.get_renderable()


def test_sources_without_a_tool_leave_the_index_as_it_is(tmp_path, documents):
    folder, empty = tmp_path / "index", tmp_path / "empty.json"
    run(f"apizoo:{documents}", folder=folder)
    empty.write_text("[]")
    result = CliRunner().invoke(app, ["index", f"apizoo:{empty}", "--folder", str(folder)])
    assert isinstance(result.exception, SourceError)
    assert "No tool can be had from apizoo:" in str(result.exception)
    with ToolIndex.in_folder(folder) as index:
        assert len(index) == 2


@pytest.mark.parametrize("content", ["[]", None], ids=["no tool in it", "no such file"])
def test_sources_without_a_tool_leave_no_folder_where_there_was_none(tmp_path, content):
    folder, source = tmp_path / "new" / "index", tmp_path / "apis.json"
    if content is not None:
        source.write_text(content)
    result = CliRunner().invoke(app, ["index", f"apizoo:{source}", "--folder", str(folder)])
    assert isinstance(result.exception, SourceError)
    assert not folder.parent.exists()


@pytest.mark.parametrize("source", ["mcp:uvx 'box", "cli:git 'log"])
def test_a_command_line_with_an_open_quote_is_an_error(source):
    with pytest.raises(SourceError, match="No closing quotation"):
        tools_from(source)
    with pytest.raises(SourceError, match="Close the quote"):
        default_namespace(source)


def test_what_became_no_tool_is_shown(tmp_path):
    result = run("python:math", folder=tmp_path / "index")
    assert "! math.pi: It is a value" in result.output


@pytest.fixture
def encoder(tmp_path) -> Path:
    """A sentence encoder of one small layer: untrained, and in every other way a real one."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        *["send", "a", "letter", "forecast", "the", "rain", "mail", "to"],
    ]
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = BertPreTokenizer()
    folder = tmp_path / "encoder"
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", model_max_length=64
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def test_a_dense_index_embeds_once(tmp_path, documents, encoder):
    folder = tmp_path / "index"
    options = (f"apizoo:{documents}", "--dense", str(encoder))
    assert "2 embedded" in run(*options, folder=folder).output
    assert "2 unchanged; 0 embedded" in run(*options, folder=folder).output
    with ToolIndex.in_folder(folder, embeddings=LocalEmbeddings(encoder)) as index:
        found = index.search("forecast the rain")
    assert {hit.name for hit in found.hits} == {"GET /rain/{city}", "mail.send"}
    assert not found.notes  # the vectors are of this encoder


def test_commands_are_sources_too(tmp_path):
    result = run(f"cli:{sys.executable} -m json.tool", folder=tmp_path / "index")
    assert "json.tool: 1 tools" in result.output


def test_openapi_descriptions_are_sources_too(tmp_path):
    description = {
        "openapi": "3.0.3",
        "info": {"title": "Things", "version": "1"},
        "servers": [{"url": "https://example.com"}],
        "paths": {"/things": {"get": {"operationId": "listThings", "responses": {}}}},
    }
    path = tmp_path / "things.json"
    path.write_text(json.dumps(description))
    assert "things.json: 1 tools" in run(f"openapi:{path}", folder=tmp_path / "index").output


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("statistics", "is no source"),
        ("perl:CGI", "is no source"),
        ("python:", "is no source"),
        ("python:no_such_module_at_all", "no Python module"),
        ("apizoo:/no/such/folder", "no file or folder"),
        ("cli:no-such-program-anywhere", "no program"),
    ],
)
def test_what_is_no_source_is_an_error(tmp_path, source, reason):
    with pytest.raises(SourceError, match=reason):
        tools_from(source)


def test_a_missing_package_is_named_with_what_to_install(monkeypatch):
    def missing(*_):
        raise ModuleNotFoundError("No module named 'mcp'")

    monkeypatch.setitem(registry.KINDS, "mcp", missing)
    with pytest.raises(SourceError, match=r"langchain-gorilla\[mcp\]"):
        tools_from("mcp:https://example.com/mcp")


@pytest.mark.parametrize(
    ("source", "namespace"),
    [
        ("python:numpy.linalg", "numpy.linalg"),
        ("cli:git", "git"),
        ("cli:/usr/bin/git status", "git"),
        ("openapi:apis/box.json", "box"),
        ("apizoo:shared/apizoo/", "apizoo"),
        ("mcp:https://example.com/mcp", "mcp"),
        ("mcp:server --flag", "server"),
    ],
)
def test_a_source_s_tools_belong_to_it(source, namespace):
    assert default_namespace(source) == namespace
