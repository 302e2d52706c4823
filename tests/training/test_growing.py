import pytest
import torch
from tokenizers import Tokenizer

from langchain_gorilla import bundled
from langchain_gorilla.errors import ModelLoadError
from langchain_gorilla.training.growing import grow
from langchain_gorilla.training.model import Shape, SmallModel
from langchain_gorilla.training.tokenizer import Features, features


@pytest.fixture(scope="module")
def known() -> Features:
    return features(Tokenizer.from_file(str(bundled.path() / "tokenizer.json")))


def model(known: Features, **sizes: int) -> SmallModel:
    torch.manual_seed(3)
    made = SmallModel(Shape(len(known.base), **sizes), known)
    # Fresh blocks write next to nothing; these do as trained ones do.
    for name, weights in made.named_parameters():
        if "o_proj.weight" in name or "down_proj.weight" in name:
            torch.nn.init.normal_(weights, std=0.1)
    return made


def scores(of: SmallModel) -> torch.Tensor:
    ids = torch.randint(2, 7000, (1, 40), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found: torch.Tensor = of(
            ids, torch.ones_like(ids), torch.arange(40)[None], torch.arange(40)
        ).softmax(-1)
    return found


SMALL = {"width": 64, "layers": 2, "heads": 2, "inner": 96}


@pytest.mark.parametrize(
    ("larger", "off"),
    [
        ({}, 1e-6),
        ({"inner": 160}, 1e-6),
        ({"layers": 3}, 1e-6),
        # The norms see the new places, which are written to but read by nothing.
        ({"width": 96, "heads": 3}, 0.02),
    ],
)
def test_a_grown_model_says_the_same(known: Features, larger: dict[str, int], off: float) -> None:
    small, large = model(known, **SMALL), model(known, **{**SMALL, **larger})
    large.load_llama(small.to_llama())
    assert (scores(small) - scores(large)).abs().max() < off


def test_new_blocks_stand_evenly_and_read_what_the_block_before_reads(known: Features) -> None:
    small = model(known, **SMALL).to_llama()
    large = grow(small, model(known, **{**SMALL, "layers": 4}).to_llama())
    for place, source in enumerate([0, 0, 1, 1]):
        for part in ("self_attn.q_proj", "mlp.up_proj"):
            old = small[f"model.layers.{source}.{part}.weight"]
            assert torch.equal(large[f"model.layers.{place}.{part}.weight"], old)
        written = large[f"model.layers.{place}.self_attn.o_proj.weight"]
        assert bool(written.any()) is (place % 2 == 0)


def test_the_last_block_computes_no_less_than_is_read(known: Features) -> None:
    made = model(known, **SMALL)
    ids = torch.randint(2, 7000, (2, 30), generator=torch.Generator().manual_seed(4))
    given = ids, torch.ones_like(ids), torch.arange(30).expand(2, 30)
    some = torch.tensor([3, 17, 29, 30, 58])
    with torch.no_grad():
        torch.testing.assert_close(made(*given, some), made(*given, torch.arange(60))[some])


def test_all_that_was_added_can_be_learned(known: Features) -> None:
    small = model(known, **SMALL)
    large = model(known, **{**SMALL, "width": 96, "heads": 3, "inner": 160, "layers": 3})
    large.load_llama(small.to_llama())
    ids = torch.randint(2, 7000, (1, 40), generator=torch.Generator().manual_seed(2))
    rate = torch.optim.SGD(large.parameters(), lr=0.1)
    before = {name: one.detach().clone() for name, one in large.named_parameters()}
    for _ in range(3):  # what is written and what reads it wake each other
        found = large(ids, torch.ones_like(ids), torch.arange(40)[None], torch.arange(39))
        torch.nn.functional.cross_entropy(found, ids[0, 1:]).backward()
        rate.step()
        rate.zero_grad()
    for name, one in large.named_parameters():
        if name.startswith("layers") and one.ndim == 2:
            moved = (one.detach() != before[name]).float().mean()
            assert moved > 0.9, name


def test_a_model_does_not_shrink(known: Features) -> None:
    large, small = model(known, **{**SMALL, "inner": 160}), model(known, **SMALL)
    with pytest.raises(ModelLoadError, match="more than"):
        grow(large.to_llama(), small.to_llama())


def test_no_layer_is_dropped(known: Features) -> None:
    large, small = model(known, **{**SMALL, "layers": 3}), model(known, **SMALL)
    with pytest.raises(ModelLoadError, match=r"no place for: model\.layers\.2"):
        grow(large.to_llama(), small.to_llama())
