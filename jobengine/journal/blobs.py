"""Big values: one or more blob frames each, and a Blob that says where they stand."""

import hashlib
from collections.abc import Iterator
from threading import Lock

from jobengine.errors import Damaged
from jobengine.journal.files import Files, read_all
from jobengine.journal.frame import HEAD_BYTES, FrameSealer, FrameType
from jobengine.model.blob import BLOB_PART_BYTES, Blob


def parts_of(value: bytes) -> Iterator[bytes]:
    """The pieces of a value that make a frame each."""
    for start in range(0, len(value), BLOB_PART_BYTES):
        yield value[start : start + BLOB_PART_BYTES]


class ValueGone(Damaged):
    """A compaction has left the value behind: no job had it."""


class BlobPlaces:
    """Where big values stand in one file.

    A job keeps the place that its value had when it was made, and the generation of the file at that time;
    where a compaction has moved the value to is known here.
    """

    def __init__(self, generation: int = 0) -> None:
        self.generation = generation
        self._moved: dict[tuple[int, int], tuple[int, ...]] = {}

    def move(self, blob: Blob, offsets: tuple[int, ...]) -> None:
        """This value now stands there."""
        self._moved[blob.generation, blob.offsets[0]] = offsets

    def knows(self, blob: Blob) -> bool:
        """Whether the value stands in this file."""
        return blob.generation == self.generation or (blob.generation, blob.offsets[0]) in self._moved

    def offsets(self, blob: Blob) -> tuple[int, ...]:
        """Of the frames that hold the value. Raises Damaged when it was left behind: no job had it."""
        if blob.generation == self.generation:
            return blob.offsets
        offsets = self._moved.get((blob.generation, blob.offsets[0]))
        if offsets is None:
            raise ValueGone("the big value is gone, and its job with it")
        return offsets


class SharedFile:
    """An open file with several users: the last one closes it."""

    def __init__(self, files: Files, file: int) -> None:
        self.descriptor = file
        self._files = files
        self._users = 1
        self._lock = Lock()

    def enter(self) -> bool:
        """One more user. False when it is closed."""
        with self._lock:
            self._users += bool(self._users)
            return self._users > 0

    def leave(self) -> None:
        """One user less."""
        with self._lock:
            self._users -= 1
            if not self._users:
                self._files.close(self.descriptor)


class BlobReader:
    """Fetches big values. May be used by several threads."""

    def __init__(self, files: Files, file: int, sealer: FrameSealer, places: BlobPlaces) -> None:
        self.places = places
        self._files = files
        self._file = file
        self._sealer = sealer

    def read(self, blob: Blob) -> bytes:
        """The whole value. Raises Damaged."""
        return b"".join(self.parts(blob))

    def parts(self, blob: Blob) -> Iterator[bytes]:
        """The value in pieces; only behind the last one is it known to be whole. Raises Damaged."""
        digest, length = hashlib.sha256(), 0
        offsets = self.places.offsets(blob)
        for offset in offsets:
            part = self._part(offset)
            digest.update(part)
            length += len(part)
            yield part
        if (length, digest.digest()) != (blob.length, blob.digest):
            raise Damaged(f"the big value at {list(offsets)} is not the one that was put there")

    def _part(self, offset: int) -> bytes:
        data = read_all(self._files, self._file, HEAD_BYTES, offset)
        head = self._sealer.head(data, 0, offset=offset)
        if head is not None and head.type == FrameType.BLOB:
            data += read_all(self._files, self._file, head.end - offset - HEAD_BYTES, offset + HEAD_BYTES)
            if (body := self._sealer.body(head, data, 0)) is not None:
                return body
        raise Damaged(f"the big value at offset {offset} is damaged; see `jobengine db repair`")
