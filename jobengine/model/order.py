"""The order of one queue: most urgent first, first come first served among equals."""

from collections.abc import Iterable, Iterator
from heapq import merge
from operator import attrgetter
from typing import Final

from sortedcontainers import SortedKeyList

from jobengine.model.job import Job, order_of
from jobengine.model.states import State

LIVING: Final = (State.QUEUED, State.INPROGRESS, State.COMPLETE, State.FAILED)
SKIP_MOST: Final = 10_000

_by_order = attrgetter("order")


class Order:
    """The jobs of one queue, sorted, one container per state: a state is a container, the whole a merge."""

    __slots__ = ("_by_state", "_overdue_below")

    def __init__(self, jobs: Iterable[Job]) -> None:
        by_state: dict[State, list[Job]] = {state: [] for state in LIVING}
        for job in jobs:
            by_state[job.state].append(job)
        self._by_state: dict[State, SortedKeyList[Job]] = {
            state: SortedKeyList(some, key=_by_order) for state, some in by_state.items()
        }
        # Every queued job with a smaller sort key is known to be past its end: see `skip_overdue`.
        self._overdue_below = 0

    def add(self, job: Job) -> None:
        """Take a job into its place."""
        self._by_state[job.state].add(job)
        if job.order < self._overdue_below and job.state is State.QUEUED:
            self._overdue_below = job.order

    def remove(self, job: Job) -> None:
        """Take this very job out of its place."""
        self._by_state[job.state].remove(job)

    def count(self, state: State) -> int:
        """How many jobs are in this state."""
        return len(self._by_state[state])

    def skip_overdue(self, now: int, most: int = SKIP_MOST) -> bool:
        """Step over queued jobs that are past their end and not swept yet, at most so many.

        Each is stepped over once, however many claims come before the sweeper does: time does not run back.
        True when the first job left is alive, or none is left.
        """
        queued = self._by_state[State.QUEUED]
        first = self._first_not_overdue()
        for job in queued.islice(first, first + most):
            if job.expires > now:
                return True
            self._overdue_below = job.order + 1
        return first + most >= len(queued)

    def first_queued(self, now: int) -> Job | None:
        """The job to hand out next, or None."""
        while not self.skip_overdue(now):
            pass
        queued = self._by_state[State.QUEUED]
        first = self._first_not_overdue()
        return queued[first] if first < len(queued) else None

    def longest_waiting(self) -> Job | None:
        """The queued job that came first, whatever its priority."""
        return min(self._first_of_each_priority(), key=lambda job: job.arrival, default=None)

    def after(self, order: int) -> Iterator[Job]:
        """All jobs behind this sort key, in order."""
        ranges = [jobs.irange_key(order, inclusive=(False, True)) for jobs in self._by_state.values()]
        return merge(*ranges, key=_by_order)

    def rank(self, order: int) -> int:
        """How many jobs stand before this sort key."""
        return sum(jobs.bisect_key_left(order) for jobs in self._by_state.values())

    def _first_not_overdue(self) -> int:
        if not self._overdue_below:
            return 0
        return int(self._by_state[State.QUEUED].bisect_key_left(self._overdue_below))

    def _first_of_each_priority(self) -> Iterator[Job]:
        queued = self._by_state[State.QUEUED]
        at = 0
        while at < len(queued):
            job = queued[at]
            yield job
            at = queued.bisect_key_left(order_of(priority=job.priority - 1, arrival=0))
