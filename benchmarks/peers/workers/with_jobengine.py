"""JobEngine: its own client and worker, asynchronous functions."""

from typing import Any

from benchmarks.job import QUEUE, SERVICE
from benchmarks.peers.workers.tally import BROKER, CONCURRENCY, tally
from jobengine import Client, Worker

worker = Worker(BROKER or None, name=SERVICE, concurrency=CONCURRENCY)


@worker.job(QUEUE)
async def nothing(_: Any) -> None:
    """Do nothing."""
    tally()


def prepare() -> None:
    """Nothing has to be made."""


def enqueue(jobs: int) -> None:
    """One after the other."""
    with Client(BROKER, name=SERVICE) as client:
        for _ in range(jobs):
            client.create(QUEUE, None)


def work() -> None:
    """Its own worker."""
    worker.run()
