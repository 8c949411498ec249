"""The one composition root: settings → engine → access → control → web → upkeep."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from jobengine.access import Access
from jobengine.compose.facades import facade_routes
from jobengine.compose.workforce import Workforce
from jobengine.control.desk import Desk, bytes_written
from jobengine.control.plan import Edit, plan
from jobengine.control.server import ControlServer
from jobengine.engine.local import LocalEngine
from jobengine.engine.opening import open_engine
from jobengine.errors import Fatal, InputOutputFailed, JobEngineError
from jobengine.settings.api_queues import ApiQueues
from jobengine.settings.default import ensure_configuration
from jobengine.settings.load import join, load, queue_directory
from jobengine.settings.memory import MEBIBYTE
from jobengine.settings.policy import Policy
from jobengine.settings.queue_files import check_is_there, read_queue_files
from jobengine.settings.schema import Settings
from jobengine.settings.watch import ConfigurationWatch
from jobengine.upkeep.certificates import CertificateWatch
from jobengine.upkeep.compactor import Compactor
from jobengine.upkeep.free_space import FreeSpace
from jobengine.upkeep.last_resort import LastResort
from jobengine.upkeep.scrubber import Scrubber
from jobengine.upkeep.sweeper import Sweeper
from jobengine.web.metrics import Metrics
from jobengine.web.server import WebServer
from jobengine.work.large_blocks import give_large_blocks_back

# How often the interpreter changes threads. With Python's own 5 ms, the thread that has synced a commit
# waits that long to say so.
SWITCH_SECONDS: Final = 0.0001
# Requests leave hardly a cycle behind: with Python's own 700 the collector would look for them all the time.
GARBAGE_THRESHOLDS: Final = (50_000, 20, 20)

log = structlog.get_logger(__name__)


def serve(*, configuration: Path, database: Path, secret: str, host: str | None, port: int | None) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code.

    Raises Fatal: ConfigurationWrong, Damaged, WrongSecret, Locked, Unreachable, InputOutputFailed.
    """
    if ensure_configuration(configuration, database=database):
        log.info("configuration_made", path=str(configuration))
    settings = load(configuration, os.environ)
    sys.setswitchinterval(SWITCH_SECONDS)
    give_large_blocks_back()
    server = Server(settings, configuration, database, secret, host=host, port=port)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(server.run())


