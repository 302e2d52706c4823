"""Python code as tools: a module, a package, a class, an object.

    tools_from_module("statistics")
    tools_from_module("numpy", include=["numpy.mean", "linalg.*"], depth=2)
    tools_from_module(requests.Session())          # the methods of this object

A tool's name is the dotted one: ``numpy.sum``, ``datetime.date.fromisoformat``.

What this covers: arguments are checked against the schema and become the parameter's Python type;
an exception, ``SystemExit`` included, is an error that the model reads. What it does not: a tool
does whatever its function does, in this process, without a time limit. ``os`` deletes files and
``numpy.zeros`` fills memory, so choose with ``include`` what a model may call.
"""

import difflib
import fnmatch
import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from functools import cached_property, partial, singledispatchmethod
from types import ModuleType
from typing import Any, Final, NewType, get_origin

from typing_extensions import TypeAliasType

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.dialects import is_json
from langchain_gorilla.errors import InvalidFunctionError, SourceError
from langchain_gorilla.functions import function_schema
from langchain_gorilla.sources.base import Refusal, SourcedTool, Tools
from langchain_gorilla.sources.json_types import ANYTHING, JsonType, NoJsonTypeError, json_type
from langchain_gorilla.sources.python_tool import BoundParameter, PythonTool
from langchain_gorilla.sources.results import presented
from langchain_gorilla.sources.signatures import NoSignatureError, TypedParameter, read_callable
from langchain_gorilla.sources.tool import closed_schema

_EMPTY: Final = inspect.Parameter.empty
_CODE_FAILS: Final = (Exception, SystemExit)
"""What an import or a look at a name may raise, since either runs any code there is."""
_NO_TOOLS: Final = (BaseException, Enum)
"""Classes that nobody calls for what they do."""


def tools_from_module(
    name_or_module: Any,
    *,
    include: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    depth: int = 1,
) -> Tools:
    """Make tools of what a module, a class or an object offers to call.

    Public is what ``__all__`` lists; without it, names without an underscore that the module or
    its package defines. A class is its constructor; its methods are one level deeper, as are a
    package's modules. A method that needs an instance takes it as JSON where that works
    (``datetime.date.weekday``), and is refused where it does not: pass the object itself instead.

    Args:
        name_or_module: A module or its dotted name, a class or its dotted name, or any object,
            whose methods become tools.
        include: Patterns with ``*`` of the names to take, whole or below the module; all if empty.
        exclude: Patterns of names to leave out.
        depth: 1 for the members, 2 for the members of its classes and modules too, and so on.

    Returns:
        The tools; public names that became none in ``refusals``, and so optional parameters that
        no JSON value fits, which are left out of their tool's schema.

    Raises:
        SourceError: There is no such module or name, or its import fails; or a pattern of
            ``include``, or a name in ``exclude``, is that of nothing there.
    """
    root, name = _resolved(name_or_module)
    walk = _Walk(name, _patterns(include), _patterns(exclude))
    with warnings.catch_warnings():
        # A name that is going away says so when it is looked at.
        warnings.simplefilter("ignore")
        walk.members(root, name, depth)
    walk.check_patterns()
    return Tools(walk.tools, refusals=walk.refusals)


