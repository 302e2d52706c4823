import asyncio
import math
from pathlib import Path

import pytest

from langchain_gorilla.errors import EmbeddingError
from langchain_gorilla.retrieval.embedding import DenseModel, LocalEmbeddings

TEXTS = ["Send a mail", "Price of a share", "x", "Which way is it from Rome to Bari?"]


def test_vectors_have_length_one(encoder: Path) -> None:
    for vector in LocalEmbeddings(encoder).embed_documents(TEXTS):
        assert math.isclose(math.hypot(*vector), 1, rel_tol=1e-5)


def test_a_text_has_one_vector_alone_and_in_a_batch(encoder: Path) -> None:
    embeddings = LocalEmbeddings(encoder, batch_size=2)
    together = embeddings.embed_documents(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        assert embeddings.embed_query(text) == pytest.approx(vector, abs=1e-5)


def test_the_id_names_weights_and_precision_not_the_place(encoder: Path) -> None:
    assert LocalEmbeddings(encoder, dtype="bfloat16").model_id == f"{encoder.name}:bfloat16"


def test_texts_embedded_at_once_load_the_weights_once(
    encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    load = LocalEmbeddings._load
    monkeypatch.setattr(LocalEmbeddings, "_load", lambda self: loaded.append(1) or load(self))
    asyncio.run(DenseModel.of(LocalEmbeddings(encoder)).aqueries(TEXTS))
    assert len(loaded) == 1


def test_a_folder_that_is_not_there_is_named_at_once_and_not_asked_for_on_the_hub() -> None:
    with pytest.raises(EmbeddingError, match=r"no folder no-such/encoder\. Pass .*directory"):
        LocalEmbeddings("no-such/encoder")


def test_a_folder_without_an_encoder_is_told_in_whole_sentences(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match="No sentence encoder can be loaded") as found:
        LocalEmbeddings(tmp_path).embed_query("x")
    assert ".." not in str(found.value)
