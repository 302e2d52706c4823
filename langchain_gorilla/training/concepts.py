"""Concepts: kinds of functions, their parameters, and what people ask to have them called.

They come from three sources: written by hand (``data/concepts*.txt``), from compact families
(``families``), and made of a verb, a noun and other concepts' parameters (``invent``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random
from typing import ClassVar

from langchain_gorilla.training.values import Values, data_text


@dataclass(frozen=True)
class Parameter:
    """One parameter of a concept.

    Attributes:
        key: Its name in the question templates.
        kind: What its values are: a kind of ``values``, ``BOOL``, ``LIST(KIND)``,
            ``OBJ(name:KIND,name:KIND)``, or ``{a|b|c}`` for a choice.
        names: What the parameter may be called, the plainest first.
        descriptions: What its document may say.
        optional: It may be left out of a call.
        unit: What its numbers are in, ``""`` for none.
    """

    key: str
    kind: str
    names: tuple[str, ...]
    descriptions: tuple[str, ...]
    optional: bool = False
    unit: str = ""

    @property
    def choices(self) -> tuple[str, ...]:
        """The values of a choice, () for other kinds."""
        return tuple(self.kind[1:-1].split("|")) if self.kind.startswith("{") else ()

    @property
    def words(self) -> str:
        """The plainest name as words: ``start_date`` is ``start date``."""
        return self.names[0].replace("_", " ")


@dataclass(frozen=True)
class Concept:
    """One kind of function, in all the ways that it is named, described and asked for.

    Attributes:
        domain: What it belongs to; two concepts of one domain are easily confused.
        names: Function names.
        descriptions: Function descriptions.
        parameters: In the order of the file.
        questions: Templates with ``{key}`` and ``[optional parts]``.
        held_out: Kept for measuring, never trained on.
        noun: What an invented function is about.
    """

    domain: str
    names: tuple[str, ...]
    descriptions: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    questions: tuple[str, ...]
    held_out: bool = False
    noun: str = field(default="", compare=False)


def split(text: str, separator: str) -> tuple[str, ...]:
    """Split and strip, without empty parts."""
    return tuple(part.strip() for part in text.split(separator) if part.strip())


def describe(rng: Random, name: str, kind: str, about: str) -> str:
    """Make up the description of a parameter that has none."""
    words = name.replace("_", " ")
    title = words[0].upper() + words[1:]
    typical = {
        "CITY": ["City and state, e.g. Austin, TX", "The city name"],
        "DATE": ["The date", "Date in YYYY-MM-DD format", "The day, e.g. 2023-05-01"],
        "TIME": ["Time in HH:MM", "The time of day"],
        "FLT": [f"The {words} value", f"{title} as a number"],
        "INT": [f"The {words} as an integer", f"Number for {words}"],
        "COUNTRY": ["The country", "Name of the country"],
        "PERSON": ["Full name", f"Name of the {words}"],
        "YEAR": ["The year", "Year of interest"],
        "BOOL": [f"Whether to use {words}", f"If true, {words}"],
    }.get(kind, [f"Name of the {words}"])
    usual = [f"The {words}", f"{title} of the {about}", f"The {words} of the {about}", title]
    return rng.choice(usual + typical)


def subject(description: str) -> str:
    """Give what a description is about: ``Get the price of a car`` is about ``price``."""
    clause = re.split(r" (?:for|of|in|from|between|on|by|at|to|with|as|about) ", description)[0]
    words = [word for word in clause.split()[1:] if word not in ("the", "a", "an")]
    return " ".join(words) or "item"


def parameter(
    rng: Random, key: str, kind: str, names: Sequence[str], about: str, *, optional: bool = False
) -> Parameter:
    """Make a parameter with made-up descriptions."""
    texts = [describe(rng, rng.choice(names), kind, about) for _ in range(5)]
    return Parameter(key, kind, tuple(names), tuple(dict.fromkeys(texts)), optional)


def read_concept(block: Sequence[str], rng: Random) -> Concept:
    """Read one block of ``concepts.txt``, whose format its head describes."""
    held_out, domain = block[0].startswith("@"), block[0][1:].strip()
    names, descriptions = (part.strip() for part in block[1].split(" | "))
    about = subject(descriptions)
    parameters: list[Parameter] = []
    questions: tuple[str, ...] = ()
    for line in block[2:]:
        if line.startswith("- "):
            questions = split(line[2:], ";")
            continue
        head, _, texts = line.partition(" : ")
        match = re.fullmatch(r"(\w+)(\??) (\{[^}]*\}|\S+) (.*)", head)
        if match is None:
            raise ValueError(f"Cannot read the parameter {line!r} of {names!r} in concepts.")
        made = parameter(rng, match[1], match[3], split(match[4], ","), about)
        if texts:
            made = replace(made, descriptions=split(texts, ";"))
        parameters.append(replace(made, optional=bool(match[2])))
    return Concept(
        domain,
        split(names, ","),
        split(descriptions, ";"),
        tuple(parameters),
        questions,
        held_out,
    )


WRITTEN = (
    "concepts.txt",
    "concepts_everyday.txt",
    "concepts_science.txt",
    "concepts_software.txt",
    "concepts_siblings.txt",
    "concepts_quantities.txt",
    "concepts_lookups.txt",
    "concepts_daily.txt",
)
"""The files of ``data`` that hold concepts written by hand."""


@cache
def written_concepts() -> tuple[Concept, ...]:
    """Read the files of ``WRITTEN``, held-out concepts among them."""
    rng = Random(77)  # the made-up descriptions are part of the data, the same in every run
    blocks = [block for name in WRITTEN for block in data_text(name).strip().split("\n\n")]
    return tuple(read_concept(block.strip().split("\n"), rng) for block in blocks)


VERBS: tuple[tuple[str, str, str], ...] = tuple(
    tuple(part.strip() for part in line.split(" | "))  # type: ignore[misc]
    for line in data_text("verbs.txt").strip().split("\n")
    if line.strip()
)
"""(verb in names, verbs in descriptions, beginnings of questions), the latter two by ``;``."""


@cache
def loose_parameters() -> tuple[Parameter, ...]:
    """Collect the parameters that invented functions may have."""
    found = [
        one
        for concept in written_concepts()
        if not concept.held_out
        for one in concept.parameters
        if len(one.names[0]) > 2 and one.kind != "BOOL"
    ]
    for line in data_text("parameters.txt").strip().split("\n"):
        name, kind = line.split(" ", 1)
        words = name.replace("_", " ")
        made = Parameter("", kind, (name,), (f"The {words}", words.capitalize()))
        found += [made] * 3
    return tuple(found)


def invent(values: Values, phrase_questions: "QuestionWriter") -> Concept:
    """Invent a function: a verb, a noun (sometimes an invented word), loose parameters."""
    rng = values.rng
    verb, described, asked = rng.choice(VERBS)
    noun = values.pick("NOUN")
    style = rng.random()
    if style < 0.12:
        noun = values.syllables(2, 3)
    elif style < 0.3:
        noun = f"{values.pick('QUALIFIER')} {noun}"
    elif style < 0.5:
        noun = f"{noun} {values.pick('ATTRIBUTE')}"
    elif style < 0.55:
        noun = f"{values.pick('ADJECTIVE')} {noun}"
    parameters: list[Parameter] = []
    for one in rng.sample(loose_parameters(), rng.choice([1, 1, 2, 2, 2, 3, 3, 4])):
        name = rng.choice(one.names)
        if len(name) < 2 or any(name in other.names for other in parameters):
            continue
        text = rng.choice([rng.choice(one.descriptions), describe(rng, name, one.kind, noun)])
        optional = bool(parameters) and rng.random() < 0.25
        key = f"k{len(parameters)}"
        parameters.append(Parameter(key, one.kind, (name,), (text,), optional, one.unit))
    if not parameters:
        return invent(values, phrase_questions)
    if rng.random() < 0.1:
        parameters[rng.randrange(len(parameters))] = _object_parameter(rng, f"k{len(parameters)}")
    parameters.sort(key=lambda one: one.optional)
    synonym = rng.choice(split(described, ";"))
    snake = re.sub(r"\W", "_", noun).lower()
    owner = rng.choice(["info", "tool", "service", "manager", "handler"])
    name = rng.choice(
        [
            f"{verb}_{snake}",
            f"{verb}_{snake}",
            f"{snake}.{verb}",
            f"{snake}_{verb}",
            f"{synonym.lower().replace(' ', '_')}_{snake}",
            f"{snake}_{owner}.{verb}",
        ]
    )
    given = " and ".join(one.words for one in parameters[:2])
    tail = rng.choice(
        [
            "",
            f" based on {given}",
            f" given the {parameters[0].words}",
            " details",
            " in the system",
        ]
    )
    description = f"{synonym}{rng.choice([' the ', ' a ', ' '])}{noun}{tail}"
    leads = [f"{rng.choice(split(asked, ';'))} {noun}" for _ in range(2)]
    questions = tuple(phrase_questions(rng, lead, parameters) for lead in leads)
    return Concept(
        f"invented {noun}", (name,), (description,), tuple(parameters), questions, noun=noun
    )


def _object_parameter(rng: Random, key: str) -> Parameter:
    """Make a parameter that is an object of two or three plain fields."""
    plain = [
        one
        for one in loose_parameters()
        if re.fullmatch(r"[A-Z_]+", one.kind) and one.kind != "TEXT"
    ]
    parts = {rng.choice(one.names): one.kind for one in rng.sample(plain, rng.choice([2, 2, 3]))}
    kind = f"OBJ({','.join(f'{name}:{part}' for name, part in parts.items())})"
    name = rng.choice(["filter", "options", "details", "profile", "settings", "item", "record"])
    return Parameter(key, kind, (name,), (f"The {name}", f"{name.capitalize()} as an object"))


def article(words: str) -> str:
    """Put ``a`` or ``an`` in front."""
    return f"{'an' if words[:1].lower() in 'aeiou' else 'a'} {words}"


class QuestionWriter:
    """Writes a question template from its beginning and its parameters."""

    _PREPOSITIONS: ClassVar[Mapping[str, Sequence[str]]] = {
        "CITY": ("in", "for", "near"),
        "COUNTRY": ("in", "for"),
        "DATE": ("on", "for"),
        "TIME": ("at",),
        "YEAR": ("in", "for"),
        "PERSON": ("for", "by"),
        "TOPIC": ("about", "on"),
        "COMPANY": ("at", "for", "from"),
        "LANG": ("in",),
    }

    def _part(self, rng: Random, one: Parameter, style: str) -> str:
        words, value = one.words, f"{{{one.key}}}"
        if one.unit and rng.random() < 0.7:
            close = one.unit in ("%", "m", "kg", "cm", "A", "V")
            value += (rng.choice(["", " "]) if close else " ") + one.unit
        prepositions = self._PREPOSITIONS.get(one.kind)
        if style == "natural" and prepositions:
            return f"{rng.choice(prepositions)} {value}"
        if style == "equals":
            joints = [" = ", "=", ": ", " ", " is "]
            return f"{words}{rng.choice(joints)}{value}"
        if style == "of":
            return rng.choice(
                [
                    f"{article(words)} of {value}",
                    f"{article(words)} of {value}",
                    f"the {words} {value}",
                    f"{words} {value}",
                    f"{words} of {value}",
                    f"{value} as the {words}",
                    f"{words} equal to {value}",
                ]
            )
        return f"{words} {value}"

    def __call__(self, rng: Random, lead: str, parameters: Sequence[Parameter]) -> str:
        """Write a template that asks for ``lead`` with a value for every parameter.

        Args:
            rng: Chooses the phrasing.
            lead: ``Get the average price``.
            parameters: Optional ones are put in ``[...]``.
        """
        order = list(parameters)
        if rng.random() < 0.3:
            rng.shuffle(order)
        style = rng.choice(["natural", "of", "of", "equals", "for"])
        asking = lead.split(" ")[0] in ("What", "What's", "How", "Which", "Is", "Can", "Could")
        mark = "?" if asking else ""
        if not order:
            return lead + mark
        if len(order) == 1 and rng.random() < 0.6:
            joint = rng.choice([" for", " of", " of", ":"])
            return f"{lead}{joint} {{{order[0].key}}}{mark}"
        bracket = [("[{}]" if one.optional else "{}") for one in order]
        last = len(order) - 1
        if style == "natural":
            text, first = lead, True
            for one, frame in zip(order, bracket, strict=True):
                part = self._part(rng, one, "natural")
                if not re.match(r"(in|on|for|at|by|near|about|from) ", part):
                    joint = "with " if first else rng.choice(["and ", "with ", ", "])
                    part, first = joint + part, False
                text += frame.format(part if part.startswith(",") else " " + part)
            return text + mark
        if style == "equals":
            text = lead + rng.choice([" with ", ", ", ": ", " where ", " given "])
            for index, one in enumerate(order):
                part = (", " if index else "") + self._part(rng, one, "equals")
                text += bracket[index].format(part)
            return text + mark
        joints = [" and "] if style == "for" else [" and ", ", and ", ", "]
        starts = [" for "] if style == "for" else [" with ", " given ", " using ", " that has "]
        text = lead + rng.choice(starts)
        for index, one in enumerate(order):
            joint = "" if not index else rng.choice(joints) if index == last else ", "
            text += bracket[index].format(joint + self._part(rng, one, "of"))
        return text + mark
