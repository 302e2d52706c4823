"""APIBench's free-form ``performance`` fields as metadata that constraints filter by.

People wrote them: ``{"top_1": 74.58}``, ``{"Top-1 error": "30.22"}``, ``"Top-1: 77.9%, Top-5:
93.7%"``, ``{"Params (M)": 32.45}``, ``"25.6M"``, ``71.0``, ``"Not provided"``. What comes out has
the keys and base units of ``constraints.QUANTITIES``: shares from 0 to 1, counts, and
``dataset`` as keywords. A value whose meaning is not certain is left out, since a filter on it
would hide the right tool: correlations, mAP and word error rates are no accuracy.

Where several variants are listed, the one with the best top-1 or accuracy speaks for all.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_gorilla.catalog import MetadataValue

_NUMBER = r"\d+(?:\.\d+)?"
_PLAIN = re.compile(rf"\s*({_NUMBER})\s*(%)?\s*")
_RANKED = re.compile(
    rf"top[-_ ]?(?P<before>[15])(?:\s*(?:accuracy|acc\.?))?\s*(?::|=|of|is)?\s*(?P<value>{_NUMBER})\s*%"
    rf"|(?P<first>{_NUMBER})\s*%\s*\(?top[-_ ]?(?P<after>[15])\b(?!\s*improvement)",
    re.IGNORECASE,
)
_PERCENT_ACCURACY = re.compile(rf"({_NUMBER})\s*%\s*accuracy|accuracy\s*(?:of|:)\s*({_NUMBER})\s*%", re.IGNORECASE)  # fmt: skip
_SCALED = re.compile(rf"\s*({_NUMBER})\s*([kmbg])?\s*", re.IGNORECASE)
_SCALES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9}
_TOP = re.compile(r"top([15])(acc|accuracy)?(error|err)?")
_COUNTS = {"params": "parameters", "parameters": "parameters", "flops": "flops"}
# What a bare small number of these means in every row that has one.
_USUAL = {"parameters": 1e6, "flops": 1e9}
_NAMES = ("", "none", "n/a", "not specified", "not provided", "unknown", "various", "custom")


def performance_metadata(performance: Any) -> dict[str, MetadataValue]:
    """Read one ``performance`` field.

    Args:
        performance: As it stands in APIBench; of any shape.

    Returns:
        Some of top_1, top_5, accuracy (0 to 1), parameters, flops (counts) and dataset; nothing
        where nothing is certain.
    """
    variants = [found for found in map(_facts, _variants(performance)) if found]
    best = max(
        variants, key=lambda found: found.get("top_1", found.get("accuracy", 0.0)), default={}
    )
    facts: dict[str, MetadataValue] = {}
    facts.update(best)
    if datasets := tuple(dict.fromkeys(_datasets(performance))):
        facts["dataset"] = datasets
    return facts


def _variants(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield each mapping with what stands above it, so that every variant is whole."""
    if isinstance(value, Mapping):
        inner = [each for each in value.values() if isinstance(each, Mapping | list)]
        plain = {key: each for key, each in value.items() if not isinstance(each, Mapping | list)}
        nested = [variant for each in inner for variant in _variants(each)]
        yield from ({**plain, **variant} for variant in nested)
        if not nested:
            yield plain
    elif isinstance(value, list):
        for each in value:
            yield from _variants(each)


def _facts(variant: Mapping[str, Any]) -> dict[str, float]:
    facts: dict[str, float] = {}
    for key, value in variant.items():
        name = re.sub(r"[^a-z0-9]", "", key.lower())
        unit = re.search(r"\(([kmbg])\)", key.lower())
        if ranked := _TOP.fullmatch(name):
            share = _share(value)
            if share is not None:
                facts[f"top_{ranked[1]}"] = round(1 - share, 12) if ranked[3] else share
        elif (count := _COUNTS.get(name.removesuffix(unit[1]) if unit else name)) is not None:
            number = _count(value, unit[1] if unit else None, _USUAL[count])
            if number is not None:
                facts[count] = number
        elif name in ("accuracy", "acc"):
            facts |= _accuracy(value)
    top_1, top_5 = facts.get("top_1"), facts.get("top_5")
    if top_1 is not None and top_5 is not None and top_5 < top_1:
        # The right class is among five at least as often as first: these are errors.
        facts["top_1"], facts["top_5"] = round(1 - top_1, 12), round(1 - top_5, 12)
    return facts


def _accuracy(value: Any) -> dict[str, float]:
    text = value if isinstance(value, str) else ""
    facts = {}
    for found in _RANKED.finditer(text):
        share = _share(float(found["value"] or found["first"]), percent=True)
        if share is not None:
            facts[f"top_{found['before'] or found['after']}"] = share
    if facts:
        return facts
    stated = _PERCENT_ACCURACY.search(text)
    share = _share(float(stated[1] or stated[2]), percent=True) if stated else _share(value)
    return {} if share is None else {"accuracy": share}


def _share(value: Any, *, percent: bool = False) -> float | None:
    """Return a number, or a text that is only a number, as a share; None for anything else."""
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value)
        if plain is None:
            return None
        value, percent = float(plain[1]), bool(plain[2])
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if percent or value > 1.0:
        value = float(f"{value / 100:.12g}")
    return float(value) if 0.0 <= value <= 1.0 else None


def _count(value: Any, unit: str | None, usual: float) -> float | None:
    """Return a count: 25.6M, 32.45 in a column of millions, or 32.45 as these rows mean it."""
    if isinstance(value, bool):
        return None
    scaled = _SCALED.fullmatch(str(value))
    if scaled is None:
        return None
    number = float(scaled[1])
    scale = _SCALES[(scaled[2] or unit or "").lower()]
    if scale == 1.0 and number < 10_000:
        scale = usual
    return float(f"{number * scale:.12g}")


def _datasets(value: Any) -> Iterator[str]:
    """Yield the names of the datasets of a field, as keywords."""
    if isinstance(value, list):
        for each in value:
            yield from _datasets(each)
        return
    if not isinstance(value, Mapping):
        return
    held = value.get("dataset")
    for each in held if isinstance(held, Sequence) and not isinstance(held, str) else [held]:
        name = each.get("name") if isinstance(each, Mapping) else each
        if isinstance(name, str) and name.strip().lower() not in _NAMES:
            yield name.strip()
