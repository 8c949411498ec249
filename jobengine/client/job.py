"""Jobs and what belongs to them, as the broker shows them to callers."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct


class State(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    INPROGRESS = "inprogress"
    COMPLETE = "complete"
    FAILED = "failed"


class Asked(StrEnum):
    """What is asked of whoever holds a job."""

    RUN = "run"
    HALT = "halt"
    STOP = "stop"


class Lease(Struct, frozen=True, kw_only=True):
    """How long a claimed job is its claimer's. Only a claim's answer tells the id."""

    epoch: int  # rises with each claim of the job: a fencing token
    expires: datetime
    id: str | None = None
    service: str | None = None
    worker: str | None = None


class Failure(Struct, frozen=True, kw_only=True):
    """One attempt that did not succeed."""

    attempt: int
    time: datetime
    reason: str  # error, timeout, stopped or expired
    kind: str = ""
    text: str = ""
    worker: str | None = None


class Job(Struct, frozen=True, kw_only=True):
    """One piece of work, as it was when the broker answered."""

    uid: str
    queue: str
    state: State
    priority: int
    created: datetime
    last_updated: datetime
    content: Any = None
    expires: datetime | None = None  # queued past this, it is gone; None: it may wait for ever
    not_before: datetime | None = None
    attempt: int = 0  # how often it was handed out since it was last put into the queue
    max_attempts: int | None = None  # None: what the queue says
    timeout: float | None = None  # seconds that one attempt may take
    backoff: Any = None
    tags: tuple[str, ...] = ()
    unique_key: str | None = None
    halted: bool = False
    reason: str | None = None  # why it failed
    progress: Any = None
    result: Any = None
    saved: Any = None  # what the last one to run it left for the next; told to its holder only
    errors: tuple[Failure, ...] = ()  # oldest first
    lease: Lease | None = None
    died_in: str | None = None  # the queue whose dead letter it is
    deduplicated: bool = False  # it was there before the create that this answers
    control: Asked | None = None  # answers an extend or a progress; any answer says so of one that is to stop
    version: str | None = None  # for `if_version`; None in answers about several jobs

    @property
    def has_ended(self) -> bool:
        """Whether it is complete or failed."""
        return self.state is State.COMPLETE or self.state is State.FAILED


class Held(Struct, frozen=True):
    """A job by what its holder must know of it. A claimed Job serves as well."""

    queue: str
    uid: str
    lease: str  # its id


def held(job: Job | Held) -> Held:
    """What a holder must know. Raises ValueError for a job that was not claimed."""
    if isinstance(job, Held):
        return job
    if job.lease is None or job.lease.id is None:
        raise ValueError(f"job {job.uid} was not claimed here: settle what `claim` answered")
    return Held(job.queue, job.uid, job.lease.id)
