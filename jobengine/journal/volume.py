"""The database file that is in use; a compaction puts another one in its place."""

from collections.abc import Callable

from jobengine.journal.blobs import BlobReader, SharedFile
from jobengine.journal.codec import ChangeEncoder
from jobengine.journal.files import Files
from jobengine.journal.frame import FrameSealer
from jobengine.journal.header import Header
from jobengine.journal.scrub import Scrub
from jobengine.journal.tail import Tail
from jobengine.model.blob import Blob


class Volume:
    """One file: where it ends, what encodes for it, and who reads big values from it."""

    def __init__(
        self, files: Files, file: int, header: Header, sealer: FrameSealer, tail: Tail, encoder: ChangeEncoder
    ) -> None:
        self.header = header
        self.tail = tail
        self.encoder = encoder
        self.reader = BlobReader(files, file, sealer, encoder.places)
        self._files = files
        self._sealer = sealer
        self._shared = SharedFile(files, file)

    def scrub(self, *, is_current: Callable[[], bool]) -> Scrub:
        """A reading of all that is on disk now."""
        return Scrub(
            self._files,
            self._shared,
            self.header,
            self._sealer,
            end=self.tail.place.end,
            is_current=is_current,
        )

    def read(self, blob: Blob) -> bytes | None:
        """A big value; None when the file is not in use any more. For any thread. Raises Damaged, OSError."""
        if not self._shared.enter():
            return None
        try:
            return self.reader.read(blob)
        finally:
            self._shared.leave()

    def retire(self) -> None:
        """Close it, once the last who reads it has finished."""
        self.tail.close()
        self._shared.leave()
