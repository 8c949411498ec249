"""When time itself changes a job, and the index that finds those jobs."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Final

from jobengine.model.job import ARRIVAL_BITS, ARRIVAL_MASK, Job
from jobengine.model.job_list import JobList
from jobengine.model.queue import Queue
from jobengine.model.states import State
from jobengine.model.wheel import TimingWheel

_EARLY_MOST: Final = 2_000  # jobs of the present second that are looked at although they are not due yet
_QUEUED: Final = State.QUEUED  # a look at an enumeration's member costs five times as much
_INPROGRESS: Final = State.INPROGRESS
_LIVE: Final = (_QUEUED, _INPROGRESS)


def deadline_of(job: Job, queue: Queue) -> int:
    """The time in ms from which the job is not what it was any more: expired, timed out or forgotten."""
    if job.state is _QUEUED:
        return job.expires
    return job.lease_ends if job.state is _INPROGRESS else job.updated + queue.keep


def _by_end_of_lease(job: Job) -> int:
    # The arrival behind it makes every key different: a container with many equal keys removes slowly.
    return job.lease_ends << ARRIVAL_BITS | (job.order & ARRIVAL_MASK)


class Deadlines:
    """The jobs of one queue by their next deadline.

    Leases are sorted to the millisecond, since a claim must know of one that is over; the others need only be
    found. Ended jobs stand under the time of their end: a queue whose `keep` changes needs no second sorting.
    """

    __slots__ = ("_ended", "_jobs", "_leased", "_waiting")

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        self._jobs = jobs
        every = jobs.values()
        self._waiting = TimingWheel(
            (job.expires, job.order & ARRIVAL_MASK, job.uid) for job in every if job.state is _QUEUED
        )
        leased = (job for job in every if job.state is _INPROGRESS)
        self._leased = JobList(leased, key=_by_end_of_lease)
        self._ended = TimingWheel(
            (job.updated, job.order & ARRIVAL_MASK, job.uid) for job in every if job.state not in _LIVE
        )

    def add(self, job: Job) -> None:
        """Watch over this job."""
        state = job.state
        if state is _QUEUED:
            self._waiting.add(job.expires, job.order & ARRIVAL_MASK, job.uid)
        elif state is _INPROGRESS:
            self._leased.add(job)
        else:
            self._ended.add(job.updated, job.order & ARRIVAL_MASK, job.uid)

    def add_waiting(self, jobs: Iterable[Job]) -> None:
        """Watch over these, which are queued."""
        self._waiting.add_all((job.expires, job.order & ARRIVAL_MASK, job.uid) for job in jobs)

    def remove(self, job: Job) -> None:
        """Watch over this very job no more."""
        state = job.state
        if state is _QUEUED:
            self._waiting.remove(job.expires, job.order & ARRIVAL_MASK, job.uid)
        elif state is _INPROGRESS:
            self._leased.remove(job)
        else:
            self._ended.remove(job.updated, job.order & ARRIVAL_MASK, job.uid)

    def lease_is_over(self, now: int) -> bool:
        """Whether any job has been in progress for too long."""
        return bool(self._leased) and self._leased[0].lease_ends <= now

    def due(self, queue: Queue, now: int) -> Iterator[Job]:
        """The jobs whose deadline has come: leases that are over first, since they give jobs back.

        One of a second in which very many come due may be passed over until that second has gone by.
        """
        yield from takewhile(lambda job: job.lease_ends <= now, self._leased)
        yield from self._due(self._waiting.until(now), queue, now)
        yield from self._due(self._ended.until(now - queue.keep), queue, now)

    def _due(self, uids: Iterator[str], queue: Queue, now: int) -> Iterator[Job]:
        early = 0
        for uid in uids:
            job = self._jobs[uid]
            if deadline_of(job, queue) <= now:
                yield job
            else:
                early += 1
                if early > _EARLY_MOST:
                    return
