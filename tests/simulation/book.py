"""What was stored, in the plainest way: one change after the other, in dictionaries."""

from collections.abc import Iterable

from msgspec.structs import replace

from jobengine.model.blob import Blob
from jobengine.model.changes import Change, DropJob, DropQueue, MoveJob, PutJob, PutQueue, moved
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger
from jobengine.model.queue import Queue
from tests.engine.reference import Plain, Reference


def plain_content(content: bytes | Blob) -> bytes:
    """A value, or the digest of a big one: where that stands is nobody's business."""
    return content.digest if isinstance(content, Blob) else content


class Book:
    """Queues and jobs."""

    def __init__(self) -> None:
        self.queues: dict[str, Queue] = {}
        self.jobs: dict[str, dict[str, Job]] = {}

    @classmethod
    def of(cls, ledger: Ledger) -> "Book":
        """What a ledger holds."""
        book = cls()
        for queue in ledger.queues():
            book.queues[queue.name] = queue
            jobs = ledger.contents(queue.name).jobs
            book.jobs[queue.name] = {uid: _plain(job) for uid, job in jobs.items()}
        return book

    def copy(self) -> "Book":
        """The same, to be changed by itself."""
        book = Book()
        book.queues = dict(self.queues)
        book.jobs = {name: dict(jobs) for name, jobs in self.jobs.items()}
        return book

    def apply(self, changes: Iterable[Change]) -> None:
        """Let these have happened."""
        for change in changes:
            match change:
                case PutQueue(queue):
                    self.queues[queue.name] = queue
                    self.jobs.setdefault(queue.name, {})
                case DropQueue(name):
                    del self.queues[name], self.jobs[name]
                case PutJob(job):
                    self.jobs[job.queue][job.uid] = _plain(job)
                case MoveJob(queue, uid):
                    self.jobs[queue][uid] = moved(self.jobs[queue][uid], change)
                case DropJob(queue, uid):
                    self.jobs[queue].pop(uid, None)

    def reference(self, now: int) -> Reference:
        """The plainest broker, as it is with these jobs at this time."""
        reference = Reference(now)
        reference.queues = dict(self.queues)
        reference.jobs = {
            name: {uid: _reference_job(job) for uid, job in jobs.items()} for name, jobs in self.jobs.items()
        }
        arrivals = [job.came for jobs in reference.jobs.values() for job in jobs.values()]
        reference._arrivals = max(arrivals, default=0)
        reference.pass_ms(0)
        return reference

    def difference(self, other: "Book") -> str:
        """The first thing that is not the same; nothing when all is."""
        if self.queues != other.queues:
            return f"queues: {self.queues} and {other.queues}"
        for name, jobs in self.jobs.items():
            others = other.jobs[name]
            if jobs != others:
                uid = min(uid for uid in {**jobs, **others} if jobs.get(uid) != others.get(uid))
                return f"in {name}: {jobs.get(uid)} and {others.get(uid)}"
        return ""


def _plain(job: Job) -> Job:
    return replace(job, content=job.content.digest) if isinstance(job.content, Blob) else job


def _reference_job(job: Job) -> Plain:
    assert isinstance(job.content, bytes)
    return Plain(
        *(job.uid, job.content, job.priority, job.created, job.updated, job.expires, job.arrival),
        *(job.state.value, job.lease_ends, job.attempt, job.claimer),
    )
