"""Help texts of commands: argparse, click, Typer, cobra, clap, git, pip, az, gcloud, aws, man pages.

They agree on little: options begin with a dash, what an option does stands to the right of it or
below it, further in; commands stand in a section whose heading says so. Nothing more is assumed.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Final

from langchain_gorilla.sources.help_lines import Summary, several, with_values
from langchain_gorilla.sources.help_options import OptionText, read_option
from langchain_gorilla.sources.help_usage import KEY, KEY_NAME

_ANSI: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")
_OVERSTRIKE: Final = re.compile(r".\x08")
_BOX_TITLE: Final = re.compile(r"^\s*[╭┌]─*\s*(.*?)\s*─*[╮┐]?\s*$")
_OPTION: Final = re.compile(r"^(?:\*\s+)?-{1,2}(?:\[no-\])?[A-Za-z0-9?]")
_COMMAND: Final = re.compile(
    r"^(?:\+?[o*•]\s+)?(?P<name>[a-z0-9](?:[\w.:+-]*\w)?)\*?(?:,\s+[a-z][\w-]*)*(?:\s+\[[\w ]+\])*"
    r"(?P<takes>(?: [A-Z<\[]\S*)*)"
    r"(?:\s{2,}(?P<right>\S.*)|\s+:\s+(?P<colon>.*)|\s-\s(?P<dash>.*)|\s*:?)$"
)
_TOLD_AFTER_ONE_BLANK: Final = re.compile(r" (?![A-Z_]+\b|[<\[{])\S+(?: \S+){2}")
"""What a long name leaves of the gap before the column of descriptions, and a sentence there."""
_LETTER: Final = re.compile(r"(?P<key>\[?[A-Za-z@](?: ?<\w+> ?)?(?:\[\w+\])*\]?)\s+- (?P<told>.*)")
_COMMAND_LIST: Final = re.compile(r"[a-z][\w-]*(?:,\s+[a-z][\w-]*)*,?")
_ARGUMENT: Final = re.compile(
    r"^(?:\*\s+)?(?P<name>[<\[{]?[A-Za-z][\w .|/,:-]*?[>\]}]?(?:\s?\.\.\.)?)"
    r"(?:\s{2,}(?P<right>\S.*)|\s*:?)$"
)
_MAN_HEAD: Final = re.compile(r"^\s*(?P<page>[\w.-]+\(\d\w*\))\s.*(?P=page)\s*$")
_COMPLAINT: Final = re.compile(
    r"^(?:\S+: )?(?:unknown|unrecogni[sz]ed|invalid|illegal) option\b", re.IGNORECASE
)
_LIST_HEADING: Final = re.compile(r"\b(options|flags|commands|arguments)\b")
_CAPITALS: Final = re.compile(r"^[A-Z][A-Z0-9 /&()-]+:?$")
_BARE_HEADINGS: Final = frozenset(
    {"arguments", "commands", "subgroups", "group", "command", "examples", "global arguments"}
)
_TEXT_SECTIONS: Final = (
    "example", "description", "note", "see also", "alias", "learn more", "name",
    "environment", "exit", "author", "copyright", "bugs", "configuration",
)  # fmt: skip
_SENTENCE: Final = re.compile(r"[A-Z][a-z]+ .*[^.]\.")
_BARE_WORD: Final = re.compile(r"(?<!\S)[a-z]+(?!\S)")
_MAX_DESCRIPTION: Final = 600
_MAX_ENTRY: Final = 300


@dataclass(frozen=True)
class NamedText:
    """A command or a positional argument, and what is said of it.

    Attributes:
        name: What is typed, or what stands for it.
        description: For the model.
        takes: The arguments that systemctl writes behind a command: ``start UNIT...``.
    """

    name: str
    description: str = ""
    takes: str = ""


@dataclass
class HelpText:
    """A help text, read.

    Attributes:
        description: What the command does.
        usages: The ways to call it, each in one line, ``usage:`` left out.
        options: In their order.
        commands: Its sub-commands.
        arguments: Positional arguments that have a line of their own.
    """

    description: str = ""
    usages: list[str] = field(default_factory=list)
    options: list[OptionText] = field(default_factory=list)
    commands: list[NamedText] = field(default_factory=list)
    arguments: list[NamedText] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found that a schema could be made of."""
        return not (self.usages or self.options or self.commands or self.arguments)


