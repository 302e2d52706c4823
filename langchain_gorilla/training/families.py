"""Concepts from compact families: formulas, records, facts.

One line of a family's file stands for one concept (a formula), five (a record is created,
read, deleted, changed, listed) or one for every attribute (a fact).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from random import Random

from langchain_gorilla.training.concepts import (
    Concept,
    Parameter,
    QuestionWriter,
    article,
    parameter,
    split,
)
from langchain_gorilla.training.values import data_text

_UNITS = [
    "kg",
    "m",
    "m/s",
    "s",
    "V",
    "A",
    "C",
    "N",
    "m2",
    "m3",
    "degrees",
    "ohms",
    "km",
    "K",
    "L",
    "nm",
    "km/h",
    "ml",
    "grams",
    "cm",
    "%",
    "MB",
    "Mbps",
    "years",
    "months",
]
_COUNTED = re.compile("years|months|periods|count|number|age|size")
_LEADS = (
    "Calculate the",
    "Compute the",
    "What is the",
    "What's the",
    "Find the",
    "Determine the",
    "I need the",
    "Work out the",
    "Can you calculate the",
    "Give me the",
    "Figure out the",
    "Tell me the",
)
_ACTIONS = {
    "create": "Create,Add,Make,Register",
    "get": "Get,Show,Look up,Fetch,Open",
    "delete": "Delete,Remove,Drop,Cancel",
    "update": "Update,Change,Edit,Modify",
    "list": "List,Show all,Find,Search",
}


@cache
def family_concepts() -> tuple[Concept, ...]:
    """Make the concepts of all families; the same in every run."""
    rng, ask = Random(78), QuestionWriter()
    return (*_formulas(rng, ask), *_records(rng, ask), *_facts(rng))


def _lines(name: str) -> list[list[str]]:
    lines = data_text(name).strip().split("\n")
    return [[part.strip() for part in line.split(" | ")] for line in lines if line.strip()]


def _formulas(rng: Random, ask: QuestionWriter) -> Iterator[Concept]:
    for domain, name, parts in _lines("formulas.txt"):
        parameters = []
        for index, part in enumerate(split(parts, ";")):
            words, _, unit = part.rpartition(" ")
            if unit not in _UNITS or not words:
                words, unit = part, ""
            kind = "INT" if _COUNTED.search(part) else rng.choice(["FLT", "FLT", "INT"])
            made = parameter(rng, f"k{index}", kind, [words.replace(" ", "_")], name)
            if unit:
                texts = (f"{words.capitalize()} in {unit}", f"The {words} ({unit})")
                made = replace(made, unit=unit, descriptions=made.descriptions + texts)
            parameters.append(made)
        snake = name.replace(" ", "_")
        names = (
            f"calculate_{snake}",
            f"compute_{snake}",
            f"{domain}.{snake}",
            snake,
            f"calc_{snake}",
            f"{domain}.calculate_{snake}",
        )
        given = " and ".join(dict.fromkeys((parameters[0].words, parameters[-1].words)))
        descriptions = tuple(
            f"{verb} the {name}{tail}"
            for verb in ("Calculate", "Compute", "Find")
            for tail in ("", f" from {given}")
        )
        questions = tuple(ask(rng, f"{rng.choice(_LEADS)} {name}", parameters) for _ in range(14))
        yield Concept(domain, names, descriptions, tuple(parameters), questions)


def _records(rng: Random, ask: QuestionWriter) -> Iterator[Concept]:
    for entity, identifier, listed in _lines("records.txt"):
        snake = entity.replace(" ", "_")
        id_name, id_kind = identifier.split(" ")
        fields = [text.rsplit(" ", 1) for text in re.split(r", (?![^{]*\})", listed)]
        key = parameter(rng, "i", id_kind, [f"{snake}_{id_name}", id_name], entity)
        others = [
            parameter(rng, f"f{index}", kind, [name.replace(" ", "_")], entity, optional=index > 0)
            for index, (name, kind) in enumerate(fields)
        ]
        for action, words in _ACTIONS.items():
            verbs = words.split(",")
            parameters, questions = _record_action(rng, ask, action, entity, id_name, key, others)
            names = [f"{action}_{snake}", f"{snake}.{action}"]
            names += [f"{verb.lower().replace(' ', '_')}_{snake}" for verb in verbs[1:]]
            what = article(entity) if action != "list" else f"{entity}s"
            by = f" by {parameters[0].names[-1].replace('_', ' ')}"
            descriptions = [f"{verb} {what}{tail}" for verb in verbs for tail in ("", by)]
            yield Concept(
                f"record {entity}",
                tuple(names),
                tuple(descriptions),
                tuple(parameters),
                tuple(questions),
            )


def _record_action(
    rng: Random,
    ask: QuestionWriter,
    action: str,
    entity: str,
    id_name: str,
    key: Parameter,
    others: list[Parameter],
) -> tuple[list[Parameter], list[str]]:
    verbs = _ACTIONS[action].split(",")
    if action == "create":
        leads = [
            f"{rng.choice(verbs)} {rng.choice(['a', 'a new', 'the'])} {entity} {{i}}"
            for _ in range(6)
        ]
        leads.append(f"New {entity} {{i}}")
        return [key, *others], [ask(rng, lead, others) for lead in leads]
    if action == "get":
        return [key], [
            *(f"{verb} {entity} {{i}}" for verb in verbs),
            f"What do we know about {entity} {{i}}?",
            f"Details of {entity} {{i}}",
            f"I need the record of {entity} {{i}}",
        ]
    if action == "delete":
        return [key], [
            *(f"{verb} {entity} {{i}}" for verb in verbs),
            f"Please get rid of the {entity} {{i}}",
            f"We don't need {entity} {{i}} anymore",
            f"Erase the {entity} with {id_name} {{i}}",
        ]
    if action == "update":
        changed = replace(others[0], key="v", optional=False)
        return [key, changed], [
            *(f"{verb} the {changed.words} of {entity} {{i}} to {{v}}" for verb in verbs),
            f"Set {changed.words} to {{v}} for {entity} {{i}}",
            f"{entity} {{i}} should have {changed.words} {{v}}",
        ]
    filters = [replace(one, optional=index > 0) for index, one in enumerate(others[-2:])]
    leads = [f"{verb} {entity}s" for verb in verbs for _ in range(2)]
    leads.append(f"Which {entity}s are there")
    return filters, [ask(rng, lead, filters) for lead in leads]


def _facts(rng: Random) -> Iterator[Concept]:
    for head, attributes in _lines("facts.txt"):
        kind, entity = head.split(" ", 1)
        snake = entity.replace(" ", "_")
        for attribute in split(attributes, ","):
            attr = attribute.lower().replace(" ", "_")
            names = {"TICK": [snake, "symbol"], "CODE": [snake, f"{snake}_id"], "URL": [snake]}
            usual = [snake, f"{snake}_name", "name"]
            parameters = [parameter(rng, "x", kind, names.get(kind, usual), entity)]
            extra = ""
            if rng.random() < 0.35:
                more, name, tail = rng.choice(
                    [
                        ("YEAR", "year", "[ in {y}]"),
                        ("{short|full}", "format", "[, {y}]"),
                        ("LANG", "language", "[ in {y}]"),
                        ("DATE", "date", "[ on {y}]"),
                    ]
                )
                parameters.append(parameter(rng, "y", more, [name], entity, optional=True))
                extra = tail
            yield Concept(
                f"facts {entity}",
                (
                    f"get_{snake}_{attr}",
                    f"{snake}.{attr}",
                    f"{snake}_{attr}",
                    f"find_{attr}",
                    f"{snake}.get_{attr}",
                ),
                (
                    f"Get the {attribute} of {article(entity)}",
                    f"Retrieve {attribute} for a given {entity}",
                    f"Returns the {attribute} of the {entity}",
                    f"Look up the {attribute} of {article(entity)}",
                ),
                tuple(parameters),
                (
                    f"What is the {attribute} of {{x}}{extra}?",
                    f"{attribute} of {{x}}{extra}",
                    f"What's {{x}}'s {attribute}{extra}?",
                    f"Tell me the {attribute} of the {entity} {{x}}{extra}",
                    f"Find the {attribute} for {{x}}{extra}",
                    f"I want to know the {attribute} of {{x}}{extra}",
                    f"Show me {{x}} {attribute}{extra}",
                ),
            )
