r"""Llama-3.2 and its tool-calling descendants, and Llama-4: a list of Python calls.

Sources: the prompt formats in Meta's model documentation (llama.com, "Llama 3.2" and "Llama 4")
and ``meta-llama/llama-models``; the cards of Team-ACE/ToolACE-8B and ToolACE-2-8B,
watt-ai/watt-tool-8B and uiuc-convai/CoALM-8B, all trained on the prompt that BFCL asks prompted
models with (``bfcl_eval/constants/default_prompts.py`` in ShishirPatil/gorilla); the templates
``tool_chat_template_toolace.jinja`` and ``tool_chat_template_llama4_pythonic.jinja`` of
vllm-project/vllm for the role ``ipython`` and the shape of results.

Left out on purpose: Llama-3.2's "Cutting Knowledge Date" and "Today Date" lines. A date in front
changes every day, and with it the whole cached prefix.
"""

from collections.abc import Sequence
from typing import Final

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.formats.base import BOS, AssistantTurn, CallResult, Prompt, Special
from langchain_gorilla.formats.call_writer import join_calls
from langchain_gorilla.formats.chat import ChatFormat
from langchain_gorilla.formats.markers import COMMON_MARKERS, write_json
from langchain_gorilla.functions import FunctionSchema

LLAMA_3_TOOLS: Final = (
    "You are an expert in composing functions. You are given a question and a set of possible "
    "functions. Based on the question, you will need to make one or more function/tool calls to "
    "achieve the purpose.\n"
    "If none of the function can be used, point it out. If the given question lacks the "
    "parameters required by the function, also point it out.\n"
    "You should only return the function call in tools call sections.\n\n"
    "If you decide to invoke any of the function(s), you MUST put it in the format of "
    "[func_name1(params_name1=params_value1, params_name2=params_value2...), "
    "func_name2(params)]\n"
    "You SHOULD NOT include any other text in the response.\n"
    "Here is a list of functions in JSON format that you can invoke.\n"
)
LLAMA_4_TOOLS: Final = (
    "Here is a list of functions in JSON format that you can invoke. Use exact format: "
    "[func_name1(param1=value1, param2=value2), func_name2(...)]\n"
)
_MARKERS: Final = (*COMMON_MARKERS, "[INST]", "[/INST]")


class LlamaPythonic(ChatFormat):
    """Llama-3.2 1B and 3B, ToolACE, watt-tool, CoALM."""

    name = "llama-pythonic"
    syntax = CallSyntax(opening="[", separator=", ", closing="]")
    stop = ("<|eot_id|>", "<|eom_id|>")
    context_tokens = 131_072
    markers = _MARKERS
    beginning = (BOS,)
    results_role = "ipython"
    end: Prompt = (Special("<|eot_id|>"),)

    def header(self, role: str) -> Prompt:
        """Write ``<|start_header_id|>role<|end_header_id|>`` and a blank line."""
        return (Special("<|start_header_id|>"), role, Special("<|end_header_id|>"), "\n\n")

    def system(self, text: str, functions: Sequence[FunctionSchema]) -> Prompt:
        """Write the request for calls and the functions, then the system message."""
        if not functions:
            return (self.data(text),) if text else ()
        tools = f"{LLAMA_3_TOOLS}{self.documents(functions)}\n"
        return (tools + (f"\n{self.data(text)}" if text else ""),)

    def result(self, result: CallResult) -> Prompt:
        """Write ``{"output": content}`` or ``{"error": content}``."""
        key = "error" if result.is_error else "output"
        return (write_json({key: result.content}, self.markers, ascii_only=False),)


class Llama4Pythonic(ChatFormat):
    """Llama-4 Scout and Maverick.

    The system message comes first, then Meta's short request for calls, as their template has
    it when there is a system message; its long default of rules is left out.
    """

    name = "llama-4-pythonic"
    syntax = CallSyntax(
        opening="<|python_start|>[",
        separator=", ",
        closing="]<|python_end|>",
        wrapped=True,
        quote='"',
    )
    stop = ("<|eot|>", "<|eom|>")
    context_tokens = 131_072
    markers = _MARKERS
    beginning = (BOS,)
    results_role = "ipython"
    end: Prompt = (Special("<|eot|>"),)

    def header(self, role: str) -> Prompt:
        """Write ``<|header_start|>role<|header_end|>`` and a blank line."""
        return (Special("<|header_start|>"), role, Special("<|header_end|>"), "\n\n")

    def system(self, text: str, functions: Sequence[FunctionSchema]) -> Prompt:
        """Write the system message, then the functions."""
        tools = LLAMA_4_TOOLS + self.documents(functions) + "\n" if functions else ""
        content = "\n".join(part for part in (self.data(text), tools) if part)
        return (content,) if content else ()

    def answer(self, turn: AssistantTurn) -> Prompt:
        """Write calls as the bare list, which is how the reference writes history."""
        calls = join_calls(turn.calls, self.syntax, self.markers)
        return (self.data(turn.text), f"[{calls}]" if turn.calls else "")

    def result(self, result: CallResult) -> Prompt:
        """Write the content as a JSON string, or ``{"error": content}``."""
        value = {"error": result.content} if result.is_error else result.content
        return (write_json(value, self.markers, ascii_only=False),)
