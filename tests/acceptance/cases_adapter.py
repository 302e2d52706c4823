"""What ``../shared/cases/harness.py`` scores: this package behind the harness's interface.

python ../shared/cases/harness.py --adapter tests.acceptance.cases_adapter --cases ../shared/cases
"""

import ast
from collections.abc import Iterable, Sequence
from typing import Any, Final

from langchain_gorilla.calls import CallEvent, CallSyntax, FunctionCall
from langchain_gorilla.formats.lfm2 import LFM2
from langchain_gorilla.formats.llama_pythonic import Llama4Pythonic, LlamaPythonic
from langchain_gorilla.formats.olmo3 import Olmo3
from langchain_gorilla.formats.openfunctions import OpenFunctionsV1, OpenFunctionsV2
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.parsing.arguments import Argument
from langchain_gorilla.parsing.gorilla7b import read_api_call
from langchain_gorilla.parsing.openings import AUTO
from langchain_gorilla.parsing.python_calls import collect
from langchain_gorilla.parsing.stream import StreamParser
from tests.acceptance.evaluation_cases import (
    apibench_verdict,
    apibench_verdict_db,
    bfcl_check,
    bfcl_decode,
)
from tests.acceptance.prompt_cases import render_prompt, special_token_count

__all__ = [
    "apibench_verdict",
    "apibench_verdict_db",
    "bfcl_check",
    "bfcl_decode",
    "gorilla7b",
    "parse",
    "render_prompt",
    "special_token_count",
    "stream",
]

SYNTAXES: Final[dict[str, CallSyntax]] = {
    "gorilla_v2": OpenFunctionsV2.syntax,
    "gorilla_v1": OpenFunctionsV1.syntax,
    "list": LlamaPythonic.syntax,
    "lines": CallSyntax(opening="", separator="\n", closing=""),
    "lfm2": LFM2.syntax,
    "llama4": Llama4Pythonic.syntax,
    "olmo3": Olmo3.syntax,
    "auto": AUTO,
}


def parse(text: str, tools: Sequence[dict[str, Any]], fmt: str) -> dict[str, Any]:
    """Parse a complete answer."""
    return stream([text], tools, fmt)


def stream(chunks: Iterable[str], tools: Sequence[dict[str, Any]], fmt: str) -> dict[str, Any]:
    """Parse an answer in pieces."""
    parser = StreamParser(SYNTAXES[fmt], [_schema(tool) for tool in tools])
    events: list[CallEvent] = []
    for chunk in chunks:
        events += parser.feed(chunk)
    answer = collect([*events, *parser.close()])
    calls = [c for c in answer.calls if isinstance(c, FunctionCall)]
    return {
        "calls": [(call.name, dict(call.arguments)) for call in calls],
        "invalid": len(answer.calls) - len(calls),
        "content": answer.text,
    }


def gorilla7b(text: str) -> dict[str, Any] | None:
    """Return the call of a Gorilla-7B answer, expressions spelled as ``ast.unparse`` does."""
    call = read_api_call(text)
    if call is None or call.failure is not None:
        return None
    return {
        "callee": call.callee,
        "positional": [_value(a) for a in call.arguments if a.name is None],
        "keywords": {a.name: _value(a) for a in call.arguments if a.name is not None},
    }


def _value(argument: Argument) -> Any:
    if not argument.is_expression:
        return argument.value
    try:
        return {"$expr": ast.unparse(ast.parse(str(argument.value), mode="eval"))}
    except SyntaxError:
        return {"$expr": argument.value}


def _schema(tool: dict[str, Any]) -> FunctionSchema:
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    return FunctionSchema(tool["name"], tool.get("description", ""), parameters)
