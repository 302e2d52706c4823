"""Prompts without odd data encode as the reference prompt text does."""

import json

import pytest

from langchain_gorilla.formats.base import AssistantTurn, HumanTurn, prompt_text
from langchain_gorilla.formats.registry import FORMATS
from langchain_gorilla.functions import FunctionSchema
from tests.acceptance.prompt_cases import HAS_VOCABULARIES, encode, load_tokenizer

pytestmark = pytest.mark.skipif(
    not HAS_VOCABULARIES, reason="the real vocabularies are not here; see GORILLA_SHARED"
)

WEATHER = FunctionSchema(
    "get_current_weather",
    "Get the current weather in a given location",
    {
        "type": "object",
        "properties": {
            "location": {"type": "string", "description": "The city, e.g. San Francisco, CA"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["location"],
    },
)
QUERY = "What's the weather like in the two cities of Boston and San Francisco?"


@pytest.mark.parametrize("functions", [(), (WEATHER,)])
def test_openfunctions_v2_on_the_deepseek_vocabulary(functions):
    system = prompt_text(FORMATS["openfunctions-v2"].render([], ())).partition("\n")[0]
    reference = f"{system}\n### Instruction: <<question>> {QUERY}\n### Response: "
    if functions:
        documents = json.dumps([function.document() for function in functions])
        reference = (
            f"{system}\n### Instruction: <<function>>{documents}\n<<question>>{QUERY}"
            "\n### Response: "
        )
    prompt = FORMATS["openfunctions-v2"].render([HumanTurn(QUERY)], functions)
    # The tokenizer puts the beginning of a text in front by itself.
    assert encode(prompt, "deepseek-llm") == load_tokenizer("deepseek-llm").encode(reference)


@pytest.mark.parametrize("functions", [(), (WEATHER,)])
def test_openfunctions_v1_on_the_llama_2_vocabulary(functions):
    prompt = FORMATS["openfunctions-v1"].render([HumanTurn(QUERY)], functions)
    reference = load_tokenizer("llama-spm").encode(prompt_text(prompt))
    assert encode(prompt, "llama-spm") == reference


@pytest.mark.parametrize("functions", [(), (WEATHER,)])
def test_llama_3_2_on_the_llama_3_vocabulary(functions):
    turns = [HumanTurn(QUERY), AssistantTurn("It is sunny."), HumanTurn("And tomorrow?")]
    prompt = FORMATS["llama-pythonic"].render(turns, functions)
    tokenizer = load_tokenizer("llama-bpe")
    reference = tokenizer.encode(
        f"<|begin_of_text|>{prompt_text(prompt)}", add_special_tokens=False
    )
    assert encode(prompt, "llama-bpe") == reference
