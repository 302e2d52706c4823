"""Where calls begin and end: the markers of each family, and the places where calls stand bare.

Covers: opening, closing and end-of-turn markers; at which places of a line or list a call may
stand that no marker announces. Does not cover: what such a call looks like (``bare_calls``),
reading the call (``call_reader``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.parsing.arguments import is_writable_name
from langchain_gorilla.parsing.bare_calls import RUN, BareCalls
from langchain_gorilla.parsing.literals import shorten
from langchain_gorilla.parsing.scanner import (
    MAX_LOOK_AHEAD,
    Lookahead,
    NeedMoreError,
    NoMatchError,
    TextSet,
)

AUTO: Final = CallSyntax(opening="", separator="", closing="", wrapped=True)
"""Any of the known ways to write calls: for models whose family is not known."""

MAX_NAME: Final = 256
MAX_MARKER_HELD: Final = 12
"""In text, no marker longer than this is looked for, but for the family's own opening."""

_KNOWN_TAGS: Final = {
    "<<function>>": "",
    "<|tool_call_start|>": "<|tool_call_end|>",
    "<|python_start|>": "<|python_end|>",
    "<|python_tag|>": "",
    "<function_calls>": "</function_calls>",
    "<tool_call>": "</tool_call>",
    "<TOOLCALL>": "</TOOLCALL>",
    "<function>": "</function>",
    "Call:": "",
}
END_OF_TURN: Final = (
    *("<|EOT|>", "<|eot|>", "<|eot_id|>", "<|eom_id|>", "<|eom|>", "<|im_end|>", "<|im_start|>"),
    *("<|endoftext|>", "<|end_of_text|>", "<|start_header_id|>", "<|header_start|>"),
    *("</s>", "<bot_end>", "<human_end>", "<END_OF_PLAN>", "<<question>>"),
)
"""Special tokens that end a turn or open another one; the text behind them is not the answer's."""
_END_IN_TEXT: Final = tuple(
    m for m in END_OF_TURN if m.startswith("<|") and len(m) <= MAX_MARKER_HELD
)
FORGED_TURNS: Final = ("### Response:", "### Instruction:")
"""What a Gorilla model writes when it invents the next turn; at the start of a line."""
_FORGED_AFTER_CALL: Final = (*FORGED_TURNS, "USER:", "ASSISTANT:")
_RAVEN_AFTER_CALL: Final = ("Thought:", "User Query:")

_FENCE_LANGUAGES: Final = TextSet("python\n", "py\n", "json\n", "tool_code\n", "\n")
_LINE_PREFIX: Final = re.compile(r"\d{1,3}[.)] |[-*] |return |await |[A-Za-z_]\w{0,6} = ")
_LINE_PREFIX_SO_FAR: Final = re.compile(r"(?:\d{1,3}[.)]?|[-*]|[A-Za-z_]\w{0,6}(?: =?)?)\Z")
_LOOSE_NAME: Final = re.compile(r"\w[\w.\-]*(?:\s*\.\s*[\w\-]+)*")
_NAME_MAY_GO_ON: Final = re.compile(r"\s*(?:\.\s*)?\Z")
_STATEMENT: Final = re.compile(r"(?:(?:return|await|yield)\s+|[A-Za-z_]\w*\s*=\s*)")


@dataclass(frozen=True)
class Opening:
    """The place where calls begin.

    Attributes:
        text: What stands in front of the first call.
        bracket: The bracket of a list of calls in ``text``, else "".
        explicit: A marker says that calls follow.
        fenced: A code fence was opened.
    """

    text: str
    bracket: str = ""
    explicit: bool = False
    fenced: bool = False


class Between(Enum):
    """What comes next where a call may stand."""

    NAME = "a name, perhaps"
    OBJECT = "a call written in JSON, perhaps"
    MARKER = "an opening marker"
    CLOSING = "the end of the block"
    SEPARATOR = "whitespace or what separates calls"
    BRACKET_OPENS = "the bracket of a list of calls"
    BRACKET_CLOSES = "its end, or a stray one"
    FENCE_OPENS = "a code fence behind a marker"
    END_OF_TURN = "the end of the turn"
    END_OF_ANSWER = "the end of the answer"
    TEXT = "text"


