r"""Gorilla OpenFunctions v0, v1 and v2.

Sources: ``openfunctions/inference_local.py`` (v2) and ``openfunctions/README.md`` in
ShishirPatil/gorilla; the model cards of gorilla-llm/gorilla-openfunctions-v0, -v1 and -v2. The
chat template on v2's hub page disagrees with the reference prompt (gorilla issue 440); the
reference prompt is used. As in the reference, functions are ``json.dumps`` with its defaults,
so what is beyond ASCII in them stands as ``\uXXXX``.

The reference knows one question and no tool results. Everything after the first answer is this
package's design, and for v2 what its bundled model is trained on. ``S`` is the system text, ``⏎``
a newline; a prompt opens with the first line where there are functions, else with the second::

    S⏎### Instruction: <<function>>[documents]⏎<<question>>question⏎### Response: answer⏎<EOS>⏎
    S⏎### Instruction: <<question>> question⏎### Response: answer⏎<EOS>⏎
    ### Instruction: <<question>>next question⏎### Response: answer⏎<EOS>⏎
    ### Instruction: <<question>>The calls returned:⏎f(a=1) -> {"b": 2}⏎g() -> error "why"⏎
    Answer the question from these results, or call the next function.⏎### Response:

A question that follows results directly takes the place of that last sentence, with a
``<<question>>`` of its own. Consecutive questions are one instruction, a line each. A system
message follows ``S`` on lines of its own. v0 and v1 fold in the same way between their ``USER:``
and ``ASSISTANT:``, each earlier answer closed by the end token.
"""

from collections.abc import Sequence
from typing import Final

from langchain_gorilla.calls import CallSyntax, JSONValue
from langchain_gorilla.formats.base import (
    BOS,
    EOS,
    AssistantTurn,
    Prompt,
    PromptFormat,
    Special,
    Turn,
    make_prompt,
)
from langchain_gorilla.formats.call_writer import write_calls
from langchain_gorilla.formats.exchanges import Exchange, answered, exchanges, folded, system_text
from langchain_gorilla.formats.markers import (
    COMMON_MARKERS,
    LLAMA_2_MARKERS,
    break_markers,
    write_json,
)
from langchain_gorilla.functions import FunctionSchema

SYSTEM: Final = (
    "You are an AI programming assistant, utilizing the Gorilla LLM model, developed by Gorilla "
    "LLM, and you only answer questions related to computer science. For politically sensitive "
    "questions, security and privacy issues, and other non-computer science questions, you will "
    "refuse to answer."
)
_TAGS: Final = ("<<function>>", "<<question>>", "USER:", "ASSISTANT:")


class OpenFunctionsV2(PromptFormat):
    """``gorilla-llm/gorilla-openfunctions-v2``, and the bundled model.

    Args:
        system: What every prompt begins with, for models that were trained with another text.
    """

    name = "openfunctions-v2"
    syntax = CallSyntax(opening="<<function>>", separator="<<function>>", closing="")
    stop = ("### Instruction:",)
    context_tokens = 4_096
    # "<|" and "<｜" open the spellings of DeepSeek's special tokens.
    markers = (
        "### Instruction:",
        "### Response:",
        *_TAGS,
        "<｜",
        *COMMON_MARKERS,
        *LLAMA_2_MARKERS,
    )

    def __init__(self, system: str = SYSTEM) -> None:
        self._system = system

    def render(self, turns: Sequence[Turn], functions: Sequence[FunctionSchema]) -> Prompt:
        """Write the conversation; see the module's docstring for each shape."""
        parts: list[str | Special] = [BOS, f"{self._system}\n"]
        if system := system_text(turns):
            parts.append(f"{break_markers(system, self.markers)}\n")
        for number, exchange in enumerate(exchanges(turns)):
            parts.append(self._instruction(exchange, functions, first=number == 0))
            parts.append("### Response: ")
            if exchange.answer is not None:
                parts += [f"{self.render_answer(exchange.answer)}\n", EOS, "\n"]
        return make_prompt(parts)

    def render_answer(self, turn: AssistantTurn) -> str:
        """Write text and calls without anything between them."""
        text = break_markers(turn.text, self.markers)
        return text + write_calls(turn.calls, self.syntax, self.markers)

    def _instruction(
        self, exchange: Exchange, functions: Sequence[FunctionSchema], *, first: bool
    ) -> str:
        if exchange.results:
            told = folded(exchange, self.syntax, self.markers, before_question="<<question>>")
            return f"### Instruction: <<question>>{told}\n"
        if exchange.question is None and not first:
            return ""
        question = break_markers(exchange.question or "", self.markers)
        if not first:
            return f"### Instruction: <<question>>{question}\n"
        if not functions:
            return f"### Instruction: <<question>> {question}\n"
        documents = [function.document() for function in functions]
        written = write_json(documents, self.markers, ascii_only=True)
        return f"### Instruction: <<function>>{written}\n<<question>>{question}\n"


class OpenFunctionsV1(PromptFormat):
    """``gorilla-llm/gorilla-openfunctions-v1``: several functions, several calls."""

    name = "openfunctions-v1"
    syntax = CallSyntax(opening="", separator=", ", closing="", quote='"')
    stop = ("\nUSER:",)
    context_tokens = 4_096
    markers = (*_TAGS, *COMMON_MARKERS, *LLAMA_2_MARKERS)

    def render(self, turns: Sequence[Turn], functions: Sequence[FunctionSchema]) -> Prompt:
        """Write the conversation, the functions after the first question."""
        parts: list[str | Special] = [BOS]
        if system := system_text(turns):
            parts.append(f"{break_markers(system, self.markers)}\n")
        for number, exchange in enumerate(exchanges(turns)):
            parts.append(self._question(exchange, functions, first=number == 0))
            parts.append("ASSISTANT: ")
            if exchange.answer is not None:
                parts += [self.render_answer(exchange.answer), EOS]
        return make_prompt(parts)

    def render_answer(self, turn: AssistantTurn) -> str:
        """Write text, a newline, calls: bare calls need something in front to stand apart.

        A text that ends in an opening bracket or a quote would still read as that of the calls.
        """
        return answered(turn, self.syntax, self.markers)

    def _question(
        self, exchange: Exchange, functions: Sequence[FunctionSchema], *, first: bool
    ) -> str:
        if exchange.results:
            told = folded(exchange, self.syntax, self.markers, before_question="<<question>> ")
            return f"USER: <<question>> {told}\n"
        if exchange.question is None and not first:
            return ""
        question = break_markers(exchange.question or "", self.markers)
        if not first or not functions:
            return f"USER: <<question>> {question}\n"
        documents = [self._document(function) for function in functions]
        written = write_json(documents, self.markers, ascii_only=True)
        return f"USER: <<question>> {question} <<function>> {written}\n"

    def _document(self, function: FunctionSchema) -> dict[str, JSONValue]:
        """Add the callable's name, which in this dialect stands beside a title."""
        document = function.document()
        return {"name": document["name"], "api_name": function.name, **document}


class OpenFunctionsV0(OpenFunctionsV1):
    """``gorilla-llm/gorilla-openfunctions-v0``: trained with one function and one call.

    More functions are written as v1 writes them; expect little of them.
    """

    name = "openfunctions-v0"
    context_tokens = 2_048

    def _document(self, function: FunctionSchema) -> dict[str, JSONValue]:
        document = function.document()
        return {"name": document["name"], "api_call": function.name, **document}
