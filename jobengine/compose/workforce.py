"""The server's own worker: runs the jobs of the queues that say so, as the configuration has it now."""

import asyncio
import os
import socket
from contextlib import suppress

import structlog

from jobengine.compose.local_source import LocalSource
from jobengine.engine.interface import Engine
from jobengine.errors import ConfigurationWrong
from jobengine.settings.schema import QueueSettings, Settings
from jobengine.work.lanes import Workshop
from jobengine.work.worker import Worker

log = structlog.get_logger(__name__)


class Workforce:
    """A worker for each set of settings: an edit lets the old one finish, and starts another."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._wanted: tuple[QueueSettings, ...] = ()
        self._is_started = False
        self._worker: Worker | None = None
        self._working: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()  # those who finish what they had begun

    async def start(self) -> None:
        """Begin to run jobs. Raises ConfigurationWrong for what cannot be run on this machine."""
        self._is_started = True
        self._wanted = _to_be_run(self._settings)
        await self._begin()

    async def take_up(self, settings: Settings) -> None:
        """Run the jobs as these settings have it. What runs already ends as it was begun."""
        self._settings = settings
        if not self._is_started or (wanted := _to_be_run(settings)) == self._wanted:
            return
        self._wanted = wanted
        self._dismiss()
        try:
            await self._begin()
        except ConfigurationWrong as wrong:
            log.error("jobs_not_run", reason=wrong.detail)

    @property
    def stop_seconds(self) -> float:
        """How long its stop may take: nothing when nothing runs."""
        if not self._leaving and (self._worker is None or not self._worker.running):
            return 0.0
        grace = max((queue.run.grace for queue in self._settings.queues), default=0) / 1000
        return self._settings.work.drain_seconds + grace

    async def stop(self) -> None:
        """Let what runs end within `work.drain_seconds`, or give it back."""
        self._dismiss()
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def _begin(self) -> None:
        if not self._wanted:
            return
        work = self._settings.work
        source = LocalSource(self._engine, worker=f"{socket.gethostname()}:{os.getpid()}")
        workshop = Workshop(source, directory=work.directory)
        try:
            lanes = [await workshop.lane(queue, slots=queue.run.workers) for queue in self._wanted]
        except BaseException:
            await workshop.close()
            raise
        self._worker = Worker(source, lanes, slots=work.slots, drain_seconds=work.drain_seconds)
        self._working = asyncio.create_task(_work(self._worker, workshop))
        for queue in self._wanted:
            log.info("jobs_run", queue=queue.name, type=str(queue.run.type), workers=queue.run.workers)

    def _dismiss(self) -> None:
        if self._worker is not None and self._working is not None:
            self._worker.stop()
            self._leaving.add(self._working)
            self._working.add_done_callback(self._leaving.discard)
        self._worker = self._working = None


async def _work(worker: Worker, workshop: Workshop) -> None:
    try:
        with suppress(asyncio.CancelledError):
            await worker.run()
    except Exception:
        log.exception("worker_failed")
    finally:
        await workshop.close()


def _to_be_run(settings: Settings) -> tuple[QueueSettings, ...]:
    return tuple(queue for queue in settings.queues if queue.run.type is not None and queue.run.workers)
