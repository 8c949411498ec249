"""The command `jobengine`, as a process of its own."""

import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.support.server import SECRET

_COMMAND = (sys.executable, "-m", "jobengine")
_PROJECT = str(Path(__file__).parents[2])


def run(
    *arguments: str | Path, stdin: bytes = b"", before: Sequence[str] = (), **environment: str | Path
) -> subprocess.CompletedProcess[bytes]:
    """Run it without a terminal. SECRET is the servers' own where the test gives no other.

    `before` are the words of another program that starts it.
    """
    return subprocess.run(
        [*before, *_COMMAND, *map(str, arguments)],
        env=_environment(SECRET=SECRET) | {name: str(value) for name, value in environment.items()},
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )


def run_on_terminal(*arguments: str | Path, typed: Sequence[str], **environment: str) -> tuple[int, str]:
    """Run it on a terminal, type each line when it asks for one. The exit code, and what it showed."""
    pid, terminal = pty.fork()
    if not pid:
        os.execve(sys.executable, [*_COMMAND, *map(str, arguments)], _environment(**environment))
    shown, left = "", list(typed)
    with suppress(OSError):  # a terminal whose program has ended
        while data := os.read(terminal, 65536):
            shown += data.decode()
            if left and shown.endswith(": "):  # the space comes when nothing is echoed any more
                os.write(terminal, f"{left.pop(0)}\n".encode())
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def _environment(**more: str) -> dict[str, str]:
    names = ("PATH", "HOME", "LANG")
    inherited = {name: os.environ[name] for name in names if name in os.environ}
    return inherited | {"PYTHONPATH": _PROJECT, "TERM": "dumb"} | more
