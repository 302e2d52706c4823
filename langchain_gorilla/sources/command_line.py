"""Command lines as tools: what ``--help`` says becomes schemas, calls become argument lists.

    tools_from_command("git", allow=["status", "log", "remote *"])
    tools_from_command(["python", "-m", "json.tool"])

Only the sub-commands that become tools can run, each with the options of its own help and nothing
else; ``allow`` says which those are. Nothing passes a shell. See ``command_run`` for the limits of
a run and ``command_schema`` for values that look like options. Finding out runs the program
with ``--help``: wrap only programs that you would run yourself.

Not covered: what a command does with its values. ``git clone`` writes where it is told, and a value
such as ``ext::sh`` or ``@file`` may mean more to a program than it says. Options that name a
program to run are left out as far as their names and placeholders tell.
"""

import asyncio
import fnmatch
import re
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Final

from langchain_core.tools import ToolException

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.errors import InvalidFunctionError, SourceError
from langchain_gorilla.functions import function_schema
from langchain_gorilla.sources.base import Refusal, Tools
from langchain_gorilla.sources.command_run import CommandLimits, CommandResult, run_command
from langchain_gorilla.sources.command_schema import CommandShape, argument_list, shape_of
from langchain_gorilla.sources.help_text import HelpText, NamedText, is_man_page, read_help
from langchain_gorilla.sources.help_usage import Usage, read_usages
from langchain_gorilla.sources.programs import command_words, default_name, program_of
from langchain_gorilla.sources.results import cut
from langchain_gorilla.sources.tool import SourceTool

_ASK_HELP: Final = re.compile(r"^\s*\S+ help\s*$|unknown options?: -", re.MULTILINE | re.IGNORECASE)
_ENGLISH: Final = {"LC_ALL": "C.UTF-8", "LANGUAGE": "en"}
"""Headings are known in English only."""
_HELP_TIMEOUT_S: Final = 15.0
_HELP_BYTES: Final = 1_000_000
_MAX_COMMANDS: Final = 2_000


class CommandTool(SourceTool):
    """A command as a tool.

    Its content is what the command wrote, cut; its artifact a ``CommandResult``. A command that
    fails, or is stopped at a limit, is an error that the model reads.
    """

    argv: tuple[str, ...]
    shape: CommandShape
    limits: CommandLimits

    def call(self, arguments: dict[str, JSONValue]) -> tuple[str, CommandResult]:
        """Run the command; see ``SourceTool``."""
        return self._run_command(arguments, None)

    async def acall(self, arguments: dict[str, JSONValue]) -> tuple[str, CommandResult]:
        """Run the command in a thread; cancelling the task stops it."""
        cancelled = threading.Event()
        try:
            return await asyncio.to_thread(self._run_command, arguments, cancelled)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def _run_command(
        self, arguments: Mapping[str, JSONValue], cancelled: threading.Event | None
    ) -> tuple[str, CommandResult]:
        argv = [*self.argv, *argument_list(self.shape, arguments)]
        try:
            result = run_command(argv, self.limits, cancelled=cancelled)
        except (OSError, UnicodeEncodeError) as error:
            raise ToolException(f"{self.name} cannot be started: {error}.") from error
        text = "\n".join(filter(None, (result.stdout.rstrip(), result.stderr.rstrip())))
        if result.timed_out:
            raise ToolException(
                f"{self.name} was stopped after {self.limits.timeout_s:g} seconds. Ask for less, "
                f"or tell the user. It wrote:\n{cut(text, 2_000)}"
            )
        if result.is_cut:
            raise ToolException(
                f"{self.name} was stopped, since it wrote over {self.limits.max_bytes} bytes. Ask "
                f"for less. It begins:\n{text[:2_000]}"
            )
        if result.exit_code != 0:
            said = f":\n{cut(text, 4_000)}" if text else " and wrote nothing."
            raise ToolException(f"{self.name} failed with exit code {result.exit_code}{said}")
        return cut(text) or "The command succeeded and wrote nothing.", result


