"""Answers, written to the connection with as few writes as they need.

aiohttp's own Response keeps a dictionary of headers and serializes it, which for 300 bytes costs as much as
deciding a command.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import lru_cache
from http import HTTPStatus
from typing import Final
from wsgiref.handlers import format_date_time

from jobengine.web.request import Request

JSON: Final = b"application/json"
NO_CONTENT: Final = 204  # a number: a look at a member of HTTPStatus costs as much as formatting a header
WRITE_SECONDS: Final = 60.0
_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


class Reply:
    """Status, headers and a body that is all there."""

    __slots__ = (
        "body",
        "closes",
        "content_type",
        "headers",
        "keep_alive",
        "request_id",
        "status",
        "write_seconds",
    )

    def __init__(
        self,
        status: int,
        body: bytes = b"",
        *,
        content_type: bytes = JSON,
        headers: bytes = b"",
        closes: bool = False,
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers  # whole lines, each with its CR LF
        self.closes = closes  # the connection, once this is written
        self.keep_alive = False
        self.request_id = b"-"
        self.write_seconds = WRITE_SECONDS  # that a client may leave it unread

    async def send(self, request: Request) -> None:
        """Write it. A client that does not read what it asked for is waited for, but not for ever.

        Raises ConnectionError when it is gone, or does not read.
        """
        body = b"" if request.method == "HEAD" else self.body
        if self.status == NO_CONTENT:
            framing = b""
        else:
            framing = b"Content-Type: %b\r\nContent-Length: %d\r\n" % (self.content_type, len(self.body))
        if self._write(request, self._head(request, framing) + body):
            await self._drain(request)

    def _head(self, request: Request, framing: bytes) -> bytes:
        self.keep_alive = request.keep_alive and not self.closes
        connection = b""
        if not self.keep_alive:
            connection = b"Connection: close\r\n"
        elif request.version.minor == 0:
            connection = b"Connection: keep-alive\r\n"
        return b"%bDate: %b\r\nX-Request-Id: %b\r\n%b%b%b\r\n" % (
            _STATUS_LINES[self.status],
            http_date(int(time.time())),
            self.request_id,
            framing,
            connection,
            self.headers,
        )

    def _write(self, request: Request, data: bytes) -> bool:
        """Whether the client has not taken all of it yet."""
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client is gone")
        transport.write(data)
        return transport.get_write_buffer_size() > 0

    async def _drain(self, request: Request) -> None:
        try:
            async with asyncio.timeout(self.write_seconds):
                await request.drain()
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError("the client does not read its answer") from None


class Stream(Reply):
    """An answer whose body is written piece by piece, each when the one before it was taken."""

    __slots__ = ("_pieces",)

    def __init__(
        self, pieces: AsyncGenerator[bytes, None], *, content_type: bytes = JSON, headers: bytes = b""
    ) -> None:
        super().__init__(HTTPStatus.OK, content_type=content_type, headers=headers)
        self._pieces = pieces

    async def send(self, request: Request) -> None:
        """Write all pieces. What fails on the way cuts the connection: half a list must not look whole."""
        # HTTP/1.0 has no chunks: there the end of the connection is the end of the body.
        self.closes = self.closes or request.version.minor == 0
        async with aclosing(self._pieces) as pieces:
            try:
                await self._write_all(request, pieces)
            except BaseException:
                if request.transport is not None:
                    request.transport.abort()
                raise

    async def _write_all(self, request: Request, pieces: AsyncGenerator[bytes, None]) -> None:
        in_chunks = request.version.minor > 0
        framing = b"Content-Type: %b\r\n" % self.content_type
        if in_chunks:
            framing += b"Transfer-Encoding: chunked\r\n"
        self._write(request, self._head(request, framing))
        async for piece in pieces:
            if self._write(request, b"%x\r\n%b\r\n" % (len(piece), piece) if in_chunks else piece):
                await self._drain(request)
        if in_chunks and self._write(request, b"0\r\n\r\n"):
            await self._drain(request)


@lru_cache(maxsize=1)
def http_date(second: int) -> bytes:
    """A time as HTTP writes it (RFC 9110, section 5.6.7)."""
    return format_date_time(second).encode()
