r"""Rules to Lark, in llguidance's dialect; keyword arguments in any order.

Order is free through a parametric rule whose 64-bit parameter holds the members written so
far: ``a`` writes a member, ``b`` closes once the required ones (the low bits) are there, or goes
on. Above 64 members the order is the schema's.

Source: llguidance's docs/syntax.md and docs/parametric.md.
"""

import json
import re
from collections.abc import Mapping
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
    children,
)
from langchain_gorilla.grammar.writer import Writer, times

MAX_ANY_ORDER: Final = 64
_SPECIAL: Final = re.compile(r"[^0-9A-Za-z_ ,:'\"=<>@%!;`]")


def lark(grammar: Grammar, special_tokens: Mapping[str, int] | None = None) -> str:
    """Write a grammar for llguidance.

    Args:
        grammar: What may be written.
        special_tokens: Spelling to id of the tokens that ordinary text never becomes; where a
            ``Marker`` or the end of a ``TextUntil`` holds one, the grammar asks for its id.
    """
    writer = _Lark(grammar, special_tokens or {})
    start = writer.expression(grammar.root)
    return "\n".join(["%llguidance {}", f"start: {start}", *writer.lines]) + "\n"


class _Lark(Writer):
    def __init__(self, grammar: Grammar, special_tokens: Mapping[str, int]) -> None:
        super().__init__(grammar)
        self.special = special_tokens
        spellings = sorted(special_tokens, key=len, reverse=True)
        self.splitter = re.compile("(" + "|".join(map(re.escape, spellings)) + ")")

    def define(self, name: str, body: str) -> str:
        return f"{name}: {body}"

    def literal(self, text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    def marker(self, text: str) -> str:
        parts = self.splitter.split(text) if self.special else [text]
        return " ".join(
            f"<[{self.special[part]}]>" if part in self.special else self.literal(part)
            for part in parts
            if part
        )

    def write(self, rule: Rule) -> str:
        match rule:
            case Literal(text):
                return self.literal(text)
            case Marker(text):
                return self.marker(text)
            case Chars() | Terminal():
                return self.token(rule)
            case Sequence(parts):
                return " ".join(map(self.expression, parts))
            case Choice(options):
                return self.named(" | ".join(dict.fromkeys(map(self.expression, options))))
            case Repeat(inner, least, most):
                return f"({self.expression(inner)}){times(least, most)}"
            case Ref():
                return self.ref(rule)
            case Members(members=members):
                if len(members) > MAX_ANY_ORDER or (len(members) == 1 and rule.extra is None):
                    return self.fixed_order(rule)
                return self.any_order(rule)
            case Text():
                return self.text(rule)
            case TextUntil():
                return self.text_until(rule)
            case _:
                raise TypeError(f"{type(rule).__name__} may stand only inside a Terminal.")

    def any_order(self, rule: Members) -> str:
        members = sorted(rule.members, key=lambda member: not member.required)
        required, count = sum(member.required for member in members), len(members)
        member, after = self.fresh("a"), self.fresh("b")
        options = [
            f"{self.member(m, rule.joint)} {after}::set_bit({bit}) %if bit_clear({bit})"
            for bit, m in enumerate(members)
        ]
        close = self.literal(rule.closing) + (f" %if is_ones([0:{required}])" if required else "")
        more = f'", " {member}::_'
        if rule.extra is None:
            more += f" %if not(is_ones([0:{count}]))"
        else:
            options.append(f"{self.expression(rule.extra)} {after}::_")
        self.lines.append(f"{member}::_: " + "\n  | ".join(options))
        self.lines.append(f"{after}::_: {close}\n  | {more}")
        opening = self.literal(rule.opening)
        body = f"{opening} {member}::0x0"
        return self.named(body if required else f"{body} | {opening} {self.literal(rule.closing)}")

    def token(self, rule: Rule) -> str:
        """Name a terminal; ``&`` and ``~`` work on named terminals."""
        match rule:
            case Terminal(inner):
                return self.token(inner)
            case Both(parts):
                return self.named(" & ".join(map(self.token, parts)), "T")
            case Except(inner, excluded):
                return self.named(f"{self.token(inner)} & ~{self.token(excluded)}", "T")
            case Choice(options) if not _is_regex(rule):
                return self.named(" | ".join(map(self.token, options)), "T")
            case Sequence(parts) if not _is_regex(rule):
                return self.named(" ".join(map(self.token, parts)), "T")
            case _:
                return self.named(f"/{regex(rule)}/", "T")

    def text(self, rule: Text) -> str:
        body = "/(?s:.+)/" + self.without(rule.without)
        if rule.no_call_after is not None:
            opening = regex(Literal(rule.no_call_after))
            call = rf"\s*{opening}\s*[A-Za-z_][0-9A-Za-z_.]*\("
            body += f" & ~{self.beginning_with(call)}"
        return self.named(body, "T")

    def text_until(self, rule: TextUntil) -> str:
        end = regex(Literal(rule.end))
        if rule.end in self.special:
            text = self.named("/(?s:.+)/" + self.without((rule.end, *rule.without)), "T")
            return self.named(f"({text})? {self.marker(rule.end)}")
        token = self.named(f"/(?s:.*){end}/" + self.without(rule.without), "T")
        name = self.fresh("h")
        self.lines.append(f"{name}[lazy]: {token}")
        return name

    def without(self, texts: tuple[str, ...]) -> str:
        found = (f"(?s:.*){regex(Literal(text))}" for text in texts if text)
        return "".join(f" & ~{self.beginning_with(each)}" for each in found)

    def beginning_with(self, pattern: str) -> str:
        # All that follows is "not nothing", since llguidance sees at once that this lets nothing
        # be excluded any more. For ``(?s:.*)`` it has to prove it: 0.3 ms where a mark is complete.
        nothing = self.named("/[a&&b]/", "T")
        return self.named(f"/{pattern}/ {self.named(f'~{nothing}', 'T')}", "T")


def _is_regex(rule: Rule) -> bool:
    return not isinstance(rule, Both | Except) and all(map(_is_regex, children(rule)))


def _escape(character: str) -> str:
    return f"\\x{{{ord(character):x}}}" if _SPECIAL.match(character) else character


def regex(rule: Rule) -> str:
    """Write a regular rule as a Rust regular expression, safe between slashes."""
    match rule:
        case Literal(text):
            return "".join(map(_escape, text))
        case Chars(ranges):
            if not ranges:
                return "[a&&b]"  # Matches nothing.
            return "[" + "".join(_range(low, high) for low, high in ranges) + "]"
        case Sequence(parts):
            return "".join(map(regex, parts))
        case Choice(options):
            return "(?:" + "|".join(map(regex, options)) + ")"
        case Repeat(inner, least, most):
            return f"(?:{regex(inner)}){times(least, most)}"
        case _:
            raise TypeError(f"{type(rule).__name__} is not regular.")


def _range(low: int, high: int) -> str:
    first = _escape(chr(low))
    return first if low == high else f"{first}-{_escape(chr(high))}"