class _Walk:
    """One walk through a module: what was found, and what was met already."""

    def __init__(self, root: str, include: tuple[str, ...], exclude: tuple[str, ...]) -> None:
        self.tools: list[SourcedTool] = []
        self.refusals: list[Refusal] = []
        self._root = root
        self._include = include
        self._exclude = exclude
        self._names: dict[str, None] = {}
        self._entered: set[int] = set()
        self._first_names: dict[int, str] = {}

    def members(self, owner: Any, name: str, depth: int) -> None:
        """Take what an owner offers, and what that offers, ``depth`` levels down."""
        if id(owner) in self._entered or depth < 1:
            return
        self._entered.add(id(owner))
        if isinstance(owner, type) and name == self._root:
            self._take(owner, name, None)
        for key, member, instance_of in self._listed(owner, name, depth):
            dotted = f"{name}.{key}"
            if isinstance(member, ModuleType):
                if depth > 1:
                    self.members(member, dotted, depth - 1)
                elif self._wanted(dotted):
                    self._refuse(dotted, "It is a module. Pass a larger depth to read it too.")
                continue
            self._take(member, dotted, instance_of)
            if isinstance(member, type) and not issubclass(member, _NO_TOOLS):
                self.members(member, dotted, depth - 1)

    def _listed(self, owner: Any, name: str, depth: int) -> Iterator[tuple[str, Any, type | None]]:
        """Yield name, member, and the class that a method's first parameter is of."""
        if not isinstance(owner, ModuleType):
            yield from _class_members(owner)
            return
        found = dict(self._module_members(owner, name))
        if depth > 1:
            for key in _submodule_names(owner):
                if key not in found and not key.startswith("_"):
                    try:
                        found[key] = importlib.import_module(f"{owner.__name__}.{key}")
                    except _CODE_FAILS as error:
                        self._refuse(f"{name}.{key}", _problem("its import", error))
        for key, member in found.items():
            yield key, member, None

    def _module_members(self, module: ModuleType, name: str) -> Iterator[tuple[str, Any]]:
        # Not getattr: a __getattr__ that loads on demand may fail at this name too.
        listed = vars(module).get("__all__")
        package = module.__name__.partition(".")[0]
        # NumPy's __all__ is a set in a list: another order in every process.
        for key in sorted(set(listed if listed is not None else vars(module))):
            if listed is None and key.startswith("_"):
                continue
            try:
                member = getattr(module, key)
            except AttributeError:  # In __all__ by mistake, or made on demand and missing.
                continue
            except _CODE_FAILS as error:
                if self._wanted(f"{name}.{key}"):
                    self._refuse(f"{name}.{key}", _problem("reading it", error))
                continue
            if listed is None:
                home = member.__name__ if isinstance(member, ModuleType) else _home(member)
                if home is not None and home.partition(".")[0] not in (package, f"_{package}"):
                    continue
            yield key, member

    def _take(self, member: Any, name: str, instance_of: type | None) -> None:
        if not self._wanted(name):
            return
        if not callable(member):
            self._refuse(name, f"It is a value ({presented(member)[0]!s:.60}), nothing to call.")
            return
        if _is_type_alias(member):
            self._refuse(name, "It is another name for a type, nothing to call.")
            return
        if isinstance(member, type) and issubclass(member, BaseException):
            self._refuse(name, "It is an exception, which a model has no use for.")
            return
        if isinstance(member, type) and issubclass(member, Enum):
            self._refuse(name, "It is an enumeration: values for parameters, nothing to call.")
            return
        try:
            tool, left_out = _tool(member, name, instance_of)
        except (NoSignatureError, NoJsonTypeError, InvalidFunctionError) as error:
            self._refuse(name, str(error))
            return
        first = self._first_names.setdefault(id(member), name)
        if first != name:
            tool.metadata = {**(tool.metadata or {}), "same_as": first}
        self.tools.append(tool)
        self.refusals += left_out

    def check_patterns(self) -> None:
        """Refuse patterns that chose nothing: what they were meant for is missing, or offered.

        Raises:
            SourceError: There is such a pattern; one with ``*`` may exclude nothing.
        """
        exact = [each for each in self._exclude if not any(sign in each for sign in "*?[")]
        met = [self._both(name) for name in self._names]
        for option, patterns in (("include", self._include), ("exclude", exact)):
            for pattern in patterns:
                if any(_matches(names, (pattern,)) for names in met):
                    continue
                short = [names[1] for names in met]
                near = difflib.get_close_matches(pattern, short, n=3) or short[:3]
                raise SourceError(
                    f"{option}= has {pattern!r:.80}, which is the name of nothing in {self._root}. "
                    f"There is {', '.join(near) or 'nothing'}. Correct it, or raise depth= for "
                    "members of its classes and modules."
                )

    def _both(self, name: str) -> tuple[str, str]:
        """Return a name as a pattern may mean it: whole, and below the module."""
        return name, name.removeprefix(f"{self._root}.")

    def _wanted(self, name: str) -> bool:
        names = self._both(name)
        self._names[name] = None
        return (not self._include or _matches(names, self._include)) and not _matches(
            names, self._exclude
        )

    def _refuse(self, name: str, reason: str) -> None:
        self.refusals.append(Refusal(name, reason))


def _tool(
    member: Callable[..., Any], name: str, instance_of: type | None
) -> tuple[PythonTool, list[Refusal]]:
    """Make the tool, and name the optional parameters that it cannot offer.

    Raises:
        NoSignatureError: Nobody says what it takes.
        NoJsonTypeError: It needs something that no JSON value is.
    """
    text = read_callable(member, name, instance_of=instance_of)
    properties: dict[str, JSONValue] = {}
    definitions: dict[str, JSONValue] = {}
    required: list[str] = []
    bound: list[BoundParameter] = []
    left_out: list[Refusal] = []
    for parameter in text.parameters:
        try:
            kind = json_type(parameter.hint)
        except NoJsonTypeError as error:
            if _is_required(parameter):
                raise NoJsonTypeError(_needs(parameter, instance_of, error)) from error
            left_out.append(
                Refusal(f"{name}({parameter.name})", f"The parameter is left out: {error}.")
            )
            bound.append(BoundParameter(parameter.name, parameter.kind, parameter.default))
            continue
        if any(definitions.get(key, each) != each for key, each in kind.definitions.items()):
            kind = ANYTHING  # Two classes with one name, which one schema cannot hold.
        definitions |= kind.definitions
        properties[parameter.name] = _property(parameter, kind)
        if _is_required(parameter):
            required.append(parameter.name)
        bound.append(
            BoundParameter(parameter.name, parameter.kind, parameter.default, kind.adapter)
        )
    schema = closed_schema(properties, required)
    if definitions:
        schema["$defs"] = definitions
    description = text.description or name
    function_schema({"name": name, "description": description, "parameters": schema})
    tool = PythonTool(
        name=name,
        description=description,
        args_schema=schema,
        metadata={"source": "python", "origin": _origin(member, name)},
        target=member,
        parameters=tuple(bound),
    )
    return tool, left_out


