"""Concepts as functions that are offered to the model: a name, a schema, a document.

One concept gives many functions: other names, key orders (OpenAI's by hand, LangChain's from
a signature or a docstring), parameters left out, choices with and without ``enum``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from langchain_gorilla.aliases import identifier
from langchain_gorilla.calls import FunctionCall, JSONValue
from langchain_gorilla.training.concepts import Concept, Parameter
from langchain_gorilla.training.values import NUMBER_TYPES, Values, data_text


@dataclass(frozen=True)
class Style:
    """How the documents of one prompt are written.

    Attributes:
        langchain: Key order and defaults of ``convert_to_openai_tool``, else by hand.
        described: Parameters have descriptions.
        titled: Parameters have a title, as pydantic writes it and MCP servers send it.
    """

    langchain: bool
    described: bool
    titled: bool = False


def draw_style(rng: Random) -> Style:
    """Draw a style; LangChain's often has no parameter descriptions, like a bare signature."""
    langchain = rng.random() < 0.45
    return Style(langchain, rng.random() < (0.55 if langchain else 0.88), rng.random() < 0.06)


@dataclass(frozen=True)
class Slot:
    """A parameter as one function has it.

    Attributes:
        parameter: What it comes from.
        name: Its name in this function.
        json_type: ``string``, ``integer``, ``number``, ``boolean``, ``array`` or ``object``.
        choices: The values of its ``enum``, () for none.
        schema: Its JSON schema.
        form: How its document wants a value that people write in another way: ``decimal`` is
            0.05 for 5%, ``iso`` a date such as 2024-03-11, ``clock`` a time such as 15:30; ""
            where it is written as it is.
    """

    parameter: Parameter
    name: str
    json_type: str
    choices: tuple[str, ...]
    schema: Mapping[str, JSONValue]
    form: str = ""


@dataclass(frozen=True)
class OfferedFunction:
    """A concept as one function of a prompt.

    Attributes:
        concept: What it comes from.
        name: The name that calls use.
        slots: In the order of the document, which is the order of arguments in calls.
        document: The OpenAI function object.
    """

    concept: Concept
    name: str
    slots: tuple[Slot, ...]
    document: Mapping[str, Any]

    def call(self, arguments: Mapping[str, JSONValue]) -> FunctionCall:
        """Make a call from values by parameter key, in the order of the document."""
        return FunctionCall(
            self.name,
            {
                slot.name: arguments[slot.parameter.key]
                for slot in self.slots
                if slot.parameter.key in arguments
            },
        )


