"""What the two emitters share: names for rules, each body written once, fixed order."""

from abc import ABC, abstractmethod

from langchain_gorilla.grammar.rules import Choice, Grammar, Member, Members, Ref, Rule, Terminal


class Writer(ABC):
    """Collects named lines of a grammar text."""

    def __init__(self, grammar: Grammar) -> None:
        """Start without lines."""
        self.grammar = grammar
        self.lines: list[str] = []
        self._names: dict[str, str] = {}
        self._refs: dict[str, str] = {}
        self._written: dict[tuple[bool, int], str] = {}
        self._count = 0

    @abstractmethod
    def define(self, name: str, body: str) -> str:
        """Write one line."""

    @abstractmethod
    def write(self, rule: Rule) -> str:
        """Write a rule so that it may stand in a sequence."""

    def expression(self, rule: Rule) -> str:
        """Write a rule; one object only once."""
        if not isinstance(rule, Choice | Members | Terminal):
            return self.write(rule)
        # By identity, which the grammar keeps alive: hashing whole trees costs more than writing.
        inner = rule.rule if isinstance(rule, Terminal) else rule
        key = (inner is rule, id(inner))
        if key not in self._written:
            self._written[key] = self.write(rule)
        return self._written[key]

    @abstractmethod
    def literal(self, text: str) -> str:
        """Write a fixed text."""

    def fresh(self, kind: str) -> str:
        """Make up a name."""
        self._count += 1
        return f"{kind}{self._count}"

    def named(self, body: str, kind: str = "r") -> str:
        """Return the name of a line with this body."""
        key = f"{kind}:{body}"
        if key not in self._names:
            name = self._names[key] = self.fresh(kind)
            self.lines.append(self.define(name, body))
        return self._names[key]

    def ref(self, rule: Ref) -> str:
        """Return the name of a rule of the grammar, written when first met."""
        if rule.name not in self._refs:
            name = self._refs[rule.name] = self.fresh("d")
            self.lines.append(self.define(name, self.expression(self.grammar.rules[rule.name])))
        return self._refs[rule.name]

    def member(self, member: Member, joint: str) -> str:
        """Write a member, its key in any of its spellings."""
        spelled = [self.literal(key) for key in member.keys]
        key = spelled[0] if len(spelled) == 1 else f"({' | '.join(spelled)})"
        return f"{key} {self.literal(joint)} {self.expression(member.value)}"

    def fixed_order(self, rule: Members) -> str:
        """Write members in the order of the schema, in linear size."""
        pieces = [(self.member(m, rule.joint), m.required) for m in rule.members]
        comma, close = self.literal(", "), self.literal(rule.closing)
        if rule.extra is not None:
            extra = self.expression(rule.extra)
            tail = self.named(f"({comma} {extra})* {close}")
            first = self.named(f"({extra} ({comma} {extra})*)? {close}")
        else:
            tail = first = close
        for piece, required in reversed(pieces):
            # ``tail`` goes on after a member, ``first`` where none has been written yet.
            if required:
                first = self.named(f"{piece} {tail}")
                tail = self.named(f"{comma} {piece} {tail}")
            else:
                first = self.named(f"{piece} {tail} | {first}")
                tail = self.named(f"({comma} {piece})? {tail}")
        return self.named(f"{self.literal(rule.opening)} {first}")


def times(least: int, most: int | None) -> str:
    """Write how often something repeats."""
    match least, most:
        case 0, None:
            return "*"
        case 1, None:
            return "+"
        case 0, 1:
            return "?"
        case _ if least == most:
            return f"{{{least}}}"
        case _:
            return f"{{{least},{'' if most is None else most}}}"
