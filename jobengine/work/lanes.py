"""Settings → what a worker does with the jobs of a queue."""

import os
from collections.abc import Mapping
from typing import Final, assert_never

from jobengine.archive.limits import ArchiveLimits
from jobengine.client.worker.threads import Threads
from jobengine.errors import ConfigurationWrong
from jobengine.model.log import Stream
from jobengine.settings.run import RunSettings, RunType
from jobengine.settings.schema import QueueSettings
from jobengine.work.bundle import BundleRunner
from jobengine.work.conditions import Conditions
from jobengine.work.payload import PayloadRunner, PayloadSettings
from jobengine.work.python_class import GRACES, PythonRunner, import_classes
from jobengine.work.runner import LogSink, Runner
from jobengine.work.shell import ShellRunner, ShellSettings
from jobengine.work.slurm.making import cluster_maker, service_maker
from jobengine.work.source import Claimed, Source
from jobengine.work.spawner.spawner import Spawner
from jobengine.work.trial import try_sandbox
from jobengine.work.worker import Lane, MakeRunner

STUCK_MOST: Final = 100  # threads of Python jobs that do not end when they are told to
_HIDDEN: Final = frozenset({"SECRET", "SECRET_FILE"})  # passed on to nobody, whatever the configuration says


class Workshop:
    """All that runners need and share. One for each process that runs jobs."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._spawner = Spawner()
        self._threads: dict[str, Threads] = {}  # by queue

    async def lane(self, queue: QueueSettings, *, directory: str | None) -> Lane:
        """What to do with the jobs of this queue. `directory` is for those that their programs run in.

        Raises ConfigurationWrong and OSError when that cannot be done on this machine.
        """
        run = queue.run
        make = await self._maker(queue, directory)
        stop_seconds = run.grace / 1000 * (GRACES if run.type is RunType.PYTHON else 1)
        return Lane(queue.name, run.workers, run.timeout / 1000, stop_seconds, make)

    async def close(self) -> None:
        """End whatever is still there of what was started."""
        await self._spawner.stop()
        for threads in self._threads.values():
            threads.stop()

    async def _maker(self, queue: QueueSettings, directory: str | None) -> MakeRunner:
        run = queue.run
        if run.type is RunType.PYTHON:
            return self._python(queue.name, run)
        if run.type is RunType.SLURM and run.slurm.url is not None:
            return service_maker(run)
        conditions = Conditions.of(run, shared(), directory=directory, log_bytes=queue.log_bytes)
        await self._spawner.start()
        await try_sandbox(conditions, self._spawner)
        match run.type:
            case RunType.SHELL:
                return self._shell(run, conditions)
            case RunType.PAYLOAD:
                return self._payload(run, conditions)
            case RunType.BUNDLE:
                return self._bundle(run, conditions)
            case RunType.SLURM:
                return cluster_maker(run, conditions, self._spawner, self._sink)
            case None:
                raise ConfigurationWrong(f"the queue {queue.name} has no run.type: its jobs cannot be run")
            case _:
                assert_never(run.type)

    def _python(self, queue: str, run: RunSettings) -> MakeRunner:
        classes = import_classes(run.classes)
        threads = self._threads.setdefault(queue, Threads(0))
        # Each job has a thread to start in, and another that tells it to halt or to stop.
        threads.most = max(threads.most, 2 * run.workers + STUCK_MOST)

        def make(job: Claimed, _slot: int) -> Runner:
            return PythonRunner(job, classes, threads, grace_seconds=run.grace / 1000)

        return make

    def _shell(self, run: RunSettings, conditions: Conditions) -> MakeRunner:
        settings = ShellSettings(run.allow_shell, run.command_length)

        def make(job: Claimed, _slot: int) -> Runner:
            return ShellRunner(job, settings, conditions, self._spawner, self._sink(job))

        return make

    def _payload(self, run: RunSettings, conditions: Conditions) -> MakeRunner:
        settings = PayloadSettings(run.command, run.archive_bytes)

        def make(job: Claimed, slot: int) -> Runner:
            return PayloadRunner(job, slot, settings, conditions, self._spawner, self._sink(job))

        return make

    def _bundle(self, run: RunSettings, conditions: Conditions) -> MakeRunner:
        limits = ArchiveLimits(bytes=run.archive_bytes, unpacked_bytes=run.unpacked_bytes)

        def make(job: Claimed, _slot: int) -> Runner:
            return BundleRunner(job, limits, conditions, self._spawner, self._sink(job))

        return make

    def _sink(self, job: Claimed) -> LogSink:
        job = job.without_values()

        async def sink(stream: Stream, offset: int, data: bytes) -> None:
            await self._source.log(job, stream, offset, data)

        return sink


def shared() -> Mapping[str, str]:
    """The environment of this process, but for what it must tell nobody."""
    return {name: value for name, value in os.environ.items() if name not in _HIDDEN}
