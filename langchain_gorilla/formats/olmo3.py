"""Ai2's OLMo-3 Instruct.

Sources: ``chat_template.jinja`` of allenai/Olmo-3-7B-Instruct and Olmo-3.1-32B-Instruct, as
restated in ``model/renderers/olmo3.go`` of ollama/ollama: ChatML, functions in ``<functions>`` at
the end of the system turn, calls in ``<function_calls>``, one a line, results in the role
``environment``. Values are spelled as in JSON. A system message replaces the default one, as in
the template, and with it the explanation of how to call; the functions follow it directly.

Results are plain text with broken markers, an error after ``Error: ``. The tags are written as
text, so that it does not matter whether a vocabulary has tokens for them.
"""

from collections.abc import Sequence
from typing import Final

from langchain_gorilla.calls import CallSyntax, Literals
from langchain_gorilla.formats.base import Prompt, Special
from langchain_gorilla.formats.chat import ChatFormat
from langchain_gorilla.formats.markers import COMMON_MARKERS, write_json
from langchain_gorilla.functions import FunctionSchema

_DEFAULT: Final = "You are a helpful function-calling AI assistant. "
_NO_FUNCTIONS: Final = "You do not currently have access to any functions. <functions></functions>"
_WITH_FUNCTIONS: Final = (
    "You are provided with function signatures within <functions></functions> XML tags. You may "
    "call one or more functions to assist with the user query. Output any function calls within "
    "<function_calls></function_calls> XML tags. Do not make assumptions about what values to "
    "plug into functions."
)


class Olmo3(ChatFormat):
    """OLMo-3 and OLMo-3.1 Instruct."""

    name = "olmo-3"
    syntax = CallSyntax(
        opening="<function_calls>",
        separator="\n",
        closing="</function_calls>",
        literals=Literals.JSON,
        quote='"',
    )
    stop = ("<|im_end|>",)
    context_tokens = 65_536
    markers = (
        *("<functions>", "</functions>", "<function_calls>", "</function_calls>"),
        *COMMON_MARKERS,
    )
    results_role = "environment"
    end: Prompt = (Special("<|im_end|>"), "\n")

    def header(self, role: str) -> Prompt:
        """Write ``<|im_start|>role``."""
        return (Special("<|im_start|>"), f"{role}\n")

    def system(self, text: str, functions: Sequence[FunctionSchema]) -> Prompt:
        """Write the system message or the default one, then the functions."""
        if not functions:
            return (self.data(text) if text else _DEFAULT + _NO_FUNCTIONS,)
        tools = [{"type": "function", "function": each.document()} for each in functions]
        written = write_json(tools, self.markers, ascii_only=False)
        before = self.data(text) if text else _DEFAULT + _WITH_FUNCTIONS
        return (f"{before}<functions>{written}</functions>",)
