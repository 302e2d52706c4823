"""The intermediate form: a grammar as frozen values, between JSON Schema and its spellings.

A ``Rule`` is one of the small classes below; a ``Grammar`` is a root rule and the named rules
that ``Ref`` points to (recursion goes through names only). ``lark.py`` and ``gbnf.py`` write
it as text. Nothing here knows JSON Schema, calls or tokens.

    Literal Chars Sequence Choice Repeat     what every grammar has
    Marker                                   text of a call syntax, perhaps special tokens
    Both Except Terminal                     regular pieces: intersection, difference, one lexeme
    Ref                                      a named rule
    Members                                  ``{key: value, …}`` or ``(key=value, …)``
    Text TextUntil                           free text in front of, or instead of, calls
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

LAST_CODE_POINT: Final = 0x10FFFF
_SURROGATES: Final = (0xD800, 0xDFFF)


@dataclass(frozen=True)
class Literal:
    """Exactly this text; ``""`` is the empty text."""

    text: str


@dataclass(frozen=True)
class Marker:
    """Text of a call syntax; what is a special token of the vocabulary, stands as that token."""

    text: str


@dataclass(frozen=True)
class Chars:
    """One character out of a set.

    Attributes:
        ranges: First and last code point of each range; sorted, apart, without surrogates.
    """

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Sequence:
    """All parts, one after the other."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True)
class Choice:
    """Any one of the options; an empty choice matches nothing."""

    options: tuple["Rule", ...]


@dataclass(frozen=True)
class Repeat:
    """A rule, ``least`` to ``most`` times; ``most=None`` is without end."""

    rule: "Rule"
    least: int = 0
    most: int | None = None


