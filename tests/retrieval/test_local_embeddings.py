import asyncio
import json
import math
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import EmbeddingError, IndexMismatchError
from langchain_gorilla.retrieval.collection import ToolIndex
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


def test_the_id_names_weights_and_precision_not_the_place(encoder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(encoder, tmp_path / "another name")
    (copy / "README.md").write_text("A card decides nothing.", encoding="utf-8")
    (copy / "onnx").mkdir()
    assert LocalEmbeddings(copy).model_id == LocalEmbeddings(encoder).model_id
    assert LocalEmbeddings(copy, dtype="bfloat16").model_id != LocalEmbeddings(copy).model_id
    assert LocalEmbeddings(copy, dtype="bfloat16").model_id.endswith(":bfloat16")


@pytest.mark.parametrize("tensor", ["first", "last"])
def test_other_weights_in_a_folder_of_the_same_name_have_another_id(
    encoder: Path, tmp_path: Path, tensor: str
) -> None:
    changed = shutil.copytree(encoder, tmp_path / encoder.name)
    weights = load_file(changed / "model.safetensors")
    name = sorted(weights)[0 if tensor == "first" else -1]
    save_file({**weights, name: weights[name] + 1}, changed / "model.safetensors")
    assert LocalEmbeddings(changed).model_id != LocalEmbeddings(encoder).model_id


def test_another_tokenizer_beside_the_same_weights_has_another_id(
    encoder: Path, tmp_path: Path
) -> None:
    changed = shutil.copytree(encoder, tmp_path / encoder.name)
    file = changed / "tokenizer.json"
    file.write_text(file.read_text("utf-8").replace("Lowercase", "Uppercase") + " ", "utf-8")
    assert LocalEmbeddings(changed).model_id != LocalEmbeddings(encoder).model_id


def test_weights_of_many_gigabytes_are_named_by_a_few_slices(tmp_path: Path) -> None:
    size = 8_000_000_000
    header = json.dumps({"w": {"dtype": "I8", "shape": [size], "data_offsets": [0, size]}})
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header.encode())
        file.truncate(8 + len(header) + size)
    assert LocalEmbeddings(tmp_path).model_id


@pytest.mark.parametrize(
    "header",
    [b"", b"[]", b"{", b'{"w": 1}', b'{"w": {"data_offsets": [-9, 9]}}', b"\xff" * 9, b"[" * 9999],
)
def test_a_broken_file_of_weights_has_an_id_too_and_is_refused_where_it_is_loaded(
    tmp_path: Path, header: bytes
) -> None:
    file = tmp_path / "model.safetensors"
    ids = set()
    for rest in (b"", b"more"):
        file.write_bytes(len(header).to_bytes(8, "little") + header + rest)
        ids.add(LocalEmbeddings(tmp_path).model_id)
    assert len(ids) == 2


def test_an_encoder_that_cannot_be_read_is_told_and_leaves_the_index_free(
    encoder: Path, tmp_path: Path
) -> None:
    broken = shutil.copytree(encoder, tmp_path / "encoder")
    (broken / "vocab.txt").mkdir()
    with pytest.raises(EmbeddingError, match=r"cannot be read \(.*vocab\.txt.*Give this process"):
        ToolIndex.in_folder(tmp_path / "index", embeddings=LocalEmbeddings(broken))
    ToolIndex.in_folder(tmp_path / "index").close()


def test_an_index_refuses_another_encoder_in_a_folder_of_the_same_name(
    encoder: Path, tmp_path: Path, catalog: ToolCatalog
) -> None:
    changed = shutil.copytree(encoder, tmp_path / encoder.name)
    weights = load_file(changed / "model.safetensors")
    save_file({name: -each for name, each in weights.items()}, changed / "model.safetensors")
    with ToolIndex.in_folder(tmp_path / "index", embeddings=LocalEmbeddings(encoder)) as index:
        index.sync(catalog)
    with (
        ToolIndex.in_folder(tmp_path / "index", embeddings=LocalEmbeddings(changed)) as index,
        pytest.raises(IndexMismatchError),
    ):
        index.search("rain")


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
