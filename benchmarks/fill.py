"""A database of queued jobs, written through the journal: for what does not measure the file itself."""

import asyncio
import random
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from benchmarks.job import QUEUE, VALID_SECONDS, content
from benchmarks.server import SECRET
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.model.changes import PutJob, PutQueue
from jobengine.model.job import Job, order_of
from jobengine.model.queue import Queue
from jobengine.model.states import State

JOBS_IN_A_FRAME = 1_000
MINUTES_MS = 60_000


def fill(
    database: Path, *, jobs: int, expires: int | None = None, jobs_in_a_frame: int = JOBS_IN_A_FRAME
) -> Path:
    """Write so many queued jobs that expire at one moment (ms since the epoch). Gives back the path."""
    asyncio.run(_fill(database, jobs, expires or _now() + VALID_SECONDS * 1000, jobs_in_a_frame))
    return database


async def _fill(database: Path, jobs: int, expires: int, jobs_in_a_frame: int) -> None:
    journal = Journal.open(database, Secret.parse(SECRET), replay=lambda _: None)
    journal.start(now=_now, on_rollback=_give_up, on_failure=_give_up)
    try:
        await journal.append([PutQueue(Queue(QUEUE, keep=600 * MINUTES_MS, lease=600 * MINUTES_MS))])
        for frame in _frames(jobs, expires, jobs_in_a_frame):
            await journal.append(frame)
    finally:
        await journal.close()


def _frames(jobs: int, expires: int, jobs_in_a_frame: int) -> Iterator[list[PutJob]]:
    chance = random.Random(0)
    for first in range(0, jobs, jobs_in_a_frame):
        last = min(first + jobs_in_a_frame, jobs)
        yield [PutJob(_job(arrival, chance.randint(1, 99), expires)) for arrival in range(first, last)]


def _job(arrival: int, priority: int, expires: int) -> Job:
    now = _now()
    return Job(
        uid=str(uuid.uuid4()),
        queue=QUEUE,
        state=State.QUEUED,
        order=order_of(priority=priority, arrival=arrival + 1),
        content=content().encode(),
        created=now,
        updated=now,
        expires=expires,
    )


def _give_up(what: object) -> None:
    raise RuntimeError(f"the disk refuses: {what}")


def _now() -> int:
    return time.time_ns() // 1_000_000
