"""``with_structured_output``: which tools or format to bind, and what reads the answer.

LangChain's parsers close what is open in a text, which shows a stream while it comes in. At the
end of an answer that would make a wrong value of one that was cut off, so a whole answer is read
strictly, and checked against its schema.
"""

import json
import math
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal, TypeAlias, cast

from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.openai_tools import (
    JsonOutputKeyToolsParser,
    PydanticToolsParser,
)
from langchain_core.output_parsers.transform import BaseCumulativeTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import Runnable, RunnableConfig, RunnableGenerator, RunnableLambda
from langchain_core.runnables.utils import AddableDict
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import ValidationError

from langchain_gorilla.answer_shape import Shape, schema_of, shape_of
from langchain_gorilla.binding import Demand, ResponseFormat
from langchain_gorilla.calls import FunctionCall, JSONValue
from langchain_gorilla.errors import InvalidFunctionError, UnsupportedOptionError
from langchain_gorilla.functions import function_schema
from langchain_gorilla.messages import invalid_call_reasons
from langchain_gorilla.reasons import shortened
from langchain_gorilla.validation import InvalidCall

Method: TypeAlias = Literal["function_calling", "json_schema", "json_mode"]
_Parser: TypeAlias = BaseCumulativeTransformOutputParser[Any]

_FENCE: Final = re.compile(r"```(?:json)?(.*)```", re.DOTALL)
_MORE_ROOM: Final = "Raise max_tokens, or shorten the prompt."


def structured_output(
    model: BaseChatModel,
    schema: Mapping[str, Any] | type | None,
    *,
    method: Method,
    include_raw: bool,
    strict: bool | None,
    check: Callable[[Demand], None],
) -> Runnable[LanguageModelInput, Any]:
    """Return ``model`` with the schema bound, followed by a parser of its answer.

    The parser raises LangChain's ``OutputParserException`` on an answer that is cut off, is no
    JSON, holds no call but refused ones, or does not fit its schema. A stream raises it at its
    end, after the values that it showed on the way.

    Args:
        model: Answers.
        schema: What its answers have to fit; None for any JSON object.
        method: See ``ChatGorilla.with_structured_output``, as for what follows.
        include_raw: Return the message and the error beside what was parsed.
        strict: Bound with the schema.
        check: Raises where the model cannot be held to it.

    Raises:
        UnsupportedOptionError: ``method`` is none of the three.
        InvalidFunctionError: ``schema`` is no schema.
    """
    # For traces, with the schema as it was read: LangChain's own reader fails at some classes.
    traced = {"method": method, "strict": strict}
    if isinstance(schema, Mapping) and isinstance(inner := schema.get("json_schema"), Mapping):
        schema = inner
    is_pydantic = isinstance(schema, type) and is_basemodel_subclass(schema)
    lenient: _Parser
    if schema is None and method != "json_mode":
        raise InvalidFunctionError(
            "with_structured_output() got no schema. Pass one, or method='json_mode' for any JSON "
            "object."
        )
    if method == "function_calling":
        function = function_schema(schema)
        name = function.name
        bound = model.bind_tools(
            [cast("Any", schema)],
            tool_choice=name,
            parallel_tool_calls=False,
            strict=strict,
            ls_structured_output_format={"kwargs": traced, "schema": function.document()},
        )
        lenient = (
            PydanticToolsParser(tools=[cast("Any", schema)], first_tool_only=True)
            if is_pydantic
            else JsonOutputKeyToolsParser(key_name=name, first_tool_only=True)
        )
        parser = _AnswerParser(lenient=lenient, read=partial(_read_call, lenient))
    elif method in ("json_schema", "json_mode"):
        converted = None if schema is None else schema_of(schema)
        check(Demand(response=ResponseFormat(converted), strict=strict))
        shape = shape_of(converted)
        bound = model.bind(
            response_format=_response_format(converted, method, strict),
            ls_structured_output_format={"kwargs": traced, "schema": converted},
        )
        if is_pydantic:
            lenient = PydanticOutputParser(pydantic_object=cast("Any", schema))
            parser = _AnswerParser(lenient=lenient, read=partial(_read_object, lenient, shape))
        else:
            read = partial(_read_json, shape)
            parser = _AnswerParser(lenient=JsonOutputParser(), read=read)
    else:
        raise UnsupportedOptionError(
            f'method={method!r} is unknown. Pass "function_calling", "json_schema" or "json_mode".'
        )
    # The model goes first: only the first of a sequence gets the options of a call.
    return bound | (_with_error(parser) if include_raw else parser)


