"""Random values for parameters and results: names, numbers, dates, codes, invented words.

A kind is a name such as ``CITY`` or ``INT``; ``data/values.txt`` lists what most kinds draw
from, and part of every kind is invented, so that the model learns to copy what it is given
rather than to recall what it has seen.
"""

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from random import Random

from langchain_gorilla.calls import JSONValue

NUMBER_TYPES = {
    "INT": "integer",
    "FLT": "number",
    "YEAR": "integer",
    "PCT": "number",
    "SMALL": "integer",
}
"""JSON types of the kinds that are not strings."""


_SCRIPTS = (
    (0x4E00, 0x9FA5),
    (0x4E00, 0x9FA5),
    (0x3042, 0x3093),
    (0x3042, 0x3093),
    (0x30A2, 0x30F3),
    (0xAC00, 0xD7A3),
    (0x0430, 0x044F),
)
"""First and last character: Chinese, Hiragana, Katakana, Hangul, Cyrillic."""

_SHOPS = (" Diner", " Bakery", " Garage", " Books", " Corner", " Kitchen", " Bikes")
"""What may follow an owner's name in that of a company."""


def data_text(name: str) -> str:
    """Read a file of ``training/data`` without its comment lines, which begin with ``%``."""
    text = files("langchain_gorilla.training").joinpath(f"data/{name}").read_text("utf-8")
    return "\n".join(line for line in text.split("\n") if not line.startswith("%"))


@cache
def value_lists() -> dict[str, tuple[str, ...]]:
    """Read ``values.txt``: kind to its values, in the order of the file."""
    lists: dict[str, tuple[str, ...]] = {}
    for entry in data_text("values.txt").replace("\n  ", " ").split("\n"):
        if entry.strip():
            kind, values = entry.split(" = ", 1)
            lists[kind] = tuple(value.strip() for value in values.split(", "))
    return lists


