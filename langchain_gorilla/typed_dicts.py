"""A TypedDict → the Pydantic model of its fields.

LangChain's own is of Pydantic v1, which takes what may be null for what may be left out and is
never null, and knows no ``NotRequired``, ``total=False`` or recursion. Pydantic v2 reads no
``typing.TypedDict`` before Python 3.12.
"""

from collections.abc import Callable, Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, ForwardRef, Literal, Union, get_args, get_origin

from langchain_core.utils.function_calling import convert_to_openai_function
from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo
from typing_extensions import (
    NotRequired,
    ReadOnly,
    Required,
    TypedDict,
    get_type_hints,
    is_typeddict,
)


def typed_dict_model(kind: Any) -> type[BaseModel]:
    """Return the model of a TypedDict, with what its docstring says of it as its own.

    Raises:
        Exception: What Pydantic and LangChain raise about a type or a docstring.
    """
    names: dict[Any, str] = {}
    waiting: list[Any] = []

    def reference(inner: Any) -> ForwardRef:
        if inner not in names:
            names[inner] = f"_{len(names)}"
            waiting.append(inner)
        return ForwardRef(names[inner])

    reference(kind)
    models: dict[str, type[BaseModel]] = {}
    while waiting:
        inner = waiting.pop()
        hints = get_type_hints(inner, include_extras=True)
        description, of_keys = _documentation(inner, hints)
        fields: dict[str, Any] = {}
        for place, (key, hint) in enumerate(hints.items()):
            hint, extras, required = _unqualified(hint, required=key in inner.__required_keys__)
            default, said, own = _annotated(extras)
            about: dict[str, Any] = {"alias": key}
            if described := of_keys.get(key) or said:
                about["description"] = described
            if default is not ...:
                about["default"] = default
            elif not required:
                about["default_factory"] = type(None)  # which no schema shows
            hint = _with_references(hint, reference)
            # Under names of their own: a key may be no name for a field, such as "json" or "_id".
            fields[f"field_{place}"] = (Annotated[(hint, *own)] if own else hint, Field(**about))
        models[names[inner]] = create_model(
            inner.__name__, __doc__=description, __module__=inner.__module__, **fields
        )
    for model in models.values():
        model.model_rebuild(_types_namespace=models)
    return models[names[kind]]


def _documentation(kind: Any, keys: Iterable[str]) -> tuple[str | None, Mapping[str, str]]:
    """Return what a TypedDict's docstring says of it, and of its keys below ``Args:``."""
    text = kind.__doc__
    if not text:
        return None, {}
    # LangChain reads the docstring; the types are of no account.
    make: Any = TypedDict
    same = make(kind.__name__, {key: str for key in keys if key in text})
    same.__doc__ = text
    converted = convert_to_openai_function(same)
    properties = converted["parameters"]["properties"].items()
    return converted["description"], {
        key: each["description"] for key, each in properties if "description" in each
    }


def _unqualified(hint: Any, *, required: bool) -> tuple[Any, tuple[Any, ...], bool]:
    """Return the type of a TypedDict's key, what is annotated, and whether it has to be there."""
    extras: tuple[Any, ...] = ()
    while (origin := get_origin(hint)) in (Annotated, Required, NotRequired, ReadOnly):
        inner, *more = get_args(hint)
        if origin is Annotated:
            extras = (*more, *extras)
        elif origin is not ReadOnly:
            required = origin is Required
        hint = inner
    return hint, extras, required


def _annotated(extras: tuple[Any, ...]) -> tuple[Any, Any, tuple[Any, ...]]:
    """Return default, description, and what Pydantic is to read of what is annotated.

    LangChain reads ``Annotated[int, 1, "How many."]`` so, with ``...`` for no default.
    """
    if not extras:
        return ..., None, ()
    first, said = extras[0], extras[1] if len(extras) > 1 else None
    is_described = len(extras) == 2 and isinstance(said, str)
    if isinstance(first, FieldInfo):
        return ..., said if is_described else None, extras
    is_default = first is ... or first is None
    is_default |= isinstance(first, str | int | float | list | dict)
    if is_default or is_described:
        return first, said, ()
    return ..., None, extras


def _with_references(hint: Any, reference: Callable[[Any], ForwardRef]) -> Any:
    """Put references in the place of the TypedDicts in a type."""
    if is_typeddict(hint):
        return reference(hint)
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal or not inner:
        return hint
    if origin is Annotated:
        return Annotated[(_with_references(inner[0], reference), *inner[1:])]
    found = tuple(_with_references(each, reference) for each in inner)
    if found == inner:
        return hint
    made: Any = Union if origin is UnionType else origin
    return made[found]
