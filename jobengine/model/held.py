"""The queued jobs of one queue that may not be handed out: halted ones, and those that wait for a time."""

from collections.abc import Iterable

from jobengine.model.job import ARRIVAL_BITS, ARRIVAL_MASK, Job
from jobengine.model.job_list import JobList
from jobengine.model.lanes import Lanes
from jobengine.model.states import State


def may_be_held(job: Job) -> bool:
    """Whether something holds it back, or did until its time came."""
    extra = job.extra
    return extra is not None and job.state is State.QUEUED and bool(extra.halted or extra.not_before)


def _by_time(job: Job) -> int:
    return job.more.not_before << ARRIVAL_BITS | (job.order & ARRIVAL_MASK)


class Held:
    """Which they are, in the queue's order, and when the next one is held no more."""

    __slots__ = ("_timed", "by_order", "uids")

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        held = list(jobs)
        self.by_order = Lanes(held)  # to be read only
        self._timed = JobList((job for job in held if not job.more.halted), key=_by_time)
        self.uids = {job.uid for job in held}  # to be read only

    def __len__(self) -> int:
        return len(self.uids)

    def add(self, job: Job) -> None:
        """Hold this one."""
        self.uids.add(job.uid)
        self.by_order.add(job)
        if not job.more.halted:
            self._timed.add(job)

    def remove(self, job: Job) -> bool:
        """Hold this very job no more. False when it was let go before."""
        if job.uid not in self.uids:
            return False
        self.uids.remove(job.uid)
        self.by_order.remove(job)
        if not job.more.halted:
            self._timed.remove(job)
        return True

    @property
    def next_time(self) -> int | None:
        """When the next one is to be let go, in ms; None when none waits for a time."""
        return self._timed[0].more.not_before if self._timed else None

    def due(self, now: int) -> Job | None:
        """One whose time has come."""
        first = self._timed[0] if self._timed else None
        return first if first is not None and first.more.not_before <= now else None
