"""Answers in JSON that a schema asks for, as ``response_format`` and ``create_agent`` do.

The schema stands in the system text. A question or a statement is put into its fields, or what
the calls returned is: then functions are offered beside it, and are called first.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from langchain_gorilla.binding import ResponseFormat
from langchain_gorilla.calls import JSONValue
from langchain_gorilla.training.compositions import FACTS
from langchain_gorilla.training.documents import draw_style, offer, title
from langchain_gorilla.training.prompts import Conversation, Result, Turn, write_calls
from langchain_gorilla.training.requests import Requests, documents
from langchain_gorilla.training.results import draw_maker

_FACTS = [*FACTS, ("title", "TITLE"), ("event", "EVENT"), ("animal", "ANIMAL"), ("topic", "TOPIC")]
_FACTS += [("temperature", "SMALL"), ("count", "INT"), ("email", "EMAIL")]
_SAYING = ["The {key} is {value}.", "{key}: {value}", "{value} is the {key}.", "{key} {value}"]
_SAYING += ["Its {key} is {value}.", "It has the {key} {value}.", "{key} = {value}"]
_SCHEMAS = ["Answer", "Result", "Record", "Output", "Info", "Summary", "Reply", "Details"]
_SAID = ["answer", "result", "summary", "text", "status", "description", "conclusion", "details"]
_NUMBERS = ["value", "amount", "number", "total", "result", "figure", "temp", "temperature"]
_NUMBERS += ["price", "count", "quantity", "score", "level"]
_NUMBER = re.compile(r"(?<![\w.:/-])-?(?:0|[1-9]\d*)(?:\.\d+)?(?![\w:/-]|[.,]\d)")
_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


class Structured:
    """Makes conversations that end in JSON of a schema."""

    def __init__(self, requests: Requests) -> None:
        """Draw from ``requests``."""
        self.requests, self.values = requests, requests.values
        self.rng, self.ask = requests.rng, requests.ask

    def make(self) -> Conversation | None:
        """Ask for JSON of a question, of a statement, or of what calls returned."""
        style = self.rng.random()
        if style < 0.3:
            return self._of_question()
        return self._of_statement() if style < 0.55 else self._of_results()

    def _of_question(self) -> Conversation | None:
        """Put what a question says into the fields of what a function would take."""
        function = offer(self.values, self.requests.concept(), draw_style(self.rng))
        asked = self.ask.one(function)
        if asked is None:
            return None
        schema = function.document["parameters"]
        name = "".join(word.capitalize() for word in re.split(r"[._]", function.name))
        described = {"title": name, "description": function.document["description"], **schema}
        turn = Turn(self.ask.phrasing.polish(asked.question), (), _json(asked.calls[0].arguments))
        return Conversation("structured", (), (turn,), system=_instruction(described))

    def _of_statement(self) -> Conversation:
        """Put facts that are told into the fields of their names."""
        rng = self.rng
        chosen = rng.sample(_FACTS, rng.choice([1, 2, 2, 3, 3, 4]))
        fields = {name: self.values.draw(kind) for name, kind in chosen}
        told = [*fields.items()]
        rng.shuffle(told)
        saying = rng.choice(_SAYING) if rng.random() < 0.5 else None
        parts = [
            (saying or rng.choice(_SAYING)).replace("{key}", name).replace("{value}", str(value))
            for name, value in told
        ]
        joint = " " if all(part[-1] == "." for part in parts) else rng.choice([", ", "; ", "\n"])
        return Conversation(
            "structured",
            (),
            (Turn(self.ask.phrasing.polish(joint.join(parts)), (), _json(fields)),),
            system=_instruction(self._schema(fields)),
        )

    def _of_results(self) -> Conversation | None:
        """Call a function, and put what it returned into fields, the first argument beside it."""
        made = self.requests.asked(self.rng.choice(["simple", "multiple"]))
        if made is None or not made[0].calls[0].arguments:
            return None
        asked, functions = made
        (call,) = asked.calls
        result = Result(call, draw_maker(self.values)(call))
        fields = self._read(result)
        name, argument = next(iter(call.arguments.items()))
        if fields is None:
            return None
        if isinstance(argument, str) and name not in fields and self.rng.random() < 0.7:
            fields = {name: argument, **fields}
        turns = (
            Turn(self.ask.phrasing.polish(asked.question), (), write_calls(asked.calls)),
            Turn(None, (result,), _json(fields)),
        )
        return Conversation(
            "structured",
            documents(functions),
            turns,
            system=_instruction(self._schema(fields)),
            calls=asked.calls,
        )

    def _read(self, result: Result) -> dict[str, JSONValue] | None:
        """Give some of what a result says, by name; None of an empty one and of lists."""
        content = result.content.strip()
        try:
            record = json.loads(content)
        except json.JSONDecodeError:
            record = content
        if isinstance(record, dict) and record:
            kept = self.rng.sample([*record], self.rng.randint(1, len(record)))
            return {name: record[name] for name in record if name in kept}
        if isinstance(record, dict | list) or content in ("", "null", "None"):
            return None
        numbers = _NUMBER.findall(content)
        if len(numbers) == 1 and self.rng.random() < 0.6:
            return {self.rng.choice(_NUMBERS): json.loads(numbers[0])}
        return {self.rng.choice(_SAID): content}

    def _schema(self, fields: Mapping[str, JSONValue]) -> dict[str, Any]:
        """Write the schema of an object with these fields, as Pydantic or a person writes it."""
        rng = self.rng
        titled, described = rng.random() < 0.4, rng.random() < 0.3
        properties: dict[str, Any] = {}
        for name, value in fields.items():
            kind = (
                "number" if type(value) is int and rng.random() < 0.2 else _JSON_TYPES[type(value)]
            )
            properties[name] = {
                **({"title": title(name)} if titled else {}),
                **({"description": f"The {name.replace('_', ' ')}."} if described else {}),
                "type": kind,
            }
        schema = {
            "title": rng.choice(_SCHEMAS),
            "properties": properties,
            "required": [*fields],
            "type": "object",
        }
        if rng.random() < 0.4:
            schema["description"] = rng.choice(["What was asked for.", "The answer.", "A record."])
        order = rng.choice(
            [["title", "description"], ["description", "properties", "required", "title"], ["type"]]
        )
        return {key: schema[key] for key in [*order, *schema] if key in schema}


def _instruction(schema: Mapping[str, Any]) -> str:
    return ResponseFormat(schema).instruction()


def _json(fields: Mapping[str, JSONValue]) -> str:
    return json.dumps(fields, ensure_ascii=False)
