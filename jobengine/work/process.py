"""A worker as a process of its own: runs the jobs of a broker on another machine, or on this one."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterable, Sequence

import structlog

from jobengine.client.async_client import AsyncClient
from jobengine.errors import ConfigurationWrong
from jobengine.settings.schema import QueueSettings, Settings
from jobengine.work.lanes import Workshop
from jobengine.work.large_blocks import give_large_blocks_back
from jobengine.work.remote import RemoteSource
from jobengine.work.worker import Worker

log = structlog.get_logger(__name__)


def queues_to_run(settings: Settings, names: Iterable[str]) -> list[QueueSettings]:
    """These queues, as this machine runs their jobs. Raises ConfigurationWrong."""
    known = {queue.name: queue for queue in settings.queues}
    return [_to_run(known.get(name), name) for name in dict.fromkeys(names)]


def _to_run(queue: QueueSettings | None, name: str) -> QueueSettings:
    if queue is None:
        raise ConfigurationWrong(
            f"there is no queue {name} in this configuration: it says how jobs are run here"
        )
    if queue.run.type is None:
        raise ConfigurationWrong(f"queues.{name} has no run.type: say how its jobs are run here")
    if not queue.run.workers:
        raise ConfigurationWrong(f"queues.{name}.run.workers is 0: say how many jobs are run here at once")
    return queue


async def work(
    settings: Settings,
    queues: Sequence[QueueSettings],
    client: AsyncClient,
    *,
    name: str | None,
    lease_seconds: float,
) -> None:
    """Run jobs until SIGTERM or SIGINT; then those that run have `work.drain_seconds`.

    Raises ConfigurationWrong, and what the broker refuses for good.
    """
    give_large_blocks_back()
    name = name or f"{socket.gethostname()}:{os.getpid()}"
    source = RemoteSource(client, worker=name, lease_seconds=lease_seconds)
    workshop, settled = Workshop(source), settings.work
    try:
        lanes = [await workshop.lane(queue, directory=settled.directory) for queue in queues]
        worker = Worker(source)
        worker.take_up(lanes, slots=settled.slots, drain_seconds=settled.drain_seconds)

        def stop() -> None:
            log.info("stopping", running=worker.running)
            worker.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        log.info("working", worker=name, queues=[queue.name for queue in queues], broker=client.address.url)
        await worker.run()
        log.info("stopped")
    finally:
        await workshop.close()
        await client.close()
