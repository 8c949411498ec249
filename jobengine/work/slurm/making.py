"""Settings → what runs the jobs of a queue for Slurm."""

from collections.abc import Callable
from typing import Final

from jobengine.archive.limits import ArchiveLimits
from jobengine.errors import ConfigurationWrong
from jobengine.settings.run import MINUTE_MS, RunSettings
from jobengine.work.bundle import Bundle, returned_bytes
from jobengine.work.conditions import Conditions
from jobengine.work.runner import LogSink, Runner
from jobengine.work.slurm.cluster import ClusterJob
from jobengine.work.slurm.commands import check_programs
from jobengine.work.slurm.runner import SlurmRunner
from jobengine.work.slurm.service import ServiceJob
from jobengine.work.source import Claimed
from jobengine.work.spawner.spawner import Spawner
from jobengine.work.worker import MakeRunner

_KILL_SECONDS: Final = 35.0  # Slurm's own grace (KillWait, 30 s if not said otherwise), and a look at the job


def service_maker(run: RunSettings) -> MakeRunner:
    """By the service that the settings name. Raises ConfigurationWrong."""
    url, token, limits = run.slurm.url, run.slurm.token, _limits(run)
    if url is None:
        raise ConfigurationWrong("run.slurm.url: there is none")

    def make(job: Claimed, _slot: int) -> Runner:
        slurm_job = ServiceJob(job, url, token, Bundle(job, limits), archive_bytes=returned_bytes(limits))
        return SlurmRunner(job, slurm_job, poll_seconds=run.slurm.poll / 1000, stop_seconds=_KILL_SECONDS)

    return make


def cluster_maker(
    run: RunSettings, conditions: Conditions, spawner: Spawner, sink: Callable[[Claimed], LogSink]
) -> MakeRunner:
    """By Slurm's programs on this machine. Raises ConfigurationWrong when they are not there."""
    check_programs()
    limits = _limits(run)
    # A worker that was killed stops nothing any more: Slurm does.
    time = f"--time={-(-run.timeout // MINUTE_MS)}"
    partition = () if run.slurm.partition is None else (f"--partition={run.slurm.partition}",)

    def make(job: Claimed, _slot: int) -> Runner:
        slurm_job = ClusterJob(job, limits, conditions, spawner, sink(job), options=(time, *partition))
        return SlurmRunner(job, slurm_job, poll_seconds=run.slurm.poll / 1000, stop_seconds=_KILL_SECONDS)

    return make


def _limits(run: RunSettings) -> ArchiveLimits:
    return ArchiveLimits(bytes=run.archive_bytes, unpacked_bytes=run.unpacked_bytes)
