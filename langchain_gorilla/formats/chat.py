"""What the families with role headers share: each turn is header, text, end.

A header's and an end's special tokens are ``Special``; everything else is text. Consecutive
human messages are joined by a newline, since these families take turns.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence

from langchain_gorilla.formats.base import (
    AssistantTurn,
    CallResult,
    HumanTurn,
    Prompt,
    PromptFormat,
    ResultsTurn,
    Special,
    SystemTurn,
    Turn,
    make_prompt,
)
from langchain_gorilla.formats.call_writer import write_calls
from langchain_gorilla.formats.exchanges import said, system_text
from langchain_gorilla.formats.markers import break_markers, write_json
from langchain_gorilla.functions import FunctionSchema


class ChatFormat(PromptFormat):
    """A family whose every turn has a role.

    Attributes:
        beginning: What a prompt starts with.
        results_role: The role that tool results have.
        end: What closes a turn.
    """

    beginning: Prompt = ()
    results_role: str
    end: Prompt

    @abstractmethod
    def header(self, role: str) -> Prompt:
        """Write what opens a turn of this role."""

    @abstractmethod
    def system(self, text: str, functions: Sequence[FunctionSchema]) -> Prompt:
        """Write the content of the system turn; nothing for no such turn."""

    def result(self, result: CallResult) -> Prompt:
        """Write the content of the turn that carries one result: as it is, or as an error."""
        return (("Error: " if result.is_error else "") + self.data(result.content),)

    def render(self, turns: Sequence[Turn], functions: Sequence[FunctionSchema]) -> Prompt:
        """Write the turns one after the other, then the header of the model's."""
        return make_prompt(self._parts(turns, functions))

    def render_answer(self, turn: AssistantTurn) -> str:
        """Write text and calls without anything between them."""
        return "".join(str(part) for part in self.answer(turn))

    def answer(self, turn: AssistantTurn) -> Prompt:
        """Write the content of an assistant turn."""
        return (self.data(turn.text), write_calls(turn.calls, self.syntax, self.markers))

    def data(self, text: str) -> str:
        """Write text that may hold anything."""
        return break_markers(text, self.markers)

    def documents(self, functions: Sequence[FunctionSchema]) -> str:
        """Write functions as a list in JSON."""
        documents = [function.document() for function in functions]
        return write_json(documents, self.markers, ascii_only=False)

    def _parts(
        self, turns: Sequence[Turn], functions: Sequence[FunctionSchema]
    ) -> Iterator[str | Special]:
        yield from self.beginning
        if system := self.system(system_text(turns), functions):
            yield from self._turn("system", system)
        for turn in _joined(turns):
            match turn:
                case HumanTurn():
                    yield from self._turn("user", (self.data(said(turn)),))
                case AssistantTurn():
                    yield from self._turn("assistant", self.answer(turn))
                case ResultsTurn():
                    for result in turn.results:
                        yield from self._turn(self.results_role, self.result(result))
                case SystemTurn():
                    pass
        yield from self.header("assistant")

    def _turn(self, role: str, content: Prompt) -> Iterator[str | Special]:
        yield from self.header(role)
        yield from content
        yield from self.end


def _joined(turns: Iterable[Turn]) -> list[Turn]:
    joined: list[Turn] = []
    for turn in turns:
        if isinstance(turn, HumanTurn) and joined and isinstance(last := joined[-1], HumanTurn):
            joined[-1] = HumanTurn(f"{said(last)}\n{said(turn)}")
        else:
            joined.append(turn)
    return joined
