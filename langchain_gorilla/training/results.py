"""What functions return, and the one short answer that says it.

The answer is a rule, not a style: everything that came back since the human spoke is in it,
in order, so that a small model can learn it and a test can check it.

    a sentence                       stays as it is: "Order A7 is shipped."
    a word that says it worked       "Done: sent."
    text, first argument is words    "Paris: 22 C, sunny."
    text, otherwise                  "The result is 84."
    several such texts in a row      "The results are 84 and 60."
    JSON                             "Paris: temperature 22, condition sunny."
    nothing                          "Paris: nothing found."
    an error                         "Paris failed: unknown city."
"""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache

from langchain_gorilla.calls import FunctionCall, JSONValue
from langchain_gorilla.training.prompts import Result
from langchain_gorilla.training.values import Values, data_text

DONE = frozenset(
    [
        "ok",
        "success",
        "done",
        "sent",
        "created",
        "saved",
        "deleted",
        "updated",
        "booked",
        "true",
        "completed",
        "accepted",
    ]
)

_WRAPPED_ERROR = re.compile(r"Error: \w+\((['\"])(.*)\1\)\n Please fix your mistakes\.", re.DOTALL)

Maker = Callable[[FunctionCall], str]
"""Makes the content that a call returned. One maker gives contents of one shape."""


@cache
def templates(kind: str) -> tuple[str, ...]:
    """Give the lines of one kind of ``results.txt``."""
    lines = data_text("results.txt").split("\n")
    return tuple(line[len(kind) + 2 :] for line in lines if line.startswith(f"{kind}: "))


def fill(values: Values, template: str, call: FunctionCall) -> str:
    """Fill a template's kinds and what it says of the call."""
    name, argument = next(iter(call.arguments.items()), ("request", "it"))
    known = {"arg": say(argument), "name": name.replace("_", " "), "function": call.name}
    return re.sub(
        r"\{([a-z]+)\}", lambda match: known.get(match[1], match[0]), values.fill(template)
    )


def as_error(values: Values, text: str) -> str:
    """Write an error as a tool gives it, or as LangGraph's ``ToolNode`` writes an exception."""
    if values.rng.random() < 0.5:
        return text
    kind = values.rng.choice(["ValueError", "ValueError", "KeyError", "RuntimeError"])
    return f"Error: {kind}({text!r})\n Please fix your mistakes."


def draw_maker(values: Values) -> Maker:
    """Draw the shape of what a function returns: text, a sentence, JSON, nothing."""
    rng, style = values.rng, values.rng.random()
    if style < 0.4:
        text = rng.choice(templates("text"))
        return lambda call: fill(values, text, call)
    if style < 0.55:
        text = rng.choice(templates("sentence"))
        return lambda call: fill(values, text, call)
    if style < 0.62:
        word = rng.choice(templates("done"))
        return lambda call: word
    if style < 0.83:
        fields = rng.sample(templates("field"), rng.choice([1, 2, 2, 3, 3, 4]))
        return lambda call: _json(_record(values, fields))
    if style < 0.9:
        kind = rng.choice(
            ["TITLE", "PERSON", "CODE", "WORD", "CITY", "PROD", "FLT", "INT", "EVENT"]
        )
        return lambda call: _json([values.draw(kind) for _ in range(rng.randint(1, 4))])
    if style < 0.97:
        fields = rng.sample(templates("field"), rng.choice([1, 2, 2, 3]))
        return lambda call: _json([_record(values, fields) for _ in range(rng.randint(1, 3))])
    nothing = rng.choice(["", "[]", "[]", "{}", "null", "None"])
    return lambda call: nothing


def _record(values: Values, fields: Sequence[str]) -> dict[str, JSONValue]:
    record: dict[str, JSONValue] = {}
    for field in fields:
        name, kind = field.split(" ")
        record[name] = values.rng.random() < 0.5 if kind == "BOOL" else values.draw(kind)
    return record


def _json(value: JSONValue) -> str:
    return json.dumps(value, ensure_ascii=False)


def say(value: JSONValue) -> str:
    """Say a JSON value in words: ``{"a_b": 1}`` is ``a b 1``, lists are joined by commas."""
    if value is True or value is False:
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {say(item)}" for key, item in value.items())
    if isinstance(value, list):
        joint = "; " if any(isinstance(item, dict) for item in value) else ", "
        return joint.join(say(item) for item in value)
    return str(value)


def label(call: FunctionCall, others: Sequence[FunctionCall]) -> str:
    """Say which call this is: its first argument, or the first that differs; ``""`` for none.

    Only plain words are labels: no digits, no addresses, at most 32 characters.
    """
    alike = [other for other in others if other.name == call.name and other != call]
    for name, value in call.arguments.items():
        if alike and all(other.arguments.get(name) == value for other in alike):
            continue
        plain = isinstance(value, str) and 0 < len(value) <= 32
        return value if plain and not re.search(r"[\d@\n/]", value) else ""
    return ""


def answer(results: Sequence[Result]) -> str:
    """Say in a sentence or two what the calls returned; see the head of this file."""
    calls = [one.call for one in results]
    parts: list[str] = []
    unlabelled: list[str] = []

    def flush() -> None:
        if len(unlabelled) == 1:
            parts.append(f"The result is {unlabelled[0]}.")
        elif unlabelled:
            parts.append(f"The results are {', '.join(unlabelled[:-1])} and {unlabelled[-1]}.")
        unlabelled.clear()

    for one in results:
        name, (text, kind) = label(one.call, calls), _read(one)
        if kind == "text" and not name:
            unlabelled.append(text)
            continue
        flush()
        if kind == "error":
            parts.append(f"{name or 'The call'} failed: {text}.")
        elif kind == "sentence":
            parts.append(text)
        elif kind == "done":
            parts.append("Done." if text.lower() == "done" else f"Done: {text}.")
        elif kind == "nothing":
            parts.append(f"{name}: nothing found." if name else "Nothing was found.")
        else:
            parts.append(f"{name}: {text}." if name else f"Result: {text}.")
    flush()
    return " ".join(parts)


def _read(result: Result) -> tuple[str, str]:
    """Give what a result says, and its kind."""
    content = result.content.strip()
    if result.is_error:
        wrapped = _WRAPPED_ERROR.fullmatch(content)
        return (wrapped[2] if wrapped else content).rstrip("."), "error"
    if content[:1] in ("{", "["):
        with suppress(json.JSONDecodeError):  # a text may begin so, too: "[a-z]+ was saved."
            value = json.loads(content)
            return (say(value).rstrip("."), "json") if value else ("", "nothing")
    if content in ("", "null", "None"):
        return "", "nothing"
    if content.rstrip(".").lower() in DONE:
        return content.rstrip("."), "done"
    if content[-1] in ".!" and " " in content:
        return content, "sentence"
    return content.rstrip("."), "text"
