"""Going through all jobs, in turns, while they change: what a compaction copies."""

from collections.abc import Sequence
from itertools import islice
from typing import Final, assert_never

from jobengine.errors import NotFound
from jobengine.model.blob import Blob
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
)
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger, Undo
from jobengine.model.log import Chunk, JobLog
from jobengine.model.order import LIVING
from jobengine.model.states import State

_RANKS: Final = {state: rank for rank, state in enumerate(LIVING)}
_BEFORE_ALL: Final = -1


class Walk:
    """Queue by queue, state by state, in order.

    What lies behind it is known to whoever follows: each change of that must be copied. What lies before it
    must not. A job that leaps from before it to behind it, and one with a big value, is fetched by itself.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._queues = [queue.name for queue in ledger.queues()]
        self._queue_ranks = {name: rank for rank, name in enumerate(self._queues)}
        self._queue = 0  # ranks of the queue and the state that it has come to
        self._state = 0
        self._order = _BEFORE_ALL  # of the job that it has come to
        self._key = 0  # the number of the idempotency key that it has come to
        self._apart: dict[tuple[str, str], None] = {}  # (queue, uid): to be fetched by themselves

    def start(self) -> list[Change]:
        """What must stand before all jobs."""
        return [PutQueue(queue) for queue in self._ledger.queues()]

    def next(self, most: int) -> list[Change] | None:
        """The next jobs, at most so many looked at; None at the end."""
        while self._queue < len(self._queues):
            jobs = self._next_jobs(most)
            if jobs:
                self._order = jobs[-1].order
                return [change for job in jobs if not self._is_set_apart(job) for change in self._all_of(job)]
            self._state, self._order = self._state + 1, _BEFORE_ALL
            if self._state == len(LIVING):
                self._queue, self._state = self._queue + 1, 0
        return self._next_keys(most)

    @property
    def has_apart(self) -> bool:
        """Whether a job is to be fetched by itself, or was, and is gone."""
        return bool(self._apart)

    @property
    def next_apart(self) -> Job | None:
        """A job to be fetched by itself, as it is now; None when none is left."""
        while self._apart:
            queue, uid = key = next(iter(self._apart))
            job = self._job(queue, uid)
            if job is not None:
                return job
            del self._apart[key]
        return None

    def fetch(self, job: Job) -> list[Change]:
        """It is fetched now."""
        del self._apart[job.queue, job.uid]
        return self._all_of(job)

    def blobs_of(self, job: Job) -> tuple[Blob, ...]:
        """Its big values, and those of what it has written."""
        log = self._log(job)
        return job.blobs if log is None else (*job.blobs, *log.blobs)

    def copies(self, changes: Sequence[Change], undo: Undo) -> list[Change]:
        """What of these changes, just made, must be copied. `undo` knows what was before."""
        return [
            change
            for change, (_, _, before) in zip(changes, undo, strict=True)
            if self._must_be_copied(change, before)
        ]

    def _must_be_copied(self, change: Change, before: object) -> bool:
        match change:
            case PutQueue() | DropQueue() | DropJob() | PutKey() | DropKeys() | DropLog():
                return True
            case AppendLog(queue, uid, _, chunk):
                return self._must_be_appended(self._job(queue, uid), chunk)
            case PutJob(job):
                return self._must_be_put(job, before)
            case MoveJob():
                return self._must_move(change, before)
            case AlterJob(move, extra):
                if extra is not None and (isinstance(extra.result, Blob) or isinstance(extra.saved, Blob)):
                    self._set_apart(move, before)
                    return False
                return self._must_move(move, before)
            case _:
                assert_never(change)

    def _must_be_put(self, job: Job, before: object) -> bool:
        """One that leaps is fetched: what it has written is not copied yet. So is one with a big value."""
        leaps = isinstance(before, Job) and not self._is_copied(before)
        if leaps or job.blobs:
            self._set_apart_behind(job.queue, job.uid, job.state, job.order)
            return False
        return self._is_copied(job)

    def _must_be_appended(self, job: Job | None, chunk: Chunk) -> bool:
        """A big piece goes with its job, which is fetched once more."""
        if job is None or not self._is_copied(job):
            return False
        if isinstance(chunk.data, Blob):
            self._apart[job.queue, job.uid] = None
            return False
        return True

    def _must_move(self, move: MoveJob, before: object) -> bool:
        if isinstance(before, Job) and self._is_copied(before):
            return True
        self._set_apart_behind(move.queue, move.uid, move.state, move.order)
        return False

    def _set_apart(self, move: MoveJob, before: object) -> None:
        """It has a big value now: it is fetched with it, unless the walk still comes to it."""
        if isinstance(before, Job) and self._is_copied(before):
            self._apart[move.queue, move.uid] = None
        else:
            self._set_apart_behind(move.queue, move.uid, move.state, move.order)

    def _is_copied(self, job: Job) -> bool:
        return self._is_behind(job.queue, job.state, job.order) and not self._is_apart(job)

    def _is_apart(self, job: Job) -> bool:
        return bool(self._apart) and (job.queue, job.uid) in self._apart

    def _is_behind(self, queue: str, state: State, order: int) -> bool:
        rank = self._queue_ranks.get(queue, _BEFORE_ALL)  # one that is new needs no walk
        if rank != self._queue:
            return rank < self._queue
        state_rank = _RANKS[state]
        return state_rank < self._state if state_rank != self._state else order <= self._order

    def _set_apart_behind(self, queue: str, uid: str, state: State, order: int) -> None:
        if self._is_behind(queue, state, order):
            self._apart[queue, uid] = None

    def _is_set_apart(self, job: Job) -> bool:
        if not self.blobs_of(job):
            return False
        self._apart[job.queue, job.uid] = None
        return True

    def _next_keys(self, most: int) -> list[Change] | None:
        keys = self._ledger.keys.behind(self._key, most)
        if not keys:
            return None
        self._key = keys[-1].number
        return [PutKey(key) for key in keys]

    def _next_jobs(self, most: int) -> list[Job]:
        try:
            order = self._ledger.contents(self._queues[self._queue]).order
        except NotFound:
            return []  # dropped meanwhile
        return list(islice(order.in_states((LIVING[self._state],), after=self._order), most))

    def _all_of(self, job: Job) -> list[Change]:
        return all_of(job, self._log(job))

    def _log(self, job: Job) -> JobLog | None:
        return self._ledger.contents(job.queue).logs.get(job.uid)

    def _job(self, queue: str, uid: str) -> Job | None:
        try:
            return self._ledger.job(queue, uid)
        except NotFound:
            return None