class Values:
    """Draws values of a kind; the same ``rng`` state gives the same values."""

    def __init__(self, rng: Random) -> None:
        """Draw from ``rng``, which the caller may share."""
        self.rng = rng
        self.lists = value_lists()
        # A kind in here is made by a method; the others are drawn from their list, and now
        # and then invented.
        self._makers: dict[str, Callable[[], JSONValue]] = {
            "INT": self.integer,
            "FLT": self.number,
            "YEAR": lambda: rng.randint(1900, 2030),
            "PCT": lambda: rng.choice([rng.randint(1, 100), round(rng.random() * 20, 1)]),
            "SMALL": lambda: rng.randint(1, 12),
            "DATE": self.date,
            "TIME": self.time,
            "CITY": self.city,
            "PERSON": self.person,
            "COMPANY": self.company,
            "EMAIL": self.email,
            "PHONE": self.phone,
            "URL": self.url,
            "CODE": self.code,
            "WORD": self.word,
            "PHRASE": self.phrase,
            "TEXT": self.text,
            "TITLE": self.title,
            "TICK": self.ticker,
            "LANDMARK": self.landmark,
            "ARTIST": lambda: self.pick("ARTIST") if rng.random() < 0.5 else self.person(),
            "TOPIC": lambda: self.pick("TOPIC") if rng.random() < 0.7 else self.phrase(),
            "TEAM": lambda: self.pick("TEAM") if rng.random() < 0.7 else self.proper_name(),
            "EVENT": lambda: self.pick("EVENT") if rng.random() < 0.6 else self.phrase(),
            "FILE": self.file,
            "FUNC": self.formula,
            "DNA": lambda: "".join(rng.choice("ACGT") for _ in range(rng.randint(6, 14))),
        }
        self._listed = {"COUNTRY", "LANG", "CUIS", "SYMP", "MONTH", "DAY", "CUR"}

    def add_kind(self, kind: str, make: Callable[[], JSONValue]) -> None:
        """Have a kind of one's own drawn by ``make``."""
        self._makers[kind] = make

    def draw(self, kind: str) -> JSONValue:
        """Draw one value: a str, or an int or float for the kinds of ``NUMBER_TYPES``.

        Raises:
            KeyError: There is no such kind.
        """
        maker = self._makers.get(kind)
        if maker is not None:
            return maker()
        if kind in self._listed or self.rng.random() < 0.8:
            return self.pick(kind)
        return self.invented() if self.rng.random() < 0.5 else self.proper_name()

    def pick(self, kind: str) -> str:
        """Choose from the list of a kind, and fill in the kinds that the choice holds."""
        return self.fill(self.rng.choice(self.lists[kind]))

    def fill(self, text: str) -> str:
        """Replace every ``{KIND}`` by a value of the kind."""
        return re.sub(r"\{([A-Z_]+)\}", lambda match: str(self.draw(match[1])), text)

    def syllables(self, fewest: int, most: int) -> str:
        """Invent a lower-case word."""
        return "".join(self.pick("SYLLABLE") for _ in range(self.rng.randint(fewest, most)))

    def invented(self) -> str:
        """Invent a word: lower-case, capitalised, or short upper-case."""
        word, style = self.syllables(1, 3), self.rng.random()
        if style < 0.4:
            return word
        return word.capitalize() if style < 0.8 or len(word) > 5 else word.upper()

    def respelled(self, text: str) -> str:
        """Spell one word of a text otherwise: a letter more, fewer, or another; digits stay."""
        letters = [place for place, letter in enumerate(text) if place and letter.isalpha()]
        if not letters:
            return text
        place, style = self.rng.choice(letters), self.rng.random()
        new = self.rng.choice("aeiklnrst")
        if style < 0.35:
            return text[:place] + text[place + 1 :]
        if style < 0.7:
            return text[:place] + new + text[place + 1 :]
        return text[:place] + (text[place] if style < 0.85 else new) + text[place:]

    def proper_name(self) -> str:
        """Invent a name of two words."""
        return f"{self.syllables(1, 3).capitalize()} {self.syllables(1, 3).capitalize()}"

    def integer(self) -> int:
        """Draw an int that people would write: mostly small, sometimes round, large or negative."""
        rng, kind = self.rng, self.rng.random()
        if kind < 0.4:
            return rng.randint(1, 20)
        if kind < 0.62:
            return rng.randint(2, 100)
        if kind < 0.76:
            return rng.choice([50, 100, 150, 200, 250, 300, 500, 1000, 1500, 2500, 5000])
        if kind < 0.86:
            return rng.randint(1, 99) * rng.choice([100, 1_000, 10_000, 100_000])
        if kind < 0.95:
            return rng.randint(100, 99999)
        return 0 if kind < 0.965 else -rng.choice([rng.randint(1, 12), rng.randint(1, 300)])

    def number(self) -> int | float:
        """Draw an int or a decimal of one to three places, sometimes negative or with an exponent."""
        rng = self.rng
        if rng.random() < 0.4:
            return self.integer()
        if rng.random() < 0.04:
            exponent = rng.choice([rng.randint(-12, -5), rng.randint(17, 27)])
            return float(
                f"{rng.choice([rng.randint(1, 9), round(rng.uniform(1, 9), 2)])}e{exponent}"
            )
        scale = rng.choice([1, 1, 10, 10, 100, 1000])
        drawn = round(rng.random() * scale, rng.choice([1, 1, 2, 2, 3])) or 0.5
        return -drawn if rng.random() < 0.06 else drawn

    def iso_date(self) -> str:
        """Draw a date in ISO 8601."""
        rng = self.rng
        return f"{rng.randint(1990, 2030)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"

    def date(self) -> str:
        """Draw a date: mostly ISO 8601, or as people write and say it."""
        rng, style = self.rng, self.rng.random()
        year, month, day = rng.randint(2018, 2030), rng.randint(1, 12), rng.randint(1, 28)
        if style < 0.55:
            return f"{year}-{month:02d}-{day:02d}"
        if style < 0.65:
            return f"{month:02d}/{day:02d}/{year}"
        if style < 0.8:
            name = f"{self.lists['MONTH'][month - 1]} {day}"
            return name if style < 0.75 else f"{name}, {year}"
        return self.pick("DAY")

    def clock(self) -> str:
        """Draw a time of day as 24 hours write it."""
        minute = self.rng.choice([0, 0, 15, 30, 45, self.rng.randint(0, 59)])
        return f"{self.rng.randint(0, 23):02d}:{minute:02d}"

    def time(self) -> str:
        """Draw a time of day in 24 or 12 hours."""
        rng, style = self.rng, self.rng.random()
        if style < 0.4:
            return self.clock()
        half = rng.choice(["am", "pm", " AM", " PM", "AM", "PM"])
        minute_text = "" if style < 0.7 else ":" + rng.choice(["00", "15", "30", "45"])
        return f"{rng.randint(1, 12)}{minute_text}{half}"

    def city(self) -> str:
        """Draw a city, sometimes with its state or country, sometimes invented."""
        style = self.rng.random()
        if style < 0.58:
            return self.pick("CITY")
        if style < 0.77:
            region = self.pick(self.rng.choice(["STATE", "STATE", "COUNTRY"]))
            return f"{self.pick('CITY')}, {region}"
        if style < 0.8:
            return self.foreign()
        base = self.syllables(2, 3).capitalize()
        before = self.rng.choice(["", "", "", "Port ", "New ", "Lake ", "San ", "Bad ", "East "])
        after = self.rng.choice(["", "", "ville", "burg", "ton", " City", " Falls", "stad"])
        return f"{before}{base}{after}"

    def address(self) -> str:
        """Draw a street and number, mostly with a city, sometimes with what that is in."""
        name = self.rng.choice([self.pick("LAST_NAME"), self.syllables(2, 3).capitalize()])
        road = self.rng.choice(["Street", "Street", "Avenue", "Road", "Lane", "St", "Square"])
        text, style = f"{self.rng.randint(1, 400)} {name} {road}", self.rng.random()
        if style < 0.35:
            return text
        city = f"{text}, {self.pick('CITY')}"
        return city if style < 0.7 else f"{city}, {self.pick('STATE')}"

    def person(self) -> str:
        """Draw a first name, or a first and last name."""
        style = self.rng.random()
        if style < 0.4:
            return self.pick("FIRST_NAME")
        if style < 0.86:
            return f"{self.pick('FIRST_NAME')} {self.pick('LAST_NAME')}"
        if style < 0.9:
            return self.foreign()
        return self.syllables(2, 3).capitalize()

    def foreign(self) -> str:
        """Draw a text in another script, often of characters that no list holds."""
        rng = self.rng
        if rng.random() < 0.4:
            return self.pick("FOREIGN")
        parts = []
        for _ in range(rng.choice([1, 1, 2])):
            first, last = rng.choice(_SCRIPTS)
            parts.append("".join(chr(rng.randint(first, last)) for _ in range(rng.randint(2, 6))))
        return "".join(parts)

    def company(self) -> str:
        """Draw a company."""
        if self.rng.random() < 0.06:
            return self.foreign()
        style = self.rng.random()
        if style < 0.45:
            return self.pick("COMPANY")
        if style < 0.52:
            owner = self.pick(self.rng.choice(["FIRST_NAME", "LAST_NAME"]))
            return f"{owner}'s{self.rng.choice(['', '', *_SHOPS])}"
        base = self.pick("LAST_NAME") if style < 0.75 else self.syllables(2, 3).capitalize()
        endings = [" Ltd", " Inc", " Group", " and Sons", " GmbH", "", f" {self.pick('LAST_NAME')}"]
        return base + self.rng.choice(endings)

    def email(self) -> str:
        """Draw an e-mail address."""
        user = self.rng.choice(
            [self.pick("FIRST_NAME"), self.pick("LAST_NAME"), self.syllables(2, 3)]
        )
        user = "".join(letter for letter in user.lower() if letter.isascii() and letter != " ")
        style = self.rng.random()
        if style < 0.3:
            user += f".{self.syllables(2, 3)}"
        elif style < 0.5:
            user += str(self.rng.randint(1, 99))
        domain = self.pick("DOMAIN")
        return f"{user}@{domain if self.rng.random() < 0.7 else self.syllables(2, 3) + '.com'}"

    def phone(self) -> str:
        """Draw a phone number."""
        rng, style = self.rng, self.rng.random()
        if style < 0.4:
            return f"{rng.randint(200, 999)}-{rng.randint(100, 999)}-{rng.randint(1000, 9999)}"
        if style < 0.7:
            return f"+1{rng.randint(2000000000, 9999999999)}"
        return f"555-{rng.randint(1000, 9999)}"

    def url(self) -> str:
        """Draw a web address."""
        ending = self.rng.choice(
            ["", "/", f"/{self.pick('WORD')}", f"/{self.syllables(1, 2)}.html"]
        )
        start = self.rng.choice(["https://", "https://www.", "http://", "www."])
        return (
            f"{start}{self.syllables(2, 3)}.{self.rng.choice(['com', 'org', 'net', 'io'])}{ending}"
        )

    def code(self) -> str:
        """Draw an identifier: letters and digits, hexadecimal, or digits."""
        rng, style = self.rng, self.rng.random()
        if style < 0.45:
            letters = "".join(
                rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(rng.randint(1, 3))
            )
            return f"{letters}{rng.choice(['', '-'])}{rng.randint(10, 99999)}"
        if style < 0.6:
            return (
                f"{rng.choice(['usr', 'ord', 'id', 'ref', 'acc', 'item'])}_{rng.randint(1, 9999)}"
            )
        if style < 0.75:
            return "".join(rng.choice("0123456789ABCDEF") for _ in range(rng.randint(4, 8)))
        return str(rng.randint(1000, 999999))

    def word(self) -> str:
        """Draw a word or a short noun phrase."""
        kind = self.rng.choice(["WORD", "WORD", "TOPIC", "PROD", "FOOD", "ANIMAL", ""])
        return self.pick(kind) if kind else self.invented()

    def phrase(self) -> str:
        """Draw a title-like phrase of one to five words."""
        style = self.rng.random()
        if style < 0.3:
            return (
                f"{self.pick('ADJECTIVE')} {self.pick(self.rng.choice(['PROD', 'ANIMAL', 'FOOD']))}"
            )
        if style < 0.5:
            return " ".join(self.pick("WORD") for _ in range(self.rng.randint(1, 4)))
        if style < 0.68:
            return self.pick("MESSAGE")
        if style < 0.83:
            return f"{self.invented()} {self.invented()}"
        return self.pick("TOPIC") if style < 0.96 else self.foreign()

    def text(self) -> str:
        """Draw what somebody might write in a message."""
        style = self.rng.random()
        if style < 0.5:
            return self.pick("MESSAGE")
        if style < 0.65:
            return f"{self.pick('MESSAGE')} and {self.pick('MESSAGE')}"
        return self.pick("SENTENCE")

    def title(self) -> str:
        """Draw the title of a work."""
        if self.rng.random() < 0.6:
            return self.pick("TITLE")
        return self.rng.choice(["The ", "", "A "]) + self.proper_name()

    def landmark(self) -> str:
        """Draw a place that people go to: a sight, sometimes an address or an invented name."""
        style = self.rng.random()
        if style < 0.2:
            return self.address()
        return self.pick("LANDMARK") if style < 0.85 else self.proper_name()

    def ticker(self) -> str:
        """Draw a stock ticker."""
        if self.rng.random() < 0.6:
            return self.pick("TICK")
        letters = "ABCDEFGHIJKLMNOPRSTUVWXYZ"
        return "".join(self.rng.choice(letters) for _ in range(self.rng.randint(3, 4)))

    def file(self) -> str:
        """Draw a file name."""
        if self.rng.random() < 0.4:
            return self.pick("FILE")
        ending = self.rng.choice([".txt", ".csv", ".pdf", ".py"])
        return f"{self.syllables(1, 3)}_{self.rng.randint(1, 99)}{ending}"

    def formula(self) -> str:
        """Draw a mathematical expression."""
        rng, style = self.rng, self.rng.randint(0, 4)
        if style == 0:
            first = f"{rng.choice(['', '2', '3', '4', '5', '-'])}x^{rng.randint(2, 5)}"
            return f"{first} {rng.choice('+-')} {rng.randint(1, 20)}{rng.choice(['', 'x'])}"
        if style == 1:
            name = rng.choice(["sin", "cos", "tan", "exp", "log", "sqrt"])
            return f"{name}({rng.choice(['x', '2x', '3x', 'x^2', 'x + 1'])})"
        if style == 2:
            power = f"{rng.randint(2, 12)}*x**{rng.randint(2, 4)}"
            return f"{power} {rng.choice('+-')} {rng.randint(2, 9)}*x"
        if style == 3:
            return f"x**{rng.randint(2, 4)}"
        return f"({rng.randint(1, 30)} + {rng.randint(1, 30)}) * {rng.randint(2, 9)}"
