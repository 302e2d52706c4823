"""Each option of a model or a call: it arrives where it counts, or is refused in words."""

import copy
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumps
from langchain_core.messages import BaseMessage
from pydantic import SecretStr, ValidationError

from langchain_gorilla import ChatGorilla, ScriptedEngine, chat_models
from langchain_gorilla.engines.base import GenerationOptions
from langchain_gorilla.engines.scores import score_steps
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


@pytest.mark.parametrize(
    "call",
    [
        {"temperature": 2},
        {"temperature": np.float32(0.5)},
        {"temperature": 1, "top_k": np.int64(3)},
        {"temperature": 1, "top_p": np.float32(0.5)},
        {"temperature": 1, "repetition_penalty": 2},
        {"temperature": 1, "repetition_penalty": np.float32(1.5)},
        {"temperature": 1, "seed": np.int64(3)},
        # As far as they may go, where float32 has no infinities yet.
        {"temperature": 1e20},
        {"temperature": 1e-8, "repetition_penalty": 1e-20},
        {"temperature": 1e-8, "repetition_penalty": 1e20},
    ],
    ids=str,
)
def test_a_token_can_be_drawn_by_whatever_number_a_call_may_have(call: dict[str, Any]) -> None:
    import torch

    seen, scores = torch.tensor([[0, 2]]), torch.tensor([[-900.0, 3.0, 900.0, 2.0]])
    for step in score_steps(asked(scripted(), **call), 4, 4):
        scores = step(seen, scores)
    assert scores.isfinite().sum() == 1


def test_a_temperature_too_low_for_any_but_the_best_token_is_greedy() -> None:
    assert asked(scripted(), temperature=1e-40).temperature == 0
    assert asked(scripted(temperature=1e-40)).temperature == 0


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("temperature", float("inf")),
        ("temperature", float("nan")),
        ("temperature", 1e300),
        ("repetition_penalty", float("inf")),
        ("repetition_penalty", 1e-300),
    ],
)
def test_a_number_that_leaves_no_probabilities_is_refused(option: str, value: float) -> None:
    with pytest.raises(UnsupportedOptionError, match=rf"{option} is .*a number.* to 1e\+20"):
        asked(scripted(), **{option: value})
    with pytest.raises(ValidationError, match=option):
        scripted(**{option: value})


def test_the_names_that_other_chat_models_use_are_understood() -> None:
    options = asked(scripted(stop_sequences=["END"], request_timeout=9))
    assert "END" in options.stop
    assert options.timeout_s == 9
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ChatGorilla(model_name="bundled").model == "bundled"
        assert scripted(torch_dtype="float16").dtype == "float16"


@pytest.mark.parametrize(
    ("other", "name", "value"),
    [
        ("max_new_tokens", "max_tokens", 7),
        ("num_predict", "max_tokens", 7),
        ("repeat_penalty", "repetition_penalty", 1.5),
        ("num_ctx", "context_tokens", 700),
        ("n_ctx", "context_tokens", 700),
        ("model_id", "model", "bundled"),
    ],
)
def test_the_names_of_other_local_models_are_understood(
    other: str, name: str, value: object
) -> None:
    given = {} if name == "model" else {"model": "bundled"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert getattr(ChatGorilla(**given, **{other: value}), name) == value


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"model": "bundled", "model_name": "llama"}, "model"),
        ({"model": "bundled", "max_tokens": 5, "max_completion_tokens": 6}, "max_tokens"),
        ({"model": "bundled", "num_predict": 5, "max_new_tokens": 6}, "max_tokens"),
        ({"model": "bundled", "dtype": "float32", "torch_dtype": "float16"}, "dtype"),
    ],
)
def test_one_option_under_two_names_is_refused(given: dict[str, Any], name: str) -> None:
    two = " and ".join(each for each in given if each != "model" or name == "model")
    with pytest.raises(UnsupportedOptionError, match=rf"{two} are names.*ChatGorilla\({name}=…\)"):
        ChatGorilla(**given)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(
    "option",
    [
        {"response_format": {"type": "json_object"}},
        {"tool_choice": "any"},
        {"parallel_tool_calls": False},
        {"strict": True},
        {"tools": []},
    ],
    ids=str,
)
def test_an_option_of_a_call_is_refused_where_the_model_is_made(
    option: dict[str, Any], inside: bool
) -> None:
    (name,) = option
    wanted = rf"^{name}: of a call.*bind\({name}=…\)"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UnsupportedOptionError, match=wanted):
            scripted(**({"model_kwargs": option} if inside else option))


@pytest.mark.parametrize(("number", "name"), [(0, "cuda:0"), (3, "cuda:3"), (-1, "cpu")])
def test_a_device_may_be_given_by_the_number_that_pipelines_use(number: int, name: str) -> None:
    assert scripted(device=number).device == name


