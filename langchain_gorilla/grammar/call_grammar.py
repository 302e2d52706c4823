"""Functions and a call syntax to the grammar of an answer.

``calls = opening call (separator call)* closing``; the mode says whether text may stand in
their place or before them. What a schema says that no grammar can, is in ``coverage``.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias
from typing import Literal as Name

from langchain_gorilla.calls import CallSyntax, JSONValue
from langchain_gorilla.errors import (
    ContradictorySchemaError,
    InvalidFunctionError,
    UnknownToolError,
)
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.grammar.json_schema import (
    Compiled,
    Gap,
    compile_arguments,
    compile_value,
)
from langchain_gorilla.grammar.merging import ContradictionError, SchemaError
from langchain_gorilla.grammar.notation import JSON, Notation, compact_json, notation_of
from langchain_gorilla.grammar.rules import (
    EMPTY,
    Grammar,
    Literal,
    Marker,
    Rule,
    Text,
    TextUntil,
    choice,
    optional,
    repeat,
    sequence,
)

MAX_FUNCTIONS: Final = 4096
Mode: TypeAlias = Name["auto", "any", "none"]


@dataclass(frozen=True)
class Coverage:
    """What the grammar leaves to validation for one function; empty ``gaps`` is nothing."""

    function: str
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an answer may be.

    Attributes:
        mode: ``auto``: text, or calls, or text and then calls; ``any``: calls; ``none``: text.
        name: The only function that may be called, for a tool choice by name.
        parallel: Whether several calls may follow one another.
        final: A JSON schema: instead of text, the answer is JSON that fits it (``auto``,
            ``none``), as structured output asks for.
        reasoning: Whether calls that have to come may be preceded by thought.
        prefix: Text that the answer starts with because it was taken off the prompt's end, so
            that the tokenizer may join the two (the space before ``<<function>>``).
    """

    mode: Mode = "auto"
    name: str | None = None
    parallel: bool = True
    final: JSONValue = None
    reasoning: bool = False
    prefix: str = ""


def answer_grammar(
    functions: Sequence[FunctionSchema], syntax: CallSyntax, answer: Answer
) -> Grammar:
    """Build the grammar of an answer.

    Args:
        functions: What may be called, under the names that the model writes.
        syntax: How the family writes calls.
        answer: What the answer may be.

    Raises:
        ContradictorySchemaError: No value fits a schema; names the function and the place.
        UnknownToolError: ``answer.name`` is none of the functions.
    """
    rules: dict[str, Rule] = {}
    calls: list[tuple[str, Rule]] = []
    for function in chosen(functions, answer):
        compiled = compiled_function(function, notation_of(syntax))
        rules.update(compiled.grammar.rules)
        calls.append((function.name, compiled.grammar.root))
    body = calls_rule(calls, syntax, answer) if calls else None
    final = None
    if answer.final is not None:
        compiled = compiled_schema(answer.final)
        rules.update(compiled.grammar.rules)
        final = compiled.grammar.root
    return Grammar(answer_rule(body, syntax, answer, final), rules)


def chosen(functions: Sequence[FunctionSchema], answer: Answer) -> Sequence[FunctionSchema]:
    """Return the functions that the answer may call."""
    if answer.mode == "none":
        return ()
    if len(functions) > MAX_FUNCTIONS:
        raise InvalidFunctionError(
            f"{len(functions)} tools were bound at once; a grammar takes {MAX_FUNCTIONS}. "
            "Retrieve the ones that matter first, with ToolRetriever."
        )
    if answer.name is None:
        return functions
    found = [function for function in functions if function.name == answer.name]
    if not found:
        known = ", ".join(sorted(function.name for function in functions)) or "none"
        raise UnknownToolError(f"tool_choice names {answer.name!r}; bound are: {known}.")
    return found


def trigger(syntax: CallSyntax) -> str | None:
    """Return the text that only calls start with, or None where calls stand bare."""
    text = syntax.opening.rstrip("[( \n")
    return text if any(character.isalnum() for character in text) else None


