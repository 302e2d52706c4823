import pytest

from langchain_gorilla.errors import UnknownFormatError
from langchain_gorilla.formats.openfunctions import OpenFunctionsV2
from langchain_gorilla.formats.registry import (
    _EXAMPLES,
    FORMATS,
    choose_format,
    format_for,
    format_named,
)


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("bundled", "openfunctions-v2"),
        ("/site-packages/langchain_gorilla/bundled", "openfunctions-v2"),
        ("gorilla-llm/gorilla-openfunctions-v2", "openfunctions-v2"),
        ("bartowski/Gorilla-OpenFunctions-V2-GGUF", "openfunctions-v2"),
        ("gorilla-llm/gorilla-openfunctions-v1", "openfunctions-v1"),
        ("gorilla-llm/gorilla-openfunctions-v0", "openfunctions-v0"),
        ("gorilla-llm/gorilla-7b-hf-v1", "gorilla-7b"),
        ("gorilla-llm/gorilla-7b-th-delta-v0", "gorilla-7b"),
        ("meta-llama/Llama-3.2-3B-Instruct", "llama-pythonic"),
        ("meta-llama/Llama-3.2-1B", "llama-pythonic"),
        ("Team-ACE/ToolACE-2-Llama-3.1-8B", "llama-pythonic"),
        ("watt-ai/watt-tool-8B", "llama-pythonic"),
        ("uiuc-convai/CoALM-8B", "llama-pythonic"),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "llama-4-pythonic"),
        ("LiquidAI/LFM2-1.2B-Tool", "lfm2"),
        ("LiquidAI/LFM2-2.6B", "lfm2"),
        ("LiquidAI/LFM2.5-1.2B-Instruct", "lfm2.5"),
        ("LiquidAI/LFM2.5-8B-A1B", "lfm2.5"),
        ("allenai/Olmo-3-7B-Instruct", "olmo-3"),
        ("allenai/Olmo-3.1-32B-Instruct", "olmo-3"),
        ("Nexusflow/NexusRaven-V2-13B", "nexusraven-2"),
        (
            "~/hub/models--gorilla-llm--gorilla-openfunctions-v2/snapshots/0f9d1e",
            "openfunctions-v2",
        ),
        (r"C:\models\llama-3.2\gorilla-openfunctions-v1", "openfunctions-v1"),
    ],
)
def test_a_model_id_or_folder_gives_its_format(model_id, name):
    assert format_for(model_id).name == name


@pytest.mark.parametrize("example", _EXAMPLES)
def test_every_name_that_errors_suggest_is_known(example):
    format_for(example)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_found_by_its_name(name):
    assert format_named(name.upper()) is FORMATS[name]


def test_an_unknown_model_is_an_error_that_lists_formats_and_near_names():
    with pytest.raises(UnknownFormatError, match=r"Near: gorilla-openfunctions-v2.*format="):
        format_for("gorilla-llm/gorila-open-functions-v2")


@pytest.mark.parametrize("model_id", ["openai/gpt-2", "", "meta-llama/Llama-3.1-8B", "a/olmo-30"])
def test_a_model_of_another_family_is_an_error(model_id):
    with pytest.raises(UnknownFormatError, match="Known formats: openfunctions-v2"):
        format_for(model_id)


@pytest.mark.parametrize("model_id", ["gpt-4o", "o3-mini", "claude-sonnet-4-5", "gemini-2.5-pro"])
def test_a_model_that_only_its_maker_has_is_an_error_that_says_so(model_id):
    with pytest.raises(UnknownFormatError, match=r"its maker's servers only.*Pass a folder"):
        format_for(model_id)


def test_an_unknown_format_name_is_an_error_that_lists_near_names():
    with pytest.raises(UnknownFormatError, match=r"'openfunction-v2'\. Near: openfunctions-v2"):
        format_named("openfunction-v2")


def test_the_callers_choice_wins():
    own = OpenFunctionsV2(system="Call functions.")
    assert choose_format("meta-llama/Llama-3.2-1B", own) is own
    assert choose_format("unknown", "olmo-3").name == "olmo-3"
    assert choose_format("bundled").name == "openfunctions-v2"
