import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    GatedRepoError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from langchain_gorilla import bundled
from langchain_gorilla.engines import loading, transformers
from langchain_gorilla.engines.base import GenerationOptions
from langchain_gorilla.engines.locating import ModelSource
from langchain_gorilla.engines.transformers import TransformersEngine, load_engine
from langchain_gorilla.errors import (
    GenerationTimeoutError,
    MissingModelError,
    ModelLoadError,
    UnsupportedOptionError,
)
from tests.engines.small_model import Passes, ask, settle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundled model, to be broken."""
    copy = tmp_path / "model"
    shutil.copytree(bundled.path(), copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def _change(file: Path, **values: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_importing_loads_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, langchain_gorilla.engines.transformers as t; t.load_engine('bundled');"
        "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_same_arguments_give_the_same_engine(folder: Path) -> None:
    import torch

    engine = load_engine(folder, quantization_config={"bits": [4]})
    assert load_engine(str(folder), quantization_config={"bits": [4]}) is engine
    assert load_engine(folder, dtype="float16") is load_engine(folder, dtype=torch.float16)
    assert load_engine(folder, device="cpu") is load_engine(folder, device=torch.device("cpu"))


def test_an_empty_environment_variable_names_no_dtype_and_no_device(folder: Path) -> None:
    assert load_engine(folder, dtype="", device="") is load_engine(folder)


def test_the_device_that_none_takes_gives_the_engine_of_none(folder: Path) -> None:
    assert load_engine(folder, device=loading.best_device()) is load_engine(folder)


def test_other_arguments_give_another_engine(folder: Path) -> None:
    differing: list[dict] = [
        {},
        {"dtype": "float16"},
        {"dtype": "float32"},
        {"device": "meta"},
        {"device_map": "auto"},
        {"device_map": {"": "cpu"}},
        {"revision": "v1"},
        {"quantization_config": {"bits": 4}},
        {"quantization_config": {"bits": 8}},
        {"trust_remote_code": True},
        {"attn_implementation": "eager"},
        {"context_tokens": 100},
    ]
    assert len({id(load_engine(folder, **each)) for each in differing}) == len(differing)


def test_greedy_ignores_the_sampling_of_the_generation_config(
    engine: TransformersEngine, folder: Path
) -> None:
    _change(
        folder / "generation_config.json",
        do_sample=True,
        temperature=5.0,
        top_k=0,
        repetition_penalty=3.0,
        no_repeat_ngram_size=2,
        max_new_tokens=2,
    )
    assert ask(load_engine(folder)) == ask(engine)


def test_end_tokens_of_the_generation_config_end_an_answer(
    engine: TransformersEngine, folder: Path
) -> None:
    whole = ask(engine)
    second = engine._loaded.encoder.encode((whole.pieces[1],))[0]
    _change(folder / "generation_config.json", eos_token_id=[1, second])
    answer = ask(load_engine(folder))
    assert answer.text == whole.pieces[0]
    assert (answer.finished.reason, answer.finished.output_tokens) == ("stop", 2)


def test_the_tokenizers_end_token_ends_an_answer_whatever_the_configs_say(
    engine: TransformersEngine, folder: Path
) -> None:
    for name in ("config.json", "generation_config.json"):
        _change(folder / name, eos_token_id=5)
    assert ask(load_engine(folder)) == ask(engine)


def test_half_precision_runs_as_float32_on_a_cpu_without_bfloat16(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    for options, dtype in [({}, "float32"), ({"dtype": "bfloat16"}, "bfloat16")]:
        engine = load_engine(folder, device="cpu", **options)
        assert str(engine._loaded.weights.dtype) == f"torch.{dtype}"


@pytest.mark.parametrize(
    ("native", "layers", "asked", "expected"),
    [
        (True, 1, None, "float32"),
        (True, 9, None, "bfloat16"),
        (False, 9, None, "float32"),
        (True, 9, "float32", "float32"),
        (False, 1, "bfloat16", "bfloat16"),
    ],
)
def test_a_cpu_computes_large_models_in_bfloat16_where_it_can(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    native: bool,
    layers: int,
    asked: str | None,
    expected: str,
) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    wide = {"intermediate_size": 7000, "num_hidden_layers": layers}
    config = AutoConfig.from_pretrained(folder, **wide)
    AutoModelForCausalLM.from_config(config).to(torch.float16).save_pretrained(folder)
    capabilities = {"avx512_bf16": native}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    engine = load_engine(folder, device="cpu", dtype=asked)
    assert str(engine._loaded.weights.dtype) == f"torch.{expected}"


@pytest.mark.parametrize(
    ("device", "expected"), [("cpu", None), ("mps", None), ("mps:0", None), ("cuda", {"": "cuda"})]
)
def test_weights_pass_by_the_cpu_where_the_device_has_no_fp8(device: str, expected: Any) -> None:
    assert loading._placement(ModelSource(model="bundled", device=device)) == (device, expected)


def test_the_cache_of_prefixes_has_the_size_that_was_asked_for_last(folder: Path) -> None:
    engine = load_engine(folder, prefix_cache_bytes=10**8)
    ask(engine)
    assert engine._loaded.prefixes.size_bytes > 0
    assert load_engine(folder) is engine
    assert engine._loaded.prefixes.size_bytes > 0
    assert load_engine(folder, prefix_cache_bytes=0) is engine
    assert engine._loaded.prefixes.size_bytes == 0
    ask(engine)
    assert engine._loaded.prefixes.size_bytes == 0
    with pytest.raises(UnsupportedOptionError, match="prefix_cache_bytes is -1; expected"):
        load_engine(folder, prefix_cache_bytes=-1)


def test_as_many_are_decoded_together_as_was_asked_for_last(folder: Path) -> None:
    engine = load_engine(folder, max_batch_size=4)
    turns = engine._loaded.turns
    assert load_engine(folder) is engine
    engine.load()
    assert turns._width == 4
    assert load_engine(folder, max_batch_size=2) is engine
    assert load_engine(folder) is engine
    assert turns._width == 2
    engine.unload()
    engine.load()
    assert turns._width == 2


def test_a_cpu_decodes_one_after_another_unless_it_is_asked_to(folder: Path) -> None:
    engine = load_engine(folder, device="cpu")
    engine.load()
    assert engine._loaded.turns._width == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_gets_its_answers(engine: TransformersEngine, passes: Passes) -> None:
    """Whatever was under way, and whoever held a lock."""
    passes.hold_at = 1
    reader = threading.Thread(target=ask, args=(engine,))
    reader.start()
    assert passes.held.wait(20)
    loaded = engine._loaded
    locks = (
        transformers._registry_lock, loaded._lock, loaded._weights_lock, loaded._batch_lock,
        loaded.turns._lock, loaded.prefixes._lock, loaded.prefixes.opening,
    )  # fmt: skip
    with ExitStack() as held:
        for lock in locks:
            held.enter_context(lock)
        process = os.fork()
        if process == 0:
            code = 1
            signal.alarm(60)  # One that waits for a lock would wait for ever.
            try:
                options = GenerationOptions(max_tokens=2, timeout_s=20)
                code = 0 if ask(load_engine("bundled", max_batch_size=2), options=options) else 1
            finally:
                os._exit(code)
        _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    passes.gate.set()
    reader.join(20)


def test_context_vocabulary_and_encoding_need_no_weights(folder: Path) -> None:
    engine = load_engine(folder)
    config = json.loads((folder / "config.json").read_text())
    assert (engine.context_tokens, engine.vocab_size) == (2048, config["vocab_size"])
    assert engine.encode(("hello",))
    assert engine._loaded._weights is None


def test_weights_load_once_for_many_threads_and_again_after_unload(folder: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    engine = load_engine(folder)
    with ThreadPoolExecutor(4) as pool:
        assert (
            len({id(model) for model in pool.map(lambda _: engine._loaded.weights, range(4))}) == 1
        )
    engine.unload()
    assert engine._loaded._weights is None
    assert ask(engine, options=GenerationOptions(max_tokens=2)).text


def test_a_request_does_not_wait_for_weights_that_another_loads(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, gate = threading.Event(), threading.Event()

    def load_weights(*given: Any) -> Any:
        held.set()
        gate.wait(5)
        return real(*given)

    real = loading._load_weights
    monkeypatch.setattr(loading, "_load_weights", load_weights)
    engine = load_engine(folder)
    first = threading.Thread(target=engine.load)
    first.start()
    assert held.wait(20)
    with pytest.raises(GenerationTimeoutError):
        ask(engine, options=GenerationOptions(timeout_s=0.05))
    assert engine._loaded._weights is None
    gate.set()
    first.join(20)
    settle(engine)


def test_loading_after_the_main_threads_end_is_refused_for_that_reason(folder: Path) -> None:
    code = (
        "import sys, threading\n"
        "from langchain_gorilla.engines.transformers import load_engine\n"
        "def load():\n"
        "    threading.main_thread().join()\n"
        "    load_engine(sys.argv[1]).load()\n"
        "threading.Thread(target=load).start()"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True)
    assert "the main thread has ended" in done.stderr.splitlines()[-1]


def test_options_of_from_pretrained_pass_through(folder: Path) -> None:
    engine = load_engine(folder, attn_implementation="eager")
    assert engine._loaded.weights.config._attn_implementation == "eager"


def test_loading_prints_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ask(load_engine(folder), options=GenerationOptions(max_tokens=2))
    assert capfd.readouterr() == ("", "")


def _remove(*names: str) -> Callable[[Path], None]:
    return lambda folder: [(folder / name).unlink() for name in names] and None


def _only_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _cut_weights(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:100_000])


def _lose_a_tensor(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    del tensors["model.norm.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _break_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")


def _end_beyond_the_model(folder: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"<|{number}|>" for number in range(1_000)])
    tokenizer.add_special_tokens({"eos_token": "<|the end|>"})
    tokenizer.save_pretrained(folder)


def _unknown_architecture(folder: Path) -> None:
    _change(folder / "config.json", model_type="unheard_of")


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (
            shutil.rmtree,
            MissingModelError,
            r"folder '.*model' does not exist\. Expected .* 'bundled'",
        ),
        (
            _remove("config.json"),
            MissingModelError,
            r"has no config\.json; it holds .*generation_con",
        ),
        (
            _remove("tokenizer.json", "tokenizer_config.json"),
            MissingModelError,
            r"has no tokenizer; looked for tokenizer\.json",
        ),
        (
            _remove("model.safetensors"),
            MissingModelError,
            r"'.*model' holds no weights; looked for \*\.safetensors, found .*config\.json",
        ),
        (_only_pickle, ModelLoadError, r"only as pytorch_model\.bin.*'use_safetensors': False"),
        (_cut_weights, ModelLoadError, r"Cannot load the weights of '.*model': SafetensorError"),
        (_lose_a_tensor, ModelLoadError, r"incomplete: 1 of .*'model\.norm\.weight'.*random"),
        (_break_tokenizer, ModelLoadError, r"Cannot load the tokenizer of '.*model'"),
        (_end_beyond_the_model, ModelLoadError, r"token \d+, and the model knows those below"),
        (_unknown_architecture, ModelLoadError, r"Cannot load the config of .*unheard_of"),
    ],
)
def test_a_broken_folder_says_what_is_wrong(
    folder: Path, damage: Callable[[Path], None], error: type[Exception], message: str
) -> None:
    damage(folder)
    with pytest.raises(error, match=message):
        load_engine(folder).load()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"dtype": "float23"}, r"'float23'\. Check the options that were given \(dtype\)"),
        ({"temprature": 0}, r"argument 'temprature'\. Check the options .* \(temprature\)"),
    ],
)
def test_an_option_that_the_weights_do_not_take_is_named(
    folder: Path, options: dict[str, Any], named: str
) -> None:
    with pytest.raises(ModelLoadError, match=named):
        load_engine(folder, **options).load()


def test_the_bundled_weights_are_not_said_to_lack_safetensors() -> None:
    with pytest.raises(ModelLoadError, match=r"knows the model\.$"):
        load_engine("bundled", dtype="float23").load()


@pytest.mark.parametrize(
    "name", ["./no-such-model", "~/no-such-model", "/no/such/model", "no/such/model", "../x"]
)
def test_what_looks_like_a_path_is_never_asked_for_on_the_hub(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HfApi, "model_info", lambda *_, **__: pytest.fail("asked the Hub"))
    with pytest.raises(MissingModelError, match="does not exist"):
        load_engine(name).load()


def test_a_file_is_no_model(folder: Path) -> None:
    with pytest.raises(MissingModelError, match=r"is a file\. Expected a folder"):
        load_engine(folder / "model.safetensors").load()


def test_offline_an_unknown_model_is_refused_at_once() -> None:
    start = time.monotonic()
    with pytest.raises(MissingModelError, match=r"'nobody/nothing'.*Hub cannot be reached.*cache"):
        load_engine("nobody/nothing").encode(("a",))
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RepositoryNotFoundError, "No model 'nobody/nothing'.*no such folder.*HF_TOKEN.*'bundled'"),
        (RepositoryNotFoundError, r"pass model_kwargs=\{'token': …\}\)"),
        (GatedRepoError, r"gated.*HF_TOKEN or pass model_kwargs=\{'token': …\}\."),
        (RevisionNotFoundError, "'nobody/nothing' has no revision 'v9'"),
    ],
)
def test_what_the_hub_does_not_have_is_named(
    error: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: object, **__: object) -> None:
        raise error.__new__(error)

    monkeypatch.setattr(HfApi, "model_info", answer)
    with pytest.raises(MissingModelError, match=message):
        _ = load_engine("nobody/nothing", revision="v9").context_tokens


def test_a_config_that_does_not_say_its_context_asks_for_one(folder: Path) -> None:
    engine = load_engine(folder)
    engine._loaded._config = SimpleNamespace(get_text_config=SimpleNamespace)
    with pytest.raises(ModelLoadError, match=r"does not say.*max_position.*Pass context_tokens="):
        _ = engine.context_tokens


def test_contradicting_arguments_are_refused() -> None:
    with pytest.raises(UnsupportedOptionError, match="exclude each other"):
        load_engine("bundled", device="cpu", device_map="auto")
    with pytest.raises(UnsupportedOptionError, match="context_tokens is 1; expected at least 2"):
        load_engine("bundled", context_tokens=1)
