"""One reading of the file in use, piece by piece, that authenticates every frame: disks forget in silence."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from jobengine.errors import Damaged
from jobengine.journal.blobs import SharedFile
from jobengine.journal.files import Files, read_all
from jobengine.journal.frame import ALIGNMENT, FrameSealer, Head
from jobengine.journal.header import FRAMES_START, Header, read_header

PIECE_BYTES: Final = 64 * 1024
_PAGE_BYTES: Final = 4096  # what a disk fails to read, at the least


class DamagedRange(Struct, frozen=True):
    """Bytes that are not what was written there."""

    offset: int
    end: int


class Scrub:
    """Reads as far as the file had come at the beginning: all of that is on disk, and changes no more.

    For any thread, but one at a time. `is_current` tells whether the file is still the one in use.
    """

    def __init__(
        self,
        files: Files,
        file: SharedFile,
        header: Header,
        sealer: FrameSealer,
        *,
        end: int,
        is_current: Callable[[], bool],
    ) -> None:
        self.damages: list[DamagedRange] = []
        self.is_current = is_current
        self._files = files
        self._file = file
        self._header = header
        self._sealer = sealer
        self._end = end
        self._offset = 0
        self._tag: bytes | None = header.first_place.tag  # of the frame before, where it is known

    @property
    def is_done(self) -> bool:
        """All of it is read."""
        return self._offset >= self._end

    @property
    def damaged_bytes(self) -> int:
        """Found so far."""
        return sum(damage.end - damage.offset for damage in self.damages)

    def step(self) -> int:
        """Read on; returns how many bytes further it has come. 0 when the file is not in use any more."""
        if not self._file.enter():
            return 0
        try:
            return self._step()
        finally:
            self._file.leave()

    def _step(self) -> int:
        before = self._offset
        if before == 0:
            self._check_header()
        elif piece := self._read(min(PIECE_BYTES, self._end - before)):
            self._check_frames(piece)
        else:
            self._miss(min(before + _PAGE_BYTES, self._end))
        return self._offset - before

    def _check_header(self) -> None:
        try:
            header, mends = read_header(self._read(FRAMES_START))
            damaged = list(mends) if header == self._header else [0]
        except Damaged:
            damaged = [0]
        self.damages += [DamagedRange(offset, FRAMES_START) for offset in damaged]
        self._offset = FRAMES_START

    def _check_frames(self, piece: bytes) -> None:
        start, stop = self._offset, self._offset + len(piece)
        while self._offset < stop:
            position = self._offset - start
            head = self._sealer.head(piece, position, offset=self._offset)
            if head is None:
                self._miss(self._offset + ALIGNMENT)
            elif head.end <= stop:
                self._check_body(head, piece, position)
            elif position:
                return  # the next piece begins with this frame
            else:
                self._check_body(head, self._read(head.end - head.offset), 0)

    def _check_body(self, head: Head, data: bytes, position: int) -> None:
        follows = self._tag in (None, head.tag_before)
        if not follows or self._sealer.body(head, data, position) is None:
            self._miss(head.end)
        self._offset, self._tag = head.end, head.tag

    def _miss(self, end: int) -> None:
        """What stands from here to there is damaged."""
        offset = self._offset
        if self.damages and self.damages[-1].end == offset:
            offset = self.damages.pop().offset
        self.damages.append(DamagedRange(offset, end))
        self._offset, self._tag = end, None

    def _read(self, length: int) -> bytes:
        """So many bytes from here, or what can be read of them."""
        try:
            return read_all(self._files, self._file.descriptor, length, self._offset)
        except OSError:
            return self._read_some(min(length, _PAGE_BYTES))

    def _read_some(self, length: int) -> bytes:
        try:
            return self._files.read(self._file.descriptor, length, self._offset)
        except OSError:
            return b""
