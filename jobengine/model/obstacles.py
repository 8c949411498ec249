"""Why a job is not being done: what stands between it and whoever claims."""

from enum import StrEnum

from msgspec import Struct

from jobengine.model.contents import Contents
from jobengine.model.extra import Asked
from jobengine.model.job import NEVER, Job
from jobengine.model.ledger import Ledger
from jobengine.model.states import State


class Cause(StrEnum):
    """What it can be."""

    ENDED = "ended"
    HELD = "held"  # by a claimer
    STOPPING = "stopping"
    LEFT = "left"  # stopped, and a worker is to end what it had begun
    HALTED = "halted"
    QUEUE_PAUSED = "queue_paused"
    NOT_BEFORE = "not_before"
    BEHIND_OTHERS = "behind_others"
    NO_CLAIMER = "no_claimer"  # nothing: it is the next one


class Obstacle(Struct, frozen=True, gc=False):
    """One thing that keeps a job from being handed out now."""

    cause: Cause
    until: int | None = None  # ms since the Unix epoch: when it ends by itself
    jobs: int | None = None  # how many stand before it
    by: str | None = None  # the service, and the worker, that holds it; or why it failed


def obstacles(job: Job, ledger: Ledger, now: int) -> tuple[Obstacle, ...]:
    """All that keeps this job, as it is now, from being handed out; the weightiest first."""
    if job.has_ended:
        return (Obstacle(Cause.ENDED, by=job.state if job.reason is None else job.reason),)
    if job.state is State.INPROGRESS:
        return _held(job)
    return _waiting(job, ledger.contents(job.queue), now)


def _held(job: Job) -> tuple[Obstacle, ...]:
    holder = " / ".join(name for name in (job.claimer, job.worker) if name)
    found = [Obstacle(Cause.HELD, until=job.lease_ends, by=holder)]
    if job.more.asked is Asked.STOP:
        found.append(Obstacle(Cause.STOPPING, until=job.lease_ends))
    if job.more.asked is Asked.HALT:
        found.append(Obstacle(Cause.HALTED))
    return tuple(found)


def _waiting(job: Job, contents: Contents, now: int) -> tuple[Obstacle, ...]:
    found: list[Obstacle] = []
    if job.more.is_to_stop:
        found.append(Obstacle(Cause.LEFT))
    if not contents.queue.hands_out:
        by = "the configuration" if contents.queue.is_paused else "hand"
        found.append(Obstacle(Cause.QUEUE_PAUSED, by=by))
    if job.more.halted:
        found.append(Obstacle(Cause.HALTED))
    if job.more.not_before > now:
        found.append(Obstacle(Cause.NOT_BEFORE, until=job.more.not_before))
    before = contents.order.queued_before(job)
    if before:
        found.append(Obstacle(Cause.BEHIND_OTHERS, jobs=before))
    return tuple(found) or (Obstacle(Cause.NO_CLAIMER, until=None if job.expires == NEVER else job.expires),)
