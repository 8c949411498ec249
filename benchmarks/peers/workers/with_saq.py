"""SAQ on Redis: asynchronous functions."""

import asyncio
from typing import Any

from saq import Queue, Worker

from benchmarks.peers.workers.tally import BROKER, CONCURRENCY, tally


async def nothing(_: dict[str, Any]) -> None:
    """Do nothing."""
    tally()


def prepare() -> None:
    """Nothing has to be made."""


def enqueue(jobs: int) -> None:
    """One after the other."""

    async def all_of_them() -> None:
        queue = Queue.from_url(BROKER)
        for _ in range(jobs):
            await queue.enqueue("nothing", ttl=-1)
        await queue.disconnect()

    asyncio.run(all_of_them())


def work() -> None:
    """Its own worker."""

    async def serve() -> None:
        await Worker(Queue.from_url(BROKER), functions=[nothing], concurrency=CONCURRENCY).start()

    asyncio.run(serve())
