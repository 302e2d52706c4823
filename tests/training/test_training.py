import json
import re
import resource
import runpy
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, models
from transformers import AutoModelForCausalLM
from typer.testing import CliRunner

from langchain_gorilla import bundled
from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.cli import app
from langchain_gorilla.errors import (
    GorillaError,
    MissingModelError,
    ModelLoadError,
    UnsupportedOptionError,
)
from langchain_gorilla.evaluation.outputs import UnwritableOutputError
from langchain_gorilla.evaluation.rows import UnreadableFileError
from langchain_gorilla.training import (
    dataset,
    evaluate,
    export,
    generate,
    presets,
    prompts,
    tokenizer,
    train,
)
from langchain_gorilla.training.model import (
    SmallModel,
    attend_by_branch,
    attend_masked,
)
from langchain_gorilla.training.tokenizer import build, features

TINY = presets.Preset(32, 2, 4, 48, 1024, 8_000, 3e-3, "cpu")
TOKENIZER = bundled.path() / "tokenizer.json"

ROUNDED = {"atol": 2e-3, "rtol": 2**-3}
"""How far weights may be apart that fp8 has rounded twice: by a step, of which it has 8 an octave."""


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(presets.PRESETS, "cpu", TINY)
    monkeypatch.setattr(dataset, "shard", partial(dataset.shard, size=12))
    monkeypatch.setattr(train.Trainer, "measure", lambda self: {})


def arguments(out: Path, tokens: int) -> list[str]:
    given = ["--out", str(out), "--tokenizer", str(TOKENIZER), "--tokens", str(tokens)]
    return [*given, "--save-every", "1", "--decay", "1.0"]


def alone(ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Branches and positions of one conversation."""
    return torch.ones_like(ids), torch.arange(ids.shape[1])[None]


def trainer(out: Path, tokens: int, *more: str) -> train.Trainer:
    return train.Trainer(presets.parse_arguments([*arguments(out, tokens), *more]))


def kill(running: train.Trainer, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run, and stop after a step without any farewell."""
    report = running._report

    def report_and_die(factor: float) -> None:
        report(factor)
        if running.step == step:
            raise KeyboardInterrupt

    monkeypatch.setattr(running, "_report", report_and_die)
    with pytest.raises(KeyboardInterrupt):
        running.run()


def checkpoints_of(*runs: Path) -> list[dict[str, Any]]:
    return [torch.load(one / "checkpoint.pt", weights_only=True) for one in runs]


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    for name in ("step", "tokens", "places", "smooth"):
        assert one[name] == other[name], name
    for weights in ("model", "average"):
        for name, tensor in one[weights].items():
            torch.testing.assert_close(tensor, other[weights][name])


def log_of(run: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{name: row[name] for name in row if name != "seconds"} for row in rows]


def test_a_stopped_run_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    trainer(whole, 8_000).run()
    kill(trainer(parts, 8_000), 3, monkeypatch)
    trainer(parts, 8_000).run()
    ends = checkpoints_of(whole, parts)
    assert ends[0]["step"] > 3  # where it was killed
    assert_same(*ends)


def test_the_log_of_a_stopped_run_is_that_of_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    trainer(whole, 14_000).run()
    kill(trainer(parts, 14_000, "--save-every", "8"), 10, monkeypatch)
    assert [row["step"] for row in log_of(parts)] == [10]  # after the checkpoint of step 8
    trainer(parts, 14_000).run()
    assert log_of(whole) == log_of(parts)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full")
def test_a_log_on_a_full_disk_is_named(tmp_path: Path) -> None:
    running = trainer(tmp_path, 1)
    (tmp_path / "log.jsonl").symlink_to("/dev/full")
    with pytest.raises(UnwritableOutputError, match=r"log\.jsonl cannot be written: No space left"):
        running._log({})


def test_a_finished_run_that_is_extended_leaves_no_batch_out(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    late = ("--decay", "0.001")  # so that the rate is the same, however long the run is
    trainer(whole, 8_000, *late).run()
    trainer(parts, 4_000, *late).run()
    trainer(parts, 8_000, *late).run()
    assert_same(*checkpoints_of(whole, parts))


def test_a_run_goes_on_only_as_it_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, other, start = tmp_path / "run", tmp_path / "tokenizer.json", tmp_path / "start"
    trainer(run, 1).run()
    export.export(run / "checkpoint.pt", TOKENIZER, "cpu", start)
    other.write_text(TOKENIZER.read_text("utf-8") + " ", "utf-8")
    for option, value in (
        ("--seed", "2"),
        ("--batch-tokens", "512"),
        ("--max-tokens", "900"),
        ("--tokenizer", str(other)),
        ("--start", str(start)),
    ):
        with pytest.raises(UnsupportedOptionError, match=f"{option} was .* another --out"):
            trainer(run, 1, option, value)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UnsupportedOptionError, match="WORLD_SIZE was 1 and is 2"):
        trainer(run, 1)


def test_a_checkpoint_of_other_sizes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer(tmp_path, 1).run()
    monkeypatch.setitem(presets.PRESETS, "cpu", presets.Preset(64, 2, 4, 48, 1024, 9, 3e-3, "cpu"))
    with pytest.raises(UnsupportedOptionError, match="--preset was cpu"):
        trainer(tmp_path, 1)


def test_the_rate_of_a_run_stays_until_another_is_given(tmp_path: Path) -> None:
    trainer(tmp_path, 1, "--rate", "0.01").run()
    for given, full in (((), 0.01), (("--rate", "0.02"), 0.02)):
        groups = trainer(tmp_path, 1, *given).optimizers[0].param_groups
        assert [group["full_rate"] for group in groups] == [full]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--tokens", "0"), "--tokens is 0. Expected: more than 0"),
        (("--minutes", "0"), "--minutes is 0.0"),
        (("--rate", "-1"), "--rate is -1.0"),
        (("--save-every", "0"), "--save-every is 0"),
        (("--workers", "-1"), "--workers is -1. Expected: 0"),
        (("--seed", str(2**64)), "--seed is .* 64 bits"),
        (("--preset", "gpu"), "needs CUDA"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], message: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UnsupportedOptionError, match=message):
        trainer(tmp_path / "run", 1, *given)
    assert not (tmp_path / "run").exists()


