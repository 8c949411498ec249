"""Compaction at the start: what is live goes into a new file, which then takes the place of the old one.

A crash at any point leaves one complete file. Until the rename it is the old one, and before the rename the
new one is synced. The anchor names the old file until the new name is on disk, and the new file names the old
one as its parent: whichever is found, the anchor fits.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from jobengine.journal.blobs import BlobReader
from jobengine.journal.codec import ChangeEncoder, body_of
from jobengine.journal.files import Files, make_new, new_path, write_all
from jobengine.journal.frame import FrameSealer, FrameType
from jobengine.journal.header import Header
from jobengine.journal.snapshot import SnapshotCount
from jobengine.model.changes import Change, PutJob
from jobengine.model.job import Blob

_FRAME_BYTES: Final = 256 * 1024


class SnapshotWriter:
    """Writes a snapshot into a new file. Nothing is synced before `end`."""

    def __init__(self, files: Files, file: int, sealer: FrameSealer, header: Header, *, time: int) -> None:
        self.place = replace(header.first_place, time=time)
        self._files = files
        self._file = file
        self._sealer = sealer
        self._encoder = ChangeEncoder()
        self._count = SnapshotCount()
        self._records: list[bytes] = []
        self._size = 0
        write_all(files, file, header.pack() * 2, 0)

    def put(self, change: Change) -> None:
        """One more change."""
        record = self._encoder.encode((change,))
        self._records.append(record)
        self._size += len(record)
        if self._size > _FRAME_BYTES:
            self._flush()

    def put_blob(self, blob: Blob, parts: Iterable[bytes]) -> Blob:
        """A big value; returns where it stands now."""
        offsets = tuple(self._write(FrameType.BLOB, part) for part in parts)
        return replace(blob, offsets=offsets)

    def end(self) -> None:
        """Write the rest, and that this is all; wait for the disk."""
        self._flush()
        self._write(FrameType.SNAPSHOT_END, self._count.body())
        self._files.sync(self._file)

    def _flush(self) -> None:
        if self._records:
            self._write(FrameType.SNAPSHOT, body_of(self._records, len(self._records)))
            self._count.add(self.place.tag, len(self._records))
            self._records, self._size = [], 0

    def _write(self, kind: FrameType, body: bytes) -> int:
        frame = self._sealer.seal(kind, body, time=self.place.time, before=self.place)
        write_all(self._files, self._file, frame.data, frame.offset)
        self.place = frame.after
        return frame.offset


class Compaction:
    """Writes live jobs to a new file, their big values with them."""

    def __init__(self, files: Files, path: Path, blobs: BlobReader) -> None:
        self._files = files
        self._path = path
        self._blobs = blobs

    def run(self, header: Header, sealer: FrameSealer, snapshot: Iterable[Change], *, time: int) -> None:
        """Put a new file in the place of the old one. Raises Damaged, OSError."""
        file = make_new(self._files, new_path(self._path))
        try:
            writer = SnapshotWriter(self._files, file, sealer, header, time=time)
            for change in snapshot:
                writer.put(self._rewritten(change, writer))
            writer.end()
        finally:
            self._files.close(file)
        self._files.rename(new_path(self._path), self._path)
        self._files.sync_directory(self._path.parent)

    def _rewritten(self, change: Change, writer: SnapshotWriter) -> Change:
        match change:
            case PutJob(job=job) if isinstance(job.content, Blob):
                blob = writer.put_blob(job.content, self._blobs.parts(job.content))
                return PutJob(replace(job, content=blob))
            case _:
                return change