def is_man_page(text: str) -> bool:
    """Whether a help is a man page, which is longer than a help needs to be."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return _MAN_HEAD.match(_OVERSTRIKE.sub("", first)) is not None


def read_help(text: str) -> HelpText:
    """Read a help text, whichever program wrote it."""
    reader = _Reader()
    for line in _plain_lines(text):
        reader.line(line)
    return reader.finished()


class _Reader:
    """Goes through a help text line by line.

    Attributes:
        section: ``commands``, ``arguments``, ``options``, ``usage``, ``text``, or ``""`` where a
            heading says nothing that is known.
    """

    def __init__(self) -> None:
        self.help = HelpText()
        self.section = ""
        self._after_usage = False
        self._entry_indent: int | None = None
        self._last: str = ""
        self._text: list[str] = []
        self._blank = True
        self._is_listing = False
        self._summary = Summary()
        self._letters: list[str] = []
        self._column = 0  # where options' descriptions begin

    def line(self, line: str) -> None:
        """Take the next line."""
        # rsync writes no colon behind it.
        text = re.sub(r"^or\s{2,}", "or: ", line.strip())
        if not text:
            self._blank = True
            if self.section == "usage" and any(self.help.usages):
                self.section = ""
                self._after_usage = True
            return
        if self._after_usage and self._begins_usage(text):
            self.section = "usage"
        self._after_usage = False
        indent = len(line) - len(line.lstrip())
        is_heading = self._is_heading(text, indent)
        if self.section == "usage" and not is_heading and self._ends_usage(text, indent):
            self.section = ""
        if is_heading:
            self._enter(text)
        elif self.section == "usage":
            self._usage(text)
        elif self.section == "options" and text.startswith("[-"):
            self._summary.add(text)
        elif self.section != "text" and _OPTION.match(text) and not self._continues(indent):
            self._option(text, indent)
        elif (self.section in ("commands", "") and self._command(text, indent)) or (
            self.section == "arguments" and self._argument(text, indent)
        ):
            pass
        else:
            self._continuation(text, indent)
        self._blank = False

    def finished(self) -> HelpText:
        """Return what was read."""
        found = self.help
        found.description = _shortened(" ".join(self._text), _MAX_DESCRIPTION)
        found.options = [
            replace(each, description=_shortened(each.description, _MAX_ENTRY))
            for each in found.options
        ]
        # oclif shows what is typed behind a prompt.
        found.usages = [usage.removeprefix("$ ") for usage in found.usages if usage]
        found.options = with_values(found.options, found.usages)
        if self._letters:
            told = _shortened("; ".join(self._letters), _MAX_DESCRIPTION)
            found.arguments.append(NamedText(KEY_NAME, told))
        return found

    def _is_heading(self, text: str, indent: int) -> bool:
        lower = text.lower().rstrip(":")
        if lower.startswith("usage:") or lower in ("usage", "synopsis"):
            return True
        if text.endswith(". Usage:"):
            # zip's: Zip 3.0 (July 5th 2008). Usage:
            return True
        if self.section == "usage" and lower.startswith("or:"):
            return True
        if _OPTION.match(text):
            return False
        if _CAPITALS.match(text) and indent == 0:
            return True
        if indent == 0 and lower in _BARE_HEADINGS:
            return True
        if text.endswith(":") and indent <= 2 and "  " not in text and len(text) < 60:
            is_below_usage = self.section == "usage" and not self._blank
            return not is_below_usage or _LIST_HEADING.search(lower) is not None
        # git sets its groups of commands under lines without a colon.
        return indent == 0 and self._blank and bool(self.help.usages) and self.section != "text"

    def _enter(self, text: str) -> None:
        lower = text.lower()
        self._entry_indent = None
        self._last = ""
        for start in ("usage:", "or:", "synopsis"):
            if lower.startswith(start) or lower == "usage" or text.endswith(". Usage:"):
                text = "usage:" if text.endswith(". Usage:") else text
                self.section = "usage"
                rest = text[len(start) :].strip() if lower != "usage" else ""
                if rest or start != "synopsis":
                    self.help.usages.append(rest)
                return
        words = lower.rstrip(":")
        if not text.endswith(":") and not _CAPITALS.match(text) and words not in _BARE_HEADINGS:
            # A line of prose, or one of git's headings: what stands below it tells.
            self.section = ""
            if not (self.help.options or self.help.commands or words.endswith(" options")):
                self._text.append(text)
        elif re.search(r"\b(options|flags|parameters|optional arguments)\b", words):
            self.section = "options"
        elif words == "output" or words.startswith(_TEXT_SECTIONS):
            self.section = "text"
            self._last = "description" if words.startswith(("description", "name")) else "text"
        elif re.search(r"arguments\b|\bargs\b", words):
            self.section = "arguments"
        elif re.search(r"commands?\b|\bsubgroups?\b|\bgroups?\b|\bservices\b", words):
            self.section = "commands"
        else:
            self.section = ""

    def _usage(self, text: str) -> None:
        usages = self.help.usages
        # pip and man pages begin each way anew with the program; others go on with brackets.
        if not usages or self._begins_usage(text):
            usages.append(text)
        else:
            usages[-1] = f"{usages[-1]} {text}".strip()

    def _begins_usage(self, text: str) -> bool:
        usages = self.help.usages
        return bool(usages and usages[0]) and text.split()[0] == usages[0].split()[0]

    def _ends_usage(self, text: str, indent: int) -> bool:
        """Whether a line is no usage any more: GNU say at the margin what a command does."""
        if not any(self.help.usages) or self._begins_usage(text):
            return False
        is_option = _OPTION.match(text) is not None and "  " in text
        is_prose = _SENTENCE.fullmatch(text) or len(_BARE_WORD.findall(text)) > 3
        return indent == 0 or is_option or (indent < 6 and bool(is_prose))

    def _continues(self, indent: int) -> bool:
        """Whether a line stands so far in that it belongs to the description above it."""
        return self._entry_indent is not None and indent > self._entry_indent + 6

    def _option(self, text: str, indent: int) -> None:
        column = self._column - indent
        if gap := re.search(r"\s{2,}", text):
            self._column = indent + gap.end()
        elif _TOLD_AFTER_ONE_BLANK.match(text, column - 1):
            text = f"{text[:column]} {text[column:]}"
        options = [read_option(self._summary.written(each)) for each in several(text)]
        found = [self._summary.completed(each) for each in options if each is not None]
        if not found:
            self._continuation(text, indent)
            return
        self._entry_indent = indent
        self._last = "option"
        self.help.options += found

    def _command(self, text: str, indent: int) -> bool:
        if self.section == "commands" and self._command_list(text):
            return True
        if self.section == "commands" and self.help.usages:
            # yargs begins each with the program.
            program = self.help.usages[0].partition(" ")[0]
            text = re.sub(rf"^{re.escape(program)} (?=\S)", "", text)
        letter = _LETTER.fullmatch(text)
        if letter is not None and any(map(KEY.search, self.help.usages)):
            # ar's are parts of one word, and no commands.
            self._letters.append(f"{letter['key']}: {letter['told']}")
            return True
        match = _COMMAND.match(text)
        if match is None or (self._entry_indent is not None and indent > self._entry_indent):
            return False
        told = match["right"] or match["colon"] or ""
        if self.section == "commands":
            # apt's way. Elsewhere it may be any line with a dash.
            told = told or match["dash"] or ""
        else:
            # git's groups come before all options; GNU lists the values of an option after them.
            listed = told and 1 <= indent <= 6 and self.help.usages and not self.help.options
            if not listed or match["takes"]:
                return False
        self._entry_indent = indent
        self._last = "command"
        takes = match["takes"].strip()
        self.help.commands.append(NamedText(match["name"].rstrip(":"), told.strip(), takes))
        return True

    def _command_list(self, text: str) -> bool:
        """Read a line of npm's list of commands, which goes on where a line ends with a comma."""
        is_list = _COMMAND_LIST.fullmatch(text) is not None
        was_listing, self._is_listing = self._is_listing, is_list and text.endswith(",")
        if not is_list or not (was_listing or self._is_listing):
            return False
        self.help.commands += [NamedText(name) for name in re.findall(r"[^\s,]+", text)]
        return True

    def _argument(self, text: str, indent: int) -> bool:
        match = _ARGUMENT.match(text)
        if match is None or (self._entry_indent is not None and indent > self._entry_indent):
            if match is not None and match["right"] and self.help.arguments:
                name = self.help.arguments[-1].name
                if name.startswith("{"):
                    # argparse lists sub-commands below the braces that hold their names.
                    self.help.commands.append(NamedText(match["name"], match["right"]))
                    self._last = "command"
                    return True
            return False
        self._entry_indent = indent
        self._last = "argument"
        self.help.arguments.append(NamedText(match["name"], (match["right"] or "").strip()))
        return True

    def _continuation(self, text: str, indent: int) -> None:
        found = self.help
        deeper = self._entry_indent is not None and indent > self._entry_indent
        if self._last == "option" and deeper:
            found.options[-1] = found.options[-1].continued(text)
        elif self._last == "command" and deeper:
            last = found.commands[-1]
            found.commands[-1] = replace(last, description=f"{last.description} {text}".strip())
        elif self._last == "argument" and deeper:
            last = found.arguments[-1]
            found.arguments[-1] = replace(last, description=f"{last.description} {text}".strip())
        elif self._last in ("", "description") and not found.options and not found.commands:
            self._text.append(text)


