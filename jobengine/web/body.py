"""The body of a request: within its size, in time, and JSON."""

import asyncio
from typing import Final

from jobengine.errors import BodyTimeout, BodyTooLarge, Unavailable, UnsupportedMediaType
from jobengine.web.request import Request

# Anyone may begin to send bodies, and a name is no credential: together they take so much memory and no more.
GATHERED_MOST_BYTES: Final = 128 * 1024 * 1024

_JSON: Final = "application/json"
_OCTETS: Final = "application/octet-stream"


class BodyReader:
    """Reads bodies. Knows which are half received, so that a server that stops can cut them."""

    def __init__(self, *, most_bytes: int, seconds: float) -> None:
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._waiting: set[asyncio.Timeout] = set()
        self._cut = False
        self._gathered_bytes = 0  # of bodies that are half received

    async def read(self, request: Request) -> bytes:
        """The whole body.

        Raises UnsupportedMediaType, BodyTooLarge, BodyTimeout, and Unavailable when the server stops.
        """
        check_is_json(request)
        return await self._read(request)

    async def read_bytes(self, request: Request) -> bytes:
        """The whole body, whatever bytes it is of. Raises the same."""
        if "Content-Encoding" in request.headers or not is_octets(request):
            raise UnsupportedMediaType(f"the body must be {_OCTETS}, and not be compressed")
        return await self._read(request)

    async def _read(self, request: Request) -> bytes:
        if request.content.is_eof():  # it came with its head
            body = request.content.read_nowait()
        elif request.content_length <= self._most_bytes:
            body = await self._receive(request)
        else:
            raise self._too_large()
        if len(body) > self._most_bytes:
            raise self._too_large()
        return body

    def cut(self) -> None:
        """Wait for no body any more: the server stops."""
        self._cut = True
        for timeout in self._waiting:
            timeout.reschedule(0)

    async def _receive(self, request: Request) -> bytes:
        if _waits_to_be_asked(request) and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            async with asyncio.timeout(0 if self._cut else self._seconds) as timeout:
                self._waiting.add(timeout)
                try:
                    return await self._gather(request)
                finally:
                    self._waiting.discard(timeout)
        except TimeoutError:
            if self._cut:
                raise Unavailable("the server stops") from None
            raise BodyTimeout(f"the body was not complete after {self._seconds:g} s") from None

    async def _gather(self, request: Request) -> bytes:
        pieces = bytearray()
        try:
            while piece := await request.content.readany():
                pieces += piece
                self._gathered_bytes += len(piece)
                if len(pieces) > self._most_bytes:
                    raise self._too_large()
                if self._gathered_bytes > GATHERED_MOST_BYTES:
                    raise Unavailable("too many bodies are half received")
        finally:
            self._gathered_bytes -= len(pieces)
        return bytes(pieces)

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"a body may have {self._most_bytes} bytes")


def check_is_json(request: Request) -> None:
    """Raises UnsupportedMediaType when what is sent is said to be something else.

    The document of API v1 names the type once in X-Content-Type, once in Content-Type: either will do.
    """
    headers = request.headers
    if "Content-Encoding" in headers:
        raise UnsupportedMediaType("a body may not be compressed")
    documented = headers.get("X-Content-Type")
    usual = headers.get("Content-Type")
    if not (_is_json(documented) or _is_json(usual)) and (documented or usual) and _has_body(request):
        raise UnsupportedMediaType(f"the body must be {_JSON}")


def is_octets(request: Request) -> bool:
    """Whether what is sent is said to be bytes of no other kind."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == _OCTETS


def _has_body(request: Request) -> bool:
    """Some clients give nothing a type, too."""
    return request.content_length > 0 or "Transfer-Encoding" in request.headers


def _waits_to_be_asked(request: Request) -> bool:
    return request.version.minor > 0 and request.headers.get("Expect", "").lower() == "100-continue"


def _is_json(media_type: str | None) -> bool:
    return media_type == _JSON or (
        media_type is not None and media_type.partition(";")[0].strip().lower() == _JSON
    )
