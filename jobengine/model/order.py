"""The order of one queue: most urgent first, first come first served among equals."""

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice, takewhile
from operator import attrgetter
from typing import Final

from jobengine.model.held import Held, may_be_held
from jobengine.model.job import Job
from jobengine.model.lanes import Lanes
from jobengine.model.states import State

LIVING: Final = (State.QUEUED, State.INPROGRESS, State.COMPLETE, State.FAILED)
SKIP_MOST: Final = 10_000
LET_GO_MOST: Final = 1_000

_by_order = attrgetter("order")


class Order:
    """The jobs of one queue, sorted, one container per state: a state is a container, the whole a merge."""

    __slots__ = ("_by_state", "_held", "_overdue_below", "_queued")

    def __init__(self, jobs: Iterable[Job]) -> None:
        by_state: dict[State, list[Job]] = {state: [] for state in LIVING}
        held: list[Job] = []
        for job in jobs:
            (held if may_be_held(job) else by_state[job.state]).append(job)
        self._by_state = {state: Lanes(some) for state, some in by_state.items()}
        self._queued = self._by_state[State.QUEUED]  # those that may be handed out
        self._held = Held(held)  # the others
        # Priority → sort key: its queued jobs with a smaller one are past their end, see `skip_overdue`.
        self._overdue_below: dict[int, int] = {}

    def add(self, job: Job) -> None:
        """Take a job into its place."""
        if job.extra is not None and may_be_held(job):
            self._held.add(job)
            return
        self._by_state[job.state].add(job)
        if self._overdue_below and self._is_known_overdue(job):
            self._overdue_below[job.priority] = job.order  # put back where it was: a claim was undone

    def add_waiting(self, jobs: Iterable[Job]) -> None:
        """Take in new jobs, which are queued and not held: behind all that may be overdue."""
        add = self._queued.add
        for job in jobs:
            add(job)

    def remove(self, job: Job) -> None:
        """Take this very job out of its place."""
        if job.extra is None or not may_be_held(job) or not self._held.remove(job):
            self._by_state[job.state].remove(job)

    def count(self, state: State) -> int:
        """How many jobs are in this state."""
        return len(self._by_state[state]) + (len(self._held) if state is State.QUEUED else 0)

    @property
    def held(self) -> int:
        """How many queued jobs wait for a time, or are halted."""
        return len(self._held)

    @property
    def next_time(self) -> int | None:
        """When the next job that waits for a time may be handed out, in ms."""
        return self._held.next_time

    def let_go(self, now: int, most: int = LET_GO_MOST) -> bool:
        """Hold those no more whose time has come, at most so many. True when none of them is left."""
        if not self._held.uids:
            return True
        while (job := self._held.due(now)) is not None:
            if most <= 0:
                return False
            most -= 1
            self._held.remove(job)
            self._queued.add(job)
            if self._is_known_overdue(job):
                self._overdue_below[job.priority] = job.order
        return True

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

    def first_ready(self, now: int) -> Job | None:
        """The job to hand out next, or None."""
        if self._held.uids:
            self._let_all_go(now)
        while (first := self._first_not_overdue()) is not None and first.expires <= now:
            self._skip_equals(first, now, SKIP_MOST)
        return first

    def ready(self, now: int, most: int) -> list[Job]:
        """The jobs to hand out next; fewer than there are when very many overdue ones stand between them."""
        first = self.first_ready(now)
        jobs: list[Job] = []
        while first is not None and len(jobs) < most:
            behind = first.order
            for job in islice(self._queued.since(behind), most - len(jobs)):
                if job.expires <= now:
                    break
                jobs.append(job)
                behind = job.order
            if len(jobs) == most:  # to look behind them takes longer than all this
                break
            first = self._first_not_overdue(behind=behind)
            if first is not None and first.expires <= now:
                overdue = self._overdue_from(first, now, SKIP_MOST)
                if first.priority != jobs[-1].priority:  # else those before it would be stepped over, too
                    self._overdue_below[first.priority] = overdue[-1].order + 1
                if len(overdue) == SKIP_MOST:
                    break
                first = self._first_not_overdue(behind=overdue[-1].order)
        return jobs

    def lowest_first(self) -> Iterator[Job]:
        """The queued jobs, the last first."""
        return merge(reversed(self._queued), reversed(self._held.by_order), key=_by_order, reverse=True)

    def queued_before(self, job: Job) -> int:
        """How many jobs would be handed out before this one."""
        return self._queued.before(job.order)

    def longest_waiting(self) -> Job | None:
        """The queued job that came first, whatever its priority."""
        return min(self._queued.first_of_each_priority(), key=lambda job: job.arrival, default=None)

    def after(self, order: int) -> Iterator[Job]:
        """All jobs behind this sort key, in order."""
        return self.in_states(LIVING, after=order)

    def in_states(self, states: Iterable[State], *, after: int) -> Iterator[Job]:
        """The jobs in any of these states behind this sort key, in order."""
        ranges = [jobs.since(after + 1) for jobs in self._containers(states)]
        return ranges[0] if len(ranges) == 1 else merge(*ranges, key=_by_order)

    def rank(self, order: int) -> int:
        """How many jobs stand before this sort key."""
        return sum(jobs.before(order) for jobs in self._containers(LIVING))

    def _containers(self, states: Iterable[State]) -> Iterator[Lanes]:
        for state in states:
            yield self._by_state[state]
            if state is State.QUEUED and self._held:
                yield self._held.by_order

    def _let_all_go(self, now: int) -> None:
        while not self.let_go(now):
            pass

    def _first_not_overdue(self, *, behind: int = -1) -> Job | None:
        """The first queued job that nobody has stepped over, one hop for each priority before it."""
        job = self._queued.first(behind + 1)
        while self._overdue_below and job is not None and self._is_known_overdue(job):
            job = self._queued.first(self._overdue_below[job.priority])
        return job

    def _is_known_overdue(self, job: Job) -> bool:
        return job.state is State.QUEUED and job.order < self._overdue_below.get(job.priority, 0)

    def _skip_equals(self, first: Job, now: int, most: int) -> int:
        """Step over this overdue job and those right behind it that have its priority. Returns how many."""
        overdue = self._overdue_from(first, now, most)
        self._overdue_below[first.priority] = overdue[-1].order + 1
        return len(overdue)

    def _overdue_from(self, first: Job, now: int, most: int) -> list[Job]:
        """This overdue job and those right behind it that have its priority, at most so many."""
        priority = first.priority
        since = islice(self._queued.since(first.order), most)
        return list(takewhile(lambda job: job.priority == priority and job.expires <= now, since))
