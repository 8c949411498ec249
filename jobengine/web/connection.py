"""The guarded door: no connection waits for ever, and not too many are open."""

import asyncio
import resource
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.streams import StreamReader
from aiohttp.web import BaseRequest, RequestHandler, Server, StreamResponse
from aiohttp.web_protocol import ERROR

from jobengine.access.certificates import service_of
from jobengine.errors import BadRequest, HeadersTooLarge, JobEngineError, UriTooLong
from jobengine.settings.schema import Limits
from jobengine.web.reply import Reply
from jobengine.web.request import Request

URI_MOST_BYTES: Final = 4096
FIELD_MOST_BYTES: Final = 8192
FIELDS_MOST: Final = 64
LINGER_SECONDS: Final = 2.0  # how long what a refused client goes on sending is read and thrown away
WATCH_SECONDS: Final = 1.0
SPARE_DESCRIPTORS: Final = 64  # for the database, the log, the event loop and the like

_TOO_MANY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class Connection(RequestHandler):
    """One client's connection. aiohttp closes those that are idle; this also closes on half-sent heads."""

    __slots__ = ("_certificate", "_door", "head_since")

    def __init__(self, door: "Door", **options: Any) -> None:
        super().__init__(door, **options)
        self._door = door
        self.head_since: float | None = None  # the loop's time since which a head is incomplete
        self._certificate: Mapping[str, Any] | None = None  # of the client, verified

    @property
    def is_busy(self) -> bool:
        """Whether it is with a request whose head is complete."""
        return self._request_in_progress

    @property
    def certified_service(self) -> str | None:
        """The service of the client's certificate; None without one. Raises CertificateUnknown."""
        return None if self._certificate is None else service_of(self._certificate, self._door.names)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, or turn it away when there are too many."""
        if not self._door.let_in(self):
            self._force_close = True
            cast(asyncio.Transport, transport).write(_TOO_MANY)
            transport.close()
            return
        self.head_since = self._loop.time()
        self._certificate = transport.get_extra_info("peercert") or None
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is gone."""
        self._door.let_out(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """From its first byte on, a head has only so long."""
        if self.head_since is None and not self._request_in_progress:
            self.head_since = self._loop.time()
        super().data_received(data)

    async def drain(self) -> None:
        """Wait until the client has read most of what was written. Raises ConnectionError when it is gone."""
        await self._drain_helper()

    async def start(self) -> None:
        """Answer one request after the other.

        In the place of aiohttp's own, which makes a task and a writer for each request: that costs as much as
        deciding a command.
        """
        while not self._force_close:
            message, payload = await self._next_message()
            self._keepalive = await self._serve(message, payload)
            if not (payload.is_eof() or self._force_close or await self._discard(payload)):
                break
            if not self._keepalive or self._close:
                break
            self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
            if self._keepalive_handle is None:
                self._keepalive_handle = self._loop.call_at(
                    self._next_keepalive_close_time, self._process_keepalive
                )
        if not self._force_close:
            self._task_handler = None
            if self.transport is not None:
                self.transport.close()

    async def _next_message(self) -> tuple[object, StreamReader]:
        """The next head, or what stands for one that could not be parsed; and the body behind it."""
        if not self._messages:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        following = self._messages.popleft()
        if self._parser is not None:
            self._parser.message_consumed()
        if self._buffer_paused and len(self._messages) <= self._msg_queue_resume_size:
            self._resume_reading_if_drained()
        return following

    async def _serve(self, message: object, payload: StreamReader) -> bool:
        """Answer one request. Whether the client may send another one."""
        self._request_in_progress = True
        self.head_since = None
        try:
            return await self._answer(message, payload)
        except ConnectionError:
            return False
        except BaseException:
            self.force_close()
            raise
        finally:
            self._current_request = None
            self._request_in_progress = False
            if self._handler_waiter is not None and not self._handler_waiter.done():
                self._handler_waiter.set_result(None)

    async def _answer(self, message: object, payload: StreamReader) -> bool:
        """Raises ConnectionError when the client is gone."""
        if isinstance(message, RawRequestMessage):
            request = Request(message, payload, self)
            self._current_request = cast(BaseRequest, request)
            reply = await self._door.answer(request)
        else:
            request = Request(ERROR, payload, self)
            reply = self._door.refuse(_refusal(getattr(message, "exc", None)))
        await reply.send(request)
        if self._upgraded and not self._messages:
            self._decline_upgrade()
        return reply.keep_alive

    def _decline_upgrade(self) -> None:
        """Another protocol was asked for, which nobody speaks: what came behind that request is HTTP too."""
        if self._parser is not None:
            self._parser.set_upgraded(False)
            self._upgraded = False
            tail, self._message_tail = self._message_tail, b""
            self.data_received(tail)

    async def _discard(self, payload: StreamReader) -> bool:
        """Read what a refused client goes on sending, for a while: else it would not see its answer.

        Whether that came to its end.
        """
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while not payload.is_eof():
                    await payload.readany()
        except TimeoutError:
            return False
        return True


class Door(Server):
    """Makes the connections, counts them, and closes those whose head does not come."""

    def __init__(
        self,
        answer: Callable[[Request], Awaitable[Reply]],
        refuse: Callable[[JobEngineError], Reply],
        limits: Limits,
        names: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`names` are the services of certificates, by what stands in them."""
        super().__init__(
            cast(Callable[[BaseRequest], Awaitable[StreamResponse]], answer),  # see Connection.start
            keepalive_timeout=limits.idle_seconds,
            access_log=None,
            max_line_size=URI_MOST_BYTES,
            max_field_size=FIELD_MOST_BYTES,
            max_headers=FIELDS_MOST,
            auto_decompress=False,
        )
        self.answer = answer
        self.refuse = refuse
        self.names = names
        self._header_seconds = limits.header_seconds
        self._most = connections_most(limits.connections)
        self._open: set[Connection] = set()
        self._watch: asyncio.Task[None] | None = None

    def __call__(self) -> Connection:
        """A connection for the event loop."""
        return Connection(self, loop=self._loop, **self._kwargs)

    def start(self) -> None:
        """Begin to watch over the connections."""
        self._watch = asyncio.create_task(self._watch_heads())

    def stop(self) -> None:
        """Watch no more."""
        if self._watch is not None:
            self._watch.cancel()

    @property
    def open_connections(self) -> int:
        """How many there are."""
        return len(self._open)

    @property
    def is_busy(self) -> bool:
        """Whether any request is being answered."""
        return any(connection.is_busy for connection in self._open)

    def let_in(self, connection: Connection) -> bool:
        """Whether there is room for it."""
        if len(self._open) >= self._most:
            return False
        self._open.add(connection)
        return True

    def let_out(self, connection: Connection) -> None:
        """It is closed, or was not let in."""
        self._open.discard(connection)

    async def _watch_heads(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            too_long_ago = self._loop.time() - self._header_seconds
            for connection in list(self._open):
                if connection.head_since is not None and connection.head_since < too_long_ago:
                    connection.force_close()


def connections_most(wanted: int) -> int:
    """As many connections as wanted, or as the process may have open files.

    At that limit every accept would fail, with a traceback in the log each time.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(1, soft - SPARE_DESCRIPTORS)
    return wanted


def _refusal(error: BaseException | None) -> JobEngineError:
    if isinstance(error, LineTooLong):
        limit = str(error.args[1])
        if limit == str(URI_MOST_BYTES):
            return UriTooLong(f"a request target may have {URI_MOST_BYTES} bytes")
        return HeadersTooLarge(f"a header field may have {FIELD_MOST_BYTES} bytes")
    if isinstance(error, HttpProcessingError):
        if error.message == "Too many headers received":
            return HeadersTooLarge(f"a request may have {FIELDS_MOST} header fields")
        return BadRequest("this is not HTTP/1.1 as RFC 9112 describes it")
    return JobEngineError("a request failed outside of its route")
