"""Conversations as text in the OpenFunctions v2 format, the response marked where it is.

The same text as ``langchain_gorilla.formats.openfunctions`` renders; a test compares them.
It is written again here because training needs to know which parts the model itself writes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_gorilla.calls import FunctionCall, JSONValue

SYSTEM = (
    "You are an AI programming assistant, utilizing the Gorilla LLM model, developed by Gorilla "
    "LLM, and you only answer questions related to computer science. For politically sensitive "
    "questions, security and privacy issues, and other non-computer science questions, you will "
    "refuse to answer."
)
INSTRUCTION = "\n### Instruction: "
RESPONSE = "\n### Response: "
RESULTS_HEAD = "The calls returned:\n"
RESULTS_TAIL = "\nAnswer the question from these results, or call the next function."
CALL = "<<function>>"
END = "</s>"

_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"})


@dataclass(frozen=True)
class Result:
    """What one call gave: the tool's text, or its error."""

    call: FunctionCall
    content: str
    is_error: bool = False


@dataclass(frozen=True)
class Turn:
    """One instruction and the response to it.

    Attributes:
        question: What the human says, or None when results come back.
        results: What came back, in the order of the calls.
        response: What the model writes.
        learned: The response is right, so that it is trained on; a wrong call is only shown.
    """

    question: str | None
    results: tuple[Result, ...]
    response: str
    learned: bool = True


@dataclass(frozen=True)
class Conversation:
    """What one training example shows.

    Attributes:
        kind: ``simple``, ``parallel``, ... : what it teaches, for the mix and the measures.
        functions: Documents of the offered functions; may be empty.
        turns: In order; the last response is the expected answer.
        system: The user's system message, ``""`` for none.
        calls: The calls of the first response, for measuring.
        held_out: Made from held-out concepts.
        schema: Of the JSON that the last response is, told in ``system``; None for free text.
    """

    kind: str
    functions: tuple[Mapping[str, Any], ...]
    turns: tuple[Turn, ...]
    system: str = ""
    calls: tuple[FunctionCall, ...] = ()
    held_out: bool = False
    schema: Mapping[str, Any] | None = None


def write_value(value: JSONValue) -> str:
    """Write a JSON value as a Python literal with single quotes."""
    if isinstance(value, str):
        return f"'{value.translate(_ESCAPES)}'"
    if isinstance(value, list):
        return f"[{', '.join(map(write_value, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{write_value(k)}: {write_value(v)}' for k, v in value.items())}}}"
    return repr(value)


def write_call(call: FunctionCall) -> str:
    """Write one call: ``f(a='x', b=1)``."""
    arguments = (f"{name}={write_value(value)}" for name, value in call.arguments.items())
    return f"{call.name}({', '.join(arguments)})"


def write_calls(calls: Sequence[FunctionCall]) -> str:
    """Write a response that consists of calls."""
    return "".join(f"{CALL}{write_call(call)}" for call in calls)


def write_content(content: str) -> str:
    """Write what a tool returned: JSON objects and arrays as they are, other text quoted."""
    if content[:1] in ("{", "["):
        try:
            if json.dumps(json.loads(content), ensure_ascii=False) == content:
                return content
        except ValueError:
            pass
    return json.dumps(content, ensure_ascii=False)


def write_results(results: Sequence[Result]) -> str:
    """Write the instruction that brings results back."""
    lines = (
        f"{write_call(one.call)} -> {'error ' if one.is_error else ''}{write_content(one.content)}"
        for one in results
    )
    return RESULTS_HEAD + "\n".join(lines) + RESULTS_TAIL


@dataclass(frozen=True)
class Piece:
    """A run of prompt text and what it is.

    Attributes:
        text: The text.
        role: ``frame`` (not learned), ``question`` (learned a little), ``response``, ``shown``
            (a response that is not learned).
    """

    text: str
    role: str


SHARED_PIECES = 2
"""Pieces that conversations with the same system text and functions begin with."""


def pieces(conversation: Conversation) -> list[Piece]:
    """Write a conversation up to the end of its last response, without the end token.

    Earlier responses are closed by a newline and the end token in the text that follows them.
    """
    system = SYSTEM + (f"\n{conversation.system}" if conversation.system else "")
    out = [Piece(system, "frame")]
    for index, turn in enumerate(conversation.turns):
        if index:
            out.append(Piece(f"\n{END}", "frame"))
        if not index and conversation.functions:
            documents = json.dumps(list(conversation.functions))
            out.append(Piece(f"{INSTRUCTION}<<function>>{documents}\n<<question>>", "frame"))
        else:
            out.append(Piece(f"{INSTRUCTION}<<question>>", "frame"))
        # Without functions there is a space; it belongs to the first word's token.
        space = " " if not index and not conversation.functions else ""
        if turn.question is None:
            out.append(Piece(write_results(turn.results), "frame"))
        else:
            out.append(Piece(f"{space}{turn.question}", "question"))
        out.append(Piece(RESPONSE, "frame"))
        out.append(Piece(turn.response, "response" if turn.learned else "shown"))
    return out


def prompt_before(conversation: Conversation, turn: int) -> str:
    """Write the prompt that asks for the response of ``turn`` (an index)."""
    part = Conversation(
        conversation.kind,
        conversation.functions,
        conversation.turns[: turn + 1],
        conversation.system,
    )
    return "".join(piece.text for piece in pieces(part)[:-1])
