"""Text that arrives in pieces: a cursor over it, and matching with bounded look-ahead.

The parsers of this room are generators: they ``yield`` where they need more text and go on
where they were. So the code reads as if all of the text were there, and a text cut anywhere
gives the same result as the whole one: what is decided never depends on where a piece ended.

Covers: waiting for text, looking ahead, taking back a few characters, recording what one call
consumed. Does not cover: what the text means (``call_reader``, ``stream``).
"""

import re
from collections.abc import Callable, Generator
from typing import Final, TypeVar

_T = TypeVar("_T")
Steps = Generator[None, None, _T]
"""A parser part: yields while it waits for text, returns its result."""

MAX_LOOK_AHEAD: Final = 512
"""Characters that a decision may depend on: room for the longest name (``openings``), twice."""


class CutOffError(Exception):
    """The text ended where more was needed."""


class NeedMoreError(Exception):
    """A look-ahead reached the end of the text that is there, and more may come."""


class NoMatchError(Exception):
    """A look-ahead does not match, whatever comes."""


class Source:
    """The text so far that is not consumed, and whether more may come.

    Attributes:
        text: What is held; everything before ``pos`` is consumed.
        pos: The next character.
        closed: No more will come.
        truncated: The text ended at a limit.
        record: What was consumed with ``take`` since the caller last cleared it.
    """

    def __init__(self) -> None:
        self.text = ""
        self.pos = 0
        self.closed = False
        self.truncated = False
        self.record: list[str] = []

    def feed(self, chunk: str) -> None:
        """Add text at the end and let go of what is consumed."""
        self.text = self.text[self.pos :] + chunk
        self.pos = 0

    def close(self, *, truncated: bool = False) -> None:
        """End the text."""
        self.closed, self.truncated = True, truncated

    def wait(self, count: int = 1) -> Steps[bool]:
        """Wait for ``count`` characters; False where the text ends before."""
        while len(self.text) - self.pos < count:
            if self.closed:
                return False
            yield
        return True

    def need(self) -> Steps[str]:
        """Return the next character, which must come; it stays unconsumed."""
        while self.pos >= len(self.text):
            if self.closed:
                raise CutOffError
            yield
        return self.text[self.pos]

    def peek(self, count: int = 1) -> str:
        """Return up to ``count`` characters without consuming them."""
        return self.text[self.pos : self.pos + count]

    def take(self, count: int) -> str:
        """Consume and record characters."""
        piece = self.text[self.pos : self.pos + count]
        self.pos += len(piece)
        self.record.append(piece)
        return piece

    def drop(self, count: int) -> str:
        """Consume characters without recording them."""
        piece = self.text[self.pos : self.pos + count]
        self.pos += len(piece)
        return piece

    def put_back(self, piece: str) -> None:
        """Make ``piece``, which was just consumed, unread again."""
        # Stepping back keeps this cheap where the whole answer is one chunk.
        if self.text.endswith(piece, 0, self.pos):
            self.pos -= len(piece)
        else:
            self.text = piece + self.text[self.pos :]
            self.pos = 0

    def clear(self) -> None:
        """Forget the text that is there."""
        self.text, self.pos = "", 0

    def decide(
        self, match: Callable[["Lookahead"], _T], limit: int = MAX_LOOK_AHEAD
    ) -> Steps[tuple[_T, int] | None]:
        """Match what comes next, waiting until it is certain; nothing is consumed.

        Returns:
            What ``match`` returned, and how many characters it passed; None where it does not
            match.
        """
        while True:
            look = self.ahead(limit)
            try:
                return match(look), look.at
            except NoMatchError:
                return None
            except NeedMoreError:
                yield

    def ahead(self, limit: int) -> "Lookahead":
        """Look at no more than ``limit`` characters from here."""
        held = len(self.text) - self.pos
        return Lookahead(self.peek(limit), final=self.closed or held > limit)


class Lookahead:
    """A small matcher over the next characters, for decisions before anything is consumed.

    Each method moves ``at`` forward, raises ``NoMatchError`` where the text differs, and
    ``NeedMoreError`` where the text that is there could still go either way.
    """

    def __init__(self, text: str, *, final: bool) -> None:
        self.text = text
        self.at = 0
        self.final = final

    def char(self) -> str:
        """Return the next character, or "" at the end of the answer; stays unconsumed."""
        if self.at < len(self.text):
            return self.text[self.at]
        if self.final:
            return ""
        raise NeedMoreError

    def spaces(self, kinds: str = " \t\r\n\xa0") -> None:
        """Pass over whitespace."""
        while (char := self.char()) and char in kinds:
            self.at += 1

    def literal(self, wanted: str) -> None:
        """Pass over exactly this text."""
        if not self.starts(wanted):
            raise NoMatchError
        self.at += len(wanted)

    def starts(self, wanted: str) -> bool:
        """Tell whether this text comes next; moves nothing."""
        if self.text.startswith(wanted, self.at):
            return True
        if not self.final and wanted.startswith(self.text[self.at :]):
            raise NeedMoreError
        return False

    def first_of(self, wanted: "TextSet") -> str | None:
        """Return the text of the set that comes next; moves nothing."""
        char = self.char()
        if char not in wanted.first_characters:
            return None
        match = wanted.pattern.match(self.text, self.at)
        if match:
            return match[0]
        rest = self.text[self.at : self.at + wanted.longest]
        undecided = not self.final and len(rest) == len(self.text) - self.at
        if undecided and any(text.startswith(rest) for text in wanted.texts):
            raise NeedMoreError
        return None


class TextSet:
    """Texts to look for, none of them the beginning of another one."""

    def __init__(self, *texts: str) -> None:
        self.texts = tuple(dict.fromkeys(t for t in texts if t))
        self.first_characters = frozenset(t[0] for t in self.texts)
        self.longest = max(map(len, self.texts), default=0)
        alternatives = sorted(self.texts, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, alternatives)) or r"(?!)")

    def __contains__(self, text: object) -> bool:
        return text in self.texts
