"""Which weights answered? A run's answers are one model's, so its files have a fingerprint."""

import hashlib
from pathlib import Path

from langchain_gorilla import bundled
from langchain_gorilla.engines.locating import is_local
from langchain_gorilla.errors import MissingModelError

_FILES = ("config.json", "tokenizer.json", "*.safetensors")
"""What decides a model's answers."""


def model_folder(model: str) -> Path | None:
    """Return the folder of a model on this machine; None for a Hub id.

    Args:
        model: ``"bundled"``, a directory or a Hub id.

    Raises:
        MissingModelError: The directory does not exist, or the package came without its weights.
    """
    if model == "bundled":
        try:
            return bundled.path()
        except FileNotFoundError as error:
            raise MissingModelError(str(error)) from error
    if not is_local(model):
        return None
    folder = Path(model).expanduser()
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise MissingModelError(
            f"The folder {model!r} {what}. Expected a folder with config.json, a tokenizer and "
            "*.safetensors. Give such a folder, a Hub id, or 'bundled'."
        )
    return folder


def model_fingerprint(model: str) -> str:
    """Return what changes with the model's files.

    Returns:
        ``sha256:…`` over config, tokenizer and weights of a folder; the commit of a Hub model that
        was downloaded; of one that was not, its id, which says nothing of its files.

    Raises:
        MissingModelError: As ``model_folder``.
    """
    folder = model_folder(model)
    if folder is None:
        return _downloaded_commit(model) or model
    total = hashlib.sha256()
    for path in sorted({file for pattern in _FILES for file in folder.glob(pattern)}):
        total.update(path.name.encode() + _digest(path))
    return f"sha256:{total.hexdigest()}"


def _downloaded_commit(model: str) -> str | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(model, "config.json")
    except HFValidationError:
        return None  # The engine says what is wrong with the id.
    # The cache keeps files as snapshots/COMMIT/config.json.
    return f"commit:{Path(found).parent.name}" if isinstance(found, str) else None


def _digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.digest()
