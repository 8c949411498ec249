"""When time itself changes a job, and the index that finds those jobs."""

from collections.abc import Iterable, Iterator
from itertools import takewhile

from sortedcontainers import SortedKeyList

from jobengine.model.job import ARRIVAL_BITS, ARRIVAL_MASK, Job, Queue
from jobengine.model.states import State


def deadline_of(job: Job, queue: Queue) -> int:
    """The time in ms from which the job is not what it was any more: expired, timed out or forgotten."""
    if job.state is State.QUEUED:
        return job.expires
    return job.lease_ends if job.state is State.INPROGRESS else job.updated + queue.keep


def _by_time(job: Job) -> int:
    if job.state is State.QUEUED:
        time = job.expires
    else:
        time = job.lease_ends if job.state is State.INPROGRESS else job.updated
    # The arrival behind it makes every key different: a container with many equal keys removes slowly.
    return time << ARRIVAL_BITS | (job.order & ARRIVAL_MASK)


class Deadlines:
    """The jobs of one queue, next deadline first.

    Ended jobs are sorted by when they ended, not by when they are forgotten: a queue whose `keep` changes
    needs no second sorting.
    """

    __slots__ = ("_ended", "_leased", "_waiting")

    def __init__(self, jobs: Iterable[Job]) -> None:
        waiting: list[Job] = []
        leased: list[Job] = []
        ended: list[Job] = []
        for job in jobs:
            state = job.state
            (waiting if state is State.QUEUED else leased if state is State.INPROGRESS else ended).append(job)
        self._waiting: SortedKeyList[Job] = SortedKeyList(waiting, key=_by_time)
        self._leased: SortedKeyList[Job] = SortedKeyList(leased, key=_by_time)
        self._ended: SortedKeyList[Job] = SortedKeyList(ended, key=_by_time)

    def add(self, job: Job) -> None:
        """Watch over this job."""
        self._jobs_like(job).add(job)

    def remove(self, job: Job) -> None:
        """Watch over this very job no more."""
        self._jobs_like(job).remove(job)

    def lease_is_over(self, now: int) -> bool:
        """Whether any job has been in progress for too long."""
        return bool(self._leased) and self._leased[0].lease_ends <= now

    def due(self, queue: Queue, now: int) -> Iterator[Job]:
        """The jobs whose deadline has come: leases that are over first, since they give jobs back."""
        for jobs in (self._leased, self._waiting, self._ended):
            yield from takewhile(lambda job: deadline_of(job, queue) <= now, jobs)

    def _jobs_like(self, job: Job) -> "SortedKeyList[Job]":
        if job.state is State.QUEUED:
            return self._waiting
        return self._leased if job.state is State.INPROGRESS else self._ended
