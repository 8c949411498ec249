"""Children, own and adopted, and whose they were. Standard library only."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# Every program is started with it, and what that starts has it too unless it takes care not to.
MARK: Final = "JOBENGINE_RUN"


def children() -> list[int]:
    """The children of this process."""
    process = os.getpid()
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def mark_of(process: int) -> str | None:
    """The mark that a process was started with, when it has one and it can be read."""
    start = f"{MARK}=".encode()
    try:
        environment = Path(f"/proc/{process}/environ").read_bytes()
    except OSError:
        return None
    marks = (entry[len(start) :] for entry in environment.split(b"\0") if entry.startswith(start))
    return next(marks, b"").decode(errors="replace") or None


def ended_children() -> Iterator[int]:
    """Children that have ended, each while its number is still its own: the caller waits for it then."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None:
            return
        yield ended.si_pid


def kill(process: int) -> None:
    """End a process, if it is there and may be ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, signal.SIGKILL)