def test_a_gpu_does_not_wait_for_its_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    running = trainer(tmp_path, 1)
    assert running.workers == 0
    running.preset = presets.PRESETS["gpu"]
    assert running._workers() == 15
    assert trainer(tmp_path, 1, "--workers", "3").workers == 3


def test_files_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="nowhere is not there"):
        trainer(tmp_path, 1, "--tokenizer", "nowhere")
    with pytest.raises(MissingModelError, match=r"nowhere has no config\.json"):
        trainer(tmp_path, 1, "--start", "nowhere")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"tokenizer\.json cannot be read"),
        (Tokenizer(models.WordLevel({"a": 0}, unk_token="a")).to_str(), "has no '</s>'"),
    ],
)
def test_a_tokenizer_that_cannot_train_is_refused(
    tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "tokenizer.json").write_text(content, "utf-8")
    with pytest.raises(ModelLoadError, match=message):
        trainer(tmp_path / "run", 1, "--tokenizer", str(tmp_path / "tokenizer.json"))
    assert not (tmp_path / "run").exists()


def test_conversations_that_are_all_too_long_are_not_sought_for_ever(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedOptionError, match="--max-tokens is 20"):
        trainer(tmp_path, 1, "--max-tokens", "20").run()


def test_training_learns_and_logs(tmp_path: Path) -> None:
    train.Trainer(presets.parse_arguments(arguments(tmp_path, 60_000))).run()
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    losses = [row["loss"] for row in rows if "loss" in row]
    assert losses[-1] < losses[0]


def test_what_is_exported_predicts_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_stored", torch.Tensor.half)  # fp8 would tell of rounding only
    trainer = train.Trainer(presets.parse_arguments(arguments(tmp_path / "run", 3_000)))
    trainer.run()  # ends with the averaged weights in the model
    checkpoint = tmp_path / "run" / "checkpoint.pt"
    export.export(checkpoint, TOKENIZER, "cpu", tmp_path / "model")
    llama = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32).eval()
    ids = torch.randint(2, 7000, (1, 40), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        own = trainer.model(ids, *alone(ids), torch.arange(40))
        torch.testing.assert_close(llama(ids).logits[0], own, atol=0.02, rtol=0.02)


def test_a_folder_without_a_model_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MissingModelError, match="nowhere"):
        generate.Generator(tmp_path / "nowhere")


