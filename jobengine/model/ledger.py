"""All queues and jobs in memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, assert_never

from jobengine.errors import NotFound
from jobengine.model.changes import Change, DropJob, DropQueue, MoveJob, PutJob, PutQueue, moved
from jobengine.model.contents import Contents, Totals
from jobengine.model.job import Job, Queue

# What took place last is undone first: a function, what it is about, and what that was before.
Undo = list[tuple[Callable[[str, Any], object], str, object]]


class Ledger:
    """What a replay of the database file gives; the view that the rules look at.

    Made for replaying: `index` makes it ready to be asked.
    """

    def __init__(self, *, bytes_limit: int | None = None) -> None:
        self.bytes_limit = bytes_limit  # of memory that jobs may take; None: no limit
        self.totals = Totals()  # to be read only
        self._contents: dict[str, Contents] = {}
        self._indexed = False

    def index(self) -> None:
        """Everything is replayed: from now on jobs are kept in order."""
        self._indexed = True
        for contents in self._contents.values():
            contents.index()

    # --- the way in ---

    def replay(self, changes: Iterable[Change]) -> None:
        """Make changes that a file holds, before `index`. Raises KeyError when they do not fit.

        The same as `apply`, with a short way for what most of a file is.
        """
        for change in changes:
            match change:
                case PutJob():
                    job = change.job
                    self._contents[job.queue].jobs[job.uid] = job
                case MoveJob():
                    jobs = self._contents[change.queue].jobs
                    jobs[change.uid] = moved(jobs[change.uid], change)
                case _:
                    self.apply((change,))

    def apply(self, changes: Iterable[Change]) -> Undo:
        """Make the changes. Cannot fail on what `decide` gave. Returns what undoes it."""
        undo: Undo = []
        for change in changes:
            match change:
                case PutJob(job):
                    put = self._contents[job.queue].put
                    undo.append((put, job.uid, put(job.uid, job)))
                case MoveJob(queue, uid):
                    contents = self._contents[queue]
                    undo.append((contents.put, uid, contents.put(uid, moved(contents.jobs[uid], change))))
                case DropJob(queue, uid):
                    put = self._contents[queue].put
                    undo.append((put, uid, put(uid, None)))
                case PutQueue(queue):
                    undo.append(self._put_queue(queue))
                case DropQueue(name):
                    undo.append((self._replace_contents, name, self._replace_contents(name, None)))
                case _:
                    assert_never(change)
        return undo

    @staticmethod
    def undo(undo: Undo) -> None:
        """Take back what one `apply` did; the newest first when there are several."""
        for put_back, name, before in reversed(undo):
            put_back(name, before)

    def _put_queue(self, queue: Queue) -> tuple[Callable[[str, Any], object], str, object]:
        if queue.name in self._contents:
            return self._put_settings, queue.name, self._put_settings(queue.name, queue)
        contents = Contents(queue, self.totals, indexed=self._indexed)
        return self._replace_contents, queue.name, self._replace_contents(queue.name, contents)

    def _put_settings(self, name: str, queue: Queue) -> Queue:
        contents = self._contents[name]
        before, contents.queue = contents.queue, queue
        return before

    def _replace_contents(self, name: str, contents: Contents | None) -> Contents | None:
        before = self._contents.pop(name, None)
        if before is not None:
            before.leave()
        if contents is not None:
            self._contents[name] = contents
            contents.enter()
        return before

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
        return (
            self.bytes_limit is None
            or extra_bytes <= 0
            or self.totals.bytes + extra_bytes <= self.bytes_limit
        )

    @property
    def next_arrival(self) -> int:
        """The number of the next job to come."""
        return self.totals.next_arrival

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
