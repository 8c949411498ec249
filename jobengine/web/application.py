"""The way in: every request passes here, and every answer leaves here."""

import itertools
import logging
import re
import secrets
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final, cast

import aiohttp.web
import structlog
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import (
    AbstractRoute,
    HTTPMethodNotAllowed,
    RequestPayloadError,
    UrlDispatcher,
)

from jobengine.errors import BadRequest, JobEngineError, MethodNotAllowed, NoSuchPath, Unavailable
from jobengine.web.hosts import Hosts
from jobengine.web.metrics import Metrics
from jobengine.web.paths import Paths
from jobengine.web.problems import STATUSES, Statuses, problem
from jobengine.web.reply import NO_CONTENT, Reply
from jobengine.web.request import Request
from jobengine.web.routes import Route, Variables

GONE: Final = "gone"  # the outcome where the client went before its answer

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:/=+-]{1,128}")

log = structlog.get_logger(__name__)


class Application:
    """Names each request, finds its route, and turns what is refused into a problem."""

    def __init__(self, *, hosts: Hosts, metrics: Metrics, write_seconds: float) -> None:
        self.router = UrlDispatcher()
        self.why_not_ready: str | None = "the server is starting"
        self._routes: dict[AbstractRoute, Route] = {}
        self._paths = Paths()
        self._probes: set[Route] = set()
        self._hosts = hosts
        self._metrics = metrics
        self._write_seconds = write_seconds
        self._logs_requests = log.is_enabled_for(logging.DEBUG)
        self._request_id_prefix = secrets.token_hex(4).encode()
        self._request_numbers = itertools.count(1)

    def open(self, routes: Iterable[Route]) -> None:
        """Serve these routes when the server is ready."""
        for route in routes:
            self._paths.add(route)
            self._routes[self.router.add_route(route.method, route.path, route.answer)] = route  # type: ignore[arg-type]

    def open_probes(self, routes: Iterable[Route]) -> None:
        """Serve these routes always: also while the server starts and stops."""
        probes = list(routes)
        self.open(probes)
        self._probes.update(probes)

    async def answer(self, request: Request) -> Reply:
        """The answer to any request."""
        started = time.perf_counter()
        request_id = self._request_id(request)
        kind, statuses = "none", STATUSES
        try:
            self._hosts.check(request)
            route, variables = self._find_plain(request) or await self._find(request)
            kind, statuses = route.kind, route.statuses
            reply = await route.answer(request, variables)
            outcome = "empty" if reply.status == NO_CONTENT else "ok"
        except Exception as error:  # noqa: BLE001 - whatever happens, there is an answer
            reply, outcome = self._refuse(error, request, request_id, statuses)
        seconds = time.perf_counter() - started
        self._metrics.operation(kind, outcome, seconds)
        if self._logs_requests:
            self._log_request(request, reply, request_id, seconds)
        self._complete(reply, request_id)
        return reply

    def _refuse(
        self, error: Exception, request: Request, request_id: bytes, statuses: Statuses
    ) -> tuple[Reply, str]:
        """The answer, and how it is counted.

        Not a part of `answer`, whose frame the error knows: each would hold the other, and the body of the
        request, until the next collection of garbage.
        """
        refusal = _refusal(error)
        reply = problem(refusal, request_id, statuses)
        reply.closes = reply.closes or "Expect" in request.headers  # the body may never be sent now
        if reply.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("request failed", request_id=request_id.decode(), exc_info=error)
        return reply, GONE if request.transport is None else refusal.code

    def refuse(self, error: JobEngineError) -> Reply:
        """The answer to what was not even a request."""
        request_id = self._request_id(None)
        self._metrics.operation("none", error.code, 0.0)
        reply = problem(error, request_id)
        self._complete(reply, request_id)
        reply.closes = True
        return reply

    def _find_plain(self, request: Request) -> tuple[Route, Variables] | None:
        """The route, when its path is a plain one and nothing else is to be said of the request."""
        if self.why_not_ready is not None or request.version.major != 1:
            return None
        return self._paths.find(request.method, request.target)

    async def _find(self, request: Request) -> tuple[Route, Variables]:
        """Raises BadRequest, NoSuchPath, MethodNotAllowed, Unavailable."""
        if request.version.major != 1:
            raise BadRequest("this server speaks HTTP/1.1")
        match = await self.router.resolve(cast(aiohttp.web.Request, request))  # all that it looks at is there
        route = self._routes.get(match.route)
        if self.why_not_ready is not None and route not in self._probes:
            raise Unavailable(self.why_not_ready)
        if route is not None:
            return route, match
        if isinstance(match.http_exception, HTTPMethodNotAllowed):
            raise MethodNotAllowed(frozenset(match.http_exception.allowed_methods))
        raise NoSuchPath("nothing is served under this path")

    def _log_request(self, request: Request, reply: Reply, request_id: bytes, seconds: float) -> None:
        log.debug(
            "request",
            method=request.method,
            path=request.rel_url.raw_path,
            status=int(reply.status),
            seconds=round(seconds, 6),
            service=request.headers.get("X-Name"),
            queue=request.headers.get("X-Queue"),
            request_id=request_id.decode(),
        )

    def _complete(self, reply: Reply, request_id: bytes) -> None:
        reply.request_id = request_id
        reply.write_seconds = self._write_seconds
        if self.why_not_ready is not None:
            reply.closes = True

    def _request_id(self, request: Request | None) -> bytes:
        """The client's own, when it is one; else a new one."""
        if (
            request is not None
            and (sent := request.headers.get("X-Request-Id"))
            and _REQUEST_ID.fullmatch(sent)
        ):
            return sent.encode()
        return b"%b-%x" % (self._request_id_prefix, next(self._request_numbers))


def _refusal(error: Exception) -> JobEngineError:
    if isinstance(error, JobEngineError):
        return error
    if isinstance(error, (RequestPayloadError, HttpProcessingError, ConnectionError)):
        return BadRequest("the body ended before it was complete, or is not as HTTP allows")
    return JobEngineError("the server failed")
