"""Prompts that are never trained on: demos, examples, standard tests (``data/never.txt``)."""

import re
from functools import cache

from langchain_gorilla.training.values import data_text


@cache
def kept_out() -> tuple[str, ...]:
    """Read ``never.txt``: prompts that are never trained on, as ``plain`` writes them."""
    return tuple(plain(line) for line in data_text("never.txt").split("\n") if line.strip())


def plain(text: str) -> str:
    """Give a text's letters and digits in lower case, so that marks do not tell texts apart."""
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def is_kept_out(question: str | None) -> bool:
    """Tell whether a question contains one of the prompts that are never trained on."""
    text = f" {plain(question or '')} "
    return any(f" {one} " in text for one in kept_out())
