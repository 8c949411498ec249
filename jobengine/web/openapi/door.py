"""/openapi.json and /docs: open to everybody, for they tell nothing of queues and services."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec

from jobengine import __version__
from jobengine.errors import NoSuchPath
from jobengine.web.openapi.document import document
from jobengine.web.openapi.swagger import CONTENT_TYPES, PAGE, POLICY, file
from jobengine.web.reply import Reply, Stream
from jobengine.web.request import Request
from jobengine.web.routes import Description, Route, Text, Variables

PIECE_BYTES: Final = 64 * 1024
_GUARD: Final = b"Content-Security-Policy: %b\r\nX-Content-Type-Options: nosniff\r\n" % POLICY
_KEPT: Final = _GUARD + b"Cache-Control: max-age=3600\r\n"
_DOCUMENT: Final = Description("This document", answers={200: dict[str, Any]})
_PAGE: Final = Description("This document, as a page", answers={200: Text("text/html")})
_FILE: Final = Description("What the page loads", answers={200: Text("*/*")})


class Docs:
    """The document, and the page that shows it."""

    def __init__(
        self, others: Sequence[Route], *, under: str = "", pages: Sequence[str] = ("/docs",)
    ) -> None:
        """`pages` are the paths of the page; what it loads is `under` the place where they are."""
        self._others = others
        self._under = under
        self._pages = pages
        self._files: dict[str, bytes] = {}  # that were asked for

    def routes(self) -> Iterator[Route]:
        """What is served."""
        document, file = f"{self._under}/openapi.json", f"{self._under}/docs/{{file}}"
        yield Route("GET", document, None, self.document, kind="docs", description=_DOCUMENT)
        for page in self._pages:
            yield Route("GET", page, None, self.page, kind="docs", description=_PAGE)
        yield Route("GET", file, None, self.file, kind="docs", description=_FILE)

    async def document(self, _request: Request, _variables: Variables) -> Reply:
        """The document."""
        return Reply(200, self._encoded, headers=b"X-Content-Type-Options: nosniff\r\n")

    @cached_property
    def _encoded(self) -> bytes:
        own = (route for route in self.routes() if route.path not in self._pages[1:])
        return msgspec.json.encode(document((*self._others, *own), version=__version__))

    async def page(self, _request: Request, _variables: Variables) -> Reply:
        """The page."""
        return Reply(200, PAGE, content_type=b"text/html; charset=utf-8", headers=_GUARD)

    async def file(self, _request: Request, variables: Variables) -> Reply:
        """What the page loads. Raises NoSuchPath."""
        content_type = CONTENT_TYPES.get(variables["file"])
        if content_type is None:
            raise NoSuchPath("nothing is served under this path")
        name = variables["file"]
        if name not in self._files:
            self._files[name] = await asyncio.to_thread(file, name)
        return Stream(_pieces(self._files[name]), content_type=content_type, headers=_KEPT)


async def _pieces(body: bytes) -> AsyncGenerator[bytes, None]:
    """Whoever reads slowly, or not at all, holds no copy of the whole."""
    for start in range(0, len(body), PIECE_BYTES):
        yield body[start : start + PIECE_BYTES]
