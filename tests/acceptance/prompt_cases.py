"""Prompts with a payload somewhere in them, for the acceptance harness and the formats' tests.

Everything goes the way a user's request goes: messages through ``conversation``, tools through
``function_schema`` and ``FunctionSet``, both through a prompt format.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_gorilla.formats.base import Prompt, PromptFormat, Special, prompt_text
from langchain_gorilla.formats.conversation import conversation
from langchain_gorilla.formats.gorilla7b import Gorilla7B
from langchain_gorilla.formats.openfunctions import OpenFunctionsV2
from langchain_gorilla.functions import FunctionSet, function_schema

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SHARED = Path(os.environ.get("GORILLA_SHARED", Path(__file__).resolve().parents[3] / "shared"))
VOCABULARIES = ("deepseek-llm", "llama-spm", "llama-bpe")
HAS_VOCABULARIES = (SHARED / "tokenizers").is_dir()
PLACES = (
    *("system", "human", "human_name", "tool_result", "tool_error", "ai_history"),
    *("ai_argument", "ai_argument_name", "ai_unknown_function", "invalid_call", "tool_call_id"),
    *("tool_name", "tool_description", "parameter_name", "parameter_description"),
    *("enum_value", "retrieved_doc"),
)
_HARNESS_NAMES = {"human+tool_result": "tool_result"}


def render_prompt(where: str, payload: str) -> str:
    """Return an OpenFunctions v2 prompt with the payload in one place; the harness's door.

    A retrieved document goes into Gorilla-7B's retriever-aware prompt, the one that has it.
    """
    return prompt_text(prompt_with(_format_for(where), where, payload))


def special_token_count(where: str, payload: str) -> int:
    """Return how many ids of the encoded prompt are added tokens, over all vocabularies."""
    prompt = prompt_with(_format_for(where), where, payload)
    return sum(added_tokens(prompt, vocabulary) for vocabulary in VOCABULARIES)


def prompt_with(prompt_format: PromptFormat, where: str, payload: str) -> Prompt:
    """Render a conversation with one call and its result, the payload in one place of it."""
    messages, tool = conversation_with(where, payload)
    functions = FunctionSet([function_schema(tool)])
    return prompt_format.render(conversation(messages, functions), functions.written)


def conversation_with(where: str, payload: str) -> tuple[list[BaseMessage], dict[str, Any]]:
    """Return a conversation with one call and its result, and its tool, the payload in one place."""
    where = _HARNESS_NAMES.get(where, where)
    if where not in PLACES:
        raise KeyError(f"No place {where!r}. Known: {', '.join(PLACES)}.")

    def at(place: str, otherwise: str) -> str:
        return payload if where == place else otherwise

    description = at("retrieved_doc", at("tool_description", "The weather."))
    tool = {
        "name": at("tool_name", "get_weather"),
        "description": description,
        "parameters": {
            "type": "object",
            "properties": {
                at("parameter_name", "city"): {
                    "type": "string",
                    "description": at("parameter_description", "Where."),
                },
                "unit": {"type": "string", "enum": [at("enum_value", "celsius"), "kelvin"]},
            },
            "required": [at("parameter_name", "city")],
        },
    }
    call = {
        "name": at("ai_unknown_function", at("tool_name", "get_weather")),
        "args": {at("ai_argument_name", "city"): at("ai_argument", "Boston")},
        "id": at("tool_call_id", "1"),
    }
    invalid = [{"name": "get_weather", "args": payload, "id": "2", "error": "unreadable"}]
    messages: list[BaseMessage] = [
        SystemMessage(at("system", "Be brief.")),
        HumanMessage(at("human", "Boston?"), name=payload if where == "human_name" else None),
        AIMessage(
            at("ai_history", "Let me see."),
            tool_calls=[{**call, "type": "tool_call"}],
            invalid_tool_calls=invalid if where == "invalid_call" else [],
        ),
        ToolMessage(
            at("tool_result", at("tool_error", "5 degrees")),
            tool_call_id=at("tool_call_id", "1"),
            status="error" if where == "tool_error" else "success",
        ),
    ]
    if where == "invalid_call":
        messages.append(ToolMessage(payload, tool_call_id="2", status="error"))
    return messages, tool


def encode(prompt: Prompt, vocabulary: str) -> list[int]:
    """Encode a prompt as an engine does: text with special tokens split, ``Special`` by id."""
    tokenizer = load_tokenizer(vocabulary)
    ids: list[int] = []
    for part in prompt:
        if isinstance(part, str):
            ids += tokenizer.encode(part, add_special_tokens=False, split_special_tokens=True)
        else:
            ids.append(_special_id(part, tokenizer))
    return ids


def added_tokens(prompt: Prompt, vocabulary: str) -> int:
    """Return how many ids of a prompt are of tokens added to the vocabulary proper."""
    added = load_tokenizer(vocabulary).added_tokens_decoder
    return sum(index in added for index in encode(prompt, vocabulary))


@lru_cache
def load_tokenizer(vocabulary: str) -> "PreTrainedTokenizerBase":
    """Load a vocabulary from ``shared/tokenizers``."""
    from transformers import AutoTokenizer

    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        SHARED / "tokenizers" / vocabulary, local_files_only=True
    )
    return tokenizer


def _special_id(special: Special, tokenizer: "PreTrainedTokenizerBase") -> int:
    roles = {"bos": tokenizer.bos_token, "eos": tokenizer.eos_token}
    token = roles.get(special.token, special.token)
    index = tokenizer.convert_tokens_to_ids(token)
    if index is None or tokenizer.convert_ids_to_tokens(index) != token:
        raise KeyError(f"The vocabulary has no token {token!r}.")
    return int(index)


def _format_for(where: str) -> PromptFormat:
    return Gorilla7B() if where == "retrieved_doc" else OpenFunctionsV2()
