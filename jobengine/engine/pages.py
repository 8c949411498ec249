"""A part of a queue, filtered: for lists that are read page by page, and for what is done to many jobs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice
from typing import Final

from msgspec import Struct

from jobengine.errors import NotFound
from jobengine.model.blob import Blob
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger
from jobengine.model.order import LIVING
from jobengine.model.rules.passing import as_of
from jobengine.model.states import State

LOOK_MOST: Final = 10_000  # jobs that are looked at for one page
LOOK_BYTES_MOST: Final = 32 * 1024 * 1024  # of big values that are read for one page
TURN_MOST: Final = 250  # jobs that are looked at while nobody else has a turn

Wanted = Callable[[Job, bytes, bytes], bool]  # of a job, its content and its result


class Wish(Struct, frozen=True):
    """Which jobs of a queue are wanted."""

    queue: str
    states: tuple[State, ...]
    most: int
    after: int = -1  # the sort key behind which to begin
    is_wanted: Wanted | None = None  # None: all of them
    needs_content: bool = False  # else `is_wanted` gets b"" for a big value; so for the result
    needs_result: bool = False


class Page(Struct, frozen=True):
    """Some of the jobs that are wanted, in the queue's order."""

    jobs: list[Job]
    after: int | None  # the sort key to go on behind; None at the end
    looked_at: int
    next_arrival: int  # the number of the next job to come, when the look began


async def page(
    ledger: Ledger, wish: Wish, now: Callable[[], int], content: Callable[[Blob], Awaitable[bytes]]
) -> Page:
    """The next jobs that are wanted, as they are now. Raises NotFound.

    Looks at no more than LOOK_MOST: then it is a part of a page, and the next one goes on there.
    """
    jobs: list[Job] = []
    after, looked_at, read_bytes = wish.after, 0, 0
    next_arrival = ledger.next_arrival
    while looked_at < LOOK_MOST:
        some = _some(ledger, wish, after)
        for job in some:
            after, looked_at = job.order, looked_at + 1
            if _current(ledger, wish, job.uid, now()) is None:
                continue
            try:
                value = await _value(job.content, content if wish.needs_content else None)
                result = await _value(job.more.result, content if wish.needs_result else None)
            except NotFound:
                continue  # it went while its value was read
            read_bytes += len(value) * isinstance(job.content, Blob)
            read_bytes += len(result) * isinstance(job.more.result, Blob)
            current = _current(ledger, wish, job.uid, now())
            if current is not None and (wish.is_wanted is None or wish.is_wanted(current, value, result)):
                jobs.append(current)
            if len(jobs) == wish.most or read_bytes >= LOOK_BYTES_MOST:
                return Page(jobs, after if _some(ledger, wish, after) else None, looked_at, next_arrival)
        if len(some) < TURN_MOST:
            return Page(jobs, None, looked_at, next_arrival)
        await asyncio.sleep(0)
    return Page(jobs, after, looked_at, next_arrival)


def _current(ledger: Ledger, wish: Wish, uid: str, now: int) -> Job | None:
    """The job as it is now, if it is in a state that is wanted."""
    job = ledger.job(wish.queue, uid)
    current = None if job is None else as_of(job, ledger.queue(wish.queue), now)
    return current if current is not None and current.state in wish.states else None


async def _value(value: bytes | Blob | None, read: Callable[[Blob], Awaitable[bytes]] | None) -> bytes:
    """A value that is in memory, or that is wanted from the file; else nothing."""
    if isinstance(value, Blob):
        return b"" if read is None else await read(value)
    return value or b""


def _some(ledger: Ledger, wish: Wish, after: int) -> list[Job]:
    order = ledger.contents(wish.queue).order
    return list(islice(order.in_states(_stored_states(wish.states), after=after), TURN_MOST))


def _stored_states(states: Iterable[State]) -> tuple[State, ...]:
    """Those in which jobs stand that are in one of these now, or will be once somebody sweeps."""
    stored = set(states)
    if stored & {State.QUEUED, State.FAILED}:
        stored.add(State.INPROGRESS)  # its lease may be over
    if State.FAILED in stored:
        stored.add(State.QUEUED)  # it may have expired, in a queue that keeps such jobs
    return tuple(state for state in LIVING if state in stored)
