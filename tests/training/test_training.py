import json
from pathlib import Path
from random import Random

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM
from typer.testing import CliRunner

from langchain_gorilla import bundled
from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.cli import app
from langchain_gorilla.training import dataset, evaluate, export, train
from langchain_gorilla.training.model import (
    Shape,
    SmallModel,
    attend_by_branch,
    attend_masked,
)
from langchain_gorilla.training.tokenizer import build, features

TINY = train.Preset(32, 2, 4, 48, 1024, 8_000, 3e-3, "cpu")
TOKENIZER = bundled.path() / "tokenizer.json"


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(train.PRESETS, "cpu", TINY)
    monkeypatch.setattr(dataset, "SHARD_SIZE", 12)
    monkeypatch.setattr(train.Trainer, "measure", lambda self: {})


def arguments(out: Path, tokens: int) -> list[str]:
    given = ["--out", str(out), "--tokenizer", str(TOKENIZER), "--tokens", str(tokens)]
    return [*given, "--save-every", "1", "--decay", "1.0"]


def alone(ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Branches and positions of one conversation."""
    return torch.ones_like(ids), torch.arange(ids.shape[1])[None]


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = train.Trainer(train.parse_arguments(arguments(tmp_path / "whole", 8_000)))
    whole.run()
    stopped = train.Trainer(train.parse_arguments(arguments(tmp_path / "parts", 8_000)))
    batches = stopped._batches()
    for _ in range(3):
        stopped.progress = stopped.tokens / 8_000
        stopped._take_step(next(batches))
    stopped._save()
    train.Trainer(train.parse_arguments(arguments(tmp_path / "parts", 8_000))).run()
    ends = [
        torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)
        for name in ("whole", "parts")
    ]
    assert ends[0]["step"] == ends[1]["step"] > 5
    for weights in ("model", "average"):
        for name, tensor in ends[0][weights].items():
            torch.testing.assert_close(tensor, ends[1][weights][name])


def test_training_learns_and_logs(tmp_path: Path) -> None:
    train.Trainer(train.parse_arguments(arguments(tmp_path, 60_000))).run()
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    losses = [row["loss"] for row in rows if "loss" in row]
    assert losses[-1] < losses[0]


def test_what_is_exported_predicts_the_same(tmp_path: Path) -> None:
    trainer = train.Trainer(train.parse_arguments(arguments(tmp_path / "run", 3_000)))
    trainer.run()  # ends with the averaged weights in the model
    checkpoint = tmp_path / "run" / "checkpoint.pt"
    export.export(checkpoint, TOKENIZER, "cpu", tmp_path / "model")
    llama = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32).eval()
    ids = torch.randint(2, 7000, (1, 40), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        own = trainer.model(ids, *alone(ids), torch.arange(40))
        torch.testing.assert_close(llama(ids).logits[0], own, atol=0.02, rtol=0.02)


def test_an_exported_model_can_be_trained_on(tmp_path: Path) -> None:
    weights = load_file(bundled.path() / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    shape = Shape(tokenizer.get_vocab_size())
    model = SmallModel(shape, features(tokenizer))
    model.load_llama(weights)
    for name, tensor in model.to_llama().items():
        torch.testing.assert_close(tensor, weights[name].float(), atol=2e-3, rtol=2e-3)


def test_attention_by_branch_is_attention_over_all_pairs_that_are_seen() -> None:
    torch.manual_seed(0)
    given = [torch.randn(2, 6, 40, 32, requires_grad=True) for _ in range(3)]
    branches = torch.tensor([[0] * 10 + [1] * 12 + [2] * 18, [0] * 7 + [1] * 20 + [-1] * 13])
    real = (branches >= 0)[:, None, :, None].expand_as(given[0])
    found = []
    for attend in (attend_masked, attend_by_branch):
        out = attend(*given, branches)[real]
        found.append((out, *torch.autograd.grad(out.pow(2).sum(), given)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_a_new_model_already_leans_to_what_followed_earlier() -> None:
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    part = torch.randint(300, 7000, (1, 60), generator=torch.Generator().manual_seed(2))
    ids = torch.cat([part, part], 1)
    better = []
    for copying in (False, True):
        torch.manual_seed(1)
        model = SmallModel(Shape(tokenizer.get_vocab_size()), features(tokenizer))
        if copying:
            model.start_copying()
        with torch.no_grad():
            logits = model(ids, *alone(ids), torch.arange(70, 119))
        right = logits.gather(1, ids[0, 71:, None])
        better.append((logits > right).float().mean())  # share of tokens that are likelier
    assert better[1] < better[0] - 0.08


def test_a_tokenizer_is_built_from_the_data() -> None:
    made = build(60, families=40)
    for conversation in dataset.unseen(3, ("simple", "answer"), 5, held_out=False):
        ids = dataset.encode(made, [conversation]).ids.tolist()
        assert made.decode(ids, skip_special_tokens=False).endswith(conversation.turns[-1].response)
    shared = features(made).base
    tokens = [made.token_to_id(f"{before}t") for before in ("", "Ġ", "_")]
    assert len({shared[token] for token in tokens}) == 1


def test_own_cases_end_where_the_answer_begins() -> None:
    for case in evaluate.own_cases(4, ("simple", "answer"), 5, held_out=True):
        assert case.prompt.endswith("\n### Response: ")
        assert evaluate.judge(case, case.expected).right


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("<<function>>area(base=10, height=5)", True),
        ("<<function>>area(base=10, height=5, unit='units')", True),
        ("<<function>>area(base=10)", False),
        ("<<function>>area(base=10.0, height=5)", False),
        ("<<function>>area(base=10, height=5)<<function>>area(base=10, height=5)", False),
        ("<<function>>area(base=10, height=", False),
        ("I cannot.", False),
    ],
)
def test_berkeley_answers_are_judged_by_their_possible_values(answer: str, right: bool) -> None:
    properties = {name: {"type": "integer"} for name in ("base", "height")}
    function = {
        "name": "area",
        "parameters": {"properties": {**properties, "unit": {"type": "string"}}},
    }
    possible = [{"area": {"base": [10], "height": [5], "unit": ["units", ""]}}]
    case = evaluate.Case("simple", "", possible=possible, functions=[function])
    assert evaluate.judge(case, answer).right is right


def test_no_call_is_right_where_none_is_possible() -> None:
    case = evaluate.Case("irrelevance", "", possible=[])
    assert evaluate.judge(case, "Sorry.").right
    assert not evaluate.judge(case, "<<function>>f()").right


def test_calls_are_read_in_any_order_and_compared_by_type() -> None:
    case = evaluate.Case("own", "", "<<function>>f(a=1)<<function>>g(b='x')")
    assert evaluate.judge(case, "<<function>>g(b='x')<<function>>f(a=1)").right
    assert not evaluate.judge(case, "<<function>>g(b='x')<<function>>f(a=True)").right
    assert evaluate.read_calls("<<function>>f(a=1)") == [FunctionCall("f", {"a": 1})]


def test_the_interval_is_wilsons() -> None:
    low, high = evaluate.interval(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.49, 0.943)


def test_the_loss_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from langchain_gorilla.training.picture import draw

    rng = Random(1)
    rows = [{"tokens": 1000 * n, "loss": 2 - n / 10 + rng.random(), "rate": 1.0} for n in range(9)]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert draw(tmp_path).stat().st_size > 1000


def test_one_command_trains_writes_draws_and_measures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    given = ["train", "bundled", "--out", str(tmp_path), "--tokens", "2000", "--own", "1"]
    vocabulary = tmp_path / "tokenizer.json"
    vocabulary.write_bytes(TOKENIZER.read_bytes())
    result = CliRunner().invoke(app, [*given, "--preset", "cpu"])
    assert result.exit_code == 0, result.output
    assert "own simple" in result.output
    assert (tmp_path / "loss.png").stat().st_size > 1000
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "model").config.hidden_size == TINY.width
