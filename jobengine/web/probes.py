"""Probes for whatever watches over the server: alive, ready, and how it does."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal

import msgspec
from msgspec import Struct

from jobengine.access import Access, Action
from jobengine.errors import Unavailable
from jobengine.web.caller import who_asks
from jobengine.web.metrics import CONTENT_TYPE, Metrics
from jobengine.web.reply import Reply
from jobengine.web.request import Request
from jobengine.web.routes import Answer, Description, Route, Text, Variables

_OK: Final = b'{"status":"ok"}'


class Health(Struct, frozen=True, omit_defaults=True):
    """Requests are served; what an operator should look at."""

    status: Literal["ok"] = "ok"
    warnings: tuple[str, ...] = ()


_LIVE: Final = Description("Does the server still turn?", answers={200: Health})
_READY: Final = Description("Are requests served?", answers={200: Health})
_SCRAPE: Final = Description("The metrics, for Prometheus", answers={200: Text("text/plain")})


class Probes:
    """/livez, /readyz and /metrics."""

    def __init__(self, *, why_not_ready: Callable[[], str | None], access: Access, metrics: Metrics) -> None:
        self._why_not_ready = why_not_ready
        self._access = access
        self._metrics = metrics
        self.warnings: Callable[[], Iterable[str]] = tuple
        self.other_metrics: Answer | None = None  # of an older system on this port, whose users give no name

    def routes(self) -> Iterator[Route]:
        """What is served."""
        yield Route("GET", "/livez", None, self.live, description=_LIVE)
        yield Route("GET", "/readyz", None, self.ready, description=_READY)
        yield Route("GET", "/metrics", Action.SCRAPE, self.scrape, description=_SCRAPE)

    async def live(self, _request: Request, _variables: Variables) -> Reply:
        """200 as long as the event loop turns."""
        return Reply(200, _OK)

    async def ready(self, _request: Request, _variables: Variables) -> Reply:
        """200 when requests are served, with what an operator should look at, if anything.

        Raises Unavailable while starting and stopping, and while the disk does not answer.
        """
        reason = self._why_not_ready()
        if reason is not None:
            raise Unavailable(reason)
        warnings = tuple(self.warnings())
        return Reply(200, msgspec.json.encode({"status": "ok", "warnings": warnings}) if warnings else _OK)

    async def scrape(self, request: Request, variables: Variables) -> Reply:
        """The metrics, for administrators. Raises HeaderMissing, DuplicateHeader, Forbidden."""
        if self.other_metrics is not None and "X-Name" not in request.headers:
            return await self.other_metrics(request, variables)
        self._access.check_admin(who_asks(request), Action.SCRAPE)
        return Reply(200, self._metrics.render(), content_type=CONTENT_TYPE)

    def for_scrapers(self) -> Iterator[Route]:
        """What the metrics' own listener serves: whoever reaches it may scrape."""
        yield Route("GET", "/livez", None, self.live)
        yield Route("GET", "/metrics", None, self.scrape_unasked)

    async def scrape_unasked(self, _request: Request, _variables: Variables) -> Reply:
        """The metrics."""
        return Reply(200, self._metrics.render(), content_type=CONTENT_TYPE)
