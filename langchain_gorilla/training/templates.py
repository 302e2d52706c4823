"""Question templates: what is in one, how values are written into it, what of it is said again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.training.concepts import split
from langchain_gorilla.training.documents import Slot
from langchain_gorilla.training.phrasing import Phrasing
from langchain_gorilla.training.values import data_text

PREPOSITIONS = frozenset(
    [
        "in",
        "on",
        "at",
        "for",
        "to",
        "from",
        "of",
        "by",
        "with",
        "about",
        "near",
        "under",
        "below",
        "into",
        "as",
        "between",
        "than",
        "is",
    ]
)
_MONEY = re.compile(
    r"(?:^|_)(?:price|amount|cost|income|salary|payment|loan|budget|investment|balance|fee"
    r"|principal|deposit|revenue|rent|wage|debt|cash|profit)s?(?:_|$)"
)
_IN_CURRENCY = re.compile(r" ?(?:\{|dollars|euros|pounds|[A-Z]{3}\b|[%€$]|percent|units|kg|pieces)")
_QUOTES = ('"', "'")
_UNIT = re.compile(
    r"%| ?(?:percent|degrees|dollars|euros|days|weeks|months|minutes|seconds|years|hours|miles|"
    r"meters|grams|kilos|mm|cm|km|kg|ml|m|g|s)\b"
)


@dataclass(frozen=True)
class Template:
    """A question template whose optional parts are decided.

    Attributes:
        text: With ``{key}`` for values.
        slots: Key to slot, for the keys of the text.
        flags: Arguments that the text implies, such as ``detailed=True``.
    """

    text: str
    slots: Mapping[str, Slot]
    flags: Mapping[str, JSONValue]


@cache
def written(file: str) -> Mapping[str, tuple[str, ...]]:
    """Read a file of questions that were written one by one, by a concept's first name."""
    lines = (line.partition(": ") for line in data_text(file).strip().split("\n"))
    return {name: split(questions, "; ") for name, _, questions in lines}


def write_value(phrasing: Phrasing, value: JSONValue, key: str, template: Template) -> str:
    """Write a value as it stands in a template: money often with a sign."""
    slot, rng = template.slots[key], phrasing.rng
    text = phrasing.spell(value, slot)
    place = template.text.find(f"{{{key}}}")
    before, after = template.text[:place], template.text[place + len(key) + 2 :]
    if after[:1].isalpha() and text.isalpha():  # "4y", not "foury"
        text = str(value)
    if slot.form == "decimal":
        return re.sub(r"%| percent", "", text) if re.match(" ?(%|percent)", after) else text
    money = slot.json_type in ("integer", "number") and _MONEY.search(slot.parameter.names[0])
    if not money or not text[:1].isdigit() or slot.form or rng.random() > 0.4:
        return text
    if before.endswith(("$", "€", "£")) or _IN_CURRENCY.match(after):
        return text
    return f"{rng.choice('$$$$€£')}{text}"


def varied_segment(text: str, varied: Sequence[str]) -> tuple[str, int, int]:
    """Cut out what changes: the values, with a preposition, quote or name, and unit, around them."""
    places = [(text.find(f"{{{key}}}"), len(key) + 2) for key in varied]
    start, end = min(place for place, _ in places), max(place + size for place, size in places)
    before = text[:start].rstrip()
    if named := re.search(r"\w+ ?=$", before):
        start = named.start()
    elif before.split(" ")[-1].lower() in PREPOSITIONS - {"is"}:
        start = len(before) - len(before.split(" ")[-1])
    elif text[start - 1 : start] in _QUOTES:
        start -= 1
    unit = _UNIT.match(text, end)
    end = unit.end() if unit else end
    end += text[end : end + 1] in _QUOTES
    return text[start:end], start, end


def in_a_row(text: str, keys: Sequence[str]) -> bool:
    """Tell whether one of the values stands beside another: ``{a} and {b}``, ``{a}, {b}``.

    A list in its place would not say where it ends: "the two numbers 200, 3 and 63 and -1".
    """
    value, joint = rf"\{{(?:{'|'.join(keys)})\}}", "(?:,| and|, and| or) "
    return re.search(rf"\}}{joint}{value}|{value}{joint}\{{", text) is not None


def fill(template: str, texts: Mapping[str, str]) -> str:
    """Fill in values and mend the spaces around what was left out."""
    text = re.sub(r"\{([\w.]+)\}", lambda match: texts.get(match[1], match[0]), template)
    text = re.sub(r"\s+", " ", text).replace(" ,", ",").replace(" ?", "?").strip()
    return (
        text + ")"
        if text.count("(") > text.count(")") and "(" not in "".join(texts.values())
        else text
    )


def before_mark(question: str, tail: str) -> str:
    """Insert ``tail`` before the final question mark or full stop."""
    mark = "?" if question.endswith("?") else ""
    return question.rstrip("?.") + tail + mark
