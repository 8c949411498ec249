"""A program that runs, or has run."""

import asyncio
import contextlib
import errno
import os
from collections.abc import Callable
from enum import StrEnum
from signal import SIGCONT, SIGKILL, SIGRTMIN, SIGSTOP, SIGTERM, Signals
from typing import Any, Final

from msgspec import Struct

ANSWER_SECONDS: Final = 30.0  # to start or kill a program: who takes longer stands still


class Reason(StrEnum):
    """Why a program never ran."""

    PREPARE = "prepare"  # no process, no user, no room: not the program's fault
    DIRECTORY = "directory"
    NOT_FOUND = "not_found"
    NOT_EXECUTABLE = "not_executable"


class NotStarted(Struct, frozen=True):
    """A program that never ran."""

    reason: Reason
    errno: int

    @classmethod
    def of(cls, step: int, number: int) -> "NotStarted":
        """From what the spawner's process says: the step on which it failed, and the error's number."""
        if step == 1:
            return cls(Reason.PREPARE, number)
        if step == 2:
            return cls(Reason.DIRECTORY, number)
        if number in (errno.ENOENT, errno.ENOTDIR):
            return cls(Reason.NOT_FOUND, number)
        if number in (errno.EAGAIN, errno.ENOMEM):
            return cls(Reason.PREPARE, number)
        return cls(Reason.NOT_EXECUTABLE, number)

    def __str__(self) -> str:
        return os.strerror(self.errno)


class Ended(Struct, frozen=True, kw_only=True):
    """How a program ended, and what it used with all that it waited for."""

    exit_code: int | None = None  # None when a signal ended it, and when it never ran
    signal: int | None = None
    started_at: float = 0.0  # seconds since 1970
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_bytes: int = (
        0  # the most that one of its processes had; never less than the 13 MB of who starts it
    )
    not_started: NotStarted | None = None
    is_lost: bool = False  # the spawner's process has gone, and nobody knows

    @property
    def signal_name(self) -> str | None:
        """As in SIGKILL; most of those for real time have none but SIGRTMIN+6, say."""
        if self.signal is None or self.signal in set(Signals):
            return None if self.signal is None else Signals(self.signal).name
        return f"SIGRTMIN+{self.signal - SIGRTMIN}"


class Process:
    """A program and its group. Who reads the ends of its pipes, `output` and `errors`, closes them."""

    def __init__(
        self, output: int, errors: int, *, send: Callable[[int], None], give_up: Callable[[], None]
    ) -> None:
        """`send` gives its group a signal; `give_up` ends who should do that, and does not."""
        self.output = output
        self.errors = errors
        self._send = send
        self._give_up = give_up
        loop = asyncio.get_running_loop()
        self._pid: asyncio.Future[int | None] = loop.create_future()
        self._ended: asyncio.Future[Ended] = loop.create_future()

    async def pid(self) -> int | None:
        """The number of its first process; None when there is none."""
        await self._answered(self._pid)
        return self._pid.result()

    async def ended(self) -> Ended:
        """Wait until the program, and what is left of its group, has ended."""
        return await asyncio.shield(self._ended)

    def signal(self, number: Signals) -> None:
        """Give a signal to the whole group; nothing happens when it has ended."""
        if not self._ended.done():
            self._send(number)

    def halt(self) -> None:
        """Let the whole group stand still."""
        self.signal(SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.signal(SIGCONT)

    async def stop(self, grace_seconds: float) -> None:
        """Ask it to end, and see to it after the grace. Returns when it has ended."""
        self.signal(SIGTERM)
        self.signal(SIGCONT)  # who stands still hears nothing
        try:
            async with asyncio.timeout(grace_seconds):
                await self.ended()
        except TimeoutError:
            self.signal(SIGKILL)
            await self._answered(self._ended)

    async def _answered(self, answer: asyncio.Future[Any]) -> None:
        """Wait for what comes at once, if it comes: a program can let its starter stand still."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await asyncio.shield(answer)
        except TimeoutError:
            self._give_up()
            await asyncio.shield(answer)

    def close(self) -> None:
        """Close the pipes, unread."""
        os.close(self.output)
        os.close(self.errors)

    def kill_alone(self) -> None:
        """Kill its group without the spawner's process, which is gone."""
        if self._pid.done() and (pid := self._pid.result()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, SIGKILL)

    def has_pid(self, pid: int) -> None:
        """The spawner's word that it runs."""
        self._pid.set_result(pid)

    def has_ended(self, ended: Ended) -> None:
        """The spawner's word on how it ended."""
        if not self._pid.done():
            self._pid.set_result(None)
        self._ended.set_result(ended)

    def is_lost(self) -> None:
        """Its starter has gone."""
        if self._pid.done():
            self.has_ended(Ended(is_lost=True))
        else:
            self.has_ended(Ended(not_started=NotStarted(Reason.PREPARE, errno.EAGAIN)))
