"""NexusRaven-V2: functions as Python definitions, calls after ``Call:``.

Sources: the card of Nexusflow/NexusRaven-V2-13B and its prompting notebook (the shape of a
definition, ``User Query: …<human_end>``, the stop text ``<bot_end>``, refusal as a call of a
function that the prompt offers for it); ``model_handler/api_inference/nexus.py`` of BFCL in
ShishirPatil/gorilla for ``out_of_domain``.

A function is ``Function:``, ``def f(a: str, b: int = 1):`` and a docstring with its description and
a line ``a (str): what it is`` for each argument. Then the query. Such a line has no room for what
lists and objects hold; where answers are constrained, the grammar knows.

The model knows one question. Later turns repeat ``User Query: …<human_end>``; results are folded
into one as OpenFunctions' are. Without functions there is nothing to choose from, and the prompt
is the query alone.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from langchain_gorilla.calls import CallSyntax, JSONValue
from langchain_gorilla.formats.base import (
    BOS,
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
    encodable,
)
from langchain_gorilla.functions import FunctionSchema

_TYPES: Final = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "list",
    "object": "dict",
    "null": "None",
}
_OUT_OF_DOMAIN: Final = FunctionSchema(
    name="out_of_domain",
    description=(
        "This function is designed to handle out-of-domain queries from the user. If the user "
        "provides any input user query that is out of the domain of the other APIs provided "
        "above, this function should be used with the input user query as the string."
    ),
    parameters={
        "type": "object",
        "properties": {
            "user_query": {"type": "string", "description": "The query that is out of domain."}
        },
        "required": ["user_query"],
    },
)


class NexusRaven(PromptFormat):
    """NexusRaven-V2-13B."""

    name = "nexusraven-2"
    syntax = CallSyntax(opening="Call: ", separator="; ", closing="<bot_end>")
    stop = ("<bot_end>", "\nThought:")
    context_tokens = 16_384
    markers = (
        *("Function:", "User Query:", "Call:", "Thought:", '"""'),
        *("<human>", "<human_end>", "<bot>", "<bot_end>", *COMMON_MARKERS, *LLAMA_2_MARKERS),
    )
    refusal = _OUT_OF_DOMAIN

    def render(self, turns: Sequence[Turn], functions: Sequence[FunctionSchema]) -> Prompt:
        """Write the definitions, then the conversation as queries and answers."""
        parts: list[str | Special] = [BOS]
        if functions:
            offered = [*functions]
            if all(function.name != self.refusal.name for function in functions):
                offered.append(_OUT_OF_DOMAIN)
            parts += ["\n", *(self._definition(function) for function in offered)]
        if system := system_text(turns):
            parts.append(f"{break_markers(system, self.markers)}\n\n")
        for number, exchange in enumerate(exchanges(turns)):
            parts.append(self._query(exchange, first=number == 0))
            if exchange.answer is not None:
                answer = self.render_answer(exchange.answer).removesuffix(self.syntax.closing)
                parts.append(f"{answer}{self.syntax.closing}\n\n")
        return make_prompt(parts)

    def render_answer(self, turn: AssistantTurn) -> str:
        """Write text, then the calls after ``Call:`` on a line of their own."""
        return answered(turn, self.syntax, self.markers)

    def _query(self, exchange: Exchange, *, first: bool) -> str:
        if exchange.results:
            query = folded(exchange, self.syntax, self.markers, before_question="")
        elif exchange.question is None and not first:
            return ""
        else:
            query = break_markers(exchange.question or "", self.markers)
        return f"User Query: {query}<human_end>\n\n"

    def _definition(self, function: FunctionSchema) -> str:
        parameters = ", ".join(_parameters(function))
        lines = [*function.description.splitlines(), "", "Args:", *_argument_lines(function)]
        # Every line is indented, so that none can begin another definition.
        document = "\n".join(f"    {self._line(line)}".rstrip() for line in lines)
        quotes = '    """'
        return f"Function:\ndef {function.name}({parameters}):\n{quotes}\n{document}\n{quotes}\n\n"

    def _line(self, line: str) -> str:
        return break_markers(encodable(line), self.markers)


def _parameters(function: FunctionSchema) -> Iterator[str]:
    """Write the signature, in the order in which the values of a call without names are read.

    In that order Python has required parameters after optional ones only behind an asterisk.
    """
    required = [name in function.required for name in function.properties]
    if required != sorted(required, reverse=True):
        yield "*"
    for name, schema in function.properties.items():
        default = break_markers(repr(schema.get("default")), NexusRaven.markers)
        typed = f"{name}: {_type(_options(schema, function))}"
        yield typed if name in function.required else f"{typed} = {default}"


def _argument_lines(function: FunctionSchema) -> Iterator[str]:
    for name, schema in function.properties.items():
        described = " ".join(str(schema.get("description", "")).splitlines())
        options = _options(schema, function)
        choices = [_choices(option) for option in options if option.get("type") != "null"]
        if choices and all(choices):
            listed = ", ".join(json.dumps(each, ensure_ascii=False) for each in chain(*choices))
            described = f"{described} One of {listed}.".lstrip()
        yield f"{name} ({_type(options)}): {described}"


def _options(
    schema: Mapping[str, JSONValue], function: FunctionSchema, seen: frozenset[str] = frozenset()
) -> list[Mapping[str, JSONValue]]:
    """Return the schemas one of which a value fits, references and unions followed."""
    if not {"type", "enum"}.isdisjoint(schema):
        return [schema]
    reference = str(schema.get("$ref"))
    known = {} if reference in seen else function.parameters.get("$defs", {})
    unions = [schema.get(keyword, []) for keyword in ("anyOf", "oneOf", "allOf")]
    parts = [known.get(reference.removeprefix("#/$defs/")), *chain(*unions)]
    schemas = [each for each in parts if isinstance(each, Mapping)]
    inner = [_options(each, function, seen | {reference}) for each in schemas]
    return [*chain(*inner)] or [schema]


def _choices(schema: Mapping[str, JSONValue]) -> Sequence[JSONValue]:
    const = [schema["const"]] if "const" in schema else []
    choices: Sequence[JSONValue] = schema.get("enum", const)
    return choices


def _type(options: Sequence[Mapping[str, JSONValue]]) -> str:
    kinds = chain(*(_kinds(option.get("type")) for option in options))
    return " | ".join(dict.fromkeys(_TYPES.get(str(kind), "Any") for kind in kinds))


def _kinds(kind: JSONValue) -> list[JSONValue]:
    return kind if isinstance(kind, list) else [kind]
