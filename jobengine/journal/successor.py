"""The file that will take the place of the present one, while it is written beside it.

Into it goes, in this order: the queues; every job, when the walk comes to it; and whatever changes behind the
walk, at once. What changes before the walk comes to it is left out: the walk will find it as it is by then.
So a replay of the new file gives what memory held when the walk had come to its end, and no picture of one
moment is needed.

Nothing of it is synced before its time, and nobody relies on it before it is in place. A crash until then
leaves the old file, which has everything.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from jobengine.journal.blobs import BlobPlaces, BlobReader
from jobengine.journal.codec import ChangeEncoder, body_of
from jobengine.journal.files import Files, make_new, new_path, write_all
from jobengine.journal.frame import FrameSealer, FrameType, Place
from jobengine.journal.header import Header
from jobengine.journal.keys import Keys
from jobengine.journal.snapshot import SnapshotCount
from jobengine.model.blob import Blob
from jobengine.model.changes import Change

FRAME_BYTES: Final = 256 * 1024
# Synced in small pieces: a commit of the old file would have to wait behind a large one.
SYNC_BYTES: Final = 1024 * 1024


class Successor:
    """A new file: `take` and `cut` on the event loop, all that touches the disk on one thread at a time."""

    def __init__(
        self, files: Files, path: Path, header: Header, keys: Keys, *, generation: int, time: int
    ) -> None:
        self.header = header
        self.sealer = FrameSealer(keys)
        self.anchor_key = keys.anchor
        self.encoder = ChangeEncoder(places=BlobPlaces(generation))
        self.place = replace(header.first_place, time=time)
        self.is_in_place = False  # it is the database file now
        self._files = files
        self._path = path
        self.file = make_new(files, new_path(path))
        self._count = SnapshotCount()
        self._records: list[bytes] = []
        self._size = 0
        self._unsynced = 0

    # --- on the event loop ---

    def take(self, changes: Iterable[Change]) -> None:
        """Put these behind what was taken before."""
        for change in changes:
            record = self.encoder.encode((change,))
            self._records.append(record)
            self._size += len(record)

    @property
    def is_full(self) -> bool:
        """Whether there is enough for a frame."""
        return self._size >= FRAME_BYTES

    def cut(self) -> tuple[bytes, int]:
        """What was taken since the last time: records, and how many. To be given to `write`."""
        taken = (b"".join(self._records), len(self._records))
        self._records, self._size = [], 0
        return taken

    # --- on a thread ---

    def start(self) -> None:
        """Write the header. Raises OSError; then there is nothing of it."""
        try:
            write_all(self._files, self.file, self.header.pack() * 2, 0)
        except OSError:
            self.abandon()
            raise

    def write(self, records: bytes, count: int) -> None:
        """Write what was cut. Raises OSError."""
        if count:
            self._write(FrameType.SNAPSHOT, body_of(records, count))
            self._count.add(self.place.tag, count)
        if self._unsynced >= SYNC_BYTES:
            self._sync()

    def copy_blob(self, blob: Blob, reader: BlobReader) -> tuple[int, ...]:
        """Copy a big value into this file; returns where it stands. Raises Damaged, OSError."""
        offsets = []
        for part in reader.parts(blob):
            offsets.append(self._write(FrameType.BLOB, part))
            self._sync()
        return tuple(offsets)

    def end(self, records: bytes, count: int, *, of: Place) -> None:
        """Write the rest, and that this is what the old file held up to that place. Raises OSError."""
        self.write(records, count)
        self.place = replace(
            self.place,
            sequence=max(self.place.sequence, of.sequence),
            time=max(self.place.time, of.time),
        )
        self._write(FrameType.SNAPSHOT_END, self._count.body(of.sequence))
        self._sync()

    def install(self) -> None:
        """Take the place of the old file. Raises OSError."""
        self._files.rename(new_path(self._path), self._path)

    def abandon(self) -> None:
        """Give it up. Raises OSError."""
        self._files.close(self.file)
        if self._files.exists(new_path(self._path)):
            self._files.remove(new_path(self._path))

    def _write(self, kind: FrameType, body: bytes) -> int:
        frame = self.sealer.seal(kind, body, time=self.place.time, before=self.place)
        write_all(self._files, self.file, frame.data, frame.offset)
        self.place = frame.after
        self._unsynced += len(frame.data)
        return frame.offset

    def _sync(self) -> None:
        self._files.sync(self.file)
        self._unsynced = 0
