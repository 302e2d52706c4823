"""A guess at how one call goes on: which argument comes next, and with which value.

Arguments come in the schema's order, the required ones and those that the question mentions;
values are what the question says, beside the parameter's own words where it can be told.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from langchain_gorilla.calls import CallSyntax, Literals
from langchain_gorilla.engines.question import Question, stems
from langchain_gorilla.engines.written_call import Bracket, Written
from langchain_gorilla.functions import FunctionSchema

NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
Schema: TypeAlias = Mapping[str, Any]


class CallGuess:
    """A call that is being written."""

    def __init__(
        self,
        question: Question,
        syntax: CallSyntax,
        function: FunctionSchema,
        written: Written,
        calls: str,
    ) -> None:
        """Look at a call.

        Args:
            question: What it takes its values from.
            syntax: How calls are written.
            function: Which is called.
            written: How far the call is.
            calls: The answer from its first call on, up to here.
        """
        self._question = question
        self._syntax = syntax
        self._function = function
        self._written = written
        self._calls = calls
        quotes = re.findall(r"=(['\"])", calls)
        self._quote = quotes[-1] if quotes else syntax.quote

    def step(self) -> str:
        """Give the next piece: a key, a value, or what closes it; empty where nothing is known."""
        now = self._written.brackets[-1]
        owner, schema = self._schemas()
        tail = self._written.tail
        wants_key = now.key is None and now.kind != "["
        if self._written.quote is not None:
            if wants_key:
                return self._key(now, owner, tail, self._written.quote)
            return self._text(tail, now, schema)
        if wants_key and not now.values:
            if now.kind == "{":
                return self._key(now, owner, "", None) if not tail else ""
            return self._key(now, owner, tail, None)
        if not now.values:
            space = " " if now.kind == "[" and self._calls.endswith(",") else ""
            value = self._value(schema, now)
            return space + value if value else ""
        if tail and (rest := self._rest_of_word(tail, schema, now)):
            return rest
        return self._following(now, owner)

    # --- Schemas ---

    def _schemas(self) -> tuple[Schema, Schema]:
        """Give the schema of what the innermost bracket holds, and of the value written in it."""
        schema: Schema = self._function.parameters
        value: Schema = {}
        for number, bracket in enumerate(self._written.brackets):
            if number:
                schema = value
            if bracket.kind == "[":
                items = schema.get("items")
                value = _plain(items if isinstance(items, Mapping) else {})
            else:
                properties = schema.get("properties") or {}
                value = _plain(properties.get(bracket.key or "", {}))
        return schema, value

    # --- Keys ---

    def _key(self, now: Bracket, owner: Schema, begun: str, quote: str | None) -> str:
        space = " " if now.keys and self._calls.endswith(",") else ""
        key = self._next_key(now, owner, begun)
        if key is None:
            return ""
        if now.kind == "(":
            return f"{space}{key[len(begun) :]}="
        opened = "" if quote else (quote := self._quote)
        return f"{space}{opened}{key[len(begun) :]}{quote}: "

    def _next_key(self, now: Bracket, owner: Schema, begun: str) -> str | None:
        properties: Schema = owner.get("properties") or {}
        required = owner.get("required") or ()
        for key, schema in properties.items():
            if key in now.keys or not key.startswith(begun):
                continue
            if begun or key in required or self._is_said(key, _plain(schema)):
                return key
        return None

    def _is_said(self, key: str, schema: Schema) -> bool:
        """Tell whether the question says something that an optional parameter is for."""
        words = stems(key)
        options = schema.get("enum")
        if isinstance(options, list):
            return (
                self._question.option([each for each in options if isinstance(each, str)])
                is not None
            )
        kind = _kind(schema)
        if kind in ("integer", "number"):
            return any(
                words & stems(self._question.text[max(0, n.start - 25) : n.end + 20])
                for n in self._question.numbers
                if n.text not in self._numbers_used
            )
        return len(words) > 0 and words <= self._question.stems

    @property
    def _numbers_used(self) -> Counter[str]:
        return Counter(number.removesuffix(".0") for number in NUMBER.findall(self._calls))

    # --- Values ---

    def _value(self, schema: Schema, now: Bracket) -> str:
        key = now.key or next(
            (b.key for b in reversed(self._written.brackets) if b.key is not None), ""
        )
        options = schema.get("enum")
        if isinstance(options, list):
            return self._one_of(options, key, schema)
        match _kind(schema):
            case "boolean":
                return self._constant(schema.get("default") is not False)
            case "integer" | "number" as kind:
                return self._number(key, schema, kind)
            case "string":
                return self._quote + self._text("", now, schema)
            case "array":
                return "["
            case "object":
                return "{"
            case _:
                return ""

    def _constant(self, value: object) -> str:
        python = self._syntax.literals is Literals.PYTHON
        spelled = {True: "True", False: "False", None: "None"}
        text = spelled[value]  # type: ignore[index]
        return text if python else {"None": "null"}.get(text, text.lower())

    def _one_of(self, options: Sequence[Any], key: str, schema: Schema) -> str:
        texts = [option for option in options if isinstance(option, str)]
        if not texts:
            numbers = [str(option) for option in options if isinstance(option, int)]
            said = self._number(key, schema, "integer")
            return said if said in numbers else (numbers or [""])[0]
        said = self._question.option(texts) or self._earlier(key)
        default = schema.get("default")
        chosen = said or (default if isinstance(default, str) else texts[0])
        return f"{self._quote}{chosen}{self._quote}"

    def _number(self, key: str, schema: Schema, kind: str) -> str:
        used = self._numbers_used
        about = stems(str(schema.get("description", ""))[:200])
        found = self._question.best(self._question.numbers, stems(key), about, used)
        text = found.text if found else self._earlier(key)
        if not text:
            default = schema.get("default")
            return str(default) if isinstance(default, int | float) else ""
        if kind == "number" and "." not in text:
            text += ".0"
        return text

    def _earlier(self, key: str) -> str:
        """Give what an earlier call of this answer said for a parameter of this name."""
        found = (
            re.findall(rf"[(, ]{re.escape(key)}=['\"]?([^'\",()\[\]]+)", self._calls) if key else []
        )
        return str(found[-1]) if found else ""

    def _rest_of_word(self, word: str, schema: Schema, now: Bracket) -> str:
        """Complete a number or a constant."""
        for constant in map(self._constant, (True, False, None)):
            if constant.startswith(word):
                return constant[len(word) :]
        if not NUMBER.fullmatch(word):
            return ""
        used = self._numbers_used
        for found in self._question.numbers:
            if found.text.startswith(word) and found.text != word and used[found.text] < 1:
                return found.text[len(word) :]
        if _kind(schema) == "number" and "." not in word:
            return ".0"
        return ""

    def _text(self, begun: str, now: Bracket, schema: Schema) -> str:
        """Continue a string, its quote included where it should end."""
        quote = self._written.quote or self._quote
        if (text := self._words(begun, now, schema)) is None:
            return ""
        rest, ends = text
        if quote in rest:
            return rest[: rest.index(quote)]
        return rest + quote if ends else rest

    def _words(self, begun: str, now: Bracket, schema: Schema) -> tuple[str, bool] | None:
        key = now.key or next(
            (b.key for b in reversed(self._written.brackets) if b.key is not None), ""
        )
        options = schema.get("enum")
        small = begun.lower()
        if isinstance(options, list):
            texts = [
                option for option in options if isinstance(option, str) and option.startswith(begun)
            ]
            chosen = self._question.option(texts) or (texts[0] if texts else None)
            return None if chosen is None else (chosen[len(begun) :], True)
        candidates = [
            text for text in self._candidates(key, now, schema) if text.lower().startswith(small)
        ]
        if not begun:
            return (candidates[0], True) if candidates else None
        for text in candidates:
            if len(text) > len(begun):
                return text[len(begun) :], True
        rest, ends = self._question.going_on(begun)
        if not rest and not ends:
            return "", True
        return rest, ends

    def _candidates(self, key: str, now: Bracket, schema: Schema) -> list[str]:
        """Give what a string may say, the likeliest first."""
        question = self._question
        if now.kind == "[" and now.items and (listed := question.listed_after(now.items[-1])):
            return [listed]
        about = str(schema.get("description", ""))[:300]
        words, said = stems(key), stems(about)
        small = f"{key} {about}".lower()
        fresh: list[str] = []
        if "date" in small or "yyyy" in small:
            fresh += [found.text for found in question.dates]
        if "time" in words or "hh:mm" in small:
            fresh += [found.text for found in question.times]
        names = sorted(question.names, key=lambda each: -question.fit(each, words, said))
        fresh += [each.text for each in names]
        left = [text for text in fresh if text not in self._calls]
        described = question.described(words)
        if described:
            left.append(described)
        earlier = self._earlier(key)
        return [*left, *([earlier] if earlier else []), *fresh]

    # --- After a value ---

    def _following(self, now: Bracket, owner: Schema) -> str:
        if now.kind == "[":
            more = bool(now.items) and self._question.listed_after(now.items[-1])
            return (
                ", "
                if more and self._question.listed_after(now.items[-1]) not in now.items
                else "]"
            )
        key = self._next_key(now, owner, "")
        if key is None:
            return now.closer
        return f", {key}=" if now.kind == "(" else f", {self._quote}{key}{self._quote}: "


def _plain(schema: Any) -> Schema:
    """Give the first option of a schema that has several."""
    while isinstance(schema, Mapping):
        options = schema.get("anyOf") or schema.get("oneOf")
        if not isinstance(options, list) or "type" in schema:
            return schema
        schema = next(
            (each for each in options if isinstance(each, Mapping) and each.get("type") != "null"),
            {},
        )
    return {}


def _kind(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "")
    return kind if isinstance(kind, str) else ""
