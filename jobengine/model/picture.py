"""One moment's picture of a queue, read in slices while the queue goes on changing."""

from heapq import merge
from itertools import islice
from operator import attrgetter

from sortedcontainers import SortedKeyList

from jobengine.model.job import Job
from jobengine.model.order import Order

_by_order = attrgetter("order")


class Picture:
    """Remembers, of the jobs that change while it is read, what they were. Copies nothing else.

    Made by `Contents.picture`, which tells it of every change until `close`.
    """

    __slots__ = ("_changed", "_contents", "_originals", "_passed", "position")

    def __init__(self, order: Order, *, after: int) -> None:
        self._contents = order
        self._passed = after  # the sort key of the last job that was read
        self._changed: set[str] = set()  # uids of jobs that changed, came or went since the moment
        self._originals: SortedKeyList[Job] = SortedKeyList(key=_by_order)  # the ones still to be read
        self.position = order.rank(after + 1)  # in the queue's order, of the next job to be read

    def note(self, uid: str, before: Job | None) -> None:
        """This job changes now; it was `before`, or not there."""
        if uid in self._changed:
            return
        self._changed.add(uid)
        if before is not None and before.order > self._passed:
            self._originals.add(before)

    def slice(self, most: int) -> list[Job]:
        """The next jobs, at most so many; an empty list is the end."""
        unchanged = (job for job in self._contents.after(self._passed) if job.uid not in self._changed)
        originals = self._originals.irange_key(self._passed, inclusive=(False, True))
        jobs = list(islice(merge(unchanged, originals, key=_by_order), most))
        if jobs:
            self._passed = jobs[-1].order
            self.position += len(jobs)
        return jobs
