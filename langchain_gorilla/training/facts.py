"""Facts that a person tells: names, their values, and the sentences that tell them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.training.compositions import FACTS
from langchain_gorilla.training.values import Values

_KINDS = {
    **dict(FACTS),
    "title": "TITLE",
    "event": "EVENT",
    "animal": "ANIMAL",
    "topic": "TOPIC",
    "count": "INT",
    "email": "EMAIL",
    "temperature": "DEGREES",
    "age": "YEARS",
}
"""What is told, and the kind of its values."""

_OTHER_NAMES = {
    "name": ["full_name", "person"],
    "city": ["location", "place", "town"],
    "job": ["profession", "occupation"],
    "date": ["day", "when"],
    "company": ["employer"],
    "price": ["cost", "amount"],
    "product": ["item"],
    "temperature": ["temp", "degrees", "temperature_celsius"],
    "count": ["number", "quantity"],
}
"""What the field of a fact may be called instead."""

_PLURALS = {
    "cities": "CITY",
    "names": "PERSON",
    "countries": "COUNTRY",
    "products": "PROD",
    "animals": "ANIMAL",
    "topics": "TOPIC",
    "dates": "DATE",
    "prices": "FLT",
    "ages": "YEARS",
}
_CHOICES: dict[str, list[JSONValue]] = {
    "priority": ["low", "medium", "high"],
    "size": ["small", "medium", "large"],
    "status": ["open", "closed", "pending"],
    "mood": ["positive", "negative", "neutral"],
    "color": ["red", "green", "blue", "yellow"],
}
_SAYING = ["The {key} is {value}.", "{key}: {value}", "{value} is the {key}.", "{key} {value}"]
_SAYING += ["Its {key} is {value}.", "It has the {key} {value}.", "{key} = {value}"]
_SAYING_MANY = ["The {key} are {value}.", "{key}: {value}", "There are these {key}: {value}."]
_SENTENCES = [
    "{name} is {age} years old.",
    "{name} is {age}.",
    "{name} ({age}) lives in {city}.",
    "{name} lives in {city}.",
    "{name} works as a {job}.",
    "{name} works at {company}.",
    "{name}, {age}, is a {job} at {company}.",
    "{name} comes from {country}.",
    "{name}, {city}",
    "{name}, {age}",
    "You can reach {name} at {email}.",
    "{company} is based in {city}.",
    "{company} sells the {product} for {price}.",
    "The {product} costs {price}.",
    "We bought {count} of the {product}.",
    "It is {temperature} degrees in {city}.",
    "It is {temperature} C in {city}, {country}.",
    "{city}: {temperature} C",
    "In {city} it was {temperature} degrees on {date}.",
    "The {event} is on {date}.",
    "The {event} takes place in {city} on {date}.",
    '"{title}" is about {topic}.',
    '{name} wrote "{title}" on {date}.',
    "There are {count} people at the {event}.",
    "{name} has a {animal}.",
    "{name} saw {count} of these animals: {animal}.",
]
"""How facts are told together."""


class Facts:
    """Draws facts and tells them."""

    def __init__(self, values: Values) -> None:
        """Draw from ``values``."""
        self.values, self.rng = values, values.rng

    def draw(self, *, joint: bool) -> list[str]:
        """Draw which facts are told: such as sentences tell together where ``joint``, or any."""
        rng = self.rng
        if joint:
            together = rng.sample(_SENTENCES, rng.choice([1, 1, 2, 2, 3]))
            facts = [*dict.fromkeys(name for one in together for name in _facts_of(one))]
        else:
            facts = rng.sample([*_KINDS], rng.choice([1, 2, 2, 3, 3, 4]))
        facts += [
            name
            for names, share in ((_PLURALS, 0.2), (_CHOICES, 0.15))
            if rng.random() < share
            for name in rng.sample([*names], 1)
        ]
        rng.shuffle(facts)
        return facts

    def key(self, fact: str) -> str:
        """Name the field of a fact: as it is told, or in another word."""
        rng = self.rng
        return (
            rng.choice(_OTHER_NAMES[fact]) if fact in _OTHER_NAMES and rng.random() < 0.3 else fact
        )

    def schema(self, fact: str) -> dict[str, Any]:
        """Write the schema of a fact's values."""
        if fact in _CHOICES:
            return {"type": "string", "enum": _CHOICES[fact]}
        if fact in _PLURALS:
            return {"type": "array", "items": {"type": self._type(_PLURALS[fact])}}
        return {"type": self._type(_KINDS[fact])}

    def _type(self, kind: str) -> str:
        if kind in ("INT", "YEARS"):
            return "integer" if self.rng.random() < 0.8 else "number"
        return "number" if kind in ("FLT", "DEGREES") else "string"

    def value(self, fact: str) -> JSONValue:
        """Draw a value of a fact."""
        rng = self.rng
        if fact in _CHOICES:
            return rng.choice(_CHOICES[fact])
        if fact in _PLURALS:
            return [self._one(_PLURALS[fact]) for _ in range(rng.choice([1, 2, 2, 3, 3, 4]))]
        return self._one(_KINDS[fact])

    def _one(self, kind: str) -> JSONValue:
        rng = self.rng
        if kind == "YEARS":
            return rng.randint(1, 95)
        if kind == "DEGREES":
            return rng.choice([rng.randint(-15, 40), round(rng.uniform(-15, 40), 1)])
        return self.values.draw(kind)

    def tell(self, told: Mapping[str, JSONValue], *, joint: bool) -> str:
        """Tell facts, in sentences that hold several where ``joint``."""
        rng, left, parts = self.rng, {*told}, list[str]()
        if joint:
            fitting = [one for one in _SENTENCES if {*_facts_of(one)} <= {*told}]
            rng.shuffle(fitting)
            for sentence in sorted(fitting, key=lambda one: -len({*_facts_of(one)} & left)):
                if {*_facts_of(sentence)} & left:
                    parts.append(sentence.format(**told))
                    left -= {*_facts_of(sentence)}
        alike = rng.random() < 0.5
        saying, saying_many = rng.choice(_SAYING), rng.choice(_SAYING_MANY)
        for fact in (one for one in told if one in left):
            value = told[fact]
            if isinstance(value, list):
                pattern, text = (
                    saying_many if alike else rng.choice(_SAYING_MANY),
                    self._list(value),
                )
            else:
                pattern, text = saying if alike else rng.choice(_SAYING), str(value)
            parts.append(pattern.replace("{key}", fact).replace("{value}", text))
        rng.shuffle(parts)
        if all(part[-1] == "." for part in parts):
            return " ".join(parts)
        return rng.choice([", ", "; ", "\n"]).join(part.rstrip(".") for part in parts)

    def _list(self, value: Sequence[JSONValue]) -> str:
        items = [str(one) for one in value]
        last = self.rng.choice([" and ", ", "])
        return last.join([", ".join(items[:-1]), items[-1]] if items[1:] else items)


def _facts_of(sentence: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", sentence)
