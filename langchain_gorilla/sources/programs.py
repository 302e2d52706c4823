"""Which program a command names, and what its tools are called."""

import os
import shlex
import shutil
from pathlib import Path
from typing import Final

from langchain_gorilla.errors import SourceError

_SHELLS: Final = frozenset([
    "sh", "bash", "dash", "zsh", "fish", "ksh", "csh", "tcsh", "busybox", "cmd", "powershell",
    "pwsh", "sudo", "su", "doas", "runuser", "env", "xargs", "parallel", "chroot", "chrt", "flock",
    "ionice", "nice", "nohup", "nsenter", "prlimit", "script", "setarch", "setpriv", "setsid",
    "stdbuf", "strace", "systemd-run", "taskset", "time", "timeout", "unshare", "watch",
])  # fmt: skip
"""Programs that run any other: shells, and those that start one with another user, place or limit."""


def command_words(command: str) -> tuple[str, ...]:
    """Take a command apart as a shell does.

    Raises:
        SourceError: A quote is not closed.
    """
    try:
        return tuple(shlex.split(command))
    except ValueError as error:
        raise SourceError(
            f"The command line {command!r:.200} cannot be read: {error}. Close the quote, or put a "
            "backslash before it."
        ) from error


def program_of(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words with the path of the program in the first one's place.

    Raises:
        SourceError: There is no such program, or it runs any program that it is told to.
    """
    if not words:
        raise SourceError("No command is given. Name a program, such as 'git'.")
    path = shutil.which(words[0])
    if path is None:
        raise SourceError(f"There is no program {words[0]!r} here. Install it, or give its path.")
    if Path(words[0]).stem.lower() in _SHELLS:
        raise SourceError(f"{words[0]} runs any program it is told to. Name the program itself.")
    # Not resolved: a virtual environment's python is a link to another one.
    return (os.path.abspath(path), *words[1:])


def default_name(words: tuple[str, ...]) -> str:
    """Return ``git`` for ``/usr/bin/git``, ``json.tool`` for ``python -m json.tool``."""
    if len(words) > 2 and words[1] == "-m":
        return ".".join(words[2:])
    return ".".join(
        [Path(words[0]).stem, *(word for word in words[1:] if not word.startswith("-"))]
    )
