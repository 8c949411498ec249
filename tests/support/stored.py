"""A database file at rest: filled, and looked into, without a process of its own."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from jobengine.engine.local import LocalEngine
from jobengine.engine.opening import open_engine
from jobengine.model.commands import Configure, Update
from jobengine.model.job import Job
from jobengine.model.queue import Queue
from tests.support.commands import create
from tests.support.server import SECRET

HOUR_MS = 60 * 60 * 1000
MAIL = Queue(name="mail", keep=HOUR_MS, lease=HOUR_MS)


def with_engine(
    database: Path, use: Callable[[LocalEngine], Coroutine[Any, Any, Any]], *, secret: str = SECRET
) -> Any:
    """Open the file, or make it; use the engine; close the file in good order."""

    async def opened() -> Any:
        engine = open_engine(database, secret)
        engine.start(on_failure=lambda _: None)
        try:
            return await use(engine)
        finally:
            await engine.stop()

    return asyncio.run(opened())


def fill(database: Path, *contents: bytes, commits: int = 0) -> list[Job]:
    """A job for each content, the first of them updated so often."""

    async def use(engine: LocalEngine) -> list[Job]:
        await engine.submit(Configure((MAIL,)))
        created = [await engine.submit(create("mail", content, 50, HOUR_MS)) for content in contents]
        jobs = [each.jobs[0] for each in created]
        for _ in range(commits):
            await engine.submit(Update("mail", jobs[0].uid, "owner", may_write=True, priority=50))
        return jobs

    jobs: list[Job] = with_engine(database, use)
    return jobs


def stored(database: Path, *, secret: str = SECRET) -> list[bytes]:
    """The contents of all jobs of the queue, in its order."""

    async def use(engine: LocalEngine) -> list[bytes]:
        jobs = [job async for some in engine.slices("mail") for job in some.jobs]
        return [await engine.content(job.content) for job in jobs]

    found: list[bytes] = with_engine(database, use, secret=secret)
    return found
