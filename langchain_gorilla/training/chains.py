"""Chains: one function finds what the next one needs."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from langchain_gorilla.training.concepts import Concept, read_concept
from langchain_gorilla.training.results import templates
from langchain_gorilla.training.values import Values, data_text


@dataclass(frozen=True)
class Chain:
    """Two functions, the second of which takes what the first gives.

    Attributes:
        look_up: Finds something; its one parameter is what is known.
        use: Its one parameter, with the key ``key``, is what was found. In its questions
            ``{x}`` stands for what is known.
        key: What the result is called.
        kind: What kind of value the result is.
    """

    look_up: Concept
    use: Concept
    key: str
    kind: str

    @property
    def noun(self) -> str:
        """What the look-up finds: ``user`` where it gives a ``user_id``."""
        return self.key.rpartition("_")[0].replace("_", " ") or self.key


def read_chains(text: str) -> list[Chain]:
    """Read ``chains.txt``, whose head describes it."""
    found = []
    for block in text.strip().split("\n\n"):
        first, *others = block.split("\n")
        known, functions, descriptions, given = (part.strip() for part in first.split(" | "))
        kind, names = known.split(" ", 1)
        keys, key_kind = given.rsplit(" ", 1)
        lines = [f"# chain {functions}", f"{functions} | {descriptions}", f"k {kind} {names}"]
        look_up = _concept([*lines, "- {k}"])
        for line in others:
            functions, descriptions, questions = (part.strip() for part in line[1:].split(" | "))
            lines = [
                f"# chain {functions}",
                f"{functions} | {descriptions}",
                f"key {key_kind} {keys}",
            ]
            use = _concept([*lines, f"- {questions}"])
            found.append(Chain(look_up, use, keys.split(",")[0], key_kind))
    return found


def _concept(lines: Sequence[str]) -> Concept:
    return read_concept(lines, Random(79))


@cache
def chains() -> list[Chain]:
    """Read the chains that come with the package."""
    return read_chains(data_text("chains.txt"))


@cache
def direct_concepts() -> tuple[Concept, ...]:
    """Give the functions of the chains as such that are asked for by themselves.

    Where they stand among other functions, and are mostly not what is asked for, a model learns
    that a look-up at hand is no reason to look something up.
    """
    found: list[Concept] = []
    for chain in chains():
        noun, known = chain.noun, chain.look_up.parameters[0].key
        domain = f"chain {noun}"
        asking = [f"{start} the {noun} {{{known}}}" for start in ("Find", "Look up", "Search for")]
        asking += [f"What is the {chain.key.replace('_', ' ')} of {{{known}}}?"]
        asking += [
            f"Get the id of the {noun} {{{known}}}",
            f"Do we have the {noun} {{{known}}}?",
        ]
        found.append(replace(chain.look_up, domain=domain, questions=tuple(asking)))
        using = [one.replace("{x}", f"{noun} {{key}}") for one in chain.use.questions]
        found.append(replace(chain.use, domain=domain, questions=tuple(using)))
    return tuple(dict.fromkeys(found))


def new_chain(values: Values) -> Chain:
    """Invent a look-up and a function that needs what it gives."""
    rng = values.rng
    noun = values.pick("NOUN") if rng.random() < 0.6 else values.syllables(2, 3)
    attribute, snake = values.pick("ATTRIBUTE"), re.sub(r"\W", "_", noun).lower()
    key = f"{snake}_{rng.choice(['id', 'id', 'code', 'key'])}"
    kind = rng.choice(["PERSON", "PHRASE", "WORD", "TITLE"])
    lines = [
        f"{kind} name, {snake} | find_{snake}, search_{snake}, get_{key}, {snake}.find"
        f" | Find a {noun} by name; Get the {key.replace('_', ' ')} of a {noun} | {key} CODE",
        f"> get_{snake}_{attribute}, {snake}.{attribute}, {snake}_{attribute}"
        f" | Get the {attribute} of a {noun}; Return the {attribute} of a {noun} by its id"
        f" | What is the {attribute} of the {noun} {{x}}?; Get the {attribute} of {noun} {{x}};"
        f" {attribute} of the {noun} {{x}}; Show the {noun} {attribute} for {{x}}",
    ]
    return read_chains("\n".join(lines))[0]


def found_content(values: Values, key: str, found: str) -> str:
    """Return an identifier bare, in a sentence, or in an object with other fields."""
    style = values.rng.random()
    if style < 0.35:
        return found
    if style < 0.5:
        words = key.replace("_", " ")
        return values.rng.choice(
            [f"The {words} is {found}.", f"{words}: {found}", f"{key}={found}"]
        )
    fields: list[tuple[str, object]] = [(key, found)]
    for field in values.rng.sample(templates("field"), values.rng.choice([0, 1, 1, 2])):
        name, kind = field.split(" ")
        if name != key and kind != "BOOL":
            fields.append((name, values.draw(kind)))
    if values.rng.random() < 0.3:
        values.rng.shuffle(fields)
    value = dict(fields)
    return json.dumps([value] if values.rng.random() < 0.15 else value, ensure_ascii=False)
