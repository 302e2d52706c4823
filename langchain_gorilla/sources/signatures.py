"""A callable's parameters with their types, from wherever they are written.

The signature comes from Python itself, else from a type stub, else from the docstring's first
line (``hypot(*coordinates) -> value``). A parameter's type comes from its annotation, else from the
docstring, else from the stub, else from its default.
"""

import ast
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Union

from langchain_gorilla.sources.docstrings import DocstringText, read_docstring
from langchain_gorilla.sources.runtime_hints import runtime_hints
from langchain_gorilla.sources.stubs import UNKNOWN, StubParameter, stub_parameters

_EMPTY: Final = inspect.Parameter.empty
_SIGNATURE: Final = re.compile(
    r"^(?:[\w.]+\.)?(?P<name>\w+)\((?P<inside>[^()]*(?:\([^()]*\)[^()]*)*)\)"
)
_DEFAULT_TYPES: Final = (bool, int, float, str)


class NoSignatureError(Exception):
    """Nobody says what a callable takes; the message says where was looked."""


@dataclass(frozen=True)
class TypedParameter:
    """One parameter.

    Attributes:
        name: Its name, without stars.
        kind: As in ``inspect.Parameter``.
        hint: A type hint; ``Any`` where nobody says.
        default: As in ``stubs.StubParameter``.
        description: For the model; may be empty.
    """

    name: str
    kind: Any
    hint: Any
    default: Any
    description: str = ""


@dataclass(frozen=True)
class CallableText:
    """What is known of a callable: for the model, and for the call."""

    description: str
    parameters: tuple[TypedParameter, ...]


def read_callable(
    subject: Callable[..., Any], name: str, *, instance_of: type | None = None
) -> CallableText:
    """Find out what a callable takes.

    Args:
        subject: Function, class or callable object.
        name: Its dotted name, by which a stub is found where the object itself has none.
        instance_of: The class of the first parameter, for a method that is not bound.

    Raises:
        NoSignatureError: Nobody says what it takes.
    """
    own = name.rpartition(".")[2]
    written = subject.func if isinstance(subject, partial) else subject
    docstring = _docstring(written, own)
    stub = _stub(subject, name, instance_of)
    signature = _signature(subject)
    if signature is not None:
        given = [
            StubParameter(each.name, each.kind, _EMPTY, each.default)
            for each in signature.parameters.values()
        ]
        if hasattr(subject, "dispatch") and hasattr(subject, "registry"):
            # functools.singledispatch looks at what stands first.
            given[0] = replace(given[0], kind=inspect.Parameter.POSITIONAL_ONLY)
        hints = runtime_hints(written, signature)
    else:
        from_doc = _documented(inspect.getdoc(subject) or "", own)
        chosen = stub if stub is not None else from_doc
        if chosen is None:
            raise NoSignatureError(
                "It has no signature: not in Python, no type stub, none in its docstring. Wrap it "
                "in a function with annotations."
            )
        given, hints = list(chosen), {}
        if instance_of is not None and not (given and given[0].name == "self"):
            # Neither a stub's parameters nor ``D.update([E, ]**F)`` name it.
            kind = inspect.Parameter.POSITIONAL_ONLY
            given.insert(0, StubParameter("self", kind, instance_of))
    if instance_of is not None and given:
        hints = {**hints, given[0].name: instance_of}
    stub_hints = _stub_hints(stub or (), given[1:] if instance_of is not None else given)
    parameters = tuple(_typed(each, hints, docstring, stub_hints) for each in given)
    return CallableText(docstring.description, parameters)


def _stub_hints(stub: Sequence[StubParameter], given: Sequence[StubParameter]) -> dict[str, Any]:
    """Return the stub's hints by name; by place where only the place counts."""
    hints = {
        mine.name: theirs.hint
        for mine, theirs in zip(given, stub, strict=False)
        if mine.kind is theirs.kind is inspect.Parameter.POSITIONAL_ONLY
    }
    return hints | {each.name: each.hint for each in stub}


def _signature(subject: Any) -> inspect.Signature | None:
    try:
        signature = inspect.signature(subject)
    except (ValueError, TypeError):
        return None
    # What C code and object.__init__ say of themselves when they say nothing.
    names = list(signature.parameters)
    if (
        isinstance(subject, type)
        and names in (["args", "kwargs"], [])
        and not _has_own_init(subject)
    ):
        return None
    return signature


