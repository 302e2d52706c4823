"""One command, run with limits on time, output and what it can see.

Covered: an argument list, never a shell; no input; a deadline for the command and whatever it
started in its process group; output beyond a limit stops it; an environment of a few harmless
variables, so that keys in the caller's environment stay there.

Not covered: a child that leaves the process group outlives the deadline, and one in the background
a command that ends before it. What the command may
read, write or reach is up to the machine: run untrusted ones in a container. ``HOME`` is passed,
so a command finds its own configuration and logins.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

_PASSED: Final = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP",
    "SYSTEMROOT", "COMSPEC", "PATHEXT", "APPDATA", "LOCALAPPDATA", "USERPROFILE",
)  # fmt: skip
_SET: Final = {
    "TERM": "dumb",
    "NO_COLOR": "1",
    "COLUMNS": "200",
    "TERMINAL_WIDTH": "200",
    "MANWIDTH": "120",
    "PAGER": "cat",
    "MANPAGER": "cat",
    "GIT_PAGER": "cat",
    "AWS_PAGER": "",
    "GIT_TERMINAL_PROMPT": "0",
    "PIP_NO_INPUT": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    "PYTHONIOENCODING": "utf-8",
}
"""No colours, no pager, no questions; wide enough that help is not cut."""

_GRACE_S: Final = 0.5
_SLICE_S: Final = 0.05


@dataclass(frozen=True)
class CommandLimits:
    """What every run of a command may cost.

    Attributes:
        timeout_s: Most seconds.
        max_bytes: Of stdout and of stderr, each; a command that writes more is stopped.
        cwd: Where it runs; None for the current folder.
        environment: Variables beside the harmless ones, such as a key that the command needs.
    """

    timeout_s: float = 30.0
    max_bytes: int = 10_000_000
    cwd: Path | None = None
    # Kept out of the repr, which LangChain puts into traces: a key is what stands here.
    environment: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class CommandResult:
    """What a command did.

    Attributes:
        argv: What ran.
        exit_code: 0 for success; negative for the signal that ended it.
        stdout: At most ``max_bytes``, as UTF-8.
        stderr: Likewise.
        timed_out: It was stopped at its deadline.
        is_cut: It was stopped because it wrote too much.
        seconds: How long it took.
    """

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    timed_out: bool = False
    is_cut: bool = False
    seconds: float = 0.0


def run_command(
    argv: Sequence[str], limits: CommandLimits, *, cancelled: threading.Event | None = None
) -> CommandResult:
    """Run a command to its end, or to one of its limits.

    Args:
        argv: The program and its arguments.
        limits: See there.
        cancelled: Stops it when set.

    Raises:
        OSError: It cannot be started.
    """
    begun = time.monotonic()
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=limits.cwd,
        env=clean_environment(limits.environment),
        start_new_session=True,
    )
    over, readers = threading.Event(), []
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        reader = _Reader(stream, limits.max_bytes, over)
        reader.start()
        readers.append(reader)
    deadline = begun + limits.timeout_s
    timed_out = False
    try:
        while any(reader.is_alive() for reader in readers) and not over.is_set():
            readers[0].join(_SLICE_S)
            readers[1].join(_SLICE_S)
            if process.poll() is not None:
                # A child in the background may keep the pipes open for ever.
                for reader in readers:
                    reader.join(_GRACE_S)
                break
            if cancelled is not None and cancelled.is_set():
                break
            if time.monotonic() >= deadline:
                timed_out = True
                break
        else:
            if not over.is_set():
                timed_out = not _ends_by(process, deadline, cancelled)
    finally:
        if process.poll() is None:
            _stop(process)
    stdout, stderr = (reader.text() for reader in readers)
    return CommandResult(
        tuple(argv),
        process.returncode,
        stdout,
        stderr,
        timed_out,
        over.is_set(),
        time.monotonic() - begun,
    )


def clean_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that a command gets: few of the caller's, and those it is given."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in _PASSED or name.startswith("LC_")
    }
    return {**kept, **_SET, **(more or {})}


def _ends_by(
    process: "subprocess.Popen[bytes]", deadline: float, cancelled: threading.Event | None
) -> bool:
    """Wait for a process that has closed its output."""
    while cancelled is None or not cancelled.is_set():
        try:
            process.wait(min(_GRACE_S, max(0.0, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline:
                return False
        else:
            break
    return True


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End the process and all that it started in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


class _Reader(threading.Thread):
    """Reads one stream, and says so when it has had enough."""

    def __init__(self, stream: IO[bytes], max_bytes: int, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self._stream: Any = stream
        self._max_bytes = max_bytes
        self._over = over
        self._read = bytearray()

    def run(self) -> None:
        """Read until the end or the limit."""
        with contextlib.suppress(OSError, ValueError):
            while piece := self._stream.read1(65_536):
                room = self._max_bytes - len(self._read)
                self._read += piece[:room]
                if len(piece) > room:
                    self._over.set()
                    break
            self._stream.close()

    def text(self) -> str:
        """Return what was read so far."""
        return bytes(self._read).decode("utf-8", errors="replace")
