"""Usage lines: ``git add [--force] [--] [<pathspec>...]`` → what stands by its place."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

_OPTIONS: Final = frozenset([
    "options", "option", "flags", "flag", "args", "arguments", "globals", "global-options",
    "package-index-options",
])  # fmt: skip
_OPTION_ENDS: Final = ("-options", "-option", "_flag", "_flags", "-flags")
_COMMANDS: Final = frozenset(["command", "commands", "subcommand", "subcommands", "group"])
_PAIRS: Final = {"[": "]", "<": ">", "{": "}", "(": ")"}
_WORD: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_GROUP: Final = re.compile(r"\(|\{.*(?:\b[A-Z]+ *\||\| *[A-Z]+\b)|<[^<>]*\|-")
"""One place, several things to put there: ip's ``{ COMMAND | help }``, clap's ``<FILE|--all>``."""
_OPTION_VALUE: Final = re.compile(r"-\S+[ =]<[^<>]*>")
_PLURAL: Final = re.compile(r"\(s\)(>?)(?:\.\.\.)?")
"""``<file(s)>``, as binutils writes ``<file>...``."""
_TOLD: Final = re.compile(r"\s{5,}[a-z]+ [a-z ()]+$")
"""What a line does, as hostname and vim write behind it."""
KEY: Final = re.compile(r"(?:\[-\])?\{\w+\}(?:\[\w+\])+")
"""Letters that are written as one word, as ar has them: ``[-]{dmpqrstx}[abcDf]``."""
KEY_NAME: Final = "operation"
_SAME_PLACE: Final = re.compile(r"<?[\w-]+>?(?: ?\| ?<?[\w-]+>?)+")
"""One of several things to put in one place: npm's ``[<newversion> | major | minor]``."""


@dataclass(frozen=True)
class Positional:
    """An argument that stands by its place.

    Attributes:
        name: As the usage writes it, without brackets.
        required: Every way of calling needs it.
        repeated: It takes several values.
        choices: The values it may have; () for any.
        description: For the model.
        after_dashes: ``--`` stands before it.
    """

    name: str
    required: bool = True
    repeated: bool = False
    choices: tuple[str, ...] = ()
    description: str = ""
    after_dashes: bool = False


@dataclass(frozen=True)
class Usage:
    """What the usage lines of one command say.

    Attributes:
        positionals: In their order.
        required_options: Names with dashes that stand outside brackets.
        commands: Sub-commands that the lines name.
        takes_command: A sub-command follows.
        runs_alone: One line has no sub-command.
        options_last: Options stand behind all else, as find's ``[expression]`` does.
    """

    positionals: tuple[Positional, ...] = ()
    required_options: frozenset[str] = frozenset()
    commands: tuple[str, ...] = ()
    takes_command: bool = False
    runs_alone: bool = True
    options_last: bool = False


def read_usages(
    usages: Sequence[str], path: Sequence[str], *, value_options: Iterable[str] = ()
) -> Usage:
    """Read all usage lines of a command together.

    Args:
        usages: One for each way of calling.
        path: Program and sub-commands, as ``("git", "remote")``.
        value_options: Options with a value, which a usage may write after a space.
    """
    takes_value = frozenset(value_options)
    # Where placeholders, not of options only, have brackets of their own, a bare word is one to type.
    bracketed = any("<" in _OPTION_VALUE.sub("", usage) for usage in usages)
    # The help of git log ends with a usage of git show.
    own = [usage for usage in usages if not _is_of_another(usage, path)] or usages
    lines = [_Line(path, bracketed, takes_value).read(usage) for usage in own]
    if not lines:
        return Usage()
    found: dict[str, Positional] = {}
    order: list[str] = []
    for line in lines:
        following = len(order)
        for each in reversed(line.positionals):
            # seq LAST, seq FIRST LAST: each line says what stands before what.
            if each.name in order:
                following = order.index(each.name)
            else:
                order.insert(following, each.name)
        for each in line.positionals:
            held = found.get(each.name)
            required = each.required and (held is None or held.required)
            found[each.name] = replace(
                each,
                required=required,
                repeated=each.repeated or bool(held and held.repeated),
                after_dashes=each.after_dashes and (held is None or held.after_dashes),
            )
    plain = [line for line in lines if not line.commands] or lines
    everywhere = [
        replace(
            each,
            required=each.required
            and all(any(p.name == each.name for p in line.positionals) for line in plain),
        )
        for each in (found[name] for name in order)
    ]
    always = frozenset.intersection(*(line.required for line in plain))
    commands = tuple(dict.fromkeys(name for line in lines for name in line.commands))
    return Usage(
        tuple(everywhere),
        always,
        commands,
        any(line.takes_command for line in lines),
        any(not line.takes_command and not line.commands for line in lines),
        any(line.options_last for line in lines),
    )