def test_an_export_with_another_preset_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer(tmp_path, 1).run()
    other = presets.Preset(64, 2, 4, 48, 1024, 9, 3e-3, "cpu")
    monkeypatch.setitem(presets.PRESETS, "gpu", other)
    with pytest.raises(ModelLoadError, match=r"other sizes.*preset gpu"):
        export.export(tmp_path / "checkpoint.pt", TOKENIZER, "gpu", tmp_path / "model")
    with pytest.raises(ModelLoadError, match=r"nowhere\.pt cannot be read"):
        export.export(tmp_path / "nowhere.pt", TOKENIZER, "cpu", tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_an_export_without_room_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    trainer(tmp_path / "run", 1).run()
    checkpoint, most = tmp_path / "run" / "checkpoint.pt", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most[1]))
    try:
        with pytest.raises(UnwritableOutputError, match="model cannot be written: File too large"):
            export.export(checkpoint, TOKENIZER, "cpu", tmp_path / "model")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert {one.name for one in tmp_path.iterdir()} == {"run", "model"}
    assert not list((tmp_path / "model").iterdir())


def test_weights_can_lie_between_those_before_and_after_a_training(tmp_path: Path) -> None:
    trainer(tmp_path / "first", 3_000).run()
    start = tmp_path / "start"
    export.export(tmp_path / "first" / "checkpoint.pt", TOKENIZER, "cpu", start)
    trainer(tmp_path / "second", 3_000, "--start", str(start)).run()
    found = []
    for share in (None, 0.25, 1.0):
        given = {} if share is None else {"mix": start, "share": share}
        out = tmp_path / f"out {share}"
        export.export(tmp_path / "second" / "checkpoint.pt", TOKENIZER, "cpu", out, **given)
        found.append(load_file(out / "model.safetensors"))
    before = load_file(start / "model.safetensors")
    for name, weights in before.items():
        after, quarter, whole = (one[name].float() for one in found)
        torch.testing.assert_close(whole, weights.float(), **ROUNDED)
        expected = 0.25 * weights.float() + 0.75 * after
        torch.testing.assert_close(quarter, expected, **ROUNDED)


