"""How far a call has been written: which arguments, lists and objects are open, and where."""

import re
from dataclasses import dataclass, field
from typing import Final

_PIECE: Final = re.compile(
    r"""(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<open>['"].*)|(?P<mark>[][{}(),:=])"""
    r"""|(?P<word>[^][{}(),:='"\s]+)""",
    re.DOTALL,
)
_CLOSERS: Final = {"(": ")", "[": "]", "{": "}"}


@dataclass
class Bracket:
    """An open bracket.

    Attributes:
        kind: ``(`` of the call itself, ``[`` or ``{``.
        keys: Those written in it, the last one's value perhaps not yet.
        key: Whose value is written now; None in front of a key, and in lists.
        values: How many values are complete or begun since the last comma: 0 or 1.
        items: The texts of the strings in a list.
    """

    kind: str
    keys: list[str] = field(default_factory=list)
    key: str | None = None
    values: int = 0
    items: list[str] = field(default_factory=list)

    @property
    def closer(self) -> str:
        """The bracket that closes this one."""
        return _CLOSERS[self.kind]


@dataclass(frozen=True)
class Written:
    """Where a call stands.

    Attributes:
        brackets: Those that are open, outermost first; none where the call is over.
        quote: The quote of a string that is open at the end, or None.
        tail: What an open string or a word at the end says so far.
        rest: What follows the call's end.
    """

    brackets: list[Bracket]
    quote: str | None
    tail: str
    rest: str


def read_call(text: str) -> Written:
    """Read a call from behind its opening bracket; never fails, whatever was written."""
    brackets = [Bracket("(")]
    word = ""
    for match in _PIECE.finditer(text):
        now, kind, piece = brackets[-1], match.lastgroup, match[0]
        wants_key = now.key is None and now.kind != "["
        if kind == "open":
            return Written(brackets, piece[0], piece[1:], "")
        if kind == "string":
            word = ""
            if wants_key:
                word = piece[1:-1]
            else:
                now.values = 1
                now.items.append(piece[1:-1])
        elif kind == "word":
            word = piece
            now.values = 0 if wants_key else 1
            if not wants_key:
                now.items.append(piece)
        elif piece in "[{(":
            brackets.append(Bracket(piece))
            word = ""
        elif piece in "]})":
            brackets.pop()
            word = ""
            if not brackets:
                return Written([], None, "", text[match.end() :])
            brackets[-1].values = 1
        elif piece == ",":
            now.key, now.values, word = None, 0, ""
        elif wants_key and piece == ("=" if now.kind == "(" else ":"):
            now.key, word = word, ""
            now.keys.append(now.key)
    ends_in_word = bool(word) and not text[-1:].isspace() and text[-1:] not in "'\""
    return Written(brackets, None, word if ends_in_word else "", "")
