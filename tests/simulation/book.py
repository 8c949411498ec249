"""What was stored, in the plainest way: one change after the other, in dictionaries."""

from collections.abc import Iterable
from typing import assert_never

from msgspec.structs import replace

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
    altered,
    moved,
)
from jobengine.model.job import Job
from jobengine.model.keys import Key
from jobengine.model.ledger import Ledger
from jobengine.model.log import Chunk, JobLog
from jobengine.model.queue import Queue


def plain_value(value: bytes | Blob) -> bytes:
    """A value, or the digest of a big one: where that stands is nobody's business."""
    return value.digest if isinstance(value, Blob) else value


def plain_job(job: Job) -> Job:
    """The job, with digests in the place of its big values."""
    if isinstance(job.content, Blob):
        job = replace(job, content=job.content.digest)
    if job.extra is not None and any(isinstance(each, Blob) for each in (job.extra.result, job.extra.saved)):
        result, saved = _plain_or_none(job.extra.result), _plain_or_none(job.extra.saved)
        job = replace(job, extra=replace(job.extra, result=result, saved=saved))
    return job


def _plain_or_none(value: bytes | Blob | None) -> bytes | None:
    return None if value is None else plain_value(value)


class Book:
    """Queues and jobs, what these have written, and the idempotency keys."""

    def __init__(self) -> None:
        self.queues: dict[str, Queue] = {}
        self.jobs: dict[str, dict[str, Job]] = {}
        self.logs: dict[tuple[str, str], JobLog] = {}
        self.keys: dict[bytes, Key] = {}

    @classmethod
    def of(cls, ledger: Ledger) -> "Book":
        """What a ledger holds."""
        book = cls()
        book.apply(ledger.snapshot())
        return book

    def copy(self) -> "Book":
        """The same, to be changed by itself."""
        book = Book()
        book.queues = dict(self.queues)
        book.jobs = {name: dict(jobs) for name, jobs in self.jobs.items()}
        book.logs = dict(self.logs)
        book.keys = dict(self.keys)
        return book

    def apply(self, changes: Iterable[Change]) -> None:  # noqa: C901  # a table
        """Let these have happened."""
        for change in changes:
            match change:
                case PutQueue(queue):
                    self.queues[queue.name] = queue
                    self.jobs.setdefault(queue.name, {})
                case DropQueue(name):
                    del self.queues[name], self.jobs[name]
                    self.logs = {place: log for place, log in self.logs.items() if place[0] != name}
                case PutJob(job):
                    self.jobs[job.queue][job.uid] = plain_job(job)
                case MoveJob(queue, uid):
                    self.jobs[queue][uid] = moved(self.jobs[queue][uid], change)
                case AlterJob(MoveJob(queue, uid)):
                    self.jobs[queue][uid] = plain_job(altered(self.jobs[queue][uid], change))
                case DropJob(queue, uid):
                    self.jobs[queue].pop(uid, None)
                    self.logs.pop((queue, uid), None)
                case AppendLog(queue, uid, epoch, chunk):
                    self._append((queue, uid), epoch, chunk)
                case DropLog(queue, uid):
                    self.logs.pop((queue, uid), None)
                case PutKey(key):
                    self.keys[key.hash] = key
                case DropKeys(number):
                    self.keys = {hash_: key for hash_, key in self.keys.items() if key.number > number}
                case _:
                    assert_never(change)

    def _append(self, place: tuple[str, str], epoch: int, chunk: Chunk) -> None:
        log = self.logs.get(place)
        if log is None or log.epoch < epoch:
            log = JobLog(epoch)
        if log.epoch == epoch:
            self.logs[place] = log.appended(_placeless(chunk))

    def difference(self, other: "Book") -> str:
        """The first thing that is not the same; nothing when all is."""
        if self.queues != other.queues:
            return f"queues: {self.queues} and {other.queues}"
        if self.keys != other.keys:
            return f"idempotency keys: {len(self.keys)} and {len(other.keys)}"
        if self.logs != other.logs:
            place = min(
                each for each in {**self.logs, **other.logs} if self.logs.get(each) != other.logs.get(each)
            )
            return f"what {place} has written: {self.logs.get(place)} and {other.logs.get(place)}"
        for name, jobs in self.jobs.items():
            others = other.jobs[name]
            if jobs != others:
                uid = min(uid for uid in {**jobs, **others} if jobs.get(uid) != others.get(uid))
                return f"in {name}: {jobs.get(uid)} and {others.get(uid)}"
        return ""


def _placeless(chunk: Chunk) -> Chunk:
    """The piece, wherever it stands."""
    if not isinstance(chunk.data, Blob):
        return chunk
    return replace(chunk, data=Blob(chunk.data.length, chunk.data.digest, ()))
