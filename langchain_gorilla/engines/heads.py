"""Where an answer names a function: what is written of the call's head, and which names fit it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.engines.written_call import read_call
from langchain_gorilla.grammar.call_grammar import trigger

if TYPE_CHECKING:
    from langchain_gorilla.grammar.constraint import Vocabulary


@dataclass(frozen=True)
class Head:
    """The head of a call, as far as it is written.

    Attributes:
        text: What is written of it.
        start: Where in the answer's text it begins.
        mark: What calls begin with here, the space at its end left out.
        names: Head, ``(`` included, to function, for those that are still possible: two or more.
    """

    text: str
    start: int
    mark: str
    names: Mapping[str, str]

    def is_named_by(self, token: str) -> bool:
        """Tell whether a name is begun or goes on with a token."""
        return len(self.text + token) > len(self.mark)


class Heads:
    """Reads the heads of calls in one family's answers."""

    def __init__(
        self, functions: Sequence[str], syntax: CallSyntax, vocabulary: "Vocabulary"
    ) -> None:
        """Know the names of the functions, as the model writes them."""
        self._functions = functions
        self._syntax = syntax
        self._vocabulary = vocabulary

    def text(self, tokens: Sequence[int]) -> str:
        """Decode tokens, an unfinished character left out."""
        return self._vocabulary.decode(tokens).decode("utf-8", "ignore")

    def at(self, answer: Sequence[int]) -> Head | None:
        """Say what is written of a call's head; None where functions have nothing to choose."""
        whole = self.text(answer)
        text, mark = whole, self._syntax.opening
        opened, closed = self._syntax.reasoning
        if closed and closed in text:
            text = text[text.rindex(closed) + len(closed) :]
        elif opened and opened in text:
            return None
        if (sure := trigger(self._syntax)) is not None and sure in text:
            text = text[text.index(sure) :]
        text = text.lstrip()
        while (head := self._complete(text, mark)) is not None:
            written = read_call(text[len(head) :])
            if written.brackets:
                return None
            text, mark = written.rest, self._syntax.separator
        heads = {f"{mark}{name}(": name for name in self._functions}
        left = {head: name for head, name in heads.items() if head.startswith(text)}
        return Head(text, len(whole) - len(text), mark.rstrip(), left) if len(left) > 1 else None

    def tokens(self, answer: Sequence[int], head: Head) -> dict[int, list[str]]:
        """Give the tokens that may come next in a head, each with the functions it leaves."""
        # The space before an answer's first word belongs to it.
        first = not self.text(answer).strip()
        spellings = self._vocabulary.unspaced if first else self._vocabulary.spellings
        found: dict[int, list[str]] = {}
        for each, name in head.names.items():
            rest = each[len(head.text) :].encode()
            inside = (token for token, _ in spellings.inside(rest))
            for token in {*inside, *spellings.beginning_with(rest)}:
                found.setdefault(token, []).append(name)
        return found

    def finished(self, answer: Sequence[int], head: Head) -> str | None:
        """Name the function whose call is over; None while it is not."""
        text = self.text(answer)[head.start :]
        for each, name in head.names.items():
            if text.startswith(each) and not read_call(text[len(each) :]).brackets:
                return name
        return None

    def _complete(self, text: str, mark: str) -> str | None:
        """Give the head that a text begins with."""
        heads = (f"{mark}{name}(" for name in self._functions)
        return next((head for head in heads if text.startswith(head)), None)
