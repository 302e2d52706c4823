"""What type stubs say of code that has no annotations: the standard library, C extensions.

``typeshed_client`` brings typeshed and finds the stubs of installed packages. A stub is read as a
tree and never run: its names become types by the tables below, by the stub's own aliases, and by
looking at the module that is described, which is imported already.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Literal, Union

import typeshed_client

from langchain_gorilla.sources.json_types import ArrayLike, NoJson

UNKNOWN: Final = object()
"""The default of an optional parameter where nobody says what it is."""

_WORDS: Final[dict[str, Any]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "bytes": bytes,
    "complex": complex,
    "object": Any,
    "None": type(None),
    "Any": Any,
    "Incomplete": Any,
    "Self": Any,
    "LiteralString": str,
    "AnyStr": str,
    "SupportsIndex": int,
    "SupportsInt": int,
    "SupportsFloat": float,
    "SupportsComplex": float,
    "ConvertibleToInt": int,
    "ConvertibleToFloat": float,
    "ReadableBuffer": bytes,
    "bytearray": bytes,
    "memoryview": bytes,
    "StrPath": str,
    "StrOrBytesPath": str,
    "FileDescriptorOrPath": str,
    "ArrayLike": ArrayLike,
    "DTypeLike": str,
    "_ShapeLike": int | list[int],
    "Callable": NoJson,
    "IO": NoJson,
    "TextIO": NoJson,
    "BinaryIO": NoJson,
    "SupportsRead": NoJson,
    "SupportsWrite": NoJson,
    "type": NoJson,
}
_LISTS: Final = frozenset([
    "list", "List", "Iterable", "Iterator", "Sequence", "Collection", "Container",
    "MutableSequence", "Reversible", "SupportsLenAndGetItem", "SupportsKeysItems",
])  # fmt: skip
_MAPPINGS: Final = frozenset(
    ["dict", "Dict", "Mapping", "MutableMapping", "SupportsKeysAndGetItem"]
)
_NUMERIC: Final = re.compile(r"Supports(Ceil|Floor|Trunc|Float|Int|Abs|Round|Complex)")
_MAX_DEPTH: Final = 12


@dataclass(frozen=True)
class StubParameter:
    """One parameter of a stub.

    Attributes:
        name: Its name, without stars.
        kind: As in ``inspect.Parameter``.
        hint: A type hint; ``Any`` where the stub says nothing that is understood.
        default: ``inspect.Parameter.empty`` for a required one, else the value or ``UNKNOWN``.
    """

    name: str
    kind: Any
    hint: Any
    default: Any = inspect.Parameter.empty


def stub_parameters(name: str) -> tuple[StubParameter, ...] | None:
    """Return the parameters of a function, method or constructor; None where no stub has it.

    Args:
        name: Where it is defined: ``math.sqrt``, ``datetime.date.fromisoformat``. For a class,
            its constructor. The first parameter of a method is left out.

    Returns:
        Where the stub has several overloads: the one with most parameters, and what others take
        by name only; each takes what any overload lets it take and is required only where all
        require it.
    """
    found = _find(name)
    if found is None:
        return None
    module, info, in_class = found
    if isinstance(info.ast, ast.ClassDef):
        children = info.child_nodes or {}
        info = children.get("__new__") or children.get("__init__")
        in_class = True
        if info is None:
            return None
    definitions = getattr(info.ast, "definitions", [info.ast])
    overloads = [
        _parameters(module, each, in_class)
        for each in definitions
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return _merged(overloads) if overloads else None


@lru_cache(maxsize=1)
def _resolver() -> Any:
    return typeshed_client.Resolver()


def _find(name: str) -> tuple[str, Any, bool] | None:
    """Return the module, the name's entry there, and whether it stands in a class."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        module, rest = ".".join(parts[:cut]), parts[cut:]
        info = _lookup(module, rest[0])
        if info is None:
            continue
        for each in rest[1:]:
            info = (info.child_nodes or {}).get(each)
            if info is None:
                return None
        return module, info, len(rest) > 1
    return None


def _lookup(module: str, name: str) -> Any:
    try:
        found = _resolver().get_fully_qualified_name(f"{module}.{name}")
    except (RecursionError, SyntaxError, ValueError, OSError):
        return None
    return getattr(found, "info", found)


