"""/openapi.json and /docs: open to everybody, for they tell nothing of queues and services."""

import asyncio
from collections.abc import Iterator
from typing import Final

import msgspec

from jobengine import __version__
from jobengine.errors import NoSuchPath
from jobengine.web.openapi.document import document
from jobengine.web.openapi.operations import OPERATIONS
from jobengine.web.openapi.swagger import CONTENT_TYPES, PAGE, POLICY, file
from jobengine.web.reply import Reply
from jobengine.web.request import Request
from jobengine.web.routes import Route, Variables

_GUARD: Final = b"Content-Security-Policy: %b\r\nX-Content-Type-Options: nosniff\r\n" % POLICY
_KEPT: Final = _GUARD + b"Cache-Control: max-age=3600\r\n"


class Docs:
    """The document, and the page that shows it."""

    def __init__(self) -> None:
        self._document = msgspec.json.encode(document(OPERATIONS, version=__version__))

    def routes(self) -> Iterator[Route]:
        """What is served."""
        yield Route("GET", "/openapi.json", None, self.document, kind="docs")
        yield Route("GET", "/docs", None, self.page)
        yield Route("GET", "/docs/{file}", None, self.file, kind="docs")

    async def document(self, _request: Request, _variables: Variables) -> Reply:
        """The document."""
        return Reply(200, self._document, headers=b"X-Content-Type-Options: nosniff\r\n")

    async def page(self, _request: Request, _variables: Variables) -> Reply:
        """The page."""
        return Reply(200, PAGE, content_type=b"text/html; charset=utf-8", headers=_GUARD)

    async def file(self, _request: Request, variables: Variables) -> Reply:
        """What the page loads. Raises NoSuchPath."""
        content_type = CONTENT_TYPES.get(variables["file"])
        if content_type is None:
            raise NoSuchPath("nothing is served under this path")
        body = await asyncio.to_thread(file, variables["file"])
        return Reply(200, body, content_type=content_type, headers=_KEPT)
