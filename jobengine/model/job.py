"""What is kept: jobs. All times are integer milliseconds since the Unix epoch."""

from typing import Final

from msgspec import Struct

from jobengine.model.blob import Blob
from jobengine.model.extra import NOTHING_EXTRA, Extra, Reason
from jobengine.model.states import State

# One integer orders the jobs of a queue: most urgent first, first come first served among equals.
ARRIVAL_BITS: Final = 52
ARRIVAL_MASK: Final = (1 << ARRIVAL_BITS) - 1

NEVER: Final = 253_402_300_799_000  # the last second of the year 9999: the end of what has none


def order_of(*, priority: int, arrival: int) -> int:
    """The sort key of a job: small is soon."""
    return (100 - priority) << ARRIVAL_BITS | arrival


class Job(Struct, frozen=True, gc=False):
    """One piece of work."""

    uid: str
    queue: str
    state: State
    order: int
    content: bytes | Blob  # JSON, exactly as it came
    created: int
    updated: int  # rises with every change: it is the job's version, too
    expires: int  # queued past this: gone
    lease_ends: int = 0  # in progress past this: failed, or queued again; stays when that has happened
    attempt: int = 0  # how often it was handed out since it was last put into the queue
    claimer: str | None = None  # the service that holds it, or was the last to hold it
    worker: str | None = None  # how the claimer calls the one that holds it
    epoch: int = 0  # how often it was handed out at all: never falls
    lease: int = 0  # the id of its last lease; 0: none, or given back
    extra: Extra | None = None

    @property
    def priority(self) -> int:
        """1 to 100, 100 the most urgent."""
        return 100 - (self.order >> ARRIVAL_BITS)

    @property
    def arrival(self) -> int:
        """Its number in the order in which jobs came into the queue; no two jobs share one."""
        return self.order & ARRIVAL_MASK

    @property
    def more(self) -> Extra:
        """Its extra, and one that says nothing where it has none."""
        return NOTHING_EXTRA if self.extra is None else self.extra

    @property
    def has_ended(self) -> bool:
        """Whether it is complete or failed."""
        return self.state is State.COMPLETE or self.state is State.FAILED

    @property
    def reason(self) -> Reason | None:
        """Why it failed. One without extra tells by the end of its lease, which stays."""
        if self.state is not State.FAILED:
            return None
        return self.more.reason or (Reason.TIMEOUT if self.lease_ends else Reason.ERROR)

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Its values that stand in the file only."""
        content, extra = self.content, self.extra
        if extra is None:
            return () if isinstance(content, bytes) else (content,)
        return tuple(value for value in (content, extra.result, extra.saved) if isinstance(value, Blob))


# Measured by `make bench`: a queued job's struct, its uid and numbers, and its places in the indexes.
JOB_OVERHEAD_BYTES: Final = 550
EXTRA_OVERHEAD_BYTES: Final = 300


def memory_of_extra(extra: Extra) -> int:
    """About how many bytes of memory it takes."""
    result, progress, saved = extra.result, extra.progress, extra.saved
    return (
        EXTRA_OVERHEAD_BYTES
        + (len(result) if isinstance(result, bytes) else 0)
        + (len(progress) if progress is not None else 0)
        + (len(saved) if isinstance(saved, bytes) else 0)
        + sum(150 + len(failure.text) for failure in extra.failures)
        + sum(50 + len(tag) for tag in extra.tags)
    )


def memory_of(job: Job) -> int:
    """About how many bytes of memory its values take, beyond what each job takes."""
    content, extra = job.content, job.extra
    bytes_ = len(content) if isinstance(content, bytes) else 0
    return bytes_ if extra is None else bytes_ + memory_of_extra(extra)


def weight(job: Job) -> int:
    """About how many bytes of memory a job takes. A big value takes none: it stands in the file."""
    return JOB_OVERHEAD_BYTES + memory_of(job)
