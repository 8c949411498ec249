"""The worker's side of the spawner. The only door through which this package starts the programs of jobs."""

import asyncio
import contextlib
import errno
import fcntl
import os
import socket
from itertools import count
from typing import Final

import structlog
from msgspec import Struct, json

from jobengine.work.spawner import kernel
from jobengine.work.spawner.channel import Channel
from jobengine.work.spawner.connection import PACKET_BYTES
from jobengine.work.spawner.launch import Launch
from jobengine.work.spawner.process import Process
from jobengine.work.spawner.server import command
from jobengine.work.spawner.starter_link import StarterLink

_PIPE_BYTES: Final = 256 * 1024  # a program that prints much is not held up by every turn of the loop
_STOP_SECONDS: Final = 5.0  # its own process gives up sooner
_IDLE_MOST: Final = 8  # starters whose configuration may be gone

log = structlog.get_logger(__name__)


class _Word(Struct, frozen=True):
    profile: str = ""
    starter: int | None = None
    errno: int | None = None
    gone: int | None = None


class Spawner:
    """Starts programs through a small process, which ends with this one and takes all of them with it."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._starting = asyncio.Lock()
        self._channel: Channel | None = None
        self._server: asyncio.subprocess.Process | None = None
        self._links: dict[int, StarterLink] = {}
        self._by_profile: dict[str, asyncio.Future[StarterLink]] = {}

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
        if self._server is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await self._server.wait()
            if self._server.returncode is None:
                self._server.kill()
                await self._server.wait()
            self._server = None
        self._lose_all()

    async def spawn(self, launch: Launch) -> Process:
        """Start a program; one that cannot be started has ended with its reason.

        Raises OSError when there is no room for its pipes, or when its arguments are longer than can be said.
        """
        await self.start()
        run = next(self._numbers)
        packet = _packet(run, launch)
        link = await self._link(_profile(launch))
        output = _pipe()
        try:
            errors = _pipe()
        except OSError:
            for end in output:
                os.close(end)
            raise
        return await link.launch(run, packet, output, errors)

    async def _link(self, profile: str) -> StarterLink:
        known = self._by_profile.get(profile)
        if known is None or (known.done() and not known.result().is_open):
            self._close_idle()
            known = self._by_profile[profile] = asyncio.get_running_loop().create_future()
            self._send({"profile": profile})
        return await asyncio.shield(known)

    def _close_idle(self) -> None:
        if len(self._links) >= _IDLE_MOST:
            for link in self._links.values():
                if link.is_idle:
                    link.close()

    def _send(self, what: dict[str, object]) -> None:
        if self._channel is not None:
            self._channel.send(json.encode(what))

    def _receive(self, packet: bytes, descriptors: list[int]) -> None:
        word = json.decode(packet, type=_Word)
        if word.gone is not None:
            self._links.pop(word.gone).is_gone()
        elif word.starter is not None:
            connection = socket.socket(fileno=descriptors[0])
            link = StarterLink(word.starter, connection, end=lambda number: self._send({"end": number}))
            self._links[word.starter] = link
            self._by_profile[word.profile].set_result(link)
        elif word.errno is not None:
            failure = OSError(word.errno, os.strerror(word.errno))
            self._by_profile.pop(word.profile).set_exception(failure)

    def _gone(self) -> None:
        """The spawner's process has ended, unasked. Its programs end with it; the next one starts another."""
        log.error("spawner_gone")
        self._channel = None
        self._lose_all()

    def _lose_all(self) -> None:
        links, self._links = self._links, {}
        for link in links.values():
            link.kill_alone()
            link.is_gone()
        waiting, self._by_profile = self._by_profile, {}
        for link_to_be in waiting.values():
            if not link_to_be.done():
                link_to_be.set_exception(OSError(errno.ECONNRESET, "the spawner has ended"))


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


def _profile(launch: Launch) -> str:
    """What holds for a starter and all that it starts."""
    user, limits = launch.user, launch.limits
    as_whom = None if user is None else (user.user_id, user.group_id, user.groups)
    said = {"user": as_whom, "limits": limits.inherited(), "cpu_limit": limits.cpu()}
    return json.encode(said).decode()


def _packet(run: int, launch: Launch) -> bytes:
    said = {
        "argv": launch.argv,
        "directory": str(launch.directory),
        "environment": launch.environment,
        "is_sandboxed": launch.is_sandboxed,
    }
    packet = json.encode({"run": run, "launch": said})
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
