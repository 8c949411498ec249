"""How a change stands in a frame: a MessagePack array, its tag first.

A queue's name stands once, in the record that puts the queue; all others have its number. Fields may be added
behind the last, with a default, without a new version: readers pass over what they do not know. What few jobs
and queues have is a map by the names of the model's fields, which therefore never change their meaning.
"""

from msgspec import Struct

from jobengine.model.extra import Extra
from jobengine.model.queue import Queue


class BlobRecord(Struct, frozen=True, gc=False, array_like=True):
    """The place of a big value."""

    length: int
    digest: bytes
    offsets: tuple[int, ...]


class PutQueueRecord(Struct, frozen=True, gc=False, array_like=True, tag=0):
    """This queue is there, and this is its number."""

    number: int
    name: str
    keep: int
    lease: int
    max_attempts: int = 1
    settings: Queue | None = None  # where they say more than the above


class DropQueueRecord(Struct, frozen=True, gc=False, array_like=True, tag=1):
    """This queue is gone, with its jobs."""

    queue: int


class PutJobRecord(Struct, frozen=True, gc=False, array_like=True, tag=2):
    """This job is there."""

    queue: int
    uid: str
    state: int
    order: int
    content: bytes | BlobRecord
    created: int
    updated: int
    expires: int
    lease_ends: int = 0
    attempt: int = 0
    claimer: str | None = None
    worker: str | None = None
    epoch: int = 0
    lease: int = 0
    extra: Extra | None = None


class MoveJobRecord(Struct, frozen=True, gc=False, array_like=True, tag=3):
    """The small things of this job are now so."""

    queue: int
    uid: str
    state: int
    order: int
    updated: int
    expires: int
    lease_ends: int = 0
    attempt: int = 0
    claimer: str | None = None
    worker: str | None = None
    epoch: int = 0
    lease: int = 0


class AlterJobRecord(Struct, frozen=True, gc=False, array_like=True, tag=5):
    """The small things of this job, and its extra, are now so."""

    move: MoveJobRecord
    extra: Extra | None


class PutKeyRecord(Struct, frozen=True, gc=False, array_like=True, tag=6):
    """This idempotency key is remembered."""

    hash: bytes
    number: int
    time: int
    body: bytes
    uids: bytes


class DropKeysRecord(Struct, frozen=True, gc=False, array_like=True, tag=7):
    """The idempotency keys up to this number are forgotten."""

    number: int


class DropJobRecord(Struct, frozen=True, gc=False, array_like=True, tag=4):
    """This job is gone."""

    queue: int
    uid: str


class AppendLogRecord(Struct, frozen=True, gc=False, array_like=True, tag=8):
    """This job has written this, to the stream with this number."""

    queue: int
    uid: str
    epoch: int
    stream: int
    offset: int
    data: bytes | BlobRecord


class DropLogRecord(Struct, frozen=True, gc=False, array_like=True, tag=9):
    """What this job has written is gone."""

    queue: int
    uid: str


Record = (
    PutJobRecord
    | MoveJobRecord
    | AlterJobRecord
    | DropJobRecord
    | PutQueueRecord
    | DropQueueRecord
    | PutKeyRecord
    | DropKeysRecord
    | AppendLogRecord
    | DropLogRecord
)
