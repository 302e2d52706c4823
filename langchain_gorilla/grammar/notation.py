"""How values are written: Python literals inside calls, JSON in structured output.

Every character of a string has one spelling between given quotes (free Python text may also
escape the other quote), so a rule about characters carries over to their spellings.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from langchain_gorilla.calls import CallSyntax, JSONValue, Literals
from langchain_gorilla.grammar.rules import (
    Both,
    Chars,
    Choice,
    Except,
    Literal,
    Repeat,
    Rule,
    Sequence,
    Terminal,
    chars,
    choice,
    none_of,
    one_of,
    overlap,
    repeat,
    sequence,
)

CONTROLS: Final = chars((0, 0x1F), (0x7F, 0x7F))
_SHORT_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
_ESCAPED: Final = re.compile(r"[\x00-\x1f\x7f\\'\"\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Notation:
    """How a family writes values.

    Attributes:
        true: Spelling of true; ``false`` and ``null`` likewise.
        false: See ``true``.
        null: See ``true``.
        quotes: Quote characters that a string may stand in; the first is for fixed texts.
        unicode_escape: How a control character without a short escape is written.
    """

    true: str
    false: str
    null: str
    quotes: tuple[str, ...]
    unicode_escape: str

    def quoted(self, text: str, quote: str) -> str:
        """Write a string between these quotes."""

        def escape(match: re.Match[str]) -> str:
            character = match.group()
            if character in "'\"":
                return "\\" + character if character == quote else character
            if character in _SHORT_ESCAPES:
                return _SHORT_ESCAPES[character]
            if character > "\x7f":
                return f"\\u{ord(character):04x}"
            return self.unicode_escape.format(ord(character))

        return quote + _ESCAPED.sub(escape, text) + quote

    def spellings(self, value: JSONValue) -> tuple[str, ...]:
        """Write a scalar, a string in each of the quotes; models differ, and mix them."""
        match value:
            case str():
                return tuple(self.quoted(value, quote) for quote in self.quotes)
            case None:
                return (self.null,)
            case bool():
                return (self.true if value else self.false,)
            case _:
                return (repr(value),)

    def literal(self, value: JSONValue) -> Rule:
        """Match one fixed scalar."""
        return choice(*map(Literal, self.spellings(value)))

    def character(self, allowed: Chars, quote: str) -> Rule:
        """Match one character of a set as it is written between these quotes."""
        special = chars(*CONTROLS.ranges, *one_of(quote + "\\").ranges)
        plain = overlap(allowed, none_of(special))
        escaped = [
            Literal(self.quoted(character, quote)[1:-1])
            for character in ("\\", quote, "\n", "\r", "\t")
            if overlap(allowed, one_of(character)).ranges
        ]
        return choice(*([plain] if plain.ranges else []), *escaped) if escaped else plain

    def body(self, rule: Rule, quote: str) -> Rule:
        """Turn a regular rule over characters into one over their spellings."""
        match rule:
            case Literal(text):
                return Literal(self.quoted(text, quote)[1:-1])
            case Chars():
                return self.character(rule, quote)
            case Sequence(parts):
                return sequence(*(self.body(part, quote) for part in parts))
            case Choice(options):
                return choice(*(self.body(option, quote) for option in options))
            case Repeat(inner, least, most):
                return repeat(self.body(inner, quote), least, most)
            case Both(parts):
                return Both(tuple(self.body(part, quote) for part in parts))
            case Except(inner, excluded):
                return Except(self.body(inner, quote), self.body(excluded, quote))
            case _:
                raise TypeError(f"{type(rule).__name__} is not a rule over characters.")

    def text(self, rule: Rule) -> Rule:
        """Match a string whose characters match ``rule``, in any of the quotes."""
        return Terminal(choice(*(self._in_quotes(rule, quote) for quote in self.quotes)))

    def _in_quotes(self, rule: Rule, quote: str) -> Rule:
        match rule:
            case Both(parts):
                return Both(tuple(self._in_quotes(part, quote) for part in parts))
            case Except(inner, excluded):
                return Except(self._in_quotes(inner, quote), self._in_quotes(excluded, quote))
            case _:
                return sequence(Literal(quote), self.body(rule, quote), Literal(quote))


PYTHON: Final = Notation(
    true="True", false="False", null="None", quotes=("'", '"'), unicode_escape="\\x{:02x}"
)
JSON: Final = Notation(
    true="true", false="false", null="null", quotes=('"',), unicode_escape="\\u{:04x}"
)


@cache
def notation_of(syntax: CallSyntax) -> Notation:
    """Tell how the calls of a family write values."""
    spelled = JSON if syntax.literals is Literals.JSON else PYTHON
    other = "'" if syntax.quote == '"' else '"'
    return Notation(
        true=spelled.true,
        false=spelled.false,
        null=spelled.null,
        quotes=(syntax.quote, other),
        unicode_escape=PYTHON.unicode_escape,
    )


@cache
def free_text(notation: Notation) -> Rule:
    """Match any string of a notation; Python text may escape either quote."""
    strings = []
    for quote in notation.quotes:
        plain = none_of(chars(*CONTROLS.ranges, *one_of(quote + "\\").ranges))
        escapes = sequence(Literal("\\"), one_of("\\nrt" + "".join(notation.quotes)))
        strings.append(sequence(Literal(quote), repeat(choice(plain, escapes)), Literal(quote)))
    return Terminal(choice(*strings))


def compact_json(value: JSONValue) -> str:
    """Write a value in few characters; the order of keys is kept, since it is that of the grammar."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
