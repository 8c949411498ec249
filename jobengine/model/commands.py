"""What a caller may ask. Durations are milliseconds, times are milliseconds since the Unix epoch."""

from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType

from jobengine.errors import JobEngineError
from jobengine.model.backoff import Backoff
from jobengine.model.blob import Blob
from jobengine.model.extra import UniqueFor
from jobengine.model.job import Job
from jobengine.model.log import Stream
from jobengine.model.queue import Queue
from jobengine.model.states import State

# --- new jobs ---


class Options(Struct, frozen=True, gc=False):
    """What may be said of a new job besides its content, priority and end."""

    uid: str | None = None  # chosen by the caller
    delay: int = 0  # it waits so long before it may be handed out
    not_before: int = 0  # it waits until then
    max_attempts: int = 0  # 0: what the queue says
    timeout: int = 0  # of one attempt; 0: none
    backoff: Backoff | None = None
    tags: tuple[str, ...] = ()
    unique_key: str | None = None
    unique_for: UniqueFor = UniqueFor.ACTIVE
    unique_window: int = 0
    replaces: bool = False  # the waiting job that has the unique key


class Draft(Struct, frozen=True, gc=False):
    """A job to be made."""

    content: bytes | Blob
    priority: int
    valid_for: int | None  # that it may wait in the queue; None: for ever
    options: Options | None = None


class Idempotency(Struct, frozen=True, gc=False):
    """The key that a client chose for its request, and what it asked, as hashes of 16 bytes."""

    hash: bytes
    body: bytes


class Create(Struct, frozen=True, gc=False):
    """Put new jobs into a queue, all or none. Answered with Created."""

    queue: str
    drafts: tuple[Draft, ...]
    idempotency: Idempotency | None = None


class Created(Struct, frozen=True, gc=False):
    """The jobs of a Create, in its order: new ones, and those that were there already."""

    jobs: tuple[Job, ...]
    known: frozenset[int] = frozenset()  # places of those that are not new
    gone: tuple[str, ...] = ()  # uids of those that the first request with this key made, and are gone
    first_answer: tuple[str, ...] = ()  # uids of all of them in its order, when some are gone


# --- claims ---


class Claim(Struct, frozen=True, gc=False):
    """Hand out the first jobs of a queue. Answered with them, most urgent first."""

    queue: str
    claimer: str
    most: int = 1
    lease: int | None = None  # None: what the queue says
    worker: str | None = None


class ClaimAny(Struct, frozen=True, gc=False):
    """Hand out first jobs of several queues. Answered with them.

    Of the queues that have work, each is as likely as its weight says.
    """

    weights: tuple[tuple[str, int], ...]  # of each queue
    claimer: str
    most: int = 1
    lease: int | None = None
    worker: str | None = None


# --- what a holder says of its job ---


class Complete(Struct, frozen=True, gc=False):
    """It is done."""

    uid: str
    lease: int
    result: bytes | Blob | None = None


class Fail(Struct, frozen=True, gc=False):
    """It did not work."""

    uid: str
    lease: int
    kind: str = ""
    text: str = ""
    retry: bool | None = None  # None: as the rules of the queue say
    delay: int | None = None  # until the next attempt; None: as the rules say
    result: bytes | Blob | None = None


class Release(Struct, frozen=True, gc=False):
    """Let somebody else do it: it has its old place, and this was no attempt."""

    uid: str
    lease: int
    delay: int = 0
    saved: bytes | Blob | None = None  # JSON, for whoever gets it next; None: what was saved before stays
    is_unseen: bool = False  # whoever claimed it has not heard of it: it is as if nobody had


class Extend(Struct, frozen=True, gc=False):
    """It is still being done."""

    uid: str
    lease: int
    by: int  # from now on


class Progress(Struct, frozen=True, gc=False):
    """So far it has come."""

    uid: str
    lease: int
    progress: bytes


Settlement = Complete | Fail | Release | Extend | Progress
Outcome = Job | JobEngineError  # of one of several


def only(outcomes: tuple[Outcome, ...]) -> Job:
    """The outcome of the only one. Raises it when it is a refusal."""
    (outcome,) = outcomes
    if isinstance(outcome, JobEngineError):
        raise outcome
    return outcome


class Settle(Struct, frozen=True, gc=False):
    """What a holder says of its jobs, each by itself. Answered with an Outcome of each."""

    queue: str
    settlements: tuple[Settlement, ...]


class Log(Struct, frozen=True, gc=False):
    """A job has written this. Answered with the job."""

    queue: str
    uid: str
    lease: int
    stream: Stream
    offset: int  # bytes of the stream before it
    data: bytes | Blob


# --- what a writer does to jobs ---


class Update(Struct, frozen=True, gc=False):
    """API v1: change what is named of a job, all or nothing. Answered with the job."""

    queue: str
    uid: str
    caller: str
    may_write: bool  # else the caller may only settle (state, content) what it holds
    state: State | None = None
    content: bytes | Blob | None = None
    expires: int | None = None
    priority: int | None = None


class Amend(Struct, frozen=True, gc=False):
    """API v2: change what is named of a job, all or nothing. Answered with the job."""

    queue: str
    uid: str
    version: int | None = None  # only when it is still this one
    content: bytes | Blob | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    expires: int | UnsetType = UNSET
    not_before: int | UnsetType = UNSET
    max_attempts: int | UnsetType = UNSET
    timeout: int | UnsetType = UNSET
    backoff: Backoff | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET


class Act(StrEnum):
    """What may be done to one job, or to many."""

    DELETE = "delete"
    STOP = "stop"
    HALT = "halt"
    RESUME = "resume"
    RETRY = "retry"
    MOVE = "move"
    CLONE = "clone"
    REDRIVE = "redrive"  # a dead letter goes back to the queue that it died in


class Control(Struct, frozen=True, gc=False):
    """Do this to jobs, to each by itself. Answered with an Outcome of each: a deleted one as it was."""

    queue: str
    uids: tuple[str, ...]
    act: Act
    target: str | None = None  # the queue to move to, or to clone into
    versions: tuple[int, ...] = ()  # of each: only when it is still this one; none: whatever it is


# --- queues ---


class Steer(Struct, frozen=True, gc=False):
    """Pause, resume or drain a queue: change what is not None. Answered with the queue."""

    queue: str
    is_paused: bool | None = None
    is_draining: bool | None = None


class Configure(Struct, frozen=True):
    """These are the queues, and no others. Answered with Configured."""

    queues: tuple[Queue, ...]


class Configured(Struct, frozen=True):
    """What a Configure did."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    dropped: dict[str, int]  # queue → how many jobs went with it


# --- time ---


class Sweep(Struct, frozen=True, gc=False):
    """Do what is due, at most for so many jobs. Answered with Swept."""

    most: int
    queue: str | None = None  # None: of all queues


class Swept(Struct, frozen=True, gc=False):
    """How many jobs a Sweep looked after, by what became of them."""

    expired: int = 0  # queued too long: gone, or failed where the queue keeps them
    timed_out: int = 0  # in progress too long: failed
    retried: int = 0  # in progress too long: queued again
    forgotten: int = 0  # ended, and kept long enough: gone

    @property
    def total(self) -> int:
        """All of them."""
        return self.expired + self.timed_out + self.retried + self.forgotten


Command = Create | Claim | ClaimAny | Settle | Update | Amend | Control | Steer | Configure | Sweep | Log
Answer = Created | tuple[Job, ...] | tuple[Outcome, ...] | Job | Queue | Configured | Swept