@dataclass(frozen=True)
class Both:
    """Text that every part matches. Regular parts only, and only inside ``Terminal``."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True)
class Except:
    """Text that ``rule`` matches and ``excluded`` does not. Regular, inside ``Terminal``."""

    rule: "Rule"
    excluded: "Rule"


@dataclass(frozen=True)
class Terminal:
    """A regular rule, matched as one lexeme: faster, and the longest match wins."""

    rule: "Rule"


@dataclass(frozen=True)
class Ref:
    """The rule of this name in the grammar."""

    name: str


@dataclass(frozen=True)
class Member:
    """One keyed value of ``Members``.

    Attributes:
        keys: The key as it may be written: ``city``, or ``'city'`` and ``"city"``.
        value: The rule of the value.
        required: Whether it has to be there.
    """

    keys: tuple[str, ...]
    value: "Rule"
    required: bool


@dataclass(frozen=True)
class Members:
    """Keyed values, each at most once, in any order where the emitter can say so.

    Attributes:
        opening: ``(`` or ``{``.
        members: In the order of the schema.
        joint: Between a key and its value, ``=`` or ``: ``; a lexeme of its own, so that where
            any key may stand, too, it is known only behind the value which of the two was meant.
        closing: ``)`` or ``}``.
        extra: Key and value of further members that the schema does not name, or None.
    """

    opening: str
    members: tuple[Member, ...]
    joint: str
    closing: str
    extra: "Rule | None" = None


@dataclass(frozen=True)
class Text:
    """Free text of at least one character.

    Attributes:
        without: Texts that occur nowhere in it.
        no_call_after: Where calls stand bare, what opens them (``""`` or ``"["``): the text
            does not start with it and ``name(``. None where calls have an opening of their own.
    """

    without: tuple[str, ...] = ()
    no_call_after: str | None = None


@dataclass(frozen=True)
class TextUntil:
    """Free text, or none, up to and including the first ``end``; ``without`` is not in it."""

    end: str
    without: tuple[str, ...] = ()


Rule: TypeAlias = (
    Literal
    | Marker
    | Chars
    | Sequence
    | Choice
    | Repeat
    | Both
    | Except
    | Terminal
    | Ref
    | Members
    | Text
    | TextUntil
)

EMPTY: Final = Literal("")
NOTHING: Final = Choice(())


@dataclass(frozen=True)
class Grammar:
    """A root rule and the rules it refers to by name."""

    root: Rule
    rules: Mapping[str, Rule] = field(default_factory=dict)


def sequence(*parts: Rule) -> Rule:
    """Join rules, neighbouring literals into one."""
    joined: list[Rule] = []
    for part in parts:
        for piece in part.parts if isinstance(part, Sequence) else (part,):
            last = joined[-1] if joined else None
            if piece == NOTHING:
                return NOTHING
            if isinstance(piece, Literal) and isinstance(last, Literal):
                joined[-1] = Literal(last.text + piece.text)
            elif piece != EMPTY:
                joined.append(piece)
    if not joined:
        return EMPTY
    return joined[0] if len(joined) == 1 else Sequence(tuple(joined))


def choice(*options: Rule) -> Rule:
    """Offer rules, each once."""
    flat: dict[Rule | int, Rule] = {}
    for option in options:
        for rule in option.options if isinstance(option, Choice) else (option,):
            # Whole calls differ, and hashing them takes longer than writing them.
            flat.setdefault(id(rule) if isinstance(rule, Sequence | Members) else rule, rule)
    return next(iter(flat.values())) if len(flat) == 1 else Choice(tuple(flat.values()))


def repeat(rule: Rule, least: int = 0, most: int | None = None) -> Rule:
    """Match a rule several times; where that is never or once, nothing or the rule itself."""
    if most == 0 or rule == EMPTY or (rule == NOTHING and not least):
        return EMPTY
    return rule if least == most == 1 or rule == NOTHING else Repeat(rule, least, most)


def mark(text: str) -> Rule:
    """Match punctuation as a lexeme of its own.

    Joined to what follows, as in ``: [``, it would be the longer match where only ``: `` may
    stand as well, and bar the values that another option of a union has there.
    """
    return Terminal(Literal(text))


def optional(rule: Rule) -> Rule:
    """Match a rule or nothing."""
    return repeat(rule, 0, 1)


def chars(*ranges: tuple[int, int]) -> Chars:
    """Sort and join ranges of code points; surrogates are left out."""
    kept: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        for first, last in (
            (low, min(high, _SURROGATES[0] - 1)),
            (max(low, _SURROGATES[1] + 1), high),
        ):
            if first > last:
                continue
            if kept and first <= kept[-1][1] + 1:
                kept[-1] = (kept[-1][0], max(kept[-1][1], last))
            else:
                kept.append((first, last))
    return Chars(tuple(kept))


def one_of(text: str) -> Chars:
    """Match one of these characters."""
    return chars(*((ord(character), ord(character)) for character in text))


def none_of(excluded: Chars) -> Chars:
    """Match any character but these."""
    ranges, first = [], 0
    for low, high in excluded.ranges:
        ranges.append((first, low - 1))
        first = high + 1
    ranges.append((first, LAST_CODE_POINT))
    return chars(*((low, high) for low, high in ranges if low <= high))


def overlap(left: Chars, right: Chars) -> Chars:
    """Match a character that is in both sets."""
    return none_of(chars(*none_of(left).ranges, *none_of(right).ranges))


ANY_CHARACTER: Final = chars((0, LAST_CODE_POINT))


def children(rule: Rule) -> Iterator[Rule]:
    """Give the rules directly inside a rule."""
    match rule:
        case Sequence(parts) | Choice(parts) | Both(parts):
            yield from parts
        case Repeat(inner) | Terminal(inner):
            yield inner
        case Except(inner, excluded):
            yield inner
            yield excluded
        case Members(members=members, extra=extra):
            yield from (member.value for member in members)
            if extra is not None:
                yield extra
        case _:
            return


def reachable(grammar: Grammar) -> dict[str, Rule]:
    """Return the named rules that the root leads to."""
    found: dict[str, Rule] = {}
    waiting = [grammar.root] if grammar.rules else []
    while waiting:
        rule = waiting.pop()
        if isinstance(rule, Ref) and rule.name not in found:
            found[rule.name] = grammar.rules[rule.name]
            waiting.append(found[rule.name])
        waiting.extend(children(rule))
    return found


def endless_rules(rules: Mapping[str, Rule]) -> tuple[str, ...]:
    """Name the rules that no finite text matches, such as a node that requires a node."""
    finite: set[str] = set()

    def ends(rule: Rule) -> bool:
        match rule:
            case Ref(name):
                return name in finite
            case Choice(options):
                return any(map(ends, options))
            case Repeat(inner, least, _):
                return least == 0 or ends(inner)
            case Members(members=members):
                return all(ends(member.value) for member in members if member.required)
            case Chars(ranges):
                return bool(ranges)
            case Except():
                return ends(rule.rule)
            case _:
                return all(map(ends, children(rule)))

    while found := [n for n, rule in rules.items() if n not in finite and ends(rule)]:
        finite.update(found)
    return tuple(name for name in rules if name not in finite)