def test_a_call_has_the_names_of_other_chat_models_too() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        options = asked(
            scripted(), max_completion_tokens=3, request_timeout=9, stop_sequences=["END"]
        )
        assert (options.max_tokens, options.timeout_s, "END" in options.stop) == (3, 9, True)
        options = asked(scripted(), max_new_tokens=3, repeat_penalty=1.5)
    assert (options.max_tokens, options.repetition_penalty) == (3, 1.5)


def test_a_path_and_torchs_own_types_are_taken_by_their_names(tmp_path: Path) -> None:
    model = ChatGorilla(
        model=tmp_path / "openfunctions-v2", dtype=torch.bfloat16, device=torch.device("cpu")
    )
    assert model.model == str(tmp_path / "openfunctions-v2")
    assert (model.dtype, model.device) == ("bfloat16", "cpu")


def test_options_that_mean_nothing_here_are_accepted_so_that_a_swap_changes_one_line() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = scripted(max_retries=2, api_key="sk-secret", stream_usage=True)
        model.invoke("Hi", stream_usage=True)
        assert scripted(api_key=lambda: "sk-secret").api_key is None
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
        {"device": "meta"},
        {"device_map": "auto"},
        {"quantization_config": {"load_in_4bit": True}},
        {"trust_remote_code": True},
        {"context_tokens": 77},
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


def test_an_option_hidden_under_another_name_is_an_error_too() -> None:
    with pytest.raises(UnsupportedOptionError, match=r"holds max_new_tokens.*\(max_tokens=…\)"):
        ChatGorilla(model="bundled", model_kwargs={"max_new_tokens": 5})


def test_model_kwargs_of_another_kind_are_refused_in_words() -> None:
    with pytest.raises(ValidationError, match=r"model_kwargs\n.*valid dictionary"):
        ChatGorilla(model="bundled", model_kwargs="dtype")


# --- Secrets ---

SECRETS = [
    {"model_kwargs": {"token": "hf_secret"}},
    {"model_kwargs": {"use_auth_token": "hf_secret"}},
    {"model_kwargs": {"token": SecretStr("hf_secret")}},
    {"model_kwargs": {"password": SecretStr("hf_secret")}},
]


class Trace(BaseCallbackHandler):
    """Keeps what a tracer is told before the model starts."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], **more: Any
    ) -> None:
        self.told += [serialized, more]


@pytest.mark.parametrize("options", SECRETS)
def test_a_secret_is_in_no_repr_trace_or_cache_key(options: dict[str, Any]) -> None:
    model, trace = scripted(**options), Trace()
    model.invoke("Hi", {"callbacks": [trace]})
    assert "invocation_params" in trace.told[1]
    told = [model, trace.told, model._get_llm_string(), model.model_dump(), dumps(model)]
    assert "hf_secret" not in repr(told)
    assert "hf_secret" not in json.dumps(trace.told, default=str)


def test_a_token_among_unknown_arguments_is_a_secret_too() -> None:
    with pytest.warns(UserWarning, match="token: not an option") as found:
        model = scripted(token="hf_secret")
    assert "hf_secret" not in repr([model, found[0].message])


@pytest.mark.parametrize("options", SECRETS)
def test_transformers_is_given_the_secret_itself(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(chat_models, "load_engine", lambda _, **options: given.update(options))
    model = copy.deepcopy(ChatGorilla(model="bundled", **options))
    model._engine_for("bundled")
    (name,) = options["model_kwargs"]
    assert given[name] == "hf_secret"


def test_a_token_that_is_no_text_stays_as_it_is() -> None:
    assert scripted(model_kwargs={"token": True}).model_kwargs == {"token": True}


HOSTED = {"base_url": "https://example.org", "frequency_penalty": 0.5, "organization": None}


def test_what_only_a_server_does_is_warned_about_and_left_out() -> None:
    with pytest.warns(UserWarning, match=r"^base_url, frequency_penalty: .*without effect"):
        assert scripted(**HOSTED).model_kwargs == {}


def test_what_only_a_server_does_is_left_out_of_model_kwargs_too() -> None:
    given = {**HOSTED, "attn_implementation": "eager"}
    with pytest.warns(UserWarning, match=r"^base_url, frequency_penalty: .*without effect"):
        model = scripted(model_kwargs=given)
    assert model.model_kwargs == {"attn_implementation": "eager"}
    assert given.keys() > HOSTED.keys()


@pytest.mark.parametrize("name", ["openai_api_key", "huggingfacehub_api_token"])
def test_a_servers_key_is_kept_nowhere(name: str) -> None:
    model = scripted(**{name: "sk-1"})
    assert "sk-1" not in f"{model!r}{model._identifying_params}{dumps(model)}"


def test_max_tokens_has_openais_newer_name_too() -> None:
    assert scripted(max_completion_tokens=5).max_tokens == 5
