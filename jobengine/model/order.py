"""The order of one queue: most urgent first, first come first served among equals."""

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice, takewhile
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

    __slots__ = ("_by_state", "_overdue_below", "_queued")

    def __init__(self, jobs: Iterable[Job]) -> None:
        by_state: dict[State, list[Job]] = {state: [] for state in LIVING}
        for job in jobs:
            by_state[job.state].append(job)
        self._by_state: dict[State, SortedKeyList[Job]] = {
            state: SortedKeyList(some, key=_by_order) for state, some in by_state.items()
        }
        self._queued = self._by_state[State.QUEUED]
        # Priority → sort key: its queued jobs with a smaller one are past their end, see `skip_overdue`.
        self._overdue_below: dict[int, int] = {}

    def add(self, job: Job) -> None:
        """Take a job into its place."""
        self._by_state[job.state].add(job)
        if self._overdue_below and self._is_known_overdue(job):
            self._overdue_below[job.priority] = job.order  # put back where it was: a claim was undone

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
        while (first := self._first_not_overdue()) is not None and first.expires <= now:
            if most <= 0:
                return False
            most -= self._skip_equals(first, now, most)
        return True

    def first_queued(self, now: int) -> Job | None:
        """The job to hand out next, or None."""
        while (first := self._first_not_overdue()) is not None and first.expires <= now:
            self._skip_equals(first, now, SKIP_MOST)
        return first

    def longest_waiting(self) -> Job | None:
        """The queued job that came first, whatever its priority."""
        return min(self._first_of_each_priority(), key=lambda job: job.arrival, default=None)

    def after(self, order: int) -> Iterator[Job]:
        """All jobs behind this sort key, in order."""
        ranges = [jobs.irange_key(order, inclusive=(False, True)) for jobs in self._by_state.values()]
        return merge(*ranges, key=_by_order)

    def in_state(self, state: State, *, after: int) -> Iterator[Job]:
        """The jobs in one state behind this sort key, in order."""
        jobs: Iterator[Job] = self._by_state[state].irange_key(after, inclusive=(False, True))
        return jobs

    def rank(self, order: int) -> int:
        """How many jobs stand before this sort key."""
        return sum(jobs.bisect_key_left(order) for jobs in self._by_state.values())

    def _first_not_overdue(self) -> Job | None:
        """The first queued job that nobody has stepped over, one hop for each priority before it."""
        queued = self._queued
        if not self._overdue_below:
            return queued[0] if queued else None
        at = 0
        while at < len(queued):
            job: Job = queued[at]
            if not self._is_known_overdue(job):
                return job
            at = queued.bisect_key_left(self._overdue_below[job.priority])
        return None

    def _is_known_overdue(self, job: Job) -> bool:
        return job.state is State.QUEUED and job.order < self._overdue_below.get(job.priority, 0)

    def _skip_equals(self, first: Job, now: int, most: int) -> int:
        """Step over this overdue job and those right behind it that have its priority. Returns how many."""
        behind = order_of(priority=first.priority - 1, arrival=0)
        equals = self._queued.irange_key(first.order, behind, (True, False))
        overdue = list(takewhile(lambda job: job.expires <= now, islice(equals, most)))
        self._overdue_below[first.priority] = overdue[-1].order + 1
        return len(overdue)

    def _first_of_each_priority(self) -> Iterator[Job]:
        queued = self._queued
        at = 0
        while at < len(queued):
            job = queued[at]
            yield job
            at = queued.bisect_key_left(order_of(priority=job.priority - 1, arrival=0))