class Server:
    """All rooms, put together, from start to stop."""

    def __init__(
        self,
        settings: Settings,
        configuration: Path,
        database: Path,
        secret: str,
        *,
        host: str | None,
        port: int | None,
    ) -> None:
        self._settings = settings
        self._configuration = configuration
        self._database = database
        self._secret = secret
        self._host = host or settings.host
        self._port = settings.port if port is None else port
        self._metrics = Metrics()
        self._access = Access()
        self._web = WebServer(settings, self._access, self._metrics, host=self._host, port=self._port)
        self._end = asyncio.Event()
        self._last_resort = LastResort()
        self._warnings: list[Callable[[], str | None]] = []  # from those who look after the disk
        self._failure: Fatal | None = None
        self._stop_seconds: Callable[[], float] = (
            float  # that what runs may take to end; at first nothing does
        )

    async def run(self) -> int:
        """From the first sign of life to the exit code. Raises Fatal."""
        self._watch_signals()
        async with AsyncExitStack() as rooms:
            web = self._web
            rooms.push_async_callback(web.stop)
            await web.start()
            engine = await self._open_engine()
            policy = Policy(engine, self._access, self._settings)
            workforce = Workforce(engine, self._settings)
            self._stop_seconds = lambda: workforce.stop_seconds
            self._warnings.append(workforce.warning)
            watch = self._watch_configuration(policy, workforce)
            control = self._control(engine, policy)
            rooms.push_async_callback(control.finish)
            free_space = self._watch_free_space(engine)
            engine.start(on_failure=self._fail, observe=self._metrics.commit, on_full=free_space.look_soon)
            rooms.push_async_callback(engine.stop)
            if await self._unless_ended(self._start_upkeep(engine, watch, free_space, rooms)):
                await control.start()
                rooms.push_async_callback(control.stop)
                queues = ApiQueues(self._configuration, watch)
                await workforce.start()
                rooms.push_async_callback(workforce.stop)
                facades = facade_routes(self._settings, engine, self._access, web)
                web.serve(engine, queues=queues, warnings=self._current_warnings, facades=facades)
                rooms.push_async_callback(web.stop)  # before all else: those under way need the engine
                log.info("serving", host=self._host, port=web.port, database=str(self._database))
                await self._end.wait()
            log.info("stopping")
        self._last_resort.stopped(0 if self._failure is None else self._failure.exit_code)
        if self._failure is not None:
            raise self._failure
        log.info("stopped")
        return 0

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)  # nothing to reload yet

    async def _open_engine(self) -> LocalEngine:
        """Recover the database file on a thread, so that probes are answered meanwhile."""
        opening = asyncio.create_task(asyncio.to_thread(self._recover))
        ending = asyncio.create_task(self._end.wait())
        await asyncio.wait((opening, ending), return_when=asyncio.FIRST_COMPLETED)
        if not opening.done():
            # A recovery cannot be called back, but like any crash it may be cut: nothing is lost.
            log.info("stopped_while_starting")
            os._exit(0)
        ending.cancel()
        return opening.result()

    async def _unless_ended(self, step: Coroutine[Any, Any, None]) -> bool:
        """Do a step of the start. False when the server was told to end meanwhile: then it is left undone."""
        doing = asyncio.create_task(step)
        ending = asyncio.create_task(self._end.wait())
        try:
            await asyncio.wait((doing, ending), return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                return False
            await doing
        except JobEngineError as refusal:
            if isinstance(refusal, Fatal):
                raise
            raise self._failure or InputOutputFailed(f"the start failed: {refusal.detail}") from None
        finally:
            for task in (doing, ending):
                task.cancel()
            await asyncio.gather(doing, ending, return_exceptions=True)
        return self._failure is None

    def _recover(self) -> LocalEngine:
        # Jobs are no garbage: looking at each again and again while they come in would take half the time.
        gc.disable()
        try:
            engine = open_engine(
                self._database,
                self._secret,
                bytes_limit=self._settings.limits.memory,
                keep_old_files=self._settings.database.keep_old_files,
            )
            gc.freeze()
        finally:
            gc.set_threshold(*GARBAGE_THRESHOLDS)
            gc.enable()
        return engine

    def _control(self, engine: LocalEngine, policy: Policy) -> ControlServer:
        desk = Desk(engine, self._database, plan=partial(self._plan, engine, policy))
        return ControlServer(
            self._database, desk.answer, bytes_written=partial(bytes_written, self._database)
        )

    def _plan(self, engine: LocalEngine, policy: Policy, wanted: Settings) -> Edit:
        """What this configuration would do, beside the queues with files of their own.

        Raises ConfigurationWrong when they do not go together.
        """
        directory = queue_directory(self._configuration, self._settings)
        held = read_queue_files(directory)
        check_is_there(directory, held, policy.api_queues_with_jobs())
        whole = join(wanted, held, source=str(self._configuration), environment=os.environ)
        jobs = {queue.name: sum(queue.jobs.values()) for queue in engine.status()}
        return plan(started_with=self._settings, running=policy.applied, wanted=whole, jobs=jobs)

    def _watch_configuration(self, policy: Policy, workforce: Workforce) -> ConfigurationWatch:
        async def apply(settings: Settings) -> None:
            await workforce.check(settings)
            await policy.apply(settings)
            await workforce.take_up(settings)

        return ConfigurationWatch(
            self._configuration,
            self._settings,
            environment=os.environ,
            apply=apply,
            drops_jobs=policy.drops_jobs,
            api_queues_with_jobs=policy.api_queues_with_jobs,
        )

    def _watch_free_space(self, engine: LocalEngine) -> FreeSpace:
        free_space = FreeSpace(engine, reserve_bytes=self._settings.database.reserve_mib * MEBIBYTE)
        self._metrics.free_bytes = lambda: free_space.free_bytes
        self._warnings.append(free_space.warning)
        return free_space

    def _scrubber(self, engine: LocalEngine) -> Scrubber:
        settings = self._settings.database
        scrubber = Scrubber(
            engine.scrub, hours=settings.scrub_hours, mib_per_second=settings.scrub_mib_per_second
        )
        self._metrics.scrub_last_completed = lambda: scrubber.last_completed
        self._metrics.scrub_damaged_bytes = scrubber.damaged_bytes
        self._metrics.scrub_read_bytes = lambda: scrubber.read_bytes
        self._warnings.append(scrubber.warning)
        return scrubber

    def _current_warnings(self) -> list[str]:
        return [text for warning in self._warnings if (text := warning()) is not None]

    async def _start_upkeep(
        self, engine: LocalEngine, watch: ConfigurationWatch, free_space: FreeSpace, rooms: AsyncExitStack
    ) -> None:
        self._metrics.queues = engine.status
        self._metrics.file_bytes = engine.file_bytes
        self._metrics.torn_bytes = engine.torn_bytes
        compactor = Compactor(
            engine,
            above_bytes=self._settings.database.compact_above_mib * MEBIBYTE,
            live_ratio=self._settings.database.compact_live_ratio,
        )
        sweeper = Sweeper(engine, observe=self._metrics.sweep)
        for upkeep in (watch, sweeper, compactor, free_space, self._scrubber(engine)):
            await upkeep.start()
            rooms.push_async_callback(upkeep.stop)
        for each in self._web.certificates:
            certificates = CertificateWatch(each.tls, section=each.section, replace=each.replace)
            await certificates.start()
            rooms.push_async_callback(certificates.stop)
        self._reload_on_hangup(watch)

    def _reload_on_hangup(self, watch: ConfigurationWatch) -> None:
        reloads: set[asyncio.Task[None]] = set()  # the loop itself would not keep them alive

        def reload() -> None:
            reloading = asyncio.create_task(watch.reload())
            reloads.add(reloading)
            reloading.add_done_callback(reloads.discard)

        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)

    def _fail(self, failure: Fatal) -> None:
        log.error("disk_failed", reason=failure.detail)
        self._failure = failure
        self._stop()

    def _stop(self) -> None:
        self._last_resort.start(later=self._stop_seconds())
        self._end.set()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Of uvloop, where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
