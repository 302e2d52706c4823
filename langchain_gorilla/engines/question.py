"""What a question says that a call may repeat: numbers, names, quoted texts, dates, lists.

All of it is guesswork for drafts: a wrong find costs a little time and changes no answer.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Final

_NUMBER: Final = re.compile(r"(?<![\w.:])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\d:])")
_QUOTED: Final = re.compile(
    r"""(?<!\w)['"\u201c\u2018]([^'"\u201d\u2019\n]{1,80})['"\u201d\u2019]"""
)
_NAMED: Final = re.compile(
    r"\b[A-Z][\w&.'-]*\w(?:(?:,? | of | the | de )[A-Z][\w&.'-]*\w)*|\b[A-Z]\b"
)
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTH: Final = "|".join(f"{month[:3]}(?:{month[3:]})?" for month in _MONTHS)
_DATES: Final = (
    re.compile(r"\b(?P<y>\d{4})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})\b"),
    re.compile(
        rf"\b(?P<m>{_MONTH})\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?(?: of)? (?P<y>\d{{4}})\b", re.I
    ),
    re.compile(
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<m>{_MONTH})\.?,? (?P<y>\d{{4}})\b", re.I
    ),
)
_TIME: Final = re.compile(r"\b(\d{1,2})(?::(\d\d))? ?([ap])\.?m\b|\b(\d{1,2}):(\d\d)\b", re.I)
_NUMBERS: Final = (
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
_WORD_NUMBERS: Final = {word: str(number) for number, word in enumerate(_NUMBERS, 2)}
_WORDS: Final = re.compile(r"[A-Za-z]+|\d+")
_PARTS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
# Words that begin a sentence with a capital letter, and names with none.
_BEGINNERS: Final = frozenset(
    re.findall(
        r"\S+",
        """
    a also an and any are as at be by can compute calculate compare convert could create
    determine do does estimate find first for from generate get give given hello help hey hi
    how i if i'd i'm i've in is it lastly let list look make may me my next of on order please
    predict provide retrieve search second show so tell that the then there they this to we
    what what's when where which who why will with would you your
    """,
    )
)
_BEGINNING: Final = ("", *".!?:\n>")
_LINK: Final = re.compile(r"\W{0,2}(?:, and |, or |, | and | or | & )(?:the |a |an )?['\"]?", re.I)
_PHRASE: Final = re.compile(
    r"[\w.-]*\w(?: (?!(?:and|or|in|into|on|for|with|from|at|to|of|by)\b)[\w-]+){0,2}"
)
_TAIL: Final = re.compile(r"[\w@./:+#%-]*\w")


@dataclass(frozen=True)
class Found:
    """A value, as a call would write it, and where the question says it."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=4096)
def stems(text: str) -> frozenset[str]:
    """Give the words of a name or description, small, in the singular."""
    return frozenset(
        word[:-1] if len(word) > 3 and word.endswith("s") else word
        for part in _PARTS.findall(text)
        if len(word := part.lower()) > 1
    )


