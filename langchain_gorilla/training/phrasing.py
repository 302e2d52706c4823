"""How people write values, lists and several requests, and the small talk around them."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.spoken import TENS, UNITS
from langchain_gorilla.training.concepts import written_concepts
from langchain_gorilla.training.documents import Slot
from langchain_gorilla.training.values import Values, data_text, value_lists

_PLURALS = {
    "CITY": "cities,places,locations",
    "COUNTRY": "countries,nations",
    "PERSON": "people,persons,contacts",
    "TICK": "stocks,tickers,symbols",
    "FOOD": "foods,dishes,items",
    "ARTIST": "artists,musicians",
    "TITLE": "titles,works",
    "ANIMAL": "animals,species",
    "ELEM": "substances,materials",
    "PROD": "products,items",
    "TOPIC": "topics,subjects",
    "TEAM": "teams,clubs",
    "JOB": "jobs,professions",
    "ROOM": "rooms",
    "DEV": "devices,appliances",
    "FILE": "files",
    "DATE": "dates,days",
    "TIME": "times",
    "YEAR": "years",
    "LANG": "languages",
    "COMPANY": "companies,firms",
    "WORD": "words,items",
    "FLT": "numbers,values",
    "INT": "numbers,values",
    "SMALL": "numbers,values",
    "PLANT": "plants",
    "CAR": "cars",
    "CODE": "codes,ids",
    "CUR": "currencies",
}


@cache
def phrases(kind: str) -> tuple[str, ...]:
    """Give the lines of one kind of ``phrases.txt``."""
    lines = data_text("phrases.txt").split("\n")
    return tuple(line[len(kind) + 2 :] for line in lines if line.startswith(f"{kind}: "))


def number_words(number: int) -> str | None:
    """Spell a number of up to five digits where people would: 21, 300, 4000."""
    if 0 <= number < 20:
        return UNITS[number]
    if 20 <= number < 100:
        return TENS[number // 10 - 2] + (f"-{UNITS[number % 10]}" if number % 10 else "")
    if 100 <= number < 1000 and number % 100 == 0:
        return f"{UNITS[number // 100]} hundred"
    if 1000 <= number < 100_000 and number % 1000 == 0:
        return f"{number_words(number // 1000)} thousand"
    return None


@cache
def _imperatives() -> frozenset[str]:
    return frozenset(value_lists()["IMPERATIVE"])


def commands(text: str) -> bool:
    """Tell whether a text begins with a verb, so that "Could you" may stand before it."""
    return upper_first(text.split(" ")[0]) in _imperatives()


@cache
def _opening_words() -> frozenset[str]:
    """Words that questions and descriptions begin with; what else begins one is a value."""
    texts = [text for one in written_concepts() for text in (*one.questions, *one.descriptions)]
    texts += [text for kind in ("ask", "unknown", "context") for text in phrases(kind)]
    firsts = {text.split(" ")[0].strip(",.:;!?") for text in texts if text[:1].isalpha()}
    return frozenset(firsts - {"I", "I'm", "I'd", "I'll", "I've"})


def lower_first(text: str) -> str:
    """Begin in lower case, except for ``I``, acronyms and values."""
    word = text.split(" ")[0].strip(",.:;!?")
    if (word not in _opening_words() and not commands(text)) or word.isupper():
        return text
    return text[0].lower() + text[1:]


def upper_first(text: str) -> str:
    """Begin in upper case and leave the rest, values among it, as it is."""
    return text[:1].upper() + text[1:]


class Phrasing:
    """Writes values and joins requests; the same ``values`` state gives the same text."""

    def __init__(self, values: Values) -> None:
        """Draw from ``values``."""
        self.values = values
        self.rng = values.rng

    def spell(self, value: JSONValue, slot: Slot) -> str:
        """Write a value as people write it in a question."""
        if isinstance(value, dict):
            return self._spell_fields(value)
        if not isinstance(value, list):
            return self.spell_one(value, slot)
        items = [str(item) for item in value]
        style = self.rng.random()
        if all(isinstance(item, (int, float)) for item in value) and style < 0.35:
            return f"[{', '.join(items)}]"
        if style < 0.55 or len(items) == 1:
            return ", ".join(items)
        comma = "," if len(items) > 2 and self.rng.random() < 0.3 else ""
        return f"{', '.join(items[:-1])}{comma} and {items[-1]}"

    def _spell_fields(self, value: Mapping[str, JSONValue]) -> str:
        """Write an object: ``name Ada and age 36``, ``name: Ada, age: 36``, as JSON."""
        rng, style = self.rng, self.rng.random()
        if style < 0.12:
            return json.dumps(value, ensure_ascii=False)
        joint = rng.choice([" ", " ", ": ", " is ", "=", " = "])
        parts = [f"{name.replace('_', ' ')}{joint}{one}" for name, one in value.items()]
        if style < 0.5:
            return ", ".join(parts)
        return f"{', '.join(parts[:-1])} and {parts[-1]}"

    def spell_one(self, value: JSONValue, slot: Slot) -> str:
        """Write a value that is no list; small numbers sometimes in words, large with commas."""
        style, kind = self.rng.random(), slot.parameter.kind
        if slot.form == "decimal" and isinstance(value, float):
            return f"{value * 100:g}{self.rng.choice(['%', '%', ' percent'])}"
        if slot.form == "iso" and style < 0.6:
            return self._spoken_date(str(value))
        if slot.form == "clock" and style < 0.6:
            return self._spoken_time(str(value))
        if isinstance(value, bool) or not isinstance(value, int):
            text = str(value)
            return text.capitalize() if slot.choices and style < 0.1 else text
        if kind == "YEAR":
            return str(value)
        if style < (0.22 if kind == "SMALL" else 0.04):
            return number_words(value) or str(value)
        if value == 0:
            return "zero" if style < 0.3 else "0"
        if value >= 1_000_000 and value % 100_000 == 0 and style > 0.6:
            return f"{value / 1_000_000:g}{self.rng.choice([' million', ' million', 'M'])}"
        if value >= 1000 and style > (0.8 if value < 10_000 else 0.5):
            if style > 0.97 and value % 1000 == 0:
                return f"{value // 1000}k"
            return f"{value:,}"
        return str(value)

    def _spoken_date(self, date: str) -> str:
        """Write an ISO date as people do: ``March 11, 2022``."""
        year, month, day = date.split("-")
        name, place = self.values.lists["MONTH"][int(month) - 1], int(day)
        ending = "th" if 10 < place < 14 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
        forms = [
            f"{name} {place}, {year}",
            f"{name} {place}{ending}, {year}",
            f"{place} {name} {year}",
        ]
        forms += [f"{name[:3]} {place}, {year}", f"the {place}{ending} of {name} {year}"]
        return self.rng.choice([*forms, f"{year}/{month}/{day}", f"{name}.{place}, {year}"])

    def _spoken_time(self, time: str) -> str:
        """Write a time of 24 hours as people do: ``3:30 pm``, ``9 in the morning``."""
        hour, minute = map(int, time.split(":"))
        shown = f"{hour % 12 or 12}" + (f":{minute:02d}" if minute else "")
        half = "am" if hour < 12 else "pm"
        forms = [f"{shown}{half}", f"{shown} {half}", f"{shown} {half.upper()}"]
        forms += [f"{shown}{half.upper()}", f"{shown} {half[0]}.m."]
        parts = ((5, 11, "morning"), (13, 17, "afternoon"), (18, 21, "evening"))
        forms += [f"{shown} in the {name}" for first, last, name in parts if first <= hour <= last]
        return "noon" if time == "12:00" else self.rng.choice(forms)

    def set_off(self, text: str) -> str:
        """Put a value in quotes, now and then, and say what a name in another script means."""
        rng = self.rng
        if rng.random() < 0.06 and not re.search("[\"']", text):
            mark = rng.choice("\"'")
            text = f"{mark}{text}{mark}"
        if any(ord(letter) > 0x2FF for letter in text) and rng.random() < 0.3:
            text += f" ({self.values.pick('ADJECTIVE')} {self.values.pick('WORD')})".title()
            if rng.random() < 0.4:
                text += f" - {rng.choice(['a', 'our', 'the'])} {self.values.pick('ADJECTIVE')} one"
        return text

    def listing(self, texts: Sequence[str], kind: str) -> str:
        """Join values: ``a, b and c``, ``both a and b``, ``these three cities: a, b, c``.

        Args:
            texts: At least two.
            kind: Of the values, ``""`` to join them plainly.
        """
        rng, items = (
            self.rng,
            [text.replace(",", "") if _is_number(text) else text for text in texts],
        )
        if any(", " in item for item in items):  # "Rome, Italy; Oslo, Norway"
            return rng.choice(["; ", "; ", " and ", " and also "]).join(items)
        if len(items) == 2:
            joints = [" and "] * 7 + [" as well as ", " and also ", ", and ", " & ", ", ", " plus "]
            if kind in ("INT", "FLT", "SMALL"):
                joints = [" and ", " and ", " as well as ", " and also "]
            text = rng.choice(joints).join(items)
            leads = ["both "]
        else:
            joint = rng.choice([" and ", " and ", ", and ", ", ", " and also "])
            text = ", ".join(items[:-1]) + joint + items[-1]
            leads = ["each of "]
        style = rng.random()
        if style < 0.06 and kind:
            return rng.choice(leads) + text
        if style < 0.22 and kind in _PLURALS:
            noun = rng.choice(_PLURALS[kind].split(","))
            number = number_words(len(items))
            frames = [
                f"the {number} {noun} {text}",
                f"the {number} {noun} of {text}",
                f"the {noun} {text}",
                f"these {number} {noun}: {text}",
                f"the following {noun}: {text}",
            ]
            return rng.choice(frames)
        return text

    def join(self, questions: Sequence[str]) -> str:
        """Write several requests as one text."""
        rng = self.rng
        style = rng.choice(
            ["and", "and", "also", "sentences", "semicolons", "first", "numbers", "lead"]
        )
        ended = [text if text[-1:] in "?." else f"{text}." for text in questions]
        bare = [text.rstrip("?.") if index == 0 else text for index, text in enumerate(questions)]
        if style == "and":
            text = bare[0]
            for question in questions[1:]:
                joints = [" and ", ", and ", " and also ", ", then ", " and then ", ", as well as "]
                text = text.rstrip("?.") + rng.choice(joints) + lower_first(question)
            return text
        if style == "also":
            text = ended[0]
            for question in ended[1:]:
                text += rng.choice(
                    [" Also, ", " Also ", " Additionally, ", " And ", " I also need this: "]
                )
                text += lower_first(question)
            return text
        if style == "semicolons":
            parts = [question.rstrip(".") for question in questions]
            return rng.choice(["; ", "; then "]).join([parts[0], *map(lower_first, parts[1:])])
        if style == "first":
            text = rng.choice(["First ", "First, ", "To start, "]) + lower_first(ended[0])
            for index, question in enumerate(ended[1:], 2):
                nexts = [" Then ", " Then, ", " Next, ", " After that, "]
                nexts += [" Second, " if index == 2 else " Third, "] if index < 4 else []
                lasts = [*nexts, " Finally, ", " Lastly, "]
                text += rng.choice(lasts if index == len(ended) else nexts) + lower_first(question)
            return text
        if style == "numbers":
            mark = rng.choice([".", ")"])
            return " ".join(f"{index}{mark} {text}" for index, text in enumerate(ended, 1))
        if style == "lead":
            number = number_words(len(questions))
            lead = rng.choice(
                [f"I need {number} things: ", f"Please do {number} things. ", "Do the following: "]
            )
            parts = [lower_first(question.rstrip(".")) for question in questions]
            return lead + rng.choice(["; ", ", and "]).join(parts)
        return " ".join(ended)

    def polish(self, question: str) -> str:
        """Put small talk around a question, as people do."""
        rng, text = self.rng, question
        told = commands(text) and not text.endswith("?")
        style = rng.random()
        if style < 0.04 and told:
            text = f"Please {lower_first(text)}"
        elif style < 0.09:
            text = f"{rng.choice(phrases('opener'))} {lower_first(text) if style < 0.065 else text}"
        elif style < 0.24 and told:
            text = f"{rng.choice(phrases('ask'))} {lower_first(text)}"
            if rng.random() < 0.4 and text[-1] not in ".?":
                text += "?"
        if rng.random() < 0.1:
            text = (
                text if text[-1] in "?." else text + "."
            ) + f" {self.values.fill(rng.choice(phrases('closer')))}"
        elif rng.random() < 0.4 and text[-1] not in "?.!":
            text += "."
        if rng.random() < 0.12:
            text = f"{self.values.fill(rng.choice(phrases('context')))} {text}"
        if rng.random() < 0.04 and not re.search(r"[A-Z]", text[1:]):
            text = text.lower()
        return text


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[\d,]+", text) is not None
