"""The server's own worker: runs the jobs of the queues that say so, as the configuration has it now."""

import asyncio
import os
import socket
from typing import Final

import structlog

from jobengine.compose.local_source import LocalSource
from jobengine.engine.interface import Engine
from jobengine.errors import ConfigurationWrong, JobEngineError
from jobengine.settings.run import RunType
from jobengine.settings.schema import QueueSettings, Settings
from jobengine.work.lanes import Workshop
from jobengine.work.python_class import GRACES
from jobengine.work.worker import Worker

AGAIN_SECONDS: Final = 10.0  # after a worker has failed another one begins

log = structlog.get_logger(__name__)


class Workforce:
    """A worker for each set of settings: an edit lets the old one finish, and starts another."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._wanted: tuple[QueueSettings, ...] = ()
        self._is_started = False
        self._one_at_a_time = asyncio.Lock()  # an edit may come while the first worker is still beginning
        self._worker: Worker | None = None
        self._working: asyncio.Task[None] | None = None
        self._leaving: dict[asyncio.Task[None], Worker] = {}  # who finish what they had begun
        self._beginning: asyncio.Task[None] | None = None  # the next one, after one has failed
        self._trouble: str | None = None
        self._is_stopped = False

    async def start(self) -> None:
        """Begin to run jobs. Raises ConfigurationWrong for what cannot be run on this machine."""
        async with self._one_at_a_time:
            self._is_started = True
            self._wanted = _to_be_run(self._settings)
            await self._begin()

    async def take_up(self, settings: Settings) -> None:
        """Run the jobs as these settings have it. What runs already ends as it was begun."""
        async with self._one_at_a_time:
            await self._take_up(settings)

    async def _take_up(self, settings: Settings) -> None:
        self._settings = settings
        if not self._is_started or (wanted := _to_be_run(settings)) == self._wanted:
            return
        self._wanted = wanted
        self._dismiss()
        try:
            await self._begin()
        except (ConfigurationWrong, OSError) as wrong:
            self._is_in_trouble(str(wrong))
            self._beginning = asyncio.create_task(self._begin_again())

    def warning(self) -> str | None:
        """Why jobs are not run that should be."""
        return self._trouble

    @property
    def stop_seconds(self) -> float:
        """How long its stop may take: nothing when nothing runs."""
        if not self._leaving and (self._worker is None or not self._worker.running):
            return 0.0
        return self._settings.work.drain_seconds + max(map(_grace_seconds, self._settings.queues), default=0)

    async def stop(self) -> None:
        """Let what runs end within `work.drain_seconds`, or give it back."""
        self._is_stopped = True
        self._dismiss()
        for worker in self._leaving.values():
            worker.stop()
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def _begin(self) -> None:
        if not self._wanted:
            self._trouble = None
            return
        work = self._settings.work
        source = LocalSource(self._engine, worker=f"{socket.gethostname()}:{os.getpid()}")
        workshop = Workshop(source, directory=work.directory)
        try:
            lanes = [await workshop.lane(queue, slots=queue.run.workers) for queue in self._wanted]
        except BaseException:
            await workshop.close()
            raise
        if self._is_stopped:  # meanwhile
            await workshop.close()
            return
        self._worker = Worker(source, lanes, slots=work.slots, drain_seconds=work.drain_seconds)
        self._working = asyncio.create_task(self._work(self._worker, workshop))
        self._trouble = None
        for queue in self._wanted:
            log.info("jobs_run", queue=queue.name, type=str(queue.run.type), workers=queue.run.workers)

    def _dismiss(self) -> None:
        if self._beginning is not None:
            self._beginning.cancel()
        if self._worker is not None and self._working is not None:
            self._worker.retire()
            self._leaving[self._working] = self._worker
            self._working.add_done_callback(self._leaving.pop)
        self._worker = self._working = self._beginning = None

    async def _work(self, worker: Worker, workshop: Workshop) -> None:
        try:
            await worker.run()
        except JobEngineError as refusal:  # one of its queues has gone, for example
            self._has_failed(worker, refusal.detail)
        except Exception as error:
            log.exception("worker_failed")
            self._has_failed(worker, f"the worker has failed ({type(error).__name__}); its log says why")
        finally:
            await workshop.close()

    def _has_failed(self, worker: Worker, reason: str) -> None:
        if worker is self._worker:
            self._worker = self._working = None
            self._is_in_trouble(reason)
            self._beginning = asyncio.create_task(self._begin_again())

    async def _begin_again(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            try:
                return await self._begin()
            except (ConfigurationWrong, OSError) as wrong:
                self._is_in_trouble(str(wrong))

    def _is_in_trouble(self, reason: str) -> None:
        """Say so, once."""
        queues = ", ".join(queue.name for queue in self._wanted)
        before, self._trouble = self._trouble, f"no jobs of {queues} are run here: {reason}"
        if self._trouble != before:
            log.error("jobs_not_run", queues=queues, reason=reason)


def _grace_seconds(queue: QueueSettings) -> float:
    return queue.run.grace / 1000 * (GRACES if queue.run.type is RunType.PYTHON else 1)


def _to_be_run(settings: Settings) -> tuple[QueueSettings, ...]:
    return tuple(queue for queue in settings.queues if queue.run.type is not None and queue.run.workers)
