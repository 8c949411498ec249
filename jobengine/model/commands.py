"""What a caller may ask. Durations are milliseconds, times are milliseconds since the Unix epoch."""

from msgspec import Struct

from jobengine.model.job import Blob, Job, Queue
from jobengine.model.states import State


class Create(Struct, frozen=True, gc=False):
    """Put a new job into a queue. Answered with the job."""

    queue: str
    content: bytes | Blob
    priority: int
    valid_for: int  # ms that it may wait in the queue


class Claim(Struct, frozen=True, gc=False):
    """Hand out the first job of a queue. Answered with the job, or None."""

    queue: str
    claimer: str


class Update(Struct, frozen=True, gc=False):
    """Change what is named of a job, all or nothing. Answered with the job."""

    queue: str
    uid: str
    caller: str
    may_write: bool  # else the caller may only settle (state, content) what it holds
    state: State | None = None
    content: bytes | Blob | None = None
    expires: int | None = None
    priority: int | None = None


class Delete(Struct, frozen=True, gc=False):
    """Remove a job, whatever its state. Answered with the job as it was."""

    queue: str
    uid: str


class Configure(Struct, frozen=True):
    """These are the queues, and no others. Answered with Configured."""

    queues: tuple[Queue, ...]


class Configured(Struct, frozen=True):
    """What a Configure did."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    dropped: dict[str, int]  # queue → how many jobs went with it


class Sweep(Struct, frozen=True, gc=False):
    """Do what is due, at most for so many jobs. Answered with Swept."""

    most: int
    queue: str | None = None  # None: of all queues


class Swept(Struct, frozen=True, gc=False):
    """How many jobs a Sweep looked after, by what became of them."""

    expired: int = 0  # queued too long: gone
    timed_out: int = 0  # in progress too long: failed
    retried: int = 0  # in progress too long: queued again
    forgotten: int = 0  # ended, and kept long enough: gone

    @property
    def total(self) -> int:
        """All of them."""
        return self.expired + self.timed_out + self.retried + self.forgotten


Command = Create | Claim | Update | Delete | Configure | Sweep
Answer = Job | Configured | Swept | None
