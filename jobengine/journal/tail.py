"""The end of the database file, where frames are added, one at a time."""

from typing import Final

from jobengine.errors import InputOutputFailed, StorageFull
from jobengine.journal.anchor import Anchor, Mark
from jobengine.journal.files import NO_ROOM, Files, write_all
from jobengine.journal.frame import Frame, FrameSealer, FrameType, Place

_NO_ROOM: Final = "the disk has no room for the change; nothing was changed"


class Tail:
    """Adds frames. `seal` on one thread, then `write` on another, then the next `seal`: never two at once."""

    def __init__(self, files: Files, file: int, anchor: Anchor, sealer: FrameSealer, place: Place) -> None:
        self.place = place
        self._files = files
        self._file = file
        self._anchor = anchor
        self._sealer = sealer
        self._boot_id = files.boot_id()

    def seal(self, kind: FrameType, body: bytes, *, time: int) -> Frame:
        """The frame that stands next."""
        return self._sealer.seal(kind, body, time=time, before=self.place)

    def write(self, frame: Frame) -> None:
        """Write a frame and wait for the disk.

        Raises StorageFull when there is no room and nothing has changed, and InputOutputFailed when nobody
        knows what the disk holds now: it must be the last call.
        """
        try:
            self._put(frame)
            # After a failed sync the system may forget what was not written: a second one would tell lies.
            self._files.sync(self._file)
            self.place = frame.after
            self._write_mark()
        except OSError as error:
            self._mark_failed()
            raise InputOutputFailed(f"writing the database file failed: {error.strerror}") from error

    def close(self) -> None:
        """Give the anchor up. The file is its owner's."""
        self._anchor.close()

    def establish(self, *, clean: bool = False) -> None:
        """Let the anchor say how far the file has come, and wait for the disk."""
        self._anchor.establish(self._mark(clean=clean))

    def sync_anchor(self) -> None:
        """Wait until the anchor is on disk. Raises InputOutputFailed."""
        try:
            self._anchor.sync()
        except OSError as error:
            self._mark_failed()
            raise InputOutputFailed(f"writing the anchor failed: {error.strerror}") from error

    def _put(self, frame: Frame) -> None:
        try:
            write_all(self._files, self._file, frame.data, frame.offset)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            self._cut()
            raise StorageFull(_NO_ROOM) from error

    def _cut(self) -> None:
        """Take back what was written of a frame. Synced, so that a crash cannot mix it with the next one."""
        self._files.truncate(self._file, self.place.end)
        self._files.sync(self._file)

    def _write_mark(self) -> None:
        try:
            self._anchor.write(self._mark())
        except OSError as error:
            # The frame is on disk. An anchor that lags behind is what any crash of the machine leaves, too.
            if error.errno not in NO_ROOM:
                raise

    def _mark_failed(self) -> None:
        try:
            self._anchor.establish(self._mark(failed=True))
        except OSError:
            return  # the disk takes nothing any more; the frame's own tags remain

    def _mark(self, *, clean: bool = False, failed: bool = False) -> Mark:
        place, file_id = self.place, self._anchor.file_id
        return Mark(file_id, place.sequence, place.end, place.time, self._boot_id, clean, failed)
