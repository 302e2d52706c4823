"""The two sides of a search text: BM25 weights (always) and a dense vector (with an embedder).

BM25 comes from ``qdrant_edge``: no torch, no download, the token ids that a Qdrant server uses.
The dense side takes any LangChain ``Embeddings``; ``LocalEmbeddings`` is one that runs a sentence
encoder from a directory with what this package needs anyway.
"""

import asyncio
import math
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from langchain_core.embeddings import Embeddings

from langchain_gorilla.errors import EmbeddingError, UnsupportedOptionError
from langchain_gorilla.retrieval.document import read_text, spaced
from langchain_gorilla.retrieval.encoder_files import encoder_fingerprint
from langchain_gorilla.retrieval.points import SparseWeights

_QUERY_CHARS = 4_000
"""Of a query; encoders read some 256 tokens of it."""


class LexicalModel:
    """BM25 weights for documents of a known mean length.

    Args:
        mean_tokens: Mean number of tokens that BM25 counts in a document, stop words left out.
    """

    def __init__(self, mean_tokens: float) -> None:
        from qdrant_edge import Bm25, Bm25Config

        self._model = Bm25(Bm25Config(avg_len=max(1.0, mean_tokens)))

    def document(self, text: str) -> SparseWeights:
        """Return the weights of a document: a ``lexical_text``, which is cut already."""
        return _weights(self._model.embed_document(text))

    def query(self, text: str) -> SparseWeights:
        """Return the tokens of a query, each with weight 1."""
        return _weights(self._model.embed_query(spaced(read_text(text))))


def unit_mean(vectors: Sequence[Sequence[float]]) -> list[float]:
    """Return the mean of vectors of one length, scaled to length 1; zeros stay zeros.

    Raises:
        EmbeddingError: They have several lengths.
    """
    if len(vectors) == 1:
        return list(vectors[0])
    if len(sizes := {len(vector) for vector in vectors}) > 1:
        raise EmbeddingError(
            f"The embedder gave vectors of {sorted(sizes)} numbers. One embedder gives vectors of "
            "one length."
        )
    total = np.sum(np.asarray(vectors, dtype=np.float64), axis=0)
    length = np.linalg.norm(total)
    mean: list[float] = (total / length if length else total).tolist()
    return mean


def mean_tokens(texts: Iterable[str]) -> float:
    """Estimate the mean number of BM25 tokens of texts: 0.6 of their words is no stop word."""
    total, count = 0, 0
    for text in texts:
        total += len(text.split())
        count += 1
    return max(1.0, 0.6 * total / count) if count else 1.0


@dataclass(frozen=True)
class DenseModel:
    """An embedder with its identity.

    Attributes:
        embeddings: Any LangChain ``Embeddings``.
        id: Kept in the collection, so that vectors of two models never meet.
    """

    embeddings: Embeddings
    id: str

    @classmethod
    def of(cls, embeddings: Embeddings, id: str | None = None) -> "DenseModel":
        """Name an embedder by its class and its model, unless ``id`` says how.

        Raises:
            UnsupportedOptionError: It is no embedder.
            EmbeddingError: The files of a ``LocalEmbeddings`` cannot be read.
        """
        if not hasattr(embeddings, "embed_documents"):
            raise UnsupportedOptionError(
                f"embeddings={embeddings!r:.120} has no embed_documents. Expected LangChain's "
                "Embeddings, such as LocalEmbeddings(folder)."
            )
        if id is None:
            # What LangChain's cache keeps is another's vectors.
            named = getattr(embeddings, "underlying_embeddings", embeddings)
            # All of them: two deployments of Azure may both be left with the default model.
            fields = ("model_id", "model_name", "model", "deployment", "repo_id", "model_path")
            values = (getattr(named, field, None) for field in fields)
            model = " ".join(
                dict.fromkeys(str(one) for one in values if isinstance(one, str | Path))
            )
            id = f"{type(named).__qualname__}:{model}"
        return cls(embeddings, id)

    def documents(self, texts: Sequence[str]) -> list[list[float]]:
        """Embed documents to unit vectors.

        Raises:
            EmbeddingError: The embedder failed, or gave vectors that cannot be stored.
        """
        try:
            vectors = self.embeddings.embed_documents(list(texts))
        except Exception as error:
            raise self._failed(error) from error
        return self._one_each(vectors, texts)

    async def adocuments(self, texts: Sequence[str]) -> list[list[float]]:
        """Like ``documents``."""
        try:
            vectors = await self.embeddings.aembed_documents(list(texts))
        except Exception as error:
            raise self._failed(error) from error
        return self._one_each(vectors, texts)

    def queries(self, texts: Sequence[str]) -> list[list[float]]:
        """Embed queries to unit vectors.

        Raises:
            EmbeddingError: As for ``documents``.
        """
        try:
            vectors = self._together([text[:_QUERY_CHARS] for text in texts])
        except Exception as error:
            raise self._failed(error) from error
        return [self._unit(vector) for vector in vectors]

    async def aqueries(self, texts: Sequence[str]) -> list[list[float]]:
        """Like ``queries``."""
        try:
            vectors = await asyncio.gather(
                *(self.embeddings.aembed_query(text[:_QUERY_CHARS]) for text in texts)
            )
        except Exception as error:
            raise self._failed(error) from error
        return [self._unit(vector) for vector in vectors]

    def _together(self, texts: list[str]) -> list[list[float]]:
        """Embed queries in one batch where the embedder can; LangChain's interface has no such."""
        if (embed_queries := getattr(self.embeddings, "embed_queries", None)) is not None:
            batch: list[list[float]] = embed_queries(texts)
            return batch
        return [self.embeddings.embed_query(text) for text in texts]

    def _one_each(
        self, vectors: Sequence[Sequence[float]], texts: Sequence[str]
    ) -> list[list[float]]:
        if len(vectors) != len(texts):
            raise EmbeddingError(
                f"The embedder {self.id!r} gave {len(vectors)} vectors for {len(texts)} texts."
            )
        return [self._unit(vector) for vector in vectors]

    def _failed(self, error: Exception) -> EmbeddingError:
        what = f"{type(error).__name__}: {str(error).rstrip('.')}"
        return EmbeddingError(
            f"The embedder {self.id!r} failed: {what}. Check its server, key or weights; an index "
            "without an embedder searches by words alone."
        )

    def _unit(self, vector: Sequence[float]) -> list[float]:
        length = math.hypot(*vector)
        if len(vector) == 0 or not math.isfinite(length):
            raise EmbeddingError(
                f"The embedder {self.id!r} gave a vector with {len(vector)} numbers of length "
                f"{length}. Expected finite numbers."
            )
        # A zero vector is near to nothing; cosine has no answer for it, so it stays.
        return [value / length for value in vector] if length else list(vector)


