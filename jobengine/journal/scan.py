"""Going through the frames of a database file, from the first to the last good one."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from jobengine.journal.files import Files, read_all
from jobengine.journal.frame import ALIGNMENT, HEAD_BYTES, MAGIC, FrameSealer, FrameType, Head, Place

_SECTOR: Final = 512
_BLOB: Final = FrameType.BLOB  # a look at an enumeration's member costs five times as much
_SNAPSHOT_END: Final = FrameType.SNAPSHOT_END
_LEAST_AHEAD: Final = 64 * 1024
_MOST_AHEAD: Final = 2 * 1024 * 1024  # more would not stay in the processor's cache until it is looked at


class Trouble(Struct, frozen=True):
    """Bytes behind the last good frame that are none."""

    offset: int
    end: int  # of the frame as its authentic head has it, else of the file


class Scan:
    """Reads a file in large pieces. Its size does not matter for memory."""

    def __init__(
        self, files: Files, file: int, sealer: FrameSealer, place: Place, *, reads_blobs: bool = False
    ) -> None:
        self.place = place  # behind the last good frame
        self.last: Head | None = None  # the last good frame
        self.trouble: Trouble | None = None  # what ended the scan, if not the end of the file
        self.size = files.size(file)
        self._files = files
        self._file = file
        self._sealer = sealer
        self._reads_blobs = reads_blobs
        self._ahead = _LEAST_AHEAD  # bytes to read at once: more and more, until a big value is passed over
        self._chunk = b""
        self._chunk_offset = 0

    def frames(self) -> Iterator[tuple[Head, bytes]]:
        """Each good frame and its body; that of a blob when asked for. Then `trouble` says what ended it."""
        while (offset := self.place.end) < self.size:
            head = self._head(offset)
            end = self.size if head is None else head.end
            body = None if head is None or end > self.size else self._body(head, end)
            if head is None or body is None:
                self.trouble = Trouble(offset, end)
                return
            self.place = Place(end, head.sequence, head.time, head.tag)
            self.last = head
            yield head, body

    def authentic_head_behind(self, trouble: Trouble) -> Head | None:
        """The first authentic head behind the trouble: then it is no torn tail."""
        offset = trouble.offset + ALIGNMENT
        while offset + HEAD_BYTES <= self.size:
            chunk, position = self._at(offset, HEAD_BYTES)
            found = chunk.find(MAGIC, position)
            if found < 0:
                offset = _aligned(self._chunk_offset + len(chunk) - len(MAGIC) + 1)
                continue
            offset = _aligned(self._chunk_offset + found)
            if offset == self._chunk_offset + found and (head := self._head(offset)) is not None:
                return head
            offset = _aligned(self._chunk_offset + found + 1)
        return None

    def runs_past_the_end(self, trouble: Trouble) -> bool:
        """The frame is longer than the file, or the file ends in its head."""
        return trouble.end > self.size or self.size - trouble.offset < HEAD_BYTES

    def has_zero_sector(self, trouble: Trouble) -> bool:
        """One of the sectors of the frame never came to the disk."""
        end = min(trouble.end, self.size)
        start = trouble.offset
        while start < end:
            stop = min((start // _SECTOR + 1) * _SECTOR, end)
            chunk, position = self._at(start, stop - start)
            if not any(chunk[position : position + stop - start]):
                return True
            start = stop
        return False

    def _follows(self, head: Head) -> bool:
        return head.tag_before == self.place.tag and (
            head.sequence == self.place.sequence + 1
            # Commits went on in the old file while its jobs were copied: the sequence leaps over them.
            or (head.type == _SNAPSHOT_END and head.sequence > self.place.sequence)
        )

    def _head(self, offset: int) -> Head | None:
        chunk, position = self._at(offset, HEAD_BYTES)
        return self._sealer.head(chunk, position, offset=offset)

    def _body(self, head: Head, end: int) -> bytes | None:
        """What the frame that ends there holds; None when it is not the next one, or not authentic."""
        if not self._follows(head):
            return None
        # The body of a blob is not read, but at the end of the file: only there may it be unsynced.
        if head.type == _BLOB and end < self.size and not self._reads_blobs:
            self._ahead = _LEAST_AHEAD
            return b""
        chunk, position = self._at(head.offset, end - head.offset)
        return self._sealer.body(head, chunk, position)

    def _at(self, offset: int, length: int) -> tuple[bytes, int]:
        """A piece of the file that holds these bytes, and where in it they start."""
        position = offset - self._chunk_offset
        if position < 0 or position + length > len(self._chunk):
            self._chunk = read_all(self._files, self._file, max(self._ahead, length), offset)
            self._chunk_offset, position = offset, 0
            self._ahead = min(2 * self._ahead, _MOST_AHEAD)
        return self._chunk, position


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT
