"""Children, own and adopted, whose they were, and how they end. Standard library only."""

import contextlib
import os
import signal
import time
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Final

# Every program is started with it, and what that starts has it too unless it takes care not to.
MARK: Final = "JOBENGINE_RUN"
_END_SECONDS: Final = 3.0  # what is killed is gone after milliseconds, but for one that waits for a disk


def children() -> list[int]:
    """The children of this process."""
    process = os.getpid()
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN
        return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _parent(path) == process]


def _parent(path: Path) -> int | None:
    try:
        return int((path / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def families(heads: Iterable[int]) -> set[int]:
    """These processes, and all below them."""
    below = defaultdict(list)
    for path in Path("/proc").glob("[0-9]*"):
        below[_parent(path)].append(int(path.name))
    found = set(heads)
    new = list(found)
    while new:
        new = [child for process in new for child in below[process] if child not in found]
        found.update(new)
    return found


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


def reap() -> None:
    """Let go of the children that have ended."""
    for child in ended_children():
        os.waitpid(child, 0)


def end_children(*, but: Container[int]) -> None:
    """End all children but these, and what of theirs is adopted by that."""
    until = time.monotonic() + _END_SECONDS
    while (left := [child for child in children() if child not in but]) and time.monotonic() < until:
        end_families(left)
        reap()
        time.sleep(0.001)


def end_families(heads: Iterable[int]) -> set[int]:
    """End these processes, and all below them. Gives all of them back: they may still be about to go.

    All are made to stand still first: what forks without end makes others faster than they can be ended.
    """
    new, still = set(heads), set[int]()
    while new:
        for process in new:
            give(process, signal.SIGSTOP)
        still |= new
        new = families(still) - still
    for process in still:
        give(process, signal.SIGKILL)
    return still


def give(process: int, number: int) -> None:
    """Give a process a signal, if it is there and that is allowed."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, number)
