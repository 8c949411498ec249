"""What then happened. Changes are all that is ever stored; each may be applied twice without harm."""

from msgspec import Struct

from jobengine.model.extra import Extra
from jobengine.model.job import Job
from jobengine.model.keys import Key
from jobengine.model.log import Chunk, JobLog
from jobengine.model.queue import Queue
from jobengine.model.states import State


class PutQueue(Struct, frozen=True):
    """This queue is there, with these settings. Its jobs stay."""

    queue: Queue


class DropQueue(Struct, frozen=True):
    """This queue and all of its jobs are gone."""

    name: str


class PutJob(Struct, frozen=True, gc=False):
    """This job is there, as it stands here."""

    job: Job


class MoveJob(Struct, frozen=True, gc=False):
    """Everything of a job that is small has these values now; its content and extra stay."""

    queue: str
    uid: str
    state: State
    order: int
    updated: int
    expires: int
    lease_ends: int
    attempt: int
    claimer: str | None
    worker: str | None = None
    epoch: int = 0
    lease: int = 0


class AlterJob(Struct, frozen=True, gc=False):
    """As MoveJob, and the extra is this one. Its content stays."""

    move: MoveJob
    extra: Extra | None


class DropJob(Struct, frozen=True, gc=False):
    """This job is gone."""

    queue: str
    uid: str


class AppendLog(Struct, frozen=True, gc=False):
    """A job has written this, in the attempt with this lease epoch."""

    queue: str
    uid: str
    epoch: int
    chunk: Chunk


class DropLog(Struct, frozen=True, gc=False):
    """What a job has written is gone."""

    queue: str
    uid: str


class PutKey(Struct, frozen=True, gc=False):
    """These jobs were made by a request with this idempotency key."""

    key: Key


class DropKeys(Struct, frozen=True, gc=False):
    """All idempotency keys up to this number are forgotten."""

    number: int


Change = (
    PutQueue | DropQueue | PutJob | MoveJob | AlterJob | DropJob | PutKey | DropKeys | AppendLog | DropLog
)


def move(job: Job) -> MoveJob:
    """The change that makes the stored job this one, when only small things differ."""
    return MoveJob(
        job.queue,
        job.uid,
        job.state,
        job.order,
        job.updated,
        job.expires,
        job.lease_ends,
        job.attempt,
        job.claimer,
        job.worker,
        job.epoch,
        job.lease,
    )


def all_of(job: Job, log: JobLog | None) -> list[Change]:
    """The changes that make a job, and what it has written, out of nothing."""
    made: list[Change] = [PutJob(job)]
    if log is not None:
        made += [AppendLog(job.queue, job.uid, log.epoch, chunk) for chunk in log.chunks]
    return made


def change(before: Job, job: Job) -> PutJob | MoveJob | AlterJob:
    """The smallest change that makes the stored job this one."""
    if job.content is not before.content:
        return PutJob(job)
    return move(job) if job.extra is before.extra else AlterJob(move(job), job.extra)


def moved(job: Job, change: MoveJob) -> Job:
    """The job after the change: its content, extra and age are what they were."""
    return _moved(job, change, job.extra)


def altered(job: Job, change: AlterJob) -> Job:
    """The job after the change: its content and age are what they were."""
    return _moved(job, change.move, change.extra)


def _moved(job: Job, change: MoveJob, extra: Extra | None) -> Job:
    return Job(
        job.uid,
        job.queue,
        change.state,
        change.order,
        job.content,
        job.created,
        change.updated,
        change.expires,
        change.lease_ends,
        change.attempt,
        change.claimer,
        change.worker,
        change.epoch,
        change.lease,
        extra,
    )
