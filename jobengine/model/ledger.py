"""All queues and jobs in memory. `apply` is the only way in, for requests and for recovery alike."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import assert_never

from jobengine.errors import NotFound
from jobengine.model.changes import Change, DropJob, DropQueue, MoveJob, PutJob, PutQueue, moved
from jobengine.model.contents import Contents
from jobengine.model.job import ARRIVAL_MASK, Job, Queue, weight

Undo = list[Callable[[], object]]


class Ledger:
    """What a replay of the database file gives; the view that the rules look at.

    Made for replaying: `index` makes it ready to be asked.
    """

    def __init__(self, *, bytes_limit: int | None = None) -> None:
        self.bytes_limit = bytes_limit  # of memory that jobs may take; None: no limit
        self.bytes = 0  # about how much memory all jobs take
        self.next_arrival = 1
        self._contents: dict[str, Contents] = {}
        self._indexed = False

    def index(self) -> None:
        """Everything is replayed: from now on jobs are kept in order."""
        self._indexed = True
        for contents in self._contents.values():
            contents.index()
            self.bytes += contents.weight()

    # --- the way in ---

    def apply(self, changes: Iterable[Change]) -> Undo:
        """Make the changes. Cannot fail on what `decide` or a recovery gave. Returns what undoes it."""
        return [self._apply(change) for change in changes]

    @staticmethod
    def undo(undo: Undo) -> None:
        """Take back what one `apply` did; the newest first when there are several."""
        for step in reversed(undo):
            step()

    def _apply(self, change: Change) -> Callable[[], object]:
        match change:
            case PutJob():
                return self._put_job(change.job)
            case MoveJob():
                return self._put_job(moved(self._contents[change.queue].jobs[change.uid], change))
            case DropJob():
                return self._replace_job(self._contents[change.queue], change.uid, None)
            case PutQueue():
                return self._put_queue(change.queue)
            case DropQueue():
                return self._replace_contents(change.name, None)
            case _:
                assert_never(change)

    def _put_job(self, job: Job) -> Callable[[], object]:
        arrival = job.order & ARRIVAL_MASK
        if arrival >= self.next_arrival:
            self.next_arrival = arrival + 1
        return self._replace_job(self._contents[job.queue], job.uid, job)

    def _replace_job(self, contents: Contents, uid: str, job: Job | None) -> Callable[[], object]:
        before = contents.put(uid, job)
        if self._indexed:
            if job is not None:
                self.bytes += weight(job)
            if before is not None:
                self.bytes -= weight(before)
        return partial(self._replace_job, contents, uid, before)

    def _put_queue(self, queue: Queue) -> Callable[[], object]:
        contents = self._contents.get(queue.name)
        if contents is None:
            return self._replace_contents(queue.name, Contents(queue, indexed=self._indexed))
        before = contents.queue
        contents.queue = queue
        return partial(setattr, contents, "queue", before)

    def _replace_contents(self, name: str, contents: Contents | None) -> Callable[[], object]:
        before = self._contents.pop(name, None)
        if contents is not None:
            self._contents[name] = contents
        if self._indexed:
            self.bytes += (contents.weight() if contents else 0) - (before.weight() if before else 0)
        return partial(self._replace_contents, name, before)

    # --- what the rules may look at ---

    def queue(self, name: str) -> Queue:
        """A queue's settings. Raises NotFound."""
        return self.contents(name).queue

    def queues(self) -> Sequence[Queue]:
        """All queues."""
        return [contents.queue for contents in self._contents.values()]

    def count(self, name: str) -> int:
        """How many jobs a queue holds, those among them that are due but not swept included."""
        return len(self.contents(name).jobs)

    def job(self, queue: str, uid: str) -> Job | None:
        """A job as it is stored: what is due may not have been swept."""
        return self.contents(queue).jobs.get(uid)

    def first_queued(self, queue: str, now: int) -> Job | None:
        """The job to hand out next."""
        return self.contents(queue).order.first_queued(now)

    def due(self, now: int, most: int, queue: str | None = None) -> Iterator[Job]:
        """Jobs of one queue, or of all, whose deadline has come, at most so many."""
        some = self._contents.values() if queue is None else (self.contents(queue),)
        every = (each.deadlines.due(each.queue, now) for each in some)
        return islice(chain.from_iterable(every), most)

    def has_room_for(self, extra_bytes: int) -> bool:
        """Whether jobs may take so many bytes of memory more. Less is always allowed."""
        return self.bytes_limit is None or extra_bytes <= 0 or self.bytes + extra_bytes <= self.bytes_limit

    # --- what the engine reads ---

    def contents(self, name: str) -> Contents:
        """The jobs of a queue. Raises NotFound."""
        contents = self._contents.get(name)
        if contents is None:
            raise NotFound
        return contents

    def snapshot(self) -> Iterator[Change]:
        """The changes that make this ledger out of an empty one."""
        for contents in self._contents.values():
            yield PutQueue(contents.queue)
            for job in contents.jobs.values():
                yield PutJob(job)