def test_an_exported_model_can_be_trained_on(tmp_path: Path) -> None:
    weights = load_file(bundled.path() / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    shape = presets.PRESETS["gpu"].shape(tokenizer.get_vocab_size())
    model = SmallModel(shape, features(tokenizer))
    model.load_llama(weights)
    for name, tensor in model.to_llama().items():
        if "embed" not in name:
            torch.testing.assert_close(tensor, weights[name].float(), msg=name)


def test_an_embedding_in_fp8_is_factored_again_to_within_its_rounding() -> None:
    weights = load_file(bundled.path() / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    model = SmallModel(
        presets.PRESETS["gpu"].shape(tokenizer.get_vocab_size()), features(tokenizer)
    )
    model.load_llama(weights)
    before = weights["model.embed_tokens.weight"].float()
    off = (model.embedding() - before).norm() / before.norm()
    assert off < 2**-4  # half a step of fp8, of which three bits follow the first


def test_matrices_are_exported_in_fp8_and_all_else_in_fp16(tmp_path: Path) -> None:
    trainer(tmp_path / "run", 2_000).run()
    export.export(tmp_path / "run" / "checkpoint.pt", TOKENIZER, "cpu", tmp_path / "model")
    for name, weights in load_file(tmp_path / "model" / "model.safetensors").items():
        assert weights.dtype == (torch.float8_e4m3fn if weights.ndim == 2 else torch.float16), name


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
        torch.testing.assert_close(one, other, atol=3e-5, rtol=1e-5)


def test_attention_by_branch_computes_in_the_dtype_it_is_given() -> None:
    given = [torch.randn(1, 2, 300, 32, dtype=torch.bfloat16) for _ in range(3)]
    branches = torch.tensor([[0] * 250 + [1] * 30 + [2] * 20])
    found = attend_by_branch(*given, branches)
    assert found.dtype == torch.bfloat16
    right = attend_masked(*(one.double() for one in given), branches)
    torch.testing.assert_close(found.double(), right, atol=0.03, rtol=0.02)


def test_a_new_model_already_leans_to_what_followed_earlier() -> None:
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    part = torch.randint(300, 7000, (1, 60), generator=torch.Generator().manual_seed(2))
    ids = torch.cat([part, part], 1)
    better = []
    for copying in (False, True):
        torch.manual_seed(1)
        model = SmallModel(
            presets.PRESETS["gpu"].shape(tokenizer.get_vocab_size()), features(tokenizer)
        )
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


def test_a_tokenizer_is_not_made_for_a_place_that_takes_none(tmp_path: Path) -> None:
    with pytest.raises(UnwritableOutputError, match="is a folder"):
        tokenizer.main(["--out", str(tmp_path)])


def test_a_tokenizer_comes_into_a_new_folder(tmp_path: Path) -> None:
    made = tmp_path / "new" / "tokenizer.json"
    tokenizer.main(["--adapt", str(TOKENIZER), "--out", str(made)])
    assert made.exists()


def test_no_more_is_merged_than_there_are_letters() -> None:
    assert tokenizer._word_merges(Counter(["ab"]), 5) == [("a", "b")]


@pytest.mark.parametrize(
    ("program", "given", "said"),
    [
        ("evaluate", ["--own", "1", "--model", "nowhere/x"], "x' does not exist"),
        ("export", ["--checkpoint", "nowhere", "--out", "new"], "nowhere cannot be read"),
        ("export", ["--checkpoint", "nowhere", "--out", "file/new"], "file is a file"),
        ("picture", ["nowhere"], "Cannot read nowhere/log.jsonl"),
        ("tokenizer", ["--adapt", "nowhere", "--out", "new"], "nowhere cannot be read"),
        ("train", ["--out", "file"], "--out file is a file"),
    ],
)
def test_a_mistake_of_a_programs_caller_is_a_sentence(
    program: str,
    given: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("", "utf-8")
    given = [*given, "--tokenizer", str(TOKENIZER)] if program in ("export", "train") else given
    monkeypatch.setattr(sys, "argv", [program, *given])
    name = f"langchain_gorilla.training.{program}"
    monkeypatch.delitem(sys.modules, name, raising=False)  # runpy warns of what is imported
    with pytest.raises(SystemExit):
        runpy.run_module(name, run_name="__main__")
    error = " ".join(capsys.readouterr().err.split())
    assert error.startswith("Error: ")
    assert said in error


def test_own_cases_end_where_the_answer_begins() -> None:
    for case in evaluate.own_cases(4, ("simple", "answer"), 5, held_out=True):
        assert case.prompt.endswith("\n### Response: ")
        assert evaluate.judge(case, case.expected).right


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("<<function>>area(base=10, height=5)", True),
        ("<<function>>area(base=10, height=5, unit='units')", True),
        ("<<function>>area(base=10, height=5, note=None)", True),
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
        "parameters": {
            "properties": properties | {key: {"type": "string"} for key in ("unit", "note")},
            "required": ["base", "height"],
        },
    }
    values = {"base": [10], "height": [5], "unit": ["units", ""], "note": ["", None]}
    possible = [{"area": values}]
    case = evaluate.Case("simple", "", possible=possible, functions=[function])
    assert evaluate.judge(case, answer).right is right


def berkeley_row(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"simple_python_{number}",
        "category": "simple_python",
        "question": [[{"role": "user", "content": "Of a\u2028triangle?"}]],
        "functions": [{"name": "area", "parameters": {"properties": {}}}],
        "possible_answer": [{"area": {}}],
        **more,
    }


def test_berkeley_cases_are_read_as_gorilla_eval_reads_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [berkeley_row(0), berkeley_row(1, functions=3), berkeley_row(2)]
    lines = [json.dumps(one, ensure_ascii=False) for one in rows]
    file = tmp_path / "cases.jsonl"
    file.write_text("\ufeff" + "\r\n\r\n".join(lines), "utf-8")
    assert len(list(evaluate.berkeley_cases([file], 0, 1))) == 2
    assert "row 3: no functions" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "nothing to measure"),
        (["--own", "1", "--kinds", "sums"], "knows no 'sums'"),
        (["--own", "1", "--kinds"], "expected at least one"),
        (["--own", "-1"], "--own is -1. Expected: 0 or more."),
        (["--cases", "x", "--limit", "-1"], "--limit is -1. Expected: 0 or more."),
        (["--own", "1", "--threads", "0"], "--threads is 0. Expected: 1 or more."),
    ],
)
def test_a_measurement_of_nothing_is_refused(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        evaluate.main(given)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (["--model", "nowhere/x"], MissingModelError, "x' does not exist"),
        (["--out", "."], UnwritableOutputError, "is a folder"),
        (["--cases", "nowhere"], UnreadableFileError, "Cannot read nowhere"),
    ],
)
def test_a_measurement_names_what_is_missing_before_it_begins(
    given: list[str], error: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "Generator", None)
    with pytest.raises(error, match=said):
        evaluate.main(["--own", "1", "--kinds", "chat", *given])


def test_answers_are_kept_in_a_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def __init__(self, folder: Path) -> None: ...

        def answer(self, prompts: list[str]) -> list[str]:
            return [""] * len(prompts)

    monkeypatch.setattr(evaluate, "Generator", Silent)
    out = tmp_path / "new" / "answers.jsonl"
    evaluate.main(["--own", "1", "--kinds", "chat", "--out", str(out)])
    assert json.loads(out.read_text("utf-8").split("\n")[0])["answer"] == ""