def _parameters(
    module: str, function: ast.FunctionDef | ast.AsyncFunctionDef, in_class: bool
) -> tuple[StubParameter, ...]:
    arguments = function.args
    kind = inspect.Parameter
    ordered = [
        *((each, kind.POSITIONAL_ONLY) for each in arguments.posonlyargs),
        *((each, kind.POSITIONAL_OR_KEYWORD) for each in arguments.args),
    ]
    defaults: list[ast.expr | None] = [None] * (len(ordered) - len(arguments.defaults))
    made = [
        _parameter(module, argument, which, default)
        for (argument, which), default in zip(
            ordered, [*defaults, *arguments.defaults], strict=True
        )
    ]
    decorators = {ast.unparse(each) for each in function.decorator_list}
    if in_class and "staticmethod" not in decorators:
        made = made[1:]
    if arguments.vararg:
        made.append(_parameter(module, arguments.vararg, kind.VAR_POSITIONAL, None))
    made += [
        _parameter(module, argument, kind.KEYWORD_ONLY, default)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg:
        made.append(_parameter(module, arguments.kwarg, kind.VAR_KEYWORD, None))
    return tuple(made)


def _parameter(
    module: str, argument: ast.arg, kind: Any, default: ast.expr | None
) -> StubParameter:
    value: Any = inspect.Parameter.empty
    if default is not None:
        try:
            value = ast.literal_eval(default)
        except (ValueError, TypeError, SyntaxError):
            value = UNKNOWN
        value = UNKNOWN if value is Ellipsis else value
    return StubParameter(argument.arg, kind, _hint(module, argument.annotation), value)


def _merged(overloads: list[tuple[StubParameter, ...]]) -> tuple[StubParameter, ...]:
    longest = max(overloads, key=len)
    kept = {each.name: each for each in longest}
    for each in (each for overload in overloads for each in overload):
        # product takes repeat= beside any of its iterables.
        if each.kind is inspect.Parameter.KEYWORD_ONLY:
            kept.setdefault(each.name, each)
    merged = []
    for parameter in kept.values():
        twins = [each for overload in overloads for each in overload if each.name == parameter.name]
        everywhere = len(twins) == len(overloads)
        empty = inspect.Parameter.empty
        defaults = [each.default for each in twins if each.default is not empty]
        optional = defaults or (not everywhere and parameter.kind is not parameter.kind.VAR_KEYWORD)
        stars = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        default = (defaults[0] if defaults else UNKNOWN) if optional else empty
        merged.append(
            replace(
                parameter,
                hint=Union[tuple(each.hint for each in twins)],  # noqa: UP007
                default=empty if parameter.kind in stars else default,
            )
        )
    return tuple(merged)


def hint_from_text(module: str, text: str) -> Any:
    """Return a type hint for an annotation that Python cannot resolve; ``Any`` for want of one."""
    try:
        return _hint(module, ast.parse(text, mode="eval").body)
    except SyntaxError:
        return Any


def _hint(module: str, node: ast.expr | None, depth: int = 0) -> Any:
    """Turn an annotation into a type hint; ``Any`` for what is not understood."""
    if node is None or depth > _MAX_DEPTH:
        return Any
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            try:
                return _hint(module, ast.parse(node.value, mode="eval").body, depth + 1)
            except SyntaxError:
                return Any
        return type(None) if node.value is None else Any
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union(_hint(module, side, depth + 1) for side in (node.left, node.right))
    if isinstance(node, ast.Subscript):
        return _subscript(module, node, depth)
    name = _name(node)
    if not name:
        return Any
    bare = name.rpartition(".")[2]
    if bare in _WORDS:
        return _WORDS[bare]
    if bare in _LISTS:
        return list
    if bare in _MAPPINGS:
        return dict
    if bare in ("tuple", "Tuple"):
        return tuple
    if bare in ("set", "frozenset", "AbstractSet"):
        return set
    return _resolved(module, bare, depth)


def _subscript(module: str, node: ast.Subscript, depth: int) -> Any:
    outer = _name(node.value).rpartition(".")[2]
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if outer == "Literal":
        try:
            return Literal[tuple(ast.literal_eval(each) for each in inner)]
        except (ValueError, TypeError):
            return Any
    if outer == "Optional":
        return _union((_hint(module, inner[0], depth + 1), type(None)))
    if outer == "Union":
        return _union(_hint(module, each, depth + 1) for each in inner)
    if outer in ("Annotated", "Final", "Required", "NotRequired"):
        return _hint(module, inner[0], depth + 1)
    if outer in _LISTS:
        return list[_hint(module, inner[0], depth + 1)]  # type: ignore[misc]
    if outer in _MAPPINGS:
        return dict[str, _hint(module, inner[-1], depth + 1)]  # type: ignore[misc]
    if outer in ("tuple", "Tuple"):
        if not inner:
            return tuple
        if isinstance(inner[-1], ast.Constant) and inner[-1].value is Ellipsis:
            return tuple.__class_getitem__((_hint(module, inner[0], depth + 1), ...))
        return tuple.__class_getitem__(tuple(_hint(module, each, depth + 1) for each in inner))
    return _hint(module, node.value, depth + 1)


def _resolved(module: str, name: str, depth: int) -> Any:
    """Look a name up in the stub: an alias, a type variable, a class."""
    info = _lookup(module, name)
    node = getattr(info, "ast", None)
    if isinstance(node, ast.Assign | ast.AnnAssign):
        value = node.value
        if isinstance(value, ast.Call) and _name(value.func).endswith("TypeVar"):
            constraints = value.args[1:]
            bounds = [each.value for each in value.keywords if each.arg == "bound"]
            return _union(_hint(module, each, depth + 1) for each in (*constraints, *bounds))
        return _hint(module, value, depth + 1)
    if isinstance(node, ast.ClassDef):
        if any("Protocol" in ast.unparse(base) for base in node.bases):
            return float if _NUMERIC.search(name) else Any
        # A stub may name a class that the module has under no such name.
        found = getattr(sys.modules.get(module), name, None)
        return found if isinstance(found, type) else NoJson
    found = getattr(sys.modules.get(module), name, None)
    return found if isinstance(found, type) else Any


def _union(hints: Iterator[Any] | tuple[Any, ...]) -> Any:
    given = tuple(hints)
    if not given or Any in given:
        return Any
    return Union[given]  # noqa: UP007


def _name(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
