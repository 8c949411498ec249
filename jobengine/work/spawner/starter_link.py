"""The worker's side of one starter: what it runs, and its words on that."""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable
from typing import Final

from msgspec import Struct, json

from jobengine.work.spawner.channel import Channel
from jobengine.work.spawner.process import Ended, NotStarted, Process


class _Failure(Struct, frozen=True):
    step: int
    errno: int


class _Ending(Struct, frozen=True):
    status: int
    started_at: float
    seconds: float
    cpu_seconds: float
    memory_bytes: int

    def told(self) -> Ended:
        return Ended(
            exit_code=self.status if self.status >= 0 else None,
            signal=-self.status if self.status < 0 else None,
            started_at=self.started_at,
            seconds=self.seconds,
            cpu_seconds=self.cpu_seconds,
            memory_bytes=self.memory_bytes,
        )


class _Word(Struct, frozen=True):
    run: int
    pid: int | None = None
    ended: _Ending | None = None
    failed: _Failure | None = None


_WORDS: Final = json.Decoder(_Word)


class StarterLink:
    """One starter, as long as it lives."""

    def __init__(self, number: int, connection: socket.socket, *, end: Callable[[int], None]) -> None:
        """`end` has this starter killed."""
        self.number = number
        self.is_open = True
        self._end = end
        self._processes: dict[int, Process] = {}
        self._channel = Channel(connection, self._receive, self._closed)

    @property
    def is_idle(self) -> bool:
        """Whether it runs nothing."""
        return not self._processes

    async def launch(
        self, run: int, packet: bytes, output: tuple[int, int], errors: tuple[int, int]
    ) -> Process:
        """Start a program with these pipes, of which the ends to write are closed then.

        Raises OSError when the starter has ended meanwhile: nobody would say what became of it.
        """
        if not self.is_open:
            for end in (*output, *errors):
                os.close(end)
            raise OSError(errno.ECONNRESET, "the starter has ended")
        process = Process(
            output[0],
            errors[0],
            send=lambda number: self._channel.send(json.encode({"run": run, "signal": number})),
            give_up=lambda: self._end(self.number),
        )
        self._processes[run] = process
        self._channel.send(packet, (output[1], errors[1]))
        try:
            await process.pid()
        except asyncio.CancelledError:
            process.signal(signal.SIGKILL)
            process.close()
            raise
        return process

    def close(self) -> None:
        """Have it end, with all that it runs."""
        self.is_open = False
        self._channel.close()

    def is_gone(self) -> None:
        """It has ended, and so has all that it ran."""
        if self.is_open:
            self._channel.read()  # its last words may still be there
        self.close()
        processes, self._processes = self._processes, {}
        for process in processes.values():
            process.is_lost()

    def kill_alone(self) -> None:
        """Kill what it runs, without the help of the spawner's process."""
        for process in self._processes.values():
            process.kill_alone()

    def _closed(self) -> None:
        self.is_open = False  # what became of its programs the spawner's own process says

    def _receive(self, packet: bytes, descriptors: list[int]) -> None:
        for descriptor in descriptors:
            os.close(descriptor)  # there are none
        word = _WORDS.decode(packet)
        if word.pid is not None:
            self._processes[word.run].has_pid(word.pid)
        if word.ended is not None:
            self._processes.pop(word.run).has_ended(word.ended.told())
        if word.failed is not None:
            failed = NotStarted.of(word.failed.step, word.failed.errno)
            self._processes.pop(word.run).has_ended(Ended(not_started=failed))
