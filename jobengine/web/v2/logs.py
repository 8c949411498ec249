"""What a job that is run writes: its holder appends, and others read it, or follow it while it grows."""

import re
from collections.abc import AsyncGenerator
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct, field

from jobengine.access import Action
from jobengine.errors import NotFound, Unavailable
from jobengine.model.commands import Log
from jobengine.model.job import Job
from jobengine.model.log import JobLog, Stream
from jobengine.web.reply import NO_CONTENT, Reply
from jobengine.web.reply import Stream as Pieces
from jobengine.web.request import Request
from jobengine.web.routes import Variables
from jobengine.web.v2.broker import Broker
from jobengine.web.v2.decoding import read_query, wrong
from jobengine.web.v2.durations import Wait
from jobengine.web.v2.log_lines import Reader

EVENTS: Final = b"text/event-stream"
LINES: Final = b"application/x-ndjson"
PLAIN: Final = b"text/plain; charset=utf-8"
LINES_MOST_BYTES: Final = 4 * 1024 * 1024  # of a log in one answer, which JSON may make six times as long
BEAT_SECONDS: Final = 15.0  # between signs of life: proxies close what is silent

_LEASE: Final = re.compile(r"[0-9a-f]{16}", re.ASCII)
_NO_GUESSES: Final = b"X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"


class AppendQuery(Struct, frozen=True):
    """Where the body belongs."""

    stream: Stream
    offset: Annotated[int, Meta(ge=0, le=2**53)]  # bytes of the stream before it


class ReadQuery(Struct, frozen=True):
    """What is wanted of a log, and from where on."""

    stream: Stream | None = None  # one of them only, and without `follow` and `after` as it was written
    follow: Annotated[int, Meta(ge=0, le=1)] = 0
    after: str | None = None  # Log-Position of an earlier answer: only what came behind it
    wait: Wait = field(default_factory=lambda: Wait(0))  # for more than that


class Logs:
    """POST and GET /queues/{queue}/jobs/{uid}/log."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def append(self, request: Request, variables: Variables) -> Reply:
        """Put these bytes behind what is there."""
        caller = self._broker.caller(request, variables, Action.SETTLE)
        query = read_query(request, AppendQuery)
        lease = _lease(request)
        data = await self._broker.bodies.read_bytes(request)
        uid = variables["uid"].lower()
        await self._broker.engine.submit(Log(caller.queue, uid, lease, query.stream, query.offset, data))
        return Reply(NO_CONTENT)

    async def read(self, request: Request, variables: Variables) -> Reply:
        """What the job has written: as lines of JSON, as it was written, or as events while it grows."""
        caller = self._broker.caller(request, variables, Action.FOLLOW)
        query = read_query(request, ReadQuery)
        uid = variables["uid"].lower()
        reader = Reader(self._broker.engine, query.stream)
        if query.follow:
            _go_to(reader, request.headers.get("Last-Event-ID"), "Last-Event-ID")
            job, log = await self._broker.engine.log(caller.queue, uid)
            return _answer(self._events(request, reader, job, log), EVENTS, b"")
        _go_to(reader, query.after, "after")
        if query.stream is not None and query.after is None:
            _, log = await self._broker.engine.log(caller.queue, uid)
            return _answer(_plain(reader, log), PLAIN, b"")
        return await self._lines(request, reader, caller.queue, uid, query.wait)

    async def _lines(self, request: Request, reader: Reader, queue: str, uid: str, wait: Wait) -> Reply:
        engine = self._broker.engine
        job, log = await engine.log(queue, uid)
        lines = await _new_lines(reader, job, log)
        if not lines and wait and not job.has_ended:
            more = engine.log(queue, uid, known=log, wait=wait.seconds)
            job, log = await self._broker.patience.wait(request, more)
            lines = await _new_lines(reader, job, log)
        told = b"Log-Position: %b\r\nJob-State: %b\r\n" % (reader.position.encode(), job.state.encode())
        if reader.has_more:
            told += b"Log-More: true\r\n"
        return Reply(200, b"".join(lines), content_type=LINES, headers=told + _NO_GUESSES)

    async def _events(
        self, request: Request, reader: Reader, job: Job, log: JobLog | None
    ) -> AsyncGenerator[bytes, None]:
        """Until the job has ended, or is gone, or the server stops."""
        yield b": the log of a job\n\n"
        try:
            while True:
                async for piece in reader.pieces(log, is_over=job.has_ended):
                    id_ = reader.position.encode()
                    yield b"event: %b\nid: %b\ndata: %b\n\n" % (piece.stream.encode(), id_, piece.line())
                if job.has_ended:
                    break
                more = self._broker.engine.log(job.queue, job.uid, known=log, wait=BEAT_SECONDS)
                known = log
                job, log = await self._broker.patience.wait(request, more)
                if log is known:
                    yield b": nothing new\n\n"
            state = job.state.value
        except NotFound:
            state = "gone"
        except Unavailable:
            return  # the server stops: who follows comes again
        yield b"event: end\ndata: %b\n\n" % msgspec.json.encode({"state": state})


def _lease(request: Request) -> int:
    """Raises ValidationFailed."""
    values = request.headers.getall("X-Lease", ())
    if len(values) != 1 or not _LEASE.fullmatch(values[0]):
        raise wrong("X-Lease", "must be the lease id of a claimed job: 16 lower-case hex digits")
    return int(values[0], 16)


def _answer(pieces: AsyncGenerator[bytes, None], content_type: bytes, headers: bytes) -> Reply:
    reply = Pieces(pieces)
    reply.content_type, reply.headers = content_type, headers + _NO_GUESSES
    return reply


async def _plain(reader: Reader, log: JobLog | None) -> AsyncGenerator[bytes, None]:
    async for piece in reader.pieces(log, is_over=True):
        yield piece.plain()


async def _new_lines(reader: Reader, job: Job, log: JobLog | None) -> list[bytes]:
    pieces = reader.pieces(log, is_over=job.has_ended, most=LINES_MOST_BYTES)
    return [piece.line() + b"\n" async for piece in pieces]


def _go_to(reader: Reader, position: str | None, where: str) -> None:
    """Raises ValidationFailed."""
    if position:
        try:
            reader.go_to(position)
        except ValueError as error:
            raise wrong(where, str(error)) from None
