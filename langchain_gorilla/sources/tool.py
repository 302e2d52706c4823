"""``SourceTool``: a LangChain tool made of a JSON schema and whatever runs it."""

import json
from collections.abc import Mapping
from functools import cached_property
from itertools import islice
from typing import Any, Final, Literal

from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
from langchain_core.runnables.config import run_in_executor
from langchain_core.tools import BaseTool, ToolException
from pydantic import ConfigDict

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.metaschema import with_own_keywords
from langchain_gorilla.reasons import sentence

_MAX_PROBLEMS: Final = 3


class SourceTool(BaseTool):
    """A tool whose arguments are checked against its JSON schema before anything runs.

    The check is here, and not only in a model's validation, because LangChain hands a dict
    schema's arguments on as they come, and what runs may be a command or a request.

    What is sent somewhere has ``5`` for ``5.0``: JSON does not tell them apart, many readers do.

    A ``ToolException`` from ``call`` becomes an error ToolMessage that the model can act on.
    Parameters may have any name, ``self``, ``config`` and ``run_manager`` included.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, ignored_types=(cached_property,))

    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"
    handle_tool_error: Any = True

    def call(self, arguments: dict[str, JSONValue]) -> tuple[Any, Any]:
        """Run with arguments that fit the schema; return what the model reads, and the value.

        Raises:
            ToolException: It did not work; the text says what to do otherwise.
        """
        raise NotImplementedError

    async def acall(self, arguments: dict[str, JSONValue]) -> tuple[Any, Any]:
        """Like ``call``, in a thread where a subclass has nothing better."""
        return await run_in_executor(None, self.call, arguments)

    def _run(self, /, **arguments: Any) -> tuple[Any, Any]:
        return self.call(self._checked(arguments))

    async def _arun(self, /, **arguments: Any) -> tuple[Any, Any]:
        return await self.acall(self._checked(arguments))

    @cached_property
    def _validator(self) -> Any:
        schema: Any = self.args_schema
        # With the registry, a reference to a server finds nothing instead of being fetched.
        draft = validator_for(schema, default=Draft202012Validator)
        return with_own_keywords(draft)(schema, registry=REGISTRY)

    def _checked(self, arguments: dict[str, Any]) -> dict[str, JSONValue]:
        try:
            _check_json(arguments)
            errors = list(islice(self._validator.iter_errors(arguments), _MAX_PROBLEMS))
        except RecursionError:
            raise ToolException(
                "The arguments are nested too deeply. Write them flatter."
            ) from None
        if errors:
            names: Mapping[str, str] = {}
            # A value of the wrong type is none of its enum's either, and is told the same.
            problems = ". ".join(dict.fromkeys(sentence(error, names) for error in errors))
            raise ToolException(f"{problems}. Correct the arguments and call {self.name} again.")
        return {name: _without_fractions(value) for name, value in arguments.items()}


def _check_json(arguments: dict[str, Any]) -> None:
    try:
        json.dumps(arguments, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError):
        raise ToolException(
            "The arguments cannot be written as JSON. Use plain text and finite numbers."
        ) from None


def _without_fractions(value: Any) -> Any:
    """Return a value with integers for the floats that are some, up to where JavaScript writes so."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, list):
        return [_without_fractions(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_fractions(each) for key, each in value.items()}
    return value


def closed_schema(properties: Mapping[str, JSONValue], required: list[str]) -> dict[str, JSONValue]:
    """Return the schema of an object that takes these properties and no others."""
    schema: dict[str, JSONValue] = {"type": "object", "properties": dict(properties)}
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    return schema