def tools_from_command(
    command: str | Sequence[str],
    *,
    allow: str | Iterable[str] | None = None,
    depth: int = 3,
    timeout_s: float = 30.0,
    scan_timeout_s: float = 60.0,
    name: str | None = None,
    cwd: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
    max_bytes: int = 10_000_000,
) -> Tools:
    """Make tools of a program and its sub-commands.

    Args:
        command: The program, with arguments that every call begins with: ``"git"``,
            ``"python -m json.tool"``, or a list of words.
        allow: Patterns with ``*`` of the sub-commands to take: ``"status"``, ``"remote *"``; words
            before a ``*`` are tried even where no help lists them. All if None.
        depth: Levels of sub-commands.
        timeout_s: Most seconds for a call.
        scan_timeout_s: Most seconds for reading all helps; what is not read by then is refused.
        name: What tools are called, before the sub-command; the program's name if None.
        cwd: Where it runs; the current folder if None.
        environment: Variables beside PATH, HOME and a few others, such as a key it needs. No
            other variable of this process reaches it.
        max_bytes: A call that writes more is stopped.

    Returns:
        A tool for each command that runs, called ``git.remote.add``; in ``refusals`` the commands
        and options that became none.

    Raises:
        SourceError: There is no such program or ``cwd``, it is a shell, or ``allow`` allows none of
            its commands.
    """
    if cwd is not None and not Path(cwd).is_dir():
        raise SourceError(f"There is no folder {str(cwd)!r} to run in. Correct cwd.")
    if isinstance(allow, str):
        allow = [allow]
    words = command_words(command) if isinstance(command, str) else tuple(command)
    argv = program_of(words)
    limits = CommandLimits(timeout_s, max_bytes, Path(cwd) if cwd else None, environment)
    scan = _Scan(
        argv,
        name or default_name(words),
        None if allow is None else tuple(allow),
        limits,
        time.monotonic() + scan_timeout_s,
        scan_timeout_s,
    )
    scan.walk(depth)
    if not scan.tools and not scan.refusals:
        raise SourceError(
            f"{' '.join(words)} has no command that {', '.join(scan.allow or ())} allows. Correct "
            "allow, or leave it out to see all commands."
        )
    return Tools(scan.tools, refusals=scan.refusals)


