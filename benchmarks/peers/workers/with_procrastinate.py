"""procrastinate on PostgreSQL: asynchronous functions."""

import asyncio

from procrastinate import App, PsycopgConnector

from benchmarks.peers.workers.tally import BROKER, CONCURRENCY, tally

application = App(connector=PsycopgConnector(conninfo=BROKER))


@application.task(name="nothing")
async def nothing() -> None:
    """Do nothing."""
    tally()


def prepare() -> None:
    """Make its tables where they are not there yet."""

    async def make() -> None:
        async with application.open_async():
            if not await application.check_connection_async():
                await application.schema_manager.apply_schema_async()

    asyncio.run(make())


def enqueue(jobs: int) -> None:
    """One after the other."""

    async def all_of_them() -> None:
        async with application.open_async():
            for _ in range(jobs):
                await nothing.defer_async()

    asyncio.run(all_of_them())


def work() -> None:
    """Its own worker."""

    async def serve() -> None:
        async with application.open_async():
            await application.run_worker_async(concurrency=CONCURRENCY)

    asyncio.run(serve())
