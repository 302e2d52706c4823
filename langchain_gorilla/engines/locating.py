"""Which model, and where its files are: a folder, a repository on the Hub, or the bundled one.

What is missing is named before transformers looks for it; the Hub is asked once.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from langchain_gorilla import bundled
from langchain_gorilla.errors import MissingModelError, ModelLoadError

_TOKEN: Final = "model_kwargs={'token': …}"

_HUB_TIMEOUT_S = 10.0

_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "spiece.model",
)

# What from_pretrained of a config and of a tokenizer understands; the rest is for the weights.
_WHERE_OPTIONS = (
    "cache_dir",
    "force_download",
    "gguf_file",
    "local_files_only",
    "proxies",
    "subfolder",
    "token",
)


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """Which model to load, and how.

    Attributes:
        model: A folder, a Hub id, or ``bundled``.
        revision: A branch, tag or commit of a Hub repository.
        dtype: A torch dtype or its name. ``auto`` is the checkpoint's on an accelerator; on a CPU
            it is what ``precision`` says, bfloat16 or float32.
        device: A torch device; None takes cuda, then mps, then cpu, whichever is there.
        device_map: Given to accelerate, instead of ``device``.
        quantization_config: As in ``from_pretrained``.
        trust_remote_code: Run the repository's own Python code.
        options: Further arguments of ``from_pretrained``.
        pack_weights: Order the weights for the CPU's matrix kernels; see ``packing``.
    """

    model: str
    revision: str | None = None
    dtype: Any = "auto"
    device: str | None = None
    device_map: Any = None
    quantization_config: Any = None
    trust_remote_code: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    pack_weights: bool = False

    def where(self) -> dict[str, Any]:
        """Give the ``from_pretrained`` arguments that say where the files are."""
        found = {name: self.options[name] for name in _WHERE_OPTIONS if name in self.options}
        return {
            "revision": self.revision or "main",
            "trust_remote_code": self.trust_remote_code,
            **found,
        }


def is_local(model: str) -> bool:
    """Whether a name is a folder's: never asked for on the Hub."""
    return (
        Path(model).expanduser().exists()
        or model.startswith((".", "~"))
        or Path(model).is_absolute()
        or (os.sep != "/" and os.sep in model)
        or model.endswith("/")
        or model.count("/") > 1
    )


def locate(source: ModelSource) -> tuple[str, dict[str, Any]]:
    """Give what ``from_pretrained`` is called with, once it is clear that there is a model."""
    where = source.where()
    if source.model == "bundled":
        try:
            return str(bundled.path()), where
        except FileNotFoundError as error:
            raise MissingModelError(str(error)) from error
    if is_local(source.model):
        folder = Path(source.model).expanduser()
        _check_folder(folder, source)
        return str(folder), where
    if not where.get("local_files_only") and not _on_hub(source):
        # Each file would be tried anew for 23 s before transformers looks into its cache.
        where["local_files_only"] = True
    return source.model, where


def _check_folder(folder: Path, source: ModelSource) -> None:
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise MissingModelError(
            f"The folder {str(folder)!r} {what}. Expected a folder with config.json, a tokenizer "
            "and *.safetensors. Give such a folder, a Hub id such as "
            "'gorilla-llm/gorilla-openfunctions-v2', or 'bundled'."
        )
    if "gguf_file" in source.options or (folder / "adapter_config.json").is_file():
        return
    inner = folder / str(source.options.get("subfolder") or "")
    names = sorted(path.name for path in inner.iterdir()) if inner.is_dir() else []
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "") if names else "nothing"
    if "config.json" not in names:
        raise MissingModelError(
            f"The folder {str(inner)!r} has no config.json; it holds {shown}. Give the folder that "
            "save_pretrained() wrote or that was downloaded from the Hub."
        )
    if not any(name in names for name in _TOKENIZER_FILES):
        raise MissingModelError(
            f"The folder {str(inner)!r} has no tokenizer; looked for {', '.join(_TOKENIZER_FILES)}. "
            "Save the model's tokenizer there with tokenizer.save_pretrained()."
        )
    if any(name.endswith(".safetensors") for name in names):
        return
    pickles = [name for name in names if name.endswith((".bin", ".pt", ".pth"))]
    if pickles and source.options.get("use_safetensors") is False:
        return
    if pickles:
        raise ModelLoadError(
            f"The folder {str(inner)!r} has its weights only as {', '.join(pickles[:3])}, which is "
            "a pickle and can run code. Convert it to safetensors, or pass "
            "model_kwargs={'use_safetensors': False} if you trust where it comes from."
        )
    raise MissingModelError(
        f"The folder {str(inner)!r} holds no weights; looked for *.safetensors, found {shown}."
    )


def _on_hub(source: ModelSource) -> bool:
    """Ask the Hub once for a model; False means that the Hub cannot be asked now.

    Raises:
        MissingModelError: The Hub answers that there is no such model, or none for this user.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    name = source.model
    try:
        HfApi().model_info(
            name,
            revision=source.revision,
            timeout=_HUB_TIMEOUT_S,
            token=source.options.get("token"),
        )
    except GatedRepoError as error:
        raise MissingModelError(
            f"{name!r} is gated on the Hub. Accept its terms there, then set HF_TOKEN or pass "
            f"{_TOKEN}."
        ) from error
    except RevisionNotFoundError as error:
        raise MissingModelError(f"{name!r} has no revision {source.revision!r}.") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise MissingModelError(
            f"No model {name!r}: there is no such folder, and no such model on the Hub (or it is "
            f"private: set HF_TOKEN or pass {_TOKEN}). Give a folder, a Hub id such as "
            "'gorilla-llm/gorilla-openfunctions-v2', or 'bundled'."
        ) from error
    except Exception:
        # No network, a proxy, HF_HUB_OFFLINE, a blocked socket, a Hub in trouble: use the cache.
        return False
    return True