def _plain_lines(text: str) -> list[str]:
    """Return lines without colours, overstrikes, tabs and boxes."""
    # Behind a word, busybox's tabs part columns, however close they bring them.
    text = re.sub(r"(?<=\S)\t", "  \t", _OVERSTRIKE.sub("", _ANSI.sub("", text))).expandtabs(8)
    lines: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped[:1] in ("╭", "┌"):
            title = _BOX_TITLE.match(stripped)
            lines += ["", f"{title[1]}:" if title and title[1] else ""]
        elif stripped[:1] in ("╰", "└"):
            lines.append("")
        elif stripped[:1] in ("│", "┃"):
            inside = stripped[1:].rstrip("│┃ ")
            lines.append(f" {_box_row(inside)}")
        else:
            lines.append(line.rstrip())
    # The head of a man page: GIT-ADD(1)   Git Manual   GIT-ADD(1). A program that knows no --help
    # complains before it shows its usage.
    return [line for line in lines if not (_MAN_HEAD.match(line) or _COMPLAINT.match(line))]


def _box_row(inside: str) -> str:
    """Return a row of Typer's boxes with its marks of what is required set at the end."""
    if inside.strip().startswith("*"):
        place = inside.index("*")
        return f"{inside[:place]} {inside[place + 1 :]} [required]"
    return inside


def _shortened(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most].rpartition(' ')[0]} …"