def test_the_order_of_arguments_and_of_calls_is_of_no_account() -> None:
    expected = "<<function>>f(a=1, b='x')<<function>>f(a=2, b='y')"
    case = evaluate.Case("own parallel", "", expected)
    assert evaluate.judge(case, "<<function>>f(b='y', a=2)<<function>>f(a=1, b='x')").right
    assert not evaluate.judge(case, "<<function>>f(b='x', a=2)<<function>>f(a=1, b='y')").right


def test_constrained_answers_fit_the_functions() -> None:
    # A name that no model was taught, so that only the grammar can give it.
    document = {
        "name": "zzz_kettle",
        "description": "Boil water.",
        "parameters": {
            "type": "object",
            "properties": {"liters": {"type": "integer"}},
            "required": ["liters"],
        },
    }
    turns = (prompts.Turn("Boil 3 liters of water", (), ""),)
    one = prompts.Conversation("simple", (document,), turns)
    asked = [
        generate.Prompt(prompts.prompt_before(one, 0), [document]),
        generate.Prompt("x " * 4000, [document]),
    ]
    calls, nothing = generate.constrained_answers(bundled.path(), asked)
    assert re.fullmatch(r"<<function>>zzz_kettle\(liters=\d+\)", calls)
    assert nothing == ""


def test_constrained_answers_fit_the_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"zzz_kettle": {"type": "integer"}},
        "required": ["zzz_kettle"],
    }
    one = prompts.Conversation("structured", (), (prompts.Turn("3 kettles", (), ""),))
    asked = [generate.Prompt(prompts.prompt_before(one, 0), schema=schema)]
    (answer,) = generate.constrained_answers(bundled.path(), asked)
    assert [*json.loads(answer)] == ["zzz_kettle"]


def test_json_is_right_whatever_its_spaces() -> None:
    case = evaluate.Case("own structured", "", '{"a": 1}', schema={"type": "object"})
    assert evaluate.judge(case, '{"a":1}').right
    assert not evaluate.judge(case, '{"a": 2}').right
    assert not evaluate.judge(case, '{"a": 1').right


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


def test_the_picture_leaves_out_a_row_that_was_cut(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from langchain_gorilla.training.picture import draw

    row = json.dumps({"tokens": 1000, "loss": 2.0, "rate": 1.0})
    (tmp_path / "log.jsonl").write_text(f"{row}\n{row[:9]}", "utf-8")
    assert draw(tmp_path).exists()


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


def test_a_training_ends_with_its_figures_where_matplotlib_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    measured: list[str] = []
    monkeypatch.setattr(evaluate, "main", measured.extend)
    (tmp_path / "tokenizer.json").write_bytes(TOKENIZER.read_bytes())
    given = ["train", "bundled", "--out", str(tmp_path), "--tokens", "1", "--preset", "cpu"]
    result = CliRunner().invoke(app, [*given, "--threads", "2"])
    assert result.exit_code == 0, result.output
    assert "langchain-gorilla[training]" in result.output
    assert measured[-2:] == ["--threads", "2"]


def test_ctrl_c_says_that_the_training_can_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: train.Trainer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train.Trainer, "run", interrupted)
    (tmp_path / "tokenizer.json").write_bytes(TOKENIZER.read_bytes())
    given = ["train", "bundled", "--out", str(tmp_path), "--tokens", "1", "--preset", "cpu"]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 130
    assert "Stopped; the same command goes on." in result.output


def test_a_mistake_is_told_before_the_tokenizer_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, damaged = tmp_path / "run", tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "tokenizer.json").write_text("{", "utf-8")
    (damaged / "model.safetensors").touch()
    config = export.llama_config(TINY.shape(9), 0, 1)
    (damaged / "config.json").write_text(json.dumps(config), "utf-8")
    given = ["train", "bundled", "--out", str(run), "--preset", "cpu"]
    starts = (["--start", str(tmp_path / name)] for name in ("nowhere", "damaged"))
    for mistake in (["--minutes", "0"], *starts):
        result = CliRunner().invoke(app, [*given, *mistake])
        assert isinstance(result.exception, GorillaError)
    assert CliRunner().invoke(app, [*given, "--own", "-1"]).exit_code == 2
    assert not run.exists()


def test_a_run_in_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    for out in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(UnwritableOutputError, match="is a file"):
            CliRunner().invoke(app, ["train", "bundled", "--out", str(out)], catch_exceptions=False)