def _has_own_init(cls: type) -> bool:
    return any(
        inspect.isfunction(vars(each).get(method))
        for each in cls.__mro__[:-1]
        for method in ("__init__", "__new__")
    )


def _docstring(subject: Any, own: str) -> DocstringText:
    docstring = read_docstring(subject, own)
    if isinstance(subject, type) and not docstring.parameters:
        method = inspect.getattr_static(subject, "__init__")
        init = read_docstring(method, "__init__")
        if method is not object.__init__ and init.parameters:
            return DocstringText(docstring.description or init.description, init.parameters)
    return docstring


def _stub(subject: Any, name: str, instance_of: type | None) -> tuple[StubParameter, ...] | None:
    """Find the stub, under the name of whichever class or module defines it."""
    own = name.rpartition(".")[2]
    names = [name]
    module, qualified = (getattr(subject, key, None) for key in ("__module__", "__qualname__"))
    if isinstance(module, str) and isinstance(qualified, str):
        names.insert(0, f"{module}.{qualified}")
    bound_to = getattr(subject, "__self__", None)
    owner = instance_of or (bound_to if isinstance(bound_to, type) else None)
    if owner is not None:
        names += [f"{each.__module__}.{each.__qualname__}.{own}" for each in owner.__mro__]
    return next((found for each in names if (found := stub_parameters(each)) is not None), None)


def _typed(
    parameter: StubParameter,
    hints: Mapping[str, Any],
    docstring: DocstringText,
    stub_hints: Mapping[str, Any],
) -> TypedParameter:
    text = docstring.parameters.get(parameter.name)
    choices = (
        hints.get(parameter.name, _EMPTY),
        _EMPTY if text is None or text.hint is None else text.hint,
        stub_hints.get(parameter.name, _EMPTY),
        parameter.hint,
    )
    hint = next((each for each in choices if each is not _EMPTY and each is not Any), None)
    if hint is None:
        kind = type(parameter.default)
        hint = kind if kind in _DEFAULT_TYPES else Any
        if hint is int:
            hint = float  # A default of 0 says no more than that it is a number.
    elif parameter.default is None:
        hint = Union[hint, None]  # noqa: UP007
    return TypedParameter(
        parameter.name, parameter.kind, hint, parameter.default, text.description if text else ""
    )


def _documented(text: str, own: str) -> tuple[StubParameter, ...] | None:
    """Read the signature that opens a docstring: ``log(x, [base=math.e])``.

    Several lines of them mean several ways to call, which no one schema says: None.
    """
    lines = [match for line in text.splitlines()[:8] if (match := _SIGNATURE.match(line.strip()))]
    lines = [match for match in lines if match["name"] == own]
    if len(lines) != 1:
        return None
    inside = lines[0]["inside"]
    optional_from = inside.find("[")
    required = inside if optional_from < 0 else inside[:optional_from]
    optional = "" if optional_from < 0 else re.sub(r"[\[\]]", " ", inside[optional_from:])
    count = len([each for each in required.split(",") if each.strip()])
    source = ", ".join(
        each.strip() for part in (required, optional) for each in part.split(",") if each.strip()
    )
    try:
        arguments = ast.parse(f"def f({source}): ...").body[0].args  # type: ignore[attr-defined]
    except SyntaxError:
        return None
    made: list[StubParameter] = []
    ordered = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(ordered) - len(arguments.defaults)) + list(arguments.defaults)
    for place, (argument, default) in enumerate(zip(ordered, defaults, strict=True)):
        value: Any = UNKNOWN if default is not None or place >= count else _EMPTY
        # Such lines are C code's, whose parameters have no names as often as not.
        made.append(StubParameter(argument.arg, inspect.Parameter.POSITIONAL_ONLY, Any, value))
    if arguments.vararg:
        stars: Any = inspect.Parameter.VAR_POSITIONAL
        made.append(StubParameter(arguments.vararg.arg, stars, Any))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        value = _EMPTY if default is None else UNKNOWN
        made.append(StubParameter(argument.arg, inspect.Parameter.KEYWORD_ONLY, Any, value))
    if arguments.kwarg:
        stars = inspect.Parameter.VAR_KEYWORD
        made.append(StubParameter(arguments.kwarg.arg, stars, Any))
    return tuple(made)