class _Line:
    """One usage line."""

    def __init__(self, path: Sequence[str], bracketed: bool, takes_value: frozenset[str]) -> None:
        self.positionals: list[Positional] = []
        self.required: frozenset[str] = frozenset()
        self.commands: list[str] = []
        self.takes_command = False
        self.options_last = False
        self._after_dashes = False
        self._path = path
        self._bracketed = bracketed
        self._takes_value = takes_value

    def read(self, usage: str) -> "_Line":
        usage = _PLURAL.sub(r"\1...", _TOLD.sub("", usage))
        tokens = _after_path(_tokens(usage), self._path)
        place, is_first = 0, True
        while place < len(tokens):
            token = tokens[place]
            place += 1
            if token == "--":
                self._after_dashes = True
                continue
            if token == "|":
                # PATH | URL: one place, two things to put there.
                place += 1
                continue
            if token.startswith("-"):
                name = re.match(r"-{1,2}[\w-]+", token)
                if name:
                    self.required |= {name[0]}
                following = tokens[place] if place < len(tokens) else ""
                if name and name[0] in self._takes_value and "=" not in token and following:
                    place += not following.startswith("-")
                continue
            if is_first and self._bracketed and _WORD.fullmatch(token) and not self.positionals:
                self.commands.append(token)
                return self
            if not _stands_for_options(token):
                is_first = False
            self._token(token, optional=False)
            if self.takes_command:
                break
        return self

    def _token(self, token: str, *, optional: bool) -> None:
        repeated = token.endswith(("...", "…"))
        token = token.removesuffix("...").removesuffix("…").strip()
        if not token:
            if self.positionals:
                self.positionals[-1] = replace(self.positionals[-1], repeated=True)
            return
        # [USER@]HOST is one argument, which brackets begin.
        if KEY.fullmatch(token):
            self._add(Positional(KEY_NAME, not optional, description=f"Written as {token}."))
            return
        if token[0] == "[" and (
            token.endswith(" options]") or re.fullmatch(r"\[<[^<>]*\]", token) is not None
        ):
            # ar's [<mri-script] is what a shell puts into its input.
            return
        if token[0] == "[" and not repeated and self._is_one_place(token[1:-1].strip()):
            self._one_place(token[1:-1].strip())
            return
        if token[0] == "[" and not re.match(r"\[[^\[\]]*\].", token):
            # [--] <path>, and [[--] <path>...]
            self._after_dashes |= token.startswith(("[--]", "[[--]"))
            for each in _alternatives(token[1:-1]):
                self._token(f"{each}..." if repeated else each, optional=True)
            return
        if _GROUP.match(token):
            for each in _alternatives(token[1:-1]):
                self._token(f"{each}..." if repeated else each, optional=True)
            return
        if token[0] == "{" and re.search(r"[,|]", token):
            choices = tuple(filter(None, re.split(r"[,|]", token.strip("{}"))))
            if repeated:
                self.takes_command = True
                return
            self._add(Positional("_or_".join(choices[:2]), not optional, False, choices))
            return
        name = token if re.search(r"[<>{}]", token[1:-1]) else token.strip("<>{}").strip()
        if name.lower() in _COMMANDS and token[0] != "[" and not self._is_last_argument(name):
            self.takes_command = True
            return
        if name == "expression" and self.positionals:
            self.options_last = True
            return
        if _stands_for_options(name) or name in ("or", "=", ""):
            if name.isupper() and repeated and name.lower() in ("args", "arguments"):
                self._add(Positional(name, False, True))
            return
        # diff takes two FILES, zip a list, and they write no dots.
        self._add(Positional(name, not optional, repeated or name in ("FILES", "list")))

    def _is_one_place(self, inside: str) -> bool:
        names = [each.strip(" <>").lower() for each in inside.split("|")]
        return _SAME_PLACE.fullmatch(inside) is not None and not any(
            name in _COMMANDS or _stands_for_options(name) for name in names
        )

    def _one_place(self, inside: str) -> None:
        parts = [each.strip() for each in inside.split("|")]
        named = [each.strip("<>") for each in parts if each.startswith("<")]
        name = named[0] if named else "_or_".join(parts[:2])
        self._add(Positional(name, False, description=f"Written as {' | '.join(parts)}."))

    def _is_last_argument(self, name: str) -> bool:
        """``docker run IMAGE [COMMAND]`` runs any command; ``docker COMMAND`` one of its own."""
        return bool(self.positionals) and name.isupper()

    def _add(self, positional: Positional) -> None:
        if not re.search(r"[A-Za-z0-9]", positional.name):
            return
        for place, held in enumerate(self.positionals):
            if held.name == positional.name:
                # argparse writes FILE [FILE ...].
                self.positionals[place] = replace(held, repeated=True)
                return
        self.positionals.append(replace(positional, after_dashes=self._after_dashes))