@dataclass(frozen=True)
class Place:
    """Where in a run of calls we are; it says how much a name must show to be a call's.

    Attributes:
        explicit: A marker opened the run.
        wrapped: The run ends with a closing marker, so what stands in it are calls.
        fenced: A code fence was opened, in front of it or behind its marker.
        bracket: The bracket of the list of calls that is open, else "".
        calls: How many calls the run had so far.
        separated: A comma or semicolon stands behind the last call.
    """

    explicit: bool = False
    wrapped: bool = False
    fenced: bool = False
    bracket: str = ""
    calls: int = 0
    separated: bool = False

    @property
    def announced(self) -> bool:
        """Whether a call must come: behind a marker, or a comma of a list."""
        if self.explicit and (self.calls == 0 or self.wrapped):
            return True
        return self.separated and bool(self.explicit or self.bracket)


class Markers:
    """The markers of one family, and where its calls may stand."""

    def __init__(
        self,
        syntax: CallSyntax,
        functions: Mapping[str, FunctionSchema] | None,
        *,
        may_call: bool = True,
    ) -> None:
        """Read the syntax.

        Args:
            syntax: The family's, or ``AUTO``.
            functions: By name; None where they are not known, so any name may be one.
            may_call: False where no marker announces a call.
        """
        tag = syntax.opening.strip().removesuffix("[").rstrip()
        closing = syntax.closing.strip().removeprefix("]").lstrip()
        own = {tag: closing} if tag else {}
        known = _KNOWN_TAGS if syntax == AUTO else own
        tags = known if may_call else {}
        self.bare = may_call and (not tag or syntax.wrapped)
        self.tags = TextSet(*(t for t in tags if t.startswith("<")))
        self._line_tags = TextSet(*(t for t in tags if not t.startswith("<")))
        closings = {
            c for c in (closing if may_call else "", *tags.values()) if c not in END_OF_TURN
        }
        self.reasoning = syntax.reasoning
        self._in_text = TextSet(*self.tags.texts, *closings, *_END_IN_TEXT, self.reasoning[0])
        self.stops = TextSet(*self.tags.texts, *closings, *_KNOWN_TAGS.values(), *END_OF_TURN)
        raven = _RAVEN_AFTER_CALL if "Call:" in tags else ()
        self._after_call = TextSet(*self.stops.texts, *_FORGED_AFTER_CALL, *raven)
        gorilla = "<<function>>" in known
        self.forged_turns = FORGED_TURNS if gorilla else ()
        self._wrappers = frozenset(t for t, c in tags.items() if c and c not in END_OF_TURN)
        specials = {*self._in_text.first_characters, "\n"} | ({"["} if self.bare else set())
        self.ordinary = re.compile(f"[^{re.escape(''.join(sorted(specials)))}]+")
        self._calls = BareCalls(functions)

    # --- in text --------------------------------------------------------------------------

    def marker(self, look: Lookahead) -> str:
        """Return the marker that comes next in text."""
        found = look.first_of(self._in_text)
        if found is None:
            raise NoMatchError
        return found

    def list_opening(self, look: Lookahead) -> Opening:
        """Match ``[f(x=1`` anywhere in text; stops in front of the name."""
        look.literal("[")
        look.spaces()
        at = look.at
        self._calls.match(look)
        return Opening(look.text[:at], bracket="[")

    def line_opening(self, look: Lookahead) -> Opening:
        """Match what may open calls at the start of a line."""
        look.spaces(" \t")
        tag = look.first_of(self._line_tags)
        if tag is not None:
            return Opening(look.text[: look.at + len(tag)], explicit=True)
        fenced = look.starts("```")
        if fenced:
            self._fence(look)
            look.spaces()
            if look.first_of(self.tags):
                return Opening(look.text[: look.at], fenced=True, explicit=True)
            tag = look.first_of(self._line_tags)
            if tag is not None:
                text = look.text[: look.at + len(tag)]
                return Opening(text, fenced=True, explicit=True)
        if not self.bare:
            raise NoMatchError
        self._line_prefix(look)
        bracket = ""
        if look.char() in ("'", '"'):  # '[f(x=1)]'
            look.at += 1
            look.literal("[")
            bracket = "["
        elif look.char() and look.char() in "[(":
            bracket = look.char()
            look.at += 1
        look.spaces()
        at = look.at
        self._calls.match(look)
        return Opening(look.text[:at], bracket=bracket, fenced=fenced)

    @staticmethod
    def _fence(look: Lookahead) -> None:
        """Pass over the opening of a code fence that may hold calls."""
        look.literal("```")
        language = look.first_of(_FENCE_LANGUAGES)
        if language is None:
            raise NoMatchError
        look.at += len(language)

    @staticmethod
    def fence_end(look: Lookahead) -> None:
        """Match the end of a code fence."""
        look.literal("```")

    @staticmethod
    def _line_prefix(look: Lookahead) -> None:
        """Pass over ``1. ``, ``- ``, ``a = `` and ``return ``."""
        match = _LINE_PREFIX.match(look.text, look.at)
        if match:
            look.at = match.end()
            look.spaces(" ")
        elif not look.final and _LINE_PREFIX_SO_FAR.match(look.text, look.at):
            raise NeedMoreError

    # --- between calls --------------------------------------------------------------------

    def closes(self, marker: str) -> bool:
        """Tell whether the block that this marker opens has a closing marker."""
        return marker in self._wrappers

    def between(self, look: Lookahead, place: Place) -> Between:
        """Match what comes next among calls."""
        look.spaces()
        spaces = look.text[: look.at]
        if len(spaces) == MAX_LOOK_AHEAD:
            return Between.SEPARATOR  # what follows is not in sight
        char = look.char()
        if not char:
            return Between.END_OF_ANSWER
        text = look.first_of(self._after_call)
        if text is not None:
            look.at += len(text)
            if text in self.tags:
                return Between.MARKER
            if text in END_OF_TURN:
                return Between.END_OF_TURN
            if text in self.stops:
                return Between.CLOSING
            if place.calls and "\n" in spaces:
                return Between.END_OF_TURN
            raise NoMatchError
        if char == "`" and place.fenced and look.starts("```"):
            look.at += 3
            return Between.CLOSING
        if spaces:
            return Between.SEPARATOR
        if char == "`" and place.announced and not place.calls:
            self._fence(look)
            return Between.FENCE_OPENS
        # A block may hold an empty list: its model calls nothing.
        if char in ")]" and (place.calls or (place.wrapped and place.bracket)):
            look.at += 1
            return Between.BRACKET_CLOSES
        if char in "([" and not place.bracket and (place.announced or char == "["):
            look.at += 1
            return Between.BRACKET_OPENS
        if char in "'\"" and place.calls and not place.bracket:
            look.at += 1
            look.spaces()
            if look.char():
                raise NoMatchError
            return Between.BRACKET_CLOSES  # '[f(x=1)]'
        if char in ",;" and place.calls:
            look.at += 1
            return Between.SEPARATOR
        if char == "{" and (place.announced or not place.calls or place.separated):
            return Between.OBJECT
        if place.calls and look.starts("and "):
            look.at += 4
            self._calls.match(look)
            look.at = 4
            return Between.SEPARATOR
        return Between.NAME

    def call_name(self, look: Lookahead, place: Place) -> tuple[str, str]:
        """Match a name and its bracket.

        Returns:
            The name and what is wrong with it, or "". Without its bracket where the answer
            ends there.
        """
        if not place.announced and not place.separated and place.calls and not place.bracket:
            at = look.at
            self._calls.match(look)  # behind a call stands text as often as the next call
            look.at = at
        odd = self._calls.odd_name(look)
        if odd is not None:
            return odd, ""
        statement = _STATEMENT.match(look.text, look.at)
        if statement:
            look.at = statement.end()
            look.char()  # a name stands behind it once that is there
        start = look.at
        match = _LOOSE_NAME.match(look.text, start)
        look.at = match.end() if match else start
        # A name of one run shows what is in it: f\u2060( is a bad name, not prose.
        run = RUN.match(look.text, look.at)
        look.at = run.end() if run else look.at
        name = look.text[start : look.at]
        if not look.final and _NAME_MAY_GO_ON.match(look.text, look.at):
            raise NeedMoreError
        if not name or len(name) > MAX_NAME:
            raise NoMatchError
        if place.explicit:
            look.spaces()
        char = look.char()
        if char == "" and place.announced and is_writable_name(name):
            return name, "cut off: the answer ended in front of the arguments"
        if char != "(":
            raise NoMatchError
        look.at += 1
        if not place.announced and not place.bracket:
            at = look.at
            self._calls.match_argument(look)
            look.at = at
        name = re.sub(r"\s*\.\s*", ".", name)
        if self._calls.is_known(name) or is_writable_name(name):
            return name, ""
        return name, f"{shorten(name)!a} is no function name"