class Question:
    """The end of a prompt, where people say what they want."""

    def __init__(self, text: str) -> None:
        """Look for values lazily; a short answer needs few of them."""
        self.text = text
        self._small = text.lower()

    @cached_property
    def numbers(self) -> tuple[Found, ...]:
        """Numbers in digits and in words, in order."""
        found = [
            Found(match[0].replace(",", ""), *match.span()) for match in _NUMBER.finditer(self.text)
        ]
        found += [
            Found(_WORD_NUMBERS[match[0]], *match.span())
            for match in _WORDS.finditer(self._small)
            if match[0] in _WORD_NUMBERS
        ]
        return tuple(sorted(found, key=lambda each: each.start))

    @cached_property
    def names(self) -> tuple[Found, ...]:
        """Quoted texts and capitalized words, in order, none inside another."""
        found = [Found(match[1], *match.span(1)) for match in _QUOTED.finditer(self.text)]
        quoted = [(each.start, each.end) for each in found]
        for match in _NAMED.finditer(self.text):
            if not any(start <= match.start() < end for start, end in quoted):
                found += self._name(*match.span())
        return tuple(sorted(found, key=lambda each: each.start))

    def _name(self, start: int, end: int) -> Iterator[Found]:
        """Take the word off that is large for beginning a sentence."""
        before = self.text[:start].rstrip(" \"'\u201c")
        first = re.match(r"[\w'&.-]+", self.text[start:end])
        if first is not None and first[0].lower() in _BEGINNERS:
            start += first.end()
            start += len(self.text[start:end]) - len(self.text[start:end].lstrip(" ,"))
        elif first is not None and first.end() == end - start and before[-1:] in _BEGINNING:
            return  # One large word at the beginning of a sentence is mostly a verb.
        if start < end:
            yield Found(self.text[start:end], start, end)

    @cached_property
    def dates(self) -> tuple[Found, ...]:
        """Days with a year, written as 2024-05-31."""
        found = []
        for match in (match for pattern in _DATES for match in pattern.finditer(self.text)):
            month = match["m"].lower()
            number = int(month) if month.isdigit() else _month(month)
            try:
                day = date(int(match["y"]), number, int(match["d"]))
            except ValueError:
                continue
            found.append(Found(day.isoformat(), *match.span()))
        return tuple(sorted(found, key=lambda each: each.start))

    @cached_property
    def times(self) -> tuple[Found, ...]:
        """Times of day, written as 14:30."""
        found = []
        for match in _TIME.finditer(self.text):
            hour, minute = int(match[1] or match[4]), match[2] or match[5] or "00"
            if match[3]:
                hour = hour % 12 + (12 if match[3].lower() == "p" else 0)
            found.append(Found(f"{hour:02}:{minute}", *match.span()))
        return tuple(found)

    @cached_property
    def stems(self) -> frozenset[str]:
        """All its words."""
        return stems(self.text)

    def best(
        self,
        found: Sequence[Found],
        key: frozenset[str],
        about: frozenset[str],
        used: Collection[str],
    ) -> Found | None:
        """Choose the value that stands beside words of the parameter; else the first unused."""
        left = [each for each in found if each.text not in used]
        return max(left, key=lambda each: self.fit(each, key, about), default=None)

    def fit(self, found: Found, key: frozenset[str], about: frozenset[str]) -> int:
        """Count the words of a parameter's name (twice) and description beside a value."""
        before = stems(" ".join(self.text[max(0, found.start - 30) : found.start].split(" ")[-4:]))
        after = stems(" ".join(self.text[found.end : found.end + 25].split(" ")[:3]))
        beside = before | after
        return 3 * len(key & beside) + len(about & beside)

    def option(self, options: Sequence[str]) -> str | None:
        """Give the longest of some texts that the question says, or whose words it says."""
        said = [option for option in options if option and _says(self._small, option.lower())]
        if said:
            return max(said, key=len)
        for option in options:
            words = stems(option.replace("_", " "))
            if words and any(len(word) > 3 for word in words) and words <= self.stems:
                return option
        return None

    def described(self, key: frozenset[str]) -> str | None:
        """Give the word in front of a parameter's own word: the ``deluxe`` of a deluxe room."""
        for word in sorted(key, key=len, reverse=True):
            if len(word) < 3:
                continue
            for match in re.finditer(rf"([a-z][\w-]+) {re.escape(word)}", self._small):
                if match[1] not in _BEGINNERS:
                    return self.text[match.start(1) : match.end(1)]
        return None

    def listed_after(self, item: str) -> str | None:
        """Give what follows an item of a list: ``rice`` after apples in ``apples, rice and …``."""
        at = self._small.rfind(item.lower())
        if at < 0 or not item:
            return None
        rest = self.text[at + len(item) :]
        link = _LINK.match(rest)
        phrase = link and _PHRASE.match(rest, link.end())
        if not link or not phrase:
            return None
        for name in self.names:
            if name.start == at + len(item) + link.end():
                return name.text
        return phrase[0]

    def going_on(self, begun: str) -> tuple[str, bool]:
        """Continue a text that copies the question.

        Returns:
            What comes next, and whether the text should end there.
        """
        words = begun.split()
        for count in (len(words), 4, 2, 1):
            tail = begun if count == len(words) else " ".join(words[-count:])
            if not tail or count > len(words):
                continue
            # A text begins with a word of the question; a run in the middle may be cut anywhere.
            at = _word_at(self._small, tail.lower())
            if at < 0:
                continue
            rest = self.text[at + len(tail.lower()) :]
            word = _TAIL.match(rest)
            ending = word[0] if word and not begun.endswith(" ") else ""
            if count < 3 or tail != begun:
                return ending, True
            sentence = re.match(r"[^\n.?!\"]*[^\n.?!\" ]", rest)
            said = sentence[0] if sentence else ending
            return " ".join(said.split(" ")[: 2 * count + 1]), len(said.split(" ")) <= 2 * count + 1
        return "", False


def _month(name: str) -> int:
    return next(n for n, month in enumerate(_MONTHS, 1) if month.startswith(name[:3]))


def _word_at(text: str, words: str) -> int:
    """Say where some words begin in a text, -1 where they do not; no pattern, as none comes twice."""
    at = text.find(words)
    while at > 0 and (text[at - 1].isalnum() or text[at - 1] == "_"):
        at = text.find(words, at + 1)
    return at


def _says(text: str, option: str) -> bool:
    at = text.find(option)
    while at >= 0:
        end = at + len(option)
        if (at == 0 or not text[at - 1].isalnum()) and (
            end == len(text) or not text[end].isalpha() or text[end] == "s"
        ):
            return True
        at = text.find(option, at + 1)
    return False
