"""Each option of a model or a call: it arrives where it counts, or is refused in words."""

import warnings
from typing import Any

import pytest

from langchain_gorilla import ChatGorilla, ScriptedEngine
from langchain_gorilla.engines.base import GenerationOptions
from langchain_gorilla.engines.transformers import load_engine
from langchain_gorilla.errors import UnsupportedOptionError


def scripted(**options: Any) -> ChatGorilla:
    return ChatGorilla(model="bundled", engine=ScriptedEngine(["Hi"] * 2), **options)


def asked(model: ChatGorilla, **call: Any) -> GenerationOptions:
    """Return how the engine was asked to generate."""
    model.invoke("Hi", **call)
    assert isinstance(model.engine, ScriptedEngine)
    return model.engine.requests[-1].options


GENERATION = [
    # option, the model's value, a call's value, the engine's name for it
    ("temperature", 0.5, 0, "temperature"),
    ("max_tokens", 50, 5, "max_tokens"),
    ("top_p", 0.5, 0.9, "top_p"),
    ("top_k", 5, 50, "top_k"),
    ("repetition_penalty", 1.1, 1.0, "repetition_penalty"),
    ("seed", 1, 0, "seed"),
    ("timeout", 60, 600, "timeout_s"),
]


@pytest.mark.parametrize(("option", "models", "calls", "name"), GENERATION)
def test_an_option_of_generation_reaches_the_engine_and_a_calls_own_goes_first(
    option: str, models: float, calls: float, name: str
) -> None:
    model = scripted(**{option: models})
    assert getattr(asked(model), name) == models
    assert getattr(asked(model, **{option: calls}), name) == calls


@pytest.mark.parametrize(("option", "models", "calls", "name"), GENERATION)
def test_none_in_a_call_leaves_the_models_option(
    option: str, models: float, calls: float, name: str
) -> None:
    assert getattr(asked(scripted(**{option: models}), **{option: None}), name) == models


def test_the_names_that_other_chat_models_use_are_understood() -> None:
    options = asked(scripted(stop_sequences=["END"], request_timeout=9))
    assert "END" in options.stop
    assert options.timeout_s == 9


def test_options_that_mean_nothing_here_are_accepted_so_that_a_swap_changes_one_line() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = scripted(max_retries=2, api_key="sk-secret")
        model.invoke("Hi", stream_usage=True)
    assert "sk-secret" not in repr(model)


def test_a_call_may_ask_another_model_in_its_own_format() -> None:
    answer = scripted().invoke("Hi", model="gorilla-llm/gorilla-openfunctions-v1")
    assert answer.response_metadata["format"] == "openfunctions-v1"
    assert answer.response_metadata["model_name"] == "gorilla-llm/gorilla-openfunctions-v1"


@pytest.mark.parametrize(
    "option",
    [
        {"revision": "abc"},
        {"dtype": "float32"},
        {"device": "cpu"},
        {"device_map": "auto"},
        {"quantization_config": {"load_in_4bit": True}},
        {"trust_remote_code": True},
        {"context_tokens": 77},
        {"max_batch_size": 3},
    ],
)
def test_an_option_of_loading_chooses_the_engine(option: dict[str, Any]) -> None:
    def chosen(**options: Any) -> object:
        return ChatGorilla(model="bundled", **options)._engine_for("bundled")

    assert chosen(**option) is load_engine("bundled", **{"dtype": None, **option})
    assert chosen(**option) is not chosen()


def test_a_warning_about_a_misspelled_option_shows_the_callers_line() -> None:
    with pytest.warns(UserWarning, match="temprature") as found:
        ChatGorilla(model="bundled", temprature=0)
    assert found[0].filename == __file__


@pytest.mark.parametrize("option", ["dtype", "temperature", "model"])
def test_an_option_hidden_in_model_kwargs_is_an_error_that_says_where_it_goes(option: str) -> None:
    with pytest.raises(UnsupportedOptionError, match=rf"ChatGorilla\({option}=…\)"):
        ChatGorilla(model="bundled", model_kwargs={option: "x"})
