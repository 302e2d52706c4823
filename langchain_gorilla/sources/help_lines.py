"""Lines of a help that hold several options: find's, Info-ZIP's columns, npm's summary, usages."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.sources.help_options import OptionText

_SEVERAL: Final = re.compile(r"(?:^|(?<= ))(?=-[a-z]{2})")
_COLUMN: Final = re.compile(r"\s+(?=-[^\s-]{1,2}\s{2,}\S)")
_SHORT: Final = re.compile(r"-[^\s-]{1,2}\s{2,}\S")
_PLACEHOLDER: Final = re.compile(r"(--?[\w-]+) (?:<([^<>]+)>|([a-z][\w-]*)(?=\]))")
_AGAIN: Final = re.compile(r"(--[\w-]+) \S+ \[[^\]]*\.\.\.\]")
_NEGATED: Final = re.compile(r"(?<=[\[|])--no-([\w-]+)(?=[\]|])")
_WITH_VALUE: Final = re.compile(r"\[-(\w) [A-Za-z][\w-]*\]")
_WITH_LIST: Final = re.compile(r"\[-(\w+) x?list\]")


@dataclass
class Summary:
    """What npm says of its options above their list, and nowhere else.

    Attributes:
        placeholders: Name of an option to what stands for its value.
        repeated: Names of those that may be given several times.
        negated: Names of those that are on, and that only ``--no-name`` turns off.
    """

    placeholders: dict[str, str] = field(default_factory=dict)
    repeated: set[str] = field(default_factory=set)
    negated: set[str] = field(default_factory=set)

    def add(self, text: str) -> None:
        """Read a line: ``[--audit-level <low|high>] [--no-package-lock] [--preid some-id]``."""
        for name, bracketed, plain in _PLACEHOLDER.findall(text):
            self.placeholders[name] = f"<{bracketed or plain}>"
        self.repeated.update(_AGAIN.findall(text))
        self.negated.update(f"--{name}" for name in _NEGATED.findall(text))

    def written(self, text: str) -> str:
        """Return an option's line with its placeholder."""
        return f"{text} {self.placeholders.get(text.rpartition('|')[2], '')}".strip()

    def completed(self, option: OptionText) -> OptionText:
        """Return an option with what is said of it here."""
        name = option.sent_as
        if option.style == "value" and name in self.repeated:
            return replace(option, style="repeated")
        if option.style == "flag" and not option.negative and name in self.negated:
            return replace(option, negative=f"--no-{name.removeprefix('--')}")
        return option


def several(text: str) -> list[str]:
    """Return the lines of the options that stand in one line; the line itself where it is one."""
    return _of_find(text) or (_COLUMN.split(text) if _SHORT.match(text) else [text])


def with_values(options: Iterable[OptionText], usages: Iterable[str]) -> list[OptionText]:
    """Return options with the values that only a usage shows: Info-ZIP's ``[-b path] [-xi list]``.

    A list goes on to the next option, so each of its items is written into one word with the name:
    what stands behind would be taken for another item.
    """
    whole = " ".join(usages)
    single = {f"-{letter}" for letter in _WITH_VALUE.findall(whole)}
    lists = {f"-{letter}" for letters in _WITH_LIST.findall(whole) for letter in letters}
    found: list[OptionText] = []
    for option in options:
        if option.style == "flag" and not option.negative and len(option.names) == 1:
            schema: dict[str, JSONValue] = {"type": "string"}
            if option.names[0] in lists:
                option = replace(option, style="repeated", joined=True, schema=schema)
            elif option.names[0] in single:
                option = replace(option, style="value", schema=schema)
        found.append(option)
    return found


def _of_find(text: str) -> list[str]:
    """Return the options of a line of find's, which has several and no description; else none.

    A number there may have a sign, and brackets are around the letters to choose from.
    """
    parts = [each.strip() for each in _SEVERAL.split(text) if each.strip()]
    is_find = len(parts) > 1 and all(map(_SEVERAL.match, parts))
    if not is_find or re.search(r"  |[,|]", text):
        return []
    return [re.sub(r"(?<= )N", "+N", re.sub(r"[\[\]]", "", each)) for each in parts]
