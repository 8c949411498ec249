"""What a plain job has nothing of. Most jobs have None in the place of all this."""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from jobengine.model.backoff import Backoff
from jobengine.model.blob import Blob

FAILURES_MOST: Final = 10  # of a job's failed attempts; the newest are kept
FAILURE_TEXT_MOST: Final = 2000  # characters of an error's text


class Reason(StrEnum):
    """Why a job failed."""

    ERROR = "error"  # its claimer said so
    TIMEOUT = "timeout"  # its last lease ran out
    STOPPED = "stopped"  # somebody stopped it
    EXPIRED = "expired"  # its time in the queue was over


class Asked(StrEnum):
    """What is asked of a job that somebody holds: told when it is claimed, and when its lease is extended."""

    RUN = "run"
    HALT = "halt"
    STOP = "stop"


class UniqueFor(StrEnum):
    """How long a job keeps others with its unique key out of its queue."""

    QUEUED = "queued"  # while it waits
    ACTIVE = "active"  # until it has ended
    WINDOW = "window"  # until a time, in whatever state it is, but no longer than it is kept


class Unique(Struct, frozen=True, gc=False, omit_defaults=True):
    """A key that no other job of the queue may have meanwhile."""

    key: str
    lasts: UniqueFor = UniqueFor.ACTIVE
    until: int = 0  # ms since the Unix epoch; of a window


class Failure(Struct, frozen=True, gc=False, omit_defaults=True):
    """One attempt that did not succeed."""

    attempt: int
    time: int  # ms since the Unix epoch
    reason: Reason
    kind: str = ""  # of the error, as its claimer named it
    text: str = ""
    worker: str | None = None


class Extra(Struct, frozen=True, gc=False, omit_defaults=True):
    """All that API v2 can say of a job beyond what every job has. Times in ms since the Unix epoch."""

    not_before: int = 0  # queued, and not handed out before this
    max_attempts: int = 0  # 0: what the queue says
    timeout: int = 0  # ms that one attempt may take at most; 0: as long as its lease is extended
    started: int = 0  # when the present attempt began; kept for those with a timeout
    backoff: Backoff | None = None  # None: the queue's
    tags: tuple[str, ...] = ()
    unique: Unique | None = None
    halted: bool = False
    is_to_stop: bool = False  # of a queued one: it is handed out once more, for what it had begun to be ended
    reason: Reason | None = None  # why it failed
    progress: bytes | None = None  # JSON, as its holder sent it
    result: bytes | Blob | None = None  # JSON, as its claimer sent it
    failures: tuple[Failure, ...] = ()  # oldest first, the newest FAILURES_MOST of them
    saved: bytes | Blob | None = None  # JSON, for the next run: what the last one left when it was halted
    died_in: str | None = None  # the queue whose dead letter it is

    @property
    def asked(self) -> Asked:
        """What is asked of whoever holds the job."""
        if self.is_to_stop:
            return Asked.STOP
        return Asked.HALT if self.halted else Asked.RUN

    def at_end(self, reason: Reason | None) -> "Extra":
        """Of a job that ends for this reason, if it failed: nothing is asked of it, and it begins anew."""
        return replace(self, reason=reason, is_to_stop=False, halted=False, saved=None)


NOTHING_EXTRA: Final = Extra()
