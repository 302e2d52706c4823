"""What looks like a call where no marker announces one.

A bare call is a known function's name, directly in front of a bracket, with something like an
argument behind it. So ``f (x)``, ``f(x) = x²`` and ``f() needs a city`` stay prose. Where it may
stand is decided in ``openings``.
"""

import bisect
import re
from collections.abc import Iterable
from typing import Final

from langchain_gorilla.parsing.scanner import Lookahead, NeedMoreError, NoMatchError, TextSet

MAX_BARE_NAME: Final = 64
RUN: Final = re.compile(r"[^\s()\[\]{}<>'\"“”‘’`,;:=]+")
"""What a name, or what was meant to be one, consists of."""
_JSON_NAME: Final = re.compile(r'[^"\\\n]*')


class BareCalls:
    """Tells calls of known functions from prose."""

    def __init__(self, names: Iterable[str] | None) -> None:
        """Prepare to match.

        Args:
            names: The known functions'; None where they are not known, so any name may be one.
        """
        self._names = None if names is None else sorted(names)
        self._known = frozenset(self._names or ())
        odd = (name for name in self._known if not re.fullmatch(r"\w[\w.\-]*", name))
        self._odd_names = TextSet(*(f"{name}(" for name in odd))

    def is_known(self, name: str) -> bool:
        """Whether a function has exactly this name."""
        return name in self._known

    def odd_name(self, look: Lookahead) -> str | None:
        """Match a known name that no other rule would read, and its bracket; None where none is."""
        found = look.first_of(self._odd_names)
        if found is None:
            return None
        look.at += len(found)
        return found[:-1]

    def match(self, look: Lookahead) -> None:
        """Match a known name, its bracket and something like an argument."""
        if look.char() == "{":
            self._json_call(look)
            return
        if self.odd_name(look) is not None:
            return
        match = RUN.match(look.text, look.at)
        if match is None:
            raise NoMatchError
        name = match[0]
        if match.end() == len(look.text) and not look.final and self._may_become_known(name):
            raise NeedMoreError
        look.at = match.end()
        if self._names is None:
            if len(name) > MAX_BARE_NAME or not re.fullmatch(r"[^\W\d][\w.\-]*", name):
                raise NoMatchError
        elif not self.is_known(name):
            raise NoMatchError
        look.literal("(")
        self.match_argument(look)

    @staticmethod
    def match_argument(look: Lookahead) -> None:
        """Match what may stand behind the bracket of a call, and not of prose."""
        look.spaces()
        char = look.char()
        if char == ")":
            look.at += 1
            look.spaces(" \t")
            char = look.char()
            if char.isalnum() and not look.starts("and "):
                raise NoMatchError  # "f() needs a city": prose
            return
        if not char or char in "'\"[{*,-+.‘“" or char.isdigit():
            return
        match = RUN.match(look.text, look.at)
        if match is None:
            raise NoMatchError
        look.at = match.end()
        look.char()
        if match[0] in ("True", "False", "None", "true", "false", "null"):
            return
        look.spaces()
        sign = look.char()
        if sign == "=":
            look.at += 1
            if look.char() == "=":
                raise NoMatchError
        elif sign and sign != ":":
            raise NoMatchError

    def _json_call(self, look: Lookahead) -> None:
        """Match ``{"name": "f"`` with a known name."""
        look.literal("{")
        look.spaces()
        look.literal('"name"')
        look.spaces()
        look.literal(":")
        look.spaces()
        look.literal('"')
        match = _JSON_NAME.match(look.text, look.at)
        name = match[0] if match else ""
        look.at += len(name)
        if not look.char() and not self._may_become_known(name):
            raise NoMatchError
        look.literal('"')
        if self._names is not None and not self.is_known(name):
            raise NoMatchError

    def _may_become_known(self, start: str) -> bool:
        if self._names is None:
            return len(start) <= MAX_BARE_NAME
        at = bisect.bisect_left(self._names, start)
        return at < len(self._names) and self._names[at].startswith(start)
