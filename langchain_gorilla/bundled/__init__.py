"""The small model that comes with the package: weights, tokenizer, model card.

It is a demonstration and test model, trained by this project from scratch; ``MODEL_CARD.md``
beside this file says what it can and cannot do. Importing this room imports nothing heavy.
"""

from importlib.resources import files
from pathlib import Path


def path() -> Path:
    """Give the folder of the bundled model.

    ``AutoModelForCausalLM.from_pretrained(path())`` and ``AutoTokenizer`` load it.

    Returns:
        A folder with ``config.json``, ``model.safetensors`` (fp8 and fp16), ``tokenizer.json`` and
        ``MODEL_CARD.md``.

    Raises:
        FileNotFoundError: The package lies in a zip archive, or was built without its weights.
    """
    folder = Path(str(files(__package__)))
    if not (folder / "model.safetensors").is_file():
        raise FileNotFoundError(
            f"The bundled model is not a plain file under {folder}. Expected model.safetensors "
            "there. Install langchain-gorilla from a wheel, unzipped."
        )
    return folder