class _AnswerParser(BaseCumulativeTransformOutputParser[Any]):
    """Parses the beginnings of an answer leniently, and the whole of it strictly.

    Attributes:
        lenient: LangChain's parser, for what a stream has shown so far.
        read: Reads a whole answer, or raises OutputParserException.
    """

    lenient: _Parser
    read: Callable[[AIMessage], Any]

    @property
    def OutputType(self) -> Any:  # noqa: N802
        """What LangChain's parser returns."""
        return self.lenient.OutputType

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Return the value of an answer.

        Args:
            result: The answer, alone.
            partial: More of it may follow, unless its last chunk is there.

        Raises:
            OutputParserException: The answer is whole and has no value.
        """
        answer = result[0]
        message = answer.message if isinstance(answer, ChatGeneration) else AIMessage(answer.text)
        if partial and not _is_whole(message):
            return self.lenient.parse_result(result, partial=True)
        return self.read(cast("AIMessage", message))

    def parse(self, text: str) -> Any:
        """Return the value of an answer of text alone."""
        return self.parse_result([Generation(text=text)])


def _is_whole(message: BaseMessage) -> bool:
    """Say whether a stream has brought all of an answer: only then does it say why it ended."""
    is_last = isinstance(message, AIMessageChunk) and message.chunk_position == "last"
    return is_last or "finish_reason" in message.response_metadata


def _with_error(parser: _Parser) -> Runnable[Any, Any]:
    """Return what makes ``raw``, ``parsed`` and ``parsing_error`` of an answer.

    A stream shows the pieces of ``raw``, and then the two others once: they add up to what
    ``invoke`` returns. LangChain's own way, ``with_fallbacks``, lets errors pass that come after
    a stream's first piece.
    """

    def parsed_or_error(message: AIMessage, config: RunnableConfig) -> AddableDict:
        try:
            parsed = parser.invoke(message, config)
        # Whatever it is: the validators of a caller's class may raise anything.
        except Exception as error:
            return AddableDict(parsed=None, parsing_error=error)
        return AddableDict(parsed=parsed, parsing_error=None)

    whole = RunnableLambda(parsed_or_error)

    def read(pieces: Iterator[AIMessage], config: RunnableConfig) -> Iterator[AddableDict]:
        seen = []
        for piece in pieces:
            seen.append(piece)
            yield AddableDict(raw=piece)
        yield whole.invoke(_joined(seen), config)

    async def aread(
        pieces: AsyncIterator[AIMessage], config: RunnableConfig
    ) -> AsyncIterator[AddableDict]:
        seen = []
        async for piece in pieces:
            seen.append(piece)
            yield AddableDict(raw=piece)
        yield await whole.ainvoke(_joined(seen), config)

    # LangChain gives them the config, which its types do not say.
    return RunnableGenerator(cast("Any", read), cast("Any", aread))


def _joined(pieces: Sequence[AIMessage]) -> AIMessage:
    """Return the answer that the pieces are: of one that was not streamed there is one."""
    first, *rest = pieces
    if not isinstance(first, AIMessageChunk):
        return first
    return first + cast("list[AIMessageChunk]", rest)


# --- Whole answers ---


def _read_call(parser: _Parser, message: AIMessage) -> Any:
    """Parse the call of an answer; None where the answer has none.

    Raises:
        OutputParserException: The call is invalid, its arguments do not pass the class's own
            validators, or the answer was cut off before any call.
    """
    if _is_cut_off(message) and not message.tool_calls and not message.invalid_tool_calls:
        text = str(message.text)
        raise OutputParserException(
            f"The answer was cut off before a call was written. {_MORE_ROOM} {_shown(text)}",
            llm_output=text,
        )
    if message.invalid_tool_calls and not message.tool_calls:
        reasons = invalid_call_reasons(message)
        problems = []
        for call in message.invalid_tool_calls:
            reason = reasons.get(call.get("id") or "") or call.get("error") or "it cannot be read"
            name = call.get("name") or "a function"
            problems.append(f"The call of {name} is invalid: {reason.rstrip('.')}.")
        if _is_cut_off(message):
            problems.append(_MORE_ROOM)
        raise OutputParserException(" ".join(problems), llm_output=str(message.invalid_tool_calls))
    try:
        return parser.parse_result([ChatGeneration(message=message)])
    except ValidationError as error:
        # LangChain's parser of calls, unlike that of JSON, lets it out.
        raise OutputParserException(
            f"The call does not pass its class's validators: {error}",
            llm_output=str(message.tool_calls),
        ) from error


def _read_object(parser: _Parser, shape: Shape | None, message: AIMessage) -> Any:
    """Parse an answer as an object of a Pydantic class."""
    text = _json_text(message)
    checked = None if shape is None else shape.checked(json.loads(text))
    # A null may stand for a default, as in a call. What does not fit is the class's to judge: it
    # may convert, and says best what is wrong.
    if shape is not None and isinstance(checked, FunctionCall):
        text = json.dumps(shape.answer(checked))
    return parser.parse(text)


def _read_json(shape: Shape | None, message: AIMessage) -> JSONValue:
    text = _json_text(message)
    value = json.loads(text)
    if shape is None:
        return value
    checked = shape.checked(value)
    if isinstance(checked, InvalidCall):
        raise OutputParserException(
            f"The answer does not fit the schema {checked.name}: {checked.reason} {_shown(text)}",
            llm_output=text,
        )
    return shape.answer(checked)


def _json_text(message: AIMessage) -> str:
    """Return the JSON that the answer is, without the Markdown fence that may be around it.

    Raises:
        OutputParserException: The answer was cut off, or is no JSON.
    """
    text = str(message.text).strip()
    if _is_cut_off(message):
        # Even where it reads as JSON: 12 may be the beginning of 123.
        raise OutputParserException(
            f"The answer was cut off at max_tokens, or where the context ends. {_MORE_ROOM} "
            f"{_shown(text)}",
            llm_output=text,
        )
    if (fenced := _FENCE.fullmatch(text)) is not None:
        text = fenced[1].strip()
    try:
        json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise OutputParserException(
            f"The answer is no JSON ({error}). Without constrained=False and stop texts it is; "
            f"with them, ask again. {_shown(text)}",
            llm_output=text,
        ) from error
    return text


def _shown(text: str) -> str:
    return f"The answer was: {shortened(text, 500)}"


def _is_cut_off(message: AIMessage) -> bool:
    return message.response_metadata.get("finish_reason") == "length"


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    # JSON may write it, but Python would read it as infinity.
    if math.isinf(value := float(text)):
        raise ValueError(f"{shortened(text, 40)} is too large a number")
    return value


def _response_format(
    schema: dict[str, Any] | None, method: Method, strict: bool | None
) -> dict[str, Any]:
    if schema is None:
        return {"type": "json_object"}
    if method == "json_mode":
        # OpenAI's JSON mode leaves the schema to the prompt; here nothing is lost by keeping to it.
        return {"type": "json_object", "schema": schema}
    named = {"name": schema["title"], "schema": schema}
    return {
        "type": "json_schema",
        "json_schema": named if strict is None else {**named, "strict": strict},
    }
