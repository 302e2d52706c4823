from collections.abc import Iterator

import pytest

from langchain_gorilla.engines.prefix_cache import PrefixCache
from langchain_gorilla.engines.transformers import TransformersEngine, load_engine
from tests.engines.small_model import Passes, settle


@pytest.fixture(scope="session")
def engine() -> TransformersEngine:
    # What must be the same, token by token, is so in float32: in bfloat16, which this processor
    # may have, passes of other shapes round otherwise, and near-ties fall differently.
    return load_engine("bundled", dtype="float32")


@pytest.fixture
def passes(engine: TransformersEngine) -> Iterator[Passes]:
    engine.load()
    # One after another, whatever a model of another test asked for; all share the weights.
    engine._loaded.resize_batch(1)
    # Prompts are read whole, whatever other tests asked.
    kept, engine._loaded.prefixes = engine._loaded.prefixes, PrefixCache(0)
    counted = Passes()
    hook = engine._loaded.weights.register_forward_pre_hook(counted, with_kwargs=True)
    yield counted
    counted.gate.set()
    settle(engine)
    hook.remove()
    engine._loaded.prefixes = kept
