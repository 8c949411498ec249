"""What the broker answers about anything but one job."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from jobengine.client.job import Asked, Job
from jobengine.errors import JobEngineError


class Page(Struct, frozen=True):
    """Some jobs of a queue, in its order. It may be empty, and not the last."""

    jobs: tuple[Job, ...]
    next_cursor: str | None = None  # where the next page begins; None: this is the last


class Settled(Struct, frozen=True):
    """What became of one settlement."""

    uid: str
    job: Job | None = None  # as it is now
    error: JobEngineError | None = None  # why nothing was changed
    control: Asked | None = None  # answers an extend or a progress


class Obstacle(Struct, frozen=True):
    """One thing that keeps a job from being handed out."""

    cause: str
    text: str
    until: datetime | None = None  # when it ends by itself
    jobs: int | None = None  # how many stand before it
    by: str | None = None


class Why(Struct, frozen=True):
    """What keeps a job from being handed out, in words and one by one."""

    uid: str
    state: str
    text: str
    why: tuple[Obstacle, ...] = ()


class Refused(Struct, frozen=True):
    """One job of many with which something could not be done."""

    uid: str | None = None
    code: str | None = None
    detail: str = ""


class Bulk(Struct, frozen=True):
    """What was done to many jobs."""

    matched: int = 0
    changed: int = 0
    refused: int = 0
    problems: tuple[Refused, ...] = ()  # the first ten of each slice
    next_cursor: str | None = None

    def __add__(self, done: "Bulk") -> "Bulk":
        """With what was done to the next jobs."""
        return Bulk(
            matched=self.matched + done.matched,
            changed=self.changed + done.changed,
            refused=self.refused + done.refused,
            problems=self.problems + done.problems,
        )


class Queue(Struct, frozen=True, rename={"origin": "from"}):
    """A queue in figures, and its settings."""

    name: str
    jobs: dict[str, int]  # by state
    held: int = 0  # of the queued ones: they wait for a time, or are halted
    queued_bytes: int = 0
    oldest_queued_seconds: float = 0
    paused: bool = False
    draining: bool = False
    origin: str | None = None  # "configuration" or "api": where its settings stand
    settings: dict[str, Any] = {}


class LogPiece(Struct, frozen=True):
    """Some bytes that a job has written. Between its end and the next offset something may have been cut."""

    stream: str  # out or err
    offset: int  # bytes of the stream before it
    data: bytes

    @property
    def end(self) -> int:
        """The offset of what comes next."""
        return self.offset + len(self.data)


class LogPart(Struct, frozen=True):
    """What was new in a log."""

    pieces: tuple[LogPiece, ...]
    position: str  # where to go on
    has_ended: bool  # the job: nothing more is to come, unless it is done again
    has_more: bool = False  # to be had at once, behind this position


class WorkerSeen(Struct, frozen=True):
    """A worker that has said something in the last minutes."""

    name: str
    service: str
    queues: tuple[str, ...]
    jobs: tuple[str, ...]  # the uids of those that it has in progress
    last_seen: datetime
