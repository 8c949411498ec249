"""The server's side of the control socket."""

import asyncio
import os
import socket
import struct
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

import msgspec
import structlog
from msgspec import Raw, Struct

from jobengine.control.address import listen, socket_path
from jobengine.control.protocol import (
    LINE_MOST_BYTES,
    LINE_SECONDS,
    PROGRESS_SECONDS,
    Answer,
    Progress,
    Question,
    Refused,
    Result,
)
from jobengine.errors import BadRequest, BodyTooLarge, JobEngineError, Unavailable

CONNECTIONS_MOST: Final = 8
FINISH_SECONDS: Final = 1.0
_CREDENTIALS: Final = struct.Struct("3i")  # pid, user, group: see unix(7)
_ROOT: Final = 0

_questions: Final[msgspec.json.Decoder[Question]] = msgspec.json.Decoder(Question)

log = structlog.get_logger(__name__)


class ControlServer:
    """Takes one question a connection, from the server's own user and from root.

    What was begun goes on when the one who asked goes away.
    """

    def __init__(
        self,
        database: Path,
        answer: Callable[[Question], Awaitable[Struct]],
        *,
        bytes_written: Callable[[], int],
        users: frozenset[int] | None = None,
    ) -> None:
        self._path = socket_path(database)
        self._answer = answer
        self._bytes_written = bytes_written
        self._users = frozenset((os.geteuid(), _ROOT)) if users is None else users
        self._listening: asyncio.AbstractServer | None = None
        self._connections: set[asyncio.Task[None]] = set()  # all of them
        self._unasked: set[asyncio.Task[None]] = set()  # those among them whose question is not there yet
        self._begun: set[asyncio.Task[Answer]] = set()

    async def start(self) -> None:
        """Listen. Where that cannot be, the server does without, and says so."""
        if self._listening is not None:
            return
        try:
            listening = listen(self._path)
        except OSError as error:
            log.warning("no_control_socket", path=str(self._path), reason=error.strerror)
            return
        self._listening = await asyncio.start_unix_server(
            self._converse, sock=listening, limit=LINE_MOST_BYTES
        )

    async def stop(self) -> None:
        """Listen no more. What was begun goes on."""
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.close()
            with suppress(FileNotFoundError):
                self._path.unlink()
        for waiting in self._unasked:
            waiting.cancel()

    async def finish(self) -> None:
        """Tell those who wait what became of it. The engine has stopped before, and broken it off."""
        if self._connections:
            await asyncio.wait(self._connections, timeout=FINISH_SECONDS)
        for late in (*self._begun, *self._connections):
            late.cancel()
        await asyncio.gather(*self._begun, *self._connections, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        this = cast(asyncio.Task[None], asyncio.current_task())
        self._connections.add(this)
        try:
            peer = _peer(writer)
            if peer.user not in self._users:
                return
            if len(self._connections) > CONNECTIONS_MOST:
                _send(_refused(Unavailable("too many questions at once; try again")), writer)
            else:
                await self._reply(await self._question(reader, this), peer, writer)
        finally:
            self._connections.discard(this)
            writer.close()

    async def _question(self, reader: asyncio.StreamReader, this: asyncio.Task[None]) -> Question | Refused:
        self._unasked.add(this)
        try:
            async with asyncio.timeout(LINE_SECONDS):
                line = await reader.readuntil()
            return _questions.decode(line)
        except asyncio.LimitOverrunError:
            return _refused(BodyTooLarge(f"a question may have {LINE_MOST_BYTES} bytes"))
        except (TimeoutError, asyncio.IncompleteReadError):
            return _refused(BadRequest("the question did not come whole"))
        except (msgspec.DecodeError, UnicodeDecodeError):
            # Without the cause: its text might hold a SECRET.
            return _refused(BadRequest("the server does not know this question; is it of another version?"))
        finally:
            self._unasked.discard(this)

    async def _reply(self, question: Question | Refused, peer: "Peer", writer: asyncio.StreamWriter) -> None:
        if isinstance(question, Refused):
            _send(question, writer)
            return
        log.info("control_asked", what=_name(question), pid=peer.pid, user=peer.user)
        begun = asyncio.create_task(self._outcome(question))
        self._begun.add(begun)
        begun.add_done_callback(self._begun.discard)
        while not (await asyncio.wait((begun,), timeout=PROGRESS_SECONDS))[0]:
            if writer.transport.is_closing():
                return
            _send(Progress(self._bytes_written()), writer)
        _send(begun.result(), writer)

    async def _outcome(self, question: Question) -> Answer:
        """The last answer, whatever happens."""
        try:
            value = await self._answer(question)
        except JobEngineError as refusal:
            log.warning("control_refused", what=_name(question), code=refusal.code, reason=refusal.detail)
            return _refused(refusal)
        except Exception as error:  # noqa: BLE001 - a fault in one answer does not end the server
            # Without its words, which might hold a SECRET.
            where = traceback.format_tb(error.__traceback__)
            log.error("control_failed", what=_name(question), error=type(error).__name__, where=where)
            return _refused(JobEngineError("this failed inside the server; its log says where"))
        log.info("control_done", what=_name(question))
        return Result(Raw(msgspec.json.encode(value)))


class Peer(Struct, frozen=True):
    """The process at the other end, as the system knows it."""

    pid: int
    user: int


def _peer(writer: asyncio.StreamWriter) -> Peer:
    connection: socket.socket = writer.get_extra_info("socket")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, user, _ = _CREDENTIALS.unpack(credentials)
    return Peer(pid, user)


def _send(answer: Answer, writer: asyncio.StreamWriter) -> None:
    # Not waited for: answers are short, and who does not read them keeps nobody waiting.
    if not writer.transport.is_closing():
        writer.write(msgspec.json.encode(answer) + b"\n")


def _refused(refusal: JobEngineError) -> Refused:
    return Refused(refusal.code, refusal.detail)


def _name(question: Question) -> str:
    return type(question).__name__.lower()