_A_DIRECTORY: Final = (
    "Pass a sentence encoder's directory, with config.json, tokenizer.json and model.safetensors."
)


class LocalEmbeddings(Embeddings):
    """A sentence encoder in a directory (all-MiniLM-L6-v2 and its kin), on torch.

    Mean of the last hidden states over the tokens, as sentence-transformers computes it for
    models whose ``1_Pooling`` says mean. Loads at the first text.

    Args:
        directory: With ``config.json``, ``tokenizer.json`` and weights; nothing is downloaded.
        dtype: Such as ``"bfloat16"``: 2.5 times as fast on a CPU, cosine to float32 ≥ .9999.
        batch_size: Texts that are encoded together, sorted by length.

    Raises:
        EmbeddingError: There is no such directory.
    """

    def __init__(
        self, directory: str | Path, *, dtype: str = "float32", batch_size: int = 32
    ) -> None:
        self.directory = Path(directory)
        # transformers would take it for a model's name on the Hub, and ask there for half a minute.
        if not self.directory.is_dir():
            raise EmbeddingError(f"There is no folder {self.directory}. {_A_DIRECTORY}")
        self.dtype = dtype
        self.batch_size = batch_size
        self._loaded: tuple[Any, Any] | None = None
        self._loading = threading.Lock()

    @cached_property
    def model_id(self) -> str:
        """Names the weights and their precision, not where they lie.

        Raises:
            EmbeddingError: A file of the encoder cannot be read.
        """
        return f"{encoder_fingerprint(self.directory)}:{self.dtype}"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """See ``Embeddings``."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        vectors: list[list[float]] = [[] for _ in texts]
        for start in range(0, len(order), self.batch_size):
            batch = order[start : start + self.batch_size]
            for place, vector in zip(
                batch, self._encoded([texts[place] for place in batch]), strict=True
            ):
                vectors[place] = vector
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """See ``Embeddings``."""
        return self._encoded([text])[0]

    def embed_queries(self, texts: list[str]) -> list[list[float]]:
        """Embed a request and its clauses in one batch; queries and documents are alike here."""
        return self.embed_documents(texts)

    def _encoded(self, texts: list[str]) -> list[list[float]]:
        import torch

        tokenizer, model = self._model()
        batch = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            states = model(**batch).last_hidden_state.float()
            mask = batch["attention_mask"].unsqueeze(-1).float()
            means = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            vectors: list[list[float]] = torch.nn.functional.normalize(means, dim=1).tolist()
        return vectors

    def _model(self) -> tuple[Any, Any]:
        # The first async search embeds its clauses in several threads.
        with self._loading:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> tuple[Any, Any]:
        import torch
        from transformers import AutoModel, AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(str(self.directory))
            model = AutoModel.from_pretrained(str(self.directory), dtype=getattr(torch, self.dtype))
        except (OSError, ValueError) as error:
            raise EmbeddingError(
                f"No sentence encoder can be loaded from {self.directory}: "
                f"{str(error).rstrip('.')}. {_A_DIRECTORY}"
            ) from error
        return tokenizer, model.eval()


def _weights(vector: Any) -> SparseWeights:
    return SparseWeights(list(vector.indices), list(vector.values))
