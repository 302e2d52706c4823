r"""Gorilla-7B: the model of the Gorilla paper, which names an API call for a task.

Sources: ``inference/serve/conv_template.py`` (``gorilla_v0``) and the questions in
``gorilla/eval/eval-data`` of ShishirPatil/gorilla; the paper, arXiv 2305.15334. For
gorilla-llm/gorilla-7b-hf-v1, gorilla-7b-th-v0 and gorilla-7b-tf-v0 (LLaMA-7B, 2,048 tokens);
gorilla-mpt-7b and gorilla-falcon-7b have other templates.

Without a function the prompt is zero-shot; with one it is retriever-aware: the question ends
with that API's documentation. The model was trained with one document, so two are an error.

It was trained on single questions. Later turns are vicuna's, whose template this is; tool
results are folded into a turn of the user, as OpenFunctions' are. Neither is something that the
model has learnt.
"""

from collections.abc import Sequence
from typing import Final

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.errors import PromptError
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
from langchain_gorilla.formats.exchanges import Exchange, answered, exchanges, folded, system_text
from langchain_gorilla.formats.markers import (
    COMMON_MARKERS,
    LLAMA_2_MARKERS,
    break_markers,
    write_json,
)
from langchain_gorilla.functions import FunctionSchema

SYSTEM: Final = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions."
)
REFERENCE: Final = "\n Use this API documentation for reference: "
_FIELDS: Final = ("domain", "api_call", "api_provider", "explanation", "code")


class Gorilla7B(PromptFormat):
    """Gorilla-7B, zero-shot or with the documentation of one API."""

    name = "gorilla-7b"
    syntax = CallSyntax(
        opening="<<<api_call>>>: ",
        separator="\n<<<api_call>>>: ",
        closing="",
        sections=True,
    )
    stop = ("\nUSER:",)
    context_tokens = 2_048
    most_functions = 1
    markers = (
        *("USER:", "ASSISTANT:", "<<function>>", "<<question>>", "###Output:"),
        *(f"<<<{field}>>>" for field in _FIELDS),
        REFERENCE.strip(),
        *COMMON_MARKERS,
        *LLAMA_2_MARKERS,
    )

    def render(self, turns: Sequence[Turn], functions: Sequence[FunctionSchema]) -> Prompt:
        """Write the conversation, the documentation after the first question.

        Raises:
            PromptError: There is more than one function.
        """
        if len(functions) > 1:
            raise PromptError(
                f"{self.name} reads the documentation of one API, got {len(functions)} "
                "functions. Bind the one that matters, or use gorilla-openfunctions-v2."
            )
        parts: list[str | Special] = [BOS, f"{SYSTEM}\n"]
        if system := system_text(turns):
            parts.append(f"{break_markers(system, self.markers)}\n")
        for number, exchange in enumerate(exchanges(turns)):
            parts.append(self._question(exchange, functions, first=number == 0))
            parts.append("ASSISTANT:")
            if exchange.answer is not None:
                parts += [f" {self.render_answer(exchange.answer)}", EOS]
        return make_prompt(parts)

    def render_answer(self, turn: AssistantTurn) -> str:
        """Write text, then each call after ``<<<api_call>>>:`` on a line of its own."""
        return answered(turn, self.syntax, self.markers)

    def _question(
        self, exchange: Exchange, functions: Sequence[FunctionSchema], *, first: bool
    ) -> str:
        if exchange.results:
            told = folded(exchange, self.syntax, self.markers, before_question="")
            return f"USER: {told}\n"
        if exchange.question is None and not first:
            return ""
        question = break_markers(exchange.question or "", self.markers)
        if not first or not functions:
            return f"USER: {question}\n"
        document = write_json(functions[0].document(), self.markers, ascii_only=True)
        return f"USER: {question}{REFERENCE}{document}\n"
