"""Liquid AI's LFM2 and LFM2.5.

Sources: the cards of LiquidAI/LFM2-1.2B-Tool and LFM2-8B-A1B (the conversation under "Tool
use"); LFM2.5's chat template as in ggml-org/llama.cpp, ``models/templates/LFM2.5-8B-A1B.jinja``.

Left out on purpose: the line "Today's date" that LFM2.5's template puts before the functions. It
changes every day, and with it the whole cached prefix; put the date into a question that needs
it. Results are plain text with broken markers, an error after ``Error: ``.
"""

from collections.abc import Sequence
from typing import Final

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.formats.base import BOS, AssistantTurn, CallResult, Prompt, Special
from langchain_gorilla.formats.call_writer import join_calls
from langchain_gorilla.formats.chat import ChatFormat
from langchain_gorilla.formats.markers import COMMON_MARKERS
from langchain_gorilla.functions import FunctionSchema

_LIST: Final = "List of tools: "


class LFM25(ChatFormat):
    """LFM2.5: calls between special tokens; functions and results as plain text."""

    name = "lfm2.5"
    syntax = CallSyntax(
        opening="<|tool_call_start|>[",
        separator=", ",
        closing="]<|tool_call_end|>",
        # Engines leave special tokens out of the text, so the bare list is what is parsed.
        wrapped=True,
        quote='"',
    )
    stop = ("<|im_end|>",)
    context_tokens = 32_768
    markers = COMMON_MARKERS
    beginning = (BOS,)
    results_role = "tool"
    end: Prompt = (Special("<|im_end|>"), "\n")

    def header(self, role: str) -> Prompt:
        """Write ``<|im_start|>role``."""
        return (Special("<|im_start|>"), f"{role}\n")

    def system(self, text: str, functions: Sequence[FunctionSchema]) -> Prompt:
        """Write the system message, then the functions after a blank line."""
        tools = _LIST + self.documents(functions) if functions else ""
        content = "\n\n".join(part for part in (self.data(text), tools) if part)
        return (content,) if content else ()

    def answer(self, turn: AssistantTurn) -> Prompt:
        """Write text, then the calls between their special tokens."""
        if not turn.calls:
            return (self.data(turn.text),)
        return (
            self.data(turn.text),
            Special("<|tool_call_start|>"),
            f"[{join_calls(turn.calls, self.syntax, self.markers)}]",
            Special("<|tool_call_end|>"),
        )


class LFM2(LFM25):
    """LFM2: functions and results between special tokens too."""

    name = "lfm2"

    def system(self, text: str, functions: Sequence[FunctionSchema]) -> Prompt:
        """Write the system message, then the functions on a line of their own."""
        if not functions:
            return (self.data(text),) if text else ()
        return (
            f"{self.data(text)}\n{_LIST}" if text else _LIST,
            Special("<|tool_list_start|>"),
            self.documents(functions),
            Special("<|tool_list_end|>"),
        )

    def result(self, result: CallResult) -> Prompt:
        """Write the content between the special tokens of a response."""
        start, end = Special("<|tool_response_start|>"), Special("<|tool_response_end|>")
        return (start, *super().result(result), end)
