"""Answers in JSON that a schema asks for, as ``response_format`` and ``create_agent`` do.

The schema stands in the system text. Its fields take what a question or told facts say, a text
that the model words itself, or what the calls returned: then functions are offered beside it,
and are called first. Now and then they are offered for nothing.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_gorilla.binding import ResponseFormat
from langchain_gorilla.calls import JSONValue
from langchain_gorilla.training.compositions import Compositions
from langchain_gorilla.training.documents import draw_style, offer, title
from langchain_gorilla.training.facts import Facts
from langchain_gorilla.training.prompts import Conversation, Result, Turn, write_calls
from langchain_gorilla.training.requests import Requests, documents
from langchain_gorilla.training.results import draw_maker

_SCHEMAS = ["Answer", "Result", "Record", "Output", "Info", "Summary", "Reply", "Details"]
_GROUPS = ["details", "person", "data", "entry", "info", "subject"]
_SAID = ["answer", "result", "summary", "text", "status", "description", "conclusion", "details"]
_NUMBERS = ["value", "amount", "number", "total", "result", "figure", "temp", "temperature"]
_NUMBERS += ["price", "count", "quantity", "score", "level"]
_NUMBER = re.compile(r"(?<![\w.:/-])-?(?:0|[1-9]\d*)(?:\.\d+)?(?![\w:/-]|[.,]\d)")
_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


@dataclass(frozen=True)
class _Field:
    """A field of the JSON: what tells its value, and how the schema describes it."""

    fact: str
    key: str
    schema: Mapping[str, Any]
    required: bool = True


class Structured:
    """Makes conversations that end in JSON of a schema."""

    def __init__(self, requests: Requests) -> None:
        """Draw from ``requests``."""
        self.requests, self.values = requests, requests.values
        self.rng, self.ask = requests.rng, requests.ask
        self.compositions, self.facts = Compositions(requests), Facts(requests.values)

    def family(self, count: int) -> list[Conversation]:
        """Ask for JSON of one schema, at most ``count`` times; never, where chance will it so."""
        style = self.rng.random()
        if style < 0.2:
            made = self._of_questions(count)
        elif style < 0.65:
            made = self._of_facts(count)
        else:
            made = self._of_results(count) if style < 0.9 else self._of_texts(count)
        return [*made]

    def make(self) -> Conversation | None:
        """Ask for JSON once."""
        return next(iter(self.family(1)), None)

    def _of_questions(self, count: int) -> Iterator[Conversation]:
        """Put what questions say into the fields of what a function would take."""
        function = offer(self.values, self.requests.concept(), draw_style(self.rng))
        name = "".join(word.capitalize() for word in re.split(r"[._]", function.name))
        said = {"title": name, "description": function.document["description"]}
        schema = {**said, **function.document["parameters"]}
        for _ in range(count):
            if asked := self.ask.one(function):
                yield self._answered(asked.question, asked.calls[0].arguments, schema)

    def _of_texts(self, count: int) -> Iterator[Conversation]:
        """Ask for texts in parts, that the model words."""
        keys = self.compositions.keys()
        schema = self._schema({key: {"type": "string"} for key in keys})
        for _ in range(count):
            piece = self.compositions.piece(keys)
            yield self._answered(piece.request, piece.fields, schema)

    def _of_facts(self, count: int) -> Iterator[Conversation]:
        """Put facts that are told into the fields of their names, all or some of them."""
        rng = self.rng
        joint = rng.random() < 0.6
        facts = self.facts.draw(joint=joint)
        wanted = facts if rng.random() < 0.7 else facts[: rng.randint(1, len(facts))]
        fields = [self._field(fact) for fact in wanted]
        keys = {one.key for one in fields}
        name = rng.choice([name for name in _GROUPS if name not in keys])
        group = None if len(fields) == 1 or rng.random() < 0.85 else name
        grouped = fields[: rng.randint(1, len(fields))] if group else []
        rest = [one for one in fields if one not in grouped]
        schema = self._schema_of(rest, group, grouped)
        functions = documents(self.requests.functions()) if rng.random() < 0.2 else ()
        for _ in range(count):
            left_out = {one.fact for one in fields if not one.required and rng.random() < 0.4}
            told = {fact: self.facts.value(fact) for fact in facts if fact not in left_out}
            if not told:
                continue
            inner = {one.key: told[one.fact] for one in grouped if one.fact in told}
            answer = {
                **({group: inner} if group else {}),
                **{one.key: told[one.fact] for one in rest if one.fact in told},
            }
            made = self._answered(self.facts.tell(told, joint=joint), answer, schema, functions)
            # Now and then the first letter is made small: it may be a value's.
            if all(text in (made.turns[0].question or "") for text in _texts(answer)):
                yield made

    def _of_results(self, count: int) -> Iterator[Conversation]:
        """Call a function, and put what it returned into fields, the first argument beside it."""
        rng, requests = self.rng, self.requests
        kind, maker = rng.choice(["simple", "multiple"]), draw_maker(self.values)
        said, number, beside = rng.choice(_SAID), rng.choice(_NUMBERS), rng.random() < 0.7
        as_number = rng.random() < 0.6
        kept: list[str] = []
        schema: dict[str, Any] = {}
        offered_before = requests.offered
        for _ in range(count):
            made = requests.asked(kind)
            if made is None or not made[0].calls[0].arguments:
                continue
            asked, functions = made
            (call,) = asked.calls
            result = Result(call, maker(call))
            fields = _read(result, said, number if as_number else None)
            if fields and not kept:
                kept = rng.sample([*fields], rng.randint(1, len(fields)))
            fields = {name: value for name, value in fields.items() if name in kept}
            name, argument = next(iter(call.arguments.items()))
            if beside and isinstance(argument, str) and name not in fields:
                fields = {name: argument, **fields}
            if not fields or (schema and [*schema["properties"]] != [*fields]):
                continue
            if not schema:
                schema = self._schema({key: _typed(value) for key, value in fields.items()})
                # The next ones are asked of the same functions: they form a family.
                requests.offered = functions
            if not _fits(schema, fields):
                continue
            turns = (
                Turn(self.ask.phrasing.polish(asked.question), (), write_calls(asked.calls)),
                Turn(None, (result,), _json(fields)),
            )
            yield Conversation(
                "structured",
                documents(functions),
                turns,
                system=ResponseFormat(schema).instruction(),
                calls=asked.calls,
                schema=schema,
            )
        requests.offered = offered_before

    def _answered(
        self,
        question: str,
        answer: Mapping[str, JSONValue],
        schema: Mapping[str, Any],
        functions: tuple[Mapping[str, Any], ...] = (),
    ) -> Conversation:
        turn = Turn(self.ask.phrasing.polish(question), (), _json(answer))
        system = ResponseFormat(schema).instruction()
        return Conversation("structured", functions, (turn,), system=system, schema=schema)

    def _field(self, fact: str) -> _Field:
        key, schema = self.facts.key(fact), self.facts.schema(fact)
        if self.rng.random() < 0.12:
            return _Field(fact, key, {"anyOf": [schema, {"type": "null"}], "default": None}, False)
        return _Field(fact, key, schema)

    def _schema_of(
        self, fields: Sequence[_Field], group: str | None, grouped: Sequence[_Field]
    ) -> dict[str, Any]:
        """Write the schema of fields, some of them in an object of their own."""
        optional = {one.key for one in fields if not one.required}
        properties = {one.key: one.schema for one in fields}
        if group is None:
            return self._schema(properties, optional)
        inner = self._schema(
            {one.key: one.schema for one in grouped},
            {one.key for one in grouped if not one.required},
        )
        if self.rng.random() < 0.3:
            return self._schema({group: inner, **properties}, optional)
        name = f"{group.capitalize()}Part"
        referred = {group: {"$ref": f"#/$defs/{name}"}, **properties}
        return {"$defs": {name: {**inner, "title": name}}, **self._schema(referred, optional)}

    def _schema(
        self, properties: Mapping[str, Mapping[str, Any]], optional: set[str] | None = None
    ) -> dict[str, Any]:
        """Write the schema of an object, as Pydantic or a person writes it."""
        rng = self.rng
        titled, described = rng.random() < 0.4, rng.random() < 0.3
        written = {
            name: one
            if "$ref" in one or "properties" in one
            else {
                **({"title": title(name)} if titled else {}),
                **({"description": f"The {name.replace('_', ' ')}."} if described else {}),
                **one,
            }
            for name, one in properties.items()
        }
        schema = {
            "title": rng.choice(_SCHEMAS),
            "properties": written,
            "required": [name for name in written if name not in (optional or ())],
            "type": "object",
        }
        if rng.random() < 0.4:
            schema["description"] = rng.choice(["What was asked for.", "The answer.", "A record."])
        order = rng.choice(
            [["title", "description"], ["description", "properties", "required", "title"], ["type"]]
        )
        return {key: schema[key] for key in [*order, *schema] if key in schema}


def _texts(value: JSONValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _read(result: Result, said: str, number: str | None) -> dict[str, JSONValue]:
    """Read what a result says, by name; nothing from an empty one and from lists.

    Args:
        result: A record, or a text.
        said: The field of a text.
        number: The field of the only number of a text; None to take the text whole.
    """
    content = result.content.strip()
    try:
        record = json.loads(content)
    except json.JSONDecodeError:
        record = content
    if isinstance(record, dict):
        return {name: value for name, value in record.items() if type(value) in _JSON_TYPES}
    if isinstance(record, list) or content in ("", "null", "None"):
        return {}
    numbers = _NUMBER.findall(content)
    return {number: json.loads(numbers[0])} if number and len(numbers) == 1 else {said: content}


def _typed(value: JSONValue) -> dict[str, Any]:
    return {"type": "number" if type(value) is float else _JSON_TYPES[type(value)]}


def _fits(schema: Mapping[str, Any], fields: Mapping[str, JSONValue]) -> bool:
    wanted = [one["type"] for one in schema["properties"].values()]
    found = [_JSON_TYPES[type(value)] for value in fields.values()]
    return all(
        one == other or (one == "number" and other == "integer")
        for one, other in zip(wanted, found, strict=True)
    )


def _json(fields: Mapping[str, JSONValue]) -> str:
    return json.dumps(fields, ensure_ascii=False)
