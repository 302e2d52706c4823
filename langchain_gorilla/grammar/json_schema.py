"""JSON Schema to rules, one function per keyword.

Three outcomes, never a fourth: a keyword is compiled; or it is left to validation and named in
the ``Coverage``; or the schema contradicts itself and is an ``InvalidFunctionError``. A rule may
be narrower than its schema (objects that name their properties take no others unless
``additionalProperties`` is given; integers have at most 24 digits), never wider in silence.

Decisions: ``nullable: true`` means that null is a value. An optional property may also have its
``default`` written out, null too, even where the rest of its schema says no (as in 4% of BFCL's
gold calls): it says what leaving the property out says. What JSON Schema ignores without ``type``
is taken as its author meant it: ``{"minimum": 1}`` is a number.

Source: JSON Schema 2020-12, core and validation; OpenAPI 3.0 for ``nullable``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from keyword import iskeyword
from typing import Final

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.grammar.arrays import array, list_of
from langchain_gorilla.grammar.enums import fits, fitting, parted
from langchain_gorilla.grammar.merging import (
    ANNOTATIONS,
    TYPES,
    UNMERGED,
    ContradictionError,
    Schema,
    SchemaError,
    merged,
    others,
    types_of,
)
from langchain_gorilla.grammar.notation import Notation, compact_json, free_text
from langchain_gorilla.grammar.numbers import any_number
from langchain_gorilla.grammar.other_members import enforces_patterns, other_member
from langchain_gorilla.grammar.resolving import Resolver, apart, options
from langchain_gorilla.grammar.rules import (
    NOTHING,
    Grammar,
    Literal,
    Member,
    Members,
    Ref,
    Rule,
    Terminal,
    choice,
    endless_rules,
    mark,
    optional,
    reachable,
    repeat,
    sequence,
)
from langchain_gorilla.grammar.scalars import numbers, string

_LEFT: Final = frozenset(
    """not if then else dependentRequired dependentSchemas dependencies patternProperties
    propertyNames minProperties maxProperties contains minContains maxContains
    unevaluatedProperties unevaluatedItems $dynamicRef $recursiveRef uniqueItems""".split()  # noqa: SIM905
)
_COMPOSING: Final = frozenset({"$ref", "allOf", "anyOf", "oneOf"})


@dataclass(frozen=True)
class Gap:
    """One keyword that the grammar does not enforce; validation does.

    Attributes:
        path: Where, as a JSON pointer into the function's parameters; ``""`` is their root.
        keyword: Which.
        reason: Why not.
    """

    path: str
    keyword: str
    reason: str


@dataclass(frozen=True)
class Compiled:
    """A schema as a grammar, and what the grammar does not enforce."""

    grammar: Grammar
    gaps: tuple[Gap, ...]


def compile_value(schema: JSONValue, notation: Notation, *, scope: str = "") -> Compiled:
    """Match the values of a schema.

    Args:
        schema: A JSON schema; ``$ref`` is looked up in it.
        notation: How values are written.
        scope: Keeps rule names of several schemas apart in one grammar.

    Raises:
        SchemaError: No value fits the schema (``ContradictionError``), or it is none.
    """
    compiler = _Compiler(schema, notation, scope)
    return compiler.finished(lambda: compiler.value(schema, ""))


def compile_arguments(schema: Schema, notation: Notation, *, scope: str = "") -> Compiled:
    """Match ``(name=value, …)`` for a schema of type object; see ``compile_value``."""
    compiler = _Compiler(schema, notation, scope)
    return compiler.finished(lambda: compiler.call(schema, ""))


class _Compiler:
    def __init__(self, root: JSONValue, notation: Notation, scope: str) -> None:
        self.schemas = Resolver(root)
        self.notation = notation
        self.scope = scope
        self.rules: dict[str, Rule] = {}
        self.wrong: dict[str, ContradictionError] = {}
        self.gaps: dict[Gap, None] = {}

    def finished(self, compiled: Callable[[], Rule]) -> Compiled:
        try:
            root = compiled()
            rules = reachable(Grammar(root, self.rules))
            endless = endless_rules(rules)
        except RecursionError:
            raise SchemaError(
                "",
                "it is nested too deeply, or refers to itself in ever new ways; describe what "
                "repeats once, under '$defs', and refer to it with a '$ref' that stands alone",
            ) from None
        if endless:
            raise ContradictionError(
                min(endless, key=len).removeprefix(self.scope),
                "a value would have to contain itself",
            )
        return Compiled(Grammar(root, rules), tuple(self.gaps))

    def left(self, path: str, keyword: str, reason: str) -> None:
        self.gaps.setdefault(Gap(path, keyword, reason))

    # -- what a schema is ---------------------------------------------------------------

    def value(self, schema: JSONValue, path: str) -> Rule:
        """The rule of any schema."""
        if isinstance(schema, Mapping):
            said = {
                k: v for k, v in schema.items() if k not in ANNOTATIONS and not k.startswith("x-")
            }
            if isinstance(schema.get("$ref"), str) and said.keys() <= {"$ref", "nullable"}:
                return self.reference(schema, path)
            # Merged with what stands around it, a schema that refers to itself comes back as
            # the same words, if not under the same name.
            if _COMPOSING & said.keys() and '"$ref":' in (words := compact_json(said)):
                return self.named(words, lambda: self.spelled_out(schema, path))
        return self.spelled_out(schema, path)

    def reference(self, schema: Schema, path: str) -> Rule:
        """$ref."""
        pointer = schema["$ref"]
        rule = self.named(pointer, lambda: self.value(self.schemas.target(pointer, path), path))
        null = schema.get("nullable") is True
        return choice(rule, Literal(self.notation.null)) if null else rule

    def named(self, name: str, compiled: Callable[[], Rule]) -> Rule:
        """A named rule, so that a schema may contain itself."""
        name = f"{self.scope}{name}"
        if name in self.wrong:
            raise self.wrong[name]
        if name not in self.rules:
            before = len(self.rules)
            self.rules[name] = NOTHING  # Taken, before its own schema refers to it.
            try:
                self.rules[name] = compiled()
            except ContradictionError as error:
                # An anyOf may have other options; but rules made since may refer to this one.
                for made in list(self.rules)[before:]:
                    del self.rules[made]
                self.wrong[name] = error
                raise
        return Ref(name)

    def spelled_out(self, schema: JSONValue, path: str) -> Rule:
        """The rule of a schema with what it refers to merged into it."""
        schema = self.schemas.plain(schema, path)
        if schema is False:
            raise ContradictionError(path, "no value is allowed")
        if schema is True or not any(k not in ANNOTATIONS for k in schema):
            return self.anything()
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return self.alternatives(schema, keyword, path)
        self.leave(schema, path)
        if "enum" in schema:
            return self.enum(schema, path)
        return self.of_types(self.types(schema, path), schema, path)

    def anything(self) -> Rule:
        """Any JSON value."""
        notation = self.notation
        name = f"any {notation.true} {''.join(notation.quotes)}"
        if name not in self.rules:
            value, text = Ref(name), free_text(notation)
            scalars = [Literal(s) for s in (notation.true, notation.false, notation.null)]
            pair = sequence(text, mark(": "), value)
            self.rules[name] = choice(
                text, Terminal(any_number()), *scalars, list_of(value), _braced(pair)
            )
        return Ref(name)

    def leave(self, schema: Schema, path: str) -> None:
        """Name what is left to validation."""
        for keyword in sorted(_LEFT & schema.keys()):
            value = schema[keyword]
            if keyword == "uniqueItems" and value is not True:
                continue
            if keyword == "propertyNames" and not (
                schema.get("properties") or schema.get("required")
            ):
                continue
            if keyword == "patternProperties" and enforces_patterns(schema):
                continue
            if keyword == "minProperties" and value <= len(schema.get("required") or ()):
                continue
            self.left(path, keyword, "this keyword is not compiled")
        for keyword in schema.get(UNMERGED, ()):
            self.left(path, keyword, "it occurs twice in allOf; one of the two is enforced")

    # -- type, enum, anyOf, oneOf -------------------------------------------------------

    def types(self, schema: Schema, path: str) -> tuple[str, ...]:
        """type: the names, checked."""
        names = types_of(schema)
        for name in names:
            if name not in TYPES:
                raise SchemaError(path, f"{name!r} is not a JSON Schema type")
        if not names:
            raise SchemaError(path, "type is an empty list")
        return tuple(n for n in names if n != "integer" or "number" not in names)

    def enum(self, schema: Schema, path: str) -> Rule:
        """enum, and const as an enum of one: those values that the other keywords allow."""
        values = fitting(schema, self.types(schema, path), self.schemas.root, path)
        flat = [self.notation.literal(each) for each in values if not isinstance(each, list | dict)]
        nested = [
            self.value(parted(each), path) for each in values if isinstance(each, list | dict)
        ]
        return choice(*([Terminal(choice(*flat))] if flat else []), *nested)

    def alternatives(
        self,
        schema: Schema,
        keyword: str,
        path: str,
        rule: Callable[[JSONValue, str], Rule] | None = None,
    ) -> Rule:
        """AnyOf and oneOf: each option together with the keywords beside it."""
        beside = {k: v for k, v in schema.items() if k != keyword}
        rules, kept, wrong, doubtful = [], [], None, False
        for index, option in enumerate(options(schema[keyword], keyword, path)):
            where = f"{path}/{keyword}/{index}"
            try:
                if any(k not in ANNOTATIONS for k in beside):
                    option = merged(self.schemas.plain(option, where), beside, where)
                rules.append((rule or self.value)(option, where))
                kept.append(option)
            except ContradictionError as error:
                wrong = error
                # What no value fits inside, such as an optional property, may be left out.
                doubtful |= error.path != where
        if not rules:
            raise wrong or ContradictionError(path, f"{keyword} is empty")
        if keyword == "oneOf" and (doubtful or not self.apart(kept, path)):
            self.left(path, "oneOf", "a value may fit two of its options")
        return choice(*rules)

    def apart(self, kept: list[JSONValue], path: str) -> bool:
        """Whether no value that the grammar offers fits two of the options."""
        plain = [self.schemas.plain(option, path) for option in kept]
        return all(apart(one, other) for n, one in enumerate(plain) for other in plain[:n])

    def of_types(self, names: tuple[str, ...], schema: Schema, path: str) -> Rule:
        """The values of several types; one of them may have none, but not all."""
        rules, wrong = [], None
        for name in names:
            try:
                rules.append(self.of_type(name, schema, path))
            except ContradictionError as error:
                wrong = error
        if wrong is not None and not rules:
            raise wrong
        return choice(*rules)

    def of_type(self, name: str, schema: Schema, path: str) -> Rule:
        """The values of one type."""
        match name:
            case "null":
                return Literal(self.notation.null)
            case "boolean":
                return choice(Literal(self.notation.true), Literal(self.notation.false))
            case "integer" | "number":
                return numbers(schema, path, self.left, whole=name == "integer")
            case "string":
                return string(schema, path, self.notation, self.left)
            case "array":
                return array(schema, path, self.value)
            case _:
                return self.object(schema, path)

    # -- objects ------------------------------------------------------------------------

    def object(self, schema: Schema, path: str) -> Rule:
        """properties, required, additionalProperties, patternProperties."""
        members = self.members(schema, path, self.notation.spellings)
        extra = other_member(schema, path, self.notation, self.value)
        if members:
            return Members("{", members, ": ", "}", extra)
        return sequence(mark("{"), mark("}")) if extra is None else _braced(extra)

    def call(self, schema: JSONValue, path: str) -> Rule:
        """The same between parentheses, as keyword arguments."""
        plain = self.schemas.plain(schema, path)
        if plain is False:
            raise ContradictionError(path, "no value is allowed")
        if not isinstance(plain, Mapping) or "object" not in types_of(plain):
            raise SchemaError(path, "arguments are an object")
        for keyword in ("anyOf", "oneOf"):
            if keyword in plain:
                return self.alternatives(plain, keyword, path, self.call)
        self.leave(plain, path)
        if "enum" in plain:
            self.left(path, "enum", "it is about all arguments at once")
        members = self.members(plain, path, _argument)
        return Members("(", members, "=", ")") if members else Literal("()")

    def members(
        self, schema: Schema, path: str, key: Callable[[str], tuple[str, ...]]
    ) -> tuple[Member, ...]:
        """The named members of an object."""
        properties = dict(schema.get("properties") or {})
        required = list(schema.get("required") or ())
        rest = others(schema)
        for name in required:
            if properties.get(name, rest) is False:
                raise ContradictionError(path, f"property {name!r} is required and forbidden")
            properties.setdefault(name, rest)
        return tuple(
            Member(key(name), self.member(value, name in required, where), name in required)
            for name, value in properties.items()
            if value is not False
            for where in (f"{path}/properties/{name}",)
        )

    def member(self, schema: JSONValue, required: bool, path: str) -> Rule:
        """Default: of an optional property, a value even where the rest of its schema says no."""
        rule = self.value(schema, path)
        if required or not isinstance(schema, Mapping) or "default" not in schema:
            return rule
        default = schema["default"]
        if fits(default, schema, self.schemas.root, path):
            return rule
        if default is not None:
            reason = f"{default!r} is outside of its own schema, but is let through"
            self.left(path, "default", reason)
        return choice(rule, self.value({"enum": [default]}, path))


def _argument(name: str) -> tuple[str, ...]:
    if not name.isidentifier() or iskeyword(name):
        raise SchemaError(
            f"/properties/{name}", f"{name!r} is not a Python parameter; pass FunctionSet.written"
        )
    return (name,)


def _braced(pair: Rule) -> Rule:
    """Any number of pairs between braces."""
    pairs = sequence(pair, repeat(sequence(mark(", "), pair)))
    return sequence(mark("{"), optional(pairs), mark("}"))
