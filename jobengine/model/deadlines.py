"""When time itself changes a job, and the index that finds those jobs."""

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Final

from sortedcontainers import SortedKeyList

from jobengine.model.job import ARRIVAL_BITS, ARRIVAL_MASK, Job, Queue
from jobengine.model.states import State

_QUEUED: Final = State.QUEUED  # a look at an enumeration's member costs five times as much
_INPROGRESS: Final = State.INPROGRESS


def deadline_of(job: Job, queue: Queue) -> int:
    """The time in ms from which the job is not what it was any more: expired, timed out or forgotten."""
    if job.state is _QUEUED:
        return job.expires
    return job.lease_ends if job.state is _INPROGRESS else job.updated + queue.keep


# The arrival behind the time makes every key different: a container with many equal keys removes slowly.


def _by_end_of_validity(job: Job) -> int:
    return job.expires << ARRIVAL_BITS | (job.order & ARRIVAL_MASK)


def _by_end_of_lease(job: Job) -> int:
    return job.lease_ends << ARRIVAL_BITS | (job.order & ARRIVAL_MASK)


def _by_last_update(job: Job) -> int:
    return job.updated << ARRIVAL_BITS | (job.order & ARRIVAL_MASK)


class Deadlines:
    """The jobs of one queue, next deadline first.

    Ended jobs are sorted by when they ended, not by when they are forgotten: a queue whose `keep` changes
    needs no second sorting.
    """

    __slots__ = ("_by_state", "_ended", "_leased", "_waiting")

    def __init__(self, jobs: Iterable[Job]) -> None:
        waiting: list[Job] = []
        leased: list[Job] = []
        ended: list[Job] = []
        for job in jobs:
            state = job.state
            (waiting if state is _QUEUED else leased if state is _INPROGRESS else ended).append(job)
        self._waiting: SortedKeyList[Job] = SortedKeyList(waiting, key=_by_end_of_validity)
        self._leased: SortedKeyList[Job] = SortedKeyList(leased, key=_by_end_of_lease)
        self._ended: SortedKeyList[Job] = SortedKeyList(ended, key=_by_last_update)
        self._by_state = {
            State.QUEUED: self._waiting,
            State.INPROGRESS: self._leased,
            State.COMPLETE: self._ended,
            State.FAILED: self._ended,
        }

    def add(self, job: Job) -> None:
        """Watch over this job."""
        self._by_state[job.state].add(job)

    def remove(self, job: Job) -> None:
        """Watch over this very job no more."""
        self._by_state[job.state].remove(job)

    def lease_is_over(self, now: int) -> bool:
        """Whether any job has been in progress for too long."""
        return bool(self._leased) and self._leased[0].lease_ends <= now

    def due(self, queue: Queue, now: int) -> Iterator[Job]:
        """The jobs whose deadline has come: leases that are over first, since they give jobs back."""
        for jobs in (self._leased, self._waiting, self._ended):
            yield from takewhile(lambda job: deadline_of(job, queue) <= now, jobs)
