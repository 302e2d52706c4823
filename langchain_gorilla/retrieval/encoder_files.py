"""Which sentence encoder lies in a folder: a short fingerprint of what decides its vectors.

It reads little of the weights, however large they are: names, types and shapes of all tensors, and
a slice of each at its beginning and in its middle. It tells apart models that were trained apart or
trained on, in one layer or in all; it does not see a change of single numbers.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from langchain_gorilla.errors import EmbeddingError

_SMALL: Final = (
    "config.json",
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
)
"""Read whole: how the network is built, and how a text becomes tokens."""

_SLICE_BYTES: Final = 1024
_SLICES: Final = 256
"""Of weights without a table of their tensors."""

_MOST_HEADER_BYTES: Final = 100_000_000
"""Of a safetensors file, as its own library has it."""


def encoder_fingerprint(folder: Path) -> str:
    """Return 16 hex digits that change with an encoder's files, not with their place.

    Args:
        folder: With the files that ``LocalEmbeddings`` reads; of others nothing is read.

    Raises:
        EmbeddingError: A file of it cannot be read.
    """
    total = hashlib.sha256()
    try:
        for path in sorted({path for pattern in _SMALL for path in folder.glob(pattern)}):
            total.update(_part(path.name.encode()) + _part(path.read_bytes()))
        # As transformers chooses them.
        weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))
        for path in weights:
            with path.open("rb") as file:
                for part in _sampled(file, path.stat().st_size):
                    total.update(_part(part))
    except OSError as error:
        raise EmbeddingError(
            f"The sentence encoder in {folder} cannot be read ({error.filename}: "
            f"{error.strerror}). Give this process access to its files, or name another folder."
        ) from error
    return total.hexdigest()[:16]


def _part(data: bytes) -> bytes:
    """Begin a part with its length, so that no two rows of parts are one text."""
    return len(data).to_bytes(8, "little") + data


def _sampled(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the size of a file of weights, the table of its tensors, and slices."""
    yield str(size).encode()
    header, spans = _tensors(file, size)
    yield header
    for start, end in spans or [(0, size)]:
        count = 2 if spans else _SLICES
        for place in range(count):
            file.seek(start + (end - start) * place // count)
            yield file.read(min(_SLICE_BYTES, end - file.tell()))


def _tensors(file: BinaryIO, size: int) -> tuple[bytes, list[tuple[int, int]]]:
    """Return the header of a safetensors file and where its tensors lie; nothing of another's."""
    length = int.from_bytes(file.read(8), "little")
    if length > min(size, _MOST_HEADER_BYTES):
        return b"", []
    header, data = file.read(length), 8 + length
    try:
        table = json.loads(header)
        spans = [one["data_offsets"] for name, one in table.items() if name != "__metadata__"]
        found = [(data + int(start), data + int(end)) for start, end in spans]
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
        # Whoever loads it says what is wrong with it.
        return b"", []
    return header, found if all(data <= start <= end <= size for start, end in found) else []
