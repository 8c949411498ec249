"""How a change stands in a frame: a MessagePack array, its tag first.

A queue's name stands once, in the record that puts the queue; all others have its number. Fields may be added
behind the last, with a default, without a new version: readers pass over what they do not know.
"""

from msgspec import Struct


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


class DropJobRecord(Struct, frozen=True, gc=False, array_like=True, tag=4):
    """This job is gone."""

    queue: int
    uid: str


Record = PutJobRecord | MoveJobRecord | DropJobRecord | PutQueueRecord | DropQueueRecord
