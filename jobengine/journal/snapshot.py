"""The end of a snapshot: how much a compaction wrote, so that half of it is never taken for the whole."""

import hashlib

import msgspec
from msgspec import Struct


class SnapshotEnd(Struct, frozen=True, array_like=True):
    """The body of a snapshot end frame."""

    frames: int
    records: int
    digest: bytes  # SHA-256 of the body tags of the snapshot's frames, in order
    through: int = 0  # the last sequence of the file that it was made of that is in here


class SnapshotCount:
    """Counts a snapshot, while it is written and while it is read."""

    def __init__(self) -> None:
        self.ended = False
        self.through = 0  # once it has ended
        self._frames = 0
        self._records = 0
        self._digest = hashlib.sha256()

    def add(self, tag: bytes, records: int) -> None:
        """One more frame of it."""
        self._frames += 1
        self._records += records
        self._digest.update(tag)

    def body(self, through: int) -> bytes:
        """The body of the frame that ends it."""
        return msgspec.msgpack.encode(self._end(through))

    def end(self, body: bytes) -> bool:
        """It has ended so: is that what was counted?"""
        try:
            end = msgspec.msgpack.decode(body, type=SnapshotEnd)
        except msgspec.DecodeError:
            return False
        self.through = end.through
        self.ended = end == self._end(end.through)
        return self.ended

    def _end(self, through: int) -> SnapshotEnd:
        return SnapshotEnd(self._frames, self._records, self._digest.digest(), through)