def _stands_for_options(token: str) -> bool:
    """Whether a token is ``[options]``, ``[<file-option>]`` or ``[-v | --verbose]``."""
    name = token.strip("[]()<>.…' ").lower()
    return name.startswith("-") or name in _OPTIONS or name.endswith(_OPTION_ENDS)


def _after_path(tokens: list[str], path: Sequence[str]) -> list[str]:
    """Leave out the program and its sub-commands."""
    place = min(1, len(tokens))
    for word in path[1:]:
        ahead = place
        # Options may stand between a program and its sub-command.
        while ahead < len(tokens) and (tokens[ahead][0] == "[" or tokens[ahead] == "-m"):
            ahead += 1
        if ahead < len(tokens) and word in tokens[ahead].split("|"):
            place = ahead + 1
    return tokens[place:]


def _is_of_another(usage: str, path: Sequence[str]) -> bool:
    """Whether a line is of another command of the same program."""
    program, *words = _tokens(usage)[: len(path)] or [""]
    plain = all(_WORD.fullmatch(word) for word in words)
    return program == path[0] and len(words) == len(path) - 1 and plain and words != [*path[1:]]


def _tokens(usage: str) -> list[str]:
    """Split at spaces outside brackets; dots stay with what they repeat."""
    tokens: list[str] = []
    current, closing = "", []
    for character in usage:
        if character in _PAIRS:
            closing.append(_PAIRS[character])
        elif closing and character == closing[-1]:
            closing.pop()
        if character.isspace() and not closing:
            if current:
                tokens.append(current)
            current = ""
        else:
            current += character
    if current:
        tokens.append(current)
    merged: list[str] = []
    for token in tokens:
        if token in ("...", "…") and merged:
            merged[-1] += "..."
        else:
            merged.append(token)
    return merged


def _alternatives(inside: str) -> list[str]:
    """Split what stands in brackets into its parts, at bars and spaces outside inner brackets."""
    kept: list[str] = []
    in_option = False
    for token in _tokens(inside.strip()):
        is_value = in_option and token != "|"
        is_whole = is_value or token[:1] in _PAIRS or token.startswith("-")
        for part in [token] if is_whole else token.replace("|", " | ").split():
            if part == "|":
                in_option = False
            elif part.startswith(("-", "(-", "[-")):
                # What follows is the option's: [-m <message>], [--tags TAG [TAG ...]].
                in_option = not part.startswith("[")
            elif not in_option:
                kept.append(part)
    return kept
