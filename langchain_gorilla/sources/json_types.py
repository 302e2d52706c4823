"""Python types that JSON can carry, and the way from a JSON value to such a type.

Pydantic does the work, in both directions: ``datetime.date`` is a string with ``format: date`` in
the schema, and the tool gets a real date. What no JSON value can be (a function, an open file) is
an error here, so that a signature can leave it out or refuse.
"""

import collections.abc
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, Union

import typing_extensions
from pydantic import AfterValidator, PydanticUserError, TypeAdapter, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import SchemaError
from typing_extensions import NotRequired, Required

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.functions import without_titles


class NoJsonTypeError(Exception):
    """No JSON value can be of this type; the message names it."""


@dataclass(frozen=True)
class JsonType:
    """A type with its JSON schema.

    Attributes:
        schema: May refer to ``definitions`` as ``#/$defs/…``.
        definitions: Name to schema.
        adapter: Makes the Python value; None leaves the JSON value as it is.
    """

    schema: Mapping[str, JSONValue]
    definitions: Mapping[str, JSONValue]
    adapter: TypeAdapter[Any] | None


class _GivenFields(GenerateJsonSchema):
    """Leaves out a dataclass's fields with ``init=False``: Pydantic drops what they are given."""

    def field_is_present(self, field: Any) -> bool:
        return super().field_is_present(field) and field.get("init") is not False


class NoJson:
    """Stands for a type of which no JSON value is; a hint that holds it loses that alternative."""


ANYTHING: Final = JsonType({}, {}, None)

_ITEM: Final[Any] = {"anyOf": [{"type": "number"}, {"type": "boolean"}, {"type": "array"}]}


def _array(value: Any) -> Any:
    import numpy

    return numpy.asarray(value)


ArrayLike: Final[Any] = Annotated[
    Any,
    AfterValidator(_array),
    WithJsonSchema(
        {"anyOf": [{"type": "number"}, {"type": "boolean"}, {"type": "array", "items": _ITEM}]}
    ),
]
"""What NumPy takes for an array: a number, or lists of numbers in lists. It becomes an array, since
not every function that says so takes a list."""

NumpyArray: Final[Any] = Annotated[
    Any, AfterValidator(_array), WithJsonSchema({"type": "array", "items": _ITEM})
]
"""A list that becomes a ``numpy.ndarray``."""

_NUMBER: Final[Any] = Annotated[int | float, WithJsonSchema({"type": "number"})]
"""A number that stays what it is: beside types that Pydantic makes, ``float`` makes 3 a 3.0."""

_PLAIN: Final = frozenset({float, _NUMBER, str, bool, type(None), list, dict, Any, object})
_LISTS: Final = (
    collections.abc.Iterable,
    collections.abc.Iterator,
    collections.abc.Collection,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Container,
    collections.abc.Reversible,
)
_MAPPINGS: Final = (collections.abc.Mapping, collections.abc.MutableMapping)
_PRESENCE: Final[tuple[Any, ...]] = (Required, NotRequired)
_MAX_ALTERNATIVES: Final = 8
_IN_JSON: Final = (str, int, float, bool, type(None))


def json_type(hint: Any) -> JsonType:
    """Return the JSON side of a type hint.

    Raises:
        NoJsonTypeError: No JSON value can be of this type.
    """
    try:
        return _json_type(hint)
    except TypeError:  # A hint that cannot be hashed, such as a Literal of a list.
        return _json_type.__wrapped__(hint)


@lru_cache(maxsize=4096)
def _json_type(hint: Any) -> JsonType:
    try:
        hint = _simplified(hint)
        if hint in (Any, object):
            return ANYTHING
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
        schema = adapter.json_schema(schema_generator=_GivenFields)
    except (
        PydanticUserError,
        SchemaError,
        TypeError,
        ValueError,
        NameError,
        AttributeError,
    ) as error:
        raise NoJsonTypeError(f"{_name(hint)} has no form in JSON") from error
    except RecursionError as error:
        raise NoJsonTypeError(f"{_name(hint)} refers to itself") from error
    schema = without_titles(schema)
    definitions = schema.pop("$defs", {})
    # As LangChain reads Annotated[int, "How many."].
    said = [each for each in getattr(hint, "__metadata__", ()) if isinstance(each, str)]
    if said:
        schema.setdefault("description", said[0])
    return JsonType(schema, definitions, None if _is_plain(hint) else adapter)


