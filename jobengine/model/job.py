"""What is kept: queues and jobs. All times are integer milliseconds since the Unix epoch."""

from typing import Final

from msgspec import Struct

from jobengine.model.states import State

# One integer orders the jobs of a queue: most urgent first, first come first served among equals.
ARRIVAL_BITS: Final = 52
ARRIVAL_MASK: Final = (1 << ARRIVAL_BITS) - 1

BLOB_THRESHOLD_BYTES: Final = 16 * 1024
BLOB_PART_BYTES: Final = 1024 * 1024


def order_of(*, priority: int, arrival: int) -> int:
    """The sort key of a job: small is soon."""
    return (100 - priority) << ARRIVAL_BITS | arrival


class Blob(Struct, frozen=True, gc=False):
    """Where a value over 16 KiB stands in the database file."""

    length: int  # bytes of the value
    digest: bytes  # SHA-256 of the value
    offsets: tuple[int, ...]  # of the frames that hold it, in order; each but the last holds 1 MiB
    generation: int = 0  # of the file that these are offsets in: each compaction makes the next one


class Job(Struct, frozen=True, gc=False):
    """One piece of work."""

    uid: str
    queue: str
    state: State
    order: int
    content: bytes | Blob  # JSON, exactly as it came
    created: int
    updated: int
    expires: int  # queued past this: gone
    lease_ends: int = 0  # in progress past this: failed, or queued again; stays when that has happened
    attempt: int = 0  # how often it was handed out since it was last put into the queue
    claimer: str | None = None  # the service that holds it, or was the last to hold it

    @property
    def priority(self) -> int:
        """1 to 100, 100 the most urgent."""
        return 100 - (self.order >> ARRIVAL_BITS)

    @property
    def arrival(self) -> int:
        """Its number in the order in which jobs came into the queue; no two jobs share one."""
        return self.order & ARRIVAL_MASK


# Measured by `make bench`: a queued job's struct, its uid and numbers, and its places in the indexes.
JOB_OVERHEAD_BYTES: Final = 520


def weight(job: Job) -> int:
    """About how many bytes of memory a job takes. A big value takes none: it stands in the file."""
    content = job.content
    return JOB_OVERHEAD_BYTES + len(content) if isinstance(content, bytes) else JOB_OVERHEAD_BYTES


class Queue(Struct, frozen=True):
    """A named, ordered set of jobs, as the configuration describes it."""

    name: str
    keep: int  # ms that complete and failed jobs are kept after their last update
    lease: int  # ms in progress without an update before a job has timed out
    max_attempts: int = 1