class _Scan:
    """One walk through a program's helps."""

    def __init__(
        self,
        argv: tuple[str, ...],
        name: str,
        allow: tuple[str, ...] | None,
        limits: CommandLimits,
        deadline: float,
        scan_timeout_s: float,
    ) -> None:
        self.tools: list[CommandTool] = []
        self.refusals: list[Refusal] = []
        self._argv = argv
        self._name = name
        self.allow = allow
        self._limits = limits
        self._deadline = deadline
        self._scan_timeout_s = scan_timeout_s
        self._man: dict[tuple[str, ...], str] = {}

    def walk(self, depth: int) -> None:
        """Read the program's help, and those of its sub-commands level by level."""
        todo = deque(self._roots())
        listed = {path: NamedText("") for path in todo}
        usages: dict[tuple[str, ...], list[str]] = {}
        seen = set[tuple[str, ...]]()
        while todo:
            path = todo.popleft()
            if path in seen:
                continue
            seen.add(path)
            where = " ".join((self._name, *path))
            in_time = time.monotonic() < self._deadline and len(seen) <= _MAX_COMMANDS
            text = self._help(path) if in_time else None
            if text is None:
                late = f"Its help was not read within {self._scan_timeout_s:g} seconds"
                is_late = not in_time or time.monotonic() >= self._deadline
                self._refuse(
                    where,
                    f"{late}. Raise scan_timeout_s, or choose with allow."
                    if is_late
                    else "It has no help that can be read.",
                )
                continue
            usages[path] = list(text.usages)
            own = [each for each in text.usages if path and path[-1] in re.split(r"[\s|]+", each)]
            is_above = own != text.usages or (text.commands and not text.usages)
            if path and path[:-1] not in usages and is_above:
                # allow named it, and nothing above it was read.
                above = self._help(path[:-1])
                usages[path[:-1]] = above.usages if above else []
                for each in above.commands if above else ():
                    listed[(*path[:-1], each.name)] = each
            if path and usages.get(path[:-1]) == text.usages:
                # It shows its parent's help, where it has a line.
                line = listed.get(path, NamedText(""))
                text.usages = own or [" ".join((where, line.takes))] * bool(line.takes)
                text.commands = []
                text.description = line.description or text.description
            usage = read_usages(
                text.usages,
                (self._name, *self._argv[1:], *path),
                value_options=[
                    option_name
                    for option in text.options
                    if option.style != "flag"
                    for option_name in option.names
                ],
            )
            commands = self._commands(path, text, usage)
            for command, line in commands.items():
                listed.setdefault((*path, command), line)
                if len(path) < depth:
                    todo.append((*path, command))
                elif self._may_hold((*path, command)):
                    self._refuse(f"{where} {command}", "It lies deeper. Raise depth to take it.")
            if not commands or (usage.runs_alone and usage.commands):
                told = text.description or listed[path].description or self._told(path)
                self._add(path, where, text, usage, told)

    def _roots(self) -> list[tuple[str, ...]]:
        """Return where to begin: what ``allow`` names is found without reading all above it."""
        if self.allow is None:
            return [()]
        named = (takewhile(_is_word, pattern.split()) for pattern in self.allow)
        return list(dict.fromkeys(map(tuple, named)))

    def _commands(
        self, path: tuple[str, ...], text: HelpText, usage: Usage
    ) -> dict[str, NamedText]:
        """Return the sub-commands that may be taken, with what the list says of them."""
        listed = {each.name: each for each in text.commands}
        listed |= {name: NamedText(name) for name in usage.commands if name not in listed}
        return {
            name: line
            for name, line in listed.items()
            if name not in ("help", *path[-1:]) and self._may_hold((*path, name))
        }

    def _told(self, path: tuple[str, ...]) -> str:
        """Look for what a command does where its own help does not say it."""
        if not path or path in self._man or time.monotonic() >= self._deadline:
            return self._man.get(path, "")
        above = self._help(path[:-1])
        for each in above.commands if above else ():
            self._man.setdefault((*path[:-1], each.name), each.description)
        return self._man.get(path, "")

    def _may_hold(self, path: tuple[str, ...]) -> bool:
        """Whether a pattern allows this command, or one below it."""
        if self.allow is None or not path:
            return True
        return any(
            all(
                fnmatch.fnmatchcase(word, pattern)
                for word, pattern in zip(path, _pattern(allowed, len(path)), strict=False)
            )
            and (len(allowed.split()) >= len(path) or allowed.endswith("*"))
            for allowed in self.allow
        )

    def _allows(self, path: tuple[str, ...]) -> bool:
        if self.allow is None:
            return True
        command = " ".join(path)
        return any(fnmatch.fnmatchcase(command, pattern) for pattern in self.allow)

    def _help(self, path: tuple[str, ...]) -> HelpText | None:
        """Ask for help in the ways that programs know; None where none of them helps."""
        fallback: HelpText | None = None
        asked = ["--help", "-h"]
        for way in asked:
            remaining = self._deadline - time.monotonic()
            limits = CommandLimits(
                max(0.1, min(_HELP_TIMEOUT_S, remaining)),
                _HELP_BYTES,
                self._limits.cwd,
                {**_ENGLISH, **(self._limits.environment or {})},
            )
            try:
                result = run_command([*self._argv, *path, way], limits)
            except OSError:
                return None
            output = result.stdout if result.stdout.strip() else result.stderr
            text = read_help(output)
            if not text.is_empty and (result.exit_code == 0 or text.options or text.commands):
                if way != "--help" or not is_man_page(output):
                    return text
                fallback = text
                self._man[path] = text.description
            fallback = fallback or (text if text.usages else None)
            # aws knows neither, and says so.
            if "help" not in asked and _ASK_HELP.search(output):
                asked.append("help")
        return fallback

    def _add(
        self, path: tuple[str, ...], where: str, text: HelpText, usage: Usage, told: str
    ) -> None:
        if not self._allows(path):
            return
        shape = shape_of(where, text, usage)
        tool_name = ".".join((self._name, *path))
        description = told or where
        try:
            function_schema(
                {"name": tool_name, "description": description, "parameters": shape.schema}
            )
        except InvalidFunctionError as error:
            self._refuse(where, str(error))
            return
        self.refusals += shape.refusals
        self.tools.append(
            CommandTool(
                name=tool_name,
                description=description,
                args_schema=dict(shape.schema),
                metadata={"source": "command_line", "origin": where},
                argv=(*self._argv, *path),
                shape=shape,
                limits=self._limits,
            )
        )

    def _refuse(self, where: str, reason: str) -> None:
        self.refusals.append(Refusal(where, reason))


def _is_word(pattern: str) -> bool:
    return not any(character in pattern for character in "*?[")


def _pattern(allowed: str, length: int) -> list[str]:
    """Return a pattern word by word; what a last ``*`` covers is any number of words."""
    words = allowed.split()
    return words + ["*"] * (length - len(words)) if allowed.endswith("*") else words
