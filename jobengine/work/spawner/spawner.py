"""The worker's side of the spawner. The only door through which this package starts the programs of jobs."""

import asyncio
import contextlib
import errno
import fcntl
import os
import signal
import socket
from itertools import count
from typing import Final

import structlog
from msgspec import Struct, json

from jobengine.work.spawner import kernel
from jobengine.work.spawner.channel import Channel
from jobengine.work.spawner.connection import PACKET_BYTES
from jobengine.work.spawner.launch import Launch
from jobengine.work.spawner.process import Ended, NotStarted, Process
from jobengine.work.spawner.server import command

_PIPE_BYTES: Final = 256 * 1024  # a program that prints much is not held up by every turn of the loop
_STOP_SECONDS: Final = 5.0
log = structlog.get_logger(__name__)


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
            signal=signal.Signals(-self.status) if self.status < 0 else None,
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
    lost: bool = False


class Spawner:
    """Starts programs through a small process that ends with this one, and takes with it all it has started."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._starting = asyncio.Lock()
        self._channel: Channel | None = None
        self._server: asyncio.subprocess.Process | None = None
        self._processes: dict[int, Process] = {}

    async def start(self) -> None:
        """Start the spawner's process, and hide this one's memory from all that it will start."""
        async with self._starting:
            if self._channel is not None:
                return
            kernel.hide_memory()
            mine, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with contextlib.ExitStack() as undo:
                undo.callback(mine.close)
                self._server = await _start_server(other)
                undo.pop_all()
            self._channel = Channel(mine, self._receive, self._gone)

    async def stop(self) -> None:
        """End all that was started, and the spawner's process."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
            self._lose_all()
        if self._server is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await self._server.wait()
            if self._server.returncode is None:
                self._server.kill()
                await self._server.wait()
            self._server = None

    async def spawn(self, launch: Launch) -> Process:
        """Start a program; one that cannot be started has ended with its reason. Raises OSError.

        That says that this machine, not the program, has no room, or that the launch is longer than can be said.
        """
        await self.start()
        number = next(self._numbers)
        packet = _packet(number, launch)
        output, output_end = _pipe()
        try:
            errors, errors_end = _pipe()
        except OSError:
            os.close(output)
            os.close(output_end)
            raise
        process = Process(output, errors, lambda signal: self._signal(number, signal))
        self._processes[number] = process
        self._send(packet, (output_end, errors_end))
        try:
            await process.pid()
        except asyncio.CancelledError:
            self._signal(number, signal.SIGKILL)
            process.close()
            raise
        return process

    def _signal(self, number: int, which: int) -> None:
        self._send(json.encode({"run": number, "signal": which}))

    def _send(self, packet: bytes, descriptors: tuple[int, ...] = ()) -> None:
        if self._channel is not None:
            self._channel.send(packet, descriptors)

    def _receive(self, packet: bytes) -> None:
        word = json.decode(packet, type=_Word)
        if word.pid is not None:
            self._processes[word.run].has_pid(word.pid)
        if word.ended is not None:
            self._processes.pop(word.run).has_ended(word.ended.told())
        if word.failed is not None:
            failed = NotStarted.of(word.failed.step, word.failed.errno)
            self._processes.pop(word.run).has_ended(Ended(not_started=failed))
        if word.lost:
            self._processes.pop(word.run).has_ended(Ended(is_lost=True))

    def _gone(self) -> None:
        """The spawner's process has ended, unasked. Its programs end with it; the next one starts another."""
        log.error("spawner_gone", lost=len(self._processes))
        self._channel = None
        self._lose_all()

    def _lose_all(self) -> None:
        processes, self._processes = self._processes, {}
        for process in processes.values():
            process.kill_alone()
            process.has_ended(Ended(is_lost=True))


async def _start_server(connection: socket.socket) -> asyncio.subprocess.Process:
    """Nothing of this process's environment reaches it, so no program can find it there."""
    with connection:
        return await asyncio.create_subprocess_exec(
            *command("server", str(connection.fileno()), str(os.getpid())),
            pass_fds=[connection.fileno()],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            env={},
            cwd="/",
            start_new_session=True,
        )


def _packet(number: int, launch: Launch) -> bytes:
    user = None if launch.user is None else (launch.user.user_id, launch.user.group_id, launch.user.groups)
    said = {
        "argv": launch.argv,
        "directory": str(launch.directory),
        "environment": launch.environment,
        "cpu_limit": launch.limits.cpu(),
        "is_sandboxed": launch.is_sandboxed,
    }
    profile = json.encode({"user": user, "limits": launch.limits.inherited()}).decode()
    packet = json.encode({"run": number, "profile": profile, "launch": said})
    if len(packet) > PACKET_BYTES:
        raise OSError(errno.E2BIG, os.strerror(errno.E2BIG))
    return packet


def _pipe() -> tuple[int, int]:
    """The end to read, which does not block, and the end to write."""
    end, other = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(end, False)
    with contextlib.suppress(OSError):  # the user has many pipes: smaller ones then
        fcntl.fcntl(other, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return end, other
