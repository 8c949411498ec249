"""The rooms of a test's broker, put together: those of the server, but for its upkeep and its signals."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from jobengine.access import Access
from jobengine.engine.local import LocalEngine
from jobengine.errors import Fatal
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.model.ledger import Ledger
from jobengine.settings.api_queues import ApiQueues
from jobengine.settings.load import load
from jobengine.settings.policy import Policy
from jobengine.settings.schema import Settings
from jobengine.settings.watch import ConfigurationWatch
from jobengine.testing.time import MovedTime
from jobengine.web.metrics import Metrics
from jobengine.web.server import WebServer

HOST: Final = "127.0.0.1"
EVER: Final = 1e9  # seconds
SECRET: Final = "hex:" + "00" * 32  # a key itself: nothing is to be derived from it, which would take a while


class Rooms(Struct, frozen=True):
    """What the test deals with."""

    url: str
    engine: LocalEngine


@asynccontextmanager
async def rooms(configuration: Path, time: MovedTime) -> AsyncIterator[Rooms]:
    """Serve a configuration, with a new database file beside it. Raises ConfigurationWrong."""
    settings = _patient(load(configuration, {}))
    access, metrics = Access(), Metrics()
    async with AsyncExitStack() as opened:
        engine = _engine(configuration.with_name("jobs.queuedb"), time)
        engine.start(on_failure=_fail)
        opened.push_async_callback(engine.stop)
        policy = Policy(engine, access, settings)
        await policy.apply(settings)
        watch = ConfigurationWatch(
            configuration, settings, environment={}, apply=policy.apply, drops_jobs=policy.drops_jobs
        )
        web = WebServer(settings, access, metrics, host=HOST, port=0)
        await web.start()
        opened.push_async_callback(web.stop)
        web.serve(engine, queues=ApiQueues(configuration, watch))
        yield Rooms(f"http://{HOST}:{web.port}", engine)


def _patient(settings: Settings) -> Settings:
    """No connection is closed for being idle, or slow: that is the time which a test moves."""
    limits = replace(
        settings.limits, header_seconds=EVER, body_seconds=EVER, idle_seconds=EVER, write_seconds=EVER
    )
    return replace(settings, limits=limits)


def _engine(path: Path, time: MovedTime) -> LocalEngine:
    ledger = Ledger()
    journal = Journal.open(path, Secret.parse(SECRET), replay=ledger.replay)
    ledger.index()
    return LocalEngine(ledger, journal, time.clock())


def _fail(failure: Fatal) -> None:
    """The disk of the temporary folder failed: whoever asks is told so."""
    raise failure