def camel_case(name: str) -> str:
    """``user_id`` to ``userId``."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def title(name: str) -> str:
    """``user_id`` to ``User Id``, as pydantic titles a field."""
    return name.replace("_", " ").title()


def json_type(rng: Random, kind: str) -> str:
    """Give the JSON type of a kind; numbers of kind FLT are sometimes declared integer."""
    if kind.startswith("LIST("):
        return "array"
    if kind.startswith("OBJ("):
        return "object"
    if kind == "BOOL":
        return "boolean"
    if kind == "FLT" and rng.random() < 0.35:
        return "integer"
    return NUMBER_TYPES.get(kind, "string")


def fields(kind: str) -> dict[str, str]:
    """Read the fields of ``OBJ(name:KIND,name:KIND)``."""
    pairs = (part.split(":") for part in kind[4:-1].split(","))
    return {name.strip(): part.strip() for name, part in pairs}


def draw_value(values: Values, slot: Slot) -> JSONValue:
    """Draw an argument that fits a slot."""
    rng, kind = values.rng, slot.parameter.kind
    if slot.json_type == "array" and slot.choices:
        return rng.sample(slot.choices, min(len(slot.choices), rng.choice([1, 1, 2])))
    if slot.parameter.choices:
        choice = rng.choice(slot.choices or slot.parameter.choices)
        return int(choice) if slot.json_type == "integer" else choice
    if kind == "BOOL":
        return True
    if slot.json_type == "array":
        item = kind[5:-1]
        whole = item == "FLT" and rng.random() < 0.6
        drawn = [values.draw("INT" if whole else item) for _ in range(rng.randint(2, 5))]
        if NUMBER_TYPES.get(item):
            return drawn
        return list(dict.fromkeys(str(one).split(",")[0] for one in drawn))
    if slot.json_type == "object":
        return {name: values.draw(part) for name, part in fields(kind).items()}
    if slot.form == "decimal":
        return round(float(str(values.draw("PCT"))) / 100, 4)
    if slot.form == "iso":
        return values.iso_date()
    if slot.form == "clock":
        return values.clock()
    if slot.json_type == "integer" and kind in ("FLT", "PCT"):
        return values.integer()
    return values.draw(kind)


OPTIONS_SHARE = 0.3
"""Share of functions with optional parameters that no question of their concept speaks of: what
was not said is left out, whatever else in the question would fit."""


@cache
def options() -> tuple[Parameter, ...]:
    """Read ``options.txt``: optional parameters that any function may have."""
    found = []
    for place, line in enumerate(data_text("options.txt").strip().split("\n")):
        head, _, texts = line.partition(" : ")
        names, kind = head.rsplit(" ", 1)
        spoken = tuple(text.strip() for text in texts.split(";"))
        written = tuple(name.strip() for name in names.split(","))
        found.append(Parameter(f"option{place}", kind, written, spoken, optional=True))
    return tuple(found)


def offer(values: Values, concept: Concept, style: Style) -> OfferedFunction:
    """Make a function of a concept, with its own name, parameters and document."""
    rng = values.rng
    slots: list[Slot] = []
    for one in concept.parameters:
        if one.optional and rng.random() < 0.3:
            continue
        slots.append(_slot(rng, one, style, {slot.name for slot in slots}))
    if rng.random() < OPTIONS_SHARE:
        for one in rng.sample(options(), rng.choice([1, 1, 2, 2, 3])):
            if not {slot.name for slot in slots} & {*one.names}:
                slots.append(_slot(rng, one, style, set()))
    if rng.random() < 0.2:
        rng.shuffle(slots)
    name = _function_name(values, rng.choice(concept.names))
    description = _description(rng, rng.choice(concept.descriptions))
    required = [slot.name for slot in slots if not slot.parameter.optional]
    properties = {slot.name: dict(slot.schema) for slot in slots}
    parameters: dict[str, Any]
    if style.langchain:
        parameters = {"properties": properties}
        if required:
            parameters["required"] = required
        parameters["type"] = "object"
    else:
        parameters = {"type": "object", "properties": properties, "required": required}
        if rng.random() < 0.1 and not required:
            del parameters["required"]
    document = {"name": name, "description": description, "parameters": parameters}
    return OfferedFunction(concept, name, tuple(slots), document)


def _slot(rng: Random, one: Parameter, style: Style, taken: set[str]) -> Slot:
    name = rng.choice(one.names)
    if name in taken:
        name = one.names[0]
    if name in taken:
        name += "_2"
    if rng.random() < 0.04:
        name = camel_case(name)
    name = identifier(name)  # as ChatGorilla shows it: from_ for from
    kind = json_type(rng, one.kind)
    if one.choices and all(choice.isdecimal() for choice in one.choices) and rng.random() < 0.7:
        kind = "integer"
    choices: list[str] = []
    if one.choices and rng.random() < 0.7:
        choices = list(one.choices)
        rng.shuffle(choices)
        choices = choices[: max(2, rng.randint(2, len(choices)))]
    schema: dict[str, Any] = {"type": kind}
    if choices and kind == "string" and rng.random() < 0.08:
        kind, schema = "array", {"type": "array", "items": {"type": "string", "enum": choices}}
    elif kind == "array":
        item = one.kind[5:-1]
        schema["items"] = {"type": {"INT": "integer"}.get(item, NUMBER_TYPES.get(item, "string"))}
    if kind == "object":
        parts = fields(one.kind)
        types = {name: {"type": NUMBER_TYPES.get(part, "string")} for name, part in parts.items()}
        schema["properties"], schema["required"] = types, list(parts)
    form = ""
    if style.described:
        text = schema["description"] = _slot_text(rng, one, choices)
        if one.kind == "PCT" and kind == "number" and rng.random() < 0.35:
            form = "decimal"
            schema["description"] = _PERCENT.sub("", text).rstrip(".") + rng.choice(_AS_DECIMAL)
        elif kind == "string" and one.kind in _FORMS and not _EXAMPLE.search(text):
            is_said = "YYYY-MM-DD" in text
            if is_said or rng.random() < 0.4:
                form, endings = _FORMS[one.kind]
                if not is_said:
                    schema["description"] = text.rstrip(".") + rng.choice(endings)
    if one.kind == "DATE" and kind == "string" and rng.random() < (0.2 if form else 0.08):
        schema["format"], form = "date", "iso"
    if choices and kind != "array":
        schema["enum"] = [int(one) for one in choices] if kind == "integer" else choices
    if style.titled:
        schema = {"title": title(name), **schema}
    if style.langchain:
        schema = {key: schema[key] for key in sorted(schema)}
        if one.optional:
            schema = _optional_schema(rng, schema, choices if kind != "array" else ())
    return Slot(one, name, kind, tuple(choices), schema, form)


def _optional_schema(rng: Random, schema: dict[str, Any], choices: Sequence[str]) -> dict[str, Any]:
    """Write a parameter with a default as pydantic does: ``None``, or a value of its type."""
    if rng.random() < 0.5 and not choices:
        base = {key: schema[key] for key in schema if key != "description"}
        text = {key: schema[key] for key in schema if key == "description"}
        return {"anyOf": [base, {"type": "null"}], "default": None, **text}
    if choices:
        return {"default": schema["enum"][0], **schema}
    default: JSONValue = {"string": "", "boolean": False, "integer": 1, "number": 1.0}.get(
        schema["type"]
    )
    return schema if default is None else {"default": default, **schema}


def _slot_text(rng: Random, one: Parameter, choices: Sequence[str]) -> str:
    text = rng.choice(one.descriptions)
    options = list(choices) or list(one.choices)
    if options and rng.random() < 0.3:
        text = text.rstrip(".") + ". "
        kinds = [f"e.g. '{options[0]}'", f"Options: {', '.join(options)}"]
        if len(options) == 2:
            kinds.append(f"Either '{options[0]}' or '{options[1]}'")
        text += rng.choice(kinds)
    if one.optional and rng.random() < 0.3:
        text += rng.choice(
            [". Optional", ". Default is None", " (optional)", ". Optional parameter"]
        )
        if options:
            text += rng.choice(["", f". Default is '{options[0]}'.", f". Defaults to {options[0]}"])
    elif rng.random() < 0.12:
        text = text.rstrip(".") + rng.choice(_REMARKS if one.optional else _REMARKS + _DEMANDS)
    return text


_PERCENT = re.compile(r",? (?:in|as a) (?:percent(?:age)?|%)(?: of 100)?| \((?:percent|%)\)")
_AS_DECIMAL = (
    " as a decimal",
    ". As a decimal, e.g. 0.05 for 5%",
    " (decimal, between 0 and 1)",
    ", a fraction such as 0.2",
)
"""How the description of a share says that it is no percentage."""

_EXAMPLE = re.compile(r"e\.g\.|such as|[ap]m\b", re.IGNORECASE)
_FORMS = {
    "DATE": (
        "iso",
        (
            " (YYYY-MM-DD)",
            ", as YYYY-MM-DD",
            " in YYYY-MM-DD format",
            ". Format: YYYY-MM-DD",
            " in the format YYYY-MM-DD, e.g. 2024-07-31",
            ", an ISO 8601 date",
        ),
    ),
    "TIME": (
        "clock",
        (
            " (HH:MM)",
            ", as HH:MM",
            " in 24-hour format",
            ". Format: HH:MM (24 hours)",
            " in 24-hour time, e.g. 14:30",
        ),
    ),
}
"""How the description of a date or a time says in which form it is wanted."""

_REMARKS = (
    ". Must not be empty.",
    " that is used for the request.",
    ". Case does not matter.",
    " to use.",
    " in the request",
    ". Do not guess it.",
)
"""What the descriptions of parameters sometimes end with."""

_DEMANDS = (". This is required.", ". It must be given by the user.")
"""Likewise, of those that no call leaves out."""


def _function_name(values: Values, name: str) -> str:
    rng, style = values.rng, values.rng.random()
    if style < 0.05:
        return ".".join(camel_case(part) for part in name.split("."))
    if style < 0.08 and "." not in name:
        owner = rng.choice(["api", "tools", "utils", "service", "client", values.syllables(2, 2)])
        return f"{owner}.{name}"
    if style < 0.11:
        return name + rng.choice(["_v2", "_tool", "_api", "_info", "_fn"])
    return name


def _description(rng: Random, text: str) -> str:
    style = rng.random()
    if style < 0.06:
        return f"This function {text[0].lower()}{text[1:]}"
    if style < 0.4:
        return f"{text}."
    if style < 0.45:
        endings = [
            " and return the result.",
            ". Returns a string.",
            ". Use this tool when asked.",
            ". The result is a JSON object.",
            " based on the given parameters.",
            " according to the provided details.",
            ". Raises an error if nothing is found.",
            ", using the service's public API.",
        ]
        return text + rng.choice(endings)
    return text
