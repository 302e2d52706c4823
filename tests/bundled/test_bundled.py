import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks import bundled_model
from langchain_gorilla import bundled


def test_the_folder_holds_what_is_needed_and_is_small() -> None:
    names = {file.name for file in bundled.path().iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "MODEL_CARD.md"} <= names
    size = sum(file.stat().st_size for file in bundled.path().iterdir() if file.is_file())
    assert size <= 20_000_000


def test_asking_for_the_path_imports_nothing_heavy() -> None:
    # The package's own __init__ is not loaded: what counts is this room.
    code = (
        "import sys, types, importlib.util as u\n"
        f"p = {str(bundled.path())!r}\n"
        "s = u.spec_from_file_location('bundled', p + '/__init__.py', submodule_search_locations=[p])\n"
        "m = u.module_from_spec(s); sys.modules['bundled'] = m; s.loader.exec_module(m)\n"
        "assert m.path().is_dir()\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture(scope="module")
def loaded() -> tuple[torch.nn.Module, object]:
    model = AutoModelForCausalLM.from_pretrained(bundled.path(), dtype=torch.float32)
    return model.eval(), AutoTokenizer.from_pretrained(bundled.path())


def test_plain_transformers_loads_it(loaded) -> None:  # type: ignore[no-untyped-def]
    model, tokenizer = loaded
    assert type(model).__name__ == "LlamaForCausalLM"
    assert model.config.max_position_embeddings == 2048
    assert model.config.vocab_size == len(tokenizer)
    assert tokenizer.eos_token_id == model.config.eos_token_id


def test_it_calls_a_function_it_is_shown(loaded) -> None:  # type: ignore[no-untyped-def]
    from langchain_gorilla.training.prompts import Conversation, Turn, prompt_before

    model, tokenizer = loaded
    document = {
        "name": "get_weather",
        "description": "Get the current weather for a city.",
        "parameters": {
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "type": "object",
        },
    }
    asked = Conversation("", (document,), (Turn("How is the weather in Lima?", (), ""),))
    ids = tokenizer(prompt_before(asked, 0), return_tensors="pt").input_ids
    with torch.no_grad():
        out = model.generate(ids, max_new_tokens=40, do_sample=False)
    assert tokenizer.decode(out[0, ids.shape[1] :]) == "<<function>>get_weather(city='Lima')</s>"


def test_the_tokenizer_has_one_token_for_each_part_of_the_prompt(loaded) -> None:  # type: ignore[no-untyped-def]
    from langchain_gorilla.training.prompts import INSTRUCTION, RESPONSE, SYSTEM

    _, tokenizer = loaded
    for text in (SYSTEM, INSTRUCTION, RESPONSE, "<<function>>", "<<question>>"):
        assert len(tokenizer.encode(text, add_special_tokens=False)) == 1


def test_words_split_alike_wherever_they_stand(loaded) -> None:  # type: ignore[no-untyped-def]
    _, tokenizer = loaded
    data = json.loads((bundled.path() / "tokenizer.json").read_text("utf-8"))
    assert data["model"]["type"] == "BPE"
    for word in ("Boston", "Reykjavik", "Kowalski"):
        counts = {
            len(tokenizer.encode(before + word, add_special_tokens=False))
            for before in ("", " ", "_")
        }
        assert len(counts) == 1


def test_the_benchmark_writes_the_speed_alone_into_a_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled_model, "speed", lambda folder: {"load_s": 1.0})
    file = tmp_path / "new" / "figures.json"
    monkeypatch.setattr(sys, "argv", ["bundled_model.py", "--speed", "--json", str(file)])
    bundled_model.main()
    assert json.loads(file.read_text("utf-8")) == {"load_s": 1.0}