def text_marks(syntax: CallSyntax, answer: Answer) -> tuple[str, ...] | None:
    """Return the marks before which an answer may be any text; None where it may not be that."""
    mark = trigger(syntax)
    if answer.mode == "any" or answer.final is not None or mark is None:
        return None
    marks = (mark, syntax.reasoning[0])
    # A mark that ends in a letter may be completed by any token.
    return None if any(text[-1:].isalnum() for text in marks) else tuple(filter(None, marks))


def answer_rule(body: Rule | None, syntax: CallSyntax, answer: Answer, final: Rule | None) -> Rule:
    """Put text or JSON beside what follows the mark of calls (None where none may come)."""
    start, end = syntax.reasoning
    mark = trigger(syntax)
    options: list[Rule] = []
    if answer.mode != "any":
        without = tuple(text for text in (mark, start) if text)
        text = Text(without, syntax.opening.strip() if mark is None else None)
        options.append(text if final is None else final)
    if body is not None:
        if answer.mode == "auto" and final is None and mark is not None:
            rest = syntax.opening[len(mark) :]
            before = TextUntil(mark, (start,) if start else ())
            body = sequence(before, Marker(rest) if rest else EMPTY, body)
        elif mark is not None:
            body = sequence(Marker(syntax.opening), body)
        options.append(body)
    elif answer.mode == "any":
        raise UnknownToolError("tool_choice asks for a call, but no tools are bound.")
    rule = choice(*options)
    if start and (answer.reasoning or (answer.mode != "any" and final is None)):
        thought = sequence(Marker(start), TextUntil(end), repeat(Literal("\n"), 0, 2))
        rule = sequence(optional(thought), rule)
    return sequence(Literal(answer.prefix), rule)


def calls_rule(calls: Sequence[tuple[str, Rule]], syntax: CallSyntax, answer: Answer) -> Rule:
    """``call (separator call)* closing``, after the opening where that is a mark of its own."""
    closing = Marker(syntax.closing) if syntax.closing else EMPTY
    call = choice(*(sequence(Literal(name), arguments) for name, arguments in calls))
    more = repeat(sequence(Marker(syntax.separator), call)) if answer.parallel else EMPTY
    return sequence(first_call(calls, syntax), more, closing)


def first_call(calls: Sequence[tuple[str, Rule]], syntax: CallSyntax) -> Rule:
    """The first call. A bare opening is one lexeme with the name: text may start with it too."""
    opening = syntax.opening if trigger(syntax) is None else ""
    return choice(*(sequence(Literal(opening + name), arguments) for name, arguments in calls))


def coverage(functions: Iterable[FunctionSchema], syntax: CallSyntax) -> tuple[Coverage, ...]:
    """Say for each function what the grammar leaves to validation.

    Raises:
        ContradictorySchemaError: No value fits a schema.
    """
    notation = notation_of(syntax)
    return tuple(Coverage(f.name, compiled_function(f, notation).gaps) for f in functions)


@lru_cache(maxsize=4096)
def compiled_function(function: FunctionSchema, notation: Notation) -> Compiled:
    """Compile the arguments of a function; the same function is compiled once.

    Raises:
        ContradictorySchemaError: No value fits the schema.
        InvalidFunctionError: The schema is none.
    """
    try:
        return compile_arguments(function.parameters, notation, scope=f"{function.name} ")
    except SchemaError as error:
        raise _error_class(error)(
            f"The parameters of tool {function.name!r} cannot be fulfilled at {error}. "
            "Correct the tool's schema."
        ) from None


def compiled_schema(schema: JSONValue) -> Compiled:
    """Compile the schema of structured output, in JSON.

    Raises:
        ContradictorySchemaError: No value fits the schema.
        InvalidFunctionError: The schema is none.
    """
    return _schema(compact_json(schema))


@lru_cache(maxsize=256)
def _schema(text: str) -> Compiled:
    try:
        return compile_value(json.loads(text), JSON, scope="answer ")
    except SchemaError as error:
        raise _error_class(error)(
            f"The schema of the structured output cannot be fulfilled at {error}. Correct it."
        ) from None


def _error_class(error: SchemaError) -> type[InvalidFunctionError]:
    return (
        ContradictorySchemaError if isinstance(error, ContradictionError) else InvalidFunctionError
    )
