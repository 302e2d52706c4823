"""``with_structured_output``: which tools or format to bind, and what reads the answer."""

from collections.abc import Callable, Mapping
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

from langchain_gorilla.binding import Demand, ResponseFormat
from langchain_gorilla.errors import InvalidFunctionError, UnsupportedOptionError
from langchain_gorilla.functions import function_schema

Method: TypeAlias = Literal["function_calling", "json_schema", "json_mode"]


def structured_output(
    model: BaseChatModel,
    schema: Mapping[str, Any] | type,
    *,
    method: Method,
    include_raw: bool,
    strict: bool | None,
    check: Callable[[Demand], None],
) -> Runnable[LanguageModelInput, Any]:
    """Return ``model`` with the schema bound, followed by a parser of its answer.

    Args:
        model: Answers.
        schema: What its answers have to fit.
        method: See ``ChatGorilla.with_structured_output``, as for what follows.
        include_raw: Return the message and the error beside what was parsed.
        strict: Bound with the schema.
        check: Raises where the model cannot be held to it.

    Raises:
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
        converted = _json_schema(schema)
        check(Demand(response=ResponseFormat(converted), strict=strict))
        bound = model.bind(
            response_format=_response_format(converted, method, strict),
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


def _json_schema(schema: Mapping[str, Any] | type) -> dict[str, Any]:
    try:
        return convert_to_json_schema(cast("Any", schema))
    except ValueError as error:
        raise InvalidFunctionError(
            f"No JSON schema can be made of {schema!r:.120}. Expected a Pydantic class, a "
            "TypedDict, an OpenAI function, or a JSON schema with a title."
        ) from error


def _response_format(schema: dict[str, Any], method: Method, strict: bool | None) -> dict[str, Any]:
    if method == "json_mode":
        # OpenAI's JSON mode leaves the schema to the prompt; here nothing is lost by keeping to it.
        return {"type": "json_object", "schema": schema}
    named = {"name": schema["title"], "schema": schema}
    return {
        "type": "json_schema",
        "json_schema": named if strict is None else {**named, "strict": strict},
    }
