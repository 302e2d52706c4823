"""How the families write calls, and functions for them to call."""

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.functions import FunctionSchema

V2 = CallSyntax(opening="<<function>>", separator="<<function>>", closing="")
V1 = CallSyntax(opening="", separator=", ", closing="")
LIST = CallSyntax(opening="[", separator=", ", closing="]")
LFM2 = CallSyntax(
    opening="<|tool_call_start|>[", separator=", ", closing="]<|tool_call_end|>", wrapped=True
)
OLMO3 = CallSyntax(opening="<function_calls>", separator="\n", closing="</function_calls>")
RAVEN = CallSyntax(opening="Call: ", separator="; ", closing="<bot_end>")
SYNTAXES = {"v2": V2, "v1": V1, "list": LIST, "lfm2": LFM2, "olmo3": OLMO3, "raven": RAVEN}


def schema(name: str, *parameters: str) -> FunctionSchema:
    return FunctionSchema(name, "", {"type": "object", "properties": {p: {} for p in parameters}})
