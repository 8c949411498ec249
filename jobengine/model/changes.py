"""What then happened. Changes are all that is ever stored; each may be applied twice without harm."""

from msgspec import Struct

from jobengine.model.job import Job, Queue
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
    """Everything of a job that is small has these values now; its content stays."""

    queue: str
    uid: str
    state: State
    order: int
    updated: int
    expires: int
    lease_ends: int
    attempt: int
    claimer: str | None


class DropJob(Struct, frozen=True, gc=False):
    """This job is gone."""

    queue: str
    uid: str


Change = PutQueue | DropQueue | PutJob | MoveJob | DropJob


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
    )


def moved(job: Job, change: MoveJob) -> Job:
    """The job after the change: its content and age are what they were."""
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
    )
