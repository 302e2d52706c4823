"""Answers that the model words itself: free text in a call's arguments, and JSON objects.

Structured output asks for both. The wording is a rule (``A poem about rain.``), so that a small
model learns to fill every field and to stop.
"""

import json
from dataclasses import dataclass

from langchain_gorilla.calls import FunctionCall, JSONValue
from langchain_gorilla.training.documents import title
from langchain_gorilla.training.prompts import Conversation, Turn, write_calls
from langchain_gorilla.training.requests import Requests

_NOUNS = [
    "poem",
    "story",
    "letter",
    "slogan",
    "headline",
    "riddle",
    "fact",
    "tip",
    "review",
    "song",
]
_NOUNS += ["summary", "note", "toast", "recipe", "quiz", "speech", "caption", "proverb", "tale"]
_FIRST = ["title", "topic", "subject", "heading", "opening", "question", "theme"]
_SECOND = ["text", "body", "content", "ending", "answer", "lines", "closing", "message"]
_ASKING = ["Write a {noun} about {topic}", "Tell me a {noun} about {topic}"]
_ASKING += ["Make up a {noun} about {topic}", "Give me a {noun} on {topic}", "{topic}: a {noun}"]
_ASKING += ["I would like a {noun} about {topic}", "Can you write me a {noun} about {topic}?"]
_AS_JSON = ["Return the result as JSON with {keys} keys", "Answer as JSON with the keys {keys}"]
_AS_JSON += ["Respond with a JSON object that has {keys}", "Return a JSON object with {keys}"]
_AS_JSON += ["Output JSON only, with the fields {keys}"]
_NOTHING_ELSE = ["", "", " Return nothing else.", " Nothing other than JSON.", " Only the JSON."]
FACTS = [("name", "PERSON"), ("age", "SMALL"), ("city", "CITY"), ("job", "JOB"), ("date", "DATE")]
FACTS += [("company", "COMPANY"), ("price", "FLT"), ("product", "PROD"), ("country", "COUNTRY")]
"""What people put into records: a name and the kind of its values."""


@dataclass(frozen=True)
class Piece:
    """What is to be written: fields with their values, and the request for them."""

    noun: str
    request: str
    fields: dict[str, JSONValue]


class Compositions:
    """Makes conversations in which the model words fields itself."""

    def __init__(self, requests: Requests) -> None:
        """Draw from ``requests``."""
        self.values = requests.values
        self.rng = requests.rng
        self.ask = requests.ask

    def keys(self) -> tuple[str, str]:
        """Draw the names of a text's two parts: what it is about, and what it says."""
        return self.rng.choice(_FIRST), self.rng.choice(_SECOND)

    def piece(self, keys: tuple[str, str]) -> Piece:
        """Draw a text of two parts of these names."""
        rng = self.rng
        noun, topic = rng.choice(_NOUNS), str(self.values.draw(rng.choice(["TOPIC", "ANIMAL"])))
        request = rng.choice(_ASKING).replace("{noun}", noun).replace("{topic}", topic)
        fields: dict[str, JSONValue] = {
            keys[0]: topic[:1].upper() + topic[1:],
            keys[1]: f"{'An' if noun[0] in 'aeiou' else 'A'} {noun} about {topic}.",
        }
        return Piece(noun, request, fields)

    def call(self) -> Conversation:
        """Ask for a text through a function with a field for each part of it."""
        rng, piece = self.rng, self.piece(self.keys())
        name = rng.choice([piece.noun.capitalize(), piece.noun, f"write_{piece.noun}"])
        rated = rng.random() < 0.4
        properties = {
            field: {"description": f"The {field} of the {piece.noun}", "type": "string"}
            if rng.random() < 0.6
            else {"type": "string"}
            for field in piece.fields
        }
        if rated:
            text = f"How good the {piece.noun} is, from 1 to 10"
            properties["rating"] = {"type": "integer", "description": text}
        if rng.random() < 0.3:
            properties = {key: {"title": title(key), **one} for key, one in properties.items()}
        required = [*piece.fields] if rng.random() < 0.6 else [next(iter(piece.fields))]
        document = {
            "name": name,
            "description": rng.choice(
                [f"A {piece.noun} to tell the user", f"Write a {piece.noun}"]
            ),
            "parameters": {"properties": properties, "required": required, "type": "object"},
        }
        calls = (FunctionCall(name, piece.fields),)
        turn = Turn(self.ask.phrasing.polish(piece.request), (), write_calls(calls))
        return Conversation("compose", (document,), (turn,), calls=calls)

    def json_object(self) -> Conversation:
        """Ask for JSON: a text in parts, or facts that the request tells."""
        rng = self.rng
        if rng.random() < 0.5:
            piece = self.piece(self.keys())
            request, fields = piece.request, piece.fields
        else:
            chosen = rng.sample(FACTS, rng.choice([2, 2, 3, 4]))
            fields = {name: self.values.draw(kind) for name, kind in chosen}
            told = ", ".join(f"{name} {value}" for name, value in fields.items())
            request = f"{rng.choice(['Extract the data', 'Here is a record', 'Read this'])}: {told}"
        quote = rng.choice(["'", "'", '"', "`", ""])
        keys = [f"{quote}{name}{quote}" for name in fields]
        wanted = rng.choice(_AS_JSON).replace("{keys}", f"{', '.join(keys[:-1])} and {keys[-1]}")
        text = f"{request}{'' if request[-1] in '.?' else '.'} {wanted}.{rng.choice(_NOTHING_ELSE)}"
        return Conversation("json", (), (Turn(text, (), json.dumps(fields, ensure_ascii=False)),))