def _property(parameter: TypedParameter, kind: JsonType) -> dict[str, JSONValue]:
    schema = dict(kind.schema)
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        schema = {"type": "array", "items": schema}
    elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
        schema = {"type": "object", "additionalProperties": schema or True}
    if parameter.description:
        schema["description"] = parameter.description
    default = parameter.default
    if type(default) in (str, int, float, bool) and is_json(default):
        schema["default"] = default
    return schema


def _is_required(parameter: TypedParameter) -> bool:
    stars = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return parameter.default is _EMPTY and parameter.kind not in stars


def _needs(parameter: TypedParameter, instance_of: type | None, error: Exception) -> str:
    if instance_of is not None and parameter.hint is instance_of:
        return (
            f"It needs an instance of {instance_of.__name__}, which no JSON value is. Pass the "
            "object itself to tools_from_module."
        )
    return (
        f"Its parameter {parameter.name} takes what no JSON value is: {error}. Wrap it in a "
        "function that makes that from JSON."
    )


def _resolved(given: Any) -> tuple[Any, str]:
    """Return the object and its dotted name."""
    if isinstance(given, ModuleType):
        return given, given.__name__
    if isinstance(given, type):
        return given, f"{given.__module__}.{given.__qualname__}"
    if not isinstance(given, str):
        return given, type(given).__name__
    parts = given.split(".")
    for cut in range(len(parts) if all(parts) else 0, 0, -1):
        module_name = ".".join(parts[:cut])
        try:
            found: Any = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
                continue
            raise SourceError(f"Cannot import {module_name}: {error}. Install it.") from error
        except _CODE_FAILS as error:
            problem = _problem("its import", error)
            raise SourceError(f"Cannot import {module_name}: {problem}") from error
        for part in parts[cut:]:
            try:
                found = getattr(found, part)
            except AttributeError:
                raise SourceError(
                    f"{module_name} has no {part!r}. Pass a name that it has."
                ) from None
            except _CODE_FAILS as error:
                problem = _problem("reading it", error)
                raise SourceError(f"Cannot read {part!r} of {module_name}: {problem}") from error
        return found, given
    raise SourceError(
        f"There is no Python module {given!r} here. Install its package, or correct the name."
    )


def _is_type_alias(member: Any) -> bool:
    """Tell whether a name stands for a type: ``type Names = list[str]``, ``Page[int]``, NewType."""
    if isinstance(member, TypeAliasType | NewType) or get_origin(member) is not None:
        return True
    # Pydantic makes a class of a model with its parameters.
    made = getattr(member, "__pydantic_generic_metadata__", None)
    return isinstance(member, type) and isinstance(made, dict) and made.get("origin") is not None


def _home(member: Any) -> str | None:
    home = getattr(member, "__module__", None)
    # A partial has only that of its class.
    return home if isinstance(home, str) and not isinstance(member, partial) else None


def _submodule_names(module: ModuleType) -> Iterable[str]:
    paths = getattr(module, "__path__", None)
    return sorted(each.name for each in pkgutil.iter_modules(paths)) if paths else ()


def _class_members(owner: Any) -> Iterator[tuple[str, Any, type | None]]:
    """Yield the public methods of a class, or those of an object, bound to it."""
    is_class = isinstance(owner, type)
    cls = owner if is_class else type(owner)
    for key in dir(cls):
        if key.startswith("_"):
            continue
        static = inspect.getattr_static(cls, key)
        if isinstance(static, property | cached_property):
            continue  # No method, and a look at it would run it.
        if isinstance(static, staticmethod | classmethod) or not is_class:
            try:
                member: Any = getattr(owner, key, None)
            except _CODE_FAILS:  # Some other descriptor's own code.
                continue
            if isinstance(static, singledispatchmethod):
                # Of itself it says that it takes self; and it looks at what stands first.
                signature = inspect.signature(static.func.__get__(owner, cls))
                first, *rest = signature.parameters.values()
                first = first.replace(kind=inspect.Parameter.POSITIONAL_ONLY)
                member.__signature__ = signature.replace(parameters=[first, *rest])
            if callable(member):
                yield key, member, None
        elif inspect.isbuiltin(static) or type(static).__name__ == "classmethod_descriptor":
            yield key, getattr(cls, key), None
        elif inspect.isroutine(static):
            yield key, static, cls


def _origin(member: Any, name: str) -> str:
    home = _home(member)
    return home if home and not home.startswith("_") else name.rpartition(".")[0]


def _patterns(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _matches(names: tuple[str, str], patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(each, pattern) for each in names for pattern in patterns)


def _problem(what: str, error: BaseException) -> str:
    return f"{what} fails with {type(error).__name__}: {str(error)[:200]}."
