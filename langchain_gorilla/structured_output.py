"""``with_structured_output``: which tools or format to bind, and what reads the answer."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, Literal, TypeAlias, cast

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.openai_tools import (
    JsonOutputKeyToolsParser,
    PydanticToolsParser,
)
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema
from langchain_core.utils.pydantic import is_basemodel_subclass

from langchain_gorilla.binding import read_response_format
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.functions import function_schema
from langchain_gorilla.grammar.call_grammar import compiled_schema

Method: TypeAlias = Literal["function_calling", "json_schema", "json_mode"]


def structured_output(
    model: BaseChatModel,
    schema: Mapping[str, Any] | type,
    *,
    method: Method,
    include_raw: bool,
    strict: bool | None,
    constrained: bool = True,
) -> Runnable[LanguageModelInput, Any]:
    """Return ``model`` with the schema bound, followed by a parser of its answer.

    Raises:
        ContradictorySchemaError: No JSON fits the schema, and answers are ``constrained``.
        UnsupportedOptionError: ``method`` is none of the three.
        InvalidFunctionError: ``schema`` is no schema.
    """
    trace = {"kwargs": {"method": method, "strict": strict}, "schema": schema}
    is_pydantic = isinstance(schema, type) and is_basemodel_subclass(schema)
    parser: Runnable[Any, Any]
    if method == "function_calling":
        name = function_schema(schema).name
        bound = model.bind_tools(
            [cast("Any", schema)],
            tool_choice=name,
            parallel_tool_calls=False,
            strict=strict,
            ls_structured_output_format=trace,
        )
        parser = (
            PydanticToolsParser(tools=[cast("Any", schema)], first_tool_only=True)
            if is_pydantic
            else JsonOutputKeyToolsParser(key_name=name, first_tool_only=True)
        )
    elif method in ("json_schema", "json_mode"):
        response_format = _response_format(schema, method, strict)
        wanted = read_response_format(response_format)
        if constrained and wanted is not None and wanted.schema is not None:
            compiled_schema(wanted.schema)
        bound = model.bind(
            response_format=response_format,
            ls_structured_output_format=trace,
        )
        parser = (
            PydanticOutputParser(pydantic_object=cast("Any", schema))
            if is_pydantic
            else JsonOutputParser()
        )
    else:
        raise UnsupportedOptionError(
            f'method={method!r} is unknown. Pass "function_calling", "json_schema" or "json_mode".'
        )
    if not include_raw:
        return bound | parser
    parsed = RunnablePassthrough.assign(
        parsed=itemgetter("raw") | parser, parsing_error=lambda _: None
    )
    failed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=bound) | parsed.with_fallbacks([failed], exception_key="parsing_error")


def _response_format(
    schema: Mapping[str, Any] | type, method: Method, strict: bool | None
) -> dict[str, Any]:
    converted = convert_to_json_schema(cast("Any", schema))
    if method == "json_mode":
        # OpenAI's JSON mode leaves the schema to the prompt; here nothing is lost by keeping to it.
        return {"type": "json_object", "schema": converted}
    named = {"name": converted.get("title", "answer"), "schema": converted}
    return {
        "type": "json_schema",
        "json_schema": named if strict is None else {**named, "strict": strict},
    }