def _simplified(hint: Any) -> Any:
    """Return the hint with lists for iterables, and without alternatives that JSON has not."""
    if typing.is_typeddict(hint) and sys.version_info < (3, 12):
        return _own_typed_dict(hint)
    if hint in (typing.List, typing.Dict, typing.Tuple, typing.Set):  # noqa: UP006
        return typing.get_origin(hint)
    if isinstance(hint, typing.TypeVar):
        if hint.__constraints__:
            return _simplified(Union[hint.__constraints__])  # noqa: UP007
        return _simplified(hint.__bound__) if hint.__bound__ is not None else Any
    if hint is typing_extensions.LiteralString:
        return str
    if hint in _LISTS:
        return list
    if getattr(typing.get_origin(hint) or hint, "__qualname__", "") == "ndarray":
        return NumpyArray
    if hint in _MAPPINGS:
        return dict
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return _alternatives(arguments, hint)
    if origin in _LISTS or (origin is list and arguments):
        return list[_simplified(arguments[0])]  # type: ignore[misc]
    if origin in _MAPPINGS or (origin is dict and len(arguments) == 2):
        return dict[_key(arguments[0]), _simplified(arguments[-1])]  # type: ignore[misc]
    if origin is Literal and any(isinstance(each, Enum | bytes) for each in arguments):
        return _choice(arguments, hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        members = tuple(hint)
        return (
            hint
            if all(type(each.value) in _IN_JSON for each in members)
            else _choice(members, hint)
        )
    if hint is NoJson or origin is type or hint is type or origin is collections.abc.Callable:
        raise NoJsonTypeError(f"{_name(hint)} has no form in JSON")
    return hint


def _choice(values: tuple[Any, ...], hint: Any) -> Any:
    """Return the choice among what JSON can say of values: a member's name where its value cannot.

    Raises:
        NoJsonTypeError: Bytes that are no text, or two values of which JSON would say the same.
    """
    said: dict[Any, Any] = {}
    for each in values:
        plain = each.value if isinstance(each, Enum) else each
        if isinstance(each, Enum) and type(plain) not in _IN_JSON:
            plain = each.name
        elif isinstance(plain, bytes):
            try:
                plain = plain.decode()
            except UnicodeDecodeError:
                raise NoJsonTypeError(f"{_name(hint)} has no form in JSON") from None
        if said.setdefault(plain, each) is not each:
            raise NoJsonTypeError(f"{_name(hint)} has two choices that are {plain!r} in JSON")
    return Annotated[Literal[tuple(said)], AfterValidator(said.__getitem__)]


def _key(hint: Any) -> Any:
    """Return what a key becomes, which JSON writes as a text whatever it is.

    Raises:
        NoJsonTypeError: No text says it, as of a tuple.
    """
    simple = _simplified(hint)
    if simple in (Any, object, collections.abc.Hashable):
        return str
    schema = json_type(simple).schema
    is_number_of_few = "enum" in schema and schema.get("type") != "string"
    if schema.get("type") in ("array", "object") or is_number_of_few:
        raise NoJsonTypeError(f"{_name(hint)}, as a key, has no form in JSON")
    return simple


def _own_typed_dict(hint: Any) -> Any:
    """Return the TypedDict as Pydantic takes it: before Python 3.12, only typing_extensions'."""
    fields: dict[str, Any] = {}
    for name, kind in typing_extensions.get_type_hints(hint, include_extras=True).items():
        # __required_keys__ does not know what stands in annotations that are text.
        presence: Any = Required if name in hint.__required_keys__ else NotRequired
        if (origin := typing.get_origin(kind)) in _PRESENCE:
            presence, (kind,) = origin, typing.get_args(kind)
        fields[name] = presence[_simplified(kind)]
    make: Any = typing_extensions.TypedDict
    made = make(hint.__name__, fields)
    made.__doc__ = hint.__doc__
    return made


def _alternatives(arguments: tuple[Any, ...], hint: Any) -> Any:
    kept: list[Any] = []
    for argument in arguments[:_MAX_ALTERNATIVES]:
        try:
            if argument is not type(None):
                json_type(argument)
            simple = _simplified(argument)
        except NoJsonTypeError:
            continue
        if simple in (Any, object):
            return Any
        if simple not in kept:
            kept.append(simple)
    if float in kept:
        # A JSON number says what these would say in a string.
        others = (int, Decimal, Fraction, complex)
        kept = [_NUMBER if each is float else each for each in kept if each not in others]
    if int in kept:
        kept = [each for each in kept if typing.get_origin(each) is not Literal]
    if any(each in (list, list[Any]) for each in kept):
        kept = [list, *(each for each in kept if typing.get_origin(each) is not list)]
        kept = list(dict.fromkeys(kept))
    if not kept or kept == [type(None)]:
        raise NoJsonTypeError(f"{_name(hint)} has no form in JSON")
    return Union[tuple(kept)]  # noqa: UP007


def _is_plain(hint: Any) -> bool:
    """Whether JSON values of this type are its Python values already."""
    arguments = typing.get_args(hint)
    if not arguments or hint == _NUMBER:
        return hint in _PLAIN
    origin = typing.get_origin(hint)
    if origin is dict and arguments[0] is not str:
        return False
    if origin is Literal:
        return all(isinstance(each, str | int | bool | None) for each in arguments)
    return origin in (list, dict, Union, types.UnionType) and all(map(_is_plain, arguments))


def _name(hint: Any) -> str:
    """Name a type for a person; of alternatives, those beside None."""
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_name(each) for each in arguments[:3] if each is not type(None))
    if hint is NoJson or (arguments and NoJson in arguments):
        return "a function, class or open file"
    return getattr(hint, "__name__", None) or str(hint)[:80]
