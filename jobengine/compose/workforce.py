"""The server's own worker: runs the jobs of the queues that say so, as the configuration has it now."""

import asyncio
import os
import socket
from collections.abc import Iterator
from typing import Final

import structlog

from jobengine.compose.local_source import LocalSource
from jobengine.engine.interface import Engine
from jobengine.errors import ConfigurationWrong, JobEngineError
from jobengine.settings.schema import QueueSettings, Settings
from jobengine.work.beforehand import check_beforehand
from jobengine.work.lanes import Workshop
from jobengine.work.worker import Lane, Worker

AGAIN_SECONDS: Final = 10.0  # after a worker has failed, or a queue could not be taken up

log = structlog.get_logger(__name__)

_Equipped = tuple[QueueSettings, str | None]  # what a lane was made for: settings, and work.directory


class Workforce:
    """One worker for the life of the server. An edit changes what it claims; what runs ends as it was begun.

    A queue whose jobs cannot be run on this machine holds up no other, and is tried again.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._settings = settings
        self._source = LocalSource(engine, worker=f"{socket.gethostname()}:{os.getpid()}")
        self._workshop = Workshop(self._source)
        self._worker = Worker(self._source)
        self._lanes: dict[str, tuple[_Equipped, Lane]] = {}
        self._one_at_a_time = asyncio.Lock()  # an edit may come while the first one is still taken up
        self._working: asyncio.Task[None] | None = None
        self._trying_again: asyncio.Task[None] | None = None
        self._failure: str | None = None  # of the worker
        self._troubles: dict[str, str] = {}  # by queue
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Begin to run jobs. Raises ConfigurationWrong for what cannot be run on this machine."""
        async with self._one_at_a_time:
            try:
                for queue in _to_be_run(self._settings):
                    await self._equip(queue)
            except BaseException:
                await self._workshop.close()
                raise
            self._tell_worker()
            self._working = asyncio.create_task(self._work())

    async def check(self, settings: Settings) -> None:
        """What can be known before these are taken up. Raises ConfigurationWrong; changes nothing."""
        if self._working is None:
            return
        known = [*_to_be_run(self._settings)]
        for queue in _to_be_run(settings):
            if queue not in known:
                await asyncio.to_thread(check_beforehand, queue)

    async def take_up(self, settings: Settings) -> None:
        """Run the jobs as these settings have it. What runs already ends as it was begun."""
        async with self._one_at_a_time:
            self._settings = settings
            if self._working is not None and not self._stopping.is_set():
                await self._take_up()

    def warning(self) -> str | None:
        """Why jobs are not run that should be."""
        told = [f"no jobs of {queue} are run here: {reason}" for queue, reason in self._troubles.items()]
        return "; ".join([*([] if self._failure is None else [self._failure]), *told]) or None

    @property
    def stop_seconds(self) -> float:
        """How long its stop may take: nothing when nothing runs."""
        return self._worker.stop_seconds

    async def stop(self) -> None:
        """Let what runs end within `work.drain_seconds`, or give it back."""
        self._stopping.set()
        self._worker.stop()
        for task in (self._trying_again, self._working):
            if task is not None:
                await asyncio.wait((task,))
        async with self._one_at_a_time:
            await self._workshop.close()

    async def _take_up(self) -> None:
        """What can be run at once is, then what has to be tried first."""
        wanted = {queue.name: queue for queue in _to_be_run(self._settings)}
        directory = self._settings.work.directory
        self._lanes = {
            name: made for name, made in self._lanes.items() if made[0] == (wanted.get(name), directory)
        }
        self._troubles = {name: why for name, why in self._troubles.items() if name in wanted}
        self._tell_worker()
        new = [queue for name, queue in wanted.items() if name not in self._lanes]
        await asyncio.gather(*map(self._equip_if_possible, new))
        if self._troubles and self._trying_again is None:
            self._trying_again = asyncio.create_task(self._try_again())

    async def _equip_if_possible(self, queue: QueueSettings) -> None:
        try:
            await self._equip(queue)
        except (ConfigurationWrong, OSError) as wrong:
            if self._troubles.get(queue.name) != str(wrong):
                log.error("jobs_not_run", queue=queue.name, reason=str(wrong))
            self._troubles[queue.name] = str(wrong)
        else:
            self._troubles.pop(queue.name, None)
            self._tell_worker()

    async def _equip(self, queue: QueueSettings) -> None:
        directory = self._settings.work.directory
        lane = await self._workshop.lane(queue, directory=directory)
        self._lanes[queue.name] = (queue, directory), lane
        log.info("jobs_run", queue=queue.name, type=str(queue.run.type), workers=queue.run.workers)

    def _tell_worker(self) -> None:
        work = self._settings.work
        lanes = [lane for _, lane in self._lanes.values()]
        self._worker.take_up(lanes, slots=work.slots, drain_seconds=work.drain_seconds)

    async def _try_again(self) -> None:
        while self._troubles and not await self._stops_meanwhile():
            async with self._one_at_a_time:
                await self._take_up()
        self._trying_again = None

    async def _work(self) -> None:
        """A worker that has failed, which none should, is followed by another."""
        while True:
            try:
                await self._worker.run()
            except JobEngineError as refusal:
                self._has_failed(refusal.detail)
            except Exception as error:
                log.exception("worker_failed")
                self._has_failed(f"the worker has failed ({type(error).__name__}); its log says why")
            if await self._stops_meanwhile():
                return
            self._failure = None
            self._worker = Worker(self._source)
            self._tell_worker()

    async def _stops_meanwhile(self) -> bool:
        """Wait for a while, or until the server stops."""
        try:
            async with asyncio.timeout(AGAIN_SECONDS):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

    def _has_failed(self, reason: str) -> None:
        self._failure = f"no jobs are run here: {reason}"
        log.error("jobs_not_run", queues=[*self._lanes], reason=reason)


def _to_be_run(settings: Settings) -> Iterator[QueueSettings]:
    return (queue for queue in settings.queues if queue.run.type is not None and queue.run.workers)
