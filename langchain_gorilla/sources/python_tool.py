"""``PythonTool``: a Python callable that a model calls with JSON."""

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.runnables.config import run_in_executor
from langchain_core.tools import ToolException
from pydantic import TypeAdapter, ValidationError

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.sources.results import MAX_ITERATED, cut, returned
from langchain_gorilla.sources.stubs import UNKNOWN
from langchain_gorilla.sources.tool import SourceTool

_STARS: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_MAX_ERROR_CHARACTERS: Final = 1_000


@dataclass(frozen=True)
class BoundParameter:
    """One parameter, as calls bind it.

    Attributes:
        name: Its name, in the schema too. ``*args`` takes a list, ``**kwargs`` an object.
        kind: As in ``inspect.Parameter``.
        default: As in ``stubs.StubParameter``.
        adapter: Makes the Python value; None leaves the JSON value as it is.
    """

    name: str
    kind: Any
    default: Any
    adapter: TypeAdapter[Any] | None = None


class PythonTool(SourceTool):
    """A callable as a tool.

    An exception in the callable is an error that the model reads: it chose the arguments. So is
    ``SystemExit``, since no model may end the program.
    """

    target: Callable[..., Any]
    parameters: tuple[BoundParameter, ...]

    def call(self, arguments: dict[str, JSONValue]) -> tuple[Any, Any]:
        """Call it; see ``SourceTool``."""
        if not inspect.iscoroutinefunction(self.target):
            result = self._begun(arguments)
            if isinstance(result, tuple):
                return result
            # A decorator or an object did not say that it is one.
            result.close()
        raise NotImplementedError(
            f"{self.name} is a coroutine function. Use ainvoke, or an agent run by ainvoke."
        )

    async def acall(self, arguments: dict[str, JSONValue]) -> tuple[Any, Any]:
        """Call it; in a thread where it is no coroutine function."""
        if inspect.iscoroutinefunction(self.target):
            result = self._begun(arguments)
        else:
            result = await run_in_executor(None, self._begun, arguments)
        if isinstance(result, tuple):
            return result
        try:
            return returned(await result)
        except (Exception, SystemExit) as error:
            raise _explained(self.name, error) from error

    def _checked(self, arguments: dict[str, Any]) -> dict[str, JSONValue]:
        super()._checked(arguments)
        # In Python 2.0 is no 2: an array of one divides otherwise than of the other.
        return arguments

    def _begun(
        self, arguments: Mapping[str, JSONValue]
    ) -> tuple[Any, Any] | Coroutine[Any, Any, Any]:
        """Return what the model reads and the value, or the coroutine that gives the value."""
        positional, named = bind(self.name, self.parameters, arguments)
        try:
            value = self.target(*positional, **named)
            if inspect.isasyncgen(value):
                return _first_items(value)
            return value if inspect.iscoroutine(value) else returned(value)
        except (Exception, SystemExit) as error:
            raise _explained(self.name, error) from error


def bind(
    tool: str, parameters: tuple[BoundParameter, ...], arguments: Mapping[str, JSONValue]
) -> tuple[list[Any], dict[str, Any]]:
    """Spread JSON arguments over positions and names.

    A parameter that only has a position cannot be left out where a later one is given, so its
    default goes there.

    Raises:
        ToolException: A value is not of the parameter's type, or a default is needed that nobody
            knows.
    """
    values = {
        each.name: _value(tool, each, arguments[each.name])
        for each in parameters
        if each.name in arguments
    }
    by_position = [
        each
        for each in parameters
        if each.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    ]
    more: list[Any] = []
    named: dict[str, Any] = {}
    for each in parameters:
        if each.name in values and each.kind is inspect.Parameter.VAR_POSITIONAL:
            more = list(values[each.name])
    last = max(
        (
            place
            for place, each in enumerate(by_position)
            if more or (each.name in values and each.kind is inspect.Parameter.POSITIONAL_ONLY)
        ),
        default=-1,
    )
    positional = [_positional(tool, each, values) for each in by_position[: last + 1]]
    placed = {each.name for each in by_position[: last + 1]}
    for each in parameters:
        if each.name not in values or each.name in placed or each.kind in _STARS:
            continue
        named[each.name] = values[each.name]
    for each in parameters:
        if each.kind is inspect.Parameter.VAR_KEYWORD and each.name in values:
            twice = sorted(set(values[each.name]) & {*named, *placed})
            if twice:
                raise ToolException(
                    f"{', '.join(twice)} in {each.name} is a parameter of {tool} itself. Give it "
                    "once, under its own name."
                )
            named |= values[each.name]
    return [*positional, *more], named


async def _first_items(values: AsyncIterator[Any]) -> Iterator[Any]:
    """Read what ``returned`` reads of a generator, and one more."""
    items: list[Any] = []
    async for item in values:
        items.append(item)
        if len(items) > MAX_ITERATED:
            break
    return iter(items)


def _positional(tool: str, parameter: BoundParameter, values: Mapping[str, Any]) -> Any:
    if parameter.name in values:
        return values[parameter.name]
    if parameter.default is UNKNOWN or parameter.default is inspect.Parameter.empty:
        raise ToolException(
            f"{tool} needs {parameter.name} where a later argument is given. Give it too."
        )
    return parameter.default


def _value(tool: str, parameter: BoundParameter, value: JSONValue) -> Any:
    adapter = parameter.adapter
    if adapter is None:
        return value
    try:
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            return [adapter.validate_python(each) for each in value]
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            return {key: adapter.validate_python(each) for key, each in value.items()}
        return adapter.validate_python(value)
    except (ValidationError, ValueError, TypeError, OverflowError) as error:
        if isinstance(error, ValidationError):
            problem = error.errors(include_url=False, include_input=False)[0]["msg"]
        else:
            problem = str(error)
        raise ToolException(
            f"{parameter.name} of {tool}: {problem[:300]}. Write it as the schema describes."
        ) from error


def _explained(tool: str, error: BaseException) -> ToolException:
    text = cut(str(error), _MAX_ERROR_CHARACTERS) or "no message"
    return ToolException(f"{tool} failed: {type(error).__name__}: {text}")
