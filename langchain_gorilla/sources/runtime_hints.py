"""The annotations of running code, as type hints.

Annotations may be text, and name what a module imports ``if TYPE_CHECKING`` only. Those imports
are found in the module's source and made, so that the text can be resolved.
"""

import ast
import importlib
import inspect
import sys
import typing
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Final

from langchain_gorilla.sources.stubs import hint_from_text

_EMPTY: Final = inspect.Parameter.empty


def runtime_hints(subject: Any, signature: inspect.Signature) -> dict[str, Any]:
    """Return parameter name to type hint, for the parameters that have an annotation.

    What cannot be resolved as a whole is resolved part by part, as a stub is.
    """
    target = subject
    if isinstance(subject, type):
        init = inspect.getattr_static(subject, "__init__")
        target = init if inspect.isfunction(init) else subject.__new__
    target = inspect.unwrap(target)
    module = getattr(target, "__module__", None) or ""
    hints: dict[str, Any] = {}
    for parameter in signature.parameters.values():
        annotation = parameter.annotation
        if annotation is _EMPTY:
            continue
        annotation = _resolved(module, annotation)
        # **options: Unpack[Options] is the type of all of them together, not of each.
        if "Unpack" not in str(typing.get_origin(annotation)):
            hints[parameter.name] = annotation
    return hints


def _resolved(module: str, annotation: Any) -> Any:
    """Return an annotation without text, which may also stand inside it: ``list["Item"]``."""
    names = {**vars(sys.modules[module])} if module in sys.modules else {}
    try:
        # What typing.get_type_hints does with an annotation, here for one at a time.
        names = {**_checking_names(module), **names}
        holder = SimpleNamespace(__annotations__={"it": annotation})
        return typing.get_type_hints(holder, globalns=names, include_extras=True)["it"]
    except Exception:  # Annotations run the described module's own code.
        is_text = isinstance(annotation, str)
        return hint_from_text(module, annotation) if is_text else annotation


@lru_cache(maxsize=256)
def _checking_names(module: str) -> dict[str, Any]:
    """Make the imports that a module makes for type checkers only."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError, SyntaxError):
        return {}
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for statement in node.body:
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    found |= _imported(module, statement)
    return found


def _imported(module: str, statement: ast.Import | ast.ImportFrom) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in statement.names:
        try:
            if isinstance(statement, ast.Import):
                key = name.asname or name.name.partition(".")[0]
                importlib.import_module(name.name)
                found[key] = sys.modules[name.name if name.asname else key]
                continue
            package = _package(module)
            source = importlib.import_module(
                "." * statement.level + (statement.module or ""), package
            )
            key = name.asname or name.name
            if hasattr(source, name.name):
                found[key] = getattr(source, name.name)
            else:
                found[key] = importlib.import_module(f"{source.__name__}.{name.name}")
        except Exception:  # Missing at run time, which is why it stands where it does.
            continue
    return found


def _package(module: str) -> str:
    loaded = sys.modules[module]
    return module if hasattr(loaded, "__path__") else module.rpartition(".")[0]
