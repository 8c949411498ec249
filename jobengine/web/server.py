"""The listening sockets, from the first connection to the last."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from jobengine.access import Access
from jobengine.engine.interface import Engine
from jobengine.settings.certificates import tls_context
from jobengine.settings.doors import TlsSettings
from jobengine.settings.schema import Settings
from jobengine.web.application import Application
from jobengine.web.body import BodyReader
from jobengine.web.connection import Door
from jobengine.web.hosts import Hosts
from jobengine.web.listener import Listener
from jobengine.web.metrics import Metrics
from jobengine.web.openapi.door import Docs
from jobengine.web.patience import Patience
from jobengine.web.probes import Probes
from jobengine.web.routes import Route
from jobengine.web.v1.doors import V1
from jobengine.web.v2.broker import Broker
from jobengine.web.v2.queues import ConfiguredQueues, Queues
from jobengine.web.v2.routes import routes

FINISH_SECONDS: Final = 2.0  # for requests under way when the server stops
CUT_SECONDS: Final = 0.5  # for what is then still open; aiohttp waits for it twice
METRICS: Final = "/metrics"
LOOK_SECONDS: Final = 0.02


class CertificateFiles(Struct, frozen=True):
    """What a listener was given, and how it takes others."""

    tls: TlsSettings
    section: str
    replace: Callable[[ssl.SSLContext], Awaitable[None]]


class WebServer:
    """Answers from the moment it listens: probes at once, all else when it has an engine."""

    def __init__(self, settings: Settings, access: Access, metrics: Metrics, *, host: str, port: int) -> None:
        self._settings = settings
        self._access = access
        self._metrics = metrics
        self._host = host
        self._port = port
        self.port = port  # that it listens on, once it does: port 0 is any that is free
        limits = settings.limits
        self.bodies = BodyReader(most_bytes=limits.body_bytes, seconds=limits.body_seconds)
        self.patience = Patience()
        self._application = self._make_application(host)
        self._apart: dict[str, Application] = {}  # facades with a port of their own
        self._engine: Engine | None = None
        self._probes = Probes(why_not_ready=self._why_not_ready, access=access, metrics=metrics)
        self._application.open_probes(self._probes.routes())
        self._listening: list[Listener] = []
        self.certificates: list[CertificateFiles] = []  # of the listeners that have some

    async def start(self) -> None:
        """Listen. Raises Unreachable."""
        tls = self._settings.tls
        listener = await self._listen(self._application, self._host, self._port, tls, section="tls")
        self.port = listener.port
        self._metrics.connections = lambda: listener.door.open_connections
        for name, facade in self._settings.facades.open.items():
            if facade.port is not None:
                self._apart[name] = apart = self._make_application(facade.host)
                section = f"facades.{name}.tls"
                await self._listen(apart, facade.host, facade.port, facade.tls, section=section)
        own = self._settings.metrics
        if own.port is not None:
            scraping = self._make_application(own.host)
            scraping.open_probes(self._probes.for_scrapers())
            scraping.why_not_ready = None  # it serves nothing that needs the engine
            await self._listen(scraping, own.host, own.port, TlsSettings(), section="")

    def serve(
        self,
        engine: Engine,
        *,
        queues: Queues = ConfiguredQueues(),  # noqa: B008  # it holds nothing
        warnings: Callable[[], Iterable[str]] = tuple,
        facades: Mapping[str, Iterable[Route]] = MappingProxyType({}),
    ) -> None:
        """Everything is ready: let requests in.

        `warnings` are for whoever asks whether it is ready; `facades` are the routes of older systems, by
        the names of these.
        """
        self._engine, self._probes.warnings = engine, warnings
        broker = Broker(engine, self._access, self.bodies, self.patience, queues)
        offered = [*routes(broker), *V1(engine, self._access, self.bodies).routes()]
        self._application.open(offered)
        self._application.open(Docs([*offered, *self._probes.routes()]).routes())
        for name, of_facade in facades.items():
            self._open_facade(name, of_facade)
        self._let_in(None)

    def _open_facade(self, name: str, routes: Iterable[Route]) -> None:
        """On its own port, or beside the API, where there is a /metrics already."""
        if name in self._apart:
            self._apart[name].open(routes)
            return
        for route in routes:
            if route.path == METRICS:
                self._probes.other_metrics = route.answer
            else:
                self._application.open([route])

    async def stop(self) -> None:
        """Take no more requests, finish those under way, cut those half received."""
        self._let_in("the server is stopping")
        self.bodies.cut()
        self.patience.cut()
        await self._finish_requests()
        listening, self._listening = self._listening, []
        await asyncio.gather(*(listener.stop() for listener in listening))

    def _let_in(self, why_not: str | None) -> None:
        for application in (self._application, *self._apart.values()):
            application.why_not_ready = why_not

    def _why_not_ready(self) -> str | None:
        if (reason := self._application.why_not_ready) is not None or self._engine is None:
            return reason
        return self._engine.stalled()

    async def _finish_requests(self) -> None:
        """Whoever asks meanwhile whether the server is ready is told that it stops."""
        loop = asyncio.get_running_loop()
        end = loop.time() + FINISH_SECONDS
        while any(listener.door.is_busy for listener in self._listening) and loop.time() < end:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)

    def _make_application(self, host: str) -> Application:
        return Application(
            hosts=Hosts(names={*self._settings.allowed_hosts, host}, origins=self._settings.allowed_origins),
            metrics=self._metrics,
            write_seconds=self._settings.limits.write_seconds,
        )

    async def _listen(
        self, application: Application, host: str, port: int, tls: TlsSettings, *, section: str
    ) -> Listener:
        """Raises Unreachable, ConfigurationWrong."""
        context = None
        if tls.cert is not None:
            context = await asyncio.to_thread(tls_context, tls, section=section)
        door = Door(application.answer, application.refuse, self._settings.limits, tls.names)
        listener = Listener(door, host, port, cut_seconds=CUT_SECONDS)
        self._listening.append(listener)
        await listener.start(context)
        if context is not None:
            self.certificates.append(CertificateFiles(tls, section, listener.replace))
        return listener
