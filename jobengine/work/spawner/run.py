"""One program that was started, and all that came of it. Standard library only."""

import contextlib
import os
import re
import resource
import signal
import time
from typing import Final

_FIRST_INSIDE: Final = re.compile(rb'"child-pid": ([0-9]+)')


class Moment:
    """Now, on both clocks: for people, and for how long something takes."""

    def __init__(self) -> None:
        self.time = time.time()
        self.monotonic = time.monotonic()


class Run:
    """The group of one program; in a sandbox also the first process inside, which has a group of its own."""

    def __init__(self, number: int, leader: int, inside: int | None, started: Moment) -> None:
        self.number = number
        self.leader = leader
        self.is_looked_after_until = 0.0  # monotonic; then what is left over is left alone
        self.is_sandboxed = inside is not None
        self.inside = inside  # the pipe on which the sandbox says who is the first inside, until it has
        self.first_inside: int | None = None
        self.known: set[int] = set()  # what was seen to come of it: some of that hides whose it is later
        self._status = 0
        self._started = started
        self._seconds = 0.0
        self._cpu_seconds = 0.0
        self._memory_bytes = 0

    def learn_inside(self) -> int | None:
        """Read who is the first inside. The pipe, when it has come to its end and is closed."""
        if self.inside is None:
            return None
        try:
            said = os.read(self.inside, 4096)
        except BlockingIOError:
            return None
        # JSON in several pieces, of which the first has it; but the sandbox must be able to say them all.
        if found := _FIRST_INSIDE.search(said):
            self.first_inside = int(found[1])
        return None if said else self.close()

    def close(self) -> int | None:
        """Close the pipe, and say which it was."""
        pipe, self.inside = self.inside, None
        if pipe is not None:
            os.close(pipe)
        return pipe

    def owns(self, process: int) -> bool:
        """Whether a process is of its session, or the sandbox's first."""
        with contextlib.suppress(ProcessLookupError):
            return process == self.first_inside or os.getsid(process) == self.leader
        return False

    def leads(self, process: int) -> bool:
        """Whether a process is of its group."""
        with contextlib.suppress(ProcessLookupError):
            return os.getpgid(process) == self.leader
        return False

    def signal(self, number: int) -> None:
        """Give a signal to the group."""
        first = self.first_inside
        # Of a sandbox the process outside is spared: by its end all inside would be killed, without a word.
        if first is None or number in (signal.SIGKILL, signal.SIGCONT):
            _to_group(self.leader, number)
        if first is not None:
            _to_group(first, number)

    def used(self, usage: resource.struct_rusage) -> None:
        """One of its processes has ended."""
        self._cpu_seconds += usage.ru_utime + usage.ru_stime
        self._memory_bytes = max(self._memory_bytes, usage.ru_maxrss * 1024)

    def leader_ended(self, status: int, *, look_seconds: float) -> None:
        """What is left of it has to end now."""
        self._status = status
        self._seconds = time.monotonic() - self._started.monotonic
        self.is_looked_after_until = time.monotonic() + look_seconds

    def ended(self) -> dict[str, object]:
        """How it ended, for the worker."""
        return {
            "status": os.waitstatus_to_exitcode(self._status),
            "started_at": self._started.time,
            "seconds": self._seconds,
            "cpu_seconds": self._cpu_seconds,
            "memory_bytes": self._memory_bytes,
        }


def _to_group(leader: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
