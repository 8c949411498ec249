"""All queues and jobs in memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final, assert_never

from jobengine.errors import NotFound
from jobengine.model.changes import (
    AlterJob,
    AppendLog,
    Change,
    DropJob,
    DropKeys,
    DropLog,
    DropQueue,
    MoveJob,
    PutJob,
    PutKey,
    PutQueue,
    all_of,
    altered,
    moved,
)
from jobengine.model.contents import Contents, Totals
from jobengine.model.job import Job
from jobengine.model.keys import Key, Keys
from jobengine.model.log import JobLog
from jobengine.model.queue import Queue
from jobengine.model.states import State
from jobengine.model.view import Waiting

_QUEUED: Final = State.QUEUED

# What took place last is undone first: a function, what it is about, and what that was before.
Undo = list[tuple[Callable[[Any, Any], object], object, object]]


class Ledger:
    """What a replay of the database file gives; the view that the rules look at.

    Made for replaying: `index` makes it ready to be asked.
    """

    def __init__(self, *, bytes_limit: int | None = None) -> None:
        self.bytes_limit = bytes_limit  # of memory that jobs may take; None: no limit
        self.totals = Totals()  # to be read only
        self.keys = Keys()  # to be read only
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
                case AlterJob():
                    jobs = self._contents[change.move.queue].jobs
                    jobs[change.move.uid] = altered(jobs[change.move.uid], change)
                case _:
                    self.apply((change,))

    def apply(self, changes: Sequence[Change]) -> Undo:
        """Make the changes. Cannot fail on what `decide` gave. Returns what undoes it."""
        new = self._new_jobs(changes) if len(changes) > 1 else ()
        if not new:
            return self._apply_each(changes)
        contents = self._contents[new[0].queue]
        contents.put_new(new)
        return [(contents.put, job.uid, None) for job in new]

    def _apply_each(self, changes: Iterable[Change]) -> Undo:  # noqa: C901  # a table
        undo: Undo = []
        for change in changes:
            match change:
                case PutJob():  # not `PutJob(job)`: to take it apart costs as much as to find its place
                    job = change.job
                    put, uid = self._contents[job.queue].put, job.uid
                    undo.append((put, uid, put(uid, job)))
                case MoveJob():
                    contents, uid = self._contents[change.queue], change.uid
                    put = contents.put
                    undo.append((put, uid, put(uid, moved(contents.jobs[uid], change))))
                case AlterJob(MoveJob(queue, uid)):
                    contents = self._contents[queue]
                    undo.append((contents.put, uid, contents.put(uid, altered(contents.jobs[uid], change))))
                case DropJob(queue, uid):
                    contents = self._contents[queue]
                    if uid in contents.logs:
                        undo.append((contents.put_with_log, uid, contents.put_with_log(uid, (None, None))))
                    else:
                        undo.append((contents.put, uid, contents.put(uid, None)))
                case AppendLog(queue, uid, epoch, chunk):
                    contents = self._contents[queue]
                    log = contents.written(uid, epoch, chunk)
                    undo.append((contents.put_log, uid, contents.put_log(uid, log)))
                case DropLog(queue, uid):
                    put_log = self._contents[queue].put_log
                    undo.append((put_log, uid, put_log(uid, None)))
                case PutQueue(queue):
                    undo.append(self._put_queue(queue))
                case DropQueue(name):
                    undo.append((self._replace_contents, name, self._replace_contents(name, None)))
                case PutKey(key):
                    undo.append((self._replace_keys, [key], self._replace_keys([], [key])))
                case DropKeys(number):
                    undo.append((self._replace_keys, [], self._drop_keys(number)))
                case _:
                    assert_never(change)
        return undo

    def _new_jobs(self, changes: Sequence[Change]) -> Sequence[Job]:
        """The jobs of these changes when each is a new one of the same queue that only waits; else none."""
        jobs: list[Job] = []
        for change in changes:
            if not isinstance(change, PutJob):
                return ()
            job = change.job
            if job.extra is not None or job.state is not _QUEUED:
                return ()
            jobs.append(job)
        if len({job.queue for job in jobs}) > 1:
            return ()
        known = self._contents[jobs[0].queue].jobs
        uids = {job.uid for job in jobs}
        return jobs if len(uids) == len(jobs) and known.keys().isdisjoint(uids) else ()

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

    def _replace_keys(self, gone: Sequence[Key], put: Sequence[Key]) -> list[Key]:
        for key in gone:
            self.keys.remove(key)
        replaced = [before for key in put for before in self.keys.put(key)]
        self.totals.keys = len(self.keys)
        return replaced

    def _drop_keys(self, number: int) -> list[Key]:
        dropped = self.keys.drop(number)
        self.totals.keys = len(self.keys)
        return dropped

    # --- what the rules may look at ---

    def queue(self, name: str) -> Queue:
        """A queue's settings. Raises NotFound."""
        return self.contents(name).queue

    def find_queue(self, name: str) -> Queue | None:
        """A queue's settings, when there is such a queue."""
        contents = self._contents.get(name)
        return None if contents is None else contents.queue

    def queues(self) -> Sequence[Queue]:
        """All queues."""
        return [contents.queue for contents in self._contents.values()]

    def count(self, name: str) -> int:
        """How many jobs a queue holds, those among them that are due but not swept included."""
        return len(self.contents(name).jobs)

    def job(self, queue: str, uid: str) -> Job | None:
        """A job as it is stored: what is due may not have been swept."""
        return self.contents(queue).jobs.get(uid)

    def waiting(self, name: str) -> Waiting:
        """What waits in a queue."""
        contents = self.contents(name)
        return Waiting(contents.order.count(State.QUEUED), contents.queued_bytes)

    def first_ready(self, queue: str, now: int) -> Job | None:
        """The job to hand out next."""
        return self.contents(queue).order.first_ready(now)

    def ready(self, queue: str, now: int, most: int) -> list[Job]:
        """The jobs to hand out next."""
        return self.contents(queue).order.ready(now, most)

    def lowest_first(self, queue: str) -> Iterator[Job]:
        """The queued jobs, the last in the queue's order first."""
        return self.contents(queue).order.lowest_first()

    def unique_holders(self, queue: str, key: str, now: int) -> Iterable[Job]:
        """The jobs, as they are stored, that may keep others with this unique key out."""
        contents = self.contents(queue)
        return contents.uniques.holders(key, contents.jobs, now)

    def key(self, hash_: bytes, now: int) -> Key | None:
        """An idempotency key that is remembered."""
        return self.keys.find(hash_, now)

    def outdated_keys(self, now: int, most: int, room_for: int = 0) -> int | None:
        """The number up to which idempotency keys are to be forgotten, at most so many of them."""
        return self.keys.outdated(now, most, room_for)

    def log(self, queue: str, uid: str) -> JobLog | None:
        """What a job has written."""
        return self.contents(queue).logs.get(uid)

    def idle_with_log(self, queue: str) -> Iterator[Job]:
        """The jobs of a queue that have written something, and that nobody holds."""
        contents = self.contents(queue)
        jobs = (contents.jobs.get(uid) for uid in contents.logs)
        return (job for job in jobs if job is not None and job.state is not State.INPROGRESS)

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

    @property
    def next_key(self) -> int:
        """The number of the next idempotency key to come."""
        return self.keys.next_number

    # --- what the engine reads ---

    def find(self, name: str) -> Contents | None:
        """The jobs of a queue, when there is such a queue."""
        return self._contents.get(name)

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
                yield from all_of(job, contents.logs.get(job.uid))
        yield from map(PutKey, self.keys.behind(0, len(self.keys)))
