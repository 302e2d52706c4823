r"""Rules to GBNF, for engines that take a grammar over the wire (llama.cpp, vLLM's EBNF).

GBNF has neither parameters nor intersection: members stand in the schema's order, of several
demands on one string the first is kept, and what was dropped is named.

Source: grammars/README.md in ggml-org/llama.cpp.
"""

from dataclasses import dataclass
from typing import Final

from langchain_gorilla.grammar.rules import (
    Both,
    Chars,
    Choice,
    Except,
    Grammar,
    Literal,
    Marker,
    Members,
    Ref,
    Repeat,
    Rule,
    Sequence,
    Terminal,
    Text,
    TextUntil,
    none_of,
    one_of,
)
from langchain_gorilla.grammar.writer import Writer, times

_NAME_START: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class GbnfText:
    """A grammar as GBNF.

    Attributes:
        text: The grammar; its root is ``root``.
        dropped: What GBNF cannot say, so that validation has to.
    """

    text: str
    dropped: tuple[str, ...]


def gbnf(grammar: Grammar) -> GbnfText:
    """Write a grammar as GBNF."""
    writer = _Gbnf(grammar)
    root = writer.expression(grammar.root)
    text = "\n".join([f"root ::= {root}", *writer.lines]) + "\n"
    return GbnfText(text, tuple(dict.fromkeys(writer.dropped)))


class _Gbnf(Writer):
    def __init__(self, grammar: Grammar) -> None:
        super().__init__(grammar)
        self.dropped: list[str] = []

    def define(self, name: str, body: str) -> str:
        return f"{name} ::= {body}"

    def literal(self, text: str) -> str:
        return '"' + "".join(map(_escape_text, text)) + '"'

    def write(self, rule: Rule) -> str:
        match rule:
            case Literal(text) | Marker(text):
                return self.literal(text)
            case Chars(ranges):
                return "[" + "".join(_range(low, high) for low, high in ranges) + "]"
            case Sequence(parts):
                return " ".join(map(self.expression, parts))
            case Choice(options):
                return self.named(" | ".join(map(self.expression, options)))
            case Repeat(inner, least, most):
                return f"({self.expression(inner)}){times(least, most)}"
            case Terminal(inner):
                return self.expression(inner)
            case Both(parts):
                self.dropped.append("all but the first of pattern, format and length together")
                return self.expression(parts[0])
            case Except(inner, _):
                self.dropped.append("that an additional property has a name of its own")
                return self.expression(inner)
            case Ref():
                return self.ref(rule)
            case Members():
                return self.fixed_order(rule)
            case Text():
                return self.text(rule)
            case TextUntil(end, without):
                return self.automaton((end, *without), end)

    def text(self, rule: Text) -> str:
        if rule.no_call_after is None:
            return self.automaton(rule.without, None)
        # Bare calls: the answer does not start as one. Two rules of thumb stand in for it.
        anything = f"{self.expression(none_of(one_of('')))}*"
        space = "[ \\t\\n]*"
        if rule.no_call_after:
            first = none_of(one_of(" \t\n" + rule.no_call_after[0]))
            return self.named(f"{space} {self.expression(first)} {anything}")
        start = self.expression(one_of(_NAME_START))
        name = self.expression(one_of(_NAME_START + "0123456789."))
        other = self.expression(none_of(one_of(" \t\n" + _NAME_START)))
        after = self.expression(none_of(one_of("(" + _NAME_START + "0123456789.")))
        return self.named(f"{space} ({other} {anything} | {start} {name}* ({after} {anything})?)")

    def automaton(self, texts: tuple[str, ...], end: str | None) -> str:
        """Text in which none of ``texts`` occurs, or, with ``end``, which ends at the first.

        One right-linear rule for each prefix that has been read of any of the texts
        (Aho and Corasick, 1975).
        """
        texts = tuple(text for text in texts if text)
        states = {"": self.fresh("s")}
        for text in texts:
            for length in range(1, len(text)):
                states.setdefault(text[:length], self.fresh("s"))
        letters = sorted(set("".join(texts)))
        for state, name in states.items():
            options = ['""'] if end is None else []
            for letter in letters:
                read = state + letter
                if end is not None and read.endswith(end):
                    options.append(self.literal(letter))
                elif not any(read.endswith(text) for text in texts):
                    after = next(read[n:] for n in range(len(read) + 1) if read[n:] in states)
                    options.append(f"{self.literal(letter)} {states[after]}")
            other = self.expression(none_of(one_of("".join(letters))))
            options.append(f"{other} {states['']}")
            self.lines.append(self.define(name, " | ".join(options)))
        return states[""]


def _escape_text(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character >= " " and character != "\x7f" else f"\\x{ord(character):02X}"


def _range(low: int, high: int) -> str:
    # Beyond ASCII as it is: readers differ in how they take \u and \U.
    first, last = (
        chr(value) if value >= 0x80 or chr(value).isalnum() else f"\\x{value:02X}"
        for value in (low, high)
    )
    return first if low == high else f"{first}-{last}"
