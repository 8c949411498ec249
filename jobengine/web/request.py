"""A request as the doors see it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader
from yarl import URL

if TYPE_CHECKING:
    import asyncio

    from jobengine.web.connection import Connection


class Request:
    """What aiohttp's parser made of a head, and the body that comes behind it.

    aiohttp's own request also knows cookies, forms and much else; only to make one costs as much as finding
    its route.
    """

    __slots__ = (
        "_connection",
        "content",
        "headers",
        "keep_alive",
        "method",
        "on_gone",
        "target",
        "url",
        "version",
    )

    def __init__(self, message: RawRequestMessage, content: StreamReader, connection: "Connection") -> None:
        self._connection = connection
        self.content = content
        self.headers = message.headers
        self.keep_alive = not message.should_close
        self.method = message.method
        self.on_gone: Callable[[], object] | None = None  # called when the client goes before its answer
        self.target = message.path  # as it was sent
        self.url = message.url
        self.version = message.version

    @property
    def rel_url(self) -> URL:
        """Path and query, also of a target that names a host: what aiohttp's router looks at."""
        return self.url.relative() if self.url.absolute else self.url

    @property
    def query(self) -> Mapping[str, str]:
        """What stands behind the question mark."""
        return self.url.query

    @property
    def content_length(self) -> int:
        """Bytes of the body as the head tells; 0 when it does not."""
        return int(self.headers.get("Content-Length", 0))

    @property
    def certified_service(self) -> str | None:
        """The service of the client's certificate; None when it has none. Raises CertificateUnknown."""
        return self._connection.certified_service

    @property
    def transport(self) -> "asyncio.Transport | None":
        """Where the answer goes; None when the client is gone."""
        return self._connection.transport

    async def drain(self) -> None:
        """Wait until the client has read most of what was written. Raises ConnectionError when it is gone."""
        await self._connection.drain()

    def _cancel(self, error: BaseException) -> None:
        """Called by aiohttp when the client is gone: who waits for the rest of the body gets this error."""
        self.content.set_exception(error)
        if self.on_gone is not None:
            self.on_gone()
